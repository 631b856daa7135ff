"""Writes what a run settled: the rows of a target, and at the same line of a second file what proves each row.

Reads the ledger alone; every text is read again from the stored reply. Called by the command line.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, TypedDict, cast

from pairsmith.errors import LedgerError
from pairsmith.export.formats import ROWS, Row, provenance_row, row_bytes, system_text
from pairsmith.export.rows import refused
from pairsmith.export.settings import ExportSettings
from pairsmith.export.split import TRAIN, VALIDATION, Part, Parts
from pairsmith.ledger import Ledger, Settled
from pairsmith.outcomes import StoredPair, StoredSide, pairs_in
from pairsmith.records import CompletionId, EndpointName, Json, Pair, Prompt, RequestId, candidate_id
from pairsmith.wire.faults import read_text


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: rows in all, those of them that went into the validation file, and why pairs were left out."""

    rows: int
    left_out: Mapping[str, int]
    validation: int = 0


@dataclass(slots=True)
class Sink:
    """Two open files: the rows of a target, and at the same line of the other what proves each."""

    dataset: BinaryIO
    proofs: BinaryIO
    rows: int = 0

    def write(self, row: Row, proof: Mapping[str, Json]) -> None:
        """One pair; `proof` without its line."""
        self.rows += 1
        self.dataset.write(row_bytes(row))
        self.proofs.write(row_bytes({"line": self.rows, **proof}))


@dataclass(frozen=True, slots=True)
class Projection:
    """How settled pairs become rows: the [export] table, and the text that takes the persona's place, if one does.

    `qualified`: how each judge did when it was asked what is known; None: it never was. `pair`, `export`: these tables
    as far as they differ from the defaults. `parts`: which prompts go into the validation file; None: there is none.
    """

    settings: ExportSettings
    replacement: str | None
    arms: Mapping[str, StoredArm]
    qualified: Mapping[EndpointName, str | None]
    pair: Mapping[str, Json]
    export: Mapping[str, Json]
    parts: Parts | None = None

    def part(self, prompt: Prompt) -> Part:
        """The file that the prompt's pairs go into."""
        return TRAIN if self.parts is None else self.parts.of(prompt.id)

    def row(self, prompt: Prompt, found: StoredPair, texts: Texts) -> Row | str:
        """The row of one pair, or the reason why the target cannot take it."""
        personas = {self.arms.get(found[side]["arm"], {}).get("system") for side in ("chosen", "rejected")}
        if self.settings.system == "keep" and len(personas) > 1:
            return "personas_differ"
        persona = {"strip": None, "keep": next(iter(personas))}.get(self.settings.system, self.replacement)
        chosen, rejected = texts.of_sides(prompt, found["chosen"], found["rejected"])
        row = ROWS[self.settings.target](prompt, chosen, rejected, system_text(persona, prompt.system))
        return refused(row, self.settings.target) or row

    def proof(self, prompt: Prompt, found: StoredPair, evidence: Mapping[str, Json]) -> dict[str, Json]:
        """What proves the row of this pair."""
        pair = Pair(
            prompt_id=prompt.id,
            chosen=found["chosen"]["completion"],
            rejected=found["rejected"]["completion"],
            gap=found["gap"],
            judges=tuple(found["judges"]),
            provenance=found["provenance"],
        )
        details: dict[str, Json] = {
            "verdicts": evidence["verdicts"],
            "qualified": {name: self.qualified[name] for name in found["judges"] if name in self.qualified},
            "simulated": evidence["simulated"],
            "pair": dict(self.pair),
            "export": dict(self.export),
        }
        if self.parts is not None:
            details |= {"part": self.part(prompt), "group": self.parts.groups[prompt.id]}
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
        limit: so many rows at most, the first ones that the target takes; None: all.

    Returns:
        The count of rows, and of pairs that were left out, by reason.
    """
    rows = 0
    left_out: Counter[str] = Counter()
    for prompt, found, body in _pairs(outcomes):
        if rows == limit:
            break
        row = projection.row(prompt, found, texts)
        if isinstance(row, str):
            left_out[row] += 1
            continue
        rows += 1
        sinks[projection.part(prompt)].write(row, projection.proof(prompt, found, body))
    return Exported(rows, dict(left_out), sinks[VALIDATION].rows if VALIDATION in sinks else 0)


def _pairs(outcomes: Iterable[tuple[Prompt, Settled]]) -> Iterator[tuple[Prompt, StoredPair, Mapping[str, Json]]]:
    for prompt, settled in outcomes:
        for found in pairs_in(settled.body):
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

    def fetch(self, wanted: Iterable[CompletionId]) -> None:
        """Read the replies of several prompts at once, as they will be asked for soon."""
        self._fetched = self._ledger.raw_replies([RequestId(ident) for ident in wanted])

    def of(self, prompt: Prompt, wanted: Sequence[CompletionId]) -> list[str]:
        """The stored text of each of these completions of ONE prompt: a given candidate, or a whole reply.

        Raises:
            LedgerError: the ledger holds no such text.
        """
        if self._prompt is None or self._prompt.id != prompt.id:
            self._prompt = prompt
            self._known = {candidate_id(prompt.id, one.content): one.content for one in prompt.candidates}
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
