import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_fakes import IDENT, answer, refusal

from pairsmith.records import Failure, FailureKind, Reply, Usage
from pairsmith.wire.faults import (
    MAX_MESSAGE,
    RawReply,
    classify,
    error_text,
    read_reply,
    read_usage,
)
from pairsmith.wire.headers import retry_after_s

NOW_S = 1_790_000_000.0
HEADERS = ("retry-after", "retry-after-ms", "llm_provider-retry-after", "x-ratelimit-reset-tokens", "location")

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
known = (
    "error", "message", "detail", "code", "type", "choices", "usage", "content", "finish_reason", "model", "text",
    "data", "probs", "logprobs", "token", "logprob", "bytes", "top_logprobs",
)  # fmt: skip
envelopes = st.recursive(
    json_values,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(known), inner, max_size=4),
    max_leaves=12,
)
bodies = st.binary(max_size=200) | envelopes.map(lambda value: json.dumps(value).encode())


def kind_of(raw: RawReply) -> tuple[FailureKind, str]:
    outcome = classify(IDENT, raw, NOW_S)
    assert isinstance(outcome, Failure)
    return outcome.kind, outcome.reason


def body(message: dict[str, object], **more: object) -> bytes:
    return json.dumps({"choices": [{"message": message, "finish_reason": "stop", **more}]}).encode()


def reply(raw: bytes) -> Reply:
    outcome = read_reply(IDENT, raw)
    assert isinstance(outcome, Reply)
    return outcome


# --- whatever comes --------------------------------------------------------------------------------


@given(st.integers(0, 999), st.dictionaries(st.sampled_from(HEADERS), st.text(max_size=40)), bodies)
def test_whatever_comes_is_a_reply_or_a_failure_and_nothing_is_raised(
    status: int, headers: dict[str, str], raw: bytes
) -> None:
    outcome = classify(IDENT, RawReply(status, headers, raw), NOW_S)

    assert isinstance(outcome, Reply | Failure)
    assert isinstance(outcome, Failure) or 200 <= status < 300
    if isinstance(outcome, Failure):
        assert not hasattr(outcome, "text")
        assert outcome.retry_after_s is None or outcome.retry_after_s >= 0
        assert len(outcome.message) <= MAX_MESSAGE
        outcome.message.encode("utf-8")
    else:
        for text in (outcome.text, outcome.finish_reason, outcome.refusal, outcome.reasoning, outcome.model):
            (text or "").encode("utf-8")


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 5000 + b"]" * 5000,
        b'{"error":' * 1000 + b"1" + b"}" * 1000,
        b'{"error": {"message": {"n": 1' + b"0" * 40 + b"}}}",
        b'{"error": {"message": ["\\ud83d"], "code": "\\ud83d"}}',
        b'{"choices": [{"message": {"content": 1' + b"0" * 5000 + b"}}]}",
    ],
    ids=["deep list", "deep error", "huge number", "surrogates", "number beyond Python's limit"],
)
def test_hostile_json_raises_nothing(status: int, raw: bytes) -> None:
    assert isinstance(classify(IDENT, RawReply(status, {}, raw)), Reply | Failure)


# --- the answer ------------------------------------------------------------------------------------


def test_an_answer_is_read_with_its_usage_and_its_maker() -> None:
    raw = answer("Because of Rayleigh.", 12, 7).body[:-1] + b',"model":"m-1","simulated":true}'

    got = reply(raw)

    assert (got.text, got.finish_reason, got.model, got.simulated) == ("Because of Rayleigh.", "stop", "m-1", True)
    assert got.usage == Usage(12, 7)


def test_a_lone_surrogate_is_replaced_and_the_reply_says_so() -> None:
    got = reply(rb'{"choices": [{"message": {"content": "smile \ud83d!"}}]}')

    assert (got.text, got.mended) == ("smile \ufffd!", True)


def test_a_whole_surrogate_pair_is_one_character_and_nothing_is_mended() -> None:
    got = reply(rb'{"choices": [{"message": {"content": "smile \ud83d\ude00"}}]}')

    assert (got.text, got.mended) == ("smile \U0001f600", False)


def test_content_in_parts_is_joined() -> None:
    parts = [{"type": "text", "text": "Hel"}, {"type": "image"}, "?", {"type": "text", "text": "lo"}]

    assert reply(body({"content": parts})).text == "Hello"


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_reasoning_that_the_server_splits_off_is_kept_apart(name: str) -> None:
    got = reply(body({"content": "4", name: "two and two"}))

    assert (got.text, got.reasoning) == ("4", "two and two")


@pytest.mark.parametrize("content", [None, "", 7, {"a": 1}])
def test_content_that_is_no_text_is_an_empty_text(content: object) -> None:
    assert reply(body({"content": content})).text == ""


def test_a_refusal_and_a_tool_call_are_answers() -> None:
    assert reply(body({"content": None, "refusal": "I cannot."})).refusal == "I cannot."
    assert reply(body({"content": None, "tool_calls": [{"id": "1"}]})).tool_calls


@pytest.mark.parametrize("finish", [None, 3, "length", "content_filter"])
def test_a_finish_reason_is_a_word_or_none(finish: object) -> None:
    assert reply(body({"content": "x"}, finish_reason=finish)).finish_reason == (finish if finish != 3 else None)


@pytest.mark.parametrize("status", [200, 201])
def test_every_status_of_success_is_read_as_an_answer(status: int) -> None:
    assert isinstance(classify(IDENT, RawReply(status, {}, answer().body)), Reply)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "not_json"),
        (b'{"choices": [{"mess', "not_json"),
        (b"[1]", "not_json"),
        (b"\n <!DOCTYPE html><html></html>", "html"),
        (b'{"choices": [{"message": {"content": "\xff\xfe"}}]}', "bad_utf8"),
        (b'{"error": {"message": "Provider returned error", "code": 502}}', "error_in_200"),
        (b'{"error": "out of memory", "choices": []}', "error_in_200"),
        (b'{"choices": null}', "no_choices"),
        (b'{"choices": []}', "no_choices"),
        (b'{"choices": ["x"]}', "no_choices"),
        (b'{"choices": [{"text": "x"}]}', "no_choices"),
    ],
)
def test_a_200_that_holds_no_answer_is_a_transient_failure(raw: bytes, reason: str) -> None:
    failure = read_reply(IDENT, raw)

    assert isinstance(failure, Failure)
    assert (failure.kind, failure.reason, failure.status) == (FailureKind.TRANSIENT, reason, 200)


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        (None, Usage()),
        ("12", Usage()),
        ({"prompt_tokens": "12", "completion_tokens": True}, Usage()),
        ({"prompt_tokens": -1, "completion_tokens": 5.0}, Usage()),
        (
            {
                "prompt_tokens": 9,
                "completion_tokens": 8,
                "prompt_tokens_details": {"cached_tokens": 4},
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
            Usage(9, 8, 4, 3),
        ),
        ({"prompt_tokens": 9, "completion_tokens": 8, "prompt_tokens_details": None}, Usage(9, 8)),
    ],
)
def test_usage_is_what_the_server_counted_and_never_a_guess(usage: object, counts: Usage) -> None:
    assert read_usage(usage) == counts


# --- the kinds of failure --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind", "reason"),
    [
        (401, FailureKind.FATAL, "refused_key"),
        (402, FailureKind.FATAL, "quota"),
        (403, FailureKind.FATAL, "refused_key"),
        (404, FailureKind.FATAL, "no_such_model"),
        (301, FailureKind.FATAL, "redirected"),
        (308, FailureKind.FATAL, "redirected"),
        (400, FailureKind.PERMANENT, "bad_request"),
        (405, FailureKind.PERMANENT, "bad_request"),
        (413, FailureKind.PERMANENT, "too_large"),
        (422, FailureKind.PERMANENT, "bad_request"),
        (429, FailureKind.THROTTLED, "http_429"),
        (408, FailureKind.TRANSIENT, "http_408"),
        (409, FailureKind.TRANSIENT, "http_409"),
        (425, FailureKind.TRANSIENT, "http_425"),
        (500, FailureKind.TRANSIENT, "http_500"),
        (502, FailureKind.TRANSIENT, "http_502"),
        (503, FailureKind.TRANSIENT, "http_503"),
        (529, FailureKind.TRANSIENT, "http_529"),
        (999, FailureKind.TRANSIENT, "http_999"),
    ],
)
def test_each_status_has_its_kind(status: int, kind: FailureKind, reason: str) -> None:
    assert kind_of(refusal(status)) == (kind, reason)


@pytest.mark.parametrize("status", [503, 529])
def test_an_overload_that_says_when_to_come_back_is_a_throttle(status: int) -> None:
    assert kind_of(refusal(status, headers={"retry-after": "2"})) == (FailureKind.THROTTLED, f"http_{status}")


@pytest.mark.parametrize(
    "raw",
    [
        refusal(429, code="insufficient_quota"),
        refusal(429, type="insufficient_quota"),
        refusal(429, code="insufficient_quota", headers={"retry-after": "1"}),
        refusal(429, "You exceeded your current quota, please check your plan and billing details."),
        refusal(400, "Your credit balance is too low to access the Anthropic API."),
        refusal(403, code="billing_not_active"),
        refusal(402, "Insufficient credits."),
    ],
)
def test_words_of_money_in_code_type_or_message_are_about_quota(raw: RawReply) -> None:
    assert kind_of(raw) == (FailureKind.FATAL, "quota")


@pytest.mark.parametrize(
    "raw",
    [
        refusal(
            429,
            "Rate limit reached for gpt-4o in organization org-1. Please try again in 20s. Add a payment method at "
            "https://platform.openai.com/account/billing to increase it.",
            code="rate_limit_exceeded",
        ),
        refusal(
            429,
            "You exceeded your current quota, please check your plan and billing details. Please retry in 37.2s.",
            status="RESOURCE_EXHAUSTED",
        ),
    ],
    ids=["OpenAI names its billing page", "Gemini's limit by the minute"],
)
def test_a_rate_limit_that_speaks_of_billing_is_still_a_rate_limit(raw: RawReply) -> None:
    assert kind_of(raw) == (FailureKind.THROTTLED, "http_429")


def test_a_refusal_that_echoes_a_prompt_about_billing_or_safety_is_not_about_these() -> None:
    message = "Input should be a valid string, input: 'My billing department asks about workplace safety'"

    assert kind_of(refusal(400, message)) == (FailureKind.PERMANENT, "bad_request")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (refusal(400, code="context_length_exceeded"), "context_length"),
        (refusal(400, "This model's maximum context length is 4096 tokens."), "context_length"),
        (refusal(400, "the request exceeds the available context size"), "context_length"),
        (refusal(413, "prompt is too long: 210000 tokens"), "context_length"),
        (refusal(400, code="content_filter"), "content_filter"),
        (refusal(400, "triggering Azure OpenAI's content management policy"), "content_filter"),
    ],
)
def test_what_no_retry_can_mend_has_its_reason(raw: RawReply, reason: str) -> None:
    assert kind_of(raw) == (FailureKind.PERMANENT, reason)


@pytest.mark.parametrize(
    "raw",
    [
        refusal(400, "'response_format' of type 'json_schema' is not supported"),
        refusal(422, param="response_format"),
        refusal(500, "Invalid response_format type: json_schema"),
    ],
    ids=["in words", "as a parameter", "as a 500 (llama-cpp-python)"],
)
def test_a_refused_response_format_is_named_and_not_asked_for_again(raw: RawReply) -> None:
    failure = classify(IDENT, raw)

    assert isinstance(failure, Failure)
    assert (failure.kind, failure.reason) == (FailureKind.PERMANENT, "bad_request")
    assert failure.parameter == "response_format"


def test_a_redirect_says_where_to() -> None:
    failure = classify(IDENT, RawReply(308, {"location": "https://model.example/v1"}, b""))

    assert isinstance(failure, Failure)
    assert failure.message == "to https://model.example/v1"


# --- error bodies ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        ({"error": {"message": "No.", "code": "c", "type": "t", "param": "p"}}, "c t p", "No."),
        ({"error": "No.", "code": "c"}, "c", "No."),
        ([{"error": {"code": 503, "message": "No.", "status": "UNAVAILABLE"}}], "503 UNAVAILABLE", "No."),
        ({"object": "error", "message": {"detail": "No."}, "type": "internal", "code": 3000}, "3000 internal", "No."),
        ({"detail": "No."}, "", "No."),
        ({"detail": [{"loc": ["body"], "msg": "No."}]}, "", '[{"loc": ["body"], "msg": "No."}]'),
        ({"message": "No.", "type": "t"}, "t", "No."),
    ],
    ids=["OpenAI", "a string", "Gemini", "Mistral", "FastAPI", "FastAPI's list", "flat"],
)
def test_each_shape_of_error_gives_code_and_message(data: object, code: str, message: str) -> None:
    assert error_text(data) == (code, message)


def test_a_body_that_is_no_json_gives_its_beginning() -> None:
    assert error_text(None, b"Bad Gateway" + b"!" * 900) == ("", "Bad Gateway" + "!" * (MAX_MESSAGE - 11))


# --- how long to wait ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry-after": "20"}, 20.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after": "9", "retry-after-ms": "250"}, 0.25),
        ({"llm_provider-retry-after": "3"}, 3.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "Fri, 32 Foo 99999999999 00:00:00 GMT"}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m30s"}, 90.0),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6ms"}, 0.006),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1h0m1.5s"}, 3601.5),
        ({"x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "1m30s"}, None),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": ""}, None),
    ],
)
def test_the_time_to_wait_is_read_in_every_form(headers: dict[str, str], wait_s: float | None) -> None:
    assert retry_after_s(headers, NOW_S) == wait_s


@given(st.integers(-3600, 86_400))
def test_a_date_is_a_time_from_now_and_never_below_zero(offset_s: int) -> None:
    date = format_datetime(datetime.fromtimestamp(NOW_S, UTC) + timedelta(seconds=offset_s), usegmt=True)

    assert retry_after_s({"retry-after": date}, NOW_S) == max(0, offset_s)


def test_a_429_that_says_in_words_when_to_come_back_is_believed() -> None:
    failure = classify(IDENT, refusal(429, "Rate limit reached. Please try again in 1m2.5s."))

    assert isinstance(failure, Failure)
    assert failure.retry_after_s == 62.5


def test_orjson_and_json_read_an_answer_alike() -> None:
    raw = answer("ok").body

    assert reply(raw) == reply(orjson.dumps(json.loads(raw)))
