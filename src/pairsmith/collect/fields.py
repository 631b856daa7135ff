"""One field of a row: what may stand in it, and the words for it when it may not.

A `Flaw` never leaves this package: `bad_row` turns it into a `BadRow` that also names file and line.
"""

from __future__ import annotations

import orjson

from pairsmith.records import Json
from pairsmith.streams import Flaw

# About 500,000 tokens of English: more than fine-tuning takes in one example. Longer is a book in the wrong
# place, or a quote that was never closed, and every completion of it would be paid for.
MAX_TEXT_CHARS = 2_000_000


def read_text(field: str, value: Json, noun: str | None = None) -> str:
    """The string as it stands, white space included; `noun` names what must not be blank (None: may be)."""
    if not isinstance(value, str):
        raise Flaw(field, f"is {say_kind(value)}", "write a string")
    if noun is not None and not value.strip():
        raise Flaw(field, "is empty", f"write {noun} or remove the {{unit}}")
    if "\0" in value:
        raise Flaw(field, f"holds a NUL (character {value.index(chr(0)) + 1})", "remove it")
    check_length(field, len(value))
    return value


def check_length(field: str, chars: int) -> None:
    """Refuse what is longer than MAX_TEXT_CHARS."""
    if chars > MAX_TEXT_CHARS:
        problem = f"has {chars:,} characters, and {MAX_TEXT_CHARS:,} is the most"
        raise Flaw(field, problem, "shorten it or remove the {unit}")


def read_list(field: str, value: Json) -> list[Json]:
    """A JSON list as it stands."""
    if not isinstance(value, list):
        raise Flaw(field, f"is {say_kind(value)}", "write a list")
    return value


def read_object(field: str, value: Json) -> dict[str, Json]:
    """A JSON object as it stands."""
    if not isinstance(value, dict):
        raise Flaw(field, f"is {say_kind(value)}", "write an object")
    return value


def say_kind(value: object) -> str:
    """What a value is, in JSON's words; numbers and truth values are shown."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int() | float():
            return f"a number ({value})"
        case str():
            return "a string"
        case list():
            return "a list"
        case _:
            return "an object"


def check_storable(row: dict[str, Json]) -> None:
    """Refuse what orjson cannot write: no request could be made of it, and no row of the ledger."""
    try:
        orjson.dumps([[[[row]]]])  # margin: requests and ledger rows wrap a value in a few levels more
    except TypeError:  # orjson.JSONEncodeError
        for key, value in row.items():
            _check_storable(key, {key: value})


def _check_storable(field: str, value: Json) -> None:
    try:
        orjson.dumps([[[[value]]]])
    except TypeError as exc:
        reason = str(exc).lower()
        if "surrogate" in reason:
            problem = "holds half of a surrogate pair (\\ud800 to \\udfff)"
            raise Flaw(field, problem, "mend the escape") from exc
        if "recursion" in reason:
            raise Flaw(field, "is nested too deep", "flatten it") from exc
        raise Flaw(field, f"cannot be stored ({exc})", "write it as a string") from exc
