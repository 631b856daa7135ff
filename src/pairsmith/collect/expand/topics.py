"""The topic tree: a field is taken apart into topics, and each of these into smaller ones, before prompts are asked."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from pairsmith.collect.expand.methods import Stock
from pairsmith.collect.expand.records import Ask, Dice, Judgement, Key, Said
from pairsmith.collect.expand.replies import texts_in
from pairsmith.collect.expand.settings import ExpandSettings
from pairsmith.collect.expand.words import Words

OF_FIELD, OF_TOPIC = 8, 5  # topics of the field, and smaller ones of each
SHOWN = 8  # prompts of the field
MOST_CHARS = 120  # of a topic
ATTEMPTS = 2


def tree(
    settings: ExpandSettings, stock: Stock, words: Words, judgement: Judgement, dice: Dice
) -> Generator[list[Ask], Sequence[Said], None]:
    """Fill the stock's leaves; they stay empty where nothing can be read. Topics of the user's own are the leaves."""
    leaves = settings.topics
    if not leaves:
        shown = [seed.text for seed in dice.sample(stock.seeds, min(SHOWN, len(stock.seeds)))]
        (tops,) = yield from _named([None], shown, OF_FIELD, settings, words, judgement)
        under = yield from _named(tops, shown, OF_TOPIC, settings, words, judgement)
        leaves = tuple(leaf for top, below in zip(tops, under, strict=True) for leaf in below or (top,))
    seen: dict[str, str] = {}
    for leaf in leaves:
        seen.setdefault(leaf.casefold(), leaf)
    stock.leaves = dict.fromkeys(seen.values(), 0)


def _named(
    topics: Sequence[str | None], shown: list[str], count: int, settings: ExpandSettings, words: Words, j: Judgement
) -> Generator[list[Ask], Sequence[Said], list[tuple[str, ...]]]:
    """The smaller topics of each; none where the reply cannot be read, also not when it was asked once more."""
    found: dict[int, tuple[str, ...]] = {}
    for attempt in range(1, ATTEMPTS + 1):
        places = [place for place in range(len(topics)) if not found.get(place)]
        if not places:
            break
        keys: list[Key] = [(settings.seed, "topics", attempt, topics[place] or "") for place in places]
        replies = yield [
            words.of_topics(topics[place], shown, count, key) for place, key in zip(places, keys, strict=True)
        ]
        for place, said in zip(places, replies, strict=True):
            texts = None if said.text is None else texts_in(said.text, "topics", j)
            found[place] = tuple(text for text in (texts or ())[:count] if text and len(text) <= MOST_CHARS)
    return [found.get(place, ()) for place in range(len(topics))]
