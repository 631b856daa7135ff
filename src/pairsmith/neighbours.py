"""Near-duplicates among many texts: groups, or who comes second, by MinHash (rensa), each candidate compared exactly.

What is compared, and why the limits are where they are: docs/splits.md. Whether two texts are found alike depends on
these two alone, never on what else was added: growth cannot part what was together. Called by export/split.py and
collect/near.py.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from itertools import chain
from math import ceil, sqrt
from typing import TypeAlias, TypeVar
from zlib import crc32

import numpy as np
import numpy.typing as npt
from rensa import RMinHash  # type: ignore[import-untyped]  # ships no types

from pairsmith.likeness import NEAR, SHORT_WORDS, Said, alike, pairs, said, shingles

PERMUTATIONS = 200
MISSED = 0.001  # of couples at the threshold itself; next to none above it
SEED = 20261128
BLOCK = 256  # texts that are sketched together
FEW = 32  # texts in one bucket that are compared each with each
SIFTED = 8192  # couples whose sketches are compared at once
REMEMBERED = 200_000  # couples that were compared in vain
KEPT = 2  # the rank of a text that is never left out

Key = TypeVar("Key")
Numbers: TypeAlias = "npt.NDArray[np.uint32]"
Places: TypeAlias = "npt.NDArray[np.int64]"

# --- candidates ------------------------------------------------------------------------------------


class NearDuplicates:
    """Texts, in the order in which they come; then the couples that are nearly the same.

    Memory: the words of each different text, and some 400 bytes.

    Args:
        near: the least Jaccard index of near-duplicates, from 0.3 to 1.
        short_words: in texts of fewer words one word instead of another makes another text.
    """

    def __init__(self, near: float = NEAR, short_words: int = SHORT_WORDS) -> None:
        self._near, self._short_words = near, short_words
        self._rows = _rows(near)
        self._count = 0
        self._known: dict[bytes, int] = {}  # the words of each different text: its place among these
        self._lines: list[bytes] = []
        self._openings = array("I")
        self._kinds = array("I")
        self._ranks = array("B")
        self._places = array("Q")  # the first place in the stream of each different text
        self._equal = array("Q")  # places of couples with equal words, one after the other
        self._waiting: list[tuple[list[str], list[str], int]] = []
        self._owners = array("Q")  # by place of a sketch: whose it is
        self._wholes = array("B")  # and whether it is one of the text as a whole
        self._keys: list[Numbers] = []
        self._sketches: list[npt.NDArray[np.uint8]] = []

    def add(self, text: str) -> int:
        """Take the next text; its place (0-based)."""
        return self.add_said(said(text))

    def add_said(self, read: Said, kind: int = 0, rank: int = 0) -> int:
        """Take the next text, as its words; its place (0-based).

        Args:
            read: its words.
            kind: 32 bits; texts of other kinds are never alike.
            rank: up to KEPT. Who is left out (`left_out`) is so in favour of one of the same rank, or a higher one.
        """
        place, self._count = self._count, self._count + 1
        mark = f"\n{kind} {rank}{f' {place}' if rank == KEPT else ''}" if kind or rank else ""
        line = (" ".join(read.words) + mark).encode("utf-8", "surrogatepass")
        first = self._known.setdefault(line, len(self._lines))
        if first < len(self._lines):
            self._equal.extend((self._places[first], place))
            return place
        self._lines.append(line)
        self._openings.append(read.opening)
        self._kinds.append(kind)
        self._ranks.append(rank)
        self._places.append(place)
        for whole in (False, True) if read.opening and read.mostly_core else (False,):
            self._owners.append(len(self._lines) - 1)
            self._wholes.append(whole)
            self._waiting.append((read.words if whole else read.core, read.numbers, kind))
        if len(self._waiting) >= BLOCK:
            self._sketch()
        return place

    def couples(self) -> Iterator[tuple[int, int]]:
        """Places of near-duplicates, the earlier first: not all couples, but enough of them to make the groups."""
        yield from self._equals()
        self._sketch()
        if len(self._lines) > 1:
            for one, other in _Search(self, _Together(len(self._lines))).couples():
                yield self._places[one], self._places[other]

    def left_out(self) -> Iterator[tuple[int, int]]:
        """Places of texts that are nearly the same as one before them, each with the one that stays in its place.

        In order. Whether a text is left out depends on those before it alone: growth changes nothing for it. The one
        that stays is alike, directly or through others that are left out too.
        """
        self._sketch()
        first = _First(self._ranks)
        if len(self._lines) > 1:
            for _ in _Search(self, first).couples():
                pass
        stays = {self._places[line]: self._places[instead] for line, instead in first.left_out()}
        stays |= {place: stays.get(earlier, earlier) for earlier, place in self._equals()}
        yield from sorted(stays.items())

    def _equals(self) -> Iterator[tuple[int, int]]:
        return zip(self._equal[::2], self._equal[1::2], strict=True)

    def _sketch(self) -> None:
        """Sketch what waits: keys of buckets, and a byte of each permutation, by which couples are sifted."""
        if not self._waiting:
            return
        sets = [[*words, *pairs(words)] for words, _, _ in self._waiting]
        digests = np.array(RMinHash.digests_from_token_sets(sets, PERMUTATIONS, SEED), dtype=np.uint32)
        bands = PERMUTATIONS // self._rows
        factors = np.random.default_rng(SEED).integers(2**63, 2**64, self._rows, dtype=np.uint64) | np.uint64(1)
        cut = digests[:, : bands * self._rows].reshape(len(sets), bands, self._rows).astype(np.uint64)
        mixed = ((cut * factors).sum(axis=2, dtype=np.uint64) >> np.uint64(32)).astype(np.uint32)
        apart = [crc32(" ".join(numbers).encode()) ^ kind for _, numbers, kind in self._waiting]
        self._keys.append(mixed ^ np.array(apart, dtype=np.uint32)[:, None])
        self._sketches.append((digests & 0xFF).astype(np.uint8))
        self._waiting.clear()

    def _said(self, index: int) -> Said:
        line = self._lines[index].decode("utf-8", "surrogatepass").partition("\n")[0]
        return Said(line.split(" ") if line else [], self._openings[index])

    def _alike(self, one: int, other: int) -> bool:
        same_kind = self._kinds[one] == self._kinds[other]
        return same_kind and alike(self._said(one), self._said(other), self._near, self._short_words)


def _rows(near: float) -> int:
    """Permutations a band: as many as find all but MISSED of the couples at the threshold."""
    fitting = [rows for rows in range(1, 21) if (1 - near**rows) ** (PERMUTATIONS // rows) <= MISSED]
    return max(fitting, default=1)


class _Search:
    """One search for couples among the different texts, by their places among these.

    `wanted` knows which couples need not be looked at any more, and is told of each that is found.
    """

    def __init__(self, given: NearDuplicates, wanted: _Together | _First) -> None:
        self._near, self._said, self._alike = given._near, given._said, given._alike
        self._owners, self._wholes = np.array(given._owners, dtype=np.int64), given._wholes
        self._keys = np.concatenate(given._keys)
        self._sketches = np.concatenate(given._sketches)
        self._wanted = wanted
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
        lines = self._owners[members].tolist()
        if name in self._crowds or self._wanted.all_known(sorted(lines)):
            return
        self._crowds.add(name)
        read = [self._said(line) for line in lines]
        wholes = [self._wholes[member] for member in members.tolist()]
        sketched = [one.words if whole else one.core for one, whole in zip(read, wholes, strict=True)]
        ways = [_Prefixes(list(map(shingles, sketched)), self._near)]
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
        """Of candidates those that are alike, and that it is wanted of."""
        for start in range(0, len(ones), SIFTED):
            first, second = ones[start : start + SIFTED], others[start : start + SIFTED]
            likely = (self._sketches[first] == self._sketches[second]).mean(axis=1) >= self._floor
            lines = self._owners[first[likely]].tolist(), self._owners[second[likely]].tolist()
            for one, other in zip(*lines, strict=True):
                couple = (one, other) if one < other else (other, one)
                if one != other and couple not in self._vain and not self._wanted.known(*couple):
                    if self._alike(*couple):
                        self._wanted.found(*couple)
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


class _Together:
    """Looks for groups: two that are in one already need not be compared."""

    def __init__(self, count: int) -> None:
        self._groups = _Roots(count)

    def known(self, one: int, other: int) -> bool:
        return self._groups.of(one) == self._groups.of(other)

    def all_known(self, places: Sequence[int]) -> bool:
        return len({self._groups.of(place) for place in places}) == 1

    def found(self, one: int, other: int) -> None:
        self._groups.join(one, other)


class _First:
    """Looks for those that have an alike one before them, of their rank or a higher one."""

    def __init__(self, ranks: Sequence[int]) -> None:
        self._ranks = ranks
        self._before = array("q", [-1]) * len(ranks)

    def known(self, one: int, other: int) -> bool:
        rank = self._ranks[other]
        return self._before[other] >= 0 or rank == KEPT or self._ranks[one] < rank

    def all_known(self, places: Sequence[int]) -> bool:
        return all(self.known(places[0], place) for place in places[1:])

    def found(self, one: int, other: int) -> None:
        self._before[other] = one

    def left_out(self) -> Iterator[tuple[int, int]]:
        """Each that is left out, in order, with the one that stays."""
        stays = array("q", range(len(self._before)))
        for place, before in enumerate(self._before):
            if before >= 0:
                stays[place] = stays[before]
                yield place, stays[place]


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
