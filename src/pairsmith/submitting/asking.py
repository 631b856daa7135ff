"""Asking a platform with patience, and what its refusals mean for the user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pairsmith.errors import PairsmithError, Stopped, UserError
from pairsmith.training import PlatformError
from pairsmith.wire.faults import BILLING_CODES, BILLING_WORDS

MISSES = 30  # questions in a row that may go unanswered: at 10 s each, a platform may be away for five minutes

T = TypeVar("T")


class Rejected(PairsmithError):  # noqa: N818 — an answer, not an error
    """The platform looked at a file and will not have it; exit code 1."""


@dataclass(frozen=True, slots=True)
class Means:
    """What the world gives: where messages go, the time, how to wait; and how errors are said.

    Args:
        title: the platform's name, for messages.
        key_env: the name of the variable that holds its key.
        interval_s: between two questions.
        clock: the time of day, to be remembered and shown; it may jump.
        passed: seconds that only ever grow, to wait by.
        same: what to run to go on.
    """

    title: str
    key_env: str
    interval_s: float
    say: Callable[[str], None]
    clock: Callable[[], float]
    passed: Callable[[], float]
    sleep: Callable[[float], None]
    same: str = "the same command"


def patiently(ask: Callable[[], T], means: Means) -> T:
    """Ask what costs nothing; again while there is no answer, but not for ever.

    Raises:
        PlatformError: an answer that will not change; the last one when there was none for too long.
    """
    for _ in range(MISSES):
        try:
            return ask()
        except PlatformError as exc:
            if not exc.undecided and exc.status != 429:
                raise
            means.sleep(means.interval_s)
    return ask()


def refusal(exc: PlatformError, means: Means, what: str, end: str = "") -> PairsmithError:
    """What a refusal, or no answer, means for the user.

    Args:
        exc: what came.
        means: says whose it is.
        what: was asked for, such as "the upload".
        end: what a refusal for good means, such as "nothing was trained".
    """
    words, code, status = str(exc).lower(), exc.code.lower(), exc.status
    said = f"{means.title}: {exc}" if status is None else f"{means.title} answered {status} to {what}: {exc}"
    if status == 402 or any(word in code for word in BILLING_CODES) or any(word in words for word in BILLING_WORDS):
        return Stopped("quota", f"{said}; add credit there, then run {means.same} again")
    if status in (401, 403):
        return Stopped(
            "refused_key", f"{said}; put a key that may do this into {means.key_env}, then run {means.same} again"
        )
    if status == 429:
        return Stopped("throttled", f"{said}; run {means.same} again in a few minutes")
    if exc.undecided:
        return Stopped("unreachable", f"{said}; run {means.same} again: it goes on from here")
    return UserError(f"{said}; {end}" if end else said)
