"""CSV, TSV and Parquet: columns named as the keys of a row, read in small batches.

In a table the columns `messages`, `candidates`, `tools` and `preferences` may hold JSON text. CSV goes through
pandas' C parser, which says no line numbers and gives up at a row that is too wide: what stands around it makes up
for both. It needs pandas 3.1: earlier ones cut a cell at a NUL, silently. Called by sources.py.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, time
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from pairsmith.collect.fields import Flaw, load_json, say_unreadable
from pairsmith.collect.rows import PROMPT_KEYS, BadRow, Place, Row, bad_row, read_row, say_name
from pairsmith.errors import InputError
from pairsmith.records import Json

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BATCH_ROWS = 256  # long prompts of 100 kB each still are only 25 MB a batch
MAX_HEADER_BYTES = 1024 * 1024
_JSON_COLUMNS = ("messages", "candidates", "tools", "preferences")
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")


def without_bom(start: bytes, name: str) -> bytes:
    """The start of an input without its byte order mark.

    Raises:
        InputError: the mark says UTF-16.
    """
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{say_name(name)}: is UTF-16; save the file as UTF-8")
    return start.removeprefix(b"\xef\xbb\xbf")


def read_csv(stream: BinaryIO, name: str) -> Iterator[Row | BadRow]:
    """Rows of a comma-separated table; empty cells are absent, all values are strings."""
    return _read_cells(stream, name, ",")


def read_tsv(stream: BinaryIO, name: str) -> Iterator[Row | BadRow]:
    """Rows of a tab-separated table, quoted like CSV."""
    return _read_cells(stream, name, "\t")


def _read_cells(stream: BinaryIO, name: str, delimiter: str) -> Iterator[Row | BadRow]:
    columns, header_lines = _read_header(stream, name, delimiter)
    for line, cells in _read_records(stream, name, delimiter, len(columns), header_lines):
        if not any(cell.strip() for cell in cells):
            continue
        place = Place(name, line)
        try:
            value = _read_record(columns, cells)
        except Flaw as flaw:
            yield bad_row(place, flaw)
        else:
            yield read_row(value, place)


def _read_header(stream: BinaryIO, name: str, delimiter: str) -> tuple[list[str], int]:
    """The names of the columns, and how many lines were read for them (blank ones before them too)."""
    reader = csv.reader(_decode_header(stream, name), delimiter=delimiter)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                break
        else:
            raise InputError(f"{say_name(name)}: is empty; write a first line that names the columns")
    except csv.Error as exc:
        raise InputError(f"{say_name(name)}: the line that names the columns is not CSV ({exc})") from exc
    columns = [cell.strip() or f"Unnamed: {number}" for number, cell in enumerate(cells)]
    _check_columns(columns, name)
    return columns, reader.line_num


def _decode_header(stream: BinaryIO, name: str) -> Iterator[str]:
    number = 0
    while line := stream.readline(MAX_HEADER_BYTES + 1):
        number += 1
        line = without_bom(line, name) if number == 1 else line
        where = f"{say_name(name)}, line {number}"
        if len(line) > MAX_HEADER_BYTES:
            raise InputError(f"{where}: is too long to name columns; is this a CSV file?")
        try:
            yield line.decode("utf-8")
        except UnicodeDecodeError as exc:
            raise InputError(f"{where}: {'; '.join(say_unreadable(exc))}") from exc


def _check_columns(columns: Sequence[str], name: str) -> None:
    repeated = [column for column, times in Counter(columns).items() if times > 1]
    if repeated:
        raise InputError(f'{say_name(name)}: two columns are named "{repeated[0]}"; rename one of them')
    if not any(key in columns for key in PROMPT_KEYS):
        found = ", ".join(columns[:20])[:200]
        wanted = ", ".join(PROMPT_KEYS)
        raise InputError(f"{say_name(name)}: the columns are {found}; name one of them {wanted}")


def _read_records(
    stream: BinaryIO, name: str, delimiter: str, width: int, header_lines: int
) -> Iterator[tuple[int, list[str]]]:
    """Each record below the header: its first line, and `width` cells + 1 that is "" unless it has too many.

    Bytes that are not UTF-8 come as lone surrogates.
    """
    import pandas as pd

    # One more column than the header has, so that a wide row is seen instead of cut; `usecols`, so that a wider
    # one is no error of the whole file. An empty record in the header's place holds the column open: pandas
    # wants each to occur in the first batch (before 3.1: in every batch).
    names = list(range(width + 1))
    source = io.BufferedReader(_Chain(delimiter.encode() * width + b"\n", stream))
    lines_above = header_lines  # and what cells of several lines add
    try:
        with pd.read_csv(
            source, sep=delimiter, header=None, names=names, usecols=names, index_col=False, dtype=object,
            na_filter=False, skip_blank_lines=False, encoding="utf-8", encoding_errors="surrogateescape",
            chunksize=BATCH_ROWS,
        ) as batches:  # fmt: skip
            for batch in batches:
                for record, *cells in batch.itertuples(name=None):
                    yield lines_above + record, cells
                    lines_above += sum(cell.count("\n") for cell in cells)
    except pd.errors.ParserError as exc:
        found = re.search(r"row (\d+)", str(exc))
        where = f", about line {lines_above + int(found[1])}" if found else ""
        raise InputError(f'{say_name(name)}{where}: is not CSV ({exc}); look for an open "') from exc


class _Chain(io.RawIOBase):
    """A stream for pandas: `first`, then the rest of `stream`, which is left open."""

    def __init__(self, first: bytes, stream: BinaryIO) -> None:
        self._waiting = first
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        data = self._waiting[: len(view)] or self._stream.read(len(view))
        self._waiting = self._waiting[len(view) :]
        view[: len(data)] = data
        return len(data)


def _read_record(columns: Sequence[str], cells: Sequence[str]) -> Json:
    *cells, extra = cells
    if extra:
        raise Flaw(None, f"has more than {len(columns)} cells", "quote cells that hold the separator")
    row: dict[str, Json] = {}
    for column, cell in zip(columns, cells, strict=True):
        _check_bytes(column, cell)
        if cell:
            row[column] = _parse_cell(column, cell)
    return row


def _check_bytes(column: str, cell: str) -> None:
    escaped = _ESCAPED_BYTE.search(cell)
    if escaped:
        byte = len(cell[: escaped.start()].encode()) + 1
        found = ord(escaped.group()) - 0xDC00
        raise Flaw(column, f"byte {byte} of the cell (0x{found:02X}) is not UTF-8", "save the file as UTF-8")


def _parse_cell(column: str, cell: Json) -> Json:
    """The value of a cell: JSON text in the columns that may hold it, anything else as it stands."""
    if column not in _JSON_COLUMNS or not isinstance(cell, str):
        return cell
    if not cell.strip():
        return None
    try:
        return load_json(cell.encode("utf-8"))
    except orjson.JSONDecodeError as exc:
        raise Flaw(column, *say_unreadable(exc)) from exc


def read_parquet(stream: BinaryIO, name: str) -> Iterator[Row | BadRow]:
    """Rows of a Parquet file; null is absent at any depth, since Arrow cannot tell the two apart."""
    import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    if not stream.seekable():
        raise InputError(f"{say_name(name)}: Parquet is read from its end; give a file, not a pipe")
    number = 0
    try:
        # buffered, not pre-buffered: pages are read as they are needed, not a whole row group
        file = pq.ParquetFile(stream, pre_buffer=False, buffer_size=1024 * 1024)
        _check_columns(file.schema_arrow.names, name)
        for batch in file.iter_batches(batch_size=BATCH_ROWS):
            for given in _to_rows(batch):
                number += 1
                yield _read_given(given, Place(name, number, "row"))
    except (pa.ArrowException, OSError, UnicodeDecodeError) as exc:  # the last: in a column's name
        raise InputError(f"{say_name(name)}: cannot be read as Parquet ({exc})") from exc


def _to_rows(batch: Any) -> Iterator[dict[str, object] | ValueError | OverflowError]:
    """The rows of an Arrow batch; an error for one that Python cannot hold (bad UTF-8, year 10000)."""
    try:
        yield from batch.to_pylist()
    except (ValueError, OverflowError) as exc:
        if batch.num_rows == 1:
            yield exc
            return
        for index in range(batch.num_rows):
            yield from _to_rows(batch.slice(index, 1))


def _read_given(given: dict[str, object] | ValueError | OverflowError, place: Place) -> Row | BadRow:
    try:
        if not isinstance(given, dict):
            raise Flaw(None, f"cannot be read ({given})", "mend it or remove the {unit}")
        plain = {column: _to_json(column, value) for column, value in given.items()}
        row = {column: _parse_cell(column, value) for column, value in plain.items() if value is not None}
    except Flaw as flaw:
        return bad_row(place, flaw)
    return read_row(row, place)


def _to_json(column: str, value: object) -> Json:
    """A value of Arrow's as JSON: NaN is null, dates are ISO 8601, other scalars their text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if value == value else None
        case bytes():
            return _decode(column, value)
        case dict():
            plain = {str(key): _to_json(column, item) for key, item in value.items()}
            return {key: item for key, item in plain.items() if item is not None}
        case list() | tuple():
            return [_to_json(column, item) for item in value]
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)


def _decode(column: str, value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise Flaw(column, "holds bytes that are not text", "remove the column") from exc
