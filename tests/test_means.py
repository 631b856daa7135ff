"""What several judges' scores come to: weighted, on one scale, and in line with each other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairsmith.means import LENIENCY, estimates
from pairsmith.records import CompletionId, EndpointName, JudgeNoise, Noise, RequestId, Score

UNKNOWN = Noise()
KNOWN = Noise(judges={EndpointName("a"): JudgeNoise(1.0), EndpointName("b"): JudgeNoise(0.5)}, spread=4.0)


def score(completion: str, judge: str, value: float, call: str = "") -> Score:
    return Score(CompletionId(completion), EndpointName(judge), value, "", RequestId(call or f"{completion}{judge}"))


def means(scores: list[Score], noise: Noise) -> dict[str, float]:
    return {str(ident): known.mean for ident, known in estimates(scores, noise).items()}


def test_where_nothing_is_known_every_judge_counts_the_same() -> None:
    scores = [score("x", "a", 4), score("x", "b", 8), score("y", "a", 5)]

    assert means(scores, UNKNOWN) == {"x": 6.0, "y": 5.0}


def test_a_judge_that_scored_one_twice_counts_once() -> None:
    scores = [score("x", "a", 4, "1"), score("x", "a", 6, "2"), score("x", "b", 9)]

    assert means(scores, UNKNOWN) == {"x": 7.0}


def test_the_surer_judge_counts_more() -> None:
    scores = [score("x", "a", 4), score("x", "b", 4), score("y", "a", 6), score("y", "b", 4)]

    found = means(scores, KNOWN)

    assert found["y"] - found["x"] == pytest.approx(2 * 1 / (1 + 2))  # the difference is a's alone, and b counts twice


def test_a_judge_that_is_lenient_to_a_whole_prompt_opens_no_gap() -> None:
    first = [score(name, "a", value) for name, value in (("x", 5), ("y", 5), ("z", 4))]
    lenient = [score("x", "b", 8), score("y", "b", 8)]

    plain, known = means([*first, *lenient], UNKNOWN), means([*first, *lenient], KNOWN)

    assert plain["x"] - plain["z"] == 2.5
    assert 1 < known["x"] - known["z"] < plain["x"] - plain["z"]
    assert known["x"] == known["y"]


def test_the_correction_is_the_mean_difference_drawn_to_none() -> None:
    scores = [score("x", "a", 5), score("y", "a", 5), score("x", "b", 8), score("y", "b", 8)]
    sure = 2 / (0.5 + 1.0)

    found = estimates(scores, KNOWN)[CompletionId("x")]

    lenient = 3 * sure / (sure + 1 / LENIENCY)
    assert found.mean == pytest.approx((5 * 1 + (8 - lenient) * 2) / 3)
    assert found.variance == pytest.approx(1 / 3)


def test_offset_and_scale_of_a_judge_are_taken_off() -> None:
    noise = Noise(judges={EndpointName("rm"): JudgeNoise(1.0, offset=-2.0, scale=4.0)}, spread=4.0)

    assert means([score("x", "rm", 18.0)], noise) == {"x": 5.0}


@given(st.permutations([score(c, j, v) for c, j, v in (("x", "a", 3), ("x", "b", 9), ("y", "a", 7), ("y", "b", 2))]))
def test_the_order_of_the_scores_never_matters(scores: list[Score]) -> None:
    assert estimates(scores, KNOWN) == estimates(sorted(scores, key=lambda one: one.request_id), KNOWN)
