"""Leaves prompts out of an input: rows that hold an item of an evaluation set, and prompts nearly the same as others.

It works on the ledger's input, so that a run, `collect` and `plan` leave the same out. What takes long is done beside
the event loop. Called by intake.py and cli/collect.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar, cast

from pairsmith.ledger import Ledger

CHUNK = 1024  # prompts that are looked at at a time

T = TypeVar("T")


async def leave_near_out(ledger: Ledger, near: float, limit: int | None) -> None:
    """Of prompts that are nearly the same the first one stays; the input then ends after `limit` prompts.

    Memory grows with the input. Once more on what is left it changes nothing.
    """
    from pairsmith.collect.near import NearPrompts

    found, after = NearPrompts(near), -1
    while chunk := ledger.taken(after, CHUNK):
        after = chunk[-1].ordinal
        await in_daemon(partial(found.add, chunk))
    await ledger.leave_near_out(await in_daemon(lambda: list(found.left_out())), limit)


async def in_daemon(work: Callable[[], T]) -> T:
    """Run blocking work in a thread that the process need not wait for: standard input may never end."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if future.done():  # nobody waits any more: the run has stopped
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(cast(T, result))

    def body() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as exc:  # noqa: BLE001 — handed over to whoever waits
            error = exc
        with contextlib.suppress(RuntimeError):  # the loop has closed meanwhile
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=body, daemon=True, name="reading").start()
    return await future
