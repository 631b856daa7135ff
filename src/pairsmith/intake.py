"""Takes the input into the ledger chunk by chunk, and hands its prompts out in order, one to each who asks.

Memory holds one chunk, whatever the size of the input. Called by pipeline.py.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Protocol

from pairsmith import collect
from pairsmith.collect import BadRow, Row
from pairsmith.collect.settings import PromptSettings
from pairsmith.errors import InputError
from pairsmith.ledger import Ledger
from pairsmith.records import Prompt, PromptId
from pairsmith.sifting import in_daemon, leave_near_out
from pairsmith.streams import say_name

if TYPE_CHECKING:
    from pairsmith.collect.contamination import Evaluations

CHUNK = 256  # rows of the input taken at a time, and prompts fetched at a time
STORED = "-"  # the file of prompts that the ledger has: they came from standard input


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
        self._held = False  # nobody is handed out yet: who is left out shows at the end of the input
        self._at_end = asyncio.Event()  # the input was read to its end
        self._more = asyncio.Event()  # more of it stands in the ledger
        # Of what was read: prompts, and other rows.
        self._size = self._duplicates = self._skipped = self._excluded = self._contaminated = 0
        self._reached = -1  # the last ordinal that was fetched, or passed as settled
        self._fetched: deque[Prompt] = deque()
        self._revisit: deque[PromptId] = deque()
        self._turn = asyncio.Lock()

    async def take_in(
        self, sources: Sequence[Rows] | None, settings: PromptSettings, against: Evaluations | None = None
    ) -> None:
        """Read the input to its end; None: it is what the ledger has. What holds an item of `against` is left out.

        Raises:
            InputError: a bad row, unless `settings.skip_bad`; or no prompt at all.
        """
        self._held = sources is None or settings.dedupe == "near"
        try:
            if sources is None:
                await self._ledger.exclude_from_input()
                await self._sift_stored(settings, against)
                self._release()
            else:
                await self._ledger.new_generation()
                await self._read(sources, settings, against)
        finally:
            self._at_end.set()
            self._more.set()

    async def _read(self, sources: Sequence[Rows], settings: PromptSettings, against: Evaluations | None) -> None:
        near = settings.dedupe == "near"  # then the limit counts what is left at the end
        equal_id = None if settings.dedupe == "off" else collect.equal_id
        rows = chain.from_iterable(source.rows() for source in sources)
        limit, read = None if near else settings.limit, 0
        while room := min(CHUNK, CHUNK if limit is None else limit - read):
            chunk = await in_daemon(partial(_chunk, rows, room))
            if not chunk:
                break
            good = await self._clean([row for row in chunk if isinstance(row, Row)], against)
            taken = await self._ledger.add_prompts([row.prompt for row in good], collect.unite_equal, equal_id)
            bad = [str(row) for row in chunk if isinstance(row, BadRow)]
            bad += [_clash(good[place]) for place in taken.clashes]
            if bad and not settings.skip_bad:
                raise InputError(bad[0])
            self._duplicates += taken.duplicates
            self._skipped += len(bad)
            self._excluded += taken.excluded
            read += taken.added
            if near:
                self._known(read)
                continue
            self._visit_again(taken.revisit)
            self._stand(read)
            self._more.set()
        if near:
            await self._leave_near_out(settings.near, settings.limit)
            self._release()
        self._check_any(sources)
        await self.complete()

    def _check_any(self, sources: Sequence[Rows]) -> None:
        names = ", ".join(source.name for source in sources)
        if self._size:
            return
        if self._contaminated:
            raise InputError(f"{names}: all prompts in it hold items of the evaluation sets; add new ones")
        if self._excluded:
            raise InputError(f"{names}: all prompts in it became pairs in the runs that are excluded; add new ones")
        raise InputError(f"{names}: no prompts in it; write one a line")

    async def _clean(self, rows: Sequence[Row], against: Evaluations | None) -> Sequence[Row]:
        """The rows without those that hold an item of an evaluation set; these are listed."""
        if against is None:
            return rows
        matches = await in_daemon(partial(against.matches, [row.prompt for row in rows]))
        both = list(zip(rows, matches, strict=True))
        listed = [match.listed(row.prompt, row.name, row.line) for row, match in both if match is not None]
        if listed:
            await self._ledger.list_contaminated(listed)
            self._contaminated += len(listed)
        return [row for row, match in both if match is None]

    async def _sift_stored(self, settings: PromptSettings, against: Evaluations | None) -> None:
        """Leave out of the input that stands already what is to be left out by now."""
        after = -1
        while against is not None and (chunk := self._ledger.taken(after, CHUNK)):
            after = chunk[-1].ordinal
            found = zip(chunk, await in_daemon(partial(against.matches, chunk)), strict=True)
            out = [(prompt, match) for prompt, match in found if match is not None]
            if out:
                listed = [match.listed(prompt, STORED, prompt.ordinal + 1) for prompt, match in out]
                await self._ledger.list_contaminated(listed, [prompt.id for prompt, _ in out])
        if settings.dedupe == "near" and self._ledger.fact(self._near_key) != str(settings.near):
            await self._leave_near_out(settings.near, None)

    async def _leave_near_out(self, near: float, limit: int | None) -> None:
        await leave_near_out(self._ledger, near, limit)
        await self._ledger.learn(self._near_key, str(near))

    @property
    def _near_key(self) -> str:
        return f"near {self._ledger.generation}"

    async def complete(self) -> None:
        """What was read stands for the whole input: it is, or the run needs no more of it."""
        await self._ledger.input_complete(self._duplicates, self._skipped, self._excluded)

    def _release(self) -> None:
        """Who stands in the ledger now is the input."""
        self._stand(self._ledger.input_size())
        self._held = False

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
                if not self._held:
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


def _chunk(rows: Iterator[Row | BadRow], room: int) -> list[Row | BadRow]:
    return list(islice(rows, room))


def _clash(row: Row) -> str:
    return (
        f'{say_name(row.name)}, line {row.line}, field "id": {row.prompt.source_id} is an earlier, different prompt\'s '
        "id; give each prompt an id of its own, or none"
    )
