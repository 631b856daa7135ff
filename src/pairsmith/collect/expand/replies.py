"""What stands in a reply: the prompts or topics of a list, or points. Tolerant in finding it, strict in taking it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import orjson

from pairsmith.collect.expand.records import Judgement, Kind

_NUMBERED = re.compile(r"^\s*(?:\d{1,2}[.)]|[-*•])\s+(?=\S)")
_COUNTED = re.compile(r"\s*(\d{1,2})[.)]\s+(?=\S)")  # a list whose items are all numbered, from 1 on
_NUMBER = re.compile(r"\d{1,2}(?:\.\d{1,4})?")
_KEYS = ("prompt", "text", "question", "instruction", "content", "topic", "name")
_FENCE = re.compile(r"^```\w*\s*\n(.*?)\n?```$", re.DOTALL)


def texts_in(reply: str, kind: Kind, judgement: Judgement) -> list[str] | None:
    """The texts that were asked for; None: they cannot be told.

    They stand in a JSON object under `kind` (the last one that has any: an earlier one may be a draft), under another
    key if it holds the only list, in a JSON list, in objects of one text each, or, from models that know no JSON, in a
    numbered list.
    """
    found = judgement.objects(reply)
    for one in reversed(found or ()):
        if texts := _under(one, kind):
            return texts
    listed = _list(reply)
    if listed is not None:
        return _texts(listed)
    if found is None:
        return None  # JSON that broke off: its lines are no list
    return _texts(list(found)) or _numbered(reply)


def _under(one: Mapping[str, object], kind: Kind) -> list[str] | None:
    """The texts of an object; None: it has none, or several lists of which none is named as it should be."""
    if kind in one:
        value = one[kind]
        return _texts([value] if isinstance(value, str) else value)
    lists = [value for value in one.values() if isinstance(value, list)]
    inner = [value for value in one.values() if isinstance(value, dict)]
    if len(lists) == 1:
        return _texts(lists[0])
    return _under(inner[0], kind) if not lists and len(inner) == 1 else None


def _numbered(reply: str) -> list[str] | None:
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
    """The texts of a list, or of its objects that have one text each; None: there are none."""
    if not isinstance(items, list):
        return None
    texts = [text.replace("\0", "").strip() for item in items if (text := _text(item)) is not None]
    texts = [text for text in texts if text.strip(".… ")]  # "..." is the shape, repeated
    counted = [_COUNTED.match(text) for text in texts]
    if len(texts) > 1 and [found and found[1] for found in counted] == [str(n) for n in range(1, len(texts) + 1)]:
        texts = [text[found.end() :] for text, found in zip(texts, counted, strict=True) if found]
    return texts or None


def _text(item: object) -> str | None:
    """A text, or that of an object: under a key that is known for it, or its only one."""
    if isinstance(item, dict):
        strings = {key: value for key, value in item.items() if isinstance(value, str)}
        named = next((strings[key] for key in _KEYS if key in strings), None)
        return named if named is not None or len(strings) != 1 else next(iter(strings.values()))
    return item if isinstance(item, str) else None


def points_in(reply: str, judgement: Judgement) -> tuple[float, float | None] | None:
    """Quality and difficulty (1-10); None: the reply holds no quality, or several."""
    found = [one for one in judgement.objects(reply) or () if "quality" in one]
    values: Sequence[object] = [one["quality"] for one in found]
    if not values or any(value != values[0] for value in values):
        return None
    quality = _points(values[0])
    return None if quality is None else (quality, _points(found[0].get("difficulty")))


def _points(value: object) -> float | None:
    """A number from 1 to 10, also as text; None: it is something else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or not _NUMBER.fullmatch(str(value)):
        return None
    return points if 1 <= (points := float(value)) <= 10 else None
