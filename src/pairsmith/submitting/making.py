"""One job, made once: when it is not known whether a request went through, the job is looked for first."""

from __future__ import annotations

from collections.abc import Container, Sequence
from contextlib import nullcontext
from typing import Protocol

from pairsmith.errors import Stopped
from pairsmith.submitting.asking import Means, patiently, refusal
from pairsmith.submitting.journal import Journal
from pairsmith.training import Candidate, Job, Order, PlatformError

SETTLES_S = 30.0  # after a request a job that it made is taken to be in the platform's list


class Jobs(Protocol):
    """A platform that makes jobs. `marks`: whether a job bears its order's marker, and none is taken for another."""

    marks: bool

    def create(self, order: Order) -> Job:
        """Make the job; called once. Raises PlatformError."""

    def find(self, order: Order, known: Container[str]) -> Sequence[Candidate]:
        """The jobs that may have been made of this order, without the known ones. Raises PlatformError."""


def made(platform: Jobs, order: Order, journal: Journal, means: Means) -> Job:
    """The job of an order, made.

    Raises:
        UserError: the platform refuses the order.
        Stopped: it cannot be told whether there is a job now, or the key or the money does not do.
    """
    with nullcontext() if platform.marks else journal.alone():
        before = () if platform.marks else _others(platform, order, journal, means)
        journal.known_jobs()  # a journal that cannot be read says so before there is a job
        journal.keep(asked_s=means.clock(), before=before)
        try:
            job = platform.create(order)
        except PlatformError as exc:
            if not exc.undecided:
                journal.keep(asked_s=None)
                raise refusal(exc, means, "the job", "nothing was trained") from exc
            means.say(f"{means.title} did not say whether it made the job ({exc}): looking for it")
            job = looked_for(platform, order, journal, means) or _unknown(exc, means)
        journal.keep(job=job.id, state=job.state)
        return job


def looked_for(platform: Jobs, order: Order, journal: Journal, means: Means) -> Job | None:
    """The job that a request may have made; None when it has had the time to appear, and did not.

    Raises:
        Stopped: several may be it, or the platform does not say.
    """
    known, begun_s = journal.known_jobs() | set(journal.entry.before), means.passed()
    while True:
        late = means.passed() - begun_s >= SETTLES_S
        found: Sequence[Candidate] = ()
        try:
            found = platform.find(order, known)
        except PlatformError as exc:
            if late or not (exc.undecided or exc.status == 429):
                raise refusal(exc, means, "the question whether there is a job already") from exc
        sure = [one.job for one in found if one.sure]
        if len(sure) == 1:
            return sure[0]
        if late:
            return _only(sure or [one.job for one in found], journal, means)
        means.sleep(means.interval_s)


def _only(jobs: Sequence[Job], journal: Journal, means: Means) -> Job | None:
    if len(jobs) > 1:
        names = ", ".join(job.id for job in jobs)
        raise Stopped(
            "unknown",
            f"each of {names} may be the job that was asked for: look at {means.title} which it is, and cancel what is "
            f"not wanted; to begin anew, take {journal.path} away",
        )
    return jobs[0] if jobs else None


def _others(platform: Jobs, order: Order, journal: Journal, means: Means) -> tuple[str, ...]:
    """The jobs of the same file that are there already; none may be on its way, which could be taken for ours."""
    if undecided := journal.undecided():
        raise Stopped(
            "unknown",
            f"{means.title} has not said whether it made another job of the same file ({undecided[0]}): run that "
            "submission again first, then this one",
        )
    try:
        found = patiently(lambda: platform.find(order, ()), means)
    except PlatformError as exc:
        raise refusal(exc, means, "the question which jobs there are", "nothing was trained") from exc
    return tuple(one.job.id for one in found)


def _unknown(exc: PlatformError, means: Means) -> Job:
    raise Stopped(
        "unknown",
        f"{means.title} did not say whether it made the job ({exc}), and it is not in the list of jobs: "
        f"run {means.same} again in a minute, it looks for the job before it makes one",
    ) from exc
