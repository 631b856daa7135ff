"""How far the judges of a run agree with its reviewers, for people and for programs. Called by `pairsmith review`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pairsmith.cli.explained import visible
from pairsmith.judge.rates import Rate, percent, told
from pairsmith.show.agreement import Agreement, Figure, counted, sentences

if TYPE_CHECKING:
    from pairsmith.show.gate_advice import Gate
    from pairsmith.show.kappa import Kappa

LABEL = 14  # columns, as in the counts of a run
COUNTS = ("verdicts", "couples", "edits", "ties", "bad_prompts", "elsewhere", "missing")


def as_json(of: Agreement) -> dict[str, Any]:
    """The counts, and once there are enough verdicts ("missing" 0) all figures and sentences; until then null."""
    enough = not of.missing
    said = {**asdict(of), "missing": of.missing}
    figures = {name: value if enough else None for name, value in said.items() if name not in COUNTS}
    return {**{name: said[name] for name in COUNTS}, **figures, "sentences": sentences(of)}


def as_text(of: Agreement) -> list[str]:
    """The same for people: what it means, then the figures; those that rest on nothing are left out."""
    lines = [*sentences(of), "", _counted(of)]
    if not of.missing:
        lines += [*_told(of), *(_gates(of.gate) if of.gate else [])]
    return [visible(line) for line in lines]


def _told(of: Agreement) -> list[str]:
    """Every figure, a line each."""
    rows = [*_kinds(of), *_figures("judge", of.judges), *_figures("family", of.families)]
    rows += _figures("reviewer", {name: one.pairs for name, one in of.reviewers.items()})
    rows += [(names, one.agree, one.kappa) for names, one in of.between.items()]
    width = max([LABEL, *(len(label) for label, rate, _ in rows if rate.n)]) + 2
    lines = [f"  {label:<{width}}{told(rate)} of {rate.n:,}{_kappa(kappa)}" for label, rate, kappa in rows if rate.n]
    if len(of.reviewers) > 2 and of.alpha is not None:
        lines.append(f"  {'all reviewers':<{width}}Krippendorff's alpha {of.alpha:.2f}")
    return lines


def _counted(of: Agreement) -> str:
    """Such as "41 verdicts on 38 couples by ann, bob: 3 ties, 1 bad prompt"."""
    several = {"tie": of.ties, "bad prompt": of.bad_prompts, "edit": of.edits}
    said = [counted(n, word) for word, n in several.items() if n]
    said += [f"besides {of.elsewhere:,} on couples that this run has no more"] if of.elsewhere else []
    besides = ", ".join(said)
    by = f" by {', '.join(of.reviewers)}" if of.reviewers else ""
    return f"{counted(of.verdicts, 'verdict')} on {counted(of.couples, 'couple')}{by}{': ' if besides else ''}{besides}"


def _kinds(of: Agreement) -> list[tuple[str, Rate, Kappa | None]]:
    """The judges' order of each kind of couple."""
    kinds = {
        "random sample of the pairs": of.sample,
        "all that was shown": of.shown,
        "close to the gate": of.close,
        "judges disagree": of.disputed,
        "no pair": of.held_back,
    }
    estimate: tuple[str, Rate, Kappa | None] = ("all pairs, estimated", of.estimate, None)
    first, *others = ((label, one.accuracy, one.kappa) for label, one in kinds.items())
    return [first, estimate, *others]


def _figures(what: str, found: Mapping[str, Figure]) -> list[tuple[str, Rate, Kappa | None]]:
    return [(f"{what} {name}", one.accuracy, one.kappa) for name, one in found.items()]


def _kappa(kappa: Kappa | None) -> str:
    """Such as ", kappa 0.80 (95 %: 0.49–0.93)"; "" where it cannot be told."""
    if kappa is None or kappa.value is None:
        return ""
    return f", kappa {kappa.value:.2f} (95 %: {kappa.low:.2f}–{kappa.high:.2f})"


def _gates(gate: Gate) -> list[str]:
    """A line for each gate: the pairs that it would give, and how often they are right."""
    lines = ["", "  min_gap    pairs   of prompts   right"]
    for step in gate.steps:
        mark = "*" if step.current else " "
        right = f"{told(step.accuracy)} of {step.accuracy.n:,}" if step.accuracy.n else "nobody looked"
        lines.append(f"  {f'{step.min_gap:g}{mark}':<8} {step.pairs:>7,} {percent(step.share):>12}   {right}")
    return [*lines, "  * this run's"]
