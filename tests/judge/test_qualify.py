"""Qualifying: what is asked of a judge, how its answers are counted, and when it is disqualified."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from fake_judge import Judge, a_prompt, endpoint, knowing, panel, reply, shown
from hypothesis import given
from hypothesis import strategies as st

from pairsmith.judge import Panel
from pairsmith.judge.anchors import Anchor, Kind, Trap, anchor_of
from pairsmith.judge.qualify import Accuracy, Exam, Measured, exam, measured, ruling
from pairsmith.judge.rates import Rate, share, told
from pairsmith.records import ChatRequest, EndpointName, Failure, FailureKind, Outcome, Purpose, RequestId

TEACHER = endpoint("teacher")
NOTHING = share(0, 0)


def anchor(
    number: int = 0, kind: Kind = "plain", trap: Trap | None = None, good: str = "good", bad: str = "bad"
) -> Anchor:
    prompt = a_prompt(f"Question {number}?")
    prompt = replace(prompt, id=type(prompt.id)(f"{prompt.id}{number}"))
    return anchor_of(f"a{number}", prompt, f"{good} {number}", f"{bad} {number}", kind, trap, family="code")


def comparing() -> Panel:
    """A panel of a protocol without points."""
    asked = panel("teacher")
    return replace(asked, settings=asked.settings.model_copy(update={"protocol": "duel"}))


def asked(judge: Judge, about: Anchor, by: Panel | None = None) -> tuple[Exam, list[ChatRequest]]:
    """Pay what is owed until nothing is."""
    outcomes: dict[RequestId, Outcome] = {}
    paid: list[ChatRequest] = []
    while (now := exam(about, TEACHER, by or panel("teacher"), outcomes)).owed:
        paid += now.owed
        outcomes |= {request.id: judge(request) for request in now.owed}
        assert len(paid) < 20
    return now, paid


def worth(text: str) -> float:
    return 9 if text.startswith("good") else 3


def says(winner: str, score: float = 5) -> Judge:
    """The same winner and the same score, whatever it is shown."""

    def judge(request: ChatRequest) -> Outcome:
        if request.purpose is Purpose.SCORE:
            return reply(request, {"rationale": "so", "score": score})
        return reply(request, {"rationale": "so", "winner": winner})

    return judge


def scoring(scores: Callable[[str], float], duels: Judge) -> Judge:
    by_points = knowing(scores)
    return lambda request: by_points(request) if request.purpose is Purpose.SCORE else duels(request)


def seen(judge: Judge, anchors: Sequence[Anchor], by: Panel | None = None) -> Measured:
    return measured([asked(judge, each, by)[0] for each in anchors])


def rate(found: Rate) -> tuple[float | None, int]:
    return found.rate, found.n


# --- what is asked ---------------------------------------------------------------------------------


def test_the_score_protocol_scores_each_answer_and_compares_them_in_both_orders() -> None:
    _, paid = asked(knowing(worth), anchor())

    assert [request.purpose for request in paid] == [Purpose.SCORE, Purpose.SCORE, Purpose.DUEL, Purpose.DUEL]
    assert shown(paid[2]) == shown(paid[3])[::-1]


def test_a_protocol_without_points_compares_only() -> None:
    _, paid = asked(knowing(worth), anchor(), comparing())

    assert [request.purpose for request in paid] == [Purpose.DUEL, Purpose.DUEL]


def test_an_unreadable_reply_is_asked_for_once_more_and_both_are_counted() -> None:
    now, paid = asked(lambda request: reply(request, "hm"), anchor())

    assert len(paid) == 8
    assert len(now.replies) == 8
    assert now.preferred is None


# --- whom a judge prefers --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("judge", "preferred"),
    [
        (knowing(worth), "good"),
        (knowing(lambda text: -worth(text) + 10), "bad"),
        (scoring(lambda text: 6, knowing(worth)), "good"),  # a tie that agreeing duels break
        (scoring(lambda text: 6, says("A")), "neither"),  # a tie, and the orders contradict each other
        (scoring(lambda text: 6, says("tie")), "neither"),
        (scoring(worth, says("B")), "good"),  # the scores come first
    ],
)
def test_scores_decide_and_agreeing_duels_break_their_ties(judge: Judge, preferred: str) -> None:
    assert asked(judge, anchor())[0].preferred == preferred


@pytest.mark.parametrize(("winner", "agreed"), [("A", "neither"), ("B", "neither"), ("tie", "neither")])
def test_without_points_only_agreeing_orders_prefer_anything(winner: str, agreed: str) -> None:
    assert asked(says(winner), anchor(), comparing())[0].preferred == agreed
    assert asked(knowing(worth), anchor(), comparing())[0].preferred == "good"


# --- counting --------------------------------------------------------------------------------------

MANY = [anchor(number) for number in range(6)] + [anchor(number, "adversarial", "longer", bad="worse but longer")
                                                  for number in range(6, 10)]  # fmt: skip


def test_a_judge_that_knows_is_right_everywhere() -> None:
    found = seen(knowing(worth), MANY)

    assert rate(found.accuracy.plain) == (1.0, 6)
    assert rate(found.accuracy.adversarial) == (1.0, 4)
    assert rate(found.accuracy.by_trap["longer"]) == (1.0, 4)
    assert rate(found.accuracy.by_family["code"]) == (1.0, 10)
    assert found.missed == ()


def test_a_judge_that_always_says_the_first_conflicts_everywhere() -> None:
    found = seen(scoring(worth, says("A")), MANY)

    assert rate(found.conflicts) == (1.0, 10)
    assert rate(found.first_wins) == (1.0, 20)
    assert rate(found.duel_accuracy) == (0.0, 10)
    assert rate(found.score_accuracy) == (1.0, 10)


def test_a_judge_that_prefers_the_longer_is_seen_beside_how_often_the_longer_is_good() -> None:
    found = seen(knowing(lambda text: min(10, len(text) / 3)), MANY)

    assert rate(found.longer_wins) == (1.0, 10)
    assert rate(found.longer_is_good) == (0.6, 10)
    assert rate(found.accuracy.adversarial) == (0.0, 4)
    assert found.missed == ("a6", "a7", "a8", "a9")


def test_equal_scores_are_ties_and_not_right() -> None:
    found = seen(says("tie"), MANY)

    assert rate(found.ties) == (1.0, 10)
    assert rate(found.score_accuracy) == (0.0, 10)
    assert rate(found.accuracy.plain) == (0.0, 6)
    assert rate(found.first_wins) == (None, 0)
    assert rate(found.conflicts) == (0.0, 10)


def test_a_tie_in_one_order_only_is_a_conflict_as_in_a_run() -> None:
    def judge(request: ChatRequest) -> Outcome:
        first = shown(request)[0]
        return reply(request, {"rationale": "so", "winner": "A" if worth(first) == 9 else "tie"})

    assert rate(seen(judge, MANY, comparing()).conflicts) == (1.0, 10)


def test_unreadable_replies_are_counted_of_all_replies_and_in_no_other_rate() -> None:
    good = knowing(worth)

    def judge(request: ChatRequest) -> Outcome:
        return reply(request, "hm") if request.purpose is Purpose.SCORE else good(request)

    found = seen(judge, MANY)

    assert rate(found.unreadable) == (40 / 60, 60)
    assert rate(found.accuracy.plain) == (None, 0)
    assert rate(found.duel_accuracy) == (1.0, 10)


def test_a_failed_call_is_counted_and_is_no_answer() -> None:
    failed = Failure(RequestId("r"), FailureKind.PERMANENT, "content_filter")
    good = knowing(worth)
    found = seen(lambda request: failed if request.purpose is Purpose.DUEL else good(request), MANY)

    assert found.failed == 20
    assert rate(found.conflicts) == (None, 0)
    assert rate(found.unreadable) == (0.0, 20)


# --- intervals -------------------------------------------------------------------------------------


def test_the_interval_is_wilsons() -> None:
    found = share(9, 20)

    assert told(found) == "45 % (95 %: 26–66)"
    assert told(share(0, 0)) == "unknown"


@given(st.integers(1, 500), st.data())
def test_an_interval_holds_its_rate_and_stays_between_0_and_1(n: int, data: st.DataObject) -> None:
    found = share(data.draw(st.integers(0, n)), n)

    assert found.rate is not None
    assert found.low is not None
    assert found.high is not None
    assert 0 <= found.low <= found.rate <= found.high <= 1


# --- the bar ---------------------------------------------------------------------------------------


def result(
    adversarial: Rate = NOTHING, conflicts: Rate = NOTHING, unreadable: Rate = NOTHING, plain: Rate = NOTHING
) -> Measured:
    accuracy = Accuracy(plain if plain.n else share(30, 30), adversarial, {}, {})
    others = [NOTHING] * 5
    return Measured(accuracy, NOTHING, NOTHING, conflicts, *others[:4], unreadable, 0, ())


@pytest.mark.parametrize(
    ("found", "verdict", "reason"),
    [
        (result(share(30, 30), share(0, 60), share(0, 240)), "qualified", ""),
        (result(share(21, 30)), "qualified", ""),  # exactly 70 %
        (result(share(18, 30)), "warning", "adversarial 60 % (95 %: 42–75), below 70 %, which may be chance"),
        (result(share(13, 30)), "disqualified", "adversarial 43 % (95 %: 27–61), below 70 %"),
        (result(conflicts=share(22, 60)), "warning", "conflicts 37 % (95 %: 26–49), above 30 %, which may be chance"),
        (result(conflicts=share(30, 60)), "disqualified", "conflicts 50 % (95 %: 38–62), above 30 %"),
        (result(unreadable=share(6, 240)), "warning",
         "unreadable 2.5 % (95 %: 1.2–5.3), above 2 %, which may be chance"),
        (result(unreadable=share(12, 240)), "disqualified", "unreadable 5.0 % (95 %: 2.9–8.5), above 2 %"),
        (result(plain=share(5, 30)), "warning", "plain 17 % (95 %: 7.3–34), below 70 %"),
    ],
)  # fmt: skip
def test_a_judge_is_disqualified_only_when_the_whole_interval_is_on_the_wrong_side(
    found: Measured, verdict: str, reason: str
) -> None:
    ruled = ruling(found)

    assert ruled.verdict == verdict
    assert "; ".join(ruled.reasons) == reason


def test_a_few_anchors_are_too_few_to_be_sure() -> None:
    ruled = ruling(seen(knowing(worth), MANY))

    assert ruled.verdict == "warning"
    assert ruled.reasons == ("only 10 anchors have a verdict: too few to be sure of anything",)


def test_reasons_that_disqualify_come_first() -> None:
    ruled = ruling(result(share(18, 30), share(30, 60)))

    assert [reason.split()[0] for reason in ruled.reasons] == ["conflicts", "adversarial"]


def test_the_endpoint_that_is_asked_is_the_judge_in_both_orders() -> None:
    _, paid = asked(knowing(worth), anchor(), panel("other", "teacher"))

    assert {request.endpoint for request in paid} == {EndpointName("teacher")}
