"""A settled pair with its texts, as programs get it; every text is read again from what is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pairsmith.dataset import text_of
from pairsmith.ledger import Ledger
from pairsmith.outcomes import StoredPair, StoredSide, pairs_in
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


def pairs_of(prompt: Prompt, body: Mapping[str, Json], ledger: Ledger) -> Iterator[Pair]:
    """The pairs of one stored outcome: none, one, or several."""
    for found in pairs_in(body):
        yield _pair(prompt, found, bool(body.get("simulated")), ledger)


def _pair(prompt: Prompt, found: StoredPair, simulated: bool, ledger: Ledger) -> Pair:
    def side(stored: StoredSide) -> Side:
        return Side(stored["completion"], text_of(prompt, stored, ledger), stored["arm"], stored["model"])

    rule = found["provenance"].get("rule")
    return Pair(
        prompt=prompt,
        chosen=side(found["chosen"]),
        rejected=side(found["rejected"]),
        gap=found["gap"],
        judges=tuple(found["judges"]),
        rule=rule if isinstance(rule, str) else None,
        simulated=simulated,
    )
