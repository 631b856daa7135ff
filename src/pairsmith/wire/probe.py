"""Asks one endpoint single questions, outside any line: for finding out what it takes.

Each attempt is booked like any other, durably, before it is sent. One attempt a question, a second one after what may
pass; a refused key, an unknown model or a dead server ends it. Knows nothing of parameters: probing.py asks.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from pairsmith.errors import Stopped
from pairsmith.records import (
    Amount,
    ChatRequest,
    Endpoint,
    Failure,
    FailureKind,
    Json,
    Outcome,
    PromptId,
    Purpose,
    Reply,
    RequestId,
    chat_request,
    content_id,
)
from pairsmith.wire.breaker import Breaker
from pairsmith.wire.client import Transport, TransportError
from pairsmith.wire.faults import classify, redact
from pairsmith.wire.gate import Accounts, Clock
from pairsmith.wire.headers import Announced, Announcements
from pairsmith.wire.money import Budget, Tally, at_most_paid, cost_usd, reply_cost_usd

AT_A_TIME = 4
MOST_CALLS = 48  # attempts, in all
LATEST_S = 60.0  # for one answer: these are short
LIST_S = 5.0  # for the list of models
LONGEST_PAUSE_S = 10.0  # that is waited for when it is asked for
PAUSE_S = 0.5
PROMPT = PromptId("probe")
NOT_ASKED = "not_asked"
ALWAYS_FATAL = ("quota", "redirected")  # whatever the question was


@dataclass(frozen=True, slots=True)
class Answer:
    """What one question came to, and how many choices came with it."""

    outcome: Outcome
    choices: int = 0


class Probe:
    """One endpoint, asked at its first URL.

    Args:
        endpoint: whose model, price, extra and deadline hold.
        transport: how requests get there.
        accounts: where attempts and answers are booked.
        clock: time, for pauses and latencies.
        keys: secret values to take out of whatever a server says.
        budget: what may be spent; None = no cap.
        first_draw: what the draws are counted from, so that a later examination is another one: a server that knows
            an Idempotency-Key again would answer from its memory.
        tally: what the whole invocation did; each attempt is a call of its own there.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        transport: Transport,
        accounts: Accounts,
        clock: Clock,
        keys: Sequence[str] = (),
        budget: Budget | None = None,
        first_draw: int = 0,
        tally: Tally | None = None,
    ) -> None:
        self.ended: Stopped | None = None  # why nothing more is asked
        self.limits = Announced()
        self.calls = 0  # attempts
        self.tally = Tally() if tally is None else tally
        self.cost_usd: float | None = 0.0 if endpoint.price else None
        self.latencies_s: list[float] = []  # of each answer
        self.on_answer: Callable[[], object] = lambda: None
        self._endpoint = endpoint
        self._transport = transport
        self._accounts = accounts
        self._clock = clock
        self._keys = keys
        self._budget = budget
        self._first_draw = first_draw
        self._drawn: Counter[str] = Counter()  # equal bodies so far
        self._announcements = Announcements()
        self._seats = asyncio.Semaphore(AT_A_TIME)
        self._never = asyncio.Event()

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock.epoch()

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()

    async def models(self) -> list[dict[str, Any]]:
        """What GET /models lists; [] where there is no such list, or none in time. It is free, and not booked."""
        try:
            async with asyncio.timeout(LIST_S):
                raw = await self._transport.get("models")
            data = orjson.loads(raw.body) if raw.status == 200 else None
        except (TimeoutError, TransportError, orjson.JSONDecodeError):
            return []
        listed = data.get("data") if isinstance(data, dict) else data  # Together sends the bare list
        return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []

    async def ask(self, body: Mapping[str, Json], longest: int) -> Answer:
        """Ask once; raises nothing that the server may be blamed for.

        Args:
            body: all but model and the endpoint's own `extra`.
            longest: tokens that the answer may have, over all choices.
        """
        same = content_id("body", dict(body))
        draw = self._first_draw + self._drawn[same]
        self._drawn[same] += 1
        request = chat_request(PROMPT, Purpose.PROBE, self._endpoint, body, draw)
        async with self._seats:
            answer = await self._attempt(request, longest)
            if (pause_s := _worth_another(answer.outcome)) is not None and self.ended is None:
                await self._clock.sleep(pause_s)
                answer = await self._attempt(request, longest)
                self._note(answer.outcome, last=True)
        self.on_answer()
        return answer

    # --- one attempt -------------------------------------------------------------------------------

    async def _attempt(self, request: ChatRequest, longest: int) -> Answer:
        if self.ended is not None or self.calls >= MOST_CALLS:
            return Answer(_not_asked(request.id))
        tier = self._endpoint.service_tier
        sent = orjson.dumps({**request.body, "service_tier": tier} if tier else request.body)
        most = Amount(1, len(sent) + longest, most_usd(self._endpoint, len(sent), longest))
        if self._budget is not None and not await self._budget.take(most, self._never):
            self.ended = self.ended or self._budget.reached(most)
            return Answer(_not_asked(request.id))
        self.calls += 1
        self.tally.calls[self._endpoint.name] += 1
        self.tally.attempts[self._endpoint.name] += 1
        number = await self._accounts.begin(request, most.usd, most.tokens)
        answer, raw = await self._send(request.id, sent)
        outcome = answer.outcome
        cost = reply_cost_usd(self._endpoint, outcome) if isinstance(outcome, Reply) else None
        paid = at_most_paid(outcome, most, cost)
        self.cost_usd = None if self.cost_usd is None or paid.usd is None else self.cost_usd + paid.usd
        if self._budget is not None:
            self._budget.settle(most, paid)
        if isinstance(outcome, Reply):
            self.tally.add(outcome, cost)
        await self._accounts.finish(number, request, outcome, raw, cost)
        self._note(outcome)
        return answer

    async def _send(self, ident: RequestId, sent: bytes) -> tuple[Answer, bytes | None]:
        sent_s, timeout_s = self._clock.monotonic(), min(LATEST_S, self._endpoint.timeout_s)
        try:
            async with asyncio.timeout(timeout_s):
                raw = await self._transport.send(sent, ident)
        except TimeoutError:
            late = f"no whole answer within {timeout_s:g} s"
            return Answer(Failure(ident, FailureKind.TRANSIENT, "timeout", late)), None
        except TransportError as err:
            return Answer(Failure(ident, FailureKind.TRANSIENT, err.reason, redact(str(err), self._keys))), None
        self.limits = self._announcements.read(raw.headers)
        outcome = classify(ident, raw, self._clock.epoch(), self._clock.monotonic() - sent_s)
        if isinstance(outcome, Failure):
            return Answer(replace(outcome, message=redact(outcome.message, self._keys))), None
        self.latencies_s.append(outcome.latency_s)
        return Answer(outcome, _choices(raw.body)), raw.body

    # --- what ends it ------------------------------------------------------------------------------

    def _note(self, outcome: Outcome, last: bool = False) -> None:
        """See whether there is any use in going on. `last`: the question will not be asked again.

        Once there was an answer, a 403 or a 404 is about the question: OpenRouter says so that no provider takes its
        parameters ("No endpoints found that support …", its documentation, November 2026).
        """
        if isinstance(outcome, Reply) or self.ended is not None:
            return
        if outcome.kind is FailureKind.FATAL:
            about_all = outcome.reason in ALWAYS_FATAL or outcome.status == 401
            if about_all or not self.latencies_s:
                self.ended = Breaker(self._endpoint).failure(outcome, True, 0.0, 0.0)
        elif last and outcome.reason == "unreachable":
            self.ended = Stopped("unreachable", unanswered(self._endpoint, outcome))


def unanswered(endpoint: Endpoint, failure: Failure) -> str:
    """Why an endpoint could not be asked at all, with the way out."""
    who = f"endpoint {endpoint.name} ({endpoint.model})"
    if failure.reason == "unreachable":
        where = endpoint.base_urls[0]
        return (
            f"{who} does not answer at {where} ({failure.message}): start the server, or mend base_url, and ask again"
        )
    said = f": {failure.message}" if failure.message else ""
    if failure.kind is FailureKind.PERMANENT:
        return f"{who} refuses the plainest request with {failure.status}{said} (mend model, extra or base_url)"
    return f"{who} gave no answer to the plainest request ({failure.reason}{said}): see its log, and ask again"


def most_usd(endpoint: Endpoint, body_bytes: int, longest: int) -> float | None:
    """The most an attempt can cost: no token is shorter than a byte. None when the price is unknown."""
    return cost_usd(endpoint, body_bytes, longest, 0)


def _worth_another(outcome: Outcome) -> float | None:
    """Seconds to wait before the one other attempt; None where there is none."""
    if isinstance(outcome, Reply) or outcome.reason == NOT_ASKED:
        return None
    if outcome.kind is FailureKind.TRANSIENT:
        return PAUSE_S
    if outcome.kind is FailureKind.THROTTLED and (outcome.retry_after_s or 0.0) <= LONGEST_PAUSE_S:
        return outcome.retry_after_s or PAUSE_S
    return None


def _not_asked(ident: RequestId) -> Failure:
    return Failure(ident, FailureKind.TRANSIENT, NOT_ASKED)


def _choices(body: bytes) -> int:
    try:
        choices = orjson.loads(body).get("choices")
    except (orjson.JSONDecodeError, AttributeError):
        return 0
    return len(choices) if isinstance(choices, list) else 0
