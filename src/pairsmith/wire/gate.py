"""One endpoint's gate: a fixed set of workers that send what is queued, retry it, and keep the limits.

Every attempt is booked, durably, before it is sent, and every answer before anyone reads it. The most urgent
request leaves first, however long the line. Called by online.py, which has a gate per (base URL, model).
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Protocol

import orjson

from pairsmith.errors import Stopped
from pairsmith.records import (
    ChatRequest,
    Endpoint,
    EndpointName,
    Failure,
    FailureKind,
    Outcome,
    Purpose,
    Reply,
    RequestId,
)
from pairsmith.wire.breaker import WARY_FROM, Breaker
from pairsmith.wire.client import Transport, TransportError
from pairsmith.wire.faults import classify
from pairsmith.wire.limits import Ease, Pace
from pairsmith.wire.money import NOT_SENT, Budget, Tally, at_most_paid_usd, cost_usd, reply_cost_usd

MAX_ATTEMPTS = 6
BACKOFF_S = 0.5  # full jitter: uniform in 0 … BACKOFF_S × 2^n
MAX_BACKOFF_S = 60.0
MAX_PROBE_S = 5.0  # how far apart the calls are that try whether an endpoint is back
FIRST = {Purpose.DUEL: 0, Purpose.SCORE: 1, Purpose.SAMPLE: 2}  # judge before sample: pairs appear early


class Accounts(Protocol):
    """Where attempts and answers are booked."""

    async def begin(self, request: ChatRequest, max_cost_usd: float | None) -> int:
        """Book an attempt; returns its number once the row is durable."""

    def finish(
        self, attempt: int, request: ChatRequest, outcome: Outcome, raw: bytes | None, cost_usd: float | None
    ) -> asyncio.Future[None]:
        """Book how it ended; the future is done once that, and the body `raw` of an answer, are durable."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, as wire needs it; tests drive it by hand."""

    monotonic: Callable[[], float]
    epoch: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]


class Run(Protocol):
    """What the gates of one run share."""

    tally: Tally
    budget: Budget | None
    stopping: asyncio.Event

    def stop(self, why: Stopped) -> None:
        """Send nothing more."""

    def endpoint(self, name: EndpointName) -> Endpoint:
        """The endpoint of this name."""

    def redacted(self, message: str) -> str:
        """A server's words without any key."""

    def worker_ended(self, worker: asyncio.Task[None]) -> None:
        """A worker ended, whyever."""


@dataclass(slots=True, eq=False)
class _Job:
    request: ChatRequest
    body: bytes
    arrival: int
    waiters: list[asyncio.Future[Outcome | None]]
    sent: int = 0  # attempts made
    tries: int = 0  # of these, the ones that count against MAX_ATTEMPTS: a pause asked for does not

    @property
    def wanted(self) -> bool:
        """Whether anybody still waits for it: who is cancelled does not."""
        return not all(waiter.done() for waiter in self.waiters)


class Gate:
    """Sends the requests for one model at one URL.

    Args:
        endpoint: its limits.
        transport: how requests get there.
        accounts: where attempts and answers are booked.
        clock: time, for pauses and deadlines.
        rng: for jitter.
        run: what this gate shares with the others.
    """

    def __init__(
        self, endpoint: Endpoint, transport: Transport, accounts: Accounts, clock: Clock, rng: Random, run: Run
    ) -> None:
        self.concurrency = endpoint.concurrency
        self._transport = transport
        self._accounts = accounts
        self._clock = clock
        self._rng = rng
        self._run = run
        self._pace = Pace(endpoint.requests_per_minute, endpoint.tokens_per_minute, clock.monotonic, clock.sleep)
        self._ease = Ease(endpoint.concurrency)
        self._breaker = Breaker(endpoint)
        self._queue: list[tuple[int, int, _Job]] = []  # a heap: the most urgent first, then the oldest
        self._open: dict[RequestId, _Job] = {}  # queued, in flight, or waiting for the next try
        self._arrivals = 0
        self._delayed: dict[_Job, asyncio.TimerHandle] = {}
        self._in_flight = 0
        self._news = asyncio.Event()  # a job came in, or a call ended
        self._turn = asyncio.Lock()
        self._workers: list[asyncio.Task[None]] = []

    def put(self, request: ChatRequest) -> asyncio.Future[Outcome | None]:
        """Queue a request; the future is what it comes to, or None when the run stops before."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Outcome | None] = loop.create_future()
        same = self._open.get(request.id)
        if same is not None:  # asked for twice at a time: bought once
            same.waiters.append(waiter)
            return waiter
        if not self._workers:
            self._workers = [loop.create_task(self._work()) for _ in range(self.concurrency)]
            for worker in self._workers:
                worker.add_done_callback(self._run.worker_ended)
        job = _Job(request, orjson.dumps(request.body), self._next_arrival(), [waiter])
        self._open[request.id] = job
        self._enqueue(job)
        return waiter

    def _resolve(self, job: _Job, outcome: Outcome | None) -> None:
        self._open.pop(job.request.id, None)
        for waiter in job.waiters:
            if not waiter.done():
                waiter.set_result(outcome)

    def clear(self) -> None:
        """Give up what is queued or waits for its next try."""
        for job, timer in self._delayed.items():
            timer.cancel()
            self._resolve(job, None)
        self._delayed.clear()
        for _, _, job in self._queue:
            self._resolve(job, None)
        self._queue.clear()

    async def close(self) -> None:
        """End the workers, also in the middle of a call, and close all connections."""
        self.clear()
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        await self._transport.close()

    def _next_arrival(self) -> int:
        self._arrivals += 1
        return self._arrivals

    def _enqueue(self, job: _Job) -> None:
        self._delayed.pop(job, None)
        if self._run.stopping.is_set():
            self._resolve(job, None)
            return
        heapq.heappush(self._queue, (FIRST[job.request.purpose], job.arrival, job))
        self._news.set()

    async def _work(self) -> None:
        while True:
            job = await self._next()
            try:
                if job.wanted:
                    await self._attempt(job)
                else:
                    self._resolve(job, None)
            except BaseException:
                self._resolve(job, None)
                raise
            finally:
                self._in_flight -= 1
                self._news.set()

    async def _next(self) -> _Job:
        """The most urgent request, once it may leave; one worker waits here, the others behind it."""
        async with self._turn:
            while True:
                while not self._free():
                    self._news.clear()
                    await self._news.wait()
                await self._pace.turn()
                # Meanwhile the run may have stopped, or the endpoint asked for fewer calls.
                if self._free():
                    break
            job = heapq.heappop(self._queue)[2]  # only now: a more urgent one may have come in
            self._in_flight += 1
            self._pace.charge(len(job.body) // 4 + self._output_limit(job.request))
            return job

    def _free(self) -> bool:
        return bool(self._queue) and self._in_flight < (1 if self._breaker.wary else self._ease.level)

    def _output_limit(self, request: ChatRequest) -> int:
        limit = request.body.get(self._run.endpoint(request.endpoint).length_parameter)
        return limit if isinstance(limit, int) else 0

    async def _attempt(self, job: _Job) -> None:
        run = self._run
        endpoint = run.endpoint(job.request.endpoint)
        # No token is shorter than a byte, so the body's length bounds what the input can cost.
        most = cost_usd(endpoint, len(job.body), self._output_limit(job.request), 0)
        number = await self._begin(job, most)
        if number is None:
            self._resolve(job, None)
            return
        job.sent += 1
        run.tally.attempts[endpoint.name] += 1
        run.tally.calls[endpoint.name] += job.sent == 1
        sent_s = self._clock.monotonic()
        outcome, raw = await self._send(job, endpoint.timeout_s, sent_s)
        cost = reply_cost_usd(endpoint, outcome) if isinstance(outcome, Reply) else None
        if isinstance(outcome, Reply):
            run.tally.add(outcome, cost)
        self._settle(most, at_most_paid_usd(outcome, cost, most))
        retry_s = self._after(job, outcome, sent_s)
        durable = self._accounts.finish(number, job.request, outcome, raw, cost)
        durable.add_done_callback(lambda done: self._booked(done, job, outcome, retry_s))

    async def _begin(self, job: _Job, most: float | None) -> int | None:
        """Set the cost aside and book the attempt; None when nothing may be sent."""
        run = self._run
        if run.budget is not None and not await run.budget.take(most, run.stopping):
            if not run.stopping.is_set():
                run.stop(_over_budget(run.budget))
            return None
        try:
            number = await self._accounts.begin(job.request, most)
        except Exception as exc:  # noqa: BLE001 — whatever the ledger raises: what is not booked is not sent
            self._settle(most, 0.0)
            run.stop(_ledger_failed(exc))
            return None
        if not run.stopping.is_set():
            return number
        self._settle(most, 0.0)
        unsent = Failure(job.request.id, FailureKind.TRANSIENT, NOT_SENT, "the run was stopping")
        self._accounts.finish(number, job.request, unsent, None, None).add_done_callback(_ignore)
        return None

    def _settle(self, most: float | None, paid: float | None) -> None:
        if self._run.budget is not None and most is not None and paid is not None:
            self._run.budget.settle(most, paid)

    async def _send(self, job: _Job, timeout_s: float, sent_s: float) -> tuple[Outcome, bytes | None]:
        """One attempt: what came of it, and the body of an answer as it came."""
        ident = job.request.id
        try:
            async with asyncio.timeout(timeout_s):
                raw = await self._transport.send(job.body, ident)
        except TimeoutError:
            late = f"no whole answer within {timeout_s:g} s"
            return Failure(ident, FailureKind.TRANSIENT, "timeout", late), None
        except TransportError as err:
            return Failure(ident, FailureKind.TRANSIENT, err.reason, self._run.redacted(str(err))), None
        outcome = classify(ident, raw, self._clock.epoch(), self._clock.monotonic() - sent_s)
        if isinstance(outcome, Failure):
            return replace(outcome, message=self._run.redacted(outcome.message)), None
        return outcome, raw.body

    def _after(self, job: _Job, outcome: Outcome, sent_s: float) -> float | None:
        """Seconds until the next try; None when this is what the request came to. Stops the run where it must."""
        if isinstance(outcome, Reply):
            self._breaker.success()
            self._ease.answered(sent_s)
            return None
        now_s = self._clock.monotonic()
        why = self._breaker.failure(outcome, job.tries == 0, sent_s, now_s)
        if why is not None:
            self._run.stop(why)
            return 0.0  # owed again on the next run
        if outcome.kind is FailureKind.THROTTLED:
            self._ease_off(outcome, sent_s, now_s)
            return 0.0  # back to the queue, behind the pause
        job.tries += 1
        job.arrival = (
            self._next_arrival()
        )  # behind the others: in an outage each try costs another request one of its own
        if outcome.kind is not FailureKind.TRANSIENT or job.tries >= MAX_ATTEMPTS:
            return None
        if self._breaker.wary:
            probe_s = min(MAX_PROBE_S, BACKOFF_S * 2 ** (self._breaker.steps - WARY_FROM))
            self._pace.pause(self._rng.uniform(probe_s / 2, probe_s))
        return self._rng.uniform(0, min(MAX_BACKOFF_S, BACKOFF_S * 2**job.tries))

    def _ease_off(self, failure: Failure, sent_s: float, now_s: float) -> None:
        """Pause the whole gate as asked, else longer with each burst of refusals."""
        new = self._ease.refused(sent_s, now_s)
        pause_s = failure.retry_after_s if failure.retry_after_s is not None else self._ease.pause_s if new else 0.0
        self._pace.pause(pause_s + self._rng.uniform(0, 0.1 * pause_s + 0.05))

    def _booked(self, done: asyncio.Future[None], job: _Job, outcome: Outcome, retry_s: float | None) -> None:
        """The attempt's end is durable: hand the outcome out, or try again."""
        if done.cancelled():
            self._resolve(job, None)
        elif (error := done.exception()) is not None:
            self._resolve(job, None)
            self._run.stop(_ledger_failed(error))
        elif retry_s is None:
            self._resolve(job, outcome)
        elif self._run.stopping.is_set():
            self._resolve(job, None)
        else:
            self._delayed[job] = asyncio.get_running_loop().call_later(retry_s, self._enqueue, job)


def _ignore(done: asyncio.Future[None]) -> None:
    """Nobody waits for this booking; should it fail, the ledger's other futures say so."""
    if not done.cancelled():
        done.exception()


def _ledger_failed(error: BaseException) -> Stopped:
    return error if isinstance(error, Stopped) else Stopped("ledger", f"the ledger failed: {error}")


def _over_budget(budget: Budget) -> Stopped:
    return Stopped(
        "budget",
        f"--max-cost {budget.cap_usd:g} is reached: {budget.spent_usd:.4f} USD are spent or in flight and the next "
        "call could exceed it; run the same command with a higher --max-cost to go on",
    )
