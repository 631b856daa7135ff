"""A run folder: where its files stand, its lock, and writing a file all at once or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pairsmith.errors import LedgerError


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The files of one run."""

    path: Path

    @property
    def ledger(self) -> Path:
        """The ledger's file."""
        return self.path / "ledger.sqlite3"

    @property
    def recipe(self) -> Path:
        """The recipe as last run: paths absolute, no keys."""
        return self.path / "recipe.toml"

    @property
    def doctor(self) -> Path:
        """What its endpoints were found to take."""
        return self.path / "doctor.json"

    @property
    def contaminated(self) -> Path:
        """Rows that were left out as they hold an item of an evaluation set."""
        return self.path / "contaminated.jsonl"

    @property
    def near_duplicates(self) -> Path:
        """Prompts that were left out in favour of one that is nearly the same."""
        return self.path / "near-duplicates.jsonl"

    @property
    def pairs(self) -> Path:
        """Where pairs go when the recipe names no file."""
        return self.path / "pairs.jsonl"


@contextlib.contextmanager
def locked(folder: RunFolder) -> Iterator[None]:
    """Hold the folder's exclusive lock; the operating system frees it when the process ends, however it ends.

    Raises:
        LedgerError: another process holds it, the message names that process; or the folder cannot be made.
    """
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        opened = (folder.path / "lock").open("a+", encoding="utf-8")
    except OSError as exc:
        raise LedgerError(f"{folder.path} cannot be a run folder ({exc.strerror}): take another --run-dir") from exc
    with opened as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            raise LedgerError(
                f"{folder.path} is in use by {holder}: wait for it, stop it, or take another --run-dir"
            ) from None
        with contextlib.suppress(OSError):  # on a full disk nobody is named; the lock holds all the same
            lock.truncate(0)
            os.write(lock.fileno(), f"process {os.getpid()} on {os.uname().nodename}".encode())
        yield


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """Write a file beside `path`, sync it, and put it in place: readers see the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o666 & ~_umask())
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
