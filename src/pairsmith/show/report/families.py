"""The task families one by one: prompts, pairs, and why the others are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pairsmith.judge.rates import share_of, told
from pairsmith.show.report.drawing import (
    BAD,
    GOOD,
    HATCHES,
    MOST_ROWS,
    WARN,
    Panel,
    Table,
    across,
    label,
    legend,
    panel,
    rows_in,
)
from pairsmith.show.report.gather import NO_FAMILY
from pairsmith.show.report.telling import points
from pairsmith.show.unseen import name

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from pairsmith.show.report.gather import Run

KINDS = {"pair": (GOOD, 0), "abstained": (WARN, 1), "failed": (BAD, 3)}


def shown(run: Run) -> list[Panel]:
    """One panel; of prompts of no family it says so."""
    prompts = run.tables.prompts
    if prompts.empty or set(prompts["family"]) == {NO_FAMILY}:
        return [Panel("families", "By task family", "No prompt names a task family, and no judge was asked for it.")]
    counted = prompts.groupby(["family", "kind"]).size().unstack(fill_value=0)
    counted = counted.reindex(columns=list(KINDS), fill_value=0)
    order = counted.sum(axis=1).sort_values(ascending=False, kind="stable").index
    counted = counted.loc[order]
    drawn = counted.head(MOST_ROWS)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        left = [0] * len(drawn)
        for kind, (colour, hatch) in KINDS.items():
            wide = [int(n) for n in drawn[kind]]
            axes.barh(range(len(drawn)), wide, left=left, color=colour, hatch=HATCHES[hatch], height=0.7, label=kind)
            left = [one + other for one, other in zip(left, wide, strict=True)]
        axes.set_yticks(range(len(drawn)), [label(str(family)) for family in drawn.index])
        axes.set_ylim(len(drawn) - 0.4, -0.6)
        axes.set_xlabel("prompts")
        legend(figure)
        across(axes)

    rows = [_row(str(family), prompts[prompts["family"] == family]) for family in counted.index]
    table = Table(("family", "prompts", "pairs", "yield (95 %)", "median gap", "why not"), rows)
    return [panel("families", "By task family", _of(prompts), draw, table, rows_in(len(drawn)) + 0.3)]


def _row(family: str, prompts: pd.DataFrame) -> tuple[str, ...]:
    why = (
        prompts[prompts["kind"] != "pair"]["reason"]
        .value_counts()
        .sort_index()
        .sort_values(ascending=False, kind="stable")
    )
    said = ", ".join(f"{name(str(reason))} {n:,}" for reason, n in why.head(3).items())
    rate = share_of(list(prompts["kind"] == "pair"))
    gap = points(float(prompts["gap"].median())) if bool(prompts["gap"].notna().any()) else "–"
    return name(family), f"{len(prompts):,}", f"{int(prompts['pairs'].sum()):,}", told(rate), gap, said


def _of(prompts: pd.DataFrame) -> str:
    rates = {str(family): share_of(list(group["kind"] == "pair")) for family, group in prompts.groupby("family")}
    best = max(rates, key=lambda family: (rates[family].rate or 0, family))
    worst = min(rates, key=lambda family: (rates[family].rate or 0, family))
    if best == worst or rates[best].rate == rates[worst].rate:
        return "All families give pairs equally often."
    least = f"those of {name(worst)} least ({told(rates[worst])})"
    return f"Prompts of {name(best)} give a pair most often ({told(rates[best])}), {least}."
