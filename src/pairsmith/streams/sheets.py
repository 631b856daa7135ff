"""The rows of Excel workbooks (.xlsx): of the first sheet, as openpyxl streams them. Needs the extra `excel`."""

from __future__ import annotations

import itertools
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any, BinaryIO

from pairsmith.errors import InputError
from pairsmith.records import Json
from pairsmith.streams.columns import Record, to_json
from pairsmith.streams.lines import Flaw, say_name
from pairsmith.streams.tables import refuse_repeated


def sheet_rows(stream: BinaryIO, name: str, checked: Callable[[Sequence[str]], None]) -> Iterator[tuple[int, Record]]:
    """The rows below the first one that holds anything, with the numbers that Excel shows; blank ones are skipped.

    Of a formula it is the value that Excel saved with it. Empty cells are None.

    Args:
        stream: has to seek.
        name: as the user wrote it.
        checked: is shown the columns before a row is read.

    Raises:
        InputError: it cannot be read as a workbook, or the extra is not installed.
    """
    try:
        import openpyxl  # type: ignore[import-untyped]  # ships no types
    except ImportError:
        way = "pip install 'pairsmith[excel]', or save the sheet as CSV"
        raise InputError(f"{say_name(name)}: reading Excel needs an extra: {way}") from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and validations that it drops: no row is in them
            with closing(openpyxl.load_workbook(stream, read_only=True, data_only=True)) as book:
                yield from _records(book.worksheets, name, checked)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, OSError, SyntaxError) as exc:  # the last: of its XML
        raise InputError(f"{say_name(name)}: cannot be read as an Excel workbook ({exc})") from exc


def _records(
    sheets: Sequence[Any], name: str, checked: Callable[[Sequence[str]], None]
) -> Iterator[tuple[int, Record]]:
    if not sheets:
        raise InputError(f"{say_name(name)}: holds no sheet of cells; save the one with the rows")
    sheet = sheets[0]
    sheet.reset_dimensions()  # some writers put a wrong size there, and rows would be cut
    rows = enumerate(sheet.iter_rows(values_only=True), 1)
    found = next(((number, cells) for number, cells in rows if _filled(cells)), None)
    if found is None:
        raise InputError(f'{say_name(name)}: the sheet "{sheet.title}" is empty; put the rows on the first sheet')
    width = _filled(found[1])
    columns = [_title(cell) or f"Unnamed: {place}" for place, cell in enumerate(found[1][:width])]
    refuse_repeated(columns, name)
    checked(columns)
    yield from ((number, _record(columns, cells)) for number, cells in rows if _filled(cells))


def _filled(cells: Sequence[object]) -> int:
    """How many cells there are up to the last one that holds anything."""
    return next((place for place in range(len(cells), 0, -1) if not _blank(cells[place - 1])), 0)


def _blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def _title(cell: object) -> str:
    return "" if cell is None else str(cell).strip()


def _record(columns: Sequence[str], cells: Sequence[object]) -> Record:
    if _filled(cells) > len(columns):
        return Flaw(None, f"has cells beyond the {len(columns)} columns that are named", "name the columns above them")
    try:
        row: dict[str, Json] = {
            column: to_json(column, cell) for column, cell in itertools.zip_longest(columns, cells[: len(columns)])
        }
    except Flaw as flaw:
        return flaw
    return row
