"""Whether a prompt is new: ROUGE-L against all that are there, of which MinHash names the few to compare with.

ROUGE-L (Lin 2004) is the F1 of the longest common subsequence of words. Where it reaches a threshold t, the words in
common, counted as often as they occur, are at least t / (2 - t) of all: so bands of MinHash over counted words miss
next to none of them (MISSED), and the comparison itself, by rapidfuzz, is exact.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict

import numpy as np
from rapidfuzz.distance import Indel
from rensa import RMinHash  # type: ignore[import-untyped]  # ships no types

from pairsmith.likeness import SPACELESS

PERMUTATIONS = 256
MISSED = 1e-5  # of prompts at the threshold itself; none to speak of above it
SEED = 20261128

_WORD = re.compile(rf"[{SPACELESS}]|[^\W_{SPACELESS}]+")
_FIRST = 0x100  # a word is written as one character from here on, so that a text is a string of words


def rouge_words(text: str) -> list[str]:
    """The words of a text, without case and punctuation; a character each where a script has no spaces."""
    return _WORD.findall(text.casefold())


class Known:
    """Texts that a new one must differ from.

    Args:
        threshold: the ROUGE-L (0-1) from which on it is no new one.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._rows = _rows(threshold / (2 - threshold))
        self._characters: dict[str, str] = {}
        self._written: list[str] = []
        self._buckets: dict[bytes, list[int]] = defaultdict(list)

    def add(self, text: str) -> None:
        """One more."""
        written, keys = self._read(text)
        self._add(written, keys)

    def add_if_new(self, text: str) -> bool:
        """One more, if it is new to all the others."""
        written, keys = self._read(text)
        near = {place for key in keys for place in self._buckets.get(key, ())}
        # less a hair: 7 of 10 words in common is 0.7, not a little below it
        least = self._threshold - 1e-9
        if any(Indel.normalized_similarity(written, self._written[place]) >= least for place in near):
            return False
        self._add(written, keys)
        return True

    def _add(self, written: str, keys: list[bytes]) -> None:
        for key in keys:
            self._buckets[key].append(len(self._written))
        self._written.append(written)

    def _read(self, text: str) -> tuple[str, list[bytes]]:
        """A text as a string of words, and the buckets it belongs to."""
        words = rouge_words(text) or text.split()
        written = "".join([self._characters.setdefault(word, _character(len(self._characters))) for word in words])
        times: Counter[str] = Counter()
        counted = []
        for word in words:
            times[word] += 1
            counted.append(f"{word} {times[word]}")
        digest = np.array(RMinHash.digests_from_token_sets([counted], PERMUTATIONS, SEED)[0], dtype=np.uint32)
        bands = digest[: PERMUTATIONS // self._rows * self._rows].reshape(-1, self._rows)
        return written, [bytes([number]) + band.tobytes() for number, band in enumerate(bands)]


def _character(number: int) -> str:
    """The character that stands for the word of this number; surrogates are passed over, and words beyond share."""
    code = number % (0x110000 - 0x800 - _FIRST) + _FIRST
    return chr(code if code < 0xD800 else code + 0x800)


def _rows(near: float) -> int:
    """Permutations a band: as many as miss few enough at the threshold."""
    fitting = [rows for rows in range(1, 9) if (1 - near**rows) ** (PERMUTATIONS // rows) <= MISSED]
    return max(fitting, default=1)
