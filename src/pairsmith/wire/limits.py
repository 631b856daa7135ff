"""Keeps one endpoint's limits: requests a minute, tokens a minute, pauses it asks for, calls in flight.

Pure but for the waiting, which is `Pace.turn`'s; the gate lets one worker at a time wait there, so that
asyncio-throttle, which polls, ever has a single waiter. Called by gate.py.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from asyncio_throttle.throttler import Throttler  # the package re-exports it, but not for type checkers

# The server counts arrivals, not departures: a margin keeps jitter on the way from breaking its window.
MARGIN = 1.01
FIRST_PAUSE_S = 1.0  # after the first refusal that does not say for how long; twice as long after each further burst
MAX_PAUSE_S = 60.0


def throttle_period(requests_per_minute: float) -> tuple[int, float]:
    """How many requests in how many seconds: about one second's share, at least one request.

    A period of a minute would grant the whole minute's budget at once, and then a minute of silence. The
    periods are whole parts of a minute: else one more of them could begin within some 60 s.
    """
    count = max(1, int(requests_per_minute / 60))
    periods = requests_per_minute if requests_per_minute < 60 else int(requests_per_minute / count)
    return count, 60 / periods * MARGIN


class Pace:
    """When the next request of one endpoint may leave.

    Args:
        requests_per_minute: None = no limit.
        tokens_per_minute: None = no limit; requests are spaced by their estimated tokens.
        clock: monotonic seconds.
        sleep: seconds to wait.
    """

    def __init__(
        self,
        requests_per_minute: float | None,
        tokens_per_minute: float | None,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._throttler: Throttler | None = None
        if requests_per_minute is not None:
            count, period_s = throttle_period(requests_per_minute)
            self._throttler = Throttler(rate_limit=count, period=period_s)
        self._token_s = 60 / tokens_per_minute if tokens_per_minute else 0.0
        self._tokens_free_at = 0.0
        self._paused_until = 0.0
        self._clock = clock
        self._sleep = sleep

    def pause(self, seconds: float) -> None:
        """Let nothing leave for this long; a longer pause already asked for stays."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    async def turn(self) -> None:
        """Wait until a request may leave; for one waiter at a time."""
        while True:
            while (left := max(self._paused_until, self._tokens_free_at) - self._clock()) > 0:
                await self._sleep(left)
            if self._throttler is None:
                return
            await self._throttler.acquire()  # type: ignore[no-untyped-call]  # the package has no types
            # A pause asked for meanwhile: the grant would be stale after it, so another is waited for.
            if self._clock() >= self._paused_until:
                return

    def charge(self, tokens: int) -> None:
        """A request of about this many tokens leaves now."""
        if self._token_s:
            self._tokens_free_at = max(self._clock(), self._tokens_free_at) + tokens * self._token_s * MARGIN


class Ease:
    """How far a gate eases off while its endpoint refuses for now (429 and the like).

    Calls that were in flight together are refused together: such a burst is one step, however many they are.
    A step halves the calls in flight and doubles the pause; answers to later calls bring both back, slowly.

    Args:
        ceiling: the most calls in flight.
    """

    def __init__(self, ceiling: int) -> None:
        self._ceiling = ceiling
        self._level = float(ceiling)
        self._bursts = 0
        self._refused_s = float("-inf")

    @property
    def level(self) -> int:
        """How many calls may be in flight; at least 1."""
        return int(self._level)

    @property
    def pause_s(self) -> float:
        """How long to pause after the last burst, where the endpoint does not say."""
        return min(MAX_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (self._bursts - 1))

    def refused(self, sent_s: float, now_s: float) -> bool:
        """A call that was sent then is refused now; says whether a new burst begins with it."""
        if sent_s < self._refused_s:
            return False
        self._refused_s = now_s
        self._bursts = min(self._bursts + 1, 10)
        self._level = max(1.0, self._level / 2)
        return True

    def answered(self, sent_s: float) -> None:
        """A call that was sent then is answered: one more in flight after as many answers as are in flight."""
        if self._level < self._ceiling:
            self._level = min(self._ceiling, self._level + 1 / self._level)
        if self._bursts and sent_s >= self._refused_s:
            self._bursts -= 1
