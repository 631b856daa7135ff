"""What is sent back: an answer, an error, and the bytes they become on the wire."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import orjson

from pairsmith.simulator.logprobs import Odds, token_logprobs

# Constant: an answer is a function of the request, and a clock would make it differ (2026-01-01).
CREATED = 1767225600
CHARS_A_TOKEN = 4
# The longest prompt that is taken, of every model.
CONTEXT_TOKENS = 131_072

# How the bytes go out: as they are; connection closed behind them; reset before or in the middle of them;
# a byte each 0.2 s without end; never.
Manner = Literal["whole", "close", "reset", "reset-midway", "drip", "hang"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One completion. reasoning_tokens are part of its tokens even where the reasoning is not shown.

    odds is None where no log-probabilities were asked for.
    """

    content: str | None
    finish_reason: str | None = "stop"
    refusal: str | None = None
    reasoning: str | None = None
    reasoning_tokens: int = 0
    tool_calls: Sequence[object] = ()
    odds: Odds | None = None

    @property
    def tokens(self) -> int:
        """What it costs; at least one."""
        return max(1, tokens_of(self.content or self.refusal or "") + self.reasoning_tokens)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says to one request, before any fault or wire; a reward model gives `pooled` and no choices."""

    id: str
    model: str
    choices: tuple[Choice, ...]
    prompt_tokens: int
    judging: bool = False
    pooled: Mapping[str, object] | None = None

    @property
    def tokens(self) -> int:
        """Prompt and completions together, as a rate limit counts them."""
        return self.prompt_tokens + sum(choice.tokens for choice in self.choices)

    def with_first(self, choice: Choice) -> "Answer":
        """The same answer with another first choice."""
        return replace(self, choices=(choice, *self.choices[1:]))


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP reply: a status, headers, bytes, and how they go out."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    manner: Manner = "whole"


def tokens_of(text: str) -> int:
    """Tokens of a text, by the rule of thumb of four characters each."""
    return -(-len(text) // CHARS_A_TOKEN)


def completion(answer: Answer) -> dict[str, object]:
    """The answer as a chat.completion object, or a reward model's as vLLM gives it."""
    if answer.pooled is not None:
        return _pooling(answer, answer.pooled)
    completion_tokens = sum(choice.tokens for choice in answer.choices)
    usage: dict[str, object] = {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": answer.prompt_tokens + completion_tokens,
    }
    reasoning_tokens = sum(choice.reasoning_tokens for choice in answer.choices)
    if reasoning_tokens:
        usage["completion_tokens_details"] = {"reasoning_tokens": reasoning_tokens}
    return {
        "id": answer.id,
        "object": "chat.completion",
        "created": CREATED,
        "model": answer.model,
        "system_fingerprint": "fp_simulated",
        "simulated": True,
        "choices": [_choice(i, choice) for i, choice in enumerate(answer.choices)],
        "usage": usage,
    }


def _pooling(answer: Answer, pooled: Mapping[str, object]) -> dict[str, object]:
    usage = {"prompt_tokens": answer.prompt_tokens, "total_tokens": answer.prompt_tokens, "completion_tokens": 0}
    return {
        "id": answer.id,
        "object": "list",
        "created": CREATED,
        "model": answer.model,
        "simulated": True,
        "data": [pooled],
        "usage": usage,
    }


def _choice(index: int, choice: Choice) -> dict[str, object]:
    message: dict[str, object] = {"role": "assistant", "content": choice.content, "refusal": choice.refusal}
    if choice.reasoning is not None:
        message["reasoning_content"] = choice.reasoning
    if choice.tool_calls:
        message["tool_calls"] = list(choice.tool_calls)
    logprobs = None
    if choice.odds is not None and choice.content is not None:
        logprobs = {"content": token_logprobs(choice.content, choice.odds), "refusal": None}
    return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": choice.finish_reason}


def ok(answer: Answer) -> Reply:
    """An answer as it comes when nothing goes wrong."""
    return Reply(200, orjson.dumps(completion(answer)))


def json_reply(status: int, body: object, headers: Mapping[str, str] | None = None) -> Reply:
    """A reply with a JSON body; objects get "simulated": true."""
    if isinstance(body, dict):
        body = {**body, "simulated": True}
    return Reply(status, orjson.dumps(body), headers or {})


def openai_error(
    status: int,
    message: str,
    *,
    code: str | int | None = None,
    type_: str = "invalid_request_error",
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """An error in OpenAI's shape, which most others copy."""
    error = {"message": message, "type": type_, "param": param, "code": code}
    return json_reply(status, {"error": error}, headers)
