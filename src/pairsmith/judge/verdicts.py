"""Reads a judge's reply: tolerant in finding the verdict, strict in taking it.

Thinking, code fences and prose around the JSON object are passed over. What is not clearly one valid verdict
is Unreadable, and an unreadable verdict is no verdict: never a default, never a guess. Nothing here raises.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from reprlib import repr as short_repr
from typing import Annotated, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

TIE = "tie"
MAX_CHARS = 100_000  # a verdict is a few hundred characters; this bounds the work on a runaway reply


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A reply that holds no verdict; `why` goes into the complaint, as in "could not be read: {why}"."""

    why: str


def _mended(rationale: object) -> object:
    """None is no rationale; a lone surrogate (a JSON escape can make one) breaks every file it gets into."""
    if rationale is None:
        return ""
    return rationale.encode("utf-8", "replace").decode() if isinstance(rationale, str) else rationale


Rationale = Annotated[str, BeforeValidator(_mended)]


class ScoreVerdict(BaseModel):
    """Points from 1 to 10. Half points are taken where a judge gives them; true, "8" and 8/10 are no number."""

    model_config = ConfigDict(strict=True, frozen=True)

    score: float = Field(ge=1, le=10, allow_inf_nan=False)
    rationale: Rationale


class DuelVerdict(BaseModel):
    """The label of the winner as it was shown, or TIE."""

    model_config = ConfigDict(strict=True, frozen=True)

    winner: str
    rationale: Rationale


class RankVerdict(BaseModel):
    """All labels that were shown, each once, best first."""

    model_config = ConfigDict(strict=True, frozen=True)

    ranking: list[str]
    rationale: Rationale


class FamilyVerdict(BaseModel):
    """The task family of a prompt, by a name that was offered; no reasons are asked for."""

    model_config = ConfigDict(strict=True, frozen=True)

    family: str


@dataclass(frozen=True, slots=True)
class WrittenVerdict:
    """A reference answer that a judge wrote itself: no verdict, but asked for and followed like one."""

    text: str


V = TypeVar("V", ScoreVerdict, DuelVerdict, RankVerdict, FamilyVerdict)


def read_written(text: str) -> WrittenVerdict | Unreadable:
    """The reply without its thinking; an empty one is none."""
    said = (spoken(text) or "").strip()
    return WrittenVerdict(said) if said else Unreadable("it was empty")


def read_ranking(text: str, labels: Collection[str]) -> RankVerdict | Unreadable:
    """The ranking in a reply; every label that was shown stands in it once, and no other."""
    rule = f'"ranking" must be a list of {", ".join(labels)}, each once, best first'

    def validate(found: dict[str, object]) -> RankVerdict | Unreadable:
        verdict = _validated(RankVerdict, found, rule)
        if isinstance(verdict, RankVerdict) and sorted(verdict.ranking) != sorted(labels):
            return Unreadable(f"{rule}, not {short_repr(verdict.ranking)}")
        return verdict

    return _read(text, "ranking", validate)


def read_score(text: str) -> ScoreVerdict | Unreadable:
    """The score in a reply."""

    def validate(found: dict[str, object]) -> ScoreVerdict | Unreadable:
        return _validated(ScoreVerdict, found, '"score" must be a number from 1 to 10')

    return _read(text, "score", validate)


def read_duel(text: str, labels: Collection[str]) -> DuelVerdict | Unreadable:
    """The winner in a reply; only the labels that were shown, and TIE, are known."""
    known = (*labels, TIE)
    rule = f'"winner" must be one of {", ".join(known)}'

    def validate(found: dict[str, object]) -> DuelVerdict | Unreadable:
        verdict = _validated(DuelVerdict, found, rule)
        if isinstance(verdict, DuelVerdict) and verdict.winner not in known:
            return Unreadable(f"{rule}, not {short_repr(verdict.winner)}")
        return verdict

    return _read(text, "winner", validate)


def read_named(text: str) -> FamilyVerdict | Unreadable:
    """The task family in a reply, whatever names were offered."""
    return _read(text, "family", lambda found: _validated(FamilyVerdict, found, '"family" must be a name'))


def read_family(text: str, names: Collection[str]) -> FamilyVerdict | Unreadable:
    """The task family in a reply; only the names that were offered are known."""
    rule = f'"family" must be one of {", ".join(names)}'

    def validate(found: dict[str, object]) -> FamilyVerdict | Unreadable:
        verdict = _validated(FamilyVerdict, found, rule)
        if isinstance(verdict, FamilyVerdict) and verdict.family not in names:
            return Unreadable(f"{rule}, not {short_repr(verdict.family)}")
        return verdict

    return _read(text, "family", validate)


def _read(text: str, key: str, validate: Callable[[dict[str, object]], V | Unreadable]) -> V | Unreadable:
    """The one verdict of all objects that have `key`: each must be valid, and all must say the same."""
    objects = _objects(text)
    if isinstance(objects, Unreadable):
        return objects
    verdicts: list[V] = []
    for found in objects:
        if key not in found:
            continue
        verdict = validate({key: found[key], "rationale": found.get("rationale")})
        if isinstance(verdict, Unreadable):
            return verdict
        verdicts.append(verdict)
    if not verdicts:
        return Unreadable(f'there is no JSON object with "{key}" in it')
    if any(getattr(verdict, key) != getattr(verdicts[0], key) for verdict in verdicts):
        return Unreadable("it holds several verdicts that disagree")
    return verdicts[-1]


def _validated(model: type[V], found: dict[str, object], rule: str) -> V | Unreadable:
    try:
        return model.model_validate(found)
    except ValidationError as exc:
        field = str(exc.errors()[0]["loc"][0])
        return Unreadable(
            '"rationale" must be a string' if field == "rationale" else f"{rule}, not {short_repr(found[field])}"
        )


# --- finding the objects ------------------------------------------------------------------------


class _TwoValuesError(ValueError):
    """A key stands twice in one object, with different values."""


def _unambiguous(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found and repr(found[key]) != repr(value):  # by repr: 1 and true are equal in Python
            raise _TwoValuesError(key)
        found[key] = value
    return found


# strict=False: a raw line break inside the rationale is the commonest slip, and a harmless one.
_DECODER = json.JSONDecoder(object_pairs_hook=_unambiguous, strict=False)
_BRACE = re.compile(r"[{}]")
_BEGINS_STRING_KEY = re.compile(r"""\{\s*["']""")
_BEGINS_OBJECT = re.compile(r"""\{\s*(?:["']|\w+\s*:)""")


def spoken(text: str) -> str | None:
    """A reply without the thinking before it; None when the thinking never ended.

    Some servers leave out the opening tag. Then a closing tag inside a verdict is a quotation, not the end of
    thinking: to cut there could turn a quoted verdict into the judge's own.
    """
    head = text.lstrip()
    before, end, after = text.partition("</think>")
    if head.startswith("<think>"):
        return after if end else None
    inside = head.startswith(("{", "```")) or _BEGINS_STRING_KEY.search(before, before.rfind("}") + 1)
    return text if inside or not end else after


def objects_in(text: str) -> list[dict[str, object]] | None:
    """The JSON objects of any reply, its thinking left out; None: there is none, or one is broken."""
    found = _objects(text)
    return None if isinstance(found, Unreadable) else found


def _objects(text: str) -> list[dict[str, object]] | Unreadable:
    said = spoken(text)
    if said is None:
        return Unreadable("the thinking never came to an end")
    if not said.strip():
        return Unreadable("it was empty")
    if len(said) > MAX_CHARS:
        return Unreadable(f"it was longer than {MAX_CHARS} characters")
    try:
        return _decoded(said)
    except _TwoValuesError as exc:
        return Unreadable(f"the key {short_repr(exc.args[0])} stands twice in one object, with different values")
    except (ValueError, RecursionError):
        return Unreadable("its JSON object is broken or cut off")


def _decoded(said: str) -> list[dict[str, object]]:
    """The objects that stand by themselves in a text, in order.

    An object inside anything unfinished may be a quotation (an answer that shows a verdict of its own), so
    objects between unmatched braces do not count, and JSON that breaks off spoils the whole reply.

    Raises:
        ValueError: something begins like a JSON object ({"score", {'score', {score:) and is none.
        RecursionError: it is nested beyond reason.
    """
    found: list[dict[str, object]] = []
    at = depth = 0
    while brace := _BRACE.search(said, at):
        at = brace.end()
        if brace[0] == "}":
            depth = max(0, depth - 1)
        elif _BEGINS_OBJECT.match(said, brace.start()):
            value, at = _DECODER.raw_decode(said, brace.start())
            found += [value] if depth == 0 else []
        else:
            depth += 1
    return found
