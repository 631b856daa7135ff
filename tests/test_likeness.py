from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairsmith.likeness import alike, said
from pairsmith.neighbours import FEW, Groups, NearDuplicates, near_groups

TEXT = (
    "My flight was cancelled last night and the airline only offered a voucher. I would rather have my money back. "
    "Which rules apply within the European Union, and how do I word the letter to them?"
)


def near(*texts: str) -> bool:
    """Whether all of them are one group."""
    return {first for _, first in near_groups(enumerate(texts))} == {0}


@pytest.mark.parametrize(
    "other",
    [
        TEXT,
        TEXT.upper(),
        TEXT.replace(".", " !").replace(",", ""),
        f"  {TEXT}\n\n",
        TEXT.replace("voucher", "coupon"),
        f"{TEXT} Please be brief.",
        f"Hello! {TEXT}",
        " ".join(reversed(TEXT.split(". "))),
        TEXT.replace("flight", "ﬂight"),
        TEXT.replace("voucher", "coupon").upper(),
        f"Please help:\n{TEXT}",
        TEXT.replace(" The", "\nThe").replace("last night", "yesterday"),
    ],
)
def test_what_says_nearly_the_same_is_found(other: str) -> None:
    assert near(TEXT, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Which plants like a dark and cold room in winter?", "Which plants like a dark and damp room in winter?"),
        ("How do I fold a fitted sheet?", "how do i fold a fitted sheet"),
        ("Explain to me how a heat pump works", "Please explain to me how a heat pump works"),
        ("Add 2 + 2 and say it in words.", "Add 2+2, and say it in words"),
        ("请用简单的话给孩子解释为什么天空是蓝色的好吗", "请用简单的话给孩子解释为什么大海是蓝色的好吗"),
        ("अपने शहर के बारे में बताओ", "अपने शहर के बारे में बताओ!"),
        (f"Invoice 17. {TEXT} {TEXT[:99]}", f"Invoice 18. {TEXT} {TEXT[:99]}"),
    ],
)
def test_also_short_texts_and_other_scripts_are_found(one: str, other: str) -> None:
    assert near(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is 2+2?", "What is 2+3?"),
        ("What is 2+2?", "What is 2*2?"),
        ("Simplify a*b - c", "Simplify a*b / c"),
        ("Is C a good first language?", "Is C++ a good first language?"),
        ("A train goes 60 miles in 2 hours. How fast is it?", "A train goes 80 miles in 2 hours. How fast is it?"),
        ("Translate to French: the cat sleeps", "Translate to French: a dog barked"),
        (
            "Say whether this review is kind, in one word, and give no reasons at all for what you say: great phone",
            "Say whether this review is kind, in one word, and give no reasons at all for what you say: weak battery",
        ),
        (
            "Explain to a child, with a picture from the kitchen: gravity",
            "Name the people who found out about: gravity",
        ),
        ("What is the capital of France?", "What is the capital of Spain?"),
        ("你好", "你们好"),
        ("Write a haiku about autumn", "Write a limerick about spring"),
        ("Yes", "No"),
        ("?!", "..."),
        (TEXT, "Which train goes to Vienna, and where do I change?"),
    ],
)
def test_what_asks_something_else_is_not(one: str, other: str) -> None:
    assert not near(one, other)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60))
def test_every_text_is_like_itself(text: str) -> None:
    assert near(text, text)


def test_each_key_is_given_back_in_order_with_the_earliest_of_its_group() -> None:
    texts = [("a", TEXT), ("b", "Which train goes to Vienna?"), ("c", TEXT.lower()), ("d", f"{TEXT} Thanks!")]

    assert list(near_groups(texts)) == [("a", "a"), ("b", "b"), ("c", "a"), ("d", "a")]


def test_a_lower_limit_finds_more() -> None:
    texts = [(0, "Which plants like a dark room?"), (1, "Which plants like a damp room?")]

    assert [dict(near_groups(texts, near))[1] for near in (0.7, 0.9)] == [1, 1]
    assert dict(near_groups([(0, TEXT), (1, TEXT.replace("airline only", "company just"))], 0.99))[1] == 1


def test_a_text_that_is_like_two_others_joins_them() -> None:
    first = "one two three four five six seven eight nine ten eleven twelve"
    second = "one two three four five six seven eight other words come here"
    between = "one two three four five six seven eight nine ten come here"

    assert not near(first, second)
    assert near(first, second, between) == (alike(said(first), said(between)) and alike(said(second), said(between)))


# --- crowds: more texts from one mould than are compared each with each -------------------------------

NOUNS = [f"{one}{two}o" for one in "bdfgklmnprst" for two in "aeiou"]
INSTRUCTION = "Say whether the review that follows is kind, unkind or neither, and answer with one word only"


def test_a_crowd_of_texts_behind_one_instruction_stays_apart() -> None:
    texts = [f"{INSTRUCTION}:\n{noun} phone, {noun}er battery" for noun in NOUNS]

    assert len(NOUNS) > FEW
    assert len({first for _, first in near_groups(enumerate(texts))}) == len(NOUNS)


def test_a_crowd_with_other_words_before_one_text_stays_apart() -> None:
    texts = [f"You are {noun} {noun}is from {noun}land who likes {noun}a:\nHow do I boil an egg?" for noun in NOUNS]

    assert len({first for _, first in near_groups(enumerate(texts))}) == len(NOUNS)


def test_in_a_crowd_those_that_are_alike_are_found() -> None:
    long = "{0} {0}s and {0}er {1} in a town by the sea where it rains on most days"
    texts = [long.format(noun, mark) for noun in NOUNS for mark in ("north", "south")]

    firsts = [first for _, first in near_groups(enumerate(texts))]

    assert firsts == [place - place % 2 for place in range(len(texts))]


@settings(max_examples=20, deadline=None)
@given(st.lists(st.lists(st.sampled_from(NOUNS[:9]), min_size=4, max_size=14), min_size=2, max_size=60))
def test_small_or_crowded_what_is_found_is_what_comparing_each_with_each_finds(drawn: list[list[str]]) -> None:
    texts = [" ".join(words) for words in drawn]
    groups = Groups()
    for place in range(len(texts)):
        groups.add(str(place))
    read = [said(text) for text in texts]
    for one, other in combinations(range(len(texts)), 2):
        if alike(read[one], read[other]):
            groups.join(str(one), str(other))

    found = [str(first) for _, first in near_groups(enumerate(texts))]

    assert sum(groups.of(str(place)) != first for place, first in enumerate(found)) <= len(texts) // 20


def test_planted_near_duplicates_are_found_among_strangers() -> None:
    rng = Random(0)
    words = [f"{one}{two}" for one in NOUNS for two in NOUNS]
    planted = [sample for _ in range(300) for sample in couple(rng, words)]

    firsts = [first for _, first in near_groups(enumerate(planted))]

    assert sum(first == place - place % 2 for place, first in enumerate(firsts)) >= 0.99 * len(firsts)


def couple(rng: Random, words: list[str]) -> tuple[str, str]:
    """A text of 10 to 60 words, and the same with one word replaced."""
    text = rng.choices(words, k=rng.randint(10, 60))
    copy = list(text)
    copy[rng.randrange(len(text))] = rng.choice(words)
    return " ".join(text), " ".join(copy).capitalize() + "."


def test_texts_added_later_change_nothing_between_earlier_ones() -> None:
    texts = [TEXT, f"{TEXT} Thanks!", "Which train goes to Vienna?"]
    few, many = NearDuplicates(), NearDuplicates()
    for text in texts:
        few.add(text)
    for text in [*texts, *(f"{INSTRUCTION}: {noun}" for noun in NOUNS)]:
        many.add(text)

    assert list(few.couples()) == [couple for couple in many.couples() if max(couple) < len(texts)] == [(0, 1)]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=20))
def test_a_group_goes_by_its_earliest_key_however_it_came_together(joined: list[tuple[int, int]]) -> None:
    groups = Groups()
    for number in range(13):
        groups.add(str(number))
    kin = {number: {number} for number in range(13)}
    for one, other in joined:
        groups.join(str(one), str(other))
        both = kin[one] | kin[other]
        kin |= dict.fromkeys(both, both)

    assert [groups.of(str(number)) for number in range(13)] == [str(min(kin[number])) for number in range(13)]
