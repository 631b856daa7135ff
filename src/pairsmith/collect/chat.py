"""OpenAI chat messages of one row, made uniform: text only, the system message apart.

Strict: what an endpoint would refuse or silently ignore is cheaper to hear of here. Called by rows.py.
"""

from __future__ import annotations

from typing import NamedTuple

from pairsmith.collect.fields import check_length, read_list, read_object, read_text, say_kind
from pairsmith.records import Json, Message
from pairsmith.streams import Flaw

_ROLES = ("system", "developer", "user", "assistant", "tool")
_KEYS = {"role", "content", "name", "tool_calls", "tool_call_id"}
_IGNORED_KEYS = {"weight", "annotations"}  # OpenAI's: which turns to train on, what an answer cites


class Chat(NamedTuple):
    """The turns, the text of the system message before them, and the assistant's answer behind them (None: none)."""

    messages: tuple[Message, ...]
    system: str | None
    answer: str | None = None


def read_chat(value: Json) -> Chat:
    """Read `messages`: system or developer messages first, then 1+ turns.

    Several system messages become one, with a blank line between them. A last turn of the assistant, as in a log, is no
    part of the prompt but an answer to it.
    """
    system: list[str] = []
    turns: list[Message] = []
    for index, item in enumerate(read_list("messages", value)):
        where = f"messages[{index}]"
        message = _read_message(where, read_object(where, item))
        if message["role"] in ("user", "assistant", "tool"):
            turns.append(message)
        elif turns:
            raise Flaw(f"{where}.role", f"is {_quote(message['role'])} after a turn", "move it to the front")
        else:
            system.append(str(message["content"]))
    if not turns:
        raise Flaw("messages", "holds no turn of the user", "write one or remove the {unit}")
    answer = _answer(turns)
    check_length("messages", sum(map(len, system)) + sum(len(str(turn["content"])) for turn in turns))
    return Chat(tuple(turns), "\n\n".join(text for text in system if text.strip()) or None, answer)


def _answer(turns: list[Message]) -> str | None:
    """The assistant's last turn, taken off."""
    if turns[-1]["role"] != "assistant":
        return None
    answer = turns.pop()
    if not isinstance(answer["content"], str) or "tool_calls" in answer:
        raise Flaw("messages", "ends with a call of tools", "remove that turn: an answer is a text")
    if not turns:
        raise Flaw("messages", "holds no turn of the user", "write one or remove the {unit}")
    if turns[-1]["role"] == "assistant":
        raise Flaw("messages", "ends with two turns of the assistant", "make one of them, or remove one")
    return answer["content"]


def _read_message(where: str, given: dict[str, Json]) -> Message:
    given = {key: value for key, value in given.items() if value is not None}
    role = given.get("role")
    if role not in _ROLES:
        found = "is missing" if role is None else f"is {_quote(role)}"
        raise Flaw(f"{where}.role", found, f"write one of {', '.join(_ROLES)}")
    unknown = sorted(given.keys() - _KEYS - _IGNORED_KEYS)
    if unknown:
        raise Flaw(f"{where}.{unknown[0]}", "is no part of a chat message here", "remove it")
    message: Message = {"role": role, "content": _read_content(f"{where}.content", given)}
    for key in ("name", "tool_call_id"):
        if key in given:
            message[key] = read_text(f"{where}.{key}", given[key])
    if "tool_calls" in given:
        message["tool_calls"] = _read_tool_calls(f"{where}.tool_calls", given)
    return message


def _read_content(where: str, given: dict[str, Json]) -> Json:
    """The text of a message; None only for an assistant's message that calls tools."""
    content = given.get("content")
    if content is None and given["role"] == "assistant" and given.get("tool_calls"):
        return None
    if content is None:
        raise Flaw(where, "is missing", "write a string")
    if isinstance(content, list):
        content = "".join(_read_part(f"{where}[{index}]", part) for index, part in enumerate(content))
    blank_ok = given["role"] in ("system", "developer", "tool") or bool(given.get("tool_calls"))
    return read_text(where, content, None if blank_ok else "a text")


def _read_part(where: str, part: Json) -> str:
    """The text of one {"type": "text"} part."""
    part = read_object(where, part)
    if part.get("type") != "text":
        raise Flaw(f"{where}.type", f"is {_quote(part.get('type'))}", 'only "text" can be used: remove it')
    return read_text(f"{where}.text", part.get("text"))


def _read_tool_calls(where: str, given: dict[str, Json]) -> Json:
    if given["role"] != "assistant":
        raise Flaw(where, f"stands in a message of role {_quote(given['role'])}", "remove it")
    calls = read_list(where, given["tool_calls"])
    return [read_object(f"{where}[{index}]", call) for index, call in enumerate(calls)]


def _quote(value: Json) -> str:
    return f'"{value[:40]}"' if isinstance(value, str) else say_kind(value)
