"""Which couples people are shown, and in which order: what teaches most first, and a random sample all along.

Every list below stands in the order of one hash of the content. So of each kind of couple (its band of gaps, whether
judges disagree, whether it is a pair) those that were shown are a random sample of that kind, however the lists are
mixed: agreement.py counts on it. Reads the ledger alone. Called by the review page and the report.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, cycle
from sys import intern
from typing import Any, Literal, TypeAlias, cast

from pairsmith.dataset import Texts
from pairsmith.ledger import Ledger, Settled
from pairsmith.outcomes import StoredPair, StoredSide, family_in, gate_evidence_in, pairs_in, verdicts_in
from pairsmith.pair.select import TOLERANCE
from pairsmith.pair.settings import BEST_WORST
from pairsmith.pairing import Pairing
from pairsmith.recipe import Recipe
from pairsmith.records import CompletionId, Duel, EndpointName, Prompt, PromptId, Ranking, Score, content_id
from pairsmith.repairing import paired_again, pairing_in

Why: TypeAlias = Literal["close", "disagree", "sample"]
Band: TypeAlias = Literal["below", "above", ""]

REACH = 1.0  # points on either side of min_gap in which couples are close to the gate; below it at least to verify_gap
ANY_GAP = 1e-6  # a gate that lets all through which is no tie
# Abstentions of prompts that have a couple whose points differ: under another gate they might be pairs.
HELD_BACK = frozenset(
    ("gap_too_small", "chosen_below_floor", "not_compared", "duel_tie", "order_conflict", "judges_disagree")
)


@dataclass(frozen=True, slots=True)
class Item:
    """One couple that people are asked about; `chosen` is the one that the judges prefer.

    exported: it is a pair of the run; else its prompt has none, and this would be it under a lenient gate.
    disagree: two judges order it differently, or one judge does in the two orders. why: for what it is shown here.
    draw: its place in the random sample of the run's pairs; None: it is no pair. confirmed: both orders of a duel
    agreed with the scores, which had not sufficed. floored: the chosen one is good enough. widest: the largest gap of a
    couple that the gates could take of this prompt. orders: of each judge that saw both whether it prefers the chosen
    (1), the rejected (-1), or neither (0). characters: of the two.
    """

    key: str
    prompt: PromptId
    chosen: StoredSide
    rejected: StoredSide
    gap: float | None
    family: str
    exported: bool
    disagree: bool
    why: Why = "sample"
    band: Band = ""
    draw: int | None = None
    confirmed: bool = False
    floored: bool = True
    widest: float = 0.0
    orders: tuple[tuple[EndpointName, int], ...] = ()
    characters: tuple[int, int] = (0, 0)

    @property
    def couple(self) -> frozenset[CompletionId]:
        """The two completions, in no order."""
        return frozenset((self.chosen["completion"], self.rejected["completion"]))


@dataclass(frozen=True, slots=True)
class Gates:
    """What decided which couples are pairs: of the [pair] table, with "auto" replaced by its number.

    prompts: that came to a pair or to none. usual: pairs are best against worst by points, so that another `min_gap`
    can be thought through.
    """

    min_gap: float
    verify_gap: float
    prompts: int
    usual: bool

    @property
    def lowest(self) -> float:
        """Where the band of couples below the gate begins, in points."""
        return max(ANY_GAP, min(self.verify_gap, self.min_gap - REACH))

    def band(self, gap: float | None) -> Band:
        """On which side of the gate a gap is close to it; "": on neither."""
        if gap is None or gap < self.lowest - TOLERANCE:
            return ""
        if gap < self.min_gap - TOLERANCE:
            return "below"
        return "above" if gap < self.min_gap + REACH - TOLERANCE else ""


def items(ledger: Ledger, recipe: Recipe, digest: str) -> list[Item]:
    """What is to be reviewed of a run, the first one first: one couple of each prompt that has any.

    Prompts that people's own preferences settled are not among them.

    Args:
        ledger: the run folder's.
        recipe: that the folder was last run with.
        digest: of the work that the folder was run with last.

    Raises:
        UserError: a file that the [pair] table names cannot be read.
        LedgerError: an earlier version settled these prompts, and did not keep enough.
    """
    return queue(ledger, recipe, digest)[0]


def queue(ledger: Ledger, recipe: Recipe, digest: str) -> tuple[list[Item], Gates]:
    """The same, with the gates that made it so.

    Raises:
        UserError, LedgerError: as `items`.
    """
    way, counts = pairing_in(recipe, ledger, digest), ledger.counts(digest)
    settings = way.settings
    usual = way.protocol == "score" and settings.strategy == BEST_WORST and bool(way.judges)
    settled = counts.settled + sum(counts.abstained.values())
    gates = Gates(settings.least_gap, settings.verify_gap, settled, usual)
    return in_order(_couples(ledger, digest, way, gates)), gates


# --- the order ------------------------------------------------------------------------------------


def in_order(found: Iterable[Item]) -> list[Item]:
    """Mixed: of every five two near the gate, one on which judges disagree, two of the random sample of the pairs.

    A list that has come to its end leaves its places to the sample, then to the others; what is in no list comes last.
    Depends on what the couples are, not on how they are given.
    """
    places = count()
    by_hash = [
        replace(item, draw=next(places) if item.exported else None) for item in sorted(found, key=lambda one: one.key)
    ]
    below = _List("close", (item for item in by_hash if item.band == "below"))
    above = _List("close", (item for item in by_hash if item.band == "above"))
    disputed = _List("disagree", (item for item in by_hash if item.disagree))
    sample = _List("sample", (item for item in by_hash if item.exported))
    rest = _List("sample", iter(by_hash))
    shown, ordered = set[str](), list[Item]()
    for own in cycle((below, sample, disputed, above, sample)):
        taken = next((item for one in (own, sample, below, above, disputed, rest) if (item := one.take(shown))), None)
        if taken is None:
            return ordered
        shown.add(taken.key)
        ordered.append(taken)
    raise AssertionError


class _List:
    """Couples of one kind, each taken once, unless another list was quicker."""

    def __init__(self, why: Why, waiting: Iterator[Item]) -> None:
        self._why, self._waiting = why, waiting

    def take(self, shown: set[str]) -> Item | None:
        item = next((item for item in self._waiting if item.key not in shown), None)
        return item and replace(item, why=self._why)


# --- the couples ----------------------------------------------------------------------------------


def _couples(ledger: Ledger, digest: str, way: Pairing, gates: Gates) -> list[Item]:
    found: list[Item] = []
    widest: dict[PromptId, float] = {}

    def held_back() -> Iterator[tuple[Prompt, Settled]]:
        for prompt, settled in ledger.outcomes(digest):
            if prompt.preferences:
                continue
            evidence = gate_evidence_in(settled.body)
            widest[prompt.id] = evidence.gap if evidence else 0.0
            if settled.kind == "pair":
                found.append(_item(prompt, settled.body, pairs_in(settled.body)[0], way, gates, exported=True))
            elif settled.reason in HELD_BACK and gates.usual:
                yield prompt, settled

    for prompt, (again,) in paired_again(held_back(), [_lenient(way)], Texts(ledger)):
        found += [_item(prompt, again.body, one, way, gates, exported=False) for one in pairs_in(again.body)[:1]]
    return [replace(item, widest=max(item.gap or 0.0, widest[item.prompt])) for item in found]


def _lenient(way: Pairing) -> Pairing:
    """The same, but for the gates on points."""
    lenient = {"min_gap": ANY_GAP, "verify_gap": ANY_GAP, "chosen_floor": 0.0}
    return replace(way, settings=way.settings.model_copy(update=lenient), first=None)


def _item(
    prompt: Prompt, body: Mapping[str, Any], couple: StoredPair, way: Pairing, gates: Gates, exported: bool
) -> Item:
    chosen, rejected = couple["chosen"]["completion"], couple["rejected"]["completion"]
    orders, disagree = orders_of(body, chosen, rejected)
    lengths = {row[0]: row[2] for row in body.get("completions", ())}
    mean = cast(Any, couple["provenance"].get("chosen", {})).get("mean")
    floored = mean is None or mean >= way.settings.chosen_floor - TOLERANCE
    return Item(
        key=content_id("couple", prompt.id, *sorted((chosen, rejected))),
        prompt=prompt.id,
        chosen=_side(couple["chosen"]),
        rejected=_side(couple["rejected"]),
        gap=couple["gap"],
        family=intern(family_in(prompt, body).family or ""),
        exported=exported,
        disagree=disagree,
        band=gates.band(couple["gap"]) if floored else "",  # else no gap makes it a pair
        confirmed=exported and couple["provenance"].get("rule") == "duels",
        floored=floored,
        orders=orders,
        characters=(lengths.get(chosen, 0), lengths.get(rejected, 0)),
    )


def _side(side: StoredSide) -> StoredSide:
    """The same; names that many have in common are kept once."""
    model = side["model"]
    return StoredSide(
        completion=side["completion"],
        arm=intern(side["arm"]),
        model=None if model is None else intern(model),
        span=side["span"],
        simulated=side["simulated"],
    )


def orders_of(
    body: Mapping[str, Any], chosen: CompletionId, rejected: CompletionId
) -> tuple[tuple[tuple[EndpointName, int], ...], bool]:
    """How each judge that saw both orders these two, and whether there is any disagreement.

    Of each judge its points, or where they are equal or missing its duels and rankings. Disagreement: between two
    judges, between what one says in points and otherwise, or between what it says in the two orders.

    Args:
        body: what the outcome of their prompt keeps.
        chosen: one of them; a judge that prefers it is said to order them by 1, the other way by -1, by 0 at a tie.
        rejected: the other.
    """
    scores, duels, rankings = verdicts_in(body)
    said: dict[EndpointName, list[int]] = {}
    for judge, sign in _by_points(scores, chosen, rejected):
        said.setdefault(judge, []).append(sign)
    compared: dict[EndpointName, list[int]] = {}
    for judge, sign in (*_by_duels(duels, chosen, rejected), *_by_rankings(rankings, chosen, rejected)):
        compared.setdefault(judge, []).append(sign)
    for judge, signs in compared.items():
        said.setdefault(judge, []).append(_sign(sum(signs)))
    conflict = any(len(set(signs)) > 1 for signs in compared.values())
    orders = tuple((judge, next(filter(None, signs), 0)) for judge, signs in sorted(said.items()))
    return orders, conflict or {1, -1} <= {sign for signs in said.values() for sign in signs}


def _by_points(
    scores: Sequence[Score], chosen: CompletionId, rejected: CompletionId
) -> Iterator[tuple[EndpointName, int]]:
    given: dict[EndpointName, tuple[list[float], list[float]]] = {}
    for score in scores:
        if score.completion in (chosen, rejected):
            given.setdefault(score.judge, ([], []))[score.completion == rejected].append(score.value)
    for judge, (better, worse) in given.items():
        if better and worse:
            yield judge, _sign(sum(better) / len(better) - sum(worse) / len(worse))


def _by_duels(
    duels: Sequence[Duel], chosen: CompletionId, rejected: CompletionId
) -> Iterator[tuple[EndpointName, int]]:
    signs: dict[CompletionId | None, int] = {chosen: 1, rejected: -1, None: 0}
    for duel in duels:
        if {duel.first, duel.second} == {chosen, rejected}:
            yield duel.judge, signs[duel.winner]


def _by_rankings(
    rankings: Sequence[Ranking], chosen: CompletionId, rejected: CompletionId
) -> Iterator[tuple[EndpointName, int]]:
    for ranking in rankings:
        if {chosen, rejected} <= set(ranking.order):
            yield ranking.judge, _sign(ranking.order.index(rejected) - ranking.order.index(chosen))


def _sign(value: float) -> int:
    return (value > TOLERANCE) - (value < -TOLERANCE)
