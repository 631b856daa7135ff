"""The pairs that a demo shows: picked from the ledger as the most readable ones, and laid out for a terminal.

Texts, scores and rationales are read from what is stored, as `export` reads them. Called by demo.py.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any, cast

import click

from pairsmith.dataset import text_of
from pairsmith.judge.verdicts import Unreadable, read_score
from pairsmith.ledger import Ledger, Settled
from pairsmith.outcomes import StoredPair, StoredSide, family_in
from pairsmith.records import Json, Prompt, Reply, RequestId, StoredReply
from pairsmith.wire.stored import read_stored

MOST_LINES = 12  # of one text
PROMPT_LINES = 5
GOOD_LINES = 15  # of prompt and answers together
READING_COLUMNS = 72  # what counts as readable is measured at this width, so that every terminal shows the same pairs
MOST_COLUMNS = 100
INDENT = "    "


@dataclass(frozen=True, slots=True)
class Side:
    """One answer of a shown pair: its arm, the judges' mean score (None: there are no points), and what they said."""

    text: str
    arm: str
    score: float | None
    rationales: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """One pair to be shown."""

    id: str
    family: str
    prompt: str
    chosen: Side
    rejected: Side
    gap: float | None

    @property
    def longer_rejected(self) -> bool:
        """Whether the judge preferred the shorter answer, and by a clear difference in length."""
        return len(self.rejected.text) > 1.3 * len(self.chosen.text)


# --- picking ---------------------------------------------------------------------------------------


def pairs_to_show(ledger: Ledger, digest: str, count: int) -> list[Shown]:
    """The most readable pairs, each of another family; one where the rejected answer is the longer one comes first."""
    pairs = sorted(_pairs(ledger, digest), key=_reading_order)
    taken: list[Shown] = [pair for pair in pairs if pair.longer_rejected][:1]
    for pair in pairs:
        if len(taken) < count and pair.family not in {one.family for one in taken}:
            taken.append(pair)
    return taken[:count]


def _reading_order(pair: Shown) -> tuple[bool, bool, int, str]:
    """First what can be read in a minute, then large gaps and GOOD_LINES: a point of gap is worth two lines."""
    sides = [lines_of(side.text, READING_COLUMNS) for side in (pair.chosen, pair.rejected)]
    prompt = lines_of(pair.prompt, READING_COLUMNS)
    too_long = len(prompt) > PROMPT_LINES or any(len(lines) > MOST_LINES for lines in sides)
    too_short = any(len(lines) < 2 for lines in sides)
    length = len(prompt) + sum(len(lines) for lines in sides)
    foreign = not all(_latin(text) for text in (pair.prompt, pair.chosen.text, pair.rejected.text))
    return too_long or foreign, too_short, abs(length - GOOD_LINES) - round(2 * (pair.gap or 0)), pair.id


def _latin(text: str) -> bool:
    """Whether every letter takes one column, from left to right."""
    return all(character < "\u0250" for character in text if character.isalpha())


def _pairs(ledger: Ledger, digest: str) -> Iterator[Shown]:
    for prompt, settled in ledger.outcomes(digest):
        if settled.kind == "pair":
            yield _shown(prompt, settled, ledger)


def _shown(prompt: Prompt, settled: Settled, ledger: Ledger) -> Shown:
    pair = cast(StoredPair, settled.body["pair"])
    verdicts = cast("list[dict[str, Any]]", settled.body["verdicts"])
    replies = ledger.stored(prompt.id)

    def side(stored: StoredSide) -> Side:
        own = [verdict for verdict in verdicts if verdict.get("completion") == stored["completion"]]
        said = tuple(_rationale(verdict["call"], replies) for verdict in own)
        score = fmean(verdict["score"] for verdict in own) if own else None
        return Side(text_of(prompt, stored, ledger), stored["arm"], score, tuple(filter(None, said)))

    return Shown(
        id=prompt.source_id or prompt.id,
        family=family_in(prompt, settled.body).family or "",
        prompt="\n\n".join(str(message.get("content", "")) for message in prompt.messages),
        chosen=side(pair["chosen"]),
        rejected=side(pair["rejected"]),
        gap=pair["gap"],
    )


def _rationale(call: RequestId, replies: Mapping[RequestId, StoredReply]) -> str:
    """What a judge wrote beside its score; "" when it wrote nothing."""
    stored = replies.get(call)
    reply = read_stored(call, stored) if stored else None
    verdict = read_score(reply.text) if isinstance(reply, Reply) else None
    return "" if verdict is None or isinstance(verdict, Unreadable) else verdict.rationale


# --- laying out ------------------------------------------------------------------------------------


def as_json(pairs: Iterable[Shown]) -> list[Json]:
    """The pairs for programs."""

    def side(one: Side) -> Json:
        return {"text": one.text, "arm": one.arm, "score": one.score, "rationales": list(one.rationales)}

    return [
        {
            "id": pair.id,
            "family": pair.family,
            "prompt": pair.prompt,
            "chosen": side(pair.chosen),
            "rejected": side(pair.rejected),
            "gap": pair.gap,
        }
        for pair in pairs
    ]


def as_text(pairs: Sequence[Shown]) -> str:
    """The pairs for people, as wide as their terminal."""
    return "\n\n".join(_block(pair, f"pair {place} of {len(pairs)}") for place, pair in enumerate(pairs, start=1))


def _block(pair: Shown, place: str) -> str:
    width = reading_columns() - len(INDENT)
    lines = [rule(" · ".join(part for part in (place, pair.family, pair.id) if part))]
    lines += ["", styled("PROMPT", bold=True)]
    lines += [INDENT + line for line in _shortened(pair.prompt, width, PROMPT_LINES)]
    for word, side in (("CHOSEN", pair.chosen), ("REJECTED", pair.rejected)):
        lines += ["", f"{styled(word, bold=True)}{_points(side)}" + styled(f"   arm: {side.arm}", dim=True)]
        lines += [INDENT + line for line in _shortened(side.text, width, MOST_LINES)]
        for rationale in side.rationales:
            said = textwrap.wrap(f"judge: {rationale}", width, subsequent_indent=" " * len("judge: "))
            lines += [INDENT + styled(line, dim=True) for line in said]
    lines += ["", _gap(pair)]
    return "\n".join(line.rstrip() for line in lines)


def _gap(pair: Shown) -> str:
    chosen, rejected = len(pair.chosen.text), len(pair.rejected.text)
    longer = " (the longer answer was rejected)" if pair.longer_rejected else ""
    gap = "" if pair.gap is None else f"gap {pair.gap:g} points; "
    return f"{gap}{chosen:,} characters preferred to {rejected:,}{longer}"


def _points(side: Side) -> str:
    return "" if side.score is None else f"  {round(side.score, 1):g} of 10"


def _shortened(text: str, width: int, most: int) -> list[str]:
    """The text's first lines; what is missing is said."""
    lines = lines_of(text, width)
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], f"[… {len(lines) - most + 1} more lines]"]


def lines_of(text: str, width: int) -> list[str]:
    """The text's lines, each wrapped on its own: lists and code keep their shape."""
    return [part for line in text.strip().split("\n") for part in _wrapped(line, width)]


def _wrapped(line: str, width: int) -> list[str]:
    margin = " " * min(len(line) - len(line.lstrip()), width // 2)
    wrapper = textwrap.TextWrapper(width, subsequent_indent=margin, break_on_hyphens=False, drop_whitespace=True)
    return wrapper.wrap(line) or [""]


def rule(title: str) -> str:
    """A line across the page that begins a part."""
    return styled(f"── {title} ".ljust(reading_columns(), "─"), dim=True)


def paragraph(text: str) -> str:
    """A text of our own, wrapped."""
    return textwrap.fill(text, reading_columns(), break_on_hyphens=False, break_long_words=False)


def reading_columns() -> int:
    """The terminal's columns, as far as lines of that length can be read."""
    return max(40, min(shutil.get_terminal_size().columns, MOST_COLUMNS))


def styled(text: str, bold: bool | None = None, dim: bool | None = None) -> str:
    """Bold or dim on a terminal; elsewhere the plain text."""
    return click.style(text, bold=bold, dim=dim) if sys.stdout.isatty() else text
