"""Recognises a request for new prompts, for topics, or for what a prompt is worth; and what it shows.

Knows the names of the blocks and of the reply's keys, and the few words by which the ways of asking differ.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pairsmith.simulator.asking import properties_of, text_of

Kind = Literal["prompts", "topics", "quality"]
KINDS: tuple[Kind, ...] = ("prompts", "topics", "quality")

_BLOCK = re.compile(
    r"<(?P<name>example|prompt|passage|topic|person|situation)(?P<tag>[\w-]*)>\n(?P<text>.*?)\n</(?P=name)(?P=tag)>",
    re.DOTALL,
)
_COUNT = re.compile(r"\bexactly (\d{1,3})\b")
_LANGUAGE = re.compile(r"Write every prompt in ([A-Z]\w+)|native speaker of ([A-Z]\w+)")
# Words of the request -> how new prompts come out of the material; the first that is found.
WAYS: tuple[tuple[str, str], ...] = (
    ("as a native speaker of", "translate"),
    ("for the same as this one", "paraphrase"),
    ("further into the matter", "deeper"),
    ("limits that really bite", "constrained"),
    ("become a particular case", "concrete"),
    ("cannot be answered in one step", "reasoning"),
    ("far less common", "rare"),
)
_BY_BLOCK = {"passage": "documents", "person": "persona", "situation": "situation", "topic": "topic"}


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for.

    Attributes:
        way: how new prompts come out of the material: a way of WAYS, a block's, or "examples".
        shown: texts of the blocks `example` and `prompt`, in order.
        given: text of the block that says what else is wanted: a passage, topic, person or situation; else "".
        language: the English name of the language that is asked for; None: that of the material.
        keys: the keys that the reply may have; None when the request names no schema.
    """

    kind: Kind
    way: str
    count: int
    shown: tuple[str, ...]
    given: str
    language: str | None
    keys: frozenset[str] | None


def read_request(messages: Iterable[Mapping[str, Any]], response_format: object) -> Request | None:
    """The writer's request in a conversation; None when it is none."""
    written = [(str(m.get("role")), text_of(m.get("content"))) for m in messages]
    system = "\n".join(text for role, text in written if role != "user")
    user = "\n".join(text for role, text in written if role == "user")
    properties = properties_of(response_format)
    kind = _kind(properties, system or user)
    blocks = list(_BLOCK.finditer(user))
    if kind is None or not blocks:
        return None
    blocks = [block for block in blocks if block["tag"] == blocks[0]["tag"]]
    words = _BLOCK.sub("", user)
    count = _COUNT.search(words)
    language = _LANGUAGE.search(words) or _LANGUAGE.search(system)
    extra = next((block for block in blocks if block["name"] in _BY_BLOCK), None)
    return Request(
        kind=kind,
        way=_way(words, extra["name"] if extra else ""),
        count=int(count[1]) if count else 1,
        shown=tuple(block["text"] for block in blocks if block["name"] in ("example", "prompt")),
        given=extra["text"].strip() if extra else "",
        language=(language[1] or language[2]) if language else None,
        keys=frozenset(properties) or None,
    )


def _kind(properties: Mapping[str, Any], instructions: str) -> Kind | None:
    if properties:
        return next((kind for kind in KINDS if kind in properties), None)
    return next((kind for kind in KINDS if f'"{kind}"' in instructions), None)


def _way(words: str, block: str) -> str:
    found = (way for phrase, way in WAYS if phrase in words)
    return _BY_BLOCK.get(block) or next(found, "examples")
