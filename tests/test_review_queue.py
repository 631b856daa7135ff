"""Which couples people are shown first: near the gate, disputed, and a random sample all along."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli_runs import Project, right_share, serving
from heard_runs import GATES, item, planted_queue, review
from judged_runs import judging, planted
from pairsmith.dataset import Texts
from pairsmith.ledger import Ledger
from pairsmith.outcomes import evidence_of
from pairsmith.recipe import Recipe
from pairsmith.records import CompletionId, Duel, EndpointName, Ranking, RequestId, Score
from pairsmith.repairing import paired_again, pairing_in
from pairsmith.running.named import as_last_run, named, stored_run
from pairsmith.show.agreement import agreement, of_run
from pairsmith.show.queue import HELD_BACK, Item, in_order, items, orders_of, queue
from pairsmith.show.weighed import cell

# --- the order --------------------------------------------------------------------------------------


def test_of_every_five_two_are_near_the_gate_one_is_disputed_and_two_are_of_the_random_sample() -> None:
    first, _ = planted_queue(Random(1), 400)

    assert [one.why for one in first[:10]] == ["close", "sample", "disagree", "close", "sample"] * 2
    assert Counter(one.band for one in first[:100] if one.why == "close") == {"below": 20, "above": 20}


def test_the_order_is_that_of_the_content_however_the_couples_are_given() -> None:
    first, _ = planted_queue(Random(1), 60)
    mixed = [replace(one, why="sample", draw=None) for one in Random(2).sample(first, len(first))]

    assert in_order(mixed) == first


@given(st.lists(st.tuples(st.floats(0.1, 9.0) | st.none(), st.booleans()), max_size=40))
def test_every_couple_is_shown_once(couples: list[tuple[float | None, bool]]) -> None:
    given_ = [item(str(place), gap, disagree=disagree) for place, (gap, disagree) in enumerate(couples)]
    shown = in_order(given_)

    assert sorted(one.key for one in shown) == sorted(one.key for one in given_)


def test_the_sample_goes_through_the_pairs_in_an_order_that_says_nothing_of_them() -> None:
    first, _ = planted_queue(Random(3), 2000)
    pairs = [one for one in first if one.draw is not None]
    drawn = [one for one in pairs if one.draw is not None and one.draw < 200]

    assert sorted(one.draw for one in pairs if one.draw is not None) == list(range(len(pairs)))
    assert fmean(one.disagree for one in drawn) == pytest.approx(fmean(one.disagree for one in pairs), abs=0.07)


def test_of_each_kind_those_that_were_shown_are_the_first_by_hash() -> None:
    first, _ = planted_queue(Random(4), 300)
    for kind in set(map(cell, first)):
        alike = [one.key for one in first if cell(one) == kind]
        shown = [one.key for one in first[:111] if cell(one) == kind]

        assert sorted(shown) == sorted(alike)[: len(shown)]


def test_without_points_nothing_is_near_a_gate_and_the_sample_takes_the_places() -> None:
    first = in_order(item(str(place), None, disagree=place < 2) for place in range(6))

    assert {one.why for one in first} == {"sample", "disagree"}
    assert not any(one.band for one in first)


def test_the_band_below_the_gate_reaches_to_verify_gap_and_the_one_above_a_point_further() -> None:
    assert [GATES.band(gap) for gap in (None, 0.9, 1.0, 2.9, 3.0, 3.9, 4.0)] == [
        "", "", "below", "below", "above", "above", "",
    ]  # fmt: skip


# --- the judges' orders -----------------------------------------------------------------------------

A, B = CompletionId("a"), CompletionId("b")
CALL, ONE, TWO = RequestId("call"), EndpointName("one"), EndpointName("two")


def points(judge: EndpointName, better: float, worse: float) -> list[Score]:
    return [Score(A, judge, better, "", CALL), Score(B, judge, worse, "", CALL)]


def duel(judge: EndpointName, first: CompletionId, winner: CompletionId | None) -> Duel:
    return Duel(first, B if first == A else A, winner, judge, "", CALL)


def ranking(judge: EndpointName, *order: CompletionId) -> Ranking:
    return Ranking(order, order, judge, "", CALL)


@pytest.mark.parametrize(
    ("scores", "duels", "rankings", "orders", "disagree"),
    [
        ([*points(ONE, 8, 5), *points(TWO, 6, 6)], [], [], ((ONE, 1), (TWO, 0)), False),
        ([*points(ONE, 8, 5), *points(TWO, 4, 6)], [], [], ((ONE, 1), (TWO, -1)), True),
        (points(ONE, 6, 6), [duel(ONE, A, A), duel(ONE, B, A)], [], ((ONE, 1),), False),
        (points(ONE, 8, 6), [duel(ONE, A, A), duel(ONE, B, None)], [], ((ONE, 1),), True),
        (points(ONE, 8, 6), [duel(ONE, A, B)], [], ((ONE, 1),), True),
        ([], [], [ranking(ONE, A, B), ranking(ONE, B, A)], ((ONE, 0),), True),
        ([Score(A, ONE, 9, "", CALL)], [], [], (), False),
    ],
)
def test_each_judge_orders_a_couple_by_points_else_by_what_it_compared_and_conflicts_are_disagreement(
    scores: list[Score], duels: list[Duel], rankings: list[Ranking], orders: object, disagree: bool
) -> None:
    body = evidence_of((), scores, duels, rankings)

    assert orders_of(body, A, B) == (orders, disagree)


# --- of a run ---------------------------------------------------------------------------------------


COUNT = 24


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """24 prompts with answers of planted quality, and two judges who see all of them."""
    with serving() as server:
        folder, models = tmp_path_factory.mktemp("judged"), ("sim-judge-middle", "sim-judge-noisy")
        project = judging(folder, server, planted(COUNT), models, escalate_within=[9])
        project.run()
        yield project


@contextmanager
def opened(project: Project) -> Iterator[tuple[Ledger, Recipe, str]]:
    what = named(project.run_dir, None)
    with stored_run(what.folder) as (ledger, digest):
        yield ledger, as_last_run(what), digest


def truth(project: Project, ledger: Ledger, shown: Sequence[Item]) -> list[int]:
    """Of each couple: 1 where the one that the judges prefer is really better, -1 where it is worse."""
    prompts, texts = {prompt.id: prompt for prompt in ledger.prompts()}, Texts(ledger)
    both = [text for one in shown for text in texts.of_sides(prompts[one.prompt], one.chosen, one.rejected)]
    quality = [float(known or 0) for known in project.server.truth(both)]
    return [(better > worse) - (better < worse) for better, worse in zip(quality[::2], quality[1::2], strict=True)]


def test_the_pairs_of_a_run_are_asked_about_and_what_the_gates_on_points_kept_out(judged: Project) -> None:
    with opened(judged) as run:
        shown = items(*run)
    pairs = {proof["prompt_id"] for proof in judged.proofs}
    reasons = dict(judged.sql("SELECT p.hash, o.reason FROM outcomes o JOIN prompts p ON p.id = o.prompt"))

    assert {one.prompt for one in shown if one.exported} == pairs
    assert {reasons[one.prompt] for one in shown if not one.exported} <= HELD_BACK
    assert len(shown) == COUNT - list(reasons.values()).count("tie")


def test_another_gate_gives_as_many_pairs_as_the_agreement_says(judged: Project) -> None:
    with opened(judged) as (ledger, recipe, digest):
        found, way = of_run(ledger, recipe, digest).gate, pairing_in(recipe, ledger, digest)
        assert found is not None
        ways = [replace(way, settings=way.settings.at(step.min_gap)) for step in found.steps]
        again = [kinds for _, kinds in paired_again(ledger.outcomes(digest), ways, Texts(ledger))]

    counted = [sum(kinds[place].kind == "pair" for kinds in again) for place in range(len(ways))]
    assert [step.pairs for step in found.steps] == counted
    assert next(step.pairs for step in found.steps if step.current) == len(judged.pairs)


def test_reviewers_who_see_the_truth_find_the_pairs_as_right_as_they_are(judged: Project) -> None:
    with opened(judged) as (ledger, recipe, digest):
        shown, gates = queue(ledger, recipe, digest)
        labels = truth(judged, ledger, shown)
    found = agreement(shown, [review(one, label) for one, label in zip(shown, labels, strict=True)], gates)
    pairs = {one.key for one in shown if one.exported}
    right = [label for one, label in zip(shown, labels, strict=True) if one.key in pairs and label]

    assert found.sample.accuracy.rate == found.estimate.rate == fmean(label == 1 for label in right)
    assert found.sample.accuracy.rate == pytest.approx(right_share(judged.server, judged.pairs), abs=0.05)


def test_prompts_that_people_settled_before_are_not_asked_about(tmp_path: Path) -> None:
    rows = [{"prompt": "Go", "original": "Bye", "edited": "Goodbye, all."}, *planted(1)]
    with serving() as server:
        project = judging(tmp_path, server, rows)
        project.run()
        with opened(project) as run:
            shown = items(*run)

    assert len(project.pairs) == 2
    assert len(shown) == 1
