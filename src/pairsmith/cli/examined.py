"""What `pairsmith qualify` shows: the bar while it asks, a table for each judge, the anchors that were missed."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from tqdm import tqdm

from pairsmith.cli.common import relative, usd
from pairsmith.cli.progress import LOG_S, TERMINAL_S
from pairsmith.judge.qualify import (
    ADVERSARIAL_AT_LEAST,
    CONFLICTS_AT_MOST,
    UNREADABLE_AT_MOST,
    Exam,
    Ruling,
)
from pairsmith.judge.rates import Rate, bar, figure, percent
from pairsmith.qualified import run_file, verdict_text

if TYPE_CHECKING:
    from pairsmith.cli.anchored import Chosen
    from pairsmith.cli.common import Named
    from pairsmith.judge.anchors import Anchor
    from pairsmith.judge.asking import Standing
    from pairsmith.judge.verdicts import DuelVerdict, ScoreVerdict
    from pairsmith.qualified import Qualification
    from pairsmith.records import EndpointName
    from pairsmith.wire.online import Tally

WIDTH = 100
LABEL = 20  # columns of a row's name


class Bar:
    """Shows how the asking goes, on stderr. A context manager.

    Args:
        calls: how many are owed; replies that cannot be read add to them.
        tally: what was paid so far.
        quiet: shows nothing but messages.
    """

    def __init__(self, calls: int, tally: Tally, quiet: bool) -> None:
        self._tally = tally
        self._bar = tqdm(
            desc="asked",
            total=calls,
            disable=quiet or not calls,
            dynamic_ncols=True,
            mininterval=TERMINAL_S if sys.stderr.isatty() else LOG_S,
            bar_format="{desc} {n:,}/{total:,} {bar} {percentage:.0f}%{postfix} [{elapsed}, {remaining} left]",
        )

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.tick()
        self._bar.close()

    def answered(self) -> None:
        """One more call came to an end."""
        if self._bar.total is not None and self._bar.n >= self._bar.total:
            self._bar.total = self._bar.n + 1
        self._bar.update(1)

    def tick(self) -> None:
        """Show the spend even while no call ends."""
        spend = "cost unknown" if self._tally.cost_usd is None else f"${self._tally.cost_usd:.2f}"
        self._bar.set_postfix_str(spend, refresh=True)

    def say(self, sentence: str) -> None:
        """A message above the bar."""
        self._bar.write(f"pairsmith: {sentence}", file=sys.stderr)


def before_asking(anchors: Sequence[Anchor], owed: Mapping[EndpointName, int]) -> str:
    """What will be paid, before it is."""
    if not any(owed.values()):
        return f"{len(anchors):,} anchors: nothing to ask, the ledger holds every answer of {', '.join(owed)}"
    calls = ", ".join(f"{n:,} calls to {name}" if n else f"none to {name}" for name, n in owed.items())
    return f"{len(anchors):,} anchors: {calls} (and one more for each reply that cannot be read)"


# --- the table ----------------------------------------------------------------------------------------


def headline(chosen: Chosen) -> str:
    """Which anchors, and what a table's columns mean."""
    kinds = [anchor.kind for anchor in chosen.anchors]
    about = chosen.about
    whose = {"shipped": "", "file": f" from {relative(Path(about.name))}", "reviews": f" from reviews of {about.name}"}
    counts = f"{kinds.count('plain'):,} plain, {kinds.count('adversarial'):,} adversarial"
    return f"{len(kinds):,} anchors{whose[about.source]}: {counts}; each figure with its 95 % interval"


def table(name: str, found: Qualification) -> str:
    """One judge: the verdict, and what it rests on."""
    measured, accuracy = found.measured, found.measured.accuracy
    by_score = measured.score_accuracy.n > 0
    rows = [
        _row("right, plain", accuracy.plain, "anchors"),
        _row("right, adversarial", accuracy.adversarial, "anchors", f"bar: at least {bar(ADVERSARIAL_AT_LEAST)}"),
        *_by("by trap", accuracy.by_trap),
        *_by("by family", accuracy.by_family),
        *([_row("right by scores", measured.score_accuracy, "anchors", "a tie is not right")] if by_score else []),
        _row("right by duels", measured.duel_accuracy, "anchors", "both orders name the good one"),
        _row("order conflicts", measured.conflicts, "anchors", f"bar: at most {bar(CONFLICTS_AT_MOST)}"),
        _row("first wins", measured.first_wins, "duels", "50 % would be even"),
        _row("longer wins", measured.longer_wins, "anchors", _should(measured.longer_is_good)),
        _row("ties", measured.ties, "anchors", "equal scores" if by_score else "in both orders"),
        _row("unreadable", measured.unreadable, "replies", f"bar: at most {bar(UNREADABLE_AT_MOST)}"),
        f"  {'cost':<{LABEL}} {_cost(found)}",
        *_verdict(found.ruling),
    ]
    simulated = ", simulated" if found.simulated else ""
    head = f"{name} ({found.model}{simulated}), rubric {_rubric(found.rubric)}"
    return "\n".join([head, *rows])


def _verdict(ruling: Ruling) -> list[str]:
    """The verdict with its first reason; the others below it."""
    first, *more = verdict_text(Ruling(ruling.verdict, ruling.reasons[:1])), *ruling.reasons[1:]
    return [f"  {'verdict':<{LABEL}} {first}", *(" " * (LABEL + 3) + reason for reason in more)]


def _row(label: str, rate: Rate, of: str, note: str = "") -> str:
    if rate.rate is None or rate.low is None or rate.high is None:
        return f"  {label:<{LABEL}}{'none':>6}"
    interval = f"{figure(rate.low)}–{figure(rate.high)}"
    row = f"  {label:<{LABEL}}{percent(rate.rate):>6}  {interval:>8}  of {rate.n:>3,} {of:<8} {note}"
    return row.rstrip()


def _by(label: str, rates: Mapping[str, Rate]) -> list[str]:
    """Right of all, for each trap or family: on as many lines as it takes."""
    said = [f"{name.replace('_', ' ')} {round((r.rate or 0) * r.n)}/{r.n}" for name, r in rates.items()]
    if len(said) < 2:
        return []
    blank = " " * (LABEL + 4)
    lines = textwrap.wrap(", ".join(part.replace(" ", "\0") for part in said), WIDTH - LABEL - 4)
    first, *more = [line.replace("\0", " ") for line in lines]
    return [f"    {label:<{LABEL}}{first}", *(blank + line for line in more)]


def _should(rate: Rate) -> str:
    return "" if rate.rate is None else f"the longer one is right in {percent(rate.rate)}"


def _cost(found: Qualification) -> str:
    failed = f", {found.measured.failed:,} failed" if found.measured.failed else ""
    tokens = f"{found.tokens.input:,} tokens in, {found.tokens.output:,} out"
    return f"{usd(found.cost_usd)}: {found.calls:,} calls{failed}, {tokens}"


def _rubric(rubric: str) -> str:
    return relative(Path(rubric)) if "/" in rubric else rubric


def ending(known: Mapping[EndpointName, Qualification], tally: Tally, what: Named) -> str:
    """Where it stands, what was paid this time, and the way on."""
    calls = ", ".join(f"{name} {n:,}" for name, n in tally.calls.items())
    said = [f"asked now: {calls} calls; cost {usd(tally.cost_usd)}" if calls else "asked now: nothing"]
    unfinished = [name for name in what.recipe.judge.panel if name in tally.calls and name not in known]
    if unfinished:
        said.append(f"not finished: {', '.join(unfinished)}; run the same command again to continue")
    if known:
        said.append(f"kept in {relative(run_file(what.folder.path))}")
    if any(found.measured.missed for found in known.values()):
        said.append("which anchors a judge missed, and what it said: --missed")
    return "\n".join(said)


# --- missed anchors -----------------------------------------------------------------------------------


def missed(name: str, exams: Sequence[Exam]) -> str:
    """Every anchor on which a judge did not prefer the good answer, with all that was said."""
    wrong = [exam for exam in exams if exam.preferred in ("bad", "neither")]
    if not wrong:
        return f"{name} missed no anchor"
    return "\n\n".join([f"{name} missed {len(wrong):,}:", *(_missed(exam) for exam in wrong)])


def _missed(exam: Exam) -> str:
    anchor = exam.anchor
    trap = f", trap: {anchor.trap.replace('_', ' ')}" if anchor.trap else ""
    user = "\n".join(str(message.get("content")) for message in anchor.prompt.messages)
    said = [_scored(side, stands) for side, stands in zip(("good", "bad"), exam.scores, strict=False)]
    said += [_duelled(exam, place, stands) for place, (_, stands) in enumerate(exam.duels)]
    parts = [
        f"{anchor.id} ({anchor.family}{trap})",
        _block("prompt", user),
        _block("good", anchor.good.text),
        _block("bad", anchor.bad.text),
        *([_block("why", anchor.why)] if anchor.why else []),
        *(_block("judge", line) for line in said),
    ]
    return "\n".join(parts)


def _scored(side: str, stands: Standing[ScoreVerdict]) -> str:
    if stands.verdict is None:
        return f"the {side} one: no score could be read"
    return f"the {side} one gets {stands.verdict.score:g}: {stands.verdict.rationale}"


def _duelled(exam: Exam, place: int, stands: Standing[DuelVerdict]) -> str:
    order = exam.duels[place][0]
    first = "good" if order.shown[0].id == exam.anchor.good.id else "bad"
    if stands.verdict is None:
        return f"the {first} one shown first: no winner could be read"
    winner = {"A": first, "B": "bad" if first == "good" else "good"}.get(stands.verdict.winner)
    won = f"the {winner} one wins" if winner else "a tie"
    return f"the {first} one shown first as A: {won}: {stands.verdict.rationale}"


def _block(label: str, text: str) -> str:
    """A text behind its label, wrapped; its own line breaks stay."""
    indent = " " * 10
    lines = [
        wrapped
        for line in text.splitlines() or [""]
        for wrapped in textwrap.wrap(line, WIDTH - len(indent), break_long_words=False, break_on_hyphens=False) or [""]
    ]
    return "\n".join([f"  {label:<8}{lines[0]}", *((indent + line).rstrip() for line in lines[1:])])
