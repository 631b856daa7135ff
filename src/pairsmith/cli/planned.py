"""A plan with what it comes to, and how programs are told of it. Called by plan.py and tabled.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pairsmith.cli.common import Named
from pairsmith.planning.figures import NOTHING, Band, Figures
from pairsmith.planning.hours import Pace, paces, whole
from pairsmith.planning.targets import Target, target

if TYPE_CHECKING:
    from pairsmith.judge.rates import Rate
    from pairsmith.ledger import Spent
    from pairsmith.planning.forecast import Line
    from pairsmith.planning.survey import Survey
    from pairsmith.records import Endpoint, EndpointName, Purpose

SIDES = ("low", "likely", "high")


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan: the input, what its lines take, the pairs so far, and what the folder has paid for."""

    what: Named
    endpoints: Mapping[EndpointName, Endpoint]
    input: Survey
    lines: tuple[Line, ...]
    gained: Rate  # pairs of the settled prompts
    paid: Mapping[tuple[EndpointName, Purpose], Spent]
    spent: Spent | None  # None: no run yet
    target_pairs: int | None

    @property
    def whole(self) -> Band[Figures]:
        """All calls of the whole input."""
        return _sum(line.whole for line in self.lines)

    @property
    def left(self) -> Band[Figures]:
        """Those that are not paid for yet."""
        return _sum(line.left for line in self.lines)

    @property
    def whole_usd(self) -> Band[float | None]:
        """What the whole input costs; None where a price is unknown."""
        return _usd_sum([self.line_usd(line, line.whole) for line in self.lines])

    @property
    def left_usd(self) -> Band[float | None]:
        """What is not paid for yet."""
        return _usd_sum([self.line_usd(line, line.left) for line in self.lines])

    def line_usd(self, line: Line, figures: Band[Figures]) -> Band[float | None]:
        """What the calls of one line cost."""
        price = self.endpoints[line.endpoint].price
        return figures.map(lambda one: one.cost_usd(price))

    @property
    def unpriced(self) -> list[str]:
        """Endpoints that the recipe gives no price for."""
        return [name for name, endpoint in self.endpoints.items() if endpoint.price is None]

    @property
    def paces(self) -> tuple[Pace, ...]:
        """How long what is left takes."""
        return paces(self.lines, self.endpoints)

    @property
    def target(self) -> Target | None:
        """What the wanted pairs need; None where none are wanted, or the yield is not known."""
        return None if self.target_pairs is None else target(self.target_pairs, self.gained, self.input.prompts)


def _sum(bands: Iterable[Band[Figures]]) -> Band[Figures]:
    total = Band(NOTHING, NOTHING, NOTHING)
    for band in bands:
        total = Band(total.low + band.low, total.likely + band.likely, total.high + band.high)
    return total


def _usd_sum(bands: Sequence[Band[float | None]]) -> Band[float | None]:
    def of(costs: Sequence[float | None]) -> float | None:
        return None if None in costs else sum(cost or 0.0 for cost in costs)

    return Band(of([b.low for b in bands]), of([b.likely for b in bands]), of([b.high for b in bands]))


# --- for programs ---------------------------------------------------------------------------------


def as_json(plan: Planned) -> dict[str, Any]:
    """Everything; what is unknown is null."""
    seconds = whole(plan.paces)
    rate = plan.gained
    return {
        "name": plan.what.recipe.name,
        "run_dir": str(plan.what.folder.path),
        "prompts": plan.input.prompts,
        "duplicates": plan.input.duplicates,
        "near_duplicates": plan.input.near_duplicates,
        "contaminated": plan.input.contaminated,
        "skipped": plan.input.skipped,
        "settled": sum(part.count for part in plan.input.settled),
        "lines": [_line_json(plan, line) for line in plan.lines],
        "total": {**_figures_json(plan.whole), "cost_usd": _band_json(plan.whole_usd, 6)},
        "left": {**_figures_json(plan.left), "cost_usd": _band_json(plan.left_usd, 6)},
        "paid": _paid_json(plan),
        "hours": {
            **_band_json(seconds.map(lambda one: one / 3600), 4),
            "endpoints": [_pace_json(pace) for pace in plan.paces],
        },
        "yield": {"rate": rate.rate, "low": rate.low, "high": rate.high, "settled": rate.n},
        "target": _target_json(plan),
    }


def _line_json(plan: Planned, line: Line) -> dict[str, Any]:
    return {
        "endpoint": line.endpoint,
        "purpose": line.purpose.value,
        "model": plan.endpoints[line.endpoint].model,
        **_figures_json(line.whole),
        "cost_usd": _band_json(plan.line_usd(line, line.whole), 6),
        "left": {**_figures_json(line.left), "cost_usd": _band_json(plan.line_usd(line, line.left), 6)},
        "rests_on": {"calls": _band_json(line.calls_rest), "tokens": _band_json(line.tokens_rest)},
    }


def _figures_json(figures: Band[Figures]) -> dict[str, Any]:
    return {
        "calls": _band_json(figures.map(lambda one: round(one.calls))),
        "input_tokens": _band_json(figures.map(lambda one: round(one.input))),
        "cached_tokens": _band_json(figures.map(lambda one: round(one.cached))),
        "output_tokens": _band_json(figures.map(lambda one: round(one.output))),
        "reasoning_tokens": _band_json(figures.map(lambda one: round(one.reasoning))),
    }


def _band_json(band: Band[Any], digits: int | None = None) -> dict[str, Any]:
    values = {side: getattr(band, side) for side in SIDES}
    return {side: round(v, digits) if digits and v is not None else v for side, v in values.items()}


def _paid_json(plan: Planned) -> dict[str, Any]:
    def one(spent: Spent) -> dict[str, Any]:
        return {
            "calls": spent.calls,
            "input_tokens": spent.input_tokens,
            "output_tokens": spent.output_tokens,
            "cost_usd": spent.cost_usd,
        }

    none = {"calls": 0, "input_tokens": 0, "output_tokens": 0, "cost_usd": 0.0}
    lines = [{"endpoint": name, "purpose": purpose.value, **one(s)} for (name, purpose), s in plan.paid.items()]
    return {**(one(plan.spent) if plan.spent else none), "lines": lines}


def _pace_json(pace: Pace) -> dict[str, Any]:
    hours = _band_json(pace.seconds.map(lambda one: one / 3600), 4)
    return {"endpoints": list(pace.endpoints), **hours, "binds": pace.binds, "latency_rests_on": pace.rests}


def _target_json(plan: Planned) -> dict[str, Any] | None:
    if plan.target_pairs is None:
        return None
    found = plan.target
    if found is None:
        return {"pairs": plan.target_pairs, "prompts": None, "missing": None, "cost_usd": None, "hours": None}
    cost, seconds = of_target(plan, found)
    per_pair = Band(*[None if one is None else one / found.pairs for one in (cost.low, cost.likely, cost.high)])
    return {
        "pairs": found.pairs,
        "prompts": {"low": found.least, "likely": found.likely, "high": found.most},
        "missing": found.missing,
        "cost_usd": _band_json(cost, 6),
        "usd_per_pair": _band_json(per_pair, 6),
        "hours": _band_json(seconds.map(lambda one: None if one is None else one / 3600), 4),
    }


def of_target(plan: Planned, found: Target) -> tuple[Band[float | None], Band[float | None]]:
    """What the wanted pairs cost in all, and the seconds from nothing on: each prompt as much as one of the input."""
    share = found.share(plan.input.prompts)
    seconds = whole(paces([replace(line, left=line.whole) for line in plan.lines], plan.endpoints))
    return _product(plan.whole_usd, share), _product(seconds, share)


def _product(one: Band[float | None] | Band[float], other: Band[float | None]) -> Band[float | None]:
    pairs = [(one.low, other.low), (one.likely, other.likely), (one.high, other.high)]
    return Band(*[None if a is None or b is None else a * b for a, b in pairs])
