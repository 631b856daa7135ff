"""Rungs of the ladder that are no chat models, and what a run's own noise changes in it."""

import random
from collections.abc import Mapping, Sequence

import pytest
from fake_judge import (
    PROMPT,
    Judge,
    best_worst,
    by_name,
    completion,
    completions,
    erring,
    hashed,
    knowing,
    noise_of,
    panel,
    play,
    reply,
    shown,
)
from hypothesis import given
from hypothesis import strategies as st

from pairsmith.judge import Asked, Check, Gates, JudgeState, owed
from pairsmith.records import (
    Abstention,
    ChatRequest,
    Completion,
    CompletionId,
    EndpointName,
    Failure,
    FailureKind,
    Flag,
    JudgeNoise,
    Noise,
    Outcome,
    Pair,
    Prompt,
    Purpose,
    Reply,
    RequestId,
    TokenChoice,
)

WORTH = {"poor": 2.0, "fair": 5.0, "good": 7.0, "great": 9.0}
FOUR = completions(*WORTH)
IDS = {c.text: c.id for c in FOUR}
RULES = "check:rules.py:score"


def worth(text: str) -> float:
    return WORTH.get(text, 1.0 + hashed(text, 10) % 10)


def check_of(points: Mapping[str, float]) -> Check:
    """A check that has something to say about these texts only."""
    return lambda prompt, answers: {one.id: points[one.text] for one in answers if one.text in points}


def seen(paid: Sequence[ChatRequest], judge: str) -> list[str]:
    """The texts that a judge was asked to score."""
    scored = [request for request in paid if request.purpose is Purpose.SCORE]
    return sorted(shown(request)[0] for request in scored if request.endpoint == judge)


def values(state: JudgeState, judge: str) -> dict[str, float]:
    by_id = {ident: text for text, ident in IDS.items()}
    return {by_id[score.completion]: score.value for score in state.scores if score.judge == judge}


# --- checks ---------------------------------------------------------------------------------------


def test_the_verdicts_of_a_check_cost_no_request() -> None:
    state, outcomes, paid = play(knowing(worth), FOUR, panel(RULES, checks={RULES: check_of(WORTH)}))

    assert (paid, outcomes) == ([], {})
    assert values(state, RULES) == WORTH
    assert isinstance(state.settlement, Pair)
    assert (state.settlement.chosen, state.settlement.rejected) == (IDS["great"], IDS["poor"])


def test_each_verdict_of_a_check_has_a_name_of_its_own_that_never_changes() -> None:
    checked = panel(RULES, checks={RULES: check_of({**WORTH, "good": 9.0})})

    one, other = (play(knowing(worth), answers, checked)[0] for answers in (FOUR, FOUR[::-1]))

    assert len({score.request_id for score in one.scores}) == 4
    assert one == other


def test_a_check_goes_by_its_file_whatever_folder_that_is_in() -> None:
    names = [panel(f"check:{folder}rules.py:score").judges[0].name for folder in ("", "/home/me/", "../")]

    assert names == [RULES] * 3


def test_what_a_check_puts_far_below_the_top_is_not_asked_about() -> None:
    checks = {RULES: check_of({"poor": 1.0, "fair": 10.0, "good": 10.0, "great": 10.0})}

    _, _, paid = play(knowing(worth), FOUR, panel(RULES, "teacher", checks=checks))

    assert seen(paid, "teacher") == ["fair", "good", "great"]


def test_a_check_that_has_nothing_to_say_lets_all_completions_go_on() -> None:
    state, _, paid = play(knowing(worth), FOUR, panel(RULES, "teacher", checks={RULES: check_of({})}))

    assert seen(paid, "teacher") == sorted(WORTH)
    assert {score.judge for score in state.scores} == {"teacher"}
    assert isinstance(state.settlement, Pair)


@pytest.mark.parametrize("by", ["value", "distance"])
def test_whoever_a_check_says_nothing_of_goes_on_beside_the_best(by: str) -> None:
    checks = {RULES: check_of({"poor": 1.0, "great": 10.0})}
    noise = Noise({EndpointName(RULES): JudgeNoise(0.9), EndpointName("teacher"): JudgeNoise(0.8)}, 2.0)
    asked = panel(RULES, "teacher", checks=checks, noise=noise, escalate=by)

    _, _, paid = play(knowing(worth), FOUR, asked)

    assert {"fair", "good"} <= set(seen(paid, "teacher"))
    assert "poor" not in seen(paid, "teacher")


def test_a_check_that_knows_one_completion_only_lets_all_go_on() -> None:
    _, _, paid = play(knowing(worth), FOUR, panel(RULES, "teacher", checks={RULES: check_of({"poor": 1.0})}))

    assert seen(paid, "teacher") == sorted(WORTH)


def test_who_was_silent_to_a_check_goes_to_the_first_model_only() -> None:
    judge = by_name({"a": erring(worth, lambda r: shown(r) == ["great"], "Hmm."), "b": knowing(worth)})

    _, _, paid = play(judge, FOUR, panel(RULES, "a", "b", checks={RULES: check_of({})}, escalate_within=[2.0, 2.0]))

    assert seen(paid, "b") == ["fair", "good"]


def test_a_check_behind_a_model_sees_all_completions() -> None:
    asked: list[list[str]] = []

    def check(prompt: Prompt, answers: Sequence[Completion]) -> Mapping[CompletionId, float]:
        asked.append(sorted(one.text for one in answers))
        return {}

    play(knowing(worth), FOUR, panel("teacher", RULES, checks={RULES: check}))

    assert asked[-1] == sorted(WORTH)


def test_a_check_alone_that_has_nothing_to_say_abstains() -> None:
    state, _, _ = play(knowing(worth), FOUR, panel(RULES, checks={RULES: check_of({})}))

    assert state.settlement == Abstention(PROMPT.id, "too_few")


@given(st.dictionaries(st.sampled_from(list(WORTH)), st.floats(1, 10)), st.randoms(use_true_random=False))
def test_incident_1_every_permutation_asks_and_settles_the_same(points: dict[str, float], rng: random.Random) -> None:
    asked = panel(RULES, "rm", "teacher", checks={RULES: check_of(points)})

    one, _, paid = play(knowing(worth), FOUR, asked)
    other, _, paid_too = play(knowing(worth), rng.sample(FOUR, 4), asked)

    assert one == other
    assert {request.id for request in paid} == {request.id for request in paid_too}


# --- reward models --------------------------------------------------------------------------------


def rewards(scale: float = 1.0) -> Judge:
    return knowing(lambda text: scale * worth(text))


def rm_known(variance: float = 1.0, unit: float = 1.0, **others: float) -> Noise:
    judges = {EndpointName("rm"): JudgeNoise(variance, 0.0, unit)}
    return Noise(judges | {EndpointName(name): JudgeNoise(one) for name, one in others.items()}, 2.0, 32, 400)


def test_a_reward_model_is_asked_once_about_each_completion_and_its_number_is_kept_as_it_is() -> None:
    state, _, paid = play(rewards(-40.0), FOUR, panel("rm", noise=rm_known()))

    assert seen(paid, "rm") == sorted(WORTH)
    assert values(state, "rm") == {text: -40.0 * points for text, points in WORTH.items()}


def test_a_reward_that_cannot_be_read_is_not_asked_about_again() -> None:
    judge = erring(worth, lambda r: shown(r) == ["poor"], '{"reward": null}')

    state, _, paid = play(judge, FOUR, panel("rm"))

    assert len(paid) == 4
    assert "poor" not in values(state, "rm")
    assert (state.unreadable, state.reasked) == (1, 0)


def test_a_known_reward_model_sends_on_who_is_near_the_top_in_units_of_its_noise() -> None:
    wide, narrow = (
        play(rewards(), FOUR, panel("rm", "teacher", noise=rm_known(unit=unit), escalate_within=[2.0]))[2]
        for unit in (1.0, 5.0)
    )

    assert seen(wide, "teacher") == ["good", "great"]
    assert seen(narrow, "teacher") == sorted(WORTH)


def test_a_reward_model_of_which_nothing_is_known_sends_on_whoever_it_could_read() -> None:
    silent = erring(lambda text: 100 * worth(text), lambda r: shown(r) == ["poor"], '{"reward": null}')

    _, _, paid = play(by_name({"rm": silent, "teacher": knowing(worth)}), FOUR, panel("rm", "teacher"))

    assert seen(paid, "teacher") == ["fair", "good", "great"]


def test_raw_rewards_do_not_say_who_is_near_the_top_two_rungs_later() -> None:
    judge = by_name(
        {"rm": knowing({**WORTH, "poor": 900.0}.__getitem__), "a": knowing(worth), "b": knowing(worth)},
    )

    _, _, paid = play(judge, FOUR, panel("rm", "a", "b", escalate_within=[2.0, 2.0]))

    assert seen(paid, "b") == ["good", "great"]


# --- probabilities --------------------------------------------------------------------------------


def wavering(request: ChatRequest) -> Outcome:
    """Says the worth, and that the next lower point was as likely."""
    points = int(worth(shown(request)[0]))
    head, tail = '{"rationale": "", "score": ', "}"
    both = ((str(points), -0.6931471805599453), (str(points - 1), -0.6931471805599453))
    tokens = (TokenChoice(head, 0.0), TokenChoice(str(points), both[0][1], both), TokenChoice(tail, 0.0))
    return Reply(request.id, f"{head}{points}{tail}", "stop", tokens=tokens)


def test_the_expectation_is_taken_where_it_is_asked_for_and_there() -> None:
    state, _, paid = play(wavering, FOUR, panel(score_from="logprobs"))

    assert values(state, "teacher") == {text: points - 0.5 for text, points in WORTH.items()}
    assert all(request.body["logprobs"] is True for request in paid)


def test_the_number_is_taken_where_no_probabilities_came() -> None:
    state, _, _ = play(knowing(worth), FOUR, panel(score_from="logprobs"))

    assert values(state, "teacher") == WORTH


def test_probabilities_that_were_not_asked_for_count_for_nothing() -> None:
    state, _, paid = play(wavering, FOUR, panel())

    assert values(state, "teacher") == WORTH
    assert all("logprobs" not in request.body for request in paid)


# --- by value -------------------------------------------------------------------------------------

KNOWN = noise_of(2.0, a=0.8, b=0.7, c=0.6)


def test_the_next_judge_is_asked_only_where_it_can_change_what_is_exported() -> None:
    clear, close = completions("great", "fair", "poor"), completions("great", "fine", "poor")
    judge = knowing({**WORTH, "fine": 8.5}.__getitem__)

    assert seen(play(judge, clear, panel("a", "b", noise=KNOWN))[2], "b") == []
    assert seen(play(judge, close, panel("a", "b", noise=KNOWN))[2], "b") == ["fine", "great"]


def test_without_a_measure_of_the_judges_the_distance_decides() -> None:
    _, _, paid = play(knowing(worth), FOUR, panel("a", "b", noise=Noise()))

    assert seen(paid, "b") == ["good", "great"]


def test_a_recipe_that_gives_the_distance_keeps_it() -> None:
    _, _, paid = play(knowing(worth), FOUR, panel("a", "b", noise=KNOWN, escalate_within=[9.0]))

    assert seen(paid, "b") == sorted(WORTH)


def test_a_prompt_below_the_floor_costs_no_second_verdict() -> None:
    judge = knowing({"u": 2.0, "v": 2.0, "w": 1.0}.__getitem__)

    _, _, paid = play(judge, completions("u", "v", "w"), panel("a", "b", noise=KNOWN, gates=Gates(1.0, 6.0)))

    assert seen(paid, "b") == []


@given(st.lists(st.integers(1, 10), min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_incident_2_what_is_asked_is_the_same_in_whatever_order_replies_arrive(
    points: list[int], rng: random.Random
) -> None:
    texts = {f"answer {place}": float(value) for place, value in enumerate(points)}
    answers, asked = completions(*texts), panel("a", "b", "c", noise=KNOWN)
    judge = knowing(lambda text: texts[text])
    outcomes: dict[RequestId, Outcome] = {}
    rendered: Asked = {}
    while requests := owed(PROMPT, answers, outcomes, best_worst(), asked, rendered).owed:
        request = rng.choice(requests)
        outcomes = {request.id: judge(request), **outcomes}

    state, outcomes_too, _ = play(judge, answers, asked)
    assert outcomes.keys() == outcomes_too.keys()
    assert owed(PROMPT, answers, outcomes, best_worst(), asked) == state


@given(st.lists(st.integers(1, 10), min_size=2, max_size=6))
def test_answers_that_nobody_asked_for_on_this_way_change_nothing(points: list[int]) -> None:
    """As after measuring, or under another rule: the verdicts are there, and the decision is the same as without."""
    texts = {f"answer {place}": float(value) for place, value in enumerate(points)}
    answers, judge = completions(*texts), knowing(lambda text: texts[text])
    state, outcomes, _ = play(judge, answers, panel("a", "b", "c", noise=KNOWN))
    _, more, _ = play(judge, answers, panel("a", "b", "c", escalate_within=[9.0, 9.0]))

    assert owed(PROMPT, answers, more | outcomes, best_worst(), panel("a", "b", "c", noise=KNOWN)) == state


# --- while it is not known yet ----------------------------------------------------------------------


def test_the_second_rung_waits_until_the_noise_is_known() -> None:
    state, _, paid = play(knowing(worth), FOUR, panel("a", "b", noise=None))

    assert seen(paid, "a") == sorted(WORTH)
    assert seen(paid, "b") == []
    assert (state.waits, state.settlement) == (True, None)


def test_a_judge_alone_waits_with_its_decision() -> None:
    state, _, paid = play(knowing(worth), FOUR, panel("a", noise=None))

    assert (len(paid), state.waits, state.settlement) == (4, True, None)


def test_nothing_waits_while_something_is_owed_or_unpaid() -> None:
    def judge(request: ChatRequest) -> Outcome:
        return Failure(request.id, FailureKind.TRANSIENT, "timeout")

    first = owed(PROMPT, FOUR, {}, best_worst(), panel("a", "b", noise=None))
    state, _, _ = play(judge, FOUR, panel("a", "b", noise=None))

    assert (len(first.owed), first.waits) == (4, False)
    assert (len(state.unpaid), state.waits) == (4, False)


def test_what_waited_goes_on_with_what_is_there() -> None:
    _, outcomes, paid = play(knowing(worth), FOUR, panel("a", "b", noise=None))

    state = owed(PROMPT, FOUR, outcomes, best_worst(), panel("a", "b", noise=KNOWN))

    assert not state.waits
    assert not {request.id for request in state.owed} & {request.id for request in paid}


def test_a_measured_prompt_climbs_by_distance_and_comes_to_nothing_yet() -> None:
    state, _, paid = play(knowing(worth), FOUR, panel("a", "b", noise=None), measuring=True)

    assert seen(paid, "b") == ["good", "great"]
    assert (state.waits, state.settlement, state.duels) == (False, None, ())


def test_a_measured_judge_alone_is_asked_once_more_about_each() -> None:
    state, _, paid = play(knowing(worth), FOUR, panel("a", noise=None), measuring=True)

    assert seen(paid, "a") == sorted([*WORTH, *WORTH])
    assert len({request.id for request in paid}) == 8
    assert len(state.scores) == len(state.again) == 4


def test_a_second_score_decides_nothing_and_is_not_asked_for_again() -> None:
    _, outcomes, paid = play(knowing(worth), FOUR, panel("a", noise=None), measuring=True)

    state = owed(PROMPT, FOUR, outcomes, best_worst(), panel("a"))

    assert (state.owed, state.again, len(state.scores)) == ((), (), 4)
    assert isinstance(state.settlement, Pair)
    assert len(paid) == 8


def test_a_second_score_that_cannot_be_read_is_no_verdict_and_not_complained_about() -> None:
    judge = erring(worth, lambda r: r.draw == 2 and shown(r) == ["poor"], "Hmm.")

    state, _, paid = play(judge, FOUR, panel("a", noise=None), measuring=True)

    assert (len(paid), len(state.again), state.unreadable) == (8, 3, 1)


@pytest.mark.parametrize("judge", ["rm", RULES])
def test_a_judge_that_always_says_the_same_is_not_asked_twice(judge: str) -> None:
    asked = panel(judge, noise=None, checks={RULES: check_of(WORTH)})

    state, _, paid = play(knowing(worth), FOUR, asked, measuring=True)

    assert len(paid) == (4 if judge == "rm" else 0)
    assert (state.again, state.waits, len(state.scores)) == ((), False, 4)


# --- few --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("judges", [("a", "b"), ("rm", "b"), (RULES, "b"), ("rm",), (RULES,)])
@pytest.mark.parametrize("answers", [[], FOUR[:1]])
def test_fewer_than_two_answers_cost_nothing(judges: tuple[str, ...], answers: list[Completion]) -> None:
    asked = panel(*judges, checks={RULES: check_of(WORTH)}, noise=KNOWN)

    state, _, paid = play(knowing(worth), answers, asked)

    assert (paid, state.scores) == ([], ())


@pytest.mark.parametrize("noise", [KNOWN, Noise(), noise_of(0.05, a=0.01, b=0.01, c=0.01)])
def test_two_answers_are_enough(noise: Noise) -> None:
    state, _, _ = play(knowing(worth), [FOUR[0], FOUR[3]], panel("a", "b", "c", noise=noise))

    assert isinstance(state.settlement, Pair)


def test_two_that_are_left_of_many_flagged_are_judged() -> None:
    flagged = [completion(f"cut {number}", flags=(Flag.CUT_OFF,)) for number in range(4)]

    state, _, paid = play(knowing(worth), [*flagged, FOUR[0], FOUR[3]], panel("a", "b", noise=KNOWN))

    assert seen(paid, "a") == ["great", "poor"]
    assert isinstance(state.settlement, Pair)


@pytest.mark.parametrize("noise", [KNOWN, Noise()])
def test_a_ladder_that_is_never_readable_abstains(noise: Noise) -> None:
    state, _, paid = play(lambda r: reply(r, "Hmm."), FOUR, panel("a", "b", "c", noise=noise))

    assert state.settlement == Abstention(PROMPT.id, "too_few")
    assert len(paid) == 8
