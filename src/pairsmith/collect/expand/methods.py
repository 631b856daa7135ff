"""The methods: what each draws for one call. A method more is one more function in METHODS and a template.

Everything that was used least comes first, so that the seeds, persons, passages and topics are used evenly. What a
method rests on stands on top of its template.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

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


@dataclass(slots=True)
class Stock:
    """What there is to draw from when a round begins, and how often it was drawn.

    `grown` are the prompts that were kept in earlier rounds; `leaves` the topics, each with the prompts it has.
    """

    settings: ExpandSettings
    seeds: Sequence[Origin]
    persons: Sequence[str] = ()
    situations: Sequence[str] = ()
    passages: Sequence[Origin] = ()
    leaves: dict[str, int] = field(default_factory=dict)
    grown: list[Origin] = field(default_factory=list)
    uses: Counter[tuple[str, str]] = field(default_factory=Counter)

    def least_used(self, kind: str, among: Sequence[T], name: Callable[[T], str], dice: Dice) -> T:
        """One of those that were drawn least, which is counted."""
        least = min(self.uses[kind, name(one)] for one in among)
        drawn = dice.sample([one for one in among if self.uses[kind, name(one)] == least], 1)[0]
        self.uses[kind, name(drawn)] += 1
        return drawn

    def a_few(self) -> int:
        """Prompts a call of a method that varies one thing, or takes one topic."""
        return min(A_FEW, self.settings.per_call)


@dataclass(frozen=True, slots=True)
class Draw:
    """Which slot is drawn for: its round, its number in it, and the dice that are its own."""

    round: int
    number: int
    dice: Dice


def draw_slot(method: str, stock: Stock, draw: Draw) -> Slot:
    """What one call of a method is about."""
    return METHODS[method](stock, draw)


def languages_of(origins: Sequence[Origin]) -> tuple[str, ...]:
    """Those that can be told."""
    return tuple(sorted({one.language for one in origins if one.language}))


def _id(origin: Origin) -> str:
    return origin.id


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
    among = [*stock.seeds, *(one for one in stock.grown if one.depth < MOST_STEPS)]
    source = stock.least_used(EVOLVE, among, _id, draw.dice)
    step = stock.least_used("step", STEPS, str, draw.dice)
    return _slot(EVOLVE, stock, draw, min(2, stock.settings.per_call), source=source, about=(("step", step),))


def _persona(stock: Stock, draw: Draw) -> Slot:
    source = stock.least_used(PERSONA, stock.seeds, _id, draw.dice)
    person = stock.least_used("person", stock.persons, str, draw.dice)
    return _slot(PERSONA, stock, draw, stock.a_few(), source=source, about=(("person", person),))


def _situation(stock: Stock, draw: Draw) -> Slot:
    source = stock.least_used(SITUATION, stock.seeds, _id, draw.dice)
    situation = stock.least_used("circumstance", stock.situations, str, draw.dice)
    return _slot(SITUATION, stock, draw, stock.a_few(), source=source, about=(("situation", situation),))


def _paraphrase(stock: Stock, draw: Draw) -> Slot:
    source = stock.least_used(PARAPHRASE, stock.seeds, _id, draw.dice)
    return _slot(PARAPHRASE, stock, draw, stock.a_few(), source=source)


def _translate(stock: Stock, draw: Draw) -> Slot:
    language = stock.least_used("into", stock.settings.languages, str, draw.dice)
    others = [one for one in (*stock.seeds, *stock.grown) if one.language != language] or list(stock.seeds)
    source = stock.least_used(f"{TRANSLATE} {language}", others, _id, draw.dice)
    return replace(_slot(TRANSLATE, stock, draw, 1, source=source), languages=(language,), told=True)


def _documents(stock: Stock, draw: Draw) -> Slot:
    passage = stock.least_used(DOCUMENTS, stock.passages, _id, draw.dice)
    return _slot(DOCUMENTS, stock, draw, stock.settings.per_call, source=passage)


def _topics(stock: Stock, draw: Draw) -> Slot:
    fewest = min(stock.leaves[leaf] + stock.uses["leaf", leaf] for leaf in stock.leaves)
    poorest = [leaf for leaf, kept in stock.leaves.items() if kept + stock.uses["leaf", leaf] == fewest]
    leaf = draw.dice.sample(poorest, 1)[0]
    stock.uses["leaf", leaf] += stock.a_few()
    shown = draw.dice.sample(stock.seeds, min(SHOWN, len(stock.seeds)))
    about = (("topic", leaf),)
    return _slot(TOPICS, stock, draw, stock.a_few(), shown=shown, about=about, template="topic")


METHODS: dict[str, Callable[[Stock, Draw], Slot]] = {
    SELF_INSTRUCT: _self_instruct,
    EVOLVE: _evolve,
    PERSONA: _persona,
    SITUATION: _situation,
    PARAPHRASE: _paraphrase,
    TRANSLATE: _translate,
    DOCUMENTS: _documents,
    TOPICS: _topics,
}
