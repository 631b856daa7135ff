"""Rows of others in our keys: a prompt in another column, ShareGPT's conversations, logs of requests and responses.

A row with `prompt`, `messages` or `instruction` is ours already, whatever else it holds. What is none of these stays
as it is, and is a bad row. Called by rows.py.
"""

from __future__ import annotations

from typing import TypeAlias

import orjson

from pairsmith.collect.fields import read_list, read_object, say_kind
from pairsmith.records import Json
from pairsmith.streams import Flaw, load_json

Row: TypeAlias = "dict[str, Json]"

PROMPT_KEYS = ("prompt", "messages", "instruction")  # exactly one of them makes a row
FOREIGN_KEYS = ("conversations", "request", "body")
_SPEAKERS = {
    "human": "user", "user": "user", "gpt": "assistant", "chatgpt": "assistant", "assistant": "assistant",
    "model": "assistant", "bot": "assistant", "bard": "assistant", "bing": "assistant", "system": "system",
}  # fmt: skip
_OF_A_CALL = ("request", "response", "body", "method", "url", "custom_id")
_CUT = ("length", "content_filter")  # why an answer ended that is none of its writer's


def in_our_keys(row: Row, column: str | None) -> Row:
    """The row with `prompt`, `messages` or `instruction`, if it is one of the shapes; else as it stands."""
    if column is not None:
        return _of_column(row, column)
    for key in PROMPT_KEYS:
        if row.get(key) is not None:
            return row
    if (turns := _json_in(row.get("conversations"))) is not None:
        rest = {key: value for key, value in row.items() if key != "conversations"}
        return {**rest, "messages": _turns("conversations", turns)}
    return _of_call(row)


def _of_column(row: Row, column: str) -> Row:
    """The row whose prompt is in this column: a text, or a conversation. Other prompts in it are left out."""
    value = row.get(column)
    if value is None:
        keys = ", ".join(key for key in row if row[key] is not None)[:200]
        raise Flaw(None, f'holds no "{column}" (but {keys})', "write it or remove the {unit}")
    rest = {key: other for key, other in row.items() if key not in (*PROMPT_KEYS, column)}
    if column == "instruction":
        return {**rest, column: value}
    value = _json_in(value) if isinstance(value, str) and value.startswith("[{") else value
    return {**rest, "messages": _turns(column, value)} if isinstance(value, list) else {**rest, "prompt": value}


def _json_in(value: Json) -> Json:
    """What a text holds as JSON, where it is one of a list or an object; anything else as it stands."""
    if not isinstance(value, str) or not value.startswith(("{", "[")):
        return value
    try:
        return load_json(value.encode())
    except (UnicodeError, orjson.JSONDecodeError):
        return value


def _turns(field: str, value: Json) -> list[Json]:
    """A conversation as messages: ShareGPT's from and value, or role and content."""
    return [_turn(f"{field}[{place}]", item) for place, item in enumerate(read_list(field, value))]


def _turn(where: str, item: Json) -> Json:
    turn = read_object(where, item)
    if "from" not in turn:
        return turn
    speaker = turn["from"]
    if not isinstance(speaker, str) or speaker.lower() not in _SPEAKERS:
        found = f'"{speaker[:40]}"' if isinstance(speaker, str) else say_kind(speaker)
        raise Flaw(f"{where}.from", f"is {found}", "write human, gpt or system, or remove the {unit}")
    return {"role": _SPEAKERS[speaker.lower()], "content": turn.get("value")}


# --- logs of calls --------------------------------------------------------------------------------------


def _of_call(row: Row) -> Row:
    """A request with its response, or a line of a batch's input; the answers are candidates."""
    request = _asked(row)
    if request is None:
        return row
    rest = {key: value for key, value in row.items() if key not in _OF_A_CALL}
    if row.get("custom_id") is not None:
        rest.setdefault("id", row["custom_id"])
    if request.get("tools") is not None:
        rest["tools"] = request["tools"]
    given = read_list("candidates", row.get("candidates") or [])
    answers = _answers(_inside(_json_in(row.get("response"))))
    return {**rest, "messages": request["messages"], **({"candidates": given + answers} if given + answers else {})}


def _asked(row: Row) -> Row | None:
    """The body of a chat request in a row; None: there is none."""
    request = _inside(_json_in(row.get("request")))
    if request is None and str(row.get("url", "")).endswith("/chat/completions"):
        request = _inside(_json_in(row.get("body")))
    return request if request is not None and isinstance(request.get("messages"), list) else None


def _inside(value: Json) -> Row | None:
    """An object, or the one that it wraps as `body`, as batches and gateways do."""
    if not isinstance(value, dict):
        return None
    body = _json_in(value.get("body"))
    return body if isinstance(body, dict) else value


def _answers(response: Row | None) -> list[Json]:
    """The texts of a response's choices; those that were cut off, and calls of tools, are no answers."""
    choices = response.get("choices") if response else None
    found: list[Json] = []
    for choice in choices if isinstance(choices, list) else []:
        message = choice.get("message") if isinstance(choice, dict) else None
        if not isinstance(choice, dict) or not isinstance(message, dict) or choice.get("finish_reason") in _CUT:
            continue
        text = message.get("content")
        if isinstance(text, str) and text.strip() and not message.get("tool_calls"):
            model = response.get("model") if response else None
            found.append({"content": text, **({"model": model} if isinstance(model, str) else {})})
    return found
