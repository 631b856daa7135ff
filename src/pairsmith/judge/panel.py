"""The panel: given the evidence so far for ONE prompt, which verdicts are there, and which are still owed?

Each protocol has a module of its own: ladder.py (score) with compared.py for its close calls, rank.py, tournament.py
(duel). Called by the pipeline again and again until nothing is owed. What a pair needs, pair says: `settle`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pairsmith.judge.asking import Standing
from pairsmith.judge.case import Asked, Case, Evidence, Panel, Settle
from pairsmith.judge.compared import in_both_orders, settled
from pairsmith.judge.ladder import scored
from pairsmith.judge.rank import ends, ranked, wants_duels
from pairsmith.judge.reference import wants_reference, with_reference, written
from pairsmith.judge.tournament import played
from pairsmith.judge.verdicts import FamilyVerdict
from pairsmith.records import (
    ChatRequest,
    Completion,
    Duel,
    Failure,
    Outcome,
    Prompt,
    Ranking,
    RequestId,
    Score,
    Settlement,
)


class SettleOrders(Protocol):
    """pair's rule for protocols that know no points."""

    def __call__(self, rankings: Sequence[Ranking], final: Sequence[Duel]) -> Settlement:
        """A pair or an abstention, from both rankings or both duels of the final."""


@dataclass(frozen=True, slots=True)
class JudgeState:
    """Where the judging of one prompt stands.

    `owed` is to be paid, then ask again. `waits`: it cannot go on before it is known how much the judges err.
    `settlement` is None while anything is owed or unpaid, and never Undecided. `unreadable` counts questions given
    up after the re-ask, `reasked` questions whose first reply was unreadable: unreadable replies are the sum of
    both. `failed` will never succeed (no verdict); `unpaid` may on another run, so with any of these the prompt is
    left unfinished.
    """

    scores: tuple[Score, ...]
    duels: tuple[Duel, ...]
    owed: tuple[ChatRequest, ...]
    unreadable: int
    reasked: int
    failed: tuple[Failure, ...]
    unpaid: tuple[Failure, ...]
    settlement: Settlement | None
    again: tuple[Score, ...] = ()
    rankings: tuple[Ranking, ...] = ()
    waits: bool = False


def owed(
    prompt: Prompt,
    completions: Sequence[Completion],
    outcomes: Mapping[RequestId, Outcome],
    settle: Settle,
    panel: Panel,
    asked: Asked | None = None,
    settle_orders: SettleOrders | None = None,
    measuring: bool = False,
    placing: Standing[FamilyVerdict] | None = None,
) -> JudgeState:
    """Every verdict that can be read so far, and the requests still owed, for ONE prompt.

    Args:
        prompt: the prompt, of the task family that `placing` came to.
        completions: all of its completions, in any order; flagged ones are not judged.
        outcomes: what came back, by request id; may hold more than is looked for.
        settle: asked only when no score is open. It may be given no scores at all, or some completions'
            only, and must not leave a pair undecided of which it has been given both duels.
        panel: the judges.
        asked: of this prompt and panel, from one call to the next: what is there is not rendered again.
        settle_orders: the same for the protocols rank and duel.
        measuring: only the verdicts that show how much the judges err are asked for, and nothing is settled.
        placing: where the question after its family stands, see tasks.py; it is owed once its answer picks words.

    Raises:
        ValueError: a completion answers another prompt; or settle leaves a compared pair undecided.
    """
    if any(completion.prompt_id != prompt.id for completion in completions):
        raise ValueError(f"prompt {prompt.id} was given a completion of another prompt")
    before = Evidence()
    if placing is not None and placing.failure is not None and not placing.unpaid:
        before = Evidence(standings=(placing,))
    if wants_reference(prompt, panel):
        if placing is not None and placing.open:
            return _state(Evidence(standings=(placing,)), None)
        reference = written(prompt, panel, outcomes)
        if reference.open:
            return _state(Evidence(standings=(reference,)), None)
        if reference.failure is not None:  # one that cannot be used is no verdict that was lost
            before = Evidence(standings=(*before.standings, reference))
        prompt = with_reference(prompt, reference)
    judged = sorted((c for c in completions if not c.flags), key=lambda completion: completion.id)
    by_id = {completion.id: completion for completion in judged}
    case = Case(prompt, by_id, outcomes, panel, {} if asked is None else asked, measuring, placing)
    evidence, settlement = _judged(case, settle, settle_orders)
    return _state(replace(evidence, standings=(*before.standings, *evidence.standings)), settlement)


def _judged(case: Case, settle: Settle, settle_orders: SettleOrders | None) -> tuple[Evidence, Settlement | None]:
    """By the protocol: the evidence, and what it comes to once nothing of it is open."""
    if case.panel.settings.protocol == "score":
        evidence = scored(case)
        return (evidence, None) if evidence.open or case.measuring else settled(case, evidence, settle)
    evidence, obstacle = (ranked if case.panel.settings.protocol == "rank" else played)(case)
    if not evidence.open and wants_duels(case, evidence):
        evidence, obstacle = in_both_orders(case, evidence, *ends(case, evidence.rankings), economical=True)
    if evidence.open:
        return evidence, None
    if settle_orders is None:
        raise ValueError(f"protocol {case.panel.settings.protocol} needs settle_orders")
    return evidence, obstacle or settle_orders(evidence.rankings, evidence.final)


def _state(evidence: Evidence, settlement: Settlement | None) -> JudgeState:
    stand = {s.request_id: s for s in evidence.standings}.values()  # a game may be one of its final's orders
    failures = [(s.failure, s.unpaid) for s in stand if s.failure is not None]
    return JudgeState(
        scores=evidence.scores,
        duels=tuple(dict.fromkeys(evidence.duels)),
        owed=tuple({s.owed.id: s.owed for s in stand if s.owed is not None}.values()),
        unreadable=sum(s.unreadable for s in stand),
        reasked=sum(s.reasked for s in stand),
        failed=tuple(failure for failure, unpaid in failures if not unpaid),
        unpaid=tuple(failure for failure, unpaid in failures if unpaid),
        settlement=settlement,
        again=evidence.again,
        rankings=evidence.rankings,
        waits=evidence.waits,
    )
