"""A user's own functions: found by file and name, asked with plain values, taken strictly."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairsmith import seams
from pairsmith.errors import UserError
from pairsmith.records import Completion, CompletionId, Message, Prompt, PromptId

TURNS: tuple[Message, ...] = ({"role": "user", "content": "Give me JSON."},)
PROMPT = Prompt(
    PromptId("p"), TURNS, reference="{}", system="Be brief.", meta={"max_words": 3}, source_id="row 7", tools=({},)
)
ANSWERS = [Completion(CompletionId(ident), PROMPT.id, text, "arm") for ident, text in zip("abc", ["{}", "[", "x"])]  # noqa: B905


def function(call: Callable[..., Any]) -> seams.Function:
    return seams.Function("rules.py:mine", "digest", call)


def written(folder: Path, source: str, name: str = "mine", file: str = "rules.py") -> str:
    (folder / file).write_text(source, "utf-8")
    return f"{folder / file}:{name}"


def problem(what: Callable[[], object]) -> str:
    with pytest.raises(UserError) as caught:
        what()
    return str(caught.value)


# --- loading --------------------------------------------------------------------------------------


def test_a_function_goes_by_the_name_of_its_file_and_its_own(tmp_path: Path) -> None:
    found = seams.load(written(tmp_path, "def mine(prompt, answer):\n    return 7\n"))

    assert found.name == "rules.py:mine"
    assert found({}, "an answer") == 7


def test_the_digest_is_that_of_what_the_file_holds(tmp_path: Path) -> None:
    one = seams.load(written(tmp_path, "def mine(p, a): return 7\n"))
    same = seams.load(written(tmp_path, "def mine(p, a): return 7\n", file="other.py"))
    changed = seams.load(written(tmp_path, "def mine(p, a): return 8\n"))

    assert one.digest == same.digest != changed.digest


def test_a_file_that_was_changed_within_the_second_is_not_run_as_it_was_before(tmp_path: Path) -> None:
    spec = written(tmp_path, "def mine(p, a): return 7\n")
    stamp = (tmp_path / "rules.py").stat()
    seams.load(spec)
    written(tmp_path, "def mine(p, a): return 8\n")
    os.utime(tmp_path / "rules.py", ns=(stamp.st_atime_ns, stamp.st_mtime_ns))

    assert seams.load(spec)({}, "") == 8


def test_nothing_is_left_beside_the_file(tmp_path: Path) -> None:
    seams.load(written(tmp_path, "def mine(p, a): return 7\n"))

    assert [path.name for path in tmp_path.iterdir()] == ["rules.py"]


def test_a_file_may_hold_dataclasses_of_its_own(tmp_path: Path) -> None:
    source = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n\n"
        "@dataclass\nclass Rule:\n    most: int\n\n"
        "def mine(prompt, answer):\n    return Rule(5).most\n"
    )

    assert seams.load(written(tmp_path, source))({}, "") == 5


def test_a_file_that_is_not_there_is_named_with_how_to_write_it(tmp_path: Path) -> None:
    said = problem(lambda: seams.load(f"{tmp_path}/rules.py:mine"))

    assert said == f"{tmp_path}/rules.py cannot be read (No such file or directory); write it as FILE.py:FUNCTION"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def mine(:", "SyntaxError"),
        ("import nothing_of_this_name", "ModuleNotFoundError"),
        ("1 / 0", "ZeroDivisionError"),
        ("open('/nowhere/at/all')", "FileNotFoundError"),
        ("import sys\nsys.exit(0)", "SystemExit"),
        ("def mine(p, a): return '\0'", "SyntaxError"),
    ],
)
def test_a_file_that_cannot_be_imported_says_why(tmp_path: Path, source: str, said: str) -> None:
    sentence = problem(lambda: seams.load(written(tmp_path, source)))

    assert sentence.startswith(f"{tmp_path}/rules.py cannot be imported ({said}")


@pytest.mark.parametrize("source", ["", "mine = 7\n", "def other(p, a): return 7\n"])
def test_a_name_that_is_no_function_of_the_file_is_named(tmp_path: Path, source: str) -> None:
    assert problem(lambda: seams.load(written(tmp_path, source))) == f"{tmp_path}/rules.py has no function 'mine'"


# --- calling --------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError("too long"), KeyError("x"), RecursionError("deep"), SystemExit(0)])
def test_a_function_that_raises_is_the_users_mistake(error: BaseException) -> None:
    def raising(prompt: object, answer: object) -> None:
        raise error

    said = problem(lambda: seams.points(function(raising), PROMPT, ANSWERS))

    assert said.startswith(f"rules.py:mine raised {type(error).__name__}: ")
    assert said.endswith("; mend it and run again")


def test_a_function_is_shown_plain_values_and_may_do_what_it_likes_with_them() -> None:
    shown: list[Any] = []

    def spoiling(prompt: dict[str, Any], answer: str) -> bool:
        shown.append({**prompt, "messages": [dict(message) for message in prompt["messages"]]})
        prompt["messages"][0]["content"] = "Something else."
        prompt["meta"].clear()
        return True

    seams.points(function(spoiling), PROMPT, ANSWERS)

    assert shown == [shown[0]] * 3
    assert {key: value for key, value in shown[0].items() if key != "meta"} == {
        "id": "row 7",
        "messages": list(TURNS),
        "system": "Be brief.",
        "tools": [{}],
        "reference": "{}",
    }
    assert PROMPT.meta == {"max_words": 3}
    assert PROMPT.messages[0]["content"] == "Give me JSON."


def test_a_prompt_without_an_id_of_its_own_goes_by_ours() -> None:
    assert seams.shown(Prompt(PromptId("p"), TURNS))["id"] == "p"


# --- checks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "points"), [(7, 7.0), (7.5, 7.5), (1, 1.0), (10, 10.0), (True, 10.0), (False, 1.0)])
def test_a_check_gives_points_or_yes_and_no(said: object, points: float) -> None:
    assert seams.points(function(lambda p, a: said), PROMPT, ANSWERS[:1]) == {"a": points}


def test_a_check_that_says_nothing_gives_nothing() -> None:
    found = seams.points(function(lambda p, a: None if a == "[" else 5), PROMPT, ANSWERS)

    assert found == {"a": 5.0, "c": 5.0}


@pytest.mark.parametrize(
    "said", [0, 11, 0.99, 10.01, -1, float("nan"), float("inf"), "8", "", [8], (8,), {}, {"score": 8}, 8j, b"8"]
)
def test_incident_4_a_check_that_gives_anything_else_is_refused(said: object) -> None:
    sentence = problem(lambda: seams.points(function(lambda p, a: said), PROMPT, ANSWERS))

    assert sentence.startswith("rules.py:mine returned ")
    assert sentence.endswith("a check gives points from 1 to 10, True, False or None")


def test_a_check_of_two_answers_gives_the_share_of_its_wins() -> None:
    found = seams.points(
        function(lambda prompt, first, second: "first" if len(first) >= len(second) else "second"), PROMPT, ANSWERS
    )

    assert found == {"a": 10.0, "b": 5.5, "c": 1.0}


@pytest.mark.parametrize(("said", "points"), [("first", (10.0, 1.0)), ("second", (1.0, 10.0)), ("tie", (5.5, 5.5))])
def test_a_preference_is_a_win_a_loss_or_half_of_both(said: str, points: tuple[float, float]) -> None:
    found = seams.points(function(lambda p, first, second: said), PROMPT, ANSWERS[:2])

    assert (found["a"], found["b"]) == points  # type: ignore[index]


def test_a_comparison_that_says_nothing_counts_for_nobody() -> None:
    found = seams.points(
        function(lambda p, first, second: None if "x" in (first, second) else "first"), PROMPT, ANSWERS
    )

    assert found == {"a": 10.0, "b": 1.0}


@pytest.mark.parametrize("said", ["a", "", "First", 1, True, 0.5, [], ["first"], {}, {"first"}])
def test_a_comparison_that_says_anything_else_is_refused(said: object) -> None:
    sentence = problem(lambda: seams.points(function(lambda p, first, second: said), PROMPT, ANSWERS))

    assert sentence.endswith('a comparison gives "first", "second", "tie" or None')


def test_a_check_with_a_setting_of_its_own_is_no_comparison() -> None:
    def strict(prompt: object, answer: str, most: int = 1) -> bool:
        return len(answer) <= most

    assert seams.points(function(strict), PROMPT, ANSWERS) == {"a": 1.0, "b": 10.0, "c": 10.0}


@given(st.lists(st.sampled_from(["first", "second", "tie", None]), min_size=3, max_size=3))
def test_points_of_comparisons_lie_from_1_to_10(said: list[str | None]) -> None:
    left = list(said)

    found = seams.points(function(lambda p, first, second: left.pop()), PROMPT, ANSWERS)

    assert all(1.0 <= points <= 10.0 for points in found.values())


# --- screens --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "refused"), [(None, False), (False, False), ("", False), (True, True), ("too long", True)]
)
def test_a_screen_refuses_with_true_or_a_reason(said: object, refused: bool) -> None:
    assert seams.refuses(function(lambda p, a: said), PROMPT, ANSWERS[0]) is refused


@pytest.mark.parametrize("said", [0, 1, 0.0, [], ["too long"], {}])
def test_a_screen_that_says_anything_else_is_refused_itself(said: object) -> None:
    sentence = problem(lambda: seams.refuses(function(lambda p, a: said), PROMPT, ANSWERS[0]))

    assert "a screen gives None or False, or True or a reason to refuse" in sentence


# --- strategies -----------------------------------------------------------------------------------

STANDINGS = [{"text": text, "score": score, "arm": "T1", "model": None} for text, score in (("x", 9.0), ("y", 5.0))]
THREE = [*STANDINGS, {"text": "z", "score": 5.0, "arm": "T1", "model": None}]


def picked(said: object) -> tuple[int, int] | None:
    return seams.picked(function(lambda p, answers: said), PROMPT, THREE)


@pytest.mark.parametrize(("said", "places"), [((0, 1), (0, 1)), ([0, 2], (0, 2)), (None, None)])
def test_a_strategy_gives_two_places_or_none(said: object, places: tuple[int, int] | None) -> None:
    assert picked(said) == places


@pytest.mark.parametrize(
    "said",
    [(0,), (0, 1, 2), (0, 3), (-1, 0), "01", 5, {0, 1}, {0: 1}, ("0", "1"), (0.0, 1.0), (False, True), ([0], [1]),
     (None, 1), ()],
)  # fmt: skip
def test_a_strategy_that_gives_anything_else_is_refused(said: object) -> None:
    assert "a strategy gives two places in the list, or None" in problem(lambda: picked(said))


@pytest.mark.parametrize("said", [(1, 0), (1, 2), (0, 0)])
def test_a_strategy_never_prefers_what_does_not_score_higher(said: tuple[int, int]) -> None:
    assert "the chosen answer has to score higher than the rejected one" in problem(lambda: picked(said))


def test_a_strategy_cannot_change_what_it_is_shown() -> None:
    def spoiling(prompt: object, answers: list[dict[str, Any]]) -> tuple[int, int]:
        answers[1]["score"] = 0
        answers.reverse()
        return 0, 1

    assert seams.picked(function(spoiling), PROMPT, STANDINGS) == (0, 1)
    assert [answer["score"] for answer in STANDINGS] == [9.0, 5.0]
