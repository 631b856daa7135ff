"""The score protocol: judges asked one after the other, each later one only about what it can still change.

The first judge scores every completion. Which of them go on to the next is escalate.py's to say. Called by panel.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from pairsmith.judge.asking import Complaint, Standing, standing
from pairsmith.judge.case import Case, Evidence, unplaced
from pairsmith.judge.escalate import by_distance, by_value, holds
from pairsmith.judge.logprobs import expected_score
from pairsmith.judge.reward import read_reward, reward_request
from pairsmith.judge.score import AGAIN, score_request
from pairsmith.judge.verdicts import ScoreVerdict, Unreadable, read_score
from pairsmith.records import (
    ChatRequest,
    CompletionId,
    Endpoint,
    Reply,
    RequestId,
    Score,
    content_id,
)


def scored(case: Case) -> Evidence:
    """Climb the ladder as far as the outcomes carry: a rung begins when the one below it is complete."""
    evidence = Evidence()
    for rung, judge in enumerate(case.panel.judges):
        if rung and case.panel.noise is None and not case.measuring:
            return replace(evidence, waits=True)
        asked = _asked(case, evidence, rung, judge)
        if asked and judge.kind == "chat" and (waiting := unplaced(case, evidence)):
            return waiting
        evidence = _rung(case, evidence, judge, asked)
        if evidence.open:
            return evidence
    if case.measuring and len(case.panel.judges) == 1 and case.panel.chat_judges:
        return _asked_again(case, evidence)
    return replace(evidence, waits=case.panel.noise is None and not case.measuring)


# --- who goes on --------------------------------------------------------------------------------


def _asked(case: Case, evidence: Evidence, rung: int, judge: Endpoint) -> list[CompletionId]:
    """The completions that this judge is to see, in the order of their ids; fewer than two are none."""
    ids = list(case.completions)
    chosen = set(ids) if rung == 0 or judge.kind == "check" else _going_on(case, evidence, rung, judge)
    going = [ident for ident in ids if ident in chosen]
    return going if len(going) > 1 else []


def _going_on(case: Case, evidence: Evidence, rung: int, judge: Endpoint) -> set[CompletionId]:
    """Whoever nobody could place yet goes on, but for those whose verdict was lost.

    Without its noise a reward model's numbers place nobody: they do not say what is near.
    """
    unscaled = {one.name for one in case.panel.judges if one.kind == "reward" and one.name not in case.noise.judges}
    scores = [score for score in evidence.scores if score.judge not in unscaled]
    known, placed = ({score.completion for score in some} for some in (evidence.scores, scores))
    asked_models = any(earlier.kind != "check" for earlier in case.panel.judges[:rung])
    silent = known - placed if asked_models else case.completions.keys() - placed
    if len(placed) < 2:
        return known | silent
    relied_on = holds([one.name for one in case.panel.chat_judges], case.noise)
    if case.panel.settings.by_value and relied_on and not case.measuring:
        near = by_value(scores, judge.name, case.noise, case.panel.gates)
    else:
        near = set(by_distance(scores, case.panel.settings.within(rung), case.noise))
    return near | silent


# --- one rung -----------------------------------------------------------------------------------


def _rung(case: Case, evidence: Evidence, judge: Endpoint, ids: Sequence[CompletionId]) -> Evidence:
    """One judge's scores of these completions."""
    if judge.kind == "check":
        return _checked(case, evidence, judge, ids)
    scores, standings = list(evidence.scores), list(evidence.standings)
    for completion in ids:
        stands = _standing(case, completion, judge)
        standings.append(stands)
        if stands.verdict is not None:
            scores.append(_score(case, completion, judge, stands))
    return replace(evidence, scores=tuple(scores), standings=tuple(standings))


def _standing(case: Case, completion: CompletionId, judge: Endpoint) -> Standing[ScoreVerdict]:
    if judge.kind == "reward":
        return _rewarded(case, completion, judge)
    return standing(partial(_request, case, completion, judge), read_score, case.outcomes)


def _score(case: Case, completion: CompletionId, judge: Endpoint, stands: Standing[ScoreVerdict]) -> Score:
    """The verdict; by the probabilities of its number where these are asked for and were given."""
    assert stands.verdict is not None
    value = stands.verdict.score
    reply = case.outcomes.get(stands.request_id)
    if case.panel.settings.score_from == "logprobs" and isinstance(reply, Reply):
        expected = expected_score(reply.text, reply.tokens, value)
        value = value if expected is None else round(expected, 6)
    return Score(completion, judge.name, value, stands.verdict.rationale, stands.request_id)


def _request(case: Case, completion: CompletionId, judge: Endpoint, complaint: Complaint | None = None) -> ChatRequest:
    panel, structured = case.panel, case.panel.structured[judge.name]
    key = (completion, judge.name, structured)
    if complaint is None and key in case.asked:
        return case.asked[key]
    answer = case.completions[completion]
    request = score_request(case.prompt, answer, judge, panel.words, panel.settings, structured, complaint)
    if complaint is None:
        case.asked[key] = request
    return request


def _asked_again(case: Case, evidence: Evidence) -> Evidence:
    """The only judge once more: the difference shows its noise."""
    judge, again, standings = case.panel.judges[0], list(evidence.again), list(evidence.standings)
    words, settings, structured = case.panel.words, case.panel.settings, case.panel.structured[judge.name]
    for score in evidence.scores:
        answer = case.completions[score.completion]
        request = score_request(case.prompt, answer, judge, words, settings, structured, draw=AGAIN)
        stands = standing(_once(request), read_score, case.outcomes, attempts=1)
        standings.append(stands)
        if stands.verdict is not None:
            again.append(_score(case, score.completion, judge, stands))
    return replace(evidence, again=tuple(again), standings=tuple(standings))


def _once(request: ChatRequest) -> Callable[[Complaint | None], ChatRequest]:
    """A question that is asked one time only, whatever comes back."""
    return lambda complaint: request


# --- judges that are no chat models ---------------------------------------------------------------


def _rewarded(case: Case, completion: CompletionId, judge: Endpoint) -> Standing[ScoreVerdict]:
    """A reward model's number. It is no point yet, so nothing bounds it; a reply without one cannot be asked better."""

    def read(text: str) -> ScoreVerdict | Unreadable:
        reward = read_reward(text)
        return reward if isinstance(reward, Unreadable) else ScoreVerdict.model_construct(score=reward, rationale="")

    request = reward_request(case.prompt, case.completions[completion], judge)
    return standing(_once(request), read, case.outcomes, attempts=1)


def _checked(case: Case, evidence: Evidence, judge: Endpoint, ids: Sequence[CompletionId]) -> Evidence:
    """A user's own function: what it says is worked out anew each time, and named by what it was asked."""
    check = case.panel.checks[judge.name]
    points = check(case.prompt, [case.completions[ident] for ident in ids])
    scores = [
        Score(ident, judge.name, value, "", RequestId(content_id("check", judge.name, case.prompt.id, ident, value)))
        for ident, value in points.items()
    ]
    return replace(evidence, scores=(*evidence.scores, *scores))
