"""What the recipe's `[export]` table may say."""

from __future__ import annotations

from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

TargetName: TypeAlias = Literal["openai", "azure", "together", "fireworks", "trl"]


class ExportSettings(BaseModel):
    """Which platform's rows are written, where, and what stands in them instead of the sampling persona."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: TargetName = "openai"
    path: str | None = None  # None: pairs.jsonl in the run folder
    system: str = "strip"  # strip | keep | a file whose text takes the persona's place
