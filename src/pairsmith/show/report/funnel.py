"""What became of the prompts: from prompts to pairs, and why those that are none are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pairsmith.show.reasons import meaning
from pairsmith.show.report.drawing import (
    ACCENT,
    BAD,
    GOOD,
    HATCHES,
    MOST_ROWS,
    QUIET,
    WARN,
    Panel,
    Table,
    bars,
    panel,
    rows_in,
)
from pairsmith.show.report.telling import share, so_many
from pairsmith.show.unseen import name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pairsmith.show.report.gather import Run


class Fate(NamedTuple):
    """What became of so many prompts. kind: pair | abstained | failed | not reached | more."""

    kind: str
    reason: str
    prompts: int

    @property
    def label(self) -> str:
        """Its name at the axis."""
        return self.reason or {"pair": "a pair"}.get(self.kind, self.kind)

    @property
    def words(self) -> str:
        """What that means."""
        if self.kind == "pair":
            return "at least one pair passed the gates"
        if self.kind == "not reached":
            return "no run has come to them yet"
        return meaning(self.reason) or {"failed": "calls for it failed"}.get(self.kind, "")


COLOURS = {"pair": (GOOD, 0), "abstained": (WARN, 1), "failed": (BAD, 3), "not reached": (QUIET, 2), "more": (QUIET, 4)}


def fates(run: Run) -> list[Fate]:
    """Every prompt of the input once: they add up."""
    counts = run.counts
    found = [Fate("pair", "", counts.settled)]
    for kind, reasons in (("abstained", counts.abstained), ("failed", counts.failed)):
        found += [Fate(kind, reason, n) for reason, n in sorted(reasons.items(), key=lambda one: (-one[1], one[0]))]
    if counts.not_reached > 0:
        found.append(Fate("not reached", "", counts.not_reached))
    return found


def shown(run: Run) -> list[Panel]:
    """The stages, and the fates."""
    return [_stages(run), _fates(run)]


def _stages(run: Run) -> Panel:
    counts = run.counts
    usable = sum(card.usable for card in run.arms.cards.values())
    rows = [
        ("prompts", counts.prompts, ""),
        ("completions", counts.completions, "answers to settled prompts, sampled or given"),
        ("of them usable", usable, "not screened"),
        ("verdicts", counts.verdicts, "of judges"),
        ("pairs", counts.pairs, ""),
    ]

    def draw(figure: Figure) -> None:
        colours = [QUIET, ACCENT, ACCENT, QUIET, GOOD]
        numbers = [n for _, n, _ in rows]
        bars(figure.subplots(), [word for word, *_ in rows], numbers, colours, [f"{n:,}" for n in numbers])

    out = counts.completions - usable
    screened = f" ({out:,} of them screened)" if out > 0 else ""
    reading = (
        f"Settled: {run.reached:,} of {so_many(counts.prompts, 'prompt')}, with "
        f"{so_many(counts.completions, 'completion')}{screened} and {so_many(counts.verdicts, 'verdict')} of judges; "
        f"{so_many(counts.pairs, 'pair')} came of it."
    )
    table = Table(("stage", "count", ""), [(word, f"{n:,}", what) for word, n, what in rows])
    return panel("stages", "From prompts to pairs", reading, draw, table, rows_in(len(rows)) + 0.2)


def _fates(run: Run) -> Panel:
    found, prompts = fates(run), run.counts.prompts
    drawn = found if len(found) <= MOST_ROWS else found[: MOST_ROWS - 1]
    if len(drawn) < len(found):
        drawn = [
            *drawn,
            Fate("more", f"{len(found) - len(drawn)} more reasons", sum(f.prompts for f in found[len(drawn) :])),
        ]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        numbers = [fate.prompts for fate in drawn]
        told = [f"{n:,} ({share(n, prompts)})" for n in numbers]
        bars(axes, [fate.label for fate in drawn], numbers, [COLOURS[fate.kind][0] for fate in drawn], told)
        for bar, fate in zip(axes.patches, drawn, strict=True):
            bar.set_hatch(HATCHES[COLOURS[fate.kind][1]])

    rows = [
        (fate.kind, name(fate.reason), fate.words, f"{fate.prompts:,}", share(fate.prompts, prompts)) for fate in found
    ]
    rows.append(("all", "", "", f"{sum(fate.prompts for fate in found):,}", share(prompts, prompts)))
    table = Table(("", "reason", "what it means", "prompts", "share"), rows)
    return panel("fates", "What became of each prompt", _of_fates(run, found), draw, table, rows_in(len(drawn)))


def _of_fates(run: Run, found: list[Fate]) -> str:
    counts = run.counts
    if not counts.prompts:
        return "No prompt was taken in yet."
    kinds = {"no pair": sum(counts.abstained.values()), "calls that failed": sum(counts.failed.values())}
    others = [f"{so_many(n, 'prompt')} came to {word}" for word, n in kinds.items() if n]
    others += [f"{counts.not_reached:,} were not reached"] if counts.not_reached > 0 else []
    part = share(counts.settled, counts.prompts)
    sentence = f"{counts.settled:,} of {so_many(counts.prompts, 'prompt')} ({part}) gave a pair"
    sentence = "; ".join([sentence, *others]) + "."
    worst = max((fate for fate in found if fate.reason), key=lambda fate: fate.prompts, default=None)
    if worst is None:
        return sentence
    means = f": {worst.words}" if worst.words else ""
    return f"{sentence} The most frequent reason is {name(worst.reason)} ({worst.prompts:,}){means}."
