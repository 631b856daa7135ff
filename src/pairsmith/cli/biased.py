"""What is said of a run's judges: the bias card, and how they did when they were asked what is known."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pairsmith.judge.bias import BiasCard, FamilyCard
from pairsmith.judge.rates import Rate, told
from pairsmith.qualified import Qualification, verdict_text

if TYPE_CHECKING:
    from pairsmith.records import EndpointName

LABEL = 14  # columns, as in the counts of a run
WIDTH = 100


def as_json(card: BiasCard, known: Mapping[EndpointName, Qualification | None]) -> dict[str, Any]:
    """The card, and the verdict on each judge (null: it was never asked), for programs."""
    return {**asdict(card), "qualified": {name: q.ruling.verdict if q else None for name, q in known.items()}}


def _families(found: Mapping[str, FamilyCard], width: int) -> list[str]:
    """Pairs of the prompts of each task family, on as many lines as it takes; of one family alone nothing."""
    asked = sum(one.asked for one in found.values())
    said = [f"{name} {round((one.pairs.rate or 0) * one.prompts):,}/{one.prompts:,}" for name, one in found.items()]
    said += [f"{asked:,} of them asked for"] if asked else []
    if len(said) < 2:
        return []
    lines = textwrap.wrap(", ".join(part.replace(" ", "\0") for part in said), WIDTH - width - 2)
    first, *more = [line.replace("\0", " ") for line in lines]
    return [f"  {'families':<{width}}{first}", *(" " * (width + 2) + line for line in more)]


def as_text(card: BiasCard, known: Mapping[EndpointName, Qualification | None]) -> list[str]:
    """The same for people; rates that rest on nothing are left out."""
    lines = [
        f"  judge {name}: {verdict_text(q.ruling) if q else 'never asked what is known'}" for name, q in known.items()
    ]
    rows: list[tuple[str, Rate]] = [
        ("conflicts", card.conflicts),
        ("chosen longer", card.chosen_longer),
        ("unreadable", card.unreadable),
    ]
    for name, judge in card.judges.items():
        rows += [
            (f"{name}, longer", judge.longer_wins),
            (f"{name}, first", judge.first_wins),
            (f"{name}, ties", judge.ties),
        ]
    if len(card.judges) > 1:
        rows.append(("all, longer", card.average_longer_wins))
    rows += [(f"agree: {names}", rate) for names, rate in card.agreement.items()]
    width = max([LABEL, *(len(label) for label, rate in rows if rate.n)]) + 2
    lines += [f"  {label:<{width}}{told(rate)} of {rate.n:,}" for label, rate in rows if rate.n]
    return lines + _families(card.families, width)
