"""Whether `min_gap` should move, by what people said: what other gates would give, and one advice.

The couples of a queue are not a random sample of the run; each verdict counts for as many couples as it stands for
(weighed.py), so that those on which judges disagree do not drag the figures down. Pure. Called by agreement.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pairsmith.judge.rates import Rate, interval, percent, share, told
from pairsmith.pair.select import TOLERANCE
from pairsmith.show.queue import REACH, Gates, Item
from pairsmith.show.weighed import Cell, Weighed, cell

STEP = 0.5  # points between two gates that are looked at
# Couples belong into the dataset when their judges are right at least so often: as often as two people agree on which
# of two answers is better (Zheng et al. 2023, 2306.05685). Nothing is advised unless the interval is beyond it.
BAR = 0.80
MOST = 500  # verdicts more than which nobody is asked for
LIKELY, BELIEVED = 0.90, 10  # how often judges are right before anybody looked, and so many verdicts' worth of it
DRAWN = 8  # verdicts' worth of the whole that a kind of couple is given
ENOUGH = 30  # verdicts on one side of the gate after which it is said that it cannot be told
PLACES = 0.2  # of the queue: one of five is for either side of the gate

Word: TypeAlias = Literal["keep", "raise", "lower", "more"]


@dataclass(frozen=True, slots=True)
class Step:
    """One `min_gap`: the pairs that it would give, of all prompts, and how often they are right.

    A couple below it that a duel has confirmed stays a pair. `within`: how often judges are right from here up to the
    next step, whether they are pairs or not.
    """

    min_gap: float
    pairs: int
    share: float
    accuracy: Rate
    within: Rate
    current: bool


@dataclass(frozen=True, slots=True)
class Advice:
    """Whether to move the gate; `min_gap`: where to, if so. `more`: about so many verdicts until it can be said."""

    word: Word
    min_gap: float
    sentence: str
    more: int = 0


@dataclass(frozen=True, slots=True)
class Gate:
    """The gates that were looked at, and the advice. `above`: of pairs close above it; `below`: of what it keeps out.

    Both are about the band of the queue next to the gate; below it without couples that a duel has made pairs.
    """

    steps: tuple[Step, ...]
    above: Rate
    below: Rate
    advice: Advice


def gate(items: Sequence[Item], found: Sequence[Weighed], gates: Gates) -> Gate | None:
    """What people's verdicts say of the gate; None where pairs are not best against worst by points."""
    gaps = [item.gap for item in items if item.gap is not None and item.floored]
    if not gates.usual or not gaps:
        return None
    edges = _edges(gates, max(gaps))
    steps = tuple(
        _step(at, after, items, found, gates) for at, after in zip(edges, [*edges[1:], math.inf], strict=True)
    )
    about = _About(items, found, gates.min_gap)
    above, below = about.pairs(gates.min_gap, gates.min_gap + REACH), about.kept_out(gates.lowest, gates.min_gap)
    return Gate(steps, above.rate, below.rate, _advice(about, edges, above, below))


def accuracy(found: Iterable[Weighed]) -> Rate:
    """How often judges are right where people decided, each verdict for as many couples as it stands for.

    The interval is Wilson's, for as many verdicts as the variance of such a stratified sample says that they are worth.
    In a kind of couple of which few were seen, its share of right ones is drawn to that of all.

    Source: Cochran 1977, Sampling Techniques, chapter 5.
    """
    kinds: dict[Cell, list[bool]] = {}
    weights: dict[Cell, float] = {}
    for one in found:
        if one.label:
            kinds.setdefault(cell(one.item), []).append(one.label == 1)
            weights[cell(one.item)] = one.weight
    n = sum(map(len, kinds.values()))
    if not n:
        return share(0, 0)
    whole = math.fsum(weights[kind] * len(said) for kind, said in kinds.items())
    rate = math.fsum(weights[kind] * sum(said) for kind, said in kinds.items()) / whole
    drawn = {kind: (sum(said) + DRAWN * rate) / (len(said) + DRAWN) for kind, said in kinds.items()}
    spread = math.fsum(weights[kind] ** 2 * len(said) * drawn[kind] * (1 - drawn[kind]) for kind, said in kinds.items())
    kish = whole**2 / math.fsum(weights[kind] ** 2 * len(said) for kind, said in kinds.items())
    worth = rate * (1 - rate) * whole**2 / spread if 0 < rate < 1 else kish
    return Rate(rate, n, *interval(rate, worth))


def _edges(gates: Gates, largest: float) -> list[float]:
    """Every half point from where the queue's lower band begins to the largest gap, and the run's own gate."""
    first = max(1, math.ceil(gates.lowest / STEP - TOLERANCE))
    halves = {at * STEP for at in range(first, math.floor(largest / STEP + TOLERANCE) + 1)}
    return sorted({round(at, 9) for at in (*halves, gates.min_gap)})


def _step(at: float, after: float, items: Sequence[Item], found: Sequence[Weighed], gates: Gates) -> Step:
    pairs = sum(item.confirmed or (item.floored and item.widest >= at - TOLERANCE) for item in items)
    return Step(
        min_gap=at,
        pairs=pairs,
        share=pairs / gates.prompts if gates.prompts else 0.0,
        accuracy=accuracy(one for one in found if _passes(one.item, at)),
        within=accuracy(one for one in found if _reaches(one.item, at) and not _reaches(one.item, after)),
        current=abs(at - gates.min_gap) <= TOLERANCE,
    )


def _passes(item: Item, at: float) -> bool:
    return item.confirmed or _reaches(item, at)


def _reaches(item: Item, at: float) -> bool:
    return item.floored and item.gap is not None and item.gap >= at - TOLERANCE


# --- the advice -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Side:
    """Couples between two gates: how many were seen, and how often judges are right about them."""

    items: Sequence[Item]
    belongs: Callable[[Item], bool]
    seen: int
    rate: Rate

    @property
    def couples(self) -> int:
        """How many there are; counted where it is asked."""
        return sum(map(self.belongs, self.items))


@dataclass(frozen=True, slots=True)
class _About:
    items: Sequence[Item]
    found: Sequence[Weighed]
    now: float

    def pairs(self, low: float, high: float) -> _Side:
        """Pairs that a gate at `high` would lose to one at `low`, unless a duel confirms them."""
        return self._side(lambda item: item.exported and _reaches(item, low) and not _reaches(item, high))

    def kept_out(self, low: float, high: float) -> _Side:
        """Couples that are no pairs, and would be for a gate at `low`."""
        return self._side(lambda item: not item.exported and _reaches(item, low) and not _reaches(item, high))

    def _side(self, belongs: Callable[[Item], bool]) -> _Side:
        here = [one for one in self.found if belongs(one.item)]
        return _Side(self.items, belongs, len(here), accuracy(here))

    @property
    def pace(self) -> float:
        """Which share of the verdicts so far decided anything."""
        return sum(bool(one.label) for one in self.found) / len(self.found) if self.found else 1.0


def _advice(about: _About, edges: Sequence[float], above: _Side, below: _Side) -> Advice:
    now = about.now
    if (higher := _higher(about, edges)) is not None:
        lost = about.pairs(now, higher)
        said = f"raise min_gap to {higher:g}: the judges are right in {_told(lost)} the {lost.couples:,} pairs between"
        return Advice("raise", higher, f"{said}; two people agree in {percent(BAR)}")
    if (lower := _lower(about, edges)) is not None:
        won = about.kept_out(lower, now)
        said = f"lower min_gap to {lower:g}: the judges are right in {_told(won)} what it keeps out from there on"
        return Advice("lower", lower, f"{said}; it would give about {won.couples:,} more pairs")
    more = max(_owed(side, about.pace) for side in (above, below))
    if 0 < more <= MOST:
        said = f"too few verdicts close to the gate to say whether min_gap = {now:g} should move: about {more:,} more"
        return Advice("more", now, said, more)
    return Advice("keep", now, f"keep min_gap = {now:g}: {_kept(above, below)}")


def _told(side: _Side) -> str:
    return f"{told(side.rate)} of {side.rate.n:,} {'verdict' if side.rate.n == 1 else 'verdicts'} on"


def _kept(above: _Side, below: _Side) -> str:
    """What speaks for the gate as it is."""
    said = [f"the judges are right in {_told(above)} the pairs just above it"] if above.rate.n else []
    said += [f"in {_told(below)} what it keeps out just below"] if below.rate.n else []
    if not said:
        return "nobody has decided anything close to it"
    unclear = any(_spans_bar(side.rate) for side in (above, below))
    return " and ".join(said) + ("; that is too little to move it" if unclear else "")


def _higher(about: _About, edges: Sequence[float]) -> float | None:
    """The highest gate below which pairs are surely too often wrong, and do not seem right just below it."""
    found, before = None, about.now
    for edge in (edge for edge in edges if edge > about.now + TOLERANCE):
        step, whole = about.pairs(before, edge).rate, about.pairs(about.now, edge).rate
        if step.surely(lambda rate: rate > BAR):
            break
        if whole.surely(lambda rate: rate < BAR) and step.perhaps(lambda rate: rate < BAR):
            found = edge
        before = edge
    return found


def _lower(about: _About, edges: Sequence[float]) -> float | None:
    """The lowest gate above which what is kept out is surely right often enough, and seems so just above it."""
    found, before = None, about.now
    for edge in (edge for edge in reversed(edges) if edge < about.now - TOLERANCE):
        step, whole = about.kept_out(edge, before).rate, about.kept_out(edge, about.now).rate
        if step.surely(lambda rate: rate < BAR):
            break
        if whole.surely(lambda rate: rate > BAR) and step.perhaps(lambda rate: rate > BAR):
            found = edge
        before = edge
    return found


def _owed(side: _Side, pace: float) -> int:
    """About how many verdicts more until a side lies clear of the bar; 0: it does, or all its couples would not do."""
    rate = side.rate
    if rate.n and not _spans_bar(rate):
        return 0
    expected = ((rate.rate or 0.0) * rate.n + LIKELY * BELIEVED) / (rate.n + BELIEVED)
    clear = (n for n in range(rate.n + 1, rate.n + MOST) if not _spans_bar(Rate(expected, n, *interval(expected, n))))
    wanted = next(clear, max(ENOUGH, rate.n)) - rate.n
    if wanted > (side.couples - side.seen) * pace:
        return 0
    return math.ceil(wanted / pace / PLACES / 10) * 10


def _spans_bar(rate: Rate) -> bool:
    return rate.low is not None and rate.high is not None and rate.low <= BAR <= rate.high
