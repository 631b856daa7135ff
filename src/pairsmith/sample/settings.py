"""The [sample] table of a recipe: how many completions, under which arms.

Says nothing about endpoints or files that do not exist: plan.py does, once they are resolved.
"""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

GIVEN = "given"  # the arm of candidates that came with their prompt
GIVEN_FROM = f"{GIVEN}:"  # begins the arm of those whose origin is known
# The sampling parameters that make arms, each a list in [sample] or a key of a [[sample.arms]] table.
PARAMETERS = (
    "temperature",
    "top_k",
    "top_p",
    "min_p",
    "repetition_penalty",
    "presence_penalty",
    "frequency_penalty",
    "reasoning_effort",
    "verbosity",
)
PRODUCT_LISTS = (*PARAMETERS, "system")

T = TypeVar("T")


def _listed(value: object) -> object:
    """A single number or word stands for a list of one."""
    return (value,) if isinstance(value, str | int | float) else value


Listed = Annotated[tuple[T, ...], BeforeValidator(_listed)]
Temperature = Annotated[float, Field(ge=0, le=2)]
# -1 and 0 say "all tokens" on vLLM, SGLang and llama.cpp (docs.vllm.ai, SamplingParams, November 2026).
TopK = Annotated[int, Field(ge=-1)]
TopP = Annotated[float, Field(gt=0, le=1)]
MinP = Annotated[float, Field(ge=0, le=1)]
Repetition = Annotated[float, Field(gt=0, le=10)]  # 1: none
Penalty = Annotated[float, Field(ge=-2, le=2)]  # 0: none (OpenAI's reference, November 2026)
Effort = Annotated[str, Field(pattern=r"^[a-z]+$")]  # none | minimal | low | medium | high | xhigh, and new ones
Verbosity = Literal["low", "medium", "high"]
Weight = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=2, le=64)]


def given_arm(origin: object) -> str:
    """The arm of an answer that came with its prompt, from a place of this name."""
    return f"{GIVEN_FROM}{origin}" if isinstance(origin, str) and origin else GIVEN


def is_given(arm: str) -> bool:
    """Whether completions of this arm came with their prompt."""
    return arm == GIVEN or arm.startswith(GIVEN_FROM)


class ArmSettings(BaseModel):
    """One [[sample.arms]] table; what is left out is not set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(min_length=1)] | None = None
    endpoint: str | None = None  # default: the only endpoint
    weight: Weight = 1.0  # against the other arms
    temperature: Temperature | None = None
    top_k: TopK | None = None
    top_p: TopP | None = None
    min_p: MinP | None = None
    repetition_penalty: Repetition | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    reasoning_effort: Effort | None = None
    verbosity: Verbosity | None = None
    seed: Annotated[int, Field(ge=0, lt=2**31)] | None = None  # of the arm's first draw; further ones count up
    system: str | None = None
    extra: dict[str, Any] = {}  # goes into the body as it stands


class Adaptive(BaseModel):
    """`completions` as a table: one draw more, up to `max`, only for a prompt that has no pair yet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Count
    max: Count

    @model_validator(mode="after")
    def _not_beyond(self) -> Adaptive:
        if self.start > self.max:
            raise ValueError(f"starts at {self.start}, above its max = {self.max}: lower start, or raise max")
        return self


# The tags stand in no message: recipe.py leaves what is in brackets out of a place.
Completions = Annotated[
    Annotated[Count, Tag("[number]")] | Annotated[Adaptive, Tag("[table]")],
    Discriminator(lambda value: "[table]" if isinstance(value, dict | Adaptive) else "[number]"),
]


class SampleSettings(BaseModel):
    """The [sample] table: the arms are the product of the lists, or the tables of `arms`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoints: Listed[str] = ()  # empty: the only endpoint of the recipe
    weights: dict[str, Weight] = {}  # by endpoint: how often it is drawn, against the others; left out: 1
    completions: Completions = 4  # per prompt
    max_tokens: Annotated[int, Field(ge=1)] = 1024
    temperature: Listed[Temperature] = ()
    top_k: Listed[TopK] = ()
    top_p: Listed[TopP] = ()
    min_p: Listed[MinP] = ()
    repetition_penalty: Listed[Repetition] = ()
    presence_penalty: Listed[Penalty] = ()
    frequency_penalty: Listed[Penalty] = ()
    reasoning_effort: Listed[Effort] = ()
    verbosity: Listed[Verbosity] = ()
    system: Listed[str] = ()  # bundled names or files; the caller resolves them
    arms: tuple[ArmSettings, ...] = ()
    on_unsupported: Literal["stop", "omit"] = "stop"  # what an endpoint refuses or ignores: an error, or left out
    seed: int = Field(0, ge=0, lt=2**63)
    screens: Listed[str] = ()  # functions of the user's own, FILE.py:FUNCTION, that refuse completions
    max_screened: Annotated[float, Field(ge=0, le=1)] = 0.5  # share of the first 20; 1 = never stop

    @field_validator("endpoints", *PRODUCT_LISTS)
    @classmethod
    def _named_once(cls, values: tuple[T, ...]) -> tuple[T, ...]:
        for value, count in Counter(values).items():
            if count > 1:
                raise ValueError(f"{value} is named {count} times; for more draws of it raise completions")
        return values

    @model_validator(mode="after")
    def _arms_or_lists(self) -> SampleSettings:
        lists = [name for name in PRODUCT_LISTS if getattr(self, name)]
        if self.arms and lists:
            raise ValueError(
                f"arms and {', '.join(lists)} both say how to sample: move {lists[0]} into the"
                " [[sample.arms]] tables, or leave the tables out"
            )
        if self.arms and self.weights:
            raise ValueError("arms and weights both say how often: give each [[sample.arms]] table its own weight")
        names = Counter(arm.name for arm in self.arms if arm.name is not None)
        for name, count in names.items():
            if count > 1 or is_given(name):
                raise ValueError(f"the arm name {name!r} is taken: give each arm a name of its own, or none")
        return self

    @property
    def first_completions(self) -> int:
        """How many are drawn for every prompt."""
        return self.completions.start if isinstance(self.completions, Adaptive) else self.completions

    @property
    def most_completions(self) -> int:
        """How many are drawn for a prompt at most."""
        return self.completions.max if isinstance(self.completions, Adaptive) else self.completions

    @property
    def system_names(self) -> tuple[str, ...]:
        """Every bundled name or file that the arms refer to, each once."""
        named = (*self.system, *(arm.system for arm in self.arms if arm.system is not None))
        return tuple(dict.fromkeys(named))
