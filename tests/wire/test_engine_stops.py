"""How a run ends: nothing more is sent, nothing hangs, nothing that was answered is lost."""

import asyncio

import pytest
from wire_fakes import (
    Books,
    Told,
    answer,
    engine_of,
    make_endpoint,
    make_requests,
    refusal,
    texts,
    until,
)

from pairsmith.errors import Stopped
from pairsmith.records import Failure, Outcome, Purpose, Reply
from pairsmith.simulator import Settings, running
from pairsmith.wire import gate
from pairsmith.wire.client import OpenAITransport
from pairsmith.wire.faults import RawReply
from pairsmith.wire.online import Engine
from pairsmith.wire.session import SessionTransport

pytestmark = pytest.mark.usefixtures("quick")

# --- stopping --------------------------------------------------------------------------------------


def test_nothing_is_sent_after_stop_not_even_what_is_being_booked() -> None:
    async def pay() -> list[Outcome | None]:
        booking, waiting = asyncio.Event(), []

        async def wait() -> None:
            waiting.append(1)
            await booking.wait()

        books.before_begin = wait
        endpoint = make_endpoint()
        async with engine_of(endpoint, transport, books) as engine:
            paying = asyncio.create_task(engine.pay(make_requests(endpoint, 20)))
            await until(lambda: len(waiting) == 9)  # one of them is booked ahead
            engine.stop(Stopped("interrupted", "interrupted"))
            booking.set()
            assert await engine.pay(make_requests(endpoint, 2)) == [None, None]
            return await paying

    async def reply(body: bytes, ident: str) -> RawReply:
        return answer()

    books, transport = Books(), Told(reply)

    assert asyncio.run(pay()) == [None] * 20
    assert transport.sent == []
    assert {outcome.reason for outcome in books.ended.values() if isinstance(outcome, Failure)} == {"not_sent"}
    assert len(books.ended) == len(books.begun) == 9


def test_calls_in_flight_may_finish_after_stop_and_their_answers_are_kept() -> None:
    async def pay() -> tuple[list[Outcome | None], Books]:
        released = asyncio.Event()

        async def wait(body: bytes, ident: str) -> RawReply:
            await released.wait()
            return answer()

        books, endpoint, transport = Books(), make_endpoint(concurrency=3), Told(wait)
        async with engine_of(endpoint, transport, books) as engine:
            paying = asyncio.create_task(engine.pay(make_requests(endpoint, 5)))
            await until(lambda: len(transport.sent) >= 3)
            engine.stop(Stopped("interrupted", "interrupted"))
            released.set()
            return await paying, books

    outcomes, books = asyncio.run(pay())

    assert [isinstance(outcome, Reply) for outcome in outcomes] == [True] * 3 + [False] * 2
    assert len(books.raw) == 3


def test_a_failure_after_stop_is_not_tried_again() -> None:
    async def pay() -> tuple[list[Outcome | None], int]:
        released = asyncio.Event()

        async def fail(body: bytes, ident: str) -> RawReply:
            await released.wait()
            return refusal(503)

        endpoint, transport = make_endpoint(), Told(fail)
        async with engine_of(endpoint, transport) as engine:
            paying = asyncio.create_task(engine.pay(make_requests(endpoint)))
            await until(lambda: transport.sent)
            engine.stop(Stopped("interrupted", "interrupted"))
            released.set()
            return await paying, len(transport.sent)

    assert asyncio.run(pay()) == ([None], 1)


def test_what_waits_for_its_next_try_is_given_up_at_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "BACKOFF_S", 1000.0)

    async def fail(body: bytes, ident: str) -> RawReply:
        return refusal(503)

    async def pay() -> list[Outcome | None]:
        endpoint = make_endpoint()
        async with engine_of(endpoint, Told(fail), books) as engine, asyncio.timeout(2):
            paying = asyncio.create_task(engine.pay(make_requests(endpoint)))
            await until(lambda: books.ended)
            await asyncio.sleep(0)
            engine.stop(Stopped("interrupted", "interrupted"))
            return await paying

    books = Books()

    assert asyncio.run(pay()) == [None]


def test_the_first_reason_to_stop_stays_and_whoever_asked_is_told_once() -> None:
    async def stop() -> tuple[Stopped | None, list[str]]:
        told: list[str] = []
        async with engine_of(make_endpoint(), Told(lambda body, ident: asyncio.sleep(0, answer()))) as engine:
            engine.on_stop(lambda: told.append("once"))
            engine.stop(Stopped("quota", "first"))
            engine.stop(Stopped("interrupted", "second"))
            return engine.stopped, told

    stopped, told = asyncio.run(stop())

    assert stopped is not None
    assert (stopped.reason, told) == ("quota", ["once"])


def test_closing_with_calls_that_hang_is_orderly_and_at_once(
    transport: type[SessionTransport | OpenAITransport],
) -> None:
    with running(Settings(faults={"hang": 1.0})) as simulator:
        endpoint, books = make_endpoint(simulator.base_url), Books()

        async def pay() -> list[Outcome | None]:
            async with engine_of(endpoint, transport(simulator.base_url, None, 8, 10.0), books) as engine:
                paying = asyncio.create_task(engine.pay(make_requests(endpoint, 20)))
                await until(lambda: simulator.stats.requests >= 8)
                async with asyncio.timeout(1):
                    await engine.close()
                    return await paying

        assert asyncio.run(pay()) == [None] * 20
    unsent = [outcome.reason for outcome in books.ended.values() if isinstance(outcome, Failure)]
    assert len(books.begun) - len(unsent) == 8
    assert set(unsent) <= {"not_sent"}  # what was booked ahead


def test_what_nobody_waits_for_any_longer_is_not_sent() -> None:
    async def pay() -> list[str]:
        released = asyncio.Event()

        async def wait(body: bytes, ident: str) -> RawReply:
            await released.wait()
            return answer()

        endpoint, transport = make_endpoint(concurrency=1), Told(wait)
        first, *others = make_requests(endpoint, 5)
        async with engine_of(endpoint, transport) as engine:
            paying = asyncio.create_task(engine.pay([first]))
            forgotten = asyncio.create_task(engine.pay(others))
            await until(lambda: transport.sent)
            forgotten.cancel()
            await asyncio.wait([forgotten])
            released.set()
            await paying
            await engine.pay(make_requests(endpoint, 1, Purpose.DUEL))
        return transport.sent[:1] + [key for key in transport.sent if key in {request.id for request in others}]

    assert len(asyncio.run(pay())) == 1


def test_what_two_ask_for_at_a_time_is_bought_once_and_one_may_leave() -> None:
    async def pay() -> tuple[list[str], list[Outcome | None], list[Outcome | None]]:
        released = asyncio.Event()

        async def wait(body: bytes, ident: str) -> RawReply:
            await released.wait()
            return answer()

        endpoint, transport = make_endpoint(), Told(wait)
        requests = make_requests(endpoint, 2)
        async with engine_of(endpoint, transport) as engine:
            one, two, leaving = (asyncio.create_task(engine.pay(requests)) for _ in range(3))
            await until(lambda: transport.sent)
            leaving.cancel()
            await asyncio.wait([leaving])
            released.set()
            return transport.sent, await one, await two

    sent, one, two = asyncio.run(pay())

    assert len(sent) == 2
    assert texts(one) == texts(two)


def test_an_error_of_our_own_ends_the_run_instead_of_hanging_and_shows_no_key() -> None:
    async def crash(body: bytes, ident: str) -> RawReply:
        raise RuntimeError("cannot send Bearer very-secret-0123")

    async def pay() -> tuple[list[Outcome | None], Engine]:
        endpoint = make_endpoint()
        async with engine_of(endpoint, Told(crash), keys=["very-secret-0123"]) as engine, asyncio.timeout(2):
            return await engine.pay(make_requests(endpoint, 20)), engine

    outcomes, engine = asyncio.run(pay())

    assert outcomes == [None] * 20
    assert isinstance(engine.fault, RuntimeError)
    assert engine.stopped is not None
    assert engine.stopped.reason == "internal_error"
    assert "secret" not in engine.stopped.sentence


def test_paying_for_nothing_is_free() -> None:
    async def pay() -> list[Outcome | None]:
        async with engine_of(make_endpoint(), Told(lambda body, ident: asyncio.sleep(0, answer()))) as engine:
            return await engine.pay([])

    assert asyncio.run(pay()) == []
