"""What the run so far shows: tokens and seconds of its calls, and how many it took. Pure. Called by forecast.py."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from pairsmith.planning.figures import Band, Figures, Key
from pairsmith.planning.rehearsal import Asked
from pairsmith.planning.tokens import prefix_tokens, request_tokens
from pairsmith.records import EndpointName, Purpose, Reply

ENOUGH = 20  # answers, or settled prompts, from which on they count instead of what is assumed
SURE = 1.96  # standard errors on either side: 95 %


@dataclass(frozen=True, slots=True)
class Known:
    """What the answers of one endpoint and purpose were like, for each call."""

    answers: int
    input_factor: float  # tokens that were counted, for each that was estimated
    output: Band[float]
    cached_share: float  # of the input
    reasoning_share: float  # of the output
    seconds: float


def learnt(asked: Iterable[Asked], rates: Mapping[EndpointName, float]) -> dict[Key, Known]:
    """What stored answers show, where there are enough of them whose tokens the server has counted."""
    found: dict[Key, list[tuple[float, Reply]]] = defaultdict(list)
    for one in {one.request.id: one for one in asked if one.stored}.values():
        if isinstance(one.outcome, Reply) and one.outcome.usage.input_tokens is not None:
            request = one.request
            estimated = request_tokens(request, rates[request.endpoint])
            found[request.endpoint, request.purpose].append((estimated, one.outcome))
    return {key: _known(answers) for key, answers in found.items() if len(answers) >= ENOUGH}


def _known(answers: Sequence[tuple[float, Reply]]) -> Known:
    used = [reply.usage for _, reply in answers]
    inputs = sum(usage.input_tokens or 0 for usage in used)
    outputs = [float(usage.output_tokens or 0) for usage in used]
    return Known(
        answers=len(answers),
        input_factor=inputs / max(1.0, sum(estimated for estimated, _ in answers)),
        output=around(outputs),
        cached_share=sum(usage.cached_tokens or 0 for usage in used) / max(1, inputs),
        reasoning_share=sum(usage.reasoning_tokens or 0 for usage in used) / max(1.0, sum(outputs)),
        seconds=fmean(reply.latency_s for _, reply in answers),
    )


def around(values: Sequence[float]) -> Band[float]:
    """The mean of 2+ values and its 95 % interval, not below 0."""
    mean, error = fmean(values), SURE * stdev(values) / math.sqrt(len(values))
    return Band(max(0.0, mean - error), mean, mean + error)


def calls_ratio(settled: Sequence[Sequence[Asked]], rehearsed: Sequence[Sequence[Asked]]) -> dict[Key, Band[float]]:
    """How many calls settled prompts really took, for each that the rehearsal of the same prompts took.

    Empty where there are too few of them.
    """
    if len(settled) < ENOUGH:
        return {}
    really = [_calls(asked) for asked in settled]
    expected = sum((_calls(asked) for asked in rehearsed), Counter[Key]())
    ratios = {}
    for key, calls in expected.items():
        mean = around([float(one[key]) for one in really])
        ratios[key] = mean.map(lambda value, calls=calls: value * len(settled) / calls)  # type: ignore[misc]
    return ratios


def _calls(asked: Sequence[Asked]) -> Counter[Key]:
    return Counter((one.request.endpoint, one.request.purpose) for one in asked)


def figures_of(one: Asked, rates: Mapping[EndpointName, float], prefix_cached: bool = False) -> Figures:
    """One call: as the server counted it, where it has; else as estimated.

    `prefix_cached`: what all questions of a kind begin with is taken to be cached already.
    """
    usage = one.outcome.usage if isinstance(one.outcome, Reply) else None
    if usage is None:
        return Figures(calls=1.0)
    output, reasoning = float(usage.output_tokens or 0), float(usage.reasoning_tokens or 0)
    if usage.input_tokens is not None:
        return Figures(1.0, float(usage.input_tokens), float(usage.cached_tokens or 0), output, reasoning)
    rate = rates[one.request.endpoint]
    cached = prefix_tokens(one.request, rate) if prefix_cached and one.request.purpose is not Purpose.SAMPLE else 0.0
    return Figures(1.0, request_tokens(one.request, rate), cached, output, reasoning)
