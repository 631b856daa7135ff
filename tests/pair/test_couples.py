"""What two texts have to be to make a pair: a test for every reason, and how texts are compared."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pair_makers import Evidence, P, completion, duel, evidence, score, scored

from pairsmith.pair.couples import ESTIMATED, Wording, obstacle, similarity
from pairsmith.pair.gates import settle
from pairsmith.pair.orders import settle_orders
from pairsmith.pair.outlook import gate_evidence
from pairsmith.pair.preferred import settle_preferred
from pairsmith.pair.settings import PairSettings
from pairsmith.pair.sides import ALL, Sides, read_sides
from pairsmith.records import Abstention, Completion, CompletionId, Flag, Pair, Preference

# Words are tokens, and a text is in the language that its first word names.
WORDS = Wording(
    tokens=lambda text: len(text.split()),
    cut=lambda text, tokens: " ".join(text.split()[:tokens]),
    language=lambda text: first if (first := text.split(":")[0]) in ("de", "en") else None,
)
Case = tuple[Completion, Completion, dict[str, Any]]

CASES: dict[str, Case] = {
    "refusal_side": (completion("a", marks=(Flag.REFUSAL,)), completion("b"), {"refusals": "never-chosen"}),
    "cut_off_side": (completion("a"), completion("b", marks=(Flag.CUT_OFF,)), {"cut_off": "never-rejected"}),
    "unfinished_side": (completion("a", marks=(Flag.UNFINISHED,)), completion("b"), {"unfinished": "drop"}),
    "sides_missing": (completion("a"), completion("b"), {"sides": "one-from:teacher"}),
    "equal_sides": (completion("a", "caf\u00e9 noir"), completion("b", "cafe\u0301  noir\n"), {}),
    "length_ratio": (completion("a", "x" * 31), completion("b", "y" * 10), {"max_length_ratio": 3}),
    "token_ratio": (completion("a", "x " * 31), completion("b", "y " * 10), {"max_token_ratio": 3}),
    "near_duplicates": (completion("a", "Tea, and milk."), completion("b", "milk and TEA"), {"max_similarity": 1}),
    "equal_after_cut": (completion("a", "so far one"), completion("b", "so far other"), {"trainer_max_tokens": 2}),
    "other_language": (completion("a", "en: yes"), completion("b", "de: nein"), {"language": "en"}),
}


def rule(table: PairSettings) -> Sides:
    return Sides(read_sides(table.sides), ("student", "teacher"), *table.policies)


def found(case: Case, wanted: str | None = None, wording: Wording = WORDS) -> tuple[str, str] | None:
    chosen, rejected, keys = case
    table = PairSettings.model_validate(keys)
    return obstacle(chosen, rejected, table, rule(table), wording, wanted)


def texts(one: str, other: str, wanted: str | None = None, **keys: Any) -> str | None:
    """The reason why these two are no pair."""
    told = found((completion("a", one), completion("b", other), keys), wanted)
    return told and told[0]


# --- every reason ---------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", CASES)
def test_a_couple_that_does_not_pass_a_gate_is_told_which(reason: str) -> None:
    told = found(CASES[reason])

    assert told is not None
    assert (told[0], bool(told[1])) == (reason, True)


def test_there_is_a_case_for_every_reason_that_obstacle_names() -> None:
    assert set(re.findall(r"\((\w+_\w+)\)", obstacle.__doc__ or "")) == CASES.keys()


@pytest.mark.parametrize("reason", [reason for reason in CASES if reason != "equal_sides"])
def test_a_gate_that_is_not_asked_for_lets_the_same_couple_pass(reason: str) -> None:
    one, other, _ = CASES[reason]

    assert obstacle(replace(one, marks=()), replace(other, marks=()), PairSettings(), ALL, WORDS) is None


@pytest.mark.parametrize("reason", CASES)
def test_each_reason_comes_out_of_settling_by_scores(reason: str) -> None:
    one, other, keys = CASES[reason]
    table = PairSettings.model_validate(keys)

    outcome = settle(P, [one, other], [score("a", 9), score("b", 2)], [], table, sides=rule(table), wording=WORDS)

    assert isinstance(outcome, Abstention)
    assert outcome.reason == reason


@pytest.mark.parametrize("reason", CASES)
def test_each_reason_comes_out_of_settling_by_duels_and_by_what_people_said(reason: str) -> None:
    one, other, keys = CASES[reason]
    table = PairSettings.model_validate(keys)
    both = [duel("a", "b", "a"), duel("b", "a", "a")]
    said = [Preference(CompletionId("a"), (CompletionId("b"),))]

    by_duels = settle_orders(P, [one, other], [], both, table, rule(table), WORDS)
    by_people = settle_preferred(P, [one, other], said, table, rule(table), WORDS)

    assert [getattr(outcome, "reason", None) for outcome in (by_duels, by_people)] == [reason, reason]


def test_a_reject_that_is_too_good_is_no_reject() -> None:
    table = PairSettings(rejected_ceiling=4)

    above = settle(P, *scored(a=10, b=4.5), table)
    below = settle(P, *scored(a=10, b=4), table)

    assert above == Abstention(P, "rejected_above_ceiling", "4.5 > 4.0")
    assert isinstance(below, Pair)


def test_no_duel_is_asked_about_two_texts_that_could_not_be_a_pair() -> None:
    close = [completion("a", "x" * 100), completion("b", "y")], [score("a", 8), score("b", 6)]

    outcome = settle(P, *close, [], PairSettings(max_length_ratio=3))

    assert isinstance(outcome, Abstention)
    assert outcome.reason == "length_ratio"


def test_what_costs_nothing_is_looked_at_before_texts_are_measured() -> None:
    def never(text: str) -> int:
        raise AssertionError

    keys = {"sides": "one-from:teacher", "max_token_ratio": 2, "trainer_max_tokens": 5}

    told = found((completion("a"), completion("b"), keys), wording=replace(WORDS, tokens=never))

    assert told is not None
    assert told[0] == "sides_missing"


# --- marks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "as_chosen", "as_rejected"),
    [
        ("keep", None, None),
        ("never-chosen", "refusal_side", None),
        ("never-rejected", None, "refusal_side"),
        ("drop", "refusal_side", "refusal_side"),
    ],
)
def test_a_policy_says_on_which_side_a_refusal_may_stand(
    policy: str, as_chosen: str | None, as_rejected: str | None
) -> None:
    refusal, answer = completion("a", marks=(Flag.REFUSAL,)), completion("b")

    told = [found((*two, {"refusals": policy})) for two in ((refusal, answer), (answer, refusal))]

    assert [one and one[0] for one in told] == [as_chosen, as_rejected]


def test_the_detail_of_a_mark_names_it_and_the_side() -> None:
    assert found(CASES["cut_off_side"]) == ("cut_off_side", "a completion that is cut_off may not be rejected")


# --- lengths --------------------------------------------------------------------------------------


@pytest.mark.parametrize("lengths", [(30, 10), (10, 30), (10, 10)])
def test_a_ratio_holds_in_both_directions_and_its_bound_passes(lengths: tuple[int, int]) -> None:
    one, other = "x" * lengths[0], "y" * lengths[1]

    assert texts(one, other, max_length_ratio=3) is None
    assert texts(f"{one}x" if len(one) >= 30 else one, other + "y" * (len(other) >= 30), max_length_ratio=3) == (
        None if lengths == (10, 10) else "length_ratio"
    )


def test_tokens_and_characters_are_two_gates() -> None:
    assert texts("a b c d e f", "abcdefghijk", max_length_ratio=2) is None
    assert texts("a b c d e f", "abcdefghijk", max_token_ratio=2) == "token_ratio"


def test_without_a_tokenizer_four_characters_are_a_token() -> None:
    assert [ESTIMATED.tokens(text) for text in ("", "a", "abcd", "abcde")] == [0, 1, 1, 2]
    assert ESTIMATED.cut("abcdefghij", 2) == "abcdefgh"
    assert ESTIMATED.language("Ein deutscher Satz.") is None


# --- near-duplicates ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("tea and milk", "Milk, and TEA!", 1.0),
        ("tea and milk", "tea and sugar", 0.5),
        ("tea", "milk", 0.0),
        ("cafe\u0301", "caf\u00e9", 1.0),
        ("a b c d", "a b", 0.5),
        ("", "", 1.0),
        ("", "tea", 0.0),
    ],
)
def test_similarity_is_the_share_of_words_that_both_use(one: str, other: str, alike: float) -> None:
    assert similarity(one, other) == pytest.approx(alike)


def test_where_no_space_parts_words_neighbouring_characters_are_compared() -> None:
    one = "先把豆子在冷水里泡一夜，然后用小火煮一个小时。"

    assert similarity(one, one.replace("一个", "两个")) > 0.7
    assert similarity(one, "火车中午十二点出发，请提前二十分钟到车站。") < 0.1


def test_from_the_bound_up_two_texts_are_near_duplicates() -> None:
    assert texts("tea and milk", "tea and sugar", max_similarity=0.5) == "near_duplicates"
    assert texts("tea and milk", "tea and sugar", max_similarity=0.51) is None


@examples(max_examples=40, deadline=None)
@given(st.text("ab é中文 .", max_size=12), st.text("ab é中文 .", max_size=12))
def test_similarity_is_a_share_and_has_no_order(one: str, other: str) -> None:
    assert 0 <= similarity(one, other) == similarity(other, one) <= 1
    assert similarity(one, one) == 1


# --- languages ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "language", "wanted", "reason"),
    [
        ("en: yes", "en: no", "en", None, None),
        ("en: yes", "de: nein", "en", None, "other_language"),
        ("de: ja", "en: no", "en", None, "other_language"),
        ("en: yes", "42", "en", None, None),
        ("en: yes", "de: nein", "prompt", "en", "other_language"),
        ("en: yes", "de: nein", "prompt", None, None),
        ("en: yes", "de: nein", "any", "en", None),
        ("de: ja", "de: nein", "prompt", "de", None),
        ("de: ja", "de: nein", "de", "en", None),
    ],
)
def test_both_sides_are_in_the_language_asked_for_as_far_as_that_can_be_told(
    one: str, other: str, language: str, wanted: str | None, reason: str | None
) -> None:
    assert texts(one, other, wanted, language=language) == reason


def test_the_detail_names_the_side_and_both_languages() -> None:
    assert found(CASES["other_language"]) == ("other_language", "the rejected one is in de, and en is asked for")


# --- the outlook ----------------------------------------------------------------------------------


@examples(max_examples=40, deadline=None)
@given(evidence())
def test_what_a_lower_gate_would_give_is_counted_with_the_gates_on_texts(given_evidence: Evidence) -> None:
    table = PairSettings(min_gap=1, verify_gap=1, chosen_floor=1, max_length_ratio=1.5, rejected_ceiling=6)

    seen = gate_evidence(*given_evidence, table)

    assert (seen.gap >= 1) == isinstance(settle(P, *given_evidence, table), Pair)
