"""Proves dataset files from a run's ledger: which rows there have to be, and what is wrong with each that differs.

Verdicts are re-read from the judges' replies, prompts settled again, rows made again; a row that is equal to the one
that there has to be is proven, every other is examined. Memory holds a few hashes a pair. Called by the command line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO, cast

import orjson

from pairsmith.dataset import Projection, Texts
from pairsmith.export.reading import JsonObject, read_line
from pairsmith.export.split import TRAIN, Part
from pairsmith.export.targets import TARGETS, Layout
from pairsmith.ledger import Ledger, Settled
from pairsmith.outcomes import StoredPair, pairs_in, usable_ids
from pairsmith.pairing import Pairing
from pairsmith.records import CompletionId, Prompt, PromptId
from pairsmith.repairing import paired_again
from pairsmith.rereading import Rereading

SNIPPET = 24  # bytes shown of a difference


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong; `line` 0: with the file, or with the ledger where `file` is ""."""

    file: str
    line: int
    found: str
    prompt: str = ""  # the prompt's own id, or its content id

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}" if self.line else self.file or "the ledger"
        about = f" (prompt {self.prompt})" if self.prompt else ""
        return f"{where}{about}: {self.found}"


@dataclass(slots=True)
class Expected:
    """One row that there has to be, by hashes of its parts."""

    prompt: PromptId
    place: int  # among the pairs of its prompt
    part: Part
    row: int
    asked: int
    chosen: int
    rejected: int
    sides: tuple[CompletionId, CompletionId]
    gap: float | None
    rule: str
    seen: str = ""  # where it stands: "FILE, line N"


@dataclass(slots=True)
class Audit:
    """What an audit found. `rules`: proven rows by what they rest on. `missing`: rows that stand in no file."""

    rows: int = 0
    proven: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rules: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)  # of settled prompts
    abstained: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    pairs: int = 0
    missing: int = 0
    verdicts: int = 0
    replies: int = 0


class _Told:
    """What a provenance file says: by prompt, completions and gap the line that says it."""

    def __init__(self, stream: BinaryIO) -> None:
        self.proofs: dict[tuple[Any, ...], int] = {}
        self.lines = 0
        for self.lines, body in enumerate(stream, 1):
            try:
                row: Any = orjson.loads(body)
                proof = (row["prompt_id"], row["chosen"]["completion"], row["rejected"]["completion"], row["gap"])
            except (orjson.JSONDecodeError, KeyError, TypeError):
                continue  # the row that it should prove says so
            self.proofs[proof] = self.lines


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
        self._ledger = ledger
        self._digest = digest
        self._pairing = pairing
        self._projection = projection
        self._own = own
        self._texts = Texts(ledger)
        self._reading = Rereading(ledger, pairing.judges, logprobs)
        self._layout = TARGETS[projection.settings.target].layout
        self.expected: list[Expected] = []
        self.audit = Audit()
        self._by_row: dict[int, int] = {}
        self._by_asked: dict[int, list[int]] = {}
        self._by_answers: dict[tuple[int, int], int] = {}
        self._unpaired: dict[int, tuple[PromptId, str]] | None = None

    # --- what there has to be ---------------------------------------------------------------------

    def expect(self) -> None:
        """Settle the whole run again, and remember which rows that gives."""
        audit = self.audit
        stored: dict[PromptId, list[tuple[CompletionId, CompletionId]]] = {}
        outcomes = self._noted(self._ledger.outcomes(self._digest), stored)
        for prompt, (settled,) in paired_again(self._reading.outcomes(outcomes), [self._pairing], self._texts):
            audit.kinds[settled.kind] += 1
            if settled.kind == "abstained":
                audit.abstained[settled.reason or ""] += 1
            found = pairs_in(settled.body)
            if self._own and (kept := stored.pop(prompt.id, [])) != _sides(found):
                self._problem(prompt, _unlike(kept, found, settled))
            for place, pair in enumerate(found):
                self._expect(prompt, place, pair)
        for prompt, sentence in self._reading.problems:
            self._problem(prompt, sentence)
        audit.verdicts, audit.replies = self._reading.verdicts, len(self._reading.replies)

    def _noted(
        self,
        outcomes: Iterable[tuple[Prompt, Settled]],
        stored: dict[PromptId, list[tuple[CompletionId, CompletionId]]],
    ) -> Iterator[tuple[Prompt, Settled]]:
        for prompt, settled in outcomes:
            if self._own:
                stored[prompt.id] = _sides(pairs_in(settled.body))
            yield prompt, settled

    def _expect(self, prompt: Prompt, place: int, pair: StoredPair) -> None:
        self.audit.pairs += 1
        row = self._projection.row(prompt, pair, self._texts)
        if isinstance(row, str):
            self.audit.left_out[row] += 1
            return
        asked, chosen, rejected = parts_of(cast(JsonObject, row), self._layout)
        rule = str(pair["provenance"].get("rule", ""))
        part = self._projection.part(prompt)
        hashes = _hash(row), _hash(asked), _hash(chosen), _hash(rejected)
        found = Expected(prompt.id, place, part, *hashes, _sides([pair])[0], pair["gap"], rule)
        number = len(self.expected)
        self.expected.append(found)
        self._by_row[found.row] = number
        self._by_asked.setdefault(found.asked, []).append(number)
        self._by_answers[found.chosen, found.rejected] = number

    def _problem(self, prompt: Prompt, sentence: str) -> None:
        self.audit.problems.append(Problem("", 0, sentence, prompt.source_id or prompt.id))

    # --- what there is ----------------------------------------------------------------------------

    def read(self, name: str, stream: BinaryIO, proofs: BinaryIO | None, part: Part) -> tuple[int, int | None]:
        """Hold one file against what there has to be; how many lines it has, and its provenance (None: none).

        Args:
            name: of the file, for messages.
            stream: its rows.
            proofs: its provenance; None: there is none.
            part: the part of the run that it holds.
        """
        line, shifted = 0, 0
        told = None if proofs is None else _Told(proofs)
        for line, body in enumerate(stream, 1):
            self.audit.rows += 1
            row, findings = read_line(body) if body.strip() else (None, [])
            if row is None or findings:
                self._wrong(name, line, f"the row {findings[0].found if findings else 'is blank'}")
                continue
            number = self._row(name, line, row)
            if number is not None and self._proven(name, line, number, part, told):
                shifted = shifted or line
        if shifted:
            said = f"rows and provenance are not in one order from line {shifted} on"
            self._wrong(name, 0, said)
        if not line:
            self._wrong(name, 0, "the file is empty")
        return line, told.lines if told else None

    def _wrong(self, name: str, line: int, found: str, prompt: str = "") -> None:
        self.audit.problems.append(Problem(name, line, found, prompt))

    def _row(self, name: str, line: int, row: JsonObject) -> int | None:
        """The number of the expected row that this one is; None, with a problem, where it is none."""
        number = self._by_row.get(_hash(row))
        here = f"{name}, line {line}"
        if number is None:
            self._examined(name, line, row)
            return None
        expected = self.expected[number]
        if expected.seen:
            self._wrong(name, line, f"is the same row as {expected.seen}")
            return None
        expected.seen = here
        return number

    def _proven(self, name: str, line: int, number: int, part: Part, told: _Told | None) -> bool:
        """Book a row that is as it has to be; whether its line of the provenance is another one."""
        expected = self.expected[number]
        if self._projection.parts is not None and expected.part != part:
            self._wrong(name, line, f"belongs into the other file, for {expected.part}", self._named(expected.prompt))
            return False
        proof = (expected.prompt, *expected.sides, expected.gap)
        if told is not None and proof not in told.proofs:
            said = "no line of the provenance names this prompt, these completions and this gap"
            self._wrong(name, line, said, self._named(expected.prompt))
            return False
        self.audit.proven += 1
        self.audit.rules[expected.rule] += 1
        return told is not None and told.proofs[proof] != line

    def _named(self, ident: PromptId) -> str:
        """A prompt by its row's own id, where it has one."""
        prompt = self._ledger.prompt(ident)
        return (prompt.source_id if prompt else None) or ident

    def _pair(self, number: int) -> tuple[Prompt, StoredPair]:
        """An expected pair, settled once more."""
        expected = self.expected[number]
        prompt = self._ledger.find(expected.prompt)[0]
        settled = self._ledger.outcome(prompt.id, self._digest)
        assert settled is not None
        reading = Rereading(self._ledger, self._pairing.judges, self._reading.logprobs)
        again = paired_again(reading.outcomes([(prompt, settled)]), [self._pairing], self._texts)
        return prompt, pairs_in(next(again)[1][0].body)[expected.place]

    # --- what is wrong with a row -----------------------------------------------------------------

    def _examined(self, name: str, line: int, row: JsonObject) -> None:
        """Find out what a row should have been, and where it differs."""
        layout = self._layout
        if not all(key in row for key in layout.keys):
            missing = next(key for key in layout.keys if key not in row)
            self._wrong(name, line, f"has no {missing}: it is no row for {self._projection.settings.target}")
            return
        asked, chosen, rejected = parts_of(row, layout)
        numbers = [n for n in self._by_asked.get(_hash(asked), []) if not self.expected[n].seen]
        numbers = numbers or self._by_asked.get(_hash(asked), [])
        answers = self._by_answers.get((_hash(chosen), _hash(rejected)))
        if numbers:
            self._unlike(name, line, row, numbers[0])
        elif answers is not None:
            self._unlike(name, line, row, answers)
        else:
            self._wrong(name, line, *self._foreign(asked, chosen, rejected))

    def _unlike(self, name: str, line: int, row: JsonObject, number: int) -> None:
        """A row whose prompt, or whose answers, are those of this expected one."""
        expected, layout = self.expected[number], self._layout
        prompt, pair = self._pair(number)
        made = cast(JsonObject, self._projection.row(prompt, pair, self._texts))
        who = prompt.source_id or prompt.id
        first = expected.seen
        expected.seen = expected.seen or f"{name}, line {line}"
        asked, chosen, rejected = parts_of(row, layout)
        if (_hash(chosen), _hash(rejected)) == (expected.rejected, expected.chosen):
            self._wrong(name, line, "the two answers are swapped: the chosen one is the rejected one of this pair", who)
            return
        again = f"; {first} is this prompt's pair already" if first else ""
        for side, found in ((layout.chosen, chosen), (layout.rejected, rejected)):
            wanted = parts_of(made, layout)[1 if side == layout.chosen else 2]
            if found != wanted:
                self._wrong(name, line, f"{side} {self._other_text(found, wanted, prompt)}{again}", who)
                return
        if _hash(asked) != expected.asked:
            self._wrong(name, line, f"{layout.prompt} {_difference(asked, parts_of(made, layout)[0])}{again}", who)
            return
        extra = ", ".join(key for key in row if row.get(key) != made.get(key))
        self._wrong(name, line, f"differs from the exported row in {extra or 'its keys'}{again}", who)

    def _other_text(self, found: object, wanted: object, prompt: Prompt) -> str:
        """What a text is that is not the one of this side."""
        settled = self._ledger.outcome(prompt.id, self._digest)
        ids = usable_ids(settled.body) if settled else []
        for ident, text in zip(ids, self._texts.of(prompt, ids), strict=True):
            if text and text in _texts_in(found):
                return f"is another completion of this prompt ({ident}), not the one that the verdicts choose"
        return _difference(found, wanted)

    def _foreign(self, asked: object, chosen: object, rejected: object) -> tuple[str, str]:
        """Of a row that is none of this run's pairs: why, and the prompt, where it is one of this run's."""
        known = self._without_pair().get(_hash(asked))
        if known is None:
            return "neither its prompt nor its answers are of this run", ""
        ident, why = known
        return f"its prompt has no pair in this run: {why}", self._named(ident)

    def _without_pair(self) -> dict[int, tuple[PromptId, str]]:
        """The prompts that no row is expected of, and why; made when the first such row turns up."""
        if self._unpaired is None:
            paired = {one.prompt for one in self.expected}
            self._unpaired = {}
            for prompt in self._ledger.prompts():
                if prompt.id not in paired:
                    settled = self._ledger.outcome(prompt.id, self._digest)
                    why = (
                        "it is not reached yet" if settled is None else f"{settled.kind} {settled.reason or ''}".strip()
                    )
                    self._unpaired[_hash(self._asked(prompt))] = (prompt.id, why)
        return self._unpaired

    def _asked(self, prompt: Prompt) -> object:
        """The prompt as a row would hold it."""
        from pairsmith.export.formats import ROWS, system_text

        row = ROWS[self._projection.settings.target](prompt, "a", "b", system_text(None, prompt.system))
        return parts_of(cast(JsonObject, row), self._layout)[0]

    # --- the account --------------------------------------------------------------------------------

    def account(self, parts: Sequence[Part], lines: Mapping[str, tuple[int, int | None]]) -> None:
        """Name the rows that stand in no file.

        Args:
            parts: those that the files hold.
            lines: by file, its rows and the lines of its provenance (None: it has none).
        """
        audit = self.audit
        wanted = [one for one in self.expected if self._projection.parts is None or one.part in parts]
        missing = [one for one in wanted if not one.seen]
        audit.missing = len(missing)
        if not missing:
            return
        whole = all(proofs == rows for rows, proofs in lines.values())
        at_end = all(one.seen for one in wanted[: len(wanted) - len(missing)])
        if whole and at_end and not audit.problems:
            audit.notes.append(
                f"the last {len(missing):,} of {len(wanted):,} pairs are not in it, nor in its provenance: written so "
                "with --limit or --target-pairs"
            )
            return
        for one in missing:
            self._wrong(next(iter(lines)), 0, "the run's pair of this prompt is missing", self._named(one.prompt))


def parts_of(row: JsonObject, layout: Layout) -> tuple[object, object, object]:
    """What was asked, the chosen answer and the rejected one, as they stand in a row."""
    return row.get(layout.prompt), row.get(layout.chosen), row.get(layout.rejected)


def layout_target(row: JsonObject, preferred: str) -> str | None:
    """The target whose keys a row has, the preferred one if it has its; None: it has nobody's."""
    names = [name for name, target in TARGETS.items() if all(key in row for key in target.layout.keys)]
    return preferred if preferred in names else next(iter(names), None)


def part_of(path: Path) -> Part:
    """Which part a file holds, by its name."""
    return "validation" if path.stem.endswith(".validation") else TRAIN


def _hash(value: object) -> int:
    digest = blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _sides(pairs: Sequence[StoredPair]) -> list[tuple[CompletionId, CompletionId]]:
    return [(pair["chosen"]["completion"], pair["rejected"]["completion"]) for pair in pairs]


def _unlike(kept: Sequence[tuple[CompletionId, CompletionId]], found: Sequence[StoredPair], settled: Settled) -> str:
    again = f"{settled.kind} {settled.reason}" if settled.kind != "pair" else f"chosen {_sides(found)[0][0]}"
    before = f"chosen {kept[0][0]}" if kept else "no pair"
    return f"its verdicts, settled again, give {again}, and the ledger keeps {before}"


def _texts_in(value: object) -> list[str]:
    turns = value if isinstance(value, list) else []
    return [str(turn.get("content")) for turn in turns if isinstance(turn, dict)]


def _difference(found: object, wanted: object) -> str:
    """Where two values first differ, in bytes of their text."""
    one, other = ("\n".join(_texts_in(value)) or _plain(value) for value in (found, wanted))
    if one == other:
        one, other = _plain(found), _plain(wanted)
    left, right = one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass")
    place = next((n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    start = max(0, place - SNIPPET // 2)
    shown, instead = (text[start : place + SNIPPET // 2].decode("utf-8", "replace") for text in (left, right))
    return f"differs from what is stored, first at byte {place + 1}: {shown!r} instead of {instead!r}"


def _plain(value: object) -> str:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
