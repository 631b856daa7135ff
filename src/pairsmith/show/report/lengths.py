"""Whether the pairs teach length: chosen against rejected, and how often the longer one is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pairsmith.judge.bias import CHOSEN_LONGER
from pairsmith.judge.rates import Rate, bar, told
from pairsmith.show.report.drawing import ACCENT, QUIET, Panel, intervals, logarithmic, panel, rates_table, rows_in
from pairsmith.show.report.telling import so_many

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pairsmith.show.report.gather import Run

MOST_DOTS = 600  # more are counted into cells
CELLS = 30  # a side
SHADES = 8


def shown(run: Run) -> list[Panel]:
    """The lengths of the two sides, and the rates beside the judges' own."""
    pairs = run.tables.pairs
    known = pairs[(pairs["chosen_chars"] > 0) & (pairs["rejected_chars"] > 0)]
    if known.empty:
        return [Panel("lengths", "Chosen against rejected", "There is no pair whose lengths are known.")]
    return [_lengths(known), _rates(run)]


def _lengths(known: pd.DataFrame) -> Panel:
    chosen, rejected = known["chosen_chars"].to_numpy(), known["rejected_chars"].to_numpy()
    low, high = min(chosen.min(), rejected.min()) * 0.8, max(chosen.max(), rejected.max()) * 1.25

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.set_xscale("log")
        axes.set_yscale("log")
        for axis in (axes.xaxis, axes.yaxis):
            logarithmic(axis, "{:,.0f}")
        axes.plot([low, high], [low, high], color=QUIET, linestyle="--", linewidth=1)
        if len(known) <= MOST_DOTS:
            axes.plot(rejected, chosen, "o", color=ACCENT, markersize=3.2, alpha=0.55, markeredgewidth=0)
        else:
            _cells(axes, rejected, chosen, low, high)
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)
        axes.set_box_aspect(0.7)
        axes.set_xlabel("characters of the rejected answer")
        axes.set_ylabel("characters of the chosen one")
        axes.text(0.03, 0.95, "chosen is longer", transform=axes.transAxes, va="top", color=QUIET, fontsize=7.5)
        axes.text(0.97, 0.05, "rejected is longer", transform=axes.transAxes, ha="right", color=QUIET, fontsize=7.5)

    ratio = float(np.median(chosen / rejected))
    whole = chosen.sum() / rejected.sum()
    reading = (
        f"In the middle pair the chosen answer has {ratio:.2f} × as many characters as the rejected one; over all "
        f"{so_many(len(known), 'pair')} it is {whole:.2f} ×. Above the line the chosen answer is the longer one."
    )
    return panel("lengths", "Chosen against rejected", reading, draw, None, 3.6)


def _cells(axes: Axes, across: np.ndarray, up: np.ndarray, low: float, high: float) -> None:
    """How many pairs lie in each cell of an even grid of the logarithms, darker the more; a few shades are enough."""
    edges = np.geomspace(low, high, CELLS + 1)
    counted, _, _ = np.histogram2d(across, up, [edges, edges])
    shades = np.ceil(SHADES * np.sqrt(counted / counted.max())) / SHADES
    for shade in np.unique(shades[shades > 0]):
        rows, columns = np.nonzero(shades == shade)
        sides = np.diff(edges)
        axes.bar(
            edges[rows], sides[columns], sides[rows], edges[columns], align="edge", color=ACCENT,
            alpha=0.12 + 0.85 * float(shade), linewidth=0,
        )  # fmt: skip


def _rates(run: Run) -> Panel:
    bias = run.bias
    rows: list[tuple[str, Rate]] = [("chosen of the pairs", bias.chosen_longer)]
    rows += [("all judges", bias.average_longer_wins)] if len(bias.judges) > 1 else []
    rows += [(f"judge {judge}", card.longer_wins) for judge, card in bias.judges.items()]
    held = [row for row in rows if row[1].n]
    if not held:
        return Panel("longer", "How often the longer one wins", "All answers are equally long.")

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        intervals(axes, held, at=CHOSEN_LONGER)
        axes.set_xlabel(f"% longer one preferred (dotted: {bar(CHOSEN_LONGER)})")

    rate = bias.chosen_longer
    if not rate.n:
        said = "No pair has sides of different length."
    else:
        high = (rate.low or 0) > CHOSEN_LONGER
        said = f"The longer answer is chosen in {told(rate)} of {so_many(rate.n, 'pair')} whose lengths differ: " + (
            "a model trained on them learns length. Read some pairs, or set pair.max_length_ratio."
            if high
            else f"below the {bar(CHOSEN_LONGER)} from which a model would learn length instead of quality."
            if (rate.high or 1) < CHOSEN_LONGER
            else "not surely too much, and not surely little; more pairs will tell."
        )
    return panel("longer", "How often the longer one wins", said, draw, rates_table(held, "who"), rows_in(len(held)))
