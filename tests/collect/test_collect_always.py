"""What must hold of any input whatever."""

import io

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairsmith.collect import BadRow, Row, detect_format, read_prompts, read_row, unite
from pairsmith.collect.rows import Place
from pairsmith.errors import InputError
from pairsmith.records import Json, Prompt, prompt_id

PLACE = Place("p", 1)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=8)  # lone surrogates and NULs too
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT
ANY_JSON = st.recursive(SCALARS, lambda j: st.lists(j, max_size=3) | st.dictionaries(ANY_TEXT, j, max_size=3))
ROLES = st.sampled_from(["system", "developer", "user", "assistant", "tool"])
PARTS = st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": ANY_TEXT | ANY_JSON}), max_size=2)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": ROLES, "content": ANY_TEXT | PARTS | ANY_JSON},
        optional={"name": ANY_JSON, "tool_calls": ANY_JSON, "tool_call_id": ANY_JSON, "x": ANY_JSON},
    ),
    max_size=4,
)
ROWS = st.fixed_dictionaries(
    {},
    optional={
        "prompt": ANY_TEXT | ANY_JSON,
        "messages": MESSAGES | ANY_JSON,
        "instruction": ANY_TEXT | ANY_JSON,
        "input": ANY_TEXT | ANY_JSON,
        "id": SCALARS,
        "system": ANY_TEXT | ANY_JSON,
        "tools": st.lists(st.dictionaries(ANY_TEXT, ANY_JSON, max_size=2), max_size=2) | ANY_JSON,
        "reference": ANY_TEXT | ANY_JSON,
        "candidates": st.lists(ANY_TEXT | ANY_JSON, max_size=3) | ANY_JSON,
        "more": ANY_JSON,
    },
)
PLAIN = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=6).filter(
    str.strip
)
PIECES = st.sampled_from(
    [b"prompt", b"messages", b"candidates", b",", b'"', b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xe2\x80\xa8", b"{",
     b"}", b"[", b"]", b":", b"\\ud800", b"\xef\xbb\xbf", b"Hi", b" ", b"1", b"\t",
     b'{"prompt":"Hi"}\n', b"prompt,id\n"]
)  # fmt: skip
ANY_BYTES = st.lists(PIECES | st.binary(max_size=3), max_size=25).map(b"".join)


def check(read: Row | BadRow) -> None:
    if isinstance(read, BadRow):
        assert str(read).encode()
        assert "{unit}" not in read.remedy
        return
    prompt = read.prompt
    assert prompt.messages
    assert prompt.messages[-1]["role"] != "assistant"
    assert not {"system", "developer"} & {str(message["role"]) for message in prompt.messages}
    assert prompt.id == prompt_id(prompt.messages, prompt.tools, prompt.reference, prompt.system)
    assert len({candidate.content for candidate in prompt.candidates}) == len(prompt.candidates)
    assert orjson.dumps([prompt.meta, [candidate.meta for candidate in prompt.candidates]])


@given(ROWS | ANY_JSON)
def test_any_row_of_json_is_a_prompt_or_a_sentence(row: Json) -> None:
    check(read_row(row, PLACE))


@pytest.mark.parametrize("format", ["text", "jsonl", "json", "csv", "tsv", "parquet", "arrow", "xlsx"])
@settings(max_examples=100, deadline=None)
@given(data=ANY_BYTES, header=st.booleans())
def test_any_bytes_are_rows_or_an_input_error(format: str, data: bytes, header: bool) -> None:
    data = b"prompt,messages\n" + data if header and format == "csv" else data
    try:
        for read in read_prompts(io.BytesIO(data), "p", format):
            assert 1 <= read.line <= len(data) + 1
            check(read)
    except InputError as error:
        assert str(error).startswith("p")


@given(st.text(max_size=9), st.binary(max_size=40))
def test_any_input_has_a_format_or_an_input_error(name: str, head: bytes) -> None:
    try:
        found = detect_format(name, head)
    except InputError:
        return

    assert found in {"text", "csv", "tsv", "jsonl", "json", "parquet", "arrow", "xlsx"}


@settings(deadline=None)
@given(st.lists(PLAIN, min_size=1, max_size=6))
def test_what_is_written_as_json_lines_is_read_back(given_texts: list[str]) -> None:
    data = b"\n".join(orjson.dumps({"prompt": text}) for text in given_texts)

    rows = list(read_prompts(io.BytesIO(data), "p", "jsonl"))

    assert [row.prompt.messages[0]["content"] for row in rows if isinstance(row, Row)] == given_texts


@settings(deadline=None)
@given(st.lists(PLAIN, min_size=1, max_size=6))
def test_what_is_written_as_csv_is_read_back_with_its_lines(given_texts: list[str]) -> None:
    cells = ['"' + text.replace('"', '""') + '"' for text in given_texts]
    starts = [2 + "\n".join(cells[:index]).count("\n") + (index > 0) for index in range(len(cells))]

    rows = list(read_prompts(io.BytesIO("\n".join(["prompt", *cells]).encode()), "p", "csv"))

    assert [row.prompt.messages[0]["content"] for row in rows if isinstance(row, Row)] == given_texts
    assert [row.line for row in rows] == starts


KINDS = st.fixed_dictionaries(
    {"prompt": PLAIN},
    optional={"system": PLAIN, "reference": PLAIN, "tools": st.just([{"type": "function"}])},
)
OTHERS = st.fixed_dictionaries(
    {}, optional={"id": PLAIN, "candidates": st.lists(PLAIN, max_size=3), "topic": PLAIN, "line": st.integers(0, 9)}
)


def prompt_of(row: dict[str, Json], line: int = 1) -> Prompt:
    read = read_row(row, Place("p", line))
    assert isinstance(read, Row)
    return read.prompt


@given(KINDS, KINDS, OTHERS, OTHERS)
def test_ids_depend_on_messages_tools_reference_and_system_alone(
    one: dict[str, Json], two: dict[str, Json], others: dict[str, Json], more: dict[str, Json]
) -> None:
    first, second = prompt_of({**one, **others}), prompt_of({**more, **two}, 2)

    assert (first.id == second.id) == (one == two)


@given(PLAIN, st.lists(st.lists(PLAIN, max_size=3), min_size=3, max_size=3))
def test_uniting_is_associative_and_idempotent(text: str, lists: list[list[str]]) -> None:
    a, b, c = (prompt_of({"prompt": text, "candidates": [*items]}) for items in lists)

    assert unite(unite(a, b), c) == unite(a, unite(b, c))
    assert unite(a, a) == a
