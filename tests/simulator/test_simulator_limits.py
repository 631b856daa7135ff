import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator_client import Client

from pairsmith.simulator import Settings, running
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
