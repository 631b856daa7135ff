"""How far judges and people agree, and whether the gate should move: counts, estimates and advice."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from statistics import fmean

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard_runs import GATES, item, numbered, planted_queue, review, reviewed
from pairsmith.cli.agreed import as_json, as_text
from pairsmith.judge.rates import share
from pairsmith.ledger import Review, Said
from pairsmith.records import EndpointName
from pairsmith.show.agreement import LEAST, Agreement, agreement, sentences
from pairsmith.show.gate_advice import Advice
from pairsmith.show.queue import Item, in_order

ONE, TWO = EndpointName("one"), EndpointName("two")


def agreed(couples: list[Item], reviews: list[Review], prompts: int = 100) -> Agreement:
    return agreement(in_order(couples), numbered(reviews), replace(GATES, prompts=prompts))


def said(couples: list[Item], *labels: int | None, reviewer: str = "ann") -> list[Review]:
    return [review(one, label, reviewer) for one, label in zip(couples, labels, strict=True)]


def named(count: int, gap: float | None = 5.0, **known: object) -> list[Item]:
    return [item(f"{gap} {place} {known}", gap, **known) for place in range(count)]


# --- who said what ----------------------------------------------------------------------------------


def test_the_chosen_answer_is_right_where_people_prefer_it_and_ties_and_bad_prompts_decide_nothing() -> None:
    couples = named(6)
    found = agreed(couples, said(couples, 1, 1, 1, -1, 0, None))

    assert found.shown.accuracy == share(3, 4)
    assert (found.shown.ties, found.ties, found.bad_prompts, found.verdicts) == (1, 1, 1, 6)


def test_an_edit_is_a_preference_for_the_answer_that_was_mended() -> None:
    couples = named(1)
    found = agreed(couples, [review(couples[0], 1, said=Said.EDIT)])

    assert (found.edits, found.shown.accuracy.rate) == (1, 1.0)


def test_what_most_reviewers_say_counts_and_a_draw_is_a_tie() -> None:
    couples = named(2)
    reviews = [review(couples[0], label, who) for label, who in ((1, "ann"), (1, "bob"), (-1, "cy"))]
    reviews += [review(couples[1], label, who) for label, who in ((1, "ann"), (-1, "bob"))]
    found = agreed(couples, reviews)

    assert found.shown.accuracy == share(1, 1)
    assert found.shown.ties == 1


def test_verdicts_on_couples_that_the_run_has_no_more_are_counted_apart() -> None:
    couples, gone = named(2), item("gone")
    found = agreed(couples, [*said(couples, 1, 1), review(gone, -1)])

    assert (found.verdicts, found.elsewhere, found.shown.accuracy.n) == (2, 1, 2)


SOME = st.lists(st.tuples(st.integers(0, 5), st.sampled_from((1, 0, -1, None)), st.sampled_from("abc")), max_size=30)


@given(SOME)
def test_every_verdict_is_counted_once(some: list[tuple[int, int | None, str]]) -> None:
    couples = named(6)
    found = agreed(couples, [review(couples[at], label, who) for at, label, who in some])
    shown = found.shown

    assert (
        found.verdicts
        == len({(at, who) for at, _, who in some})
        == sum(one.verdicts for one in found.reviewers.values())
    )
    bad = sum(one.accuracy.n + one.ties for one in (shown,))
    assert found.couples == len({at for at, *_ in some}) >= bad


@given(SOME, st.data())
def test_what_a_reviewer_said_before_of_the_same_couple_changes_nothing(
    some: list[tuple[int, int | None, str]], data: st.DataObject
) -> None:
    couples = named(6)
    reviews = [review(couples[at], label, who) for at, label, who in some]
    before = [review(couples[at], data.draw(st.sampled_from((1, 0, -1, None))), who) for at, _, who in some]

    assert agreed(couples, [*before, *reviews]) == agreed(couples, reviews)


# --- judges, families, people -----------------------------------------------------------------------


def test_each_judge_is_held_against_people_by_its_own_order_of_the_couple() -> None:
    couples = [*named(3, orders=((ONE, 1), (TWO, -1))), *named(1, orders=((ONE, 1), (TWO, 0)))]
    found = agreed(couples, said(couples, 1, 1, -1, 1))

    assert found.judges["one"].accuracy == share(3, 4)
    assert found.judges["two"].accuracy == share(1, 3)
    assert found.judges["two"].undecided == 1


def test_families_are_told_apart_and_prompts_without_one_are_in_none() -> None:
    couples = [*named(2, family="code"), *named(1, family="advice"), *named(1)]
    found = agreed(couples, said(couples, 1, -1, 1, 1))

    assert {name: one.accuracy for name, one in found.families.items()} == {"advice": share(1, 1), "code": share(1, 2)}


def test_two_reviewers_are_compared_on_what_both_saw_and_three_by_alpha_as_well() -> None:
    couples = named(4)
    found = agreed(
        couples,
        [
            *said(couples, 1, -1, 0, 1, reviewer="ann"),
            *said(couples[:3], 1, 1, 0, reviewer="bob"),
            *said(couples[3:], 1, reviewer="cy"),
        ],
    )

    assert found.between.keys() == {"ann, bob", "ann, cy"}
    assert found.between["ann, bob"].agree == share(2, 3)
    assert found.alpha is not None


def test_what_people_like_beside_quality_is_told_the_first_answer_and_the_longer_one() -> None:
    longer, shorter = named(3, characters=(20, 10)), named(2, characters=(10, 20))
    first = [review(one, label, first=at) for one, label, at in zip(longer, (1, 1, -1), (1, 1, -1), strict=True)]
    found = agreed([*longer, *shorter], [*first, *(review(one, 1, first=-1) for one in shorter)])

    assert found.first_wins == share(3, 5)
    assert found.longer_wins == share(2, 5)
    assert found.chosen_longer == share(3, 5)


# --- what is shown is hard --------------------------------------------------------------------------


def test_the_random_sample_holds_what_was_shown_before_for_another_reason_up_to_where_it_was_gone_through() -> None:
    couples = in_order([*named(20, disagree=True), *named(20)])
    wrong = [review(one, -1 if one.disagree else 1) for one in couples[:10]]
    found = agreement(couples, numbered(wrong), GATES)
    through = max(one.draw for one in couples[:10] if one.why == "sample" and one.draw is not None)
    drawn = [one for one in couples if one.draw is not None and one.draw <= through]

    assert found.sample.accuracy == share(sum(not one.disagree for one in drawn), len(drawn))


def test_estimates_hold_the_planted_truth_though_what_was_shown_is_mostly_wrong() -> None:
    """60 runs whose judges are right by the gap and toss a coin where they disagree; one person reviews 60 couples."""
    rng, held, off, shown_off = Random(1), dict[str, list[bool]](), dict[str, list[float]](), list[float]()
    for _ in range(60):
        queue, right = planted_queue(rng, 200)
        found = agreement(queue, reviewed(rng, queue[:60], right), GATES)
        truth = fmean(right[one.key] for one in queue if one.exported)
        assert found.gate is not None
        rates = {"sample": (found.sample.accuracy, truth), "estimate": (found.estimate, truth)}
        for step in found.gate.steps[:7:3]:
            pairs = [one for one in queue if one.confirmed or (one.gap or 0) >= step.min_gap]
            rates[f"{step.min_gap}"] = step.accuracy, fmean(right[one.key] for one in pairs)
        for name, (rate, true) in rates.items():
            assert rate.rate is not None and rate.low is not None and rate.high is not None
            held.setdefault(name, []).append(rate.low <= true <= rate.high)
            off.setdefault(name, []).append(rate.rate - true)
        shown_off.append((found.shown.accuracy.rate or 0) - truth)

    assert all(fmean(each) >= 0.9 for each in held.values())
    assert all(abs(fmean(each)) < 0.02 for each in off.values())
    assert fmean(shown_off) < -0.05


# --- the gate ---------------------------------------------------------------------------------------

SURE = named(60, 8.0)


def advised(close: list[Item], labels: list[int]) -> Advice:
    found = agreed([*close, *SURE], [*said(close[: len(labels)], *labels), *said(SURE[:20], *[1] * 20)])
    assert found.gate is not None
    return found.gate.advice


def test_what_the_gate_keeps_out_and_people_find_right_should_be_let_in() -> None:
    found = advised(named(40, 2.2, exported=False), [1] * 38 + [-1] * 2)

    assert (found.word, found.min_gap) == ("lower", 2.0)
    assert found.sentence == (
        "lower min_gap to 2: the judges are right in 95 % (95 %: 83–99) of 40 verdicts on what it keeps out from there "
        "on; it would give about 40 more pairs"
    )


def test_pairs_that_are_surely_wrong_too_often_should_be_kept_out() -> None:
    found = advised(named(40, 3.2), [1] * 22 + [-1] * 18)

    assert (found.word, found.min_gap) == ("raise", 3.5)
    assert found.sentence == (
        "raise min_gap to 3.5: the judges are right in 55 % (95 %: 40–69) of 40 verdicts on the 40 pairs between; "
        "two people agree in 80 %"
    )


def test_a_gate_that_parts_right_from_wrong_stays() -> None:
    above, below = named(30, 3.2), named(30, 2.2, exported=False)
    found = agreed([*above, *below], [*said(above, *[1] * 30), *said(below, *[1, -1] * 15)])

    assert found.gate is not None
    assert (found.gate.advice.word, found.gate.advice.min_gap) == ("keep", 3.0)
    assert (found.gate.above, found.gate.below) == (share(30, 30), share(15, 30))


@pytest.mark.parametrize("seen", [0, 3, 10])
def test_nothing_is_advised_before_an_interval_bears_it_out(seen: int) -> None:
    found = advised(named(400, 2.2, exported=False), [1] * seen)

    assert (found.word, found.min_gap) == ("more", 3.0)
    assert f"about {found.more} more" in found.sentence


def test_where_all_was_looked_at_and_nothing_is_clear_the_gate_stays() -> None:
    found = advised(named(10, 2.2, exported=False), [1] * 8 + [-1] * 2)

    assert found.word == "keep"
    assert found.sentence.endswith("; that is too little to move it")


def test_couples_that_a_duel_confirmed_are_pairs_at_any_gate_and_say_nothing_of_what_it_keeps_out() -> None:
    confirmed, not_ = named(5, 2.2, exported=True, confirmed=True), named(5, 2.2, exported=False)
    found = agreed([*confirmed, *not_, *SURE], [*said(confirmed, *[1] * 5), *said(not_, *[-1] * 5)])

    assert found.gate is not None
    assert found.gate.below == share(0, 5)
    assert {step.min_gap: step.pairs for step in found.gate.steps if step.min_gap in (2, 2.5, 3)} == {
        2.0: 70, 2.5: 65, 3.0: 65,
    }  # fmt: skip


def test_where_pairs_are_not_best_against_worst_by_points_nothing_is_said_of_the_gate() -> None:
    couples = named(3)

    assert agreement(couples, said(couples, 1, 1, 1), replace(GATES, usual=False)).gate is None


# --- in words ---------------------------------------------------------------------------------------


def test_below_thirty_verdicts_it_says_how_many_are_missing_and_no_figure() -> None:
    couples = named(LEAST)
    found = agreed(couples[:29], said(couples[:29], *[1] * 29))

    assert sentences(found) == ["29 verdicts so far: agreement with the judges is told after 30, 1 more"]
    assert as_json(found)["missing"] == 1
    assert as_json(found)["shown"] is None
    assert len(as_text(found)) == 3


def test_from_thirty_on_every_figure_stands_in_text_and_json() -> None:
    couples = named(LEAST, family="code", orders=((ONE, 1),))
    found = agreed(couples, [*said(couples, *[1] * 27, *[-1] * 3), *said(couples[:2], 1, 0, reviewer="bob")])
    told = "\n".join(as_text(found))

    for line in (
        "32 verdicts on 30 couples by ann, bob: 1 tie\n",
        "  all that was shown          90 % (95 %: 74–96) of 29, kappa 0.79 (95 %: 0.47–0.93)\n",
        "  judge one                   90 % (95 %: 74–96) of 29, kappa ",
        "  family code                 90 % (95 %: 74–96) of 29, kappa 0.79 (95 %: 0.47–0.93)\n",
        "  3*            30         30 %   90 % (95 %: 74–96) of 29\n",
    ):
        assert line in told
    assert orjson.loads(orjson.dumps(as_json(found)))["gate"]["advice"]["word"] == "keep"


def test_a_name_that_a_terminal_would_obey_is_shown_by_its_number() -> None:
    couples = named(LEAST)
    told = as_text(agreed(couples, said(couples, *[1] * LEAST, reviewer="\x1b[31mann")))

    assert any("\\x1b[31mann" in line for line in told)
    assert not any("\x1b" in line for line in told)
