"""Which texts are nearly the same: groups over a stream, by MinHash (rensa), each candidate checked exactly.

Texts are compared by their words and pairs of neighbouring words, case and punctuation apart; numbers are words. Two
are near-duplicates from a Jaccard index of NEAR on. Memory holds some 8 bytes a word, and a sketch a text. Called by
export/split.py.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from itertools import pairwise

from rensa import RMinHash, RMinHashLSH  # type: ignore[import-untyped]  # ships no types

NEAR = 0.7  # one word of twelve replaced: 0.77; "the cat" for "the dog" behind "Translate to French:": 0.64
# 16 bands of 4: of couples at 0.7 99 % become candidates, at 0.8 all, at 0.3 12 %, which are checked and dropped.
PERMUTATIONS, BANDS = 64, 16
SEED = 20261128
_WORD = re.compile(r"\w+")


class NearDuplicates:
    """Finds for each text, in the order in which they come, the earlier ones that are nearly the same.

    Args:
        near: the least Jaccard index of near-duplicates, above 0.5.
    """

    def __init__(self, near: float = NEAR) -> None:
        self._near = near
        self._index = RMinHashLSH(near, PERMUTATIONS, BANDS)
        self._known: list[array[int]] = []  # by place: the shingles' hashes

    def add(self, text: str) -> list[int]:
        """Take the next text; the places (0-based) of earlier ones that are nearly the same, in their order."""
        shingles = shingles_of(text)
        sketch = RMinHash(PERMUTATIONS, SEED)
        sketch.update(shingles)
        known = {hash(one) & 0xFFFFFFFF for one in shingles}  # enough to compare by, in one process
        alike = sorted(place for place in set(self._index.query(sketch)) if self._is_near(known, place))
        self._index.insert(len(self._known), sketch)
        self._known.append(array("I", known))
        return alike

    def _is_near(self, known: set[int], place: int) -> bool:
        other = self._known[place]
        common = len(known.intersection(other))
        return common >= self._near * (len(known) + len(other) - common)


def shingles_of(text: str) -> list[str]:
    """A text's words and pairs of neighbouring words, each once; of one without words its marks."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    words = _WORD.findall(plain) or plain.split()
    return list(dict.fromkeys([*words, *map(" ".join, pairwise(words))]))


class Groups:
    """Keys that belong together, directly or through others; a group goes by its earliest key."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}
        self._places: dict[str, int] = {}

    def add(self, key: str) -> None:
        """A key of its own, if it is new; earlier ones come first."""
        if key not in self._parents:
            self._parents[key] = key
            self._places[key] = len(self._places)

    def join(self, one: str, other: str) -> None:
        """The two belong together, with all that belongs to either."""
        first, second = self.of(one), self.of(other)
        if first != second:
            earlier, later = sorted((first, second), key=self._places.__getitem__)
            self._parents[later] = earlier

    def of(self, key: str) -> str:
        """The earliest key of its group."""
        root = key
        while (parent := self._parents[root]) != root:
            root = parent
        while self._parents[key] != root:
            self._parents[key], key = root, self._parents[key]
        return root
