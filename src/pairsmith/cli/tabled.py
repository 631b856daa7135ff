"""How people are told of a plan: a table with what it rests on, or several plans side by side. Called by plan.py."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from pairsmith.cli.common import relative
from pairsmith.cli.planned import Planned, of_target
from pairsmith.judge.rates import told
from pairsmith.planning.figures import Band, Figures
from pairsmith.planning.hours import whole

UNKNOWN = "?"
COLUMNS = 110
ROWS = ("prompts", "calls", "tokens in", "tokens out", "USD", "USD left", "time left", "yield")


def as_text(plan: Planned) -> str:
    """The table, and below it what it rests on."""
    head = ["", "", "calls", "tokens in", "tokens out", "USD"]
    rows = [
        [line.endpoint, line.purpose.value, *_cells(line.whole, plan.line_usd(line, line.whole))] for line in plan.lines
    ]
    rows.append(["all of it", "", *_cells(plan.whole, plan.whole_usd)])
    if plan.spent is not None:
        rows.append(["left", "", *_cells(plan.left, plan.left_usd)])
    table = _aligned([head, *rows])
    table.insert(len(plan.lines) + 1, "-" * max(len(line) for line in table))
    return "\n".join(
        [
            _opening(plan),
            "low / likely / high",
            "",
            *table,
            "",
            *_tokens_text(plan),
            *_paid_text(plan),
            *_hours_text(plan),
            *_yield_text(plan),
            "",
            "rests on",
            *_rests_text(plan),
        ]
    )


def _opening(plan: Planned) -> str:
    settled = sum(part.count for part in plan.input.settled)
    besides = {
        "duplicates": plan.input.duplicates,
        "near-duplicates": plan.input.near_duplicates,
        "bad rows": plan.input.skipped,
        "contaminated": plan.input.contaminated,
    }
    extra = [f"{n:,} {word}" for word, n in besides.items() if n]
    beside = f" (besides {', '.join(extra)})" if extra else ""
    done = f", {settled:,} of them settled in {relative(plan.what.folder.path)}" if settled else ""
    return f"{plan.what.recipe.name}: {plan.input.prompts:,} prompts{beside}{done}"


def _cells(figures: Band[Figures], cost: Band[float | None]) -> list[str]:
    return [
        _triple(figures.map(lambda one: one.calls), short),
        _triple(figures.map(lambda one: one.input), short),
        _triple(figures.map(lambda one: one.output), short),
        _triple(cost, money),
    ]


def _triple(band: Band[Any], write: Callable[[Any], str]) -> str:
    said = [write(band.low), write(band.likely), write(band.high)]
    return said[0] if len(set(said)) == 1 else " / ".join(said)


def short(value: float) -> str:
    """Three digits are as many as a forecast has."""
    if value < 9_999.5:
        return f"{value:,.0f}"
    unit, name = next(((u, n) for u, n in ((1e3, "k"), (1e6, "M")) if value < 999.5 * u), (1e9, "G"))
    return f"{value / unit:.3g}{name}"


def money(value: float | None) -> str:
    """Dollars, as precise as the sum is large."""
    if value is None:
        return UNKNOWN
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}" if value >= 1 or value == 0 else f"{value:.3g}"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    lines = []
    for row in rows:
        words = [
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(words).rstrip())
    return lines


def _tokens_text(plan: Planned) -> list[str]:
    likely = plan.whole.likely
    parts = [
        f"{short(n)} of the tokens {where}"
        for n, where in ((likely.cached, "in are cached"), (likely.reasoning, "out are reasoning"))
        if n >= 1
    ]
    return [f"likely {' and '.join(parts)}"] if parts else []


def _paid_text(plan: Planned) -> list[str]:
    said = []
    if plan.spent is not None:
        cost = "an unknown sum" if plan.spent.cost_usd is None else f"${money(plan.spent.cost_usd)}"
        said.append(f"paid     {cost} so far, for {plan.spent.calls:,} calls")
    if plan.unpriced:
        names = ", ".join(plan.unpriced)
        said.append(
            f"price    unknown of {names}: set endpoints.{plan.unpriced[0]}.price = {{ input = …, output = … }}"
        )
    return said


def _hours_text(plan: Planned) -> list[str]:
    seconds = whole(plan.paces)
    said = [f"time     {_triple(seconds, span)}{' for what is left' if plan.spent else ''}"]
    for pace in plan.paces:
        names = ", ".join(pace.endpoints)
        said.append(f"         {names}: {_triple(pace.seconds, span)}, by {pace.binds}; a call's time: {pace.rests}")
    return said


def span(seconds: float) -> str:
    """A time span for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.3g} h"


def _yield_text(plan: Planned) -> list[str]:
    if plan.gained.rate is None:
        said = ["yield    unknown before prompts are settled; to learn it: --preview 50"]
    else:
        said = [f"yield    {told(plan.gained)} of {plan.gained.n:,} settled prompts gave a pair"]
    if plan.target_pairs is None:
        return said
    found = plan.target
    if found is None:
        return [*said, f"         {plan.target_pairs:,} pairs: nothing can be said before there is a yield"]
    cost, seconds = of_target(plan, found)
    prompts: Band[float | None] = Band(found.least, found.likely, found.most)
    enough = "the input has enough" if not found.missing else f"add about {short(found.missing)} prompts"
    per_pair = "unknown" if cost.likely is None else f"${cost.likely / found.pairs:.3g}"
    return [
        *said,
        f"{found.pairs:,} pairs",
        f"         prompts  {_triple(prompts, _known(short))}; the input has {plan.input.prompts:,}: {enough}",
        f"         USD      {_triple(cost, money)}; a pair likely {per_pair}",
        f"         time     {_triple(seconds, _known(span))}",
    ]


def _known(write: Callable[[float], str]) -> Callable[[float | None], str]:
    return lambda value: UNKNOWN if value is None else write(value)


def _rests_text(plan: Planned) -> list[str]:
    """Each ground once, with the lines that rest on it."""
    said = []
    names = [f"{line.endpoint} {line.purpose.value}" for line in plan.lines]
    for word, rests in (
        ("calls", [line.calls_rest for line in plan.lines]),
        ("tokens", [line.tokens_rest for line in plan.lines]),
    ):
        grounds: dict[str, list[str]] = {}
        for name, rest in zip(names, rests, strict=True):
            grounds.setdefault(_ground(rest), []).append(name)
        for place, (text, lines) in enumerate(grounds.items()):
            line = f"  {word if not place else '':<7} {', '.join(lines)}: {text}"
            said.append(textwrap.fill(line, COLUMNS, subsequent_indent=" " * 12, drop_whitespace=True))
    return said


def _ground(rest: Band[str]) -> str:
    sides = [("low", rest.low), ("high", rest.high)]
    return "; ".join([rest.likely, *(f"{side}: {said}" for side, said in sides if said != rest.likely)])


# --- side by side ---------------------------------------------------------------------------------


def side_by_side(plans: Sequence[Planned]) -> str:
    """The totals of several plans; low / likely / high."""
    columns = [["", *ROWS], *([plan.what.recipe.name, *_totals(plan)] for plan in plans)]
    rows = [[row[0], "", *row[1:]] for row in zip(*columns, strict=True)]
    return "\n".join(["low / likely / high", "", *_aligned(rows)])


def _totals(plan: Planned) -> list[str]:
    calls, tokens_in, tokens_out, cost = _cells(plan.whole, plan.whole_usd)
    left, time = _triple(plan.left_usd, money), _triple(whole(plan.paces), span)
    return [f"{plan.input.prompts:,}", calls, tokens_in, tokens_out, cost, left, time, told(plan.gained)]
