"""A quick look at a row: whether it is one of those, nearly all, in which no rule can find anything.

What it passes the rules pass too (tests hold that); what it does not, they look at one by one. Called by check.py.
"""

from __future__ import annotations

from typing import NamedTuple

from pairsmith.export.layouts import CONVERSATIONAL, WRAPPED
from pairsmith.export.reading import JsonObject
from pairsmith.export.row_rules import INPUT_KEYS, alike
from pairsmith.export.targets import Target
from pairsmith.records import Json

_NEXT = {"system": "user", "user": "assistant", "assistant": "user"}


class Plain(NamedTuple):
    """What check counts of a row."""

    asked: tuple[tuple[str, str], ...]  # role and text of each message of the prompt
    chosen: str
    rejected: str


def looked_at_quickly(target: Target) -> bool:
    """Whether rows of the target can be looked at quickly at all."""
    return target.layout in (WRAPPED, CONVERSATIONAL) and not target.rules.keys() & {"forbidden_text", "outer_space"}


def plain(row: JsonObject, line: bytes, target: Target) -> Plain | None:
    """The row's texts; None where it has to be looked at thoroughly.

    Args:
        row: as it was read from `line`.
        line: without a byte order mark.
        target: one of those that can be looked at quickly.
    """
    if len(row) != 3 or b"\\u0000" in line or b'" :' in line:
        return None
    layout = target.layout
    keys = 7  # three of the row, two of each answer
    given = row.get(layout.prompt)
    if layout is WRAPPED:
        if not isinstance(given, dict) or not given.keys() <= INPUT_KEYS or given.get("tools"):
            return None
        if type(given.get("parallel_tool_calls", True)) is not bool or given.get("tools", []) != []:
            return None
        keys += len(given)
        given = given.get("messages")
    asked = _asked(given, target)
    chosen, rejected = _answer(row.get(layout.chosen)), _answer(row.get(layout.rejected))
    if asked is None or chosen is None or rejected is None or alike(chosen, rejected):
        return None
    return Plain(asked, chosen, rejected) if line.count(b'":') == keys + 2 * len(asked) else None


def _asked(messages: Json, target: Target) -> tuple[tuple[str, str], ...] | None:
    """The messages of a prompt whose speakers alternate, after the system message at most; None: they are others."""
    if not isinstance(messages, list) or (target.turns == "one" and len(messages) > 2):
        return None
    asked: list[tuple[str, str]] = []
    expected: tuple[str, ...] = ("system", "user")
    for message in messages:
        if not isinstance(message, dict) or len(message) != 2:
            return None
        role, text = message.get("role"), message.get("content")
        if not isinstance(role, str) or role not in expected or not isinstance(text, str) or not text or text.isspace():
            return None
        asked.append((role, text))
        expected = (_NEXT[role],)
    return tuple(asked) if asked and asked[-1][0] == "user" else None


def _answer(output: Json) -> str | None:
    match output:
        case [{"role": "assistant", "content": str(text), **others}] if text and not others and not text.isspace():
            return text
    return None
