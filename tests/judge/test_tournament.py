import random
from collections.abc import Callable, Sequence
from itertools import permutations

import pytest
from fake_judge import (
    PROMPT,
    Judge,
    best_worst,
    by_name,
    completions,
    erring,
    hashed,
    knowing,
    panel,
    play,
    reply,
    says_first,
    shown,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from pairsmith.judge import JudgeState, owed
from pairsmith.pair.orders import settle_orders
from pairsmith.records import (
    Abstention,
    ChatRequest,
    Completion,
    Failure,
    FailureKind,
    Outcome,
    Pair,
    Purpose,
    RequestId,
)

THREE = panel("games", "b", "c", protocol="duel")
ALONE = panel("alone", protocol="duel")
ANSWERS = st.lists(st.text(min_size=1, max_size=12), min_size=2, max_size=9, unique=True)
TIE = '{"rationale": "equal", "winner": "tie"}'


def worth(text: str) -> float:
    return float(hashed(text, 10**6))


def numbered(count: int) -> list[Completion]:
    return completions(*(f"answer {number}" for number in range(count)))


def best_and_worst(answers: Sequence[Completion]) -> tuple[str, str]:
    placed = sorted(answers, key=lambda one: worth(one.text))
    return placed[-1].id, placed[0].id


def sides(state: JudgeState) -> tuple[str, str]:
    assert isinstance(state.settlement, Pair)
    return state.settlement.chosen, state.settlement.rejected


def failing(kind: FailureKind, when: Callable[[ChatRequest], bool]) -> Judge:
    good = knowing(worth)
    return lambda request: Failure(request.id, kind, "content_filter") if when(request) else good(request)


# --- games and final ----------------------------------------------------------------------------


@pytest.mark.parametrize("count", range(2, 13))
def test_the_best_and_the_worst_are_found_in_the_fewest_games_and_a_final_in_both_orders(count: int) -> None:
    state, _, paid = play(knowing(worth), numbered(count), THREE)

    games = [request for request in paid if request.endpoint == "games"]
    final = [request for request in paid if request.endpoint != "games"]
    assert len(games) == -(-3 * count // 2) - 2
    assert [request.endpoint for request in final] == ["c", "b"]
    assert shown(final[0]) == shown(final[1])[::-1]
    assert sides(state) == best_and_worst(numbered(count))


@pytest.mark.parametrize("count", range(2, 13))
def test_a_game_that_one_judge_has_answered_already_is_no_second_call_in_its_final(count: int) -> None:
    state, _, paid = play(knowing(worth), numbered(count), ALONE)

    assert len(paid) == len({request.id for request in paid}) <= -(-3 * count // 2)
    assert len({duel.request_id for duel in state.duels}) == len(paid)
    assert sides(state) == best_and_worst(numbered(count))


def test_all_games_of_a_round_are_owed_at_once() -> None:
    state = owed(PROMPT, numbered(8), {}, best_worst(), THREE)

    assert len(state.owed) == 4
    assert {request.purpose for request in state.owed} == {Purpose.DUEL}
    assert len({text for request in state.owed for text in shown(request)}) == 8


def test_no_answer_is_scored() -> None:
    state, _, paid = play(knowing(worth), numbered(5), THREE)

    assert {request.purpose for request in paid} == {Purpose.DUEL}
    assert state.scores == ()


@settings(max_examples=40)  # each plays two whole tournaments
@given(ANSWERS, st.randoms(use_true_random=False))
def test_incident_1_every_permutation_of_the_same_answers_gives_the_same_pair(
    texts: list[str], rng: random.Random
) -> None:
    answers = completions(*texts)

    state, _, paid = play(knowing(worth), answers, THREE)
    other, _, paid_too = play(knowing(worth), completions(*rng.sample(texts, len(texts))), THREE)

    assert state == other
    assert {request.id for request in paid} == {request.id for request in paid_too}
    if len({worth(text) for text in texts}) == len(texts):
        by_id = {one.id: one.text for one in answers}
        assert not isinstance(state.settlement, Pair) or sides(state) == best_and_worst(answers)
        assert isinstance(state.settlement, Pair) or len({" ".join(text.split()) for text in by_id.values()}) < len(
            texts
        )


@settings(max_examples=30)  # each asks what is owed after every single reply
@given(ANSWERS, st.randoms(use_true_random=False), st.text(max_size=3))
def test_incident_2_replies_that_arrive_in_any_order_end_in_the_same_state(
    texts: list[str], rng: random.Random, luck: str
) -> None:
    answers, judge = completions(*texts), fickle(luck)
    outcomes: dict[RequestId, Outcome] = {}

    def now() -> JudgeState:
        orders = lambda rankings, final: settle_orders(PROMPT.id, answers, rankings, final)  # noqa: E731
        return owed(PROMPT, answers, outcomes, best_worst(), ALONE, settle_orders=orders)

    while requests := now().owed:
        request = rng.choice(requests)
        outcomes = {request.id: judge(request), **outcomes}

    assert now() == play(judge, answers, ALONE)[0]


# --- judges that err ----------------------------------------------------------------------------


def fickle(luck: str) -> Judge:
    """Says anything, and the same to the same question: no order among the answers need exist."""

    def judge(request: ChatRequest) -> Outcome:
        fate = hashed(luck + request.id, 10)
        if fate == 0:
            return Failure(request.id, FailureKind.PERMANENT, "content_filter")
        if fate == 1:
            return reply(request, "Hmm.")
        return reply(request, {"rationale": "so", "winner": "tie" if fate == 2 else "A" if fate % 2 else "B"})

    return judge


@pytest.mark.parametrize("count", range(2, 13))
@pytest.mark.parametrize("asked", [THREE, ALONE])
def test_a_judge_that_prefers_what_stands_first_never_gives_a_pair(count: int, asked: object) -> None:
    state, _, _ = play(says_first, numbered(count), asked)  # type: ignore[arg-type]

    assert isinstance(state.settlement, Abstention)
    assert state.settlement.reason == "order_conflict"


@pytest.mark.parametrize("cycle", list(permutations(["stone", "paper", "scissors"])))
def test_an_answer_that_wins_against_one_and_loses_against_the_other_is_not_paired_with_itself(
    cycle: tuple[str, ...],
) -> None:
    beats = {cycle[0]: cycle[1], cycle[1]: cycle[2], cycle[2]: cycle[0]}

    def judge(request: ChatRequest) -> Outcome:
        first, second = shown(request)
        return reply(request, {"rationale": "so", "winner": "A" if beats[first] == second else "B"})

    state, _, paid = play(judge, completions(*cycle), THREE)

    assert all(len(set(shown(request))) == 2 for request in paid)
    assert isinstance(state.settlement, Pair) or state.settlement.reason == "order_conflict"  # type: ignore[union-attr]


@given(ANSWERS, st.text(max_size=3), st.sampled_from([THREE, ALONE]))
def test_whatever_judges_say_a_pair_is_what_both_orders_of_its_final_prefer(
    texts: list[str], luck: str, asked: object
) -> None:
    state, _, paid = play(fickle(luck), completions(*texts), asked)  # type: ignore[arg-type]

    assert all(len(set(shown(request))) == 2 for request in paid)
    if isinstance(state.settlement, Pair):
        couple = {state.settlement.chosen, state.settlement.rejected}
        orders = {d.first: d.winner for d in state.duels if {d.first, d.second} == couple}
        assert len(couple) == 2 == len(orders)
        assert set(orders.values()) >= {state.settlement.chosen}
    else:
        assert isinstance(state.settlement, Abstention)
        assert state.settlement.reason in ("order_conflict", "duel_tie", "no_verdict", "equal_sides")


@given(ANSWERS, st.text(max_size=3), st.sampled_from([THREE, ALONE]))
def test_incident_8_every_question_is_counted_once(texts: list[str], luck: str, asked: object) -> None:
    state, _, paid = play(fickle(luck), completions(*texts), asked)  # type: ignore[arg-type]

    assert len([r for r in paid if r.draw == 0]) == len(state.duels) + state.unreadable + len(state.failed)
    assert len([r for r in paid if r.draw == 1]) == state.reasked


@pytest.mark.parametrize("count", range(2, 9))
def test_ties_are_decided_by_lot_so_that_the_games_come_to_an_end_and_no_pair(count: int) -> None:
    state, _, _ = play(lambda request: reply(request, TIE), numbered(count), THREE)
    again, _, _ = play(lambda request: reply(request, TIE), numbered(count)[::-1], THREE)

    assert isinstance(state.settlement, Abstention)
    assert state.settlement.reason in ("duel_tie", "order_conflict")
    assert state == again


def test_ties_in_the_games_alone_still_leave_a_final_that_decides() -> None:
    judges = by_name({"games": lambda request: reply(request, TIE), "b": knowing(worth), "c": knowing(worth)})

    state, _, _ = play(judges, numbered(4), THREE)

    assert isinstance(state.settlement, Pair)
    assert state.settlement.judges == ("b", "c")


@pytest.mark.parametrize("kind", ["unreadable", "failed"])
def test_incident_9_a_game_that_gives_no_verdict_does_not_lose_the_prompt(kind: str) -> None:
    of_games = lambda request: request.endpoint == "games"  # noqa: E731
    judge = erring(worth, of_games, "Hmm.") if kind == "unreadable" else failing(FailureKind.PERMANENT, of_games)

    state, _, _ = play(judge, numbered(4), THREE)

    assert isinstance(state.settlement, Pair)
    assert (state.unreadable, len(state.failed)) == ((4, 0) if kind == "unreadable" else (0, 4))


def test_a_game_that_another_run_may_pay_leaves_the_prompt_unfinished() -> None:
    state, _, paid = play(failing(FailureKind.TRANSIENT, lambda r: r.endpoint == "games"), numbered(4), THREE)

    assert (state.settlement, len(state.unpaid), len(paid)) == (None, 2, 2)


@pytest.mark.parametrize("lost", ["b", "c"])
def test_incident_5_a_final_that_cannot_be_read_is_no_verdict(lost: str) -> None:
    state, _, paid = play(erring(worth, lambda r: r.endpoint == lost, "Hmm."), numbered(4), THREE)

    assert isinstance(state.settlement, Abstention)
    assert state.settlement.reason == "no_verdict"
    assert state.settlement.detail == f"a duel by {lost} could not be read, nor the answer to the complaint"
    assert sorted(r.endpoint for r in paid if r.endpoint != "games") == sorted(["b", "c", lost])


def test_a_final_that_another_run_may_pay_leaves_the_prompt_unfinished() -> None:
    state, _, _ = play(failing(FailureKind.TRANSIENT, lambda r: r.endpoint == "b"), numbered(4), THREE)

    assert (state.settlement, len(state.unpaid)) == (None, 1)
