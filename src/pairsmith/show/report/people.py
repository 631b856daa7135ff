"""What people said of the pairs: how often the judges are right by them, and what each `min_gap` would give."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

from pairsmith.judge.rates import percent, told
from pairsmith.show.agreement import sentences
from pairsmith.show.gate_advice import BAR
from pairsmith.show.report.drawing import (
    ACCENT,
    MOST_ROWS,
    QUIET,
    SERIES,
    Panel,
    Table,
    intervals,
    legend,
    mark,
    panel,
    rows_in,
)
from pairsmith.show.report.telling import share
from pairsmith.show.unseen import name, visible

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pairsmith.judge.rates import Rate
    from pairsmith.show.agreement import Agreement
    from pairsmith.show.gate_advice import Gate, Step
    from pairsmith.show.kappa import Kappa
    from pairsmith.show.report.gather import Run


def shown(run: Run) -> list[Panel]:
    """Accuracy by what people say, and the gate; until there are enough verdicts, how many are missing."""
    people = run.people
    if people is None:
        asks = "Nobody has reviewed a pair yet: pairsmith review RUN_DIR shows them blind, the most instructive first."
        return [Panel("people", "What people prefer", asks)]
    if isinstance(people, str):
        return [Panel("people", "What people prefer", visible(f"It cannot be told: {people}."))]
    if people.missing:
        return [Panel("people", "What people prefer", _whole(sentences(people)))]
    return [_accuracy(_nameless(people)), *([_gate(people.gate)] if people.gate else [])]


def _nameless(people: Agreement) -> Agreement:
    """The same with numbers for names: a report is passed on."""
    numbers = {who: str(place) for place, who in enumerate(people.reviewers, start=1)}
    couples = {f"{one}, {other}": f"{numbers[one]}, {numbers[other]}" for one, other in combinations(numbers, 2)}
    reviewers = {numbers[who]: one for who, one in people.reviewers.items()}
    return replace(people, reviewers=reviewers, between={couples[two]: one for two, one in people.between.items()})


def _whole(said: list[str]) -> str:
    """Sentences from their beginnings on."""
    return visible(" ".join(f"{one[:1].upper()}{one[1:]}." for one in said))


def _accuracy(people: Agreement) -> Panel:
    rows = [row for row in _rows(people) if row[1].n]
    rates = [(words, rate) for words, rate, _ in rows][:MOST_ROWS]

    def draw(figure: Figure) -> None:
        intervals(figure.subplots(), rates, at=0.5)

    advice = people.gate.advice.sentence if people.gate else None
    reading = _whole([one for one in sentences(people) if one != advice])
    told_of = [(name(words), told(rate), f"{rate.n:,}", _kappa(kappa)) for words, rate, kappa in rows]
    table = Table(("what", "right by people (95 %)", "of", "kappa (95 %)"), told_of)
    return panel("people", "How often people prefer what the judges do", reading, draw, table, rows_in(len(rates)))


def _rows(people: Agreement) -> list[tuple[str, Rate, Kappa | None]]:
    kinds = {
        "all that was shown": people.shown,
        "close to the gate": people.close,
        "judges disagree": people.disputed,
        "no pair": people.held_back,
        **{f"judge {judge}": one for judge, one in people.judges.items()},
        **{f"reviewer {who}": one.pairs for who, one in people.reviewers.items()},
    }
    families = {f"family {family}": one for family, one in people.families.items()}
    sample = people.sample
    return [
        ("random sample of the pairs", sample.accuracy, sample.kappa),
        ("all pairs, estimated", people.estimate, None),
        *((words, one.accuracy, one.kappa) for words, one in kinds.items()),
        *((f"reviewers {names}", one.agree, one.kappa) for names, one in people.between.items()),
        *((words, one.accuracy, one.kappa) for words, one in families.items()),
    ]


def _kappa(kappa: Kappa | None) -> str:
    if kappa is None or kappa.value is None:
        return "–"
    return f"{kappa.value:.2f} ({kappa.low:.2f}–{kappa.high:.2f})"


def _gate(gate: Gate) -> Panel:
    drawn = [step for step in gate.steps if step.accuracy.n]
    places = [step.min_gap for step in drawn]

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        axes.axhline(BAR * 100, color=QUIET, linestyle=":", linewidth=1)
        low, high = ([100 * (end or 0.0) for end in ends] for ends in zip(*map(_ends, drawn), strict=True))
        axes.fill_between(places, low, high, color=ACCENT, alpha=0.18, linewidth=0)
        right = [100 * (step.accuracy.rate or 0.0) for step in drawn]
        axes.plot(places, right, "o-", color=ACCENT, markersize=3.5, label="right by people")
        axes.plot(places, [100 * step.share for step in drawn], "--", color=SERIES[1], label="prompts with a pair")
        for step in gate.steps:
            if step.current:
                mark(axes, step.min_gap, f"min_gap {step.min_gap:g}", 0.1)
        axes.set_ylim(0, 104)
        axes.set_xlabel("min_gap, points")
        axes.set_ylabel("%")
        legend(figure)

    agree = f"Dotted: {percent(BAR)}, about how often two people agree on which of two answers is better."
    reading = f"{_whole([gate.advice.sentence])} {agree}"
    rows = [_step(step) for step in gate.steps]
    table = Table(("min_gap", "pairs", "of prompts", "right by people (95 %)", "of"), rows)
    if not drawn:
        return Panel("people-gate", "What another min_gap would give", reading, None, table)
    return panel("people-gate", "What another min_gap would give", reading, draw, table, 3.1)


def _ends(step: Step) -> tuple[float | None, float | None]:
    return step.accuracy.low, step.accuracy.high


def _step(step: Step) -> tuple[str, ...]:
    here = " (this run's)" if step.current else ""
    return (
        f"{step.min_gap:g}{here}",
        f"{step.pairs:,}",
        share(step.share, 1),
        told(step.accuracy),
        f"{step.accuracy.n:,}",
    )
