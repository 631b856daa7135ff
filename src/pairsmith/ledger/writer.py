"""Writes in groups: one thread commits whatever has come in since its last commit.

Whoever queues a row gets a future that is done when the row is durable. Called by book.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeAlias, TypeVar

from pairsmith.errors import LedgerError, Stopped
from pairsmith.ledger.schema import connect

GROUP_S = 0.004  # the least time between two commits: what comes in meanwhile shares the next one

Statement: TypeAlias = tuple[str, tuple[object, ...]]
T = TypeVar("T")


class Writer:
    """The one connection that writes. Once a write has failed, so does every later one, with the same reason."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = connect(path)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._waiting: list[Statement] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
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
        self._wake.set()
        if self._task is None:
            self._task = loop.create_task(self._write_groups())
        return future

    async def _write_groups(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            statements, waiters = self._waiting, self._waiters
            self._waiting, self._waiters = [], []
            try:
                await self.in_thread(lambda group=statements: self._commit(group))  # type: ignore[misc]
            except Stopped as exc:
                self._failed = exc
                for waiter in waiters + self._waiters:
                    _fail(waiter, exc)
                self._waiting, self._waiters = [], []
                continue
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)
            await asyncio.sleep(GROUP_S)

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
        """All of the block's writes, or none."""
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
        if self._task is not None:
            await self.put()

    async def close(self) -> None:
        """Write what is queued and close the connection."""
        with contextlib.suppress(Stopped):
            await self.flush()
        if self._task is not None:
            self._task.cancel()
        self.close_now()

    def close_now(self) -> None:
        """Close the connection; nothing may be queued."""
        self._thread.shutdown()
        self._db.close()


def _fail(waiter: asyncio.Future[None], error: Exception) -> None:
    if not waiter.done():
        waiter.set_exception(error)
        waiter.exception()  # whoever no longer waits need not hear of it


def _write_failed(exc: Exception, path: Path) -> Stopped:
    if "full" in str(exc):
        return Stopped(
            "disk_full", f"the disk of {path} is full: make room, then run the same command again to continue"
        )
    return Stopped(
        "ledger", f"{path} cannot be written ({exc}): mend that, then run the same command again to continue"
    )
