import http.client
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator_client import Client, Got

from pairsmith.simulator import Settings, Simulator, running
from pairsmith.simulator.limits import Limits, Window, duration

PROMPT = "How do I fold a map?"


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 50)), max_size=60))
def test_no_sixty_seconds_ever_hold_more_than_the_limit(arrivals: list[tuple[float, int]]) -> None:
    limits, admitted, now_s = Limits(None, 100, 60.0), [], 0.0
    for after_s, tokens in arrivals:
        now_s += after_s
        if limits.admit("m", tokens, now_s) == 0:
            admitted.append((now_s, tokens))

    for start_s, _ in admitted:
        assert sum(tokens for at_s, tokens in admitted if start_s <= at_s < start_s + 60.0) <= 100


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 50)), min_size=1, max_size=60))
def test_who_waits_as_told_is_let_in(arrivals: list[tuple[float, int]]) -> None:
    limits, now_s = Limits(3, 100, 60.0), 0.0
    for after_s, tokens in arrivals:
        now_s += after_s
        wait_s = limits.admit("m", tokens, now_s)
        if wait_s > 0:
            now_s += wait_s + 1e-6
            assert limits.admit("m", tokens, now_s) == 0


def test_a_request_larger_than_the_limit_is_let_in_alone() -> None:
    limits = Limits(None, 100, 60.0)

    assert limits.admit("m", 500, 0.0) == 0
    assert limits.admit("m", 500, 1.0) == 59.0


def test_models_are_limited_on_their_own() -> None:
    limits = Limits(1, None, 60.0)

    assert limits.admit("a", 1, 0.0) == limits.admit("b", 1, 0.0) == 0
    assert limits.admit("a", 1, 0.0) > 0


def test_the_largest_window_is_remembered() -> None:
    window = Window()
    for at_s in (0, 1, 2, 70, 71):
        window.add(at_s)

    assert (window.used, window.largest) == (2, 3)


@pytest.mark.parametrize(
    ("seconds", "written"), [(0, "0ms"), (0.006, "6ms"), (1.5, "1.5s"), (20, "20s"), (60, "1m0s"), (360, "6m0s")]
)
def test_durations_read_like_openais(seconds: float, written: str) -> None:
    assert duration(seconds) == written


def test_beyond_the_limit_comes_a_429_that_says_how_long() -> None:
    with running(Settings(requests_per_minute=3)) as simulator, Client(simulator.base_url) as client:
        got = [client.chat(PROMPT, key=str(i)) for i in range(4)]

        assert [reply.status for reply in got] == [200, 200, 200, 429]
        assert [reply.headers["x-ratelimit-remaining-requests"] for reply in got] == ["2", "1", "0", "0"]
        assert got[0].headers["x-ratelimit-limit-requests"] == "3"
        assert got[0].headers["x-ratelimit-reset-requests"] == "1m0s"
        assert 50 < int(got[3].headers["Retry-After"]) <= 60
        assert got[3].json["error"]["code"] == "rate_limit_exceeded"
        assert client.chat(PROMPT, model="sim-strong").status == 200


def test_tokens_are_limited_too() -> None:
    with running(Settings(tokens_per_minute=300)) as simulator, Client(simulator.base_url) as client:
        got = [client.chat(PROMPT, key=str(i)) for i in range(20)]

        admitted = [reply.json["usage"]["total_tokens"] for reply in got if reply.status == 200]
        assert 0 < sum(admitted) <= 300
        assert sum(admitted) == 300 - int(got[-1].headers["x-ratelimit-remaining-tokens"])
        assert client.stats()["largest_token_window"] == sum(admitted)


def test_limits_can_keep_silent() -> None:
    silent = Settings(requests_per_minute=1, limit_headers=False)
    with running(silent) as simulator, Client(simulator.base_url) as client:
        got = [client.chat(PROMPT, key=str(i)) for i in range(2)]

    assert [reply.status for reply in got] == [200, 429]
    assert not [name for reply in got for name in reply.headers if "ratelimit" in name or name == "Retry-After"]


def test_faults_do_not_hide_the_limit_headers() -> None:
    settings = Settings(requests_per_minute=10, faults={"429-after": 1.0})
    with running(settings) as simulator, Client(simulator.base_url) as client:
        headers = client.chat(PROMPT).headers

    assert headers["x-ratelimit-limit-requests"] == "10"
    assert headers["Retry-After"] == "0.5"


# --- while it runs -------------------------------------------------------------------------------


def test_limits_can_be_set_changed_and_taken_away_while_it_runs() -> None:
    with running(Settings()) as simulator, Client(simulator.base_url) as client:

        def statuses(**limits: object) -> list[int]:
            assert client.post("/settings", limits).status == 200
            return [client.chat(PROMPT, key=str(i)).status for i in range(3)]

        assert statuses() == [200, 200, 200]
        assert statuses(requests_per_minute=2) == [200, 200, 429]
        assert statuses(requests_per_minute=4) == [200, 200, 429]
        assert statuses(requests_per_minute=None, tokens_per_minute=1) == [429, 429, 429]
        assert statuses(tokens_per_minute=None) == [200, 200, 200]


def test_limit_headers_can_be_switched_off_and_on_while_it_runs() -> None:
    with running(Settings(requests_per_minute=9)) as simulator, Client(simulator.base_url) as client:

        def limit(sent: bool) -> str | None:
            client.post("/settings", {"limit_headers": sent})
            return client.chat(PROMPT).headers["x-ratelimit-limit-requests"]

        assert [limit(False), limit(True)] == [None, "9"]


@pytest.mark.parametrize("reset", [False, True])
def test_the_largest_windows_of_the_stats_are_as_long_as_the_limits_look_back(reset: bool) -> None:
    with running(Settings(window_s=0.05)) as simulator, Client(simulator.base_url) as client:
        if reset:
            client.post("/reset", {})
        tokens = [tokens_of_one(client)]
        later = time.monotonic() + 0.06
        until(lambda: time.monotonic() > later)
        tokens.append(tokens_of_one(client))
        stats = client.stats()

    assert stats["requests"] == 2
    assert stats["largest_window"] == 1
    assert stats["largest_token_window"] == max(tokens)


def tokens_of_one(client: Client) -> int:
    tokens = client.chat(PROMPT).json["usage"]["total_tokens"]
    assert isinstance(tokens, int)
    return tokens


# --- how many at a time --------------------------------------------------------------------------


def all_at_once(simulator: Simulator, asks: list[Callable[[Client], Got]]) -> list[Got]:
    """Every request on a connection of its own."""

    def one(ask: Callable[[Client], Got]) -> Got:
        with Client(simulator.base_url) as client:
            return ask(client)

    with ThreadPoolExecutor(len(asks)) as threads:
        return list(threads.map(one, asks))


def test_one_request_more_than_are_served_at_a_time_is_refused_at_once_and_not_told_how_long() -> None:
    settings = Settings(max_concurrent=2, latency_s=0.5, requests_per_minute=100)
    with running(settings) as simulator:
        got = all_at_once(simulator, [lambda client, i=i: client.chat(PROMPT, key=str(i)) for i in range(5)])
        (last,) = all_at_once(simulator, [lambda client: client.chat(PROMPT)])

    refused = [reply for reply in got if reply.status == 429]
    assert (len(refused), last.status) == (3, 200)
    assert {json.loads(reply.raw)["error"]["code"] for reply in refused} == {"rate_limit_exceeded"}
    assert "Too many concurrent requests" in refused[0].json["error"]["message"]
    assert not [name for reply in refused for name in reply.headers if "ratelimit" in name or name == "Retry-After"]


def test_models_are_served_at_a_time_each_on_its_own() -> None:
    with running(Settings(max_concurrent=1, latency_s=0.3)) as simulator:
        models = ("sim-student", "sim-strong", "sim-weak")
        got = all_at_once(simulator, [lambda client, m=m: client.chat(PROMPT, model=m) for m in models])

    assert [reply.status for reply in got] == [200, 200, 200]


def test_a_request_that_hangs_keeps_its_place_until_its_client_is_gone() -> None:
    settings = Settings(max_concurrent=1, faults={"hang": 1.0})
    with running(settings) as simulator, Client(simulator.base_url) as client:
        hanging = http.client.HTTPConnection(urlsplit(simulator.base_url).netloc)
        body = json.dumps({"model": "sim-student", "messages": [{"role": "user", "content": PROMPT}]})
        hanging.request("POST", "/v1/chat/completions", body)
        until(lambda: client.stats()["in_flight"] == 1)
        client.post("/faults", {})

        assert client.chat(PROMPT).status == 429

        hanging.close()

        until(lambda: client.chat(PROMPT).status == 200)


def until(condition: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < give_up


def test_a_request_that_a_rate_limit_refuses_takes_no_place() -> None:
    with running(Settings(max_concurrent=1, requests_per_minute=1)) as simulator, Client(simulator.base_url) as client:
        got = [client.chat(PROMPT, key=str(i)) for i in range(3)]

    assert [reply.status for reply in got] == [200, 429, 429]
    assert all("Rate limit reached" in reply.json["error"]["message"] for reply in got[1:])
