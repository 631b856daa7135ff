"""What several judges' scores of a prompt's completions come to: weighted means on one scale, and how sure they are.

Pure. Used by judge (who goes on) and pair (which two), so that both see the same numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

from pairsmith.records import CompletionId, EndpointName, Noise, Score

# Variance of what a judge gives or takes all answers to one prompt alike, squared points. Between two of the replayed
# judges such a difference has 0.34 to 0.59 (RewardBench 2, even half).
LENIENCY = 0.5


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is known of one completion: its mean, and the variance of that mean's error."""

    mean: float
    variance: float


def estimates(scores: Iterable[Score], noise: Noise) -> dict[CompletionId, Estimate]:
    """The mean of each completion of ONE prompt over the judges that saw it.

    Where nothing is known of the judges, each counts the same. Else each counts by one over the variance of its
    errors, and is first brought in line with the judges before it by what both saw of this prompt: a later judge that
    is lenient to a whole prompt would lift just the completions that went on to it.
    """
    points = _points(scores, noise)
    sums: dict[CompletionId, float] = defaultdict(float)
    weights: dict[CompletionId, float] = defaultdict(float)
    for judge in [name for name in noise.judges if name in points] or sorted(points):
        weight = noise.weight(judge)
        lenient = _lenience(points[judge], sums, weights, 1 / weight) if noise.judges else 0.0
        for completion, value in points[judge].items():
            sums[completion] += weight * (value - lenient)
            weights[completion] += weight
    return {ident: Estimate(sums[ident] / weights[ident], 1 / weights[ident]) for ident in weights}


def _points(scores: Iterable[Score], noise: Noise) -> dict[EndpointName, dict[CompletionId, float]]:
    """By judge and completion, on the common scale; a judge that scored one twice counts once."""
    given: dict[EndpointName, dict[CompletionId, list[float]]] = defaultdict(lambda: defaultdict(list))
    for score in sorted(set(scores), key=lambda score: (score.request_id, score.value)):
        given[score.judge][score.completion].append(noise.points(score.judge, score.value))
    return {
        judge: {ident: values[0] if len(values) == 1 else fmean(values) for ident, values in by.items()}
        for judge, by in given.items()
    }


def _lenience(
    points: dict[CompletionId, float], sums: dict[CompletionId, float], weights: dict[CompletionId, float], error: float
) -> float:
    """What a judge gives this whole prompt above the judges before it; drawn to 0 where both saw few of it."""
    total = precision = 0.0
    for completion, value in points.items():
        if completion in weights:
            sure = 1 / (error + 1 / weights[completion])
            total += sure * (value - sums[completion] / weights[completion])
            precision += sure
    return total / (precision + 1 / LENIENCY)
