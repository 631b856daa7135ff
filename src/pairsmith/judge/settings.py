"""What a recipe may say under [judge]."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pairsmith.records import EndpointName

BY_FAMILY = "family"  # a rubric: the bundled one of each prompt's task family
CHECK = "check:"  # begins the name of a rung that is a Python function
Points = Annotated[float, Field(ge=0, le=9, allow_inf_nan=False)]


class JudgeSettings(BaseModel):
    """Who judges and how; unknown keys are refused.

    `temperature` None, the default, is not sent. Each judge scores a completion once, so there is nothing to
    average that would want T = 1, and T = 0 is not known to judge better (JUDGING, finding 10); the newest
    judges answer 400 to any temperature but their own (FACTS, section 3).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    panel: tuple[EndpointName, ...]  # empty: nobody judges; what people said, or which arms they are from, decides
    rubric: str = "general"
    protocol: Literal["score", "rank", "duel"] = "score"
    escalate: Literal["value", "distance"] | None = None  # None: see `by_value`
    escalate_within: tuple[Points, ...] = (2.0, 1.0)  # points from the top that still go to the 2nd, 3rd judge
    score_from: Literal["number", "logprobs"] = "number"
    reference: Literal["given", "write"] = "given"
    reference_max_tokens: int = Field(default=2048, ge=1)  # of a reference that the judge writes
    families: Literal["meta", "ask"] = "meta"  # ask: a judge says of which task family a prompt without one is
    family_judge: EndpointName | None = None  # who is asked; None: the first judge that can answer
    criteria: dict[str, str] = {}  # a task family's sentence, beside or instead of the bundled one
    rank_conflict: Literal["abstain", "duel"] = "abstain"  # where two rankings differ in the first or the last
    rank_max_chars: int = Field(default=60_000, ge=1)  # of all answers in one listwise prompt together
    max_tokens: int = Field(default=700, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2, allow_inf_nan=False)
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    service_tier: Literal["auto", "default", "flex", "priority", "scale"] | None = None

    @field_validator("panel")
    @classmethod
    def _asked_once(cls, panel: tuple[EndpointName, ...]) -> tuple[EndpointName, ...]:
        twice = next((name for name in panel if panel.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"panel names {twice} twice; each judge is asked once, so name it once")
        return panel

    @model_validator(mode="after")
    def _rungs(self) -> JudgeSettings:
        later, given = len(self.panel) - 1, len(self.escalate_within)
        if given < later and "escalate_within" in self.model_fields_set:
            raise ValueError(
                f"escalate_within holds {given} for {later} judges after the first; give a distance for each"
            )
        if self.family_judge is not None and self.families != "ask":
            raise ValueError('family_judge is asked nothing: set families = "ask", or leave it out')
        if self.protocol != "rank" and self.rank_conflict != "abstain":
            raise ValueError(
                f"rank_conflict is about rankings, and protocol = {self.protocol} makes none: leave it out"
            )
        if self.protocol != "score":
            self._only_verdicts()
        if self.protocol != "score" and not self.panel:
            raise ValueError(f"panel is empty, and protocol = {self.protocol} needs a judge: name one")
        return self

    def _only_verdicts(self) -> None:
        """What goes with points is refused by the protocols that know none."""
        of_scores = ("escalate", "escalate_within", "score_from")
        if given := [key for key in of_scores if key in self.model_fields_set]:
            raise ValueError(f"{given[0]} is about points, and protocol = {self.protocol} knows none: leave it out")
        if check := next((name for name in self.panel if name.startswith(CHECK)), None):
            raise ValueError(f"{check} gives points, and protocol = {self.protocol} knows none: use protocol = score")

    @property
    def by_value(self) -> bool:
        """Whether a verdict is asked for only while it can change what is exported.

        So it is for a ladder, unless the recipe says how near to the top completions have to be. One judge alone
        has nobody to pass completions on to: there it is for the recipe to say.
        """
        if self.escalate is not None:
            return self.escalate == "value"
        return len(self.panel) > 1 and "escalate_within" not in self.model_fields_set

    def within(self, rung: int) -> float:
        """Points from the top that still go to the judge of this rung (1: the second judge)."""
        return self.escalate_within[min(rung, len(self.escalate_within)) - 1]
