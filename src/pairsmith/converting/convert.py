"""Strangers' rows into rows for a target, in one pass: what each row became is counted, and nothing is bent.

Memory holds the first rows, which tell the shape; where single answers have to find their partners, also those that
wait, WAITING of them at most. Called by cli/convert.py.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice

import orjson

from pairsmith.converting.files import LOOKED_AT, Given
from pairsmith.errors import UserError
from pairsmith.export.chat import ChatPair
from pairsmith.export.foreign import NoPair, refuse_silent
from pairsmith.export.mapped import mapped_shape
from pairsmith.export.reading import JsonObject
from pairsmith.export.rows import rows_of
from pairsmith.export.shapes import SHAPES, SINGLE_ANSWERS, Shape, columns_used, pair_in, shape_of
from pairsmith.export.targets import TARGETS
from pairsmith.streams import Flaw

NAMED = 5  # lines named for each reason
WAITING = 100_000  # single answers that wait for a partner: at 2 kB each 200 MB


@dataclass(slots=True)
class Counts:
    """What the rows that were read came to."""

    rows: int = 0
    written: int = 0  # rows of the target: a pair is one of most, two of kto
    shapes: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    first_lines: dict[str, list[int | str]] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)  # of the first row of each reason

    def drop(self, reason: str, place: int | str, why: str = "") -> None:
        """Count a row that gives no pair."""
        self.dropped[reason] += 1
        lines = self.first_lines.setdefault(reason, [])
        if len(lines) < NAMED:
            lines.append(place)
            self.why.setdefault(reason, why)


@dataclass(frozen=True, slots=True)
class Detected:
    """The shapes of a file's first rows, in the table's order; `main` is that of most; `columns` are those it reads."""

    shapes: tuple[Shape, ...]
    main: Shape
    columns: tuple[str, ...]


def detected(rows: Sequence[JsonObject], mapping: Mapping[str, str], name: str) -> Detected:
    """What the first rows of a file hold.

    Raises:
        UserError: no known shape, or the columns that were named are not there.
    """
    if not rows:
        raise UserError(f"{name}: holds no row that can be read as an object: mend it, or name another file")
    if mapping:
        shape = mapped_shape(mapping, rows)
        return Detected((shape,), shape, shape.columns)
    found = Counter(one.name for row in rows if (one := shape_of(row, SHAPES)) is not None)
    if not found:
        columns = ", ".join(dict.fromkeys(key for row in rows for key in row))[:300]
        raise UserError(
            f"{name}: its columns ({columns or 'none'}) are none of the known shapes ({_short(SHAPES)}): name them "
            "with --map prompt=COLUMN --map chosen=COLUMN --map rejected=COLUMN"
        )
    shapes = tuple(shape for shape in SHAPES if shape.name in found)
    main = max(shapes, key=lambda shape: found[shape.name])
    return Detected(shapes, main, tuple(columns_used(main, rows)))


def _short(shapes: Iterable[Shape]) -> str:
    return ", ".join(shape.name for shape in shapes)


def first_rows(given: Iterable[Given]) -> tuple[list[JsonObject], Iterator[Given]]:
    """The rows that tell the shape; and all rows, these included."""
    rows = iter(given)
    first = list(islice(rows, LOOKED_AT))
    return [one.value for one in first if not isinstance(one.value, Flaw)], chain(first, rows)


def converted(
    rows: Iterable[Given], what: Detected, target: str, counts: Counts, write: Callable[[JsonObject], None]
) -> None:
    """Write the rows of a target that strangers' rows become.

    Raises:
        UserError: the file holds single answers without labels, and the target needs two.
    """
    joining = bool(TARGETS[target].layout.rejected)
    if joining and what.main.name in SINGLE_ANSWERS:
        raise UserError(
            f"these are chats with one answer each ({what.main.name}), which cannot become pairs: answer the prompts "
            "with pairsmith run, or convert them with --target sft"
        )
    partners = _Partners(counts)
    waiting: list[JsonObject] = []  # later rows of the last pair: no two of one prompt beside each other
    for place, pair, one_sided in _pairs(rows, what, counts):
        joined = partners.met(place, pair) if one_sided and joining else pair
        if joined is None:
            continue
        made = rows_of(joined, target)
        if isinstance(made, str):
            counts.drop(made, place)
            continue
        first, *others = made
        for row in (first, *waiting):
            write(row)
        waiting = others
        counts.written += len(made)
    for row in waiting:
        write(row)
    partners.give_up()


def _pairs(rows: Iterable[Given], what: Detected, counts: Counts) -> Iterator[tuple[int | str, ChatPair, bool]]:
    """The pairs of rows with their places; whether each is one side of one."""
    for place, row in rows:
        counts.rows += 1
        if isinstance(row, Flaw):
            counts.drop("unreadable", place, row.problem)
            continue
        shape = shape_of(row, what.shapes)
        if shape is None:
            counts.drop("unreadable", place, "has another shape than the first rows")
            continue
        counts.shapes[shape.name] += 1
        try:
            pair = pair_in(row, shape)
        except NoPair as exc:
            counts.drop(exc.reason, place, exc.why)
        else:
            yield place, pair, shape.one_sided


class _Partners:
    """Single answers that wait for one to the same prompt with the other label; the oldest give up first."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._waiting: OrderedDict[bytes, deque[tuple[int | str, ChatPair]]] = OrderedDict()
        self._size = 0

    def met(self, place: int | str, pair: ChatPair) -> ChatPair | None:
        """The pair with the first one that waits for it; None: it waits itself, or they say the same."""
        prompt = orjson.dumps([pair.messages, pair.tools], option=orjson.OPT_SORT_KEYS)
        queue = self._waiting.setdefault(prompt, deque())
        if not queue or bool(queue[0][1].chosen) == bool(pair.chosen):
            queue.append((place, pair))
            self._size += 1
            if self._size > WAITING:
                self._drop_oldest()
            return None
        _, other = queue.popleft()
        self._size -= 1
        if not queue:
            del self._waiting[prompt]
        both = replace(pair, chosen=pair.chosen or other.chosen, rejected=pair.rejected or other.rejected)
        try:
            refuse_silent(both, one_sided=False)
        except NoPair as exc:
            self._counts.drop(exc.reason, place, exc.why)
            return None
        return both

    def give_up(self) -> None:
        """No more rows come."""
        while self._waiting:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        prompt, queue = next(iter(self._waiting.items()))
        place, _ = queue.popleft()
        self._size -= 1
        if not queue:
            del self._waiting[prompt]
        self._counts.drop("one_sided", place, "no answer with the other label belongs to its prompt")
