"""How a judge is asked one question: the words, the body, the one re-ask, and where the question stands.

score.py, duel.py and the like say what is asked, panel.py which questions there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Literal, TypeAlias, TypeVar

from pairsmith.judge.settings import JudgeSettings
from pairsmith.judge.verdicts import (
    DuelVerdict,
    FamilyVerdict,
    RankVerdict,
    ScoreVerdict,
    Unreadable,
    WrittenVerdict,
    spoken,
)
from pairsmith.records import (
    ChatRequest,
    Endpoint,
    Failure,
    FailureKind,
    Json,
    Outcome,
    Prompt,
    PromptId,
    Purpose,
    Reply,
    RequestId,
    chat_request,
)

if TYPE_CHECKING:
    from jinja2 import Template

Structured: TypeAlias = Literal["json_schema", "json_object", "text"]
SCORE_SHAPE = '{"rationale": "...", "score": n}'
DUEL_SHAPE = '{"rationale": "...", "winner": "A"|"B"|"tie"}'
RANK_SHAPE = '{"rationale": "...", "ranking": ["B", "A", ...]}'
TOP_LOGPROBS = 20  # as many as OpenAI and vLLM give: the ten numbers, with and without a space before them
QUOTED_CHARS = 2000  # of an unreadable reply, when it is shown to the judge again
ATTEMPTS = 2  # the question and one re-ask (JUDGING, finding 12)


@dataclass(frozen=True, slots=True)
class Rules:
    """The system messages of one rubric: they hold nothing of a prompt, so each is the prefix of many requests."""

    score: str
    duel: str
    rank: str
    reference: str


@dataclass(frozen=True, slots=True)
class TaskWords:
    """How a judge is asked for a prompt's task family: the templates of that, and the names it may choose from."""

    system: Template
    user: Template
    reask: Template
    names: tuple[str, ...]
    shape: str = field(init=False)
    rules: str = field(init=False)

    def __post_init__(self) -> None:
        shape = '{"family": ' + "|".join(f'"{name}"' for name in self.names) + "}"
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "rules", self.system.render(families=self.names, shape=shape))


@dataclass(frozen=True, slots=True)
class JudgeWords:
    """The words said to judges: the templates of prompts/judge/ by their file names, and the rubric's text.

    `rubrics` are those of task families, in place of `rubric`. `tasks` None: no judge is asked for a family.
    """

    score_system: Template
    score_user: Template
    duel_system: Template
    duel_user: Template
    rank_system: Template
    rank_user: Template
    reference_system: Template
    reference_user: Template
    reask: Template
    rubric: str
    criteria: Mapping[str, str] = field(default_factory=dict)  # one sentence a task family
    rubrics: Mapping[str, str] = field(default_factory=dict)
    tasks: TaskWords | None = None
    general: Rules = field(init=False)
    _of_families: Mapping[str, Rules] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "general", self._rendered(self.rubric))
        own = {family: self._rendered(rubric) for family, rubric in self.rubrics.items()}
        object.__setattr__(self, "_of_families", own)

    def _rendered(self, rubric: str) -> Rules:
        return Rules(
            score=self.score_system.render(rubric=rubric, shape=SCORE_SHAPE),
            duel=self.duel_system.render(rubric=rubric, shape=DUEL_SHAPE),
            rank=self.rank_system.render(rubric=rubric, shape=RANK_SHAPE),
            reference=self.reference_system.render(rubric=rubric, shape=""),
        )

    def rules(self, prompt: Prompt) -> Rules:
        """What a judge of this prompt goes by: the rubric of its task family, where that has one of its own."""
        return self._of_families.get(prompt.family, self.general)

    def criterion(self, prompt: Prompt) -> str:
        """The sentence for the prompt's task family; "" without one."""
        return self.criteria.get(prompt.family, "")


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is said about an unreadable reply: the reply, and what was wrong with it."""

    reply: str
    why: str


@dataclass(frozen=True, slots=True)
class Question:
    """What one judge is asked: everything of the request but how to send it.

    `reask`: how it is asked again; None: in the words for verdicts.
    """

    prompt: PromptId
    purpose: Purpose
    rules: str
    text: str
    shape: str
    schema: Mapping[str, Json]
    logprobs: bool = False  # whether the probabilities of its tokens are asked for too
    reask: Template | None = None


def ask(
    question: Question,
    judge: Endpoint,
    words: JudgeWords,
    settings: JudgeSettings,
    structured: Structured,
    complaint: Complaint | None,
    draw: int = 0,
) -> ChatRequest:
    """The request for a question; with a complaint about its reply, the re-ask, which is draw 1."""
    messages: list[Json] = [
        {"role": "system", "content": question.rules},
        {"role": "user", "content": question.text},
    ]
    if complaint is not None:
        again = (question.reask or words.reask).render(why=complaint.why, shape=question.shape)
        messages += [
            {"role": "assistant", "content": _quoted(complaint.reply)},
            {"role": "user", "content": again},
        ]
    body: dict[str, Json] = {"messages": messages, judge.length_parameter: settings.max_tokens}
    if settings.temperature is not None:
        body["temperature"] = settings.temperature
    if settings.reasoning_effort is not None:
        body["reasoning_effort"] = settings.reasoning_effort
    if question.logprobs:
        body |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
    body |= response_format(question.purpose, question.schema, structured) | without_thinking(judge)
    return chat_request(question.prompt, question.purpose, judge, body, draw=draw if complaint is None else 1)


def verdict_schema(key: str, value: Json) -> dict[str, Json]:
    """The strict schema of a verdict: first the rationale, then what it leads to."""
    return {
        "type": "object",
        "properties": {"rationale": {"type": "string"}, key: value},
        "required": ["rationale", key],
        "additionalProperties": False,
    }


def _quoted(reply: str) -> str:
    """The start of a reply without its thinking; many servers refuse an assistant message with no text."""
    return (spoken(reply) or "").strip()[:QUOTED_CHARS] or "(empty)"


def response_format(purpose: Purpose, schema: Mapping[str, Json], structured: Structured) -> dict[str, Json]:
    """What of a body asks for the shape of the reply."""
    if structured == "text" or not schema:
        return {}
    if structured == "json_object":
        return {"response_format": {"type": "json_object"}}
    shape: Json = {"name": purpose.value, "strict": True, "schema": dict(schema)}
    return {"response_format": {"type": "json_schema", "json_schema": shape}}


def without_thinking(endpoint: Endpoint) -> dict[str, Json]:
    """What of a body asks a server for no thoughts, where the recipe wants none."""
    return {"chat_template_kwargs": {"enable_thinking": False}} if endpoint.reasoning == "off" else {}


# --- where a question stands --------------------------------------------------------------------

V = TypeVar("V", ScoreVerdict, DuelVerdict, RankVerdict, FamilyVerdict, WrittenVerdict)


@dataclass(frozen=True, slots=True)
class Standing(Generic[V]):
    """Where one question stands: `verdict`, `owed` or `failure`; none of them when it was unreadable twice.

    `request_id` names the last request of it, `reasked` says whether the first reply was unreadable.
    """

    request_id: RequestId
    reasked: bool
    verdict: V | None = None
    owed: ChatRequest | None = None
    failure: Failure | None = None

    @property
    def unpaid(self) -> bool:
        """A failure that another run may mend."""
        return self.failure is not None and self.failure.kind is not FailureKind.PERMANENT

    @property
    def open(self) -> bool:
        """Whether a verdict may still come."""
        return self.owed is not None or self.unpaid

    @property
    def unreadable(self) -> bool:
        """Given up: neither the reply nor the one after the complaint holds a verdict."""
        return self.verdict is None and self.owed is None and self.failure is None


def standing(
    request: Callable[[Complaint | None], ChatRequest],
    read: Callable[[str], V | Unreadable],
    outcomes: Mapping[RequestId, Outcome],
    attempts: int = ATTEMPTS,
) -> Standing[V]:
    """Follow a question through its outcomes: asked, re-asked once with what was wrong, then given up."""
    complaint: Complaint | None = None
    for attempt in range(attempts):
        asked, reasked = request(complaint), attempt > 0
        outcome = outcomes.get(asked.id)
        if outcome is None:
            return Standing(asked.id, reasked, owed=asked)
        if isinstance(outcome, Failure):
            return Standing(asked.id, reasked, failure=outcome)
        verdict = read(outcome.text)
        if not isinstance(verdict, Unreadable):
            return Standing(asked.id, reasked, verdict=verdict)
        complaint = _complaint(outcome, verdict)
    return Standing(asked.id, reasked=attempts > 1)


def _complaint(reply: Reply, unreadable: Unreadable) -> Complaint:
    why = unreadable.why
    if reply.finish_reason == "length":
        why = f"it was cut off at the token limit, and {why}"
    return Complaint(reply.text or reply.refusal or "", why)
