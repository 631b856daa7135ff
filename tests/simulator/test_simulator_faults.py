import http.client
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from statistics import mean

import pytest
from simulator_client import Client, Got

from pairsmith.simulator import Settings, Simulator, running
from pairsmith.simulator.faults import FAULTS

PROMPT = "How do I fold a map?"
JUDGED = ["An answer.", "Another answer."]
REFUSALS = {
    "401": (401, "invalid_api_key"),
    "402": (402, 402),
    "403": (403, "permission_denied"),
    "quota": (429, "insufficient_quota"),
    "404-model": (404, "model_not_found"),
    "400-context": (400, "context_length_exceeded"),
    "400-parameter": (400, "unsupported_parameter"),
    "content-filter": (400, "content_filter"),
    "413": (413, None),
    "429": (429, "rate_limit_exceeded"),
    "429-after": (429, "rate_limit_exceeded"),
    "503": (503, None),
    "503-after": (503, None),
    "529": (529, None),
    "408": (408, None),
    "409": (409, None),
    "429-flex": (429, "resource_unavailable"),
    "500": (500, None),
    "500-close": (500, None),
}


@pytest.fixture(scope="module")
def faulty() -> Iterator[Simulator]:
    with running(Settings(retry_after_s=0.7)) as simulator:
        yield simulator


def meet(simulator: Simulator, fault: str, kind: str = "", **asked: object) -> Got:
    """One request that meets this fault for certain, on a connection of its own."""
    with Client(simulator.base_url) as client:
        assert client.post("/faults", {fault: 1.0}).status == 200
        if kind:
            answers = JUDGED[:1] if kind == "score" else JUDGED
            return client.judge(kind, answers, key="k", **asked)
        return client.chat(PROMPT, key="k", **asked)


@pytest.mark.parametrize(("fault", "status", "code"), [(name, *shape) for name, shape in REFUSALS.items()])
def test_refusals_have_their_status_and_openais_shape(faulty: Simulator, fault: str, status: int, code: object) -> None:
    got = meet(faulty, fault)

    assert got.status == status
    assert got.json["error"]["code"] == code
    assert got.json["error"]["message"]


@pytest.mark.parametrize(
    ("fault", "header", "value"),
    [
        ("429-after", "Retry-After", "0.7"),
        ("503-after", "Retry-After", "0.7"),
        ("529", "Retry-After", "0.7"),
        ("429-after-ms", "retry-after-ms", "700"),
        ("429-after-litellm", "llm_provider-retry-after", "0.7"),
        ("429", "Retry-After", None),
        ("503", "Retry-After", None),
        ("429-flex", "Retry-After", None),
    ],
)
def test_throttling_says_how_long_in_its_own_header(
    faulty: Simulator, fault: str, header: str, value: str | None
) -> None:
    assert meet(faulty, fault).headers[header] == value


def test_a_retry_after_date_lies_ahead(faulty: Simulator) -> None:
    until = parsedate_to_datetime(meet(faulty, "429-after-date").headers["Retry-After"])

    assert 0 < (until - datetime.now(UTC)).total_seconds() <= 2


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ("422", 422, {"detail": [{"loc": ["body"], "msg": "invalid", "type": "value_error"}], "simulated": True}),
        ("error-200", 200, {"error": {"message": "Provider returned error", "code": 502}, "simulated": True}),
        ("error-detail", 500, {"detail": "Internal server error", "simulated": True}),
        (
            "error-list",
            503,
            [{"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}],
        ),
    ],
)
def test_errors_come_in_other_shapes_too(faulty: Simulator, fault: str, status: int, body: object) -> None:
    got = meet(faulty, fault)

    assert (got.status, got.json) == (status, body)


def test_mistrals_error_has_a_dict_for_a_message(faulty: Simulator) -> None:
    assert isinstance(meet(faulty, "error-message").json["message"], dict)


@pytest.mark.parametrize(("fault", "status"), [("html", 200), ("502", 502)])
def test_html_comes_instead_of_json(faulty: Simulator, fault: str, status: int) -> None:
    got = meet(faulty, fault)

    assert got.status == status
    assert got.headers["Content-Type"] == "text/html"
    assert got.raw.startswith(b"<!DOCTYPE html>")


def test_an_empty_body_is_a_200(faulty: Simulator) -> None:
    got = meet(faulty, "empty-body")

    assert (got.status, got.raw) == (200, b"")


def test_cut_json_is_whole_http(faulty: Simulator) -> None:
    got = meet(faulty, "cut-json")

    assert got.status == 200
    assert len(got.raw) == int(got.headers["Content-Length"])
    with pytest.raises(json.JSONDecodeError):
        json.loads(got.raw)


def test_bad_utf8_cannot_be_decoded(faulty: Simulator) -> None:
    with pytest.raises(UnicodeDecodeError):
        meet(faulty, "bad-utf8").raw.decode()


def test_a_lone_surrogate_stands_in_the_text(faulty: Simulator) -> None:
    text = meet(faulty, "surrogate").text

    assert text.endswith("\ud83d")
    with Client(faulty.base_url) as client:
        assert client.truth([text.replace("\ud83d", "\ufffd")]) != [None]


def test_choices_may_be_missing_or_empty(faulty: Simulator) -> None:
    assert meet(faulty, "no-choices").json["choices"] is None
    assert meet(faulty, "empty-choices").json["choices"] == []


def test_usage_and_finish_reason_may_be_missing(faulty: Simulator) -> None:
    assert "usage" not in meet(faulty, "no-usage").json
    assert meet(faulty, "no-finish").choice["finish_reason"] is None


@pytest.mark.parametrize(
    ("fault", "content", "finish_reason"),
    [("null-content", None, "stop"), ("blank", "  ", "stop"), ("filtered", "", "content_filter"),
     ("tool-call", None, "tool_calls"), ("refusal", None, "stop")],
)  # fmt: skip
def test_content_may_be_none_at_all(faulty: Simulator, fault: str, content: str | None, finish_reason: str) -> None:
    choice = meet(faulty, fault).choice

    assert choice["message"]["content"] == content
    assert choice["finish_reason"] == finish_reason
    assert bool(choice["message"].get("tool_calls")) == (fault == "tool-call")
    assert bool(choice["message"]["refusal"]) == (fault == "refusal")


def test_a_provider_may_route_to_another_snapshot_which_answers_well(faulty: Simulator) -> None:
    routed, asked = meet(faulty, "other-model"), meet(faulty, "no-usage")

    assert (routed.json["model"], asked.json["model"]) == ("sim-student-2026-11-01", "sim-student")
    assert routed.text == asked.text


def test_length_cuts_the_text_that_would_have_come(faulty: Simulator) -> None:
    cut, whole = meet(faulty, "length"), meet(faulty, "no-usage")

    assert whole.text.startswith(cut.text)
    assert cut.choice["finish_reason"] == "length"


def test_think_leaks_with_and_without_the_opening_tag() -> None:
    with running(Settings(faults={"think-leak": 1.0})) as simulator, Client(simulator.base_url) as client:
        texts = [client.chat(PROMPT, key=str(i)).text for i in range(20)]

        assert {text.startswith("<think>") for text in texts} == {True, False}
        assert all("</think>" in text for text in texts)
        assert None not in client.truth([text.partition("</think>")[2] for text in texts])


def test_500_close_closes_the_connection(faulty: Simulator) -> None:
    assert meet(faulty, "500-close").headers["Connection"] == "close"


def test_reset_strikes_before_and_within_the_body(faulty: Simulator) -> None:
    seen: Counter[str] = Counter()
    with Client(faulty.base_url) as client:
        client.post("/faults", {"reset": 1.0})
    for i in range(12):
        with Client(faulty.base_url) as client, pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
            client.chat(PROMPT, key=str(i))
    with Client(faulty.base_url) as client:
        client.post("/faults", {})
        seen.update(client.stats()["by_status"])

    assert seen["reset"] > 1
    assert seen["reset-midway"] > 1


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_what_never_ends_ends_for_the_client_and_lets_the_server_stop(
    fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    ask = {"hang": read_nothing, "drip": read_two_bytes}[fault]
    with running(Settings(faults={fault: 1.0})) as simulator, pytest.raises(TimeoutError):
        ask(simulator)

    assert simulator.stats.in_flight == 0
    assert simulator.stats.by_status[fault] == 1
    assert caplog.records == []


def read_nothing(simulator: Simulator) -> None:
    with Client(simulator.base_url, timeout_s=0.1) as client:
        client.chat(PROMPT)


def read_two_bytes(simulator: Simulator) -> None:
    """A dripping reply begins at once and then falls behind any patience."""
    host = simulator.base_url.removeprefix("http://").removesuffix("/v1")
    connection = http.client.HTTPConnection(host, timeout=0.15)
    body = json.dumps({"model": "sim-student", "messages": [{"role": "user", "content": PROMPT}]})
    connection.request("POST", "/v1/chat/completions", body)
    response = connection.getresponse()
    try:
        assert response.read(1) == b"{"
        response.read(1)
    finally:
        response.close()
        connection.close()


def verdict(got: Got) -> dict[str, object]:
    reply = json.loads(got.text)
    assert isinstance(reply, dict)
    return reply


def test_a_judges_reply_can_be_fenced_or_out_of_range(faulty: Simulator) -> None:
    assert "```json\n{" in meet(faulty, "fenced", "score", model="sim-judge").text
    assert verdict(meet(faulty, "out-of-range", "score", model="sim-judge"))["score"] == 47
    assert verdict(meet(faulty, "unknown-label", "winner", model="sim-judge"))["winner"] == "Answer 1"
    assert verdict(meet(faulty, "unknown-label", "ranking", model="sim-judge"))["ranking"] == ["first", "second"]


def test_an_unreadable_reply_holds_no_valid_verdict() -> None:
    with running(Settings(faults={"unreadable": 1.0})) as simulator, Client(simulator.base_url) as client:
        texts = [client.judge("winner", JUDGED, key=str(i)).text for i in range(30)]

    for text in texts:
        try:
            assert json.loads(text).get("winner") not in ("A", "B", "tie")
        except json.JSONDecodeError:
            continue


@pytest.mark.parametrize("fault", [name for name, fault in FAULTS.items() if fault.only == "judging"])
def test_faults_of_judges_leave_sampling_alone(faulty: Simulator, fault: str) -> None:
    got = meet(faulty, fault)

    with Client(faulty.base_url) as client:
        assert client.truth([got.text]) != [None]


def test_a_fault_comes_at_its_rate_and_a_retry_with_the_same_key_may_succeed() -> None:
    def statuses() -> list[list[int]]:
        with running(Settings(faults={"500": 0.2, "429": 0.2})) as simulator, Client(simulator.base_url) as client:
            return [[client.chat(PROMPT, key=f"key{i}").status for _ in range(3)] for i in range(200)]

    seen = statuses()

    assert 0.14 < mean(status == 500 for row in seen for status in row) < 0.26
    assert 0.14 < mean(status == 429 for row in seen for status in row) < 0.26
    assert any(row[0] != 200 and row[1] == 200 for row in seen)
    assert seen == statuses()


def test_stats_name_the_faults(faulty: Simulator) -> None:
    meet(faulty, "409")

    with Client(faulty.base_url) as client:
        assert client.stats()["by_fault"]["409"] >= 1


@pytest.mark.parametrize("rates", [{"no-such-fault": 0.1}, {"500": 1.5}])
def test_impossible_faults_are_refused(faulty: Simulator, rates: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="fault"):
        Simulator(Settings(faults=rates))
    with Client(faulty.base_url) as client:
        assert client.post("/faults", rates).status == 400
