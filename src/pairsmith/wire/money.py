"""What calls cost, what this invocation has paid, and the caps on what a run folder may come to.

Pure arithmetic, but for calls that wait until others have shown what they really cost. Called by gate.py.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field

from pairsmith.errors import Stopped
from pairsmith.records import Amount, Endpoint, Outcome, Reply

NOT_SENT = "not_sent"  # how an attempt ends that was booked when the run stopped
NEVER_LEFT = ("unreachable", NOT_SENT)
NOTHING = Amount()


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


def at_most_paid(outcome: Outcome, most: Amount, cost: float | None) -> Amount:
    """What an attempt can have come to, now that its end is known.

    A refusal is a call that costs nothing; a connection that never came about is no call. What broke off on the
    way, or came with status 200 and cannot be read, may have been billed: it counts with the most it can come to.
    So does what a server does not tell of an answer.

    Args:
        outcome: what came of it.
        most: the most it could come to; `usd` None: its price is not known.
        cost: of an answer; None when the price or the count is not known.
    """
    if isinstance(outcome, Reply):
        usage = outcome.usage
        told = usage.input_tokens is not None and usage.output_tokens is not None
        tokens = (usage.input_tokens or 0) + (usage.output_tokens or 0) if told else most.tokens
        return Amount(1, tokens, most.usd if cost is None else cost)
    if outcome.status is None and outcome.reason in NEVER_LEFT:
        return NOTHING
    return most if outcome.status in (None, 200) else Amount(calls=1)


# --- caps ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Caps:
    """What a run folder may come to over all its runs; None: there is no such cap."""

    usd: float | None = None
    calls: int | None = None
    tokens: int | None = None
    minutes: float | None = None


@dataclass(slots=True)
class Budget:
    """The caps of a run folder, and what counts against them. Nothing is sent that could exceed one.

    `spent` is what was paid before and since; calls in flight, and attempts whose end nobody saw, count with the most
    they can come to. Whoever has a clock sets `time_is_up`: no call is taken any more.
    """

    caps: Caps = Caps()
    spent: Amount = NOTHING
    in_flight: int = 0
    time_is_up: bool = False
    _settled: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, most: Amount, stopping: asyncio.Event) -> bool:
        """Set the most that a call can come to aside, as soon as calls in flight have left room for it.

        False when a cap could be exceeded though nothing is in flight (`reached` says which), and when the run is
        stopping.
        """
        while not stopping.is_set():
            if not self._exceeded_by(most):
                self.spent = _sum(self.spent, most)
                self.in_flight += 1
                return True
            if not self.in_flight or self.time_is_up:
                return False
            self._settled.clear()
            await self._settled.wait()
        return False

    def settle(self, most: Amount, paid: Amount) -> None:
        """The call's end is known: put back what it did not come to."""
        self.spent = _sum(self.spent, paid, most)
        self.in_flight -= 1
        self._settled.set()

    def wake(self) -> None:
        """The run is stopping: let nobody wait for room any longer."""
        self._settled.set()

    def reached(self, most: Amount) -> Stopped:
        """Why a call that could come to so much was not taken."""
        caps, spent = self.caps, self.spent
        match self._exceeded_by(most):
            case "cost":
                said = f"{spent.usd or 0:.4f} USD are spent or in flight and the next call could exceed it"
                return _stopped("budget", "cost", f"{caps.usd:g}", said)
            case "calls":
                return _stopped("max_calls", "calls", f"{caps.calls}", f"{spent.calls:,} calls were sent")
            case "tokens":
                said = f"{spent.tokens:,} tokens are used or in flight and the next call could exceed it"
                return _stopped("max_tokens", "tokens", f"{caps.tokens}", said)
            case _:
                said = "this run folder has been run for so long"
                return _stopped("max_minutes", "minutes", f"{caps.minutes or 0:g}", said)

    def _exceeded_by(self, most: Amount) -> str:
        """The cap that this call could exceed; "" when it can be sent."""
        caps, spent = self.caps, self.spent
        if self.time_is_up:
            return "minutes"
        if caps.usd is not None and (most.usd is None or (spent.usd or 0.0) + most.usd > caps.usd):
            return "cost"
        if caps.calls is not None and spent.calls + most.calls > caps.calls:
            return "calls"
        if caps.tokens is not None and spent.tokens + most.tokens > caps.tokens:
            return "tokens"
        return ""


def _stopped(reason: str, cap: str, value: str, found: str) -> Stopped:
    go_on = f"run the same command with a higher --max-{cap} to go on"
    return Stopped(reason, f"--max-{cap} {value} is reached: {found}; {go_on}")


def _sum(one: Amount, more: Amount, less: Amount = NOTHING) -> Amount:
    usd = (one.usd or 0.0) + (more.usd or 0.0) - (less.usd or 0.0)
    return Amount(one.calls + more.calls - less.calls, one.tokens + more.tokens - less.tokens, usd)
