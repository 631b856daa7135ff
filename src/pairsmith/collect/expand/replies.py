"""What stands in a reply: the prompts or topics of a list, or points. Tolerant in finding it, strict in taking it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import orjson

from pairsmith.collect.expand.records import Judgement, Kind

_NUMBERED = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•])\s+(?=\S)")
_FENCE = re.compile(r"^```\w*\s*\n(.*?)\n?```$", re.DOTALL)


def texts_in(reply: str, kind: Kind, judgement: Judgement) -> list[str] | None:
    """The texts that were asked for; None: they cannot be told.

    They stand in a JSON object under `kind`, in a JSON list, or, from models that know no JSON, as a numbered list.
    """
    found = judgement.objects(reply)
    for one in found or ():
        if isinstance(one.get(kind), list):
            return _texts(one[kind])
    listed = _list(reply)
    if listed is not None:
        return _texts(listed)
    if found is None:
        return None  # JSON that broke off: its lines are no list
    lines = [line for line in reply.strip().split("\n") if line.strip()]
    numbered = [_NUMBERED.sub("", line).strip() for line in lines if _NUMBERED.match(line)]
    return numbered if len(numbered) > 1 and len(numbered) >= len(lines) - 2 else None


def _list(reply: str) -> object:
    text = reply.strip()
    if fenced := _FENCE.match(text):
        text = fenced[1].strip()
    if not text.startswith("["):
        return None
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def _texts(items: object) -> list[str] | None:
    """The texts of a list, or of its objects that have one text each; None: it is another list."""
    if not isinstance(items, list):
        return None
    texts = [_text(item) for item in items]
    return [_clean(text) for text in texts if text is not None] if any(text is not None for text in texts) else None


def _text(item: object) -> str | None:
    if isinstance(item, dict):
        strings = [value for value in item.values() if isinstance(value, str)]
        return strings[0] if len(strings) == 1 else None
    return item if isinstance(item, str) else None


def _clean(text: str) -> str:
    """Without the number it has in the list, white space around it, and half characters."""
    return _NUMBERED.sub("", text.encode("utf-8", "replace").decode().replace("\0", ""), count=1).strip()


def points_in(reply: str, judgement: Judgement) -> tuple[float, float | None] | None:
    """Quality and difficulty (1-10); None: the reply holds no quality, or several."""
    found = [one for one in judgement.objects(reply) or () if "quality" in one]
    values: Sequence[object] = [one["quality"] for one in found]
    if not values or any(value != values[0] for value in values) or not _is_points(values[0]):
        return None
    difficulty = found[0].get("difficulty")
    return float(str(values[0])), float(str(difficulty)) if _is_points(difficulty) else None


def _is_points(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= 10
