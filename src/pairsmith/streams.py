"""Open streams as what they hold: lines, JSON, the records of CSV, the rows of Parquet; it knows no meaning of a row.

CSV goes through pandas' C parser, which says no line numbers and gives up at a row that is too wide: what stands
around it makes up for both. It needs pandas 3.1: earlier ones cut a cell at a NUL, silently. Streams are opened and
closed by the caller. Called by collect and converting.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, time
from typing import TYPE_CHECKING, Any, BinaryIO, NoReturn, TypeAlias

import orjson

from pairsmith.errors import InputError
from pairsmith.records import Json

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BATCH_ROWS = 256  # long prompts of 100 kB each still are only 25 MB a batch
MAX_HEADER_BYTES = 1024 * 1024
# The longest text (2,000,000 characters) is 12 MB when each is escaped as \uXXXX; a row may hold several.
MAX_LINE_BYTES = 64 * 1024 * 1024
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")


class Flaw(Exception):  # noqa: N818  # about a row, no error of the program; no caller lets it out
    """Why a row cannot be used.

    Args:
        field: a key of the row, or a path into it ("messages[2].content"); None: the whole row.
        problem: what was found.
        remedy: what to do; "{unit}" stands for what the source calls a row.
    """

    def __init__(self, field: str | None, problem: str, remedy: str) -> None:
        super().__init__(field, problem, remedy)
        self.field = field
        self.problem = problem
        self.remedy = remedy


def load_json(data: bytes) -> Json:
    """Parse JSON, lone surrogates included, so that `check_storable` can name the field they stand in.

    Raises:
        UnicodeDecodeError: the bytes are not UTF-8.
        orjson.JSONDecodeError: they are not JSON.
    """
    try:
        value: Json = orjson.loads(data)
    except orjson.JSONDecodeError as exc:
        text = data.decode("utf-8")
        if "surrogate" not in exc.msg:
            raise
        try:
            value = json.loads(text, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            raise exc from None
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def say_unreadable(exc: UnicodeDecodeError | orjson.JSONDecodeError) -> tuple[str, str]:
    """Problem and remedy for what `load_json` raises; bytes and columns count from 1."""
    if isinstance(exc, UnicodeDecodeError):
        found = exc.object[exc.start]
        return f"byte {exc.start + 1} (0x{found:02X}) is not UTF-8", "save the file as UTF-8"
    return f"is not JSON ({exc.msg}, column {exc.colno})", "mend it or remove the {unit}"


def without_bom(start: bytes, name: str) -> bytes:
    """The start of an input without its byte order mark.

    Raises:
        InputError: the mark says UTF-16.
    """
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(f"{say_name(name)}: is UTF-16; save the file as UTF-8")
    return start.removeprefix(b"\xef\xbb\xbf")


def say_name(name: str) -> str:
    """The input's name for people."""
    return "standard input" if name == "-" else name


def read_lines(stream: BinaryIO, name: str) -> Iterator[tuple[int, bytes | Flaw]]:
    """The lines with their numbers, cut at line feeds alone; the first one without its byte order mark."""
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        if number == 1:
            line = without_bom(line, name)
        if len(line) > MAX_LINE_BYTES:
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE_BYTES)
            problem = f"is longer than {MAX_LINE_BYTES // 1024**2} MiB"
            yield number, Flaw(None, problem, "shorten it or remove the {unit}")
        else:
            yield number, line


def read_array(stream: BinaryIO, name: str) -> Json:
    """The one value of a JSON file; the whole file is in memory.

    Raises:
        InputError: it is not JSON.
    """
    data = without_bom(stream.read(), name)
    try:
        return load_json(data)
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        byte = exc.start - data.rfind(b"\n", 0, exc.start)
        where = f"{say_name(name)}, line {line}"
        raise InputError(f"{where}: byte {byte} is not UTF-8; save the file as UTF-8") from exc
    except orjson.JSONDecodeError as exc:
        hint = 'mend it, or set format to "jsonl" if each line is an object of its own'
        where = f"{say_name(name)}, line {exc.lineno}"
        raise InputError(f"{where}: is not JSON ({exc.msg}, column {exc.colno}); {hint}") from exc


def is_lines_of_json(head: bytes) -> bool:
    """Whether a .json file holds JSON lines, as many do: it opens with a whole object on a line."""
    first, _, more = start_of(head).partition(b"\n")
    return first.startswith(b"{") and (not more or first.rstrip().endswith(b"}"))


def start_of(head: bytes) -> bytes:
    """The first bytes without a byte order mark and white space."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip()


# --- CSV -------------------------------------------------------------------------------------------------


def csv_columns(stream: BinaryIO, name: str, delimiter: str) -> tuple[list[str], int]:
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
    _refuse_repeated(columns, name)
    return columns, reader.line_num


def _refuse_repeated(columns: Sequence[str], name: str) -> None:
    repeated = [column for column, times in Counter(columns).items() if times > 1]
    if repeated:
        raise InputError(f'{say_name(name)}: two columns are named "{repeated[0]}"; rename one of them')


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


def csv_records(
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
    source = io.BufferedReader(Chained(delimiter.encode() * width + b"\n", stream))
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


class Chained(io.RawIOBase):
    """A stream of `first`, then the rest of `stream`, which is left open."""

    def __init__(self, first: bytes, stream: BinaryIO) -> None:
        self._waiting = first
        self._stream = stream

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """As much as there is at once."""
        view = memoryview(buffer)
        data = self._waiting[: len(view)] or self._stream.read(len(view))
        self._waiting = self._waiting[len(view) :]
        view[: len(data)] = data
        return len(data)


def record_of(columns: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    """The cells of a record by their columns, the empty ones too.

    Raises:
        Flaw: there are too many, or one is not UTF-8.
    """
    *cells, extra = cells
    if extra:
        raise Flaw(None, f"has more than {len(columns)} cells", "quote cells that hold the separator")
    for column, cell in zip(columns, cells, strict=True):
        _check_bytes(column, cell)
    return dict(zip(columns, cells, strict=True))


def _check_bytes(column: str, cell: str) -> None:
    escaped = _ESCAPED_BYTE.search(cell)
    if escaped:
        byte = len(cell[: escaped.start()].encode()) + 1
        found = ord(escaped.group()) - 0xDC00
        raise Flaw(column, f"byte {byte} of the cell (0x{found:02X}) is not UTF-8", "save the file as UTF-8")


# --- Arrow -----------------------------------------------------------------------------------------------


Record: TypeAlias = "dict[str, Json] | Flaw"  # a row of a table, or why it cannot be read


def parquet_rows(stream: BinaryIO, name: str, checked: Callable[[Sequence[str]], None]) -> Iterator[tuple[int, Record]]:
    """The rows of a Parquet file with their numbers; nulls inside of a value are left out.

    Args:
        stream: has to seek.
        name: as the user wrote it.
        checked: is shown the columns before a row is read.

    Raises:
        InputError: it cannot be read as Parquet.
    """
    import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    if not stream.seekable():
        raise InputError(f"{say_name(name)}: Parquet is read from its end; give a file, not a pipe")
    try:
        # buffered, not pre-buffered: pages are read as they are needed, not a whole row group
        file = pq.ParquetFile(stream, pre_buffer=False, buffer_size=1024 * 1024)
        _refuse_repeated(file.schema_arrow.names, name)
        checked(file.schema_arrow.names)
        yield from enumerate(_records(file.iter_batches(batch_size=BATCH_ROWS)), 1)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as exc:  # the last: in a column's name
        raise InputError(f"{say_name(name)}: cannot be read as Parquet ({exc})") from exc


def arrow_rows(stream: BinaryIO, name: str) -> Iterator[tuple[int, Record]]:
    """The rows of an Arrow stream, which `datasets` writes, with their numbers.

    Raises:
        InputError: it cannot be read as Arrow.
    """
    import pyarrow as pa

    try:
        with pa.ipc.open_stream(stream) as batches:
            slices = (batch.slice(start, BATCH_ROWS) for batch in batches for start in range(0, len(batch), BATCH_ROWS))
            yield from enumerate(_records(slices), 1)
    except (pa.ArrowException, OSError) as exc:
        raise InputError(f"{say_name(name)}: cannot be read as an Arrow stream ({exc})") from exc


def _records(batches: Iterable[Any]) -> Iterator[Record]:
    for batch in batches:
        for given in _to_rows(batch):
            if not isinstance(given, dict):
                yield Flaw(None, f"cannot be read ({given})", "mend it or remove the {unit}")
                continue
            try:
                yield {column: _to_json(column, value) for column, value in given.items()}
            except Flaw as flaw:
                yield flaw


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
