"""How far a submission came: one small file for each, in $PAIRSMITH_HOME/submit, written before and after each step.

Its name is the hash of all that makes it this submission. It holds ids and states: no key and no text of the dataset.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from pairsmith.errors import UserError
from pairsmith.folder import written_whole
from pairsmith.records import content_id


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of a submission."""

    platform: str
    base_url: str
    file: str
    round: int = 1  # --again begins the next
    training_file: str | None = None
    validation_file: str | None = None
    asked_s: float | None = None  # since then there may be a job; None: there is none
    before: tuple[str, ...] = ()  # the jobs that were there when it was asked for, and could be taken for it
    job: str | None = None
    state: str | None = None  # as last seen
    model: str | None = None
    earlier: tuple[str, ...] = ()  # the jobs of the rounds before


_ENTRY = TypeAdapter(Entry)


class Journal:
    """The file of one submission.

    Args:
        home: the folder of all of them.
        digest: the hash that names this one.
        first: what is known before anything was done.

    Raises:
        UserError: the file is no journal.
    """

    def __init__(self, home: Path, digest: str, first: Entry) -> None:
        self._home, self._path = home, home / f"{digest}.json"
        self.digest = digest
        self.entry = _read(self._path) if self._path.exists() else first

    @property
    def marker(self) -> str:
        """The name of this round's job, where the platform keeps a name."""
        return marker_of(self.digest, self.entry.round)

    def keep(self, **changes: Any) -> None:
        """Remember it, on the disk before anything else is done.

        Raises:
            UserError: it cannot be written.
        """
        self.entry = replace(self.entry, **changes)
        try:
            with written_whole(self._path) as file:
                file.write(orjson.dumps(asdict(self.entry), option=orjson.OPT_INDENT_2))
        except OSError as exc:
            raise UserError(
                f"{self._path} cannot be written ({exc.strerror}), without which a job could be made twice: "
                "let PAIRSMITH_HOME name a folder that can"
            ) from exc

    def again(self) -> None:
        """Begin another round on purpose; one that has no job yet goes on."""
        if self.entry.job is not None:
            earlier = (*self.entry.earlier, self.entry.job)
            self.keep(
                round=self.entry.round + 1, asked_s=None, before=(), job=None, state=None, model=None, earlier=earlier
            )

    @property
    def path(self) -> Path:
        """Where it stands."""
        return self._path

    def known_jobs(self) -> frozenset[str]:
        """The jobs of every submission from this home: none of them is one whose making was not heard of."""
        return frozenset(job for entry in self._entries() for job in (entry.job, *entry.earlier) if job)

    def undecided(self) -> list[str]:
        """The files of other submissions of the same upload, of which it is not known whether they have a job."""
        mine = self.entry
        others = (
            entry
            for entry in self._entries(others=True)
            if (entry.platform, entry.base_url) == (mine.platform, mine.base_url)
        )
        return [
            entry.file
            for entry in others
            if entry.asked_s is not None and entry.job is None and entry.training_file == mine.training_file
        ]

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock of the uploaded file: two jobs of one file are made one after the other.

        Raises:
            UserError: another is being made.
        """
        name = content_id("file", self.entry.platform, self.entry.training_file)
        with locked(self._home, name, "another job of the same file is being made"):
            yield

    def _entries(self, others: bool = False) -> list[Entry]:
        return [_read(path) for path in self._home.glob("*.json") if not (others and path == self._path)]


def marker_of(digest: str, round_: int) -> str:
    """The name of a round's job: it has to suit Fireworks, at most 63 of a-z, 0-9 and -."""
    return f"pairsmith-{digest[:24]}-{round_}"


@contextmanager
def locked(home: Path, digest: str, said: str = "the same submission is being made or watched") -> Iterator[None]:
    """Hold a lock; the operating system frees it when the process ends. `said`: who else may hold it.

    Raises:
        UserError: the same submission runs already, or the folder cannot be made.
    """
    try:
        home.mkdir(parents=True, exist_ok=True)
        opened = (home / f"{digest}.lock").open("a", encoding="utf-8")
    except OSError as exc:
        raise UserError(
            f"{home} cannot be written ({exc.strerror}): let PAIRSMITH_HOME name a folder that can"
        ) from exc
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UserError(f"{said} by another process: wait for it") from None
        yield


def _read(path: Path) -> Entry:
    try:
        return _ENTRY.validate_json(path.read_bytes())
    except (OSError, ValidationError) as exc:
        raise UserError(f"{path} is no journal of a submission: move it away, but look for its job first") from exc
