"""What the user named: a file, standard input, a dataset folder, or a dataset of the hub.

Called by cli/convert.py and running/sources.py.
"""

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
    if name != "-" and (found := dataset(name, config, split)) is not None:
        return found
    if config is not None or split is not None:
        raise InputError(f"{name} is one file, without configs and splits: leave --config and --split out")
    return Named((Source(name, standard_input if name == "-" else partial(_open, Path(name))),))


def dataset(name: str, config: str | None, split: str | None) -> Named | None:
    """The files of a dataset folder, or of a dataset of the hub; None: the name is that of neither.

    Raises:
        InputError: the dataset cannot be read, or has no such part.
    """
    path = Path(name)
    if path.is_dir():
        from pairsmith.converting.folders import files_in

        choice = files_in(path, config, split)
        return Named(tuple(Source(file, partial(_open, path / file)) for file in choice.files), choice)
    if path.exists():
        return None
    from pairsmith.converting.hub import hub_dataset, is_hub_name

    if not is_hub_name(name):
        return None
    found = hub_dataset(name, config, split)
    return Named(found.sources, found.choice)


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as exc:
        raise InputError(
            f"{path} cannot be read ({exc.strerror}): name a file, a folder or a dataset of the hub"
        ) from exc
