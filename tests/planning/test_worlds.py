"""What a world imagines is read by the real readers, and goes the way that its name says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pairsmith.planning.figures import Key
from pairsmith.planning.learnt import figures_of
from pairsmith.planning.priors import ANSWER_CHARS, typical
from pairsmith.planning.rehearsal import Asked, Taken, rehearsed
from pairsmith.planning.worlds import Name, World
from pairsmith.recipe import endpoints, recipe_of
from pairsmith.records import EndpointName, Prompt, Purpose, Reply, prompt_id
from pairsmith.work import make_work

NAMES: tuple[Name, ...] = ("low", "likely", "high")


def world(name: Name, judge: Mapping[str, Any] | None = None, model: str = "qwen2.5", **sample: Any) -> World:
    judge = judge or {"panel": ["first"]}
    names = {"student": model, **{judge: f"judge-{judge}" for judge in judge["panel"]}}
    table = {
        "name": "r",
        "prompts": {"path": "p"},
        "endpoints": {one: {"model": found, "base_url": "http://h/v1"} for one, found in names.items()},
        "sample": {"endpoints": ["student"], "completions": 4, **sample},
        "judge": dict(judge),
    }
    recipe = recipe_of(table, "the test")
    work = make_work(recipe, endpoints(recipe, {}))
    models = {one: typical(endpoint.model) for one, endpoint in work.endpoints.items()}
    return World(name, work, models, dict.fromkeys(models, 4.0))


def prompt(number: int) -> Prompt:
    messages = ({"role": "user", "content": f"Question {number}?"},)
    return Prompt(prompt_id(messages, (), None, None), messages, ordinal=number)


def asked(of: World, prompts: int = 40) -> list[Asked]:
    return [one for found in rehearsed([Taken(prompt(n), {}) for n in range(prompts)], of) for one in found]


def calls(of: World, prompts: int = 40) -> dict[Key, int]:
    counted: dict[Key, int] = {}
    for one in asked(of, prompts):
        key = one.request.endpoint, one.request.purpose
        counted[key] = counted.get(key, 0) + 1
    return counted


LADDER = {"panel": ["first", "second"]}


def test_in_the_low_world_no_call_is_close_and_nobody_goes_on() -> None:
    found = calls(world("low", {**LADDER, "escalate_within": [2.0]}))

    assert {purpose for _, purpose in found} == {Purpose.SAMPLE, Purpose.SCORE}
    assert ("second", Purpose.SCORE) not in found


@pytest.mark.parametrize("escalate", [{}, {"escalate_within": [2.0]}], ids=["value", "distance"])
def test_in_the_high_world_everybody_goes_on_and_every_call_is_close(escalate: dict[str, Any]) -> None:
    found = calls(world("high", {**LADDER, **escalate}))

    assert found[EndpointName("second"), Purpose.SCORE] >= 40 * 4
    assert sum(n for (_, purpose), n in found.items() if purpose is Purpose.DUEL) >= 40 * 2 * 0.85


@pytest.mark.parametrize("protocol", ["score", "rank", "duel"])
def test_the_worlds_stand_in_their_order(protocol: str) -> None:
    low, likely, high = (sum(calls(world(name, {"panel": ["first"], "protocol": protocol})).values()) for name in NAMES)

    assert low <= likely * 1.02  # cut-off answers are not judged: a handful fewer in `likely`
    assert likely <= high


@pytest.mark.parametrize("name", NAMES)
def test_what_a_world_says_depends_on_the_question_alone(name: Name) -> None:
    once, again = (asked(world(name), 5) for _ in range(2))

    assert once == again


def test_no_answer_is_longer_than_max_tokens() -> None:
    for name in NAMES:
        for one in asked(world(name, max_tokens=300), 10):
            assert isinstance(one.outcome, Reply)
            bound = 300 if one.request.purpose is Purpose.SAMPLE else 700
            assert (one.outcome.usage.output_tokens or 0) <= bound
            assert len(one.outcome.text) <= bound * 4 or one.request.purpose is not Purpose.SAMPLE


def test_answers_have_about_the_length_that_their_family_has() -> None:
    lengths = [len(one.outcome.text) for one in asked(world("likely", max_tokens=4000), 200)
               if isinstance(one.outcome, Reply) and one.request.purpose is Purpose.SAMPLE]  # fmt: skip

    assert sum(lengths) / len(lengths) == pytest.approx(ANSWER_CHARS["Qwen"], rel=0.05)


def test_a_model_that_thinks_is_billed_for_it_unless_it_is_told_not_to() -> None:
    thinks = [figures_of(one, {EndpointName("student"): 4.0, EndpointName("first"): 4.0})
              for one in asked(world("likely", model="qwen3-8b", max_tokens=4000), 5)]  # fmt: skip
    plain = typical("gpt-4.1-mini")

    assert sum(one.reasoning for one in thinks) > 0
    assert plain.thinking_tokens == 0


def test_the_unknown_model_is_an_assumption_and_says_so() -> None:
    assert typical("nobody/knows-7b").rests == "an assumption"
