"""Rows of others: ShareGPT, Alpaca, logs of calls, and a prompt in another column."""

import pytest

from pairsmith.collect import BadRow, Row, read_row
from pairsmith.collect.rows import Place
from pairsmith.records import Json, Prompt

USER: Json = {"role": "user", "content": "Hi"}
ANSWER: Json = {"message": {"role": "assistant", "content": "Hello.", "refusal": None}, "finish_reason": "stop"}


def prompt(row: Json, column: str | None = None) -> Prompt:
    found = read_row(row, Place("p", 1), column)
    assert isinstance(found, Row), found
    return found.prompt


def bad(row: Json, column: str | None = None) -> str:
    found = read_row(row, Place("p", 1), column)
    assert isinstance(found, BadRow)
    return str(found)


def test_the_last_turn_of_a_sharegpt_conversation_is_an_answer() -> None:
    turns: list[Json] = [
        {"from": "system", "value": "Be brief."},
        {"from": "human", "value": "Hi"},
        {"from": "gpt", "value": "Hello.", "weight": 1},
        {"from": "human", "value": "Why?"},
        {"from": "GPT", "value": "Because."},
    ]

    found = prompt({"id": "x7", "conversations": turns, "source": "log"})

    assert [turn["content"] for turn in found.messages] == ["Hi", "Hello.", "Why?"]
    assert (found.system, found.source_id, found.meta) == ("Be brief.", "x7", {"source": "log"})
    assert [one.content for one in found.candidates] == ["Because."]


def test_a_speaker_that_is_none_of_a_chat_is_a_bad_row() -> None:
    said = bad({"conversations": [{"from": "human", "value": "Hi"}, {"from": "observation", "value": "{}"}]})

    assert 'field "conversations[1].from": is "observation"; write human, gpt or system' in said


def test_the_output_of_an_instruction_is_an_answer_and_its_history_comes_before_it() -> None:
    row: Json = {"instruction": "Add.", "input": "1 2", "output": "3", "history": [["Hi", "Hello."]], "model": "m"}

    found = prompt(row)

    assert [turn["content"] for turn in found.messages] == ["Hi", "Hello.", "Add.\n\n1 2"]
    assert [(one.content, dict(one.meta)) for one in found.candidates] == [("3", {"model": "m"})]
    assert found.meta == {"model": "m"}


def test_what_alpaca_does_not_mean_by_its_keys_is_kept() -> None:
    found = prompt({"instruction": "Add.", "output": 3, "history": "none"})

    assert (found.candidates, found.meta) == ((), {"output": 3, "history": "none"})
    assert prompt({"instruction": "Add.", "output": " "}).candidates == ()


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_logged_call_is_a_prompt_with_the_answers_it_got(wrapped: bool) -> None:
    request: Json = {"model": "m", "messages": [USER], "tools": [], "temperature": 1}
    response: Json = {"model": "m-1", "choices": [ANSWER, {**ANSWER, "finish_reason": "length"}]}  # type: ignore[dict-item]
    row: Json = {
        "request": request,
        "response": {"status_code": 200, "body": response} if wrapped else response,
        "n": 1,
    }

    found = prompt(row)

    assert (found.messages, found.meta) == ((USER,), {"n": 1})
    assert [(one.content, dict(one.meta)) for one in found.candidates] == [("Hello.", {"model": "m-1"})]


def test_a_line_of_a_batch_is_a_prompt() -> None:
    row: Json = {"custom_id": "a1", "method": "POST", "url": "/v1/chat/completions", "body": {"messages": [USER]}}

    found = prompt(row)

    assert (found.messages, found.source_id, found.meta) == ((USER,), "a1", {})


def test_a_response_alone_and_a_call_of_another_kind_are_bad_rows() -> None:
    for row in ({"custom_id": "a", "response": {"body": {}}}, {"url": "/v1/embeddings", "body": {"input": "x"}}):
        assert "holds none of prompt, messages, instruction" in bad(row)  # type: ignore[arg-type]


def test_ours_beside_a_foreign_shape_stays_ours() -> None:
    found = prompt({"prompt": "Hi", "response": {"choices": []}, "conversations": []})

    assert found.meta == {"response": {"choices": []}, "conversations": []}


@pytest.mark.parametrize(
    "value", ["Hi", [USER], [{"from": "human", "value": "Hi"}], '[{"role":"user","content":"Hi"}]']
)
def test_a_column_may_hold_a_text_or_a_conversation(value: Json) -> None:
    found = prompt({"question": value, "prompt": "a template", "answer": "x"}, "question")

    assert (found.messages, found.meta) == ((USER,), {"answer": "x"})


def test_the_named_column_is_meant_where_a_row_holds_two_prompts() -> None:
    row: Json = {"prompt": "first", "messages": [USER]}

    assert "holds prompt and messages; keep one of them, or say which with --column" in bad(row)
    assert prompt(row, "messages") == prompt({"messages": [USER]})


def test_a_row_without_the_column_and_one_that_is_empty_there_are_bad() -> None:
    assert 'holds no "question" (but text)' in bad({"text": "Hi", "x": None}, "question")
    assert 'field "question": is empty' in bad({"question": " "}, "question")
