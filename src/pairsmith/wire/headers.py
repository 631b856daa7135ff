"""Reads what an endpoint's headers say: how long to wait, and which limits it keeps. Pure.

Called by faults.py and gate.py. The forms are those of real servers (OpenAI, Azure, Groq, LiteLLM; November 2026).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import ceil

DURATION = r"(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?"
SAID_WAIT = re.compile(rf"(?:try again|retry) (?:in|after) {DURATION}", re.IGNORECASE)
MINUTE_S = 60.0
SLACK = 1.1
STEADY = 3  # answers that say the same, before it is believed
SHORTEST_S, LONGEST_S = 5, 66  # of a window; shorter ones are buckets that are hardly used, longer ones hours or days


@dataclass(frozen=True, slots=True)
class Announced:
    """The limits that an endpoint names, a minute; None: it names none, or one for a longer time."""

    requests: float | None = None
    tokens: float | None = None


class Announcements:
    """What `x-ratelimit-*` headers say, from one answer to the next.

    They name a limit, what remains of it and when it is whole again, but not the time that the limit is for. OpenAI's
    and Groq's is a bucket that refills evenly: what is used, over the time until it is whole, is the limit a minute
    (or a day). Others count in windows: the longest time until one is whole is its length.
    """

    def __init__(self) -> None:
        self._requests = _Limit("requests")
        self._tokens = _Limit("tokens")

    def read(self, headers: Mapping[str, str]) -> Announced:
        """Take note of one answer's headers; returns the limits as far as they are known by now."""
        return Announced(self._requests.a_minute(headers), self._tokens.a_minute(headers))


class _Limit:
    """One limit, of requests or of tokens."""

    def __init__(self, what: str) -> None:
        self._limit_name, self._remaining_name, self._reset_name = (
            f"x-ratelimit-{part}-{what}" for part in ("limit", "remaining", "reset")
        )
        self._window_s = 0  # whole seconds
        self._steady = 0  # answers since the window has not grown
        self._like_a_bucket: float | None = None  # used, when a minute's bucket last explained what was said
        self._bucket = False

    def a_minute(self, headers: Mapping[str, str]) -> float | None:
        limit = _number(headers.get(self._limit_name))
        if not limit:
            return None
        remaining = _number(headers.get(self._remaining_name))
        reset_s = _seconds(headers.get(self._reset_name, ""))
        if remaining is None or reset_s is None:
            return limit
        self._look_for_a_bucket(limit, limit - remaining, reset_s)
        if self._bucket:
            return limit
        self._steady = self._steady + 1 if ceil(reset_s) <= self._window_s else 0
        self._window_s = max(self._window_s, ceil(reset_s))
        if self._steady < STEADY or not SHORTEST_S <= self._window_s <= LONGEST_S:
            return None
        return limit * MINUTE_S / min(MINUTE_S, self._window_s)

    def _look_for_a_bucket(self, limit: float, used: float, reset_s: float) -> None:
        """Two answers with different use that both fit a bucket of a minute are no chance."""
        if used <= 0 or not 1 / SLACK <= reset_s * limit / used / MINUTE_S <= SLACK:
            self._like_a_bucket = None
            return
        if self._like_a_bucket is None:
            self._like_a_bucket = used
        elif not 0.7 <= used / self._like_a_bucket <= 1.4:
            self._bucket = True


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
    return float(value) if value and re.fullmatch(r"[ \t]*\d{1,9}(\.\d{1,9})?[ \t]*", value) else None
