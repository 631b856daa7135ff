"""Which completions go on to the next judge of the ladder. Pure: evidence in, completion ids out.

`by_distance` is the baseline: all that are near the top. `by_value` asks only for verdicts that can still change
what is exported, by the noise that this run's judges were measured to have. Explained, with its effect, in
docs/judging.md. Called by ladder.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pairsmith.means import Estimate, estimates
from pairsmith.records import CompletionId, EndpointName, Noise, Score

# Where `by_value` holds. How many times the surest chat judge's variance the least sure one's may be: beyond it, what
# the weak one gets wrong is no normal noise (a taste for polish), and its clear lead no reason to ask nobody else.
COMPARABLE = 2.0
# The least share of quality in the variance of the first judge's scores; above 0.8 on the replay set.
RELIABLE = 0.7
SLACK = 1e-9  # means of points are sums of floats: 2.0 apart may read 2.0000000000000004
# Chances from which a verdict is worth its call; set on the replay set, where they lie in the middle of a wide plateau.
ANOTHER_CHOSEN = 0.085  # that another completion becomes the chosen one
PAIR_GAINED = 0.08  # that a prompt without a pair gets one
PAIR_LOST = 0.4  # that a pair turns out to be none: it is right far more often than not, so a doubt is no reason
STEP = 0.25  # means of whole points move in steps of half a point: a threshold is met from half a step below


@dataclass(frozen=True, slots=True)
class Gates:
    """What pair asks of a pair, in points: no gap below `verify_gap` and no chosen mean below `floor` gives one."""

    verify_gap: float
    floor: float


def by_distance(scores: Iterable[Score], within: float, noise: Noise) -> list[CompletionId]:
    """The completions whose mean so far is at most `within` points below the highest."""
    means = {ident: known.mean for ident, known in estimates(scores, noise).items()}
    least = max(means.values(), default=0.0) - within - SLACK
    return [ident for ident, mean in means.items() if mean >= least]


def holds(judges: Sequence[EndpointName], noise: Noise) -> bool:
    """Whether `by_value` can be relied on with these judges: of one strength (JUDGING, finding 6), and telling apart.

    Else the ladder goes by distance: in simulation the orders of a ladder with a weak first judge are 83 to 97 % right
    by value and 94 to 99 % by distance (docs/judging-simulated.md).
    """
    variances = [noise.judges[judge].variance for judge in judges if judge in noise.judges]
    if not variances:
        return False
    alike = max(variances) <= COMPARABLE * min(variances)
    return alike and noise.spread >= RELIABLE * (noise.spread + variances[0])


def by_value(scores: Sequence[Score], judge: EndpointName, noise: Noise, gates: Gates) -> set[CompletionId]:
    """The completions that the next judge should see, because its verdicts could change what is exported.

    Source: the expected-value rule of JUDGING.md, with normal errors: a completion's quality has the variance
    `noise.spread` within its prompt, and each verdict an error of its judge's variance.

    Args:
        scores: all of ONE prompt, 2+ completions.
        judge: the next one, which has seen none of them.
        noise: what is known of all judges.
        gates: what makes a pair.
    """
    known = estimates(scores, noise)
    best = max(known, key=lambda ident: (known[ident].mean, ident))
    worst = min(known, key=lambda ident: (known[ident].mean, ident))
    next_variance = noise.judges[judge].variance
    gap = known[best].mean - known[worst].mean
    new_gap, spread = _after(known[best], known[worst], next_variance, noise.spread)
    pair = _above(new_gap - gates.verify_gap + STEP, spread) * _floor(known[best], next_variance, noise, gates)
    is_pair = gap >= gates.verify_gap - SLACK and known[best].mean >= gates.floor - SLACK
    asked: set[CompletionId] = set()
    for rival in known.keys() - {best}:
        lead, error = _after(known[best], known[rival], next_variance, noise.spread)
        if _above(-lead, error) * (1.0 if is_pair else pair) > ANOTHER_CHOSEN:
            asked |= {best, rival}
    if (1 - pair > PAIR_LOST) if is_pair else (pair > PAIR_GAINED):
        asked |= {best, worst}
    return asked


def _after(one: Estimate, other: Estimate, next_variance: float, spread: float) -> tuple[float, float]:
    """Mean and deviation of the lead of one over the other, once the next judge has seen both."""
    variance = (one.variance + other.variance) / 2
    lead = one.mean - other.mean
    trust = spread / (spread + variance)  # how much of an observed difference is one of quality
    moves = variance / (variance + next_variance)  # how much the next verdicts move the means
    error = 2 * trust * variance + 2 * next_variance
    return lead - moves * (1 - trust) * lead, moves * math.sqrt(error)


def _floor(best: Estimate, next_variance: float, noise: Noise, gates: Gates) -> float:
    """The chance that the best one's mean reaches the floor once the next judge has seen it."""
    moves = best.variance / (best.variance + next_variance)
    deviation = moves * math.sqrt(best.variance + next_variance)
    return _above(best.mean - gates.floor + STEP, deviation)


def _above(distance: float, deviation: float) -> float:
    """The chance that a normal value this far above 0 in the mean is above 0."""
    return 0.5 * math.erfc(-distance / deviation / math.sqrt(2)) if deviation else float(distance > 0)


def accurate_gap(noise: Noise, judge: EndpointName, accuracy: float) -> float:
    """The smallest gap, in half points, at which an order of two scores by this judge is right often enough.

    A gap g between two completions, each scored once, is one of quality with the chance Φ(g √r / √(2 v)), where v is
    the variance of an error and r = spread / (spread + v): the posterior of two normal qualities, so that the best
    and the worst of many are allowed for.
    """
    variance = noise.judges[judge].variance
    trust = noise.spread / (noise.spread + variance)
    gap = 0.5
    while gap < 9.0 and _above(gap * math.sqrt(trust), math.sqrt(2 * variance)) < accuracy:
        gap += 0.5
    return gap
