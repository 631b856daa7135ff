"""Rows out of files: JSON, JSON lines, CSV, TSV, Parquet and Arrow, each also compressed, all but JSON in streams.

What is compressed is told by its first bytes, not by its name. Called by convert.py and cli/convert.py.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import PurePath
from typing import BinaryIO, NamedTuple, TypeAlias

import orjson

from pairsmith.errors import InputError
from pairsmith.export.layouts import TABLE
from pairsmith.records import Json
from pairsmith.streams import (
    MAX_LINE_BYTES,
    Chained,
    Flaw,
    Record,
    arrow_rows,
    csv_columns,
    csv_records,
    is_lines_of_json,
    load_json,
    parquet_rows,
    read_array,
    read_lines,
    record_of,
    say_name,
    say_unreadable,
    start_of,
    unpacked,
    without_packing,
)

LOOKED_AT = 100  # rows at the start that tell what a file holds
SUFFIXES = {
    ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "tsv", ".parquet": "parquet",
    ".arrow": "arrow",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """A file to read: its name as people know it, and how it is opened."""

    name: str
    open: Callable[[], BinaryIO]


class Given(NamedTuple):
    """A row where it stands: its line, or its row in a table; with the file's name where there are several."""

    place: int | str
    value: Record


def format_of(name: str) -> str | None:
    """The format that a file's name says, whether compressed or not; None: it says none of ours."""
    return SUFFIXES.get(PurePath(without_packing(name)).suffix.lower())


def rows_of_files(sources: Sequence[Source]) -> Iterator[Given]:
    """The rows of all files, one after the other.

    Raises:
        InputError: one cannot be read, or is none of the formats.
    """
    for source in sources:
        with closing(source.open()) as opened:
            for number, value in _rows(opened, source.name):
                yield Given(number if len(sources) == 1 else f"{source.name}:{number}", value)


Rows: TypeAlias = Iterator[tuple[int, Record]]


def _rows(opened: BinaryIO, name: str) -> Rows:
    try:
        stream, head, _ = unpacked(opened)
        yield from _READERS[_format(name, head)](stream, name)
    except (OSError, EOFError) as exc:
        raise InputError(f"{say_name(name)}: cannot be read ({exc})") from exc


def _format(name: str, head: bytes) -> str:
    if head.startswith(b"PAR1"):
        return "parquet"
    found = format_of(name) or ("json" if start_of(head)[:1] in (b"{", b"[") else None)
    if found is None:
        known = ", ".join(SUFFIXES)
        raise InputError(f"{say_name(name)}: is none of {known}; rename the file, or convert it to one of them")
    return found


def _json_lines(stream: BinaryIO, name: str) -> Rows:
    for number, line in read_lines(stream, name):
        if isinstance(line, Flaw):
            yield number, line
        elif line.strip():
            try:
                yield number, _object(load_json(line))
            except (UnicodeDecodeError, orjson.JSONDecodeError) as exc:
                yield number, Flaw(None, *say_unreadable(exc))


def _json(stream: BinaryIO, name: str) -> Rows:
    """An array of objects; one inside of an object; or an object of columns, each a list, or an object by row.

    Many files of JSON lines are named .json: those begin with a whole object on a line, and go on below it.
    """
    first, more = stream.readline(MAX_LINE_BYTES), stream.readline(MAX_LINE_BYTES)
    whole = io.BufferedReader(Chained(first + more, stream))
    if more.strip() and is_lines_of_json(first + more):
        yield from _json_lines(whole, name)
        return
    value = read_array(whole, name)
    rows = value if isinstance(value, list) else _unwrapped(value)
    if rows is None:
        raise InputError(f"{say_name(name)}: holds no list of rows; write an array of objects, or one object a line")
    yield from enumerate(map(_object, rows), 1)


def _unwrapped(value: Json) -> Sequence[Json] | None:
    if not isinstance(value, dict) or not value:
        return None
    lists = [one for one in value.values() if isinstance(one, list) and one]
    if any(map(_are_messages, lists)):
        return [value]
    boxed = [one for one in lists if all(isinstance(item, dict) for item in one)]
    if len(boxed) == len(lists) == 1:
        return [_of_server(item) for item in boxed[0]]
    cells = ([*one.values()] if isinstance(one, dict) else one for one in value.values())
    columns = [one for one in cells if isinstance(one, list)]
    if len(columns) == len(value) and len({len(one) for one in columns}) == 1:
        return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]
    return [value]


def _of_server(item: Json) -> Json:
    """A row as the datasets server of the hub wraps it, without the wrapping."""
    return item["row"] if isinstance(item, dict) and item.keys() >= {"row_idx", "row"} else item


def _object(value: Json) -> Record:
    return value if isinstance(value, dict) else Flaw(None, "is no object", "write one object a row")


def _csv(stream: BinaryIO, name: str) -> Rows:
    return _table(stream, name, ",")


def _tsv(stream: BinaryIO, name: str) -> Rows:
    return _table(stream, name, "\t")


def _table(stream: BinaryIO, name: str, delimiter: str) -> Rows:
    """All cells are texts; a column that holds nothing but lists of messages as JSON is read as such."""
    columns, header_lines = csv_columns(stream, name, delimiter)
    rows = _cells(csv_records(stream, name, delimiter, len(columns), header_lines), columns)
    first = list(islice(rows, LOOKED_AT))
    plain = set(columns) == {*TABLE}  # a table of ours, whose cells are texts whatever they look like
    lists = [] if plain else [column for column in columns if _holds_messages(column, first)]
    for number, row in chain(first, rows):
        if isinstance(row, dict):
            row |= {column: _messages(row[column]) for column in lists}
        yield number, row


def _cells(records: Iterable[tuple[int, list[str]]], columns: Sequence[str]) -> Rows:
    for line, cells in records:
        if any(cell.strip() for cell in cells):
            try:
                yield line, dict[str, Json](record_of(columns, cells))
            except Flaw as flaw:
                yield line, flaw


def _holds_messages(column: str, rows: Iterable[tuple[int, Record]]) -> bool:
    cells = [cell for _, row in rows if isinstance(row, dict) and (cell := row[column])]
    return bool(cells) and all(isinstance(_messages(cell), list) for cell in cells)


def _messages(cell: Json) -> Json:
    """A list of messages, where a cell is the JSON text of one; else the cell as it stands."""
    if not isinstance(cell, str) or not cell.startswith("[{"):
        return cell
    try:
        value = load_json(cell.encode())
    except (UnicodeError, orjson.JSONDecodeError):
        return cell
    return value if _are_messages(value) else cell


def _are_messages(value: Json) -> bool:
    wordings = ({"role", "content"}, {"from", "value"})
    return isinstance(value, list) and all(
        isinstance(one, dict) and any(one.keys() >= keys for keys in wordings) for one in value
    )


def _parquet(stream: BinaryIO, name: str) -> Rows:
    if stream.seekable():
        yield from parquet_rows(stream, name, lambda _: None)
        return
    with tempfile.TemporaryFile() as whole:  # it is read from its end
        shutil.copyfileobj(stream, whole)
        yield from parquet_rows(whole, name, lambda _: None)


_READERS: Mapping[str, Callable[[BinaryIO, str], Rows]] = {
    "json": _json,
    "jsonl": _json_lines,
    "csv": _csv,
    "tsv": _tsv,
    "parquet": _parquet,
    "arrow": arrow_rows,
}
