"""Which couple each strategy likes best, and what holds for whatever any of them picks."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from statistics import fmean, pstdev
from typing import Any

import pytest
from hypothesis import assume, event, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pair_makers import (
    CLOSE_POINTS,
    ORIGINS,
    POINTS,
    SETTINGS,
    Evidence,
    P,
    completion,
    duel,
    evidence,
    score,
    scored,
    settled,
)

from pairsmith.pair import settings as settings_module
from pairsmith.pair.couples import obstacle
from pairsmith.pair.gates import settle
from pairsmith.pair.select import Standing, choose, standings
from pairsmith.pair.settings import ALL_GAPS, BEST_WORST, DELTA, PairSettings
from pairsmith.pair.sides import ALL, Sides, read_sides
from pairsmith.pair.strategies import STRATEGIES, hardest
from pairsmith.records import Abstention, Completion, CompletionId, Flag, Pair, PromptId, Settlement, Undecided

STRONG_OVER_WEAK = "chosen-from:teacher, rejected-from:student"
MARKS = st.sampled_from([(), (), (), (), (Flag.REFUSAL,), (Flag.CUT_OFF,), (Flag.UNFINISHED,)])
POLICIES = st.sampled_from(["keep", "keep", "never-chosen", "never-rejected", "drop"])


def by(strategy: str, given_evidence: Evidence, **settings: Any) -> Settlement:
    return settled(given_evidence, strategy=strategy, **settings)


def sized(**answers: tuple[float, int]) -> Evidence:
    """Completions of these points and lengths; no two texts are alike."""
    made = [completion(ident, ident * length) for ident, (_, length) in answers.items()]
    return made, [score(ident, points) for ident, (points, _) in answers.items()], []


def sides_of(found: Settlement) -> tuple[str, str]:
    assert isinstance(found, Pair | Undecided), found
    return (found.chosen, found.rejected) if isinstance(found, Pair) else (found.first, found.second)


# --- each of them ---------------------------------------------------------------------------------

LADDER = scored(a=9, b=8, c=6, d=5, e=4, f=3, g=1)


def test_every_strategy_of_the_recipe_is_a_function_here_and_no_other() -> None:
    assert tuple(STRATEGIES) == settings_module.STRATEGIES


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_says_where_it_comes_from(strategy: str) -> None:
    assert "Source: " in (STRATEGIES[strategy].__doc__ or "")


@examples(max_examples=50, deadline=None)
@given(evidence(st.one_of(POINTS, CLOSE_POINTS), ORIGINS), SETTINGS)
def test_best_worst_is_what_choose_has_always_chosen(given_evidence: Evidence, settings: PairSettings) -> None:
    ranked = standings(*given_evidence[:2])
    assume(len(ranked) > 1)

    couple = choose(ranked, settings.verify_gap, settings.least_gap, ALL, settings.chosen_floor)
    found = settle(P, *given_evidence[:2], [], settings)

    event(type(found).__name__)
    assert isinstance(found, Abstention) == (couple is None)
    assert couple is None or sides_of(found) == (couple.chosen.completion.id, couple.rejected.completion.id)


def test_best_random_pairs_the_best_with_one_that_the_ids_draw() -> None:
    drawn = {
        sides_of(by("best-random", ([replace(one, id=f"{one.id}{n}") for one in LADDER[0]],  # type: ignore[arg-type]
                                    [replace(one, completion=f"{one.completion}{n}") for one in LADDER[1]], [])))  # type: ignore[arg-type]
        for n in range(40)
    }  # fmt: skip

    assert {chosen[0] for chosen, _ in drawn} == {"a"}
    assert {rejected[0] for _, rejected in drawn} == set("cdefg")  # b is not min_gap below


def test_best_second_takes_the_nearest_that_lies_far_enough_below() -> None:
    assert sides_of(by("best-second", LADDER)) == ("a", "c")
    assert sides_of(by("best-second", LADDER, min_gap=1)) == ("a", "b")


def test_worst_of_five_is_best_worst_where_there_are_no_more_than_five_others() -> None:
    assert sides_of(by("worst-of-five", scored(a=9, b=8, c=6, d=5, e=4, f=1))) == ("a", "f")


def test_worst_of_five_does_not_look_at_all_of_many() -> None:
    many = scored(a=10, **{f"x{number:02}": 1 + number / 10 for number in range(30)})

    found = by("worst-of-five", many)

    assert isinstance(found, Pair)
    assert found.gap is not None
    assert found.gap < 9


def test_sweet_spot_takes_the_reject_nearest_to_two_deviations_below_the_mean() -> None:
    points = {f"m{number:02}": 5.0 for number in range(20)} | {"a": 9.0, "s": 3.2, "z": 1.0}
    spot = fmean(points.values()) - 2 * pstdev(points.values())
    given_evidence = scored(**points)

    found = by("sweet-spot", given_evidence)

    assert abs(3.2 - spot) < abs(1.0 - spot)
    assert sides_of(found) == ("a", "s")
    assert sides_of(by(BEST_WORST, given_evidence)) == ("a", "z")


def test_closest_length_compares_lengths_in_proportion_over_all_couples() -> None:
    given_evidence = sized(a=(9, 100), b=(8, 1000), c=(4, 10), d=(2, 950))

    assert sides_of(by("closest-length", given_evidence)) == ("b", "d")


def test_hardest_takes_the_smallest_gap_that_needs_no_duel() -> None:
    assert sides_of(by("hardest", LADDER)) == ("a", "c")
    assert sides_of(by("hardest", LADDER, min_gap=4)) == ("a", "d")


def test_hardest_compares_the_widest_of_close_calls_where_all_are_close() -> None:
    assert by("hardest", scored(a=8, b=7, c=6)) == Undecided("a", "c")  # type: ignore[arg-type]


def test_hardest_goes_by_the_gap_and_not_by_ids() -> None:
    ranked = standings(*scored(a=9, b=6, c=5.5)[:2])

    assert [couple.gap for couple in hardest(ranked, ALL, PairSettings())] == [3.0, 3.5, 0.5]


def test_of_equally_wide_couples_the_better_chosen_one_is_taken() -> None:
    assert sides_of(by(ALL_GAPS, scored(a=7, b=9, c=6, d=4), min_gap=3, verify_gap=3)) == ("b", "d")
    assert sides_of(by("hardest", scored(a=7, b=9, c=6, d=4), min_gap=3)) == ("b", "c")


# --- several pairs --------------------------------------------------------------------------------


def all_pairs(found: Settlement) -> list[tuple[str, str]]:
    assert isinstance(found, Pair)
    return [(pair.chosen, pair.rejected) for pair in (found, *found.further)]


def test_all_gaps_gives_the_widest_first_and_uses_no_answer_twice() -> None:
    found = by(ALL_GAPS, scored(a=10, b=9, c=6, d=3, e=1))

    assert all_pairs(found) == [("a", "e"), ("b", "d")]


def test_all_gaps_may_be_told_to_use_answers_again() -> None:
    found = by(ALL_GAPS, scored(a=10, b=9, c=1), disjoint=False)

    assert all_pairs(found) == [("a", "c"), ("b", "c")]


@pytest.mark.parametrize(("most", "pairs"), [(None, 4), (1, 1), (3, 3), (16, 5)])
def test_all_gaps_gives_no_more_than_it_may(most: int | None, pairs: int) -> None:
    high = {f"h{number}": 10 - number / 10 for number in range(5)}
    low = {f"l{number}": 1 + number / 10 for number in range(5)}

    found = by(ALL_GAPS, scored(**high, **low), pairs_per_prompt=most)

    assert len(all_pairs(found)) == pairs


def test_a_further_pair_needs_no_duel_and_keeps_the_floor() -> None:
    assert all_pairs(by(ALL_GAPS, scored(a=10, b=8, c=6, d=1))) == [("a", "d")]
    assert all_pairs(by(ALL_GAPS, scored(a=10, b=5, c=1.5, d=1))) == [("a", "d")]


def test_a_further_pair_passes_the_gates_on_texts_too() -> None:
    given_evidence = sized(a=(10, 50), b=(9, 500), c=(2, 5), d=(1, 50))

    assert all_pairs(by(ALL_GAPS, given_evidence)) == [("a", "d"), ("b", "c")]
    assert all_pairs(by(ALL_GAPS, given_evidence, max_length_ratio=3)) == [("a", "d")]


def test_where_the_widest_is_a_close_call_it_is_the_only_one() -> None:
    close = scored(a=8, b=7.5, c=6, d=5.5)
    agreed = [duel("a", "d", "a"), duel("d", "a", "a")]

    assert by(ALL_GAPS, close) == Undecided("a", "d")  # type: ignore[arg-type]
    assert all_pairs(by(ALL_GAPS, (*close[:2], agreed))) == [("a", "d")]


def test_every_pair_of_several_names_its_own_verdicts() -> None:
    found = by(ALL_GAPS, scored(a=10, b=9, c=2, d=1))

    assert isinstance(found, Pair)
    rested = [pair.provenance["chosen"]["scores"][0]["request_id"] for pair in (found, *found.further)]  # type: ignore[index, call-overload]
    assert rested == ["j on a", "j on b"]
    assert {pair.provenance["strategy"] for pair in (found, *found.further)} == {ALL_GAPS}


# --- one arm over another -------------------------------------------------------------------------


def strong_and_weak(**texts: str) -> list[Completion]:
    """t1, t2 by the teacher, s1, s2 by the student."""
    endpoints = {"t": "teacher", "s": "student"}
    return [completion(name, text, endpoint=endpoints[name[0]]) for name, text in texts.items()]


def delta(completions: list[Completion], points: dict[str, float], **settings: Any) -> Settlement:
    table = PairSettings.model_validate({"strategy": DELTA, "sides": STRONG_OVER_WEAK, **settings})
    sides = Sides(read_sides(STRONG_OVER_WEAK), ("student", "teacher"), *table.policies)
    return settle(P, completions, [score(ident, value) for ident, value in points.items()], [], table, sides=sides)


FOUR = strong_and_weak(t1="one", t2="two", s1="three", s2="four")


def test_delta_takes_the_best_strong_one_over_the_worst_weak_one() -> None:
    found = delta(FOUR, {"t1": 7, "t2": 8, "s1": 3, "s2": 2})

    assert isinstance(found, Pair)
    assert (found.chosen, found.rejected, found.gap, found.judges) == ("t2", "s2", 6.0, ("j",))


def test_delta_never_prefers_the_weak_arm_however_well_it_did() -> None:
    found = delta(FOUR, {"t1": 3, "t2": 2, "s1": 9, "s2": 8})

    assert isinstance(found, Abstention)
    assert found.reason == "sides_missing"


def test_without_a_judge_delta_prefers_by_arms_and_says_so() -> None:
    found = delta(FOUR, {})

    assert isinstance(found, Pair)
    assert (found.chosen[0], found.rejected[0]) == ("t", "s")
    assert (found.gap, found.judges, found.provenance) == (None, (), {"strategy": "delta", "rule": "arms"})


def test_without_a_judge_every_allowed_couple_is_drawn_now_and_then() -> None:
    drawn = {
        sides_of(delta([replace(one, id=CompletionId(f"{one.id}.{number}")) for one in FOUR], {}))
        for number in range(40)
    }

    assert {(chosen[:2], rejected[:2]) for chosen, rejected in drawn} == {
        ("t1", "s1"), ("t1", "s2"), ("t2", "s1"), ("t2", "s2"),
    }  # fmt: skip


def test_without_a_judge_the_gates_on_texts_hold_all_the_same() -> None:
    long = strong_and_weak(t1="x" * 300, t2="a b c", s1="d e f", s2="y")

    assert sides_of(delta(long, {}, max_length_ratio=1.5)) == ("t2", "s1")


@pytest.mark.parametrize(
    ("completions", "reason"),
    [
        (FOUR[:1], "too_few_completions"),
        (FOUR[:2], "sides_missing"),
        (strong_and_weak(t1="same", s1="same "), "equal_sides"),
        ([FOUR[0], completion("s1", "cut", Flag.CUT_OFF)], "too_few_completions"),
    ],
)
def test_where_arms_alone_give_no_pair_the_reason_is_told(completions: list[Completion], reason: str) -> None:
    found = delta(completions, {})

    assert isinstance(found, Abstention)
    assert (found.reason, bool(found.detail)) == (reason, True)


# --- which reason ---------------------------------------------------------------------------------


def test_of_the_couples_a_strategy_likes_the_first_that_passes_all_gates_is_the_pair() -> None:
    given_evidence = sized(a=(9, 100), b=(5, 1), c=(3, 90), d=(2, 2))

    assert sides_of(by("sweet-spot", given_evidence)) == ("a", "d")
    assert sides_of(by("sweet-spot", given_evidence, max_length_ratio=2)) == ("a", "c")


def test_where_none_passes_the_reason_is_that_of_the_best_liked_one() -> None:
    completions = [completion("a", "x" * 100), completion("b", "y" * 10), completion("c", "x" * 100 + " ")]

    found = by("hardest", (completions, [score("a", 9), score("b", 1), score("c", 5)], []), max_length_ratio=2)

    assert isinstance(found, Abstention)
    assert found.reason == "equal_sides"


def test_an_answer_that_may_not_be_chosen_is_passed_over_for_the_next_best() -> None:
    completions = [completion("a", "I cannot", marks=(Flag.REFUSAL,)), completion("b"), completion("c")]
    table = PairSettings(refusals="never-chosen")

    found = settle(
        P, completions, [score("a", 9), score("b", 8), score("c", 2)], [], table, sides=Sides({}, (), *table.policies)
    )

    assert sides_of(found) == ("b", "c")


# --- what holds for any of them -------------------------------------------------------------------


@st.composite
def tables(draw: st.DrawFn) -> PairSettings:
    """Any strategy with any gates."""
    usual = draw(SETTINGS)
    strategy = draw(st.sampled_from(list(STRATEGIES)))
    more: dict[str, Any] = {
        "pairs_per_prompt": draw(st.sampled_from([None, 1, 2, 16])) if strategy == ALL_GAPS else None,
        "disjoint": draw(st.booleans()),
        "sides": STRONG_OVER_WEAK if strategy == DELTA else draw(st.sampled_from(["any", "any", "one-from:teacher"])),
        "rejected_ceiling": draw(st.sampled_from([None, None, 5.0, 7.0])),
        "max_length_ratio": draw(st.sampled_from([None, None, 1.5])),
        "max_similarity": draw(st.sampled_from([None, None, 0.7])),
        "trainer_max_tokens": draw(st.sampled_from([None, None, 2])),
        "refusals": draw(POLICIES),
        "cut_off": draw(POLICIES),
        "unfinished": draw(POLICIES),
    }
    return PairSettings.model_validate({**usual.model_dump(), "strategy": strategy, **more})


@st.composite
def marked(draw: st.DrawFn) -> Evidence:
    """Answers of any length, some alike, some with marks, mostly scored; and duels that agree with the scores."""
    points = draw(st.lists(st.sampled_from([1.0, 2.0, 4.0, 5.5, 6.5, 7.0, 8.0, 9.0]), min_size=2, max_size=6))
    completions = []
    for number in range(len(points)):
        arm, endpoint = draw(ORIGINS)
        text = draw(st.sampled_from([f"{number} is an answer", f"quite another {number}", "x" * 40, f"w{number} " * 9]))
        completions.append(completion(f"c{number}", text, arm=arm, endpoint=endpoint, marks=draw(MARKS)))
    scores = [score(f"c{number}", value) for number, value in enumerate(points)]
    order = sorted(range(len(points)), key=lambda number: -points[number])
    duels = [duel(*two, f"c{one}") for one, other in combinations(order, 2)
             for two in ((f"c{one}", f"c{other}"), (f"c{other}", f"c{one}"))]  # fmt: skip
    return completions, scores if draw(st.integers(0, 9)) else [], duels if draw(st.booleans()) else []


def rule(table: PairSettings) -> Sides:
    return Sides(read_sides(table.sides), ("student", "teacher"), *table.policies)


def means(given_evidence: Evidence) -> dict[str, Standing]:
    return {one.completion.id: one for one in standings(*given_evidence[:2])}


@examples(max_examples=150, deadline=None)
@given(marked(), tables())
def test_whatever_is_picked_passes_every_gate_and_is_strictly_better(
    given_evidence: Evidence, table: PairSettings
) -> None:
    found = settle(P, *given_evidence, table, sides=rule(table))
    event(f"{table.strategy}: {found.reason if isinstance(found, Abstention) else type(found).__name__}")
    if isinstance(found, Abstention):
        assert found.detail
        return

    by_id, ranked = {one.id: one for one in given_evidence[0]}, means(given_evidence)
    pairs = [found] if isinstance(found, Undecided) else [found, *found.further]
    for pair in pairs:
        chosen, rejected = (by_id[CompletionId(side)] for side in sides_of(pair))
        assert " ".join(chosen.text.split()) != " ".join(rejected.text.split())
        assert not chosen.flags and not rejected.flags
        assert obstacle(chosen, rejected, table, rule(table)) is None
        if not ranked:
            assert table.strategy == DELTA
            continue
        better, worse = ranked[chosen.id].mean, ranked[rejected.id].mean
        assert better > worse
        assert better - worse >= table.verify_gap - 1e-9
        assert better >= table.chosen_floor - 1e-9
        assert table.rejected_ceiling is None or worse <= table.rejected_ceiling + 1e-9


@examples(max_examples=40, deadline=None)
@given(marked(), tables(), st.randoms(use_true_random=False))
def test_incident_1_and_2_by_every_strategy_each_order_of_the_evidence_settles_alike(  # type: ignore[no-untyped-def]
    given_evidence: Evidence, table: PairSettings, random
) -> None:
    shuffled = [random.sample(part, len(part)) for part in given_evidence]

    assert settle(P, *shuffled, table, sides=rule(table)) == settle(P, *given_evidence, table, sides=rule(table))


@examples(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([1.0, 2.0, 3.0, 5.0, 6.5, 7.0, 8.0, 9.5]), min_size=2, max_size=9),
    st.sampled_from([0.5, 2.0, 3.0]),
    st.sampled_from([None, 2, 16]),
    st.booleans(),
)
def test_several_pairs_of_a_prompt_share_no_answer_and_are_no_more_than_wanted(
    points: list[float], min_gap: float, most: int | None, disjoint: bool
) -> None:
    table = PairSettings(strategy=ALL_GAPS, min_gap=min_gap, pairs_per_prompt=most, disjoint=disjoint)
    answers = scored(**{f"c{number}": value for number, value in enumerate(points)})

    found = settle(P, *answers, table)

    assume(isinstance(found, Pair))
    assert isinstance(found, Pair)
    pairs = [found, *found.further]
    event(str(len(pairs)))
    assert len(pairs) <= table.most_pairs
    assert all(pair.gap is not None and pair.gap >= min_gap - 1e-9 for pair in pairs)
    assert [pair.gap for pair in pairs] == sorted((pair.gap for pair in pairs), reverse=True)  # type: ignore[type-var]
    for one, other in combinations(pairs, 2):
        shared = {one.chosen, one.rejected} & {other.chosen, other.rejected}
        assert len(shared) < 2
        assert not (disjoint and shared)


def test_incident_3_the_draw_depends_on_the_prompt_and_not_on_its_ordinal() -> None:
    """Two prompts with the same answers may draw differently; the same prompt never does."""
    prompts = [PromptId(f"prompt {number}") for number in range(20)]

    def drawn(prompt: PromptId) -> tuple[str, str]:
        answers = [replace(one, prompt_id=prompt) for one in LADDER[0]]
        return sides_of(settle(prompt, answers, LADDER[1], [], PairSettings(strategy="best-random")))

    first = [drawn(prompt) for prompt in prompts]

    assert first == [drawn(prompt) for prompt in prompts]
    assert len(set(first)) > 1
