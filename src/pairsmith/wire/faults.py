"""Reads what came back from an endpoint: an answer, or which kind of failure it is.

Pure: bytes and headers in, `Reply | Failure` out, and it never raises. The classes and what happens with
each stand in docs/architecture.md. Called by gate.py for each attempt and by the pipeline for each
stored reply. Written from what real servers send (openai 3.54 and nine servers, tried November 2026).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import orjson

from pairsmith.records import Failure, FailureKind, Outcome, Reply, RequestId, TokenChoice, Usage
from pairsmith.wire.headers import retry_after_s, wait_said_s

MAX_MESSAGE = 500
PART = 8  # so much of a key is never shown
SHORTEST = 4  # shorter ones are no secrets ("x", "EMPTY" is one that local servers are given)
# By its beginning, or half masked as servers echo it ("abcde********wxyz").
KEY_SHAPE = re.compile(r"\b(?:sk|gsk|key|hf|pk|rk)[-_][\w*.-]{6,}|[\w.-]*\*{3}[\w*.-]*")

FATAL_STATUS = {401: "refused_key", 402: "quota", 403: "refused_key", 404: "no_such_model"}
# Words of a code or type, and words of a message. A message may echo the prompt, so its words are whole phrases.
BILLING_CODES = ("insufficient_quota", "billing", "insufficient_credit", "insufficient_balance", "payment_required")
BILLING_WORDS = (
    "insufficient_quota",
    "exceeded your current quota",
    "insufficient credit",
    "insufficient balance",
    "payment required",
    "out of credits",
    "credit balance is too low",
    "billing hard limit",
    "check your plan and billing",
)
# In code, type or message of a 400, 413 or 422; the first that is found names the reason.
PERMANENT_WORDS = {
    "context_length": (
        "context_length", "context length", "context size", "context window", "maximum context", "too many tokens",
        "prompt is too long", "input is too long",
    ),
    "content_filter": ("content_filter", "content_policy", "content management policy", "moderation_blocked"),
}  # fmt: skip
JSON_WORDS = ("response_format", "json_schema", "json_object", "guided_json", "guided_grammar", "structured output")
TRANSIENT_STATUS = {408, 409, 425}
SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class RawReply:
    """What a transport brings back: status, headers (names in lower case), the body's bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def read_reply(request_id: RequestId, body: bytes, latency_s: float = 0.0) -> Outcome:
    """Read the body of a 200: the answer, or why it is none. Raises nothing, whatever the bytes are."""

    def failed(reason: str, message: str = "") -> Failure:
        return Failure(request_id, FailureKind.TRANSIENT, reason, message, status=200)

    data = _parse(body)
    if not isinstance(data, dict):
        try:
            head = body.decode("utf-8").lstrip()[:80]
        except UnicodeDecodeError:
            return failed("bad_utf8", "the body is not UTF-8")
        return failed("html" if head.startswith("<") else "not_json", f"the body begins with {head!r}")
    if data.get("error"):
        return failed("error_in_200", error_text(data)[1][:MAX_MESSAGE])
    if "choices" not in data and isinstance(data.get("data"), list):
        return _reward(request_id, data, latency_s)
    choices = data.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return failed("no_choices", "the reply holds no choices")
    message = choices[0].get("message")
    if not isinstance(message, dict):
        return failed("no_choices", "the choice holds no message")
    return _reply(request_id, data, choices[0], message, latency_s)


def read_text(body: bytes) -> str | None:
    """The text of an answer and nothing else of it, as `read_reply` reads it; None where that finds no answer."""
    data = _parse(body)
    choices = data.get("choices") if isinstance(data, dict) and not data.get("error") else None
    message = (
        choices[0].get("message") if isinstance(choices, list) and choices and isinstance(choices[0], dict) else None
    )
    return _mend(message.get("content"))[0] if isinstance(message, dict) else None


def _parse(body: bytes) -> object:
    """JSON, or None. orjson refuses lone surrogates; the standard parser lets them through, to be mended."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        try:
            return json.loads(body.decode("utf-8"))
        except (ValueError, RecursionError):
            return None


def _reply(request_id: RequestId, data: dict[str, object], choice: dict[str, object],
           message: dict[str, object], latency_s: float) -> Reply:  # fmt: skip
    text, mended = _mend(message.get("content"))
    reasoning, _ = _mend(message.get("reasoning_content") or message.get("reasoning"))
    refusal, _ = _mend(message.get("refusal"))
    finish = choice.get("finish_reason")
    model = data.get("model")
    return Reply(
        request_id=request_id,
        text=text,
        finish_reason=_mend(finish)[0] if isinstance(finish, str) else None,
        refusal=refusal or None,
        reasoning=reasoning or None,
        tool_calls=bool(message.get("tool_calls")),
        mended=mended,
        model=_mend(model)[0] if isinstance(model, str) else None,
        simulated=data.get("simulated") is True,
        usage=read_usage(data.get("usage")),
        latency_s=latency_s,
        tokens=_tokens(choice.get("logprobs")),
    )


def _reward(request_id: RequestId, data: dict[str, object], latency_s: float) -> Outcome:
    """A reward model's number, as the text {"reward": n}.

    From vLLM's /classify, `data[0].probs`, or its /pooling, `data[0].data`: one number, or for each token one, of
    which the last is meant.
    """
    items = data["data"]
    item = items[0] if isinstance(items, list) and len(items) == 1 else None
    numbers = item.get("probs", item.get("data")) if isinstance(item, dict) else None
    if isinstance(numbers, list) and len(numbers) > 0 and all(isinstance(n, list) and len(n) == 1 for n in numbers):
        numbers = numbers[-1]
    if isinstance(numbers, list) and len(numbers) > 1:
        said = f"the reply holds {len(numbers)} numbers where a reward model gives one"
        return Failure(request_id, FailureKind.TRANSIENT, "several_rewards", said, status=200)
    reward = _number(numbers[0]) if isinstance(numbers, list) and numbers else None
    if reward is None or not math.isfinite(reward):
        said = "the reply holds no finite number for the answer"
        return Failure(request_id, FailureKind.TRANSIENT, "no_reward", said, status=200)
    usage, model = read_usage(data.get("usage")), data.get("model")
    return Reply(
        request_id=request_id,
        text=orjson.dumps({"reward": reward}).decode(),
        model=_mend(model)[0] if isinstance(model, str) else None,
        simulated=data.get("simulated") is True,
        usage=replace(usage, output_tokens=usage.output_tokens or 0),  # it writes nothing
        latency_s=latency_s,
    )


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def _tokens(logprobs: object) -> tuple[TokenChoice, ...]:
    """The tokens of a choice; () where there are none, or where one is not as it should be.

    A character may be cut into several tokens, which only their `bytes` tell: they are read as one token.
    """
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    found: list[TokenChoice] = []
    pending, summed = b"", 0.0
    for entry in content if isinstance(content, list) else ():
        token = _token(entry)
        if token is None:
            return ()
        raw = _token_bytes(entry, token)
        text = _decoded(pending + raw)
        summed += token.logprob
        if text is None:
            pending += raw
            continue
        found.append(TokenChoice(text, summed, () if pending else token.alternatives))
        pending, summed = b"", 0.0
    return (*found, TokenChoice(pending.decode("utf-8", "replace"), summed)) if pending else tuple(found)


def _token(entry: object, alternative: bool = False) -> TokenChoice | None:
    """One entry of logprobs.content, or of its top_logprobs."""
    if not isinstance(entry, dict) or not isinstance(entry.get("token"), str):
        return None
    logprob, others = _number(entry.get("logprob")), entry.get("top_logprobs") or []
    if logprob is None or math.isnan(logprob) or not isinstance(others, list):
        return None
    choices = [] if alternative else [_token(other, alternative=True) for other in others]
    known = [(choice.token, choice.logprob) for choice in choices if choice is not None]
    return TokenChoice(_mend(entry["token"])[0], logprob, tuple(known)) if len(known) == len(choices) else None


def _token_bytes(entry: dict[str, object], token: TokenChoice) -> bytes:
    given = entry.get("bytes")
    if isinstance(given, list) and given and all(type(byte) is int and 0 <= byte < 256 for byte in given):
        return bytes(given)
    return token.token.encode()


def _decoded(raw: bytes) -> str | None:
    """The text of these bytes; None while a character is not complete."""
    try:
        return raw.decode()
    except UnicodeDecodeError as exc:
        return None if exc.reason == "unexpected end of data" else raw.decode("utf-8", "replace")


def _mend(value: object) -> tuple[str, bool]:
    """A string that UTF-8 can carry, and whether lone surrogates had to be replaced. Parts are joined."""
    if isinstance(value, list):
        parts = [p.get("text") for p in value if isinstance(p, dict)]
        value = "".join(p for p in parts if isinstance(p, str))
    if not isinstance(value, str):
        return "", False
    mended, count = SURROGATES.subn("\ufffd", value)
    return mended, count > 0


def read_usage(usage: object) -> Usage:
    """Token counts as the server gave them; what is absent or no count becomes None."""
    if not isinstance(usage, dict):
        return Usage()
    prompt_details = usage.get("prompt_tokens_details")
    output_details = usage.get("completion_tokens_details")
    cached = prompt_details.get("cached_tokens") if isinstance(prompt_details, dict) else None
    reasoning = output_details.get("reasoning_tokens") if isinstance(output_details, dict) else None
    return Usage(
        _count(usage.get("prompt_tokens")),
        _count(usage.get("completion_tokens")),
        _count(cached),
        _count(reasoning),
    )


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def classify(request_id: RequestId, raw: RawReply, now_s: float = 0.0, latency_s: float = 0.0) -> Outcome:
    """What one HTTP answer means. `now_s` (epoch seconds) is needed only for a Retry-After that is a date."""
    if 200 <= raw.status < 300:
        return read_reply(request_id, raw.body, latency_s)
    code, message = error_text(_parse(raw.body), raw.body)
    code, words = code.lower(), message.lower()
    wait = retry_after_s(raw.headers, now_s)
    if wait is None and raw.status == 429:
        wait = wait_said_s(message)
    kind, reason = _kind(raw.status, code, words, wait)
    parameter = None
    if reason in ("bad_request", "http_500") and any(word in code or word in words for word in JSON_WORDS):
        # Also as a 500: so llama-cpp-python says that it knows no such format (tried November 2026).
        kind, reason, parameter = FailureKind.PERMANENT, "bad_request", "response_format"
    if reason == "redirected":
        message = f"to {raw.headers.get('location', 'nowhere')}"
    return Failure(request_id, kind, reason, _mend(message)[0][:MAX_MESSAGE], raw.status, wait, parameter)


def _kind(status: int, code: str, words: str, wait: float | None) -> tuple[FailureKind, str]:
    if status in (400, 403, 429) and _no_money(code, words, wait):
        return FailureKind.FATAL, "quota"
    if status in FATAL_STATUS:
        return FailureKind.FATAL, FATAL_STATUS[status]
    if 300 <= status < 400:
        return FailureKind.FATAL, "redirected"
    if status == 429 and "request too large" in words:  # OpenAI's, for one that no minute's tokens would hold
        return FailureKind.PERMANENT, "too_large"
    if status == 429 and "resource_unavailable" in code.replace(" ", "_") + words.replace(" ", "_"):
        return (
            FailureKind.TRANSIENT,
            "resource_unavailable",
        )  # OpenAI's flex tier has no machine free; nothing is billed
    if status == 429 or (status in (503, 529) and wait is not None):
        return FailureKind.THROTTLED, f"http_{status}"
    if status in TRANSIENT_STATUS or not 400 <= status < 500:
        return FailureKind.TRANSIENT, f"http_{status}"
    for reason, found in PERMANENT_WORDS.items():
        if any(word in code or word in words for word in found):
            return FailureKind.PERMANENT, reason
    return FailureKind.PERMANENT, "too_large" if status == 413 else "bad_request"


def _no_money(code: str, words: str, wait: float | None) -> bool:
    """Whether this is about quota or money, and no rate limit.

    A code says so for sure. The message alone does not where the server names its rate limit or a time to wait:
    limits by the minute are told in the same words (Gemini: "exceeded your current quota … retry in 37.2s").
    """
    if any(word in code for word in BILLING_CODES):
        return True
    return "rate_limit" not in code and wait is None and any(word in words for word in BILLING_WORDS)


def error_text(data: object, body: bytes = b"") -> tuple[str, str]:
    """Code (with type and parameter) and message of an error body, in the five shapes that servers use.

    `{"error": {...}}` (OpenAI), `{"error": "..."}`, a list of such (Gemini), `{"message": {...}}` (Mistral),
    `{"detail": ...}` (FastAPI); anything else gives the beginning of the body.
    """
    if isinstance(data, list) and data:
        data = data[0]
    if not isinstance(data, dict):
        return "", body[:MAX_MESSAGE].decode("utf-8", "replace")
    inner = data.get("error") or data.get("message") or data.get("detail") or data
    message: object = inner
    if isinstance(inner, dict):
        message = inner.get("message") or inner.get("detail") or inner
    codes = [part[key] for part in (inner, data) if isinstance(part, dict)
             for key in ("code", "type", "param", "status") if part.get(key)]  # fmt: skip
    return " ".join(_as_text(code) for code in codes), _mend(_as_text(message))[0]


def _as_text(value: object) -> str:
    """A string as it is, anything else as JSON; raises nothing."""
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False)
    except (ValueError, TypeError, RecursionError):
        return ""


def redact(message: str, keys: Sequence[str]) -> str:
    """Take keys, parts of keys (8 characters and more) and anything of a key's shape out of a message."""
    hidden = {at for found in KEY_SHAPE.finditer(message) for at in range(*found.span())}
    for key in keys:
        size = min(len(key), PART)
        if size < SHORTEST:
            continue
        parts = {key[start : start + size] for start in range(len(key) - size + 1)}
        for start in range(len(message) - size + 1):
            if message[start : start + size] in parts:
                hidden.update(range(start, start + size))
    spans = groupby(range(len(message)), hidden.__contains__)
    return "".join("[key]" if secret else "".join(message[at] for at in span) for secret, span in spans)
