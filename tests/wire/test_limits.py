import asyncio
from types import SimpleNamespace

import asyncio_throttle.throttler
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_fakes import HandClock

from pairsmith.wire.limits import MAX_PAUSE_S, Ease, Pace, throttle_period


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
            await pace.turn()
            pace.charge(tokens)
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


# --- easing off ------------------------------------------------------------------------------------


def test_a_burst_of_64_refusals_is_one_step_and_its_pause_is_the_first() -> None:
    ease = Ease(64)

    new = [ease.refused(sent_s=0.0, now_s=1.0 + n / 1000) for n in range(64)]

    assert new == [True] + [False] * 63
    assert (ease.pause_s, ease.level) == (1.0, 32)


def test_each_further_burst_doubles_the_pause_up_to_a_minute_and_halves_the_calls_down_to_one() -> None:
    ease = Ease(64)

    pauses = []
    for n in range(20):
        ease.refused(sent_s=2.0 * n, now_s=2.0 * n + 1)
        pauses.append(ease.pause_s)

    assert pauses[:7] == [1, 2, 4, 8, 16, 32, MAX_PAUSE_S]
    assert (pauses[-1], ease.level) == (MAX_PAUSE_S, 1)


def test_answers_bring_calls_and_pauses_back_slowly() -> None:
    ease = Ease(64)
    for n in range(3):
        ease.refused(sent_s=2.0 * n, now_s=2.0 * n + 1)

    levels = []
    for _ in range(2200):
        ease.answered(sent_s=100.0)
        levels.append(ease.level)

    assert levels[6] == 8
    assert levels[9] == 9
    assert levels[-1] == 64
    assert sorted(levels) == levels
    ease.refused(sent_s=200.0, now_s=201.0)
    assert ease.pause_s == 1.0


def test_answers_to_calls_sent_before_the_refusal_do_not_shorten_the_next_pause() -> None:
    ease = Ease(64)
    ease.refused(sent_s=0.0, now_s=1.0)
    for _ in range(30):
        ease.answered(sent_s=0.5)
    ease.refused(sent_s=2.0, now_s=3.0)

    assert ease.pause_s == 2.0


@given(st.lists(st.tuples(st.booleans(), st.floats(0, 5)), max_size=200), st.integers(1, 256))
def test_the_calls_in_flight_stay_between_one_and_the_ceiling(steps: list[tuple[bool, float]], ceiling: int) -> None:
    ease, now_s = Ease(ceiling), 0.0
    for refused, took_s in steps:
        now_s += 1
        if refused:
            ease.refused(now_s - took_s, now_s)
        else:
            ease.answered(now_s - took_s)
        assert 1 <= ease.level <= ceiling
        assert ease.pause_s <= MAX_PAUSE_S
