import pytest
from fake_judge import Judge, completions, erring, knowing, panel, play, reply, shown

from pairsmith.judge import Panel
from pairsmith.records import (
    Abstention,
    ChatRequest,
    Failure,
    FailureKind,
    Outcome,
    Pair,
    Purpose,
)

WORTH = {"fair": 5.0, "good": 7.0}
CLOSE = completions(*WORTH)
IDS = {c.text: c.id for c in CLOSE}
THRIFTY = panel("a", "b", escalate="value", escalate_within=[0.0])
PLAIN = panel("a", "b", escalate="distance", escalate_within=[0.0])


def duels(paid: list[ChatRequest]) -> list[ChatRequest]:
    return [request for request in paid if request.purpose is Purpose.DUEL]


def saying(first: str, second: str) -> Judge:
    """Scores as it should; of the two orders of a duel the first prefers one text, the second the other."""

    def judge(request: ChatRequest) -> Outcome:
        if request.purpose is Purpose.SCORE:
            return knowing(WORTH.__getitem__)(request)
        preferred = first if request.endpoint == "b" else second  # the last judge gets the first order
        winner = "tie" if preferred == "tie" else "AB"[shown(request).index(preferred)]
        return reply(request, {"rationale": "so", "winner": winner})

    return judge


# --- the second order ---------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "said"), [("fair", "the worse one wins"), ("tie", "a tie")])
def test_the_second_order_is_not_asked_where_the_first_has_decided_against_a_pair(first: str, said: str) -> None:
    state, _, paid = play(saying(first, "good"), CLOSE, THRIFTY)

    assert len(duels(paid)) == 1 == len(state.duels)
    assert isinstance(state.settlement, Abstention)
    assert (state.settlement.reason, state.settlement.detail) == (
        "judges_disagree",
        f"{said} in one order; the other could change nothing",
    )


def test_the_second_order_is_asked_once_the_first_agrees_with_the_scores() -> None:
    state, _, paid = play(saying("good", "good"), CLOSE, THRIFTY)

    assert [request.endpoint for request in duels(paid)] == ["b", "a"]
    assert isinstance(state.settlement, Pair)
    assert state.settlement.chosen == IDS["good"]


def test_nothing_is_exported_where_the_second_order_disagrees() -> None:
    state, _, paid = play(saying("good", "fair"), CLOSE, THRIFTY)

    assert len(duels(paid)) == 2
    assert isinstance(state.settlement, Abstention)


@pytest.mark.parametrize("first", ["fair", "good", "tie"])
def test_else_both_orders_are_asked_whatever_the_first_says(first: str) -> None:
    state, _, paid = play(saying(first, "good"), CLOSE, PLAIN)

    assert len(duels(paid)) == 2 == len(state.duels)


def test_with_both_settings_the_same_pairs_come_out() -> None:
    ends = [
        [type(play(saying(first, second), CLOSE, asked)[0].settlement) for asked in (THRIFTY, PLAIN)]
        for first in ("fair", "good", "tie")
        for second in ("fair", "good", "tie")
    ]

    assert all(thrifty is plain for thrifty, plain in ends)
    assert sum(thrifty is Pair for thrifty, _ in ends) == 1


# --- verdicts that are lost ---------------------------------------------------------------------


def failing(kind: FailureKind, endpoint: str) -> Judge:
    good = knowing(WORTH.__getitem__)
    return lambda request: (
        Failure(request.id, kind, "content_filter")
        if request.purpose is Purpose.DUEL and request.endpoint == endpoint
        else good(request)
    )


def unreadable(endpoint: str) -> Judge:
    return erring(WORTH.__getitem__, lambda r: r.purpose is Purpose.DUEL and r.endpoint == endpoint, "Hmm.")


@pytest.mark.parametrize("judge", [unreadable("b"), failing(FailureKind.PERMANENT, "b")])
def test_a_first_order_that_is_lost_saves_the_second(judge: Judge) -> None:
    state, _, paid = play(judge, CLOSE, THRIFTY)

    assert {request.endpoint for request in duels(paid)} == {"b"}
    assert isinstance(state.settlement, Abstention)
    assert state.settlement.reason == "no_verdict"


@pytest.mark.parametrize("asked", [THRIFTY, PLAIN])
def test_a_first_order_that_another_run_may_pay_leaves_the_prompt_unfinished(asked: Panel) -> None:
    state, _, _ = play(failing(FailureKind.TRANSIENT, "b"), CLOSE, asked)

    assert (state.settlement, len(state.unpaid)) == (None, 1)


@pytest.mark.parametrize("lost", ["a", "b"])
def test_one_order_that_is_lost_is_no_verdict_and_both_questions_are_counted(lost: str) -> None:
    state, _, paid = play(unreadable(lost), CLOSE, PLAIN)

    assert isinstance(state.settlement, Abstention)
    assert state.settlement.reason == "no_verdict"
    assert (len(state.duels), state.unreadable, state.reasked) == (1, 1, 1)
    assert len(duels(paid)) == 3
