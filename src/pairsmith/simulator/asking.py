"""Recognises a judging request: which kind of verdict it asks for, and the answers it shows.

Knows no rubric: only the property names of the verdict and the <answer> blocks (see judging.py). Asked for a family,
it is shown a conversation and no answer.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["score", "winner", "ranking", "family"]
KINDS: tuple[Kind, ...] = ("score", "winner", "ranking", "family")

_ANSWER = re.compile(
    r'<answer(?P<tag>[\w-]*)(?: label="(?P<label>\w+)")?>\n(?P<text>.*?)\n</answer(?P=tag)>', re.DOTALL
)
_MESSAGE = re.compile(r'<message(?P<tag>[\w-]*) role="(?P<role>\w+)">\n(?P<text>.*?)\n</message(?P=tag)>', re.DOTALL)
_OFFERED = re.compile(r'"family"\s*:\s*((?:"[^"\n]+"\s*\|\s*)*"[^"\n]+")')
_BOUNDS = re.compile(r'"score"\W[^\n]{0,80}?(\d+)\s*(?:\.\.\.?|-|–|to|and)\s*(\d+)')
_LABELS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Question:
    """What a judge is asked about the answers to ONE prompt.

    Attributes:
        answers: label and text, in the order shown; labels A, B, ... where none are written.
        low, high: bounds of a score.
        ties: whether a winner may be "tie".
        keys: the keys that the reply may have; None when the request names no schema.
        asked, offered: of a question after the family: what the user says in the conversation, and the families.
    """

    kind: Kind
    answers: tuple[tuple[str, str], ...]
    low: int = 1
    high: int = 10
    ties: bool = True
    keys: frozenset[str] | None = None
    asked: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()


def read_question(messages: Iterable[Mapping[str, Any]], response_format: object) -> Question | None:
    """The judging question in a request; None when it is none."""
    written = [(str(m.get("role")), text_of(m.get("content"))) for m in messages]
    properties = properties_of(response_format)
    kind = _kind(properties, written)
    shown = "\n".join(text for role, text in written if role == "user")
    if kind == "family":
        return _of_family(properties, written, shown)
    answers = _answers(shown)
    if kind is None or not answers or (kind == "winner" and len(answers) < 2):
        return None
    low, high = _bounds(properties.get("score"), "\n".join(text for _, text in written))
    winners = properties.get("winner", {}).get("enum")
    return Question(
        kind=kind,
        answers=answers,
        low=low,
        high=high,
        ties=winners is None or "tie" in winners,
        keys=frozenset(properties) or None,
    )


def _of_family(properties: Mapping[str, Any], written: list[tuple[str, str]], shown: str) -> Question | None:
    """The question after a family; None where no conversation is shown, or no families are offered."""
    asked = tuple(match["text"] for match in _MESSAGE.finditer(shown) if match["role"] == "user")
    offered = properties.get("family", {}).get("enum")
    if not offered:
        named = _OFFERED.search("\n".join(text for role, text in written if role == "system"))
        offered = re.findall(r'"([^"]+)"', named[1]) if named else []
    if not (asked and offered):
        return None
    return Question("family", (), keys=frozenset(properties) or None, asked=asked, offered=tuple(map(str, offered)))


def text_of(content: object) -> str:
    """The text of a message's content, be it a string, a list of parts, or nothing."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(str(p.get("text", "")) for p in content if isinstance(p, dict))
    return ""


def properties_of(response_format: object) -> dict[str, Any]:
    """The properties of the requested JSON, wherever the dialect puts its schema; {} without one."""
    if not isinstance(response_format, dict):
        return {}
    schema = response_format.get("json_schema") or response_format
    schema = schema.get("schema") if isinstance(schema, dict) else None
    properties = schema.get("properties") if isinstance(schema, dict) else None
    if not isinstance(properties, dict):
        return {}
    return {name: schema for name, schema in properties.items() if isinstance(schema, dict)}


def _kind(properties: Mapping[str, Any], written: list[tuple[str, str]]) -> Kind | None:
    if properties:
        return next((kind for kind in KINDS if kind in properties), None)
    instructions = "\n".join(text for i, (role, text) in enumerate(written) if i == 0 or role == "system")
    return next((kind for kind in KINDS if f'"{kind}"' in instructions), None)


def _answers(text: str) -> tuple[tuple[str, str], ...]:
    found = list(_ANSWER.finditer(text))
    # The answers come last, and their tag carries a suffix if a text before or in them holds a plain one.
    found = [match for match in found if match["tag"] == found[-1]["tag"]]
    if any(match["label"] for match in found):
        found = [match for match in found if match["label"]]
    return tuple((match["label"] or _LABELS[i % 26], match["text"]) for i, match in enumerate(found))


def _bounds(score: object, text: str) -> tuple[int, int]:
    """Lowest and highest score: from the schema, else as written behind the word "score", else 1 and 10."""
    low = high = None
    if isinstance(score, dict):
        low, high = score.get("minimum"), score.get("maximum")
    written = _BOUNDS.search(text) if low is None or high is None else None
    if written:
        low, high = int(written[1]), int(written[2])
    if isinstance(low, int | float) and isinstance(high, int | float) and low < high:
        return int(low), int(high)
    return 1, 10
