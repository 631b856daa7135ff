"""One run from its folder's lock to its dataset: assembled, carried out by the pipeline, written, and summed up.

It says what there is to say to whoever called it, and stops when that one stops the engine.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pairsmith.errors import Stopped, UserError
from pairsmith.folder import RunFolder, locked, written_whole
from pairsmith.pipeline import Progress
from pairsmith.running.named import Named, environment, known_judges, relative
from pairsmith.running.paying import Ticking, check_prices, engine_of, identified, keys_of, watched
from pairsmith.running.terms import Terms
from pairsmith.running.written import out_of, projection_of, replacement_text, write_dataset

if TYPE_CHECKING:
    from pairsmith.collect.contamination import Evaluations
    from pairsmith.dataset import Exported
    from pairsmith.enough import Enough
    from pairsmith.intake import Rows
    from pairsmith.judge.bias import BiasCard
    from pairsmith.ledger import Counts, Ledger, Spent
    from pairsmith.qualified import Qualification
    from pairsmith.records import Endpoint, EndpointName
    from pairsmith.running.cards import Arms
    from pairsmith.wire.online import Engine, Tally
    from pairsmith.work import Work


@dataclass(frozen=True, slots=True)
class Opened:
    """A run whose folder is locked: all that is known before anything is asked."""

    what: Named
    terms: Terms
    models: Mapping[EndpointName, Endpoint]
    keys: Mapping[EndpointName, str | None]
    judges: Mapping[EndpointName, Qualification | None]
    ledger: Ledger
    since_s: float  # of the clock, when it was begun
    against: Evaluations | None = None  # the evaluation sets that prompts are held against
    notes: tuple[str, ...] = ()  # to be said first


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that has ended: where it stands, what was paid, and what was written."""

    counts: Counts
    spent: Spent
    tally: Tally
    exported: Exported
    out: Path
    stopped: Stopped | None
    notes: list[str]
    bias: BiasCard
    arms: Arms
    judges: Mapping[EndpointName, Qualification | None]
    target_pairs: int | None
    wall_s: float


class Watch(Progress, Ticking, Protocol):
    """Whoever follows the prompts of a run."""


class Growing(Ticking, Protocol):
    """Whoever follows the growing of prompts."""

    def kept(self, prompts: int) -> None:
        """So many are kept by now."""

    def say(self, sentence: str) -> None:
        """Something the user should know now."""


class Caller(Protocol):
    """Whoever has a run carried out."""

    def say(self, sentence: str) -> None:
        """Something the user should know, before the prompts are followed."""

    def paying(self, engine: Engine) -> AbstractContextManager[object]:
        """Around everything that is paid: the place to have the engine stopped from outside."""

    def growing(self, engine: Engine, wanted: int) -> AbstractContextManager[Growing]:
        """Around so many prompts being grown, where the recipe has them grown."""

    def following(self, engine: Engine, enough: Enough) -> AbstractContextManager[Watch]:
        """Around the prompts being carried to their ends."""


@contextlib.contextmanager
def opened(what: Named, terms: Terms) -> Iterator[Opened]:
    """Lock the folder and gather what is known; nothing is asked.

    Raises:
        UserError: something does not fit, or a judge was disqualified.
    """
    from pairsmith.ledger import open_ledger
    from pairsmith.qualified import refusal
    from pairsmith.recipe import endpoints
    from pairsmith.running.evaluations import evaluations

    since_s, recipe = time.monotonic(), what.recipe
    replacement_text(recipe.export)
    out_of(terms.out, what.folder, recipe.export)
    models = endpoints(recipe, environment())
    keys = keys_of(models)
    check_prices(models, terms.caps)
    with locked(what.folder), contextlib.ExitStack() as files:
        ledger = open_ledger(what.folder.ledger, time.time, create=True)
        files.callback(ledger.close_now)
        ledger.exclude([RunFolder(Path(earlier)).ledger for earlier in recipe.prompts.exclude])
        models = identified(models, recipe.endpoints, ledger, terms.same, terms.new)
        judges = known_judges(what, models)
        if not terms.force and (no := refusal(judges)):
            raise UserError(no)
        notes: list[str] = []
        against = evaluations(recipe.prompts, notes.append)
        yield Opened(what, terms, models, keys, judges, ledger, since_s, against, tuple(notes))


async def carried_out(run: Opened, sources: Sequence[Rows] | None, caller: Caller) -> Finished:
    """Carry a run as far as it goes, and write the dataset.

    Args:
        run: the opened run; its ledger is closed at the end.
        sources: the prompts; None goes on with the input that the ledger has.
        caller: hears what there is to say.

    Raises:
        UserError: a bad row, or a function of the user's own that went wrong; what was answered until then is stored.
    """
    from pairsmith.enough import Enough
    from pairsmith.measuring import known
    from pairsmith.qualified import notices
    from pairsmith.running.known import ready
    from pairsmith.running.remarks import of_setting

    what, terms, ledger = run.what, run.terms, run.ledger
    engine = engine_of(run.models, run.keys, ledger, terms.caps, terms.patience_s)
    try:
        with caller.paying(engine):
            begun = await ready(what, run.models, run.keys, ledger, engine, terms.sampling, caller.say)
            work = begun.work
            if begun.stopped is not None:
                engine.stop(begun.stopped)  # the input is read all the same, so that it is known what was not reached
            _keep_recipe(what, work, ledger)
            notes = [*run.notes, *begun.notes, *of_setting(work)]
            notes += [] if terms.simulated else notices(run.judges, relative(what.folder.path))
            if what.recipe.prompts.expand is not None:
                sources, grown = await _with_grown(run, work, sources, engine, caller)
                notes += grown
            enough = Enough(terms.target_pairs, terms.min_yield)
            with caller.following(engine, enough) as watch:
                stopped = await _carried(run, work, sources, engine, watch, enough, notes)
        return _finished(run, known(work, ledger), engine, stopped)
    finally:
        await engine.close()
        await ledger.close()


async def _with_grown(
    run: Opened, work: Work, sources: Sequence[Rows] | None, engine: Engine, caller: Caller
) -> tuple[Sequence[Rows] | None, list[str]]:
    """The input with the prompts that are grown from seeds behind it, and what is to be said of them.

    Where only what was sampled is judged, nothing is grown either. Growing that gives hardly anything more ends, and
    the run goes on with what there is; anything else that stops it stops the run.
    """
    from pairsmith.expanding import LOW_YIELD
    from pairsmith.running.grown import GrownRows, expansion_of, grown

    if sources is None or not run.terms.sampling:
        return None, []
    recipe = run.what.recipe
    sources = [source for source in sources if source.name]  # a recipe may name none beside the seeds
    if recipe.sample is None and not sources:
        raise UserError(
            "nothing is sampled, so what is grown would come to nothing: add [sample], or use pairsmith expand"
        )
    expansion = expansion_of(recipe, work.endpoints, run.ledger, recipe.prompts.limit)
    with caller.growing(engine, expansion.harvest.wanted) as watch:
        stopped = await grown(expansion, run.ledger, engine, watch)
    both, kept = [*sources, GrownRows(expansion.harvest.kept)], expansion.harvest.kept
    if stopped is None or (stopped.reason == LOW_YIELD and (kept or sources)):
        return both, [stopped.sentence] if stopped else []
    engine.stop(stopped)
    there = run.ledger.input_size() or not (kept or sources)  # an input that is whole says more than half a new one
    return None if there else both, []


def _keep_recipe(what: Named, work: Work, ledger: Ledger) -> None:
    from pairsmith.recipe import to_toml

    toml = to_toml(what.recipe)
    try:
        with written_whole(what.folder.recipe) as file:
            file.write(toml.encode())
    except OSError as exc:
        raise UserError(
            f"{what.folder.recipe} cannot be written ({exc.strerror}): mend that, or take another --run-dir"
        ) from exc
    ledger.keep_recipe(work.digest, toml)


async def _carried(
    run: Opened,
    work: Work,
    sources: Sequence[Rows] | None,
    engine: Engine,
    watch: Watch,
    enough: Enough,
    notes: Sequence[str],
) -> Stopped | None:
    """Have the pipeline carry it, with what is to be said before; why it stopped early, if it did."""
    from pairsmith import pipeline

    engine.say = watch.say
    for note in notes:
        watch.say(note)
    try:
        async with watched(watch, engine, run.ledger):
            await pipeline.run(work, sources, run.ledger, engine, watch, run.terms.sampling, enough, run.against)
    except Stopped as exc:
        return exc
    return None


def _finished(run: Opened, work: Work, engine: Engine, stopped: Stopped | None) -> Finished:
    """Write the dataset, and gather what there is to say."""
    from pairsmith.dataset import Exported, Texts
    from pairsmith.running.cards import cards_of
    from pairsmith.running.left_out import list_left_out
    from pairsmith.running.remarks import of_state

    what, terms, ledger = run.what, run.terms, run.ledger
    export = what.recipe.export
    out = out_of(terms.out, what.folder, export)
    told: list[str] = []
    try:
        projection = projection_of(what.recipe, ledger, work.digest, run.judges)
        exported = write_dataset(Texts(ledger), ledger.outcomes(work.digest), projection, out, terms.target_pairs)
    except UserError as exc:
        if stopped is None:
            raise
        exported = Exported(0, {})  # a full disk stops the run, and then its dataset too
        told.append(str(exc))
    counts = ledger.counts(work.digest)
    told += _taken_away(exported, counts.pairs, terms.target_pairs)
    told += list_left_out(ledger, what.folder, counts)
    if stopped is None and counts.prompts and counts.prompts == sum(counts.failed.values()):
        stopped = Stopped("no_prompt_succeeded", "no prompt succeeded; mend the cause, then run it again to continue")
    if not terms.sampling and counts.not_reached:
        who = "1 prompt is" if counts.not_reached == 1 else f"{counts.not_reached:,} prompts are"
        told.append(f"{who} passed over, as not all completions are there: pairsmith run {relative(what.folder.path)}")
    card, arms = cards_of(ledger, work.digest, work.endpoints)
    told += of_state(ledger, work) + card.warnings() + arms.warnings(what.recipe.pair.sides)
    return Finished(
        counts=counts,
        spent=ledger.spent(),
        tally=engine.tally,
        exported=exported,
        out=out,
        stopped=stopped,
        notes=told,
        bias=card,
        arms=arms,
        judges=run.judges,
        target_pairs=terms.target_pairs,
        wall_s=time.monotonic() - run.since_s,
    )


def _taken_away(exported: Exported, pairs: int, target: int | None) -> list[str]:
    """That people left too few of the pairs that were asked for: the run counts those of the judges."""
    from pairsmith.reviewing import LEFT_OUT

    taken = sum(n for reason, n in exported.left_out.items() if reason in LEFT_OUT)
    if target is None or not taken or pairs - taken >= target:
        return []
    return [
        f"people took away {taken:,} of the {pairs:,} pairs, so that fewer than {target:,} are written: "
        f"--target-pairs {target + taken} gives about as many"
    ]
