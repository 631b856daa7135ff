"""A reward model's reply, as vLLM gives it: one finite number, or a failure; never a number that was made up."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire_fakes import IDENT, answer

from pairsmith.judge.reward import read_reward
from pairsmith.records import Failure, FailureKind, Reply, StoredReply, Usage
from pairsmith.wire.faults import read_reply
from pairsmith.wire.stored import read_stored

# From vLLM's documentation, docs/models/pooling_models/classify.md (0.28), with one class.
CLASSIFIED = {
    "id": "classify-9bf17f2847b046c7b2d5495f4b4f9682",
    "object": "list",
    "created": 1745383213,
    "model": "Skywork/Skywork-Reward-V2-Qwen3-0.6B",
    "data": [{"index": 0, "label": "LABEL_0", "probs": [12.25], "num_classes": 1}],
    "usage": {"prompt_tokens": 10, "total_tokens": 10, "completion_tokens": 0, "prompt_tokens_details": None},
}


def classified(*probs: Any, **more: Any) -> bytes:
    item = {"index": 0, "label": "LABEL_0", "probs": list(probs), "num_classes": len(probs)}
    return json.dumps({**CLASSIFIED, "data": [item], **more}).encode()


def pooled(data: Any) -> bytes:
    return json.dumps({**CLASSIFIED, "data": [{"index": 0, "object": "pooling", "data": data}]}).encode()


def failed(body: bytes) -> str:
    outcome = read_reply(IDENT, body)
    assert isinstance(outcome, Failure)
    assert (outcome.kind, outcome.status) == (FailureKind.TRANSIENT, 200)
    return outcome.reason


def rewarded(body: bytes) -> Reply:
    outcome = read_reply(IDENT, body, 0.5)
    assert isinstance(outcome, Reply)
    return outcome


def test_a_classification_of_one_class_is_a_reply_whose_text_is_the_reward() -> None:
    reply = rewarded(orjson.dumps(CLASSIFIED))

    assert reply == Reply(
        IDENT, '{"reward":12.25}', model="Skywork/Skywork-Reward-V2-Qwen3-0.6B", usage=Usage(10, 0), latency_s=0.5
    )


def test_a_pooled_number_is_the_reward() -> None:
    assert rewarded(pooled([-3.5])).text == '{"reward":-3.5}'


def test_of_a_number_for_each_token_the_last_one_is_the_reward() -> None:
    assert rewarded(pooled([[0.25], [0.5], [-1.75]])).text == '{"reward":-1.75}'


def test_a_reply_that_counts_no_output_has_written_none() -> None:
    assert rewarded(classified(1.0, usage={"prompt_tokens": 7})).usage == Usage(7, 0)
    assert rewarded(classified(1.0, usage=None)).usage == Usage(None, 0)


def test_a_simulated_reward_says_so() -> None:
    assert rewarded(classified(1.0, simulated=True)).simulated


@pytest.mark.parametrize("body", [classified(0.4, 0.6), pooled([0.1, 0.2, 0.3])], ids=["two classes", "an embedding"])
def test_several_numbers_are_no_reward(body: bytes) -> None:
    assert failed(body) == "several_rewards"


@pytest.mark.parametrize(
    "body",
    [
        classified(float("nan")), classified(float("inf")), classified(None), classified(True), classified("0.5"),
        classified(), classified(10**400), pooled("AACAPw=="), pooled(None), pooled([[]]), pooled([[1.0, 2.0]]),
        pooled([[1.0], [1.0, 2.0]]), json.dumps({**CLASSIFIED, "data": []}).encode(),
        json.dumps({**CLASSIFIED, "data": CLASSIFIED["data"] * 2}).encode(),  # type: ignore[operator]
        json.dumps({**CLASSIFIED, "data": [{"index": 0, "embedding": [1.0]}]}).encode(),
    ],
)  # fmt: skip
def test_what_is_no_finite_number_is_no_reward(body: bytes) -> None:
    assert failed(body) in ("no_reward", "several_rewards")


def test_an_error_in_a_200_stays_one() -> None:
    assert failed(classified(1.0, error={"message": "CUDA out of memory"})) == "error_in_200"


def test_a_chat_reply_is_read_as_before_even_if_it_holds_data() -> None:
    body = {**orjson.loads(answer("Hello.").body), "data": [{"probs": [1.0]}]}

    assert rewarded(orjson.dumps(body)).text == "Hello."
    assert failed(orjson.dumps({**body, "choices": None})) == "no_choices"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_stored_reward_is_the_number_that_came(number: float) -> None:
    reply = read_stored(IDENT, StoredReply(classified(number), None, 0.0))

    assert isinstance(reply, Reply)
    assert read_reward(reply.text) == number
