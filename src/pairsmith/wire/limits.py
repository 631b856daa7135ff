"""Keeps one endpoint's limits: requests a minute, tokens a minute, pauses it asks for.

Pure but for the waiting, which is `Pace.turn`'s; the gate lets one worker at a time wait there, so that
asyncio-throttle, which polls, ever has a single waiter. Limits that an endpoint announces in its headers are kept
like those of the recipe. Called by gate.py; how many calls may be in flight is flow.py's.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from math import sqrt

from asyncio_throttle.throttler import Throttler  # the package re-exports it, but not for type checkers

# The server counts arrivals, not departures: a margin keeps jitter on the way from breaking its window.
MARGIN = 1.01
WINDOW_S = 60.0
LOOK_S = 0.05  # a pause that is our own guess can end early: so often is that looked at
CREDIT_S = 2.0  # so much time lost to calls that were charged too much is made up for; the window is kept all the same
CATCH_UP_S = 0.1  # a learnt rate makes up for so much time lost between two calls


def throttle_period(requests_per_minute: float) -> tuple[int, float]:
    """How many requests in how many seconds: about one second's share, at least one request.

    A period of a minute would grant the whole minute's budget at once, and then a minute of silence. The
    periods are whole parts of a minute: else one more of them could begin within some 60 s.
    """
    count = max(1, int(requests_per_minute / 60))
    periods = requests_per_minute if requests_per_minute < 60 else int(requests_per_minute / count)
    return count, 60 / periods * MARGIN


class Tokens:
    """Which tokens were sent in the last minute, by what each call used as soon as that is known.

    A call's own upper bound (its input and the longest answer it allows) is mostly far above what it uses. Where
    the endpoint counts what is used, calls are charged what calls like them have used so far, and what they used
    themselves once they are answered. Where it counts the bound (OpenAI, Azure), so do we.

    Args:
        per_minute: the limit.
        by_bound: whether the endpoint counts the bound.
    """

    def __init__(self, per_minute: float, by_bound: bool) -> None:
        self.per_minute = per_minute
        self.by_bound = by_bound
        self._used: dict[str, tuple[float, float]] = {}  # by kind of call: tokens used, and their bounds
        self._window: deque[list[float]] = deque()  # [when, tokens], the oldest first
        self._sum = 0.0
        self._open = 0  # calls charged and not settled
        self._spread = 0.0  # how far calls are from what was expected of them, on average
        self._free_s = float("-inf")  # when the next call may leave, so that they are spread

    def expected(self, kind: str, bound: int) -> float:
        """What a call of this kind is likely to use."""
        used, of = self._used.get(kind, (1.0, 1.0))
        return bound if self.by_bound else max(1.0, bound * used / of)

    def wait_s(self, tokens: float, now_s: float) -> float:
        """Seconds until so many more may leave."""
        while self._window and self._window[0][0] <= now_s - WINDOW_S * MARGIN:
            self._sum -= self._window.popleft()[1]
        wait_s = self._free_s - now_s
        unsure = 0.0 if self.by_bound else 2 * self._spread * sqrt(self._open + 1)
        excess = self._sum + tokens + unsure - self.per_minute
        for at_s, amount in self._window if excess > 0 else ():
            excess -= amount
            if excess <= 0:
                return max(wait_s, at_s + WINDOW_S * MARGIN - now_s)
        return wait_s if excess <= 0 or not self._window else max(wait_s, LOOK_S)

    def charge(self, tokens: float, now_s: float) -> list[float]:
        """A call with so many leaves now; what comes back goes to `settle`."""
        entry = [now_s, tokens]
        self._open += 1
        self._window.append(entry)
        self._sum += tokens
        start_s = self._free_s if now_s - self._free_s < CREDIT_S else now_s
        self._free_s = start_s + self._spacing_s(tokens)
        return entry

    def settle(self, entry: list[float], kind: str, bound: int, used: int | None) -> None:
        """The call has ended and used so many; None: it was refused, so it used none."""
        self._open = max(0, self._open - 1)
        if used is not None:
            self._spread += (abs(used - entry[1]) - self._spread) * 0.02
            before, of = self._used.get(kind, (0.0, 0.0))
            self._used[kind] = (before * 0.98 + used, of * 0.98 + bound)
        if self.by_bound:
            return
        change = (used or 0) - entry[1]
        entry[1] += change
        self._free_s += self._spacing_s(change)
        if self._window and entry[0] >= self._window[0][0]:
            self._sum += change

    def _spacing_s(self, tokens: float) -> float:
        return tokens * 60 / self.per_minute * MARGIN


class Pace:
    """When the next request of one endpoint may leave.

    Args:
        requests_per_minute: None = no limit.
        tokens_per_minute: None = no limit; requests are spaced by their tokens.
        by_bound: how the endpoint counts tokens, see `Tokens`.
        clock: monotonic seconds.
        sleep: seconds to wait.
    """

    def __init__(
        self,
        requests_per_minute: float | None,
        tokens_per_minute: float | None,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        by_bound: bool = False,
    ) -> None:
        self._own = (requests_per_minute, tokens_per_minute)
        self.requests_per_minute: float | None = None
        self.tokens: Tokens | None = None
        self._throttler: Throttler | None = None
        self._paused_s = 0.0  # until then, because the endpoint asked for it
        self._held_s = 0.0  # until then, by our own guess
        self._rate_s = 0.0  # until then, by the learnt rate
        self._left = 0  # requests, since the limit is what it is
        self._clock = clock
        self._sleep = sleep
        self._by_bound = by_bound
        if requests_per_minute is not None:
            self._throttle(requests_per_minute)
        if tokens_per_minute is not None:
            self.tokens = Tokens(tokens_per_minute, by_bound)

    def _throttle(self, requests_per_minute: float) -> None:
        count, period_s = throttle_period(requests_per_minute)
        self.requests_per_minute = requests_per_minute
        self._throttler = Throttler(rate_limit=count, period=period_s)

    @property
    def limited(self) -> bool:
        """Whether requests wait for a limit."""
        return self._throttler is not None or self.tokens is not None

    @property
    def paused(self) -> bool:
        """Whether nothing may leave now, limits aside."""
        return max(self._paused_s, self._held_s) > self._clock()

    def announced(self, requests_per_minute: float | None, tokens_per_minute: float | None) -> list[str]:
        """Keep to what the endpoint says its limits are, where the recipe's are higher; says which ones are new."""
        new = []
        requests, tokens = (_lower(own, said) for own, said in
                            zip(self._own, (requests_per_minute, tokens_per_minute), strict=True))  # fmt: skip
        if requests is None:
            self._throttler, self.requests_per_minute = None, None
        elif requests != self.requests_per_minute:
            # What left before counts in the server's window: it is waited for.
            self.hold(min(self._left, requests) * 60 / requests)
            self._left = 0
            self._throttle(requests)
            new.append(f"{requests:,.0f} requests")
        if tokens is None:
            self.tokens = None
        elif self.tokens is None:
            self.tokens = Tokens(tokens, self._by_bound)
            new.append(f"{tokens:,.0f} tokens")
        elif tokens != self.tokens.per_minute:
            self.tokens.per_minute = tokens
            new.append(f"{tokens:,.0f} tokens")
        return new

    def counts_bounds(self) -> None:
        """The endpoint refused tokens though less than the limit was used: it counts the bounds."""
        self._by_bound = True
        if self.tokens is not None:
            self.tokens.by_bound = True

    def pause(self, seconds: float) -> None:
        """Let nothing leave for this long, as the endpoint asks; a longer pause already asked for stays."""
        self._paused_s = max(self._paused_s, self._clock() + seconds)

    def hold(self, seconds: float) -> None:
        """Let nothing leave for this long, or until `resume`: nobody asked for it."""
        self._held_s = max(self._held_s, self._clock() + seconds)

    def resume(self) -> None:
        """The hold was not needed."""
        self._held_s = 0.0

    async def turn(self, tokens: Callable[[], float] = lambda: 0.0) -> bool:
        """Wait until a request may leave; for one waiter at a time. Says whether it may have waited.

        Args:
            tokens: how many the request would be likely to use, if it left now.
        """
        if self._throttler is None and self._wait_s(tokens) <= 0:
            return False
        while True:
            while (left_s := self._wait_s(tokens)) > 0:
                await self._sleep(min(left_s, LOOK_S))
            if self._throttler is None:
                return True
            await self._throttler.acquire()  # type: ignore[no-untyped-call]  # the package has no types
            # A pause asked for meanwhile: the grant would be stale after it, so another is waited for.
            if self._wait_s(tokens) <= 0:
                return True

    def _wait_s(self, tokens: Callable[[], float]) -> float:
        now_s = self._clock()
        wait_s = max(self._paused_s, self._held_s, self._rate_s) - now_s
        return max(wait_s, self.tokens.wait_s(tokens(), now_s)) if self.tokens is not None else wait_s

    def left(self, rate: float | None) -> None:
        """A request leaves now; where a rate (a second) is learnt, the next one waits its share."""
        self._left += 1
        if rate is not None:
            self._rate_s = max(self._clock() - CATCH_UP_S, self._rate_s) + 1 / rate


def _lower(own: float | None, said: float | None) -> float | None:
    return min((limit for limit in (own, said) if limit), default=None)
