"""Which prompts hold an item of an evaluation set: n-grams of words in common that cover more than a share of the item.

The rule is that of Tülu 3: a token of the item is covered if it stands in an n-gram that a turn of the user has too.
Every such turn of a prompt is looked at by itself; system messages and answers are not. Memory grows with the
evaluation sets alone. What becomes of short items: docs/dedupe.md. Called by intake.py and cli/collect.py.

Source: Lambert et al. 2024 (arXiv 2411.15124, 8-grams and 50 %); open-instruct, decontamination/ (November 2026).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from pairsmith.likeness import words_in
from pairsmith.records import Json, Prompt

SEED = 20261128
SHORT_WORDS = 5  # an item of fewer words is matched by a turn that says it and nothing else
OFTEN = 64  # places in the evaluation sets: a rarer n-gram is looked for first
ENOUGH = 200  # items that are compared with one turn once it is known to hold one of them

Hashes: TypeAlias = "npt.NDArray[np.uint64]"
Numbers: TypeAlias = "npt.NDArray[np.int64]"


@dataclass(frozen=True, slots=True)
class Item:
    """One item of an evaluation set, and where it stands: the file as it was named, its line (or row)."""

    text: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Match:
    """A turn of a prompt that holds an item; `share` of the item's words are covered by n-grams of `n` words."""

    text: str
    item: Item
    share: float
    n: int

    def listed(self, prompt: Prompt, file: str, line: int) -> dict[str, Json]:
        """As it is listed, with both texts and where each stands."""
        return {
            "id": prompt.source_id or prompt.id,
            "file": file,
            "line": line,
            "text": self.text,
            "evaluation": {"file": self.item.file, "line": self.item.line, "text": self.item.text},
            "share": round(self.share, 4),
            "n": self.n,
        }


class Evaluations:
    """The items of all evaluation sets; then the prompts that hold one of them.

    Args:
        items: each with a text of one word or more; the others are passed over.
        ngram: words of an n-gram. An item of fewer is looked for as a whole.
        share: of an item's words; covered must be more than it.
    """

    def __init__(self, items: Iterable[Item], ngram: int, share: float) -> None:
        self._items: list[Item] = []
        self._share = share
        self._vocabulary: dict[str, int] = {}
        self._whole: dict[tuple[str, ...], int] = {}  # items of very few words
        texts: dict[int, list[tuple[int, list[int]]]] = defaultdict(list)  # by size of n-grams
        for item in items:
            if not (words := words_in(item.text)):
                continue
            number = len(self._items)
            self._items.append(item)
            if len(words) < SHORT_WORDS:
                self._whole.setdefault(tuple(words), number)
            else:
                known = [self._vocabulary.setdefault(word, len(self._vocabulary) + 1) for word in words]
                texts[min(ngram, len(words))].append((number, known))
        self._sizes = [_Grams(size, given, share) for size, given in sorted(texts.items(), reverse=True)]

    def __len__(self) -> int:
        return len(self._items)

    def matches(self, prompts: Sequence[Prompt]) -> list[Match | None]:
        """For each prompt the item that it holds most of; None: it holds none."""
        owners = [place for place, prompt in enumerate(prompts) for _ in _asked(prompt)]
        texts = [text for prompt in prompts for text in _asked(prompt)]
        best: list[Match | None] = [None] * len(prompts)
        for owner, match in zip(owners, self._of_texts(texts), strict=True):
            now = best[owner]
            if match is not None and (now is None or match.share > now.share):
                best[owner] = match
        return best

    def _of_texts(self, texts: Sequence[str]) -> list[Match | None]:
        words = [words_in(text) for text in texts]
        found: list[Match | None] = [None] * len(texts)
        for place, one in enumerate(words):
            number = self._whole.get(tuple(one)) if len(one) < SHORT_WORDS else None
            if number is not None:
                found[place] = Match(texts[place], self._items[number], 1.0, len(one))
        known = self._vocabulary
        numbers = [[known.get(word, 0) for word in one] for one in words]
        for grams in self._sizes:
            for place, number, share in grams.held(numbers):
                if (before := found[place]) is None or share > before.share:
                    found[place] = Match(texts[place], self._items[number], share, grams.size)
        return found


def _asked(prompt: Prompt) -> Iterator[str]:
    for turn in prompt.messages:
        if turn.get("role") == "user" and isinstance(text := turn.get("content"), str):
            yield text


class _Grams:
    """The n-grams of some items, by their hashes. Words are numbers from 1 up, 0 is any word that no item has.

    An item's frequent n-grams, such as those of an instruction that many items share, lead to it only if they alone
    could cover enough of it.
    """

    def __init__(self, size: int, items: Sequence[tuple[int, Sequence[int]]], share: float) -> None:
        self.size = size
        self._share = share
        self._factors = np.random.default_rng(SEED).integers(2**63, 2**64, size, dtype=np.uint64) | np.uint64(1)
        self._numbers = [number for number, _ in items]
        self._lengths = [len(words) for _, words in items]
        hashes = [self._hashed(np.array(words, dtype=np.uint64)) for _, words in items]
        self._starts = np.cumsum([0, *map(len, hashes)])
        self._hashes: Hashes = np.concatenate(hashes)
        owners = np.repeat(np.arange(len(items)), np.diff(self._starts))
        leads = self._leading()
        order = np.argsort(self._hashes[leads], kind="stable")
        self._owners: Numbers = owners[leads][order]
        self._keys, first, times = np.unique(self._hashes[leads][order], return_index=True, return_counts=True)
        bits = max(10, len(self._keys).bit_length() + 4)
        self._shift = np.uint64(64 - bits)
        self._beginnings = np.zeros(2**bits, dtype=np.bool_)  # which a hash may begin with, to be one: 1 in 16 or fewer
        self._beginnings[self._keys >> self._shift] = True
        self._first: Numbers = first
        self._times: Numbers = times

    def _hashed(self, words: Hashes) -> Hashes:
        count = len(words) - self.size + 1
        total = np.zeros(max(count, 0), dtype=np.uint64)
        for place, factor in enumerate(self._factors):
            total += words[place : place + len(total)] * factor
        return total

    def _leading(self) -> npt.NDArray[np.bool_]:
        """Which n-grams lead to their items."""
        _, place, times = np.unique(self._hashes, return_inverse=True, return_counts=True)
        rare = times[place] <= OFTEN
        for item, length in enumerate(self._lengths):
            own = slice(self._starts[item], self._starts[item + 1])
            if not rare[own].all() and self._covered(~rare[own], length) > self._share:
                rare[own] = True
        return rare

    def _covered(self, shared: npt.NDArray[np.bool_], length: int) -> float:
        """The share of an item's words that its n-grams cover, of those that are shared."""
        covered = np.zeros(length, dtype=np.bool_)
        for place in range(self.size):
            covered[place : place + len(shared)] |= shared
        return float(covered.mean())

    def held(self, texts: Sequence[Sequence[int]]) -> Iterator[tuple[int, int, float]]:
        """Places of texts that hold an item, the item that each holds most of, and how much of it."""
        words = np.fromiter(chain.from_iterable([*text, 0] for text in texts), dtype=np.uint64)
        if len(words) < self.size:
            return
        unknown = np.concatenate([[0], np.cumsum(words == 0)])
        whole = np.flatnonzero(unknown[self.size :] == unknown[: -self.size])
        hashes = self._hashed(words)[whole]
        maybe = np.flatnonzero(self._beginnings[hashes >> self._shift])
        found = np.minimum(np.searchsorted(self._keys, hashes[maybe]), len(self._keys) - 1)
        same = self._keys[found] == hashes[maybe]
        hits, found = maybe[same], found[same]
        if not len(hits):
            return
        owners = np.repeat(np.arange(len(texts)), [len(text) + 1 for text in texts])[whole]
        for place in np.unique(owners[hits]).tolist():
            leading = np.unique(found[owners[hits] == place])
            best = self._best(leading[np.argsort(self._times[leading], kind="stable")], hashes[owners == place])
            if best is not None:
                yield place, self._numbers[best[0]], best[1]

    def _best(self, leading: Numbers, hashes: Hashes) -> tuple[int, float] | None:
        """The item that a text covers most of, of those that its n-grams lead to, the rarest first."""
        best: tuple[int, float] | None = None
        seen: set[int] = set()
        for key in leading.tolist():
            start = self._first[key]
            for item in self._owners[start : start + self._times[key]].tolist():
                if item in seen:
                    continue
                if best is not None and len(seen) >= ENOUGH:
                    return best
                seen.add(item)
                own = self._hashes[self._starts[item] : self._starts[item + 1]]
                share = self._covered(np.isin(own, hashes), self._lengths[item])
                if share > self._share and (best is None or share > best[1]):
                    best = item, share
        return best
