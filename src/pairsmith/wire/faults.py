"""Reads what came back from an endpoint: an answer, or which kind of failure it is.

Pure: bytes and headers in, `Reply | Failure` out, and it never raises. The classes and what happens with
each stand in docs/architecture.md. Called by online.py for each attempt and by the pipeline for each
stored reply. Written from what real servers send (openai 3.54 and nine servers, tried November 2026).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import orjson

from pairsmith.records import Failure, FailureKind, Outcome, Reply, RequestId, Usage

MAX_MESSAGE = 500

FATAL_STATUS = {401: "refused_key", 402: "billing", 403: "refused_key"}
BILLING_WORDS = ("insufficient_quota", "billing", "exceeded your current quota", "insufficient credit",
                 "payment required", "out of credits", "insufficient balance")  # fmt: skip
# In code, type or message of a 400, 413 or 422; the first that is found names the reason.
PERMANENT_WORDS = {
    "context_length": (
        "context_length", "context length", "maximum context", "too many tokens", "prompt is too long",
    ),
    "content_filter": (
        "content_filter", "content_policy", "content management policy", "moderation", "safety",
    ),
}  # fmt: skip
JSON_WORDS = ("response_format", "json_schema", "json_object", "grammar", "guided_json", "structured output")
TRANSIENT_STATUS = {408, 409, 425}


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

    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return failed("bad_utf8", "the body is not UTF-8")
    data = _parse(text)
    if not isinstance(data, dict):
        head = text.lstrip()[:80]
        return failed("html" if head.startswith("<") else "not_json", f"the body begins with {head!r}")
    if data.get("error"):
        return failed("error_in_200", error_text(data)[1])
    choices = data.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        return failed("no_choices", "the reply holds no choices")
    message = choices[0].get("message")
    if not isinstance(message, dict):
        return failed("no_choices", "the choice holds no message")
    return _reply(request_id, data, choices[0], message, latency_s)


def _parse(text: str) -> object:
    """JSON, or None. orjson refuses lone surrogates; the standard parser lets them through, to be mended."""
    import json

    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        try:
            return json.loads(text)
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
        finish_reason=finish if isinstance(finish, str) else None,
        refusal=refusal or None,
        reasoning=reasoning or None,
        tool_calls=bool(message.get("tool_calls")),
        mended=mended,
        model=_mend(model)[0] if isinstance(model, str) else None,
        simulated=data.get("simulated") is True,
        usage=read_usage(data.get("usage")),
        latency_s=latency_s,
    )


def _mend(value: object) -> tuple[str, bool]:
    """A string that UTF-8 can carry, and whether lone surrogates had to be replaced. Parts are joined."""
    if isinstance(value, list):
        parts = [p.get("text") for p in value if isinstance(p, dict)]
        value = "".join(p for p in parts if isinstance(p, str))
    if not isinstance(value, str):
        return "", False
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return value.encode("utf-8", "replace").decode("utf-8"), True
    return value, False


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
    if raw.status == 200:
        return read_reply(request_id, raw.body, latency_s)
    code, message = error_text(_parse(raw.body.decode("utf-8", "replace")), raw.body)
    everything = f"{code} {message}".lower()
    wait = retry_after_s(raw.headers, now_s)
    kind, reason = _kind(raw.status, everything, wait)
    parameter = None
    if kind is FailureKind.PERMANENT and reason == "bad_request":
        parameter = "response_format" if any(word in everything for word in JSON_WORDS) else None
    return Failure(request_id, kind, reason, message[:MAX_MESSAGE], raw.status, wait, parameter)


def _kind(status: int, words: str, wait: float | None) -> tuple[FailureKind, str]:
    if status == 402 or (status in (400, 403, 429) and any(w in words for w in BILLING_WORDS)):
        return FailureKind.FATAL, "quota"
    if status in FATAL_STATUS:
        return FailureKind.FATAL, FATAL_STATUS[status]
    if status == 404:
        return FailureKind.FATAL, "no_such_model"
    if status == 429 or (status in (503, 529) and wait is not None):
        return FailureKind.THROTTLED, f"http_{status}"
    if status in TRANSIENT_STATUS or status >= 500 or 300 <= status < 400:
        return FailureKind.TRANSIENT, f"http_{status}"
    for reason, found in PERMANENT_WORDS.items():
        if any(word in words for word in found):
            return FailureKind.PERMANENT, reason
    return FailureKind.PERMANENT, "too_large" if status == 413 else "bad_request"


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
    if isinstance(inner, dict):
        message = inner.get("message") or inner.get("detail") or orjson.dumps(inner, default=str).decode()
        code = " ".join(str(inner[k]) for k in ("code", "type", "param", "status") if inner.get(k))
    else:
        message, code = inner, " ".join(str(data[k]) for k in ("code", "type", "param") if data.get(k))
    if not isinstance(message, str):
        message = orjson.dumps(message, default=str).decode()
    return code, _mend(message)[0]


def retry_after_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """Seconds the server asks to wait; None when it does not say.

    Read from `retry-after-ms`, from `Retry-After` in seconds or as an HTTP date, or the same renamed by LiteLLM.
    """
    for prefix in ("", "llm_provider-"):
        ms = _number(headers.get(prefix + "retry-after-ms"))
        if ms is not None:
            return max(0.0, ms / 1000)
        value = headers.get(prefix + "retry-after")
        if value is None:
            continue
        seconds = _number(value)
        if seconds is not None:
            return max(0.0, seconds)
        try:
            date = parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError):
            continue
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        return max(0.0, (date - datetime.fromtimestamp(now_s, UTC)).total_seconds())
    return None


def _number(value: str | None) -> float | None:
    return float(value) if value and re.fullmatch(r"\s*\d{1,9}(\.\d{1,9})?\s*", value) else None


def redact(message: str, keys: list[str]) -> str:
    """Take keys, parts of keys (8 characters and more) and anything of a key's shape out of a message."""
    for key in keys:
        message = message.replace(key, "[key]")
        for start in range(0, len(key) - 7):
            message = message.replace(key[start : start + 8], "[key]")
    return re.sub(r"\b(sk|gsk|key|hf|pk|rk)[-_][\w*.-]{6,}", "[key]", message)
