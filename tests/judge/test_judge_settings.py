import pytest
from pydantic import ValidationError

from pairsmith.judge import JudgeSettings


def problem(**known: object) -> str:
    with pytest.raises(ValidationError) as caught:
        JudgeSettings.model_validate({"panel": ["teacher"], **known})
    return str(caught.value)


def test_one_judge_is_enough_and_everything_else_has_a_default() -> None:
    settings = JudgeSettings.model_validate({"panel": ["teacher"]})

    assert settings.panel == ("teacher",)
    assert (settings.rubric, settings.protocol, settings.escalate_within) == ("general", "score", (2.0, 1.0))
    assert (settings.max_tokens, settings.temperature) == (700, None)


@pytest.mark.parametrize("protocol", ["rank", "duel"])
def test_rankings_and_tournaments_need_a_judge(protocol: str) -> None:
    assert "needs a judge" in problem(panel=[], protocol=protocol)


@pytest.mark.parametrize("protocol", ["score", "rank", "duel"])
def test_a_protocol_is_taken_by_its_name(protocol: str) -> None:
    assert JudgeSettings.model_validate({"panel": ["teacher"], "protocol": protocol}).protocol == protocol


@pytest.mark.parametrize("protocol", ["rank", "duel"])
@pytest.mark.parametrize(
    ("key", "value"), [("escalate", "value"), ("escalate_within", [2]), ("score_from", "logprobs")]
)
def test_what_is_about_points_is_refused_by_a_protocol_that_knows_none(protocol: str, key: str, value: object) -> None:
    said = problem(protocol=protocol, **{key: value})

    assert f"{key} is about points, and protocol = {protocol} knows none: leave it out" in said


@pytest.mark.parametrize("protocol", ["rank", "duel"])
def test_a_check_is_refused_by_a_protocol_that_knows_no_points(protocol: str) -> None:
    said = problem(panel=["check:rules.py:score", "teacher"], protocol=protocol)

    assert f"check:rules.py:score gives points, and protocol = {protocol} knows none: use protocol = score" in said


@pytest.mark.parametrize(
    ("key", "value"),
    [("escalate", "often"), ("score_from", "words"), ("reference", "invent"), ("reference_max_tokens", 0),
     ("rank_max_chars", 0), ("criteria", {"code": 1})],
)  # fmt: skip
def test_a_new_key_takes_its_own_values_only(key: str, value: object) -> None:
    assert key in problem(**{key: value})


@pytest.mark.parametrize(
    ("known", "by_value"),
    [
        ({"panel": ["a"]}, False),
        ({"panel": ["a", "b"]}, True),
        ({"panel": ["a", "b"], "escalate_within": [2]}, False),
        ({"panel": ["a", "b"], "escalate_within": [2], "escalate": "value"}, True),
        ({"panel": ["a", "b"], "escalate": "distance"}, False),
        ({"panel": ["a"], "escalate": "value"}, True),
    ],
)
def test_a_ladder_asks_by_value_unless_the_recipe_says_how_near(known: dict[str, object], by_value: bool) -> None:
    assert JudgeSettings.model_validate(known).by_value is by_value


def test_the_last_distance_holds_for_all_judges_behind_it() -> None:
    settings = JudgeSettings.model_validate({"panel": ["a", "b", "c", "d"]})

    assert [settings.within(rung) for rung in (1, 2, 3)] == [2.0, 1.0, 1.0]


def test_a_check_named_twice_is_refused_like_any_judge() -> None:
    assert "panel names check:rules.py:score twice" in problem(panel=["check:rules.py:score"] * 2)


def test_an_unknown_protocol_is_refused() -> None:
    assert "Input should be 'score'" in problem(protocol="vibes")


def test_an_unknown_key_is_refused() -> None:
    assert "Extra inputs are not permitted" in problem(temperatur=0)


def test_a_judge_named_twice_is_refused_because_it_would_be_the_same_call() -> None:
    assert "panel names teacher twice" in problem(panel=["teacher", "teacher"])


def test_a_ladder_needs_a_distance_for_every_later_judge() -> None:
    assert "escalate_within holds 1 for 2 judges" in problem(panel=["a", "b", "c"], escalate_within=[2])


@pytest.mark.parametrize("within", [[-1], [float("nan")], [float("inf")]])
def test_a_distance_is_a_number_of_points(within: list[float]) -> None:
    assert "escalate_within" in problem(escalate_within=within)


def test_settings_do_not_change() -> None:
    settings = JudgeSettings.model_validate({"panel": ["teacher"]})

    with pytest.raises(ValidationError):
        settings.max_tokens = 1
