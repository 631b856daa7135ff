"""Which words of two texts the other one does not have, in order. Pure; a text of any length costs little."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from rapidfuzz.distance import Indel

MOST_WORDS = 8000  # of both texts together
MOST_CHARS = 60_000

# A word or one sign, with the spaces before it; scripts that write no spaces are cut character by character.
_ALONE = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_WORDS = re.compile(rf"\s*(?:[{_ALONE}]|[^\W{_ALONE}]+|[^\w\s])|\s+")


class Piece(NamedTuple):
    """A part of a text; `only`: the other text does not have it here, whatever its spaces are."""

    text: str
    only: bool


class Differences(NamedTuple):
    """Both texts in pieces that add up to them. common: the share of their characters that is in both."""

    first: list[Piece]
    second: list[Piece]
    common: float


class _Step(NamedTuple):
    """Words of the first and the second text that belong together; `same`: they are equal."""

    first: Sequence[str]
    second: Sequence[str]
    same: bool

    @property
    def signs(self) -> bool:
        return not any(character.isalnum() for word in self.first for character in word)


def differences(one: str, other: str) -> Differences | None:
    """What each has that the other one has not; None: they are too long to be compared."""
    if len(one) + len(other) > MOST_CHARS:
        return None
    words, others = _WORDS.findall(one), _WORDS.findall(other)
    if len(words) + len(others) > MOST_WORDS:
        return None
    steps = _steps(words, others)
    common = sum(len(word) for step in steps if step.same for word in (*step.first, *step.second))
    first, second = ((step.first, step.same) for step in steps), ((step.second, step.same) for step in steps)
    return Differences(_pieces(first), _pieces(second), common / max(1, len(one) + len(other)))


def _steps(words: Sequence[str], others: Sequence[str]) -> list[_Step]:
    """In order; signs alone between two differences are no agreement."""
    found = Indel.opcodes([word.strip() for word in words], [word.strip() for word in others])
    steps = [
        _Step(words[at.src_start : at.src_end], others[at.dest_start : at.dest_end], at.tag == "equal") for at in found
    ]
    last = len(steps) - 1
    return [
        step._replace(same=False) if step.same and 0 < place < last and step.signs else step
        for place, step in enumerate(steps)
    ]


def _pieces(parts: Iterable[tuple[Sequence[str], bool]]) -> list[Piece]:
    """Neighbours of one kind as one piece."""
    kept = [(words, same) for words, same in parts if words]
    return [
        Piece("".join(word for words, _ in group for word in words), not same)
        for same, group in groupby(kept, lambda part: part[1])
    ]
