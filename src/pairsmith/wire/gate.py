"""One server's gate: a fixed set of workers that send what is queued, retry it, and keep the limits.

Every attempt is booked, durably, before it is sent, and every answer before anyone reads it. Called by online.py,
which has a gate per (base URL, model): one for each replica, and these take from one line.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Protocol

from pairsmith.errors import Stopped
from pairsmith.records import (
    Amount,
    ChatRequest,
    Endpoint,
    Failure,
    FailureKind,
    Outcome,
    Reply,
)
from pairsmith.wire.breaker import SILENT_FOR_S, Breaker
from pairsmith.wire.client import Transport, TransportError
from pairsmith.wire.faults import classify
from pairsmith.wire.flow import PROBE_S, Flow
from pairsmith.wire.headers import Announced, Announcements
from pairsmith.wire.limits import LOOK_S, Pace
from pairsmith.wire.line import Job, Line
from pairsmith.wire.money import NOT_SENT, NOTHING, Budget, Tally, at_most_paid, cost_usd, reply_cost_usd

MAX_ATTEMPTS = 6
BACKOFF_S = 0.5  # full jitter: uniform in 0 … BACKOFF_S × 2^n
MAX_BACKOFF_S = 60.0
MAX_SPARED = 2 * MAX_ATTEMPTS  # tries at replicas that were down
MAX_PROBE_S = 5.0  # how far apart the calls are that try whether an endpoint is back
MAX_PATIENT_PROBE_S = 30.0  # the same, where the user has --patience
TELL_FROM = 2  # failures in a row after which a replica counts as down, in words
MAX_REST_S = 5.0  # how long a refused call keeps its place, at most
ONE_AHEAD_IN = 16  # one call in so many is booked ahead, so that no place is empty while the disk is waited for


class Accounts(Protocol):
    """Where attempts and answers are booked."""

    async def begin(self, request: ChatRequest, max_cost_usd: float | None, max_tokens: int) -> int:
        """Book an attempt, with the most it can come to; returns its number once the row is durable."""

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
    budget: Budget
    stopping: asyncio.Event
    say: Callable[[str], object]

    def stop(self, why: Stopped) -> None:
        """Send nothing more."""

    def redacted(self, message: str) -> str:
        """A server's words without any key."""

    def worker_ended(self, worker: asyncio.Task[None]) -> None:
        """A worker ended, whyever."""


class Gate:
    """Sends the requests for one model to one URL.

    Args:
        endpoint: its limits, and its one URL.
        transport: how requests get there.
        accounts: where attempts and answers are booked.
        clock: time, for pauses and deadlines.
        rng: for jitter.
        run: what this gate shares with the others.
        line: what is to be sent.
        replicas: all gates that take from this line; this one adds itself.
        single: whether there will be no other.
        patience_s: how long an endpoint that does not answer or refuses for now is waited for; 0 = as usual.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        transport: Transport,
        accounts: Accounts,
        clock: Clock,
        rng: Random,
        run: Run,
        line: Line,
        replicas: list[Gate],
        single: bool = True,
        patience_s: float = 0.0,
    ) -> None:
        self.concurrency = endpoint.concurrency
        self.given_up: Stopped | None = None  # why the run would stop if there were no other replica
        self._endpoint = endpoint
        self._transport = transport
        self._accounts = accounts
        self._clock = clock
        self._rng = rng
        self._run = run
        self._line = line
        self._replicas = replicas
        replicas.append(self)
        self._patience_s = patience_s
        limits = endpoint.requests_per_minute, endpoint.tokens_per_minute
        self._pace = Pace(*limits, clock.monotonic, clock.sleep, endpoint.counts_bounds)
        self._flow = Flow(endpoint.concurrency)
        self._breaker = Breaker(endpoint, patience_s, alone=single)
        self._announcements = Announcements()
        self._announced = Announced()
        self._waits = False  # for its turn, with a call that it could send now
        self._said_too_large = self._said_announced = self._told_down = False
        self._ahead = 0  # taken from the line and not sent yet
        self._in_flight = 0
        self._resting = 0  # places that refused calls keep until their next try
        self._turn = asyncio.Lock()
        self._door = asyncio.Lock()
        self._workers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Let the workers take from the line; does nothing when they do already."""
        if not self._workers:
            loop = asyncio.get_running_loop()
            count = self.concurrency + _ahead_of(self.concurrency)
            self._workers = [loop.create_task(self._work()) for _ in range(count)]
            for worker in self._workers:
                worker.add_done_callback(self._run.worker_ended)

    async def close(self) -> None:
        """End the workers, also in the middle of a call, and close all connections."""
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        await self._transport.close()

    # --- taking a job ------------------------------------------------------------------------------

    async def _work(self) -> None:
        while True:
            job = await self._next()
            try:
                number = await self._book(job)
            except BaseException:
                self._line.resolve(job, None)
                raise
            finally:
                self._ahead -= 1
                self._line.news.set()
            if number is None:
                continue
            self._in_flight += 1
            try:
                await self._attempt(job, number)
            except BaseException:
                self._line.resolve(job, None)
                raise
            finally:
                self._in_flight -= 1
                self._line.news.set()

    async def _next(self) -> Job:
        """The most urgent request, once it may leave; one worker waits here, the others behind it."""
        async with self._turn:
            while True:
                while not self._may_take():
                    await self._news(self._line.head is not None and self._level < self.concurrency)
                self._waits = True
                if len(self._replicas) > 1:
                    self._line.news.set()  # the others need not stand back while it waits
                waited = await self._pace.turn(self._expected_tokens)
                self._waits = False
                # Meanwhile the run may have stopped, or the endpoint asked for fewer calls.
                if not waited or self._may_take():
                    break
            job = self._line.pop()  # only now: a more urgent one may have come in
            self._ahead += 1
            now_s = self._clock.monotonic()
            self._pace.left(self._flow.rate(now_s))
            if (tokens := self._pace.tokens) is not None:
                job.charged = tokens.charge(tokens.expected(_kind(job), job.bound), now_s)
            return job

    def _may_take(self) -> bool:
        job = self._line.head
        while job is not None and not self._fits(job):
            if any(replica._fits(job) for replica in self._replicas):
                return False
            self._drop(job)
            job = self._line.head
        if job is None or not self._room(self._books_ahead):
            return False
        if self._flow.silent and self._ahead:  # one call at a time tries whether it is over
            return False
        # The least busy replica takes it; one that seems to be down takes one call at a time, as its pauses allow.
        if self._breaker.wary or len(self._replicas) == 1:
            return True
        return all(self._load <= other._load for other in self._replicas if other._ready and other._fits(job))

    @property
    def _level(self) -> int:
        return 1 if self._breaker.wary else self._flow.level(self._clock.monotonic())

    @property
    def _load(self) -> float:
        return (self._in_flight + self._ahead) / self._level

    @property
    def _ready(self) -> bool:
        return not (self._breaker.wary or self._pace.paused or self._waits) and self._room()

    @property
    def _books_ahead(self) -> bool:
        """Not where calls wait for limits: whatever is most urgent when its turn comes should leave then."""
        return not (self._pace.limited or self._pace.paused or self._flow.limited or self._breaker.wary)

    def _room(self, book_ahead: bool = False) -> bool:
        level = self._level
        return self._in_flight + self._resting + self._ahead < level + (_ahead_of(level) if book_ahead else 0)

    async def _news(self, waiting: bool) -> None:
        """Wait until there is something new; whoever waits for time to pass looks again and again."""
        look = asyncio.get_running_loop().call_later(LOOK_S / 2, self._line.news.set) if waiting else None
        self._line.news.clear()
        try:
            await self._line.news.wait()
        finally:
            if look is not None:
                look.cancel()

    def _expected_tokens(self) -> float:
        job, tokens = self._line.head, self._pace.tokens
        return tokens.expected(_kind(job), job.bound) if job is not None and tokens is not None else 0.0

    def _fits(self, job: Job) -> bool:
        """Whether a whole minute's tokens are enough: a larger request would wait for ever.

        A limit that is announced, of what is used, may be enough all the same.
        """
        tokens = self._pace.tokens
        if tokens is None or not (tokens.by_bound or tokens.per_minute == self._endpoint.tokens_per_minute):
            return True
        return job.bound <= tokens.per_minute

    def _drop(self, job: Job) -> None:
        """The head of the line fits nowhere."""
        limit = self._pace.tokens.per_minute if self._pace.tokens else 0
        said = (
            f"the request needs up to {job.bound:,} tokens and the endpoint allows {limit:,.0f} a minute: "
            "lower max_tokens or raise tokens_per_minute"
        )
        if not self._said_too_large:
            self._run.say(f"endpoint {job.endpoint.name}: {said}")
        self._said_too_large = True
        failure = Failure(job.request.id, FailureKind.TRANSIENT, "over_token_limit", said)
        self._line.resolve(self._line.pop(), failure)

    # --- booking it --------------------------------------------------------------------------------

    async def _book(self, job: Job) -> int | None:
        """Set aside what it can come to, book the attempt, wait for a place; None when it is not sent here and now."""
        run, most = self._run, _most(job)
        if not await run.budget.take(most, run.stopping):
            if not run.stopping.is_set():
                run.stop(run.budget.reached(most))
            self._line.resolve(job, None)
            return None
        try:
            number = await self._accounts.begin(job.request, most.usd, most.tokens)
        except Exception as exc:  # noqa: BLE001 — whatever the ledger raises: what is not booked is not sent
            run.budget.settle(most, NOTHING)
            self._line.resolve(job, None)
            run.stop(_ledger_failed(exc))
            return None
        if await self._place(job):
            return number
        run.budget.settle(most, NOTHING)
        self._settle_tokens(job, None)
        unsent = Failure(job.request.id, FailureKind.TRANSIENT, NOT_SENT, "the run was stopping, or its replica down")
        self._accounts.finish(number, job.request, unsent, None, None).add_done_callback(_ignore)
        self._line.again(job, 0.0)
        return None

    async def _place(self, job: Job) -> bool:
        """Wait for a place among the calls in flight; False when the run stops, or another replica has one."""
        if not self._door.locked() and self._in_flight + self._resting < self._level and not self._pace.paused:
            return not self._run.stopping.is_set()
        async with self._door:
            while not self._run.stopping.is_set():
                if self._in_flight + self._resting < self._level and not self._pace.paused:
                    return True
                if any(other._ready and other._fits(job) for other in self._replicas if other is not self):
                    return False
                await self._news(True)
        return False

    def _settle_tokens(self, job: Job, used: int | None) -> None:
        if (tokens := self._pace.tokens) is not None and job.charged is not None:
            tokens.settle(job.charged, _kind(job), job.bound, used)
        job.charged = None

    # --- sending it --------------------------------------------------------------------------------

    async def _attempt(self, job: Job, number: int) -> None:
        run, name = self._run, job.endpoint.name
        job.sent += 1
        run.tally.attempts[name] += 1
        run.tally.calls[name] += job.sent == 1
        sent_s = self._clock.monotonic()
        self._hold(self._flow.sent(sent_s))
        outcome, raw = await self._send(job, sent_s)
        self._settle_tokens(job, _tokens_used(job, outcome))
        cost = reply_cost_usd(job.endpoint, outcome) if isinstance(outcome, Reply) else None
        if isinstance(outcome, Reply):
            run.tally.add(outcome, cost)
        most = _most(job)
        run.budget.settle(most, at_most_paid(outcome, most, cost))
        retry_s = self._after(job, outcome, sent_s)
        durable = self._accounts.finish(number, job.request, outcome, raw, cost)
        durable.add_done_callback(lambda done: self._booked(done, job, outcome, retry_s))

    async def _send(self, job: Job, sent_s: float) -> tuple[Outcome, bytes | None]:
        """One attempt: what came of it, and the body of an answer as it came."""
        ident, timeout_s = job.request.id, job.endpoint.timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                raw = await self._transport.send(job.body, ident)
        except TimeoutError:
            late = f"no whole answer within {timeout_s:g} s"
            return Failure(ident, FailureKind.TRANSIENT, "timeout", late), None
        except TransportError as err:
            return Failure(ident, FailureKind.TRANSIENT, err.reason, self._run.redacted(str(err))), None
        self._keep_to(self._announcements.read(raw.headers))
        outcome = classify(ident, raw, self._clock.epoch(), self._clock.monotonic() - sent_s)
        if isinstance(outcome, Failure):
            message = self._run.redacted(outcome.message) + _wrong_path(job.endpoint, outcome)
            return replace(outcome, message=message), None
        return outcome, raw.body

    def _keep_to(self, limits: Announced) -> None:
        if limits == self._announced:
            return
        self._announced = limits
        new = self._pace.announced(limits.requests, limits.tokens)
        if new and not any(replica._said_announced for replica in self._replicas):
            self._run.say(f"endpoint {self._endpoint.name} announces {' and '.join(new)} a minute: keeping to that")
            self._said_announced = True

    # --- and what comes after ----------------------------------------------------------------------

    def _after(self, job: Job, outcome: Outcome, sent_s: float) -> float | None:
        """Seconds until the next try; None when this is what the request came to. Stops the run where it must."""
        now_s = self._clock.monotonic()
        if isinstance(outcome, Reply):
            self._answered(sent_s, now_s)
            return None
        why = self._breaker.failure(outcome, job.tries == 0, sent_s, now_s)
        if why is not None and not self._others_go_on(outcome, why):
            self._run.stop(why)
            self._flow.failed(now_s)
            return 0.0  # owed again on the next run
        if notice := self._breaker.notice(now_s, outcome.retry_after_s or 0.0):
            self._run.say(notice)
        if outcome.kind is FailureKind.THROTTLED:
            return self._refused(job, outcome, sent_s, now_s)
        self._flow.failed(now_s)
        self._count_try(job, outcome)
        self._line.behind(job)  # in an outage each try costs another request one of its own
        if outcome.kind is not FailureKind.TRANSIENT or job.tries >= MAX_ATTEMPTS:
            return None
        if self._breaker.wary:
            self._tell_if_down(outcome)
            longest_s = MAX_PROBE_S
            if self._patience_s or self._others_up:  # then an outage may be long, and is asked after more rarely
                longest_s = min(MAX_PATIENT_PROBE_S, max(MAX_PROBE_S, self._breaker.silent_s(now_s) / 10))
            probe_s = min(longest_s, BACKOFF_S * 2 ** min(self._breaker.steps - 1, 20))
            self._pace.pause(self._rng.uniform(probe_s / 2, probe_s))
        return self._rng.uniform(0, min(MAX_BACKOFF_S, BACKOFF_S * 2**job.tries))

    @property
    def _others_up(self) -> bool:
        return any(not other._breaker.wary for other in self._replicas if other is not self)

    def _count_try(self, job: Job, failure: Failure) -> None:
        """A request does not lose its tries to a replica that is down while others answer; within reason."""
        if self._breaker.waits_for(failure):
            return
        if self._breaker.wary and self._others_up and job.spared < MAX_SPARED:
            job.spared += 1
        else:
            job.tries += 1

    def _answered(self, sent_s: float, now_s: float) -> None:
        self.given_up, self._told_down = None, False
        if notice := self._breaker.success(now_s):
            self._run.say(notice)
        if self._flow.answered(sent_s, now_s):
            self._pace.resume()

    def _others_go_on(self, failure: Failure, why: Stopped) -> bool:
        """Whether the run goes on without this replica; it is tried again now and then."""
        if failure.kind not in (FailureKind.TRANSIENT, FailureKind.THROTTLED):
            return False
        self.given_up = why
        return any(replica.given_up is None for replica in self._replicas)

    def _tell_if_down(self, failure: Failure) -> None:
        if self._told_down or not self._others_up or self._breaker.steps < TELL_FROM:
            return
        self._told_down = True
        up = sum(not replica._breaker.wary for replica in self._replicas)
        what = failure.reason + (f": {failure.message}" if failure.message else "")
        where = f"endpoint {self._endpoint.name}: {self._endpoint.base_urls[0]} does not answer ({what})"
        self._run.say(f"{where}, going on with {up} of {len(self._replicas)} replicas")

    def _refused(self, job: Job, failure: Failure, sent_s: float, now_s: float) -> float | None:
        """The endpoint refuses for now: pause the whole gate as it asks, else as its refusals suggest.

        A request that is refused for as long as an endpoint is waited for, while others are answered, has failed.
        """
        job.refused_s = job.refused_s or now_s
        hopeless = now_s - job.refused_s > (self._patience_s or SILENT_FOR_S)
        told_s = failure.retry_after_s
        pause_s = self._flow.refused(sent_s, now_s, told_s)
        if told_s is not None:
            self._pace.pause(pause_s + self._rng.uniform(0, 0.02 * pause_s + 0.05))
            return None if hopeless else 0.0  # back to the line, behind the pause
        self._hold(pause_s)
        if re.search(r"tokens per min|\btpm\b", failure.message, re.IGNORECASE):
            self._pace.counts_bounds()
        rest_s = self._rng.uniform(0.5, 1.5) * max(PROBE_S, min(MAX_REST_S, self._flow.latency_s / 2))
        self._resting += 1
        asyncio.get_running_loop().call_later(rest_s, self._rested)
        return None if hopeless else rest_s

    def _rested(self) -> None:
        self._resting -= 1
        self._line.news.set()

    def _hold(self, seconds: float) -> None:
        if seconds:
            self._pace.hold(seconds * self._rng.uniform(1, 1.1))

    def _booked(self, done: asyncio.Future[None], job: Job, outcome: Outcome, retry_s: float | None) -> None:
        """The attempt's end is durable: hand the outcome out, or try again."""
        if done.cancelled():
            self._line.resolve(job, None)
        elif (error := done.exception()) is not None:
            self._line.resolve(job, None)
            self._run.stop(_ledger_failed(error))
        elif retry_s is None:
            self._line.resolve(job, outcome)
        else:
            self._line.again(job, retry_s)


def _ahead_of(level: int) -> int:
    """How many calls are booked ahead of a free place."""
    return -(-level // ONE_AHEAD_IN) if level > 1 else 0


def _kind(job: Job) -> str:
    return f"{job.endpoint.name} {job.request.purpose}"


def _wrong_path(endpoint: Endpoint, failure: Failure) -> str:
    """What may be behind a reward model's 404: vLLM has /pooling for each of them, /classify for some."""
    if endpoint.kind != "reward" or failure.reason != "no_such_model":
        return ""
    other = "pooling" if endpoint.reward_path == "classify" else "classify"
    return f'; /{endpoint.reward_path} was asked, reward_path = "{other}" asks /{other}'


def _tokens_used(job: Job, outcome: Outcome) -> int | None:
    """What a call counts against the limit of tokens; None for one that was refused."""
    if isinstance(outcome, Failure):
        sent = outcome.status == 200 or (outcome.status is None and outcome.reason != "unreachable")
        return job.bound if sent else None
    usage = outcome.usage
    if usage.input_tokens is None or usage.output_tokens is None:
        return len(job.body) // 4 + len(outcome.text) // 4
    return usage.input_tokens + usage.output_tokens


def _most(job: Job) -> Amount:
    """The most an attempt can come to: no token is shorter than a byte, so the body's length bounds its input.

    Its output is bounded by the longest answer it allows; a reward model has none, as it writes nothing.
    """
    usd = cost_usd(job.endpoint, len(job.body), job.most_output, 0)
    return Amount(1, len(job.body) + job.most_output, usd)


def _ignore(done: asyncio.Future[None]) -> None:
    """Nobody waits for this booking; should it fail, the ledger's other futures say so."""
    if not done.cancelled():
        done.exception()


def _ledger_failed(error: BaseException) -> Stopped:
    return error if isinstance(error, Stopped) else Stopped("ledger", f"the ledger failed: {error}")
