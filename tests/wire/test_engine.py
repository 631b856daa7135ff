"""The engine over a real port against the simulator, and over transports that do what a test tells them."""

import asyncio
import socket
import time
from collections import Counter
from dataclasses import dataclass, replace
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
    refusal,
    texts,
    until,
)

from pairsmith.errors import Stopped
from pairsmith.ledger import open_ledger
from pairsmith.records import Endpoint, EndpointName, Failure, FailureKind, Outcome, Price, Purpose, Reply
from pairsmith.simulator import Settings, running
from pairsmith.simulator.faults import FAULTS
from pairsmith.wire import gate
from pairsmith.wire.client import OpenAITransport, Transport, TransportError
from pairsmith.wire.faults import RawReply
from pairsmith.wire.gate import MAX_ATTEMPTS, Clock
from pairsmith.wire.money import Budget
from pairsmith.wire.online import Engine
from pairsmith.wire.session import SessionTransport
from pairsmith.wire.stored import read_stored

pytestmark = pytest.mark.usefixtures("quick")

FATAL = {
    "401": "refused_key", "402": "quota", "403": "refused_key", "quota": "quota", "404-model": "no_such_model",
}  # fmt: skip
PERMANENT = {
    "400-context": "context_length", "400-parameter": "bad_request", "content-filter": "content_filter",
    "413": "too_large", "422": "bad_request",
}  # fmt: skip
THROTTLED = ("429", "429-after", "429-after-date", "429-after-ms", "429-after-litellm", "503-after", "529")
TRANSIENT = {
    "408": "http_408", "409": "http_409", "500": "http_500", "500-close": "http_500", "502": "http_502",
    "503": "http_503", "html": "html", "empty-body": "not_json", "cut-json": "not_json", "bad-utf8": "bad_utf8",
    "error-200": "error_in_200", "error-list": "http_503", "error-message": "http_500", "error-detail": "http_500",
    "reset": "reset", "hang": "timeout", "drip": "timeout", "no-choices": "no_choices", "empty-choices": "no_choices",
}  # fmt: skip
ANSWERS = (
    "filtered", "refusal", "null-content", "blank", "no-finish", "no-usage", "length", "think-leak", "tool-call",
    "surrogate", "unreadable", "fenced", "out-of-range", "unknown-label",
)  # fmt: skip
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


@pytest.fixture(params=[SessionTransport, OpenAITransport])
def transport(request: pytest.FixtureRequest) -> type[SessionTransport | OpenAITransport]:
    kind: type[SessionTransport | OpenAITransport] = request.param
    return kind


# --- every fault of the simulator ------------------------------------------------------------------


def test_every_fault_of_the_simulator_has_its_place_here() -> None:
    assert {*FATAL, *PERMANENT, *THROTTLED, *TRANSIENT, *ANSWERS} == set(FAULTS)


@pytest.mark.parametrize("fault", FATAL)
def test_a_fatal_fault_stops_the_run_after_one_attempt(
    fault: str, transport: type[SessionTransport | OpenAITransport]
) -> None:
    ran = run({fault: 1.0}, transport=transport)

    assert ran.outcomes == [None]
    assert ran.engine.stopped is not None
    assert ran.engine.stopped.reason == FATAL[fault]
    assert ran.engine.stopped.sentence.startswith("endpoint student (sim-student) ")
    assert (ran.keys.total(), len(ran.books.begun), len(ran.books.ended)) == (1, 1, 1)


@pytest.mark.parametrize("fault", PERMANENT)
def test_a_permanent_fault_is_the_outcome_after_one_attempt(
    fault: str, transport: type[SessionTransport | OpenAITransport]
) -> None:
    ran = run({fault: 1.0}, transport=transport)

    (outcome,) = ran.outcomes
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.reason) == (FailureKind.PERMANENT, PERMANENT[fault])
    assert (ran.keys.total(), len(ran.books.begun), ran.engine.stopped) == (1, 1, None)


@pytest.mark.parametrize("fault", TRANSIENT)
def test_a_transient_fault_is_tried_six_times_under_one_key_and_then_owed(
    fault: str, transport: type[SessionTransport | OpenAITransport]
) -> None:
    ran = run({fault: 1.0}, transport=transport, timeout_s=0.2 if fault in ("hang", "drip") else 10.0)

    (outcome,) = ran.outcomes
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.reason) == (FailureKind.TRANSIENT, TRANSIENT[fault])
    assert ran.keys == {outcome.request_id: MAX_ATTEMPTS}
    assert (len(ran.books.begun), len(ran.books.ended)) == (MAX_ATTEMPTS, MAX_ATTEMPTS)
    assert ran.books.raw == {}
    assert ran.engine.tally.attempts["student"] == MAX_ATTEMPTS
    assert ran.engine.tally.calls["student"] == 1


@pytest.mark.parametrize("fault", ANSWERS)
def test_a_bad_answer_is_an_answer_and_is_stored_as_it_came(
    fault: str, transport: type[SessionTransport | OpenAITransport]
) -> None:
    ran = run({fault: 1.0}, transport=transport, model="sim-judge")

    (outcome,) = ran.outcomes
    assert isinstance(outcome, Reply)
    assert (ran.keys.total(), len(ran.books.begun)) == (1, 1)
    assert ran.books.raw[outcome.request_id].startswith(b"{")


@pytest.mark.parametrize("fault", [fault for fault in THROTTLED if fault != "429-after-date"])
def test_a_throttled_request_is_tried_until_it_is_answered_and_uses_up_no_attempts(fault: str) -> None:
    ran = run({fault: 0.85}, 6, retry_after_s=0.005)

    texts(ran.outcomes)
    assert max(ran.keys.values()) > MAX_ATTEMPTS
    assert ran.keys.total() == len(ran.books.begun)
    assert ran.engine.stopped is None


def test_a_retry_after_that_is_a_date_is_waited_for() -> None:
    ran = run({"429-after-date": 0.4}, 2, retry_after_s=0.0)

    texts(ran.outcomes)
    refused = [outcome for outcome in ran.books.ended.values() if isinstance(outcome, Failure)]
    assert refused
    assert all(outcome.retry_after_s is not None and outcome.retry_after_s <= 1 for outcome in refused)
    assert ran.took_s >= sum(outcome.retry_after_s or 0 for outcome in refused[:1])


def test_a_mixture_of_all_transient_faults_costs_no_answer_and_no_more_than_six_attempts(
    transport: type[SessionTransport | OpenAITransport],
) -> None:
    ran = run(dict.fromkeys(TRANSIENT, 0.015), 150, transport, concurrency=16, timeout_s=0.3)

    texts(ran.outcomes)
    assert len(ran.keys) == 150
    assert max(ran.keys.values()) <= MAX_ATTEMPTS
    assert ran.keys.total() == len(ran.books.begun) == len(ran.books.ended)


def test_a_broken_endpoint_ends_the_run_whoever_asks() -> None:
    ran = run({"503": 1.0}, 40)

    assert ran.engine.stopped is not None
    assert ran.engine.stopped.reason == "broken_endpoint"
    assert "20 times in a row" in ran.engine.stopped.sentence
    assert not any(isinstance(outcome, Reply) for outcome in ran.outcomes)


def test_an_endpoint_that_answers_everything_with_500_ends_the_run_at_once() -> None:
    ran = run({"500": 1.0}, 40)

    assert ran.engine.stopped is not None
    assert "answers every request with 500" in ran.engine.stopped.sentence
    assert ran.keys.total() <= 16


def test_where_nothing_listens_the_run_ends_within_three_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "BACKOFF_S", 0.5)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = make_endpoint(f"http://127.0.0.1:{free.getsockname()[1]}/v1")

    async def pay() -> Stopped | None:
        async with engine_of(endpoint) as engine, asyncio.timeout(3):
            assert await engine.pay(make_requests(endpoint, 5)) == [None] * 5
            return engine.stopped

    stopped = asyncio.run(pay())

    assert stopped is not None
    assert stopped.reason == "unreachable"
    assert f"does not answer at {endpoint.base_urls[0]}" in stopped.sentence


def test_a_key_that_a_server_echoes_is_in_no_failure_and_no_sentence() -> None:
    key = "very-secret-0123456789"

    async def echo(body: bytes, ident: str) -> RawReply:
        return refusal(401, f"Incorrect API key provided: {key[:12]}")

    async def pay() -> tuple[Engine, Books]:
        endpoint, books = make_endpoint(), Books()
        async with engine_of(endpoint, Told(echo), books, keys=[key]) as engine:
            await engine.pay(make_requests(endpoint))
            return engine, books

    engine, books = asyncio.run(pay())

    assert key[:8] not in f"{engine.stopped} {books.ended}"


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
    samples, scores, duels = (make_requests(endpoint, 3, purpose) for purpose in Purpose)

    async def reply(body: bytes, ident: str) -> RawReply:
        return answer()

    async def pay() -> None:
        async with engine_of(endpoint, transport) as engine:
            await asyncio.gather(engine.pay(samples), engine.pay(scores), engine.pay(duels))

    transport = Told(reply)
    asyncio.run(pay())

    assert transport.sent == [request.id for request in [*duels, *scores, *samples]]


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


def test_a_burst_of_64_refusals_without_a_word_on_how_long_is_one_short_pause() -> None:
    refused: set[str] = set()

    async def refuse_the_first_64(body: bytes, ident: str) -> RawReply:
        await asyncio.sleep(0.01)
        if len(refused) < 64 and ident not in refused:
            refused.add(ident)
            return refusal(429)
        return answer()

    started = time.monotonic()
    outcomes, _ = pay_with(Told(refuse_the_first_64), make_endpoint(concurrency=64), 64)

    texts(outcomes)
    assert time.monotonic() - started < 1


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
    endpoint = make_endpoint(concurrency=64, tokens_per_minute=6000)

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


def test_a_restart_that_fails_everything_in_flight_twice_costs_no_answer() -> None:
    seen: Counter[str] = Counter()

    async def restart(body: bytes, ident: str) -> RawReply:
        seen[ident] += 1
        await asyncio.sleep(0.005)
        if seen[ident] <= 2:
            raise TransportError("reset", "Connection reset by peer")
        return answer()

    outcomes, engine = pay_with(Told(restart), make_endpoint(concurrency=64), 64)

    texts(outcomes)
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
            await until(lambda: len(waiting) == 8)
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
    assert len(books.ended) == len(books.begun) == 8


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
    assert (len(books.begun), books.ended) == (8, {})


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
        budget = Budget(cap_usd, spent_usd)
        async with engine_of(endpoint, transport, books, budget) as engine, asyncio.timeout(10):
            outcomes = await engine.pay(make_requests(endpoint, 200))
        return Ran(outcomes, engine, books, Counter(transport.sent), 0.0), budget

    return asyncio.run(pay())


@pytest.mark.parametrize("concurrency", [1, 8, 64])
@pytest.mark.parametrize("cap_usd", [0.0003, 0.001, 0.00139])
def test_what_is_paid_and_in_flight_never_exceeds_the_cap_and_the_cap_is_used(cap_usd: float, concurrency: int) -> None:
    ran, budget = spend(cap_usd, concurrency=concurrency)

    most_usd = budget.cap_usd - ran.books.paid_usd
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
    assert budget.spent_usd == pytest.approx(200 * 7e-6) == pytest.approx(ran.books.paid_usd)
    assert ran.engine.tally.cost_usd == pytest.approx(budget.spent_usd)


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

    assert (budget.spent_usd > 0.001) == counts


@pytest.mark.parametrize(("reason", "counts"), [("unreachable", False), ("reset", True), ("timeout", True)])
def test_a_call_that_broke_off_on_the_way_may_have_been_billed(reason: str, counts: bool) -> None:
    async def fail(body: bytes, ident: str) -> RawReply:
        raise TransportError(reason, "gone")

    async def pay() -> float:
        endpoint, budget = make_endpoint(price=Price(1.0, 1.0)), Budget(1.0, 0.0)
        async with engine_of(endpoint, Told(fail), budget=budget) as engine:
            await engine.pay(make_requests(endpoint))
        return budget.spent_usd

    assert (asyncio.run(pay()) > 0) == counts
