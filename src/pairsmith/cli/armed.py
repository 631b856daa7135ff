"""What is said of a run's arms to people: a table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pairsmith.judge.rates import Rate, figure, percent

if TYPE_CHECKING:
    from pairsmith.judge.arms import ArmCard
    from pairsmith.running.cards import Arms

MOST_ARMS = 24  # rows on a terminal
MOST_IN_SHORT = 8  # at the end of a run
WIDTH = 100  # columns of a terminal
UNKNOWN = "-"
PAIRS_PRICED = 1000  # one pair of a small model costs so little that its figure would be all zeros


def as_text(arms: Arms) -> list[str]:
    """The table, those first that the most of the chosen are of."""
    if len(arms.cards) > MOST_ARMS:
        return [f"  {len(arms.cards)} arms: --json has what each does"]
    return _table(arms.cards, COLUMNS) if arms.cards else []


def in_short(arms: Arms) -> list[str]:
    """The same for the end of a run; nothing where there is nothing to compare, or too much."""
    columns = [column for column in COLUMNS if column.in_short]
    return _table(arms.cards, columns) if 2 <= len(arms.cards) <= MOST_IN_SHORT else []


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
