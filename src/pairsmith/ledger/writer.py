"""Writes in groups: one thread commits whatever has come in since its last commit.

Whoever queues a row gets a future that is done when the row is durable. Called by book.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

from pairsmith.errors import LedgerError, Stopped
from pairsmith.ledger.schema import connect

GROUP_S = 0.004  # the least time between two commits: what comes in meanwhile shares the next one

Statement: TypeAlias = tuple[str, tuple[object, ...]]
T = TypeVar("T")


class Writer:
    """The one connection that writes. Once a write has failed, so does every later one, with the same reason.

    It has no task of its own that could be cancelled: what is queued gets written also while a loop is being ended.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = connect(path)
        self._file = _identity(path)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._waiting: list[Statement] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._busy = False  # a group is being written, or will be in a moment
        self._used = False
        self._failed: Stopped | None = None

    def put(self, *statements: Statement) -> asyncio.Future[None]:
        """Queue statements for the next commit, all or none; the future is done when they are durable."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        if self._failed is not None:
            _fail(future, self._failed)
            return future
        self._waiting.extend(statements)
        self._waiters.append(future)
        self._used = True
        if not self._busy:
            self._busy = True
            loop.call_soon(self._next_group)
        return future

    def _next_group(self) -> None:
        statements, waiters = self._waiting, self._waiters
        self._waiting, self._waiters = [], []
        self._busy = bool(waiters)
        if self._busy:
            written = asyncio.get_running_loop().run_in_executor(self._thread, self._commit, statements)
            written.add_done_callback(partial(self._written, waiters))

    def _written(self, waiters: Sequence[asyncio.Future[None]], written: asyncio.Future[None]) -> None:
        if error := written.exception():
            self._give_up(_write_failed(error, self._path), waiters)
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
        asyncio.get_running_loop().call_later(GROUP_S, self._next_group)

    def _give_up(self, why: Stopped, waiters: Sequence[asyncio.Future[None]] = ()) -> None:
        """What is queued is not written any more, and nothing later."""
        self._failed = self._failed or why
        for waiter in (*waiters, *self._waiters):
            _fail(waiter, self._failed)
        self._waiting, self._waiters = [], []

    def _commit(self, statements: Sequence[Statement]) -> None:
        with self.transaction() as db:
            for sql, values in statements:
                db.execute(sql, values)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run a transaction on the writer's thread, between two commits.

        Raises:
            Stopped: it could not be written.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except Exception as exc:
            raise _write_failed(exc, self._path) from exc

    @contextlib.contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All of the block's writes, or none.

        Raises:
            sqlite3.Error: they could not be written, or the file was taken away: SQLite would go on writing into one
                that nobody finds again.
        """
        if _identity(self._path) != self._file:
            raise sqlite3.OperationalError("it is not there any more")
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield self._db
            self._db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def at_once(self) -> Iterator[sqlite3.Connection]:
        """A transaction in the caller's thread, while nothing is queued: before the run begins.

        Raises:
            LedgerError: it could not be written.
        """
        try:
            with self.transaction() as db:
                yield db
        except sqlite3.Error as exc:
            raise LedgerError(_write_failed(exc, self._path).sentence) from exc

    async def flush(self) -> None:
        """Wait until everything queued so far is durable.

        Raises:
            Stopped: some of it could not be written.
        """
        if self._used:
            await self.put()

    async def close(self) -> None:
        """Write what is queued and close the connection."""
        with contextlib.suppress(Stopped):
            await self.flush()
        self.close_now()

    def close_now(self) -> None:
        """Close the connection; what is still queued is lost, as with a process that is killed."""
        self._give_up(Stopped("ledger", f"{self._path} is closed"))
        self._thread.shutdown()
        self._db.close()


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file stands there; None: none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _fail(waiter: asyncio.Future[None], error: Exception) -> None:
    if not waiter.done():
        waiter.set_exception(error)
        waiter.exception()  # whoever no longer waits need not hear of it


def _write_failed(exc: BaseException, path: Path) -> Stopped:
    if "full" in str(exc):
        return Stopped(
            "disk_full", f"the disk of {path} is full: make room, then run the same command again to continue"
        )
    return Stopped(
        "ledger", f"{path} cannot be written ({exc}): mend that, then run the same command again to continue"
    )
