"""Makes the rows of a pair for a target, or says why the target cannot take it: left out and counted, never bent.

The rows are checked by the very rules of `check`: what passes here passes there. Called before a row is written.
"""

from __future__ import annotations

from pairsmith.export.chat import ChatPair
from pairsmith.export.check import line_findings
from pairsmith.export.formats import row_bytes
from pairsmith.export.messages import TOOL_ROLES, calls_tools
from pairsmith.export.plain import quick_look
from pairsmith.export.reading import JsonObject
from pairsmith.export.row_rules import say_the_same
from pairsmith.export.targets import TARGETS, Target
from pairsmith.records import Message

_LOOKS = {name: quick_look(target) for name, target in TARGETS.items()}


def rows_of(pair: ChatPair, target: str) -> tuple[JsonObject, ...] | str:
    """The rows of a pair, or the name of the rule that forbids one ("turns", "tool_turns", "content", …)."""
    known = TARGETS[target]
    if (why := _unwritable(pair, known)) is not None:
        return why
    rows = known.layout.rows(pair)
    return next((why for row in rows if (why := refused(row, target)) is not None), rows)


def refused(row: JsonObject, target: str) -> str | None:
    """Why this very row, texts included, would not pass `check`: the name of the rule; None: it would."""
    try:
        line = row_bytes(row)
    except TypeError:  # orjson.JSONEncodeError: a lone surrogate, or nested too deep
        return "json"
    known = TARGETS[target]
    look = _LOOKS[target]
    if look is not None and look(line) is not None:
        return None
    rules = known.rules
    *_, findings = line_findings(line, known)
    broken = (item.rule for item in findings if item.rule in rules and rules[item.rule].severity == "error")
    return next(broken, None)


def _unwritable(pair: ChatPair, target: Target) -> str | None:
    """What keeps a pair from being written in the target's layout at all."""
    layout, sides = target.layout, (pair.chosen, pair.rejected)
    enough = any(sides) if layout.sides else pair.chosen if layout.one_sided else all(sides)
    if not enough:
        return "one_sided"
    if layout.sides and all(sides) and say_the_same(*sides):  # no rule of one row can see it
        return "sides_equal"
    if pair.tools and target.tools == "none":
        return "tools_taken"
    if target.tools != "turns" and any(_of_tools(message) for message in pair.messages):
        return "tool_turns"
    if layout.one_text and any(len(side) > 1 for side in sides):
        return "output_count"
    if layout.one_text and any(_of_tools(message) for side in sides for message in side):
        return "output_tool_calls"
    if target.turns == "one" and len(pair.turns) != 1:
        return "turns"
    return None


def _of_tools(message: Message) -> bool:
    return message.get("role") in TOOL_ROLES or calls_tools(message)
