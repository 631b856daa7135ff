"""Settles one prompt of the protocols that know no points: by two rankings, or by both orders of a final.

Two verdicts that were asked in opposite orders have to agree; what they agree on is the pair. Called by the pipeline.
"""

from __future__ import annotations

from collections.abc import Sequence

from pairsmith.pair.couples import ESTIMATED, Wording, obstacle
from pairsmith.pair.settings import PairSettings
from pairsmith.pair.sides import ALL, Sides
from pairsmith.records import (
    Abstention,
    Completion,
    CompletionId,
    Duel,
    Json,
    Pair,
    PromptId,
    Ranking,
    Settlement,
)

PAIR = PairSettings()


def settle_orders(
    prompt: PromptId,
    completions: Sequence[Completion],
    rankings: Sequence[Ranking],
    final: Sequence[Duel],
    settings: PairSettings = PAIR,
    sides: Sides = ALL,
    wording: Wording = ESTIMATED,
    wanted: str | None = None,
) -> Settlement:
    """Settle ONE prompt from two rankings in opposite orders, or from the duels of a final in both orders.

    Args:
        prompt: the prompt.
        completions: its completions without flags.
        rankings: two, or none; a pair is what both name first and last.
        final: two duels of the same couple in opposite orders, or none; a pair is what both prefer. With rankings
            beside them these were in conflict, and the duels decide.
        settings: the [pair] table.
        sides: which couples are allowed.
        wording: how texts are measured.
        wanted: the language that the prompt asks for; None: not known.

    Returns:
        A pair without a gap; or the abstention order_conflict, duel_tie, or that of a gate that its texts do not pass.
    """
    found = _of_final(prompt, final) if final else _of_rankings(prompt, rankings)
    if isinstance(found, Abstention):
        return found
    by_id = {completion.id: completion for completion in completions}
    chosen, rejected = found
    if reason := obstacle(by_id[chosen], by_id[rejected], settings, sides, wording, wanted):
        return Abstention(prompt, *reason)
    verdicts: Sequence[Ranking | Duel] = [*rankings, *final]
    judges = tuple(sorted({verdict.judge for verdict in verdicts}))
    return Pair(prompt, chosen, rejected, None, judges, _provenance(rankings, final))


def _of_rankings(prompt: PromptId, rankings: Sequence[Ranking]) -> tuple[CompletionId, CompletionId] | Abstention:
    one, other = rankings
    if one.order[0] == other.order[0] and one.order[-1] == other.order[-1]:
        return one.order[0], one.order[-1]
    ends = [place for place, at in (("first", 0), ("last", -1)) if one.order[at] != other.order[at]]
    return Abstention(prompt, "order_conflict", f"the two orders differ in who is {' and who is '.join(ends)}")


def _of_final(prompt: PromptId, final: Sequence[Duel]) -> tuple[CompletionId, CompletionId] | Abstention:
    winners = {duel.winner for duel in final}
    if len(winners) > 1:
        return Abstention(prompt, "order_conflict", "the two orders of the final differ")
    winner = winners.pop()
    if winner is None:
        return Abstention(prompt, "duel_tie", "both orders of the final are a tie")
    loser = next(ident for ident in (final[0].first, final[0].second) if ident != winner)
    return winner, loser


def _provenance(rankings: Sequence[Ranking], final: Sequence[Duel]) -> dict[str, Json]:
    """By what rule: rankings that agree, a tournament's final, or the duels that settled a conflict of rankings."""
    found: dict[str, Json] = {
        "strategy": "first-last" if rankings else "best-worst",
        "rule": "rankings" if not final else "duels" if rankings else "final",
    }
    if rankings:
        found["rankings"] = [_ranking(one) for one in rankings]
    if final:
        found["duels"] = [duel_row(one) for one in final]
    return found


def _ranking(one: Ranking) -> Json:
    shown, order = list[Json](one.shown), list[Json](one.order)
    return {"judge": one.judge, "shown": shown, "order": order, "request_id": one.request_id}


def duel_row(one: Duel) -> Json:
    """A duel as provenance names it."""
    return {
        "judge": one.judge,
        "first": one.first,
        "second": one.second,
        "winner": one.winner,
        "request_id": one.request_id,
    }
