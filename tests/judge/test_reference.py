import pytest
from fake_judge import (
    PROMPT,
    REFERENCE,
    Judge,
    a_prompt,
    best_worst,
    completions,
    hashed,
    knowing,
    panel,
    play,
    reply,
)

from pairsmith.judge import Panel, owed
from pairsmith.records import ChatRequest, Failure, FailureKind, Outcome, Pair, Prompt, Purpose

WORTH = {"poor": 2.0, "good": 7.0, "great": 9.0}
ANSWERS = completions(*WORTH)
WRITING = panel("a", "b", reference="write")
PROTOCOLS = [
    WRITING,
    panel("a", "b", protocol="rank", reference="write"),
    panel("a", "b", protocol="duel", reference="write"),
]


def worth(text: str) -> float:
    return WORTH.get(text, float(hashed(text, 10)))


def writing(said: str, **known: object) -> Judge:
    good = knowing(worth)
    return lambda r: reply(r, said, **known) if r.purpose is Purpose.REFERENCE else good(r)


def text_of(request: ChatRequest) -> str:
    messages = request.body["messages"]
    assert isinstance(messages, list)
    return str(messages[1]["content"])  # type: ignore[call-overload,index]


def verdicts(paid: list[ChatRequest]) -> list[ChatRequest]:
    return [request for request in paid if request.purpose is not Purpose.REFERENCE]


# --- asked once, first --------------------------------------------------------------------------


@pytest.mark.parametrize("asked", PROTOCOLS)
def test_the_last_judge_writes_it_before_anything_is_judged(asked: Panel) -> None:
    (request,) = owed(PROMPT, ANSWERS, {}, best_worst(), asked).owed

    assert (request.purpose, request.endpoint, request.prompt_id) == (Purpose.REFERENCE, "b", PROMPT.id)
    assert str(PROMPT.messages[0]["content"]) in text_of(request)
    assert all(one.text not in text_of(request) for one in ANSWERS)


def test_it_is_asked_for_in_plain_text_and_has_its_own_limit() -> None:
    (request,) = owed(PROMPT, ANSWERS, {}, best_worst(), panel(reference="write", reference_max_tokens=99)).owed

    assert "response_format" not in request.body
    assert request.body["max_tokens"] == 99


@pytest.mark.parametrize("asked", PROTOCOLS)
def test_it_is_asked_once_and_shown_with_every_question(asked: Panel) -> None:
    state, _, paid = play(knowing(worth), ANSWERS, asked)

    assert [request.purpose for request in paid].count(Purpose.REFERENCE) == 1
    assert all(f"<reference>\n{REFERENCE}\n</reference>" in text_of(request) for request in verdicts(paid))
    assert isinstance(state.settlement, Pair)


@pytest.mark.parametrize("asked", PROTOCOLS)
def test_what_is_stored_is_used_again(asked: Panel) -> None:
    _, outcomes, paid = play(knowing(worth), ANSWERS, asked)
    written = {r.id: outcomes[r.id] for r in paid if r.purpose is Purpose.REFERENCE}

    state = owed(PROMPT, ANSWERS, written, best_worst(), asked)

    assert Purpose.REFERENCE not in {request.purpose for request in state.owed}
    assert {request.id for request in state.owed} <= {request.id for request in paid}


@pytest.mark.parametrize("asked", PROTOCOLS)
def test_the_prompts_id_stays(asked: Panel) -> None:
    state, _, paid = play(knowing(worth), ANSWERS, asked)

    assert {request.prompt_id for request in paid} == {PROMPT.id}
    assert isinstance(state.settlement, Pair)
    assert state.settlement.prompt_id == PROMPT.id


def test_thoughts_before_it_are_no_part_of_it() -> None:
    _, _, paid = play(writing("<think>Rayleigh, I think.</think>\n\nScattering.\n"), ANSWERS, WRITING)

    assert all("<reference>\nScattering.\n</reference>" in text_of(request) for request in verdicts(paid))
    assert all("Rayleigh" not in text_of(request) for request in verdicts(paid))


# --- none ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["Because of scattering.", ""])
def test_a_given_reference_stays_and_none_is_written(given: str) -> None:
    prompt: Prompt = a_prompt(reference=given)

    _, _, paid = play(knowing(worth), ANSWERS, WRITING, prompt=prompt)

    assert verdicts(paid) == paid
    assert all(f"<reference>\n{given}\n</reference>" in text_of(request) for request in paid)


def test_without_the_setting_none_is_written() -> None:
    assert {r.purpose for r in owed(PROMPT, ANSWERS, {}, best_worst(), panel()).owed} == {Purpose.SCORE}


def test_a_panel_that_cannot_write_is_not_asked_to() -> None:
    asked = panel("rm", reference="write")

    assert {r.purpose for r in owed(PROMPT, ANSWERS, {}, best_worst(), asked).owed} == {Purpose.SCORE}


@pytest.mark.parametrize(
    ("said", "known"),
    [
        ("", {}),
        (" \n", {}),
        ("<think>still at it", {}),
        ("Because the", {"finish_reason": "length"}),
        ("", {"refusal": "I would rather not."}),
        ("Sorry.", {"refusal": "I would rather not."}),
    ],
)
def test_without_a_whole_one_the_prompt_is_judged_without(said: str, known: dict[str, object]) -> None:
    state, _, paid = play(writing(said, **known), ANSWERS, WRITING)

    assert [request.purpose for request in paid].count(Purpose.REFERENCE) == 1
    assert all("<reference>" not in text_of(request) for request in verdicts(paid))
    assert isinstance(state.settlement, Pair)


def test_a_reference_that_is_none_is_not_counted_among_the_unreadable_verdicts() -> None:
    state, _, _ = play(writing(""), ANSWERS, WRITING)

    assert (state.unreadable, state.reasked) == (0, 0)


def failing(kind: FailureKind) -> Judge:
    def judge(request: ChatRequest) -> Outcome:
        if request.purpose is Purpose.REFERENCE:
            return Failure(request.id, kind, "content_filter")
        return knowing(worth)(request)

    return judge


def test_a_reference_that_can_never_be_written_is_counted_and_the_prompt_is_judged_without() -> None:
    state, _, _ = play(failing(FailureKind.PERMANENT), ANSWERS, WRITING)

    assert [failure.reason for failure in state.failed] == ["content_filter"]
    assert isinstance(state.settlement, Pair)


def test_a_reference_that_another_run_may_get_leaves_the_prompt_unfinished() -> None:
    state, _, paid = play(failing(FailureKind.TRANSIENT), ANSWERS, WRITING)

    assert (state.settlement, len(state.unpaid), len(paid)) == (None, 1, 1)
