"""From the pairs so far to the prompts that a number of pairs needs. Pure. Called by cli/plan.py."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pairsmith.judge.rates import Rate
from pairsmith.planning.figures import Band


@dataclass(frozen=True, slots=True)
class Target:
    """A number of pairs: the prompts that it needs, and how many of them are not there.

    `most` prompts is None where the interval of the yield reaches down to 0.
    """

    pairs: int
    least: int
    likely: int
    most: int | None
    missing: int  # by the likely figure

    def share(self, prompts: int) -> Band[float | None]:
        """The prompts needed, for each prompt of the input."""
        most = None if self.most is None else self.most / prompts
        return Band(self.least / prompts, self.likely / prompts, most)


def target(pairs: int, gained: Rate, prompts: int) -> Target | None:
    """What a number of pairs needs, by the pairs for each settled prompt; None while that is not known.

    Args:
        pairs: wanted.
        gained: pairs of the settled prompts, with their interval.
        prompts: in the input.
    """
    if not gained.rate or gained.low is None or gained.high is None:
        return None
    likely = math.ceil(pairs / gained.rate)
    most = math.ceil(pairs / gained.low) if gained.low > 0 else None
    return Target(pairs, math.ceil(pairs / gained.high), likely, most, max(0, likely - prompts))
