"""What is said of a run's arms: a table for people, the same and what each arm asked for to programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from pairsmith.judge.arms import ArmCard, ArmCounts, warnings
from pairsmith.judge.rates import Rate, figure, percent
from pairsmith.pair.sides import REJECTED
from pairsmith.wire.money import cost_usd

if TYPE_CHECKING:
    from pairsmith.dataset import StoredArm
    from pairsmith.records import Endpoint, EndpointName, Usage

MOST_ARMS = 24  # rows on a terminal
MOST_IN_SHORT = 8  # at the end of a run
WIDTH = 100  # columns of a terminal
UNKNOWN = "-"
PAIRS_PRICED = 1000  # one pair of a small model costs so little that its figure would be all zeros


@dataclass(frozen=True, slots=True)
class Arms:
    """What each arm is, as the ledger has it, and what it does. `given` is among `cards` alone."""

    stored: Mapping[str, StoredArm]
    cards: Mapping[str, ArmCard]

    def warnings(self, sides: str) -> list[str]:
        """What the user should know before training on these pairs; not what [pair] `sides` asks for."""
        if REJECTED in sides:
            return []
        return warnings(self.cards, [name for name, arm in self.stored.items() if arm.get("system")])

    def as_json(self) -> dict[str, Any]:
        """By name; the text of a persona stays in the ledger."""
        stored = {name: {k: v for k, v in arm.items() if k != "system"} for name, arm in self.stored.items()}
        return {name: {**stored.get(name, {}), **asdict(card)} for name, card in self.cards.items()}

    def as_text(self) -> list[str]:
        """The table, those first that the most of the chosen are of."""
        if len(self.cards) > MOST_ARMS:
            return [f"  {len(self.cards)} arms: --json has what each does"]
        return _table(self.cards, COLUMNS) if self.cards else []

    def in_short(self) -> list[str]:
        """The same for the end of a run; nothing where there is nothing to compare, or too much."""
        columns = [column for column in COLUMNS if column.in_short]
        return _table(self.cards, columns) if 2 <= len(self.cards) <= MOST_IN_SHORT else []


def arms_of(counts: ArmCounts, stored: Mapping[str, StoredArm], models: Mapping[EndpointName, Endpoint]) -> Arms:
    """What was counted, at the prices that the recipe has now."""

    def cost(name: str, used: Usage) -> float | None:
        model = models.get(stored[name]["endpoint"]) if "endpoint" in stored.get(name, {}) else None
        return cost_usd(model, used.input_tokens, used.output_tokens, used.cached_tokens) if model else None

    return Arms(stored, counts.cards(stored, cost))


# --- the table ----------------------------------------------------------------------------------


class Column(NamedTuple):
    """A heading, and what stands below it for one arm."""

    heading: str
    cell: Callable[[ArmCard], str]
    in_short: bool = False  # also at the end of a run


def _count(value: int | None) -> str:
    return UNKNOWN if value is None else f"{value:,}"


def _screened(arm: ArmCard) -> str:
    return _count(None if arm.completions is None else arm.completions - arm.usable)


def _points(arm: ArmCard) -> str:
    return UNKNOWN if arm.mean_score is None else f"{arm.mean_score:.1f}"


def _share(rate: Rate) -> str:
    return UNKNOWN if rate.rate is None else percent(rate.rate)


def _wins(arm: ArmCard) -> str:
    if arm.wins.low is None or arm.wins.high is None:
        return UNKNOWN
    return f"{_share(arm.wins)} ({figure(arm.wins.low)}–{figure(arm.wins.high)})"


def _price(arm: ArmCard) -> str:
    usd = arm.cost_per_won_pair_usd
    return UNKNOWN if usd is None else f"{usd * PAIRS_PRICED:,.2f}"


COLUMNS = (
    Column("answers", lambda arm: _count(arm.completions), in_short=True),
    Column("screened", _screened),
    Column("score", _points, in_short=True),
    Column("wins (95 %)", _wins, in_short=True),
    Column("chosen", lambda arm: _share(arm.in_chosen), in_short=True),
    Column("rejected", lambda arm: _share(arm.in_rejected), in_short=True),
    Column("repeats", lambda arm: _share(arm.shared)),
    Column("$/1k won", _price),
)


def _table(cards: Mapping[str, ArmCard], columns: Sequence[Column]) -> list[str]:
    """Aligned, at most WIDTH columns; a name that is too long for that has a line of its own."""
    ordered = sorted(cards.items(), key=lambda item: (-(item[1].in_chosen.rate or 0.0), item[0]))
    rows = [[column.cell(arm) for column in columns] for _, arm in ordered]
    heads = [column.heading for column in columns]
    widths = [max(len(row[place]) for row in [heads, *rows]) + 2 for place in range(len(columns))]
    room = min(WIDTH - 2 - sum(widths), max(len(name) for name in ["arm", *cards]))
    lines = []
    for name, row in zip(["arm", *(name for name, _ in ordered)], [heads, *rows], strict=True):
        cells = "".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True))
        lines += [f"  {name:<{room}}{cells}"] if len(name) <= room else [f"  {name}", f"  {'':<{room}}{cells}"]
    return lines
