"""The [prompts] table of a recipe: where the prompts come from. Assembled by recipe.py."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pairsmith.collect.expand.settings import ExpandSettings

Format: TypeAlias = Literal["text", "csv", "tsv", "jsonl", "json", "parquet"]
PathName: TypeAlias = Annotated[str, Field(min_length=1)]


def _listed(value: object) -> object:
    """A single folder stands for a list of one."""
    return (value,) if isinstance(value, str) else value


class PromptSettings(BaseModel):
    """Which prompts are taken.

    path: a file, "-" for standard input, or several of them, read in this order; None: all are grown.
    skip_bad: go on after a bad row and count it, instead of stopping at the first.
    limit: at most so many prompts, counted after equal ones were united and excluded ones left out; None: all.
    exclude: run folders; what became a pair there is left out.
    expand: prompts that are grown from seeds, after those of path; None: none are.
    format: None: by the file's name, or for standard input by its first character.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: PathName | Annotated[list[PathName], Field(min_length=1)] | None = None
    skip_bad: bool = False
    limit: Annotated[int, Field(ge=1)] | None = None
    format: Format | None = None
    exclude: Annotated[tuple[PathName, ...], BeforeValidator(_listed)] = ()
    expand: ExpandSettings | None = None

    @model_validator(mode="after")
    def _from_somewhere(self) -> PromptSettings:
        if self.path is None and self.expand is None:
            raise ValueError("needs path, or a table [prompts.expand]")
        return self

    @property
    def paths(self) -> tuple[str, ...]:
        """All of them: none, one or many."""
        if self.path is None:
            return ()
        return (self.path,) if isinstance(self.path, str) else tuple(self.path)
