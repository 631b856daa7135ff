"""What export wrote is read as what it is: written again it is the same, byte by byte; other targets keep all texts."""

from __future__ import annotations

import io
from itertools import product
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairsmith.converting.convert import Counts, converted, detected, first_rows
from pairsmith.converting.files import Source, rows_of_files
from pairsmith.export.chat import ChatPair
from pairsmith.export.containers import SUFFIXES, WRITERS
from pairsmith.export.formats import chat_pair
from pairsmith.export.rows import rows_of
from pairsmith.export.targets import TARGETS
from pairsmith.records import Json, Prompt, prompt_id

AWKWARD = [
    "\u2028", "\r\n", "\ufeff", "👩‍👩‍👧", '{"a": 1}', '[{"role": "user", "content": ""}]', "\n\nHuman: x",
    "\n\nAssistant:", "é", "e\u0301", "00123", '"', ",",
]  # fmt: skip
CHARS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
TEXTS = (
    st.lists(st.text(CHARS, max_size=6) | st.sampled_from(AWKWARD), min_size=1, max_size=4)
    .map("".join)
    .filter(lambda text: bool(text) and not text.isspace())
)
TOOL: Json = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


@st.composite
def pairs(draw: st.DrawFn) -> ChatPair:
    texts = draw(st.lists(TEXTS, min_size=1, max_size=3).filter(lambda turns: len(turns) % 2 == 1))
    turns = tuple({"role": ("user", "assistant")[n % 2], "content": text} for n, text in enumerate(texts))
    system = draw(st.none() | TEXTS)
    tools = draw(st.sampled_from([(), (TOOL,)]))
    prompt = Prompt(id=prompt_id(turns, tools, None, system), messages=turns, tools=tools, source_id=None)
    return chat_pair(prompt, draw(TEXTS), draw(TEXTS), system)


def written(target: str, found: list[ChatPair]) -> bytes:
    """A file as export writes it, without the pairs that the target does not take."""
    stream = io.BytesIO()
    writer = WRITERS[TARGETS[target].layout.container](stream)
    for pair in found:
        rows = rows_of(pair, target)
        for row in () if isinstance(rows, str) else rows:
            writer.write(row)
    writer.close()
    return stream.getvalue()


def again(data: bytes, target: str, to: str) -> tuple[bytes, Counts]:
    """The file of one target as convert makes it into that of another."""
    name = f"in{SUFFIXES[TARGETS[target].layout.container]}"
    source = Source(name, lambda: io.BufferedReader(io.BytesIO(data)))  # type: ignore[arg-type]
    first, rows = first_rows(rows_of_files([source]))
    counts, stream = Counts(), io.BytesIO()
    writer = WRITERS[TARGETS[to].layout.container](stream)
    converted(rows, detected(first, {}, name), to, counts, writer.write)
    writer.close()
    return stream.getvalue(), counts


@pytest.mark.parametrize("target", TARGETS)
@settings(deadline=None, max_examples=8)
@given(st.lists(pairs(), min_size=1, max_size=4))
def test_rows_that_export_made_come_back_byte_by_byte(target: str, found: list[ChatPair]) -> None:
    taken = [pair for pair in found if not isinstance(rows_of(pair, target), str)]
    if not taken:
        return
    data = written(target, taken)

    back, counts = again(data, target, target)

    assert back == data
    assert counts.dropped == {}


TWO_SIDED = [
    name for name, target in TARGETS.items() if target.layout.rejected and target.layout.container != "parquet"
]
ROUTES = list(product(TWO_SIDED, TWO_SIDED))


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(ROUTES), st.lists(pairs(), min_size=1, max_size=3))
def test_every_way_from_target_to_target_keeps_all_texts(route: tuple[str, str], found: list[ChatPair]) -> None:
    one, other = route
    taken = [pair for pair in found if all(not isinstance(rows_of(pair, target), str) for target in route)]
    if not taken:
        return

    there, counts = again(written(one, taken), one, other)

    assert there == written(other, taken)
    assert counts.dropped == {}


def test_single_answers_with_labels_find_their_partners_wherever_they_are() -> None:
    def row(number: int, label: bool) -> dict[str, Any]:
        return {"prompt": f"{number}?", "completion": f"{label} {number}", "label": label}

    rows = [row(n, True) for n in range(200)] + [row(n, False) for n in reversed(range(1, 200))]
    data = b"".join(orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in rows)

    there, counts = again(data, "kto", "trl")

    made = [orjson.loads(line) for line in there.splitlines()]
    assert (len(made), counts.dropped) == (199, {"one_sided": 1})
    assert all(one["chosen"][0]["content"] == f"True {one['prompt'][0]['content'][:-1]}" for one in made)
