import random
from collections.abc import Callable, Sequence

import pytest
from fake_judge import (
    PROMPT,
    Judge,
    a_prompt,
    best_worst,
    by_name,
    completion,
    completions,
    endpoint,
    erring,
    hashed,
    knowing,
    panel,
    play,
    reply,
    shown,
)
from hypothesis import given
from hypothesis import strategies as st

from pairsmith.judge import Asked, JudgeState, Settle, owed
from pairsmith.records import (
    Abstention,
    ChatRequest,
    Completion,
    Duel,
    Failure,
    FailureKind,
    Flag,
    Outcome,
    Pair,
    Purpose,
    RequestId,
    Score,
    Settlement,
    Undecided,
)

WORTH = {"poor": 2.0, "fair": 5.0, "good": 7.0, "great": 9.0}
FOUR = completions(*WORTH)
IDS = {c.text: c.id for c in FOUR}
ANSWERS = st.lists(st.text(min_size=1, max_size=12), min_size=2, max_size=6, unique=True)


def worth(text: str) -> float:
    return WORTH.get(text, 1.0 + hashed(text, 10) % 10)


def failing(kind: FailureKind, reason: str, when: Callable[[ChatRequest], bool], judge: Judge) -> Judge:
    return lambda request: Failure(request.id, kind, reason) if when(request) else judge(request)


def about(text: str) -> Callable[[ChatRequest], bool]:
    return lambda request: shown(request) == [text]


def values(state: JudgeState) -> dict[str, list[float]]:
    found: dict[str, list[float]] = {}
    for score in state.scores:
        found.setdefault(next(text for text, ident in IDS.items() if ident == score.completion), []).append(score.value)
    return found


def first(texts: Sequence[Completion] = FOUR) -> JudgeState:
    return owed(PROMPT, texts, {}, best_worst(), panel())


# --- one judge ----------------------------------------------------------------------------------


def test_every_completion_is_owed_one_score() -> None:
    state = first()

    assert sorted(shown(request)[0] for request in state.owed) == sorted(WORTH)
    assert {request.purpose for request in state.owed} == {Purpose.SCORE}
    assert state.settlement is None


def test_the_best_and_the_worst_are_settled_when_all_scores_are_in() -> None:
    state, _, paid = play(knowing(worth), FOUR, panel())

    assert values(state) == {text: [points] for text, points in WORTH.items()}
    assert isinstance(state.settlement, Pair)
    assert (state.settlement.chosen, state.settlement.rejected) == (IDS["great"], IDS["poor"])
    assert len(paid) == 4


def test_flagged_completions_are_not_judged() -> None:
    cut = completion("cut off", flags=(Flag.CUT_OFF,))

    state, _, paid = play(knowing(worth), [*FOUR, cut], panel())

    assert "cut off" not in [shown(request)[0] for request in paid]
    assert cut.id not in [score.completion for score in state.scores]


@pytest.mark.parametrize("texts", [[], FOUR[:1]])
def test_fewer_than_two_answers_cost_nothing(texts: list[Completion]) -> None:
    state = first(texts=texts)

    assert (state.owed, state.scores) == ((), ())
    assert state.settlement == Abstention(PROMPT.id, "too_few")


def test_a_score_names_the_call_it_was_read_from() -> None:
    state, _, paid = play(knowing(worth), FOUR, panel())

    asked = {request.id: shown(request)[0] for request in paid}
    assert {score.completion: asked[score.request_id] for score in state.scores} == {
        ident: text for text, ident in IDS.items()
    }


def test_resuming_asks_only_for_what_has_not_come_back() -> None:
    requests = first().owed
    outcomes: dict[RequestId, Outcome] = {r.id: knowing(worth)(r) for r in requests[:3]}

    state = owed(PROMPT, FOUR, outcomes, best_worst(), panel())

    assert state.owed == requests[3:]
    assert len(state.scores) == 3
    assert state.settlement is None


def test_nothing_is_asked_twice_and_the_end_is_stable() -> None:
    state, outcomes, paid = play(knowing(worth), FOUR, panel("a", "b"))

    assert len({request.id for request in paid}) == len(paid)
    assert owed(PROMPT, FOUR, outcomes, best_worst(), panel("a", "b")) == state


def test_incident_3_a_completion_of_another_prompt_is_refused() -> None:
    stranger = completion("green", a_prompt("Why is grass green?"))

    with pytest.raises(ValueError, match="another prompt"):
        owed(PROMPT, [*FOUR, stranger], {}, best_worst(), panel())


def test_one_text_given_twice_is_one_call() -> None:
    twin = Completion(FOUR[0].id.__class__("twin"), PROMPT.id, FOUR[0].text, "arm")

    state = first(texts=[*FOUR, twin])

    assert len(state.owed) == 4


# --- unreadable and failed ----------------------------------------------------------------------


def test_an_unreadable_reply_is_asked_about_once_more_and_then_counts() -> None:
    judge = erring(worth, lambda r: about("good")(r) and r.draw == 0, "Seven, I think.")

    state, _, paid = play(judge, FOUR, panel())

    again = [request for request in paid if request.draw == 1]
    assert [shown(request) for request in again] == [["good"]]
    assert values(state)["good"] == [7.0]
    assert next(s for s in state.scores if s.completion == IDS["good"]).request_id == again[0].id
    assert (state.reasked, state.unreadable) == (1, 0)


def test_incident_5_an_answer_with_two_unreadable_replies_has_no_score_at_all() -> None:
    state, _, paid = play(erring(worth, about("poor"), "No idea."), FOUR, panel())

    assert values(state) == {"fair": [5.0], "good": [7.0], "great": [9.0]}
    assert (state.reasked, state.unreadable) == (1, 1)
    assert len(paid) == 5


def test_a_judge_that_is_unreadable_in_ever_new_words_is_asked_twice_and_never_again() -> None:
    state, _, paid = play(lambda r: reply(r, f"Hmm, {r.id}."), FOUR, panel())

    assert sorted(request.draw for request in paid) == [0] * 4 + [1] * 4
    assert (state.reasked, state.unreadable) == (4, 4)


def test_incident_9_one_unreadable_verdict_costs_one_verdict() -> None:
    state, _, _ = play(erring(worth, about("poor"), "No idea."), FOUR, panel())

    assert isinstance(state.settlement, Pair)
    assert (state.settlement.chosen, state.settlement.rejected) == (IDS["great"], IDS["fair"])


def test_incident_13_one_missing_rating_takes_no_other_with_it_and_all_missing_abstain() -> None:
    state, _, paid = play(lambda r: reply(r, ""), FOUR, panel("a", "b", "c"))

    assert state.scores == ()
    assert (state.reasked, state.unreadable) == (4, 4)
    assert state.settlement == Abstention(PROMPT.id, "too_few")
    assert len(paid) == 8


def test_incident_4_a_score_out_of_range_is_not_mended() -> None:
    judge = erring(worth, about("poor"), '{"rationale": "r", "score": 47}')

    state, _, paid = play(judge, FOUR, panel())

    assert "poor" not in values(state)
    again = next(request for request in paid if request.draw == 1)
    assert '"score" must be a number from 1 to 10, not 47' in str(again.body["messages"])


def test_a_reply_cut_off_at_the_limit_is_told_so() -> None:
    def judge(request: ChatRequest) -> Outcome:
        if about("poor")(request) and request.draw == 0:
            return reply(request, '{"rationale": "Well', finish_reason="length")
        return knowing(worth)(request)

    _, _, paid = play(judge, FOUR, panel())

    assert "cut off at the token limit" in str(paid[-1].body["messages"])


def test_a_judge_that_declines_is_shown_its_refusal() -> None:
    def judge(request: ChatRequest) -> Outcome:
        if about("poor")(request) and request.draw == 0:
            return reply(request, "", refusal="I would rather not.")
        return knowing(worth)(request)

    state, _, paid = play(judge, FOUR, panel())

    assert "I would rather not." in str(paid[-1].body["messages"])
    assert values(state)["poor"] == [2.0]


def test_incident_6_a_call_that_can_never_succeed_is_no_verdict_and_is_counted() -> None:
    judge = failing(FailureKind.PERMANENT, "content_filter", about("poor"), knowing(worth))

    state, _, _ = play(judge, FOUR, panel())

    assert "poor" not in values(state)
    assert [failure.reason for failure in state.failed] == ["content_filter"]
    assert (state.unpaid, state.unreadable) == ((), 0)
    assert isinstance(state.settlement, Pair)


@pytest.mark.parametrize("kind", [FailureKind.TRANSIENT, FailureKind.FATAL, FailureKind.THROTTLED])
def test_a_call_that_another_run_may_pay_leaves_the_prompt_unfinished(kind: FailureKind) -> None:
    judge = failing(kind, "timeout", about("poor"), knowing(worth))

    state, outcomes, _ = play(judge, FOUR, panel("a", "b"))

    assert [failure.kind for failure in state.unpaid] == [kind]
    assert (state.failed, state.owed, state.settlement) == ((), (), None)
    answered = {ident: outcome for ident, outcome in outcomes.items() if not isinstance(outcome, Failure)}
    assert [shown(r) for r in owed(PROMPT, FOUR, answered, best_worst(), panel("a", "b")).owed] == [["poor"]]


def test_a_failed_reask_is_a_failure_and_no_second_unreadable_reply() -> None:
    judge = failing(
        FailureKind.PERMANENT,
        "context_length",
        lambda r: r.draw == 1,
        erring(worth, about("poor"), "No idea."),
    )

    state, _, _ = play(judge, FOUR, panel())

    assert (state.reasked, state.unreadable, len(state.failed)) == (1, 0, 1)


# --- the ladder ---------------------------------------------------------------------------------


def test_the_next_judge_sees_only_what_is_near_the_top() -> None:
    state, _, paid = play(knowing(worth), FOUR, panel("a", "b", "c"))

    seen = {name: sorted(shown(r)[0] for r in paid if r.endpoint == name) for name in "abc"}
    assert seen == {"a": sorted(WORTH), "b": ["good", "great"], "c": []}
    assert values(state)["great"] == [9.0, 9.0]


def test_the_distance_is_measured_from_the_mean_so_far() -> None:
    second = {"good": 9.0, "great": 8.0}
    judge = by_name({"a": knowing(worth), "b": knowing(second.__getitem__), "c": knowing(worth)})

    _, _, paid = play(judge, FOUR, panel("a", "b", "c"))

    assert sorted(shown(r)[0] for r in paid if r.endpoint == "c") == ["good", "great"]


def test_a_clear_winner_is_not_judged_again() -> None:
    _, _, paid = play(knowing({"a": 9.0, "b": 5.0, "c": 5.0}.__getitem__), completions("a", "b", "c"), panel("x", "y"))

    assert {request.endpoint for request in paid} == {"x"}


def test_the_next_rung_waits_until_the_one_below_is_complete() -> None:
    asked = panel("a", "b")
    requests = owed(PROMPT, FOUR, {}, best_worst(), asked).owed
    missing = next(r for r in requests if shown(r) == ["poor"])
    outcomes: dict[RequestId, Outcome] = {r.id: knowing(worth)(r) for r in requests if r is not missing}

    assert owed(PROMPT, FOUR, outcomes, best_worst(), asked).owed == (missing,)


def test_an_answer_without_a_score_does_not_climb() -> None:
    judge = by_name({"a": erring(worth, about("great"), "No idea."), "b": knowing(worth)})

    _, _, paid = play(judge, FOUR, panel("a", "b"))

    assert sorted(shown(r)[0] for r in paid if r.endpoint == "b") == ["fair", "good"]


def test_a_distance_reached_exactly_counts_whatever_floats_make_of_it() -> None:
    points = {"a": 8.3, "b": 6.3, "c": 1.0}
    _, _, paid = play(knowing(points.__getitem__), completions(*points), panel("x", "y"))

    assert sorted(shown(r)[0] for r in paid if r.endpoint == "y") == ["a", "b"]


def test_changing_the_second_judge_buys_nothing_of_the_first_again() -> None:
    _, outcomes, _ = play(knowing(worth), FOUR, panel("a", "b"))

    state = owed(PROMPT, FOUR, outcomes, best_worst(), panel("a", "other"))

    assert {request.endpoint for request in state.owed} == {"other"}


# --- duels --------------------------------------------------------------------------------------

CLOSE = completions("fair", "good")


def test_a_close_call_is_asked_in_both_orders() -> None:
    state, _, paid = play(knowing(worth), CLOSE, panel())

    assert [shown(r) for r in paid if r.purpose is Purpose.DUEL] in (
        [["fair", "good"], ["good", "fair"]],
        [["good", "fair"], ["fair", "good"]],
    )
    assert [duel.winner for duel in state.duels] == [IDS["good"]] * 2
    assert isinstance(state.settlement, Pair)
    assert state.settlement.chosen == IDS["good"]


def test_incident_2_a_label_means_the_answer_shown_under_it() -> None:
    state, _, paid = play(knowing(worth), CLOSE, panel())

    asked = {request.id: shown(request) for request in paid}
    for duel in state.duels:
        assert [duel.first, duel.second] == [IDS[text] for text in asked[duel.request_id]]


def test_a_judge_that_always_prefers_the_first_cannot_decide() -> None:
    def judge(request: ChatRequest) -> Outcome:
        if request.purpose is Purpose.DUEL:
            return reply(request, {"rationale": "the first", "winner": "A"})
        return knowing(worth)(request)

    state, _, _ = play(judge, CLOSE, panel())

    assert {duel.winner for duel in state.duels} == {IDS["fair"], IDS["good"]}
    assert state.settlement == Abstention(PROMPT.id, "order")


def test_incident_13_a_tie_has_no_winner() -> None:
    judge = erring(worth, lambda r: r.purpose is Purpose.DUEL, '{"rationale": "equal", "winner": "tie"}')

    state, _, _ = play(judge, CLOSE, panel())

    assert [duel.winner for duel in state.duels] == [None, None]
    assert state.settlement == Abstention(PROMPT.id, "order")


def test_the_two_orders_go_to_the_last_two_judges() -> None:
    _, _, paid = play(knowing(worth), CLOSE, panel("a", "b", "c"))

    assert [r.endpoint for r in paid if r.purpose is Purpose.DUEL] == ["c", "b"]


def test_an_unreadable_duel_is_asked_about_once_more() -> None:
    judge = erring(worth, lambda r: r.purpose is Purpose.DUEL and r.draw == 0, "Hard to say.")

    state, _, paid = play(judge, CLOSE, panel())

    assert [r.draw for r in paid if r.purpose is Purpose.DUEL] == [0, 0, 1, 1]
    assert isinstance(state.settlement, Pair)
    assert (state.reasked, state.unreadable) == (2, 0)


def test_incident_5_a_duel_without_a_readable_verdict_is_no_tie_but_an_abstention() -> None:
    judge = erring(worth, lambda r: r.purpose is Purpose.DUEL and shown(r)[0] == "fair", "Hard to say.")

    state, _, _ = play(judge, CLOSE, panel())

    assert len(state.duels) == 1
    assert isinstance(state.settlement, Abstention)
    assert state.settlement.reason == "no_verdict"
    assert "could not be read" in state.settlement.detail
    assert (state.reasked, state.unreadable) == (1, 1)


def test_a_duel_that_can_never_succeed_is_an_abstention() -> None:
    judge = failing(FailureKind.PERMANENT, "content_filter", lambda r: r.purpose is Purpose.DUEL, knowing(worth))

    state, _, _ = play(judge, CLOSE, panel())

    assert isinstance(state.settlement, Abstention)
    assert (state.settlement.reason, len(state.failed)) == ("no_verdict", 2)
    assert "content_filter" in state.settlement.detail


def test_a_duel_that_another_run_may_pay_leaves_the_prompt_unfinished() -> None:
    judge = failing(FailureKind.TRANSIENT, "timeout", lambda r: r.purpose is Purpose.DUEL, knowing(worth))

    state, _, _ = play(judge, CLOSE, panel())

    assert (state.settlement, len(state.unpaid), len(state.scores)) == (None, 2, 2)


def test_a_settle_may_ask_for_another_pair_after_the_first() -> None:
    pairs = [Undecided(IDS["great"], IDS["good"]), Undecided(IDS["great"], IDS["fair"])]

    def settle(scores: Sequence[Score], duels: Sequence[Duel]) -> Settlement:
        return pairs[len(duels) // 2] if len(duels) < 4 else Abstention(PROMPT.id, "enough")

    state, _, paid = play(knowing(worth), FOUR, panel(), settle)

    assert len([r for r in paid if r.purpose is Purpose.DUEL]) == 4
    assert state.settlement == Abstention(PROMPT.id, "enough")


def test_a_settle_that_never_decides_is_an_error_and_no_endless_loop() -> None:
    def settle(scores: Sequence[Score], duels: Sequence[Duel]) -> Settlement:
        return Undecided(IDS["good"], IDS["fair"])

    with pytest.raises(ValueError, match="undecided after both duels"):
        play(knowing(worth), CLOSE, panel(), settle)


# --- properties ---------------------------------------------------------------------------------


def flaky(text: str) -> Judge:
    """Unreadable, failing and position-biased by the hash of the request: the same for the same question."""

    def judge(request: ChatRequest) -> Outcome:
        fate = hashed(text + request.id, 10)
        if fate == 0:
            return Failure(request.id, FailureKind.PERMANENT, "content_filter")
        if fate == 1:
            return Failure(request.id, FailureKind.TRANSIENT, "timeout")
        return reply(request, "Hmm.") if fate <= 3 else knowing(worth)(request)

    return judge


def lenient() -> Settle:
    return best_worst(min_gap=4.0, verify_gap=0.5)


@given(ANSWERS, st.randoms(use_true_random=False), st.text(max_size=3))
def test_incident_1_every_permutation_asks_the_same_and_settles_the_same(
    texts: list[str], rng: random.Random, luck: str
) -> None:
    shuffled = rng.sample(texts, len(texts))

    one, _, paid = play(flaky(luck), completions(*texts), panel("a", "b", "c"), lenient())
    other, _, paid_too = play(flaky(luck), completions(*shuffled), panel("a", "b", "c"), lenient())

    assert {request.id for request in paid} == {request.id for request in paid_too}
    assert one == other


@given(ANSWERS, st.randoms(use_true_random=False))
def test_incident_1_the_answer_worth_most_is_chosen_wherever_it_stands(texts: list[str], rng: random.Random) -> None:
    state, _, _ = play(knowing(worth), completions(*rng.sample(texts, len(texts))), panel("a", "b"), lenient())

    best, worst = max(map(worth, texts)), min(map(worth, texts))
    if isinstance(state.settlement, Pair):
        by_id = {c.id: worth(c.text) for c in completions(*texts)}
        assert (by_id[state.settlement.chosen], by_id[state.settlement.rejected]) == (best, worst)
    else:
        assert best - worst < 0.5


@given(ANSWERS, st.randoms(use_true_random=False), st.text(max_size=3))
def test_incident_2_replies_that_arrive_in_any_order_end_in_the_same_state(
    texts: list[str], rng: random.Random, luck: str
) -> None:
    answers, asked, judge = completions(*texts), panel("a", "b"), flaky(luck)
    outcomes: dict[RequestId, Outcome] = {}
    rendered: Asked = {}
    while requests := owed(PROMPT, answers, outcomes, lenient(), asked, rendered).owed:
        request = rng.choice(requests)
        outcomes = {request.id: judge(request), **outcomes}

    assert owed(PROMPT, answers, outcomes, lenient(), asked) == play(judge, answers, asked, lenient())[0]


@given(ANSWERS, st.text(max_size=3))
def test_incident_8_every_question_is_counted_once(texts: list[str], luck: str) -> None:
    state, outcomes, paid = play(flaky(luck), completions(*texts), panel("a", "b"), lenient())

    verdicts = len(state.scores) + len(state.duels)
    assert len([r for r in paid if r.draw == 0]) == verdicts + state.unreadable + len(state.failed + state.unpaid)
    assert len([r for r in paid if r.draw == 1]) == state.reasked
    assert (state.settlement is None) is bool(state.unpaid)
    assert set(outcomes) == {request.id for request in paid}


def test_the_judges_of_a_panel_stand_in_the_order_of_the_settings() -> None:
    assert panel("b", "a").judges == (endpoint("b"), endpoint("a"))
