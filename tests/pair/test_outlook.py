import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pair_makers import SETTINGS, Evidence, P, completion, duel, evidence, score, scored

from pairsmith.pair.gates import settle
from pairsmith.pair.outlook import ALTERNATIVES, GateEvidence, Outlook, gate_evidence, outlook
from pairsmith.pair.settings import PairSettings
from pairsmith.records import Pair


@given(evidence(), SETTINGS, st.sampled_from([0.5, *ALTERNATIVES]))
def test_an_alternative_gives_what_settling_again_under_it_would(
    given_evidence: Evidence, settings: PairSettings, min_gap: float
) -> None:
    assume(min_gap != settings.min_gap)
    other = PairSettings(
        min_gap=min_gap, verify_gap=min(settings.verify_gap, min_gap), chosen_floor=settings.chosen_floor
    )

    seen = outlook([gate_evidence(*given_evidence, settings)], settings, [min_gap])

    assert seen.pairs == isinstance(settle(P, *given_evidence, settings), Pair)
    assert seen.alternatives == ((min_gap, isinstance(settle(P, *given_evidence, other), Pair)),)


def test_evidence_is_the_gap_the_best_mean_and_whether_duels_agreed() -> None:
    completions, scores, _ = scored(a=8, b=6)
    duels = [duel("a", "b", "a"), duel("b", "a", "a")]

    assert gate_evidence(completions, scores, [], PairSettings()) == GateEvidence(2.0, 8.0, False)
    assert gate_evidence(completions, scores, duels[:1], PairSettings()) == GateEvidence(2.0, 8.0, False)
    assert gate_evidence(completions, scores, duels, PairSettings()) == GateEvidence(2.0, 8.0, True)


def test_a_prompt_without_two_different_scored_texts_never_yields() -> None:
    same = [completion("a", "same"), completion("b", "same ")]
    points = [score("a", 9), score("b", 2)]

    assert gate_evidence(same, points, [], PairSettings()) == GateEvidence(0.0, 9.0)
    assert gate_evidence(same[:1], points, [], PairSettings()) == GateEvidence(0.0, 0.0)


def test_a_close_call_that_was_never_duelled_counts_only_where_its_gap_passes() -> None:
    seen = outlook([GateEvidence(2.0, 9.0), GateEvidence(2.0, 9.0, confirmed=True)], PairSettings())

    assert seen.pairs == 1
    assert dict(seen.alternatives) == {1.0: 2, 1.5: 2, 2.0: 2, 2.5: 1, 3.5: 1, 4.0: 1}


def test_what_lies_below_the_floor_counts_under_no_gate() -> None:
    seen = outlook([GateEvidence(4.0, 5.0, confirmed=True)], PairSettings())

    assert {seen.pairs, *dict(seen.alternatives).values()} == {0}


def test_the_sentence_names_the_nearest_lower_gate_that_gives_notably_more() -> None:
    evidence = [GateEvidence(gap, 9.0) for gap in [4.0] * 61 + [2.5] * 2 + [2.0] * 11 + [1.0] * 16 + [0.5] * 10]

    assert outlook(evidence, PairSettings()).sentence() == (
        "gate: 61 of 100 settled prompts gave a pair at min_gap = 3; min_gap = 2 would give 74"
        " from the same evidence, for nothing: --set pair.min_gap=2"
    )


@pytest.mark.parametrize("gaps", [[4.0] * 100, [4.0] * 96 + [2.0] * 4, [0.5] * 100])
def test_the_sentence_advises_nothing_where_little_can_be_gained(gaps: list[float]) -> None:
    sentence = outlook([GateEvidence(gap, 9.0) for gap in gaps], PairSettings()).sentence()

    assert sentence.endswith("settled prompts gave a pair at min_gap = 3")


def test_the_sentence_lowers_a_verify_gap_that_the_recipe_pins_too() -> None:
    settings = PairSettings(min_gap=3, verify_gap=3)

    sentence = outlook([GateEvidence(2.0, 9.0)], settings).sentence()

    assert sentence.endswith("--set pair.min_gap=2 --set pair.verify_gap=2")


def test_a_pinned_verify_gap_that_still_fits_is_left_alone() -> None:
    settings = PairSettings(min_gap=3, verify_gap=1)

    assert outlook([GateEvidence(2.0, 9.0)], settings).sentence().endswith("--set pair.min_gap=2")


def test_before_anything_is_settled_the_sentence_says_so() -> None:
    assert outlook([], PairSettings()).sentence() == "gate: no prompt is settled yet"
    assert isinstance(outlook([], PairSettings()), Outlook)
