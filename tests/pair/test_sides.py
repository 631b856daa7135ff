"""A pair has its two sides from where the recipe wants them, or there is none."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import assume, event, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pair_makers import CLOSE_POINTS, ORIGINS, POINTS, SETTINGS, SIDES, Evidence, P, completion, duel, evidence, score

from pairsmith.pair.gates import settle
from pairsmith.pair.outlook import ALTERNATIVES, gate_evidence, outlook
from pairsmith.pair.select import standings
from pairsmith.pair.settings import PairSettings
from pairsmith.pair.sides import ALL, Sides, read_sides
from pairsmith.records import Abstention, Completion, Pair, Settlement, Undecided

ENDPOINTS = ("student", "teacher")
ANY_EVIDENCE = evidence(st.one_of(POINTS, CLOSE_POINTS), ORIGINS)


def rule(written: str) -> Sides:
    return Sides(read_sides(written), ENDPOINTS)


def both(found: Pair | Undecided, completions: list[Completion]) -> tuple[Completion, Completion]:
    ids = (found.chosen, found.rejected) if isinstance(found, Pair) else (found.first, found.second)
    chosen, rejected = (next(one for one in completions if one.id == ident) for ident in ids)
    return chosen, rejected


# --- what must always hold --------------------------------------------------------------------------


@examples(max_examples=60, deadline=None)
@given(ANY_EVIDENCE, SETTINGS, SIDES)
def test_whatever_the_scores_a_couple_that_is_settled_on_is_an_allowed_one(
    given_evidence: Evidence, settings: PairSettings, sides: Sides
) -> None:
    found = settle(P, *given_evidence, settings, sides=sides)

    event(found.reason if isinstance(found, Abstention) else type(found).__name__)
    assert isinstance(found, Abstention) or sides.allow(*both(found, given_evidence[0]))


@examples(max_examples=60, deadline=None)
@given(ANY_EVIDENCE, SETTINGS, SIDES)
def test_no_couple_is_missed_and_sides_are_blamed_only_for_what_they_cost(
    given_evidence: Evidence, settings: PairSettings, sides: Sides
) -> None:
    completions, scores, _ = given_evidence
    ranked = standings(completions, scores)
    passing = [
        (chosen, rejected)
        for chosen in ranked
        for rejected in ranked
        if chosen.mean - rejected.mean >= settings.verify_gap - 1e-9
        and chosen.mean >= settings.chosen_floor - 1e-9
        and sides.allow(chosen.completion, rejected.completion)
    ]
    texts = {" ".join(unicodedata.normalize("NFC", one.completion.text).split()) for one in ranked}
    assume(len(texts) == len(ranked))  # as the screens leave them
    anyhow = settle(P, completions, scores, [], settings)

    found = settle(P, completions, scores, [], settings, sides=sides)

    assert isinstance(found, Abstention) == (not passing)
    if isinstance(anyhow, Abstention):
        assert found == anyhow
    elif isinstance(found, Abstention):
        assert found.reason == "sides_missing"


@examples(max_examples=30, deadline=None)
@given(ANY_EVIDENCE, SETTINGS, st.randoms(use_true_random=False), SIDES)
def test_incident_1_and_2_with_sides_too_every_order_of_the_evidence_settles_alike(  # type: ignore[no-untyped-def]
    given_evidence: Evidence, settings: PairSettings, random, sides: Sides
) -> None:
    shuffled = [list(part) for part in given_evidence]
    for part in shuffled:
        random.shuffle(part)

    found = settle(P, shuffled[0], shuffled[1], shuffled[2], settings, sides=sides)  # type: ignore[arg-type]

    assert found == settle(P, *given_evidence, settings, sides=sides)


@examples(max_examples=50, deadline=None)
@given(ANY_EVIDENCE, SETTINGS, SIDES, st.sampled_from([0.5, *ALTERNATIVES]))
def test_what_another_gate_would_give_is_what_it_gives(
    given_evidence: Evidence, settings: PairSettings, sides: Sides, min_gap: float
) -> None:
    assume(min_gap != settings.min_gap)
    other = PairSettings(
        min_gap=min_gap, verify_gap=min(settings.verify_gap, min_gap), chosen_floor=settings.chosen_floor
    )

    seen = outlook([gate_evidence(*given_evidence, settings, sides=sides)], settings, [min_gap])

    assert seen.pairs == isinstance(settle(P, *given_evidence, settings, sides=sides), Pair)
    assert seen.alternatives == ((min_gap, isinstance(settle(P, *given_evidence, other, sides=sides), Pair)),)


@examples(max_examples=50, deadline=None)
@given(ANY_EVIDENCE, SETTINGS, SIDES, st.data())
def test_not_even_a_strategy_of_the_users_gets_a_disallowed_couple(
    given_evidence: Evidence, settings: PairSettings, sides: Sides, data: st.DataObject
) -> None:
    found = settle(
        P,
        *given_evidence,
        settings,
        strategy=lambda ranked: sorted(data.draw(st.permutations(ranked))[:2], key=ranked.index),  # type: ignore[return-value, arg-type]
        sides=sides,
    )

    assert isinstance(found, Abstention) or sides.allow(*both(found, given_evidence[0]))


# --- which couple -----------------------------------------------------------------------------------


def answers(**points: float) -> Evidence:
    """Completions named s1, t1, … by who gave them."""
    endpoints = {"s": "student", "t": "teacher"}
    made = [completion(name, endpoint=endpoints[name[0]]) for name in points]
    return made, [score(name, value) for name, value in points.items()], []


def found(given_evidence: Evidence, written: str, **settings: float) -> Settlement:
    return settle(P, *given_evidence, PairSettings.model_validate(settings), sides=rule(written))


@pytest.mark.parametrize(
    ("written", "pair"),
    [
        ("any", ("t1", "t2")),
        ("one-from:student", ("t1", "s2")),
        ("one-from:teacher", ("t1", "t2")),
        ("chosen-from:student", ("s1", "t2")),
        ("rejected-from:student", ("t1", "s2")),
        ("chosen-from:student,rejected-from:student", ("s1", "s2")),
        ("chosen-from: teacher , rejected-from: student", ("t1", "s2")),
        ("chosen-from:student|teacher", ("t1", "t2")),
    ],
)
def test_best_against_worst_among_the_couples_that_are_allowed(written: str, pair: tuple[str, str]) -> None:
    outcome = found(answers(t1=9, s1=8, s2=3, t2=2), written)

    assert isinstance(outcome, Pair)
    assert (outcome.chosen, outcome.rejected) == pair


def test_of_two_couples_equally_wide_the_one_with_the_better_chosen_is_taken() -> None:
    outcome = found(answers(t1=9, s1=8, s2=3, t2=2), "one-from:student")

    assert isinstance(outcome, Pair)
    assert (outcome.chosen, outcome.gap) == ("t1", 6.0)


def test_a_couple_above_the_floor_is_taken_before_a_wider_one_below_it() -> None:
    outcome = found(answers(t1=7, s1=5, t2=1), "one-from:student", min_gap=1)

    assert isinstance(outcome, Pair)
    assert (outcome.chosen, outcome.rejected) == ("t1", "s1")


@pytest.mark.parametrize(
    ("given_evidence", "reason"),
    [
        (answers(t1=9, t2=2), "sides_missing"),
        (answers(t1=9, s1=8.5, t2=2), "sides_missing"),
        (answers(s1=9, t1=2), "sides_missing"),
        (answers(t1=9, s1=8.5), "gap_too_small"),
        (answers(t1=5, s1=2), "chosen_below_floor"),
    ],
)
def test_sides_are_the_reason_only_where_there_would_be_a_couple_without_them(
    given_evidence: Evidence, reason: str
) -> None:
    outcome = found(given_evidence, "chosen-from:teacher,rejected-from:student")

    assert isinstance(outcome, Abstention)
    assert (outcome.reason, bool(outcome.detail)) == (reason, True)


def test_only_the_couple_that_is_allowed_is_compared() -> None:
    close = answers(t1=9, s1=7, t2=2)

    undecided = found(close, "rejected-from:student")
    decided = found((*close[:2], [duel("t1", "s1", "t1"), duel("s1", "t1", "t1")]), "rejected-from:student")

    assert undecided == Undecided("t1", "s1")  # type: ignore[arg-type]
    assert isinstance(decided, Pair)


def test_an_endpoint_wins_over_an_arm_of_the_same_name() -> None:
    named = completion("a", arm="teacher", endpoint="student")
    asked = completion("b", arm="T1", endpoint="teacher")

    assert not rule("chosen-from:teacher").allow(named, asked)
    assert rule("chosen-from:teacher").allow(asked, named)
    assert replace(rule("chosen-from:teacher"), endpoints=()).allow(named, asked)


def test_what_was_given_is_an_arm() -> None:
    given_one = completion("a", arm="given", endpoint=None)

    assert rule("rejected-from:given").allow(completion("b"), given_one)
    assert not rule("chosen-from:given").allow(completion("b"), given_one)


# --- as it is written -------------------------------------------------------------------------------


def test_any_names_nobody_and_allows_everything() -> None:
    assert read_sides("any") == ALL.parts == {}


@pytest.mark.parametrize(
    "written",
    ["", "student", "one-from", "one-from:", "one-from: |a", "two-from:a", "any, one-from:a", "chosen-from:a,",
     "chosen-from:a,chosen-from:b", "chosen-from:a;rejected-from:b,"],
)  # fmt: skip
def test_anything_else_is_refused_with_what_it_takes(written: str) -> None:
    with pytest.raises(ValueError, match='is not known: take "any", "one-from:NAME", or "chosen-from:NAME, '):
        PairSettings(sides=written)


def test_given_means_given_answers_of_any_origin_and_nothing_that_was_sampled() -> None:
    with_origin = completion("a", arm="given:v2", endpoint=None)
    sampled = completion("b", arm="given:v2", endpoint="student")
    sides = Sides(read_sides("chosen-from:given"))

    assert sides.allow(with_origin, sampled)
    assert not sides.allow(sampled, with_origin)
