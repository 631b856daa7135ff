from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_makers import arms_of, dealt, endpoint, endpoints, prompt, request_ids

from pairsmith.records import ChatRequest, Endpoint, Purpose
from pairsmith.sample.plan import arm_parameters, deal, requests, seed_of
from pairsmith.sample.settings import SampleSettings

TEXTS = st.text(min_size=1, max_size=8)
TEMPERATURES = st.lists(st.sampled_from([0.1 * n for n in range(1, 20)]), min_size=1, max_size=8, unique=True)
COMPLETIONS = st.integers(2, 20)


def draws(text: str, settings: SampleSettings) -> set[tuple[object, int]]:
    return {(arm.params["temperature"], draw) for arm, draw in dealt(text, settings, endpoints())}


def only_request(settings: SampleSettings, known: Endpoint, **fields: object) -> ChatRequest:
    asked = prompt(**fields)  # type: ignore[arg-type]
    here = {known.name: known}
    arms = arms_of(settings, {"expert": "You are an expert."}, reasoning=known.reasoning)
    return requests(asked, deal(asked.id, arms, 2, settings.seed, here)[:1], settings, here)[0]


# --- deal ---------------------------------------------------------------------------------------


@given(TEXTS, TEMPERATURES, COMPLETIONS)
def test_every_arm_gives_whole_rounds_and_the_rest_one_more(text: str, hot: list[float], completions: int) -> None:
    given_by = Counter(arm for arm, _ in draws(text, SampleSettings(temperature=hot, completions=completions)))

    rounds, rest = divmod(completions, len(hot))
    assert sum(given_by.values()) == completions
    assert sorted(given_by.get(arm, 0) for arm in hot) == sorted([rounds + 1] * rest + [rounds] * (len(hot) - rest))


@given(TEXTS, TEMPERATURES, COMPLETIONS)
def test_a_new_arm_buys_only_its_own_draws(text: str, hot: list[float], completions: int) -> None:
    before = draws(text, SampleSettings(temperature=hot, completions=completions))
    after = draws(text, SampleSettings(temperature=[*hot, 2.0], completions=completions))

    assert {arm for arm, _ in after - before} <= {2.0}


@given(TEXTS, TEMPERATURES, st.integers(2, 19))
def test_one_more_completion_buys_exactly_one(text: str, hot: list[float], completions: int) -> None:
    before = request_ids(text, SampleSettings(temperature=hot, completions=completions))
    after = request_ids(text, SampleSettings(temperature=hot, completions=completions + 1))

    assert before < after


@given(TEXTS, TEMPERATURES, COMPLETIONS, st.randoms(use_true_random=False))
def test_names_and_order_of_arms_change_no_request(text: str, hot: list[float], completions: int, random) -> None:  # type: ignore[no-untyped-def]
    tables = [{"temperature": value, "name": f"arm {n}"} for n, value in enumerate(hot)]
    random.shuffle(tables)
    shuffled = SampleSettings.model_validate({"arms": tables, "completions": completions})
    listed = SampleSettings(temperature=hot, completions=completions)

    assert request_ids(text, shuffled) == request_ids(text, listed)
    assert request_ids(text, shuffled, seed=True) == request_ids(text, listed, seed=True)


def test_the_endpoints_name_and_the_prompts_ordinal_change_no_request() -> None:
    settings = SampleSettings(temperature=[0.5, 1, 1.5], completions=4)
    known = endpoints("student", identity="one", seed=True)
    renamed = endpoints("pupil", identity="one", seed=True)

    assert {one.id for one in requests(prompt("a", ordinal=7), dealt("a", settings, known), settings, known)} == {
        one.id for one in requests(prompt("a"), dealt("a", settings, renamed), settings, renamed)
    }


def test_arms_are_used_equally_in_expectation() -> None:
    settings = SampleSettings(temperature=[0.2, 0.4, 0.6, 0.8, 1.0], completions=7)

    used = Counter(arm for n in range(3000) for arm, _ in draws(f"prompt {n}", settings))

    # 1.4 a prompt; the standard error of an arm's mean is sqrt(0.4 * 0.6 / 3000) = 0.009
    assert all(abs(count / 3000 - 1.4) < 0.04 for count in used.values())


def test_the_seed_of_the_run_deals_the_rest_anew() -> None:
    hot = [0.1 * n for n in range(1, 11)]
    hands = {frozenset(draws("a", SampleSettings(temperature=hot, completions=3, seed=seed))) for seed in range(9)}

    assert len(hands) > 1


# --- seeds --------------------------------------------------------------------------------------


def test_a_seed_has_31_bits_and_differs_by_run_prompt_arm_and_draw() -> None:
    one, other = prompt("a").id, prompt("b").id
    seeds = {
        seed_of(0, one, "x", 0),
        seed_of(1, one, "x", 0),
        seed_of(0, other, "x", 0),
        seed_of(0, one, "y", 0),
        seed_of(0, one, "x", 1),
    }

    assert len(seeds) == 5
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert max(seed_of(0, one, "x", draw) for draw in range(64)) > 2**30


def test_the_parameters_of_an_arm_cover_all_that_it_changes() -> None:
    (plain,), (hot,) = arms_of(SampleSettings()), arms_of(SampleSettings(temperature=1))
    (expert,) = arms_of(SampleSettings(system="expert"), {"expert": "You are an expert."})
    sends = [endpoint(), endpoint(identity="other"), endpoint(extra={"min_p": 0.1}), endpoint(reasoning="off")]

    assert len({arm_parameters(arm, one) for arm in (plain, hot, expert) for one in sends}) == 12
    assert arm_parameters(plain, endpoint()) == arm_parameters(plain, endpoint(reasoning="keep", concurrency=1))


# --- requests -----------------------------------------------------------------------------------


def test_a_body_holds_exactly_what_the_recipe_asks_for() -> None:
    settings = SampleSettings(temperature=0.6, top_k=20, top_p=0.9, max_tokens=256)

    request = only_request(settings, endpoint())

    assert request.purpose is Purpose.SAMPLE
    assert request.body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Why?"}],
        "max_tokens": 256,
        "temperature": 0.6,
        "top_k": 20,
        "top_p": 0.9,
    }


def test_what_is_not_set_is_not_sent() -> None:
    assert set(only_request(SampleSettings(), endpoint()).body) == {"model", "messages", "max_tokens"}


@pytest.mark.parametrize(
    ("persona", "own", "system"),
    [
        (True, "Answer in French.", "You are an expert.\n\nAnswer in French."),
        (True, None, "You are an expert."),
        (False, "Answer in French.", "Answer in French."),
        (False, None, None),
    ],
)
def test_persona_and_the_prompts_own_system_are_one_message(persona: bool, own: str | None, system: str | None) -> None:
    request = only_request(SampleSettings(system="expert" if persona else ()), endpoint(), system=own)

    opening = [] if system is None else [{"role": "system", "content": system}]
    assert request.body["messages"] == [*opening, {"role": "user", "content": "Why?"}]


def test_tools_length_parameter_extra_and_seed_go_where_the_endpoint_wants_them() -> None:
    known = endpoint(length_parameter="max_completion_tokens", seed=True, extra={"min_p": 0.1})

    body = only_request(SampleSettings(), known, tools=({"type": "function"},)).body

    assert body["tools"] == [{"type": "function"}]
    assert (body["max_completion_tokens"], body["min_p"]) == (1024, 0.1)
    assert isinstance(body["seed"], int)
    assert "max_tokens" not in body


def test_reasoning_off_asks_the_server_for_none_and_extra_may_say_it_otherwise() -> None:
    plain = only_request(SampleSettings(), endpoint(reasoning="off"))
    other = only_request(
        SampleSettings(), endpoint(reasoning="off", extra={"chat_template_kwargs": {"thinking": False}})
    )

    assert plain.body["chat_template_kwargs"] == {"enable_thinking": False}
    assert other.body["chat_template_kwargs"] == {"thinking": False}


def test_draws_of_one_arm_are_different_requests_with_or_without_a_seed() -> None:
    settings = SampleSettings(completions=8)

    assert len(request_ids("a", settings)) == 8
    assert len(request_ids("a", settings, seed=True)) == 8


def test_incident_3_two_prompts_share_no_request() -> None:
    settings = SampleSettings(completions=4)

    assert not request_ids("a", settings) & request_ids("b", settings)
