import pytest
from hypothesis import given
from hypothesis import strategies as st
from pair_makers import P, completion, duel

from pairsmith.pair.orders import settle_orders
from pairsmith.records import Abstention, CompletionId, Duel, EndpointName, Pair, Ranking, RequestId, Settlement

FIVE = [completion(ident) for ident in "abcde"]


def ranking(order: str, judge: str = "j", shown: str = "abcde") -> Ranking:
    def ids(letters: str) -> tuple[CompletionId, ...]:
        return tuple(CompletionId(letter) for letter in letters)

    return Ranking(ids(order), ids(shown), EndpointName(judge), "", RequestId(f"{judge} {order}"))


def ranked(one: str, other: str) -> Settlement:
    return settle_orders(P, FIVE, [ranking(one), ranking(other, "k", "edcba")], [])


def final(*duels: Duel) -> Settlement:
    return settle_orders(P, FIVE, [], list(duels))


# --- rankings -----------------------------------------------------------------------------------


def test_what_both_lists_name_first_and_last_is_a_pair_without_a_gap() -> None:
    pair = ranked("caebd", "cbaed")

    assert isinstance(pair, Pair)
    assert (pair.chosen, pair.rejected, pair.gap, pair.judges) == ("c", "d", None, ("j", "k"))


@pytest.mark.parametrize(
    ("one", "other", "where"),
    [
        ("abcde", "acbed", "who is last"),
        ("abcde", "bacde", "who is first"),
        ("abcde", "edcba", "who is first and who is last"),
    ],
)
def test_lists_that_differ_at_an_end_are_a_conflict_that_says_where(one: str, other: str, where: str) -> None:
    assert ranked(one, other) == Abstention(P, "order_conflict", f"the two orders differ in {where}")


@given(st.permutations("abcde"), st.permutations("abcde"))
def test_a_pair_is_first_and_last_of_both_lists_or_there_is_none(one: list[str], other: list[str]) -> None:
    outcome = ranked("".join(one), "".join(other))

    if isinstance(outcome, Pair):
        assert one[0] == other[0] == outcome.chosen
        assert one[-1] == other[-1] == outcome.rejected
    else:
        assert one[0] != other[0] or one[-1] != other[-1]


@given(st.permutations("abcde"), st.permutations("abcde"), st.permutations(FIVE))
def test_incident_1_neither_the_order_of_completions_nor_that_of_the_lists_matters(
    one: list[str], other: list[str], completions: list[object]
) -> None:
    lists = [ranking("".join(one)), ranking("".join(other), "k")]

    outcomes = [settle_orders(P, completions, lists, []), settle_orders(P, FIVE, lists[::-1], [])]  # type: ignore[arg-type]

    assert len({type(outcome) for outcome in outcomes}) == 1
    if isinstance(outcomes[0], Pair) and isinstance(outcomes[1], Pair):
        assert (outcomes[0].chosen, outcomes[0].rejected) == (outcomes[1].chosen, outcomes[1].rejected)


def test_a_pair_of_rankings_names_both_calls_and_what_was_shown() -> None:
    pair = ranked("caebd", "cbaed")

    assert isinstance(pair, Pair)
    assert pair.provenance == {
        "strategy": "first-last",
        "rule": "rankings",
        "rankings": [
            {"judge": "j", "shown": list("abcde"), "order": list("caebd"), "request_id": "j caebd"},
            {"judge": "k", "shown": list("edcba"), "order": list("cbaed"), "request_id": "k cbaed"},
        ],
    }


# --- finals -------------------------------------------------------------------------------------


def test_a_final_that_both_orders_give_to_one_is_a_pair() -> None:
    pair = final(duel("a", "b", "b"), duel("b", "a", "b", "k"))

    assert isinstance(pair, Pair)
    assert (pair.chosen, pair.rejected, pair.gap, pair.judges) == ("b", "a", None, ("j", "k"))


@pytest.mark.parametrize(
    ("winners", "reason"),
    [
        (("a", "b"), "order_conflict"),
        (("b", "a"), "order_conflict"),
        (("a", None), "order_conflict"),
        ((None, "b"), "order_conflict"),
        ((None, None), "duel_tie"),
    ],
)
def test_incident_13_a_final_that_is_not_won_twice_gives_no_pair(
    winners: tuple[str | None, str | None], reason: str
) -> None:
    outcome = final(duel("a", "b", winners[0]), duel("b", "a", winners[1]))

    assert isinstance(outcome, Abstention)
    assert outcome.reason == reason
    assert outcome.detail


def test_a_pair_of_a_final_names_both_calls() -> None:
    pair = final(duel("a", "b", "a"), duel("b", "a", "a"))

    assert isinstance(pair, Pair)
    assert pair.provenance == {
        "strategy": "best-worst",
        "rule": "final",
        "duels": [
            {"judge": "j", "first": "a", "second": "b", "winner": "a", "request_id": "a b j"},
            {"judge": "j", "first": "b", "second": "a", "winner": "a", "request_id": "b a j"},
        ],
    }


# --- texts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["rankings", "final"])
def test_incident_10_two_sides_of_one_text_are_no_pair(by: str) -> None:
    twins = [completion("a", "caf\u00e9 noir"), completion("b", "cafe\u0301  noir\n")]
    rankings = [ranking("ab", shown="ab"), ranking("ab", "k", "ba")] if by == "rankings" else []
    duels = [] if rankings else [duel("a", "b", "a"), duel("b", "a", "a")]

    outcome = settle_orders(P, twins, rankings, duels)

    assert outcome == Abstention(P, "equal_sides", "both sides are the same text")


def test_incident_7_a_pair_names_ids_and_holds_no_text() -> None:
    completions = [completion("a", "the good text"), completion("b", "the bad text")]

    assert "text" not in repr(settle_orders(P, completions, [], [duel("a", "b", "a"), duel("b", "a", "a")]))
