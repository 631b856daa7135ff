"""One row: what becomes a prompt, what becomes a sentence."""

import pytest

from pairsmith.collect import BadRow, Row, read_row, unite
from pairsmith.collect.fields import MAX_TEXT_CHARS
from pairsmith.collect.rows import Place
from pairsmith.records import Candidate, Json, Prompt, prompt_id

PLACE = Place("prompts.jsonl", 7)


def good(row: Json) -> Prompt:
    read = read_row(row, PLACE)
    assert isinstance(read, Row), str(read)
    return read.prompt


def bad(row: Json) -> BadRow:
    read = read_row(row, PLACE)
    assert isinstance(read, BadRow)
    return read


def test_a_prompt_becomes_one_message_of_the_user_with_its_white_space_kept() -> None:
    prompt = good({"prompt": "  Hello,\n\tworld \n"})

    assert prompt.messages == ({"role": "user", "content": "  Hello,\n\tworld \n"},)
    assert prompt.id == prompt_id(prompt.messages, (), None, None)
    assert (prompt.ordinal, prompt.source_id, prompt.system, prompt.candidates) == (0, None, None, ())


def test_a_row_knows_its_line() -> None:
    assert read_row({"prompt": "Hi"}, PLACE).line == 7


def test_the_sentence_of_a_bad_row_names_file_line_field_and_the_way_out() -> None:
    sentence = 'prompts.jsonl, line 7, field "prompt": is empty; write a prompt or remove the line'

    assert str(bad({"prompt": " \n"})) == sentence


def test_a_row_of_a_table_is_called_a_row_and_a_dash_standard_input() -> None:
    found = read_row({"prompt": ""}, Place("-", 3, "row"))

    assert str(found) == 'standard input, row 3, field "prompt": is empty; write a prompt or remove the row'


def test_instruction_and_input_are_joined_by_a_blank_line() -> None:
    prompt = good({"instruction": "Translate.", "input": "Bonjour"})

    assert prompt.messages == ({"role": "user", "content": "Translate.\n\nBonjour"},)
    assert prompt.meta == {}


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_a_blank_input_adds_nothing(blank: str | None) -> None:
    assert good({"instruction": "Sing.", "input": blank}).messages[0]["content"] == "Sing."


def test_input_beside_a_prompt_is_meta() -> None:
    assert good({"prompt": "Hi", "input": "x"}).meta == {"input": "x"}


def test_bidirectional_controls_and_line_separators_are_text() -> None:
    text = "\u202ehello\u202c \u2028 \u2066there\u2069"

    assert good({"prompt": text}).messages[0]["content"] == text


@pytest.mark.parametrize("value", ["00123", 123, -1])
def test_an_id_may_be_a_string_or_a_whole_number(value: str | int) -> None:
    assert good({"prompt": "Hi", "id": value}).source_id == str(value)


def test_null_counts_as_absent() -> None:
    keys = ("messages", "instruction", "id", "system", "tools", "reference", "candidates")

    assert good({"prompt": "Hi", **dict.fromkeys(keys)}) == good({"prompt": "Hi"})


def test_unknown_keys_are_kept_as_meta_null_included() -> None:
    meta: dict[str, Json] = {"topic": "bread", "level": 3, "tags": ["a"], "source": None}

    assert good({"prompt": "Hi", **meta}).meta == meta


def test_system_tools_and_reference_are_read() -> None:
    tool: Json = {"type": "function", "function": {"name": "now", "default": None}}

    prompt = good({"prompt": "Hi", "system": " Be kind. ", "tools": [tool], "reference": "Hello"})

    assert (prompt.system, prompt.tools, prompt.reference) == (" Be kind. ", (tool,), "Hello")


def test_a_blank_system_or_reference_is_none() -> None:
    prompt = good({"prompt": "Hi", "system": " ", "reference": ""})

    assert (prompt.system, prompt.reference) == (None, None)


def test_candidates_are_strings_or_objects_and_repeats_are_united() -> None:
    given: Json = ["yes", {"content": "no", "model": "m"}, "yes", {"content": "yes", "model": "late"}, ""]

    assert good({"prompt": "Hi", "candidates": given}).candidates == (
        Candidate("yes"),
        Candidate("no", {"model": "m"}),
        Candidate(""),
    )


def test_an_empty_list_of_candidates_is_fine() -> None:
    assert good({"prompt": "Hi", "candidates": []}).candidates == ()


@pytest.mark.parametrize(
    ("row", "field", "problem"),
    [
        ([], None, "is a list, not an object"),
        ("Hi", None, "is a string, not an object"),
        (None, None, "is null, not an object"),
        ({}, None, "holds none of prompt, messages, instruction"),
        ({"input": "Hi"}, None, "holds none of prompt, messages, instruction"),
        ({"prompt": "Hi", "instruction": "Hi"}, None, "holds prompt and instruction"),
        ({"prompt": 7}, "prompt", "is a number (7)"),
        ({"prompt": True}, "prompt", "is true"),
        ({"prompt": [{"role": "user"}]}, "prompt", "is a list"),
        ({"prompt": "a\0b"}, "prompt", "holds a NUL (character 2)"),
        ({"instruction": "\t"}, "instruction", "is empty"),
        ({"instruction": "Hi", "input": 1.5}, "input", "is a number (1.5)"),
        ({"prompt": "Hi", "id": True}, "id", "is true"),
        ({"prompt": "Hi", "id": 1.0}, "id", "is a number (1.0)"),
        ({"prompt": "Hi", "id": ""}, "id", "is empty"),
        ({"prompt": "Hi", "system": {}}, "system", "is an object"),
        ({"prompt": "Hi", "reference": 3}, "reference", "is a number (3)"),
        ({"prompt": "Hi", "tools": {}}, "tools", "is an object"),
        ({"prompt": "Hi", "tools": ["now"]}, "tools[0]", "is a string"),
        ({"prompt": "Hi", "candidates": "yes"}, "candidates", "is a string"),
        ({"prompt": "Hi", "candidates": ["a", 2]}, "candidates[1]", "is a number (2)"),
        ({"prompt": "Hi", "candidates": [None]}, "candidates[0]", "is null"),
        ({"prompt": "Hi", "candidates": [{"text": "a"}]}, "candidates[0].content", "is null"),
        ({"prompt": "\ud800"}, "prompt", "holds half of a surrogate pair (\\ud800 to \\udfff)"),
        ({"prompt": "Hi", "topic": ["\udc00"]}, "topic", "holds half of a surrogate pair (\\ud800 to \\udfff)"),
        ({"prompt": "Hi", "big": 2**70}, "big", "cannot be stored (Integer exceeds 64-bit range)"),
    ],
)
def test_what_cannot_be_used_is_said(row: Json, field: str | None, problem: str) -> None:
    found = bad(row)

    assert (found.field, found.problem) == (field, problem)


def test_nesting_too_deep_to_store_is_a_bad_row() -> None:
    value: Json = "deep"
    for _ in range(252):
        value = [value]

    assert bad({"prompt": "Hi", "meta": value}).problem == "is nested too deep"


def test_the_sentence_can_always_be_printed() -> None:
    sentence = str(bad({"prompt": "Hi", "\ud800": 1}))

    assert 'field "\\ud800"' in sentence
    assert sentence.encode()


@pytest.mark.parametrize("key", ["prompt", "system", "reference"])
def test_a_text_of_ten_megabytes_is_a_bad_row(key: str) -> None:
    found = bad({"prompt": "Hi", key: "x" * 10_000_000})

    assert (found.field, found.problem) == (key, "has 10,000,000 characters, and 2,000,000 is the most")


def test_the_longest_text_is_good_and_one_character_more_is_not() -> None:
    good({"prompt": "é" * MAX_TEXT_CHARS})

    bad({"prompt": "é" * (MAX_TEXT_CHARS + 1)})


def test_instruction_and_input_are_measured_together() -> None:
    half = "x" * (MAX_TEXT_CHARS // 2)

    assert bad({"instruction": half, "input": half}).field == "input"


def test_uniting_keeps_the_first_row_and_adds_new_candidates() -> None:
    first = good({"prompt": "Hi", "id": 1, "topic": "a", "candidates": [{"content": "x", "n": 1}, "y"]})
    second = good({"prompt": "Hi", "id": 2, "level": 2, "candidates": ["z", {"content": "x", "n": 2}]})

    united = unite(first, second)

    assert united.candidates == (Candidate("x", {"n": 1}), Candidate("y"), Candidate("z"))
    assert (united.source_id, united.meta) == ("1", {"topic": "a"})


def test_different_prompts_are_never_united() -> None:
    with pytest.raises(ValueError, match="differ"):
        unite(good({"prompt": "Hi"}), good({"prompt": "Ho"}))
