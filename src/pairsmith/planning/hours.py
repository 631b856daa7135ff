"""How long a run takes at the limits of its endpoints, and which limit it is. Pure. Called by cli/plan.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pairsmith.planning.figures import Band, Figures
from pairsmith.planning.forecast import Line
from pairsmith.records import Endpoint, EndpointName

_SIDES: tuple[Callable[[Band[Figures]], Figures], ...] = (lambda b: b.low, lambda b: b.likely, lambda b: b.high)


@dataclass(frozen=True, slots=True)
class Pace:
    """How long the calls to one model take, all purposes together.

    `endpoints` are those that share its limits. `binds` is the limit that the likely time comes from. `rests` is what
    the time of one call rests on.
    """

    endpoints: tuple[EndpointName, ...]
    seconds: Band[float]
    binds: str
    rests: str


def paces(lines: Sequence[Line], endpoints: Mapping[EndpointName, Endpoint]) -> tuple[Pace, ...]:
    """The time that what is left takes, for each model behind its URLs."""
    places: dict[tuple[str, frozenset[str]], list[Line]] = defaultdict(list)
    for line in lines:
        endpoint = endpoints[line.endpoint]
        places[endpoint.model, frozenset(endpoint.base_urls)].append(line)
    return tuple(_pace(group, endpoints[group[0].endpoint]) for group in places.values())


def whole(paces: Sequence[Pace]) -> Band[float]:
    """Seconds of the whole run: its endpoints work side by side, so the slowest one decides."""
    if not paces:
        return Band(0.0, 0.0, 0.0)
    bands = [pace.seconds for pace in paces]
    return Band(max(b.low for b in bands), max(b.likely for b in bands), max(b.high for b in bands))


def _pace(lines: Sequence[Line], endpoint: Endpoint) -> Pace:
    low, likely, high = (_seconds([(side(line.left), line) for line in lines], endpoint) for side in _SIDES)
    return Pace(
        endpoints=tuple(dict.fromkeys(line.endpoint for line in lines)),
        seconds=Band(max(low.values()), max(likely.values()), max(high.values())),
        binds=max(likely, key=lambda limit: likely[limit]),
        rests="this run's calls" if all(line.timed for line in lines) else "an assumption",
    )


def _seconds(calls: Sequence[tuple[Figures, Line]], endpoint: Endpoint) -> dict[str, float]:
    """Seconds by each limit that there is."""
    replicas = len(endpoint.base_urls)
    busy = sum(figures.calls * line.seconds for figures, line in calls)
    taken = {f"concurrency = {endpoint.concurrency}": busy / (endpoint.concurrency * replicas)}
    if endpoint.requests_per_minute:
        count = sum(figures.calls for figures, _ in calls)
        limit = f"requests_per_minute = {endpoint.requests_per_minute:g}"
        taken[limit] = 60 * count / (endpoint.requests_per_minute * replicas)
    if endpoint.tokens_per_minute:
        bound = endpoint.counts_bounds  # the longest answer allowed counts, not the one that came
        tokens = sum(f.input + (line.max_tokens * f.calls if bound else f.output) for f, line in calls)
        limit = f"tokens_per_minute = {endpoint.tokens_per_minute:g}"
        taken[limit] = 60 * tokens / (endpoint.tokens_per_minute * replicas)
    return taken
