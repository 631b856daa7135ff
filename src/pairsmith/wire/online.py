"""Pays what is owed, online: a gate per endpoint with a fixed set of workers, retries and pauses.

It knows requests and outcomes, no stage. Every attempt is booked, durably, before it is sent, and every
answer before anyone reads it: through `Accounts`, which the ledger implements. Called by the pipeline.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
)
from pairsmith.wire.breaker import Breaker
from pairsmith.wire.client import Transport, TransportError
from pairsmith.wire.faults import classify, redact
from pairsmith.wire.limits import Pace

MAX_ATTEMPTS = 6
BACKOFF_S = 0.5  # full jitter: uniform in 0 … BACKOFF_S × 2^n
MAX_BACKOFF_S = 60.0
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


@dataclass(slots=True, eq=False)
class _Job:
    request: ChatRequest
    body: bytes
    future: asyncio.Future[Outcome | None]
    sent: int = 0  # attempts made
    tries: int = 0  # of these, the ones that count against MAX_ATTEMPTS: a pause asked for does not


@dataclass(slots=True)
class Tally:
    """What this invocation did, by endpoint name. `cost_usd` None: a price or a token count was unknown."""

    calls: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0

    def add(self, reply: Reply, cost_usd: float | None) -> None:
        """Count an answer's tokens and cost."""
        self.input_tokens += reply.usage.input_tokens or 0
        self.output_tokens += reply.usage.output_tokens or 0
        self.cost_usd = None if self.cost_usd is None or cost_usd is None else self.cost_usd + cost_usd


def cost_usd(
    endpoint: Endpoint, input_tokens: int | None, output_tokens: int | None, cached: int | None
) -> float | None:
    """USD for these tokens at the recipe's price; None when the price or a count is unknown."""
    price = endpoint.price
    if price is None or input_tokens is None or output_tokens is None:
        return None
    cached = min(cached or 0, input_tokens)
    cached_price = price.input if price.cached_input is None else price.cached_input
    return ((input_tokens - cached) * price.input + cached * cached_price + output_tokens * price.output) / 1e6


@dataclass(slots=True)
class Budget:
    """A cap on what a run folder pays, over all its runs. Nothing is sent that could exceed it.

    `spent_usd` is what was paid before and since; calls in flight, and attempts whose end nobody saw, count
    with the most they can cost.
    """

    cap_usd: float
    spent_usd: float

    def take(self, most_usd: float | None) -> bool:
        """Set the most a call can cost aside; False when the cap could be exceeded, or the price is unknown."""
        if most_usd is None or self.spent_usd + most_usd > self.cap_usd:
            return False
        self.spent_usd += most_usd
        return True

    def settle(self, most_usd: float, paid_usd: float) -> None:
        """The call's end is known: put back what it did not cost."""
        self.spent_usd += paid_usd - most_usd


class Engine:
    """Pays requests through one gate per (base URL, model).

    Args:
        endpoints: by name.
        transports: by endpoint name; endpoints that share URL and model share the gate of the first.
        accounts: where everything is booked.
        clock: time, for pauses and deadlines.
        rng: for jitter.
        keys: secret values to take out of whatever a server says.
        budget: what may be spent; None = no cap.
    """

    def __init__(
        self,
        endpoints: Mapping[EndpointName, Endpoint],
        transports: Callable[[Endpoint], Transport],
        accounts: Accounts,
        clock: Clock,
        rng: Random,
        keys: Sequence[str] = (),
        budget: Budget | None = None,
    ) -> None:
        self.tally = Tally()
        self.budget = budget
        self.stopped: Stopped | None = None
        self.stopping = asyncio.Event()
        self.fault: BaseException | None = None  # an error of our own in a worker
        self._gates: dict[EndpointName, _Gate] = {}
        by_place: dict[tuple[tuple[str, ...], str], _Gate] = {}
        for name, endpoint in endpoints.items():
            place = (endpoint.base_urls, endpoint.model)
            if place not in by_place:
                by_place[place] = _Gate(endpoint, transports(endpoint), accounts, clock, rng, self)
            self._gates[name] = by_place[place]
        self._keys = [key for key in keys if key]
        self._endpoints = endpoints

    async def pay(self, requests: Sequence[ChatRequest]) -> list[Outcome | None]:
        """Have these requests answered, in this order; None for those the stopping run did not get to."""
        jobs = [self._gates[request.endpoint].put(request) for request in requests]
        return [await job for job in jobs]

    def stop(self, why: Stopped) -> None:
        """Send nothing more; calls in flight may finish. The first reason stays."""
        self.stopped = self.stopped or why
        self.stopping.set()
        for gate in set(self._gates.values()):
            gate.clear()

    @property
    def width(self) -> int:
        """How many prompts in flight keep every gate busy."""
        return sum(gate.concurrency for gate in set(self._gates.values()))

    async def close(self) -> None:
        """End the workers and close all connections."""
        for gate in set(self._gates.values()):
            await gate.close()

    def worker_ended(self, worker: asyncio.Task[None]) -> None:
        """A worker ends only when it is told to, or by a fault of ours: then the run must not wait for it."""
        if not worker.cancelled() and (error := worker.exception()):
            self.fault = error
            self.stop(Stopped("internal_error", f"an error inside pairsmith: {error!r}"))

    def redacted(self, message: str) -> str:
        """A server's words without any key."""
        return redact(message, self._keys)

    def endpoint(self, name: EndpointName) -> Endpoint:
        """The endpoint of this name."""
        return self._endpoints[name]


class _Gate:
    def __init__(
        self,
        endpoint: Endpoint,
        transport: Transport,
        accounts: Accounts,
        clock: Clock,
        rng: Random,
        engine: Engine,
    ) -> None:
        self.concurrency = endpoint.concurrency
        self._endpoint = endpoint
        self._transport = transport
        self._accounts = accounts
        self._clock = clock
        self._rng = rng
        self._engine = engine
        self._pace = Pace(endpoint.requests_per_minute, endpoint.tokens_per_minute, clock.monotonic, clock.sleep)
        self._breaker = Breaker(endpoint)
        self._queue: asyncio.PriorityQueue[tuple[int, int, _Job]] = asyncio.PriorityQueue()
        self._turn = 0
        self._throttled = 0  # answers in a row that asked for a pause
        self._delayed: dict[_Job, asyncio.TimerHandle] = {}
        self._workers: list[asyncio.Task[None]] = []

    def put(self, request: ChatRequest) -> asyncio.Future[Outcome | None]:
        loop = asyncio.get_running_loop()
        job = _Job(request, orjson.dumps(request.body), loop.create_future())
        if not self._workers:
            self._workers = [loop.create_task(self._work()) for _ in range(self.concurrency)]
            for worker in self._workers:
                worker.add_done_callback(self._engine.worker_ended)
        self._enqueue(job)
        return job.future

    def _enqueue(self, job: _Job) -> None:
        self._delayed.pop(job, None)
        if self._engine.stopped:
            _resolve(job, None)
            return
        self._turn += 1
        self._queue.put_nowait((FIRST[job.request.purpose], self._turn, job))

    def clear(self) -> None:
        for job, timer in list(self._delayed.items()):
            timer.cancel()
            _resolve(job, None)
        self._delayed.clear()
        while not self._queue.empty():
            _resolve(self._queue.get_nowait()[2], None)

    async def close(self) -> None:
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        await self._transport.close()

    async def _work(self) -> None:
        while True:
            job = (await self._queue.get())[2]
            await self._pace.turn(self._tokens(job))
            if self._engine.stopped:
                _resolve(job, None)
                continue
            await self._attempt(job)

    def _tokens(self, job: _Job) -> int:
        return len(job.body) // 4 + self._output_limit(job.request)

    def _output_limit(self, request: ChatRequest) -> int:
        limit = request.body.get(self._endpoint.length_parameter)
        return limit if isinstance(limit, int) else 0

    async def _attempt(self, job: _Job) -> None:
        name, request = job.request.endpoint, job.request
        endpoint = self._engine.endpoint(name)
        # No token is shorter than a byte, so the body's length bounds what the input can cost.
        most = cost_usd(endpoint, len(job.body), self._output_limit(request), 0)
        budget = self._engine.budget
        if budget is not None and not budget.take(most):
            _resolve(job, None)
            self._engine.stop(_over_budget(budget))
            return
        try:
            number = await self._accounts.begin(request, most)
        except Exception as exc:  # noqa: BLE001 — the ledger could not book it: nothing may be sent
            _resolve(job, None)
            self._engine.stop(exc if isinstance(exc, Stopped) else Stopped("ledger", f"the ledger failed: {exc}"))
            return
        tally = self._engine.tally
        tally.attempts[name] += 1
        tally.calls[name] += job.sent == 0
        job.sent += 1
        outcome, raw = await self._send(job)
        cost = None
        if isinstance(outcome, Reply):
            usage = outcome.usage
            cost = cost_usd(endpoint, usage.input_tokens, usage.output_tokens, usage.cached_tokens)
            tally.add(outcome, cost)
        if budget is not None and most is not None and isinstance(outcome, Reply) and cost is not None:
            budget.settle(most, cost)
        elif budget is not None and most is not None and isinstance(outcome, Failure) and outcome.status != 200:
            budget.settle(most, 0.0)
        retry_s = self._after(job, outcome)
        durable = self._accounts.finish(number, request, outcome, raw, cost)
        durable.add_done_callback(lambda done: self._booked(done, job, outcome, retry_s))

    def _booked(self, done: asyncio.Future[None], job: _Job, outcome: Outcome, retry_s: float | None) -> None:
        """The attempt's end is durable: hand the outcome out, or try again."""
        if done.cancelled():
            _resolve(job, None)
        elif (error := done.exception()) is not None:
            _resolve(job, None)
            self._engine.stop(error if isinstance(error, Stopped) else Stopped("ledger", f"the ledger failed: {error}"))
        elif retry_s is None or self._engine.stopped:
            _resolve(job, outcome if retry_s is None else None)
        else:
            self._delayed[job] = asyncio.get_running_loop().call_later(retry_s, self._enqueue, job)

    async def _send(self, job: _Job) -> tuple[Outcome, bytes | None]:
        """One attempt: what came of it, and the body of a 200 as it came."""
        ident, started = job.request.id, self._clock.monotonic()
        try:
            async with asyncio.timeout(self._endpoint.timeout_s):
                raw = await self._transport.send(job.body, ident)
        except TimeoutError:
            late = f"no whole answer within {self._endpoint.timeout_s:g} s"
            return Failure(ident, FailureKind.TRANSIENT, "timeout", late), None
        except TransportError as err:
            return Failure(ident, FailureKind.TRANSIENT, err.reason, self._engine.redacted(str(err))), None
        outcome = classify(ident, raw, self._clock.epoch(), self._clock.monotonic() - started)
        if isinstance(outcome, Failure):
            return replace(outcome, message=self._engine.redacted(outcome.message)), None
        return outcome, raw.body

    def _after(self, job: _Job, outcome: Outcome) -> float | None:
        """Seconds until the next try; None when this is what the request came to. Stops the run where it must."""
        if isinstance(outcome, Reply):
            self._breaker.success()
            self._throttled = 0
            return None
        why = self._breaker.failure(outcome, job.sent == 1, self._clock.monotonic())
        if why is not None:
            self._engine.stop(why)
            return 0.0  # owed again on the next run
        if outcome.kind is FailureKind.THROTTLED:
            return self._pause(outcome)
        job.tries += 1
        if outcome.kind is not FailureKind.TRANSIENT or job.tries >= MAX_ATTEMPTS:
            return None
        return self._rng.uniform(0, min(MAX_BACKOFF_S, BACKOFF_S * 2**job.tries))

    def _pause(self, failure: Failure) -> float:
        """Pause the whole gate as asked, else longer with each round; the request goes back to the queue."""
        self._throttled += 1
        asked = failure.retry_after_s
        if asked is None:
            rounds = self._throttled // self.concurrency + 1
            asked = min(MAX_BACKOFF_S, BACKOFF_S * 2 ** min(rounds, 7))
        self._pace.pause(asked + self._rng.uniform(0, 0.1 * asked + 0.05))
        return 0.0


def _over_budget(budget: Budget) -> Stopped:
    return Stopped(
        "budget",
        f"--max-cost {budget.cap_usd:g} is reached: {budget.spent_usd:.4f} USD are spent or in flight and the next "
        "call could exceed it; run the same command with a higher --max-cost to go on",
    )


def _resolve(job: _Job, outcome: Outcome | None) -> None:
    if not job.future.done():
        job.future.set_result(outcome)
