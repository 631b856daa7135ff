import random
from collections.abc import Callable

import pytest
from fake_judge import (
    PROMPT,
    Judge,
    a_prompt,
    best_worst,
    by_name,
    completion,
    completions,
    erring,
    hashed,
    knowing,
    labels,
    panel,
    play,
    reply,
    says_first,
    shown,
)
from hypothesis import given
from hypothesis import strategies as st

from pairsmith.judge import JudgeState, owed
from pairsmith.pair.orders import settle_orders
from pairsmith.records import (
    Abstention,
    ChatRequest,
    Failure,
    FailureKind,
    Flag,
    Outcome,
    Pair,
    Prompt,
    Purpose,
    RequestId,
)

WORTH = {"poor": 2.0, "fair": 5.0, "good": 7.0, "great": 9.0}
FOUR = completions(*WORTH)
IDS = {c.text: c.id for c in FOUR}
BY_RANK = panel("a", "b", protocol="rank")
ANSWERS = st.lists(st.text(min_size=1, max_size=12), min_size=2, max_size=7, unique=True)


def worth(text: str) -> float:
    return WORTH.get(text, float(hashed(text, 1000)))


def failing(kind: FailureKind, when: Callable[[ChatRequest], bool]) -> Judge:
    good = knowing(worth)
    return lambda request: Failure(request.id, kind, "content_filter") if when(request) else good(request)


def sides(state: JudgeState) -> tuple[str, str]:
    assert isinstance(state.settlement, Pair)
    return state.settlement.chosen, state.settlement.rejected


# --- two lists ----------------------------------------------------------------------------------


def test_every_answer_is_shown_in_two_lists_the_second_the_first_reversed() -> None:
    _, _, paid = play(knowing(worth), FOUR, BY_RANK)

    one, other = (shown(request) for request in paid)
    assert sorted(one) == sorted(WORTH)
    assert other == one[::-1]


def test_both_lists_are_owed_at_once_and_go_to_the_first_judge_and_the_next() -> None:
    state = owed(PROMPT, FOUR, {}, best_worst(), panel("a", "b", "c", protocol="rank"))

    assert [request.endpoint for request in state.owed] == ["a", "b"]
    assert {request.purpose for request in state.owed} == {Purpose.RANK}


def test_a_judge_alone_is_asked_for_both_lists() -> None:
    _, _, paid = play(knowing(worth), FOUR, panel("a", protocol="rank"))

    assert [request.endpoint for request in paid] == ["a", "a"]
    assert len({request.id for request in paid}) == 2


def test_a_flagged_answer_is_in_no_list() -> None:
    _, _, paid = play(knowing(worth), [*FOUR, completion("cut off", flags=(Flag.CUT_OFF,))], BY_RANK)

    assert all("cut off" not in shown(request) for request in paid)


def test_the_schema_asks_for_the_labels_that_are_shown() -> None:
    request = owed(PROMPT, FOUR, {}, best_worst(), BY_RANK).owed[0]

    assert '"enum":["A","B","C","D"]' in str(request.body["response_format"]).replace("'", '"').replace(" ", "")


def test_incident_12_who_stands_first_is_drawn_anew_for_every_prompt() -> None:
    firsts = []
    for number in range(200):
        prompt = a_prompt(f"Question {number}?")
        answers = [completion(text, prompt) for text in WORTH]
        firsts.append(shown(owed(prompt, answers, {}, best_worst(), BY_RANK).owed[0])[0])

    assert all(30 < firsts.count(text) < 70 for text in WORTH)


# --- what the labels mean -----------------------------------------------------------------------


def test_what_both_name_first_and_last_is_the_pair() -> None:
    state, _, _ = play(knowing(worth), FOUR, BY_RANK)

    assert sides(state) == (IDS["great"], IDS["poor"])


def test_incident_2_a_label_means_the_answer_shown_under_it_in_that_very_list() -> None:
    state, _, paid = play(knowing(worth), FOUR, BY_RANK)

    asked = {request.id: shown(request) for request in paid}
    for ranking in state.rankings:
        assert [IDS[text] for text in asked[ranking.request_id]] == list(ranking.shown)
        assert list(ranking.order) == [IDS[text] for text in ("great", "good", "fair", "poor")]


@given(ANSWERS, st.randoms(use_true_random=False))
def test_incident_1_every_permutation_of_the_same_answers_gives_the_same_pair(
    texts: list[str], rng: random.Random
) -> None:
    state, _, paid = play(knowing(worth), completions(*texts), BY_RANK)
    other, _, paid_too = play(knowing(worth), completions(*rng.sample(texts, len(texts))), BY_RANK)

    by_text = {c.text: c.id for c in completions(*texts)}
    placed = sorted(texts, key=lambda text: (-worth(text), text))
    assert state == other
    assert [request.id for request in paid] == [request.id for request in paid_too]
    assert isinstance(state.settlement, Abstention) or sides(state) == (by_text[placed[0]], by_text[placed[-1]])


@given(ANSWERS, st.randoms(use_true_random=False))
def test_incident_2_replies_that_arrive_in_any_order_end_in_the_same_state(
    texts: list[str], rng: random.Random
) -> None:
    answers, judge = completions(*texts), erring(worth, lambda r: hashed(r.id, 3) == 0, "Hmm.")
    outcomes: dict[RequestId, Outcome] = {}

    def now() -> JudgeState:
        orders = lambda rankings, final: settle_orders(PROMPT.id, answers, rankings, final)  # noqa: E731
        return owed(PROMPT, answers, outcomes, best_worst(), BY_RANK, settle_orders=orders)

    while requests := now().owed:
        request = rng.choice(requests)
        outcomes = {request.id: judge(request), **outcomes}

    assert now() == play(judge, answers, BY_RANK)[0]


@pytest.mark.parametrize("texts", [("fair", "good"), tuple(WORTH)])
def test_a_judge_that_ranks_by_position_never_gives_a_pair(texts: tuple[str, ...]) -> None:
    state, _, _ = play(says_first, completions(*texts), BY_RANK)

    assert isinstance(state.settlement, Abstention)
    assert (state.settlement.reason, state.settlement.detail) == (
        "order_conflict",
        "the two orders differ in who is first and who is last",
    )


def test_two_judges_that_differ_in_the_middle_only_still_give_the_pair() -> None:
    other = {**WORTH, "fair": 8.0}
    judges = by_name({"a": knowing(worth), "b": knowing(other.__getitem__)})

    state, _, _ = play(judges, FOUR, BY_RANK)

    assert sides(state) == (IDS["great"], IDS["poor"])


def test_more_answers_than_letters_get_labels_of_two_and_are_still_told_apart() -> None:
    texts = [f"answer {number:02}" for number in range(60)]
    points = {text: float(number) for number, text in enumerate(texts)}
    answers = completions(*texts)

    state, _, paid = play(knowing(points.__getitem__), answers, BY_RANK)

    assert labels(paid[0])[24:30] == ["Y", "Z", "AA", "AB", "AC", "AD"]
    assert len(set(labels(paid[0]))) == 60
    assert sides(state) == (answers[-1].id, answers[0].id)


# --- what cannot be ranked ----------------------------------------------------------------------


def test_answers_too_long_for_one_prompt_are_refused_with_a_sentence_and_cost_nothing() -> None:
    long = completions("x" * 30_000, "y" * 30_001)

    state, _, paid = play(knowing(worth), long, BY_RANK)

    assert paid == []
    assert state.settlement == Abstention(
        PROMPT.id,
        "too_long_to_rank",
        "2 answers of 60,001 characters together > judge.rank_max_chars = 60000",
    )


def test_answers_that_just_fit_are_ranked() -> None:
    state, _, _ = play(knowing(worth), completions("x" * 30_000, "y" * 30_000), BY_RANK)

    assert isinstance(state.settlement, Pair)


def test_an_unreadable_ranking_is_asked_about_once_more_and_then_counts() -> None:
    judge = erring(worth, lambda r: r.endpoint == "a" and r.draw == 0, '{"ranking": ["A", "B"]}')

    state, _, paid = play(judge, FOUR, BY_RANK)

    assert [(request.endpoint, request.draw) for request in paid] == [("a", 0), ("b", 0), ("a", 1)]
    assert "must be a list of A, B, C, D, each once, best first" in str(paid[-1].body["messages"])
    assert sides(state) == (IDS["great"], IDS["poor"])
    assert (state.reasked, state.unreadable) == (1, 0)


def test_incident_5_a_ranking_that_stays_unreadable_is_no_verdict() -> None:
    state, _, paid = play(erring(worth, lambda r: r.endpoint == "a", "Hmm."), FOUR, BY_RANK)

    assert isinstance(state.settlement, Abstention)
    assert state.settlement.reason == "no_verdict"
    assert state.settlement.detail == "a ranking by a could not be read, nor the answer to the complaint"
    assert (state.reasked, state.unreadable, len(state.rankings), len(paid)) == (1, 1, 1, 3)


@pytest.mark.parametrize("said", ["", "Hmm.", '{"ranking": ["A", "A", "B", "C"]}', '{"ranking": "ABCD"}'])
def test_a_panel_that_is_never_readable_abstains(said: str) -> None:
    state, _, paid = play(lambda request: reply(request, said), FOUR, BY_RANK)

    assert isinstance(state.settlement, Abstention)
    assert (state.settlement.reason, len(paid), state.rankings) == ("no_verdict", 4, ())


def test_a_ranking_that_can_never_succeed_is_no_verdict_and_names_the_reason() -> None:
    state, _, _ = play(failing(FailureKind.PERMANENT, lambda r: r.endpoint == "b"), FOUR, BY_RANK)

    assert isinstance(state.settlement, Abstention)
    assert state.settlement.detail == "a ranking by b failed: content_filter"
    assert len(state.failed) == 1


def test_a_ranking_that_another_run_may_pay_leaves_the_prompt_unfinished() -> None:
    state, outcomes, _ = play(failing(FailureKind.TRANSIENT, lambda r: r.endpoint == "b"), FOUR, BY_RANK)

    assert (state.settlement, len(state.unpaid), len(state.rankings)) == (None, 1, 1)
    answered = {ident: outcome for ident, outcome in outcomes.items() if not isinstance(outcome, Failure)}
    assert [r.endpoint for r in owed(PROMPT, FOUR, answered, best_worst(), BY_RANK).owed] == ["b"]


@given(ANSWERS, st.text(max_size=3))
def test_incident_8_every_question_is_counted_once(texts: list[str], luck: str) -> None:
    def judge(request: ChatRequest) -> Outcome:
        fate = hashed(luck + request.id, 5)
        if fate == 0:
            return Failure(request.id, FailureKind.PERMANENT, "content_filter")
        return reply(request, "Hmm.") if fate == 1 else knowing(worth)(request)

    state, _, paid = play(judge, completions(*texts), BY_RANK)

    assert len([r for r in paid if r.draw == 0]) == len(state.rankings) + state.unreadable + len(state.failed)
    assert len([r for r in paid if r.draw == 1]) == state.reasked


def test_the_answers_of_another_prompt_are_refused_here_too() -> None:
    other: Prompt = a_prompt("Why is grass green?")

    with pytest.raises(ValueError, match="another prompt"):
        owed(PROMPT, [*FOUR, completion("green", other)], {}, best_worst(), BY_RANK)


# --- a conflict settled by comparing --------------------------------------------------------------


def in_conflict(request: ChatRequest) -> Outcome:
    """Rankings that always put what is shown first in the first place; duels by what answers are worth."""
    if request.purpose is Purpose.RANK:
        return reply(request, {"rationale": "so it is", "ranking": labels(request)})
    return knowing(lambda text: float(len(text)))(request)


def test_a_conflict_of_rankings_is_settled_by_comparing_where_the_recipe_says_so() -> None:
    answers = completions("a", "bb", "cccc")
    state, _, paid = play(in_conflict, answers, panel(protocol="rank", rank_conflict="duel"))

    assert [request.purpose for request in paid[:2]] == [Purpose.RANK, Purpose.RANK]
    assert {request.purpose for request in paid[2:]} == {Purpose.DUEL}
    assert 3 <= len(paid) <= 4
    if isinstance(state.settlement, Pair):
        texts = {one.id: one.text for one in answers}
        assert len(texts[state.settlement.chosen]) > len(texts[state.settlement.rejected])


def test_without_that_a_conflict_is_no_pair_and_costs_no_more() -> None:
    answers = completions("a", "bb", "cccc")
    state, _, paid = play(in_conflict, answers, panel(protocol="rank"))

    assert isinstance(state.settlement, Abstention)
    assert state.settlement.reason == "order_conflict"
    assert len(paid) == 2


def test_rankings_that_agree_are_not_compared_again() -> None:
    answers = completions("a", "bb", "cccc")
    _, _, paid = play(knowing(lambda text: float(len(text))), answers, panel(protocol="rank", rank_conflict="duel"))

    assert len(paid) == 2


def test_a_lost_ranking_leaves_the_other_to_name_whom_to_compare() -> None:
    good = knowing(lambda text: float(len(text)))
    lost = completions("a", "bb", "cccc")

    def judge(request: ChatRequest) -> Outcome:
        first_shown = shown(request)[0] if request.purpose is Purpose.RANK else ""
        if request.purpose is Purpose.RANK and first_shown == min(shown(request)):
            return Failure(request.id, FailureKind.PERMANENT, "content_filter")
        return good(request)

    state, _, paid = play(judge, lost, panel(protocol="rank", rank_conflict="duel"))

    ranked = [request for request in paid if request.purpose is Purpose.RANK]
    assert len(ranked) == 2
    if len(state.failed) == 1:
        assert isinstance(state.settlement, Pair)
        assert (state.settlement.chosen, state.settlement.rejected) == (lost[2].id, lost[0].id)
