"""A dataset in a folder: one that `datasets` saved, or a checkout from the hub. Called by opened.py."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import orjson

from pairsmith.converting.choosing import DEFAULT_SPLIT, Choice, chosen_files, configs_of, split_of
from pairsmith.converting.files import format_of
from pairsmith.errors import InputError
from pairsmith.records import Json


def files_in(folder: Path, config: str | None, split: str | None) -> Choice:
    """The files of one split of a dataset folder; their paths lead from the folder.

    Raises:
        InputError: it holds no such part.
    """
    saved = _json(folder / "dataset_dict.json")
    if saved is not None:
        splits = [str(one) for one in cast("list[Json]", saved.get("splits") or [])]
        wanted = split or (DEFAULT_SPLIT if DEFAULT_SPLIT in splits or len(splits) != 1 else splits[0])
        if wanted not in splits:
            raise InputError(f"{folder}: has no split {wanted}; take one with --split: {', '.join(splits)}")
        return _saved(folder, wanted)
    if (folder / "state.json").exists():
        return _saved(folder, "")
    return chosen_files(_names(folder), _card(folder), config, split, str(folder))


def is_dataset(folder: Path) -> bool:
    """Whether it is laid out as one: saved by `datasets`, with a card that names files, or all files tell a split."""
    if any((folder / name).exists() for name in ("dataset_dict.json", "state.json")) or configs_of(_card(folder)):
        return True
    data = [name for name in _names(folder) if format_of(name)]
    return bool(data) and all(map(split_of, data))


def _names(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


def _card(folder: Path) -> str:
    card = folder / "README.md"
    return card.read_text("utf-8", errors="replace") if card.exists() else ""


def _saved(folder: Path, split: str) -> Choice:
    """What `save_to_disk` wrote for one split."""
    state = _json(folder / split / "state.json") or {}
    files = [one.get("filename") for one in cast("list[dict[str, Json]]", state.get("_data_files") or [])]
    if not files:
        raise InputError(f"{folder / split}: its state.json names no data file; save the dataset again")
    return Choice(tuple(str(Path(split, str(file))) for file in files), "", split)


def _json(path: Path) -> dict[str, Json] | None:
    try:
        value = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    return value if isinstance(value, dict) else None
