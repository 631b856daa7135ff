"""The [prompts] table of a recipe: where the prompts come from. Assembled by recipe.py."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Format: TypeAlias = Literal["text", "csv", "tsv", "jsonl", "json", "parquet"]
PathName: TypeAlias = Annotated[str, Field(min_length=1)]


def _listed(value: object) -> object:
    """A single path stands for a list of one."""
    return (value,) if isinstance(value, str) else value


class PromptSettings(BaseModel):
    """Which prompts are taken.

    path: a file, "-" for standard input, or several of them, read in this order.
    skip_bad: go on after a bad row and count it, instead of stopping at the first.
    limit: at most so many prompts, counted after equal ones were united and excluded ones left out; None: all.
    exclude: run folders; what became a pair there is left out.
    dedupe: which prompts are one (docs/dedupe.md): "exact", equal after normalising; "near", besides these one of those
        that are nearly the same; "off", equal to the last character.
    near: the least Jaccard index of near-duplicates.
    against: files of evaluation items; what holds one of them is left out.
    against_column: where the items stand in them; None: under the first key that is known for it.
    against_ngram: words of the n-grams that are looked for.
    against_share: an item's words that must be covered by such n-grams, as a share; more than it is too much.
    format: None: by the file's name, or for standard input by its first character.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: PathName | Annotated[list[PathName], Field(min_length=1)]
    skip_bad: bool = False
    limit: Annotated[int, Field(ge=1)] | None = None
    format: Format | None = None
    exclude: Annotated[tuple[PathName, ...], BeforeValidator(_listed)] = ()
    dedupe: Literal["exact", "near", "off"] = "exact"
    near: float = Field(0.7, ge=0.3, le=1)
    against: Annotated[tuple[PathName, ...], BeforeValidator(_listed)] = ()
    against_column: PathName | None = None
    against_ngram: int = Field(8, ge=2, le=100)
    against_share: float = Field(0.5, ge=0, lt=1)

    @property
    def paths(self) -> tuple[str, ...]:
        """All of them, one or many."""
        return (self.path,) if isinstance(self.path, str) else tuple(self.path)
