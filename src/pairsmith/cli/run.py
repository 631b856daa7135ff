"""`pairsmith run`: everything, from prompts to a checked dataset. Run again to continue."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from pairsmith.cli.common import (
    DURATION,
    Named,
    default_run_dir,
    environment,
    json_option,
    known_judges,
    named,
    projection_of,
    relative,
    replacement_text,
    run_dir_option,
    say,
    write_dataset,
)
from pairsmith.cli.ended import Finished, notes, report, warnings
from pairsmith.cli.paying import cap_options, caps_of, check_prices, engine_of, identified, keys_of, signals, watched
from pairsmith.errors import InputError, Stopped, UserError
from pairsmith.folder import RunFolder, locked, written_whole
from pairsmith.wire.money import Caps

if TYPE_CHECKING:
    from pairsmith.intake import Source
    from pairsmith.ledger import Ledger
    from pairsmith.qualified import Qualification
    from pairsmith.recipe import Recipe
    from pairsmith.records import Endpoint, EndpointName
    from pairsmith.wire.online import Engine
    from pairsmith.work import Work

COLLECT_AFTER = 20_000  # new objects: hardly any of a run's are in cycles, and looking more often is a tenth of its CPU


@dataclass(frozen=True, slots=True)
class Options:
    """What flags say besides the recipe's own fields."""

    out: Path | None
    caps: Caps
    same: Sequence[str]
    new: Sequence[str]
    patience_s: float
    as_json: bool
    quiet: bool
    force: bool = False
    sampling: bool = True  # else only what was sampled already is judged
    simulated: bool = False  # the judges are known not to be real: nothing is said of them
    target_pairs: int | None = None
    min_yield: float | None = None


@click.command("run")
@click.argument("recipe", required=False, type=click.Path(path_type=Path))
@run_dir_option
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Where the pairs go.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Take the first N prompts only.")
@click.option(
    "--exclude", multiple=True, metavar="RUN_DIR", help="Leave out what became a pair in that run; may be repeated."
)
@click.option(
    "--target-pairs", type=click.IntRange(min=1), metavar="N", help="End with N pairs; near them few prompts are taken."
)
@click.option(
    "--min-yield", type=click.FloatRange(0, 1), metavar="SHARE", help="Stop when surely fewer prompts give a pair: 0.2."
)
@cap_options
@click.option(
    "--patience", type=DURATION, default=0.0, metavar="TIME", help="Wait so long for endpoints that are down: 6h, 30m."
)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a field: pair.min_gap=2.")
@click.option("--skip-bad", is_flag=True, help="Go on after bad rows of the prompt file, and count them.")
@click.option("--same-endpoint", "same", multiple=True, metavar="NAME", help="It moved: what is stored stays valid.")
@click.option("--new-endpoint", "new", multiple=True, metavar="NAME", help="It is another: buy its answers anew.")
@click.option("--force", is_flag=True, help="Go on with a judge that was disqualified (see: pairsmith qualify).")
@click.option("--prompts", metavar="FILE", help='Without a recipe: the prompts ("-": standard input).')
@click.option("--model", metavar="M", help="Without a recipe: the model that is sampled.")
@click.option("--judge", metavar="M", help="Without a recipe: the model that judges.")
@click.option("--base-url", metavar="U", help="Of --model, and of --judge unless it has its own.")
@click.option("--judge-base-url", metavar="U")
@click.option("--api-key-env", metavar="V", help="The NAME of the variable that holds the key.")
@click.option("--judge-api-key-env", metavar="V")
@click.option("--temperature", metavar="T,T…", help="For example 0.6,1.0.")
@click.option("--top-k", metavar="K,K…", help="For example 20,50.")
@click.option("--system", metavar="S,S…", help="Bundled names or files, for example plain,expert.")
@click.option("--completions", type=click.IntRange(min=2), metavar="N", help="Per prompt.")
@click.option("--quiet", "-q", is_flag=True, help="No progress bar.")
@json_option
def command(
    recipe: Path | None,
    run_dir: Path | None,
    out: Path | None,
    target_pairs: int | None,
    min_yield: float | None,
    patience: float,
    overrides: tuple[str, ...],
    same: tuple[str, ...],
    new: tuple[str, ...],
    force: bool,
    quiet: bool,
    as_json: bool,
    **flags: Any,
) -> int:
    """Sample, judge, pair and export. Run the same command again to continue: nothing is bought twice.

    RECIPE is a recipe file, or the folder of an earlier run. Without one, --prompts, --model and --judge
    are enough.
    """
    what = _what(recipe, run_dir, overrides, flags)
    pay = Options(out, caps_of(flags), same, new, patience, as_json, quiet, force)
    return run(what, replace(pay, target_pairs=target_pairs, min_yield=min_yield))


def _what(recipe: Path | None, run_dir: Path | None, overrides: Sequence[str], flags: dict[str, Any]) -> Named:
    """The recipe with the flags' fields in it, and its folder."""
    from pairsmith.cli.flags import as_overrides, recipe_from_flags

    if recipe is not None:
        what = named(recipe, run_dir, [*as_overrides(flags), *overrides])
    else:
        made = recipe_from_flags(flags, overrides)
        what = Named(made, RunFolder(run_dir or default_run_dir(made)), False)
    return replace(what, recipe=_excluding(what.recipe, flags["exclude"]))


def _excluding(recipe: Recipe, folders: Sequence[str]) -> Recipe:
    """The recipe with these run folders excluded besides its own: a flag brings no prompt back."""
    both = (*recipe.prompts.exclude, *(str(Path(folder).absolute()) for folder in folders))
    prompts = recipe.prompts.model_copy(update={"exclude": tuple(dict.fromkeys(both))})
    return recipe.model_copy(update={"prompts": prompts}) if folders else recipe


def run(what: Named, options: Options) -> int:
    """Run it and say what came of it; returns the exit code."""
    from pairsmith.ledger import open_ledger
    from pairsmith.qualified import refusal
    from pairsmith.recipe import endpoints

    started = time.monotonic()
    where = what.recipe
    replacement_text(where.export)
    models = endpoints(where, environment())
    keys = keys_of(models)
    check_prices(models, options.caps)
    gc.set_threshold(COLLECT_AFTER, 20, 20)
    with locked(what.folder), contextlib.ExitStack() as files:
        ledger = open_ledger(what.folder.ledger, time.time, create=True)
        files.callback(ledger.close_now)
        ledger.exclude([RunFolder(Path(earlier)).ledger for earlier in where.prompts.exclude])
        models = identified(models, where.endpoints, ledger, options.same, options.new)
        judges = known_judges(what, models)
        if not options.force and (no := refusal(judges)):
            raise UserError(no)
        sources = None if _stored_input(what, ledger) else _open(where.prompts.paths, where.prompts.format, files)
        finished = asyncio.run(_run(what, models, keys, judges, sources, ledger, options))
    finished.wall_s = time.monotonic() - started
    return report(finished, what, options.as_json)


# --- before ----------------------------------------------------------------------------------------


def _stored_input(what: Named, ledger: Ledger) -> bool:
    """Whether the input is the one that the ledger has: standard input cannot be read a second time."""
    if not what.resumed or what.recipe.prompts.paths != ("-",) or ledger.generation == 0:
        return False
    if not ledger.input_whole():
        say(
            f"standard input was cut after {ledger.input_size():,} prompts: going on with these; to add the rest, "
            f"pipe it again: pairsmith run RECIPE --run-dir {what.folder.path}"
        )
    return True


def _open(paths: Sequence[str], format: str | None, files: contextlib.ExitStack) -> list[Source]:
    """Open the prompt files and tell their formats.

    Raises:
        InputError: one cannot be opened.
    """
    from pairsmith.collect import detect_format
    from pairsmith.intake import Source

    sources = []
    for path in paths:
        try:
            stream = _standard_input() if path == "-" else files.enter_context(Path(path).open("rb"))  # noqa: SIM115
            head = stream.peek(4096)
        except OSError as exc:
            raise InputError(f"{path} cannot be read ({exc.strerror}): mend [prompts] path, or --prompts") from None
        sources.append(Source(path, stream, format or detect_format(path, head)))
    return sources


def _standard_input() -> BufferedReader:
    """A reader of our own: Python aborts at exit when a thread still waits for `sys.stdin`."""
    if sys.stdin is None:
        raise InputError("standard input is closed: pipe the prompts into it, or name a file")
    try:
        return open(sys.stdin.fileno(), "rb", closefd=False)
    except OSError:  # whoever calls us from Python has put something else in its place
        return BufferedReader(cast(RawIOBase, sys.stdin.buffer))


# --- the run ---------------------------------------------------------------------------------------


async def _run(
    what: Named,
    models: dict[EndpointName, Endpoint],
    keys: dict[EndpointName, str | None],
    judges: Mapping[EndpointName, Qualification | None],
    sources: list[Source] | None,
    ledger: Ledger,
    options: Options,
) -> Finished:
    from pairsmith.cli.known import ready
    from pairsmith.measuring import known
    from pairsmith.qualified import notices

    engine = engine_of(models, keys, ledger, options.caps, options.patience_s)
    try:
        with signals(engine):
            begun = await ready(what, models, keys, ledger, engine, options.sampling)
        work = begun.work
        if begun.stopped is not None:
            engine.stop(begun.stopped)  # the input is read all the same, so that it is known what was not reached
        _keep_recipe(what, work, ledger)
        notes = warnings(work) + ([] if options.simulated else notices(judges, relative(what.folder.path)))
        stopped = await _carry(work, sources, ledger, engine, options, [*begun.notes, *notes])
        return _finished(what, known(work, ledger), judges, ledger, engine, stopped, options)
    finally:
        await engine.close()
        await ledger.close()


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


async def _carry(
    work: Work,
    sources: list[Source] | None,
    ledger: Ledger,
    engine: Engine,
    options: Options,
    notes: Sequence[str],
) -> Stopped | None:
    """Run it behind a progress bar, with what is to be said before; why it stopped early, if it did."""
    from pairsmith import pipeline
    from pairsmith.cli.progress import Bar
    from pairsmith.enough import Enough

    enough = Enough(options.target_pairs, options.min_yield)
    with Bar(engine.tally, time.monotonic, options.quiet, enough) as bar, signals(engine):
        engine.say = bar.say
        for note in notes:
            bar.say(note)
        try:
            async with watched(bar, engine, ledger):
                await pipeline.run(work, sources, ledger, engine, bar, options.sampling, enough)
        except Stopped as exc:
            return exc
    return None


def _finished(
    what: Named,
    work: Work,
    judges: Mapping[EndpointName, Qualification | None],
    ledger: Ledger,
    engine: Engine,
    stopped: Stopped | None,
    options: Options,
) -> Finished:
    """Write the dataset, and gather what there is to say."""
    from pairsmith.cli.biased import as_json, cards_of
    from pairsmith.dataset import Exported, Texts

    export = what.recipe.export
    out = options.out or (Path(export.path) if export.path else what.folder.pairs)
    told: list[str] = []
    try:
        projection = projection_of(what.recipe, ledger, work.digest, judges)
        exported = write_dataset(Texts(ledger), ledger.outcomes(work.digest), projection, out, options.target_pairs)
    except UserError as exc:
        if stopped is None:
            raise
        exported = Exported(0, {})  # a full disk stops the run, and then its dataset too
        told.append(str(exc))
    counts = ledger.counts(work.digest)
    if stopped is None and counts.prompts and counts.prompts == sum(counts.failed.values()):
        stopped = Stopped("no_prompt_succeeded", "no prompt succeeded; mend the cause, then run it again to continue")
    if not options.sampling and counts.not_reached:
        who = "1 prompt is" if counts.not_reached == 1 else f"{counts.not_reached:,} prompts are"
        told.append(f"{who} passed over, as not all completions are there: pairsmith run {relative(what.folder.path)}")
    card, arms = cards_of(ledger, work.digest, work.endpoints)
    told += notes(ledger, work) + card.warnings() + arms.warnings(what.recipe.pair.sides)
    spent, bias, wanted = ledger.spent(), as_json(card, judges), options.target_pairs
    return Finished(counts, spent, engine.tally, exported, out, stopped, told, bias, arms, wanted)
