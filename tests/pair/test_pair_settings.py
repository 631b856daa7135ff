import pytest
from pydantic import ValidationError

from pairsmith.pair.settings import PairSettings


def test_the_defaults_are_the_protocols() -> None:
    settings = PairSettings()

    assert (settings.strategy, settings.min_gap, settings.verify_gap, settings.chosen_floor) == (
        "best-worst",
        3.0,
        1.0,
        6.0,
    )


def test_a_verify_gap_left_out_follows_min_gap_down_but_not_up() -> None:
    assert PairSettings(min_gap=0.5).verify_gap == 0.5
    assert PairSettings(min_gap=4).verify_gap == 1.0


def test_a_verify_gap_equal_to_min_gap_is_allowed() -> None:
    settings = PairSettings(min_gap=2, verify_gap=2)

    assert settings.pinned_verify_gap
    assert not PairSettings(min_gap=2).pinned_verify_gap


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"min_gap": 0}, r"min_gap = 0 is no gap .* set it above 0 \(a tie is no preference\) and to 9 at most"),
        ({"min_gap": 9.5}, "min_gap = 9.5 is no gap"),
        ({"min_gap": float("nan")}, "min_gap = nan is no gap"),
        ({"min_gap": 2, "verify_gap": 2.5}, "verify_gap = 2.5 .* up to min_gap = 2: lower it, raise min_gap"),
        ({"verify_gap": 0}, "verify_gap = 0 does not lie above 0"),
        ({"chosen_floor": 11}, "chosen_floor = 11 is no score from 1 to 10: set it within, 1 to let all pass"),
        ({"chosen_floor": -1}, "chosen_floor = -1"),
        ({"strategy": "random"}, 'strategy "random" is not known: take one of best-worst, .* or .* FILE.py:FUNCTION'),
        ({"strategy": "mine.py"}, "is not known"),
        ({"strategy": "mine.txt:pick"}, "is not known"),
        ({"min_gap": "automatic"}, "min_gap"),
        ({"min_gap": "auto", "verify_gap": 3.5}, "up to min_gap = 3"),
        ({"max_gap": 1}, "Extra inputs"),
    ],
)
def test_what_cannot_be_is_refused_with_the_way_out(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        PairSettings.model_validate(fields)


@pytest.mark.parametrize("strategy", ["best-worst", "mine.py:pick", "/home/me/mine.py:_pick2"])
def test_a_strategy_is_best_worst_or_a_function_of_the_users(strategy: str) -> None:
    assert PairSettings(strategy=strategy).strategy == strategy


def test_auto_stands_for_the_usual_gap_while_nothing_is_known() -> None:
    settings = PairSettings(min_gap="auto")

    assert (settings.min_gap, settings.least_gap, settings.verify_gap) == ("auto", 3.0, 1.0)
    assert PairSettings(min_gap=2).least_gap == 2.0


@pytest.mark.parametrize(("gap", "verify_gap"), [(0.5, 0.5), (1.0, 1.0), (2.5, 1.0), (4.0, 1.0)])
def test_a_gap_that_was_found_takes_the_place_of_auto_and_verify_gap_stays_below_it(
    gap: float, verify_gap: float
) -> None:
    found = PairSettings(min_gap="auto", chosen_floor=7).at(gap)

    assert (found.min_gap, found.least_gap, found.verify_gap, found.chosen_floor) == (gap, gap, verify_gap, 7.0)


def test_a_gap_that_was_found_does_not_pin_what_the_recipe_left_open() -> None:
    assert not PairSettings(min_gap="auto").at(0.5).pinned_verify_gap
    assert PairSettings(min_gap="auto", verify_gap=0.8).at(2.0).pinned_verify_gap
