"""The cap on what a run may pay."""

import asyncio
from collections import Counter
from dataclasses import replace

import pytest
from wire_fakes import (
    Books,
    Ran,
    Told,
    answer,
    engine_of,
    make_endpoint,
    make_requests,
    refusal,
    texts,
)

from pairsmith.records import Amount, Price
from pairsmith.wire.client import TransportError
from pairsmith.wire.faults import RawReply
from pairsmith.wire.money import Budget, Caps

pytestmark = pytest.mark.usefixtures("quick")

# --- the cap ---------------------------------------------------------------------------------------


def spend(
    cap_usd: float, spent_usd: float = 0.0, reply: RawReply | None = None, **fields: object
) -> tuple[Ran, Budget]:
    """Ask for 200 calls under a cap; each costs 0.000007 USD, and at most far more."""

    async def send(body: bytes, ident: str) -> RawReply:
        await asyncio.sleep(0)
        return reply or answer(input_tokens=3, output_tokens=2)

    async def pay() -> tuple[Ran, Budget]:
        endpoint, books, transport = make_endpoint(**fields), Books(paid_usd=spent_usd), Told(send)
        budget = Budget(Caps(usd=cap_usd), Amount(usd=spent_usd))
        async with engine_of(endpoint, transport, books, budget) as engine, asyncio.timeout(10):
            outcomes = await engine.pay(make_requests(endpoint, 200))
        return Ran(outcomes, engine, books, Counter(transport.sent), 0.0), budget

    return asyncio.run(pay())


@pytest.mark.parametrize("concurrency", [1, 8, 64])
@pytest.mark.parametrize("cap_usd", [0.0003, 0.001, 0.00139])
def test_what_is_paid_and_in_flight_never_exceeds_the_cap_and_the_cap_is_used(cap_usd: float, concurrency: int) -> None:
    ran, budget = spend(cap_usd, concurrency=concurrency)

    most_usd = cap_usd - ran.books.paid_usd
    assert ran.books.highest_usd <= cap_usd + 1e-12
    assert ran.engine.stopped is not None
    assert ran.engine.stopped.reason == "budget"
    assert "--max-cost" in ran.engine.stopped.sentence
    # It ends only when not even one more call would fit, not when those in flight happen to fill it.
    assert most_usd < 0.0004
    assert budget.in_flight == 0


def test_what_the_folder_spent_before_counts() -> None:
    ran, _ = spend(0.001, spent_usd=0.0009)

    assert ran.keys.total() == 0
    assert ran.engine.stopped is not None


def test_below_the_cap_everything_is_answered() -> None:
    ran, budget = spend(1.0)

    texts(ran.outcomes)
    assert budget.spent.usd == pytest.approx(200 * 7e-6) == pytest.approx(ran.books.paid_usd)
    assert ran.engine.tally.cost_usd == pytest.approx(budget.spent.usd)


def test_without_a_price_nothing_is_sent_under_a_cap() -> None:
    ran, _ = spend(1.0, price=None)

    assert ran.keys.total() == 0


@pytest.mark.parametrize(
    ("reply", "counts"),
    [
        (replace(answer(), body=b'{"choices": [{"message": {"content": "x"}}]}'), True),
        (RawReply(200, {}, b"<html>"), True),
        (refusal(400, code="content_filter"), False),
        (refusal(503), False),
    ],
    ids=["no usage", "unreadable", "refused", "overloaded"],
)
def test_a_call_counts_with_the_most_it_can_cost_unless_it_was_surely_free(reply: RawReply, counts: bool) -> None:
    _, budget = spend(1.0, reply=reply)

    assert ((budget.spent.usd or 0.0) > 0.001) == counts


@pytest.mark.parametrize(("reason", "counts"), [("unreachable", False), ("reset", True), ("timeout", True)])
def test_a_call_that_broke_off_on_the_way_may_have_been_billed(reason: str, counts: bool) -> None:
    async def fail(body: bytes, ident: str) -> RawReply:
        raise TransportError(reason, "gone")

    async def pay() -> float | None:
        endpoint, budget = make_endpoint(price=Price(1.0, 1.0)), Budget(Caps(usd=1.0))
        async with engine_of(endpoint, Told(fail), budget=budget) as engine:
            await engine.pay(make_requests(endpoint))
        return budget.spent.usd

    assert bool(asyncio.run(pay())) == counts
