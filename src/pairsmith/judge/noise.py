"""How much the judges of this run err: estimated once from its first prompts, then frozen.

Pure. A verdict is taken as offset + quality + error, the qualities of a prompt's completions as normal around the
prompt's own mean. Maximum likelihood, so that it does no harm that later judges saw only the completions that the
earlier ones put near the top: what is missing is missing by what was seen (Rubin 1976). Called by work.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, variance

from pairsmith.judge.settings import CHECK
from pairsmith.records import CompletionId, EndpointName, JudgeNoise, Noise, Score

PROMPTS = 32  # how many are looked at first
LEAST_VERDICTS = 40  # below this nothing is said
# Variance of one verdict's error, as a share of the variance of the first judge's scores within a prompt, by rung:
# replayed judges have 0.13 to 0.16 (RewardBench 2, one factor, even half); who is asked later is meant to be better.
# Estimates are drawn to it, as by so many verdicts.
PRIOR = (0.15, 0.13, 0.12)
PRIOR_WEIGHT = 60
PRIOR_WEIGHT_AGAIN = 20  # of a judge alone: all its second scores tell of one number
PRIOR_OFFSETS = 10
WITHIN = 5.0  # variance of scores within a prompt, squared points, where nothing shows it: the replayed judges'
LEAST_WITHIN = 0.5  # whole points alone make a variance of a twelfth
LEAST_SPREAD = 0.05
# A judge asked twice shows the noise of its calls, not what it gets wrong each time. Of the error that shows between
# judges of different families two thirds are call noise (JUDGING, table of the simulation: 0.06 of 0.09, 0.10 of 0.13).
CALL_NOISE_SHARE = 2 / 3
# A reward model alone: nothing to hold it against, so its noise is taken to be a weak judge's share of the variance
# within a prompt (JUDGING, the same table).
REWARD_NOISE_SHARE = 0.32
ROUNDS = 40


@dataclass(frozen=True, slots=True)
class Measured:
    """The verdicts of ONE prompt that noise is estimated from. `again` are second scores by the same judge."""

    scores: tuple[Score, ...]
    again: tuple[Score, ...] = ()


def estimate(prompts: Sequence[Measured], panel: Sequence[EndpointName], rewards: frozenset[EndpointName]) -> Noise:
    """What the first prompts say about the judges.

    Args:
        prompts: in input order.
        panel: the judges, in the order in which they are asked.
        rewards: those of them that are reward models: their numbers are brought to points first.

    Returns:
        A Noise without judges when there are too few verdicts.
    """
    verdicts = sum(len(one.scores) + len(one.again) for one in prompts)
    if verdicts < LEAST_VERDICTS:
        return Noise()
    scored = next((judge for judge in panel if judge not in rewards), None)
    scales = {judge: _reward_scale(prompts, judge, scored) for judge in panel if judge in rewards}
    table = [_table(one, scales) for one in prompts]
    table = [rows for rows in table if len(rows) > 1]
    errors = _Errors(panel, rewards, _first_within(table, panel))
    if len(panel) > 1:
        errors.fit(table)
    elif panel[0] not in rewards:
        errors.repeated(prompts, panel[0], table)
    else:
        errors.alone(panel[0])
    return Noise(errors.judges(scales), errors.spread, len(table), verdicts)


# --- reward models -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Scale:
    """points = (value − middle) / unit + 5.5."""

    middle: float
    unit: float


def _reward_scale(prompts: Sequence[Measured], judge: EndpointName, scored: EndpointName | None) -> _Scale:
    """Beside a judge that gives points, the unit makes both spread alike within a prompt; alone, its noise is one."""
    rewards = _within(prompts, judge)
    spread = fmean(variance(values) for values in rewards) if rewards else 0.0
    middle = fmean(value for values in rewards for value in values) if rewards else 0.0
    points = _within(prompts, scored) if scored is not None else []
    of_points = fmean(variance(values) for values in points) if points else 0.0
    unit = spread / of_points if of_points else REWARD_NOISE_SHARE * spread
    return _Scale(middle, unit**0.5 if unit else 1.0)


def _within(prompts: Sequence[Measured], judge: EndpointName) -> list[list[float]]:
    """A judge's values, by prompt; prompts with fewer than two of them say nothing of a spread."""
    values = [[score.value for score in one.scores if score.judge == judge] for one in prompts]
    return [of_one for of_one in values if len(of_one) > 1]


# --- maximum likelihood --------------------------------------------------------------------------

Rows = list[dict[EndpointName, float]]


def _table(one: Measured, scales: Mapping[EndpointName, _Scale]) -> Rows:
    """The points of one prompt's completions, each a row by judge."""
    rows: defaultdict[CompletionId, dict[EndpointName, float]] = defaultdict(dict)
    for score in one.scores:
        scale = scales.get(score.judge)
        points = score.value if scale is None else (score.value - scale.middle) / scale.unit + 5.5
        rows[score.completion][score.judge] = points
    return list(rows.values())


def _first_within(table: Sequence[Rows], panel: Sequence[EndpointName]) -> float:
    """The variance, within a prompt, of the points of the first judge that gave any."""
    for judge in panel:
        points = [[row[judge] for row in rows if judge in row] for rows in table]
        if known := [variance(of_one) for of_one in points if len(of_one) > 1]:
            return max(LEAST_WITHIN, fmean(known))
    return WITHIN


class _Errors:
    """The estimates while they are improved."""

    def __init__(self, panel: Sequence[EndpointName], rewards: frozenset[EndpointName], within: float) -> None:
        self._panel = panel
        # Whose points are the scale: the first model's that knows the rubric. Gates and floor are meant in its points.
        scoring = [judge for judge in panel if judge not in rewards]
        self._first = next((judge for judge in scoring if not judge.startswith(CHECK)), [*scoring, panel[0]][0])
        self._within = within
        self._prior = {judge: within * PRIOR[min(rung, len(PRIOR) - 1)] for rung, judge in enumerate(panel)}
        self._variance = dict(self._prior)
        self._offset = dict.fromkeys(panel, 0.0)
        self.spread = within * (1 - PRIOR[0])

    def fit(self, table: Sequence[Rows]) -> None:
        """Expectation and maximisation by turns."""
        for _ in range(ROUNDS):
            sums = {judge: _Sums(prior) for judge, prior in self._prior.items()}
            spread, count = self._within * (1 - PRIOR[0]), 1
            for rows in table:
                for row, quality, error, apart in self._expected(rows):
                    spread, count = spread + apart, count + 1
                    for judge, points in row.items():
                        sums[judge].add(points - quality, self._offset[judge], error)
            self.spread = max(LEAST_SPREAD, spread / count)
            self._variance = {judge: known.variance for judge, known in sums.items()}
            first = sums[self._first].offset
            self._offset = {judge: known.offset - first for judge, known in sums.items()}

    def _expected(self, rows: Rows) -> list[tuple[dict[EndpointName, float], float, float, float]]:
        """Of each completion: its row, its quality, the variance of that, and its squared distance to the mean."""
        known = []
        for row in rows:
            weight = sum(1 / self._variance[judge] for judge in row)
            value = sum((points - self._offset[judge]) / self._variance[judge] for judge, points in row.items())
            known.append((row, weight, value))
        shares = [1 / (1 / weight + self.spread) for _, weight, _ in known]
        mean = sum(share * value / weight for share, (_, weight, value) in zip(shares, known, strict=True)) / sum(
            shares
        )
        found = []
        for row, weight, value in known:
            precision = weight + 1 / self.spread
            quality = (value + mean / self.spread) / precision
            of_mean = 1 / sum(shares)
            error = 1 / precision + (1 / self.spread / precision) ** 2 * of_mean
            apart = (quality - mean) ** 2 + 1 / precision + (weight / precision) ** 2 * of_mean
            found.append((row, quality, error, apart))
        return found

    def repeated(self, prompts: Sequence[Measured], judge: EndpointName, table: Sequence[Rows]) -> None:
        """One judge alone: from what it says when it is asked twice."""
        pairs = [_twice(one, judge) for one in prompts]
        squares = [(first - second) ** 2 / 2 for both in pairs for first, second in both]
        call = sum(squares) / len(squares) if squares else self._prior[judge] * CALL_NOISE_SHARE
        count = len(squares)
        prior = self._prior[judge] * PRIOR_WEIGHT_AGAIN
        found = (call / CALL_NOISE_SHARE * count + prior) / (count + PRIOR_WEIGHT_AGAIN)
        self._variance[judge] = found
        self._rest(judge, table)

    def alone(self, judge: EndpointName) -> None:
        """A reward model alone: its noise is one point by the choice of its scale, and the rest is quality."""
        self._variance[judge] = 1.0
        self.spread = (1 - REWARD_NOISE_SHARE) / REWARD_NOISE_SHARE

    def _rest(self, judge: EndpointName, table: Sequence[Rows]) -> None:
        """What of the variance within prompts is not the judge's noise is the completions' own."""
        self.spread = max(LEAST_SPREAD, _first_within(table, [judge]) - self._variance[judge])

    def judges(self, scales: Mapping[EndpointName, _Scale]) -> dict[EndpointName, JudgeNoise]:
        """The estimates as they are used: offset and scale lead from a judge's own numbers to points."""
        found = {}
        for judge in self._panel:
            scale = scales.get(judge)
            offset, unit = self._offset[judge], 1.0
            if scale is not None:
                offset, unit = scale.middle + (offset - 5.5) * scale.unit, scale.unit
            found[judge] = JudgeNoise(round(self._variance[judge], 6), round(offset, 6), round(unit, 9))
        return found


class _Sums:
    """What one judge's errors add up to, with the prior's weight from the start."""

    def __init__(self, prior: float) -> None:
        self._squares, self._count = PRIOR_WEIGHT * prior, PRIOR_WEIGHT
        self._offsets, self._offset_count = 0.0, PRIOR_OFFSETS

    def add(self, difference: float, offset: float, error: float) -> None:
        self._squares += (difference - offset) ** 2 + error
        self._count += 1
        self._offsets += difference
        self._offset_count += 1

    @property
    def variance(self) -> float:
        return self._squares / self._count

    @property
    def offset(self) -> float:
        return self._offsets / self._offset_count


def _twice(one: Measured, judge: EndpointName) -> list[tuple[float, float]]:
    first = {score.completion: score.value for score in one.scores if score.judge == judge}
    return [(first[again.completion], again.value) for again in one.again if again.completion in first]
