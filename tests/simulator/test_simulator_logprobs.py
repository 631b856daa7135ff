"""The judges' log-probabilities: tokens that add up to the text, and around a score what the judge wavered between."""

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from simulator_client import Client

from pairsmith.simulator import Settings, running
from pairsmith.simulator.composing import compose
from pairsmith.simulator.logprobs import Odds, token_logprobs, writes_digits_apart

APART = next(f"sim-judge@{i}" for i in range(99) if writes_digits_apart(f"sim-judge@{i}"))
WHOLE = next(f"sim-judge@{i}" for i in range(99) if not writes_digits_apart(f"sim-judge@{i}"))
ASKED: dict[str, Any] = {"logprobs": True, "top_logprobs": 20}


@pytest.fixture(scope="module")
def judging() -> Iterator[Client]:
    with running(Settings()) as simulator, Client(simulator.base_url) as client:
        yield client


def content(choice: dict[str, Any]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = choice["logprobs"]["content"]
    return entries


def mean_of(entries: list[dict[str, Any]], number: str) -> float:
    """The mean of the numbers that might have stood where this one, of one token, stands."""
    entry = next(entry for entry in reversed(entries) if entry["token"] == number)
    odds = {int(top["token"]): math.exp(top["logprob"]) for top in entry["top_logprobs"] if top["token"].isdigit()}
    return sum(n * p for n, p in odds.items()) / sum(odds.values())


def test_a_verdicts_tokens_add_up_to_its_text(judging: Client) -> None:
    for model in (APART, WHOLE):
        choice = judging.judge("score", ["Fold it along the creases."], model=model, **ASKED).choice

        entries = content(choice)
        assert "".join(entry["token"] for entry in entries) == choice["message"]["content"]
        assert all(bytes(entry["bytes"]).decode() == entry["token"] for entry in entries)
        assert all(entry["logprob"] <= 0 for entry in entries)


def test_the_mean_of_a_scores_alternatives_is_what_the_judge_saw_before_it_rounded(judging: Client) -> None:
    """Over many answers it lies closer to the planted quality than whole points can."""
    exact, rounded = [], []
    for i in range(80):
        draft = compose(0, f"How do I mend bicycle number {i}?")[0]
        choice = judging.judge("score", [draft.text()], model=WHOLE, key=str(i), **ASKED).choice
        score = json.loads(choice["message"]["content"])["score"]
        if 2 < draft.quality < 9:
            seen = mean_of(content(choice), str(score))
            assert abs(seen - score) < 0.75
            exact.append((seen - draft.quality) ** 2)
            rounded.append((score - draft.quality) ** 2)

    assert sum(exact) < sum(rounded)


def test_a_score_is_the_likeliest_number_and_no_more_alternatives_are_listed_than_asked_for(judging: Client) -> None:
    choice = judging.judge("score", ["Fold it."], model=WHOLE, logprobs=True, top_logprobs=3).choice
    score = str(json.loads(choice["message"]["content"])["score"])

    entry = next(entry for entry in content(choice) if entry["token"] == score)
    assert entry["top_logprobs"][0]["token"] == score
    assert len(entry["top_logprobs"]) == 3


def test_half_of_the_models_write_10_in_two_tokens() -> None:
    odds = {"top": 20, "points": 9.6, "spread": 0.7}

    whole = token_logprobs('{"score":10}', Odds(WHOLE, **odds))  # type: ignore[arg-type]
    apart = token_logprobs('{"score":10}', Odds(APART, **odds))  # type: ignore[arg-type]

    assert [entry["token"] for entry in whole][-2:] == ["10", "}"]
    assert [entry["token"] for entry in apart][-3:] == ["1", "0", "}"]
    assert {top["token"] for top in apart[-3]["top_logprobs"]} >= {"1", "9", "8"}
    assert math.exp(apart[-2]["logprob"]) > 0.9


def test_a_1_tells_behind_it_that_it_was_hardly_a_10() -> None:
    entries = token_logprobs('{"score":1}', Odds(APART, 20, 1.2, 0.7))

    behind = {top["token"]: math.exp(top["logprob"]) for top in entries[-1]["top_logprobs"]}
    assert entries[-1]["token"] == "}"
    assert behind["0"] < 0.01 < behind["}"]


def test_other_answers_have_plain_tokens(judging: Client) -> None:
    chat = judging.chat("How do I fold a map?", logprobs=True, top_logprobs=2).choice
    duel = judging.judge("winner", ["One.", "Another one."], logprobs=True).choice

    assert "".join(entry["token"] for entry in content(chat)) == chat["message"]["content"]
    assert all(len(entry["top_logprobs"]) == 1 for entry in content(chat))
    assert all(entry["top_logprobs"] == [] for entry in content(duel))


def test_they_come_only_where_they_are_asked_for_and_change_no_verdict(judging: Client) -> None:
    plain = judging.judge("score", ["Fold it."], key="k")
    asked = judging.judge("score", ["Fold it."], key="k", **ASKED)

    assert plain.choice["logprobs"] is None
    assert asked.text == plain.text


def test_a_fault_that_changes_the_text_changes_the_tokens_with_it() -> None:
    with running(Settings(faults={"fenced": 1.0})) as simulator, Client(simulator.base_url) as client:
        choice = client.judge("score", ["Fold it."], model=WHOLE, **ASKED).choice

    text = choice["message"]["content"]
    assert text.startswith("Here is my verdict:")
    assert "".join(entry["token"] for entry in content(choice)) == text


@pytest.mark.parametrize(
    "wrong",
    [{"top_logprobs": 5}, {"logprobs": False, "top_logprobs": 5}, {"logprobs": True, "top_logprobs": 21},
     {"logprobs": True, "top_logprobs": -1}, {"logprobs": True, "top_logprobs": "5"}],
)  # fmt: skip
def test_impossible_wishes_are_refused(judging: Client, wrong: dict[str, Any]) -> None:
    got = judging.chat("How do I fold a map?", **wrong)

    assert got.status == 400
    assert got.json["error"]["param"] == "top_logprobs"


@pytest.mark.parametrize(
    ("like", "status", "given"),
    [("openai", 200, True), ("vllm", 200, True), ("ollama", 200, True), ("llama-cpp", 200, True),
     ("anthropic", 200, False), ("silent", 200, False), ("openai-reasoning", 400, False), ("groq", 400, False),
     ("mistral", 422, False)],
)  # fmt: skip
def test_each_platform_gives_refuses_or_ignores_them(like: str, status: int, given: bool) -> None:
    with running(Settings(like=like)) as simulator, Client(simulator.base_url) as client:
        got = client.chat("How do I fold a map?", **ASKED)

    assert got.status == status
    assert (status == 200 and got.choice["logprobs"] is not None) == given
