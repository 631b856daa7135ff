"""The rules for messages: each one alone, and a prompt's messages as a conversation.

Knows no file and no line: it takes messages at their places and gives findings. Called by row_rules.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import pairwise

import orjson

from pairsmith.export.chat import ELSEWHERE, Turn
from pairsmith.export.problems import Finding, shown
from pairsmith.export.reading import shown_key
from pairsmith.export.targets import Turns
from pairsmith.records import Json, Message

PROMPT_ROLES = frozenset({"system", "user", "assistant", "tool", "function"})
TOOL_ROLES = frozenset({"tool", "function"})

PLAIN_KEYS = frozenset({"role", "content"})
MESSAGE_KEYS: Mapping[str, Set[str]] = {
    "assistant": PLAIN_KEYS | {"tool_calls"},
    "tool": PLAIN_KEYS | {"tool_call_id"},
    "function": PLAIN_KEYS | {"name"},  # OpenAI's schema asks for it here, and only here
}
CHATS_OWN = {"developer": "system", "human": "user", "gpt": "assistant", "model": "assistant"}


def message_findings(turn: Turn, roles: Set[str]) -> Iterator[Finding]:
    """What is wrong with one message, seen alone; `roles`: those that are allowed in this place."""
    message = turn.message
    if not isinstance(message, dict):
        fix = f'write {{"{turn.wording.role}": …, "{turn.wording.text}": …}}'
        yield Finding("message", turn.field, f"is {shown(message)}, not an object", fix)
        return
    role = message.get("role")
    if not isinstance(role, str) or role not in roles:
        yield _bad_role(turn, message, roles)
    if not message.keys() <= PLAIN_KEYS:
        yield from _key_findings(message, turn.field)
    content = message.get("content")
    if not isinstance(content, str) or not content or content.isspace():
        yield from _content_findings(turn, message)
    if role == "tool":
        yield from _tool_call_id_findings(message, turn.field)


def conversation_findings(said: Sequence[Turn], field: str, turns: Turns) -> Iterator[Finding]:
    """What is wrong with the prompt's messages together: who speaks first, last, and in which order."""
    roles = [turn.role for turn in said]
    for turn in said[1:]:
        if turn.role == "system":
            yield _late_system(turn.field, roles[0] == "system")
    if "user" not in roles:
        yield Finding("user_message", field, "has no user message", "drop the pair")
    if roles[-1] == "assistant":
        fix = "end with the user's turn; what the assistant says goes into the answers"
        yield Finding("last_message", said[-1].field, "is the assistant's and the last", fix)
    yield from _turn_findings(roles[1:] if roles[0] == "system" else roles, field, turns)
    if not TOOL_ROLES.isdisjoint(role for role in roles if isinstance(role, str)):
        yield from _unasked_findings(said)


def calls_tools(message: Message) -> bool:
    """Whether a message holds tool calls, which may stand in place of its content."""
    calls = message.get("tool_calls")
    return isinstance(calls, list) and len(calls) > 0


def _bad_role(turn: Turn, message: Message, roles: Set[str]) -> Finding:
    wanted = " or ".join(f'"{turn.wording.name(role)}"' for role in sorted(roles))
    if "role" not in message:
        return Finding("role", turn.role_field, "is missing", f"write {wanted}")
    role = message["role"]
    role = role.removesuffix(ELSEWHERE) if isinstance(role, str) else role
    chats = CHATS_OWN.get(role, role) if isinstance(role, str) else ""
    fix = f'write "{turn.wording.name(chats)}"' if chats in roles else f"write {wanted}"
    return Finding("role", turn.role_field, f"is {shown(role)}", fix)


def _key_findings(message: Message, field: str) -> Iterator[Finding]:
    role = message.get("role")
    allowed = MESSAGE_KEYS.get(role, PLAIN_KEYS) if isinstance(role, str) else PLAIN_KEYS
    for key in message:
        if key not in allowed:
            found, name = "is no key of the portable profile here", shown_key(key.removesuffix(ELSEWHERE))
            yield Finding("message_key", f"{field}.{name}", found, f"remove {name}")
    if "tool_calls" in message:
        yield from _call_findings(message["tool_calls"], f"{field}.tool_calls")


def _call_findings(calls: Json, field: str) -> Iterator[Finding]:
    """Why tool calls are none: each has an id and names a function with its arguments as JSON text."""
    if not isinstance(calls, list) or not calls or not all(isinstance(call, dict) for call in calls):
        found = "is empty" if calls == [] else f"is {shown(calls)}, not a list of objects"
        yield Finding("tool_calls", field, found, "write a list of calls, or remove it")
        return
    for place, call in enumerate(calls):
        if (wrong := _wrong_in_call(call)) is not None:
            fix = 'write {"id": …, "type": "function", "function": {"name": …, "arguments": "{…}"}}'
            yield Finding("tool_calls", f"{field}[{place}]", wrong, fix)


def _wrong_in_call(call: Json) -> str | None:
    match call:
        case {"id": str(ident), "type": "function", "function": {"name": str(name), "arguments": str(arguments)}}:
            if not ident or not name:
                return "has an empty id or name"
            try:
                orjson.loads(arguments)
            except orjson.JSONDecodeError:
                return "has arguments that are no JSON"
            return None
    return "is no call of a function"


def _content_findings(turn: Turn, message: Message) -> Iterator[Finding]:
    """Why the content, which is no text or a blank one, is wrong here; beside tool calls it may be so."""
    content = message.get("content")
    if calls_tools(message) and (content is None or isinstance(content, str)):
        return
    if isinstance(content, str):
        found, fix = ("is blank" if content else "is empty"), "drop the pair"
    elif isinstance(content, list) and turn.wording.boxed:
        found, fix = "is no list of one text", 'write [{"text": …}]; other parts are not portable'
    elif isinstance(content, list):
        found, fix = "is a list of parts", "write plain text; images and other parts are not portable"
    elif "content" not in message:
        found, fix = "is missing", "write the text"
    else:
        found, fix = f"is {shown(content)}, not text", "write the text, or drop the pair"
    yield Finding("content", turn.text_field, found, fix)


def _tool_call_id_findings(message: Message, field: str) -> Iterator[Finding]:
    call = message.get("tool_call_id")
    if not isinstance(call, str) or not call:
        found = f"is {shown(call)}" if "tool_call_id" in message else "is missing"
        yield Finding("tool_call_id", f"{field}.tool_call_id", found, "name the call that it answers")


def _unasked_findings(said: Sequence[Turn]) -> Iterator[Finding]:
    """Tool messages that answer no call of the assistant's before them."""
    asked: set[str] = set()
    for turn in said:
        if not isinstance(turn.message, dict):
            continue
        asked.update(_call_ids(turn.message.get("tool_calls")))
        call = turn.message.get("tool_call_id")
        if turn.role == "tool" and isinstance(call, str) and call and call not in asked:
            found = f"is {shown(call)}, which no message before it calls"
            yield Finding("tool_call_id", f"{turn.field}.tool_call_id", found, "name the call that it answers")


def _call_ids(calls: Json) -> Iterator[str]:
    for call in calls if isinstance(calls, list) else ():
        if isinstance(call, dict) and isinstance(ident := call.get("id"), str):
            yield ident


def _late_system(field: str, second: bool) -> Finding:
    if second:
        return Finding("system_first", field, "is a second system message", "merge it into the first")
    return Finding("system_first", field, "is a system message, but not the first", "move it to the start")


def _turn_findings(roles: Sequence[Json], field: str, turns: Turns) -> Iterator[Finding]:
    if turns == "one" and len(roles) != 1:
        found = f"holds {len(roles)} turns beside the system message"
        yield Finding("turns", field, found, "drop the pair: this target takes one user turn")
    if turns in ("alternating", "user first") and not _alternate(roles):
        found = "do not alternate between user and assistant"
        yield Finding("turns", field, found, "merge neighbours of one role, or drop the pair")
    elif turns == "user first" and roles[:1] != ["user"]:
        yield Finding("turns", field, "do not begin with the user", "drop the pair")


def _alternate(roles: Sequence[Json]) -> bool:
    speakers = all(role in ("user", "assistant") for role in roles)
    return speakers and all(first != second for first, second in pairwise(roles))
