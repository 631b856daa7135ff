"""One job, made once: when it is not known whether a request went through, the job is looked for first."""

from __future__ import annotations

from collections.abc import Container
from typing import Protocol

from pairsmith.errors import Stopped
from pairsmith.submitting.asking import Means, refusal
from pairsmith.submitting.journal import Journal
from pairsmith.training import Job, Order, PlatformError

SETTLES_S = 30.0  # after a request a job that it made is taken to be in the platform's list


class Jobs(Protocol):
    """A platform that makes jobs."""

    def create(self, order: Order) -> Job:
        """Make the job; called once. Raises PlatformError."""

    def find(self, order: Order, since_s: float, known: Container[str]) -> Job | None:
        """The job made of this order since then, if any, which is none of the known. Raises PlatformError."""


def made(platform: Jobs, order: Order, journal: Journal, means: Means) -> Job:
    """The job of an order, made or found.

    Raises:
        UserError: the platform refuses the order.
        Stopped: it cannot be told whether there is a job now, or the key or the money does not do.
    """
    if journal.entry.asked_s is not None:
        found = _looked_for(platform, order, journal, journal.entry.asked_s, means)
        if found is not None:
            means.say(f"the job was made by an earlier run: {found.id}")
            journal.keep(job=found.id, state=found.state)
            return found
    asked_s = means.clock()
    journal.keep(asked_s=asked_s)
    try:
        job = platform.create(order)
    except PlatformError as exc:
        if not exc.undecided:
            journal.keep(asked_s=None)
            raise refusal(exc, means, "the job") from exc
        means.say(f"{means.title} did not say whether it made the job ({exc}): looking for it")
        job = _looked_for(platform, order, journal, asked_s, means) or _unknown(exc, means)
    journal.keep(job=job.id, state=job.state)
    return job


def _looked_for(platform: Jobs, order: Order, journal: Journal, asked_s: float, means: Means) -> Job | None:
    """The job that a request may have made; None when it has had the time to appear, and did not."""
    known = journal.known_jobs()
    while True:
        late = means.clock() - asked_s >= SETTLES_S
        try:
            found = platform.find(order, asked_s, known)
        except PlatformError as exc:
            if late or not (exc.undecided or exc.status == 429):
                raise refusal(exc, means, "the question whether there is a job already") from exc
            found = None
        if found is not None or late:
            return found
        means.sleep(means.interval_s)


def _unknown(exc: PlatformError, means: Means) -> Job:
    raise Stopped(
        "unknown",
        f"{means.title} did not say whether it made the job ({exc}), and it is not in the list of jobs: "
        "run the same command again in a minute, it looks for the job before it makes one",
    ) from exc
