"""The records of CSV and TSV out of open streams.

They go through pandas' C parser, which says no line numbers and gives up at a row that is too wide: what stands around
it makes up for both. It needs pandas 3.1: earlier ones cut a cell at a NUL, silently.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

from pairsmith.errors import InputError
from pairsmith.streams.lines import Flaw, say_name, say_unreadable, without_bom

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BATCH_ROWS = 256  # long prompts of 100 kB each still are only 25 MB a batch
MAX_HEADER_BYTES = 1024 * 1024
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")


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
    refuse_repeated(columns, name)
    return columns, reader.line_num


def refuse_repeated(columns: Sequence[str], name: str) -> None:
    """Raises InputError where two columns have one name."""
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
