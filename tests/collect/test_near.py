"""Who is left out as nearly the same, and who stays: the first, people's verdicts, and what only looks alike."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from near_planted import planted
from pairsmith.collect import Row, read_row
from pairsmith.collect.near import NearPrompts
from pairsmith.collect.rows import Place
from pairsmith.records import Prompt

TEXT = "My flight was cancelled last night and the airline only offered a voucher. Which rules apply to me now?"
COPY = TEXT.replace("voucher", "coupon")
AGAIN = TEXT.replace("airline", "company")


def prompt(text: str = TEXT, **more: Any) -> Prompt:
    asked = {} if "messages" in more else {"prompt": text}
    row = read_row({**asked, **more}, Place("p", 1))
    assert isinstance(row, Row)
    return row.prompt


def left_out(*prompts: Prompt, near: float = 0.7) -> list[tuple[int, int]]:
    found = NearPrompts(near)
    found.add(prompts)
    return list(found.left_out())


def test_the_first_of_those_that_are_nearly_the_same_stays() -> None:
    assert left_out(prompt(), prompt("Name a river."), prompt(COPY), prompt(AGAIN)) == [(2, 0), (3, 0)]


def test_planted_near_duplicates_are_left_out_and_nothing_else() -> None:
    made = planted(Random(0))
    found = dict(left_out(*(prompt(one.text) for one in made)))

    right = {place for place, stays in found.items() if made[place].of == stays}
    copies = {place for place, one in enumerate(made) if one.of != place}
    missed = Counter(made[place].kind for place in copies - right)
    wrong = Counter(made[place].kind for place in found.keys() - right)
    assert len(copies) > 300
    assert len(right) >= 0.98 * len(found), wrong
    assert len(right) >= 0.98 * len(copies), missed


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3), st.booleans()), max_size=20), st.integers(0, 20))
def test_rows_that_are_added_later_change_nothing_for_earlier_ones(
    drawn: list[tuple[int, int, bool]], cut: int
) -> None:
    words = TEXT.split()

    def made(mould: int, change: int, answered: bool) -> Prompt:
        text = " ".join(f"{word}{mould}" if place % 2 else word for place, word in enumerate(words))
        return prompt(f"{text} {['north', 'south', 'east', 'west'][change]}", candidates=["Po."] if answered else [])

    prompts = [made(*one) for one in drawn]

    assert [couple for couple in left_out(*prompts) if couple[0] < cut] == left_out(*prompts[:cut])


def test_people_s_verdicts_are_never_left_out_and_answers_only_for_answers() -> None:
    answers: dict[str, Any] = {"candidates": ["a", "b"]}
    plain, answered, said = prompt(COPY), prompt(COPY, **answers), prompt(COPY, **answers, preferred=0)

    assert left_out(prompt(), said) == left_out(prompt(), answered) == []
    assert left_out(prompt(**answers), answered) == left_out(prompt(**answers), plain) == [(1, 0)]
    assert left_out(said, prompt(**answers), prompt(AGAIN, **answers, preferred=1)) == [(1, 0)]


@pytest.mark.parametrize(
    "more",
    [
        {"system": "Answer as a lawyer."},
        {"reference": "Regulation 261/2004."},
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {
            "messages": [
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Hi"},
                {"role": "user", "content": COPY},
            ]
        },
    ],
)
def test_with_another_system_message_tool_reference_or_conversation_it_is_another_prompt(more: dict[str, Any]) -> None:
    assert left_out(prompt(), prompt(COPY, **more)) == []
    assert left_out(prompt(**more), prompt(COPY, **more)) in ([(1, 0)], [])


def test_a_long_conversation_with_another_question_at_its_end_is_another_prompt() -> None:
    def ending(question: str) -> Prompt:
        turns = [("user", f"{TEXT} {TEXT}"), ("assistant", "Which airline was it?"), ("user", question)]
        return prompt(messages=[{"role": role, "content": content} for role, content in turns])

    one = ending("How much money do I get back for it in the end?")

    assert left_out(one, ending("Could you write the letter to them for me, in French?")) == []
    assert left_out(one, ending("How much money do I get back for it in the end, then?")) == [(1, 0)]


def test_short_code_is_never_nearly_the_same() -> None:
    assert left_out(prompt("def f():\n    return X"), prompt("def f():\n    return x")) == []


def test_a_higher_limit_leaves_less_out() -> None:
    assert left_out(prompt(), prompt(COPY), near=0.95) == []
