"""Single questions to an endpoint: booked before they are sent, tried twice at most, and ended when there is no use."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from canned_server import CannedServer, http
from wire_fakes import Books, Told, answer, make_endpoint, refusal

from pairsmith.records import Endpoint, Failure, Reply
from pairsmith.wire.client import OpenAITransport, Transport, TransportError
from pairsmith.wire.faults import RawReply
from pairsmith.wire.gate import Clock
from pairsmith.wire.money import Budget, Caps
from pairsmith.wire.probe import MOST_CALLS, Answer, Probe
from pairsmith.wire.session import SessionTransport

KEY = "sk-canary-0123456789abcdef"
BODY: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello."}], "max_tokens": 8}


class Paused:
    """A clock that notes pauses and does not wait."""

    def __init__(self) -> None:
        self.pauses: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)

    @property
    def clock(self) -> Clock:
        return Clock(time.monotonic, time.time, self.sleep)


def told(*replies: RawReply | TransportError) -> Told:
    """A transport that gives these one after the other, the last one for ever."""
    waiting = list(replies)

    async def send(body: bytes, key: str) -> RawReply:
        reply = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(reply, TransportError):
            raise reply
        return reply

    return Told(send)


def asked(
    transport: Transport, count: int = 1, books: Books | None = None, clock: Paused | None = None, **fields: Any
) -> tuple[list[Answer], Probe]:
    """Ask so many equal questions one after the other."""
    budget, endpoint = fields.pop("budget", None), fields.pop("endpoint", None) or make_endpoint(**fields)

    async def ask() -> tuple[list[Answer], Probe]:
        probe = Probe(endpoint, transport, books or Books(), (clock or Paused()).clock, [KEY], budget)
        return [await probe.ask(BODY, 8) for _ in range(count)], probe

    return asyncio.run(ask())


def failure(answer: Answer) -> Failure:
    assert isinstance(answer.outcome, Failure)
    return answer.outcome


# --- booking -----------------------------------------------------------------------------------------


def test_an_attempt_is_booked_before_it_is_sent_with_the_most_it_can_cost() -> None:
    books = Books()

    async def send(body: bytes, key: str) -> RawReply:
        assert books.begun == [key]
        assert books.most[1] == pytest.approx((len(body) * 1.0 + 8 * 2.0) / 1e6)
        return answer("Hello.", 3, 2)

    (one,), probe = asked(Told(send), books=books)

    assert isinstance(one.outcome, Reply)
    assert books.paid_usd == probe.cost_usd == pytest.approx((3 * 1.0 + 2 * 2.0) / 1e6)
    assert probe.calls == 1


def test_what_may_have_been_billed_counts_with_the_most_it_can_cost() -> None:
    books = Books()
    _, probe = asked(told(TransportError("reset", "gone"), answer()), books=books)

    assert probe.cost_usd is not None
    assert probe.cost_usd > books.paid_usd


def test_equal_questions_are_draws_of_their_own_and_a_retry_is_not() -> None:
    transport = told(answer(), refusal(500), answer())
    asked(transport, count=2)

    first, second, again = transport.sent
    assert first != second == again


def test_nothing_is_sent_that_the_budget_does_not_allow() -> None:
    transport = told(answer())
    (one,), probe = asked(transport, budget=Budget(Caps(usd=0.0)))

    assert (transport.sent, probe.calls, failure(one).reason) == ([], 0, "not_asked")


def test_no_more_attempts_are_made_than_were_said() -> None:
    transport = told(refusal(500, "down"))
    answers, probe = asked(transport, count=MOST_CALLS)

    assert len(transport.sent) == probe.calls == MOST_CALLS
    assert failure(answers[-1]).reason == "not_asked"


def test_at_most_four_questions_are_in_flight() -> None:
    flying, most = 0, 0

    async def send(body: bytes, key: str) -> RawReply:
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        await asyncio.sleep(0)
        flying -= 1
        return answer()

    async def ask() -> None:
        probe = Probe(make_endpoint(), Told(send), Books(), Paused().clock)
        await asyncio.gather(*[probe.ask(BODY, 8) for _ in range(12)])

    asyncio.run(ask())

    assert most == 4


# --- trying again, and giving up ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "pauses"),
    [
        (refusal(500), [0.5]),
        (refusal(429, headers={"retry-after": "2"}), [2.0]),
        (refusal(429, headers={"retry-after": "90"}), []),
        (refusal(400), []),
        (TransportError("reset", "gone"), [0.5]),
    ],
)
def test_what_may_pass_is_tried_once_more_and_nothing_else(
    reply: RawReply | TransportError, pauses: Sequence[float]
) -> None:
    clock, transport = Paused(), told(reply, answer())
    (one,), _ = asked(transport, clock=clock)

    assert clock.pauses == pauses
    assert len(transport.sent) == 1 + len(pauses)
    assert isinstance(one.outcome, Reply) == bool(pauses)


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (refusal(401, f"Incorrect key {KEY}"), "set a valid key"),
        (refusal(402, "no credit"), "has no quota or credit left"),
        (refusal(404, "no such model"), "mend model, or base_url"),
        (refusal(429, "You exceeded your current quota", code="insufficient_quota"), "has no quota"),
    ],
)
def test_a_fatal_answer_ends_it_with_the_remedy_and_without_the_key(reply: RawReply, says: str) -> None:
    transport = told(reply)
    answers, probe = asked(transport, count=3, api_key_env="STUDENT_KEY")

    assert len(transport.sent) == 1
    assert probe.ended is not None
    assert says in probe.ended.sentence
    assert KEY not in probe.ended.sentence + failure(answers[0]).message
    assert failure(answers[-1]).reason == "not_asked"


def test_an_endpoint_that_is_not_there_is_tried_twice() -> None:
    transport = told(TransportError("unreachable", "connection refused"))
    _, probe = asked(transport, count=3)

    assert len(transport.sent) == 2
    assert probe.ended is not None
    assert "does not answer at http://unused/v1 (connection refused): start the server" in probe.ended.sentence


@pytest.mark.parametrize(("status", "goes_on"), [(403, True), (404, True), (401, False), (402, False)])
def test_once_there_was_an_answer_a_404_is_about_the_question(status: int, goes_on: bool) -> None:
    transport = told(answer(), refusal(status, "no provider takes this"), answer())
    answers, probe = asked(transport, count=3)

    assert (probe.ended is None) == goes_on
    assert isinstance(answers[2].outcome, Reply) == goes_on


# --- what comes beside the answers -------------------------------------------------------------------


def test_choices_are_counted_and_announced_limits_noted() -> None:
    many = RawReply(
        200, {"x-ratelimit-limit-requests": "600"}, b'{"choices": [{"message": {"content": "a"}}, {"message": {}}]}'
    )
    (one,), probe = asked(told(many))

    assert one.choices == 2
    assert probe.limits.requests == 600
    assert len(probe.latencies_s) == 1


# --- the list of models, over a real port ------------------------------------------------------------


@pytest.fixture(params=[SessionTransport, OpenAITransport])
def make(request: pytest.FixtureRequest) -> Callable[[str], Transport]:
    def transport(base_url: str) -> Transport:
        made: Transport = request.param(base_url, KEY, 4, 5.0)
        return made

    return transport


def models(endpoint: Endpoint, transport: Transport) -> list[dict[str, Any]]:
    async def ask() -> list[dict[str, Any]]:
        probe = Probe(endpoint, transport, Books(), Paused().clock)
        try:
            return await probe.models()
        finally:
            await probe.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("body", [b'{"object": "list", "data": [{"id": "m"}, 7]}', b'[{"id": "m"}]'])
def test_models_are_read_as_a_list_or_within_an_object(
    make: Callable[[str], Transport], server: CannedServer, body: bytes
) -> None:
    server.reply = http("200 OK", body)

    assert models(make_endpoint(server.base_url), make(server.base_url)) == [{"id": "m"}]
    assert server.seen[0].line == "GET /v1/models HTTP/1.1"
    assert server.seen[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "reply",
    [
        http("404 Not Found", b'{"error": "no"}'),
        http("200 OK", b"<html>"),
        http("200 OK", b'{"data": null}'),
        http("302 Found", b"", "Location: http://127.0.0.1:9/elsewhere"),
        b"",
    ],
)
def test_without_a_list_of_models_there_are_none(
    make: Callable[[str], Transport], server: CannedServer, reply: bytes
) -> None:
    server.reply = reply

    assert models(make_endpoint(server.base_url), make(server.base_url)) == []
    assert {seen.line for seen in server.seen} == {"GET /v1/models HTTP/1.1"}


def test_nobody_to_list_models_is_no_error(make: Callable[[str], Transport]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"

    assert models(make_endpoint(url), make(url)) == []


def test_a_list_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(path: str) -> RawReply:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr("pairsmith.wire.probe.LIST_S", 0.01)
    transport = told(answer())
    transport.get = never  # type: ignore[attr-defined]

    assert models(make_endpoint(), transport) == []


def test_an_answer_that_does_not_come_is_tried_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(body: bytes, key: str) -> RawReply:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr("pairsmith.wire.probe.LATEST_S", 0.01)
    (one,), probe = asked(Told(never))

    assert (failure(one).reason, probe.calls) == ("timeout", 2)
