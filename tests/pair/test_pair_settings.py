import pytest
from pydantic import ValidationError

from pairsmith.pair.settings import PairSettings
from pairsmith.records import Flag


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


# --- strategies and gates on texts ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"pairs_per_prompt": 2}, "pairs_per_prompt = 2: only the strategy all-gaps gives more than one; take it, or"),
        ({"strategy": "all-gaps", "pairs_per_prompt": 17}, "less than or equal to 16"),
        ({"strategy": "delta"}, 'name them, sides = "chosen-from:STRONG, rejected-from:WEAK"'),
        ({"strategy": "delta", "sides": "chosen-from:a"}, 'name them, sides = "chosen-from:STRONG'),
        ({"max_length_ratio": 0.5}, "greater than or equal to 1"),
        ({"max_token_ratio": 0}, "greater than or equal to 1"),
        ({"max_similarity": 0}, "greater than 0"),
        ({"max_similarity": 1.1}, "less than or equal to 1"),
        ({"trainer_max_tokens": 0}, "greater than or equal to 1"),
        ({"rejected_ceiling": 11}, "less than or equal to 10"),
        ({"language": "German"}, 'it takes "any", "prompt", or an ISO 639-1 code of two letters such as "de"'),
        ({"refusals": "never"}, "'keep', 'never-chosen', 'never-rejected' or 'drop'"),
    ],
)
def test_a_gate_that_cannot_be_is_refused_with_the_way_out(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        PairSettings.model_validate(fields)


@pytest.mark.parametrize(
    ("fields", "most"),
    [({}, 1), ({"strategy": "all-gaps"}, 4), ({"strategy": "all-gaps", "pairs_per_prompt": 1}, 1),
     ({"strategy": "all-gaps", "pairs_per_prompt": 16}, 16), ({"pairs_per_prompt": 1}, 1)],
)  # fmt: skip
def test_one_pair_a_prompt_and_four_by_all_gaps_unless_it_is_said(fields: dict[str, object], most: int) -> None:
    settings = PairSettings.model_validate(fields)

    assert settings.most_pairs == most
    assert settings.at(2.0).most_pairs == most


def test_one_pair_that_is_asked_for_is_written_unlike_none() -> None:
    """What a run decides by is named by these: two that decide differently may not have one name."""
    one, left_out = (
        PairSettings(strategy="all-gaps", pairs_per_prompt=1),
        PairSettings(strategy="all-gaps"),
    )

    assert one.model_dump(mode="json") != left_out.model_dump(mode="json")


def test_by_default_refusals_and_what_was_cut_off_are_dropped() -> None:
    assert PairSettings().tolerated == {Flag.UNFINISHED}
    assert PairSettings().policies == ({Flag.REFUSAL, Flag.CUT_OFF}, {Flag.REFUSAL, Flag.CUT_OFF})


def test_what_is_not_dropped_is_tolerated_and_kept_from_its_side() -> None:
    settings = PairSettings(refusals="never-chosen", cut_off="never-rejected", unfinished="drop")

    assert settings.tolerated == {Flag.REFUSAL, Flag.CUT_OFF}
    assert settings.policies == ({Flag.REFUSAL, Flag.UNFINISHED}, {Flag.CUT_OFF, Flag.UNFINISHED})
