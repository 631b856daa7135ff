"""The [prompts] table of a recipe: where the prompts come from. Assembled by recipe.py."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Format: TypeAlias = Literal["text", "csv", "tsv", "jsonl", "json", "parquet"]
PathName: TypeAlias = Annotated[str, Field(min_length=1)]


def _listed(value: object) -> object:
    """A single folder stands for a list of one."""
    return (value,) if isinstance(value, str) else value


class PromptSettings(BaseModel):
    """Which prompts are taken.

    path: a file, "-" for standard input, or several of them, read in this order.
    skip_bad: go on after a bad row and count it, instead of stopping at the first.
    limit: at most so many prompts, counted after equal ones were united and excluded ones left out; None: all.
    exclude: run folders; what became a pair there is left out.
    format: None: by the file's name, or for standard input by its first character.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: PathName | Annotated[list[PathName], Field(min_length=1)]
    skip_bad: bool = False
    limit: Annotated[int, Field(ge=1)] | None = None
    format: Format | None = None
    exclude: Annotated[tuple[PathName, ...], BeforeValidator(_listed)] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """All of them, one or many."""
        return (self.path,) if isinstance(self.path, str) else tuple(self.path)
