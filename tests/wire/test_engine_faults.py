"""The engine against every fault of the simulator, over a real port and both transports."""

import asyncio
import socket

import pytest
from wire_fakes import (
    Books,
    Told,
    engine_of,
    make_endpoint,
    make_requests,
    refusal,
    run,
    texts,
)

from pairsmith.errors import Stopped
from pairsmith.records import Failure, FailureKind, Reply
from pairsmith.simulator.faults import FAULTS
from pairsmith.wire import gate
from pairsmith.wire.client import OpenAITransport
from pairsmith.wire.faults import RawReply
from pairsmith.wire.gate import MAX_ATTEMPTS
from pairsmith.wire.online import Engine
from pairsmith.wire.session import SessionTransport

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
    "429-flex": "resource_unavailable",
}  # fmt: skip
ANSWERS = (
    "filtered", "refusal", "null-content", "blank", "no-finish", "no-usage", "length", "think-leak", "tool-call",
    "surrogate", "other-model", "unreadable", "fenced", "out-of-range", "unknown-label",
)  # fmt: skip


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
    ran = run({fault: 1.0}, transport=transport, timeout_s=0.1 if fault in ("hang", "drip") else 10.0)

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
