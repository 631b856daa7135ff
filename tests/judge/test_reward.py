import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairsmith.judge.reward import read_reward, reward_request
from pairsmith.judge.verdicts import Unreadable
from pairsmith.records import (
    Completion,
    CompletionId,
    Endpoint,
    EndpointName,
    Message,
    Prompt,
    PromptId,
    Purpose,
)

RM = Endpoint(
    EndpointName("rm"), "Skywork/Skywork-Reward-V2-Qwen3-0.6B", ("http://localhost:8002/v1",), "rm", kind="reward"
)
TURNS: tuple[Message, ...] = (
    {"role": "user", "content": "Why is the sky blue?"},
    {"role": "assistant", "content": "Because of Rayleigh scattering."},
    {"role": "user", "content": "Shorter."},
)


def prompt(system: str | None = None) -> Prompt:
    return Prompt(PromptId("p"), TURNS, system=system, reference="Scattering.")


def completion(text: str = "Scattered light.") -> Completion:
    return Completion(CompletionId("c"), PromptId("p"), text, "arm")


def test_a_reward_model_is_shown_the_conversation_with_the_answer_last_and_asked_for_the_raw_number() -> None:
    asked = reward_request(prompt(), completion(), RM)

    assert asked.body == {
        "model": "Skywork/Skywork-Reward-V2-Qwen3-0.6B",
        "messages": [*TURNS, {"role": "assistant", "content": "Scattered light."}],
        "use_activation": False,
    }
    assert (asked.purpose, asked.draw, asked.endpoint, asked.prompt_id) == (Purpose.SCORE, 0, "rm", "p")


def test_the_prompts_own_system_message_comes_first() -> None:
    messages = reward_request(prompt("Be brief."), completion(), RM).body["messages"]

    assert isinstance(messages, list)
    assert messages[0] == {"role": "system", "content": "Be brief."}
    assert len(messages) == 5


def test_what_the_recipe_adds_goes_into_the_request() -> None:
    rm = Endpoint(RM.name, RM.model, RM.base_urls, RM.identity, kind="reward", extra={"task": "token_classify"})

    assert reward_request(prompt(), completion(), rm).body["task"] == "token_classify"


def test_another_answer_is_another_request_and_the_same_one_is_not() -> None:
    first, again, other = (reward_request(prompt(), completion(text), RM).id for text in ("a", "a", "b"))

    assert first == again != other


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_any_finite_number_is_a_reward(number: float) -> None:
    assert read_reward(f'{{"reward":{number!r}}}') == number


@pytest.mark.parametrize(
    "text",
    ["", "8", "{}", "[1.0]", '{"reward":null}', '{"reward":"1"}', '{"reward":true}', '{"reward":NaN}',
     '{"reward":Infinity}', '{"score":8}', '{"reward":[1.0]}', "[" * 10_000],
)  # fmt: skip
def test_what_is_no_reward_is_never_a_number(text: str) -> None:
    assert isinstance(read_reward(text), Unreadable)


@given(st.text())
def test_whatever_the_text_there_is_a_finite_number_or_none(text: str) -> None:
    found = read_reward(text)

    assert isinstance(found, Unreadable) or math.isfinite(found)
