"""The one pure step that every prompt goes through: given the answers so far, which requests are still owed?

Asks the stages in their order; when nothing is owed, says what the prompt has come to. No ledger, no network.
Called by pipeline.py.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

from pairsmith import judge, seams
from pairsmith.judge import JudgeState
from pairsmith.judge.asking import Standing
from pairsmith.judge.noise import Measured
from pairsmith.judge.verdicts import FamilyVerdict
from pairsmith.outcomes import evidence_of, family_row, gate_row, of_arms, pair_rows
from pairsmith.records import (
    Abstention,
    Arm,
    ChatRequest,
    Completion,
    CompletionId,
    Duel,
    EndpointName,
    Failure,
    FailureKind,
    Flag,
    Json,
    Outcome,
    Pair,
    Prompt,
    Ranking,
    Reply,
    RequestId,
    Score,
)
from pairsmith.sample.plan import deal, requests
from pairsmith.sample.screen import candidate_completion, completion_of, screen
from pairsmith.work import Work

Draws: TypeAlias = "list[tuple[Arm, ChatRequest]]"


@dataclass(frozen=True, slots=True)
class Step:
    """Where one prompt stands: requests owed, or what it came to (`kind` set).

    `waits`: nothing is owed, but how much the judges err has to be known first. `measured`: the verdicts that show it,
    of a prompt that is measured for that. `final` is false when a failure of it may be mended by another run.
    `complete`: with these completions it comes to this and nothing else; only another one can change it.
    `completions` are all of them once none is owed, flagged ones included; `verdicts` counts those that could be read.
    """

    owed: tuple[ChatRequest, ...] = ()
    completions: tuple[Completion, ...] = ()
    kind: str = ""  # pair | abstained | failed
    reason: str | None = None
    final: bool = True
    verdicts: int = 0
    body: Mapping[str, Json] | None = None
    waits: bool = False
    measured: Measured | None = None
    complete: bool = False


@dataclass(slots=True)
class Known:
    """What of one prompt does not change from step to step: worked out once.

    `drawn`: how many of the draws are made so far, given what came of those before.
    """

    draws: Draws
    drawn: int
    completions: tuple[Completion, ...] | None = None  # of the draws so far, once none of them is owed
    asked: judge.Asked = field(default_factory=dict)
    checks: Mapping[EndpointName, judge.Check] = field(default_factory=dict)  # each called once for the same answers


def begin(prompt: Prompt, work: Work) -> Known:
    """What a prompt's first step needs."""
    checks = {name: _remembered(check) for name, check in work.panel.checks.items()}
    drawn = work.recipe.sample.first_completions if work.recipe.sample else 0
    return Known(_draws(prompt, work), drawn, checks=checks)


def _remembered(check: judge.Check) -> judge.Check:
    said: dict[tuple[CompletionId, ...], Mapping[CompletionId, float]] = {}

    def once(prompt: Prompt, completions: Sequence[Completion]) -> Mapping[CompletionId, float]:
        ids = tuple(completion.id for completion in completions)
        if ids not in said:
            said[ids] = check(prompt, completions)
        return said[ids]

    return once


def step(
    prompt: Prompt, known: Known, outcomes: Mapping[RequestId, Outcome], work: Work, measuring: bool = False
) -> Step:
    """Ask the stages in their order where ONE prompt stands, given every answer stored for it.

    One draw more is owed as long as those before it, with all that was asked about them, give no pair. So the pair
    rests on every draw that was made, and the same answers lead to the same draws, in whichever order they came.

    `measuring`: no more than what shows how much the judges err is asked, and the prompt comes to nothing yet.
    """
    if prompt.preferences:
        return _preferred(prompt, work)
    now = _with_draws(prompt, known, outcomes, work, measuring)
    while now.complete and now.kind != "pair" and known.drawn < len(known.draws):
        known.drawn, known.completions = known.drawn + 1, None
        further = _with_draws(prompt, known, outcomes, work, measuring)
        now = replace(further, completions=further.completions or now.completions)
    return now


def _preferred(prompt: Prompt, work: Work) -> Step:
    """What a prompt came to whose answers people have compared: nothing is sampled or judged."""
    completions = _completions(prompt, [], {}, work)
    evidence = evidence_of(completions)
    settled = work.pairing.settle_preferred(prompt, completions)
    done = Step(completions=completions, body=evidence, complete=True)
    if isinstance(settled, Abstention):
        evidence["detail"] = settled.detail
        return replace(done, kind="abstained", reason=settled.reason)
    evidence |= pair_rows(settled, completions)
    return replace(done, kind="pair")


def _with_draws(
    prompt: Prompt, known: Known, outcomes: Mapping[RequestId, Outcome], work: Work, measuring: bool
) -> Step:
    """Where the prompt stands with the draws so far."""
    draws = known.draws[: known.drawn]
    owed = tuple(request for _, request in draws if request.id not in outcomes)
    if owed:
        return Step(owed=owed)
    failures = [o for _, request in draws if isinstance(o := outcomes[request.id], Failure)]
    completions = known.completions = known.completions or _completions(prompt, draws, outcomes, work)
    if unpaid := [f for f in failures if f.kind is not FailureKind.PERMANENT]:
        body = {"arms": of_arms(completions), **_unpaid(unpaid)}
        return Step(completions=completions, kind="failed", reason=unpaid[0].reason, final=False, body=body)
    usable = [completion for completion in completions if not completion.flags]
    if len(usable) < 2 and measuring and known.drawn < len(known.draws):
        return Step(completions=completions, measured=Measured(()))  # it says nothing, and more may be drawn later
    if len(usable) < 2:
        return _too_few(prompt, completions, failures, work)
    placing = judge.family_asked(prompt, work.panel, outcomes)
    prompt = judge.with_family(prompt, placing)
    state = _state(prompt, completions, usable, outcomes, known, work, measuring, placing)
    if state.owed or state.waits:
        return Step(owed=state.owed, completions=completions, waits=state.waits)
    if measuring:
        return Step(completions=completions, measured=Measured(state.scores, state.again))
    verdicts = len(state.scores) + len(state.duels) + len(state.rankings)
    if state.settlement is None:
        reason, body = state.unpaid[0].reason, {"arms": of_arms(completions), **_unpaid(state.unpaid)}
        return Step(completions=completions, kind="failed", reason=reason, final=False, verdicts=verdicts, body=body)
    asked = None if placing is None or placing.open else placing.request_id  # open: no question went by it
    calls = [*_calls(state), *([asked] if asked else [])]
    simulated = any(isinstance(reply := outcomes.get(ident), Reply) and reply.simulated for ident in calls)
    settled = _settled(prompt, completions, usable, state, verdicts, simulated, work)
    return replace(settled, body={**(settled.body or {}), **family_row(prompt, asked)})


def _state(
    prompt: Prompt,
    completions: Sequence[Completion],
    usable: Sequence[Completion],
    outcomes: Mapping[RequestId, Outcome],
    known: Known,
    work: Work,
    measuring: bool,
    placing: Standing[FamilyVerdict] | None,
) -> JudgeState:
    """Where the judging stands; the gates are asked through it."""
    decide = partial(work.pairing.settle, prompt, usable)
    decide_orders = partial(work.pairing.settle_orders, prompt, usable)
    panel = replace(work.panel, checks=known.checks) if known.checks else work.panel
    return judge.owed(prompt, completions, outcomes, decide, panel, known.asked, decide_orders, measuring, placing)


def _settled(
    prompt: Prompt,
    completions: tuple[Completion, ...],
    usable: Sequence[Completion],
    state: JudgeState,
    verdicts: int,
    simulated: bool,
    work: Work,
) -> Step:
    """What the complete evidence on one prompt came to."""
    evidence = evidence_of(completions, state.scores, state.duels, state.rankings)
    evidence["simulated"] = bool(evidence["simulated"]) or simulated
    if gate := work.pairing.gate(prompt, usable, state.scores, state.duels):
        evidence["gate"] = gate_row(gate)
    evidence["unreadable"] = state.unreadable + state.reasked
    settled = Step(completions=completions, verdicts=verdicts, body=evidence, complete=True)
    if isinstance(state.settlement, Abstention):
        evidence["detail"] = state.settlement.detail
        evidence |= _unpaid(state.failed)
        final = not any(map(_again, state.failed))
        return replace(settled, kind="abstained", reason=state.settlement.reason, final=final)
    assert isinstance(state.settlement, Pair)  # judge.owed turns what is undecided into duels
    evidence |= pair_rows(state.settlement, completions)
    return replace(settled, kind="pair")


def _unpaid(failures: Sequence[Failure]) -> dict[str, Json]:
    """Calls of which nothing is stored, so that their attempts can be found: another run asks them again."""
    lost = [failure.request_id for failure in failures if failure.kind is not FailureKind.PERMANENT or _again(failure)]
    return {"unpaid": list[Json](lost)} if lost else {}


def _again(failure: Failure) -> bool:
    """What is refused as malformed is not stored, and asked again: the server may have changed."""
    return failure.reason == "bad_request"


def _calls(state: JudgeState) -> list[RequestId]:
    """The calls that the verdicts were read from."""
    verdicts: list[Score | Duel | Ranking] = [*state.scores, *state.duels, *state.rankings]
    return [verdict.request_id for verdict in verdicts]


def _draws(prompt: Prompt, work: Work) -> Draws:
    """All that may be sampled for one prompt, in order, each with its arm."""
    settings = work.recipe.sample
    if settings is None:
        return []
    dealt = deal(prompt.id, work.arms, settings.most_completions, settings.seed, work.endpoints)
    asked = requests(prompt, dealt, settings, work.endpoints)
    return [(draw.arm, request) for draw, request in zip(dealt, asked, strict=True)]


def _completions(
    prompt: Prompt, draws: Draws, outcomes: Mapping[RequestId, Outcome], work: Work
) -> tuple[Completion, ...]:
    """The completions of one prompt, given ones first, each with its flags."""
    given = [candidate_completion(prompt, candidate) for candidate in prompt.candidates]
    sampled = [
        completion_of(outcome, prompt.id, arm.name, work.endpoints[arm.endpoint].reasoning, arm.endpoint)
        for arm, request in draws
        if not isinstance(outcome := outcomes[request.id], Failure)
    ]
    settings = work.recipe.sample
    later = [CompletionId(request.id) for _, request in draws[settings.first_completions :]] if settings else []
    tolerated = [_tolerated(one, work.pair.tolerated) for one in (*given, *sampled)]
    return tuple(_checked(prompt, one, work.screens) for one in screen(tolerated, later))


def _tolerated(completion: Completion, flags: Collection[Flag]) -> Completion:
    """The completion, judged in spite of these flags: they are marks then, which may keep it from one side."""
    marks = tuple(flag for flag in completion.flags if flag in flags)
    if not marks:
        return completion
    return replace(completion, flags=tuple(flag for flag in completion.flags if flag not in marks), marks=marks)


def _checked(prompt: Prompt, completion: Completion, screens: Sequence[seams.Function]) -> Completion:
    """The completion, flagged if a screen of the user's own refuses it."""
    if completion.flags or not any(seams.refuses(function, prompt, completion) for function in screens):
        return completion
    return replace(completion, flags=(Flag.CHECK,))


def _too_few(prompt: Prompt, completions: tuple[Completion, ...], failures: Sequence[Failure], work: Work) -> Step:
    """Fewer than two completions can be used: by the calls' fault if any failed, else by the screens."""
    evidence = evidence_of(completions)
    if failures:
        evidence |= _unpaid(failures)
        final = not any(map(_again, failures))
        reason = failures[0].reason
        return Step(completions=completions, kind="failed", reason=reason, final=final, body=evidence, complete=True)
    if gate := work.pairing.gate(prompt, (), (), ()):
        evidence["gate"] = gate_row(gate)
    reason = "too_few_completions"
    return Step(completions=completions, kind="abstained", reason=reason, body=evidence, complete=True)
