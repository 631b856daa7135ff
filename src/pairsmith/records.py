"""The records that travel between the stages, and how their ids are made.

All are frozen and hold values only. Ids are content hashes: equal content, equal id, on every machine
and in every run. Nothing here knows a file, a socket or a database.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NewType, TypeAlias

import orjson

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Message: TypeAlias = "dict[str, Json]"

PromptId = NewType("PromptId", str)
RequestId = NewType("RequestId", str)
CompletionId = NewType("CompletionId", str)
EndpointName = NewType("EndpointName", str)

ID_CHARS = 32  # 128 bits of SHA-256, in hex: no collision to fear below 10^15 requests


def content_id(kind: str, *parts: Json) -> str:
    """Hash of canonical JSON (keys sorted), tagged with what kind of thing it names."""
    canonical = orjson.dumps([kind, *parts], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(canonical).hexdigest()[:ID_CHARS]


# --- collect ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Candidate:
    """An answer that came with the prompt; `meta` is whatever else is known of it (a model, a date)."""

    content: str
    meta: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Preference:
    """What somebody said of answers that came with a prompt: one of them is better than each of the others.

    `preferred` None: they are equally good. `rule`: "human", or "edit" where a text was mended by hand; `by`: who said
    so, "" where that is not known.
    """

    preferred: CompletionId | None
    others: tuple[CompletionId, ...]  # without the preferred one
    rule: str = "human"
    by: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt, normalised: the system message stands in `system`, never in `messages`.

    `messages` holds 1+ turns of user, assistant and tool, the last one not the assistant's.
    `id` hashes messages, tools, reference and system; `source_id` is the row's own `id`, if it had one;
    `ordinal` is its place (0-based) in the input, after duplicates were united; `meta` keeps all other keys.
    `preferences` are about its candidates: where there are any, they settle the prompt, and nothing is asked.
    """

    id: PromptId
    messages: tuple[Message, ...]
    tools: tuple[Json, ...] = ()
    reference: str | None = None
    system: str | None = None
    meta: Mapping[str, Json] = field(default_factory=dict)
    ordinal: int = 0
    source_id: str | None = None
    candidates: tuple[Candidate, ...] = ()
    preferences: tuple[Preference, ...] = ()

    @property
    def family(self) -> str:
        """The task family that its row names; "" where it names none."""
        named = self.meta.get("family")
        return "" if named is None else str(named)


def prompt_id(
    messages: Sequence[Message], tools: Sequence[Json], reference: str | None, system: str | None
) -> PromptId:
    """The content id of a prompt: rows equal in these four are one prompt."""
    return PromptId(content_id("prompt", list(messages), list(tools), reference, system))


# --- what is asked, and what comes back -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens."""

    input: float
    output: float
    cached_input: float | None = None  # None: cached tokens cost what input costs


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One model behind one or more URLs, with its limits, as the recipe describes it."""

    name: EndpointName
    model: str
    base_urls: tuple[str, ...]
    identity: str  # what request ids name instead of a URL
    kind: str = "chat"  # chat | reward: whether it answers, or gives one number for an answer
    reward_path: str = "classify"  # or pooling: where a reward model is asked, at the server's root
    api_key_env: str | None = None  # None: no Authorization header
    auth: str = "key"  # key | azure | bedrock: whose credentials are sent
    reasoning: str = "strip"  # off | strip | keep
    concurrency: int = 64
    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    price: Price | None = None
    json_mode: str = "auto"  # auto | schema | object | text: how a judge's verdict shape is asked for
    length_parameter: str = "max_tokens"  # or max_completion_tokens
    seed: bool = False  # whether the endpoint takes a `seed`
    timeout_s: float = 600.0
    service_tier: str | None = None  # sent with every request and part of none: it is about price and speed alone
    counts_bounds: bool = False  # against tokens_per_minute: the longest answer allowed, not the one that came
    extra: Mapping[str, Json] = field(default_factory=dict)  # goes into every body
    server: str = ""  # what answers there, see dialects.py; "": not known
    names: Mapping[str, str] = field(default_factory=dict)  # a sampling parameter -> what the server calls it
    neutral: Mapping[str, Json] = field(default_factory=dict)  # sent for parameters that an arm leaves out


class Purpose(StrEnum):
    """What a request is paid for."""

    SAMPLE = "sample"
    FAMILY = "family"  # of which task family a prompt is
    REFERENCE = "reference"
    SCORE = "score"
    RANK = "rank"
    DUEL = "duel"
    PROBE = "probe"  # finding out what an endpoint takes
    EXPAND = "expand"  # new prompts, and topics for them
    ASSESS = "assess"  # whether a new prompt is worth keeping


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """One call that is owed: a complete chat-completions body for one endpoint, and whom it serves."""

    id: RequestId
    prompt_id: PromptId
    purpose: Purpose
    endpoint: EndpointName
    body: Mapping[str, Json]
    draw: int


def chat_request(
    prompt: PromptId, purpose: Purpose, endpoint: Endpoint, body: Mapping[str, Json], draw: int
) -> ChatRequest:
    """Name a rendered body: the id covers identity, the whole body, purpose, prompt, draw."""
    body = {"model": endpoint.model, **body, **endpoint.extra}
    ident = content_id("request", endpoint.identity, body, purpose.value, prompt, draw)
    return ChatRequest(RequestId(ident), prompt, purpose, endpoint.name, body, draw)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one reply as the server counted them; None where it did not say."""

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class TokenChoice:
    """One token of an answer, its log-probability, and what else could have stood there, with its own."""

    token: str
    logprob: float
    alternatives: tuple[tuple[str, float], ...] = ()  # the most likely first; the token itself is mostly one of them


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that was paid for, read from the stored bytes. `text` is "" when there was none.

    Of a reward model `text` is {"reward": n}. `tokens` are there where the request asked for logprobs: those of the
    text, and with some servers those of thoughts before it and an end mark behind it.
    """

    request_id: RequestId
    text: str
    finish_reason: str | None = None
    refusal: str | None = None
    reasoning: str | None = None  # reasoning_content, where the server splits it off
    tool_calls: bool = False
    mended: bool = False  # lone surrogates were replaced
    model: str | None = None  # as the server named it
    simulated: bool = False
    usage: Usage = Usage()
    latency_s: float = 0.0
    tokens: tuple[TokenChoice, ...] = ()


@dataclass(frozen=True, slots=True)
class Amount:
    """What calls come to, or can come to at most; `usd` None: a price is not known."""

    calls: int = 0
    tokens: int = 0
    usd: float | None = 0.0


class FailureKind(StrEnum):
    """How a failed call is treated: FACTS on faults, docs/architecture.md."""

    FATAL = "fatal"  # ends the run
    PERMANENT = "permanent"  # this request will never succeed
    THROTTLED = "throttled"  # the endpoint asked for a pause
    TRANSIENT = "transient"  # owed again on the next run


@dataclass(frozen=True, slots=True)
class Failure:
    """A call that did not give an answer. Never a text, never a score of 0, never the rejected answer."""

    request_id: RequestId
    kind: FailureKind
    reason: str  # a stable word: context_length, content_filter, timeout, http_500, …
    message: str = ""  # what the server said, redacted, at most 500 characters
    status: int | None = None
    retry_after_s: float | None = None
    parameter: str | None = None  # the parameter the server refused, where it named one


Outcome: TypeAlias = Reply | Failure


@dataclass(frozen=True, slots=True)
class StoredReply:
    """A request's stored answer: the body as it came, or the failure that no retry can mend."""

    raw: bytes | None
    failure: Failure | None
    latency_s: float


# --- sample -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Arm:
    """One way of sampling. `params` are the sampling parameters as the recipe names them; `extra` is a table.

    `dropped`: what the recipe asks for and the endpoint does not take, so that it is not sent; every value of it, as
    arms that are equal without it are one.
    """

    name: str
    endpoint: EndpointName
    params: Mapping[str, Json]
    system: str | None = None  # the persona's text
    system_name: str | None = None
    weight: float = 1.0  # how often it is drawn, against the others
    dropped: Mapping[str, tuple[Json, ...]] = field(default_factory=dict)


class Flag(StrEnum):
    """Why a completion is screened: kept and counted, never a side of a pair."""

    EMPTY = "empty"
    CUT_OFF = "cut_off"
    REFUSAL = "refusal"
    REASONING = "reasoning_left"
    TOOL_CALL = "tool_call"
    MENDED = "mended"  # lone surrogates were replaced, so the text is not what the model said
    UNFINISHED = "unfinished"  # it stops in mid-sentence, or in an open code block, though the server says "stop"
    DUPLICATE = "duplicate"
    CHECK = "check"  # a screen of the user's own refused it


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer to a prompt: a sampled reply, or a given candidate (then `arm` is "given").

    `text` is what would be exported: the stored text, or the span of it left when reasoning is stripped. The arm of a
    candidate whose origin is known is "given:ORIGIN".
    """

    id: CompletionId  # the request id of the reply, or the content id of the candidate
    prompt_id: PromptId
    text: str
    arm: str
    model: str | None = None
    flags: tuple[Flag, ...] = ()
    span: tuple[int, int] | None = None  # characters of the reply's text; None: all of it
    usage: Usage = Usage()
    simulated: bool = False
    shared: bool = False  # a sibling has the same text; also of the one that keeps its place
    endpoint: EndpointName | None = None  # that was asked for it; None: it was given
    marks: tuple[Flag, ...] = ()  # what is no reason to screen it here, but may keep it from one side of a pair


def candidate_id(prompt: PromptId, content: str) -> CompletionId:
    """The id of an answer that came with the prompt."""
    return CompletionId(content_id("candidate", prompt, content))


# --- judge --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Score:
    """One judge's points (1-10) for one completion, and the call they were read from."""

    completion: CompletionId
    judge: EndpointName
    value: float
    rationale: str
    request_id: RequestId


@dataclass(frozen=True, slots=True)
class Duel:
    """One judge's comparison of two completions shown in this order; winner None is a tie."""

    first: CompletionId
    second: CompletionId
    winner: CompletionId | None
    judge: EndpointName
    rationale: str
    request_id: RequestId


@dataclass(frozen=True, slots=True)
class Ranking:
    """One judge's order of all judged completions of a prompt, and the order in which they were shown."""

    order: tuple[CompletionId, ...]  # best first
    shown: tuple[CompletionId, ...]
    judge: EndpointName
    rationale: str
    request_id: RequestId


@dataclass(frozen=True, slots=True)
class JudgeNoise:
    """How one judge errs, as measured in this run: value = offset + scale × quality + error."""

    variance: float  # of the error of one verdict, in squared points on the common scale
    offset: float = 0.0  # against the first judge that gives points
    scale: float = 1.0  # other than 1 only for a reward model, whose numbers are no points


@dataclass(frozen=True, slots=True)
class Noise:
    """What this run knows of its judges; no judge in it: too little is known, and nothing is decided by it.

    Estimated once, from the first prompts of the input, and used by every later decision.
    """

    judges: Mapping[EndpointName, JudgeNoise] = field(default_factory=dict)
    spread: float = 0.0  # variance of the completions' quality within a prompt, in squared points
    prompts: int = 0  # what it rests on
    verdicts: int = 0

    def points(self, judge: EndpointName, value: float) -> float:
        """A judge's value on the scale of the first judge that gives points."""
        known = self.judges.get(judge)
        return value if known is None else (value - known.offset) / known.scale

    def weight(self, judge: EndpointName) -> float:
        """What a verdict of this judge counts: one over the variance of its error; 1 where nothing is known."""
        known = self.judges.get(judge)
        return 1.0 if known is None else 1.0 / known.variance


# --- pair ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pair:
    """A preference: the completion ids of its two sides, their gap in points, and what it rests on.

    `gap` is None where there are no points (protocols rank and duel, people's verdicts, arms that nobody judged).
    `further`: more pairs of the same prompt, where a strategy gives several.
    """

    prompt_id: PromptId
    chosen: CompletionId
    rejected: CompletionId
    gap: float | None
    judges: tuple[EndpointName, ...]
    provenance: Mapping[str, Json] = field(default_factory=dict)
    further: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True)
class Abstention:
    """A prompt whose evidence is complete and gives no pair, with the reason (a stable word)."""

    prompt_id: PromptId
    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Undecided:
    """A close call: these two completions are to be compared in both orders before anything is settled."""

    first: CompletionId  # the one the scores prefer
    second: CompletionId


Settlement: TypeAlias = Pair | Abstention | Undecided
