"""What a recipe may say under [judge]."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from pairsmith.records import EndpointName

Points = Annotated[float, Field(ge=0, le=9, allow_inf_nan=False)]


class JudgeSettings(BaseModel):
    """Who judges and how; unknown keys are refused.

    `temperature` None, the default, is not sent. Each judge scores a completion once, so there is nothing to
    average that would want T = 1, and T = 0 is not known to judge better (JUDGING, finding 10); the newest
    judges answer 400 to any temperature but their own (FACTS, section 3).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    panel: tuple[EndpointName, ...] = Field(min_length=1)
    rubric: str = "general"
    protocol: Literal["score"] = "score"
    escalate_within: tuple[Points, ...] = (
        2.0,
        1.0,
    )  # points from the top that still go to the 2nd, 3rd judge
    max_tokens: int = Field(default=700, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2, allow_inf_nan=False)

    @field_validator("protocol", mode="before")
    @classmethod
    def _available(cls, protocol: object) -> object:
        if protocol in ("rank", "duel"):
            raise ValueError(f"protocol {protocol} is not available yet; use score")
        return protocol

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
        if given < later:
            raise ValueError(
                f"escalate_within holds {given} for {later} judges after the first; give a distance for each"
            )
        return self
