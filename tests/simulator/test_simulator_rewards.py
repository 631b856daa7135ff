"""The reward models: planted quality on a scale of their own, by vLLM's two routes."""

import math
from collections.abc import Iterator
from statistics import correlation, mean
from typing import Any

import pytest
from simulator_client import Client, Got

from pairsmith.simulator import Settings, running
from pairsmith.simulator.composing import compose


@pytest.fixture(scope="module")
def rewarding() -> Iterator[Client]:
    with running(Settings()) as simulator, Client(simulator.base_url) as client:
        yield client


DRAFTS = [draft for i in range(60) for draft in compose(0, f"How do I mend bicycle number {i}?")[:2]]


def asked(client: Client, text: str, path: str = "/classify", key: str = "", **body: Any) -> Got:
    messages = [{"role": "user", "content": "How do I mend it?"}, {"role": "assistant", "content": text}]
    headers = {"Idempotency_Key": key} if key else {}
    return client.post(path, {"model": "sim-reward", "messages": messages, "use_activation": False, **body}, **headers)


def reward(client: Client, text: str, **body: Any) -> float:
    number: float = asked(client, text, **body).json["data"][0]["probs"][0]
    return number


@pytest.mark.parametrize(("model", "least", "most"), [("sim-reward", 0.97, 0.999), ("sim-reward-weak", 0.5, 0.8)])
def test_rewards_follow_the_planted_quality_as_closely_as_the_model_is_good(
    rewarding: Client, model: str, least: float, most: float
) -> None:
    rewards = [reward(rewarding, draft.text(), model=model) for draft in DRAFTS]

    assert least < correlation(rewards, [draft.quality for draft in DRAFTS]) < most


def test_rewards_are_raw_numbers_far_outside_of_points(rewarding: Client) -> None:
    good = [reward(rewarding, draft.text()) for draft in DRAFTS if draft.quality > 7]
    bad = [reward(rewarding, draft.text()) for draft in DRAFTS if draft.quality < 4]

    assert mean(bad) < 0 < 3 < mean(good)


def test_the_same_text_has_the_same_reward_whatever_the_key_and_the_route(rewarding: Client) -> None:
    first = asked(rewarding, "Fold it.", key="a").json["data"][0]["probs"][0]

    assert asked(rewarding, "Fold it.", key="b").json["data"][0]["probs"][0] == first
    assert asked(rewarding, "Fold it.", "/v1/classify").json["data"][0]["probs"][0] == first
    assert asked(rewarding, "Fold it.", "/pooling").json["data"][0]["data"] == [first]
    assert asked(rewarding, "Fold it.", "/v1/pooling").json["data"][0]["data"] == [first]


def test_another_model_of_the_same_kind_errs_in_its_own_way(rewarding: Client) -> None:
    assert reward(rewarding, "Fold it.", model="sim-reward@b") != reward(rewarding, "Fold it.")


def test_without_use_activation_false_the_number_is_squeezed(rewarding: Client) -> None:
    raw, squeezed = reward(rewarding, "Fold it."), reward(rewarding, "Fold it.", use_activation=None)

    assert squeezed == pytest.approx(1 / (1 + math.exp(-raw)))


def test_a_model_of_tokens_gives_a_number_for_each_and_the_reward_last(rewarding: Client) -> None:
    rows = asked(rewarding, "Fold it.", "/pooling", task="token_classify").json["data"][0]["data"]

    assert len(rows) > 1
    assert rows[-1] == [reward(rewarding, "Fold it.")]


def test_the_reply_is_shaped_as_vllms_and_says_that_it_is_simulated(rewarding: Client) -> None:
    body = asked(rewarding, "Fold it.").json

    assert (body["object"], body["model"], body["simulated"]) == ("list", "sim-reward", True)
    assert body["data"][0] | {"probs": []} == {"index": 0, "label": "LABEL_0", "probs": [], "num_classes": 1}
    assert body["usage"]["prompt_tokens"] == body["usage"]["total_tokens"] > 0
    assert body["usage"]["completion_tokens"] == 0
    assert "choices" not in body


def test_chat_models_have_no_rewards_and_reward_models_no_answers(rewarding: Client) -> None:
    assert asked(rewarding, "Fold it.", model="sim-judge").status == 404
    assert asked(rewarding, "Fold it.", model="unknown").status == 404
    assert rewarding.chat("How do I fold a map?", model="sim-reward").json == {
        "detail": "Not Found",
        "simulated": True,
    }


def test_reward_models_are_among_the_models(rewarding: Client) -> None:
    listed = {model["id"] for model in rewarding.send("GET", "/v1/models").json["data"]}

    assert {"sim-reward", "sim-reward-weak"} <= listed


def test_rewards_are_counted_like_all_requests() -> None:
    with running(Settings()) as simulator, Client(simulator.base_url) as client:
        asked(client, "Fold it.", key="a")
        asked(client, "Fold it.", "/pooling", key="a")
        stats = client.stats()

    assert (stats["requests"], stats["by_model"], stats["by_status"]) == (2, {"sim-reward": 2}, {"200": 2})
    assert stats["keys"] == {"a": 2}


@pytest.mark.parametrize(
    ("fault", "status"),
    [("500", 500), ("429-after", 429), ("404-model", 404), ("blank", 200), ("surrogate", 200), ("unreadable", 200),
     ("no-choices", 200), ("length", 200)],
)  # fmt: skip
def test_faults_meet_rewards_too(fault: str, status: int) -> None:
    with running(Settings(faults={fault: 1.0})) as simulator, Client(simulator.base_url) as client:
        assert asked(client, "Fold it.").status == status
