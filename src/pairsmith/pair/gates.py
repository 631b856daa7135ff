"""Settles one prompt: a pair, an abstention with its reason, or the close call that a duel has to decide.

The gates stand in the order of their cost: what needs no further call comes first, so that no duel is paid
for a prompt that cannot give a pair. Called by the pipeline, and by judge for what-if questions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

from pairsmith.pair.orders import duel_row
from pairsmith.pair.select import TOLERANCE, UNKNOWN, Couple, Standing, choose, standings
from pairsmith.pair.settings import PairSettings
from pairsmith.pair.sides import ALL, Sides
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
) -> Settlement:
    """Settle ONE prompt from the evidence so far; the order of that evidence never matters.

    The gates, in this order, and the reason of the abstention: fewer than 2 usable scored completions
    (too_few_scored); all equally good (tie); best and worst too close (gap_too_small); the best not good enough
    (chosen_below_floor); no two different texts far enough apart (equal_sides); a strategy of the user's that picks
    none (strategy_declined); a couple, but none that `sides` allow (sides_missing). From `min_gap` up that is a pair.
    Below it both orders of a duel must agree with the scores; else duel_tie, order_conflict or judges_disagree.

    Args:
        prompt: the prompt.
        completions: its completions; flagged ones are never a side.
        scores: judge points; those of other completions are ignored.
        duels: those of other couples are ignored.
        settings: the [pair] table.
        noise: what this run knows of the judges: how much the score of each counts.
        strategy: picks the two instead of best against worst; the gates hold for what it picks, too.
        sides: which couples are allowed.

    Returns:
        Undecided until both orders of a close call were judged.

    Raises:
        ValueError: a completion answers another prompt.
    """
    if any(completion.prompt_id != prompt for completion in completions):
        raise ValueError(f"completions of another prompt were given with prompt {prompt}")
    ranked = standings(completions, scores, noise)
    couple = _couple(ranked, len(completions), settings, strategy, sides)
    if not isinstance(couple, Couple):
        return Abstention(prompt, *couple)
    if couple.gap >= settings.least_gap - TOLERANCE:
        return _pair(prompt, couple, (), settings.strategy)
    return _after_duels(prompt, couple, duels_between(couple, duels), settings.strategy)


def _couple(
    ranked: Sequence[Standing], given: int, settings: PairSettings, strategy: Strategy | None, sides: Sides
) -> Couple | tuple[str, str]:
    """The two that could be the pair, or reason and detail of why there are none."""
    if obstacle := _obstacle(ranked, given, settings):
        return obstacle
    couple: Couple | None
    if strategy is None:
        gaps = settings.verify_gap, settings.least_gap
        couple = choose(ranked, *gaps, sides, settings.chosen_floor) or choose(ranked, *gaps)
    elif (picked := strategy(ranked)) is None:
        return "strategy_declined", f"{settings.strategy} picks no pair"
    elif obstacle := _obstacle(picked, 2, settings):
        return obstacle
    else:
        couple = Couple(*picked)
    if couple is None or couple.equal_sides:
        return "equal_sides", "the best and the worst are the same text"
    if not sides.allow(couple.chosen.completion, couple.rejected.completion):
        return "sides_missing", f"{settings.sides}: no couple that is allowed passes the gates"
    return couple


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
