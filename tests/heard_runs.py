"""Queues and reviews made by hand, for the tests of what people's verdicts teach."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random

from pairsmith.ledger import Review, Said
from pairsmith.outcomes import StoredSide
from pairsmith.records import CompletionId, EndpointName, Prompt, PromptId, content_id
from pairsmith.show.queue import Gates, Item, in_order

GATES = Gates(min_gap=3.0, verify_gap=1.0, prompts=100, usual=True)


def side(ident: str) -> StoredSide:
    return StoredSide(completion=CompletionId(ident), arm="a", model=None, span=None, simulated=False)


def item(name: str, gap: float | None = 5.0, **known: object) -> Item:
    """A couple of completions "NAME+" and "NAME-": a pair where its gap reaches the gate."""
    exported = gap is None or gap >= GATES.min_gap
    made = Item(
        key=content_id("couple", name),
        prompt=PromptId(name),
        chosen=side(f"{name}+"),
        rejected=side(f"{name}-"),
        gap=gap,
        family="",
        exported=exported,
        disagree=False,
        band=GATES.band(gap),
        orders=((EndpointName("judge"), 1),),
        characters=(20, 10),
        widest=gap or 0.0,
    )
    return replace(made, **known)  # type: ignore[arg-type]


def review(of: Item, label: int | None, reviewer: str = "ann", first: int = 1, said: Said | None = None) -> Review:
    """What somebody says of a couple: 1 the chosen one, -1 the rejected one, 0 a tie, None a bad prompt."""
    sides = {1: of.chosen["completion"], -1: of.rejected["completion"]}
    usual = {None: Said.BAD_PROMPT, 0: Said.TIE}.get(label, Said.PREFERRED)
    return Review(
        1, Prompt(of.prompt, ()), sides[first], sides[-first], said or usual, sides.get(label or 0), reviewer, 0.0
    )


def numbered(reviews: Iterable[Review]) -> list[Review]:
    return [replace(one, number=number) for number, one in enumerate(reviews, start=1)]


# --- planted truth ----------------------------------------------------------------------------------


def planted_right(gap: float, disagree: bool) -> float:
    """How likely the judges' order of a couple is right: the wider, the likelier; where they differ, a coin."""
    return 1 / (1 + math.exp(-0.9 * gap)) if not disagree else 0.5


def planted_queue(rng: Random, count: int) -> tuple[list[Item], dict[str, bool]]:
    """A run's queue, and by key whether the judges' order is right."""
    made, right = [], {}
    for place in range(count):
        gap = rng.uniform(0.2, 7.0)
        disagree = rng.random() < (0.5 if gap < 3 else 0.15)
        confirmed = 1.0 <= gap < 3.0 and not disagree and rng.random() < 0.5
        one = item(
            f"{rng.random()} {place}", gap, disagree=disagree, exported=gap >= 3 or confirmed, confirmed=confirmed
        )
        made.append(one)
        right[one.key] = rng.random() < planted_right(gap, disagree)
    return in_order(made), right


def reviewed(rng: Random, queue: Sequence[Item], right: dict[str, bool], people: float = 1.0) -> list[Review]:
    """What one person says of these, who sees the truth so often."""
    said = []
    for one in queue:
        sees = rng.random() < people
        said.append(review(one, 1 if right[one.key] == sees else -1, first=rng.choice((1, -1))))
    return numbered(said)
