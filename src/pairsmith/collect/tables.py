"""CSV, TSV, Parquet, Arrow and Excel: columns named as the keys of a row, read in small batches.

In a table the columns `messages`, `candidates`, `tools` and `preferences` may hold JSON text. Called by sources.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO, TypeAlias

import orjson

from pairsmith.collect.shaped import FOREIGN_KEYS, PROMPT_KEYS
from pairsmith.errors import InputError
from pairsmith.records import Json
from pairsmith.streams import (
    Flaw,
    Record,
    arrow_rows,
    csv_columns,
    csv_records,
    load_json,
    parquet_rows,
    record_of,
    say_name,
    say_unreadable,
    sheet_rows,
)

_JSON_COLUMNS = ("messages", "candidates", "tools", "preferences")

Read: TypeAlias = Iterator[tuple[int, "Json | Flaw"]]


def read_csv(stream: BinaryIO, name: str, column: str | None) -> Read:
    """Rows of a comma-separated table; empty cells are null, all values are strings."""
    return _read_cells(stream, name, ",", column)


def read_tsv(stream: BinaryIO, name: str, column: str | None) -> Read:
    """Rows of a tab-separated table, quoted like CSV."""
    return _read_cells(stream, name, "\t", column)


def _read_cells(stream: BinaryIO, name: str, delimiter: str, column: str | None) -> Read:
    columns, header_lines = csv_columns(stream, name, delimiter)
    _check_columns(columns, name, column)
    for line, cells in csv_records(stream, name, delimiter, len(columns), header_lines):
        if any(cell.strip() for cell in cells):
            try:
                yield line, {title: cell or None for title, cell in record_of(columns, cells).items()}
            except Flaw as flaw:
                yield line, flaw


def read_parquet(stream: BinaryIO, name: str, column: str | None) -> Iterator[tuple[int, Record]]:
    """Rows of a Parquet file; null is absent at any depth, since Arrow cannot tell the two apart."""
    return parquet_rows(stream, name, _checked(name, column))


def read_sheet(stream: BinaryIO, name: str, column: str | None) -> Iterator[tuple[int, Record]]:
    """Rows of an Excel workbook's first sheet."""
    return sheet_rows(stream, name, _checked(name, column))


def read_arrow(stream: BinaryIO, name: str, column: str | None) -> Iterator[tuple[int, Record]]:
    """Rows of an Arrow stream or file."""
    return arrow_rows(stream, name, _checked(name, column))


def _checked(name: str, column: str | None) -> Callable[[Sequence[str]], None]:
    return lambda columns: _check_columns(columns, name, column)


def _check_columns(columns: Sequence[str], name: str, column: str | None) -> None:
    found = ", ".join(columns[:20])[:200]
    if column is not None:
        if column not in columns:
            raise InputError(f'{say_name(name)}: the columns are {found}; none of them is "{column}"')
        return
    if not any(key in columns for key in (*PROMPT_KEYS, *FOREIGN_KEYS)):
        wanted = ", ".join(PROMPT_KEYS)
        raise InputError(
            f"{say_name(name)}: the columns are {found}; name one of them {wanted}, or say which with --column"
        )


def cells_as_json(given: Json) -> Json | Flaw:
    """The cells of a row that hold anything, with JSON text read in the columns that may hold it."""
    if not isinstance(given, dict):
        return given
    try:
        return {column: _parse_cell(column, value) for column, value in given.items() if value is not None}
    except Flaw as flaw:
        return flaw


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
