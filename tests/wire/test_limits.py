import asyncio
from random import Random
from types import SimpleNamespace

import asyncio_throttle.throttler
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_fakes import HandClock

from pairsmith.wire.limits import WINDOW_S, Pace, Tokens, throttle_period


def departures(period: tuple[int, float], until_s: float, poll_s: float = 0.01) -> list[float]:
    """When requests leave under asyncio-throttle's own rule, for a queue that never runs dry."""
    count, period_s = period
    left: list[float] = []
    now_s = 0.0
    while now_s < until_s:
        if len(left) >= count and now_s - left[-count] <= period_s:
            now_s += poll_s * max(1, int((period_s - (now_s - left[-count])) / poll_s))
        else:
            left.append(now_s)
    return left


def most_in_a_minute(left: list[float]) -> int:
    most = first = 0
    for last, at_s in enumerate(left):
        while left[first] <= at_s - 60:
            first += 1
        most = max(most, last - first + 1)
    return most


@given(st.integers(1, 5000))
def test_no_minute_ever_holds_more_than_the_limit_and_it_is_used_well(limit: int) -> None:
    left = departures(throttle_period(limit), 190.0)

    assert most_in_a_minute(left) <= limit
    if limit >= 10:
        assert len([at_s for at_s in left if at_s < 180]) >= 0.95 * 3 * limit


@given(st.floats(0.1, 100_000, allow_nan=False))
def test_every_limit_is_spread_over_periods_of_at_least_a_second_and_stays_below_it(limit: float) -> None:
    count, period_s = throttle_period(limit)

    assert count >= 1
    assert period_s > 1 or limit > 60
    assert count * 60 / period_s <= limit


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> HandClock:
    """Time for Pace and for asyncio-throttle, moved by whoever sleeps."""
    clock = HandClock()
    monkeypatch.setattr(asyncio_throttle.throttler, "time", SimpleNamespace(monotonic=clock.monotonic))
    monkeypatch.setattr(asyncio_throttle.throttler, "asyncio", SimpleNamespace(sleep=clock.sleep))
    return clock


def turns(pace: Pace, clock: HandClock, count: int, tokens: int = 0) -> list[float]:
    """When so many requests leave, in seconds from now."""

    async def leave() -> list[float]:
        start_s, left = clock.now_s, []
        for _ in range(count):
            await pace.turn(lambda: tokens)
            pace.left(None)
            if pace.tokens is not None:
                pace.tokens.charge(tokens, clock.now_s)
            left.append(clock.now_s - start_s)
        return left

    return asyncio.run(leave())


def test_without_limits_nothing_waits(clock: HandClock) -> None:
    assert turns(Pace(None, None, clock.monotonic, clock.sleep), clock, 100, 1000) == [0.0] * 100


@pytest.mark.parametrize("limit", [1, 7, 60, 90, 182, 600])
def test_requests_leave_at_the_limits_pace(clock: HandClock, limit: int) -> None:
    left = turns(Pace(limit, None, clock.monotonic, clock.sleep), clock, 2 * limit + 1)

    assert most_in_a_minute(left) <= limit
    assert left[-1] <= 2 * 60 / 0.95 + 1


def test_tokens_space_requests_by_their_estimate(clock: HandClock) -> None:
    left = turns(Pace(None, 6000, clock.monotonic, clock.sleep), clock, 3, tokens=100)

    assert left == pytest.approx([0.0, 1.01, 2.02])


def test_a_pause_holds_everything_and_a_longer_one_stays(clock: HandClock) -> None:
    pace = Pace(None, None, clock.monotonic, clock.sleep)
    pace.pause(30)
    pace.pause(5)

    assert turns(pace, clock, 2) == [30.0, 30.0]


def test_after_a_pause_requests_are_spread_again_and_do_not_leave_at_once(clock: HandClock) -> None:
    pace = Pace(60, None, clock.monotonic, clock.sleep)
    turns(pace, clock, 1)
    clock.now_s += 0.5

    async def pause_while_waiting() -> list[float]:
        waiting = asyncio.create_task(pace.turn())
        await asyncio.sleep(0)
        pace.pause(10)
        await waiting
        first_s = clock.now_s
        await pace.turn()
        return [first_s, clock.now_s]

    first_s, second_s = asyncio.run(pause_while_waiting())

    assert second_s - first_s >= 1


def test_a_hold_that_is_our_own_guess_ends_early_but_a_pause_that_was_asked_for_does_not(clock: HandClock) -> None:
    pace = Pace(None, None, clock.monotonic, clock.sleep)
    pace.hold(30)
    pace.resume()
    assert turns(pace, clock, 1) == [0.0]

    pace.pause(30)
    pace.resume()
    assert turns(pace, clock, 1) == pytest.approx([30.0])


def test_a_learnt_rate_spaces_requests(clock: HandClock) -> None:
    pace = Pace(None, None, clock.monotonic, clock.sleep)

    async def leave() -> float:
        for _ in range(101):
            await pace.turn()
            pace.left(50.0)
        return clock.now_s - 1000

    assert asyncio.run(leave()) == pytest.approx(2.0, abs=0.12)


# --- limits that are announced -------------------------------------------------------------------


def test_an_announced_limit_is_kept_and_what_left_before_counts(clock: HandClock) -> None:
    pace = Pace(None, None, clock.monotonic, clock.sleep)
    turns(pace, clock, 16)

    assert pace.announced(600, 100_000) == ["600 requests", "100,000 tokens"]

    left = turns(pace, clock, 600)
    assert left[0] == pytest.approx(1.6, abs=0.1)
    assert most_in_a_minute([-1.0] * 16 + left) <= 600


def test_an_announced_limit_above_the_recipes_changes_nothing(clock: HandClock) -> None:
    pace = Pace(60, 1000, clock.monotonic, clock.sleep)

    assert pace.announced(600, 2000) == []
    assert pace.announced(60, None) == []
    assert (pace.requests_per_minute, pace.tokens and pace.tokens.per_minute) == (60, 1000)


# --- tokens --------------------------------------------------------------------------------------


def minute_by_minute(sent: list[tuple[float, float]]) -> float:
    """The most tokens in any window of a minute."""
    most = total = first = 0
    for at_s, tokens in sent:
        total += tokens
        while sent[first][0] <= at_s - WINDOW_S:
            total -= sent[first][1]
            first += 1
        most = max(most, total)
    return most


def send(tokens: Tokens, uses: list[int], bound: int, latency_s: float) -> list[tuple[float, float]]:
    """Calls that leave as soon as they may, are answered after the latency and used so many tokens."""
    now_s, sent, open_ = 0.0, [], []
    for used in uses:
        while True:
            while open_ and open_[0][0] <= now_s:
                _, entry, its = open_.pop(0)
                tokens.settle(entry, "sample", bound, its)
            wait_s = tokens.wait_s(tokens.expected("sample", bound), now_s)
            if wait_s <= 0:
                break
            now_s += min(wait_s, max(1e-6, open_[0][0] - now_s)) if open_ else wait_s
        open_.append((now_s + latency_s, tokens.charge(tokens.expected("sample", bound), now_s), used))
        sent.append((now_s, used))
    return sent


@pytest.mark.parametrize("latency_s", [0.05, 0.5, 3.0])
def test_where_the_used_tokens_count_the_limit_is_used_well_though_calls_may_use_much_more(latency_s: float) -> None:
    uses = [Random(n).randint(50, 150) for n in range(1200)]

    sent = send(Tokens(30_000, by_bound=False), uses, 1100, latency_s)

    assert minute_by_minute(sent) <= 30_000
    assert sum(tokens for at_s, tokens in sent if 120 < at_s <= 180) >= 0.97 * 30_000


@given(st.lists(st.integers(50, 150), min_size=10, max_size=10))
def test_where_the_bounds_count_no_minute_ever_holds_more(uses: list[int]) -> None:
    sent = send(Tokens(30_000, by_bound=True), uses * 10, 1100, 0.5)

    assert minute_by_minute([(at_s, 1100.0) for at_s, _ in sent]) <= 30_000


def test_a_call_that_was_refused_counts_nothing() -> None:
    tokens = Tokens(1000, by_bound=False)

    entry = tokens.charge(900, 0.0)
    assert tokens.wait_s(900, 0.0) > 50

    tokens.settle(entry, "sample", 900, None)
    assert tokens.wait_s(900, 0.0) <= 0
