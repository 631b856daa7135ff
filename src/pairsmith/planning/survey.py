"""Counts a prompt file exactly, and keeps prompts of it, spread over the whole, to be rehearsed. Called by cli/plan.py.

Memory holds the ids of the prompts, and those that are kept.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from pairsmith import collect
from pairsmith.collect import BadRow, Row
from pairsmith.collect.settings import PromptSettings
from pairsmith.errors import InputError
from pairsmith.judge.noise import PROMPTS
from pairsmith.records import Prompt, PromptId

KEPT = 120  # prompts of each part: enough for the mean of their tokens within a few per cent


@dataclass(slots=True)
class Part:
    """Prompts that are alike in what they still owe: how many there are, and some of them, drawn by their ids."""

    count: int = 0
    ids: list[PromptId] = field(default_factory=list)  # the smallest, ascending: ids are hashes, so any are as good
    kept: dict[PromptId, Prompt] = field(default_factory=dict)

    def add(self, prompt: Prompt) -> None:
        """Count it, and keep it if it is one of the smallest."""
        self.count += 1
        if len(self.ids) == KEPT and prompt.id > self.ids[-1]:
            return
        insort(self.ids, prompt.id)
        self.kept[prompt.id] = prompt
        if len(self.ids) > KEPT:
            del self.kept[self.ids.pop()]

    @property
    def weight(self) -> float:
        """For how many prompts each of those kept stands."""
        return self.count / len(self.kept) if self.kept else 0.0


@dataclass(frozen=True, slots=True)
class Survey:
    """An input, counted. The first prompts may be measured (measuring.py), so they are a part of their own."""

    prompts: int
    duplicates: int
    skipped: int
    settled: tuple[Part, ...]
    owed: tuple[Part, ...]
    near_duplicates: int = 0
    contaminated: int = 0


def survey(rows: Iterable[Row | BadRow], settings: PromptSettings, finished: Collection[PromptId]) -> Survey:
    """Read an input as a run would.

    Args:
        rows: of all its files, in order.
        settings: the recipe's [prompts]: where to stop, and what a bad row means.
        finished: prompts that owe nothing any more.

    Raises:
        InputError: a bad row, unless they are skipped; or no prompt at all.
    """
    seen: set[str] = set()
    kept: dict[str, PromptId] = {}  # of what is seen: the prompts that are kept, or were for a while
    equal_id = (lambda prompt: prompt.id) if settings.dedupe == "off" else collect.equal_id
    parts: dict[tuple[bool, bool], Part] = {(done, first): Part() for done in (True, False) for first in (True, False)}
    duplicates = skipped = 0
    for row in rows:
        if isinstance(row, BadRow):
            if not settings.skip_bad:
                raise InputError(str(row))
            skipped += 1
        elif (equal := equal_id(row.prompt)) in seen:
            duplicates += 1
            _unite(parts.values(), kept.get(equal), row.prompt)
        else:
            prompt = replace(row.prompt, ordinal=len(seen))
            seen.add(equal)
            part = parts[prompt.id in finished, prompt.ordinal < PROMPTS]
            part.add(prompt)
            if prompt.id in part.kept:
                kept[equal] = prompt.id
        if len(seen) == settings.limit:
            break
    if not seen:
        raise InputError("there are no prompts in the input: write one a line")
    settled, owed = (tuple(parts[done, first] for first in (True, False)) for done in (True, False))
    return Survey(len(seen), duplicates, skipped, settled, owed)


def _unite(parts: Iterable[Part], first: PromptId | None, prompt: Prompt) -> None:
    """A repeated prompt may bring further candidates."""
    for part in parts:
        if first in part.kept:
            part.kept[first] = collect.unite_equal(part.kept[first], prompt)
