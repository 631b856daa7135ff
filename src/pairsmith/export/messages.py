"""The rules for messages: each one alone, and a prompt's messages as a conversation.

Knows no file and no line: it takes parsed values and gives findings. Called by layouts.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from itertools import pairwise

from pairsmith.export.problems import Finding, shown
from pairsmith.export.reading import shown_key
from pairsmith.export.targets import Target, Turns
from pairsmith.records import Json, Message

PROMPT_ROLES = frozenset({"system", "user", "assistant", "tool", "function"})

_PLAIN = frozenset({"role", "content"})
_KEYS: Mapping[str, Set[str]] = {
    "assistant": _PLAIN | {"tool_calls"},
    "tool": _PLAIN | {"tool_call_id"},
    "function": _PLAIN | {"name"},  # OpenAI's schema asks for it here, and only here
}
_ROLE_FIXES = {"developer": 'write "system"', "human": 'write "user"', "gpt": 'write "assistant"'}


def message_findings(message: Json, field: str, roles: Set[str]) -> Iterator[Finding]:
    """What is wrong with one message, seen alone.

    Args:
        message: as it was read.
        field: where it stands, as "input.messages[2]".
        roles: the roles allowed in this place.
    """
    if not isinstance(message, dict):
        fix = 'write {"role": …, "content": …}'
        yield Finding("message", field, f"is {shown(message)}, not an object", fix)
        return
    role = message.get("role")
    if not isinstance(role, str) or role not in roles:
        yield _bad_role(message, field, roles)
    if not message.keys() <= _PLAIN:
        yield from _key_findings(message, field)
    content = message.get("content")
    if not isinstance(content, str) or not content or content.isspace():
        yield from _content_findings(message, field)
    if role == "tool":
        yield from _tool_call_id_findings(message, field)


def conversation_findings(messages: list[Json], field: str, target: Target) -> Iterator[Finding]:
    """What is wrong with the prompt's messages together: who speaks first, last, and in which order."""
    roles = [message.get("role") if isinstance(message, dict) else None for message in messages]
    for place, role in enumerate(roles):
        if place > 0 and role == "system":
            yield _late_system(f"{field}[{place}]", roles[0] == "system")
    if "user" not in roles:
        yield Finding("user_message", field, "has no user message", "drop the pair")
    if roles[-1] == "assistant":
        fix = "end with the user's turn; what the assistant says goes into the outputs"
        yield Finding("last_message", f"{field}[{len(roles) - 1}]", "is the assistant's and the last", fix)
    yield from _turn_findings(roles[1:] if roles[0] == "system" else roles, field, target.turns)


def calls_tools(message: Message) -> bool:
    """Whether a message holds tool calls, which may stand in place of its content."""
    calls = message.get("tool_calls")
    return isinstance(calls, list) and len(calls) > 0


def _bad_role(message: Message, field: str, roles: Set[str]) -> Finding:
    if "role" not in message:
        return Finding("role", f"{field}.role", "is missing", f"write {_listed(roles)}")
    role = message["role"]
    fix = _ROLE_FIXES.get(role) if isinstance(role, str) else None
    return Finding("role", f"{field}.role", f"is {shown(role)}", fix or f"write {_listed(roles)}")


def _key_findings(message: Message, field: str) -> Iterator[Finding]:
    role = message.get("role")
    allowed = _KEYS.get(role, _PLAIN) if isinstance(role, str) else _PLAIN
    for key in message:
        if key not in allowed:
            found = "is no key of the portable profile here"
            yield Finding("message_key", f"{field}.{shown_key(key)}", found, f"remove {shown_key(key)}")
    if "tool_calls" in message and not _are_objects(message["tool_calls"]):
        found = f"is {shown(message['tool_calls'])}, not a list of objects"
        yield Finding("tool_calls", f"{field}.tool_calls", found, "write a list of calls, or remove it")


def _content_findings(message: Message, field: str) -> Iterator[Finding]:
    """Why the content, which is no text or a blank one, is wrong here; beside tool calls it may be so."""
    content = message.get("content")
    if calls_tools(message) and (content is None or isinstance(content, str)):
        return
    if isinstance(content, str):
        found, fix = ("is blank" if content else "is empty"), "drop the pair"
    elif isinstance(content, list):
        found, fix = "is a list of parts", "write plain text; images and other parts are not portable"
    elif "content" not in message:
        found, fix = "is missing", "write the text"
    else:
        found, fix = f"is {shown(content)}, not text", "write the text, or drop the pair"
    yield Finding("content", f"{field}.content", found, fix)


def _tool_call_id_findings(message: Message, field: str) -> Iterator[Finding]:
    call = message.get("tool_call_id")
    if not isinstance(call, str) or not call:
        found = f"is {shown(call)}" if "tool_call_id" in message else "is missing"
        yield Finding("tool_call_id", f"{field}.tool_call_id", found, "name the call that it answers")


def _late_system(field: str, second: bool) -> Finding:
    if second:
        return Finding("system_first", field, "is a second system message", "merge it into the first")
    return Finding("system_first", field, "is a system message, but not the first", "move it to the start")


def _turn_findings(roles: list[Json], field: str, turns: Turns) -> Iterator[Finding]:
    if turns == "one" and len(roles) != 1:
        found = f"holds {len(roles)} turns beside the system message"
        yield Finding("turns", field, found, "drop the pair: this target takes one user turn")
    if turns == "alternating" and not _alternate(roles):
        found = "do not alternate between user and assistant"
        yield Finding("turns", field, found, "merge neighbours of one role, or drop the pair")


def _alternate(roles: list[Json]) -> bool:
    speakers = all(role in ("user", "assistant") for role in roles)
    return speakers and all(first != second for first, second in pairwise(roles))


def _are_objects(value: Json) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _listed(roles: Set[str]) -> str:
    return " or ".join(f'"{role}"' for role in sorted(roles))
