from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from pairsmith.export.split import VALIDATION, parts
from pairsmith.records import Json, Prompt, prompt_id

WORDS = "ask make find write plan cook move sort".split()  # noqa: SIM905
SHARE = 0.3


def asked(text: str, ident: str | None = None, **meta: Json) -> Prompt:
    messages = ({"role": "user", "content": text},)
    return Prompt(prompt_id(messages, (), None, None), messages, meta=meta, source_id=ident)


def distinct(numbers: Sequence[int]) -> list[Prompt]:
    """Prompts that are nothing like each other."""
    return [asked(" ".join(f"{word}{number * 31 + place}" for place, word in enumerate(WORDS))) for number in numbers]


NUMBERS = st.lists(st.integers(0, 500), unique=True, min_size=1, max_size=25)


@given(NUMBERS, NUMBERS)
@settings(max_examples=25)
def test_what_is_added_at_the_end_moves_nobody(first: list[int], more: list[int]) -> None:
    before = distinct(first)
    after = [*before, *distinct([number for number in more if number not in first])]

    then, now = parts(before, SHARE), parts(after, SHARE)

    assert all(then.of(prompt.id) == now.of(prompt.id) for prompt in before)


@given(NUMBERS, st.randoms(use_true_random=False))
@settings(max_examples=25)
def test_the_side_of_a_prompt_without_kin_depends_on_itself_alone(numbers: list[int], random) -> None:  # type: ignore[no-untyped-def]
    prompts = distinct(numbers)
    shuffled = random.sample(prompts, len(prompts))

    assert all(parts(prompts, SHARE).of(one.id) == parts(shuffled, SHARE).of(one.id) for one in prompts)


def test_the_share_is_about_what_was_asked_for() -> None:
    counts = parts(distinct(range(2000)), SHARE).counts

    assert 0.26 < counts[VALIDATION] / 2000 < 0.34


def test_seeds_and_what_grew_from_them_are_one_group() -> None:
    seed, other, grown, further = (
        asked("How do I fold a fitted sheet?", "s1"),
        asked("Name three rivers in Asia that flow north.", "s2"),
        asked("Explain to a child why the moon has phases.", seeds=["s1"]),
        asked("Draft a polite note that declines an invitation.", seed_id="s1"),
    )

    found = parts([seed, other, grown, further], SHARE)

    assert found.groups[grown.id] == found.groups[further.id] == seed.id
    assert found.groups[other.id] == other.id


def test_prompts_of_equal_meta_are_one_group_and_of_unequal_are_not() -> None:
    one, other, third = (
        asked("How do I fold a fitted sheet?", conversation="a"),
        asked("Name three rivers in Asia that flow north.", conversation="a"),
        asked("Explain to a child why the moon has phases.", conversation="b"),
    )

    found = parts([one, other, third], SHARE, ["conversation"])

    assert found.groups == {one.id: one.id, other.id: one.id, third.id: third.id}


def test_a_group_goes_by_its_earliest_prompt_also_where_a_later_one_joins_two() -> None:
    first, second = asked("How do I fold a fitted sheet?", thread=1), asked("Name three rivers in Asia.", topic=2)
    bridge = asked("Explain to a child why the moon has phases.", thread=1, topic=2)

    found = parts([first, second, bridge], SHARE, ["thread", "topic"])

    assert set(found.groups.values()) == {first.id}
