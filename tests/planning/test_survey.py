from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairsmith.collect import BadRow, Row, read_row
from pairsmith.collect.rows import Place
from pairsmith.collect.settings import PromptSettings
from pairsmith.errors import InputError
from pairsmith.planning import survey as module
from pairsmith.planning.survey import survey


def rows(texts: list[str], **more: object) -> list[Row | BadRow]:
    return [read_row({"prompt": text, **more}, Place("p", line)) for line, text in enumerate(texts, start=1)]


SETTINGS = PromptSettings(path="p")


@given(st.lists(st.integers(0, 400), min_size=1, max_size=600), st.integers(0, 200))
def test_prompts_are_counted_exactly_and_those_kept_stand_for_all(numbers: list[int], settled: int) -> None:
    read = rows([f"prompt {number}" for number in numbers])
    distinct = list({row.prompt.id: None for row in read if isinstance(row, Row)})

    found = survey(read, SETTINGS, set(distinct[:settled]))

    parts = (*found.settled, *found.owed)
    assert found.prompts == len(distinct) == sum(part.count for part in parts)
    assert found.duplicates == len(numbers) - len(distinct)
    assert sum(part.count for part in found.settled) == min(settled, len(distinct))
    assert all(len(part.kept) == min(part.count, module.KEPT) for part in parts)
    assert sum(part.weight * len(part.kept) for part in parts) == pytest.approx(found.prompts)


def test_the_first_prompts_are_a_part_of_their_own_and_all_kept() -> None:
    found = survey(rows([f"prompt {number}" for number in range(500)]), SETTINGS, set())

    assert sorted(prompt.ordinal for prompt in found.owed[0].kept.values()) == list(range(32))


def test_what_is_kept_does_not_depend_on_the_order_of_the_file() -> None:
    texts = [f"prompt {number}" for number in range(500)]

    forward, backward = (survey(rows(order), SETTINGS, set()) for order in (texts, texts[::-1]))

    overlap = forward.owed[1].kept.keys() & backward.owed[1].kept.keys()
    assert len(overlap) > 0.8 * module.KEPT  # all but the first 32 of either order


def test_a_repeated_prompt_brings_its_candidates() -> None:
    read = [*rows(["one"], candidates=["a", "b"]), *rows(["one"], candidates=["c"])]

    found = survey(read, SETTINGS, set())

    (prompt,) = found.owed[0].kept.values()
    assert [candidate.content for candidate in prompt.candidates] == ["a", "b", "c"]


def test_reading_stops_at_the_limit() -> None:
    found = survey(rows(["a", "a", "b", "c", "d"]), SETTINGS.model_copy(update={"limit": 2}), set())

    assert (found.prompts, found.duplicates) == (2, 1)


def test_a_bad_row_stops_it_unless_they_are_skipped() -> None:
    read = [*rows(["a"]), read_row({"promt": "b"}, Place("p.jsonl", 2))]

    assert survey(read, SETTINGS.model_copy(update={"skip_bad": True}), set()).skipped == 1
    with pytest.raises(InputError, match=r"p\.jsonl, line 2"):
        survey(read, SETTINGS, set())


def test_an_empty_input_is_a_mistake() -> None:
    with pytest.raises(InputError, match="no prompts"):
        survey([], SETTINGS, set())
