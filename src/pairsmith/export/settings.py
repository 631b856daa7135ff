"""What the recipe's `[export]` table may say."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

TargetName: TypeAlias = Literal[
    "openai", "azure", "together", "fireworks", "trl", "openrlhf", "llama-factory", "axolotl", "ms-swift", "nemo-rl",
    "vertex", "nova", "sft", "kto", "csv", "parquet",
]  # fmt: skip


def _listed(value: object) -> object:
    """A single word stands for a list of one."""
    return (value,) if isinstance(value, str) else value


class ExportSettings(BaseModel):
    """Which platform's rows are written, where, and what stands in them instead of the sampling persona."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: TargetName = "openai"
    path: str | None = None  # None: pairs.jsonl in the run folder
    validation: float = Field(default=0.0, ge=0, lt=0.5)  # about this share of the prompts goes into a second file
    together: Annotated[tuple[str, ...], BeforeValidator(_listed)] = ()  # meta keys: equal values, one of the two files
    reviews: Literal["override", "drop-disagreed", "only-reviewed", "ignore"] = "override"  # what people's verdicts do
    system: str = "strip"  # strip | keep | a file whose text takes the persona's place
