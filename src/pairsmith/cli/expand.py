"""`pairsmith expand`: from a few prompts many, through a ledger like everything that is paid for."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from pairsmith.cli.common import (
    Named,
    default_run_dir,
    environment,
    json_option,
    named,
    run_dir_option,
    say,
    show,
)
from pairsmith.cli.paying import cap_options, caps_of, signals
from pairsmith.errors import RecipeError, Stopped, UserError
from pairsmith.folder import RunFolder, locked, written_whole

if TYPE_CHECKING:
    from pairsmith.expanding import Expansion
    from pairsmith.ledger import Ledger
    from pairsmith.recipe import Recipe
    from pairsmith.wire.online import Engine

ENDPOINT_FLAGS = ("model", "base_url", "api_key_env", "judge", "judge_base_url", "judge_api_key_env")
# Flag -> the key of [prompts.expand] that it sets.
KEYS = {
    "count": "n", "docs": "docs", "language": "language", "seed": "seed", "per_call": "per_call",
    "novelty": "novelty", "min_yield": "min_yield", "min_quality": "min_quality", "temperature": "temperature",
}  # fmt: skip


@click.command("expand")
@click.argument("seeds", nargs=-1, required=True, metavar="SEEDS...")
@click.option("-n", "--count", type=click.IntRange(min=1), metavar="N", help="So many new prompts, no more, no fewer.")
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help='Where they go; "-": standard output.',
)
@click.option("--model", metavar="M", help="The model that writes them.")
@click.option("--base-url", metavar="U", help="Where it answers.  [default: $OPENAI_BASE_URL, else OpenAI]")
@click.option("--api-key-env", metavar="V", help="The NAME of the variable that holds the key.")
@click.option("--judge", metavar="M", help="A model that says how good each one is; poor ones are not kept.")
@click.option("--judge-base-url", metavar="U", help="Where it answers.  [default: as --base-url]")
@click.option("--judge-api-key-env", metavar="V")
@click.option(
    "--method", "methods", multiple=True, metavar="NAME=W",
    help="A method and its share, for example evolve=2; several times. See docs/expand.md.",
)  # fmt: skip
@click.option("--from-docs", "docs", metavar="DIR", help="Text files whose readers would ask: the method documents.")
@click.option("--topics", metavar="T,T…", help="Topics of your own, instead of a tree that the model makes.")
@click.option("--language", metavar="CC", help="Of all new prompts, for example de.  [default: that of the seeds]")
@click.option("--languages", metavar="CC,CC…", help="What the method translate translates into.")
@click.option("--seed", type=int, metavar="N", help="Another one gives others, the same the same.  [default: 0]")
@click.option("--per-call", type=click.IntRange(1, 20), metavar="N", help="Prompts a call, at most.  [default: 5]")
@click.option("--novelty", type=float, metavar="X", help="ROUGE-L below which a prompt is new.  [default: 0.7]")
@click.option("--min-yield", type=float, metavar="X", help="A method that keeps less is given up.  [default: 0.1]")
@click.option("--min-quality", type=float, metavar="X", help="By the judge, 1 to 10.  [default: 6]")
@click.option("--temperature", type=float, metavar="T", help="[default: the server's]")
@run_dir_option
@cap_options
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Any field: endpoints.writer.price=…")
@click.option("--same-endpoint", "same", multiple=True, metavar="NAME", help="It moved: what is stored stays valid.")
@click.option("--new-endpoint", "new", multiple=True, metavar="NAME", help="It is another: ask it anew.")
@click.option("--quiet", "-q", is_flag=True, help="No progress bar.")
@json_option
def command(
    seeds: tuple[str, ...],
    out: Path,
    run_dir: Path | None,
    overrides: tuple[str, ...],
    same: tuple[str, ...],
    new: tuple[str, ...],
    quiet: bool,
    as_json: bool,
    **flags: Any,
) -> int:
    """Write N prompts that grow from the few in SEEDS: prompt files, or a recipe or run folder with [prompts.expand].

    What is kept is new (against the seeds and all others), well formed and in the right language. Run the same command
    again to continue, or with a larger N for more: nothing is bought twice.
    """
    what = _what(seeds, run_dir, overrides, flags)
    return expand(what, out, flags, (same, new), quiet, as_json)


# --- what is to be grown ------------------------------------------------------------------------------


def _what(seeds: Sequence[str], run_dir: Path | None, overrides: Sequence[str], flags: dict[str, Any]) -> Named:
    """A recipe that was named, or one of the flags, and the folder of its ledger."""
    first = Path(seeds[0])
    if first.suffix == ".toml" or (first.is_dir() and RunFolder(first).recipe.exists()):
        if len(seeds) > 1:
            raise RecipeError(f"{first} names its seeds itself: name it alone, or prompt files")
        if endpoint := next((flag for flag in ENDPOINT_FLAGS if flags[flag] is not None), None):
            raise RecipeError(
                f"--{endpoint.replace('_', '-')} goes without a recipe; with one, say --set endpoints.NAME.KEY=VALUE"
            )
        given = [f"{key}={_written(value)}" for key, value in _fields(flags).items()]
        what = named(first, run_dir, [*(f"prompts.expand.{one}" for one in given), *overrides])
        if what.recipe.prompts.expand is None:
            raise RecipeError(f"{first} has no table [prompts.expand]: add it, or name a prompt file as SEEDS")
        return what
    recipe = _recipe(seeds, overrides, flags)
    return Named(recipe, RunFolder(run_dir or default_run_dir(recipe)), resumed=False)


def _recipe(seeds: Sequence[str], overrides: Sequence[str], flags: dict[str, Any]) -> Recipe:
    from pairsmith.cli.flags import endpoint_of
    from pairsmith.recipe import STANDARD_INPUT, recipe_of, run_name

    if STANDARD_INPUT in seeds:
        raise RecipeError("seeds are read again on every run, which standard input cannot be: put them in a file")
    missing = [flag for flag, key in (("-n", "count"), ("--model", "model")) if not flags[key]]
    if missing:
        raise RecipeError(f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} needed beside prompt files")
    judge_url = flags["judge_base_url"] or flags["base_url"]
    judge_key = flags["judge_api_key_env"] or (None if flags["judge_base_url"] else flags["api_key_env"])
    endpoints = {"writer": endpoint_of(flags["model"], flags["base_url"], flags["api_key_env"])}
    expand = {**_fields(flags), "seeds": [str(Path(seed).absolute()) for seed in seeds], "endpoint": "writer"}
    if flags["judge"]:
        endpoints["judge"] = endpoint_of(flags["judge"], judge_url, judge_key)
        expand["judge"] = "judge"
    if "docs" in expand:
        expand["docs"] = str(Path(expand["docs"]).absolute())
    table: dict[str, Any] = {
        "name": run_name(f"{Path(seeds[0]).stem}-expanded"),
        "prompts": {"expand": expand},
        "endpoints": endpoints,
        "judge": {"panel": []},
    }
    return recipe_of(table, "the flags", overrides)


def _fields(flags: dict[str, Any]) -> dict[str, Any]:
    """What of [prompts.expand] the flags say."""
    fields = {key: flags[flag] for flag, key in KEYS.items() if flags[flag] is not None}
    for key in ("topics", "languages"):
        if flags[key] is not None:
            fields[key] = [word.strip() for word in flags[key].split(",") if word.strip()]
            if not fields[key]:
                raise UserError(f"--{key} names none: write them with commas between them")
    if flags["methods"]:
        fields["methods"] = dict(_share(word) for one in flags["methods"] for word in one.split(","))
    return fields


def _share(word: str) -> tuple[str, float]:
    name, _, weight = word.partition("=")
    try:
        return name.strip(), float(weight or 1)
    except ValueError:
        raise UserError(f"--method {word}: write it like evolve=2") from None


def _written(value: Any) -> str:
    """A value as --set takes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {item}' for key, item in value.items()) + "}"
    return orjson.dumps(value).decode() if isinstance(value, list) else str(value)


# --- growing ------------------------------------------------------------------------------------------


def expand(
    what: Named,
    out: Path,
    flags: dict[str, Any],
    moved: tuple[Sequence[str], Sequence[str]],
    quiet: bool,
    as_json: bool,
) -> int:
    """Grow them, write the file, and say what was achieved; returns the exit code."""
    from pairsmith.cli import grown as telling
    from pairsmith.ledger import open_ledger
    from pairsmith.recipe import endpoints, to_toml
    from pairsmith.running.grown import expansion_of, row_of
    from pairsmith.running.known import as_kept
    from pairsmith.running.paying import check_prices, engine_of, identified, keys_of

    recipe, caps = what.recipe, caps_of(flags)
    _check_out(out, what)
    models = {name: one for name, one in endpoints(recipe, environment()).items() if name in recipe.grown_by}
    keys = keys_of(models)
    check_prices(models, caps)
    started_s = time.monotonic()
    with locked(what.folder), contextlib.ExitStack() as files:
        ledger = open_ledger(what.folder.ledger, time.time, create=True)
        files.callback(ledger.close_now)
        models = identified(models, recipe.endpoints, ledger, *moved)
        expansion = expansion_of(recipe, as_kept(models, recipe, ledger), ledger)
        if not recipe.judge.panel and not recipe.prompts.paths:  # made of flags: a recipe that was named stays as it is
            with written_whole(what.folder.recipe) as file:
                file.write(to_toml(recipe).encode())
        engine = engine_of(models, keys, ledger, caps)
        stopped = asyncio.run(_grown(expansion, ledger, engine, quiet))
        spent = open_ledger(what.folder.ledger, time.time, create=False)
        files.callback(spent.close_now)
        wall_s = time.monotonic() - started_s
        written = bool(expansion.harvest.kept) or not stopped
        told = telling.Told(what, out, expansion, engine.tally, spent.spent(), stopped, wall_s, written)
    if written:
        rows = b"".join(orjson.dumps(row_of(kept), option=orjson.OPT_APPEND_NEWLINE) for kept in expansion.harvest.kept)
        _write(out, rows)
    if stopped is not None:
        say(stopped.sentence)
    with contextlib.redirect_stdout(sys.stderr) if str(out) == "-" else contextlib.nullcontext():
        show(telling.as_json(told), as_json, lambda: telling.as_text(told))
    return stopped.exit_code if stopped else 0


def _check_out(out: Path, what: Named) -> None:
    """See that the file can be written, before anything is paid for it.

    Raises:
        UserError: it cannot, or it is one that is read.
    """
    if str(out) == "-":
        return
    expand = what.recipe.prompts.expand
    read = [Path(path).resolve() for path in (*what.recipe.prompts.paths, *(expand.seeds if expand else ()))]
    if out.resolve() in (*read, what.folder.recipe.resolve(), what.folder.ledger.resolve()):
        raise UserError(f"{out} is read here, and would be written over: name another file with -o")
    parent = next(folder for folder in (out.absolute().parent, *out.absolute().parent.parents) if folder.exists())
    if out.is_dir() or not parent.is_dir() or not os.access(parent, os.W_OK):
        raise UserError(f"{out} cannot be written: name a file with -o, in a folder that you may write to")


def _write(out: Path, rows: bytes) -> None:
    if str(out) == "-":
        sys.stdout.buffer.write(rows)
        sys.stdout.buffer.flush()
        return
    try:
        with written_whole(out) as file:
            file.write(rows)
    except OSError as exc:
        raise UserError(f"{out} cannot be written ({exc.strerror}): name another file with -o") from exc


async def _grown(expansion: Expansion, ledger: Ledger, engine: Engine, quiet: bool) -> Stopped | None:
    from pairsmith.cli.progress import GrowingBar
    from pairsmith.running.grown import grown

    try:
        with GrowingBar(engine.tally, expansion.settings.n, quiet) as bar, signals(engine):
            return await grown(expansion, ledger, engine, bar)
    finally:
        await engine.close()
        await ledger.close()
