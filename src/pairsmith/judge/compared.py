"""Close calls of the score protocol: what the scores leave undecided is compared in both orders. Called by panel.py."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from pairsmith.judge.asking import Standing, standing
from pairsmith.judge.case import Case, Evidence, Settle, unplaced
from pairsmith.judge.duel import LABELS, Order, both_orders, duel_request
from pairsmith.judge.verdicts import DuelVerdict, read_duel
from pairsmith.records import Abstention, Completion, CompletionId, Settlement, Undecided


def settled(case: Case, evidence: Evidence, settle: Settle) -> tuple[Evidence, Settlement | None]:
    """Ask settle; compare what it leaves undecided, and ask again. None while a duel is open."""
    compared: set[frozenset[CompletionId]] = set()
    while isinstance(settlement := settle(evidence.scores, evidence.duels), Undecided):
        pair = frozenset((settlement.first, settlement.second))
        if pair in compared:
            raise ValueError(f"settle left {sorted(pair)} undecided after both duels")
        compared.add(pair)
        better, worse = case.completions[settlement.first], case.completions[settlement.second]
        evidence, obstacle = in_both_orders(case, evidence, better, worse, case.panel.settings.by_value)
        if evidence.open:
            return evidence, None
        if obstacle:
            return evidence, obstacle
    return evidence, settlement


def in_both_orders(
    case: Case, evidence: Evidence, better: Completion, worse: Completion, economical: bool
) -> tuple[Evidence, Abstention | None]:
    """Two completions compared in both orders, and why that cannot lead to a pair.

    Args:
        case: the prompt's.
        evidence: what the duels are added to; those of the last couple stand in `final`, too.
        better: which of the two is taken to be the better one so far.
        worse: the other.
        economical: whether the second order is asked only if the first names the better one: else it can change
            nothing.
    """
    if waiting := unplaced(case, evidence):
        return waiting, None
    evidence, lost, prompt = replace(evidence, final=()), "", case.prompt.id
    for order in both_orders(prompt, better, worse, case.panel.chat_judges, case.panel.seed):
        stands = duelled(case, order)
        evidence = replace(evidence, standings=(*evidence.standings, stands))
        if stands.verdict is not None:
            duel = order.duel(stands.verdict, stands.request_id)
            evidence = replace(evidence, duels=(*evidence.duels, duel), final=(*evidence.final, duel))
            if economical and duel.winner != better.id:
                said = "a tie" if duel.winner is None else "the worse one wins"
                told = f"{said} in one order; the other could change nothing"
                return evidence, Abstention(prompt, "judges_disagree", told)
        lost = lost or why_lost(stands, order)
        if economical and (stands.open or lost):
            break
    return evidence, Abstention(prompt, "no_verdict", lost) if lost else None


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
