"""The rules for one row: its keys, its prompt, its two answers, and the two answers compared.

One walk serves every layout; what differs stands in the target. Called by check.py and rows.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias
from unicodedata import normalize

from pairsmith.export.messages import PROMPT_ROLES, calls_tools, conversation_findings, message_findings
from pairsmith.export.problems import Finding, shown
from pairsmith.export.reading import JsonObject, shown_key
from pairsmith.export.targets import Layout, Target
from pairsmith.records import Json

INPUT_KEYS = frozenset({"messages", "tools", "parallel_tool_calls"})

Said: TypeAlias = "list[tuple[Json, Json]]"


def row_findings(row: JsonObject, target: Target) -> Iterator[Finding]:
    """Everything wrong with one parsed row, in the order of the row."""
    layout = target.layout
    yield from _row_key_findings(row, layout)
    if layout.prompt in row:
        prompt = row[layout.prompt]
        yield from (
            _input_findings(prompt, target) if layout.wrapped else _messages_findings(prompt, layout.prompt, target)
        )
    for side in (layout.chosen, layout.rejected):
        if side in row:
            yield from _output_findings(row[side], side, target)
    if _sides_equal(said(row.get(layout.chosen)), said(row.get(layout.rejected))):
        yield Finding("sides_equal", layout.rejected, f"says the same as {layout.chosen}", "drop the pair")


def said(output: Json) -> Said:
    """What an answer says: content and tool calls of each message; [] where it is no list of messages."""
    if not isinstance(output, list):
        return []
    return [(turn.get("content"), turn.get("tool_calls")) for turn in output if isinstance(turn, dict)]


def folded(text: str) -> str:
    """The text as it is compared: NFC, runs of white space as one space, case kept."""
    return " ".join(normalize("NFC", text).split())


def _row_key_findings(row: JsonObject, layout: Layout) -> Iterator[Finding]:
    for key in layout.keys:
        if key not in row and not any(old in row and new == key for old, new in layout.old_names.items()):
            yield Finding("missing_key", key, "is missing", f"write {', '.join(layout.keys)}")
    for key in row:
        if key in layout.keys or key in layout.optional:
            continue
        if key in layout.old_names:
            yield Finding("old_key", key, "is the name of an old format", f"rename it to {layout.old_names[key]}")
        else:
            fix = f"remove {shown_key(key)}; what is known of a row belongs into a side file"
            yield Finding("extra_key", shown_key(key), "is no key of this format", fix)


def _input_findings(given: Json, target: Target) -> Iterator[Finding]:
    if not isinstance(given, dict):
        fix = 'write {"messages": [...], "tools": [], "parallel_tool_calls": true}'
        yield Finding("prompt", "input", f"is {shown(given)}, not an object", fix)
        return
    for key in given:
        if key not in INPUT_KEYS:
            found = "is no key of input"
            yield Finding("input_key", f"input.{shown_key(key)}", found, f"remove {shown_key(key)}")
    if "messages" in given:
        yield from _messages_findings(given["messages"], "input.messages", target)
    else:
        yield Finding("messages", "input.messages", "is missing", "write the prompt's messages")
    yield from _tools_findings(given)


def _tools_findings(given: JsonObject) -> Iterator[Finding]:
    tools = given.get("tools", [])
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        found = "holds what is no object" if isinstance(tools, list) else f"is {shown(tools)}, not a list"
        yield Finding("tools", "input.tools", found, "write a list of tools, [] if there are none")
    parallel = given.get("parallel_tool_calls", True)
    if not isinstance(parallel, bool):
        yield Finding("parallel_tool_calls", "input.parallel_tool_calls", f"is {shown(parallel)}", "write true")


def _messages_findings(messages: Json, field: str, target: Target) -> Iterator[Finding]:
    if not isinstance(messages, list):
        found = f"is {shown(messages)}, not a list"
        yield Finding("messages", field, found, 'write [{"role": "user", "content": …}]')
        return
    if not messages:
        yield Finding("messages", field, "is empty", "drop the pair")
        return
    for place, message in enumerate(messages):
        yield from message_findings(message, f"{field}[{place}]", PROMPT_ROLES)
    yield from conversation_findings(messages, field, target)


def _output_findings(output: Json, field: str, target: Target) -> Iterator[Finding]:
    if not isinstance(output, list):
        found = f"is {shown(output)}, not a list"
        yield Finding("output", field, found, 'write [{"role": "assistant", "content": …}]')
        return
    if not output:
        yield Finding("output_empty", field, "is empty", "drop the pair")
        return
    if target.one_message_outputs and len(output) > 1:
        yield Finding("output_count", field, f"holds {len(output)} messages", "keep one assistant message")
    if not target.one_message_outputs and not any(map(_is_assistants, output)):
        yield Finding("output_assistant", field, "has no assistant message", "add it, or drop the pair")
    for place, message in enumerate(output):
        where = f"{field}[{place}]"
        yield from message_findings(message, where, target.output_roles)
        if isinstance(message, dict) and calls_tools(message):
            fix = "drop the pair: an answer is text in the portable profile"
            yield Finding("output_tool_calls", f"{where}.tool_calls", "stand in an answer", fix)


def _is_assistants(message: Json) -> bool:
    return isinstance(message, dict) and message.get("role") == "assistant"


def _sides_equal(first: Said, second: Said) -> bool:
    """Whether both answers say the same; False where one says nothing at all (that is another problem)."""
    if len(first) != len(second) or not first:
        return False
    return all(_alike(one, other) for one, other in zip(first, second, strict=True))


def _alike(one: tuple[Json, Json], other: tuple[Json, Json]) -> bool:
    (text, calls), (other_text, other_calls) = one, other
    if not isinstance(text, str) or not isinstance(other_text, str):
        return one == other and (text is not None or calls is not None)
    if calls != other_calls or _opening(text) != _opening(other_text):
        return False
    return folded(text) == folded(other_text)


def _opening(text: str) -> str:
    """The first word, normalised: where it differs nothing else need be compared."""
    words = text.split(maxsplit=1)
    return normalize("NFC", words[0]) if words else ""
