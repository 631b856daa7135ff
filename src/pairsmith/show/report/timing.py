"""The run over its running time: calls a minute, what went wrong, and money spent."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np

from pairsmith.show.reasons import meaning
from pairsmith.show.report.drawing import QUIET, Panel, Table, filled, label, legend, lined, panel
from pairsmith.show.report.telling import in_unit, lasted, moment, share, so_many, usd
from pairsmith.show.unseen import name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pairsmith.ledger import Timeline
    from pairsmith.show.report.gather import Run

MINUTE_S = 60.0
MOST_OUTCOMES = 5  # that have a colour of their own


def shown(run: Run) -> list[Panel]:
    """Throughput, failed attempts, spend."""
    if not run.timeline.sessions:
        return [Panel("throughput", "Calls a minute", "No call was made: nothing was sampled, and nobody was asked.")]
    return [_throughput(run), _failures(run.timeline), _spend(run)]


def _by(timeline: Timeline, key: str, value: str, keep: object = None) -> dict[str, np.ndarray]:
    """One figure of every slot over the steps, summed by another."""
    found: defaultdict[str, np.ndarray] = defaultdict(lambda: np.zeros(timeline.steps))
    for slot in timeline.slots:
        if keep is None or (slot.outcome == "ok") == keep:
            found[str(getattr(slot, key))][slot.step] += getattr(slot, value)
    return dict(sorted(found.items()))


def _over_time(axes: Axes, timeline: Timeline) -> tuple[np.ndarray, float]:
    """The edges of the steps in a fitting unit, on the axis; a line where a later session begins."""
    unit, words = in_unit(timeline.step_s * timeline.steps)
    for session in timeline.sessions[1:]:
        axes.axvline(session.at / unit, color=QUIET, linestyle=":", linewidth=1)
    axes.set_xlabel(f"running time, {words}" + ("; dotted: run again later" if len(timeline.sessions) > 1 else ""))
    return np.arange(timeline.steps + 1) * timeline.step_s / unit, unit


def _throughput(run: Run) -> Panel:
    timeline = run.timeline
    calls = _by(timeline, "endpoint", "attempts", keep=True)
    minutes = timeline.step_s / MINUTE_S

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        edges, _ = _over_time(axes, timeline)
        for place, (endpoint, counted) in enumerate(calls.items()):
            axes.stairs(counted / minutes, edges, label=label(endpoint), **lined(place))
        axes.set_ylabel("answered calls a minute")
        axes.set_ylim(bottom=0)
        if len(calls) > 1:
            legend(figure)

    whole_s = timeline.step_s * timeline.steps
    total = sum(int(counted.sum()) for counted in calls.values())
    first, last = timeline.sessions[0], timeline.sessions[-1]
    paused = f", in {so_many(len(timeline.sessions), 'session')}" if len(timeline.sessions) > 1 else ""
    reading = (
        f"{so_many(total, 'call')} were answered in {lasted(whole_s)} of running time{paused}, from "
        f"{moment(first.began)} to {moment(last.ended)}: {total / whole_s * MINUTE_S:,.0f} a minute."
    )
    rows = [
        (name(e), f"{int(c.sum()):,}", f"{c.sum() / whole_s * MINUTE_S:,.0f}", f"{c.max() / minutes:,.0f}")
        for e, c in calls.items()
    ]
    return panel(
        "throughput", "Calls a minute", reading, draw, Table(("endpoint", "answered", "a minute", "at most"), rows)
    )


def _failures(timeline: Timeline) -> Panel:
    wrong = Counter[str]()
    for slot in timeline.slots:
        if slot.outcome != "ok":
            wrong[slot.outcome] += slot.attempts
    attempts = sum(slot.attempts for slot in timeline.slots)
    if not wrong:
        return Panel("retries", "Retries and throttles", f"All {so_many(attempts, 'attempt')} were answered at once.")
    found = _by(timeline, "outcome", "attempts", keep=False)
    named = [outcome for outcome, _ in wrong.most_common(MOST_OUTCOMES)]
    rest = [counted for outcome, counted in found.items() if outcome not in named]
    stacked = {outcome: found[outcome] for outcome in named} | ({"others": np.sum(rest, axis=0)} if rest else {})

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        edges, _ = _over_time(axes, timeline)
        below = np.zeros(timeline.steps)
        for place, (outcome, counted) in enumerate(stacked.items()):
            axes.bar(edges[:-1], counted, np.diff(edges), below, align="edge", label=label(outcome), **filled(place))
            below = below + counted
        axes.set_ylabel("attempts that failed")
        legend(figure)

    worst, n = wrong.most_common(1)[0]
    said = meaning(worst)
    reading = (
        f"{wrong.total():,} of {so_many(attempts, 'attempt')} ({share(wrong.total(), attempts)}) brought no answer, "
        f"most often {name(worst)} ({n:,}){f': {said}' if said else ''}. What is worth it was tried again."
    )
    rows = [
        (name(outcome), meaning(outcome), f"{count:,}", share(count, attempts))
        for outcome, count in wrong.most_common()
    ]
    return panel(
        "retries",
        "Retries and throttles",
        reading,
        draw,
        Table(("outcome", "what it means", "attempts", "share"), rows),
    )


def _spend(run: Run) -> Panel:
    timeline = run.timeline
    money = _by(timeline, "endpoint", "cost_usd")
    table = _spend_table(run)
    known = {endpoint: usd_ for endpoint, usd_ in money.items() if usd_.sum() > 0}
    total = run.spent.cost_usd
    if not known:
        free = "Nothing was spent." if total == 0 else "What it cost is unknown: the recipe gives no price."
        return Panel("spend", "Money spent", free, None, table)

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        edges, _ = _over_time(axes, timeline)
        for place, (endpoint, spent) in enumerate(known.items()):
            axes.plot(edges, np.concatenate([[0.0], np.cumsum(spent)]), label=label(endpoint), **lined(place))
        axes.set_ylabel("$, added up")
        axes.set_ylim(bottom=0)
        legend(figure)

    spent = sum(float(one.sum()) for one in known.values())
    most = max(known, key=lambda endpoint: float(known[endpoint].sum()))
    reading = (
        f"{usd(total)} were spent in all"
        if total is not None
        else f"{usd(spent)} were spent as far as prices are known"
    )
    reading += f", {share(float(known[most].sum()), spent)} of it on {name(most)}"
    each = run.cost_per_pair_usd
    reading += f"; a pair cost {usd(each)}." if each is not None else "."
    return panel("spend", "Money spent", reading, draw, table)


def _spend_table(run: Run) -> Table:
    rows = [
        (
            name(endpoint), purpose.value, f"{spent.calls:,}", f"{spent.attempts - spent.calls:,}",
            f"{spent.input_tokens:,}", f"{spent.output_tokens:,}", usd(spent.cost_usd),
        )
        for (endpoint, purpose), spent in sorted(run.spent_on.items())
    ]  # fmt: skip
    all_ = run.spent
    rows.append(
        (
            "all",
            "",
            f"{all_.calls:,}",
            f"{all_.attempts - all_.calls:,}",
            f"{all_.input_tokens:,}",
            f"{all_.output_tokens:,}",
            usd(all_.cost_usd),
        )
    )
    return Table(("endpoint", "for", "calls", "retries", "tokens in", "tokens out", "cost"), rows)
