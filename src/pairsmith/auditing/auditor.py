"""Holds dataset files against the rows that a run's ledger gives, line by line. Called by the command line.

Memory holds a few hashes a pair and none of the texts; rows that are none of these are read again to be examined.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import orjson

from pairsmith.auditing.evidence import Evidence
from pairsmith.auditing.examining import examine
from pairsmith.auditing.expected import Expected, Suspect, hashed, proof_of, untrue
from pairsmith.auditing.findings import Audit, Problem
from pairsmith.dataset import Projection
from pairsmith.export.parts import parts_of
from pairsmith.export.reading import JsonObject, read_line
from pairsmith.export.split import TRAIN, VALIDATION, Part
from pairsmith.export.targets import TARGETS
from pairsmith.ledger import Ledger, Settled
from pairsmith.outcomes import StoredPair
from pairsmith.pairing import Pairing
from pairsmith.records import Json, Prompt, PromptId

# What a provenance says of a proof, where it leaves something out.
Shown: TypeAlias = Callable[[Mapping[str, Any]], Mapping[str, Any]]


@dataclass(slots=True)
class Read:
    """One file as it was read: its proven rows by line and number, and what its provenance says."""

    part: Part
    shown: Shown = dict
    lines: int = 0
    proofs: dict[int, int] = field(default_factory=dict)  # of each proof its line
    told: set[int] = field(default_factory=set)  # all that each of its lines says
    offsets: array[int] = field(default_factory=lambda: array("Q"))  # where each of its lines begins
    proof_lines: int | None = None  # None: there is no provenance
    rows: list[tuple[int, int]] = field(default_factory=list)


class Auditor:
    """Holds files against one run folder.

    Args:
        ledger: the run folder's.
        digest: of the work whose outcomes were written.
        pairing: how they were settled, for these files.
        projection: how they became rows.
        own: whether that is how the run itself settled them: then its stored pairs have to be the same.
        logprobs: whether scores were read from the probabilities of their numbers.
    """

    def __init__(
        self, ledger: Ledger, digest: str, pairing: Pairing, projection: Projection, own: bool, logprobs: bool
    ) -> None:
        self.ledger = ledger
        self.digest = digest
        self.projection = projection
        self.evidence = Evidence(ledger, digest, pairing, logprobs, own)
        self.layout = TARGETS[projection.settings.target].layout
        self.expected: list[Expected] = []
        self.suspects: list[Suspect] = []
        self.audit = Audit()
        self._by_row: dict[int, int | list[int]] = {}
        self._files: dict[str, Read] = {}

    # --- what there has to be ---------------------------------------------------------------------

    def expect(self) -> None:
        """Settle the whole run again, and remember which rows that gives."""
        audit, evidence = self.audit, self.evidence
        for prompt, settled in evidence.settled():
            audit.kinds[settled.kind] += 1
            if settled.kind == "abstained":
                audit.abstained[settled.reason or ""] += 1
            for place, pair in enumerate(self.pairs(prompt, settled)):
                self._expect(prompt, place, pair, settled.body)
        for doubts in evidence.doubts.values():
            audit.problems += [Problem("", 0, one.found, one.name) for one in doubts]
        audit.verdicts, audit.replies = evidence.verdicts, evidence.replies

    def pairs(self, prompt: Prompt, settled: Settled) -> list[StoredPair | str]:
        """The pairs of a settled prompt as people's reviews leave them, or the reason why one is taken away."""
        return self.projection.reviewing.pairs(prompt, settled) if settled.kind != "failed" else []

    def _expect(self, prompt: Prompt, place: int, pair: StoredPair | str, body: Mapping[str, Json]) -> None:
        self.audit.pairs += 1
        rows = self.projection.rows(prompt, pair, self.evidence.texts)
        if isinstance(rows, str):
            self.audit.left_out[rows] += 1
            return
        assert not isinstance(pair, str)
        proofs = self.projection.proofs(prompt, pair, body)
        for nth, (row, proof) in enumerate(zip(rows, proofs, strict=True)):
            parts = parts_of(row, self.layout)
            hashes = hashed(row), hashed(parts.asked), hashed(parts.chosen), hashed(parts.rejected)
            named = proof_of(orjson.loads(orjson.dumps(proof)))
            rule = str(pair["provenance"].get("rule", ""))
            number = len(self.expected)
            self.expected.append(Expected(prompt.id, place, nth, self.projection.part(prompt), *hashes, *named, rule))
            known = self._by_row.setdefault(hashes[0], number)
            if known != number:  # prompts may differ in what no row shows, such as their references
                self._by_row[hashes[0]] = [*(known if isinstance(known, list) else [known]), number]

    # --- what there is ----------------------------------------------------------------------------

    def read(self, name: str, stream: BinaryIO, proofs: BinaryIO | None, part: Part, shown: Shown = dict) -> None:
        """Hold one file against what there has to be.

        Args:
            name: of the file, for messages.
            stream: its rows; it stays open until `account`.
            proofs: its provenance; None: there is none.
            part: the part of the run that it holds.
            shown: what its provenance says of a proof; all of it, but in a dataset folder.
        """
        read = self._files[name] = Read(part, shown)
        if proofs is not None:
            _tell(read, proofs)
        offset = 0
        for body in stream:
            read.lines += 1
            self._line(read, body, Suspect(name, read.lines, stream, offset), proofs)
            offset += len(body)
        self.audit.rows += read.lines
        if not read.lines:
            self.audit.wrong(name, 0, "the file is empty")

    def _line(self, read: Read, body: bytes, here: Suspect, proofs: BinaryIO | None) -> None:
        name = here.file
        row, findings = read_line(body) if body.strip() else (None, [])
        if row is None or findings:
            self.audit.wrong(name, read.lines, f"the row {findings[0].found if findings else 'is blank'}")
            return
        known = self._by_row.get(hashed(row))
        if known is None:
            self.suspects.append(here)
            return
        numbers = known if isinstance(known, list) else [known]
        number = next((one for one in numbers if not self.expected[one].seen), None)
        if number is None:
            self.audit.wrong(name, read.lines, f"is the same row as {self.expected[numbers[0]].seen}")
            return
        self.expected[number].seen = f"{name}, line {read.lines}"
        if (said := self._unproven(number, read, proofs)) is not None:
            self.audit.wrong(name, read.lines, said, self.named(self.expected[number].prompt))
            return
        read.rows.append((read.lines, number))

    def _unproven(self, number: int, read: Read, proofs: BinaryIO | None) -> str | None:
        """Why a row that is as it has to be is not proven all the same; None: it is."""
        expected = self.expected[number]
        if doubts := self.evidence.doubts.get(expected.prompt):
            return f"is as it was exported, but what it rests on does not hold: {doubts[0].found}"
        if self.projection.parts is not None and expected.part != read.part:
            return f"belongs into the other file, for {expected.part}"
        if proofs is None:
            return None
        if expected.proof not in read.proofs:
            return "no line of the provenance names this prompt, these completions and this gap"
        return None if expected.told in read.told else self._untrue(expected, read, proofs)

    def _untrue(self, expected: Expected, read: Read, proofs: BinaryIO) -> str | None:
        """What a row's line of the provenance says that the ledger does not."""
        line = read.proofs[expected.proof]
        proofs.seek(read.offsets[line - 1])
        told = orjson.loads(proofs.readline())
        prompt = self.ledger.listed(expected.prompt)
        assert prompt is not None
        settled = self.evidence.of(prompt)
        pair = self.pairs(prompt, settled)[expected.place]
        assert not isinstance(pair, str)
        wanted = self.projection.proofs(prompt, pair, settled.body)[expected.nth]
        key = untrue(read.shown(told), read.shown(orjson.loads(orjson.dumps(wanted))))
        return None if key is None else f"line {line} of the provenance says something else than the ledger in {key}"

    def named(self, ident: PromptId) -> str:
        """A prompt by its row's own id, where it has one."""
        prompt = self.ledger.listed(ident)
        return (prompt.source_id if prompt else None) or ident

    # --- the account --------------------------------------------------------------------------------

    def account(self) -> Audit:
        """Once all files are read: examine what is none of their rows, and name the rows that stand in no file."""
        for name, read in self._files.items():
            self._in_order(name, read)
        examine(self)
        expected = {one.proof for one in self.expected}
        for name, read in self._files.items():
            more = (read.proof_lines or 0) - len(read.proofs.keys() & expected)
            if more:
                said = f"its provenance has {more:,} lines that prove none of the run's pairs, or one a second time"
                self.audit.wrong(name, 0, said)
        self._missing()
        self.audit.problems.sort(key=self._where)
        return self.audit

    def _in_order(self, name: str, read: Read) -> None:
        """Book the proven rows, but for those that stand elsewhere than their proofs do, among those of proven rows."""
        told = [read.proofs.get(self.expected[number].proof, line) for line, number in read.rows]
        for (line, number), at, wanted in zip(read.rows, told, sorted(told), strict=True):
            if at == wanted:
                self.audit.proven += 1
                self.audit.texts += 1 if self.layout.one_sided else 2
                self.audit.rules[self.expected[number].rule] += 1
            else:
                said = f"its proof is line {at} of the provenance: rows and provenance are not in one order"
                self.audit.wrong(name, line, said, self.named(self.expected[number].prompt))

    def _missing(self) -> None:
        audit, parts = self.audit, {read.part for read in self._files.values()}
        wanted = [one for one in self.expected if self.projection.parts is None or one.part in parts]
        missing = [one for one in wanted if not one.seen]
        audit.missing = len(missing)
        if not missing:
            return
        whole = all(read.proof_lines == read.lines for read in self._files.values())
        at_end = all(one.seen for one in wanted[: len(wanted) - len(missing)])
        if whole and at_end and not audit.problems:
            audit.notes.append(
                f"the last {len(missing):,} of {len(wanted):,} pairs are not in it, nor in its provenance: written so "
                "with --limit or --target-pairs"
            )
            return
        for one in missing:
            name, read = next((item for item in self._files.items() if one.proof in item[1].proofs), self._of(one))
            at = read.proofs.get(one.proof)
            told = f"; line {at} of the provenance proves it" if at else ""
            audit.wrong(name, 0, f"the run's pair of this prompt is missing{told}", self.named(one.prompt))

    def _of(self, expected: Expected) -> tuple[str, Read]:
        """The file that a row belongs into."""
        files = list(self._files.items())
        return next((item for item in files if item[1].part == expected.part), files[0])

    def _where(self, one: Problem) -> tuple[int, bool, int]:
        """The ledger first, then the files as they were named: their lines, and what is said of the file at last."""
        return [*self._files].index(one.file) if one.file else -1, one.line == 0, one.line


def layout_target(row: JsonObject, preferred: str) -> str | None:
    """The target whose keys a row has, the preferred one if it has its; None: it has nobody's."""
    names = [
        name
        for name, target in TARGETS.items()
        if set(target.layout.keys) <= row.keys() <= {*target.layout.keys, *target.layout.optional}
    ]
    return preferred if preferred in names else next(iter(names), None)


def part_of(path: Path) -> Part:
    """Which part a file holds, by its name."""
    return VALIDATION if path.stem.split(".")[-1] == VALIDATION else TRAIN


def _tell(read: Read, proofs: BinaryIO) -> None:
    """What a provenance file says: by what each line names the line, all that they say, and how many lines it has."""
    lines, offset = 0, 0
    for lines, body in enumerate(proofs, 1):
        read.offsets.append(offset)
        offset += len(body)
        try:
            proof, whole = proof_of(orjson.loads(body))
        except (orjson.JSONDecodeError, KeyError, TypeError):
            continue  # the row that it should prove says so
        read.proofs.setdefault(proof, lines)
        read.told.add(whole)
    read.proof_lines = lines
