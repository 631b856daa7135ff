"""Which texts are nearly the same: groups over a stream, by MinHash (rensa), each candidate compared exactly.

What is compared, and why the limits are where they are: docs/splits.md. Whether two texts are found alike depends on
these two alone, never on what else was added: growth cannot part what was together. Called by export/split.py.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import chain, pairwise
from math import ceil, sqrt
from typing import NamedTuple, TypeAlias, TypeVar
from zlib import crc32

import numpy as np
import numpy.typing as npt
from rensa import RMinHash  # type: ignore[import-untyped]  # ships no types

NEAR = 0.7  # least Jaccard index of near-duplicates; 0.8 loses 60 % of texts of 10-15 words with one replaced
SHORT_WORDS, SHORT_NEAR = 10, 0.8  # below ten words, one other word makes another text
OPENING_WORDS = 30  # a longer first line is no instruction before a text
NUMBER_WORDS = 50  # up to here texts with other numbers are other texts; in longer ones a number is a detail

PERMUTATIONS = 200
MISSED = 0.001  # of couples at the threshold itself; next to none above it
SEED = 20261128
BLOCK = 256  # texts that are sketched together
FEW = 32  # texts in one bucket that are compared each with each
SIFTED = 8192  # couples whose sketches are compared at once
REMEMBERED = 200_000  # couples that were compared in vain

Key = TypeVar("Key")
Numbers: TypeAlias = "npt.NDArray[np.uint32]"
Places: TypeAlias = "npt.NDArray[np.int64]"


# --- words -----------------------------------------------------------------------------------------


def _ranges(*categories: str) -> str:
    return "".join(char for char in map(chr, range(0x10000)) if unicodedata.category(char) in categories)


_MARKS = _ranges("Mn", "Mc")  # vowel signs and accents that are no letters to `re`
SPACELESS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# A minus, a star and a slash count in sums, and a hash behind a letter (C#): in prose they are punctuation.
_SIGNS = (
    r"[+=<>%^&|~$€£×÷√≤≥≠±∞]|\#(?<=\w\#)"
    r"|[-*/](?:(?:(?<=[\d)][-*/])|(?<=\b\w[-*/]))(?=[\w(])|(?:(?<=[\d)] [-*/])|(?<=\b\w [-*/]))(?= [\w(]))"
    r"|-(?<![\w)]-)(?=\d)"
)
_NUMBER = r"\d+(?:[.,]\d+)*"
_ASCII_WORD = re.compile(rf"[a-z]+|{_NUMBER}|{_SIGNS}")  # the same as the other, for most texts, in a third of the time
_WORD = re.compile(
    rf"[^\W\d_{SPACELESS}](?:[^\W\d_{SPACELESS}]|[{_MARKS}])*|[{SPACELESS}][{_MARKS}]*|{_NUMBER}|{_SIGNS}"
)
_PLAIN = str.maketrans({"'": "", "’": "", "−": "-", "–": "-", "‐": "-", "‑": "-"})
_OPENING = re.compile(r":(?=\s|[^\x00-\x7F])|\n")


class Said(NamedTuple):
    """The words of a text, in order; the first `opening` of them are an instruction before the text proper, if any."""

    words: list[str]
    opening: int

    @property
    def core(self) -> list[str]:
        """The text proper."""
        return self.words[self.opening :]

    @property
    def numbers(self) -> list[str]:
        """Its numbers, where they make it another text."""
        return sorted(word for word in self.words if word[0].isdigit()) if len(self.words) <= NUMBER_WORDS else []


def said(text: str) -> Said:
    """A text without case, punctuation, spaces and spellings of Unicode; one of marks alone keeps these."""
    if text.isascii():
        plain, word = text.lower().replace("'", "").strip(), _ASCII_WORD
    else:
        plain, word = unicodedata.normalize("NFKC", text).casefold().translate(_PLAIN).strip(), _WORD
    found = _OPENING.search(plain)
    opening: list[str] = word.findall(plain, 0, found.end()) if found else []
    core: list[str] = word.findall(plain, found.end() if found else 0)
    if not core or len(opening) > OPENING_WORDS:
        return Said(opening + core or plain.split(), 0)
    return Said(opening + core, len(opening))


def shingles(words: Sequence[str]) -> set[str]:
    """Words and pairs of neighbouring words."""
    return {*words, *_pairs(words)}


def _pairs(words: Sequence[str]) -> Iterator[str]:
    return map(" ".join, pairwise(words))


def alike(one: Said, other: Said, near: float = NEAR) -> bool:
    """Whether two texts are nearly the same: as a whole, and in what follows an opening instruction."""
    if one.words == other.words:
        return True
    if one.numbers != other.numbers or not _near(one.core, other.core, near):
        return False
    return not (one.opening or other.opening) or _near(one.words, other.words, near)


def _near(one: Sequence[str], other: Sequence[str], near: float) -> bool:
    first, second = shingles(one), shingles(other)
    if min(len(one), len(other)) < SHORT_WORDS:
        near = max(near, SHORT_NEAR)
    common = len(first & second)
    return common >= near * (len(first) + len(second) - common) - 1e-9


# --- candidates ------------------------------------------------------------------------------------


class NearDuplicates:
    """Texts, in the order in which they come; then the couples that are nearly the same.

    Memory: the words of each different text, and some 400 bytes.

    Args:
        near: the least Jaccard index of near-duplicates, from 0.3 to 1.
    """

    def __init__(self, near: float = NEAR) -> None:
        self._near = near
        self._rows = _rows(near)
        self._count = 0
        self._known: dict[bytes, int] = {}  # the words of each different text: its place among these
        self._lines: list[bytes] = []
        self._openings = array("B")
        self._places = array("Q")  # the first place in the stream of each different text
        self._equal = array("Q")  # places of couples with equal words, one after the other
        self._waiting: list[Said] = []
        self._keys: list[Numbers] = []
        self._sketches: list[npt.NDArray[np.uint8]] = []

    def add(self, text: str) -> int:
        """Take the next text; its place (0-based)."""
        place, self._count = self._count, self._count + 1
        read = said(text)
        line = " ".join(read.words).encode("utf-8", "surrogatepass")
        first = self._known.setdefault(line, len(self._lines))
        if first < len(self._lines):
            self._equal.extend((self._places[first], place))
            return place
        self._lines.append(line)
        self._openings.append(read.opening)
        self._places.append(place)
        self._waiting.append(read)
        if len(self._waiting) == BLOCK:
            self._sketch()
        return place

    def couples(self) -> Iterator[tuple[int, int]]:
        """Places of near-duplicates, the earlier first: not all couples, but enough of them to make the groups."""
        yield from zip(self._equal[::2], self._equal[1::2], strict=True)
        self._sketch()
        if len(self._lines) > 1:
            for one, other in _Search(self).couples():
                yield self._places[one], self._places[other]

    def _sketch(self) -> None:
        """Sketch what waits: keys of buckets, and a byte of each permutation, by which couples are sifted."""
        if not self._waiting:
            return
        sets = [[*read.core, *_pairs(read.core)] for read in self._waiting]
        digests = np.array(RMinHash.digests_from_token_sets(sets, PERMUTATIONS, SEED), dtype=np.uint32)
        bands = PERMUTATIONS // self._rows
        factors = np.random.default_rng(SEED).integers(2**63, 2**64, self._rows, dtype=np.uint64) | np.uint64(1)
        cut = digests[:, : bands * self._rows].reshape(len(sets), bands, self._rows).astype(np.uint64)
        mixed = ((cut * factors).sum(axis=2, dtype=np.uint64) >> np.uint64(32)).astype(np.uint32)
        numbers = np.array([crc32(" ".join(read.numbers).encode()) for read in self._waiting], dtype=np.uint32)
        self._keys.append(mixed ^ numbers[:, None])
        self._sketches.append((digests & 0xFF).astype(np.uint8))
        self._waiting.clear()

    def _said(self, index: int) -> Said:
        line = self._lines[index].decode("utf-8", "surrogatepass")
        return Said(line.split(" ") if line else [], self._openings[index])


def _rows(near: float) -> int:
    """Permutations a band: as many as find all but MISSED of the couples at the threshold."""
    fitting = [rows for rows in range(1, 21) if (1 - near**rows) ** (PERMUTATIONS // rows) <= MISSED]
    return max(fitting, default=1)


class _Search:
    """One search for couples among the different texts, by their places among these."""

    def __init__(self, given: NearDuplicates) -> None:
        self._near, self._said = given._near, given._said
        self._keys = np.concatenate(given._keys)
        self._sketches = np.concatenate(given._sketches)
        self._groups = _Roots(len(self._keys))
        self._vain: set[tuple[int, int]] = set()
        self._crowds: set[bytes] = set()
        spread = sqrt(self._near * (1 - self._near) / PERMUTATIONS)
        self._floor = self._near + (1 - self._near) / 256 - 4 * spread  # a byte is equal by chance in 1 of 256

    def couples(self) -> Iterator[tuple[int, int]]:
        for band in range(self._keys.shape[1]):
            column = self._keys[:, band]
            order = np.argsort(column, kind="stable")
            column = column[order]
            if not (column[1:] == column[:-1]).any():
                continue
            starts = np.flatnonzero(np.r_[True, column[1:] != column[:-1]])
            sizes = np.diff(np.r_[starts, len(column)])
            yield from self._neighbours(order, column, np.repeat(sizes, sizes))
            for start, size in zip(starts[sizes > FEW], sizes[sizes > FEW], strict=True):
                yield from self._crowd(order[start : start + size])

    def _neighbours(self, order: Places, column: Numbers, sizes: Places) -> Iterator[tuple[int, int]]:
        """Each with each in small buckets; in large ones each with the next, which joins those that are all alike."""
        for step in range(1, FEW):
            same = column[step:] == column[:-step]
            if step > 1:
                same &= sizes[step:] <= FEW
            if not same.any():
                return
            yield from self._sifted(order[:-step][same], order[step:][same])

    def _crowd(self, members: Places) -> Iterator[tuple[int, int]]:
        """Couples of a large bucket, by the rare shingles that alike texts must share: no comparing each with each."""
        name = sha256(np.sort(members).tobytes()).digest()
        if name in self._crowds or len({self._groups.of(member) for member in members.tolist()}) == 1:
            return
        self._crowds.add(name)
        read = [self._said(member) for member in members.tolist()]
        ways = [_Prefixes([shingles(one.core) for one in read], self._near)]
        if any(one.opening for one in read):
            ways.append(_Prefixes([shingles(one.words) for one in read], self._near))
        ones, others = array("q"), array("q")
        for place, found in min(ways, key=lambda way: way.cost).candidates():
            ones.extend([place] * len(found))
            others.extend(found)
            if len(ones) > SIFTED:
                yield from self._sifted(members[np.array(ones)], members[np.array(others)])
                del ones[:], others[:]
        yield from self._sifted(members[np.array(ones)], members[np.array(others)])

    def _sifted(self, ones: Places, others: Places) -> Iterator[tuple[int, int]]:
        """Of candidates those that are alike and not yet in one group."""
        for start in range(0, len(ones), SIFTED):
            first, second = ones[start : start + SIFTED], others[start : start + SIFTED]
            likely = (self._sketches[first] == self._sketches[second]).mean(axis=1) >= self._floor
            for one, other in zip(first[likely].tolist(), second[likely].tolist(), strict=True):
                couple = (one, other) if one < other else (other, one)
                if couple not in self._vain and self._groups.of(one) != self._groups.of(other):
                    if alike(self._said(one), self._said(other), self._near):
                        self._groups.join(*couple)
                        yield couple
                    elif len(self._vain) < REMEMBERED:
                        self._vain.add(couple)


class _Prefixes:
    """Exact candidates for a Jaccard index: two sets that reach it share one of their rarest members.

    Source: Xiao et al. 2008 (PPJoin): with n members, rarest first, a set is looked up by the first n - ceil(t n) + 1
    and, sets being taken from small to large, found by the first n - ceil(2 t n / (1 + t)) + 1.
    """

    def __init__(self, sets: Sequence[set[str]], near: float) -> None:
        self._near = near
        often = Counter(chain.from_iterable(sets))
        rarest = sorted(often, key=lambda member: (often[member], member))
        ranks = {member: rank for rank, member in enumerate(rarest)}
        self._sets = sorted(
            (len(one), place, sorted([ranks[member] for member in one])) for place, one in enumerate(sets)
        )
        found_by = Counter(chain.from_iterable(self._found_by(members) for _, _, members in self._sets))
        self.cost = sum(times * often[rarest[rank]] for rank, times in found_by.items())

    def candidates(self) -> Iterator[tuple[int, list[int]]]:
        """A place, and the places that may be alike; each couple once."""
        index: dict[int, list[int]] = defaultdict(list)
        for size, place, members in self._sets:
            looked_up = members[: size - ceil(self._near * size - 1e-9) + 1]
            others = {other for member in looked_up if member in index for other in index[member]}
            if others:
                yield place, sorted(others)
            for member in self._found_by(members):
                index[member].append(place)

    def _found_by(self, members: Sequence[int]) -> Sequence[int]:
        size = len(members)
        return members[: size - ceil(2 * self._near / (1 + self._near) * size - 1e-9) + 1]


# --- groups ----------------------------------------------------------------------------------------


class _Roots:
    """Places that belong together, directly or through others; a group goes by its earliest place."""

    def __init__(self, count: int = 0) -> None:
        self._parents = array("Q", range(count))

    def add(self) -> None:
        """One more place, of its own."""
        self._parents.append(len(self._parents))

    def join(self, one: int, other: int) -> None:
        """The two belong together, with all that belongs to either."""
        first, second = self.of(one), self.of(other)
        self._parents[max(first, second)] = min(first, second)

    def of(self, place: int) -> int:
        """The earliest place of its group."""
        parents = self._parents
        while (parent := parents[place]) != place:
            parents[place] = parents[parent]
            place = parent
        return place


class Groups:
    """Keys that belong together, directly or through others; a group goes by its earliest key."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._keys: list[str] = []
        self._roots = _Roots()

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def add(self, key: str) -> None:
        """A key of its own, if it is new; earlier ones come first."""
        if key not in self._places:
            self._places[key] = len(self._keys)
            self._keys.append(key)
            self._roots.add()

    def join(self, one: str, other: str) -> None:
        """The two belong together, with all that belongs to either."""
        self._roots.join(self._places[one], self._places[other])

    def of(self, key: str) -> str:
        """The earliest key of its group."""
        return self._keys[self._roots.of(self._places[key])]


def near_groups(texts: Iterable[tuple[Key, str]], near: float = NEAR) -> Iterator[tuple[Key, Key]]:
    """Each key, in order, with the key of the earliest text that it is nearly the same as, directly or through others.

    Args:
        texts: keys and texts; read once, to the end, before the first answer.
        near: the least Jaccard index of near-duplicates.
    """
    found, keys = NearDuplicates(near), []
    for key, text in texts:
        keys.append(key)
        found.add(text)
    roots = _Roots(len(keys))
    for one, other in found.couples():
        roots.join(one, other)
    for place, key in enumerate(keys):
        yield key, keys[roots.of(place)]
