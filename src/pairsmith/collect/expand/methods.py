"""The methods: what each draws for one call. A method more is one more function in METHODS and a template.

Everything that was used least comes first, so that the seeds, persons, passages and topics are used evenly. What a
method rests on stands on top of its template.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Generic, TypeVar

from pairsmith.collect.expand.records import Dice, Origin, Slot
from pairsmith.collect.expand.settings import (
    DOCUMENTS,
    EVOLVE,
    PARAPHRASE,
    PERSONA,
    SELF_INSTRUCT,
    SITUATION,
    TOPICS,
    TRANSLATE,
    ExpandSettings,
)

OF_PEOPLE, OF_MODEL = 6, 2  # tasks that are shown: Wang et al. 2022 (Self-Instruct)
SHOWN = 4  # examples beside a topic
STEPS = ("deeper", "constrained", "concrete", "reasoning", "rarer")
MOST_STEPS = 4  # Xu et al. 2023 (WizardLM): four rounds of evolving
A_FEW = 3  # prompts a call where more would be all alike

T = TypeVar("T")


class Wheel(Generic[T]):
    """Things to draw from, the least drawn first, at random among these."""

    def __init__(self, things: Iterable[T] = ()) -> None:
        self._levels: list[list[T]] = [list(things)]  # by how often each was drawn

    def add(self, thing: T) -> None:
        """One more, which was never drawn."""
        self._levels[0].append(thing)

    @property
    def has_new(self) -> bool:
        """Whether any was never drawn."""
        return bool(self._levels[0])

    def draw(self, dice: Dice) -> T:
        """One of those that were drawn least.

        Raises:
            StopIteration: there is none.
        """
        level = next(level for level, things in enumerate(self._levels) if things)
        things = self._levels[level]
        place = int(dice.random() * len(things))
        things[place], things[-1] = things[-1], things[place]
        if level + 1 == len(self._levels):
            self._levels.append([])
        self._levels[level + 1].append(things[-1])
        return things.pop()


@dataclass(slots=True)
class Stock:
    """What there is to draw from when a round begins.

    `grown` are the prompts that were kept in earlier rounds; `leaves` the topics, each with the prompts it has, and
    `ahead` those that are asked for in this round.
    """

    settings: ExpandSettings
    seeds: Sequence[Origin]
    persons: Sequence[str] = ()
    situations: Sequence[str] = ()
    passages: Sequence[Origin] = ()
    leaves: dict[str, int] = field(default_factory=dict)
    grown: list[Origin] = field(default_factory=list)
    ahead: Counter[str] = field(default_factory=Counter)
    origins: dict[str, Wheel[Origin]] = field(default_factory=dict)  # of each method that grows from one
    words: dict[str, Wheel[str]] = field(default_factory=dict)  # steps, persons, situations, languages

    def grow(self, kept: Iterable[Origin]) -> None:
        """More prompts that others may grow from."""
        for one in kept:
            self.grown.append(one)
            if one.depth < MOST_STEPS and EVOLVE in self.origins:
                self.origins[EVOLVE].add(one)
            for kind, wheel in self.origins.items():
                if kind.startswith(TRANSLATE) and not one.translated and one.language != kind.split()[1]:
                    wheel.add(one)

    def origin(self, kind: str, among: Iterable[Origin], dice: Dice) -> Origin:
        """One that was drawn least of those, which are looked at the first time alone."""
        return self.wheel(kind, among).draw(dice)

    def wheel(self, kind: str, among: Iterable[Origin]) -> Wheel[Origin]:
        """The wheel of a method."""
        if kind not in self.origins:
            self.origins[kind] = Wheel(among)
        return self.origins[kind]

    def word(self, kind: str, among: Iterable[str], dice: Dice) -> str:
        """The same of words."""
        if kind not in self.words:
            self.words[kind] = Wheel(among)
        return self.words[kind].draw(dice)

    def a_few(self) -> int:
        """Prompts a call of a method that varies one thing, or takes one topic."""
        return min(A_FEW, self.settings.per_call)


@dataclass(frozen=True, slots=True)
class Draw:
    """Which slot is drawn for: its round, its number in it, and the dice that are its own."""

    round: int
    number: int
    dice: Dice


def draw_slot(method: str, stock: Stock, draw: Draw) -> Slot | None:
    """What one call of a method is about; None: it has been through everything that there is."""
    return METHODS[method](stock, draw)


def languages_of(origins: Sequence[Origin]) -> tuple[str, ...]:
    """Those that can be told."""
    return tuple(sorted({one.language for one in origins if one.language}))


def _slot(
    method: str,
    stock: Stock,
    draw: Draw,
    count: int,
    *,
    source: Origin | None = None,
    shown: Sequence[Origin] = (),
    about: tuple[tuple[str, str], ...] = (),
    template: str = "",
    language: str = "",
) -> Slot:
    """A slot in the language that is wanted of all, else in its own, else in those of what it grows from."""
    wanted = stock.settings.language or language
    alike = [source] if source else list(shown)
    own = languages_of(alike) or languages_of(stock.seeds)
    return Slot(
        method=method,
        round=draw.round,
        number=draw.number,
        template=template or method,
        count=count,
        source=source,
        shown=tuple(shown),
        about=about,
        languages=(wanted,) if wanted else own,
        told=bool(wanted),
    )


def _self_instruct(stock: Stock, draw: Draw) -> Slot:
    grown = draw.dice.sample(stock.grown, min(OF_MODEL, len(stock.grown)))
    people = draw.dice.sample(stock.seeds, min(OF_PEOPLE + OF_MODEL - len(grown), len(stock.seeds)))
    both = [*people, *grown]
    return _slot(SELF_INSTRUCT, stock, draw, stock.settings.per_call, shown=draw.dice.sample(both, len(both)))


def _evolve(stock: Stock, draw: Draw) -> Slot:
    source = stock.origin(EVOLVE, (*stock.seeds, *(one for one in stock.grown if one.depth < MOST_STEPS)), draw.dice)
    step = stock.word("step", STEPS, draw.dice)
    return _slot(EVOLVE, stock, draw, min(2, stock.settings.per_call), source=source, about=(("step", step),))


def _persona(stock: Stock, draw: Draw) -> Slot:
    source = stock.origin(PERSONA, stock.seeds, draw.dice)
    person = stock.word("person", stock.persons, draw.dice)
    return _slot(PERSONA, stock, draw, stock.a_few(), source=source, about=(("person", person),))


def _situation(stock: Stock, draw: Draw) -> Slot:
    source = stock.origin(SITUATION, stock.seeds, draw.dice)
    situation = stock.word("situation", stock.situations, draw.dice)
    return _slot(SITUATION, stock, draw, stock.a_few(), source=source, about=(("situation", situation),))


def _paraphrase(stock: Stock, draw: Draw) -> Slot:
    source = stock.origin(PARAPHRASE, stock.seeds, draw.dice)
    return _slot(PARAPHRASE, stock, draw, stock.a_few(), source=source)


def _translate(stock: Stock, draw: Draw) -> Slot | None:
    """Each prompt once into each language, and no translation again: round trips would give the same once more."""
    for _ in stock.settings.languages:
        language = stock.word(TRANSLATE, stock.settings.languages, draw.dice)
        others = (one for one in chain(stock.seeds, stock.grown) if not one.translated and one.language != language)
        wheel = stock.wheel(f"{TRANSLATE} {language}", others)
        if wheel.has_new:
            source = wheel.draw(draw.dice)
            return replace(_slot(TRANSLATE, stock, draw, 1, source=source), languages=(language,), told=True)
    return None


def _documents(stock: Stock, draw: Draw) -> Slot:
    passage = stock.origin(DOCUMENTS, stock.passages, draw.dice)
    return _slot(DOCUMENTS, stock, draw, stock.settings.per_call, source=passage)


def _topics(stock: Stock, draw: Draw) -> Slot:
    fewest = min(kept + stock.ahead[leaf] for leaf, kept in stock.leaves.items())
    poorest = [leaf for leaf, kept in stock.leaves.items() if kept + stock.ahead[leaf] == fewest]
    leaf = draw.dice.sample(poorest, 1)[0]
    stock.ahead[leaf] += stock.a_few()
    shown = draw.dice.sample(stock.seeds, min(SHOWN, len(stock.seeds)))
    about = (("topic", leaf),)
    return _slot(TOPICS, stock, draw, stock.a_few(), shown=shown, about=about, template="topic")


METHODS: dict[str, Callable[[Stock, Draw], Slot | None]] = {
    SELF_INSTRUCT: _self_instruct,
    EVOLVE: _evolve,
    PERSONA: _persona,
    SITUATION: _situation,
    PARAPHRASE: _paraphrase,
    TRANSLATE: _translate,
    DOCUMENTS: _documents,
    TOPICS: _topics,
}
