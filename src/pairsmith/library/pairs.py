"""A settled pair with its texts, as programs get it; every text is read again from what is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pairsmith.dataset import Texts
from pairsmith.outcomes import StoredPair, pairs_in
from pairsmith.records import Json, Prompt


@dataclass(frozen=True, slots=True)
class Side:
    """One answer of a pair: its text as it is exported, its arm, and the model that gave it, where that is known."""

    completion: str
    text: str
    arm: str
    model: str | None


@dataclass(frozen=True, slots=True)
class Pair:
    """A preference between two answers to one prompt.

    gap: in judge points; None where there are none. judges: whose verdicts it rests on. rule: the word for what decided
    ("gap", "duels", …). simulated: an answer or a verdict came from the simulator.
    """

    prompt: Prompt
    chosen: Side
    rejected: Side
    gap: float | None
    judges: tuple[str, ...]
    rule: str | None
    simulated: bool


def pairs_of(prompt: Prompt, body: Mapping[str, Json], texts: Texts) -> Iterator[Pair]:
    """The pairs of one stored outcome: none, one, or several."""
    for found in pairs_in(body):
        yield _pair(prompt, found, bool(body.get("simulated")), texts)


def _pair(prompt: Prompt, found: StoredPair, simulated: bool, texts: Texts) -> Pair:
    sides = found["chosen"], found["rejected"]
    chosen, rejected = (
        Side(side["completion"], text, side["arm"], side["model"])
        for side, text in zip(sides, texts.of_sides(prompt, *sides), strict=True)
    )
    rule = found["provenance"].get("rule")
    return Pair(
        prompt=prompt,
        chosen=chosen,
        rejected=rejected,
        gap=found["gap"],
        judges=tuple(found["judges"]),
        rule=rule if isinstance(rule, str) else None,
        simulated=simulated,
    )
