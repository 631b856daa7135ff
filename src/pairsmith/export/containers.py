"""Files of rows: JSON lines, CSV and Parquet, written row by row to open streams, and read again.

Knows no target: which container one has stands in its layout. Called by dataset.py, check, audit and convert.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO, Protocol

from pairsmith.errors import InputError
from pairsmith.export.formats import row_bytes
from pairsmith.export.layouts import TABLE, Container
from pairsmith.export.reading import JsonObject
from pairsmith.streams import Flaw, Record, csv_columns, csv_records, parquet_rows, record_of

BATCH_ROWS = 1000  # of a Parquet row group: at 2 kB a row 2 MB in memory
SUFFIXES: Mapping[Container, str] = {"jsonl": ".jsonl", "csv": ".csv", "parquet": ".parquet"}


class RowWriter(Protocol):
    """Takes rows; nothing is complete before it is closed. The stream below stays open."""

    def write(self, row: JsonObject) -> None:
        """One row."""

    def close(self) -> None:
        """No more rows come."""


class _Lines:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, row: JsonObject) -> None:
        self._stream.write(row_bytes(row))

    def close(self) -> None:
        pass


class _Cells:
    """Every cell quoted, so that an empty one, a line feed and a leading 0 come back as they were."""

    def __init__(self, stream: BinaryIO) -> None:
        self._text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        self._rows = csv.DictWriter(self._text, TABLE, lineterminator="\n", quoting=csv.QUOTE_ALL)
        self._rows.writeheader()

    def write(self, row: JsonObject) -> None:
        self._rows.writerow(row)

    def close(self) -> None:
        self._text.flush()
        self._text.detach()


class _Columns:
    """Messages as lists of role and content, tools as JSON text: the same columns in every file."""

    def __init__(self, stream: BinaryIO) -> None:
        import pyarrow as pa  # type: ignore[import-untyped]  # ships no types
        import pyarrow.parquet as pq  # type: ignore[import-untyped]

        messages = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
        columns = [(key, messages) for key in ("prompt", "chosen", "rejected")]
        self._schema = pa.schema([*columns, ("tools", pa.string())])
        self._writer = pq.ParquetWriter(stream, self._schema)
        self._waiting: list[JsonObject] = []

    def write(self, row: JsonObject) -> None:
        self._waiting.append(row)
        if len(self._waiting) >= BATCH_ROWS:
            self._pass_on()

    def close(self) -> None:
        self._pass_on()
        self._writer.close()

    def _pass_on(self) -> None:
        import pyarrow as pa

        self._writer.write_table(pa.Table.from_pylist(self._waiting, self._schema))
        self._waiting = []


WRITERS: Mapping[Container, Callable[[BinaryIO], RowWriter]] = {"jsonl": _Lines, "csv": _Cells, "parquet": _Columns}


def container_of(head: bytes, suffix: str) -> Container:
    """What a dataset file is, by its first bytes and its suffix."""
    return "parquet" if head.startswith(b"PAR1") else "csv" if suffix.lower() == ".csv" else "jsonl"


def lines_of(stream: BinaryIO, container: Container, name: str = "the file") -> Iterator[bytes]:
    """The rows of a file as JSON lines, one each; of a JSON lines file its own lines, byte by byte.

    Args:
        stream: at its start.
        container: what the file is.
        name: of the file, for messages.

    Raises:
        InputError: a table cannot be read.
    """
    if container == "jsonl":
        yield from stream
        return
    rows = _cells(stream, name) if container == "csv" else parquet_rows(stream, name, lambda _: None)
    for number, row in rows:
        if isinstance(row, Flaw):
            raise InputError(f"{name}, row {number}: {row.field or 'the row'} {row.problem}; {row.remedy}")
        yield row_bytes({key: value for key, value in row.items() if value is not None})


def _cells(stream: BinaryIO, name: str) -> Iterator[tuple[int, Record]]:
    columns, lines = csv_columns(stream, name, ",")
    records = (cells for _, cells in csv_records(stream, name, ",", len(columns), lines) if any(cells))
    for number, cells in enumerate(records, 1):
        try:
            yield number, {**record_of(columns, cells)}
        except Flaw as flaw:
            yield number, flaw
