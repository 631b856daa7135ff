"""Replicas: several servers of one model behind one line, each with its own gate."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from random import Random

import pytest
from wire_fakes import Books, Send, Told, answer, make_endpoint, make_requests, refusal, until

from pairsmith.records import Endpoint, Failure, Outcome
from pairsmith.wire import breaker
from pairsmith.wire.client import TransportError
from pairsmith.wire.faults import RawReply
from pairsmith.wire.gate import Clock
from pairsmith.wire.online import Engine

A, B, C = "http://a.example/v1", "http://b.example/v1", "http://c.example/v1"


@dataclass
class Farm:
    """An engine, what each replica was sent, and what was said."""

    engine: Engine
    endpoint: Endpoint
    told: dict[str, Told]
    said: list[str] = field(default_factory=list)

    @property
    def sent(self) -> dict[str, int]:
        return {url: len(told.sent) for url, told in self.told.items()}

    async def pay(self, count: int) -> list[Outcome | None]:
        return await self.engine.pay(make_requests(self.endpoint, count))


@asynccontextmanager
async def farm(
    sends: Mapping[str, Send], patience_s: float = 0.0, books: Books | None = None, **fields: object
) -> AsyncIterator[Farm]:
    endpoint = replace(make_endpoint(**fields), base_urls=tuple(sends))  # type: ignore[arg-type]
    told = {url: Told(send) for url, send in sends.items()}
    engine = Engine(
        {endpoint.name: endpoint},
        lambda e: told[e.base_urls[0]],
        books or Books(),
        Clock(time.monotonic, time.time, asyncio.sleep),
        Random(0),
        patience_s=patience_s,
    )
    made = Farm(engine, endpoint, told)
    engine.say = made.said.append
    try:
        async with asyncio.timeout(5):
            yield made
    finally:
        await engine.close()


def pay(sends: Mapping[str, Send], count: int, **more: object) -> tuple[list[Outcome | None], Farm]:
    async def paid() -> tuple[list[Outcome | None], Farm]:
        async with farm(sends, **more) as made:  # type: ignore[arg-type]
            return await made.pay(count), made

    return asyncio.run(paid())


def answered(outcomes: Sequence[Outcome | None]) -> None:
    """None of them is anything but an answer."""
    others = [o.reason if isinstance(o, Failure) else "None" for o in outcomes if o is None or isinstance(o, Failure)]
    assert Counter(others) == {}


def answers(after_s: float = 0.002) -> Send:
    async def send(body: bytes, ident: str) -> RawReply:
        await asyncio.sleep(after_s)
        return answer()

    return send


def says(how: Callable[[], RawReply]) -> Send:
    async def send(body: bytes, ident: str) -> RawReply:
        await asyncio.sleep(0.001)
        return how()

    return send


def gone() -> RawReply:
    raise TransportError("unreachable", "Connection refused")


def counted(send: Send, most: list[int]) -> Send:
    """Notes in `most` how many calls were in flight together at most."""
    now = [0]

    async def counting(body: bytes, ident: str) -> RawReply:
        now[0] += 1
        most[0] = max(most[0], now[0])
        try:
            return await send(body, ident)
        finally:
            now[0] -= 1

    return counting


# --- sharing ---------------------------------------------------------------------------------------------


def test_equal_replicas_get_equal_shares() -> None:
    outcomes, made = pay({A: answers(), B: answers(), C: answers()}, 600)

    answered(outcomes)
    assert sum(made.sent.values()) == 600
    assert min(made.sent.values()) > 150


def test_every_replica_has_its_own_concurrency_and_it_is_used() -> None:
    most: dict[str, list[int]] = {A: [0], B: [0]}
    outcomes, _ = pay({url: counted(answers(0.01), most[url]) for url in most}, 200, concurrency=5)

    answered(outcomes)
    assert most == {A: [5], B: [5]}


def test_one_more_replica_makes_a_run_that_much_faster() -> None:
    took_s = []
    for urls in ([A], [A, B]):
        began = time.monotonic()
        answered(pay({url: answers(0.05) for url in urls}, 320, concurrency=16)[0])
        took_s.append(time.monotonic() - began)

    assert took_s[1] < 0.75 * took_s[0]


def test_replicas_are_filled_as_fast_as_one_server_although_booking_takes_time() -> None:
    """Two of 128 calls each must not take turns at the disk's pace."""

    async def sync() -> None:
        await asyncio.sleep(0.005)

    took_s = []
    for urls, concurrency in (([A], 256), ([A, B], 128)):
        began = time.monotonic()
        sends = {url: answers(0.3) for url in urls}
        answered(pay(sends, 256, concurrency=concurrency, books=Books(before_begin=sync))[0])
        took_s.append(time.monotonic() - began)

    assert took_s[1] < 1.5 * took_s[0] + 0.1


def test_a_server_that_is_slow_gets_what_it_can_take() -> None:
    outcomes, made = pay({A: answers(0.002), B: answers(0.1)}, 300, concurrency=4)

    answered(outcomes)
    assert 0 < made.sent[B] < made.sent[A] / 5


def test_limits_are_each_replicas_own() -> None:
    began = time.monotonic()
    outcomes, made = pay({A: answers(), B: answers()}, 40, requests_per_minute=600.0)

    answered(outcomes)
    assert min(made.sent.values()) >= 15
    assert 0.9 < time.monotonic() - began < 2.5  # 40 calls at 2 × 10 a second


def test_no_request_is_sent_twice_where_nothing_fails() -> None:
    outcomes, made = pay({A: answers(), B: answers(), C: answers()}, 300)

    answered(outcomes)
    assert set(Counter(key for told in made.told.values() for key in told.sent).values()) == {1}


# --- one down ----------------------------------------------------------------------------------------------


def test_a_replica_that_is_not_there_costs_its_first_calls_and_then_one_now_and_then(quick: None) -> None:
    outcomes, made = pay({A: answers(0.01), B: says(gone)}, 400)

    answered(outcomes)
    assert made.engine.stopped is None
    assert made.sent[A] == 400
    assert made.sent[B] < 8 + 0.6 / 0.005  # 400 calls take half a second
    assert len([line for line in made.said if "going on with 1 of 2 replicas" in line]) == 1


def test_of_three_replicas_two_may_be_down_and_each_is_told_once(quick: None) -> None:
    outcomes, made = pay({A: says(gone), B: answers(0.01), C: says(gone)}, 400)

    answered(outcomes)
    told = [line for line in made.said if "going on with" in line]
    assert len(told) == 2
    assert "1 of 3" in told[-1]
    assert sorted(url for url in (A, C) for line in told if url in line) == [A, C]


def test_requests_do_not_lose_their_tries_at_a_replica_that_is_down_while_the_other_takes_its_time(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute for an answer and a try every 4 s, both 500 times as fast: the one that is down gets more calls."""
    outcomes, made = pay({A: answers(0.12), B: says(gone)}, 80, concurrency=8)

    answered(outcomes)
    assert made.engine.stopped is None


@pytest.mark.parametrize("how", [gone, lambda: refusal(503), lambda: refusal(500), lambda: refusal(502)])
def test_where_all_are_down_the_run_stops(quick: None, how: Callable[[], RawReply]) -> None:
    outcomes, made = pay({A: says(how), B: says(how)}, 100)

    assert outcomes == [None] * 100
    assert made.engine.stopped is not None
    assert made.engine.stopped.reason == ("unreachable" if how is gone else "broken_endpoint")


def test_a_replica_that_comes_back_is_used_as_before(quick: None) -> None:
    async def paid() -> None:
        down = [True]
        slow = answers(0.005)

        async def send(body: bytes, ident: str) -> RawReply:
            return gone() if down[0] else await slow(body, ident)

        async with farm({A: slow, B: send}) as made:
            answered(await made.pay(200))
            assert made.engine.stopped is None
            down[0] = False
            before = made.sent[A], made.sent[B]
            answered(await made.engine.pay(make_requests(made.endpoint, 300, text="And the sea?")))
            assert made.sent[B] - before[1] > 75
            assert made.sent[A] - before[0] > 75

    asyncio.run(paid())


def test_a_replica_that_is_down_again_is_told_again(quick: None) -> None:
    async def paid() -> None:
        down = [True]
        slow = answers(0.005)

        async def send(body: bytes, ident: str) -> RawReply:
            await asyncio.sleep(0.001)
            return gone() if down[0] else await slow(body, ident)

        async with farm({A: slow, B: send}) as made:
            for place, is_down in enumerate((True, False, True)):
                down[0] = is_down
                answered(await made.engine.pay(make_requests(made.endpoint, 300, text=f"Question {place}?")))
            assert made.engine.stopped is None
            assert len([line for line in made.said if "going on with 1 of 2 replicas" in line]) == 2

    asyncio.run(paid())


def test_the_last_calls_of_a_run_are_not_held_by_a_replica_that_is_down() -> None:
    """With the pauses as they are, of up to 5 s; what was booked for it before it failed goes to the other."""

    async def sync() -> None:
        await asyncio.sleep(0.005)

    began = time.monotonic()
    sends = {A: answers(0.02), B: says(gone)}
    outcomes, _ = pay(sends, 200, concurrency=64, books=Books(before_begin=sync))

    answered(outcomes)
    assert time.monotonic() - began < 2.0


# --- one that asks for a pause ---------------------------------------------------------------------------------


def test_a_pause_that_one_replica_asks_for_does_not_keep_requests_from_the_other() -> None:
    refused = says(lambda: refusal(429, headers={"retry-after": "3"}))
    began = time.monotonic()
    outcomes, made = pay({A: answers(), B: refused}, 100)

    answered(outcomes)
    assert time.monotonic() - began < 2.0
    assert made.sent[B] <= 8 + 1


def test_a_replica_that_only_throttles_is_given_up_and_the_run_goes_on(
    quick: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "SILENT_FOR_S", 0.2)
    outcomes, made = pay({A: answers(0.01), B: says(lambda: refusal(429))}, 400)

    answered(outcomes)
    assert made.engine.stopped is None


# --- what concerns all ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "reason"), [(refusal(401), "refused_key"), (refusal(402), "quota")])
def test_what_only_the_user_can_mend_stops_the_run_at_any_replica(how: RawReply, reason: str) -> None:
    _, made = pay({A: answers(0.05), B: says(lambda: how)}, 100)

    assert made.engine.stopped is not None
    assert made.engine.stopped.reason == reason


def test_a_request_that_fails_for_good_at_one_replica_is_not_tried_at_the_other() -> None:
    too_long = says(lambda: refusal(400, code="context_length_exceeded"))
    _, made = pay({A: too_long, B: too_long}, 20)

    assert sum(made.sent.values()) == 20


def test_what_is_too_large_for_the_limit_is_told_once() -> None:
    outcomes, made = pay({A: answers(), B: answers()}, 20, tokens_per_minute=50.0)

    assert [getattr(outcome, "reason", None) for outcome in outcomes] == ["over_token_limit"] * 20
    assert sum(made.sent.values()) == 0
    assert len(made.said) == 1


def test_what_is_too_large_for_one_replicas_announced_limit_is_left_to_the_other() -> None:
    small = {"x-ratelimit-limit-tokens": "50", "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "60s"}

    async def send(body: bytes, ident: str) -> RawReply:
        await asyncio.sleep(0.002)
        return replace(answer(), headers=small)

    outcomes, made = pay({A: answers(), B: send}, 100)

    answered(outcomes)
    assert made.sent[B] <= 16


def test_replicas_are_closed_in_the_middle_of_their_calls() -> None:
    async def closed() -> None:
        async with farm({A: answers(60.0), B: answers(60.0)}) as made:
            paying: Awaitable[list[Outcome | None]] = asyncio.ensure_future(made.pay(50))
            await until(lambda: sum(made.sent.values()) == 16)
            began = time.monotonic()
            await made.engine.close()
            assert set(await paying) == {None}
            assert time.monotonic() - began < 1.0

    asyncio.run(closed())
