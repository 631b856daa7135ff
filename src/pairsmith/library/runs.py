"""Runs from Python: to their end, sync or async, or pair by pair as they settle.

Being cancelled, as by Ctrl-C, stops a run like a first Ctrl-C on the command line: nothing more is sent, the calls in
flight are waited for, the dataset is written; then it is cancelled. A second time ends it at once.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias, Unpack

from pairsmith.collect.settings import HUB
from pairsmith.dataset import Texts
from pairsmith.errors import InputError, Stopped, UserError
from pairsmith.folder import RunFolder
from pairsmith.library.inputs import Objects, PromptLike, RecipeLike, load_recipe
from pairsmith.library.options import Progress, RunOptions, checked, terms_of
from pairsmith.library.pairs import Pair, pairs_of
from pairsmith.library.results import Paid, Run
from pairsmith.recipe import STANDARD_INPUT
from pairsmith.running.carried import Finished, Opened, carried_out, opened
from pairsmith.running.named import Named, default_run_dir, excluding
from pairsmith.running.sources import input_of, stored_input
from pairsmith.running.written import dataset_notes

if TYPE_CHECKING:
    from pairsmith.enough import Enough
    from pairsmith.intake import Rows
    from pairsmith.ledger import Ledger, Settled
    from pairsmith.records import Prompt
    from pairsmith.wire.online import Engine

Prompts: TypeAlias = str | Path | Iterable[PromptLike]

INTERRUPTED = "interrupted; run the same again to continue"


def run(recipe: RecipeLike, prompts: Prompts | None = None, **options: Unpack[RunOptions]) -> Run:
    """Sample, judge, pair and export; run it again with the same folder to continue: nothing is bought twice.

    Args:
        recipe: a recipe, its file, its tables as a dict, or the folder of an earlier run.
        prompts: a prompt file, or prompts as `read_prompts` takes and gives them; they are read once, in a thread of
            their own. None: what the recipe names; where they came from Python before, those that the folder has.
        **options: run_dir, out, overrides, limit, skip_bad, exclude, target_pairs, min_yield, max_cost, max_calls,
            max_tokens, max_minutes, patience_s, same_endpoint, new_endpoint and force are flags of `pairsmith run`;
            on_pair, on_progress and on_message are called with a Pair, a Progress, a sentence.

    Returns:
        What it came to. A run that ended early (a cap, no quota, a broken endpoint) is no error: `stopped` says why.

    Raises:
        UserError: a mistake in recipe, prompts or folder, said in one sentence; or the thread has an event loop that
            is running, as in a notebook: `await run_async(…)` there.
        KeyboardInterrupt: after Ctrl-C, once the calls in flight have ended; run it again to continue.
    """
    with contextlib.suppress(RuntimeError):
        asyncio.get_running_loop()
        raise UserError("run cannot wait where an event loop is running: use `await pairsmith.run_async(…)` instead")
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:  # which leaves the thread's own loop as it is
        return runner.run(run_async(recipe, prompts, **options))


async def run_async(recipe: RecipeLike, prompts: Prompts | None = None, **options: Unpack[RunOptions]) -> Run:
    """The same inside a running event loop; see `run`.

    Raises:
        UserError: a mistake in recipe, prompts or folder, said in one sentence.
        asyncio.CancelledError: it was cancelled; calls in flight were waited for.
    """
    job = _Job(recipe, prompts, options)
    task = asyncio.create_task(job.carried())
    try:
        return await asyncio.shield(task)
    finally:
        await job.ended(task)


def stream_pairs(recipe: RecipeLike, prompts: Prompts | None = None, **options: Unpack[RunOptions]) -> PairStream:
    """Run it, and give each pair as soon as it settles, to an `async for`.

    Takes what `run` takes. First come the pairs that settle now, in that order; then those of earlier runs in the same
    folder. A slow reader does not slow the run. Whoever leaves early calls `aclose()`, which stops the run.
    """
    return PairStream(recipe, prompts, options)


class PairStream(AsyncIterator[Pair]):
    """The pairs of a run as they settle; `result` is what it came to, once all of them were given."""

    def __init__(self, recipe: RecipeLike, prompts: Prompts | None, options: RunOptions) -> None:
        self.result: Run | None = None
        self._queue: asyncio.Queue[Pair | None] = asyncio.Queue()
        self._job = _Job(recipe, prompts, options, self._queue.put_nowait)
        self._pairs = self._stream()

    def __aiter__(self) -> PairStream:
        return self

    async def __anext__(self) -> Pair:
        return await anext(self._pairs)

    async def aclose(self) -> None:
        """Stop the run, and wait until the calls in flight have ended."""
        await self._pairs.aclose()

    async def _stream(self) -> AsyncGenerator[Pair, None]:
        task = asyncio.create_task(self._job.carried())
        task.add_done_callback(lambda _: self._queue.put_nowait(None))
        given = set()
        try:
            while (pair := await self._queue.get()) is not None:
                given.add(pair.prompt.id)
                yield pair
            result = task.result()
        finally:
            await self._job.ended(task)
        for pair in result.each_pair():
            if pair.prompt.id not in given:
                yield pair
        self.result = result


class _Job:
    """One run, and whoever is told of it."""

    def __init__(
        self,
        recipe: RecipeLike,
        prompts: Prompts | None,
        options: RunOptions,
        on_pair: Callable[[Pair], object] | None = None,
    ) -> None:
        self._options = checked(options)
        self._what, self._objects = _named(recipe, prompts, options)
        self._on_pair = [told for told in (on_pair, options.get("on_pair")) if told is not None]
        self._engine: Engine | None = None
        self._why: Stopped | None = None

    async def carried(self) -> Run:
        """Carry it to its end."""
        with opened(self._what, terms_of(self._options)) as begun:
            return self._result(await carried_out(begun, self._sources(begun), _Caller(self, begun.ledger)))

    def _sources(self, begun: Opened) -> list[Rows] | None:
        if self._objects is not None:
            return [self._objects]
        if stored_input(self._what, begun.ledger, self.say):
            return None
        return [input_of(self._what.recipe.prompts, _no_standard_input, self.say)]

    def _result(self, finished: Finished) -> Run:
        export, out = self._what.recipe.export, finished.out
        notes = [*finished.notes, *dataset_notes(finished.exported, out, export, str(out))]
        for note in [*notes, *([finished.stopped.sentence] if finished.stopped else [])]:
            self.say(note)
        tally = finished.tally
        paid = Paid(
            dict(tally.calls),
            dict(tally.attempts),
            tally.input_tokens,
            tally.output_tokens,
            tally.cost_usd,
            finished.wall_s,
        )
        return Run(
            run_dir=self._what.folder.path,
            recipe=self._what.recipe,
            counts=finished.counts,
            spent=finished.spent,
            stopped=finished.stopped,
            paid=paid,
            out=out,
            exported=finished.exported,
            notes=tuple(notes),
        )

    # --- being stopped --------------------------------------------------------------------------------

    async def ended(self, task: asyncio.Task[Run]) -> None:
        """See the run to its end: where it is still going on, whoever waited for it was cancelled, or has left."""
        if task.done():
            return
        self._why = Stopped("interrupted", INTERRUPTED)
        if self._engine is not None:
            self._engine.stop(self._why)
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:  # a second time: at once
            if not task.cancelling():
                task.cancel()
            await asyncio.wait([task])
            raise
        if not task.cancelled():
            task.exception()  # nobody waits for it any more

    def begun(self, engine: Engine) -> None:
        """From now on there is something to stop."""
        self._engine = engine
        if self._why is not None:
            engine.stop(self._why)

    # --- telling --------------------------------------------------------------------------------------

    def say(self, sentence: str) -> None:
        """Pass a sentence on."""
        if told := self._options.get("on_message"):
            told(sentence)

    def show(self, progress: Progress) -> None:
        """Pass on how far it has come."""
        if told := self._options.get("on_progress"):
            told(progress)

    def give(self, prompt: Prompt, settled: Settled, texts: Texts) -> None:
        """Pass the pairs of a settled prompt on."""
        for pair in pairs_of(prompt, settled.body, texts) if self._on_pair else ():
            for told in self._on_pair:
                told(pair)


class _Caller:
    """What running/ tells a job."""

    def __init__(self, job: _Job, ledger: Ledger) -> None:
        self._job = job
        self._texts = Texts(ledger)
        self._prompts = self._settled = 0

    def say(self, sentence: str) -> None:
        self._job.say(sentence)

    @contextlib.contextmanager
    def paying(self, engine: Engine) -> Iterator[None]:
        self._job.begun(engine)
        yield

    @contextlib.contextmanager
    def growing(self, engine: Engine, wanted: int) -> Iterator[_Growing]:
        yield _Growing(self._job, engine)

    @contextlib.contextmanager
    def following(self, engine: Engine, enough: Enough) -> Iterator[_Caller]:
        self._engine, self._enough = engine, enough
        yield self

    def known(self, prompts: int) -> None:
        self._prompts = prompts

    def settled(self, prompt: Prompt, settled: Settled) -> None:
        self._settled += 1
        self._job.give(prompt, settled, self._texts)
        self.tick()

    def tick(self) -> None:
        tally = self._engine.tally
        calls = sum(tally.attempts.values())
        self._job.show(Progress(self._prompts, self._settled, self._enough.pairs, calls, tally.cost_usd))


class _Growing:
    """What running/ tells a job while prompts are grown: none is settled yet."""

    def __init__(self, job: _Job, engine: Engine) -> None:
        self._job, self._engine = job, engine
        self._kept = 0

    def say(self, sentence: str) -> None:
        self._job.say(sentence)

    def kept(self, prompts: int) -> None:
        self._kept = prompts
        self.tick()

    def tick(self) -> None:
        tally = self._engine.tally
        self._job.show(Progress(self._kept, 0, 0, sum(tally.attempts.values()), tally.cost_usd))


def _named(recipe: RecipeLike, prompts: Prompts | None, options: RunOptions) -> tuple[Named, Objects | None]:
    """The recipe with the options' fields in it, its folder, and the prompts where they are objects."""
    fields: dict[str, Any] = {"limit": options.get("limit"), "skip_bad": options.get("skip_bad") or None}
    overrides = {f"prompts.{key}": value for key, value in fields.items() if value is not None}
    loaded = load_recipe(recipe, {**options.get("overrides", {}), **overrides})
    loaded = excluding(loaded, [str(folder) for folder in options.get("exclude", ())])
    if prompts is not None:
        named = loaded.prompts.model_copy(
            update={"path": _path(prompts), "format": None, "weights": None, "expand": None}
        )
        loaded = loaded.model_copy(update={"prompts": named})
    objects = None if prompts is None or isinstance(prompts, str | Path) else Objects(prompts)
    run_dir = options.get("run_dir")
    if run_dir is None:
        a_run = isinstance(recipe, str | Path) and Path(recipe).is_dir()
        run_dir = Path(str(recipe)) if a_run else default_run_dir(loaded)
    return Named(loaded, RunFolder(Path(run_dir)), resumed=True), objects


def _path(prompts: Prompts) -> str:
    """What stands in the recipe's [prompts] path for what was given."""
    if not isinstance(prompts, str | Path):
        return STANDARD_INPUT
    return str(prompts) if str(prompts).startswith(HUB) else str(Path(prompts).absolute())


def _no_standard_input() -> NoReturn:
    raise InputError("there are no prompts: give some to run, or name a file in the recipe's [prompts]")
