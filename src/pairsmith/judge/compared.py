"""Close calls of the score protocol: what the scores leave undecided is compared in both orders. Called by panel.py."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from pairsmith.judge.asking import Standing, standing
from pairsmith.judge.case import Case, Evidence, Settle
from pairsmith.judge.duel import LABELS, Order, both_orders, duel_request
from pairsmith.judge.verdicts import DuelVerdict, read_duel
from pairsmith.records import Abstention, CompletionId, Settlement, Undecided


def settled(case: Case, evidence: Evidence, settle: Settle) -> tuple[Evidence, Settlement | None]:
    """Ask settle; compare what it leaves undecided, and ask again. None while a duel is open."""
    compared: set[frozenset[CompletionId]] = set()
    while isinstance(settlement := settle(evidence.scores, evidence.duels), Undecided):
        pair = frozenset((settlement.first, settlement.second))
        if pair in compared:
            raise ValueError(f"settle left {sorted(pair)} undecided after both duels")
        compared.add(pair)
        evidence, lost = _compared(case, evidence, settlement)
        if evidence.open:
            return evidence, None
        if lost:
            return evidence, Abstention(case.prompt.id, *lost)
    return evidence, settlement


def _compared(case: Case, evidence: Evidence, close: Undecided) -> tuple[Evidence, tuple[str, str] | None]:
    """The duels of a close call in both orders; reason and detail when they cannot lead to a pair.

    With `by_value` the second order is asked only if the first agrees with the scores: else it can change nothing.
    """
    one, other = case.completions[close.first], case.completions[close.second]
    economical, lost = case.panel.settings.by_value, ""
    for order in both_orders(case.prompt.id, one, other, case.panel.chat_judges, case.panel.seed):
        stands = duelled(case, order)
        evidence = replace(evidence, standings=(*evidence.standings, stands))
        if stands.verdict is not None:
            duel = order.duel(stands.verdict, stands.request_id)
            evidence = replace(evidence, duels=(*evidence.duels, duel))
            if economical and duel.winner != close.first:
                said = "a tie" if duel.winner is None else "the worse one wins"
                return evidence, ("judges_disagree", f"{said} in the first order; the second could change nothing")
        lost = lost or why_lost(stands, order)
        if economical and (stands.open or lost):
            break
    return evidence, ("no_verdict", lost) if lost else None


def duelled(case: Case, order: Order) -> Standing[DuelVerdict]:
    """Where one duel stands."""
    panel = case.panel
    request = partial(duel_request, case.prompt, order, panel.words, panel.settings, panel.structured[order.judge.name])
    return standing(request, partial(read_duel, labels=LABELS), case.outcomes)


def why_lost(stands: Standing[DuelVerdict], order: Order) -> str:
    """Why a duel gave no verdict; "" when it gave one or may still."""
    if stands.failure is not None and not stands.unpaid:
        return f"a duel by {order.judge.name} failed: {stands.failure.reason}"
    if stands.unreadable:
        return f"a duel by {order.judge.name} could not be read, nor the answer to the complaint"
    return ""
