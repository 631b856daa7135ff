"""Whether a prompt is new: ROUGE-L against all that are there.

ROUGE-L (Lin 2004) is the F1 of the longest common subsequence of words; rapidfuzz gives it as the similarity by
insertions and deletions. Nothing is missed: a text is compared with each whose words can reach the threshold, whatever
their order. Buckets of MinHash, which were tried in this place, take three times as long at 10,000 prompts, and
may miss some.
"""

from __future__ import annotations

import re
from zlib import crc32

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Indel

from pairsmith.likeness import SPACELESS

SLOTS = 64  # that words are counted in: two words in one slot only let more be compared

_WORD = re.compile(rf"[{SPACELESS}]|[^\W_{SPACELESS}]+")
_FIRST = 0x100  # a word is written as one character from here on, so that a text is a string of words


def rouge_words(text: str) -> list[str]:
    """The words of a text, without case and punctuation; a character each where a script has no spaces."""
    return _WORD.findall(text.casefold())


class Known:
    """Texts that a new one must differ from.

    Memory: some 130 bytes and the words of each.

    Args:
        threshold: the ROUGE-L (0-1) from which on it is no new one.
    """

    def __init__(self, threshold: float) -> None:
        self._least = threshold - 1e-9  # less a hair: 7 of 10 words in common is 0.7, not a little below it
        self._characters: dict[str, str] = {}
        self._written: list[str] = []
        self._lengths = np.zeros(16, dtype=np.int64)
        self._counts = np.zeros((16, SLOTS), dtype=np.uint16)

    def add(self, text: str) -> None:
        """One more."""
        self._add(*self._read(text))

    def add_if_new(self, text: str) -> bool:
        """One more, if it is new to all the others."""
        written, counts = self._read(text)
        size = len(self._written)
        common = np.minimum(self._counts[:size], counts).sum(axis=1, dtype=np.int64)
        near = np.flatnonzero(2 * common >= self._least * (self._lengths[:size] + len(written)))
        if any(Indel.normalized_similarity(written, self._written[place]) >= self._least for place in near):
            return False
        self._add(written, counts)
        return True

    def _add(self, written: str, counts: npt.NDArray[np.uint16]) -> None:
        size = len(self._written)
        if size == len(self._lengths):
            self._lengths = np.concatenate([self._lengths, np.zeros_like(self._lengths)])
            self._counts = np.concatenate([self._counts, np.zeros_like(self._counts)])
        self._lengths[size], self._counts[size] = len(written), counts
        self._written.append(written)

    def _read(self, text: str) -> tuple[str, npt.NDArray[np.uint16]]:
        """A text as a string of words, and how many of them fall into each slot."""
        words = rouge_words(text) or text.split()
        written = "".join([self._characters.setdefault(word, _character(len(self._characters))) for word in words])
        slots = [crc32(word.encode("utf-8", "surrogatepass")) % SLOTS for word in words]
        counts = np.minimum(np.bincount(slots, minlength=SLOTS), np.iinfo(np.uint16).max)
        return written, counts.astype(np.uint16)


def _character(number: int) -> str:
    """The character that stands for the word of this number; surrogates are passed over, and words beyond share."""
    code = number % (0x110000 - 0x800 - _FIRST) + _FIRST
    return chr(code if code < 0xD800 else code + 0x800)
