"""Which prompts are equal though their bytes differ, and what becomes of their answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pairsmith.collect import Row, equal_id, read_row, unite_equal
from pairsmith.collect.equal import normal_text
from pairsmith.collect.rows import Place
from pairsmith.records import Prompt, candidate_id


def prompt(text: str = "Why is the sky blue?", **more: Any) -> Prompt:
    row = read_row({"prompt": text, **more}, Place("p", 1))
    assert isinstance(row, Row)
    return row.prompt


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I boil an egg?", "how do i boil an egg?"),
        ("I'm late. It's raining.", "i'm late. it's raining."),
        ("WHAT IS THE CAPITAL OF FRANCE?", "What is the capital of France?"),
        ("Name  a\triver. ", " Name a river.\n"),
        ("One\r\ntwo\r", "One\ntwo"),
        ("One \n \ntwo", "One\n\ntwo"),
        ("Wie heißt das Café?", "wie heißt das cafe\u0301?"),
        ("Ärger mit Ämtern", "ärger mit ämtern"),
        ('What is  the word "A  b"?', 'what is the word "A  b"?'),
        ("Привет, Мир", "привет, мир"),
    ],
)
def test_case_spaces_line_ends_and_spellings_of_unicode_make_no_other_prompt(one: str, other: str) -> None:
    assert equal_id(prompt(one)) == equal_id(prompt(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Convert 5 mW to W", "Convert 5 MW to W"),
        ("Tell the US", "Tell the us"),
        ("Is NaN a number?", "Is nan a number?"),
        ("What is vitamin B?", "What is vitamin b?"),
        ("What does print(X) do?", "What does print(x) do?"),
        ("Why `List` here?", "Why `list` here?"),
        ("Solve X = 2", "Solve x = 2"),
        ('Correct "i live in berlin"', 'Correct "I live in Berlin"'),
        ("Korrigiere „i  live“", "Korrigiere „i live“"),
        ("for x in y:\n    go\n    stop", "for x in y:\n    go\nstop"),
        ("if a:\n\tb", "if a:\n  b"),
        ("print('a  b')", "print('a b')"),
        ("One\ntwo", "One two"),
        ("One.", "One?"),
        ("naive", "naïve"),
    ],
)
def test_what_may_mean_something_else_stays_another_prompt(one: str, other: str) -> None:
    assert equal_id(prompt(one)) != equal_id(prompt(other))


def test_another_system_message_tool_reference_or_role_makes_another_prompt() -> None:
    tool = {"type": "function", "function": {"name": "f"}}
    others = [
        prompt(),
        prompt(system="Be brief."),
        prompt(reference="Rayleigh."),
        prompt(reference="rayleigh."),
        prompt(tools=[tool]),
    ]

    assert len({equal_id(one) for one in others}) == len(others)
    assert equal_id(prompt(system="Be  brief.")) == equal_id(prompt(system="be brief."))


@example("À'A")
@given(st.text(max_size=60) | st.text(alphabet="aBI \n\t\"'éÉ=(", max_size=14))
def test_a_normal_text_is_its_own(text: str) -> None:
    assert normal_text(normal_text(text)) == normal_text(text)


@given(st.text(alphabet="aBI \n\t\"'éÉ=(", max_size=14), st.text(alphabet="aBI \n\t\"'éÉ=(", max_size=14))
def test_what_is_equal_has_the_same_letters_in_the_same_order(one: str, other: str) -> None:
    if normal_text(one) == normal_text(other):
        assert "".join(one.split()).lower() == "".join(other.split()).lower()


def test_answers_and_verdicts_of_an_equal_prompt_are_those_of_the_first() -> None:
    first = prompt("Name a river.", candidates=["Po."])
    second = prompt("name a  river.", candidates=["Rhine.", "Po."], preferred=0, reviewer="ann", id="b")

    united = unite_equal(first, second)

    (said,) = united.preferences
    assert (united.id, united.messages, united.source_id) == (first.id, first.messages, None)
    assert [one.content for one in united.candidates] == ["Po.", "Rhine."]
    assert said.preferred == candidate_id(first.id, "Rhine.")
    assert (said.others, said.by) == ((candidate_id(first.id, "Po."),), "ann")


def test_a_tie_and_what_one_person_said_twice_are_united_too() -> None:
    first = prompt("Name a river.", candidates=["Po.", "Rhine."], preferred="tie", reviewer="ann")
    second = prompt("NAME A RIVER.", candidates=["Po.", "Rhine."], preferred="tie", reviewer="ann")

    assert unite_equal(first, second).preferences == first.preferences


def test_prompts_that_are_not_equal_are_not_united() -> None:
    with pytest.raises(ValueError, match="differ"):
        unite_equal(prompt("a"), prompt("b"))
