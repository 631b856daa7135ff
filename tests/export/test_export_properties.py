"""What must hold for every text, every damage and every file."""

import io
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from export_rows import errors_of, openai_row, problems_of, prompt_of, rows_for, user
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pairsmith.export.check import line_findings, texts_of
from pairsmith.export.containers import WRITERS, lines_of
from pairsmith.export.formats import chat_pair, row_bytes
from pairsmith.export.plain import quick_look
from pairsmith.export.row_rules import alike, folded
from pairsmith.export.rows import refused, rows_of
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


@settings(deadline=None)  # the first Parquet file imports pyarrow
@given(prompts(), TEXTS, TEXTS, st.sampled_from(list(TARGETS)))
def test_every_row_that_is_written_passes_and_reads_back_as_the_pair_it_was(
    prompt: Any, chosen: str, rejected: str, target: Any
) -> None:
    pair = chat_pair(prompt, chosen, rejected, prompt.system)
    rows = rows_of(pair, target)
    assume(not isinstance(rows, str))
    layout = TARGETS[target].layout
    stream = io.BytesIO()
    writer = WRITERS[layout.container](stream)

    for row in rows:
        writer.write(row)
    writer.close()
    stream.seek(0)
    lines = list(lines_of(stream, layout.container))

    assert errors_of(b"".join(lines), target) == []
    assert [orjson.loads(line) for line in lines] == list(rows)
    read = [layout.view(row).pair() for row in rows]
    assert [again for one in read for again in layout.rows(one)] == list(rows)
    assert {one.messages for one in map(hashable, read)} == {hashable(pair).messages}
    sides = [side for one in read for side in (one.chosen, one.rejected) if side]
    assert sides == [pair.chosen, pair.rejected][: len(sides)]


def hashable(pair: Any) -> Any:
    return replace(pair, messages=orjson.dumps(list(pair.messages)))


@given(prompts(), TEXTS, TEXTS)
def test_a_row_is_refused_exactly_when_check_finds_an_error(prompt: Any, chosen: str, rejected: str) -> None:
    for target in ("openai", "azure", "together", "fireworks", "trl"):
        row = rows_for(target, chat_pair(prompt, chosen, rejected, prompt.system))[0]
        errors = {problem.rule for problem in errors_of(row_bytes(row), target)}

        assert refused(row, target) in (errors or {None})


@given(prompts(), TEXTS, TEXTS, st.sampled_from(["openai", "azure", "together", "fireworks", "trl", "openrlhf"]))
def test_what_a_quick_look_passes_the_rules_pass_too(prompt: Any, chosen: str, rejected: str, target: str) -> None:
    pair = chat_pair(prompt, chosen, rejected, prompt.system)
    known = TARGETS[target]
    line = row_bytes(known.layout.rows(pair)[0])
    look = quick_look(known)
    assert look is not None
    quick = look(line)
    _, view, findings = line_findings(line, known)

    assert quick is None or [found.rule for found in findings] == []
    assert quick is None or quick == texts_of(view)


@st.composite
def nearly_equal(draw: st.DrawFn) -> tuple[str, str]:
    """A text, and the same with other white space, another Unicode form, a letter more or another case."""
    text = draw(
        TEXTS | st.lists(st.sampled_from(["a", "e", "\u0301", " ", "word", "\n", "é"]), max_size=60).map("".join)
    )
    ways = (
        lambda one: one,
        lambda one: unicodedata.normalize("NFD", one),
        lambda one: unicodedata.normalize("NFC", one),
        lambda one: one.replace(" ", " \n"),
        lambda one: f" {one}",
        lambda one: one + "\u0301",
        lambda one: one[:63] + "\u0301" + one[63:],
        str.upper,
    )
    return text, draw(st.sampled_from(ways))(text)


@given(nearly_equal())
def test_two_texts_are_alike_exactly_when_they_are_the_same_folded(texts: tuple[str, str]) -> None:
    one, other = texts

    assert alike(one, other) == (folded(one) == folded(other)) == alike(other, one)


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
