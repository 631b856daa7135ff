"""A row of any target taken apart again: what was asked, and the two answers, by the layout alone."""

from __future__ import annotations

from dataclasses import dataclass

from pairsmith.export.reading import JsonObject
from pairsmith.export.targets import Layout
from pairsmith.records import Json


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts as they stand in the row; None where it has none."""

    asked: Json
    chosen: Json
    rejected: Json


def parts_of(row: JsonObject, layout: Layout) -> Parts:
    """The parts of a row, by the keys of its layout."""
    return Parts(row.get(layout.prompt), row.get(layout.chosen), row.get(layout.rejected))
