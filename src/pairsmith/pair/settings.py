"""The [pair] table of a recipe: how large a gap must be, how good the chosen answer, and who may be on which side."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from pairsmith.pair.sides import ANY, read_sides
from pairsmith.records import Flag

LARGEST_GAP = 9.0  # points go from 1 to 10
USUAL_GAP = 3.0  # 99 % of the orders right on RewardBench 2 (JUDGING, finding 1)
BEST_WORST = "best-worst"
DELTA = "delta"  # one arm over another; the one strategy that needs no judge
SEAM = re.compile(r".+\.py:[A-Za-z_]\w*")  # FILE.py:FUNCTION


class PairSettings(BaseModel):
    """The [pair] table, in judge points. `verify_gap` left out follows `min_gap` down, so that it fits.

    `min_gap` "auto" is found from what this run measures of its judges; until then it is 3 (`least_gap`).
    `strategy` is a name, or FILE.py:FUNCTION.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    strategy: str = BEST_WORST
    min_gap: float | Literal["auto"] = USUAL_GAP  # from here up a pair needs no more questions
    verify_gap: float = 1.0  # from here up to min_gap a duel in both orders decides; = min_gap: no duels
    chosen_floor: float = 6.0  # least mean score of a chosen answer
    sides: str = ANY  # see sides.py

    @field_validator("sides", mode="before")
    @classmethod
    def _in_one(cls, value: object) -> object:
        """What stands between commas may come as a list: --set makes one of it."""
        parts = isinstance(value, list) and all(isinstance(part, str) for part in value)
        return ", ".join(value) if parts else value  # type: ignore[arg-type]

    @model_validator(mode="after")
    def _gaps_fit(self) -> PairSettings:
        if self.strategy != BEST_WORST and not SEAM.fullmatch(self.strategy):
            raise ValueError(
                f'strategy "{self.strategy}" is not known: take "{BEST_WORST}", or your own function: FILE.py:FUNCTION'
            )
        if not 0 < self.least_gap <= LARGEST_GAP:
            raise ValueError(
                f"min_gap = {self.min_gap:g} is no gap between scores of 1 to 10:"
                f' set it above 0 (a tie is no preference) and to {LARGEST_GAP:g} at most, or to "auto"'
            )
        if not self.pinned_verify_gap and self.least_gap < self.verify_gap:
            object.__setattr__(self, "verify_gap", self.least_gap)
        if not 0 < self.verify_gap <= self.least_gap:
            raise ValueError(
                f"verify_gap = {self.verify_gap:g} does not lie above 0 and up to min_gap = {self.least_gap:g}:"
                " lower it, raise min_gap, or leave it out"
            )
        if not 0 <= self.chosen_floor <= 10:
            raise ValueError(
                f"chosen_floor = {self.chosen_floor:g} is no score from 1 to 10: set it within, 1 to let all pass"
            )
        return self

    @model_validator(mode="after")
    def _sides_are_written_so(self) -> PairSettings:
        read_sides(self.sides)
        return self

    @property
    def tolerated(self) -> frozenset[Flag]:
        """Flags that do not keep a completion from being judged."""
        return frozenset()

    @property
    def least_gap(self) -> float:
        """`min_gap` as a number: what "auto" stands for while too little is known of the judges."""
        return USUAL_GAP if self.min_gap == "auto" else self.min_gap

    def at(self, gap: float) -> PairSettings:
        """The same with this `min_gap`; `verify_gap` stays below it."""
        found = self.model_copy(update={"min_gap": gap, "verify_gap": min(self.verify_gap, gap)})
        if not self.pinned_verify_gap:  # it still follows min_gap
            found.model_fields_set.discard("verify_gap")
        return found

    @property
    def pinned_verify_gap(self) -> bool:
        """Whether the recipe sets `verify_gap` itself."""
        return "verify_gap" in self.model_fields_set
