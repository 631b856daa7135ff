"""CSV, TSV and Parquet: columns named as the keys of a row, read in small batches.

In a table the columns `messages`, `candidates`, `tools` and `preferences` may hold JSON text. Called by sources.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO

import orjson

from pairsmith.collect.rows import PROMPT_KEYS, BadRow, Place, Row, bad_row, read_row
from pairsmith.errors import InputError
from pairsmith.records import Json
from pairsmith.streams import (
    Flaw,
    csv_columns,
    csv_records,
    load_json,
    parquet_rows,
    record_of,
    say_name,
    say_unreadable,
)

_JSON_COLUMNS = ("messages", "candidates", "tools", "preferences")


def read_csv(stream: BinaryIO, name: str) -> Iterator[Row | BadRow]:
    """Rows of a comma-separated table; empty cells are absent, all values are strings."""
    return _read_cells(stream, name, ",")


def read_tsv(stream: BinaryIO, name: str) -> Iterator[Row | BadRow]:
    """Rows of a tab-separated table, quoted like CSV."""
    return _read_cells(stream, name, "\t")


def _read_cells(stream: BinaryIO, name: str, delimiter: str) -> Iterator[Row | BadRow]:
    columns, header_lines = csv_columns(stream, name, delimiter)
    _check_columns(columns, name)
    for line, cells in csv_records(stream, name, delimiter, len(columns), header_lines):
        if any(cell.strip() for cell in cells):
            place = Place(name, line)
            try:
                given = {column: cell for column, cell in record_of(columns, cells).items() if cell}
            except Flaw as flaw:
                yield bad_row(place, flaw)
            else:
                yield _read_given(given, place)


def read_parquet(stream: BinaryIO, name: str) -> Iterator[Row | BadRow]:
    """Rows of a Parquet file; null is absent at any depth, since Arrow cannot tell the two apart."""
    for number, given in parquet_rows(stream, name, lambda columns: _check_columns(columns, name)):
        place = Place(name, number, "row")
        if isinstance(given, Flaw):
            yield bad_row(place, given)
        else:
            yield _read_given({column: value for column, value in given.items() if value is not None}, place)


def _check_columns(columns: Sequence[str], name: str) -> None:
    if not any(key in columns for key in PROMPT_KEYS):
        found = ", ".join(columns[:20])[:200]
        wanted = ", ".join(PROMPT_KEYS)
        raise InputError(f"{say_name(name)}: the columns are {found}; name one of them {wanted}")


def _read_given(given: Mapping[str, Json], place: Place) -> Row | BadRow:
    try:
        row = {column: _parse_cell(column, value) for column, value in given.items()}
    except Flaw as flaw:
        return bad_row(place, flaw)
    return read_row(row, place)


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
