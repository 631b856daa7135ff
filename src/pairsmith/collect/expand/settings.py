"""The [prompts.expand] table of a recipe: from how few prompts how many are grown, and how."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

SELF_INSTRUCT, EVOLVE, PERSONA, SITUATION = "self-instruct", "evolve", "persona", "situation"
PARAPHRASE, TRANSLATE, DOCUMENTS, TOPICS = "paraphrase", "translate", "documents", "topics"
METHODS = (SELF_INSTRUCT, EVOLVE, PERSONA, SITUATION, PARAPHRASE, TRANSLATE, DOCUMENTS, TOPICS)
# Rewordings are left out: they add next to nothing to what a preference model learns from.
USUAL = {SELF_INSTRUCT: 3.0, EVOLVE: 3.0, PERSONA: 1.0, SITUATION: 1.0, TOPICS: 2.0}
ROUGE_L = 0.7  # Wang et al. 2022 (Self-Instruct): a new task is kept below this to every other

Name: TypeAlias = Annotated[str, Field(min_length=1)]
Names: TypeAlias = Annotated[tuple[Name, ...], BeforeValidator(lambda one: (one,) if isinstance(one, str) else one)]


class ExpandSettings(BaseModel):
    """How prompts are grown from others.

    seeds: files of prompts, in any format that prompts may have.
    n: so many new prompts, no more and no fewer.
    endpoint: who writes them; None: the last judge of the panel, the strongest.
    methods: by which, each with its share of what is kept; None: USUAL, and those that docs and languages ask for.
    docs: a folder of text files, for the method "documents".
    topics: topics of the user's own, for the method "topics"; none: the endpoint is asked for a tree of them.
    language: of all new prompts; "": that of what each grows from.
    languages: what the method "translate" translates into.
    seed: another one asks for others; the same gives the same.
    per_call: prompts that are asked for at a time, where a method gives several.
    novelty: ROUGE-L below which a prompt is new, against the seeds and all that were kept.
    max_chars: of a new prompt.
    min_yield: share of kept prompts below which a method is given up.
    judge: an endpoint that says how good each is; None: nobody is asked.
    min_quality: the least of its points (1-10) that a prompt is kept with.
    temperature: None: not sent.
    max_tokens: of a reply.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seeds: Annotated[Names, Field(min_length=1)]
    n: int = Field(ge=1, le=1_000_000)
    endpoint: Name | None = None
    methods: dict[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] | None = None
    docs: Name | None = None
    topics: Names = ()
    language: str = Field("", pattern=r"^([a-z]{2})?$")
    languages: Names = ()
    seed: int = 0
    per_call: int = Field(5, ge=1, le=20)
    novelty: float = Field(ROUGE_L, gt=0, le=1)
    max_chars: int = Field(4000, ge=20)
    min_yield: float = Field(0.1, ge=0.01, lt=1)
    judge: Name | None = None
    min_quality: float = Field(6.0, ge=1, le=10)
    temperature: float | None = Field(None, ge=0, le=2, allow_inf_nan=False)
    max_tokens: int = Field(4096, ge=1)

    @field_validator("methods")
    @classmethod
    def _known(cls, methods: dict[str, float] | None) -> dict[str, float] | None:
        if unknown := sorted((methods or {}).keys() - set(METHODS)):
            raise ValueError(f"{unknown[0]!r} is no method: it takes {', '.join(METHODS)}")
        if methods is not None and not any(methods.values()):
            raise ValueError("no method has a weight above 0: give one of them a weight")
        return methods

    @model_validator(mode="after")
    def _has_what_it_takes(self) -> ExpandSettings:
        weights = self.weights
        if DOCUMENTS in weights and self.docs is None:
            raise ValueError(f'the method "{DOCUMENTS}" needs docs, a folder of text files')
        if TRANSLATE in weights and not self.languages:
            raise ValueError(f'the method "{TRANSLATE}" needs languages, such as ["de", "fr"]')
        if "min_quality" in self.model_fields_set and self.judge is None:
            raise ValueError("min_quality is in a judge's points, and there is no judge: name an endpoint as judge")
        return self

    @property
    def weights(self) -> dict[str, float]:
        """The methods that have a share, in a fixed order."""
        asked_for = {DOCUMENTS: 3.0} if self.docs else {}
        asked_for |= {TRANSLATE: 1.0} if self.languages else {}
        given = USUAL | asked_for if self.methods is None else self.methods
        return {method: given[method] for method in METHODS if given.get(method, 0.0) > 0}
