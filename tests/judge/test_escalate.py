import math
from random import Random

import pytest
from fake_judge import noise_of
from hypothesis import given
from hypothesis import strategies as st

from pairsmith.judge.escalate import Gates, accurate_gap, by_distance, by_value, holds
from pairsmith.means import estimates
from pairsmith.records import CompletionId, EndpointName, JudgeNoise, Noise, RequestId, Score

NEXT = EndpointName("b")
GATES = Gates(verify_gap=1.0, floor=6.0)
KNOWN = noise_of(2.0, a=0.8, b=0.7)


def score(completion: str, value: float, judge: str = "a") -> Score:
    return Score(CompletionId(completion), EndpointName(judge), value, "", RequestId(f"{judge} {completion}"))


def scores(**points: float) -> list[Score]:
    return [score(ident, value) for ident, value in points.items()]


POINTS = st.dictionaries(st.sampled_from("uvwxyz"), st.integers(1, 10).map(float), min_size=2)
NOISES = st.builds(
    noise_of, st.sampled_from([0.05, 0.5, 2.0, 6.0]), a=st.sampled_from([0.05, 0.8, 3.0]), b=st.floats(0.05, 3.0)
)
ANY_GATES = st.builds(Gates, st.sampled_from([0.5, 1.0, 3.0]), st.sampled_from([0.0, 6.0, 9.0]))


# --- by distance --------------------------------------------------------------------------------


def test_the_distance_is_counted_from_the_highest_mean_and_its_end_counts() -> None:
    assert set(by_distance(scores(u=8.3, v=6.3, w=6.2), 2.0, Noise())) == {"u", "v"}


def test_nobody_is_near_where_nothing_is_known() -> None:
    assert by_distance([], 2.0, Noise()) == []


def test_means_are_weighed_by_the_noise_of_the_judges() -> None:
    first, second = (
        estimates([score("u", 4.0), score("u", 8.0, "b")], known)[CompletionId("u")]
        for known in (noise_of(a=0.5, b=2.0), noise_of(a=2.0, b=0.5))
    )

    assert first.mean < 6.0 < second.mean
    assert first.variance == second.variance == pytest.approx(0.4)


def test_means_are_taken_on_one_scale() -> None:
    known = Noise({EndpointName("a"): JudgeNoise(1.0), EndpointName("b"): JudgeNoise(1.0, offset=-2.0, scale=0.5)})

    mean = estimates([score("u", 6.0), score("u", 1.0, "b")], known)[CompletionId("u")]

    assert mean.mean == pytest.approx(6.0)


def test_judges_of_which_nothing_is_known_count_the_same() -> None:
    assert estimates([score("u", 4.0), score("u", 8.0, "b")], Noise())[CompletionId("u")].mean == 6.0


# --- by value -----------------------------------------------------------------------------------


def test_a_pair_that_nothing_can_change_costs_no_second_verdict() -> None:
    assert by_value(scores(u=9, v=5, w=2), NEXT, KNOWN, GATES) == set()


def test_rivals_for_the_first_place_are_asked_about_and_nobody_else() -> None:
    assert by_value(scores(u=9, v=9, w=4, x=2), NEXT, KNOWN, GATES) == {"u", "v"}


def test_a_rival_is_a_matter_of_the_noise() -> None:
    close = scores(u=9, v=7, w=2)

    assert by_value(close, NEXT, noise_of(2.0, a=2.0, b=1.0), GATES) == {"u", "v"}
    assert by_value(close, NEXT, noise_of(2.0, a=0.05, b=0.05), GATES) == set()


def test_a_prompt_that_may_still_get_its_pair_has_best_and_worst_asked_about() -> None:
    assert by_value(scores(u=7, v=6.5), NEXT, KNOWN, GATES) == {"u", "v"}


def test_nothing_is_asked_where_the_best_can_hardly_reach_the_floor() -> None:
    assert by_value(scores(u=3, v=3, w=2), NEXT, KNOWN, GATES) == set()
    assert by_value(scores(u=3, v=3, w=2), NEXT, KNOWN, Gates(1.0, 0.0)) != set()


def test_a_judge_that_errs_without_measure_is_not_worth_asking() -> None:
    assert by_value(scores(u=9, v=8.5, w=2), NEXT, noise_of(2.0, a=0.5, b=500.0), GATES) == set()


@given(POINTS, NOISES, ANY_GATES)
def test_whoever_is_asked_about_has_a_score_and_the_best_is_always_among_them(
    points: dict[str, float], noise: Noise, gates: Gates
) -> None:
    asked = by_value(scores(**points), NEXT, noise, gates)

    assert asked <= points.keys()
    assert len(asked) != 1
    assert not asked or max(points.values()) in {points[ident] for ident in asked}


@given(POINTS, NOISES, ANY_GATES, st.randoms(use_true_random=False))
def test_incident_1_the_order_of_the_scores_never_matters(  # type: ignore[no-untyped-def]
    points: dict[str, float], noise: Noise, gates: Gates, random
) -> None:
    given_scores = scores(**points)

    assert by_value(random.sample(given_scores, len(given_scores)), NEXT, noise, gates) == by_value(
        given_scores, NEXT, noise, gates
    )


@pytest.mark.parametrize("spread", [0.05, 1e-9, 0.0])
def test_a_spread_of_next_to_nothing_is_no_error(spread: float) -> None:
    assert by_value(scores(u=9, v=9, w=2), NEXT, noise_of(spread, a=0.8, b=0.7), GATES) <= {"u", "v", "w"}


# --- the gap that is accurate enough ------------------------------------------------------------


def test_the_more_a_judge_errs_the_larger_the_gap_has_to_be() -> None:
    gaps = [accurate_gap(noise_of(2.0, a=variance), EndpointName("a"), 0.97) for variance in (0.1, 0.5, 1.0, 2.0, 90.0)]

    assert gaps == sorted(gaps)
    assert gaps[0] < 1.5 < gaps[2]
    assert gaps[-1] == 9.0


def test_the_closer_the_answers_lie_the_larger_the_gap_has_to_be() -> None:
    assert accurate_gap(noise_of(0.3, a=0.8), NEXT_A, 0.97) > accurate_gap(noise_of(4.0, a=0.8), NEXT_A, 0.97)


NEXT_A = EndpointName("a")


@given(st.floats(0.05, 4.0), st.floats(0.05, 6.0))
def test_the_gap_is_of_half_points_and_between_a_half_and_nine(variance: float, spread: float) -> None:
    gap = accurate_gap(noise_of(spread, a=variance), NEXT_A, 0.97)

    assert 0.5 <= gap <= 9.0
    assert gap * 2 == int(gap * 2)


@pytest.mark.parametrize(("variance", "spread"), [(0.3, 2.0), (0.8, 2.0), (0.8, 0.8)])
def test_orders_at_that_gap_are_right_as_often_as_promised(variance: float, spread: float) -> None:
    rng = Random(7)
    gap = accurate_gap(noise_of(spread, a=variance), NEXT_A, 0.97)
    right = []
    while len(right) < 3000:
        qualities = [rng.gauss(0, math.sqrt(spread)) for _ in range(4)]
        said = [quality + rng.gauss(0, math.sqrt(variance)) for quality in qualities]
        best, worst = said.index(max(said)), said.index(min(said))
        if gap <= said[best] - said[worst] < gap + 0.5:
            right.append(qualities[best] > qualities[worst])

    assert sum(right) / len(right) >= 0.96


# --- where it is relied on ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("noise", "relied_on"),
    [
        (noise_of(4.0, a=0.9, b=0.7), True),
        (noise_of(4.0, a=0.9, b=0.4), False),  # not of one strength
        (noise_of(4.0, a=0.4, b=0.9), False),
        (noise_of(1.0, a=0.9, b=0.7), False),  # scores vary by errors as much as by quality
        (Noise(), False),
    ],
)
def test_a_ladder_asks_by_value_only_with_judges_of_one_strength_that_tell_answers_apart(
    noise: Noise, relied_on: bool
) -> None:
    assert holds([EndpointName("a"), EndpointName("b")], noise) == relied_on
