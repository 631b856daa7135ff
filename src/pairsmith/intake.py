"""Takes the input into the ledger chunk by chunk, and hands its prompts out in order, one to each who asks.

Memory holds one chunk, whatever the size of the input. Called by pipeline.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice
from typing import Protocol, TypeVar, cast

from pairsmith import collect
from pairsmith.collect import BadRow, Row
from pairsmith.collect.settings import PromptSettings
from pairsmith.errors import InputError
from pairsmith.ledger import Ledger
from pairsmith.records import Prompt, PromptId
from pairsmith.streams import say_name

CHUNK = 256  # rows of the input taken at a time, and prompts fetched at a time

T = TypeVar("T")


class Rows(Protocol):
    """Where prompts come from: its name for messages, and its rows, which are read once."""

    @property
    def name(self) -> str:
        """As the user knows it."""

    def rows(self) -> Iterator[Row | BadRow]:
        """In order; read in a thread of its own."""


class Intake:
    """The input of one run.

    Args:
        ledger: where the prompts go, and where they are handed out from.
        digest: of the work: prompts with a final outcome under it are not handed out.
        known: told how many prompts were read so far.
        came_to: told what a prompt at this place of the input came to before, with how many pairs; "": that no longer
            holds.
    """

    def __init__(
        self,
        ledger: Ledger,
        digest: str,
        known: Callable[[int], None],
        came_to: Callable[[int, str, int], None] = lambda ordinal, kind, pairs: None,
    ) -> None:
        self._ledger = ledger
        self._digest = digest
        self._known = known
        self._came_to = came_to
        self._closed = False
        self._at_end = asyncio.Event()  # the input was read to its end
        self._more = asyncio.Event()  # more of it stands in the ledger
        self._size = self._duplicates = self._skipped = self._excluded = 0  # of what was read: prompts, and other rows
        self._reached = -1  # the last ordinal that was fetched, or passed as settled
        self._fetched: deque[Prompt] = deque()
        self._revisit: deque[PromptId] = deque()
        self._turn = asyncio.Lock()

    async def take_in(self, sources: Sequence[Rows] | None, settings: PromptSettings) -> None:
        """Read the input to its end; None: it is what the ledger has.

        Raises:
            InputError: a bad row, unless `settings.skip_bad`; or no prompt at all.
        """
        try:
            if sources is None:
                await self._ledger.exclude_from_input()
                self._stand(self._ledger.input_size())
            else:
                await self._ledger.new_generation()
                await self._read(sources, settings)
        finally:
            self._at_end.set()
            self._more.set()

    async def _read(self, sources: Sequence[Rows], settings: PromptSettings) -> None:
        rows = chain.from_iterable(source.rows() for source in sources)
        while room := min(CHUNK, CHUNK if settings.limit is None else settings.limit - self._size):
            chunk = await _in_daemon(lambda: list(islice(rows, room)))
            if not chunk:
                break
            good = [row for row in chunk if isinstance(row, Row)]
            taken = await self._ledger.add_prompts([row.prompt for row in good], collect.unite)
            bad = [str(row) for row in chunk if isinstance(row, BadRow)]
            bad += [_clash(good[place]) for place in taken.clashes]
            if bad and not settings.skip_bad:
                raise InputError(bad[0])
            self._duplicates += taken.duplicates
            self._skipped += len(bad)
            self._excluded += taken.excluded
            self._visit_again(taken.revisit)
            self._stand(self._size + taken.added)
            self._more.set()
        names = ", ".join(source.name for source in sources)
        if self._excluded and not self._size:
            raise InputError(f"{names}: all prompts in it became pairs in the runs that are excluded; add new ones")
        if not self._size:
            raise InputError(f"{names}: no prompts in it; write one a line")
        await self.complete()

    async def complete(self) -> None:
        """What was read stands for the whole input: it is, or the run needs no more of it."""
        await self._ledger.input_complete(self._duplicates, self._skipped, self._excluded)

    def _stand(self, size: int) -> None:
        """So many prompts stand in the ledger by now, some of them settled on earlier runs."""
        for ordinal, kind, pairs in self._ledger.kinds(self._digest, self._size):
            self._came_to(ordinal, kind, pairs)
        self._size = size
        self._known(size)

    def _visit_again(self, grown: Sequence[PromptId]) -> None:
        """Later rows brought these prompts further candidates, so that nothing is settled of them."""
        for prompt in filter(None, map(self._ledger.prompt, grown)):
            self._came_to(prompt.ordinal, "", 0)
            if prompt.ordinal <= self._reached:
                self._revisit.append(prompt.id)

    async def next_prompt(self) -> Prompt | None:
        """The next prompt that something is owed for, in input order; None when there is none, or after close()."""
        async with self._turn:
            while not self._closed:
                if self._fetched:
                    return self._fetched.popleft()
                at_end = self._at_end.is_set()
                self._more.clear()
                size = self._size
                self._fetched.extend(self._ledger.owed(self._digest, self._reached, CHUNK))
                if self._fetched:
                    self._reached = self._fetched[-1].ordinal
                    continue
                self._reached = max(self._reached, size - 1)  # not one of them is owed: never look at them again
                if not at_end:
                    await self._more.wait()
                elif self._revisit:  # a later row brought further candidates
                    return self._ledger.prompt(self._revisit.popleft())
                else:
                    return None
            return None

    def close(self) -> None:
        """Hand nothing more out; reading goes on, so that the run knows how much it did not reach."""
        self._closed = True
        self._more.set()


async def _in_daemon(work: Callable[[], T]) -> T:
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


def _clash(row: Row) -> str:
    return (
        f'{say_name(row.name)}, line {row.line}, field "id": {row.prompt.source_id} is an earlier, different prompt\'s '
        "id; give each prompt an id of its own, or none"
    )
