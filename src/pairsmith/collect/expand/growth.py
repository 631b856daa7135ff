"""The story of growing: rounds of calls, of whose replies what is new and well formed is kept, until there are enough.

A generator: it yields what is to be asked and is sent the replies, in that order. Which slots a round has, and what
each asks, depends on the seed and on the rounds before it alone: the same replies give the same prompts, and whoever
wants more of them later goes on where it ended. Called by expanding.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple, TypeAlias

from pairsmith.collect.expand.gates import no_prompt, unquoted
from pairsmith.collect.expand.methods import Draw, Stock, draw_slot
from pairsmith.collect.expand.novelty import Known
from pairsmith.collect.expand.records import Ask, Dice, Grown, Harvest, Judgement, Said, Slot, Tally
from pairsmith.collect.expand.replies import points_in, texts_in
from pairsmith.collect.expand.settings import DOCUMENTS, METHODS, TOPICS, ExpandSettings
from pairsmith.collect.expand.topics import tree
from pairsmith.collect.expand.words import Words
from pairsmith.records import content_id

Asking: TypeAlias = Generator[list[Ask], Sequence[Said], None]
Points: TypeAlias = "tuple[float | None, float | None]"  # quality and difficulty; None: nobody was asked

NOT_ASKED: Points = (None, None)

FIRST_ROUNDS, ROUND = (8, 16, 32), 64  # calls: the first ones small, as what comes of them decides about the next
ENOUGH = 30  # prompts of one method after which its yield is believed
NOT_NEW, OTHER_LANGUAGE, CONTROL = "not new", "another language", "control characters"
NO_REPLY, UNREADABLE, POOR, NOT_JUDGED = "no reply", "unreadable", "poor, by the judge", "not judged"
# What moves a terminal's cursor or turns the writing round, and halves of characters.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_SHOWN = 3  # seeds beside a prompt that is judged


class Fresh(NamedTuple):
    """A prompt that is well formed and new; whether it is good enough is not known yet."""

    text: str
    slot: Slot
    said: Said


@dataclass(frozen=True, slots=True)
class Means:
    """What the growing is done with: the words, what is known of texts, and dice for any name."""

    words: Words
    judgement: Judgement
    dice: Callable[[str], Dice]


def grow(settings: ExpandSettings, stock: Stock, means: Means, harvest: Harvest) -> Asking:
    """Ask until as many prompts are kept as are wanted, or no method gives any more.

    Args:
        settings: how.
        stock: what to draw from; its `grown` and `leaves` are filled here.
        means: what it is done with.
        harvest: where it stands; filled here.
    """
    harvest.tallies = {method: Tally() for method in settings.weights}
    known = Known(settings.novelty)
    for seed in stock.seeds:
        known.add(seed.text)
    if TOPICS in settings.weights:
        yield from tree(settings, stock, means.words, means.judgement, means.dice(f"{settings.seed} topics"))
        harvest.leaves = stock.leaves
        if not stock.leaves:
            harvest.dried[TOPICS] = 0.0
    growth = _Growth(settings, stock, means, harvest, known)
    for number in count(1):
        if harvest.whole or not growth.weights():
            return
        yield from growth.round(number)


class _Growth:
    """What the rounds share."""

    def __init__(self, settings: ExpandSettings, stock: Stock, means: Means, harvest: Harvest, known: Known) -> None:
        self._settings = settings
        self._stock = stock
        self._means = means
        self._harvest = harvest
        self._known = known
        self._passages: set[str] = set()  # that were shown
        self._recent: dict[str, tuple[int, int]] = {}  # by method: prompts that came, and good ones, while looked at

    def weights(self) -> dict[str, float]:
        """The shares of the methods that have not been given up."""
        return {method: w for method, w in self._settings.weights.items() if method not in self._harvest.dried}

    def round(self, number: int) -> Asking:
        """One round, or as much of it as is needed."""
        size = FIRST_ROUNDS[number - 1] if number <= len(FIRST_ROUNDS) else ROUND
        slots = list(self._slots(number, size))
        before = {method: (tally.came, tally.good) for method, tally in self._harvest.tallies.items()}
        self._harvest.novelty.append((0, 0))
        at = 0
        while at < len(slots) and not self._harvest.whole:
            batch = slots[at : at + self._needed(slots[at:])]
            at += len(batch)
            self._passages |= {slot.source.id for slot in batch if slot.method == DOCUMENTS and slot.source}
            self._harvest.passages = len(self._passages), len(self._stock.passages)
            replies = yield [self._means.words.of_slot(slot, self._settings.seed) for slot in batch]
            fresh = [one for slot, said in zip(batch, replies, strict=True) for one in self._fresh(slot, said)]
            yield from self._keep(fresh)
        self._stock.grow(one.origin for one in self._harvest.kept[len(self._stock.grown) :])
        self._give_up(before)

    def _slots(self, number: int, size: int) -> Iterator[Slot]:
        """The slots of a round, each for the method that is furthest behind its share."""
        weights, stock = self.weights(), self._stock
        stock.ahead.clear()
        expected = {method: float(self._harvest.tallies[method].good) for method in weights}
        for place in range(size):
            slot = None
            while weights and slot is None:
                method = min(weights, key=lambda one: (expected[one] / weights[one], METHODS.index(one)))
                dice = self._means.dice(f"{self._settings.seed} {number} {place}")
                slot = draw_slot(method, stock, Draw(number, place, dice))
                if slot is None:
                    self._harvest.dried[method] = None
                    del weights[method]
            if slot is not None:
                expected[slot.method] += slot.count * self._yield(slot.method)
                yield slot

    def _yield(self, method: str) -> float:
        """The share of a method's prompts that are good, by those so far; a half where nothing is known."""
        tally = self._harvest.tallies[method]
        return (tally.good + 2) / (tally.came + 4)

    def _needed(self, slots: Sequence[Slot]) -> int:
        """How many of the next slots it takes for what is missing, as it looks."""
        missing, expected = self._harvest.wanted - len(self._harvest.kept), 0.0
        for place, slot in enumerate(slots, start=1):
            expected += slot.count * self._yield(slot.method)
            if expected >= missing:
                return place
        return len(slots)

    def _fresh(self, slot: Slot, said: Said) -> Iterator[Fresh]:
        """The prompts of a reply that are well formed and new."""
        tally = self._harvest.tallies[slot.method]
        tally.calls += 1
        texts = None if said.text is None else texts_in(said.text, "prompts", self._means.judgement)
        if not texts:
            refused = said.text is not None and self._means.judgement.refuses(said.text)
            tally.came += slot.count
            tally.fell[NO_REPLY if said.text is None or refused else UNREADABLE] += slot.count
            return
        for text in texts[: slot.count]:
            tally.came += 1
            if (why := self._unfit(text, slot)) is not None:
                tally.fell[why] += 1
                continue
            formed, new = self._harvest.novelty[-1]
            is_new = self._known.add_if_new(text)
            self._harvest.novelty[-1] = (formed + 1, new + is_new)
            if is_new:
                yield Fresh(text, slot, said)
            else:
                tally.fell[NOT_NEW] += 1

    def _unfit(self, text: str, slot: Slot) -> str | None:
        if _CONTROL.search(text):
            return CONTROL
        judgement, prose = self._means.judgement, unquoted(text)
        language = judgement.language(prose)
        if why := no_prompt(text, language, self._settings.max_chars, judgement.refuses):
            return why
        if not slot.languages or language in slot.languages:
            return None
        foreign = language or all(judgement.is_foreign(prose, one) for one in slot.languages)
        return OTHER_LANGUAGE if foreign else None

    def _keep(self, fresh: Sequence[Fresh]) -> Asking:
        """Keep what is good enough, in order, as long as any is missing."""
        waiting = list(fresh)
        while waiting and not self._harvest.whole:
            missing = self._harvest.wanted - len(self._harvest.kept)
            looked_at, waiting = waiting[:missing], waiting[missing:]
            verdicts = yield from self._judged(looked_at)
            for one, points in zip(looked_at, verdicts, strict=True):
                self._take(one, points)
        for one in waiting:
            self._harvest.tallies[one.slot.method].over += 1

    def _judged(self, fresh: Sequence[Fresh]) -> Generator[list[Ask], Sequence[Said], list[Points | None]]:
        """What the judge says of each; None: nothing that could be read, also not when it was asked once more."""
        if self._settings.judge is None:
            return [NOT_ASKED] * len(fresh)
        found: list[Points | None] = [None] * len(fresh)
        for attempt in (1, 2):
            places = [place for place, points in enumerate(found) if points is None]
            if not places:
                break
            replies = yield [self._question(fresh[place], attempt) for place in places]
            for place, said in zip(places, replies, strict=True):
                found[place] = None if said.text is None else points_in(said.text, self._means.judgement)
        return found

    def _question(self, one: Fresh, attempt: int) -> Ask:
        dice = self._means.dice(f"{self._settings.seed} assess {one.text}")
        shown = dice.sample(self._stock.seeds, min(_SHOWN, len(self._stock.seeds)))
        key = (self._settings.seed, "assess", attempt, one.text)
        return self._means.words.of_assess(one.text, [seed.text for seed in shown], key)

    def _take(self, one: Fresh, points: Points | None) -> None:
        tally = self._harvest.tallies[one.slot.method]
        if points is None:
            tally.fell[NOT_JUDGED] += 1
            return
        quality, difficulty = points
        if quality is not None and quality < self._settings.min_quality:
            tally.fell[POOR] += 1
            return
        tally.kept += 1
        ident = f"{one.slot.method}-{content_id('grown', one.text)[:12]}"
        language = self._means.judgement.language(unquoted(one.text)) or one.slot.language
        self._harvest.kept.append(Grown(ident, one.text, one.slot, one.said, language, quality, difficulty))
        for kind, name in one.slot.about:
            if kind == "topic":
                self._stock.leaves[name] += 1

    def _give_up(self, before: Mapping[str, tuple[int, int]]) -> None:
        """Give up the methods that gave hardly anything of late; all of them where that is so of all together."""
        alive, least = list(self.weights()), self._settings.min_yield
        for method in alive:
            tally, (came, good), (came_so_far, good_so_far) = self._of(method, before)
            self._recent[method] = came_so_far + tally.came - came, good_so_far + tally.good - good
        came, good = (sum(self._recent[method][place] for method in alive) for place in (0, 1))
        none = came >= ENOUGH and good < least * came
        for method in alive:
            came, good = self._recent[method]
            if none or (came >= ENOUGH and good < least * came):
                self._harvest.dried[method] = good / came if came else 0.0
            if came >= ENOUGH:
                self._recent[method] = (0, 0)

    def _of(self, method: str, before: Mapping[str, tuple[int, int]]) -> tuple[Tally, tuple[int, int], tuple[int, int]]:
        return self._harvest.tallies[method], before[method], self._recent.get(method, (0, 0))
