"""How many tokens a request is, before a server has counted it: by characters a token.

With the extra pairsmith[tiktoken] the share is measured on the recipe's own words. Its tables are downloaded once; if
that does not work at once, about four characters are a token. Called by forecast.py.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

import orjson

from pairsmith.planning.priors import CHARS_A_TOKEN
from pairsmith.records import ChatRequest, Json

ENCODING = "o200k_base"  # of OpenAI's models since GPT-4o (tiktoken's model.py, November 2026); others come near it
PATIENCE_S = 5.0  # for tables that have to be downloaded
TOKENS_A_MESSAGE = 4.0  # role and borders: OpenAI's cookbook counts 3 or 4 (How to count tokens with tiktoken, 2026)


@dataclass(frozen=True, slots=True)
class Rate:
    """Characters a token, and what that rests on."""

    chars_a_token: float
    rests: str


ABOUT_FOUR = Rate(CHARS_A_TOKEN, "about 4 characters a token")


def rate_of(text: str, patience_s: float = PATIENCE_S) -> Rate:
    """The rate for a text like this one, by tiktoken where it is installed and has its tables at hand in time."""
    counted: list[int] = []
    worker = threading.Thread(target=lambda: counted.append(_count(text)), daemon=True, name="tiktoken")
    worker.start()
    worker.join(patience_s)
    tokens = counted[0] if counted else 0
    return Rate(len(text) / tokens, "tokens counted by tiktoken") if tokens else ABOUT_FOUR


def _count(text: str) -> int:
    """Tokens by tiktoken; 0 when it is not installed, or its tables cannot be loaded."""
    try:
        encoding = import_module("tiktoken").get_encoding(ENCODING)
        return len(encoding.encode(text, disallowed_special=()))
    except Exception:  # noqa: BLE001 — whatever is wrong with it, there is another way
        return 0


def request_tokens(request: ChatRequest, chars_a_token: float) -> float:
    """Tokens of a request's messages and tools."""
    messages = _list(request.body.get("messages"))
    tools = request.body.get("tools")
    chars = sum(len(text_of(message)) for message in messages)
    chars += len(orjson.dumps(tools)) if tools else 0
    return chars / chars_a_token + TOKENS_A_MESSAGE * len(messages)


def prefix_tokens(request: ChatRequest, chars_a_token: float) -> float:
    """Tokens of the system message: what all questions of one kind begin with."""
    first = next(iter(_list(request.body.get("messages"))), None)
    return len(text_of(first)) / chars_a_token + TOKENS_A_MESSAGE


def text_of(message: Json) -> str:
    """The text of one message of a request; parts that are no text count by their JSON."""
    content = message.get("content") if isinstance(message, Mapping) else None
    return content if isinstance(content, str) else orjson.dumps(content).decode() if content else ""


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
