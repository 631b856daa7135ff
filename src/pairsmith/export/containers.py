"""Files of rows: JSON lines, CSV and Parquet, written row by row to open streams, and read again.

Knows no target: which container one has stands in its layout. Called by dataset.py, check, audit and convert.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any, BinaryIO, Protocol, cast

from pairsmith.errors import InputError
from pairsmith.export.formats import row_bytes
from pairsmith.export.layouts import TABLE, Container
from pairsmith.export.reading import JsonObject
from pairsmith.records import Json

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


def lines_of(stream: BinaryIO, container: Container) -> Iterator[bytes]:
    """The rows of a file as JSON lines, one each; of a JSON lines file its own lines, byte by byte.

    Raises:
        InputError: a table cannot be read.
    """
    match container:
        case "jsonl":
            yield from stream
        case "csv":
            yield from map(row_bytes, _read_cells(stream))
        case "parquet":
            yield from map(row_bytes, _read_columns(stream))


def _read_cells(stream: BinaryIO) -> Iterator[JsonObject]:
    csv.field_size_limit(2**31 - 1)
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
    try:
        for row in csv.DictReader(text, strict=True):
            if None in row:
                raise InputError(f"row {row!s:.60} has more cells than there are columns: quote cells that hold commas")
            yield {key: value for key, value in row.items() if value is not None}
    except (csv.Error, UnicodeDecodeError) as exc:
        raise InputError(f"it is not CSV in UTF-8 ({exc})") from exc
    finally:
        text.detach()


def _read_columns(stream: BinaryIO) -> Iterator[JsonObject]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        for batch in pq.ParquetFile(stream).iter_batches(BATCH_ROWS):
            for row in batch.to_pylist():
                yield cast(JsonObject, _without_nulls(row))
    except (pa.ArrowException, OSError, ValueError) as exc:
        raise InputError(f"it is not Parquet ({exc})") from exc


def _without_nulls(value: Any) -> Json:
    """A value of a table without keys of null, which Arrow gives to rows that do not have the key."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value
