"""Reads what an endpoint's headers say: how long to wait, and which limits it keeps. Pure.

Called by faults.py and gate.py. The forms are those of real servers (OpenAI, Azure, Groq, LiteLLM; November 2026).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

DURATION = r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?"
SAID_WAIT = re.compile(rf"(?:try again|retry) (?:in|after) {DURATION}", re.IGNORECASE)
MINUTE_S = 61.0  # a limit that takes longer to be whole again is none a minute: Groq and OpenAI have some a day


@dataclass(frozen=True, slots=True)
class Announced:
    """The limits that an endpoint names, a minute; None: it names none, or one for a longer time."""

    requests: float | None = None
    tokens: float | None = None


def announced(headers: Mapping[str, str]) -> Announced:
    """The limits in `x-ratelimit-limit-*`."""
    return Announced(_a_minute(headers, "requests"), _a_minute(headers, "tokens"))


def _a_minute(headers: Mapping[str, str], what: str) -> float | None:
    limit = _number(headers.get(f"x-ratelimit-limit-{what}"))
    reset_s = _seconds(headers.get(f"x-ratelimit-reset-{what}", ""))
    return limit if limit and (reset_s is None or reset_s <= MINUTE_S) else None


def retry_after_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """Seconds the server asks to wait; None when it does not say.

    Read from `retry-after-ms`, from `Retry-After` in seconds or as an HTTP date, from the same renamed by LiteLLM,
    or from `x-ratelimit-reset-*` where nothing remains of that limit.
    """
    for prefix in ("", "llm_provider-"):
        ms = _number(headers.get(prefix + "retry-after-ms"))
        if ms is not None:
            return ms / 1000
        value = headers.get(prefix + "retry-after")
        said = _number(value)
        if said is None and value:
            said = _until(value, now_s)
        if said is not None:
            return said
    resets = [_seconds(headers.get(f"x-ratelimit-reset-{what}", "")) for what in ("requests", "tokens")
              if _number(headers.get(f"x-ratelimit-remaining-{what}")) == 0]  # fmt: skip
    return max((reset for reset in resets if reset is not None), default=None)


def _until(date: str, now_s: float) -> float | None:
    """Seconds until an HTTP date; None when it is none."""
    try:
        then = parsedate_to_datetime(date)
        then = then if then.tzinfo else then.replace(tzinfo=UTC)
        return max(0.0, (then - datetime.fromtimestamp(now_s, UTC)).total_seconds())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def wait_said_s(message: str) -> float | None:
    """Seconds to wait, where only the words of an error say so: "Please try again in 1.2s"."""
    found = SAID_WAIT.search(message)
    return _duration(found) if found else None


def _seconds(text: str) -> float | None:
    """Seconds of "6m0s", "1.5s", "6ms", or of a bare number."""
    found = re.fullmatch(DURATION, text)
    return _number(text) if found is None else _duration(found)


def _duration(found: re.Match[str]) -> float | None:
    hours, minutes, seconds, ms = (float(part) if part else 0.0 for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds + ms / 1000 if any(found.groups()) else None


def _number(value: str | None) -> float | None:
    return float(value) if value and re.fullmatch(r"\s*\d{1,9}(\.\d{1,9})?\s*", value) else None
