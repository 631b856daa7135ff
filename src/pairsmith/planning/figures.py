"""The figures of a forecast: what is counted, and the three values of everything that is not known yet. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from pairsmith.records import EndpointName, Price, Purpose

Key: TypeAlias = tuple[EndpointName, Purpose]

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Band(Generic[T]):
    """What is the least, the likely, and the most that is to be expected."""

    low: T
    likely: T
    high: T

    def map(self, change: Callable[[T], U]) -> Band[U]:
        """The same for something that follows from each."""
        return Band(change(self.low), change(self.likely), change(self.high))


@dataclass(frozen=True, slots=True)
class Figures:
    """Calls and their tokens: expected values, so no integers. `cached` is part of `input`, `reasoning` of `output`."""

    calls: float = 0.0
    input: float = 0.0
    cached: float = 0.0
    output: float = 0.0
    reasoning: float = 0.0

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.calls + other.calls,
            self.input + other.input,
            self.cached + other.cached,
            self.output + other.output,
            self.reasoning + other.reasoning,
        )

    def times(self, factor: float) -> Figures:
        """So many of them."""
        return Figures(
            self.calls * factor,
            self.input * factor,
            self.cached * factor,
            self.output * factor,
            self.reasoning * factor,
        )

    def cost_usd(self, price: Price | None) -> float | None:
        """USD at this price; None when it is not known."""
        if price is None:
            return None
        cached = price.input if price.cached_input is None else price.cached_input
        uncached = self.input - self.cached
        return (uncached * price.input + self.cached * cached + self.output * price.output) / 1e6


NOTHING = Figures()


def ordered(band: Band[Figures]) -> Band[Figures]:
    """The same with no figure of low above the likely one, and none of high below it."""

    def by(choose: Callable[[float, float], float], one: Figures) -> Figures:
        return Figures(*[choose(getattr(one, name), getattr(band.likely, name)) for name in Figures.__slots__])

    return Band(by(min, band.low), band.likely, by(max, band.high))
