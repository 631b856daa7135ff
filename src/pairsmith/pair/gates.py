"""Settles one prompt: a pair, an abstention with its reason, or the close call that a duel has to decide.

The gates stand in the order of their cost: what needs no further call comes first, so that no duel is paid
for a prompt that cannot give a pair. Called by the pipeline, and by judge for what-if questions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations
from typing import TypeAlias

from pairsmith.pair.couples import ESTIMATED, Wording, obstacle
from pairsmith.pair.orders import duel_row
from pairsmith.pair.select import TOLERANCE, UNKNOWN, Couple, Standing, standings
from pairsmith.pair.settings import DELTA, PairSettings
from pairsmith.pair.sides import ALL, Sides
from pairsmith.pair.strategies import STRATEGIES
from pairsmith.records import (
    Abstention,
    Completion,
    CompletionId,
    Duel,
    Json,
    Noise,
    Pair,
    PromptId,
    Score,
    Settlement,
    Undecided,
    content_id,
)

# A user's own choice among the standings of ONE prompt, best first: the chosen and the rejected one, or None.
Strategy: TypeAlias = Callable[[Sequence[Standing]], tuple[Standing, Standing] | None]


def settle(
    prompt: PromptId,
    completions: Sequence[Completion],
    scores: Iterable[Score],
    duels: Iterable[Duel],
    settings: PairSettings,
    noise: Noise = UNKNOWN,
    strategy: Strategy | None = None,
    sides: Sides = ALL,
    wording: Wording = ESTIMATED,
    wanted: str | None = None,
) -> Settlement:
    """Settle ONE prompt from the evidence so far; the order of that evidence never matters.

    First what no couple can mend, in this order, with the reason of the abstention: fewer than 2 usable scored
    completions (too_few_scored); all equally good (tie); best and worst too close (gap_too_small); the best not good
    enough (chosen_below_floor); a strategy of the user's that picks none (strategy_declined). Then the couples that
    the strategy likes: the first that passes every gate, those from `min_gap` up before close calls; if none does,
    the reason is that of the best liked one. From `min_gap` up that is a pair. Below it both orders of a duel must
    agree with the scores; else duel_tie, order_conflict or judges_disagree. Beside the gates on texts and sides
    (`obstacle`) there is one on the points of the rejected one (rejected_above_ceiling).

    Args:
        prompt: the prompt.
        completions: its completions; flagged ones are never a side.
        scores: judge points; those of other completions are ignored.
        duels: those of other couples are ignored.
        settings: the [pair] table.
        noise: what this run knows of the judges: how much the score of each counts.
        strategy: picks the two instead of the table's strategy; the gates hold for what it picks, too.
        sides: which couples are allowed.
        wording: how texts are measured.
        wanted: the language that the prompt asks for; None: not known.

    Returns:
        Undecided until both orders of a close call were judged. Without any score the strategy delta prefers by arms
        alone.

    Raises:
        ValueError: a completion answers another prompt.
    """
    if any(completion.prompt_id != prompt for completion in completions):
        raise ValueError(f"completions of another prompt were given with prompt {prompt}")
    gate = _Gate(settings, sides, wording, wanted)
    ranked = standings(completions, scores, noise)
    if not ranked and settings.strategy == DELTA:
        return _by_arms(prompt, completions, gate)
    found = _found(ranked, len(completions), gate, strategy)
    if isinstance(found, tuple):
        return Abstention(prompt, *found)
    couple = found[0]
    if couple.gap < settings.least_gap - TOLERANCE:
        return _after_duels(prompt, couple, duels_between(couple, duels), settings.strategy)
    first, *others = (_pair(prompt, one, (), settings.strategy) for one in _several(found, gate))
    return replace(first, further=tuple(others)) if others else first


@dataclass(frozen=True, slots=True)
class _Gate:
    """What a couple of ONE prompt has to pass beside its gap."""

    settings: PairSettings
    sides: Sides
    wording: Wording
    wanted: str | None

    def obstacle(self, couple: Couple) -> tuple[str, str] | None:
        """Reason and detail of the first gate that it does not pass."""
        most = self.settings.rejected_ceiling
        if most is not None and couple.rejected.mean > most + TOLERANCE:
            return "rejected_above_ceiling", f"{_points(couple.rejected.mean)} > {_points(most)}"
        return self.of_texts(couple.chosen.completion, couple.rejected.completion)

    def of_texts(self, chosen: Completion, rejected: Completion) -> tuple[str, str] | None:
        """The same for what needs no points."""
        return obstacle(chosen, rejected, self.settings, self.sides, self.wording, self.wanted)


def _found(
    ranked: Sequence[Standing], given: int, gate: _Gate, strategy: Strategy | None
) -> list[Couple] | tuple[str, str]:
    """The couple that could be the pair, and those that come after it; or reason and detail of why there is none."""
    settings = gate.settings
    if reason := _obstacle(ranked, given, settings):
        return reason
    if strategy is not None:
        return _picked(ranked, gate, strategy)
    chooser = STRATEGIES[settings.strategy]
    liked = _apart(chooser(ranked, gate.sides, settings), settings)
    passing = _passing(liked, gate)
    if passing:
        return passing
    liked = liked or _apart(chooser(ranked, ALL, settings), settings)
    reason = gate.obstacle(liked[0]) if liked else None
    return reason or ("gap_too_small", f"{settings.strategy}: no couple that it likes is far enough apart")


def _passing(liked: Sequence[Couple], gate: _Gate) -> list[Couple]:
    """From the first couple on that passes all gates; texts of later ones are looked at only where they are wanted."""
    for place, couple in enumerate(liked):
        if gate.obstacle(couple) is None:
            return list(liked[place:])
    return []


def _apart(liked: Iterable[Couple], settings: PairSettings) -> list[Couple]:
    """Those that are far enough apart and good enough; close calls come last."""
    lowest, least = settings.verify_gap - TOLERANCE, settings.least_gap - TOLERANCE
    floor = settings.chosen_floor - TOLERANCE
    passing = [couple for couple in liked if couple.gap >= lowest and couple.chosen.mean >= floor]
    return sorted(passing, key=lambda couple: couple.gap < least)


def _picked(ranked: Sequence[Standing], gate: _Gate, strategy: Strategy) -> list[Couple] | tuple[str, str]:
    """What the user's own function picks."""
    picked = strategy(ranked)
    if picked is None:
        return "strategy_declined", f"{gate.settings.strategy} picks no pair"
    if reason := _obstacle(picked, 2, gate.settings):
        return reason
    couple = Couple(*picked)
    return gate.obstacle(couple) or [couple]


def _several(found: Sequence[Couple], gate: _Gate) -> Iterator[Couple]:
    """The pair, and as many further ones as are wanted: each far enough apart that it needs no duel."""
    settings, used, taken = gate.settings, set[CompletionId](), 0
    for place, couple in enumerate(found):
        sides = {couple.chosen.completion.id, couple.rejected.completion.id}
        if taken == settings.most_pairs or couple.gap < settings.least_gap - TOLERANCE:
            return
        if (settings.disjoint and sides & used) or (place and gate.obstacle(couple) is not None):
            continue
        used |= sides
        taken += 1
        yield couple


def _by_arms(prompt: PromptId, completions: Sequence[Completion], gate: _Gate) -> Pair | Abstention:
    """One arm over another, where nobody judged: of the couples that are allowed, one that a hash draws."""
    usable = [one for one in completions if not one.flags]
    if len(usable) < 2:
        return Abstention(prompt, "too_few_completions", f"{len(usable)} of {len(completions)} can be used")
    drawn = sorted(permutations(usable, 2), key=lambda two: content_id("delta", prompt, two[0].id, two[1].id))
    allowed = [two for two in drawn if gate.sides.allow(*two)]
    passing = next((two for two in allowed if gate.of_texts(*two) is None), None)
    if passing is None:
        return Abstention(prompt, *(gate.of_texts(*(allowed or drawn)[0]) or ("sides_missing", gate.settings.sides)))
    chosen, rejected = passing
    return Pair(prompt, chosen.id, rejected.id, None, (), {"strategy": DELTA, "rule": "arms"})


def _obstacle(ranked: Sequence[Standing], given: int, settings: PairSettings) -> tuple[str, str] | None:
    """Reason and detail of what keeps these standings from giving any pair."""
    if len(ranked) < 2:
        return "too_few_scored", f"{len(ranked)} of {given} completions can be used and has a score"
    best, gap = ranked[0].mean, ranked[0].mean - ranked[-1].mean
    if gap <= TOLERANCE:
        return "tie", f"all {len(ranked)} at {_points(best)}"
    if gap < settings.verify_gap - TOLERANCE:
        return "gap_too_small", f"{_points(gap)} < {_points(settings.verify_gap)}"
    if best < settings.chosen_floor - TOLERANCE:
        return "chosen_below_floor", f"{_points(best)} < {_points(settings.chosen_floor)}"
    return None


def _points(value: float) -> str:
    return str(round(value, 3))


# --- duels --------------------------------------------------------------------------------------


def duels_between(couple: Couple, duels: Iterable[Duel]) -> tuple[Duel, ...]:
    """The duels of these two in either order, sorted: those that show the chosen first come first."""
    sides = {couple.chosen.completion.id, couple.rejected.completion.id}
    held = {duel for duel in duels if {duel.first, duel.second} == sides}
    return tuple(
        sorted(held, key=lambda duel: (duel.first != couple.chosen.completion.id, duel.judge, duel.request_id))
    )


def duel_reason(couple: Couple, held: Sequence[Duel]) -> str | None:
    """What the duels of a couple come to.

    Returns:
        "" when both orders agree with the scores, a reason to abstain when they do not, None while an order is
        missing. A tie in one order only is a conflict of the orders.
    """
    if len({duel.first for duel in held}) < 2:
        return None
    winners = {duel.winner for duel in held}
    if len(winners) > 1:
        return "order_conflict"
    reasons = {couple.chosen.completion.id: "", couple.rejected.completion.id: "judges_disagree"}
    winner = winners.pop()
    return "duel_tie" if winner is None else reasons[winner]


def _after_duels(prompt: PromptId, couple: Couple, held: Sequence[Duel], strategy: str) -> Settlement:
    reason = duel_reason(couple, held)
    if reason is None:
        return Undecided(couple.chosen.completion.id, couple.rejected.completion.id)
    if reason:
        return Abstention(prompt, reason, _told(couple, held))
    return _pair(prompt, couple, held, strategy)


def _told(couple: Couple, held: Sequence[Duel]) -> str:
    """Such as "better shown first: worse wins; worse shown first: tie", better and worse by the scores."""
    names: dict[CompletionId | None, str] = {
        couple.chosen.completion.id: "better",
        couple.rejected.completion.id: "worse",
    }
    said = [f"{names[duel.first]} shown first: {_outcome(names.get(duel.winner))}" for duel in held]
    return "; ".join(said)


def _outcome(winner: str | None) -> str:
    return "tie" if winner is None else f"{winner} wins"


# --- the pair -----------------------------------------------------------------------------------


def _pair(prompt: PromptId, couple: Couple, held: Sequence[Duel], strategy: str) -> Pair:
    scores = (*couple.chosen.scores, *couple.rejected.scores)
    judges = {score.judge for score in scores} | {duel.judge for duel in held}
    provenance: dict[str, Json] = {
        "strategy": strategy,
        "rule": "duels" if held else "gap",
        "chosen": _side(couple.chosen),
        "rejected": _side(couple.rejected),
        "duels": [duel_row(duel) for duel in held],
    }
    return Pair(
        prompt_id=prompt,
        chosen=couple.chosen.completion.id,
        rejected=couple.rejected.completion.id,
        gap=round(couple.gap, 9),
        judges=tuple(sorted(judges)),
        provenance=provenance,
    )


def _side(standing: Standing) -> Json:
    scores: list[Json] = [
        {"judge": score.judge, "score": score.value, "request_id": score.request_id} for score in standing.scores
    ]
    return {"mean": round(standing.mean, 9), "scores": scores}
