"""Shares with their 95 % intervals, and how they are told. Pure. Called by qualify.py, bias.py and show/."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True, slots=True)
class Rate:
    """A share of `n`, with its 95 % interval after Wilson; None where n is 0."""

    rate: float | None
    n: int
    low: float | None
    high: float | None

    def surely(self, wrong: Callable[[float], bool]) -> bool:
        """Whether the whole interval is on the wrong side."""
        return self.low is not None and self.high is not None and wrong(self.low) and wrong(self.high)

    def perhaps(self, wrong: Callable[[float], bool]) -> bool:
        """Whether the rate itself is on the wrong side."""
        return self.rate is not None and wrong(self.rate)


def share(hits: int, n: int) -> Rate:
    """The rate and its interval."""
    return Rate(hits / n, n, *interval(hits / n, n)) if n else Rate(None, 0, None, None)


def interval(rate: float, n: float) -> tuple[float, float]:
    """The 95 % interval of a share of n; n need not be whole where some count more than others.

    Source: Wilson 1927; it holds near 0 and 1, where the usual interval does not.
    """
    middle = rate + Z * Z / (2 * n)
    half = Z * math.sqrt(rate * (1 - rate) / n + Z * Z / (4 * n * n))
    whole = 1 + Z * Z / n
    return 0.0 if rate == 0 else (middle - half) / whole, 1.0 if rate == 1 else (middle + half) / whole


def share_of(said: Iterable[bool]) -> Rate:
    """The share of these that are true."""
    hits = list(said)
    return share(sum(hits), len(hits))


def told(rate: Rate) -> str:
    """Such as "45 % (95 %: 29–62)"."""
    if rate.rate is None or rate.low is None or rate.high is None:
        return "unknown"
    return f"{percent(rate.rate)} (95 %: {figure(rate.low)}–{figure(rate.high)})"


def percent(value: float) -> str:
    """Such as "45 %" or "4.5 %"."""
    return f"{figure(value)} %"


def figure(value: float) -> str:
    """A share as a figure of per cent: below ten one digit more, as a bar may stand at 2."""
    hundredths = value * 100
    return f"{hundredths:.1f}" if 0 < hundredths < 9.95 else f"{hundredths:.0f}"


def bar(value: float) -> str:
    """A limit, which is a whole number of per cent."""
    return f"{value * 100:.0f} %"
