"""Figures in words, for sentences and tables. Pure."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from pairsmith.judge.rates import percent

UNKNOWN = "unknown"


def so_many(count: int, word: str) -> str:
    """Such as "1 pair" or "1,200 pairs"."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def share(part: float, whole: float) -> str:
    """Such as "85 %" or "2.5 %"; "–" of nothing."""
    return percent(part / whole) if whole else "–"


def points(value: float | None) -> str:
    """Such as "3.25"; "–" where there are none."""
    return "–" if value is None or math.isnan(value) else f"{value:.3g}"


def usd(value: float | None) -> str:
    """Small sums with more digits; None: a price is not known."""
    if value is None:
        return UNKNOWN
    return f"${value:,.2f}" if value >= 1 else f"${value:.4f}" if value >= 0.0001 or not value else f"${value:.2g}"


def lasted(seconds: float) -> str:
    """Such as "2.3 s", "14 min" or "3.5 h"."""
    amount, unit = in_unit(seconds)
    return f"{seconds / amount:.3g} {unit}"


def in_unit(seconds: float) -> tuple[float, str]:
    """In what such a time is told: seconds of the unit, and its name."""
    if seconds < 120:
        return 1.0, "s"
    return (60.0, "min") if seconds < 7200 else (3600.0, "h")


def moment(at: float) -> str:
    """Seconds since 1970 as a date and a time of day, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
