import json
import math
from collections import Counter
from statistics import mean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simulator_client import Client

from pairsmith.simulator.composing import compose
from pairsmith.simulator.dice import Dice
from pairsmith.simulator.drafts import Draft
from pairsmith.simulator.sampling import asked_style, draw

KETTLE = "How do I descale a kettle?"


def draws(client: Client, many: int = 60, **asked: object) -> list[str]:
    return [client.chat(KETTLE, key=f"draw{i}", **asked).text for i in range(many)]  # type: ignore[arg-type]


def mean_quality(client: Client, texts: list[str]) -> float:
    return mean(quality for quality in client.truth(texts) if quality is not None)


@pytest.mark.parametrize("asked", [{"temperature": 0}, {"top_k": 1, "temperature": 1.5}, {"top_p": 0.01}, {"min_p": 1}])
def test_no_choice_left_gives_one_text_whatever_the_key(client: Client, asked: dict[str, object]) -> None:
    assert len(set(draws(client, 12, **asked))) == 1


@pytest.mark.parametrize("top_k", [2, 4])
def test_top_k_leaves_so_many_drafts(client: Client, top_k: int) -> None:
    assert len(set(draws(client, top_k=top_k, temperature=1.5))) == top_k


def test_top_p_leaves_the_likely_ones(client: Client) -> None:
    assert len(set(draws(client, top_p=0.5))) < len(set(draws(client, top_p=1.0))) == 6


def test_a_low_temperature_repeats_itself_and_a_high_one_does_not(client: Client) -> None:
    most_common = [Counter(draws(client, temperature=t)).most_common(1)[0][1] for t in (0.1, 0.5, 2.0)]

    assert most_common[0] > most_common[1] > most_common[2]


@pytest.mark.parametrize(
    ("system", "best_liked"),
    [
        ("You are a senior expert in the field.", "Fill it half"),
        ("Be concise.", "Boil equal parts"),
        ("You are a warm listener.", "Lime in a kettle"),
        ("Work through it step by step.", "1. Mix water"),
        ("You are in a hurry.", "just scratch"),
        ("You are a helpful assistant.", "You can use"),
    ],
)
def test_the_system_prompt_decides_which_answer_is_likeliest(client: Client, system: str, best_liked: str) -> None:
    assert client.chat(KETTLE, system=system, temperature=0).text.startswith(best_liked)


def test_the_style_named_first_counts() -> None:
    assert asked_style("Be concise. Then the prompt's own: you are an expert.") == "concise"
    assert asked_style("") == "plain"


def test_strong_is_better_than_student_is_better_than_weak(client: Client) -> None:
    strong, student, weak = (
        mean_quality(client, draws(client, 100, model=model)) for model in ("sim-strong", "sim-student", "sim-weak")
    )

    assert strong > student + 0.8
    assert student > weak + 0.8


def test_five_draws_show_at_least_half_a_dozen_drafts_widely() -> None:
    drafts = [Draft(q, s, lambda q=q: str(q)) for q, s in zip((9.4, 8, 7, 5, 3, 1.5), "abcdef", strict=True)]
    shown = [
        len({draw(drafts, "", {"temperature": t}, 0.04, Dice(t, i, j)).text() for j in range(5)})
        for t in (0.6, 0.9, 1.1)
        for i in range(500)
    ]

    assert mean(shown) >= 3.5


# --- min_p, penalties, verbosity ------------------------------------------------------------------

PROMPTS = [f"How should our small shop handle the late parcel number {i} of a customer?" for i in range(80)]


def drawn(prompt: str, tilt: float = 0.04, **asked: Any) -> str:
    return draw(compose(0, prompt), "", {"temperature": 0, **asked}, tilt, Dice(prompt)).text()


@given(
    st.lists(st.floats(1, 10), min_size=1, max_size=8),
    st.floats(0.1, 2),
    st.floats(0, 1),
    st.integers(0, 10**6),
)
def test_min_p_cuts_what_is_too_unlikely_beside_the_likeliest(
    qualities: list[float], temperature: float, min_p: float, dice: int
) -> None:
    drafts = [Draft(quality, "none", lambda: "") for quality in qualities]

    one = draw(drafts, "", {"temperature": temperature, "min_p": min_p}, 1.0, Dice(dice))

    assert math.exp((one.quality - max(qualities)) / temperature) >= min_p * (1 - 1e-9)


@pytest.mark.parametrize("tilt", [0.04, 0.25])
@pytest.mark.parametrize("name", ["repetition_penalty", "presence_penalty", "frequency_penalty"])
def test_a_large_penalty_changes_most_greedy_answers(name: str, tilt: float) -> None:
    changed = [drawn(prompt, tilt, **{name: 2.0}) != drawn(prompt, tilt) for prompt in PROMPTS]

    assert mean(changed) > 0.8


def test_penalties_prefer_texts_that_repeat_fewer_words_and_below_zero_more() -> None:
    def repeated(frequency_penalty: float) -> float:
        words = [drawn(prompt, frequency_penalty=frequency_penalty).lower().split() for prompt in PROMPTS]
        return mean(1 - len(set(said)) / len(said) for said in words)

    assert repeated(2.0) < repeated(0.0) - 0.05 < repeated(-2.0) - 0.1


def test_neutral_penalties_and_medium_verbosity_change_nothing() -> None:
    neutral = {"repetition_penalty": 1.0, "presence_penalty": 0, "frequency_penalty": 0, "min_p": 0, "top_p": 1}

    for prompt in PROMPTS:
        assert drawn(prompt, temperature=1.5, verbosity="medium", **neutral) == drawn(prompt, temperature=1.5)


def test_verbosity_is_clearly_seen_in_the_length() -> None:
    low, plain, high = (
        mean(len(drawn(prompt, temperature=1.0, verbosity=level)) for prompt in PROMPTS)
        for level in ("low", "medium", "high")
    )

    assert low * 1.3 < plain < high / 1.3


# --- seeds ----------------------------------------------------------------------------------------


def test_a_seeded_request_has_one_text_whatever_its_key(client: Client) -> None:
    by_key = {client.chat(KETTLE, key=str(i), seed=5, temperature=1.5).text for i in range(12)}
    by_seed = {client.chat(KETTLE, key="k", seed=i, temperature=1.5).text for i in range(12)}

    assert len(by_key) == 1
    assert len(by_seed) > 2


def test_the_choices_of_a_seeded_request_differ(client: Client) -> None:
    choices = client.chat(KETTLE, n=8, seed=5, temperature=1.5).json["choices"]

    assert len({choice["message"]["content"] for choice in choices}) > 2


def test_what_has_no_effect_changes_no_seeded_text(client: Client) -> None:
    plain = [client.chat(KETTLE, seed=i, temperature=1.5).text for i in range(8)]
    padded = [client.chat(KETTLE, seed=i, temperature=1.5, top_p=1, min_p=0, anything=i).text for i in range(8)]

    assert padded == plain


def test_a_seeded_judge_still_wavers_with_the_key(client: Client) -> None:
    scores = {client.judge("score", ["Fold it."], model="sim-judge-noisy", key=str(i), seed=5).text for i in range(12)}

    assert len(scores) > 1


# --- thinking, schemas ----------------------------------------------------------------------------


def test_a_thinker_thinks_in_tags_or_in_a_field_unless_told_not_to(client: Client) -> None:
    in_tags = client.chat(KETTLE, model="sim-thinker")
    in_field = client.chat(KETTLE, model="sim-thinker-rc")

    assert in_tags.text.startswith("<think>\n")
    assert client.truth([in_tags.text.partition("</think>")[2]])[0] is not None
    assert client.truth([in_field.text])[0] is not None
    assert in_field.choice["message"]["reasoning_content"]
    assert in_field.json["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0
    for off in ({"reasoning_effort": "none"}, {"chat_template_kwargs": {"enable_thinking": False}}):
        assert "<think>" not in client.chat(KETTLE, model="sim-thinker", **off).text
        assert "reasoning_content" not in client.chat(KETTLE, model="sim-thinker-rc", **off).choice["message"]


def test_more_effort_is_more_reasoning(client: Client) -> None:
    def spent(effort: str) -> float:
        asked = {"model": "sim-thinker-rc", "reasoning_effort": effort}
        usages = [client.chat(KETTLE, key=str(i), **asked).json["usage"] for i in range(8)]
        return mean(usage["completion_tokens_details"]["reasoning_tokens"] for usage in usages)

    assert spent("minimal") < spent("low") < spent("medium") < spent("high") < spent("xhigh")


@pytest.mark.parametrize("model", ["sim-thinker", "sim-thinker-rc"])
def test_a_thinker_with_few_tokens_says_nothing(client: Client, model: str) -> None:
    got = client.chat(KETTLE, model=model, max_tokens=16)

    assert got.text == ""
    assert got.choice["finish_reason"] == "length"
    assert got.json["usage"]["completion_tokens"] == 16


def test_a_thinker_cut_off_within_the_answer_stays_within_its_tokens(client: Client) -> None:
    texts = [client.chat(KETTLE, model="sim-thinker-rc", max_tokens=100, key=str(i)) for i in range(30)]

    assert {got.choice["finish_reason"] for got in texts} == {"stop", "length"}
    assert all(got.json["usage"]["completion_tokens"] <= 100 for got in texts)


def test_a_refuser_declines_in_both_ways_and_answers_sometimes(client: Client) -> None:
    messages = [client.chat(KETTLE, model="sim-refuser", key=str(i)).choice["message"] for i in range(60)]

    in_field = sum(message["refusal"] is not None and message["content"] is None for message in messages)
    in_text = sum(message["content"] == "I'm sorry, but I can't help with that." for message in messages)
    assert in_field > 5
    assert in_text > 5
    assert in_field + in_text < 60


def test_a_schema_that_is_no_verdict_is_filled(client: Client) -> None:
    schema = {
        "type": "object",
        "properties": {
            "prompts": {"type": "array", "items": {"type": "string"}, "minItems": 7},
            "level": {"enum": ["easy", "hard"]},
            "count": {"type": "integer", "minimum": 3, "maximum": 4},
            "sure": {"type": "boolean"},
        },
    }
    asked = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}

    filled = json.loads(client.chat("More of these", model="sim-strong", response_format=asked).text)

    assert len(filled["prompts"]) == 7
    assert filled["level"] in ("easy", "hard")
    assert filled["count"] in (3, 4)
    assert isinstance(filled["sure"], bool)


def test_json_object_gives_an_object_and_takes_a_schema_beside_it(client: Client) -> None:
    schema = {"type": "object", "properties": {"level": {"enum": ["easy"]}}}
    plain = client.chat(KETTLE, response_format={"type": "json_object"}).text
    shaped = client.chat(KETTLE, response_format={"type": "json_object", "schema": schema}).text

    assert isinstance(json.loads(plain), dict)
    assert json.loads(shaped) == {"level": "easy"}


def test_asked_for_prompts_in_words_it_invents_some(client: Client) -> None:
    system = 'Write 12 new prompts. Reply {"prompts": ["...", "..."]}'
    filled = json.loads(client.chat("Seeds: ...", model="sim-strong", system=system).text)

    assert len(set(filled["prompts"])) > 6
    assert len(filled["prompts"]) == 12
