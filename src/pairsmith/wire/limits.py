"""Keeps one endpoint's limits: requests a minute, tokens a minute, and the pauses the server asks for.

All workers of a gate wait here behind one lock, so that asyncio-throttle, which polls, ever has a single
waiter. Called by online.py before each attempt.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from asyncio_throttle.throttler import Throttler  # the package re-exports it, but not for type checkers

# The server counts arrivals, not departures: a margin keeps jitter on the way from breaking its window.
MARGIN = 1.01


def throttle_period(requests_per_minute: float) -> tuple[int, float]:
    """How many requests in how many seconds: about one second's share, at least one request.

    A period of a minute would grant the whole minute's budget at once, and then a minute of silence.
    """
    count = max(1, int(requests_per_minute / 60))
    return count, count * 60 / requests_per_minute * MARGIN


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
        self._turn = asyncio.Lock()

    def pause(self, seconds: float) -> None:
        """Let nothing leave for this long; a longer pause already asked for stays."""
        self._paused_until = max(self._paused_until, self._clock() + seconds)

    async def turn(self, tokens: int) -> None:
        """Wait until a request of about this many tokens may leave."""
        if self._throttler is None and not self._token_s and self._clock() >= self._paused_until:
            return
        async with self._turn:
            await self._tokens(tokens)
            if self._throttler is not None:
                await self._throttler.acquire()  # type: ignore[no-untyped-call]  # the package has no types
            while (left := self._paused_until - self._clock()) > 0:
                await self._sleep(left)

    async def _tokens(self, tokens: int) -> None:
        if not self._token_s:
            return
        now = self._clock()
        start = max(now, self._tokens_free_at)
        self._tokens_free_at = start + tokens * self._token_s * MARGIN
        if start > now:
            await self._sleep(start - now)
