"""Open streams become rows: text, JSON lines and JSON arrays here, tables in tables.py.

All but the JSON array stream: memory holds one line, or one small batch, whatever the size of the file.
Files are opened and closed by the caller; lines are cut at line feeds alone (str.splitlines would cut a
JSON line at U+2028).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePath
from typing import BinaryIO, NamedTuple, TypeAlias

import orjson

from pairsmith.collect.rows import BadRow, Place, Row, bad_row, read_row
from pairsmith.collect.tables import cells_as_json, read_arrow, read_csv, read_parquet, read_sheet, read_tsv
from pairsmith.collect.where import Condition, matching
from pairsmith.errors import InputError
from pairsmith.records import Json
from pairsmith.streams import (
    COMPRESSED,
    Flaw,
    is_lines_of_json,
    load_json,
    read_array,
    read_lines,
    say_name,
    say_unreadable,
    start_of,
    without_packing,
)

SUFFIXES = {
    ".txt": "text", ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json",
    ".parquet": "parquet", ".arrow": "arrow", ".xlsx": "xlsx",
}  # fmt: skip
SEEKING = ("parquet", "xlsx")  # formats that are read from their end
_ROWS = ("json", "parquet", "arrow", "xlsx")  # formats whose rows stand in no line of their own
_TABLES = ("csv", "tsv", "parquet", "arrow", "xlsx")  # formats whose rows all have the same keys

Read: TypeAlias = Iterator[tuple[int, "Json | Flaw"]]


class Found(NamedTuple):
    """A row as it stands in its file, or why it cannot be read."""

    place: Place
    value: Json | Flaw


def read_prompts(
    stream: BinaryIO, name: str, format: str, column: str | None = None, where: Condition | None = None
) -> Iterator[Row | BadRow]:
    """Read the rows of one input, lazily and in order.

    Args:
        stream: open for reading in binary mode, and not compressed; for "parquet" and "xlsx" it must seek. It stays
            open.
        name: as the user wrote it, for messages; "-" is standard input.
        format: one of text, csv, tsv, jsonl, json, parquet, arrow, xlsx (see `detect_format`).
        column: the key that holds the prompt; None: one of ours.
        where: rows that do not meet it are passed over.

    Raises:
        InputError: the format is unknown, or the input cannot be read as it (while iterating).
    """
    return rows_of(found_in(stream, name, format, column, where), column)


def found_in(
    stream: BinaryIO,
    name: str,
    format: str,
    column: str | None = None,
    where: Condition | None = None,
    passed_over: Callable[[int], None] = lambda count: None,
) -> Iterator[Found]:
    """The rows as they stand in one input, without those that do not meet the condition: these are counted.

    Raises:
        InputError: as `read_prompts`.
    """
    reader = _READERS.get(format)
    if reader is None:
        raise InputError(f'"{format}" is no prompt format; use one of {", ".join(_READERS)}')
    if format == "text" and column not in (None, "prompt"):
        raise InputError(f'{say_name(name)}: is a text, with no key but prompt; leave out the column "{column}"')
    read = reader(stream, name, column)
    if where is not None:
        read = matching(read, where, name, format in (*_TABLES, "text"), passed_over)
    unit = "row" if format in _ROWS else "line"
    cells = cells_as_json if format in _TABLES else None
    return _placed(read, name, unit, cells)


def _placed(read: Read, name: str, unit: str, cells: Callable[[Json], Json | Flaw] | None) -> Iterator[Found]:
    for line, value in read:
        yield Found(Place(name, line, unit), value if cells is None or isinstance(value, Flaw) else cells(value))


def rows_of(found: Iterable[Found], column: str | None = None) -> Iterator[Row | BadRow]:
    """What was found, as prompts."""
    for place, value in found:
        yield bad_row(place, value) if isinstance(value, Flaw) else read_row(value, place, column)


def detect_format(name: str, head: bytes) -> str:
    """The format of an input, by its suffix; by its first bytes where the name has none, or is "-".

    Args:
        name: as the user wrote it, whether compressed or not.
        head: the first bytes of the input, unpacked (4,096 are plenty; fewer if the input is shorter).

    Raises:
        InputError: the suffix is none of ours.
    """
    suffix = PurePath(without_packing(name)).suffix.lower()
    if not suffix or suffix in COMPRESSED:
        return _sniff(head)
    if suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        raise InputError(f"{name}: the suffix {suffix} is none of {known}; rename the file or set format")
    if suffix == ".json" and is_lines_of_json(head):
        return "jsonl"
    return SUFFIXES[suffix]


def _sniff(head: bytes) -> str:
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"PK\x03\x04"):
        return "xlsx"
    start = start_of(head)
    if start.startswith(b"{"):
        return "jsonl"
    # "[INST] …" is text
    return "json" if start.startswith(b"[") and start[1:].lstrip()[:1] in (b"", b"{", b'"', b"]") else "text"


def _read_text(stream: BinaryIO, name: str, column: str | None) -> Read:
    """One prompt a line, white space kept; blank lines are skipped."""
    for number, line in read_lines(stream, name):
        if isinstance(line, Flaw):
            yield number, line
            continue
        try:
            text = line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
        except UnicodeDecodeError as exc:
            yield number, Flaw(None, *say_unreadable(exc))
            continue
        if text.strip():
            yield number, {"prompt": text}


def _read_jsonl(stream: BinaryIO, name: str, column: str | None) -> Read:
    """One object a line; blank lines are skipped."""
    for number, line in read_lines(stream, name):
        if isinstance(line, Flaw):
            yield number, line
        elif line.strip():
            try:
                value: Json | Flaw = load_json(line)
            except (UnicodeDecodeError, orjson.JSONDecodeError) as exc:
                value = Flaw(None, *say_unreadable(exc))
            yield number, value


def _read_json(stream: BinaryIO, name: str, column: str | None) -> Read:
    """One array of objects; the whole file is in memory."""
    value = read_array(stream, name)
    if not isinstance(value, list):
        raise InputError(f"{say_name(name)}: a JSON file must hold one array of objects; wrap it in [ ]")
    yield from enumerate(value, start=1)


_READERS: dict[str, Callable[[BinaryIO, str, str | None], Read]] = {
    "text": _read_text,
    "csv": read_csv,
    "tsv": read_tsv,
    "jsonl": _read_jsonl,
    "json": _read_json,
    "parquet": read_parquet,
    "arrow": read_arrow,
    "xlsx": read_sheet,
}
