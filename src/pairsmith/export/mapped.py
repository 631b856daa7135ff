"""Columns that the user names, as a shape of their own: `--map prompt=question --map chosen=best.text`.

A field that is not named is read from the column of its own name. Called by converting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pairsmith.errors import UserError
from pairsmith.export.chat import ChatPair
from pairsmith.export.foreign import NoPair, answer, refuse_tie
from pairsmith.export.placed import listed
from pairsmith.export.reading import JsonObject
from pairsmith.export.shape_readers import read_sides, read_unpaired
from pairsmith.export.shapes import Shape
from pairsmith.records import Json

FIELDS = (
    "prompt", "chosen", "rejected", "system", "messages", "completion", "label", "chosen_score", "rejected_score",
    "tools",
)  # fmt: skip
_ENOUGH = ({"prompt", "completion", "label"}, {"chosen", "rejected"}, {"messages", "rejected"})


def mapping_of(words: Sequence[str]) -> dict[str, str]:
    """Field -> column, of words like "prompt=question".

    Raises:
        UserError: one is not like that, or names no field.
    """
    mapping: dict[str, str] = {}
    for word in words:
        field, _, column = word.partition("=")
        if field not in FIELDS or not column:
            raise UserError(f"--map {word}: write FIELD=COLUMN, with a field of {', '.join(FIELDS)}")
        mapping[field] = column
    return mapping


def mapped_shape(mapping: Mapping[str, str], rows: Sequence[JsonObject]) -> Shape:
    """The shape of rows whose columns were named.

    Args:
        mapping: field -> column; "a.b" is b inside of a, "a.0" the first of a list.
        rows: the first ones, to see what is there.

    Raises:
        UserError: a column is in none of them, or there are not enough columns for a pair.
    """
    there = {field: mapping.get(field, field) for field in FIELDS}
    for field, column in mapping.items():
        if all(_at(row, column) is None for row in rows):
            found = ", ".join(dict.fromkeys(key for row in rows for key in row))
            raise UserError(f"--map {field}={column}: no row has it; the columns are {found[:300]}")
    known = {field: column for field, column in there.items() if any(_at(row, column) is not None for row in rows)}
    if not any(known.keys() >= fields for fields in _ENOUGH):
        raise UserError(
            f"--map: {', '.join(known) or 'nothing'} is known; a pair takes chosen and rejected with a prompt, "
            "messages (the chosen answer last) and rejected, or prompt, completion and label"
        )
    one_sided = known.keys() >= _ENOUGH[0] and not known.keys() >= _ENOUGH[1]

    def read(row: JsonObject) -> ChatPair:
        given = {field: _at(row, column) for field, column in known.items()}
        refuse_tie(given.get("chosen_score"), given.get("rejected_score"))
        return read_unpaired(given) if one_sided else _pair(given)

    return Shape("mapped", "the columns that were named", tuple(known.values()), lambda _: True, read, one_sided)


def _pair(given: JsonObject) -> ChatPair:
    messages = given.get("messages")
    if "chosen" in given:
        return read_sides({**given, "prompt": messages if given.get("prompt") is None else given["prompt"]})
    *before, last = listed(messages) or [None]
    if not answer(last):
        raise NoPair("empty_side", "messages end in no answer")
    return read_sides({**given, "prompt": before, "chosen": last})


def _at(row: JsonObject, column: str) -> Json:
    """The value of a column; where the row has none of that name, of the path that its dots make."""
    if column in row:
        return row[column]
    value: Json = row
    for step in column.split("."):
        if isinstance(value, list):
            value = value[int(step)] if step.isdigit() and int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value
