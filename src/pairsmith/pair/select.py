"""Ranks the completions of one prompt and finds the two that could make its pair.

Everything here depends on content only: ids, texts and scores, never on the order in which they are given.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pairsmith.means import estimates
from pairsmith.pair.sides import ALL, Sides
from pairsmith.records import Completion, CompletionId, Noise, Score

TOLERANCE = 1e-9  # points; means of equal scores may differ in their last bit
UNKNOWN = Noise()
NEAR_WORST = 0.5  # points above the worst that still count as bad (JUDGING, default protocol, step 4)


@dataclass(frozen=True, slots=True)
class Standing:
    """A completion that can be a side of a pair, and what the judges gave it."""

    completion: Completion
    mean: float  # over the judges that saw it, each counted by what is known of its noise
    scores: tuple[Score, ...]  # by judge


@dataclass(frozen=True, slots=True)
class Couple:
    """Two completions of which the scores prefer the first."""

    chosen: Standing
    rejected: Standing

    @property
    def gap(self) -> float:
        """Points between the two means."""
        return self.chosen.mean - self.rejected.mean

    @property
    def length_difference(self) -> int:
        """Characters between the two texts, without sign."""
        return abs(len(self.chosen.completion.text) - len(self.rejected.completion.text))

    @property
    def equal_sides(self) -> bool:
        """Whether both say the same, up to Unicode normalisation and white space."""
        return folded(self.chosen.completion.text) == folded(self.rejected.completion.text)

    def allowed_by(self, sides: Sides) -> bool:
        """Whether these two may be a pair."""
        return sides.allow(self.chosen.completion, self.rejected.completion)


def standings(
    completions: Iterable[Completion], scores: Iterable[Score], noise: Noise = UNKNOWN
) -> tuple[Standing, ...]:
    """The completions without flags that have a score, best first; equal means by id.

    A score of a completion that is not among these (it failed, or was screened) counts for nothing.

    Args:
        completions: of ONE prompt.
        scores: judge points.
        noise: of the judges: each counts by one over the variance of its errors, on the first judge's scale. Where
            nothing is known all count the same.
    """
    known = set(scores)
    means = estimates(known, noise)
    scores_of: dict[CompletionId, list[Score]] = defaultdict(list)
    for score in sorted(known, key=lambda score: (score.judge, score.request_id, score.value)):
        scores_of[score.completion].append(score)
    usable = {one.id: one for one in completions if not one.flags and one.id in means}
    ranked = [Standing(one, means[one.id].mean, tuple(scores_of[one.id])) for one in usable.values()]
    return tuple(sorted(ranked, key=lambda standing: (-standing.mean, standing.completion.id)))


def couples(ranked: Sequence[Standing], sides: Sides = ALL, floor: float = 0.0) -> list[Couple]:
    """Every best completion with every one that is nearly as bad as the worst, where the scores prefer it.

    Best and worst are those of the widest couple that `sides` allow, whose chosen one reaches the floor if that of
    any does; of equally wide ones that of the better chosen one. With all sides allowed they are simply the best and
    the worst.

    Args:
        ranked: standings of ONE prompt, best first.
        sides: which couples are allowed.
        floor: least mean of a chosen one.
    """
    reach = [couple for one in ranked if (couple := _against_the_worst(one, ranked, sides)) is not None]
    found = [couple for couple in reach if couple.chosen.mean >= floor - TOLERANCE] or reach
    if not found:
        return []
    widest = max(found, key=lambda couple: (round(couple.gap, 9), couple.chosen.mean))
    top = [one for one in ranked if abs(one.mean - widest.chosen.mean) <= TOLERANCE]
    bottom = [one for one in ranked if one.mean <= widest.rejected.mean + NEAR_WORST + TOLERANCE]
    close = [Couple(chosen, rejected) for chosen in top for rejected in bottom]
    return [couple for couple in close if couple.gap > TOLERANCE and couple.allowed_by(sides)]


def _against_the_worst(chosen: Standing, ranked: Sequence[Standing], sides: Sides) -> Couple | None:
    """The widest couple with this chosen one."""
    for couple in (Couple(chosen, rejected) for rejected in reversed(ranked)):
        if couple.gap <= TOLERANCE:
            return None
        if couple.allowed_by(sides):
            return couple
    return None


def choose(
    ranked: Sequence[Standing],
    verify_gap: float,
    min_gap: float,
    sides: Sides = ALL,
    floor: float = 0.0,
    passes: Callable[[Couple], bool] = lambda couple: not couple.equal_sides,
) -> Couple | None:
    """The couple to pair; None when no two different texts that `sides` allow lie `verify_gap` apart, above the floor.

    Best against worst, as `couples` has them. Among rejects within 0.5 points of the worst, and among several equally
    good best, the two closest in length: no preference among the best is invented, each of them is preferred to the
    reject. A reject is not taken for its length when that would cost a duel: couples `min_gap` apart come first.
    Then the lower reject, then ids.
    """

    def order(couple: Couple) -> tuple[bool, int, float, str, str]:
        close_call = couple.gap < min_gap - TOLERANCE
        chosen, rejected = couple.chosen, couple.rejected
        return close_call, couple.length_difference, rejected.mean, chosen.completion.id, rejected.completion.id

    apart = (
        couple
        for couple in couples(ranked, sides, floor)
        if couple.gap >= verify_gap - TOLERANCE and couple.chosen.mean >= floor - TOLERANCE
    )
    return next((couple for couple in sorted(apart, key=order) if passes(couple)), None)


def folded(text: str) -> str:
    """A text up to Unicode normalisation and white space."""
    return " ".join(unicodedata.normalize("NFC", text).split())
