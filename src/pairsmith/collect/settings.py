"""The [prompts] table of a recipe: where the prompts come from. Assembled by recipe.py."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

from pairsmith.collect.expand.settings import ExpandSettings
from pairsmith.collect.where import Condition

HUB = "hf://"  # begins the name of a dataset of the Hugging Face Hub

Format: TypeAlias = Literal["text", "csv", "tsv", "jsonl", "json", "parquet", "arrow", "xlsx"]
PathName: TypeAlias = Annotated[str, Field(min_length=1)]
Weight: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def _listed(value: object) -> object:
    """A single path stands for a list of one."""
    return (value,) if isinstance(value, str) else value


class PromptSettings(BaseModel):
    """Which prompts are taken.

    path: a file, a glob, a folder, "hf://owner/name", "-" for standard input, or several of them, read in this order;
        None: all prompts are grown.
    weights: of each path, in what proportion their rows are interleaved; None: one after the other.
    config, split: which part of a dataset; None: the one that its card marks, and train.
    column: the key that holds the prompt; None: prompt, messages, instruction, or a known shape of others.
    where: a condition on a row's keys, as pandas' query takes it; None: all rows.
    shuffle: an order drawn by `seed`, the same on each run over the same rows.
    skip_bad: go on after a bad row and count it, instead of stopping at the first.
    limit: at most so many prompts, counted after equal ones were united and excluded ones left out; None: all.
    exclude: run folders; what became a pair there is left out.
    expand: prompts that are grown from seeds, after those of path; None: none are.
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

    path: PathName | Annotated[list[PathName], Field(min_length=1)] | None = None
    skip_bad: bool = False
    limit: Annotated[int, Field(ge=1)] | None = None
    format: Format | None = None
    config: str | None = None
    split: str | None = None
    column: Annotated[str, Field(min_length=1)] | None = None
    where: str | None = None
    shuffle: bool = False
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    weights: Annotated[tuple[Weight, ...], Field(min_length=1)] | None = None
    exclude: Annotated[tuple[PathName, ...], BeforeValidator(_listed)] = ()
    dedupe: Literal["exact", "near", "off"] = "exact"
    near: float = Field(0.7, ge=0.3, le=1)
    against: Annotated[tuple[PathName, ...], BeforeValidator(_listed)] = ()
    against_column: PathName | None = None
    against_ngram: int = Field(8, ge=2, le=100)
    against_share: float = Field(0.5, ge=0, lt=1)
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

    @property
    def condition(self) -> Condition | None:
        """What `where` says."""
        return None if self.where is None else Condition(self.where)

    @field_validator("where")
    @classmethod
    def _a_condition(cls, value: str | None) -> str | None:
        if value is not None:
            Condition(value)
        return value

    @model_validator(mode="after")
    def _one_weight_a_path(self) -> PromptSettings:
        if self.weights is not None and len(self.weights) != len(self.paths):
            raise ValueError(
                f"weights: there are {len(self.weights)} for {len(self.paths)} paths; give each path one, a glob too"
            )
        return self
