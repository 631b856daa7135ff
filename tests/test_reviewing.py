"""What people's reviews make of the pairs of a run, whatever they say and in whichever mode."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairsmith.export.settings import ExportSettings
from pairsmith.ledger import Opinion, Review, Said, Settled
from pairsmith.outcomes import StoredPair
from pairsmith.pair.sides import Sides
from pairsmith.records import CompletionId, EndpointName, Flag, Json, Prompt, candidate_id, prompt_id
from pairsmith.reviewing import LEFT_OUT, Reviewing, heard

MESSAGES = ({"role": "user", "content": "Is 91 a prime?"},)
PROMPT = Prompt(prompt_id(MESSAGES, (), None, None), MESSAGES)
A, B, C = (CompletionId(name) for name in "abc")
MODES = get_args(ExportSettings.model_fields["reviews"].annotation)


def side(ident: CompletionId) -> dict[str, Json]:
    return {"completion": ident, "arm": f"arm {ident}", "model": "m", "span": [1, 4], "simulated": True}


def settled(kind: str = "pair", marks: Sequence[str] = ()) -> Settled:
    """A is chosen, B rejected, C neither; an abstention holds the same completions, and no pair."""
    body: dict[str, Any] = {
        "completions": [[one, f"arm {one}", 9, "m", [1, 4], [*marks] if one == B else [], True] for one in (A, B, C)]
    }
    if kind == "pair":
        provenance = {"strategy": "best-worst", "rule": "gap"}
        body["pair"] = {
            "chosen": side(A), "rejected": side(B), "gap": 4.0, "judges": ["j"], "provenance": provenance,
        }  # fmt: skip
    return Settled(kind, None, True, 3, 6, body, int(kind == "pair"))


def says(
    preferred: CompletionId | Said, by: str = "ann", couple: tuple[CompletionId, CompletionId] = (A, B), number: int = 1
) -> Review:
    said = preferred if isinstance(preferred, Said) else Said.PREFERRED
    better = None if isinstance(preferred, Said) else preferred
    return Review(number, PROMPT, *couple, said, better, by, 7.0)


def mends(ident: CompletionId, text: str, by: str = "ann") -> Review:
    return Review(1, PROMPT, A, B, Said.EDIT, ident, by, 7.0, "", text)


def left(mode: str, *reviews: Review, kind: str = "pair", marks: Sequence[str] = ()) -> list[StoredPair | str]:
    sides = Sides({}, never_chosen=frozenset({Flag.CUT_OFF}))
    return Reviewing(mode, len(reviews), heard(reviews), sides).pairs(PROMPT, settled(kind, marks))


def couples(pairs: Sequence[StoredPair | str]) -> list[tuple[str, str] | str]:
    return [
        one if isinstance(one, str) else (one["chosen"]["completion"], one["rejected"]["completion"]) for one in pairs
    ]


# --- one couple, by mode ------------------------------------------------------------------------------

RULES: list[tuple[str, CompletionId | Said | None, tuple[str, str] | str]] = [
    ("override", A, (A, B)),
    ("override", B, (B, A)),
    ("override", Said.TIE, "reviewed_tie"),
    ("override", Said.BAD_PROMPT, "reviewed_bad_prompt"),
    ("override", None, (A, B)),
    ("drop-disagreed", A, (A, B)),
    ("drop-disagreed", B, "reviewed_otherwise"),
    ("drop-disagreed", Said.TIE, "reviewed_tie"),
    ("drop-disagreed", Said.BAD_PROMPT, "reviewed_bad_prompt"),
    ("drop-disagreed", None, (A, B)),
    ("only-reviewed", A, (A, B)),
    ("only-reviewed", B, (B, A)),
    ("only-reviewed", Said.TIE, "reviewed_tie"),
    ("only-reviewed", Said.BAD_PROMPT, "reviewed_bad_prompt"),
    ("only-reviewed", None, "not_reviewed"),
]


@pytest.mark.parametrize(("mode", "said", "becomes"), RULES)
def test_what_people_say_changes_a_pair_as_the_recipe_says(
    mode: str, said: CompletionId | Said | None, becomes: tuple[str, str] | str
) -> None:
    reviews = [] if said is None else [says(said)]

    assert couples(left(mode, *reviews)) == [becomes]


@pytest.mark.parametrize("mode", ["override", "drop-disagreed", "only-reviewed"])
@pytest.mark.parametrize("better", [A, B])
def test_an_edit_gives_the_mended_text_over_the_one_that_was_mended(mode: str, better: CompletionId) -> None:
    (pair,) = left(mode, mends(better, "No: 7 × 13."))

    assert not isinstance(pair, str)
    assert couples([pair]) == [(candidate_id(PROMPT.id, "No: 7 × 13."), better)]
    assert (pair["chosen"]["span"], pair["rejected"]["span"]) == (None, [1, 4])
    assert pair["provenance"]["edited_from"] == better
    assert pair["provenance"]["rule"] == "edit"


def test_a_pair_that_people_confirm_keeps_what_it_rested_on() -> None:
    (pair,) = left("override", says(A, number=12))

    assert not isinstance(pair, str)
    assert (pair["gap"], pair["judges"]) == (4.0, ["j"])
    assert pair["provenance"] == {
        "strategy": "best-worst",
        "rule": "review",
        "judged_by": "gap",
        "said": [{"rule": "review", "by": "ann", "said": "preferred", "preferred": A, "others": [B], "review": 12}],
    }


def test_a_pair_that_people_turned_round_rests_on_no_judge() -> None:
    (pair,) = left("override", says(B))

    assert not isinstance(pair, str)
    assert (pair["gap"], pair["judges"]) == (None, [])


def test_an_answer_that_may_not_be_chosen_is_not_turned_into_the_chosen_one() -> None:
    assert left("override", says(B), marks=["cut_off"]) == ["reviewed_unusable"]
    assert couples(left("override", says(B), marks=["unfinished"])) == [(B, A)]


def test_sides_that_the_recipe_asks_for_are_kept_when_people_prefer_the_other_answer() -> None:
    sides = Sides({"chosen-from": ("teacher",), "rejected-from": ("student",)}, ("teacher", "student"))
    arms = {"arm a": EndpointName("teacher"), "arm b": EndpointName("student")}

    def kept(*reviews: Review) -> list[tuple[str, str] | str]:
        return couples(Reviewing("override", 1, heard(reviews), sides, arms).pairs(PROMPT, settled()))

    assert kept(says(A)) == [(A, B)]
    assert kept(says(B)) == ["reviewed_unusable"]
    assert kept(mends(B, "new")) == [(candidate_id(PROMPT.id, "new"), B)]
    assert kept(mends(A, "new")) == ["reviewed_unusable"]


# --- prompts without a pair, and other couples --------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "pairs"), [("override", [(C, A)]), ("only-reviewed", [(C, A)]), ("drop-disagreed", [])]
)
def test_people_can_make_a_pair_of_what_no_judge_made_one(mode: str, pairs: list[tuple[str, str]]) -> None:
    assert couples(left(mode, says(C, couple=(A, C)), kind="abstained")) == pairs


def test_a_prompt_that_failed_gets_no_pair_by_reviews() -> None:
    assert left("override", says(C, couple=(A, C)), kind="failed") == []


def test_a_review_of_other_answers_leaves_the_judges_pair() -> None:
    assert couples(left("override", says(C, couple=(A, C)))) == [(A, B)]
    assert couples(left("only-reviewed", says(C, couple=(A, C)))) == ["not_reviewed", (C, A)]


def test_people_make_no_more_pairs_of_a_prompt_than_the_recipe_allows_and_the_latest_stay() -> None:
    said = [says(A, couple=(A, B), number=1), says(B, couple=(B, C), number=2), says(A, couple=(A, C), number=3)]

    assert couples(left("only-reviewed", *said, kind="abstained")) == [(A, C)]
    three = Reviewing("override", 3, heard(said), most=3).pairs(PROMPT, settled("abstained"))
    assert couples(three) == [(A, C), (B, C), (A, B)]


def test_a_review_of_answers_that_are_gone_makes_no_pair() -> None:
    assert left("override", says(A, couple=(A, CompletionId("gone"))), kind="abstained") == []


# --- several people -----------------------------------------------------------------------------------


def test_more_people_outvote_fewer_and_as_many_leave_the_pair_out() -> None:
    two_to_one = [says(B, "ann"), says(B, "bob"), says(A, "cy")]

    assert couples(left("override", *two_to_one)) == [(B, A)]
    assert left("override", *two_to_one[1:]) == ["reviewers_disagree"]


def test_of_one_person_the_latest_verdict_counts() -> None:
    assert couples(left("override", says(B, number=1), says(A, number=2))) == [(A, B)]


def test_an_edit_counts_as_a_vote_for_what_was_mended() -> None:
    assert couples(left("override", mends(A, "new", "ann"), says(B, "bob"), says(B, "cy"))) == [(B, A)]


def test_an_opinion_that_contradicts_itself_cannot_be_stored() -> None:
    for said, preferred, edited in (
        (Said.TIE, A, None),
        (Said.PREFERRED, None, None),
        (Said.PREFERRED, C, None),
        (Said.EDIT, A, None),
        (Said.EDIT, A, " "),
        (Said.PREFERRED, A, "new"),
    ):
        with pytest.raises(ValueError, match=r"together|has the mended text"):
            Opinion(PROMPT.id, A, B, said, preferred, "ann", "", edited)
    with pytest.raises(ValueError, match="two completions"):
        Opinion(PROMPT.id, A, A, Said.TIE, None, "ann")


def test_an_answer_that_may_not_be_rejected_is_not_rejected_for_its_mended_text() -> None:
    sides = Sides({}, never_rejected=frozenset({Flag.CUT_OFF}))
    reviewing = Reviewing("override", 1, heard([mends(B, "No: 7 × 13.")]), sides)

    assert reviewing.pairs(PROMPT, settled(marks=["cut_off"])) == ["reviewed_unusable"]
    assert couples(reviewing.pairs(PROMPT, settled())) == [(candidate_id(PROMPT.id, "No: 7 × 13."), B)]


def test_one_answer_that_is_mended_into_one_text_beside_two_others_gives_one_pair() -> None:
    several = settled()
    further = {**several.body["pair"], "rejected": side(C)}  # type: ignore[dict-item]
    several = replace(several, body={**several.body, "more_pairs": [further]}, pairs=2)
    reviews = [mends(A, "new"), replace(mends(A, "new", "bob"), first=C, second=A)]

    found = Reviewing("override", 2, heard(reviews)).pairs(PROMPT, several)

    assert couples(found) == [(candidate_id(PROMPT.id, "new"), A), "reviewed_already"]


# --- what always holds --------------------------------------------------------------------------------

VERDICTS = st.builds(
    lambda couple, verdict, by, edit: (
        mends(verdict, "new", by)
        if edit and verdict in couple and couple == (A, B)
        else says(verdict if isinstance(verdict, Said) or verdict in couple else couple[0], by, couple)
    ),
    st.sampled_from([(A, B), (B, A), (A, C), (C, B)]),
    st.sampled_from([A, B, C, Said.TIE, Said.BAD_PROMPT]),
    st.sampled_from(["ann", "bob", "cy"]),
    st.booleans(),
)


@given(st.lists(VERDICTS, max_size=6), st.sampled_from(MODES), st.sampled_from(["pair", "abstained", "failed"]))
def test_every_pair_of_a_run_is_kept_changed_or_left_out_with_a_reason(
    reviews: list[Review], mode: str, kind: str
) -> None:
    found = left(mode, *reviews, kind=kind)

    assert len(found) >= settled(kind).pairs
    assert all(one in LEFT_OUT for one in found if isinstance(one, str))
    for one in found:
        if not isinstance(one, str):
            assert one["chosen"]["completion"] != one["rejected"]["completion"]
    if mode == "ignore":
        assert couples(found) == ([(A, B)] if kind == "pair" else [])


@given(st.lists(VERDICTS, max_size=6), st.randoms(use_true_random=False))
def test_the_order_in_which_different_people_spoke_changes_no_pair(reviews: list[Review], rng: Any) -> None:
    one_each = list({(one.couple, one.reviewer): one for one in reviews}.values())
    shuffled = rng.sample(one_each, len(one_each))

    assert sorted(map(str, couples(left("override", *one_each)))) == sorted(
        map(str, couples(left("override", *shuffled)))
    )
