"""The points that judges gave, by judge and by arm, and how far apart the couples were, against the gates."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pairsmith.pair.select import TOLERANCE
from pairsmith.show.report.drawing import (
    ACCENT,
    DASHES,
    HATCHES,
    INK,
    QUIET,
    SERIES,
    Panel,
    Table,
    across,
    ends,
    label,
    legend,
    mark,
    panel,
    rows_in,
    told_of_ends,
)
from pairsmith.show.report.telling import points, share, so_many
from pairsmith.show.unseen import name

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from pairsmith.pair.settings import PairSettings
    from pairsmith.show.report.gather import Run

HALF = 0.5
TOP_HEAVY = 0.5  # of a judge's scores in one place: it tells few answers apart


def shown(run: Run) -> list[Panel]:
    """Scores by judge, numbers of reward models, scores by arm, gaps, the best answer."""
    scores, points_ = run.tables.scores, run.points
    rewards = scores[scores["judge"].isin(run.rewards)]
    if scores.empty:
        return [Panel("by-judge", "Scores by judge", _without_points(run)), *_of_gates(run)]
    panels = [_by_judge(points_)] if not points_.empty else []
    panels += [_rewards(rewards)] if not rewards.empty else []
    panels += [_by_arm(points_)] if not points_.empty else []
    return [*panels, *_of_gates(run)]


def _without_points(run: Run) -> str:
    if not run.recipe.judge.panel:
        return "Nobody judged: what people said, or the arms alone, decides, so there are no points."
    if run.recipe.judge.protocol != "score":
        return f"The protocol {run.recipe.judge.protocol} puts answers in an order and gives no points."
    return "No judge has given points yet."


# --- by judge -----------------------------------------------------------------------------------------


def _edges(values: pd.Series[float]) -> np.ndarray:
    """From 0 to 10 by ones where all points are whole, else by halves."""
    step = 1.0 if bool((values == values.round()).all()) else HALF
    low, high = np.floor(min(values.min(), 1.0)), np.ceil(max(values.max(), 10.0))
    return np.arange(low - step / 2, high + step, step)


def _by_judge(scores: pd.DataFrame) -> Panel:
    groups = list(scores.groupby("judge", sort=True)["score"])
    edges = _edges(scores["score"])

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for place, (judge, values) in enumerate(groups):
            heights, _ = np.histogram(values, edges)
            colour, dash = SERIES[place % len(SERIES)], DASHES[place % len(DASHES)]
            axes.stairs(
                100 * heights / len(values), edges, color=colour, linestyle=dash, label=label(str(judge)), linewidth=1.8
            )
            axes.stairs(100 * heights / len(values), edges, color=colour, fill=True, alpha=0.12)
        axes.set_xlim(edges[0], edges[-1])
        axes.set_xlabel("points")
        axes.set_ylabel("% of its scores")
        if len(groups) > 1:
            legend(figure)

    said = "; ".join(_of_judge(str(judge), values) for judge, values in groups[:4])
    table = Table(
        ("judge", "scores", "mean", "median", "spread", "least", "most"), [_row(str(j), v) for j, v in groups]
    )
    return panel("by-judge", "Scores by judge", f"{said}.", draw, table)


def _of_judge(judge: str, values: pd.Series[float]) -> str:
    top = values.round().mode()
    held = float((values.round() == top.iloc[0]).mean())
    heavy = ", so it tells few answers apart" if held > TOP_HEAVY else ""
    often = f"{share(held, 1)} of its scores are about {top.iloc[0]:g}{heavy}"
    mean, spread = points(float(values.mean())), points(float(values.std(ddof=0)))
    return f"{name(judge)} gives {mean} points on average, with a spread of {spread}; {often}"


def _row(who: str, values: pd.Series[float]) -> tuple[str, ...]:
    figures = (values.mean(), values.median(), values.std(ddof=0), values.min(), values.max())
    return (name(who), f"{len(values):,}", *(points(float(figure)) for figure in figures))


def _rewards(scores: pd.DataFrame) -> Panel:
    groups = list(scores.groupby("judge", sort=True)["score"])

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for place, (judge, values) in enumerate(groups):
            axes.hist(
                values,
                bins=24,
                histtype="step",
                color=SERIES[place % len(SERIES)],
                linestyle=DASHES[place % len(DASHES)],
                label=label(str(judge)),
            )
        axes.set_xlabel("the model's own number")
        axes.set_ylabel("answers")
        if len(groups) > 1:
            legend(figure)

    reading = "Reward models give numbers on scales of their own: their order counts, not their size."
    table = Table(
        ("model", "numbers", "mean", "median", "spread", "least", "most"), [_row(str(j), v) for j, v in groups]
    )
    return panel("rewards", "Numbers of reward models", reading, draw, table)


# --- by arm -------------------------------------------------------------------------------------------


def _by_arm(scores: pd.DataFrame) -> Panel:
    by_arm = scores.groupby("arm", sort=True)["score"]
    found = by_arm.quantile(np.array([0.1, 0.25, 0.5, 0.75, 0.9])).unstack()
    found["mean"], found["n"] = by_arm.mean(), by_arm.size()
    found = found.sort_values("mean", ascending=False, kind="stable")
    drawn = found.loc[ends(list(found.index))]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for place, (_, row) in enumerate(drawn.iterrows()):
            axes.plot([row[0.1], row[0.9]], [place, place], color=QUIET, linewidth=1)
            axes.barh(place, row[0.75] - row[0.25], left=row[0.25], height=0.55, color=SERIES[0], alpha=0.35)
            axes.plot([row[0.5]], [place], "|", color=INK, markersize=9)
            axes.plot([row["mean"]], [place], "o", color=ACCENT, markersize=4)
        axes.set_yticks(range(len(drawn)), [label(str(arm) or "unknown") for arm in drawn.index])
        axes.set_ylim(len(drawn) - 0.4, -0.6)
        axes.set_xlabel("points (box: the middle half; line: 10 to 90 %; dot: mean)")
        across(axes)

    best, worst = found.iloc[0], found.iloc[-1]
    first = name(str(found.index[0]) or "unknown")
    if len(found) == 1:
        reading = f"{first} has {points(float(best['mean']))} points on average"
    else:
        reading = f"{first} is judged best on average ({points(float(best['mean']))} points)"
        reading += f", {name(str(found.index[-1]) or 'unknown')} worst ({points(float(worst['mean']))})"
        reading += "; arms that overlap wholly give answers that the judges cannot tell apart by arm"
    reading += f".{told_of_ends(len(found), 'arms')}"
    rows = [
        (
            name(str(arm) or "unknown"),
            f"{int(row['n']):,}",
            *(points(float(row[key])) for key in ("mean", 0.1, 0.25, 0.5, 0.75, 0.9)),
        )
        for arm, row in found.iterrows()
    ]
    table = Table(("arm", "scores", "mean", "10 %", "25 %", "median", "75 %", "90 %"), rows)
    return panel("by-arm", "Scores by arm", reading, draw, table, rows_in(len(drawn)) + 0.15)


# --- gates --------------------------------------------------------------------------------------------


def _of_gates(run: Run) -> list[Panel]:
    prompts = run.tables.prompts
    gated = prompts[prompts["gap"].notna() & (prompts["chosen_mean"] != 0)]  # 0: nothing was scored
    if not gated.empty:
        return [_gaps(run, gated), _best(run, gated)]
    paired = run.tables.pairs[run.tables.pairs["gap"].notna()]
    return [_gaps_of_pairs(paired)] if not paired.empty else []


def _halves(most: float) -> np.ndarray:
    """From 0 by halves to beyond `most`, which begins a step of its own where it is one."""
    return np.arange(np.floor(most / HALF) + 2) * HALF


def _gaps(run: Run, gated: pd.DataFrame) -> Panel:
    first = run.tables.pairs[run.tables.pairs["place"] == 0].set_index("prompt")["rule"]
    rule = gated["prompt"].map(first)
    paired = gated["kind"] == "pair"
    compared = paired & (rule == "duels")
    gaps = gated["gap"].round(9)  # means of several judges: 2.9999999999999996 is 3 to the gate as well
    parts = {
        "pair by its scores": gaps[paired & ~compared],
        "confirmed by comparing": gaps[compared],
        "no pair": gaps[~paired],
    }
    gates = run.gates
    edges = _halves(max(float(gated["gap"].max()), gates.least_gap))

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        if gates.verify_gap < gates.least_gap:
            axes.axvspan(gates.verify_gap, gates.least_gap, color=QUIET, alpha=0.12, linewidth=0)
            mark(axes, gates.verify_gap, f"verify_gap {gates.verify_gap:g}")
        mark(axes, gates.least_gap, f"min_gap {gates.least_gap:g}", 0.88)
        axes.hist(
            list(parts.values()), list(edges), stacked=True, label=list(parts), color=[SERIES[2], SERIES[0], SERIES[1]],
            hatch=[HATCHES[0], HATCHES[1], HATCHES[2]],
        )  # fmt: skip
        axes.set_ylim(0, axes.get_ylim()[1] * 1.22)
        axes.set_xlabel("points between the best and the worst answer")
        axes.set_ylabel("prompts")
        legend(figure)

    counted = [np.histogram(values, edges)[0] for values in parts.values()]
    rows = [
        (f"{edges[place]:g} to {edges[place + 1]:g}", *(f"{int(n):,}" for n in column))
        for place, column in enumerate(zip(*counted, strict=True))
        if any(column)
    ]
    table = Table(("gap", *parts), rows)
    return panel("gaps", "Gaps, and the gates", _of_gaps(gated, gates), draw, table, 3.2)


def _of_gaps(gated: pd.DataFrame, gates: PairSettings) -> str:
    above = gated["gap"] + TOLERANCE >= gates.least_gap
    below = gated["gap"] + TOLERANCE < gates.verify_gap
    between = gated[~above & ~below]
    said = f"Of {so_many(len(gated), 'prompt')} with points {int(above.sum()):,} lie at min_gap or above"
    if gates.verify_gap < gates.least_gap:
        confirmed = int(between["confirmed"].sum())
        said += f", {len(between):,} between the gates, of which comparing confirmed {confirmed:,}"
    return f"{said}, and {int(below.sum()):,} below, where the judges see no clear difference."


def _best(run: Run, gated: pd.DataFrame) -> Panel:
    best, floor = gated["chosen_mean"], run.gates.chosen_floor
    edges = _edges(best[best > 0] if bool((best > 0).any()) else best)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.hist(best, list(edges), color=SERIES[0], alpha=0.8)
        if floor > 0:
            mark(axes, floor, f"chosen_floor {floor:g}")
        axes.set_ylim(0, axes.get_ylim()[1] * 1.15)
        axes.set_xlabel("points of the best answer")
        axes.set_ylabel("prompts")

    low = int((best < floor - TOLERANCE).sum())
    none = f"in {low:,} of {so_many(len(best), 'prompt')} no answer reaches chosen_floor ({floor:g})"
    reading = f"The best answer has {points(float(best.median()))} points in the middle; {none}."
    heights, _ = np.histogram(best, edges)
    rows = [(f"{edges[at]:g} to {edges[at + 1]:g}", f"{int(n):,}") for at, n in enumerate(heights) if n]
    return panel("best", "How good the best answer is", reading, draw, Table(("points", "prompts"), rows))


def _gaps_of_pairs(paired: pd.DataFrame) -> Panel:
    edges = _halves(float(paired["gap"].max()))

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.hist(paired["gap"], list(edges), color=SERIES[2])
        axes.set_xlabel("points between chosen and rejected")
        axes.set_ylabel("pairs")

    heights, _ = np.histogram(paired["gap"], edges)
    rows = [(f"{edges[at]:g} to {edges[at + 1]:g}", f"{int(n):,}") for at, n in enumerate(heights) if n]
    reading = f"Chosen and rejected are {points(float(paired['gap'].median()))} points apart in the middle pair."
    return panel("gaps", "Gaps of the pairs", reading, draw, Table(("gap", "pairs"), rows))
