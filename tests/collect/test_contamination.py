"""Which prompts hold an item of an evaluation set, by Tülu 3's rule, and what becomes of short items."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairsmith.collect import Row, read_row
from pairsmith.collect.contamination import OFTEN, Evaluations, Item, Match
from pairsmith.collect.rows import Place
from pairsmith.likeness import words_in
from pairsmith.records import Prompt

WORDS = [f"{one}{two}" for one in "bdfgklmnprst" for two in ("ale", "ome", "uni", "ir", "ost")]
ITEM = "Natalia sold clips to forty eight of her friends in April and then sold half as many clips in May"  # 20 words


def prompt(text: str = "", **more: Any) -> Prompt:
    row = read_row({**({"prompt": text} if text else {}), **more}, Place("p", 1))
    assert isinstance(row, Row)
    return row.prompt


def held(text: str | Prompt, *items: str, n: int = 8, share: float = 0.5) -> Match | None:
    evaluations = Evaluations([Item(item, "e", line) for line, item in enumerate(items, 1)], n, share)
    (found,) = evaluations.matches([prompt(text) if isinstance(text, str) else text])
    return found


def begin(words: int) -> str:
    """So many words of the item, amid others."""
    return f"Answer this: {' '.join(ITEM.split()[:words])} but nothing else"


def test_more_than_half_of_an_items_words_in_common_n_grams_is_too_much() -> None:
    found = held(begin(11), ITEM)

    assert held(begin(10), ITEM) is None
    assert found is not None
    assert (found.share, found.n, found.item) == (0.55, 8, Item(ITEM, "e", 1))
    assert held(begin(11), ITEM, share=0.55) is None


def test_what_is_covered_in_several_places_adds_up_and_fewer_words_in_a_row_than_n_are_nothing() -> None:
    words = ITEM.split()
    two, broken = " ".join([*words[:8], "well", *words[11:]]), " ".join([*words[:7], "well", *words[8:14], "so"])

    found = held(two, ITEM)

    assert found is not None
    assert found.share == 17 / 20
    assert held(broken, ITEM) is None


def test_case_punctuation_and_what_stands_around_it_hide_nothing() -> None:
    assert held(f"Hi! (1) {ITEM.upper()}?! Thanks.", ITEM) is not None
    assert held(ITEM.replace(" ", ",\n "), ITEM) is not None


def test_with_13_grams_and_no_share_any_of_them_is_enough() -> None:
    assert held(begin(13), ITEM, n=13, share=0) is not None
    assert held(begin(12), ITEM, n=13, share=0) is None


def test_of_several_items_the_one_that_is_covered_most_is_named() -> None:
    found = held(f"{ITEM} {begin(11)}", f"{ITEM} and then he went home to eat", ITEM)

    assert found is not None
    assert (found.item.line, found.share) == (2, 1.0)


def test_each_turn_of_the_user_is_looked_at_and_nothing_else() -> None:
    turns = [("user", "Hi"), ("assistant", ITEM), ("user", "Thanks")]
    clean = prompt(messages=[{"role": r, "content": c} for r, c in turns], system=ITEM, candidates=[ITEM], note=ITEM)
    first = prompt(messages=[{"role": r, "content": c} for r, c in [("user", ITEM), *turns[1:]]])

    assert held(clean, ITEM) is None
    assert held(first, ITEM) is not None


@pytest.mark.parametrize(
    ("text", "item", "expected"),
    [
        ("Tell me: what is the capital of France, please", "What is the capital of France?", True),
        ("What is the capital of Spain?", "What is the capital of France?", False),
        ("Name a river!", "name a river", True),
        ("Name a river in Spain", "Name a river", False),
        ("?!", "?!", True),
    ],
)
def test_an_item_shorter_than_an_n_gram_counts_as_a_whole_and_a_very_short_one_alone(
    text: str, item: str, expected: bool
) -> None:
    assert (held(text, item) is not None) is expected


def test_an_instruction_that_all_items_share_is_no_match_by_itself_but_leads_to_one_where_it_is_most_of_them() -> None:
    instruction = "Choose the right one of the four answers that follow and give its letter alone"
    items = [f"{instruction}: {' '.join(Random(number).choices(WORDS, k=30))}" for number in range(2 * OFTEN)]
    short = [f"{instruction}: {WORDS[number % len(WORDS)]}" for number in range(2 * OFTEN)]

    assert held(f"{instruction}: which is a fruit?", *items) is None
    assert held(items[70], *items).item.line == 71  # type: ignore[union-attr]
    assert held(f"{instruction}: which is a fruit?", *short) is not None


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("abcde"), min_size=5, max_size=14), min_size=1, max_size=6),
    st.lists(st.sampled_from("abcdef"), max_size=30),
    st.integers(2, 6),
    st.sampled_from([0.0, 0.3, 0.5, 0.8]),
)
def test_what_is_found_is_what_comparing_each_n_gram_with_each_finds(
    items: list[list[str]], text: list[str], n: int, share: float
) -> None:
    def covered(item: list[str]) -> float:
        grams = {tuple(text[at : at + n]) for at in range(len(text) - n + 1)}
        hit = {at + more for at in range(len(item) - n + 1) if tuple(item[at : at + n]) in grams for more in range(n)}
        return len(hit) / len(item)

    given_prompt = prompt(" ".join(text) or "x")
    found = held(given_prompt, *map(" ".join, items), n=n, share=share)

    best = max(covered(item) for item in items)
    assert (found.share if found else 0) == pytest.approx(best if best > share else 0)


def test_words_are_those_of_the_whole_text() -> None:
    assert words_in("Hi: please name a river. Thanks!") == ["hi", "please", "name", "a", "river", "thanks"]
