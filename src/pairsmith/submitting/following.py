"""A job watched to its end: a line for each change of state, and what the platform writes about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from pairsmith.errors import UserError
from pairsmith.submitting.asking import Means, patiently, refusal
from pairsmith.submitting.journal import Journal
from pairsmith.submitting.making import SETTLES_S
from pairsmith.training import Event, Job, PlatformError


class Watched(Protocol):
    """A platform that tells of its jobs."""

    def job(self, job_id: str) -> Job:
        """A job as it is now. Raises PlatformError."""

    def events(self, job_id: str) -> Sequence[Event]:
        """What was written about it, the oldest first. Raises PlatformError."""


def followed(platform: Watched, job_id: str, journal: Journal, means: Means, watch: bool) -> Job:
    """The job as it is now or, when it is to be watched, at its end.

    Raises:
        UserError: the platform does not know the job.
        Stopped: it does not answer any more.
    """
    state: str | None = None
    seen: set[str] = set()
    begun_s = means.passed()
    while True:
        job = _asked(platform, job_id, means, begun_s)
        events = _told(platform, job_id)
        if watch and job.state != state:
            means.say(f"{_now(means)} {job.id}: {job.state}")
        if job.state != state:
            state = job.state
            journal.keep(state=job.state, model=job.model)
        for event in events:
            if watch and event.id not in seen:
                means.say(f"{_now(means)} {means.title}: {event.message}")
        seen |= {event.id for event in events}
        if job.end is not None or not watch:
            last = events[-1].message if events else None
            return replace(job, reason=job.reason or last) if job.end in ("failed", "cancelled") else job
        means.sleep(means.interval_s)


def _asked(platform: Watched, job_id: str, means: Means, begun_s: float) -> Job:
    """The job as it is now; one that was made a moment ago may not be known everywhere yet."""
    while True:
        try:
            return patiently(lambda: platform.job(job_id), means)
        except PlatformError as exc:
            if exc.status != 404:
                raise refusal(exc, means, f"a question about {job_id}", "the job is left alone") from exc
            if means.passed() - begun_s >= SETTLES_S:
                raise UserError(
                    f"{means.title} does not know job {job_id}, which was made: is {means.key_env} another account's? "
                    "--again makes a new job"
                ) from exc
        means.sleep(means.interval_s)


def _told(platform: Watched, job_id: str) -> Sequence[Event]:
    """What was written about it; that it cannot be had now ends no watching."""
    try:
        return platform.events(job_id)
    except PlatformError:
        return []


def _now(means: Means) -> str:
    return datetime.fromtimestamp(means.clock()).strftime("%H:%M:%S")
