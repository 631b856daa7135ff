"""The [pair] table of a recipe: how large a gap must be, and how good the chosen answer."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

LARGEST_GAP = 9.0  # points go from 1 to 10


class PairSettings(BaseModel):
    """The [pair] table, in judge points. `verify_gap` left out follows `min_gap` down, so that it fits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    strategy: Literal["best-worst"] = "best-worst"
    min_gap: float = 3.0  # from here up a pair needs no more questions
    verify_gap: float = 1.0  # from here up to min_gap a duel in both orders decides; = min_gap: no duels
    chosen_floor: float = 6.0  # least mean score of a chosen answer

    @model_validator(mode="after")
    def _gaps_fit(self) -> PairSettings:
        if not 0 < self.min_gap <= LARGEST_GAP:
            raise ValueError(
                f"min_gap = {self.min_gap:g} is no gap between scores of 1 to 10:"
                f" set it above 0 (a tie is no preference) and to {LARGEST_GAP:g} at most"
            )
        if not self.pinned_verify_gap and self.min_gap < self.verify_gap:
            object.__setattr__(self, "verify_gap", self.min_gap)
        if not 0 < self.verify_gap <= self.min_gap:
            raise ValueError(
                f"verify_gap = {self.verify_gap:g} does not lie above 0 and up to min_gap = {self.min_gap:g}:"
                " lower it, raise min_gap, or leave it out"
            )
        if not 0 <= self.chosen_floor <= 10:
            raise ValueError(
                f"chosen_floor = {self.chosen_floor:g} is no score from 1 to 10: set it within, 1 to let all pass"
            )
        return self

    @property
    def pinned_verify_gap(self) -> bool:
        """Whether the recipe sets `verify_gap` itself."""
        return "verify_gap" in self.model_fields_set
