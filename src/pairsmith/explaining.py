"""Everything that a run folder knows of one prompt: its completions, its verdicts, and why it came to what it came to.

From the ledger alone, as data; every text and rationale is read again from what is stored. Called by the command line
(`explain`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pairsmith.dataset import StoredArm, Texts, stored_arms
from pairsmith.judge.rank import labels
from pairsmith.judge.verdicts import Unreadable, read_duel, read_ranking, read_score
from pairsmith.ledger import Attempt, Ledger, Settled
from pairsmith.means import estimates
from pairsmith.outcomes import StoredPair, pairs_in, verdicts_in
from pairsmith.pairing import Pairing
from pairsmith.records import CompletionId, Failure, Flag, Prompt, Purpose, Reply, RequestId, Score, StoredReply
from pairsmith.sample.screen import candidate_completion
from pairsmith.wire.stored import read_stored

DUEL_LABELS = ("A", "B")


@dataclass(frozen=True, slots=True)
class Given:
    """One score of a completion; `rationale` "" where the judge wrote none."""

    judge: str
    score: float
    rationale: str
    call: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One completion. `number` is what it is called here, from 1, the best first; `mean` None: it has no score."""

    number: int
    id: CompletionId
    arm: str
    sampled: StoredArm
    text: str
    flags: tuple[str, ...]
    marks: tuple[str, ...]
    output_tokens: int | None
    mean: float | None
    scores: tuple[Given, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """A duel or a ranking: completions by number, as shown; `said`: the winner (None: a tie), or the order."""

    judge: str
    shown: tuple[int, ...]
    said: tuple[int, ...] | None
    rationale: str
    call: str


@dataclass(frozen=True, slots=True)
class Lost:
    """A call that gave nothing to go by: it failed for good, could not be read, or was asked by another recipe."""

    purpose: str
    endpoint: str
    why: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Explained:
    """One prompt's whole evidence. `settled` None: it has come to nothing yet. `cost_usd` None: a price is unknown."""

    prompt: Prompt
    settled: Settled | None
    pairs: tuple[StoredPair, ...]
    answers: tuple[Answer, ...]
    compared: tuple[Compared, ...]
    lost: tuple[Lost, ...]
    calls: int
    attempts: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    _numbers: Mapping[CompletionId, int] = field(repr=False)

    def number(self, ident: CompletionId) -> int:
        """What a completion is called here."""
        return self._numbers.get(ident, 0)


def explained(prompt: Prompt, ledger: Ledger, digest: str, pairing: Pairing) -> Explained:
    """What the ledger knows of one prompt of its input.

    Args:
        prompt: it.
        ledger: the run folder's.
        digest: of the work that the folder was run with last.
        pairing: of that work: how judges are weighed.
    """
    settled = ledger.outcome(prompt.id, digest)
    body: Mapping[str, Any] = settled.body if settled else {}
    replies = ledger.stored(prompt.id)
    attempts = ledger.attempts_at(list(replies)) if replies else []
    answers = _answers(prompt, body, replies, attempts, ledger, digest, pairing)
    numbers = {one.id: one.number for one in answers}
    paid = [one for one in attempts if one.outcome == "ok"]
    unknown = any(one.cost_usd is None for one in paid)
    return Explained(
        prompt=prompt,
        settled=settled,
        pairs=tuple(pairs_in(body)),
        answers=answers,
        compared=_compared(body, replies, numbers),
        lost=_lost(body, replies, attempts, set(numbers)),
        calls=len({one.request for one in attempts}),
        attempts=len(attempts),
        input_tokens=sum(one.input_tokens or 0 for one in paid),
        output_tokens=sum(one.output_tokens or 0 for one in paid),
        cost_usd=None if unknown else sum(one.cost_usd or 0.0 for one in paid),
        _numbers=numbers,
    )


# --- completions ------------------------------------------------------------------------------------


def _answers(
    prompt: Prompt,
    body: Mapping[str, Any],
    replies: Mapping[RequestId, StoredReply],
    attempts: Sequence[Attempt],
    ledger: Ledger,
    digest: str,
    pairing: Pairing,
) -> tuple[Answer, ...]:
    """All of them, flagged ones too: by their mean, then those without."""
    scores, _, _ = verdicts_in(body)
    means = estimates(pairing.points(scores), pairing.known)
    arms, marks = stored_arms(ledger, digest), {row[0]: row[5] for row in body.get("completions", ()) if len(row) > 5}
    rows = _rows(prompt, body, replies, attempts)
    rows.sort(key=lambda row: (-means[row[0]].mean if row[0] in means else 1.0, bool(row[2]), row[0]))
    texts = Texts(ledger).of(prompt, [row[0] for row in rows])
    return tuple(
        Answer(
            number=place,
            id=ident,
            arm=arm,
            sampled=arms.get(arm, {}),
            text=text[slice(*span)] if span else text,
            flags=tuple(flags),
            marks=tuple(marks.get(ident, ())),
            output_tokens=tokens,
            mean=means[ident].mean if ident in means else None,
            scores=tuple(_given(score, replies) for score in scores if score.completion == ident),
        )
        for place, ((ident, arm, flags, tokens, span), text) in enumerate(zip(rows, texts, strict=True), start=1)
    )


def _rows(
    prompt: Prompt, body: Mapping[str, Any], replies: Mapping[RequestId, StoredReply], attempts: Sequence[Attempt]
) -> list[tuple[CompletionId, str, list[str], int | None, list[int] | None]]:
    """Id, arm, flags, tokens and span of each; where nothing is settled yet, of what was answered so far."""
    rows = body.get("arms", ())
    if rows and all(len(row) > 7 for row in rows):
        return [(row[6], row[0], row[1], row[3], row[7]) for row in rows]
    given = [candidate_completion(prompt, one) for one in prompt.candidates]
    sampled = {one.request: one.output_tokens for one in attempts if one.purpose is Purpose.SAMPLE}
    found: list[tuple[CompletionId, str, list[str], int | None, list[int] | None]] = [
        (one.id, one.arm, [flag.value for flag in one.flags if flag is not Flag.UNFINISHED], None, None)
        for one in given
    ]
    for request, tokens in sampled.items():
        if isinstance(read_stored(request, replies[request]), Reply):
            found.append((CompletionId(request), "", [], tokens, None))
    return found


def _given(score: Score, replies: Mapping[RequestId, StoredReply]) -> Given:
    verdict = read_score(_said(score.request_id, replies))
    rationale = "" if isinstance(verdict, Unreadable) else verdict.rationale
    return Given(score.judge, score.value, rationale, score.request_id)


def _said(call: RequestId, replies: Mapping[RequestId, StoredReply]) -> str:
    reply = read_stored(call, replies[call]) if call in replies else None
    return reply.text if isinstance(reply, Reply) else ""


# --- verdicts ---------------------------------------------------------------------------------------


def _compared(
    body: Mapping[str, Any], replies: Mapping[RequestId, StoredReply], numbers: Mapping[CompletionId, int]
) -> tuple[Compared, ...]:
    _, duels, rankings = verdicts_in(body)
    found: list[Compared] = []
    for duel in duels:
        verdict = read_duel(_said(duel.request_id, replies), DUEL_LABELS)
        rationale = "" if isinstance(verdict, Unreadable) else verdict.rationale
        said = None if duel.winner is None else (numbers.get(duel.winner, 0),)
        shown = (numbers.get(duel.first, 0), numbers.get(duel.second, 0))
        found.append(Compared(duel.judge, shown, said, rationale, duel.request_id))
    for ranking in rankings:
        read = read_ranking(_said(ranking.request_id, replies), labels(len(ranking.shown)))
        rationale = "" if isinstance(read, Unreadable) else read.rationale
        listed, order = (tuple(numbers.get(one, 0) for one in some) for some in (ranking.shown, ranking.order))
        found.append(Compared(ranking.judge, listed, order, rationale, ranking.request_id))
    return tuple(found)


def _lost(
    body: Mapping[str, Any],
    replies: Mapping[RequestId, StoredReply],
    attempts: Sequence[Attempt],
    known: set[CompletionId],
) -> tuple[Lost, ...]:
    """Stored answers that are neither a completion nor the ground of a verdict."""
    used = {verdict["call"] for verdict in body.get("verdicts", ())}
    by_request = {one.request: one for one in attempts}
    found = []
    for request, stored in replies.items():
        if request in used or CompletionId(request) in known or request not in by_request:
            continue
        attempt, outcome = by_request[request], read_stored(request, stored)
        if isinstance(outcome, Failure):
            said = f"failed for good: {outcome.reason}" + (f" ({outcome.message})" if outcome.message else "")
            found.append(Lost(attempt.purpose.value, attempt.endpoint, said))
        else:
            found.append(
                Lost(attempt.purpose.value, attempt.endpoint, _why_unused(attempt.purpose, outcome), outcome.text)
            )
    return tuple(found)


def _why_unused(purpose: Purpose, reply: Reply) -> str:
    verdict: object = None
    if purpose is Purpose.SCORE:
        verdict = read_score(reply.text)
    elif purpose is Purpose.DUEL:
        verdict = read_duel(reply.text, DUEL_LABELS)
    if isinstance(verdict, Unreadable):
        return f"could not be read as a verdict: {verdict.why}"
    if purpose is Purpose.REFERENCE:
        return "the reference that judges are shown"
    return "asked, but no part of what the last run decided by"
