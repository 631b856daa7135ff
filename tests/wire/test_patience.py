"""Patience: an outage that passes is waited for, without a request paying for it; what does not pass is not."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import click
import pytest
from wire_fakes import Books, Told, answer, make_endpoint, make_requests, refusal, texts

from pairsmith.cli.common import DURATION
from pairsmith.errors import Stopped
from pairsmith.records import Endpoint, EndpointName, Failure, FailureKind, Outcome, RequestId
from pairsmith.wire import gate
from pairsmith.wire.breaker import MAX_IN_A_ROW, NOTICE_S, PASSING, WARY_FROM, Breaker
from pairsmith.wire.client import TransportError
from pairsmith.wire.faults import RawReply
from pairsmith.wire.gate import MAX_ATTEMPTS, Clock
from pairsmith.wire.online import Engine

HOUR_S = 3600.0
ENDPOINT = make_endpoint("http://model.example/v1")


def passing(reason: str = "unreachable") -> Failure:
    return Failure(RequestId("r"), FailureKind.TRANSIENT, reason, "gone")


def throttled(retry_after_s: float | None = None) -> Failure:
    return Failure(RequestId("r"), FailureKind.THROTTLED, "http_429", status=429, retry_after_s=retry_after_s)


def failing(breaker: Breaker, what: Failure, times_s: list[float]) -> list[Stopped | None]:
    """Failures at these times, one after another, of requests that failed before."""
    return [breaker.failure(what, False, at_s, at_s + 0.5) for at_s in times_s]


# --- what is written ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("6h", 21600), ("90m", 5400), ("1h30m", 5400), ("45s", 45), ("1h0m1s", 3601), ("2m5s", 125), (" 3h ", 10800)],
)
def test_a_time_span_is_read(written: str, seconds: float) -> None:
    assert DURATION.convert(written, None, None) == seconds


@pytest.mark.parametrize("written", ["", "soon", "6", "6 h", "h", "30m1h", "-6h", "1.5h", "6h!", "6d"])
def test_what_is_no_time_span_is_refused_with_how_to_write_one(written: str) -> None:
    with pytest.raises(click.BadParameter, match=r"is no time span: write it like 6h, 90m or 1h30m"):
        DURATION.convert(written, None, None)


# --- how long is waited -------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", sorted(PASSING))
def test_what_passes_by_itself_is_waited_for_as_long_as_there_is_patience(reason: str) -> None:
    breaker = Breaker(ENDPOINT, HOUR_S)

    assert failing(breaker, passing(reason), [30.0 * n for n in range(119)]) == [None] * 119
    assert breaker.failure(passing(reason), False, HOUR_S, HOUR_S + 1) is not None


def test_without_patience_an_endpoint_that_never_answered_is_given_up_after_three_steps() -> None:
    why = failing(Breaker(ENDPOINT), passing(), [0.0, 1.0, 2.0])[-1]

    assert why is not None
    assert why.reason == "unreachable"


@pytest.mark.parametrize("reason", ["http_500", "not_json", "html", "no_choices", "error_in_200"])
def test_a_server_that_answers_wrongly_is_not_waited_for(reason: str) -> None:
    whys = failing(Breaker(ENDPOINT, HOUR_S), passing(reason), [float(n) for n in range(MAX_IN_A_ROW)])

    assert whys[:-1] == [None] * (MAX_IN_A_ROW - 1)
    assert whys[-1] is not None
    assert whys[-1].reason == "broken_endpoint"


def test_a_pause_asked_for_that_fits_into_the_patience_is_sat_out() -> None:
    assert Breaker(ENDPOINT, 2 * HOUR_S).failure(throttled(HOUR_S), True, 0.0, 1.0) is None
    assert Breaker(ENDPOINT, HOUR_S / 2).failure(throttled(HOUR_S), True, 0.0, 1.0) is not None
    assert Breaker(ENDPOINT).failure(throttled(HOUR_S), True, 0.0, 1.0) is not None


def test_patience_may_be_shorter_than_what_is_usual() -> None:
    breaker = Breaker(ENDPOINT, 45.0)

    assert failing(breaker, throttled(), [0.0, 30.0]) == [None] * 2
    assert breaker.failure(throttled(), False, 44.0, 46.0) is not None


def test_nothing_but_refusals_for_longer_than_the_patience_stops_the_run_and_says_for_how_long() -> None:
    breaker = Breaker(ENDPOINT, 6 * HOUR_S)

    assert failing(breaker, throttled(), [0.0, 5.9 * HOUR_S]) == [None] * 2
    why = breaker.failure(throttled(), False, 6 * HOUR_S, 6 * HOUR_S + 1)

    assert why is not None
    assert why.reason == "throttled"
    assert "has answered nothing but http_429 for 6 hours" in why.sentence


def test_an_answer_gives_the_patience_back() -> None:
    breaker = Breaker(ENDPOINT, HOUR_S)
    failing(breaker, passing(), [0.0, 1.0, 2.0, 3000.0])
    breaker.success()

    assert failing(breaker, passing(), [3700.0 + n for n in range(50)]) == [None] * 50


def test_only_an_outage_that_is_sure_costs_no_tries() -> None:
    breaker = Breaker(ENDPOINT, HOUR_S)
    failing(breaker, passing(), [0.0] * 1)

    assert not breaker.waits_for(passing())
    failing(breaker, passing(), [float(n) for n in range(1, WARY_FROM)])
    assert breaker.waits_for(passing())
    assert not breaker.waits_for(passing("http_500"))
    breaker.success()
    assert not breaker.waits_for(passing())


def test_without_patience_every_failure_is_a_try() -> None:
    breaker = Breaker(ENDPOINT)
    breaker.success()
    failing(breaker, passing(), [float(n) for n in range(10)])

    assert breaker.wary
    assert not breaker.waits_for(passing())


# --- what is told ---------------------------------------------------------------------------------------


def test_a_silence_is_told_once_and_so_is_its_end() -> None:
    breaker = Breaker(ENDPOINT, 6 * HOUR_S)
    failing(breaker, passing(), [0.0])

    assert breaker.notice(NOTICE_S - 1) is None
    assert breaker.notice(NOTICE_S + 1) == (
        "endpoint student has given no answer for 21 s (unreachable): trying on, for 6 hours at most"
    )
    assert breaker.notice(NOTICE_S + 2) is None
    assert breaker.success() == "endpoint student answers again"
    assert breaker.success() is None


def test_a_second_silence_is_told_again() -> None:
    breaker = Breaker(ENDPOINT, HOUR_S)
    for start_s in (0.0, 1000.0):
        failing(breaker, passing(), [start_s])
        assert breaker.notice(start_s + NOTICE_S) is not None
        assert breaker.success() is not None


def test_a_short_silence_is_not_told_and_neither_is_its_end() -> None:
    breaker = Breaker(ENDPOINT, HOUR_S)
    failing(breaker, passing(), [0.0])

    assert breaker.notice(NOTICE_S / 2) is None
    assert breaker.success() is None
    assert breaker.notice(HOUR_S) is None


# --- the engine -------------------------------------------------------------------------------------------


@contextmanager
def said_by(engine: Engine) -> Iterator[list[str]]:
    said: list[str] = []
    engine.say = said.append
    yield said


def pay_patiently(
    transport: Told, count: int, patience_s: float = HOUR_S, within_s: float = 5.0, **fields: object
) -> tuple[list[Outcome | None], Engine, list[str]]:
    """Pay so many requests, with patience; the engine as it was at the end, and what it said."""

    async def pay() -> tuple[list[Outcome | None], Engine, list[str]]:
        endpoint: Endpoint = make_endpoint(**fields)  # type: ignore[arg-type]
        names: dict[EndpointName, Endpoint] = {endpoint.name: endpoint}
        clock = Clock(time.monotonic, time.time, asyncio.sleep)
        engine = Engine(names, lambda e: transport, Books(), clock, Random(0), patience_s=patience_s)
        try:
            with said_by(engine) as said:
                async with asyncio.timeout(within_s):
                    return await engine.pay(make_requests(endpoint, count)), engine, said
        finally:
            await engine.close()

    return asyncio.run(pay())


@pytest.fixture
def quicker(quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The probes of the patient, too, within milliseconds."""
    monkeypatch.setattr(gate, "MAX_PATIENT_PROBE_S", 0.01)


def down(times: int, how: Callable[[], RawReply]) -> Told:
    """Fails so many calls, then answers."""
    left = [times]

    async def send(body: bytes, ident: str) -> RawReply:
        left[0] -= 1
        await asyncio.sleep(0.001)
        return how() if left[0] >= 0 else answer()

    return Told(send)


def unreachable() -> RawReply:
    raise TransportError("unreachable", "Connection refused")


@pytest.mark.parametrize("how", [unreachable, lambda: refusal(503), lambda: refusal(502)])
def test_in_an_outage_that_is_waited_for_no_request_loses_its_tries(quicker: None, how: Callable[[], RawReply]) -> None:
    transport = down(60, how)
    outcomes, engine, _ = pay_patiently(transport, 2, concurrency=2)

    texts(outcomes)
    assert max(Counter(transport.sent).values()) > 2 * MAX_ATTEMPTS
    assert engine.stopped is None


def test_without_patience_the_same_outage_ends_the_run(quicker: None) -> None:
    outcomes, engine, _ = pay_patiently(down(60, unreachable), 2, patience_s=0.0, concurrency=2)

    assert outcomes == [None, None]
    assert engine.stopped is not None
    assert engine.stopped.reason == "unreachable"


def test_in_an_outage_one_call_at_a_time_looks_whether_it_is_over(quicker: None) -> None:
    in_flight = [0]
    together: list[int] = []
    began = time.monotonic()

    async def send(body: bytes, ident: str) -> RawReply:
        in_flight[0] += 1
        together.append(in_flight[0])
        await asyncio.sleep(0.001)
        in_flight[0] -= 1
        return unreachable() if time.monotonic() - began < 0.5 else answer()

    outcomes, engine, _ = pay_patiently(Told(send), 16, concurrency=16)

    texts(outcomes)
    assert engine.stopped is None
    outage = together[: together.index(2, 60)] if 2 in together[60:] else together
    assert Counter(outage[48:]).keys() == {1}  # after three steps of at most 16


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (refusal(429, "You exceeded your current quota.", code="insufficient_quota"), "quota"),
        (refusal(402, "Insufficient credits."), "quota"),
        (refusal(401, "Incorrect API key."), "refused_key"),
        (refusal(404, "No such model."), "no_such_model"),
    ],
)
def test_patience_is_not_for_what_only_the_user_can_mend(how: RawReply, reason: str) -> None:
    async def send(body: bytes, ident: str) -> RawReply:
        return how

    outcomes, engine, _ = pay_patiently(Told(send), 4, concurrency=1, within_s=2.0)

    assert outcomes == [None] * 4
    assert engine.stopped is not None
    assert engine.stopped.reason == reason


def test_a_request_that_alone_never_gets_an_answer_fails_after_its_tries_though_there_is_patience(
    quicker: None,
) -> None:
    """The endpoint is not down: it answers all others. A timed-out call may be billed, so it is not sent for hours."""
    poison: list[str] = []

    async def send(body: bytes, ident: str) -> RawReply:
        await asyncio.sleep(0.001)
        if not poison:
            poison.append(ident)
        if ident == poison[0]:
            raise TransportError("timeout", "the connection timed out")
        return answer()

    transport = Told(send)
    outcomes, engine, _ = pay_patiently(transport, 5, concurrency=2, within_s=2.0)

    assert engine.stopped is None
    assert [type(outcome).__name__ for outcome in outcomes].count("Reply") == 4
    assert transport.sent.count(poison[0]) <= 2 * MAX_ATTEMPTS


def test_pauses_asked_for_every_minute_are_told_once_and_a_much_longer_one_again() -> None:
    breaker, told = Breaker(ENDPOINT), []
    for minute, asked_s in enumerate([30.0, 40.0, 30.0, 300.0, 30.0]):
        breaker.failure(throttled(asked_s), False, 60.0 * minute, 60.0 * minute + 1)
        told.append(breaker.notice(60.0 * minute + 1, asked_s))
        breaker.success(60.0 * minute + 50)

    assert [bool(line) for line in told] == [True, False, False, True, False]
    assert "asks for a pause of 30 s (http_429): waiting" in (told[0] or "")
