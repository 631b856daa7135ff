import json
from collections import Counter
from statistics import mean

import pytest
from simulator_client import Client

from pairsmith.simulator.dice import Dice
from pairsmith.simulator.drafts import Draft
from pairsmith.simulator.sampling import asked_style, draw

KETTLE = "How do I descale a kettle?"


def draws(client: Client, many: int = 60, **asked: object) -> list[str]:
    return [client.chat(KETTLE, key=f"draw{i}", **asked).text for i in range(many)]  # type: ignore[arg-type]


def mean_quality(client: Client, texts: list[str]) -> float:
    return mean(quality for quality in client.truth(texts) if quality is not None)


@pytest.mark.parametrize("asked", [{"temperature": 0}, {"top_k": 1, "temperature": 1.5}, {"top_p": 0.01}])
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


def test_asked_for_prompts_in_words_it_invents_some(client: Client) -> None:
    system = 'Write 12 new prompts. Reply {"prompts": ["...", "..."]}'
    filled = json.loads(client.chat("Seeds: ...", model="sim-strong", system=system).text)

    assert len(set(filled["prompts"])) > 6
    assert len(filled["prompts"]) == 12
