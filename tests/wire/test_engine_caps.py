"""The four caps on what a run folder may come to: never exceeded, whatever the order in which calls end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_fakes import Books, Told, answer, engine_of, make_endpoint, make_requests, refusal

from pairsmith.errors import Stopped
from pairsmith.records import Amount
from pairsmith.wire.client import TransportError
from pairsmith.wire.faults import RawReply
from pairsmith.wire.money import Budget, Caps

# --- the arithmetic ----------------------------------------------------------------------------------


@dataclass
class Seen:
    """What a test counts by itself: calls that have ended, and calls in flight at their most."""

    caps: Caps
    ended: list[Amount] = field(default_factory=list)
    in_flight: list[Amount] = field(default_factory=list)

    def fits(self, *more: Amount) -> bool:
        every = [*self.ended, *self.in_flight, *more]
        sums = sum(one.usd or 0 for one in every), sum(one.calls for one in every), sum(one.tokens for one in every)
        caps = self.caps.usd, self.caps.calls, self.caps.tokens
        return all(cap is None or total <= cap + 1e-9 for total, cap in zip(sums, caps, strict=True))


@st.composite
def calls(draw: st.DrawFn) -> tuple[Amount, Amount, int]:
    """The most that a call can come to, what it comes to, and how many turns of the loop it takes."""
    most = Amount(1, draw(st.integers(0, 100)), draw(st.integers(0, 100)) / 64)
    share = draw(st.sampled_from([0.0, 0.3, 1.0]))
    paid = Amount(draw(st.integers(0, 1)), int(most.tokens * share), (most.usd or 0.0) * share)
    return most, paid, draw(st.integers(0, 4))


CAPS = st.builds(
    Caps,
    usd=st.none() | st.integers(0, 400).map(lambda n: n / 64),
    calls=st.none() | st.integers(0, 12),
    tokens=st.none() | st.integers(0, 400),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(calls(), max_size=25), CAPS, st.integers(1, 6))
def test_what_is_spent_or_in_flight_never_exceeds_a_cap_in_whatever_order_calls_end(
    asked: Sequence[tuple[Amount, Amount, int]], caps: Caps, workers: int
) -> None:
    seen, queue, budget = Seen(caps), list(asked), Budget(caps)

    async def work(stopping: asyncio.Event) -> None:
        while queue:
            most, paid, turns = queue.pop()
            if not await budget.take(most, stopping):
                assert not seen.in_flight  # it waits for as long as others may leave it room
                assert not seen.fits(most)
                continue
            seen.in_flight.append(most)
            assert seen.fits()
            for _ in range(turns):
                await asyncio.sleep(0)
            seen.in_flight.remove(most)
            seen.ended.append(paid)
            budget.settle(most, paid)

    async def whole() -> None:
        async with asyncio.timeout(10):
            await asyncio.gather(*[work(asyncio.Event()) for _ in range(workers)])

    asyncio.run(whole())
    assert budget.in_flight == 0
    assert budget.spent.calls == sum(one.calls for one in seen.ended)
    assert budget.spent.tokens == sum(one.tokens for one in seen.ended)
    assert budget.spent.usd == pytest.approx(sum(one.usd or 0.0 for one in seen.ended))


def test_whoever_waits_for_room_is_let_go_when_the_run_stops() -> None:
    async def story() -> bool:
        budget, stopping = Budget(Caps(calls=1)), asyncio.Event()
        assert await budget.take(Amount(1), stopping)
        waiting = asyncio.create_task(budget.take(Amount(1), stopping))
        await asyncio.sleep(0)
        stopping.set()
        budget.wake()
        async with asyncio.timeout(5):
            return await waiting

    assert asyncio.run(story()) is False


def test_once_the_time_is_up_no_call_is_taken_though_others_are_in_flight() -> None:
    async def story() -> tuple[bool, Stopped]:
        budget = Budget(Caps(minutes=1.5))
        assert await budget.take(Amount(1), asyncio.Event())
        budget.time_is_up = True
        return await budget.take(Amount(1), asyncio.Event()), budget.reached(Amount(1))

    taken, why = asyncio.run(story())
    assert not taken
    assert why.reason == "max_minutes"
    assert "--max-minutes 1.5 is reached" in why.sentence


# --- the engine --------------------------------------------------------------------------------------


def pay(caps: Caps, reply: RawReply | TransportError, count: int = 100, **fields: object) -> tuple[int, Books, Budget]:
    """Ask for so many calls under these caps: how many left, how they were booked, and what counts."""

    async def send(body: bytes, ident: str) -> RawReply:
        await asyncio.sleep(0)
        if isinstance(reply, TransportError):
            raise reply
        return reply

    async def story() -> tuple[int, Books, Budget]:
        endpoint, books, transport, budget = make_endpoint(**fields), Books(), Told(send), Budget(caps)
        async with engine_of(endpoint, transport, books, budget) as engine, asyncio.timeout(10):
            await engine.pay(make_requests(endpoint, count))
        assert budget.in_flight == 0
        if engine.stopped is not None:
            books.full = engine.stopped
        return len(transport.sent), books, budget

    return asyncio.run(story())


def reason(books: Books) -> str | None:
    return books.full.reason if isinstance(books.full, Stopped) else None


@pytest.mark.parametrize("concurrency", [1, 8, 64])
def test_not_one_call_more_than_allowed_is_sent_and_not_one_fewer(concurrency: int) -> None:
    sent, books, _ = pay(Caps(calls=37), answer(), price=None, concurrency=concurrency)

    assert sent == 37
    assert reason(books) == "max_calls"


@pytest.mark.parametrize("concurrency", [1, 8, 64])
def test_the_tokens_used_and_in_flight_never_exceed_the_cap_and_the_cap_is_used(concurrency: int) -> None:
    cap = 600
    sent, books, budget = pay(Caps(tokens=cap), answer(), price=None, concurrency=concurrency)

    assert 0 < books.highest_tokens <= cap
    assert books.paid_tokens == 5 * sent == budget.spent.tokens
    assert cap - books.paid_tokens < 200  # it ends only when not even one more call could fit
    assert reason(books) == "max_tokens"


def test_an_answer_whose_tokens_are_not_told_counts_with_the_most_it_could_use() -> None:
    untold = RawReply(200, {}, b'{"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}')
    sent, books, budget = pay(Caps(tokens=2000), untold, price=None)

    assert reason(books) == "max_tokens"
    assert budget.spent.tokens > 2000 - 200
    assert budget.spent.tokens % sent == 0
    assert budget.spent.tokens // sent > 64


@pytest.mark.usefixtures("quick")
def test_every_attempt_that_may_have_left_is_a_call_and_a_refused_one_uses_no_token() -> None:
    sent, books, budget = pay(Caps(calls=4), refusal(503), count=1)

    assert sent == 4
    assert reason(books) == "max_calls"
    assert budget.spent == Amount(4, 0, 0.0)


@pytest.mark.usefixtures("quick")
def test_a_connection_that_never_came_about_is_no_call() -> None:
    sent, books, budget = pay(Caps(calls=2), TransportError("unreachable", "gone"), count=1)

    assert sent > 2
    assert reason(books) != "max_calls"
    assert budget.spent == Amount()
