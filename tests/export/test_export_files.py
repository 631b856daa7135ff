"""What is checked beyond one row: the file as a whole, what repeats, what is no problem at all."""

import io
import unicodedata
from dataclasses import replace

import pytest
from export_rows import (
    assistant,
    errors_of,
    good_lines,
    good_row,
    preference,
    problems_of,
    row_problems,
    user,
)

from pairsmith.errors import UserError
from pairsmith.export import targets
from pairsmith.export.check import check
from pairsmith.export.formats import row_bytes
from pairsmith.export.problems import Summary

TARGETS = list(targets.TARGETS)
OWN_TRAINERS = ("trl", "openrlhf", "llama-factory", "axolotl", "ms-swift", "nemo-rl", "csv", "parquet")
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize("target", TARGETS)
def test_ten_good_rows_have_no_problem(target: str) -> None:
    assert problems_of(b"".join(good_lines(target, 10)), target) == []


@pytest.mark.parametrize(("target", "least"), [("openai", 10), ("azure", 10), ("fireworks", 3), ("together", 1)])
def test_one_row_less_than_the_minimum_is_an_error_of_the_file(target: str, least: int) -> None:
    problems = problems_of(b"".join(good_lines(target, least - 1)), target)

    rule, said = ("min_rows", f"{least - 1} rows, {target} asks for {least}") if least > 1 else ("no_rows", "no rows")
    assert [(p.rule, p.line, p.severity) for p in problems] == [(rule, 0, "error")]
    assert str(problems[0]) == f"the file holds {said}; add pairs"


def test_too_many_rows_and_too_many_bytes_are_errors_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(targets.TARGETS["together"], max_rows=2, max_bytes=100)
    monkeypatch.setitem(targets.TARGETS, "together", small)

    problems = problems_of(b"".join(good_lines("together", 3)), "together")

    assert [(p.rule, p.line) for p in problems] == [("max_rows", 0), ("max_bytes", 0)]


def test_the_limits_are_those_that_the_platforms_state() -> None:
    stated = {name: (t.min_rows, t.max_rows, t.max_bytes) for name, t in targets.TARGETS.items()}

    assert stated == {
        "openai": (10, None, 512_000_000),
        "azure": (10, None, 512_000_000),
        "together": (1, None, 50_000_000_000),
        "fireworks": (3, 3_000_000, None),
        "vertex": (1, 10_000_000, 1_000_000_000),
        "nova": (8, 20_000, None),
        "sft": (10, None, None),
        "kto": (2, None, None),
        **dict.fromkeys(OWN_TRAINERS, (1, None, None)),
    }


def test_problems_come_while_the_file_is_being_read() -> None:
    stream = io.BytesIO(b"[]\n" + b"".join(good_lines("openai", 1000)))

    first = next(check(stream, "openai"))

    assert first.line == 1
    assert stream.tell() < 1000


@pytest.mark.parametrize("target", TARGETS)
def test_an_empty_file_holds_no_rows_and_has_no_other_problem(target: str) -> None:
    assert [(p.rule, p.severity) for p in problems_of(b"", target)] == [("no_rows", "error")]


def test_a_missing_last_line_feed_is_a_warning() -> None:
    problems = problems_of(b"".join(good_lines("openai", 10))[:-1])

    assert [(p.rule, p.line, p.severity) for p in problems] == [("final_newline", 0, "warning")]


def test_a_byte_order_mark_is_an_error_and_the_row_behind_it_is_still_read() -> None:
    row = preference()
    row["preferred_output"] = []

    problems = row_problems(b"\xef\xbb\xbf" + row_bytes(row))

    assert [(p.rule, p.line) for p in problems] == [("bom", 1), ("output_empty", 1)]


def test_azure_takes_a_byte_order_mark() -> None:
    assert row_problems(b"\xef\xbb\xbf" + good_lines("azure", 1)[0], "azure") == []


def test_the_same_row_twice_names_the_line_that_has_it_first() -> None:
    first, second = good_lines("openai", 2)

    problems = row_problems(first + second + first)

    assert [str(p) for p in problems] == ["line 3: the row is the same row as line 1; drop one of the two"]
    assert problems[0].severity == "error"


def test_the_same_prompt_with_other_answers_is_a_warning() -> None:
    row = preference(1)
    row["preferred_output"] = [assistant("Another good answer.")]

    problems = row_problems(good_lines("openai", 1)[0] + row_bytes(row))

    assert [(p.rule, p.line, p.field, p.severity) for p in problems] == [("same_prompt", 2, "input", "warning")]


def test_a_row_that_repeats_the_second_row_of_a_prompt_is_found() -> None:
    first, other = preference(1), preference(1)
    other["preferred_output"] = [assistant("Another good answer.")]
    lines = [b"\n", row_bytes(first), row_bytes(other), row_bytes(other)]

    problems = row_problems(b"".join(lines))

    assert [(p.rule, p.line) for p in problems] == [("blank_line", 1), ("same_prompt", 3), ("same_row", 4)]
    assert problems[-1].found.endswith("line 3")


@pytest.mark.parametrize(("longer", "of", "warned"), [(16, 20, True), (15, 20, False), (19, 19, False)])
def test_a_file_that_mostly_prefers_the_longer_answer_is_warned_about(longer: int, of: int, warned: bool) -> None:
    rows = [preference(number) for number in range(of)]
    for row in rows[:longer]:
        row["preferred_output"] = [assistant("A good answer, and by far the longer one.")]

    problems = problems_of(b"".join(map(row_bytes, rows)))

    assert [(p.rule, p.line, p.severity) for p in problems] == [("longer_wins", 0, "warning")] * warned


def test_sides_that_differ_in_unicode_form_only_are_equal() -> None:
    row = preference()
    row["preferred_output"] = [assistant("Café au lait")]
    row["non_preferred_output"] = [assistant(unicodedata.normalize("NFD", "Café au lait"))]

    assert [p.rule for p in errors_of(row_bytes(row))] == ["sides_equal"]


@pytest.mark.parametrize("other", ["a Good answer.", "A good answer!", "A goodanswer."])
def test_sides_that_differ_in_case_or_a_character_are_not_equal(other: str) -> None:
    row = preference()
    row["non_preferred_output"] = [assistant(other)]

    assert row_problems(row_bytes(row)) == []


def test_two_blank_sides_are_two_blank_contents_and_equal() -> None:
    row = preference()
    row["preferred_output"], row["non_preferred_output"] = [assistant(" ")], [assistant("")]

    assert [p.rule for p in row_problems(row_bytes(row))] == ["content", "content", "sides_equal"]


def test_azure_compares_tool_calls_when_there_is_no_text() -> None:
    row = preference()
    other = CALL | {"id": "c2"}
    row["preferred_output"] = [{"role": "assistant", "content": None, "tool_calls": [CALL]}]
    row["non_preferred_output"] = [{"role": "assistant", "content": None, "tool_calls": [other]}]
    assert errors_of(row_bytes(row), "azure") == []

    row["non_preferred_output"] = row["preferred_output"]

    assert [p.rule for p in errors_of(row_bytes(row), "azure")] == ["sides_equal"]


def test_the_same_text_with_other_tool_calls_is_another_answer() -> None:
    row = preference()
    row["non_preferred_output"] = [assistant("A good answer.") | {"tool_calls": [CALL]}]

    assert errors_of(row_bytes(row), "azure") == []


def test_azure_takes_an_answer_of_several_messages() -> None:
    row = preference()
    tool = {"role": "tool", "content": "7", "tool_call_id": "c1"}
    row["preferred_output"] = [{"role": "assistant", "tool_calls": [CALL]}, tool, assistant("Seven.")]

    assert errors_of(row_bytes(row), "azure") == []


def test_tool_turns_in_the_input_pass_with_null_content_beside_the_calls() -> None:
    row = preference()
    row["input"]["messages"] = [
        user("What is f?"),
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "content": "7", "tool_call_id": "c1"},
        {"role": "function", "name": "f", "content": "7"},
    ]
    row["input"]["tools"] = [{"type": "function", "function": {"name": "f"}}]

    assert row_problems(row_bytes(row)) == []


@pytest.mark.parametrize("first", [user("Hi"), assistant("Hello, what is it?")])
def test_together_takes_alternating_turns_whoever_begins(first: dict[str, str]) -> None:
    row = preference()
    between = [] if first["role"] == "assistant" else [assistant("Yes?")]
    row["input"]["messages"] = [first, *between, user("Tell me.")]

    assert row_problems(row_bytes(row), "together") == []


def test_a_text_that_looks_like_a_key_or_an_escape_is_no_problem() -> None:
    row = preference()
    row["preferred_output"] = [assistant('Write {"role": "user", "role": 1} and \\u0000 and \\ud800.')]

    assert row_problems(row_bytes(row)) == []


def test_spaces_around_colons_are_no_problem() -> None:
    line = good_lines("openai", 1)[0].replace(b'":', b'" : ')

    assert row_problems(line) == []


def test_a_line_separator_in_a_text_does_not_cut_the_line() -> None:
    row = preference()
    row["preferred_output"] = [assistant("one\u2028two\u2029three\x85four")]

    assert row_problems(row_bytes(row)) == []


def test_a_number_of_five_thousand_digits_is_not_json_and_stops_nothing() -> None:
    line = good_lines("openai", 1)[0].replace(b"true", b"9" * 5000)

    assert [p.rule for p in row_problems(line)] == ["json"]


def test_rows_without_a_prompt_are_not_called_repeats() -> None:
    row = preference()
    del row["input"]

    assert {p.rule for p in row_problems(row_bytes(row) * 2)} == {"missing_key"}


def test_both_old_names_are_reported_with_the_new_ones() -> None:
    row = preference()
    row["preferred_completion"] = row.pop("preferred_output")
    row["non_preferred_completion"] = row.pop("non_preferred_output")

    assert [str(p) for p in row_problems(row_bytes(row))] == [
        "line 1: preferred_completion is the name of an old format; rename it to preferred_output",
        "line 1: non_preferred_completion is the name of an old format; rename it to non_preferred_output",
    ]


def test_a_problem_reads_as_the_style_sheet_says() -> None:
    row = preference(7)
    row["non_preferred_output"] = []

    problems = row_problems(b"".join([*good_lines("openai", 6), row_bytes(row)]))

    assert [str(p) for p in problems] == ["line 7: non_preferred_output is empty; drop the pair"]


def test_what_a_message_quotes_is_short_and_ascii() -> None:
    row = preference()
    row["input"]["messages"][0]["role"] = "\u202e" + "x" * 1000

    problem = row_problems(row_bytes(row))[0]

    assert '"\\u202exxx' in problem.found
    assert len(problem.found) < 60


def test_the_summary_counts_rows_and_problems_by_rule() -> None:
    row = good_row("openai", 5)
    row["id"] = 1
    row["preferred_output"] = []
    summary = Summary()

    list(check(io.BytesIO(good_lines("openai", 1)[0] + b"\n" + row_bytes(row)[:-1]), "openai", summary))

    assert (summary.rows, summary.errors, summary.warnings) == (2, 4, 1)
    assert summary.by_rule == {
        "blank_line": 1, "extra_key": 1, "output_empty": 1, "min_rows": 1, "final_newline": 1,
    }  # fmt: skip


def test_an_unknown_target_is_refused_at_once_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="'gemini' is no target; take one of openai, azure"):
        check(io.BytesIO(b""), "gemini")
