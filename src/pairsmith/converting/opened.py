"""What the user named: a file, standard input, a dataset folder, or a dataset of the hub. Called by cli/convert.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

from pairsmith.converting.choosing import Choice
from pairsmith.converting.files import Source
from pairsmith.errors import InputError


@dataclass(frozen=True, slots=True)
class Named:
    """The files to read, and which part of a dataset they are: None for a single file."""

    sources: tuple[Source, ...]
    part: Choice | None = None


def named(name: str, config: str | None, split: str | None, standard_input: Callable[[], BinaryIO]) -> Named:
    """The files behind a name.

    Raises:
        InputError: there are none.
    """
    path = Path(name)
    if name != "-" and path.is_dir():
        from pairsmith.converting.folders import files_in

        choice = files_in(path, config, split)
        return Named(tuple(Source(file, partial(_open, path / file)) for file in choice.files), choice)
    if name != "-" and not path.exists():
        from pairsmith.converting.hub import hub_dataset, is_hub_name

        if is_hub_name(name):
            found = hub_dataset(name, config, split)
            return Named(found.sources, found.choice)
    if config is not None or split is not None:
        raise InputError(f"{name} is one file, without configs and splits: leave --config and --split out")
    return Named((Source(name, standard_input if name == "-" else partial(_open, path)),))


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as exc:
        raise InputError(
            f"{path} cannot be read ({exc.strerror}): name a file, a folder or a dataset of the hub"
        ) from exc
