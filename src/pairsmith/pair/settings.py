"""The [pair] table of a recipe: how large a gap must be, how good the chosen answer, and who may be on which side."""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pairsmith.pair.sides import ANY, CHOSEN, REJECTED, read_sides
from pairsmith.records import Flag

LARGEST_GAP = 9.0  # points go from 1 to 10
USUAL_GAP = 3.0  # 99 % of the orders right on RewardBench 2 (JUDGING, finding 1)
BEST_WORST = "best-worst"
DELTA = "delta"  # one arm over another; the one strategy that needs no judge
ALL_GAPS = "all-gaps"  # the one strategy that gives several pairs of a prompt
STRATEGIES = (
    BEST_WORST,
    "best-random",
    "best-second",
    "worst-of-five",
    "sweet-spot",
    "closest-length",
    "hardest",
    DELTA,
    ALL_GAPS,
)
ANY_LANGUAGE, AS_PROMPTED = "any", "prompt"
MOST_PAIRS = 4  # of a prompt, where all-gaps says no number
Policy: TypeAlias = Literal["keep", "never-chosen", "never-rejected", "drop"]
SEAM = re.compile(r".+\.py:[A-Za-z_]\w*")  # FILE.py:FUNCTION


class PairSettings(BaseModel):
    """The [pair] table; gaps and scores in judge points. `verify_gap` left out follows `min_gap` down, so that it fits.

    `min_gap` "auto" is found from what this run measures of its judges; until then it is 3 (`least_gap`).
    `strategy` is a name, or FILE.py:FUNCTION.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    strategy: str = BEST_WORST
    min_gap: float | Literal["auto"] = USUAL_GAP  # from here up a pair needs no more questions
    verify_gap: float = 1.0  # from here up to min_gap a duel in both orders decides; = min_gap: no duels
    chosen_floor: float = 6.0  # least mean score of a chosen answer
    sides: str = ANY  # see sides.py
    pairs_per_prompt: int | None = Field(default=None, ge=1, le=16)  # more than one by all-gaps only; see `most_pairs`
    disjoint: bool = True  # no answer in two pairs of one prompt
    rejected_ceiling: float | None = Field(default=None, ge=1, le=10)  # largest mean score of a rejected answer
    max_length_ratio: float | None = Field(default=None, ge=1)  # of the longer text's characters to the shorter one's
    max_token_ratio: float | None = Field(default=None, ge=1)
    max_similarity: float | None = Field(default=None, gt=0, le=1)  # from this share of common words up: too alike
    trainer_max_tokens: int | None = Field(default=None, ge=1)  # answers that are equal when cut so are no pair
    tokenizer: str | None = None  # a tokenizer.json; None: tokens are estimated by characters
    language: str = ANY_LANGUAGE  # of both sides: "any", "prompt", or an ISO 639-1 code
    refusals: Policy = "drop"  # what may become of completions that refuse,
    cut_off: Policy = "drop"  # that were cut off,
    unfinished: Policy = "keep"  # and that look as if they were

    @field_validator("sides", mode="before")
    @classmethod
    def _in_one(cls, value: object) -> object:
        """What stands between commas may come as a list: --set makes one of it."""
        parts = isinstance(value, list) and all(isinstance(part, str) for part in value)
        return ", ".join(value) if parts else value  # type: ignore[arg-type]

    @field_validator("language")
    @classmethod
    def _code(cls, value: str) -> str:
        if value not in (ANY_LANGUAGE, AS_PROMPTED) and not re.fullmatch("[a-z]{2}", value):
            raise ValueError(
                f'it takes "{ANY_LANGUAGE}", "{AS_PROMPTED}", or an ISO 639-1 code of two letters such as "de"'
            )
        return value

    @model_validator(mode="after")
    def _gaps_fit(self) -> PairSettings:
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

    @model_validator(mode="after")
    def _strategies_fit(self) -> PairSettings:
        if self.strategy not in STRATEGIES and not SEAM.fullmatch(self.strategy):
            raise ValueError(
                f'strategy "{self.strategy}" is not known: take one of {", ".join(STRATEGIES)}, or your own function: '
                "FILE.py:FUNCTION"
            )
        if self.strategy != ALL_GAPS and self.most_pairs > 1:
            raise ValueError(
                f"pairs_per_prompt = {self.pairs_per_prompt}: only the strategy {ALL_GAPS} gives more than one;"
                " take it, or leave pairs_per_prompt out"
            )
        if self.strategy == DELTA and not {CHOSEN, REJECTED} <= read_sides(self.sides).keys():
            raise ValueError(
                f'strategy = {DELTA} prefers one arm to another: name them, sides = "{CHOSEN}:STRONG, {REJECTED}:WEAK"'
            )
        return self

    @property
    def most_pairs(self) -> int:
        """How many pairs a prompt may give."""
        usual = MOST_PAIRS if self.strategy == ALL_GAPS else 1
        return usual if self.pairs_per_prompt is None else self.pairs_per_prompt

    @property
    def _policies(self) -> dict[Flag, Policy]:
        return {Flag.REFUSAL: self.refusals, Flag.CUT_OFF: self.cut_off, Flag.UNFINISHED: self.unfinished}

    @property
    def tolerated(self) -> frozenset[Flag]:
        """Flags that do not keep a completion from being judged."""
        return frozenset(flag for flag, policy in self._policies.items() if policy != "drop")

    @property
    def policies(self) -> tuple[frozenset[Flag], frozenset[Flag]]:
        """The marks that may not be on the chosen side, and those that may not be on the rejected one."""
        policies = self._policies
        return (
            frozenset(flag for flag in policies if policies[flag] in ("never-chosen", "drop")),
            frozenset(flag for flag in policies if policies[flag] in ("never-rejected", "drop")),
        )

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
