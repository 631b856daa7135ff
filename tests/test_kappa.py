"""Agreement beyond chance: known values, and what must hold of any."""

from __future__ import annotations

from itertools import permutations
from random import Random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairsmith.judge.rates import share
from pairsmith.show.kappa import alpha, cohen, of_couples

LABELS = st.sampled_from((1, 0, -1))
SAID = st.lists(st.tuples(LABELS, LABELS), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("table", "value", "error"),
    [
        ([[53, 5, 2], [11, 14, 5], [1, 6, 3]], 0.4285714286, 0.0759588315),
        ([[40, 9, 6], [12, 30, 3], [5, 2, 13]], 0.5055679287, 0.0676988812),
    ],
)
def test_kappa_and_its_error_are_those_that_statsmodels_gives(
    table: list[list[float]], value: float, error: float
) -> None:
    found = cohen(table)

    assert (found.value, found.error) == pytest.approx((value, error))


def test_of_couples_without_ties_kappa_is_twice_the_accuracy_less_one_and_so_is_its_interval() -> None:
    found, rate = of_couples([(1, 1)] * 27 + [(1, -1)] * 3), share(27, 30)

    assert rate.low is not None and rate.high is not None
    assert (found.value, found.low, found.high) == pytest.approx((0.8, 2 * rate.low - 1, 2 * rate.high - 1))


def test_a_judge_who_always_says_the_same_name_is_not_taken_for_one_who_guesses() -> None:
    assert cohen([[27, 3], [0, 0]]).value == 0
    assert of_couples([(1, 1)] * 27 + [(1, -1)] * 3).value == pytest.approx(0.8)


def test_nothing_said_or_nothing_but_ties_gives_no_kappa() -> None:
    assert of_couples([]).value is None
    assert of_couples([(0, 0)] * 5).value is None


@given(SAID)
def test_kappa_lies_within_its_interval_and_both_within_one(said: list[tuple[int, int]]) -> None:
    found = of_couples(said)
    if found.value is not None:
        assert found.low is not None and found.high is not None
        assert -1 <= found.low <= found.value + 1e-9 and found.value - 1e-9 <= found.high <= 1


@given(SAID, st.integers(0, 39))
def test_neither_who_is_named_first_nor_which_answer_changes_kappa(said: list[tuple[int, int]], at: int) -> None:
    other_way = [(other, one) for one, other in said]
    one, other = said[at % len(said)]
    renamed = [*said[: at % len(said)], (-one, -other), *said[at % len(said) + 1 :]]

    assert of_couples(other_way).value == pytest.approx(of_couples(said).value)
    assert of_couples(renamed) == of_couples(said)


@given(st.lists(LABELS, min_size=1).filter(any))
def test_who_agree_in_all_have_a_kappa_of_one_and_an_interval_that_knows_how_few_they_were(said: list[int]) -> None:
    found = of_couples((label, label) for label in said)

    assert found.value == found.high == 1
    assert found.low is not None and found.low < 1


def test_the_interval_holds_the_true_kappa_in_about_95_of_100() -> None:
    """One judge is right in 85 % and ties in 10 %, people tie in 10 %: of 60 couples each."""
    rng = Random(0)
    kinds, weights = [(1, 1), (1, -1), (1, 0), (0, 1), (0, 0)], [0.66, 0.12, 0.07, 0.07, 0.08]
    observed, ties = weights[0] + weights[4], weights[2] + weights[4]
    chance = (1 - ties) ** 2 / 2 + ties**2
    truth = (observed - chance) / (1 - chance)

    found = [of_couples(rng.choices(kinds, weights, k=60)) for _ in range(300)]

    assert 0.92 <= fmean(one.low <= truth <= one.high for one in found if one.low and one.high) <= 0.99


# --- several ----------------------------------------------------------------------------------------


def test_alpha_is_one_less_what_is_apart_over_what_would_be_by_chance() -> None:
    said = [[1, 1, -1], [1, 1], [0, 0, 1], [-1, -1, -1], [1]]
    met = [labels for labels in said if len(labels) > 1]
    apart = sum(sum(a != b for a, b in permutations(labels, 2)) / (len(labels) - 1) for labels in met)
    of_each = {1: 4.0, -1: 4.0, 0: 2.0, "n": 11.0}
    of_each |= {1: 4.5, -1: 4.5}  # nine that are no tie, by halves under either name
    chance = sum(of_each[a] * of_each[b] for a, b in permutations((1, 0, -1), 2)) / (of_each["n"] - 1)

    assert alpha(said) == pytest.approx(1 - apart / chance)


def test_alpha_is_one_where_all_agree_and_nothing_where_nobody_met_another() -> None:
    assert alpha([[1, 1], [-1, -1, -1], [0, 0]]) == 1
    assert alpha([[1], [-1]]) is None
