"""Fakes for the engine's tests: accounts in memory, transports that are told what to answer, a clock moved by hand."""

import asyncio
import gc
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any

import orjson

from pairsmith.records import (
    ChatRequest,
    Endpoint,
    EndpointName,
    Outcome,
    Price,
    PromptId,
    Purpose,
    Reply,
    RequestId,
    chat_request,
)
from pairsmith.simulator import Settings, running
from pairsmith.wire.client import OpenAITransport, Transport
from pairsmith.wire.faults import RawReply
from pairsmith.wire.gate import Accounts, Clock
from pairsmith.wire.money import Budget
from pairsmith.wire.online import Engine
from pairsmith.wire.session import SessionTransport

Send = Callable[[bytes, str], Awaitable[RawReply]]
IDENT = RequestId("request")
PRICE = Price(input=1.0, output=2.0)


def make_endpoint(url: str = "http://unused/v1", name: str = "student", **fields: Any) -> Endpoint:
    given = {"model": "sim-student", "identity": name, "concurrency": 8, "timeout_s": 10.0, "price": PRICE, **fields}
    return Endpoint(name=EndpointName(name), base_urls=(url,), **given)


def make_requests(
    endpoint: Endpoint, count: int = 1, purpose: Purpose = Purpose.SAMPLE, text: str = "Why is the sky blue?"
) -> list[ChatRequest]:
    body: Mapping[str, Any] = {"messages": [{"role": "user", "content": text}], "max_tokens": 64}
    return [chat_request(PromptId("p"), purpose, endpoint, body, draw) for draw in range(count)]


def answer(text: str = "Hello.", input_tokens: int = 3, output_tokens: int = 2) -> RawReply:
    usage = {"prompt_tokens": input_tokens, "completion_tokens": output_tokens}
    choice = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return RawReply(200, {}, orjson.dumps({"choices": [choice], "usage": usage}))


def refusal(http: int, message: str = "No.", headers: Mapping[str, str] | None = None, **more: Any) -> RawReply:
    return RawReply(http, headers or {}, orjson.dumps({"error": {"message": message, **more}}))


@dataclass
class Books:
    """Accounts in memory. Durable at once, unless begin() is told to fail or to wait."""

    begun: list[RequestId] = field(default_factory=list)
    ended: dict[int, Outcome] = field(default_factory=dict)
    raw: dict[RequestId, bytes] = field(default_factory=dict)
    most: dict[int, float] = field(default_factory=dict)
    most_tokens: dict[int, int] = field(default_factory=dict)
    paid_usd: float = 0.0
    paid_tokens: int = 0
    highest_usd: float = 0.0  # paid and in flight together, at the worst moment
    highest_tokens: int = 0
    full: Exception | None = None
    before_begin: Callable[[], Awaitable[object]] | None = None

    async def begin(self, request: ChatRequest, max_cost_usd: float | None, max_tokens: int) -> int:
        if self.full is not None:
            raise self.full
        if self.before_begin is not None:
            await self.before_begin()
        self.begun.append(request.id)
        self.most[len(self.begun)] = max_cost_usd or 0.0
        self.most_tokens[len(self.begun)] = max_tokens
        self.highest_usd = max(self.highest_usd, self.paid_usd + sum(self.most.values()))
        self.highest_tokens = max(self.highest_tokens, self.paid_tokens + sum(self.most_tokens.values()))
        return len(self.begun)

    def finish(
        self, attempt: int, request: ChatRequest, outcome: Outcome, raw: bytes | None, cost_usd: float | None
    ) -> asyncio.Future[None]:
        self.ended[attempt] = outcome
        self.paid_usd += cost_usd or 0.0
        if isinstance(outcome, Reply):
            self.paid_tokens += (outcome.usage.input_tokens or 0) + (outcome.usage.output_tokens or 0)
        del self.most[attempt], self.most_tokens[attempt]
        if raw is not None:
            self.raw[request.id] = raw
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        done.set_result(None)
        return done


class Told:
    """A transport that does what a function says; `sent` holds the keys in the order of sending."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.sent: list[str] = []

    async def send(self, body: bytes, idempotency_key: str) -> RawReply:
        self.sent.append(idempotency_key)
        return await self._send(body, idempotency_key)

    async def close(self) -> None:
        """Nothing to close."""


class Watched:
    """A real transport, and when each call left and came back with which status (0: none)."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.left_s: list[float] = []
        self.back: list[tuple[float, int]] = []

    async def send(self, body: bytes, idempotency_key: str) -> RawReply:
        self.left_s.append(time.monotonic())
        status = 0
        try:
            raw = await self._inner.send(body, idempotency_key)
            status = raw.status
            return raw
        finally:
            self.back.append((time.monotonic(), status))

    async def close(self) -> None:
        await self._inner.close()


class HandClock:
    """A clock that only moves when somebody sleeps on it."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.sleepers = 0
        self.most_sleepers = 0

    def monotonic(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        self.sleepers += 1
        self.most_sleepers = max(self.most_sleepers, self.sleepers)
        await asyncio.sleep(0)
        self.now_s += seconds
        self.sleepers -= 1


@asynccontextmanager
async def engine_of(
    endpoint: Endpoint,
    transport: Transport | None = None,
    accounts: Accounts | None = None,
    budget: Budget | None = None,
    keys: Sequence[str] = (),
) -> AsyncIterator[Engine]:
    """An engine for one endpoint on real time, closed at the end; nothing may reach the loop's last resort."""
    unheard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: unheard.append(context))
    engine = Engine(
        {endpoint.name: endpoint},
        lambda e: transport or SessionTransport(e.base_urls[0], None, e.concurrency, e.timeout_s),
        accounts if accounts is not None else Books(),
        Clock(time.monotonic, time.time, asyncio.sleep),
        Random(0),
        keys,
        budget,
    )
    try:
        yield engine
    finally:
        await engine.close()
    gc.collect()
    await asyncio.sleep(0)
    assert not unheard


def texts(outcomes: Sequence[Outcome | None]) -> list[str]:
    """The answers' texts; fails where there is none."""
    assert all(isinstance(outcome, Reply) for outcome in outcomes), [o for o in outcomes if not isinstance(o, Reply)]
    return [outcome.text for outcome in outcomes if isinstance(outcome, Reply)]


async def until(condition: Callable[[], object]) -> None:
    """Let others go on until this holds."""
    while not condition():  # noqa: ASYNC110 — what is waited for has no event
        await asyncio.sleep(0.001)


VERDICT = 'Judge this. Reply {"rationale": "...", "score": 1..10}'


@dataclass
class Ran:
    outcomes: list[Outcome | None]
    engine: Engine
    books: Books
    keys: Counter[str]  # what the server saw: requests by Idempotency-Key
    took_s: float


def run(
    faults: dict[str, float],
    count: int = 1,
    transport: type[SessionTransport | OpenAITransport] = SessionTransport,
    retry_after_s: float = 0.02,
    **fields: object,
) -> Ran:
    """Pay so many requests at a simulator with these faults."""

    async def pay(base_url: str) -> Ran:
        endpoint, books, started = make_endpoint(base_url, **fields), Books(), time.monotonic()
        made = transport(base_url, None, endpoint.concurrency, endpoint.timeout_s)
        async with engine_of(endpoint, made, books) as engine:
            async with asyncio.timeout(20):
                outcomes = await engine.pay(make_requests(endpoint, count, text=VERDICT))
        return Ran(outcomes, engine, books, simulator.stats.keys, time.monotonic() - started)

    with running(Settings(faults=faults, retry_after_s=retry_after_s)) as simulator:
        return asyncio.run(pay(simulator.base_url))


def pay_with(
    transport: Told, endpoint: Endpoint, count: int = 1, books: Books | None = None
) -> tuple[list[Outcome | None], Engine]:
    async def pay() -> tuple[list[Outcome | None], Engine]:
        async with engine_of(endpoint, transport, books) as engine, asyncio.timeout(10):
            return await engine.pay(make_requests(endpoint, count)), engine

    return asyncio.run(pay())
