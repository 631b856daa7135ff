"""The rows of Parquet files and Arrow streams."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, time
from typing import Any, BinaryIO, TypeAlias

from pairsmith.errors import InputError
from pairsmith.records import Json
from pairsmith.streams.lines import Flaw, say_name
from pairsmith.streams.tables import BATCH_ROWS, Chained, refuse_repeated

_FILE_MARK = b"ARROW1\0\0"

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
        refuse_repeated(file.schema_arrow.names, name)
        checked(file.schema_arrow.names)
        yield from enumerate(_records(file.iter_batches(batch_size=BATCH_ROWS)), 1)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as exc:  # the last: in a column's name
        raise InputError(f"{say_name(name)}: cannot be read as Parquet ({exc})") from exc


def arrow_rows(
    stream: BinaryIO, name: str, checked: Callable[[Sequence[str]], None] = lambda columns: None
) -> Iterator[tuple[int, Record]]:
    """The rows of an Arrow stream, which `datasets` writes, with their numbers; of an Arrow file (Feather) as well.

    Args:
        stream: is read from its start to its end.
        name: as the user wrote it.
        checked: is shown the columns before a row is read.

    Raises:
        InputError: it cannot be read as Arrow.
    """
    import pyarrow as pa

    try:
        start = stream.read(len(_FILE_MARK))
        whole = stream if start == _FILE_MARK else io.BufferedReader(Chained(start, stream))
        with pa.ipc.open_stream(whole) as batches:  # a file is a stream between its mark and a list of its parts
            refuse_repeated(batches.schema.names, name)
            checked(batches.schema.names)
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
                yield {column: to_json(column, value) for column, value in given.items()}
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


def to_json(column: str, value: object) -> Json:
    """A value of a table as JSON: NaN is null, dates are ISO 8601, other scalars their text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if value == value else None
        case bytes():
            return _decode(column, value)
        case dict():
            plain = {str(key): to_json(column, item) for key, item in value.items()}
            return {key: item for key, item in plain.items() if item is not None}
        case list() | tuple():
            return [to_json(column, item) for item in value]
        case date() | time():
            return value.isoformat()
        case _:
            return str(value)


def _decode(column: str, value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise Flaw(column, "holds bytes that are not text", "remove the column") from exc
