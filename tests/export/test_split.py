from collections.abc import Sequence
from itertools import combinations

from hypothesis import example, given, settings
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


Families = list[tuple[int, int, int, int]]
FAMILY = st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 99))


def families(drawn: Families) -> list[Prompt]:
    """Prompts of ten texts with small changes, in ten threads, from ten seeds.

    Equal ones are one, with the meta of the first row, as collect unites them: later rows rewrite nothing.
    """
    made = [
        asked(f"{WORDING[text]} Thanks from reader no{'o' * change}.", thread=thread, seeds=[f"seed {seed}"])
        for text, thread, seed, change in drawn
    ]
    first: dict[str, Prompt] = {}
    for prompt in made:
        first.setdefault(prompt.id, prompt)
    return list(first.values())


def text_of(prompt: Prompt) -> str:
    return str(prompt.messages[0]["content"])


WORDING = [" ".join(f"{word}{chr(97 + number)}{end}" for word in WORDS for end in "xyz") for number in range(10)]
NUMBERS = st.lists(st.integers(0, 500), unique=True, min_size=1, max_size=25)


@settings(max_examples=30, deadline=None)
@given(NUMBERS, NUMBERS)
def test_what_is_added_at_the_end_moves_nobody(first: list[int], more: list[int]) -> None:
    before = distinct(first)
    after = [*before, *distinct([number for number in more if number not in first])]

    then, now = parts(before, SHARE), parts(after, SHARE)

    assert all(then.of(prompt.id) == now.of(prompt.id) for prompt in before)


@settings(max_examples=30, deadline=None)
@example(first=[(0, 0, 0, 0), (1, 0, 0, 0)], more=[(0, 1, 1, 0)])  # a prompt again, in another thread
@given(st.lists(FAMILY, max_size=20), st.lists(FAMILY, max_size=20))
def test_who_moves_as_the_input_grows_was_joined_to_an_earlier_group(first: Families, more: Families) -> None:
    before, after = families(first), families([*first, *more])
    then, now = parts(before, SHARE, ["thread"]), parts(after, SHARE, ["thread"])
    places = {prompt.id: place for place, prompt in enumerate(after)}

    for prompt in before:
        assert places[now.groups[prompt.id]] <= places[then.groups[prompt.id]]
        assert then.of(prompt.id) == now.of(prompt.id) or now.groups[prompt.id] != then.groups[prompt.id]


@settings(max_examples=30, deadline=None)
@given(st.lists(FAMILY, max_size=30))
def test_near_duplicates_families_and_seeds_share_a_side(drawn: Families) -> None:
    prompts = families(drawn)
    found = parts(prompts, SHARE, ["thread"])

    for one, other in combinations(prompts, 2):
        seeds = {one.meta["seeds"][0], other.meta["seeds"][0]}  # type: ignore[index,call-overload]
        if len(seeds) == 1 or one.meta["thread"] == other.meta["thread"] or text_of(one)[:40] == text_of(other)[:40]:
            assert found.groups[one.id] == found.groups[other.id]
            assert found.of(one.id) == found.of(other.id)


@settings(max_examples=30, deadline=None)
@given(NUMBERS, st.randoms(use_true_random=False))
def test_the_side_of_a_prompt_without_kin_depends_on_itself_alone(numbers: list[int], random) -> None:  # type: ignore[no-untyped-def]
    prompts = distinct(numbers)
    one, other = parts(prompts, SHARE), parts(random.sample(prompts, len(prompts)), SHARE)

    assert all(one.of(prompt.id) == other.of(prompt.id) for prompt in prompts)


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


def test_rows_that_happen_to_have_one_id_are_no_family() -> None:
    one, other = asked("How do I fold a fitted sheet?", "1"), asked("Name three rivers in Asia that flow north.", "1")

    found = parts([one, other], SHARE)

    assert found.groups == {one.id: one.id, other.id: other.id}


def test_a_seed_may_be_named_by_its_content_id_and_may_come_later() -> None:
    seed = asked("How do I fold a fitted sheet?")
    grown = asked("Explain to a child why the moon has phases.", seeds=[seed.id])

    assert set(parts([grown, seed], SHARE).groups.values()) == {grown.id}


def test_an_empty_cell_makes_no_family() -> None:
    one, other = asked("How do I fold a fitted sheet?", thread=""), asked("Name three rivers in Asia.", thread="")

    assert len(set(parts([one, other], SHARE, ["thread"]).groups.values())) == 2


def talk(*texts: str) -> Prompt:
    roles = ("user", "assistant")
    messages = tuple({"role": roles[place % 2], "content": text} for place, text in enumerate(texts))
    return Prompt(prompt_id(messages, (), None, None), messages)


OWN = (
    "Which plants would you put into a dark and cold stairwell in the north of Finland, and how often are they watered?"
)


def test_a_last_turn_that_can_be_asked_by_itself_is_compared_by_itself() -> None:
    alone, after = talk(OWN), talk("Hello, who are you?", "I help with the house and the garden.", OWN.upper())

    assert set(parts([alone, after], SHARE).groups.values()) == {alone.id}


def test_a_short_last_turn_makes_no_family_of_different_conversations() -> None:
    one = talk("Tell me about the moon.", "It goes around the earth once a month.", "Make that shorter, please.")
    other = talk("How do I fold a sheet?", "Tuck the corners into each other first.", "Make that shorter, please.")

    assert len(set(parts([one, other], SHARE).groups.values())) == 2


def test_prompts_that_differ_in_their_system_message_alone_share_a_side() -> None:
    one = asked("How do I fold a fitted sheet?")
    other = Prompt(prompt_id(one.messages, (), None, "Be brief."), one.messages, system="Be brief.")

    assert set(parts([one, other], SHARE).groups.values()) == {one.id}
