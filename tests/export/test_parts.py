"""A row of any target gives back what it was made of."""

from __future__ import annotations

import pytest
from export_rows import assistant, prompt_of, rows_for, user
from hypothesis import given
from hypothesis import strategies as st

from pairsmith.export.formats import chat_pair, row_bytes
from pairsmith.export.parts import parts_of
from pairsmith.export.reading import read_line
from pairsmith.export.settings import TargetName
from pairsmith.export.targets import TARGETS

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@pytest.mark.parametrize("target", list(TARGETS))
@given(asked=TEXTS, chosen=TEXTS, rejected=TEXTS)
def test_both_answers_and_the_prompt_come_back_byte_for_byte(
    target: TargetName, asked: str, chosen: str, rejected: str
) -> None:
    prompt = prompt_of(user(asked))

    sides: list[object] = [None, None]
    for made in rows_for(target, chat_pair(prompt, chosen, rejected, "Be kind.")):
        row, _ = read_line(row_bytes(made))
        assert row is not None
        parts = parts_of(row, TARGETS[target].layout)
        sides = [new or old for new, old in zip((parts.chosen, parts.rejected), sides, strict=True)]

    assert sides == [[assistant(chosen)], None if target == "sft" else [assistant(rejected)]]
    assert parts.asked == {"messages": [{"role": "system", "content": "Be kind."}, user(asked)], "tools": []}


@pytest.mark.parametrize("target", list(TARGETS))
def test_a_part_that_is_not_there_is_none(target: TargetName) -> None:
    parts = parts_of({}, TARGETS[target].layout)

    assert (parts.asked, parts.chosen, parts.rejected) == (None, None, None)
