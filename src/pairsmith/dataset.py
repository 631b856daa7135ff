"""Writes what a run settled: the rows of a target, and at the same line of a second file what proves each row.

Reads the ledger alone; every text is read again from the stored reply. Called by the command line.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, TypedDict, cast

from pairsmith.errors import LedgerError
from pairsmith.export.containers import RowWriter
from pairsmith.export.formats import chat_pair, provenance_row, row_bytes, system_text
from pairsmith.export.reading import JsonObject
from pairsmith.export.rows import rows_of
from pairsmith.export.settings import ExportSettings
from pairsmith.export.split import TRAIN, VALIDATION, Part, Parts
from pairsmith.export.targets import TARGETS
from pairsmith.ledger import Ledger, Settled
from pairsmith.outcomes import StoredPair, StoredSide, family_in
from pairsmith.records import CompletionId, EndpointName, Json, Pair, Prompt, RequestId, candidate_id
from pairsmith.reviewing import Reviewing
from pairsmith.wire.faults import read_text


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: rows in all, those of them that went into the validation file, and why pairs were left out."""

    rows: int
    left_out: Mapping[str, int]
    validation: int = 0


@dataclass(slots=True)
class Sink:
    """A dataset being written: its rows, and at the same line of an open file what proves each.

    Where a pair becomes several rows, the later ones wait for the next pair's first: a KTO trainer compares a row with
    the answer in the row before it, which must be to another prompt. `shown`: what is written of each proof.
    """

    dataset: RowWriter
    proofs: BinaryIO
    shown: Callable[[Mapping[str, Json]], Mapping[str, Json]] = dict
    rows: int = 0
    _waiting: list[tuple[JsonObject, Mapping[str, Json]]] = field(default_factory=list)

    def write(self, rows: Sequence[JsonObject], proofs: Sequence[Mapping[str, Json]]) -> None:
        """The rows of one pair; their proofs without the line."""
        first, *others = zip(rows, proofs, strict=True)
        for row, proof in (first, *self._waiting):
            self._put(row, proof)
        self._waiting = others

    def close(self) -> None:
        """No more pairs come."""
        for row, proof in self._waiting:
            self._put(row, proof)
        self.dataset.close()

    def _put(self, row: JsonObject, proof: Mapping[str, Json]) -> None:
        self.rows += 1
        self.dataset.write(row)
        self.proofs.write(row_bytes({"line": self.rows, **self.shown(proof)}))


@dataclass(frozen=True, slots=True)
class Projection:
    """How settled pairs become rows: the [export] table, and the text that takes the persona's place, if one does.

    `qualified`: how each judge did when it was asked what is known; None: it never was. `pair`, `export`: these tables
    as far as they differ from the defaults. `parts`: which prompts go into the validation file; None: there is none.
    `reviewing`: what people's reviews make of the pairs.
    """

    settings: ExportSettings
    replacement: str | None
    arms: Mapping[str, StoredArm]
    qualified: Mapping[EndpointName, str | None]
    pair: Mapping[str, Json]
    export: Mapping[str, Json]
    parts: Parts | None = None
    reviewing: Reviewing = field(default_factory=Reviewing)

    def part(self, prompt: Prompt) -> Part:
        """The file that the prompt's pairs go into."""
        return TRAIN if self.parts is None else self.parts.of(prompt.id)

    def rows(self, prompt: Prompt, found: StoredPair | str, texts: Texts) -> tuple[JsonObject, ...] | str:
        """The rows of one pair, or the reason why people took it away or the target cannot take it."""
        if isinstance(found, str):
            return found
        personas = {self.arms.get(found[side]["arm"], {}).get("system") for side in ("chosen", "rejected")}
        if self.settings.system == "keep" and len(personas) > 1:
            return "personas_differ"
        persona = {"strip": None, "keep": next(iter(personas))}.get(self.settings.system, self.replacement)
        chosen, rejected = texts.of_sides(prompt, found["chosen"], found["rejected"])
        return rows_of(chat_pair(prompt, chosen, rejected, system_text(persona, prompt.system)), self.settings.target)

    def proofs(self, prompt: Prompt, found: StoredPair, evidence: Mapping[str, Json]) -> list[dict[str, Json]]:
        """What proves each row of this pair: the same, but for the side where they hold one each."""
        proof = self._proof(prompt, found, evidence)
        sides = TARGETS[self.settings.target].layout.sides
        return [{**proof, "side": side} for side in sides] if sides else [proof]

    def _proof(self, prompt: Prompt, found: StoredPair, evidence: Mapping[str, Json]) -> dict[str, Json]:
        pair = Pair(
            prompt_id=prompt.id,
            chosen=found["chosen"]["completion"],
            rejected=found["rejected"]["completion"],
            gap=found["gap"],
            judges=tuple(found["judges"]),
            provenance=found["provenance"],
        )
        placed = family_in(prompt, evidence)
        details: dict[str, Json] = {
            "family": placed.family,
            "family_call": placed.call,
            "verdicts": evidence["verdicts"],
            "qualified": {name: self.qualified[name] for name in found["judges"] if name in self.qualified},
            "simulated": evidence["simulated"],
            "pair": dict(self.pair),
            "export": dict(self.export),
        }
        if self.parts is not None:
            details |= {"part": self.part(prompt), "group": self.parts.groups[prompt.id]}
        if self.reviewing.through:
            details["reviews_through"] = self.reviewing.through
        sides = (_side(found["chosen"], self.arms), _side(found["rejected"], self.arms))
        return provenance_row(pair, prompt, sides, details)


def write_pairs(
    texts: Texts,
    outcomes: Iterable[tuple[Prompt, Settled]],
    projection: Projection,
    sinks: Mapping[Part, Sink],
    limit: int | None = None,
) -> Exported:
    """Write every settled pair in prompt order.

    Args:
        texts: of the run folder.
        outcomes: settled prompts, in prompt order.
        projection: how they become rows.
        sinks: where the rows of each part go.
        limit: so many pairs at most, the first ones that the target takes; None: all.

    Returns:
        The count of rows, and of pairs that were left out, by reason.
    """
    pairs = 0
    left_out: Counter[str] = Counter()
    for prompt, found, body in _pairs(outcomes, projection.reviewing):
        if pairs == limit:
            break
        rows = projection.rows(prompt, found, texts)
        if isinstance(rows, str):
            left_out[rows] += 1
            continue
        assert not isinstance(found, str)
        pairs += 1
        sinks[projection.part(prompt)].write(rows, projection.proofs(prompt, found, body))
    for sink in sinks.values():
        sink.close()
    written = sum(sink.rows for sink in sinks.values())
    return Exported(written, dict(left_out), sinks[VALIDATION].rows if VALIDATION in sinks else 0)


def _pairs(
    outcomes: Iterable[tuple[Prompt, Settled]], reviewing: Reviewing
) -> Iterator[tuple[Prompt, StoredPair | str, Mapping[str, Json]]]:
    for prompt, settled in outcomes:
        for found in reviewing.pairs(prompt, settled):
            yield prompt, found, settled.body


class StoredArm(TypedDict, total=False):
    """An arm as pipeline.py wrote it; of a folder that an earlier version made there is `system` alone.

    `persona` is its name, `system` its text. `effective`: "server default" for what is not sent.
    """

    endpoint: EndpointName
    model: str
    weight: float
    persona: str | None
    system: str | None
    requested: dict[str, Json]
    effective: dict[str, Json]
    dropped: dict[str, list[Json]]


def stored_arms(ledger: Ledger, digest: str) -> dict[str, StoredArm]:
    """The arms that a run's outcomes speak of, by name, in the recipe's order."""
    arms: dict[str, Any] = json.loads(ledger.fact(f"arms {digest}") or "{}")
    return {name: cast(StoredArm, arm if isinstance(arm, dict) else {"system": arm}) for name, arm in arms.items()}


def sampled_by(ledger: Ledger, digest: str) -> dict[str, EndpointName]:
    """The endpoint of each of these arms; an earlier version kept none."""
    return {name: arm["endpoint"] for name, arm in stored_arms(ledger, digest).items() if "endpoint" in arm}


class Texts:
    """The texts of completions, read again from what is stored; those of the prompt that was asked last are kept.

    Args:
        ledger: the run folder's.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._prompt: Prompt | None = None
        self._known: dict[CompletionId, str] = {}
        self._fetched: dict[RequestId, bytes] = {}
        self._edited = ledger.edited_texts()

    def fetch(self, wanted: Iterable[CompletionId]) -> None:
        """Read the replies of several prompts at once, as they will be asked for soon."""
        self._fetched = self._ledger.raw_replies([RequestId(ident) for ident in wanted])

    def of(self, prompt: Prompt, wanted: Sequence[CompletionId]) -> list[str]:
        """The stored text of each of these completions of ONE prompt: a given candidate, a whole reply, or an edit.

        Raises:
            LedgerError: the ledger holds no such text.
        """
        if self._prompt is None or self._prompt.id != prompt.id:
            self._prompt = prompt
            given = [*(one.content for one in prompt.candidates), *self._edited.get(prompt.id, ())]
            self._known = {candidate_id(prompt.id, text): text for text in given}
        unknown = [ident for ident in wanted if ident not in self._known]
        if not self._fetched.keys() >= set(unknown):
            self.fetch(unknown)
        for ident in unknown:
            raw = self._fetched.get(RequestId(ident))
            text = None if raw is None else read_text(raw)
            if text is None:
                raise LedgerError(f"the ledger holds no text for completion {ident} of prompt {prompt.id}")
            self._known[ident] = text
        return [self._known[ident] for ident in wanted]

    def of_sides(self, prompt: Prompt, *sides: StoredSide) -> list[str]:
        """The text of each side of a pair: of a reply the span that is recorded."""
        texts = self.of(prompt, [side["completion"] for side in sides])
        return [text[slice(*side["span"])] if side["span"] else text for text, side in zip(texts, sides, strict=True)]


def text_of(prompt: Prompt, side: StoredSide, ledger: Ledger) -> str:
    """The text of one side, read again from what is stored.

    Raises:
        LedgerError: the ledger holds no such text.
    """
    return Texts(ledger).of_sides(prompt, side)[0]


def _side(side: StoredSide, arms: Mapping[str, StoredArm]) -> dict[str, Json]:
    """A side, with how it was sampled beside its arm's name; a given candidate was not."""
    arm = cast(dict[str, Json], arms.get(side["arm"], {}))
    sampled: dict[str, Json] = {key: arm[key] for key in ("persona", "requested", "effective") if key in arm}
    return {"completion": side["completion"], "arm": side["arm"], **sampled, **cast(dict[str, Json], side)}
