"""A row of any target taken apart again: what was asked, and the answers, in chat terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pairsmith.export.chat import Turn
from pairsmith.export.layouts import Layout
from pairsmith.export.reading import JsonObject
from pairsmith.records import Json


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a row; None where it has none, or where it cannot be read."""

    asked: Json
    chosen: Json
    rejected: Json


def parts_of(row: JsonObject, layout: Layout) -> Parts:
    """The parts of a row, as its layout reads them."""
    view = layout.view(row)
    asked: Json = None if view.prompt is None else {"messages": _messages(view.prompt), "tools": view.tools or []}
    return Parts(asked, _messages(view.chosen), _messages(view.rejected))


def _messages(turns: Sequence[Turn] | None) -> Json:
    return None if turns is None else [turn.message for turn in turns]
