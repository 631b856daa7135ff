import math
from collections.abc import Callable, Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairsmith.judge.noise import LEAST_VERDICTS, PRIOR, WITHIN, Measured, estimate
from pairsmith.records import CompletionId, EndpointName, Noise, RequestId, Score

A, B, C, RM = (EndpointName(name) for name in ("a", "b", "c", "rm"))
NONE: frozenset[EndpointName] = frozenset()
Seen = Callable[[float, list[float]], bool]  # what the first judge said of this answer, and of all to the prompt


def score(completion: str, judge: EndpointName, value: float, again: bool = False) -> Score:
    return Score(CompletionId(completion), judge, value, "", RequestId(f"{judge} {completion} {again}"))


def everything(said: float, of_all: list[float]) -> bool:
    return True


def near_the_top(said: float, of_all: list[float]) -> bool:
    return said > max(of_all) - 2


def planted(
    prompts: int,
    variances: dict[EndpointName, float],
    offsets: dict[EndpointName, float] | None = None,
    spread: float = 2.0,
    seen: Seen = everything,
    completions: int = 4,
    seed: int = 0,
    repeats: bool = False,
) -> list[Measured]:
    """Prompts with answers of planted quality, and judges with planted errors that score them one after the other."""
    rng, found = Random(seed), []
    for number in range(prompts):
        middle, scores, again = rng.gauss(6, 1.5), [], []
        qualities = [rng.gauss(middle, math.sqrt(spread)) for _ in range(completions)]
        firsts: list[float] = []
        for judge, variance in variances.items():
            offset = (offsets or {}).get(judge, 0.0)
            said = [quality + offset + rng.gauss(0, math.sqrt(variance)) for quality in qualities]
            firsts = firsts or said
            for place, value in enumerate(said):
                if said is firsts or seen(firsts[place], firsts):
                    scores.append(score(f"{number} {place}", judge, value))
        if repeats:
            twice = [quality + rng.gauss(0, math.sqrt(variances[A])) for quality in qualities]
            again = [score(f"{number} {place}", A, value, again=True) for place, value in enumerate(twice)]
        found.append(Measured(tuple(scores), tuple(again)))
    return found


def variances_of(noise: Noise) -> dict[str, float]:
    return {name: known.variance for name, known in noise.judges.items()}


# --- what was planted is found --------------------------------------------------------------------


def test_the_variance_of_each_judge_is_found() -> None:
    noise = estimate(planted(700, {A: 1.5, B: 0.3, C: 0.8}), [A, B, C], NONE)

    assert variances_of(noise) == pytest.approx({"a": 1.5, "b": 0.3, "c": 0.8}, abs=0.15)
    assert noise.spread == pytest.approx(2.0, abs=0.15)


def test_the_offset_of_each_judge_against_the_first_is_found() -> None:
    noise = estimate(planted(500, {A: 0.8, B: 0.8}, {A: 0.5, B: -1.0}), [A, B], NONE)

    assert noise.judges[A].offset == 0.0
    assert noise.judges[B].offset == pytest.approx(-1.5, abs=0.1)
    assert noise.points(B, 5.0) == pytest.approx(6.5, abs=0.1)


def test_what_it_rests_on_is_counted() -> None:
    noise = estimate(planted(32, {A: 0.8, B: 0.8}), [A, B], NONE)

    assert (noise.prompts, noise.verdicts) == (32, 32 * 4 * 2)


def test_verdicts_that_the_ladder_left_out_do_no_harm() -> None:
    """The second judge saw only what the first put near the top: the plain difference of the two is off."""
    prompts = planted(900, {A: 1.0, B: 0.6}, seen=near_the_top)

    noise = estimate(prompts, [A, B], NONE)

    naive = [second - first for one in prompts for first, second in _both(one)]
    assert sum(naive) / len(naive) < -0.2
    assert noise.judges[B].offset == pytest.approx(0.0, abs=0.1)
    assert variances_of(noise) == pytest.approx({"a": 1.0, "b": 0.6}, abs=0.15)


def _both(one: Measured) -> list[tuple[float, float]]:
    firsts = {score.completion: score.value for score in one.scores if score.judge == A}
    return [(firsts[score.completion], score.value) for score in one.scores if score.judge == B]


# --- few --------------------------------------------------------------------------------------------


def test_too_few_verdicts_say_nothing() -> None:
    few = planted(9, {A: 0.8})

    assert sum(len(one.scores) for one in few) < LEAST_VERDICTS
    assert estimate(few, [A], NONE) == Noise()
    assert estimate([], [A, B], NONE) == Noise()
    assert estimate(planted(10, {A: 0.8}), [A], NONE).judges


def test_few_verdicts_stay_near_what_is_usual_and_many_leave_it() -> None:
    truth = {A: 4.0, B: 4.0}

    few, many = (variances_of(estimate(planted(count, truth), [A, B], NONE)) for count in (8, 400))

    assert PRIOR[0] < few["a"] < 2.5
    assert many["a"] == pytest.approx(4.0, abs=0.5)


def test_verdicts_that_cannot_be_compared_leave_what_is_usual() -> None:
    alone = [Measured((score(f"{number}", A, 5.0),)) for number in range(60)]

    noise = estimate(alone, [A, B], NONE)

    assert variances_of(noise) == pytest.approx({"a": PRIOR[0] * WITHIN, "b": PRIOR[1] * WITHIN})


def test_prompts_without_a_verdict_do_no_harm() -> None:
    prompts = planted(32, {A: 0.8, B: 0.8})

    noise = estimate([*prompts, Measured(()), Measured(())], [A, B], NONE)

    assert noise == estimate(prompts, [A, B], NONE)


@pytest.mark.parametrize("panel", [[A], [A, B], [RM], [RM, A]])
def test_judges_that_say_the_same_of_everything_give_numbers_all_the_same(panel: list[EndpointName]) -> None:
    same = [
        Measured(tuple(score(f"{number} {place}", judge, 7.0) for place in range(4) for judge in panel))
        for number in range(32)
    ]

    noise = estimate(same, panel, frozenset({RM}))

    assert noise.spread > 0
    assert all(known.variance > 0 and known.scale > 0 for known in noise.judges.values())


# --- always the same ------------------------------------------------------------------------------


def test_the_same_prompts_give_the_same_to_the_last_bit() -> None:
    prompts = planted(32, {A: 1.5, B: 0.3})

    assert estimate(prompts, [A, B], NONE) == estimate(prompts, [A, B], NONE)


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(12)))
def test_the_order_of_the_prompts_changes_nothing_but_the_last_bits(order: Sequence[int]) -> None:
    prompts = planted(12, {A: 1.5, B: 0.3}, {B: 1.0})

    one, other = estimate(prompts, [A, B], NONE), estimate([prompts[place] for place in order], [A, B], NONE)

    assert variances_of(one) == pytest.approx(variances_of(other), abs=2e-6)
    assert one.judges[B].offset == pytest.approx(other.judges[B].offset, abs=2e-6)
    assert one.spread == pytest.approx(other.spread)


# --- one judge, asked twice -------------------------------------------------------------------------


def test_a_judge_alone_is_measured_by_what_it_says_when_it_is_asked_twice() -> None:
    """Two thirds of its error show when it is asked twice; the rest it repeats."""
    steady, restless = (
        estimate(planted(400, {A: variance}, repeats=True), [A], NONE).judges[A].variance for variance in (0.2, 2.0)
    )

    assert steady == pytest.approx(0.2 * 3 / 2, abs=0.06)
    assert restless == pytest.approx(2.0 * 3 / 2, abs=0.3)


def test_a_judge_alone_that_was_not_asked_twice_is_taken_to_be_a_usual_one() -> None:
    one, wider = (estimate(planted(32, {A: 1.0}, spread=spread), [A], NONE).judges[A] for spread in (1.0, 9.0))

    assert wider.variance > 2 * one.variance  # a share of what its scores spread


def test_what_is_not_the_noise_of_a_judge_alone_is_the_spread_of_the_answers() -> None:
    noise = estimate(planted(600, {A: 0.6}, spread=2.0, repeats=True), [A], NONE)

    assert noise.spread == pytest.approx(2.0 + 0.6 - noise.judges[A].variance, abs=0.15)


# --- reward models ------------------------------------------------------------------------------------


def rewards(prompts: int, share: float, unit: float, middle: float, seed: int = 0) -> list[Measured]:
    """A reward model with this share of noise in its variance within a prompt."""
    rng, found = Random(seed), []
    for number in range(prompts):
        values = [middle + unit * (rng.gauss(0, math.sqrt(1 - share)) + rng.gauss(0, math.sqrt(share))) for _ in "1234"]
        found.append(Measured(tuple(score(f"{number} {place}", RM, value) for place, value in enumerate(values))))
    return found


@pytest.mark.parametrize(("unit", "middle"), [(1.0, 0.0), (12.5, -30.0), (0.01, 0.4)])
def test_the_unit_of_a_reward_model_alone_is_its_own_noise(unit: float, middle: float) -> None:
    share = 0.32
    noise = estimate(rewards(400, share, unit, middle), [RM], frozenset({RM}))

    one_point = noise.points(RM, middle + unit * math.sqrt(share)) - noise.points(RM, middle)
    assert one_point == pytest.approx(1.0, abs=0.1)
    assert noise.judges[RM].variance == 1.0
    assert noise.points(RM, middle) == pytest.approx(5.5, abs=0.25)


def test_a_reward_models_own_scale_makes_no_difference() -> None:
    one, other = (estimate(rewards(50, 0.3, unit, 0.0), [RM], frozenset({RM})) for unit in (1.0, 40.0))

    assert one.points(RM, 1.5) == pytest.approx(other.points(RM, 60.0), abs=1e-4)


def test_points_are_those_of_the_first_judge_that_gives_any_also_behind_a_reward_model() -> None:
    rng, prompts = Random(3), []
    for number in range(400):
        qualities = [rng.gauss(8.0, 1.4) for _ in "1234"]
        said = [
            (
                score(f"{number} {place}", RM, 5 * (quality + rng.gauss(0, 1)) - 70),
                score(f"{number} {place}", A, quality + rng.gauss(0, 0.7)),
            )
            for place, quality in enumerate(qualities)
        ]
        prompts.append(Measured(tuple(one for both in said for one in both)))

    noise = estimate(prompts, [RM, A], frozenset({RM}))

    assert noise.judges[A].offset == 0.0
    assert noise.points(RM, 5 * 8.0 - 70) == pytest.approx(8.0, abs=0.3)


def test_points_are_a_models_where_there_is_one_and_not_those_of_a_check_before_it() -> None:
    check = EndpointName("check:rules.py:passes")
    rng, prompts = Random(3), []
    for number in range(200):
        said = [
            (score(f"{number} {place}", check, 10.0), score(f"{number} {place}", A, rng.gauss(5, 1.2)))
            for place in range(4)
        ]
        prompts.append(Measured(tuple(one for both in said for one in both)))

    noise = estimate(prompts, [check, A], NONE)

    assert noise.judges[A].offset == 0.0
    assert noise.points(check, 10.0) == pytest.approx(5.0, abs=0.4)
