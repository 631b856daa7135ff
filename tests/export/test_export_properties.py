"""What must hold for every text, every damage and every file."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from export_rows import errors_of, problems_of, prompt_of, user
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pairsmith.export.formats import ROWS, openai_row, row_bytes
from pairsmith.export.layouts import folded
from pairsmith.export.rows import exportable, refused
from pairsmith.export.targets import TARGETS

AWKWARD = [
    "\u2028",
    "\u2029",
    "\x85",
    "\r\n",
    "\r",
    "\ufeff",
    "👩‍👩‍👧",
    "\u202eabc\u202c",
    '{"role": 1}',
    "\\u0000",
    "é",
    "e\u0301",
]
CHARS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXTS = (
    st.lists(st.text(CHARS, max_size=8) | st.sampled_from(AWKWARD), min_size=1, max_size=6)
    .map("".join)
    .filter(lambda text: bool(text) and not text.isspace())
)


@st.composite
def prompts(draw: st.DrawFn) -> Any:
    """A normalised prompt: turns of user and assistant, the user's last, perhaps a system text."""
    texts = draw(st.lists(TEXTS, min_size=1, max_size=5).filter(lambda turns: len(turns) % 2))
    turns = [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(texts)]
    return prompt_of(*turns, system=draw(st.none() | TEXTS))


@given(prompts(), TEXTS, TEXTS, st.sampled_from(list(TARGETS)))
def test_every_row_that_is_written_passes_and_reads_back_equal(
    prompt: Any, chosen: str, rejected: str, target: Any
) -> None:
    assume(folded(chosen) != folded(rejected))
    assume(exportable(prompt, target) is None)
    row = ROWS[target](prompt, chosen, rejected, prompt.system)

    line = row_bytes(row)

    assert errors_of(line, target) == []
    assert refused(row, target) is None
    assert orjson.loads(line) == row
    assert line.count(b"\n") == 1


@given(prompts(), TEXTS, TEXTS)
def test_a_row_is_refused_exactly_when_check_finds_an_error(prompt: Any, chosen: str, rejected: str) -> None:
    for target in TARGETS:
        row = ROWS[target](prompt, chosen, rejected, prompt.system)
        errors = errors_of(row_bytes(row), target)

        assert refused(row, target) == (errors[0].rule if errors else None)


Damage = tuple[Callable[[dict[str, Any]], Any], str]
DAMAGES: dict[str, Damage] = {
    "no input": (lambda row: row.pop("input"), "input"),
    "no messages": (lambda row: row["input"]["messages"].clear(), "input.messages"),
    "developer": (lambda row: row["input"]["messages"][0].update(role="developer"), "input.messages[0].role"),
    "blank": (lambda row: row["input"]["messages"][-1].update(content=" "), "input.messages[0].content"),
    "named": (lambda row: row["input"]["messages"][-1].update(name="x"), "input.messages[0].name"),
    "answer empty": (lambda row: row["preferred_output"].clear(), "preferred_output"),
    "answer doubled": (
        lambda row: row["preferred_output"].append({"role": "assistant", "content": "x"}),
        "preferred_output",
    ),
    "answer the user's": (lambda row: row["preferred_output"][0].update(role="user"), "preferred_output[0].role"),
    "answer equal": (lambda row: row.update(non_preferred_output=row["preferred_output"]), "non_preferred_output"),
    "NUL": (lambda row: row["non_preferred_output"][0].update(content="\0"), "non_preferred_output[0].content"),
    "a key more": (lambda row: row.update(score=1), "score"),
    "tools of text": (lambda row: row["input"].update(tools="f"), "input.tools"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@settings(max_examples=40)
@given(number=st.integers(1, 12), drawn=st.lists(TEXTS, min_size=3, max_size=3, unique_by=folded))
def test_damage_done_to_any_row_is_found_at_its_line_and_field(damage: Damage, number: int, drawn: list[str]) -> None:
    texts = [*drawn, *(f"Question {place}?" for place in range(9))]
    texts[0], texts[number - 1] = texts[number - 1], texts[0]  # what is damaged is one of those that are drawn
    rows: list[Any] = [openai_row(prompt_of(user(text)), text + " yes", text + " no", None) for text in texts]
    change, field = damage
    change(rows[number - 1])

    problems = problems_of(b"".join(map(row_bytes, rows)))

    assert (number, field) in {(p.line, p.field) for p in problems}
    assert {p.line for p in problems} == {number}


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(CHARS, max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "messages", "tools", "tool_calls", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)
ODD_ROWS = st.fixed_dictionaries(
    {},
    optional={
        key: JSON_VALUES | st.lists(st.fixed_dictionaries({}, optional={"role": JSON_VALUES, "content": JSON_VALUES}))
        for key in (
            "input",
            "preferred_output",
            "non_preferred_output",
            "prompt",
            "chosen",
            "rejected",
            "preferred_completion",
        )
    },
)


@settings(max_examples=60)  # drawing such a row is what costs
@given(st.lists(ODD_ROWS, max_size=3), st.sampled_from(list(TARGETS)))
def test_rows_of_any_shape_are_read_without_an_exception(rows: list[dict[str, Any]], target: str) -> None:
    problems = problems_of(b"".join(map(row_bytes, rows)), target)

    assert all(str(problem) and problem.line <= len(rows) for problem in problems)


@given(st.binary(max_size=200), st.sampled_from(list(TARGETS)))
def test_arbitrary_bytes_are_read_without_an_exception(data: bytes, target: str) -> None:
    assert all(str(problem) for problem in problems_of(data, target))


@given(st.data())
def test_a_good_file_with_flipped_bytes_is_read_without_an_exception(data: st.DataObject) -> None:
    line = bytearray(row_bytes(openai_row(prompt_of(user("Hi")), "a", "b", "é")))
    for _ in range(data.draw(st.integers(1, 4))):
        line[data.draw(st.integers(0, len(line) - 1))] = data.draw(st.integers(0, 255))

    problems = problems_of(bytes(line))

    assert all(str(problem) for problem in problems)
