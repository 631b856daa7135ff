"""A dataset of the Hugging Face Hub by its name: its files, opened so that only what is read is fetched.

`huggingface_hub` is the extra `hub`; it respects HF_TOKEN, HF_ENDPOINT and HF_HUB_OFFLINE by itself. Called by
opened.py.
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import Any, BinaryIO, cast

from pairsmith.collect.settings import HUB
from pairsmith.converting.choosing import Choice, chosen_files
from pairsmith.converting.files import Source, format_of
from pairsmith.errors import InputError

_NAME = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")
_CONVERTED = "refs/convert/parquet"  # where the hub keeps Parquet of datasets that come as a script


def is_hub_name(name: str) -> bool:
    """Whether it reads like owner/name or owner/name@revision, and like no file; or says hf:// before that."""
    if name.startswith(HUB):
        return True
    return bool(_NAME.fullmatch(name)) and format_of(name) is None and not PurePath(name).parts[0].startswith(".")


@dataclass(frozen=True, slots=True)
class HubDataset:
    """One split of a dataset: its files and what was chosen."""

    sources: tuple[Source, ...]
    choice: Choice


def hub_dataset(name: str, config: str | None, split: str | None) -> HubDataset:
    """The files of one split of a dataset on the hub.

    Raises:
        InputError: it cannot be read: not there, not allowed, no connection, the extra is not installed.
    """
    repo, _, revision = name.removeprefix(HUB).removeprefix("datasets/").partition("@")
    if not _NAME.fullmatch(repo):
        raise InputError(f"{name}: names no dataset of the hub: write it like {HUB}owner/name")
    try:
        from huggingface_hub import HfApi, HfFileSystem
    except ImportError:
        way = "pip install 'pairsmith[hub]', or name a file"
        raise InputError(f"{name} is no file, and reading from the hub needs an extra: {way}") from None
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # its retries are not our user's affair
    files = HfFileSystem()
    try:
        names = HfApi().list_repo_files(repo, repo_type="dataset", revision=revision or None)
        if not revision and not any(map(format_of, names)):
            revision = _CONVERTED
            names = HfApi().list_repo_files(repo, repo_type="dataset", revision=revision)
        root = f"datasets/{repo}{f'@{revision}' if revision else ''}"
        card = files.read_text(f"{root}/README.md") if "README.md" in names else ""
    except Exception as exc:  # the hub's client raises errors of several libraries
        raise _refused(name, exc) from exc
    choice = chosen_files(names, card, config, split, name)
    opened = tuple(Source(f"{repo}/{file}", partial(_open, files, f"{root}/{file}", name)) for file in choice.files)
    return HubDataset(opened, choice)


def _open(files: Any, path: str, name: str) -> BinaryIO:
    try:
        stream = files.open(path, "rb", block_size=1024 * 1024)
        stream.read(1)  # what is refused is refused here, in the hub's own words
        stream.seek(0)
    except Exception as exc:  # as above
        raise _refused(name, exc) from exc
    return cast(BinaryIO, stream)


def _refused(name: str, exc: Exception) -> InputError:
    """One sentence for what the hub's client raises."""
    kind = type(exc).__name__
    status = getattr(getattr(exc, "response", None), "status_code", None)
    if kind == "GatedRepoError" or status == 403:
        return InputError(f"{name}: its owner asks for agreement first: accept on its page of the hub, set HF_TOKEN")
    if kind in ("RepositoryNotFoundError", "RevisionNotFoundError") or status in (401, 404):
        return InputError(f"{name}: is no file here, and no public dataset on the hub: mend the name, or set HF_TOKEN")
    said = str(exc).splitlines()[0] if str(exc) else ""
    return InputError(f"{name}: is no file here, and cannot be read from the hub ({kind}: {said})")
