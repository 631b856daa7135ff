"""A training job on a platform: what is asked for, and what the platform says of files and jobs.

Records only, and the one error at that border. wire/finetuning.py and submitting/ both speak in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from pairsmith.errors import PairsmithError

End: TypeAlias = Literal["succeeded", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Training:
    """What the flags ask for. None was not given, and is not sent: the platform decides."""

    model: str | None = None
    from_checkpoint: str | None = None  # an earlier job or its model, in the place of `model`
    beta: float | None = None
    epochs: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None  # absolute
    learning_rate_multiplier: float | None = None
    lora_rank: int | None = None
    suffix: str | None = None  # of the new model's name
    training_type: str | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """A file that was checked."""

    path: Path
    rows: int
    size: int  # bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class Files:
    """The ids of the uploaded files."""

    training: str
    validation: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """A job as it is asked for. `marker` is the same whenever this job is asked for, and no other's."""

    training: Training
    files: Files
    marker: str


@dataclass(frozen=True, slots=True)
class FileVerdict:
    """What the platform says of a file. `said`: its state, or why it was rejected."""

    verdict: Literal["ready", "waiting", "rejected"]
    said: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the platform last told of it."""

    id: str
    state: str  # the platform's own word
    end: End | None = None  # None: it goes on
    model: str | None = None  # the trained model; None until there is one
    reason: str | None = None  # why it failed, in the platform's words
    found: bool = False  # it was there already when it was asked for


class Candidate(NamedTuple):
    """A job that may be the one of an order. `sure`: nothing that can be compared is different."""

    job: Job
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Event:
    """A line that the platform wrote about a job."""

    id: str
    message: str


@dataclass(frozen=True, slots=True)
class Request:
    """A request as `--dry-run` shows it. A body with a file in it names the file and its size."""

    method: str
    url: str
    body: Mapping[str, object] = field(default_factory=dict)


class PlatformError(PairsmithError):
    """A platform refused a request, or did not answer.

    Args:
        status: of the HTTP answer; None when no whole answer came.
        message: in the platform's words, keys taken out.
        code: its own name for the error; "" when it has none.
        decided: whether it is known that what was asked for did not happen; None: the status says so.
    """

    def __init__(self, status: int | None, message: str, code: str = "", decided: bool | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self._decided = decided

    @property
    def undecided(self) -> bool:
        """Whether what was asked for may have happened all the same."""
        if self._decided is not None:
            return not self._decided
        return self.status is None or self.status in (408, 409) or self.status >= 500
