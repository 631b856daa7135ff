"""How far two, or several, agree on couples beyond chance. Pure. Called by agreement.py.

What is said of a couple is 1 (the one), -1 (the other) or 0 (a tie). Which of the two is called the one means nothing:
were it always the judges' choice, they would say 1 every time, and kappa would be 0 however right they are. So each
couple counts by halves under either name, which is what all ways of naming them come to on average.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pairsmith.judge.rates import interval

LABELS = (1, 0, -1)


@dataclass(frozen=True, slots=True)
class Kappa:
    """Cohen's kappa of `n` couples with its 95 % interval and its standard error; None where nothing can be said."""

    value: float | None
    n: int
    low: float | None
    high: float | None
    error: float | None


def of_couples(said: Iterable[tuple[int, int]]) -> Kappa:
    """Of what two said of each couple."""
    both = list(said)
    halves = Counter(both)
    halves.update((-one, -other) for one, other in both)
    return cohen([[halves[one, other] / 2 for other in LABELS] for one in LABELS])


def cohen(table: Sequence[Sequence[float]]) -> Kappa:
    """Of a square table of counts: rows are what the one said, columns what the other did.

    The interval is Wilson's of the observed agreement, on the scale of kappa, for as many couples as the standard
    error says that they are worth: it holds near 1 too, where kappa plus and minus two errors does not.

    Source: Cohen 1960; the error after Fleiss, Cohen and Everitt 1969.
    """
    n = sum(map(sum, table))
    if not n:
        return Kappa(None, 0, None, None, None)
    shares = [[count / n for count in row] for row in table]
    rows, columns = [sum(row) for row in shares], [sum(column) for column in zip(*shares, strict=True)]
    observed = math.fsum(shares[at][at] for at in range(len(shares)))
    chance = math.fsum(row * column for row, column in zip(rows, columns, strict=True))
    if chance > 1 - 1e-12:  # both always say the same one thing
        return Kappa(None, round(n), None, None, None)
    error = math.sqrt(_variance(shares, rows, columns, observed, chance) / n)
    worth = n
    if 1e-12 < observed < 1 - 1e-12 and error:
        worth = min(n, observed * (1 - observed) / ((1 - chance) * error) ** 2)
    value, low, high = (
        max(-1.0, (agreed - chance) / (1 - chance)) for agreed in (observed, *interval(min(observed, 1.0), worth))
    )
    return Kappa(value, round(n), low, high, error)


def _variance(
    shares: Sequence[Sequence[float]],
    rows: Sequence[float],
    columns: Sequence[float],
    observed: float,
    chance: float,
) -> float:
    """Of kappa, times n."""
    total = 0.0
    for at, row in enumerate(shares):
        for across, share in enumerate(row):
            both = columns[at] + rows[across]
            here = (1 - chance) - both * (1 - observed) if at == across else both * (1 - observed)
            total += share * here**2
    return max(0.0, total - (observed * chance - 2 * chance + observed) ** 2) / (1 - chance) ** 4


def alpha(said: Iterable[Sequence[int]]) -> float | None:
    """Krippendorff's alpha of what several said of each couple, not all of them of each; None: nobody met another.

    Source: Krippendorff 2011, Computing Krippendorff's alpha-reliability, for nominal data.
    """
    met = [labels for labels in said if len(labels) > 1]
    n = sum(map(len, met))
    ties = sum(label == 0 for labels in met for label in labels)
    apart = math.fsum(sum(one != other for one in labels for other in labels) / (len(labels) - 1) for labels in met)
    of_each = (n - ties) / 2  # under either name
    expected = n * n - ties * ties - 2 * of_each * of_each
    return 1 - (n - 1) * apart / expected if expected else None
