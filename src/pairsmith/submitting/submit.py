"""The story of a submission: files sent, one job made, followed. Each step is in the journal before the next begins."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Protocol

from pairsmith.errors import Stopped
from pairsmith.records import content_id
from pairsmith.submitting.asking import Means, refusal
from pairsmith.submitting.following import Watched, followed
from pairsmith.submitting.journal import Journal
from pairsmith.submitting.making import Jobs, looked_for, made
from pairsmith.submitting.places import Place
from pairsmith.submitting.sending import Uploads, looked_at, sent
from pairsmith.training import Dataset, Files, Job, Order, PlatformError, Training


class Platform(Uploads, Jobs, Watched, Protocol):
    """All of a platform."""

    def examine(self, training: Training) -> None:
        """Hold the settings against what only the platform knows. Raises UserError or PlatformError."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What is handed to whom."""

    place: Place
    training: Training
    data: Dataset
    validation: Dataset | None

    @property
    def digest(self) -> str:
        """The same for the same files, settings and platform, wherever the files lie and whatever the key."""
        validation = self.validation.sha256 if self.validation else None
        place = [self.place.platform, self.place.base_url, self.place.account]
        return content_id("submit", [*place, self.data.sha256, validation], asdict(self.training))


def submit(submission: Submission, platform: Platform, journal: Journal, means: Means, watch: bool) -> Job:
    """Make the job, or go on with the one that was made; what it is now, or at its end when it is watched.

    Raises:
        UserError: the platform refuses the settings.
        Rejected: it refuses a file.
        Stopped: it can be gone on with, by the same command.
    """
    try:
        job_id = journal.entry.job
        if job_id is None:
            job = _earlier(submission, platform, journal, means) or _make(submission, platform, journal, means)
            job_id = job.id
            means.say(f"job {job_id} was there already" if job.found else f"{means.title} has made job {job_id}")
        else:
            means.say(f"job {job_id} was made by an earlier run: nothing is sent again (--again makes a new one)")
        return followed(platform, job_id, journal, means, watch)
    except KeyboardInterrupt:
        raise Stopped("interrupted", _interrupted(journal, means)) from None


def _earlier(submission: Submission, platform: Platform, journal: Journal, means: Means) -> Job | None:
    """The job that an earlier run may have asked for: looked for before anything is sent, by the files it was of."""
    entry = journal.entry
    if entry.asked_s is None or entry.training_file is None:
        return None
    files = Files(entry.training_file, entry.validation_file)
    job = looked_for(platform, Order(submission.training, files, journal.marker), journal, means)
    if job is None:
        journal.keep(asked_s=None)
        return None
    journal.keep(job=job.id, state=job.state)
    return replace(job, found=True)


def _make(submission: Submission, platform: Platform, journal: Journal, means: Means) -> Job:
    data, validation = submission.data, submission.validation
    try:
        platform.examine(submission.training)
    except PlatformError as exc:
        raise refusal(exc, means, "a question about the model", "nothing was trained") from exc
    training_id = sent(platform, data, journal.entry.training_file, means)
    journal.keep(training_file=training_id)
    validation_id = None
    if validation is not None:
        validation_id = sent(platform, validation, journal.entry.validation_file, means)
        journal.keep(validation_file=validation_id)
    looked_at(platform, training_id, data, means)
    if validation is not None and validation_id is not None:
        looked_at(platform, validation_id, validation, means)
    return made(platform, Order(submission.training, Files(training_id, validation_id), journal.marker), journal, means)


def _interrupted(journal: Journal, means: Means) -> str:
    if journal.entry.job is not None:
        return f"job {journal.entry.job} goes on at {means.title}: run {means.same} with --watch to look again"
    if journal.entry.asked_s is not None:
        return f"interrupted while the job was being made: run {means.same} again, it looks for the job first"
    return f"interrupted: no job was made, {means.same} goes on from here"
