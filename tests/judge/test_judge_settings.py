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


def test_a_panel_needs_a_judge() -> None:
    assert "at least 1" in problem(panel=[])


@pytest.mark.parametrize("protocol", ["rank", "duel"])
def test_a_protocol_that_is_not_built_yet_is_refused_with_the_way_out(protocol: str) -> None:
    assert f"protocol {protocol} is not available yet; use score" in problem(protocol=protocol)


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
