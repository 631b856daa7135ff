"""Which files of a dataset are the wanted part of it: by the `configs` of its card, else by the files' names.

As the `datasets` library finds them (its data_files module, read 2026-11), for a folder and for the hub alike.
Called by folders.py and hub.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from pairsmith.converting.files import format_of
from pairsmith.errors import InputError

DEFAULT_SPLIT = "train"
_KEYWORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_SHARD = re.compile(r"(?:^|/)(\w+)-\d{5}-of-\d{5}[^/]*$")
_NO_DATA = re.compile(r"(^|/)([._]|dataset_info|dataset_dict|state\.json)|\.provenance\.jsonl$")


@dataclass(frozen=True, slots=True)
class Choice:
    """The files of one split, in order; "" for a config where there are none."""

    files: tuple[str, ...]
    config: str
    split: str


def chosen_files(names: Sequence[str], card: str, config: str | None, split: str | None, what: str) -> Choice:
    """The files of a config and a split of a dataset.

    Args:
        names: of all its files, relative to its root.
        card: its README.md, "" if there is none.
        config: None for the one that is marked, named default, or the only one.
        split: None for train, or the only one.
        what: the dataset, as the user named it.

    Raises:
        InputError: there is no such config, split or file, or one of several has to be named.
    """
    data = sorted(name for name in names if format_of(name) and not _NO_DATA.search(name))
    configs = configs_of(card)
    name, splits = "", _by_names(data)
    if configs:
        name = _config_named(configs, config, what)
        splits = _of_config(configs[name], data)
    elif config is not None:
        raise InputError(f"{what}: its card names no configs; leave --config out")
    if not splits:
        raise InputError(f"{what}: holds no data file of a kind that is read here (json, jsonl, csv, tsv, parquet)")
    wanted = split or (DEFAULT_SPLIT if DEFAULT_SPLIT in splits or len(splits) > 1 else next(iter(splits)))
    if wanted not in splits:
        raise InputError(f"{what}: has no split {wanted}; take one with --split: {', '.join(splits)}")
    return Choice(_of_one_format(splits[wanted]), name, wanted)


def _of_one_format(files: Sequence[str]) -> tuple[str, ...]:
    """The files of the format that most have: others are no part of the same table."""
    formats = Counter(map(format_of, files))
    return tuple(file for file in files if format_of(file) == formats.most_common(1)[0][0])


def _by_names(files: Sequence[str]) -> dict[str, list[str]]:
    splits: dict[str, list[str]] = {}
    for file in files:
        splits.setdefault(split_of(file), []).append(file)
    named = {split: found for split, found in splits.items() if split}
    return named or ({DEFAULT_SPLIT: splits[""]} if splits else {})


def split_of(file: str) -> str:
    """The split that a file's path tells; "" where it tells none."""
    if shard := _SHARD.search(file):
        return shard[1]
    words = re.split(r"[-._ 0-9/]+", file.lower())
    return next((split for split, keywords in _KEYWORDS.items() if not {*keywords}.isdisjoint(words)), "")


def configs_of(card: str) -> dict[str, Mapping[str, Any]]:
    """The configs of a card with files of their own, by name."""
    front = re.match(r"\s*---\s*\n(.*?)\n---", card, re.DOTALL)
    if not front:
        return {}
    import yaml

    try:
        found = yaml.safe_load(front[1])
    except yaml.YAMLError:
        return {}
    configs = found.get("configs") if isinstance(found, dict) else None
    named = [one for one in configs if isinstance(one, dict)] if isinstance(configs, list) else []
    return {str(one.get("config_name", "default")): one for one in named if one.keys() & {"data_files", "data_dir"}}


def _config_named(configs: Mapping[str, Mapping[str, Any]], wanted: str | None, what: str) -> str:
    marked = [name for name, one in configs.items() if one.get("default")]
    fallback = next((name for name in (*marked, "default") if name in configs), None)
    name = wanted or fallback or (next(iter(configs)) if len(configs) == 1 else "")
    if name not in configs:
        found = f"has no config {name}" if name else "has several configs"
        raise InputError(f"{what}: {found}; take one with --config: {', '.join(configs)}")
    return name


def _of_config(config: Mapping[str, Any], files: Sequence[str]) -> dict[str, list[str]]:
    folder = str(config.get("data_dir", "")).strip("./")
    inside = [file for file in files if not folder or PurePath(file).is_relative_to(folder)]
    given = config.get("data_files")
    if given is None:
        return _by_names(inside)
    entries: list[tuple[str, Any]] = [(DEFAULT_SPLIT, given)]
    if isinstance(given, dict):
        entries = [(str(split), paths) for split, paths in given.items()]
    elif isinstance(given, list) and all(isinstance(one, dict) for one in given):
        entries = [(str(one.get("split", DEFAULT_SPLIT)), one.get("path")) for one in given]
    found = {split: [file for file in inside if _matches(file, paths, folder)] for split, paths in entries}
    return {split: matched for split, matched in found.items() if matched}


def _matches(file: str, patterns: Any, folder: str) -> bool:
    """Whether a path is one of the glob patterns, in which ** is any number of folders."""
    for pattern in patterns if isinstance(patterns, list) else [patterns]:
        parts = re.split(r"(\*\*/|\*\*|\*|\?)", str(pattern).removeprefix("./"))
        globs = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
        regex = "".join(globs.get(part) or re.escape(part) for part in parts)
        if re.fullmatch(regex, file.removeprefix(f"{folder}/") if folder else file):
            return True
    return False
