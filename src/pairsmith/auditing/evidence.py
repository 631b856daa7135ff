"""The stored evidence, taken at nobody's word: prompts by their ids, verdicts by their replies, pairs settled again.

What does not hold is a doubt, by prompt: no row of that prompt is proven. Called by auditor.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from pairsmith.dataset import Texts
from pairsmith.errors import LedgerError
from pairsmith.ledger import Ledger, Settled
from pairsmith.outcomes import StoredPair, pairs_in, usable_ids
from pairsmith.pairing import Pairing
from pairsmith.records import Prompt, PromptId, prompt_id
from pairsmith.repairing import paired_again
from pairsmith.rereading import Rereading

CHUNK = 64  # prompts whose replies are read at a time


@dataclass(frozen=True, slots=True)
class Doubt:
    """What of the evidence on one prompt does not hold; `name` is its row's own id, or its content id."""

    name: str
    found: str


@dataclass(slots=True)
class Evidence:
    """What the ledger of a run really gives.

    Args:
        ledger: the run folder's.
        digest: of the work whose outcomes these are.
        pairing: how they are settled.
        logprobs: whether scores were read from the probabilities of their numbers.
        own: whether that is how the run itself settled them: then its stored pairs have to be the same.
    """

    ledger: Ledger
    digest: str
    pairing: Pairing
    logprobs: bool
    own: bool
    texts: Texts = field(init=False)
    doubts: dict[PromptId, list[Doubt]] = field(default_factory=dict)
    verdicts: int = 0
    replies: int = 0

    def __post_init__(self) -> None:
        self.texts = Texts(self.ledger)

    def settled(self) -> Iterator[tuple[Prompt, Settled]]:
        """Every settled prompt of the current input, settled again; its pairs are those of `pairs_of`."""
        rest = self.ledger.outcomes(self.digest)
        while chunk := list(islice(rest, CHUNK)):
            reading = Rereading(self.ledger, self.pairing.judges, self.logprobs)
            reread = list(reading.outcomes(chunk))
            self.verdicts, self.replies = self.verdicts + reading.verdicts, self.replies + reading.replies
            for prompt, sentence in reading.problems:
                self.doubt(prompt, sentence)
            for (_, stored), (prompt, again) in zip(chunk, self._again(reread), strict=True):
                yield prompt, self._held(prompt, stored, again)

    def of(self, prompt: Prompt) -> Settled:
        """ONE prompt of those that are settled, once more."""
        stored = self.ledger.outcome(prompt.id, self.digest)
        assert stored is not None
        reading = Rereading(self.ledger, self.pairing.judges, self.logprobs)
        return self._alone(*next(reading.outcomes([(prompt, stored)])))[1]

    def doubt(self, prompt: Prompt, sentence: str) -> None:
        """Something about this prompt does not hold."""
        self.doubts.setdefault(prompt.id, []).append(Doubt(prompt.source_id or prompt.id, sentence))

    def _again(self, reread: list[tuple[Prompt, Settled]]) -> Iterator[tuple[Prompt, Settled]]:
        """All of a chunk together; where a text of it cannot be read, each alone from there on."""
        done = 0
        try:
            for prompt, (again,) in paired_again(reread, [self.pairing], self.texts):
                yield prompt, again
                done += 1
        except LedgerError:
            for prompt, settled in reread[done:]:
                yield self._alone(prompt, settled)

    def _alone(self, prompt: Prompt, settled: Settled) -> tuple[Prompt, Settled]:
        try:
            self.texts.of(prompt, usable_ids(settled.body))
        except LedgerError as exc:
            self.doubt(prompt, str(exc))
            return prompt, replace(settled, body={})
        return next((same, found[0]) for same, found in paired_again([(prompt, settled)], [self.pairing], self.texts))

    def _held(self, prompt: Prompt, stored: Settled, again: Settled) -> Settled:
        """The same, held against what the ledger keeps; an abstention that stays one keeps its reason."""
        if prompt_id(prompt.messages, prompt.tools, prompt.reference, prompt.system) != prompt.id:
            self.doubt(prompt, "the stored prompt is not the one that its id names")
        if not self.own or not again.body:
            return again
        kept, found = pairs_of(stored), pairs_of(again)
        if list(map(_couple, kept)) != list(map(_couple, found)):
            self.doubt(prompt, _unlike(kept, found, again))
        return replace(again, reason=stored.reason) if again.kind == stored.kind else again


def pairs_of(settled: Settled) -> list[StoredPair]:
    """The pairs of a prompt that has any; one that failed has none, whatever else is kept of it."""
    return pairs_in(settled.body) if settled.kind == "pair" else []


def _couple(pair: StoredPair) -> tuple[str, str, float | None]:
    return pair["chosen"]["completion"], pair["rejected"]["completion"], pair["gap"]


def _unlike(kept: list[StoredPair], found: list[StoredPair], settled: Settled) -> str:
    again = _told(found[0]) if found else f"{settled.kind} {settled.reason}"
    before = _told(kept[0]) if kept else "no pair"
    return f"its verdicts, settled again, give {again}, and the ledger keeps {before}"


def _told(pair: StoredPair) -> str:
    gap = "" if pair["gap"] is None else f" by {pair['gap']:g} points"
    return f"chosen {pair['chosen']['completion']} over {pair['rejected']['completion']}{gap}"
