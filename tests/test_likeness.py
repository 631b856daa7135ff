import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairsmith.likeness import Groups, NearDuplicates

TEXT = (
    "My flight was cancelled last night and the airline only offered a voucher. I would rather have my money back. "
    "Which rules apply within the European Union, and how do I word the letter to them?"
)


def near(one: str, other: str) -> bool:
    seen = NearDuplicates()
    seen.add(one)
    return seen.add(other) == [0]


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
    ],
)
def test_what_says_nearly_the_same_is_found(other: str) -> None:
    assert near(TEXT, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("What is 2+2?", "What is 2+3?"),
        ("Translate to French: the cat sleeps", "Translate to French: a dog barked"),
        ("Write a haiku about autumn", "Write a limerick about spring"),
        ("Yes", "No"),
        ("?!", "..."),
        (TEXT, "Which train goes to Vienna, and where do I change?"),
    ],
)
def test_what_asks_something_else_is_not(one: str, other: str) -> None:
    assert not near(one, other)


@given(st.text(max_size=60))
def test_every_text_is_like_itself(text: str) -> None:
    assert near(text, text)


def test_all_earlier_ones_are_named_in_their_order() -> None:
    seen = NearDuplicates()
    for text in (TEXT, "Which train goes to Vienna?", TEXT.lower()):
        seen.add(text)

    assert seen.add(f"{TEXT} Thanks!") == [0, 2]


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
