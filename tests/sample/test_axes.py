"""More axes than temperature, top_k, top_p and persona; weights; and what each server is sent for them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sample_makers import arms_of, endpoint, endpoints, prompt

from pairsmith.capabilities import Capabilities, Finding, Support
from pairsmith.dialects import DIALECTS, NEUTRAL, SERVER_DEFAULT, of_host, of_owner, speaking
from pairsmith.errors import RecipeError
from pairsmith.records import EndpointName
from pairsmith.sample.plan import build_arms, deal, effective, requests
from pairsmith.sample.settings import SampleSettings

STUDENT = EndpointName("student")


def body_of(settings: SampleSettings, server: str = "", **fields: object) -> dict[str, Any]:
    """The body of the first draw of the first arm."""
    known = {STUDENT: speaking(endpoint(**fields), server)}
    arms, asked = build_arms(settings, known, {}), prompt()
    return dict(requests(asked, deal(asked.id, arms[:1], 2, 0, known), settings, known)[0].body)


def tables(*arms: dict[str, object], **settings: object) -> SampleSettings:
    return SampleSettings.model_validate({"arms": list(arms), **settings})


# --- axes -----------------------------------------------------------------------------------------


def test_every_axis_makes_arms_with_readable_names_and_is_sent() -> None:
    settings = SampleSettings(
        temperature=0.7,
        min_p=[0.05, 0.1],
        repetition_penalty=1.1,
        presence_penalty=-0.5,
        frequency_penalty=0.25,
        reasoning_effort=["low"],
        verbosity="high",
    )

    assert [arm.name for arm in arms_of(settings)] == [
        f"T0.7 min_p{p} rep1.1 pres-0.5 freq0.25 effort-low verbosity-high" for p in (0.05, 0.1)
    ]
    assert body_of(settings).items() >= {
        "min_p": 0.05,
        "repetition_penalty": 1.1,
        "presence_penalty": -0.5,
        "frequency_penalty": 0.25,
        "reasoning_effort": "low",
        "verbosity": "high",
    }.items()  # fmt: skip


def test_an_arms_extra_goes_into_its_body_and_its_name() -> None:
    settings = tables({"extra": {"mirostat": 2, "nested": {"a": [1]}}}, {"temperature": 1})

    assert [arm.name for arm in arms_of(settings)] == ['mirostat=2 nested={"a":[1]}', "T1"]
    assert body_of(settings).items() >= {"mirostat": 2, "nested": {"a": [1]}}.items()


@pytest.mark.parametrize("key", ["temperature", "seed", "messages", "max_tokens", "shared"])
def test_an_arms_extra_overrides_nothing(key: str) -> None:
    with pytest.raises(RecipeError, match=f"extra of arm loud sets {key}, which is written elsewhere"):
        arms_of(tables({"name": "loud", "extra": {key: 1}}), extra={"shared": 1})


def test_an_arms_own_seed_counts_up_with_its_draws() -> None:
    settings, known, asked = tables({"seed": 7}), endpoints(seed=True), prompt()
    arms = build_arms(settings, known, {})

    bodies = [one.body for one in requests(asked, deal(asked.id, arms, 3, 0, known), settings, known)]

    assert [body["seed"] for body in bodies] == [7, 8, 9]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"min_p": 1.5}, "less than or equal to 1"),
        ({"repetition_penalty": 0}, "greater than 0"),
        ({"presence_penalty": 3}, "less than or equal to 2"),
        ({"verbosity": "loud"}, "'low', 'medium' or 'high'"),
        ({"arms": [{"weight": 0}]}, "greater than 0"),
        ({"arms": [{}], "weights": {"a": 2}}, "give each .* its own weight"),
    ],
)
def test_values_that_cannot_be_are_refused(fields: dict[str, object], wrong: str) -> None:
    with pytest.raises(ValidationError, match=wrong):
        SampleSettings.model_validate(fields)


# --- weights --------------------------------------------------------------------------------------


def test_endpoints_are_drawn_by_their_weights() -> None:
    known = endpoints("student", "teacher")
    settings = SampleSettings(endpoints=["student", "teacher"], weights={"student": 3}, temperature=[0.5, 1.0])
    arms = build_arms(settings, known, {})

    drawn = Counter(
        draw.arm.endpoint for number in range(1500) for draw in deal(prompt(f"{number}").id, arms, 3, 0, known)
    )

    assert drawn["student"] / drawn.total() == pytest.approx(0.75, abs=0.02)


@given(weights=st.lists(st.floats(0.1, 10), min_size=1, max_size=5), completions=st.integers(2, 12))
def test_one_more_completion_adds_one_draw_at_the_end_whatever_the_weights(
    weights: list[float], completions: int
) -> None:
    known = endpoints()
    arms = arms_of(tables(*({"temperature": at / 10, "weight": one} for at, one in enumerate(weights))))

    fewer, more = (deal(prompt().id, arms, n, 0, known) for n in (completions, completions + 1))

    assert len(fewer) == completions
    assert more[:-1] == fewer
    for arm in arms:  # draws of an arm come in their order, without a hole
        own = [draw.draw for draw in more if draw.arm is arm]
        assert own == list(range(len(own)))


@given(weights=st.lists(st.floats(0.1, 10), min_size=2, max_size=4))
def test_the_dealt_draws_are_the_earliest_turns_of_all(weights: list[float]) -> None:
    known = endpoints()
    arms = arms_of(tables(*({"temperature": at / 10, "weight": one} for at, one in enumerate(weights))))

    dealt = deal(prompt().id, arms, 6, 0, known)
    far = deal(prompt().id, arms, 40, 0, known)

    assert far[:6] == dealt


# --- dialects -------------------------------------------------------------------------------------


@pytest.mark.parametrize("server", ["vllm", "sglang", "llama.cpp", "fireworks", "together", "ollama"])
def test_neutral_values_are_sent_by_the_servers_names_for_what_is_left_out(server: str) -> None:
    dialect = DIALECTS[server]
    expected = {dialect.names.get(key, key): value for key, value in dialect.neutral.items() if key != "top_k"}

    body = body_of(SampleSettings(top_k=20), server)

    assert body.items() >= (expected | {"top_k": 20}).items()


def test_an_unknown_server_is_sent_what_is_asked_for_alone() -> None:
    assert set(body_of(SampleSettings(top_k=20))) == {"model", "messages", "max_tokens", "top_k"}


def test_what_an_endpoints_extra_sets_is_not_made_neutral() -> None:
    assert body_of(SampleSettings(), "vllm", extra={"top_p": 0.9})["top_p"] == 0.9


def test_seeds_and_penalties_have_the_servers_own_names() -> None:
    asked = SampleSettings(repetition_penalty=1.2)

    assert "random_seed" in body_of(asked, "mistral", seed=True)
    assert {"seed", "sampling_seed"} <= body_of(asked, "sglang", seed=True).keys()
    assert body_of(asked, "llama.cpp")["repeat_penalty"] == 1.2
    assert "repetition_penalty" not in body_of(asked, "llama.cpp")


def test_transformers_serve_gets_top_k_within_its_generation_config() -> None:
    body = body_of(SampleSettings(top_k=5, min_p=0.1, temperature=1), "transformers")

    assert orjson.loads(body["generation_config"]) == {"top_k": 5, "min_p": 0.1}
    assert body["temperature"] == 1
    assert "top_k" not in body


def test_servers_are_known_by_their_hosts_and_by_what_their_list_of_models_says() -> None:
    assert of_host("api.together.xyz") == "together"
    assert of_host("nottogether.xyz") == ""
    assert of_owner("vllm") == "vllm"
    assert of_owner("someone") == of_owner("") == ""


def test_what_holds_for_an_arm_is_what_is_sent_or_the_servers_default() -> None:
    (arm,) = arms_of(SampleSettings(temperature=0.5))

    assert effective(arm, endpoint()) == {
        "temperature": 0.5,
        **dict.fromkeys(("top_p", "top_k", "min_p", "repetition_penalty"), SERVER_DEFAULT),
    }
    assert effective(arm, speaking(endpoint(), "vllm")) == {"temperature": 0.5, **NEUTRAL}


# --- what an endpoint does not take -----------------------------------------------------------------


def known_to(**findings: Finding) -> dict[EndpointName, Capabilities]:
    return {STUDENT: Capabilities(STUDENT, "m", "http://localhost:1/v1", 0.0, findings=findings)}


IGNORED = Finding(Support.IGNORED, "three draws gave three texts")


def test_omitting_merges_the_arms_that_become_equal_and_remembers_what_was_asked_for() -> None:
    settings = SampleSettings(temperature=[0.5, 1.0], top_k=[20, 50], on_unsupported="omit")

    arms = build_arms(settings, endpoints(), {}, known_to(top_k=IGNORED))

    assert [(arm.name, dict(arm.dropped), arm.weight) for arm in arms] == [
        ("T0.5", {"top_k": (20, 50)}, 2.0),
        ("T1", {"top_k": (20, 50)}, 2.0),
    ]


def test_a_dropped_parameter_is_not_sent_as_neutral_either() -> None:
    known = {STUDENT: speaking(endpoint(), "vllm")}
    settings = SampleSettings(top_k=[20], on_unsupported="omit")
    (arm,) = build_arms(settings, known, {}, known_to(top_k=IGNORED))

    (one, _) = requests(prompt(), deal(prompt().id, (arm,), 2, 0, known), settings, known)

    assert "top_k" not in one.body
    assert one.body["top_p"] == 1.0


def test_without_omit_nothing_is_dropped() -> None:
    arms = build_arms(SampleSettings(top_k=[20, 50]), endpoints(), {}, known_to(top_k=IGNORED))

    assert [dict(arm.params) for arm in arms] == [{"top_k": 20}, {"top_k": 50}]


def test_a_value_above_the_highest_that_is_taken_is_dropped_and_a_lower_one_stays() -> None:
    settings = SampleSettings(temperature=[0.7, 1.4], on_unsupported="omit")
    found = known_to(temperature=Finding(Support.HONOURED, "at most 1", highest=1.0))

    assert [arm.name for arm in build_arms(settings, endpoints(), {}, found)] == ["T0.7", "default"]
