"""Open streams become rows: text, JSON lines and JSON arrays here, CSV and Parquet in tables.py.

All but the JSON array stream: memory holds one line, or one small batch, whatever the size of the file.
Files are opened and closed by the caller; lines are cut at line feeds alone (str.splitlines would cut a
JSON line at U+2028).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import PurePath
from typing import BinaryIO

import orjson

from pairsmith.collect.rows import BadRow, Place, Row, bad_row, read_row
from pairsmith.collect.tables import read_csv, read_parquet, read_tsv
from pairsmith.errors import InputError
from pairsmith.streams import (
    Flaw,
    is_lines_of_json,
    load_json,
    read_array,
    read_lines,
    say_name,
    say_unreadable,
    start_of,
)

_SUFFIXES = {
    ".txt": "text", ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json",
    ".parquet": "parquet",
}  # fmt: skip


def read_prompts(stream: BinaryIO, name: str, format: str) -> Iterator[Row | BadRow]:
    """Read the rows of one input, lazily and in order.

    Args:
        stream: open for reading in binary mode; for "parquet" it must seek. It stays open.
        name: as the user wrote it, for messages; "-" is standard input.
        format: one of text, csv, tsv, jsonl, json, parquet (see `detect_format`).

    Raises:
        InputError: the format is unknown, or the input cannot be read as it (while iterating).
    """
    reader = _READERS.get(format)
    if reader is None:
        raise InputError(f'"{format}" is no prompt format; use one of {", ".join(_READERS)}')
    return reader(stream, name)


def detect_format(name: str, head: bytes) -> str:
    """The format of an input, by its suffix; by its first bytes where the name has none, or is "-".

    Args:
        name: as the user wrote it.
        head: the first bytes of the input (4,096 are plenty; fewer if the input is shorter).

    Raises:
        InputError: the suffix is none of ours.
    """
    suffix = PurePath(name).suffix.lower()
    if not suffix:
        return _sniff(head)
    if suffix not in _SUFFIXES:
        known = ", ".join(_SUFFIXES)
        raise InputError(f"{name}: the suffix {suffix} is none of {known}; rename the file or set format")
    if suffix == ".json" and is_lines_of_json(head):
        return "jsonl"
    return _SUFFIXES[suffix]


def _sniff(head: bytes) -> str:
    if head.startswith(b"PAR1"):
        return "parquet"
    start = start_of(head)
    if start.startswith(b"{"):
        return "jsonl"
    # "[INST] …" is text
    return "json" if start.startswith(b"[") and start[1:].lstrip()[:1] in (b"", b"{", b'"', b"]") else "text"


def _read_text(stream: BinaryIO, name: str) -> Iterator[Row | BadRow]:
    """One prompt a line, white space kept; blank lines are skipped."""
    for place, line in _read_lines(stream, name):
        if isinstance(line, BadRow):
            yield line
            continue
        try:
            text = line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError as exc:
            yield bad_row(place, Flaw(None, *say_unreadable(exc)))
            continue
        if text.strip():
            yield read_row({"prompt": text}, place)


def _read_jsonl(stream: BinaryIO, name: str) -> Iterator[Row | BadRow]:
    """One object a line; blank lines are skipped."""
    for place, line in _read_lines(stream, name):
        if isinstance(line, BadRow):
            yield line
        elif line.strip():
            try:
                value = load_json(line)
            except (UnicodeDecodeError, orjson.JSONDecodeError) as exc:
                yield bad_row(place, Flaw(None, *say_unreadable(exc)))
            else:
                yield read_row(value, place)


def _read_lines(stream: BinaryIO, name: str) -> Iterator[tuple[Place, bytes | BadRow]]:
    for number, line in read_lines(stream, name):
        place = Place(name, number)
        yield place, bad_row(place, line) if isinstance(line, Flaw) else line


def _read_json(stream: BinaryIO, name: str) -> Iterator[Row | BadRow]:
    """One array of objects; the whole file is in memory."""
    value = read_array(stream, name)
    if not isinstance(value, list):
        raise InputError(f"{say_name(name)}: a JSON file must hold one array of objects; wrap it in [ ]")
    for number, item in enumerate(value, start=1):
        yield read_row(item, Place(name, number, "row"))


_READERS: dict[str, Callable[[BinaryIO, str], Iterator[Row | BadRow]]] = {
    "text": _read_text,
    "csv": read_csv,
    "tsv": read_tsv,
    "jsonl": _read_jsonl,
    "json": _read_json,
    "parquet": read_parquet,
}
