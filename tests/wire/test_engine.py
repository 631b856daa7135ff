"""The engine: what is booked, in which order it is sent, how it pauses and lives through outages."""

import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest
from wire_fakes import (
    Books,
    HandClock,
    Told,
    Watched,
    answer,
    engine_of,
    make_endpoint,
    make_requests,
    pay_with,
    refusal,
    texts,
    until,
)

from pairsmith.errors import Stopped
from pairsmith.ledger import open_ledger
from pairsmith.records import Endpoint, EndpointName, Outcome, Purpose, Reply
from pairsmith.simulator import Settings, running
from pairsmith.wire import gate
from pairsmith.wire.client import Transport, TransportError
from pairsmith.wire.faults import RawReply
from pairsmith.wire.gate import Clock
from pairsmith.wire.online import Engine
from pairsmith.wire.session import SessionTransport
from pairsmith.wire.stored import read_stored

pytestmark = pytest.mark.usefixtures("quick")

# --- the ledger ------------------------------------------------------------------------------------


def test_in_the_real_ledger_every_attempt_is_a_row_and_every_answer_stands_as_it_came(tmp_path: Path) -> None:
    with running(Settings(faults={"503": 0.3, "429-after": 0.2}, retry_after_s=0.01)) as simulator:
        endpoint = make_endpoint(simulator.base_url)

        async def pay() -> tuple[int, int]:
            ledger = open_ledger(tmp_path / "ledger.sqlite3", time.time, create=True)
            async with engine_of(endpoint, accounts=ledger) as engine:
                outcomes = await engine.pay(make_requests(endpoint, 20))
            await ledger.flush()
            stored = ledger.stored(make_requests(endpoint)[0].prompt_id)
            for outcome, text in zip(outcomes, texts(outcomes), strict=True):
                assert outcome is not None
                again = read_stored(outcome.request_id, stored[outcome.request_id])
                assert isinstance(again, Reply)
                assert again.text == text
            spent = ledger.spent()
            await ledger.close()
            return spent.calls, spent.attempts

        calls, attempts = asyncio.run(pay())

        assert (calls, attempts) == (20, simulator.stats.requests)


def test_a_ledger_that_is_full_stops_the_run_and_nothing_is_sent() -> None:
    async def never(body: bytes, ident: str) -> RawReply:
        raise AssertionError

    transport = Told(never)
    outcomes, engine = pay_with(transport, make_endpoint(), 20, Books(full=Stopped("disk_full", "the disk is full")))

    assert outcomes == [None] * 20
    assert engine.stopped is not None
    assert engine.stopped.reason == "disk_full"
    assert transport.sent == []


def test_any_other_error_of_the_ledger_stops_the_run_too() -> None:
    async def reply(body: bytes, ident: str) -> RawReply:
        return answer()

    outcomes, engine = pay_with(Told(reply), make_endpoint(), 3, Books(full=ValueError("odd")))

    assert outcomes == [None] * 3
    assert engine.stopped is not None
    assert engine.stopped.sentence == "the ledger failed: odd"


def test_an_answer_that_could_not_be_stored_is_handed_to_nobody() -> None:
    class Failing(Books):
        def finish(self, *args: object) -> "asyncio.Future[None]":  # type: ignore[override]
            done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            done.set_exception(Stopped("disk_full", "the disk is full"))
            return done

    async def reply(body: bytes, ident: str) -> RawReply:
        return answer()

    outcomes, engine = pay_with(Told(reply), make_endpoint(), 3, Failing())

    assert outcomes == [None] * 3
    assert engine.stopped is not None
    assert engine.stopped.reason == "disk_full"


# --- order -----------------------------------------------------------------------------------------


def test_judge_requests_go_before_samples_and_equals_in_the_order_of_asking() -> None:
    endpoint = make_endpoint(concurrency=1)
    queued = [purpose for purpose in Purpose if purpose is not Purpose.PROBE]  # which is asked beside every line
    asked = {purpose: make_requests(endpoint, 2, purpose) for purpose in queued}
    last = [*asked[Purpose.SAMPLE], *asked[Purpose.EXPAND]]
    then = [*asked[Purpose.FAMILY], *asked[Purpose.REFERENCE], *asked[Purpose.SCORE], *asked[Purpose.ASSESS]]

    async def reply(body: bytes, ident: str) -> RawReply:
        return answer()

    async def pay() -> None:
        async with engine_of(endpoint, transport) as engine:
            await asyncio.gather(*[engine.pay(requests) for requests in asked.values()])

    transport = Told(reply)
    asyncio.run(pay())

    in_turn = [*asked[Purpose.RANK], *asked[Purpose.DUEL], *then, *last]
    assert transport.sent == [request.id for request in in_turn]


def test_a_judge_request_that_comes_in_while_samples_wait_for_their_turn_goes_first() -> None:
    endpoint = make_endpoint(concurrency=4, requests_per_minute=600)
    samples, (score,) = make_requests(endpoint, 14), make_requests(endpoint, 1, Purpose.SCORE)

    async def reply(body: bytes, ident: str) -> RawReply:
        return answer()

    async def pay() -> None:
        async with engine_of(endpoint, transport) as engine:
            paying = asyncio.create_task(engine.pay(samples))
            await until(lambda: len(transport.sent) >= 10)  # the first second's share has left; all workers wait
            await asyncio.gather(paying, engine.pay([score]))

    transport = Told(reply)
    asyncio.run(pay())

    assert transport.sent.index(score.id) == 10


def test_answers_come_back_in_the_order_of_the_requests_whatever_order_they_arrive_in() -> None:
    endpoint = make_endpoint(concurrency=16)
    requests = make_requests(endpoint, 16)

    async def late_first(body: bytes, ident: str) -> RawReply:
        place = [request.id for request in requests].index(ident)  # type: ignore[arg-type]
        await asyncio.sleep((16 - place) / 1000)
        return answer(ident)

    outcomes, _ = pay_with(Told(late_first), endpoint, 16)

    assert texts(outcomes) == [request.id for request in requests]


def test_two_names_of_one_place_share_a_gate_but_not_if_their_keys_differ() -> None:
    first = make_endpoint(name="first")
    same, other = make_endpoint(name="same"), make_endpoint(name="other", api_key_env="OTHER_KEY")
    made: list[EndpointName] = []

    def transport(endpoint: Endpoint) -> Transport:
        made.append(endpoint.name)
        return Told(lambda body, ident: asyncio.sleep(0, answer()))

    clock = Clock(time.monotonic, time.time, asyncio.sleep)
    Engine({e.name: e for e in (first, same, other)}, transport, Books(), clock, gate.Random(0))

    assert made == ["first", "other"]


# --- pauses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["429-after", "429-after-ms", "429-after-litellm", "503-after"])
def test_a_pause_that_is_asked_for_holds_the_whole_gate(fault: str) -> None:
    with running(Settings(faults={fault: 0.2}, retry_after_s=0.15, latency_s=0.01)) as simulator:
        endpoint = make_endpoint(simulator.base_url)
        watched = Watched(SessionTransport(simulator.base_url, None, 8, 10.0))

        async def pay() -> None:
            async with engine_of(endpoint, watched) as engine:
                texts(await engine.pay(make_requests(endpoint, 20)))

        asyncio.run(pay())

    refused_s = [back_s for back_s, status in watched.back if status in (429, 503)]
    assert refused_s
    # A call may leave in the instant before the refusal is read; 5 ms are for that.
    assert not any(at_s + 0.005 < left_s < at_s + 0.15 for at_s in refused_s for left_s in watched.left_s)


def test_a_burst_of_refusals_without_a_word_on_how_long_is_one_short_pause() -> None:
    first_s: list[float] = []

    async def refuse_for_a_moment(body: bytes, ident: str) -> RawReply:
        first_s.append(time.monotonic())
        await asyncio.sleep(0.01)
        return refusal(429) if 0.1 < first_s[-1] - first_s[0] < 0.13 else answer()

    outcomes, _ = pay_with(Told(refuse_for_a_moment), make_endpoint(concurrency=64), 2000)

    texts(outcomes)
    assert len(first_s) > 2000
    assert time.monotonic() - first_s[0] < 4


def test_a_run_that_stops_in_the_middle_of_a_long_pause_does_not_sit_it_out() -> None:
    async def refuse(body: bytes, ident: str) -> RawReply:
        return refusal(429, headers={"retry-after": "600"})

    async def pay() -> list[Outcome | None]:
        endpoint = make_endpoint()
        async with engine_of(endpoint, transport, books) as engine, asyncio.timeout(2):
            paying = asyncio.create_task(engine.pay(make_requests(endpoint, 20)))
            await until(lambda: books.ended)
            engine.stop(Stopped("interrupted", "interrupted"))
            return await paying

    transport, books = Told(refuse), Books()

    assert asyncio.run(pay()) == [None] * 20
    assert len(transport.sent) == len(books.ended) <= 8


def test_one_worker_at_a_time_waits_for_its_turn_and_the_others_stand_behind_it() -> None:
    clock = HandClock()
    endpoint = make_endpoint(concurrency=64, tokens_per_minute=6000, counts_bounds=True)

    async def reply(body: bytes, ident: str) -> RawReply:
        return answer()

    async def pay() -> None:
        by_hand = Clock(clock.monotonic, time.time, clock.sleep)
        engine = Engine({endpoint.name: endpoint}, lambda e: Told(reply), Books(), by_hand, gate.Random(0))
        texts(await engine.pay(make_requests(endpoint, 100)))
        await engine.close()

    asyncio.run(pay())

    assert clock.most_sleepers == 1
    assert clock.now_s > 1000 + 99 * 0.64


# --- outages ---------------------------------------------------------------------------------------


def test_two_restarts_that_fail_everything_in_flight_cost_no_answer() -> None:
    first_s: list[float] = []

    async def restart(body: bytes, ident: str) -> RawReply:
        first_s.append(time.monotonic())
        await asyncio.sleep(0.01)
        if any(at_s < time.monotonic() - first_s[0] < at_s + 0.02 for at_s in (0.1, 0.2)):
            raise TransportError("reset", "Connection reset by peer")
        return answer()

    outcomes, engine = pay_with(Told(restart), make_endpoint(concurrency=64), 1500)

    texts(outcomes)
    assert len(first_s) > 1500
    assert engine.stopped is None


def test_while_an_endpoint_is_down_one_call_at_a_time_asks_whether_it_is_back() -> None:
    down_until_s = [0.0]
    in_flight: list[int] = [0]
    together: list[int] = []

    async def down_for_a_while(body: bytes, ident: str) -> RawReply:
        in_flight[0] += 1
        together.append(in_flight[0])
        await asyncio.sleep(0.001)
        in_flight[0] -= 1
        if time.monotonic() < down_until_s[0]:
            raise TransportError("unreachable", "Connection refused")
        return answer()

    async def pay() -> list[Outcome | None]:
        endpoint = make_endpoint(concurrency=32)
        async with engine_of(endpoint, transport) as engine:
            first, *others = make_requests(endpoint, 101)
            await engine.pay([first])
            down_until_s[0] = time.monotonic() + 0.1
            return await engine.pay(others)

    transport = Told(down_for_a_while)
    outcomes = asyncio.run(pay())

    texts(outcomes)
    assert Counter(together)[1] > 5
