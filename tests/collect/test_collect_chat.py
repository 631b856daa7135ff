"""OpenAI chat messages of a row."""

import pytest

from pairsmith.collect import BadRow, Row, read_row
from pairsmith.collect.fields import MAX_TEXT_CHARS
from pairsmith.collect.rows import Place
from pairsmith.records import Json, Prompt

USER: Json = {"role": "user", "content": "Hi"}
ASSISTANT: Json = {"role": "assistant", "content": "Hello"}
CALL: Json = {"id": "c1", "type": "function", "function": {"name": "now", "arguments": "{}"}}


def read(messages: Json, **others: Json) -> Row | BadRow:
    return read_row({"messages": messages, **others}, Place("prompts.jsonl", 1))


def good(messages: Json, **others: Json) -> Prompt:
    row = read(messages, **others)
    assert isinstance(row, Row), str(row)
    return row.prompt


def test_turns_are_kept_in_order() -> None:
    assert good([USER, ASSISTANT, USER]).messages == (USER, ASSISTANT, USER)


@pytest.mark.parametrize("role", ["system", "developer"])
def test_a_system_message_stands_in_system_and_never_in_messages(role: str) -> None:
    prompt = good([{"role": role, "content": "Be kind."}, USER])

    assert (prompt.system, prompt.messages) == ("Be kind.", (USER,))


def test_several_system_messages_are_joined_and_blank_ones_left_out() -> None:
    texts = ("One.", " ", "Two.")

    assert good([*({"role": "system", "content": text} for text in texts), USER]).system == "One.\n\nTwo."


def test_the_system_key_does_what_a_system_message_does() -> None:
    by_key = good([USER], system="Be kind.")
    by_message = good([{"role": "system", "content": "Be kind."}, USER])

    assert by_key.id == by_message.id == read_prompt_with_system().id


def read_prompt_with_system() -> Prompt:
    row = read_row({"prompt": "Hi", "system": "Be kind."}, Place("prompts.jsonl", 1))
    assert isinstance(row, Row)
    return row.prompt


def test_text_parts_are_joined_as_they_stand() -> None:
    parts: Json = [{"type": "text", "text": "Hello "}, {"type": "text", "text": "world"}]

    assert good([{"role": "user", "content": parts}]).messages == ({"role": "user", "content": "Hello world"},)


def test_a_conversation_with_tools_is_kept_whole() -> None:
    asks: Json = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    answers: Json = {"role": "tool", "content": "", "tool_call_id": "c1", "name": "now"}

    assert good([USER, asks, answers]).messages == (USER, asks, answers)


def test_null_keys_and_training_weights_of_a_message_are_dropped() -> None:
    said: Json = {"role": "assistant", "content": "Hello", "refusal": None, "tool_calls": None, "weight": 0}

    assert good([USER, said, USER]).messages == (USER, ASSISTANT, USER)


@pytest.mark.parametrize(
    ("messages", "field", "problem"),
    [
        ("Hi", "messages", "is a string"),
        ([], "messages", "holds no turn of the user"),
        ([{"role": "system", "content": "x"}], "messages", "holds no turn of the user"),
        ([ASSISTANT], "messages", "holds no turn of the user"),
        ([USER, ASSISTANT, ASSISTANT], "messages", "ends with two turns of the assistant"),
        (["Hi"], "messages[0]", "is a string"),
        ([{"content": "Hi"}], "messages[0].role", "is missing"),
        ([{"role": "human", "content": "Hi"}], "messages[0].role", 'is "human"'),
        ([{"role": 3, "content": "Hi"}], "messages[0].role", "is a number (3)"),
        ([{"role": ["user"], "content": "Hi"}], "messages[0].role", "is a list"),
        ([USER, {"role": "system", "content": "x"}, USER], "messages[1].role", 'is "system" after a turn'),
        ([{"role": "user"}], "messages[0].content", "is missing"),
        ([{"role": "user", "content": " "}], "messages[0].content", "is empty"),
        ([{"role": "user", "content": []}], "messages[0].content", "is empty"),
        ([{"role": "user", "content": 5}], "messages[0].content", "is a number (5)"),
        ([{"role": "user", "content": "a\0"}], "messages[0].content", "holds a NUL (character 2)"),
        ([USER, {"role": "assistant", "content": None}, USER], "messages[1].content", "is missing"),
        ([{"role": "user", "content": ["Hi"]}], "messages[0].content[0]", "is a string"),
        (
            [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}],
            "messages[0].content[0].type",
            'is "image_url"',
        ),
        ([{"role": "user", "content": [{"text": "Hi"}]}], "messages[0].content[0].type", "is null"),
        ([{"role": "user", "content": [{"type": "text"}]}], "messages[0].content[0].text", "is null"),
        ([{"role": "user", "content": "Hi", "name": 4}], "messages[0].name", "is a number (4)"),
        ([{"role": "user", "content": "Hi", "images": []}], "messages[0].images", "is no part of a chat message here"),
        (
            [{"role": "user", "content": "Hi", "tool_calls": [CALL]}],
            "messages[0].tool_calls",
            'stands in a message of role "user"',
        ),
        ([{"role": "assistant", "tool_calls": ["x"]}, USER], "messages[0].tool_calls[0]", "is a string"),
    ],
)
def test_what_no_chat_endpoint_would_take_is_said(messages: Json, field: str, problem: str) -> None:
    found = read(messages)

    assert isinstance(found, BadRow)
    assert (found.field, found.problem) == (field, problem)


def test_a_system_key_beside_a_system_message_is_a_bad_row() -> None:
    found = read([{"role": "system", "content": "a"}, USER], system="b")

    assert isinstance(found, BadRow)
    assert found.field == "system"


def test_a_conversation_is_measured_as_a_whole() -> None:
    half: Json = {"role": "user", "content": "x" * (MAX_TEXT_CHARS // 2 + 1)}
    found = read([half, half])

    assert isinstance(found, BadRow)
    assert found.field == "messages"
