"""Calls about one prompt that are neither a completion nor the ground of a verdict: failed, unreadable, or of no use.

Pure. Called by explaining.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from pairsmith.judge.duel import LABELS
from pairsmith.judge.rank import labels
from pairsmith.judge.reward import read_reward
from pairsmith.judge.verdicts import Unreadable, read_duel, read_named, read_ranking, read_score
from pairsmith.ledger import Attempt
from pairsmith.outcomes import family_in
from pairsmith.pairing import Pairing
from pairsmith.records import CompletionId, Failure, Outcome, Prompt, Purpose, Reply, RequestId


class Known(NamedTuple):
    """What the ledger has of ONE prompt. `decided`: the verdicts that decided stand in the body of its outcome."""

    prompt: Prompt
    body: Mapping[str, Any]
    decided: bool
    outcomes: Mapping[RequestId, Outcome]
    attempts: Sequence[Attempt]
    rules: Pairing

    def said(self, call: RequestId) -> str:
        """The text of a reply; "" where there is none."""
        reply = self.outcomes.get(call)
        return reply.text if isinstance(reply, Reply) else ""


@dataclass(frozen=True, slots=True)
class Beside:
    """A call that is neither a completion nor the ground of a verdict.

    `kind`: failed (no retry can mend it), unpaid (every attempt failed, another run tries again), unreadable,
    reference (that a judge wrote), family (of the prompt, as a judge says), unplaced (it names none), early (a verdict
    before anything is decided), unused (by the last run's decision).
    """

    kind: str
    purpose: str
    endpoint: str
    why: str
    text: str
    call: str
    attempts: int


def besides(known: Known, completions: set[CompletionId], unpaid: Sequence[RequestId]) -> tuple[Beside, ...]:
    """Calls that are neither a completion nor the ground of a verdict, in the order in which they were asked."""
    used = {verdict["call"] for verdict in known.body.get("verdicts", ())}
    tries: dict[RequestId, list[Attempt]] = {}
    for attempt in known.attempts:
        tries.setdefault(attempt.request, []).append(attempt)
    found = []
    for request, made in tries.items():
        if request in used or CompletionId(request) in completions:
            continue
        last = made[-1]
        if request in unpaid:
            kind, why, text = "unpaid", _told(last.outcome or "no answer came", last.message), ""
        else:
            kind, why, text = _beside(last, known.outcomes[request], known)
        found.append(Beside(kind, last.purpose.value, last.endpoint, why, text, request, len(made)))
    return tuple(found)


def _told(reason: str, message: str | None) -> str:
    return f"{reason} ({message})" if message else reason


def _beside(asked: Attempt, outcome: Outcome, known: Known) -> tuple[str, str, str]:
    """Kind, why, and what came."""
    if isinstance(outcome, Failure):
        return "failed", _told(outcome.reason, outcome.message), ""
    if asked.purpose is Purpose.REFERENCE:
        return "reference", "", outcome.text
    if asked.purpose is Purpose.FAMILY and (found := family_in(known.prompt, known.body)).call == asked.request:
        return ("family", found.family, outcome.text) if found.family else ("unplaced", "", outcome.text)
    verdict = _verdict(asked, outcome.text, known)
    if isinstance(verdict, Unreadable):
        cut_off = "it was cut off at the token limit, and " if outcome.finish_reason == "length" else ""
        return "unreadable", cut_off + verdict.why, outcome.text or outcome.refusal or ""
    return "unused" if known.decided else "early", verdict, outcome.text


def _verdict(asked: Attempt, text: str, known: Known) -> str | Unreadable:
    """What a judge's reply says, in a word or two; which completion it is about is not stored with it."""
    if asked.purpose is Purpose.SCORE and known.rules.judges.get(asked.endpoint) == "reward":
        reward = read_reward(text)
        return reward if isinstance(reward, Unreadable) else f"the number {reward:.4g}"
    if asked.purpose is Purpose.SCORE:
        score = read_score(text)
        return score if isinstance(score, Unreadable) else f"{score.score:g} of 10"
    if asked.purpose is Purpose.FAMILY:
        family = read_named(text)
        return family if isinstance(family, Unreadable) else family.family
    if asked.purpose is Purpose.DUEL:
        duel = read_duel(text, LABELS)
        return duel if isinstance(duel, Unreadable) else duel.winner
    if asked.purpose is Purpose.RANK and known.decided:
        ranking = read_ranking(text, labels(len(known.body.get("completions", ()))))
        return ranking if isinstance(ranking, Unreadable) else ", ".join(ranking.ranking)
    return ""
