"""Growing: rounds of calls and what is kept of them, with a writer in memory (paid for: tests/e2e)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from random import Random

import pytest
from rapidfuzz.distance import LCSseq

from pairsmith import assets
from pairsmith.collect.expand.growth import Means, grow
from pairsmith.collect.expand.methods import Stock
from pairsmith.collect.expand.novelty import Known, rouge_words
from pairsmith.collect.expand.records import NOTHING, Ask, Harvest, Judgement, Origin, Said
from pairsmith.collect.expand.settings import ExpandSettings
from pairsmith.collect.expand.words import TEMPLATES, Words
from pairsmith.judge.verdicts import objects_in
from pairsmith.sample.refusals import is_refusal

SUBJECTS = [
    "brakes",
    "chain",
    "saddle",
    "pedal",
    "wheel",
    "spoke",
    "frame",
    "fork",
    "light",
    "lock",
    "pump",
    "tyre",
    "hub",
    "cable",
    "bell",
    "rack",
    "basket",
    "helmet",
]
VERBS = "rattles slips squeaks bends rusts leaks sticks wobbles cracks loosens jams scrapes".split()  # noqa: SIM905
TAILS = ("on cobbles", "in the rain", "after winter", "under load", "at night", "downhill", "since Monday", "in June")
SEEDS = [
    Origin(f"s{number}", text, family="support", language="en", roots=(f"s{number}",))
    for number, text in enumerate(
        ["Why does my chain slip when I climb a hill?", "Please explain how to true a wheel at home.",
         "Which lock should I buy for a bike that sleeps outside?", "My brakes squeal, what can I do about the noise?"]
    )
]  # fmt: skip

Writer = Callable[[Ask], Said]


def dice(name: str) -> Random:
    return Random(hashlib.sha256(name.encode()).hexdigest())


def write(ask: Ask) -> Said:
    """A writer who never repeats itself for long, and who does what was asked."""
    rng = Random(repr(ask.key))
    if ask.kind == "topics":
        return Said(
            json.dumps({"topics": [f"{rng.choice(SUBJECTS)} {rng.random():.6f}" for _ in range(count_in(ask))]})
        )
    if ask.kind == "assess":
        return Said(json.dumps({"rationale": "", "quality": rng.randint(3, 10), "difficulty": rng.randint(1, 10)}))
    return Said(json.dumps({"prompts": [prompt(rng) for _ in range(count_in(ask))]}))


def count_in(ask: Ask) -> int:
    return int(ask.text.split("exactly ")[1].split()[0])


def prompt(rng: Random) -> str:
    one, other = rng.sample(SUBJECTS, 2)
    made = " ".join(rng.sample([*SUBJECTS, *VERBS], 6))
    return f"My {one} {rng.choice(VERBS)} {rng.choice(TAILS)} and the {other} {rng.choice(VERBS)}: {made}, what now?"


def grown(writer: Writer = write, **settings: object) -> tuple[Harvest, list[Ask]]:
    """What growing comes to, and everything that was asked."""
    asked: list[Ask] = []
    harvest = begin(settings, asked, writer)
    return harvest, asked


def begin(given: dict[str, object], asked: list[Ask], writer: Writer) -> Harvest:
    settings = ExpandSettings.model_validate({"seeds": "s.txt", "n": 60, **given})
    words = Words({name: assets.template("expand", f"{name}.md.j2") for name in TEMPLATES}, {"de": "German"})
    judgement = Judgement(
        objects_in, is_refusal, lambda text: "de" if "und" in text.split() else "en", lambda *_: False
    )
    passages = [Origin("a.md#1", "A passage about pumps and valves. " * 9, roots=("a.md#1",))]
    stock = Stock(settings, SEEDS, ("a nurse", "a smith"), ("at night", "in a hurry"), passages)
    harvest = Harvest(settings.n)
    asking = grow(settings, stock, Means(words, judgement, dice), harvest)
    replies: Sequence[Said] | None = None
    while True:
        try:
            asks = next(asking) if replies is None else asking.send(replies)
        except StopIteration:
            return harvest
        asked += asks
        replies = [writer(ask) for ask in asks]


def texts(harvest: Harvest) -> list[str]:
    return [kept.text for kept in harvest.kept]


def rouge_l(one: str, other: str) -> float:
    first, second = rouge_words(one), rouge_words(other)
    return 2 * LCSseq.similarity(first, second) / (len(first) + len(second))


# --- how many, and which ----------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 7, 60, 200])
def test_exactly_as_many_are_kept_as_are_wanted(n: int) -> None:
    harvest, _ = grown(n=n)

    assert len(harvest.kept) == n


def test_no_two_are_within_the_threshold_of_each_other_or_of_a_seed() -> None:
    harvest, _ = grown(n=150)

    everything = [*texts(harvest), *(seed.text for seed in SEEDS)]
    assert all(rouge_l(one, other) < 0.7 for i, one in enumerate(everything) for other in everything[:i])


def test_the_same_seed_gives_the_same_and_another_gives_others() -> None:
    first, again, other = (texts(grown(seed=seed)[0]) for seed in (1, 1, 2))

    assert first == again
    assert not set(first) & set(other)


@pytest.mark.parametrize("judge", [None, "judge"])
def test_whoever_wants_more_goes_on_where_it_ended(judge: str | None) -> None:
    few, asked_few = grown(n=40, judge=judge)
    many, asked_many = grown(n=110, judge=judge)

    assert texts(many)[:40] == texts(few)
    assert {ask.key for ask in asked_few} <= {ask.key for ask in asked_many}


def test_the_methods_give_their_shares() -> None:
    harvest, _ = grown(n=200, methods={"self-instruct": 3, "evolve": 1})

    shares = {method: tally.kept for method, tally in harvest.tallies.items()}
    assert 135 <= shares["self-instruct"] <= 165


def test_the_leaves_of_the_topic_tree_get_equally_many() -> None:
    harvest, _ = grown(n=160, methods={"topics": 1})

    assert len(harvest.leaves) == 40
    assert max(harvest.leaves.values()) - min(harvest.leaves.values()) <= 5


def test_topics_of_the_users_own_are_not_asked_for() -> None:
    harvest, asked = grown(n=20, methods={"topics": 1}, topics=["tandems", "cargo bikes"])

    assert set(harvest.leaves) == {"tandems", "cargo bikes"}
    assert all(ask.kind == "prompts" for ask in asked)


# --- what is not kept -------------------------------------------------------------------------------

BAD = {
    "an answer": "Sure, here is what you can do: tighten the bolt, then ride it around the block.",
    "a refusal": "I'm sorry, but I can't assist with that.",
    "blanks left in it": "How do I repair the [insert part] of my bike?",
    "about a prompt or a text": "According to the text above, what should one do about a flat tyre?",
    "breaks off": "Please summarise the following text:",
    "another language": "Warum rostet die Kette und was kann ich dagegen tun, bitte?",
    "not new": "Why does my chain slip when I climb the hill?",
    "too short": "ok?",
    "control characters": "Why does my chain \x1b[31mslip when I climb a hill in the rain?",
    "too long": "Why? " * 1000,
}


@pytest.mark.parametrize("reason", BAD)
def test_what_is_bad_is_not_kept_and_the_reason_is_counted(reason: str) -> None:
    def worse(ask: Ask) -> Said:
        prompts = json.loads(write(ask).text or "{}")["prompts"]
        return Said(json.dumps({"prompts": [BAD[reason], *prompts[1:]]}))

    harvest, asked = grown(worse, methods={"self-instruct": 1})

    assert BAD[reason] not in texts(harvest)
    assert harvest.tallies["self-instruct"].fell[reason] >= len(asked)


def test_what_the_judge_calls_poor_is_not_kept() -> None:
    harvest, _ = grown(n=30, judge="judge", min_quality=7, methods={"self-instruct": 1})

    assert all(kept.quality is not None and kept.quality >= 7 for kept in harvest.kept)
    assert harvest.tallies["self-instruct"].fell["poor, by the judge"] > 0


def test_a_verdict_that_cannot_be_read_is_asked_for_once_more_and_is_none() -> None:
    def mute(ask: Ask) -> Said:
        return Said("7 of 10") if ask.kind == "assess" and ask.key[2] == 1 else write(ask)

    harvest, asked = grown(mute, n=20, judge="judge", min_quality=1)

    assert len(harvest.kept) == 20
    assert {ask.key[2] for ask in asked if ask.kind == "assess"} == {1, 2}


# --- ending -----------------------------------------------------------------------------------------


def test_a_method_that_gives_hardly_anything_is_given_up_and_the_others_take_over() -> None:
    def stuck(ask: Ask) -> Said:
        return Said(json.dumps({"prompts": [SEEDS[0].text]})) if "<person>" in ask.text else write(ask)

    harvest, _ = grown(stuck, n=300)

    assert set(harvest.dried) == {"persona"}
    assert len(harvest.kept) == 300


def test_a_writer_that_only_repeats_itself_ends_the_growing() -> None:
    harvest, asked = grown(lambda ask: Said(json.dumps({"prompts": [SEEDS[0].text] * 5})), methods={"self-instruct": 1})

    assert not harvest.whole
    assert len(asked) < 20


@pytest.mark.parametrize(
    "reply", [NOTHING, Said("No JSON at all."), Said('{"prompts": ["cut'), Said('{"prompts": []}')]
)
def test_replies_that_hold_no_prompts_end_the_growing(reply: Said) -> None:
    harvest, asked = grown(lambda ask: reply, n=20)

    assert (harvest.kept, harvest.whole) == ([], False)
    assert len(asked) < 30


# --- where each comes from --------------------------------------------------------------------------


def test_a_prompt_knows_the_seeds_it_goes_back_to() -> None:
    harvest, _ = grown(n=120, methods={"evolve": 1})

    depths = {kept.origin.depth for kept in harvest.kept}
    assert max(depths) > 1
    assert all(set(kept.origin.roots) <= {seed.id for seed in SEEDS} and kept.origin.roots for kept in harvest.kept)
    assert {kept.origin.family for kept in harvest.kept} == {"support"}


def test_documents_are_what_their_prompts_grow_from() -> None:
    harvest, _ = grown(n=10, docs="docs", methods={"documents": 1})

    assert {kept.origin.roots for kept in harvest.kept} == {("a.md#1",)}


# --- novelty ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.9])
def test_what_is_at_the_threshold_is_not_new(threshold: float) -> None:
    rng, known, missed = Random(5), Known(threshold), 0
    for number in range(400):
        words = [f"w{number}x{place}" for place in range(20)]
        known.add(" ".join(words))
        changed = words[:]
        for place in rng.sample(range(20), round(20 * (1 - threshold))):
            changed[place] = f"other{number}x{place}"
        missed += known.add_if_new(" ".join(changed))

    assert missed == 0


def test_words_in_common_in_another_order_make_no_repeat() -> None:
    known = Known(0.7)
    known.add("one two three four five six seven eight")

    assert known.add_if_new("eight seven six five four three two one")
