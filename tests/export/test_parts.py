"""A row of any target gives back what it was made of."""

from __future__ import annotations

from typing import cast

import pytest
from export_rows import assistant, prompt_of, user
from hypothesis import given
from hypothesis import strategies as st

from pairsmith.export.formats import ROWS, row_bytes
from pairsmith.export.parts import parts_of
from pairsmith.export.reading import JsonObject, read_line
from pairsmith.export.settings import TargetName
from pairsmith.export.targets import TARGETS

TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@pytest.mark.parametrize("target", list(ROWS))
@given(asked=TEXTS, chosen=TEXTS, rejected=TEXTS)
def test_both_answers_and_the_prompt_come_back_byte_for_byte(
    target: TargetName, asked: str, chosen: str, rejected: str
) -> None:
    prompt = prompt_of(user(asked))

    row, _ = read_line(row_bytes(ROWS[target](prompt, chosen, rejected, "Be kind.")))
    parts = parts_of(cast(JsonObject, row), TARGETS[target].layout)

    assert (parts.chosen, parts.rejected) == ([assistant(chosen)], [assistant(rejected)])
    messages = parts.asked["messages"] if isinstance(parts.asked, dict) else parts.asked
    assert messages == [{"role": "system", "content": "Be kind."}, user(asked)]


@pytest.mark.parametrize("target", list(ROWS))
def test_a_part_that_is_not_there_is_none(target: TargetName) -> None:
    parts = parts_of({}, TARGETS[target].layout)

    assert (parts.asked, parts.chosen, parts.rejected) == (None, None, None)
