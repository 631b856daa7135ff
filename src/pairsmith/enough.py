"""When a run has enough pairs, and when it does not pay: how many prompts are taken, and why it ends.

Pure decisions from what prompts have come to so far. Called by pipeline.py.
"""

from __future__ import annotations

import asyncio
from math import ceil, floor, log10

from pairsmith.errors import Stopped
from pairsmith.judge.rates import Rate, share, told

KNOWN_FROM = 50  # settled prompts: the first ones that settle are the quick ones, and may be unlike the others
MIN_YIELD, TARGET = "min_yield", "target_pairs"  # why it ends

_KINDS = ("", "pair", "abstained", "failed")


class Enough:
    """What the tasks of one run share of it.

    Args:
        target: how many pairs are wanted; None: as many as the input gives.
        min_yield: pairs per settled prompt below which the run does not pay; None: it always does.
    """

    def __init__(self, target: int | None = None, min_yield: float | None = None) -> None:
        self.target = target
        self.least = 0  # so many prompts are taken in any case: the judges are measured with them
        self._min_yield = min_yield
        self._kinds = bytearray()  # by ordinal: what a prompt came to
        self._pairs = bytearray()  # and how many pairs it gave
        self.pairs = 0  # how many there are
        self._counts = [0] * len(_KINDS)
        self._taken = self._ended = 0
        self._over = False
        self._news = asyncio.Event()

    # --- what prompts have come to --------------------------------------------------------------------

    def settled(self, ordinal: int, kind: str, pairs: int) -> None:
        """A prompt has come to this, now or on an earlier run; "": what it came to no longer holds."""
        further = bytes(max(0, ordinal + 1 - len(self._kinds)))
        self._kinds.extend(further)
        self._pairs.extend(further)
        self.pairs += pairs - self._pairs[ordinal]
        self._pairs[ordinal] = pairs
        self._counts[self._kinds[ordinal]] -= 1
        self._kinds[ordinal] = _KINDS.index(kind)
        self._counts[self._kinds[ordinal]] += 1

    @property
    def gained(self) -> Rate:
        """Prompts that gave a pair, per settled prompt; what failed is not settled."""
        return share(self._paired, self._paired + self._counts[_KINDS.index("abstained")])

    @property
    def _paired(self) -> int:
        return self._counts[_KINDS.index("pair")]

    @property
    def _a_prompt(self) -> float:
        """Pairs of a prompt that gives any."""
        return self.pairs / max(1, self._paired) or 1.0

    # --- who is taken ---------------------------------------------------------------------------------

    def takes(self) -> bool:
        """Whether one more prompt is taken: those in flight may not give the pairs that are missing.

        They are expected to give as many as the upper end of the interval of the yield so far says, at first one each.
        """
        if not (self._over or self._taken < self.least or self._wants(self._taken - self._ended)):
            return False
        self._taken += 1
        return True

    def _wants(self, in_flight: int) -> bool:
        if self.target is None:
            return True
        gained = self.gained
        most = gained.high if gained.high is not None and gained.n >= KNOWN_FROM else 1.0
        return self.pairs + in_flight * most * self._a_prompt < self.target

    def ended(self) -> None:
        """A prompt that was taken is no longer in flight, or there was none to take."""
        self._ended += 1
        self.wake()

    async def news(self) -> None:
        """Wait until it may be otherwise."""
        self._news.clear()
        await self._news.wait()

    def wake(self) -> None:
        """Something else than a prompt's end may make it otherwise."""
        self._news.set()

    def release(self) -> None:
        """The run is stopping: nobody waits any longer."""
        self._over = True
        self.wake()

    # --- why it ends ----------------------------------------------------------------------------------

    @property
    def reached(self) -> Stopped | None:
        """That there are as many pairs as were wanted; None: there are not."""
        if self.target is None or self.pairs < self.target:
            return None
        return Stopped(TARGET, f"there are {self.target:,} pairs")

    @property
    def poor(self) -> Stopped | None:
        """That the run does not pay, by all that it settled so far; None: it does, or too little is known."""
        gained = self.gained
        if self._min_yield is None or gained.n < KNOWN_FROM or gained.high is None or gained.high >= self._min_yield:
            return None
        return Stopped(
            MIN_YIELD,
            f"the run does not pay: {self._paired:,} of {gained.n:,} settled prompts gave a pair, {told(gained)}, and "
            f"--min-yield is {self._min_yield:g}; mend the cause, or run the same command with a lower one to go on",
        )

    @property
    def used_up(self) -> Stopped | None:
        """Why a run that came to the end of its prompts has too few pairs; None: it has enough, or settled nothing."""
        gained, failed = self.gained, self._counts[_KINDS.index("failed")]
        if self.target is None or self.pairs >= self.target or not gained.n:
            return None
        again = f"; the {failed:,} that failed are asked again on the next run" if failed else ""
        if not gained.rate:
            said = (
                f"the prompts are used up and none of {gained.n:,} gave a pair: lower min_gap, or mend what they lack"
            )
            return Stopped("prompts_used_up", said + again)
        more = _rounded_up((self.target - self.pairs) / (gained.rate * self._a_prompt))
        said = f"the prompts are used up at {self.pairs:,} of {self.target:,} pairs; add about {more:,} prompts"
        return Stopped("prompts_used_up", said + again)


def _rounded_up(number: float) -> int:
    """To two figures: it is an estimate."""
    unit: int = 10 ** max(0, floor(log10(number)) - 1)
    return ceil(number / unit) * unit
