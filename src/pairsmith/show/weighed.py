"""The couples of a queue that people reviewed: what they say of each, and for how many it stands.

Pure. Called by agreement.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pairsmith.ledger import Review, Said
from pairsmith.records import CompletionId
from pairsmith.reviewing import Heard, heard
from pairsmith.show.queue import Item

Cell: TypeAlias = tuple[str, bool, bool]


@dataclass(frozen=True, slots=True)
class Voice:
    """What one reviewer said last of one couple.

    `label`: 1 for the chosen one, -1 for the rejected one, 0 for a tie; None: the prompt is bad. `first`: which was
    shown first, in the same way.
    """

    reviewer: str
    label: int | None
    first: int
    edited: bool


@dataclass(frozen=True, slots=True)
class Weighed:
    """One couple that somebody reviewed, and how many of the queue it stands for.

    `label`: what people together say; 0 also where as many say one thing as another.
    """

    item: Item
    voices: tuple[Voice, ...]
    label: int | None
    weight: float


def weighed(items: Sequence[Item], reviews: Iterable[Review]) -> tuple[list[Weighed], int]:
    """The couples that were reviewed, in the queue's order; and how many verdicts are about none of them.

    Args:
        items: the queue.
        reviews: those that stand, the oldest first.
    """
    said = {(prompt, one.couple): one for prompt, couples in heard(reviews).items() for one in couples}
    found = [(item, one) for item in items if (one := said.pop((item.prompt, item.couple), None))]
    weights = _weights(items, [item for item, _ in found])
    here = [Weighed(item, _voices(item, one), _label(item, one), weights[cell(item)]) for item, one in found]
    return here, sum(len(one.reviews) for one in said.values())


def _voices(item: Item, said: Heard) -> tuple[Voice, ...]:
    return tuple(
        Voice(
            reviewer=one.reviewer,
            label=None if one.said is Said.BAD_PROMPT else _side(item, one.preferred),
            first=_side(item, one.first),
            edited=one.said is Said.EDIT,
        )
        for one in said.reviews
    )


def _label(item: Item, said: Heard) -> int | None:
    return None if said.said is Said.BAD_PROMPT else _side(item, said.preferred)


def _side(item: Item, one: CompletionId | None) -> int:
    return 0 if one is None else 1 if one == item.chosen["completion"] else -1


def cell(item: Item) -> Cell:
    """The kind of couple that the queue tells apart: within one, which of them are shown is chance alone."""
    return item.band, item.disagree, item.exported


def _weights(items: Iterable[Item], reviewed: Iterable[Item]) -> dict[Cell, float]:
    """For each cell how many couples of the queue one that was reviewed stands for."""
    there, seen = Counter(map(cell, items)), Counter(map(cell, reviewed))
    return {kind: there[kind] / seen[kind] for kind in seen}


def sampled(found: Sequence[Weighed]) -> list[Weighed]:
    """Those that belong to the random sample of the pairs, as far as it was gone through.

    Also such as had been shown before for another reason: without them only easy ones would be left.
    """
    drawn = [one.item.draw for one in found if one.item.why == "sample" and one.item.draw is not None]
    return [one for one in found if one.item.draw is not None and one.item.draw <= max(drawn, default=-1)]
