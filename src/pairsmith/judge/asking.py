"""How a judge is asked one question: the words, the body, the one re-ask, and where the question stands.

score.py and duel.py say what is asked, panel.py which questions there are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Literal, TypeAlias, TypeVar

from pairsmith.judge.settings import JudgeSettings
from pairsmith.judge.verdicts import DuelVerdict, ScoreVerdict, Unreadable, spoken
from pairsmith.records import (
    ChatRequest,
    Endpoint,
    Failure,
    FailureKind,
    Json,
    Outcome,
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
QUOTED_CHARS = 2000  # of an unreadable reply, when it is shown to the judge again
ATTEMPTS = 2  # the question and one re-ask (JUDGING, finding 12)


@dataclass(frozen=True, slots=True)
class JudgeWords:
    """The words said to judges: the templates of prompts/judge/ by their file names, and the rubric's text.

    The system messages hold nothing of a prompt, so they are rendered once and are every request's prefix.
    """

    score_system: Template
    score_user: Template
    duel_system: Template
    duel_user: Template
    reask: Template
    rubric: str
    score_rules: str = field(init=False)
    duel_rules: str = field(init=False)

    def __post_init__(self) -> None:
        for name, template, shape in (
            ("score_rules", self.score_system, SCORE_SHAPE),
            ("duel_rules", self.duel_system, DUEL_SHAPE),
        ):
            object.__setattr__(self, name, template.render(rubric=self.rubric, shape=shape))


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is said about an unreadable reply: the reply, and what was wrong with it."""

    reply: str
    why: str


@dataclass(frozen=True, slots=True)
class Question:
    """What one judge is asked: everything of the request but how to send it."""

    prompt: PromptId
    purpose: Purpose
    rules: str
    text: str
    shape: str
    schema: Mapping[str, Json]


def ask(
    question: Question,
    judge: Endpoint,
    words: JudgeWords,
    settings: JudgeSettings,
    structured: Structured,
    complaint: Complaint | None,
) -> ChatRequest:
    """The request for a question: draw 0; with a complaint about its reply, the re-ask: draw 1."""
    messages: list[Json] = [
        {"role": "system", "content": question.rules},
        {"role": "user", "content": question.text},
    ]
    if complaint is not None:
        again = words.reask.render(why=complaint.why, shape=question.shape)
        messages += [
            {"role": "assistant", "content": _quoted(complaint.reply)},
            {"role": "user", "content": again},
        ]
    body: dict[str, Json] = {"messages": messages, judge.length_parameter: settings.max_tokens}
    if settings.temperature is not None:
        body["temperature"] = settings.temperature
    body |= _response_format(question, structured) | _reasoning(judge)
    return chat_request(question.prompt, question.purpose, judge, body, draw=0 if complaint is None else 1)


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


def _response_format(question: Question, structured: Structured) -> dict[str, Json]:
    if structured == "text":
        return {}
    if structured == "json_object":
        return {"response_format": {"type": "json_object"}}
    schema: Json = {"name": question.purpose.value, "strict": True, "schema": dict(question.schema)}
    return {"response_format": {"type": "json_schema", "json_schema": schema}}


def _reasoning(judge: Endpoint) -> dict[str, Json]:
    return {"chat_template_kwargs": {"enable_thinking": False}} if judge.reasoning == "off" else {}


# --- where a question stands --------------------------------------------------------------------

V = TypeVar("V", ScoreVerdict, DuelVerdict)


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
) -> Standing[V]:
    """Follow a question through its outcomes: asked, re-asked once with what was wrong, then given up."""
    complaint: Complaint | None = None
    for attempt in range(ATTEMPTS):
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
    return Standing(asked.id, reasked=True)


def _complaint(reply: Reply, unreadable: Unreadable) -> Complaint:
    why = unreadable.why
    if reply.finish_reason == "length":
        why = f"it was cut off at the token limit, and {why}"
    return Complaint(reply.text or reply.refusal or "", why)
