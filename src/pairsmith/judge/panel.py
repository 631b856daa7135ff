"""The panel: given the evidence so far for ONE prompt, which verdicts are there, and which are still owed?

The first judge scores every completion; each later one only those near the top; a pair that the scores leave
undecided is compared in both orders. Called by pipeline again and again until nothing is owed. It decides
nothing about pairs: `settle` (pair's) does.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias

from pairsmith.judge.asking import Complaint, JudgeWords, Standing, Structured, standing
from pairsmith.judge.duel import LABELS, Order, both_orders, duel_request
from pairsmith.judge.score import score_request
from pairsmith.judge.settings import JudgeSettings
from pairsmith.judge.verdicts import DuelVerdict, read_duel, read_score
from pairsmith.records import (
    Abstention,
    ChatRequest,
    Completion,
    CompletionId,
    Duel,
    Endpoint,
    EndpointName,
    Failure,
    Outcome,
    Prompt,
    RequestId,
    Score,
    Settlement,
    Undecided,
)

Settle: TypeAlias = Callable[[Sequence[Score], Sequence[Duel]], Settlement]
# First questions that were rendered before, for one prompt; what is sent is still the pure function of its key.
Asked: TypeAlias = "dict[tuple[CompletionId, EndpointName, Structured], ChatRequest]"
SLACK = 1e-9  # means of points are sums of floats: 2.0 apart may read 2.0000000000000004


@dataclass(frozen=True, slots=True)
class Panel:
    """Who judges and by which words: the same for every prompt of a run.

    `structured` says for each judge how the verdict's shape is asked for; it is part of the request, so a
    change of it asks anew.
    """

    endpoints: Mapping[EndpointName, Endpoint]
    words: JudgeWords
    settings: JudgeSettings
    structured: Mapping[EndpointName, Structured]
    seed: int = 0

    @property
    def judges(self) -> tuple[Endpoint, ...]:
        """The endpoints of settings.panel, in its order."""
        return tuple(self.endpoints[name] for name in self.settings.panel)


@dataclass(frozen=True, slots=True)
class JudgeState:
    """Where the judging of one prompt stands.

    `owed` is to be paid, then ask again. `settlement` is None while anything is owed or unpaid, and never
    Undecided. `unreadable` counts questions given up after the re-ask, `reasked` questions whose first reply
    was unreadable: unreadable replies are the sum of both. `failed` will never succeed (no verdict);
    `unpaid` may on another run, so with any of these the prompt is left unfinished.
    """

    scores: tuple[Score, ...]
    duels: tuple[Duel, ...]
    owed: tuple[ChatRequest, ...]
    unreadable: int
    reasked: int
    failed: tuple[Failure, ...]
    unpaid: tuple[Failure, ...]
    settlement: Settlement | None


def owed(
    prompt: Prompt,
    completions: Sequence[Completion],
    outcomes: Mapping[RequestId, Outcome],
    settle: Settle,
    panel: Panel,
    asked: Asked | None = None,
) -> JudgeState:
    """Every verdict that can be read so far, and the requests still owed, for ONE prompt.

    Args:
        prompt: the prompt.
        completions: all of its completions, in any order; flagged ones are not judged.
        outcomes: what came back, by request id; may hold more than is looked for.
        settle: asked only when no score is open. It may be given no scores at all, or some completions'
            only, and must not leave a pair undecided of which it has been given both duels.
        panel: the judges.
        asked: of this prompt and panel, from one call to the next: what is there is not rendered again.

    Raises:
        ValueError: a completion answers another prompt; or settle leaves a compared pair undecided.
    """
    if any(completion.prompt_id != prompt.id for completion in completions):
        raise ValueError(f"prompt {prompt.id} was given a completion of another prompt")
    judged = sorted((c for c in completions if not c.flags), key=lambda completion: completion.id)
    by_id = {completion.id: completion for completion in judged}
    case = _Case(prompt, by_id, outcomes, panel, {} if asked is None else asked)
    evidence, settlement = _scored(case), None
    if not evidence.open:
        evidence, settlement = _settled(case, evidence, settle)
    return _state(evidence, settlement)


@dataclass(frozen=True, slots=True)
class _Case:
    """What is asked about: the judged completions, by id and in the order of their ids."""

    prompt: Prompt
    completions: Mapping[CompletionId, Completion]
    outcomes: Mapping[RequestId, Outcome]
    panel: Panel
    asked: Asked


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What is known: the verdicts, and where every question stands that has been asked."""

    scores: tuple[Score, ...] = ()
    duels: tuple[Duel, ...] = ()
    standings: tuple[Standing[Any], ...] = ()

    @property
    def open(self) -> bool:
        return any(standing.open for standing in self.standings)


# --- scores: the ladder -------------------------------------------------------------------------


def _scored(case: _Case) -> _Evidence:
    """Climb the ladder as far as the outcomes carry: a rung begins when the one below it is complete."""
    evidence = _Evidence()
    for rung, judge in enumerate(case.panel.judges):
        ids = list(case.completions) if rung == 0 else _contenders(case, evidence.scores, rung)
        if len(ids) < 2:
            continue
        evidence = _rung(case, evidence, judge, ids)
        if evidence.open:
            break
    return evidence


def _contenders(case: _Case, scores: Sequence[Score], rung: int) -> list[CompletionId]:
    """The completions whose mean so far is near enough to the highest mean; those without a score are out."""
    points: defaultdict[CompletionId, list[float]] = defaultdict(list)
    for score in scores:
        points[score.completion].append(score.value)
    means = {completion: sum(values) / len(values) for completion, values in points.items()}
    least = max(means.values(), default=0.0) - case.panel.settings.escalate_within[rung - 1] - SLACK
    return [completion for completion in case.completions if means.get(completion, -math.inf) >= least]


def _rung(case: _Case, evidence: _Evidence, judge: Endpoint, ids: Sequence[CompletionId]) -> _Evidence:
    """One judge's scores of these completions."""
    scores, standings = list(evidence.scores), list(evidence.standings)
    for completion in ids:
        request = partial(_score_request, case, case.completions[completion], judge)
        stands = standing(request, read_score, case.outcomes)
        standings.append(stands)
        if verdict := stands.verdict:
            scores.append(Score(completion, judge.name, verdict.score, verdict.rationale, stands.request_id))
    return replace(evidence, scores=tuple(scores), standings=tuple(standings))


def _score_request(
    case: _Case, completion: Completion, judge: Endpoint, complaint: Complaint | None = None
) -> ChatRequest:
    panel, structured = case.panel, case.panel.structured[judge.name]
    key = (completion.id, judge.name, structured)
    if complaint is None and key in case.asked:
        return case.asked[key]
    request = score_request(case.prompt, completion, judge, panel.words, panel.settings, structured, complaint)
    if complaint is None:
        case.asked[key] = request
    return request


# --- duels --------------------------------------------------------------------------------------


def _settled(case: _Case, evidence: _Evidence, settle: Settle) -> tuple[_Evidence, Settlement | None]:
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
            return evidence, Abstention(case.prompt.id, "no_verdict", lost)
    return evidence, settlement


def _compared(case: _Case, evidence: _Evidence, close: Undecided) -> tuple[_Evidence, str]:
    """The duels of a close call in both orders, and why one of them gave no verdict ("": none is lost)."""
    panel, duels, standings, lost = case.panel, list(evidence.duels), list(evidence.standings), ""
    one, other = case.completions[close.first], case.completions[close.second]
    for order in both_orders(case.prompt.id, one, other, panel.judges, panel.seed):
        stands = _duelled(case, order)
        standings.append(stands)
        if stands.verdict:
            duels.append(order.duel(stands.verdict, stands.request_id))
        elif stands.failure:
            lost = f"a duel by {order.judge.name} failed: {stands.failure.reason}"
        elif stands.unreadable:
            lost = f"a duel by {order.judge.name} could not be read, nor the answer to the complaint"
    return replace(evidence, duels=tuple(duels), standings=tuple(standings)), lost


def _duelled(case: _Case, order: Order) -> Standing[DuelVerdict]:
    panel = case.panel
    request = partial(duel_request, case.prompt, order, panel.words, panel.settings, panel.structured[order.judge.name])
    return standing(request, partial(read_duel, labels=LABELS), case.outcomes)


def _state(evidence: _Evidence, settlement: Settlement | None) -> JudgeState:
    stand = evidence.standings
    failures = [(s.failure, s.unpaid) for s in stand if s.failure is not None]
    return JudgeState(
        scores=evidence.scores,
        duels=evidence.duels,
        owed=tuple({s.owed.id: s.owed for s in stand if s.owed is not None}.values()),
        unreadable=sum(s.unreadable for s in stand),
        reasked=sum(s.reasked for s in stand),
        failed=tuple(failure for failure, unpaid in failures if not unpaid),
        unpaid=tuple(failure for failure, unpaid in failures if unpaid),
        settlement=settlement,
    )
