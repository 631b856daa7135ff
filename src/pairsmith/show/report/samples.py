"""Which pairs of a run are shown, and what of their texts: of every family, arm and gap some, drawn by content.

The same ledger gives the same pairs. Some prompts that came close and are no pair are among them. Long texts are cut,
and it is said.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from math import isnan
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pairsmith.dataset import Texts
from pairsmith.errors import LedgerError
from pairsmith.means import estimates
from pairsmith.outcomes import family_in, pairs_in, verdicts_in
from pairsmith.records import PromptId
from pairsmith.show.diffs import Piece, differences
from pairsmith.show.reasons import meaning
from pairsmith.show.report.gather import NO_FAMILY
from pairsmith.show.report.telling import points
from pairsmith.show.unseen import name, visible

if TYPE_CHECKING:
    import pandas as pd

    from pairsmith.ledger import Ledger, Settled
    from pairsmith.outcomes import StoredSide
    from pairsmith.pairing import Pairing
    from pairsmith.records import CompletionId, Prompt
    from pairsmith.show.report.gather import Run

PAIR, CLOSE_CALL = "pair", "close call"
MOST_PAIRS, MOST_CLOSE = 120, 24
MOST_ANSWER, MOST_PROMPT, MOST_SYSTEM = 4000, 1600, 600  # characters that are shown of a text
LEAST_COMMON = 0.2  # of the characters of both: below that nearly everything would be marked
CLOSE = (
    "order_conflict", "duel_tie", "judges_disagree", "gap_too_small", "chosen_below_floor", "tie", "length_ratio",
    "near_duplicates",
)  # fmt: skip
RULES = {
    "gap": "the scores alone",
    "duels": "two comparisons in opposite orders agree",
    "final": "it won the tournament, in both orders",
    "rankings": "two rankings in opposite orders agree",
    "arms": "the arms alone: nobody judged",
    "human": "people's verdicts",
    "edit": "it is the other one, mended by hand",
}

T = TypeVar("T")


class Turn(NamedTuple):
    """One message of a prompt."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Side:
    """One answer as it is shown. chars: of the whole text; cut: not all of it is shown."""

    word: str  # chosen | rejected | better | worse
    pieces: Sequence[Piece]
    chars: int
    cut: bool
    arm: str
    model: str
    scores: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Sample:
    """One pair, or one prompt that came close. alike: enough to mark what differs."""

    ident: str
    place: int
    kind: str  # pair | close call; in a comparison what became of it
    pair: bool
    family: str
    gap: float | None
    why: str
    turns: Sequence[Turn]
    sides: Sequence[Side]
    alike: bool

    @property
    def told_gap(self) -> str:
        """For people."""
        return "no points" if self.gap is None else f"gap {points(self.gap)}"

    @property
    def title(self) -> str:
        """The beginning of what was asked."""
        asked = [turn.text for turn in self.turns if turn.role == "user"] or [turn.text for turn in self.turns]
        return name(asked[-1] if asked else "", 96)

    @property
    def arms(self) -> str:
        """Of both sides, as a filter compares them."""
        return "\n".join(dict.fromkeys(side.arm for side in self.sides))


def samples(run: Run, ledger: Ledger) -> Iterator[Sample]:
    """Pairs first, as diverse as they come, then prompts that came close."""
    texts = Texts(ledger)
    for row in chosen_pairs(run.tables.pairs, MOST_PAIRS):
        found = _stored(ledger, run.digest, row.prompt)
        if found is not None:
            yield from _pair(*found, int(row.place), texts)
    for ident in _close(run.tables.prompts):
        found = _stored(ledger, run.digest, ident)
        if found is not None:
            yield from _close_call(*found, run.rules, texts)


def pair_of(prompt: Prompt, settled: Settled, texts: Texts) -> Sample | None:
    """The first pair of one prompt; None: it has none, or the ledger no longer holds its texts."""
    return next(_pair(prompt, settled, 0, texts), None)


# --- choosing -----------------------------------------------------------------------------------------


def chosen_pairs(pairs: pd.DataFrame, most: int) -> list[Any]:
    """Rows of pairs: one of each family, arm and gap in turn, the first ones by a hash of their content."""
    strata: defaultdict[tuple[str, str, str], list[Any]] = defaultdict(list)
    rows: Iterable[Any] = pairs.itertuples(index=False)
    for row in rows:
        gap = "" if isnan(row.gap) else str(int(row.gap))
        strata[row.family, row.chosen_arm, gap].append(row)
    drawn = {
        key: sorted(rows, key=lambda row: _hash(row.prompt, row.chosen, row.rejected)) for key, rows in strata.items()
    }
    # The strata themselves take turns by family, so that the first dozen is of many.
    by_family: defaultdict[str, list[list[Any]]] = defaultdict(list)
    for key in sorted(drawn, key=lambda key: _hash(*key)):
        by_family[key[0]].append(drawn[key])
    ordered = in_turn([by_family[family] for family in sorted(by_family)])
    return in_turn(ordered)[:most]


def in_turn(groups: Sequence[Sequence[T]]) -> list[T]:
    """The first of each, then the second of each, and so on."""
    nothing: Any = object()
    return [one for one in chain.from_iterable(zip_longest(*groups, fillvalue=nothing)) if one is not nothing]


def _close(prompts: pd.DataFrame) -> list[str]:
    none = prompts[(prompts["kind"] == "abstained") & prompts["reason"].isin(CLOSE)]
    reasons = {reason: sorted(group["prompt"], key=_hash) for reason, group in none.groupby("reason")}
    return in_turn([reasons[reason] for reason in CLOSE if reason in reasons])[:MOST_CLOSE]


def _hash(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


# --- reading ------------------------------------------------------------------------------------------


def _stored(ledger: Ledger, digest: str, ident: str) -> tuple[Prompt, Settled] | None:
    """A prompt and its outcome; None: a run that is going on has changed them in between."""
    prompt, settled = ledger.listed(PromptId(ident)), ledger.outcome(PromptId(ident), digest)
    return None if prompt is None or settled is None else (prompt, settled)


def _pair(prompt: Prompt, settled: Settled, place: int, texts: Texts) -> Iterator[Sample]:
    found = pairs_in(settled.body)
    if place >= len(found):
        return
    pair, body = found[place], settled.body
    try:
        both = texts.of_sides(prompt, pair["chosen"], pair["rejected"])
    except LedgerError:  # an earlier version, or a candidate that has left its row
        return
    said = [("chosen", pair["chosen"], both[0]), ("rejected", pair["rejected"], both[1])]
    rule = str(pair["provenance"].get("rule", ""))
    why = RULES.get(rule, rule)
    yield _sample(prompt, body, said, pair["gap"], why, place)


def _close_call(prompt: Prompt, settled: Settled, rules: Pairing, texts: Texts) -> Iterator[Sample]:
    """The best and the worst by the judges' points, or the two that were compared."""
    body: Mapping[str, Any] = settled.body
    rows: dict[CompletionId, Any] = {row[0]: row for row in body.get("completions", ())}
    scores, _, _ = verdicts_in(body)
    means = {ident: one.mean for ident, one in estimates(rules.points(scores), rules.known).items()}
    ranked = sorted((ident for ident in means if ident in rows), key=lambda ident: (-means[ident], ident))
    couple = [ranked[0], ranked[-1]] if len(ranked) > 1 else _compared(body, rows)
    if len(couple) != 2:
        return
    sides = [_side_of(rows[ident]) for ident in couple]
    try:
        both = texts.of_sides(prompt, *sides)
    except LedgerError:
        return
    gap = means[couple[0]] - means[couple[1]] if len(ranked) > 1 else None
    words = ("better", "worse") if gap else ("one", "other")
    reason = settled.reason or ""
    why = f"{reason}: {meaning(reason)}" if meaning(reason) else reason
    yield _sample(prompt, body, list(zip(words, sides, both, strict=True)), gap, why, None)


def _compared(body: Mapping[str, Any], rows: Mapping[CompletionId, Any]) -> list[CompletionId]:
    held = [row for row in body.get("verdicts", ()) if "winner" in row]
    held_rows = [[row["first"], row["second"]] for row in held if row["first"] in rows and row["second"] in rows]
    return held_rows[-1] if held_rows else []


def _side_of(row: Sequence[Any]) -> StoredSide:
    ident, arm, _, model, span, *rest = row
    return {"completion": ident, "arm": arm, "model": model, "span": span, "simulated": bool(rest and rest[-1])}


# --- showing ------------------------------------------------------------------------------------------


def _sample(
    prompt: Prompt,
    body: Mapping[str, Any],
    said: Sequence[tuple[str, StoredSide, str]],
    gap: float | None,
    why: str,
    place: int | None,
) -> Sample:
    """As it is shown; `place` None: it is no pair."""
    cut = [visible(text[:MOST_ANSWER]) for _, _, text in said]
    found = differences(*cut)
    pieces = (found.first, found.second) if found else tuple([Piece(text, False)] for text in cut)
    alike = found is not None and found.common >= LEAST_COMMON
    sides = [_side(word, side, text, parts, body) for (word, side, text), parts in zip(said, pieces, strict=True)]
    family = name(family_in(prompt, body).family or NO_FAMILY)
    ident = name(prompt.source_id or prompt.id)
    kind = PAIR if place is not None else CLOSE_CALL
    return Sample(
        ident,
        prompt.ordinal + 1,
        kind,
        place is not None,
        family,
        gap,
        why,
        list(_turns(prompt)),
        sides,
        alike,
    )


def _side(word: str, side: StoredSide, text: str, parts: Sequence[Piece], body: Mapping[str, Any]) -> Side:
    return Side(
        word,
        parts,
        len(text),
        len(text) > MOST_ANSWER,
        name(side["arm"]),
        name(side["model"] or ""),
        list(_scores(body, side["completion"])),
    )


def _scores(body: Mapping[str, Any], completion: str) -> Iterator[tuple[str, str]]:
    for row in body.get("verdicts", ()):
        if row.get("completion") == completion and "score" in row:
            yield name(row["judge"]), points(row["score"])


def _turns(prompt: Prompt) -> Iterator[Turn]:
    if prompt.system:
        yield Turn("system", _shortened(prompt.system, MOST_SYSTEM))
    turns = prompt.messages[-4:]
    if len(turns) < len(prompt.messages):
        yield Turn("", f"[{len(prompt.messages) - len(turns)} earlier messages]")
    for turn in turns:
        yield Turn(name(str(turn.get("role", ""))), _shortened(_content(turn), MOST_PROMPT))
    if prompt.tools:
        yield Turn("tools", f"[{len(prompt.tools)} tools]")


def _content(turn: Mapping[str, Any]) -> str:
    content = turn.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(_texts(content))
    calls = turn.get("tool_calls")
    return f"[calls {len(calls)} tools]" if isinstance(calls, list) else ""


def _texts(parts: Iterable[Any]) -> Iterator[str]:
    for part in parts:
        text = part.get("text") if isinstance(part, dict) else None
        yield text if isinstance(text, str) else "[something that is no text]"


def _shortened(text: str, most: int) -> str:
    shown = visible(text[:most])
    return shown if len(text) <= most else f"{shown} […{len(text) - most:,} more characters]"
