from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st
from pair_makers import CLOSE_POINTS, SETTINGS, Evidence, P, completion, duel, evidence, score, scored, settled

from pairsmith.pair.gates import Strategy, settle
from pairsmith.pair.select import Standing
from pairsmith.pair.settings import PairSettings
from pairsmith.records import (
    Abstention,
    Duel,
    EndpointName,
    Flag,
    JudgeNoise,
    Noise,
    Pair,
    PromptId,
    Settlement,
    Undecided,
)

# --- invariants ---------------------------------------------------------------------------------


@given(evidence(), SETTINGS, st.randoms(use_true_random=False))
def test_incident_1_and_2_every_order_of_the_same_evidence_settles_alike(  # type: ignore[no-untyped-def]
    given_evidence: Evidence, settings: PairSettings, random
) -> None:
    shuffled = [list(part) for part in given_evidence]
    for part in shuffled:
        random.shuffle(part)

    assert settle(P, shuffled[0], shuffled[1], shuffled[2], settings) == settle(P, *given_evidence, settings)


@given(st.permutations(["good", "fair", "poor", "worse"]))
def test_incident_1_the_judges_favourite_is_chosen_wherever_it_stands(order: list[str]) -> None:
    points = {"good": 9.0, "fair": 6.0, "poor": 4.0, "worse": 2.0}

    pair = settled(scored(**{ident: points[ident] for ident in order}))

    assert isinstance(pair, Pair)
    assert (pair.chosen, pair.rejected, pair.gap) == ("good", "worse", 7.0)


@given(evidence(), SETTINGS)
def test_incidents_6_10_13_a_pair_has_two_usable_different_scored_sides_a_gap_apart(
    given_evidence: Evidence, settings: PairSettings
) -> None:
    pair = settle(P, *given_evidence, settings)
    event(type(pair).__name__)
    if isinstance(pair, Abstention):
        return

    completions, scores, _ = given_evidence
    sides = (pair.chosen, pair.rejected) if isinstance(pair, Pair) else (pair.first, pair.second)
    chosen, rejected = (next(one for one in completions if one.id == side) for side in sides)
    assert not chosen.flags and not rejected.flags
    assert " ".join(chosen.text.split()) != " ".join(rejected.text.split())
    assert {chosen.id, rejected.id} <= {one.completion for one in scores}
    assert not isinstance(pair, Pair) or pair.gap >= settings.verify_gap - 1e-9


@given(evidence(), SETTINGS)
def test_incident_8_every_prompt_settles_into_exactly_one_named_outcome(
    given_evidence: Evidence, settings: PairSettings
) -> None:
    outcome = settle(P, *given_evidence, settings)

    reasons = {"too_few_scored", "tie", "gap_too_small", "chosen_below_floor", "equal_sides"}
    reasons |= {"duel_tie", "order_conflict", "judges_disagree"}
    assert isinstance(outcome, Pair | Undecided) or (outcome.reason in reasons and outcome.detail)


@given(evidence(CLOSE_POINTS), st.data())
def test_duels_of_an_undecided_couple_decide_it(given_evidence: Evidence, data: st.DataObject) -> None:
    completions, scores, _ = given_evidence
    settings = PairSettings(min_gap=3, verify_gap=0.3)
    undecided = settle(P, completions, scores, [], settings)
    assume(isinstance(undecided, Undecided))
    first, second = undecided.first, undecided.second  # type: ignore[union-attr]
    winners = [data.draw(st.sampled_from([first, second, None])) for _ in range(2)]

    outcome = settle(
        P, completions, scores, [duel(first, second, winners[0]), duel(second, first, winners[1])], settings
    )

    if winners == [first, first]:
        assert isinstance(outcome, Pair)
        assert (outcome.chosen, outcome.rejected) == (first, second)
    else:
        assert isinstance(outcome, Abstention)


# --- the gates ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_evidence", "reason", "detail"),
    [
        (([], [], []), "too_few_scored", "0 of 0 completions can be used and has a score"),
        (scored(a=9), "too_few_scored", "1 of 1 completions"),
        (scored(a=7, b=7, c=7), "tie", "all 3 at 7.0"),
        (scored(a=7, b=6.5), "gap_too_small", "0.5 < 1.0"),
        (scored(a=5.5, b=1), "chosen_below_floor", "5.5 < 6.0"),
        (scored(a=5.5, b=5), "gap_too_small", "0.5 < 1.0"),
    ],
)
def test_what_gives_no_pair_says_why(given_evidence: Evidence, reason: str, detail: str) -> None:
    outcome = settled(given_evidence)

    assert isinstance(outcome, Abstention)
    assert (outcome.prompt_id, outcome.reason) == (P, reason)
    assert outcome.detail.startswith(detail)


def test_the_floor_stands_before_the_duel_so_that_none_is_paid_in_vain() -> None:
    outcome = settled(scored(a=5, b=3.5))

    assert isinstance(outcome, Abstention)
    assert outcome.reason == "chosen_below_floor"


@pytest.mark.parametrize("gap", [3.0, 0.1 + 0.2 + 2.7])
def test_a_gap_of_min_gap_is_enough_whatever_the_last_bit_says(gap: float) -> None:
    assert isinstance(settled(scored(a=9, b=9 - gap)), Pair)
    assert isinstance(settled(scored(a=9, b=9 - gap), min_gap=gap - 1e-12, verify_gap=1), Pair)
    assert isinstance(settled(scored(a=9, b=9 - gap), min_gap=gap + 1e-12, verify_gap=1), Pair)


def test_incident_13_a_tie_never_pairs_however_low_the_gate() -> None:
    outcome = settled(scored(a=7, b=7), min_gap=1e-12)

    assert isinstance(outcome, Abstention)
    assert outcome.reason == "tie"


def test_incident_13_one_completion_without_a_score_costs_only_itself() -> None:
    completions, scores, _ = scored(a=9, b=2)

    assert isinstance(settled(([*completions, completion("c")], scores, [])), Pair)


def test_incident_6_a_failed_or_screened_completion_is_never_a_side() -> None:
    completions = [completion("a"), completion("b"), completion("cut", None, Flag.CUT_OFF)]
    scores = [score("a", 8), score("b", 4), score("cut", 1), score("failed", 1)]

    pair = settled((completions, scores, []))

    assert isinstance(pair, Pair)
    assert (pair.chosen, pair.rejected) == ("a", "b")


def test_incident_10_sides_that_are_equal_after_folding_are_not_exported() -> None:
    completions = [completion("a", "caf\u00e9 noir"), completion("b", "cafe\u0301  noir\n")]

    outcome = settled((completions, [score("a", 9), score("b", 2)], []))

    assert isinstance(outcome, Abstention)
    assert outcome.reason == "equal_sides"


def test_incident_10_another_reject_is_taken_where_the_worst_equals_the_best() -> None:
    completions = [completion("a", "same"), completion("b", "same "), completion("c", "something else")]

    pair = settled((completions, [score("a", 9), score("b", 2), score("c", 2.5)], []))

    assert isinstance(pair, Pair)
    assert pair.rejected == "c"


def test_incident_3_completions_of_another_prompt_are_refused() -> None:
    stranger = replace(completion("a"), prompt_id=PromptId("q"))

    with pytest.raises(ValueError, match="another prompt"):
        settle(P, [stranger], [], [], PairSettings())


def test_incident_7_a_pair_names_ids_and_holds_no_text() -> None:
    completions = [completion("a", "the good text"), completion("b", "the bad text")]

    pair = settled((completions, [score("a", 9), score("b", 2)], []))

    assert "text" not in repr(pair)


# --- means --------------------------------------------------------------------------------------


def test_scores_are_averaged_over_the_judges_that_saw_a_completion() -> None:
    completions, scores, _ = scored(a=9, b=8.5, c=4)
    second = [score("a", 6, "k"), score("b", 8.5, "k")]

    pair = settled((completions, scores + second, []))

    assert isinstance(pair, Pair)
    assert (pair.chosen, pair.gap, pair.judges) == ("b", 4.5, ("j", "k"))


def test_a_judge_that_was_asked_twice_counts_once() -> None:
    completions, scores, _ = scored(a=9, b=2)
    again = [replace(score("a", 9), request_id="again"), score("a", 3, "k")]  # type: ignore[arg-type]

    pair = settled((completions, scores + again, []))

    assert isinstance(pair, Pair)
    assert pair.gap == 4.0


# --- duels --------------------------------------------------------------------------------------

CLOSE = scored(a=8, b=6)


def after(*duels: Duel) -> object:
    return settled((CLOSE[0], CLOSE[1], list(duels)))


@pytest.mark.parametrize(
    "duels",
    [[], [duel("a", "b", "a")], [duel("a", "b", "a"), duel("a", "b", "a", "k")], [duel("a", "c", "a")]],
)
def test_a_close_call_is_undecided_until_both_orders_were_judged(duels: list[Duel]) -> None:
    assert after(*duels) == Undecided("a", "b")  # type: ignore[arg-type]


@pytest.mark.parametrize("judge", ["j", "k"])
def test_a_close_call_is_a_pair_when_both_orders_agree_with_the_scores(judge: str) -> None:
    pair = after(duel("a", "b", "a"), duel("b", "a", "a", judge))

    assert isinstance(pair, Pair)
    assert (pair.chosen, pair.rejected, pair.gap) == ("a", "b", 2.0)
    assert pair.judges == tuple(sorted({"j", judge}))


@pytest.mark.parametrize(
    ("winners", "reason", "detail"),
    [
        ((None, None), "duel_tie", "better shown first: tie; worse shown first: tie"),
        (("a", "b"), "order_conflict", "better shown first: better wins; worse shown first: worse wins"),
        (("b", "a"), "order_conflict", "better shown first: worse wins; worse shown first: better wins"),
        (("a", None), "order_conflict", "better shown first: better wins; worse shown first: tie"),
        ((None, "b"), "order_conflict", "better shown first: tie; worse shown first: worse wins"),
        (("b", "b"), "judges_disagree", "better shown first: worse wins; worse shown first: worse wins"),
    ],
)
def test_duels_that_do_not_confirm_the_scores_give_no_pair(
    winners: tuple[str | None, str | None], reason: str, detail: str
) -> None:
    outcome = after(duel("a", "b", winners[0]), duel("b", "a", winners[1]))

    assert outcome == Abstention(P, reason, detail)


def test_no_duel_is_wanted_where_verify_gap_equals_min_gap() -> None:
    outcome = settled(CLOSE, min_gap=3, verify_gap=3)

    assert isinstance(outcome, Abstention)
    assert (outcome.reason, outcome.detail) == ("gap_too_small", "2.0 < 3.0")


def test_a_wide_gap_needs_no_duel_and_none_can_undo_it() -> None:
    completions, scores, _ = scored(a=9, b=2)

    pair = settled((completions, scores, [duel("a", "b", "b"), duel("b", "a", "b")]))

    assert isinstance(pair, Pair)
    assert pair.provenance["rule"] == "gap"


# --- provenance ---------------------------------------------------------------------------------


def test_a_pair_names_every_call_that_it_rests_on() -> None:
    duels = [duel("b", "a", "a", "k"), duel("a", "b", "a")]

    pair = after(*duels)

    assert isinstance(pair, Pair)
    assert pair.provenance == {
        "strategy": "best-worst",
        "rule": "duels",
        "chosen": {"mean": 8, "scores": [{"judge": "j", "score": 8, "request_id": "j on a"}]},
        "rejected": {"mean": 6, "scores": [{"judge": "j", "score": 6, "request_id": "j on b"}]},
        "duels": [
            {"judge": "j", "first": "a", "second": "b", "winner": "a", "request_id": "a b j"},
            {"judge": "k", "first": "b", "second": "a", "winner": "a", "request_id": "b a k"},
        ],
    }


# --- what is known of the judges ----------------------------------------------------------------


def known(**judges: tuple[float, float]) -> Noise:
    """(variance, offset) by judge."""
    return Noise({EndpointName(name): JudgeNoise(*one) for name, one in judges.items()}, 2.0, 32, 400)


def weighed(noise: Noise, **settings: float) -> Settlement:
    """The first judge prefers a, the second b."""
    completions, scores, _ = scored(a=9, b=6)
    return settle(
        P,
        completions,
        [*scores, score("a", 6, "k"), score("b", 9, "k")],
        [],
        PairSettings.model_validate({"verify_gap": 0.1, **settings}),
        noise,
    )


def test_judges_of_which_nothing_is_known_count_the_same() -> None:
    outcome = weighed(Noise())

    assert isinstance(outcome, Abstention)
    assert outcome.reason == "tie"


@pytest.mark.parametrize(("variances", "better"), [((0.5, 2.0), "a"), ((2.0, 0.5), "b")])
def test_the_judge_that_errs_less_counts_for_more(variances: tuple[float, float], better: str) -> None:
    outcome = weighed(known(j=(variances[0], 0.0), k=(variances[1], 0.0)))

    assert isinstance(outcome, Undecided)
    assert outcome.first == better


def test_a_strict_judge_is_brought_to_the_scale_of_the_first() -> None:
    completions, _, _ = scored(a=0, b=0)
    scores = [score("a", 6, "k"), score("b", 3, "k")]

    lenient, strict = (
        settle(P, completions, scores, [], PairSettings(chosen_floor=7), known(j=(1.0, 0.0), k=(1.0, offset)))
        for offset in (0.0, -2.0)
    )

    assert isinstance(lenient, Abstention)
    assert isinstance(strict, Pair)
    assert strict.gap == 3.0


@given(evidence(), SETTINGS, st.randoms(use_true_random=False))
def test_incident_1_and_2_every_order_of_the_same_evidence_settles_alike_also_where_judges_are_weighed(  # type: ignore[no-untyped-def]
    given_evidence: Evidence, settings: PairSettings, random
) -> None:
    noise = known(j1=(0.9, 0.0), j2=(0.5, 0.3), j3=(2.0, -1.0))
    shuffled = [random.sample(part, len(part)) for part in given_evidence]

    assert settle(P, *shuffled, settings, noise) == settle(P, *given_evidence, settings, noise)


# --- a strategy of the user's own ---------------------------------------------------------------

MINE = "mine.py:pick"


def picking(chosen: str, rejected: str) -> Strategy:
    def pick(ranked: Sequence[Standing]) -> tuple[Standing, Standing]:
        by_id = {one.completion.id: one for one in ranked}
        return by_id[chosen], by_id[rejected]  # type: ignore[index]

    return pick


def chosen_by(strategy: Strategy, evidence_: Evidence, **settings: float) -> Settlement:
    return settle(P, *evidence_, PairSettings.model_validate({"strategy": MINE, **settings}), strategy=strategy)


def test_a_strategy_picks_other_sides_than_the_best_and_the_worst() -> None:
    pair = chosen_by(picking("b", "c"), scored(a=9, b=8, c=4, d=1))

    assert isinstance(pair, Pair)
    assert (pair.chosen, pair.rejected, pair.gap, pair.provenance["strategy"]) == ("b", "c", 4.0, MINE)


def test_a_strategy_is_shown_the_standings_best_first() -> None:
    shown: list[str] = []

    def pick(ranked: Sequence[Standing]) -> None:
        shown.extend(one.completion.id for one in ranked)

    chosen_by(pick, scored(c=4, a=9, b=8))

    assert shown == ["a", "b", "c"]


def test_a_strategy_that_picks_nothing_abstains_and_is_named() -> None:
    outcome = chosen_by(lambda ranked: None, scored(a=9, b=1))

    assert outcome == Abstention(P, "strategy_declined", "mine.py:pick picks no pair")


def test_a_strategy_is_not_asked_where_no_pair_can_come() -> None:
    def pick(ranked: Sequence[Standing]) -> None:
        raise AssertionError

    outcome = chosen_by(pick, scored(a=7, b=7))

    assert isinstance(outcome, Abstention)
    assert outcome.reason == "tie"


@pytest.mark.parametrize(
    ("picks", "reason"),
    [(("c", "d"), "gap_too_small"), (("d", "e"), "chosen_below_floor"), (("b", "B"), "equal_sides")],
)
def test_the_gates_hold_for_what_a_strategy_picks(picks: tuple[str, str], reason: str) -> None:
    completions, scores, _ = scored(a=9, b=8, c=5.5, d=5, e=1)

    outcome = chosen_by(picking(*picks), ([*completions, completion("B", "b ")], [*scores, score("B", 2)], []))

    assert isinstance(outcome, Abstention)
    assert outcome.reason == reason


def test_a_close_call_of_a_strategy_is_decided_by_duels_like_any() -> None:
    completions, scores, _ = scored(a=9, b=8, c=6, d=1)
    duels = [duel("b", "c", "b"), duel("c", "b", "b")]

    before = chosen_by(picking("b", "c"), (completions, scores, []))
    after_both = chosen_by(picking("b", "c"), (completions, scores, duels))

    assert before == Undecided("b", "c")  # type: ignore[arg-type]
    assert isinstance(after_both, Pair)
    assert after_both.chosen == "b"
