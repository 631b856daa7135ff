"""Files onto a platform, each once, and waiting until the platform has looked at them."""

from __future__ import annotations

from hashlib import file_digest
from typing import Protocol

from pairsmith.errors import InputError, Stopped
from pairsmith.submitting.asking import Means, Rejected, patiently, refusal
from pairsmith.training import Dataset, FileVerdict, PlatformError

LONGEST_S = 3600.0  # that a platform may look at a file
BAD_FILE = (400, 413, 415, 422)  # what is said of an upload that is no good, by its status


class Uploads(Protocol):
    """A platform that takes files."""

    def upload(self, data: Dataset) -> str:
        """Send a file; its id. Raises PlatformError."""

    def file(self, file_id: str, data: Dataset) -> FileVerdict:
        """What has become of the file that was sent. Raises PlatformError, with status 404 when there is none."""


def sent(platform: Uploads, data: Dataset, file_id: str | None, means: Means) -> str:
    """The id of the uploaded file; one from before is used again when it is still there.

    Raises:
        Rejected: the platform will not have it.
        Stopped: it was refused or not answered; can be tried again.
        InputError: the file is not the one that was checked.
    """
    if file_id is not None and _still_there(platform, file_id, data, means):
        return file_id
    unchanged(data)
    means.say(f"sending {data.path.name} to {means.title}: {data.rows:,} rows, {data.size:,} bytes")
    try:
        sent_id = platform.upload(data)
    except PlatformError as exc:
        if exc.status in BAD_FILE:
            raise Rejected(f"{means.title} does not take {data.path.name}: {exc}") from exc
        raise refusal(exc, means, f"the upload of {data.path.name}", "nothing was trained") from exc
    unchanged(data)
    return sent_id


def looked_at(platform: Uploads, file_id: str, data: Dataset, means: Means) -> None:
    """Wait until the platform says that a job can be made of the file.

    Raises:
        Rejected: it says that none can.
        Stopped: it does not say, or not in time.
    """
    begun_s, state, name = means.passed(), None, data.path.name
    while means.passed() - begun_s <= LONGEST_S:
        try:
            found = patiently(lambda: platform.file(file_id, data), means)
        except PlatformError as exc:
            raise refusal(exc, means, f"a question about {name}") from exc
        if found.verdict == "rejected":
            raise Rejected(f"{means.title} rejects {name} ({file_id}): {found.said}")
        if found.verdict == "ready":
            return
        if found.said != state:
            state = found.said
            means.say(f"{means.title} looks at {name}: {state}")
        means.sleep(means.interval_s)
    raise Stopped("unreachable", f"{means.title} still looks at {name} ({state}): run {means.same} again later")


def unchanged(data: Dataset) -> None:
    """Hold a file against what was checked: it may be written to while another is sent.

    Raises:
        InputError: it holds something else now.
    """
    try:
        with data.path.open("rb") as file:
            same = file_digest(file, "sha256").hexdigest() == data.sha256
    except OSError:
        same = False
    if not same:
        raise InputError(f"{data.path} is not what was checked: leave it alone until it is sent, and run it again")


def _still_there(platform: Uploads, file_id: str, data: Dataset, means: Means) -> bool:
    try:
        return patiently(lambda: platform.file(file_id, data), means).verdict != "rejected"
    except PlatformError as exc:
        if exc.status == 404:
            return False
        raise refusal(exc, means, f"a question about {file_id}") from exc
