"""The duel protocol: the best and the worst of N found in ⌈3N/2⌉ − 2 games, then compared in both orders.

Neighbours meet first; the winners play for the best place, the losers for the worst (Pohl 1972, finding maximum and
minimum together). A game is asked in one order only: it decides who goes on, not what is exported. Called by panel.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pairsmith.judge.case import Case, Evidence, unplaced
from pairsmith.judge.compared import duelled, in_both_orders
from pairsmith.judge.duel import Order, both_orders
from pairsmith.records import Abstention, Completion, CompletionId, content_id


def played(case: Case) -> tuple[Evidence, Abstention | None]:
    """The games and the final as far as they have come, and why there can be no verdict."""
    if waiting := unplaced(case, Evidence()):
        return waiting, None
    field = sorted(case.completions.values(), key=lambda one: content_id("field", str(case.panel.seed), one.id))
    evidence, winners, losers = _round(case, Evidence(), field)
    best, worst = [*winners, *_odd(field)], [*losers, *_odd(field)]
    while (len(best) > 1 or len(worst) > 1) and not evidence.open:
        evidence, winners, _ = _round(case, evidence, best)
        evidence, _, losers = _round(case, evidence, worst)
        best, worst = [*winners, *_odd(best)], [*losers, *_odd(worst)]
    if evidence.open:
        return evidence, None
    if best[0] is worst[0]:  # who had no neighbour played for both places; verdicts need not fit together
        return evidence, Abstention(case.prompt.id, "order_conflict", "one answer won and lost its games: no final")
    return in_both_orders(case, evidence, best[0], worst[0], economical=False)


def _odd(field: Sequence[Completion]) -> Sequence[Completion]:
    """Whoever has no neighbour, and so goes on without a game."""
    return field[len(field) - len(field) % 2 :]


def _round(
    case: Case, evidence: Evidence, field: Sequence[Completion]
) -> tuple[Evidence, list[Completion], list[Completion]]:
    """Neighbours against each other, all at once; the winners and the losers, in the order of the games."""
    winners, losers = [], []
    for one, other in zip(field[::2], field[1::2], strict=False):
        evidence, winner = _game(case, evidence, one, other)
        winners.append(one if winner == one.id else other)
        losers.append(other if winner == one.id else one)
    return evidence, winners, losers


def _game(case: Case, evidence: Evidence, one: Completion, other: Completion) -> tuple[Evidence, CompletionId]:
    """One game by the first judge. A tie, and a verdict that is lost, is decided by lot: it only says who goes on."""
    lot = min(one.id, other.id, key=lambda ident: content_id("lot", str(case.panel.seed), ident))
    order = _order(case, one, other)
    stands = duelled(case, order)
    evidence = replace(evidence, standings=(*evidence.standings, stands))
    if stands.verdict is None:
        return evidence, lot
    duel = order.duel(stands.verdict, stands.request_id)
    return replace(evidence, duels=(*evidence.duels, duel)), duel.winner or lot


def _order(case: Case, one: Completion, other: Completion) -> Order:
    drawn = both_orders(case.prompt.id, one, other, case.panel.chat_judges[:1], case.panel.seed)
    return drawn[0]
