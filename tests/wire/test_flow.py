"""How much an endpoint takes is found out: whole runs against servers with limits, in virtual time."""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import dataclass, field
from random import Random
from typing import Protocol

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairsmith.wire.flow import PROBE_S, START, Flow

NET_S = 0.001  # one way


class Server(Protocol):
    """Whether it takes a call now; if not, how long it says to wait (None: it does not say)."""

    def ask(self, now_s: float) -> tuple[bool, float | None]: ...

    def done(self) -> None: ...


@dataclass
class Sliding:
    """So many calls in any window of so many seconds."""

    limit: int
    window_s: float
    tells: bool = False
    _taken: deque[float] = field(default_factory=deque)

    def ask(self, now_s: float) -> tuple[bool, float | None]:
        while self._taken and self._taken[0] <= now_s - self.window_s:
            self._taken.popleft()
        if len(self._taken) >= self.limit:
            return False, self._taken[0] + self.window_s - now_s if self.tells else None
        self._taken.append(now_s)
        return True, None

    def done(self) -> None:
        """A window does not care."""


@dataclass
class Fixed(Sliding):
    """So many calls from each full multiple of the window to the next."""

    _window: int = -1
    _count: int = 0

    def ask(self, now_s: float) -> tuple[bool, float | None]:
        window = math.floor((now_s + 3.3) / self.window_s)
        if window != self._window:
            self._window, self._count = window, 0
        if self._count >= self.limit:
            return False, (window + 1) * self.window_s - 3.3 - now_s if self.tells else None
        self._count += 1
        return True, None


@dataclass
class Bucket:
    """So many calls at once, and so many a second from then on."""

    size: float
    a_second: float
    _left: float = -1.0
    _at_s: float = 0.0

    def ask(self, now_s: float) -> tuple[bool, float | None]:
        left = self.size if self._left < 0 else self._left
        self._left, self._at_s = min(self.size, left + (now_s - self._at_s) * self.a_second), now_s
        if self._left < 1:
            return False, None
        self._left -= 1
        return True, None

    def done(self) -> None:
        """A bucket does not care."""


@dataclass
class Places:
    """So many calls in flight."""

    places: int

    def ask(self, now_s: float) -> tuple[bool, float | None]:
        if not self.places:
            return False, None
        self.places -= 1
        return True, None

    def done(self) -> None:
        self.places += 1


@dataclass
class Moody:
    """Refuses a share of all calls, whatever we do; from `until_s` on nothing."""

    share: float
    until_s: float = math.inf
    told_s: float | None = None
    _rng: Random = field(default_factory=lambda: Random(1))

    def ask(self, now_s: float) -> tuple[bool, float | None]:
        if now_s >= self.until_s or self._rng.random() >= self.share:
            return True, None
        return False, self.told_s

    def done(self) -> None:
        """It does not care."""


@dataclass
class Came:
    """How a run went."""

    wall_s: float
    sent: int = 0
    refused: int = 0

    @property
    def refused_share(self) -> float:
        return self.refused / self.sent


class Gate:
    """The gate's own rules around a Flow: a refused call keeps its place until it is tried again."""

    def __init__(self, server: Server, ceiling: int, latency_s: float) -> None:
        self.server, self.ceiling, self.latency_s = server, ceiling, latency_s
        self.flow, self.rng, self.came = Flow(ceiling), Random(0), Came(0.0)
        self.queue = self.taken = self.done = self.number = 0
        self.paused_s = self.told_s = self.spaced_s = self.look_s = 0.0
        self.events: list[tuple[float, int, str, float, float | None]] = []

    def later(self, at_s: float, what: str, sent_s: float = 0.0, told_s: float | None = None) -> None:
        self.number += 1
        heapq.heappush(self.events, (at_s, self.number, what, sent_s, told_s))

    def pay(self, calls: int) -> Came:
        self.queue = calls
        self.later(0.0, "look")
        while self.done < calls:
            now_s, _, what, sent_s, told_s = heapq.heappop(self.events)
            if what == "answered":
                self.answered(sent_s, now_s)
            elif what == "refused":
                self.refused(sent_s, now_s, told_s)
            elif what == "rested":
                self.queue, self.taken = self.queue + 1, self.taken - 1
            self.send(now_s)
            self.came.wall_s = now_s
        return self.came

    def answered(self, sent_s: float, now_s: float) -> None:
        self.taken, self.done = self.taken - 1, self.done + 1
        self.server.done()
        if self.flow.answered(sent_s, now_s):
            self.paused_s = self.told_s

    def refused(self, sent_s: float, now_s: float, told_s: float | None) -> None:
        self.came.refused += 1
        pause_s = self.flow.refused(sent_s, now_s, told_s)
        if told_s is not None:
            self.told_s = max(self.told_s, now_s + pause_s + 0.05)
        self.paused_s = max(self.paused_s, self.told_s, now_s + pause_s * self.rng.uniform(1, 1.1))
        rest_s = self.rng.uniform(0.5, 1.5) * max(PROBE_S, min(5.0, self.flow.latency_s / 2))
        self.later(now_s + rest_s, "rested")

    def send(self, now_s: float) -> None:
        wait_until_s = math.inf
        while self.queue and self.taken < self.flow.level(now_s):
            free_s = max(self.paused_s, self.spaced_s)
            if free_s > now_s + 1e-9:
                wait_until_s = free_s
                break
            self.leave(now_s)
        if self.queue and self.flow.level(now_s) < self.ceiling:
            wait_until_s = min(wait_until_s, now_s + 0.02)
        if wait_until_s < math.inf and not now_s < self.look_s <= wait_until_s:
            self.look_s = wait_until_s
            self.later(wait_until_s, "look")

    def leave(self, now_s: float) -> None:
        self.paused_s = max(self.paused_s, now_s + self.flow.sent(now_s))
        if rate := self.flow.rate(now_s):
            self.spaced_s = max(self.spaced_s, now_s - 0.1) + 1 / rate
        self.queue, self.taken, self.came.sent = self.queue - 1, self.taken + 1, self.came.sent + 1
        let_in, told_s = self.server.ask(now_s + NET_S)
        if let_in:
            self.later(now_s + NET_S + self.latency_s, "answered", now_s)
        else:
            self.later(now_s + 2 * NET_S, "refused", now_s, told_s)


def run(server: Server, calls: int, ceiling: int, latency_s: float) -> Came:
    return Gate(server, ceiling, latency_s).pay(calls)


@pytest.mark.parametrize("tells", [False, True])
@pytest.mark.parametrize("kind", [Sliding, Fixed])
@pytest.mark.parametrize(("ceiling", "latency_s"), [(64, 0.2), (256, 0.2), (64, 2.0), (256, 2.0)])
def test_150_calls_in_10_seconds_that_nobody_announced(
    kind: type[Sliding], tells: bool, ceiling: int, latency_s: float
) -> None:
    came = run(kind(150, 10.0, tells), 1500, ceiling, latency_s)

    assert came.wall_s <= 1.10 * 1500 / 15
    assert came.refused_share <= (0.05 if tells else 0.10)


@pytest.mark.parametrize("tells", [False, True])
def test_500_calls_a_minute_that_nobody_announced(tells: bool) -> None:
    came = run(Sliding(500, 60.0, tells), 3000, 256, 2.0)

    assert came.wall_s <= 1.10 * 3000 / 500 * 60
    assert came.refused_share <= 0.05


@pytest.mark.parametrize("size", [15, 150])
def test_a_bucket_that_refills(size: int) -> None:
    came = run(Bucket(size, 15.0), 1500, 64, 0.2)

    assert came.wall_s <= 1.10 * 1500 / 15
    assert came.refused_share <= 0.15


@pytest.mark.parametrize(("places", "ceiling"), [(8, 64), (3, 64), (100, 256)])
@pytest.mark.parametrize("latency_s", [0.2, 2.0])
def test_a_limit_on_calls_in_flight(places: int, ceiling: int, latency_s: float) -> None:
    came = run(Places(places), 10 * places * (30 if latency_s < 1 else 10), ceiling, latency_s)

    assert came.wall_s <= 1.25 * 10 * (30 if latency_s < 1 else 10) * latency_s


@pytest.mark.parametrize("share", [0.03, 0.2])
def test_refusals_that_do_not_depend_on_us_do_not_drive_us_down_to_one_call(share: float) -> None:
    came = run(Moody(share), 4000, 64, 2.0)

    assert came.wall_s <= 1.5 * 4000 * 2.0 / 64


def test_pauses_that_single_refusals_ask_for_are_no_rate() -> None:
    came = run(Moody(0.004, told_s=2.0), 8000, 64, 0.2)

    assert came.wall_s <= 1.2 * (8000 * 0.2 / 64 + came.refused * 2.0)
    assert came.refused <= 60


def test_an_endpoint_that_comes_back_is_used_fully_within_seconds() -> None:
    flow = Flow(64)
    for n in range(200):
        flow.sent(n / 100)
        flow.refused(n / 100, n / 100 + 0.001, None)
    assert flow.level(2.1) == 1

    levels = [flow.level(2.0 + seconds) for seconds in (5, 10, 20, 30)]

    assert levels[0] >= 1
    assert levels[-1] == 64
    assert levels == sorted(levels)


def test_an_outage_of_some_seconds_is_over_when_it_is_over() -> None:
    assert run(Moody(1.0, until_s=5.0), 4000, 64, 0.2).wall_s <= 5 + 2.2 * 4000 * 0.2 / 64


def test_a_burst_of_64_refusals_is_one_step_down() -> None:
    flow = Flow(64)
    for n in range(64):
        flow.sent(1.0 + n / 1000)
    level = flow.level(1.1)

    for n in range(64):
        flow.refused(1.0 + n / 1000, 1.1 + n / 1000, None)

    assert level == 64
    assert 32 <= flow.level(1.2) < 64


def test_it_starts_modestly_and_reaches_the_ceiling_within_a_quarter_of_a_second() -> None:
    flow = Flow(256)

    assert flow.level(0.0) == START
    flow.sent(0.0)
    assert START <= flow.level(0.001) < 16
    assert flow.level(0.25) == 256


@given(st.lists(st.tuples(st.sampled_from(["ok", "no", "told", "lost"]), st.floats(0, 5)), max_size=200),
       st.integers(1, 256))  # fmt: skip
def test_the_calls_in_flight_stay_between_one_and_the_ceiling(steps: list[tuple[str, float]], ceiling: int) -> None:
    flow, now_s = Flow(ceiling), 0.0
    for what, took_s in steps:
        now_s += 1
        pause_s = flow.sent(now_s)
        assert 0 <= pause_s <= 30
        if what == "ok":
            flow.answered(now_s, now_s + took_s)
        elif what == "lost":
            flow.failed(now_s + took_s)
        else:
            assert flow.refused(now_s, now_s + took_s, 2.0 if what == "told" else None) >= 0
        now_s += took_s
        assert 1 <= flow.level(now_s) <= ceiling
        assert (flow.rate(now_s) or 1.0) > 0
