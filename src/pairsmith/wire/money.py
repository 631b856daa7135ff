"""What calls cost, what this invocation has paid, and the cap on what a run folder may pay.

Pure arithmetic, but for calls that wait until others have shown what they really cost. Called by gate.py.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from pairsmith.records import Endpoint, Failure, Outcome, Reply

NOT_SENT = "not_sent"  # how an attempt ends that was booked when the run stopped


@dataclass(slots=True)
class Tally:
    """What this invocation did, by endpoint name. `cost_usd` None: a price or a token count was unknown."""

    calls: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0

    def add(self, reply: Reply, cost_usd: float | None) -> None:
        """Count an answer's tokens and cost."""
        self.input_tokens += reply.usage.input_tokens or 0
        self.output_tokens += reply.usage.output_tokens or 0
        self.cost_usd = None if self.cost_usd is None or cost_usd is None else self.cost_usd + cost_usd


def cost_usd(
    endpoint: Endpoint, input_tokens: int | None, output_tokens: int | None, cached: int | None
) -> float | None:
    """USD for these tokens at the recipe's price; None when the price or a count is unknown."""
    price = endpoint.price
    if price is None or input_tokens is None or output_tokens is None:
        return None
    cached = min(cached or 0, input_tokens)
    cached_price = price.input if price.cached_input is None else price.cached_input
    return ((input_tokens - cached) * price.input + cached * cached_price + output_tokens * price.output) / 1e6


def reply_cost_usd(endpoint: Endpoint, reply: Reply) -> float | None:
    """USD for an answer by the server's own count; None when the price or the count is unknown."""
    usage = reply.usage
    return cost_usd(endpoint, usage.input_tokens, usage.output_tokens, usage.cached_tokens)


def at_most_paid_usd(outcome: Outcome, cost: float | None, most_usd: float | None) -> float | None:
    """What an attempt can have cost, now that its end is known; None when the price is unknown.

    A refusal costs nothing, and neither does a connection that never came about. What broke off on the way,
    or came with status 200 and cannot be read, may have been billed: it counts with the most it can cost.
    """
    if isinstance(outcome, Reply):
        return most_usd if cost is None else cost
    return most_usd if _may_be_billed(outcome) else 0.0


def _may_be_billed(failure: Failure) -> bool:
    return failure.status == 200 or (failure.status is None and failure.reason not in ("unreachable", NOT_SENT))


@dataclass(slots=True)
class Budget:
    """A cap on what a run folder pays, over all its runs. Nothing is sent that could exceed it.

    `spent_usd` is what was paid before and since; calls in flight, and attempts whose end nobody saw, count
    with the most they can cost.
    """

    cap_usd: float
    spent_usd: float
    in_flight: int = 0
    _settled: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, most_usd: float | None, stopping: asyncio.Event) -> bool:
        """Set the most a call can cost aside, as soon as calls in flight have left room for it.

        False when the cap could be exceeded though nothing is in flight, when the price is unknown, and when the
        run is stopping.
        """
        while most_usd is not None and not stopping.is_set():
            if self.spent_usd + most_usd <= self.cap_usd:
                self.spent_usd += most_usd
                self.in_flight += 1
                return True
            if not self.in_flight:
                return False
            self._settled.clear()
            await self._settled.wait()
        return False

    def settle(self, most_usd: float, paid_usd: float) -> None:
        """The call's end is known: put back what it did not cost."""
        self.spent_usd += paid_usd - most_usd
        self.in_flight -= 1
        self._settled.set()

    def wake(self) -> None:
        """The run is stopping: let nobody wait for room any longer."""
        self._settled.set()
