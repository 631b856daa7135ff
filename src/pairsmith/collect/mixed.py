"""The order of rows: files interleaved by weight, and rows shuffled through a temporary file. Called by running/."""

from __future__ import annotations

import heapq
import pickle
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import BinaryIO, TypeVar

from pairsmith.collect.rows import BadRow, Row

T = TypeVar("T")

_LENGTH_BYTES = 8


def interleaved(files: Sequence[Iterator[Row | BadRow]], weights: Sequence[float]) -> Iterator[Row | BadRow]:
    """The rows of all files, each in its own order; of the good ones each file has given its share at any moment.

    The next row is of the file that is furthest behind its weight (Sainte-Laguë's method of dealing seats). A file
    that has ended leaves its share to the others.
    """
    waiting = [(0.5 / weight, place, 0) for place, weight in enumerate(weights)]
    heapq.heapify(waiting)
    while waiting:
        _, place, given = waiting[0]
        for row in files[place]:
            yield row
            if isinstance(row, Row):
                heapq.heapreplace(waiting, ((given + 1.5) / weights[place], place, given + 1))
                break
        else:
            heapq.heappop(waiting)


def shuffled(items: Iterable[T], spool: BinaryIO, mix: Callable[[array[int]], object]) -> Iterator[T]:
    """All items in the order that `mix` brings places into, such as the shuffle of a seeded Random.

    They are written to `spool` first, an empty file open for reading and writing; memory holds 8 bytes for each.
    """
    starts = array("Q")
    at = 0
    for item in items:
        data = pickle.dumps(item, pickle.HIGHEST_PROTOCOL)
        spool.write(len(data).to_bytes(_LENGTH_BYTES, "little") + data)
        starts.append(at)
        at += _LENGTH_BYTES + len(data)
    mix(starts)
    for start in starts:
        spool.seek(start)
        length = int.from_bytes(spool.read(_LENGTH_BYTES), "little")
        yield pickle.loads(spool.read(length))
