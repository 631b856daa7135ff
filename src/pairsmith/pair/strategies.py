"""Which couples of one prompt a strategy likes, the best liked first: gates.py takes the first that passes them all.

Pure, and by content only: where chance decides, it is a hash of ids, so that the order of answers never matters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from statistics import fmean, pstdev
from typing import TypeAlias

from pairsmith.pair.select import TOLERANCE, Couple, Standing, couples
from pairsmith.pair.settings import PairSettings
from pairsmith.pair.sides import Sides
from pairsmith.records import content_id

# Of the standings of ONE prompt, best first: couples in order of preference, each allowed, each with a gap above 0.
Chooser: TypeAlias = Callable[[Sequence[Standing], Sides, PairSettings], Iterable[Couple]]
Place: TypeAlias = tuple[float, float, str, str]
DRAWN = 5  # of which worst-of-five takes the worst


def best_worst(ranked: Sequence[Standing], sides: Sides, settings: PairSettings) -> Iterable[Couple]:
    """The best against the worst; among rejects within half a point of it the one closest in length.

    Among several equally good best likewise: no preference among them is invented. Then the lower reject, then ids.

    Source: Meng et al. 2024 (SimPO, 2405.14734), highest against lowest score; the lengths after Park et al. 2024
    (2403.19159).
    """

    def order(couple: Couple) -> tuple[int, float, str, str]:
        chosen, rejected = couple.chosen, couple.rejected
        return couple.length_difference, rejected.mean, chosen.completion.id, rejected.completion.id

    return sorted(couples(ranked, sides, settings.chosen_floor), key=order)


def best_random(ranked: Sequence[Standing], sides: Sides, settings: PairSettings) -> Iterable[Couple]:
    """The best against any worse one, drawn by hash.

    Source: Tunstall et al. 2023 (Zephyr, 2310.16944).
    """
    return _best_against(ranked, sides, lambda rejects: sorted(rejects, key=lambda one: _lot("best-random", one)))


def best_second(ranked: Sequence[Standing], sides: Sides, settings: PairSettings) -> Iterable[Couple]:
    """The best against the one that comes next below it: the least contrast that still prefers the best.

    Source: the nearest of the places for the rejected one that Xiao et al. 2025 (ACL, 2502.16825) compare.
    """
    return _best_against(ranked, sides, lambda rejects: rejects)


def worst_of_five(ranked: Sequence[Standing], sides: Sides, settings: PairSettings) -> Iterable[Couple]:
    """The best of all against the worst of five others, drawn by hash: with many samples the worst is no good reject.

    Source: Xiao et al. 2025, Finding the Sweet Spot (ACL, 2502.16825), where the best of n meets the worst of five.
    """
    drawn = {one.completion.id for one in sorted(ranked[1:], key=lambda one: _lot("worst-of-five", one))[:DRAWN]}

    def order(rejects: Sequence[Standing]) -> Sequence[Standing]:
        return sorted(rejects, key=lambda one: (one.completion.id not in drawn, one.mean, one.completion.id))

    return _best_against(ranked, sides, order)


def sweet_spot(ranked: Sequence[Standing], sides: Sides, settings: PairSettings) -> Iterable[Couple]:
    """The best against the one nearest to two standard deviations below the mean of all scores of the prompt.

    Source: Xiao et al. 2025, Finding the Sweet Spot (ACL, 2502.16825): rejected at mu − 2 sigma.
    """
    means = [one.mean for one in ranked]
    spot = fmean(means) - 2 * pstdev(means)
    return _best_against(
        ranked, sides, lambda rejects: sorted(rejects, key=lambda one: (abs(one.mean - spot), one.completion.id))
    )


def closest_length(ranked: Sequence[Standing], sides: Sides, settings: PairSettings) -> Iterable[Couple]:
    """Of all couples the one whose lengths differ least in proportion; then the wider gap, then ids.

    Source: Park et al. 2024 (2403.19159): DPO learns length where the chosen are longer.
    """

    def order(couple: Couple) -> tuple[float, Place]:
        longest = max(len(couple.chosen.completion.text), len(couple.rejected.completion.text), 1)
        return round(couple.length_difference / longest, 9), _widest_first(couple)

    return sorted(_all(ranked, sides), key=order)


def hardest(ranked: Sequence[Standing], sides: Sides, settings: PairSettings) -> Iterable[Couple]:
    """Of all couples the one with the smallest gap that needs no duel; of close calls the widest.

    Source: Pattnaik et al. 2024 (Curry-DPO, 2403.07230) train on small gaps last, as they are the hard ones.
    """

    def order(couple: Couple) -> tuple[bool, float, Place]:
        close = couple.gap < settings.least_gap - TOLERANCE
        gap = round(couple.gap, 9)
        return close, -gap if close else gap, _widest_first(couple)

    return sorted(_all(ranked, sides), key=order)


def widest(ranked: Sequence[Standing], sides: Sides, settings: PairSettings) -> Iterable[Couple]:
    """Every couple, the widest gap first: what all-gaps takes several of, and delta the first one.

    Source: Khaki et al. 2024 (RS-DPO, 2402.10038): all couples whose gap passes; Geng et al. 2025 (Delta Learning,
    2507.06187): answers of a stronger model over those of a weaker one.
    """
    return sorted(_all(ranked, sides), key=_widest_first)


STRATEGIES: Mapping[str, Chooser] = {
    "best-worst": best_worst,
    "best-random": best_random,
    "best-second": best_second,
    "worst-of-five": worst_of_five,
    "sweet-spot": sweet_spot,
    "closest-length": closest_length,
    "hardest": hardest,
    "delta": widest,
    "all-gaps": widest,
}


# --- couples --------------------------------------------------------------------------------------


def _best_against(
    ranked: Sequence[Standing], sides: Sides, ordered: Callable[[Sequence[Standing]], Sequence[Standing]]
) -> Iterator[Couple]:
    """The best with every worse one that it may be paired with, in that order; then the next best, and so on."""
    for place, chosen in enumerate(ranked):
        worse = [one for one in ranked[place + 1 :] if chosen.mean - one.mean > TOLERANCE]
        for rejected in ordered(worse):
            couple = Couple(chosen, rejected)
            if couple.allowed_by(sides):
                yield couple


def _all(ranked: Sequence[Standing], sides: Sides) -> list[Couple]:
    """Every couple of which the scores prefer the first."""
    found = [Couple(better, worse) for better, worse in combinations(ranked, 2)]
    return [couple for couple in found if couple.gap > TOLERANCE and couple.allowed_by(sides)]


def _widest_first(couple: Couple) -> Place:
    """Of equally wide ones the better chosen first, then ids."""
    chosen, rejected = couple.chosen, couple.rejected
    return -round(couple.gap, 9), -round(chosen.mean, 9), chosen.completion.id, rejected.completion.id


def _lot(strategy: str, one: Standing) -> str:
    """A place that the content decides, and nothing else."""
    return content_id("lot", strategy, one.completion.prompt_id, one.completion.id)
