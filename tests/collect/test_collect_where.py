"""Conditions on the keys of a row: which hold, which are refused, and what is said of a key that is not there."""

import io
import json
from pathlib import Path

import pytest

from pairsmith.collect import Row, found_in, read_prompts
from pairsmith.collect.where import Condition
from pairsmith.errors import InputError
from pairsmith.records import Json

ROWS: list[dict[str, Json]] = [
    {"prompt": "a", "language": "de", "score": 4, "a.b": 1, "ok": True},
    {"prompt": "b", "language": "en", "score": 2.5},
    {"prompt": "c", "language": None, "score": "9", "ok": False},
]


def taken(condition: str, rows: list[dict[str, Json]] = ROWS, format: str = "jsonl") -> str:
    data = "".join(json.dumps(row) + "\n" for row in rows).encode()
    if format == "csv":
        keys = list(rows[0])
        lines = [keys, *([str(row.get(key) or "") for key in keys] for row in rows)]
        data = "".join(",".join(line) + "\n" for line in lines).encode()
    read = read_prompts(io.BytesIO(data), "p", format, where=Condition(condition))
    return "".join(str(row.prompt.messages[0]["content"]) for row in read if isinstance(row, Row))


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("language == 'de'", "a"),
        ("language != 'de'", "bc"),
        ("language in ['de', 'en']", "ab"),
        ("language.isna()", "c"),
        ("language.str.startswith('d') or score > 8", "ac"),
        ("score > 3 and language != 'x'", "ac"),
        ("2 < score < 5 & language == 'de'", "a"),
        ("not (score >= 4)", "b"),
        ("score.between(2, 3)", "b"),
        ("`a.b` == 1", "a"),
        ("ok", "a"),
        ("(language == 'de'\n or score < 3)", "ab"),
        ("prompt.str.len() == 1", "abc"),
    ],
)
def test_rows_that_meet_a_condition_are_taken(condition: str, expected: str) -> None:
    assert taken(condition) == expected


def test_cells_of_csv_are_numbers_where_they_are_compared_with_numbers() -> None:
    assert taken("score > 3 and language == 'de'", format="csv") == "a"
    assert taken("score == '4'", format="csv") == "a"


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("", "is no condition"),
        ("1 == 1", "names no key"),
        ("prompt = 'a'", "is no condition"),
        ("prompt.to_csv('x')", "calls to_csv"),
        ("prompt.str.cat('x')", "calls cat"),
        ("open('x')", "calls a function"),
        ("@prompt == 1", "is no condition"),
        ("prompt.__class__ == 1", "asks for .__class__"),
        ("[x for x in prompt]", "holds a ListComp"),
        ("f'{prompt}' == 'a'", "holds a JoinedStr"),
        ("'a`' == prompt.to_csv('x') == '`'", "among quotes"),
        ("prompt == 'a' # b", "among quotes"),
        ("prompt == 'a\u2028b'", "a line separator"),
        ("9 ** 9 ** 9 == score", "holds a Pow"),
    ],
)
def test_what_does_more_than_compare_is_refused(condition: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Condition(condition)


def test_nothing_is_written_by_a_condition(tmp_path: Path) -> None:
    for attempt in (f"prompt.to_pickle('{tmp_path}/x')", f"prompt.str.contains(prompt.to_csv('{tmp_path}/x'))"):
        with pytest.raises(ValueError, match="calls to_"):
            Condition(attempt)

    assert not list(tmp_path.iterdir())


def test_a_key_that_no_row_has_is_said_with_those_there_are() -> None:
    with pytest.raises(InputError, match=r"names langauge, and the rows have: prompt, language, score, a.b, ok"):
        taken("langauge == 'de'")
    with pytest.raises(InputError, match="names x, and the rows have: prompt"):
        list(read_prompts(io.BytesIO(b"Hi\n"), "p", "text", where=Condition("x == 1")))


def test_a_key_may_show_up_late_in_json_lines_but_not_be_guessed_before() -> None:
    late: list[dict[str, Json]] = [*({"prompt": "x"} for _ in range(300)), {"prompt": "y", "mark": 1}]

    assert taken("mark == 1", late) == "y"
    with pytest.raises(InputError, match="names mark"):
        taken("mark != 1", late)


@pytest.mark.parametrize("condition", ["language + 'x'", "score < 'b'"])
def test_what_cannot_be_asked_of_the_rows_is_said(condition: str) -> None:
    with pytest.raises(InputError, match=r"p: the condition .* (says neither|cannot be asked)"):
        taken(condition)


def test_rows_that_do_not_match_are_counted_and_bad_ones_stay() -> None:
    passed: list[int] = []
    data = b'{"prompt": "a"}\noops\n{"prompt": "b"}\n'

    found = list(found_in(io.BytesIO(data), "p", "jsonl", None, Condition("prompt == 'b'"), passed.append))

    assert [place.line for place, _ in found] == [2, 3]
    assert sum(passed) == 1
