"""The distributions of two runs in one plot each: gaps, points, lengths, reasons. Called by compare.py."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from pairsmith.show.report.drawing import (
    INK,
    MOST_ROWS,
    SERIES,
    Panel,
    Table,
    across,
    filled,
    label,
    legend,
    lined,
    logarithmic,
    panel,
    rows_in,
)
from pairsmith.show.report.telling import points
from pairsmith.show.unseen import name

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from matplotlib.figure import Figure

    from pairsmith.show.report.gather import Run

BINS = 24


def shown(a: Run, b: Run) -> list[Panel]:
    """As far as there is something to draw."""
    gaps = [run.tables.pairs["gap"].dropna() for run in (a, b)]
    scores = [run.points["score"] for run in (a, b)]
    ratios = [_ratios(run) for run in (a, b)]
    panels = [_overlaid("gaps", "Gaps of the pairs", "points between chosen and rejected", gaps, "{:.3g} points")]
    panels.append(_overlaid("scores", "Scores of all judges", "points", scores, "{:.3g} points"))
    panels.append(
        _overlaid("ratios", "Chosen length over rejected length", "× (log scale)", ratios, "{:.2f} ×", log=True)
    )
    return [*panels, _reasons(a, b)]


def _ratios(run: Run) -> pd.Series[float]:
    pairs = run.tables.pairs
    known = pairs[(pairs["chosen_chars"] > 0) & (pairs["rejected_chars"] > 0)]
    return known["chosen_chars"] / known["rejected_chars"]


def _overlaid(
    ident: str, title: str, axis: str, both: Sequence[pd.Series[float]], shape: str, log: bool = False
) -> Panel:
    """Two outlines, each of the share of its own run."""
    if not all(len(values) for values in both):
        return Panel(ident, title, "One of the two has nothing of it.")
    low, high = min(float(values.min()) for values in both), max(float(values.max()) for values in both)
    step = 1.0 if all(bool((values == values.round()).all()) for values in both) else 0.5
    edges = np.arange(np.floor(low) - step / 2, high + step, step)
    edges = np.geomspace(low, max(high, low * 1.01), BINS) if log else edges

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        if log:
            axes.set_xscale("log")
            logarithmic(axes.xaxis, "{:g}")
            axes.axvline(1, color=INK, linewidth=0.8)
        for place, (word, values) in enumerate(zip("AB", both, strict=True)):
            heights = 100 * np.histogram(values, edges)[0] / len(values)
            axes.stairs(heights, edges, linewidth=1.8, label=word, **lined(place))
            axes.stairs(heights, edges, color=SERIES[place], fill=True, alpha=0.12)
        axes.set_xlabel(axis)
        axes.set_ylabel("% of the run")
        legend(figure)

    middle = [float(values.median()) for values in both]
    said = [shape.format(value) for value in middle]
    reading = f"The middle one has {said[0]} in A and {said[1]} in B."
    rows = [
        (word, f"{len(values):,}", *(points(float(values.quantile(at))) for at in (0.1, 0.25, 0.5, 0.75, 0.9)))
        for word, values in zip("AB", both, strict=True)
    ]
    table = Table(("run", "n", "10 %", "25 %", "median", "75 %", "90 %"), rows)
    return panel(f"compared-{ident}", title, reading, draw, table)


def _reasons(a: Run, b: Run) -> Panel:
    both = [Counter(run.counts.abstained) + Counter(run.counts.failed) for run in (a, b)]
    words = [word for word, _ in (both[0] + both[1]).most_common(MOST_ROWS // 2)]
    if not words:
        return Panel("reasons", "Why there is no pair", "Every settled prompt of both gave a pair.")
    shares = [
        [100 * counted[word] / max(1, run.reached) for word in words] for counted, run in zip(both, (a, b), strict=True)
    ]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for place, (word, values) in enumerate(zip("AB", shares, strict=True)):
            rows = [at + 0.38 * place - 0.19 for at in range(len(words))]
            axes.barh(rows, values, 0.36, label=word, **filled(place))
        axes.set_yticks(range(len(words)), [label(word) for word in words])
        axes.set_ylim(len(words) - 0.4, -0.6)
        axes.set_xlabel("% of the settled prompts")
        legend(figure)
        across(axes)

    most = max(range(len(words)), key=lambda place: abs(shares[0][place] - shares[1][place]))
    of_a, of_b = (
        f"{values[most]:.1f} % of the settled prompts of {word}" for word, values in zip("AB", shares, strict=True)
    )
    reading = f"They differ most in {name(words[most])}: {of_a}, {of_b}."
    return panel("compared-reasons", "Why there is no pair", reading, draw, None, rows_in(2 * len(words)))
