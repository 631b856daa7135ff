"""What is wrong with rows that are none of those that there have to be: which one each should have been, and how not.

Asked once all files are read, so that no genuine row is taken for the copy of a forged one. Called by auditor.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pairsmith.auditing.expected import Expected, Suspect, hashed
from pairsmith.auditing.findings import difference, texts_in
from pairsmith.export.formats import chat_pair, system_text
from pairsmith.export.parts import Parts, parts_of
from pairsmith.export.reading import JsonObject, read_line
from pairsmith.outcomes import usable_ids
from pairsmith.records import Json, Prompt
from pairsmith.reviewing import LEFT_OUT

if TYPE_CHECKING:
    from pairsmith.auditing.auditor import Auditor

MOST_LIKE = 64  # expected rows with one answer in common that are looked at; more share a phrase


def examine(auditor: Auditor) -> None:
    """Name every suspect, and what is wrong with it."""
    if auditor.suspects:
        examining = _Examining(auditor)
        for suspect in auditor.suspects:
            suspect.stream.seek(suspect.offset)
            row, _ = read_line(suspect.stream.readline())
            assert row is not None
            for found, prompt in examining.of(suspect, row):
                auditor.audit.wrong(suspect.file, suspect.line, found, prompt)


@dataclass(slots=True)
class _Examining:
    auditor: Auditor
    by_asked: dict[int, list[int]] = field(init=False)
    by_answer: dict[int, list[int]] = field(init=False)
    unpaired: dict[int, tuple[str, str]] = field(init=False)  # by what is asked: the prompt, and why no row is expected

    def __post_init__(self) -> None:
        asked, answers = defaultdict[int, list[int]](list), defaultdict[int, list[int]](list)
        for number, one in enumerate(self.auditor.expected):
            asked[one.asked].append(number)
            for answer in (one.chosen, one.rejected):
                answers[answer].append(number)
        self.by_asked, self.by_answer = dict(asked), dict(answers)
        self.unpaired = dict(self._unpaired())

    def of(self, suspect: Suspect, row: JsonObject) -> list[tuple[str, str]]:
        """What is wrong with one row, each with its prompt where it is one of this run's."""
        layout, target = self.auditor.layout, self.auditor.projection.settings.target
        if missing := [key for key in layout.keys if key not in row]:
            return [(f"has no {missing[0]}: it is no row for {target}", "")]
        parts = parts_of(row, layout)
        hashes = hashed(parts.asked), hashed(parts.chosen), hashed(parts.rejected)
        numbers = self.by_asked.get(hashes[0]) or [
            number for answer in hashes[1:] for number in self.by_answer.get(answer, [])[:MOST_LIKE]
        ]
        if not numbers:
            name, why = self.unpaired.get(hashes[0], ("", ""))
            said = f"its prompt has no pair in this run: {why}"
            return [(said if name else "neither its prompt nor its answers are of this run", name)]
        expected = max((self.auditor.expected[n] for n in numbers), key=lambda one: _likeness(one, hashes))
        first, expected.seen = expected.seen, expected.seen or f"{suspect.file}, line {suspect.line}"
        again = f"; {first} is this prompt's pair already" if first else ""
        if hashes[1:] == (expected.rejected, expected.chosen):
            said = "the two answers are swapped: the chosen one is the rejected one of this pair"
            return [(f"{said}{again}", self.auditor.named(expected.prompt))]
        prompt, made = self._made(expected)
        return [(f"{said}{again}", prompt.source_id or prompt.id) for said in self._differing(prompt, row, parts, made)]

    def _made(self, expected: Expected) -> tuple[Prompt, JsonObject]:
        """An expected row, made once more."""
        prompt = self.auditor.ledger.listed(expected.prompt)
        assert prompt is not None
        evidence = self.auditor.evidence
        pair = self.auditor.pairs(prompt, evidence.of(prompt))[expected.place]
        assert not isinstance(pair, str)
        rows = self.auditor.projection.rows(prompt, pair, evidence.texts)
        assert not isinstance(rows, str)
        return prompt, rows[expected.nth]

    def _differing(self, prompt: Prompt, row: JsonObject, parts: Parts, made: JsonObject) -> Iterator[str]:
        layout = self.auditor.layout
        wanted = parts_of(made, layout)
        if parts == wanted and hashed(row) != hashed(made):
            strange = [key for key in row if key not in made] or [k for k in row if hashed(row[k]) != hashed(made[k])]
            yield f"differs from the exported row in {', '.join(strange)}"
        if hashed(parts.asked) != hashed(wanted.asked):
            yield f"{layout.prompt} {difference(parts.asked, wanted.asked)}"
        for side, found, stored in (
            (layout.chosen, parts.chosen, wanted.chosen),
            (layout.rejected, parts.rejected, wanted.rejected),
        ):
            if hashed(found) != hashed(stored):
                yield f"{side} {self._other_text(prompt, found) or difference(found, stored)}"

    def _other_text(self, prompt: Prompt, found: Json) -> str | None:
        """Which other answer of the prompt a side holds; None: none of them."""
        settled = self.auditor.ledger.outcome(prompt.id, self.auditor.digest)
        ids, said = usable_ids(settled.body) if settled else [], texts_in(found)
        for ident, text in zip(ids, self.auditor.evidence.texts.of(prompt, ids), strict=True):
            if text and text in said:
                return f"is another completion of this prompt ({ident}), not the one that the verdicts choose"
        return None

    def _unpaired(self) -> Iterator[tuple[int, tuple[str, str]]]:
        """The prompts that no row is expected of."""
        auditor = self.auditor
        paired = {one.prompt for one in auditor.expected}
        for prompt in auditor.ledger.prompts():
            if prompt.id not in paired:
                for asked in self._asked(prompt):
                    yield hashed(asked), (prompt.source_id or prompt.id, self._why(prompt))

    def _why(self, prompt: Prompt) -> str:
        settled = self.auditor.ledger.outcome(prompt.id, self.auditor.digest)
        if settled is None:
            return "it is not reached yet"
        if doubts := self.auditor.evidence.doubts.get(prompt.id):
            return doubts[0].found
        if settled.kind != "pair":
            return f"{settled.kind} {settled.reason or ''}".strip()
        taken = [one for one in self.auditor.pairs(prompt, settled) if isinstance(one, str)]
        return LEFT_OUT[taken[0]] if taken else "its target takes none"

    def _asked(self, prompt: Prompt) -> Iterator[Json]:
        """The prompt as a row would hold it, with each persona that may stand before it."""
        projection = self.auditor.projection
        kept = [arm.get("system") for arm in projection.arms.values()] if projection.settings.system == "keep" else []
        for persona in dict.fromkeys([*kept, projection.replacement]):
            pair = chat_pair(prompt, "", "", system_text(persona, prompt.system))
            yield {"messages": [*pair.messages], "tools": [*pair.tools]}


def _likeness(one: Expected, hashes: tuple[int, int, int]) -> tuple[int, bool]:
    """How many parts are the same, on whichever side; then one that stands nowhere yet."""
    asked, *answers = hashes
    alike = (asked == one.asked) + sum(answer in (one.chosen, one.rejected) for answer in answers)
    return alike, not one.seen
