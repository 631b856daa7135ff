"""What people said of the couples of a queue, and what of it counts. Pure. Called by agreement.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pairsmith.ledger import Review, Said
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
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """One couple that somebody reviewed, and how many of the queue it stands for.

    `label`: what most of them say; where as many say one thing as another, a tie.
    """

    item: Item
    voices: tuple[Voice, ...]
    label: int | None
    weight: float = 1.0


def heard(items: Sequence[Item], reviews: Iterable[Review]) -> tuple[list[Heard], int]:
    """The couples that were reviewed, in the queue's order; and how many reviews are about none of them.

    Of one reviewer the last review of a couple counts.

    Args:
        items: the queue.
        reviews: those that stand, the oldest first.
    """
    known = {(item.prompt, item.couple): item for item in items}
    said: dict[str, dict[str, Voice]] = {}
    elsewhere = 0
    for review in reviews:
        item = known.get((review.prompt.id, review.couple))
        if item is None:
            elsewhere += 1
            continue
        said.setdefault(item.key, {})[review.reviewer] = _voice(item, review)
    found = [(item, tuple(said[item.key].values())) for item in items if item.key in said]
    weights = _weights(items, [item for item, _ in found])
    return [Heard(item, voices, majority(voices), weights[cell(item)]) for item, voices in found], elsewhere


def _voice(item: Item, review: Review) -> Voice:
    sides = {item.chosen["completion"]: 1, item.rejected["completion"]: -1, None: 0}
    label = None if review.said is Said.BAD_PROMPT else sides[review.preferred]
    return Voice(review.reviewer, label, sides[review.first], review.said is Said.EDIT)


def majority(voices: Sequence[Voice]) -> int | None:
    """What most of them say; 0 where no answer leads."""
    (first, most), *others = Counter(voice.label for voice in voices).most_common()
    return 0 if others and others[0][1] == most else first


def cell(item: Item) -> Cell:
    """The kind of couple that the queue tells apart: within one, which of them are shown is chance alone."""
    return item.band, item.disagree, item.exported


def _weights(items: Iterable[Item], reviewed: Iterable[Item]) -> dict[Cell, float]:
    """For each cell how many couples of the queue one that was reviewed stands for."""
    there, seen = Counter(map(cell, items)), Counter(map(cell, reviewed))
    return {kind: there[kind] / seen[kind] for kind in seen}


def sampled(found: Sequence[Heard]) -> list[Heard]:
    """Those that belong to the random sample of the pairs, as far as it was gone through.

    Also such as had been shown before for another reason: without them only easy ones would be left.
    """
    through = max(
        (one.item.draw for one in found if one.item.why == "sample" and one.item.draw is not None), default=-1
    )
    return [one for one in found if one.item.draw is not None and one.item.draw <= through]
