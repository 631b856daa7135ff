"""`pairsmith run`: everything, from prompts to a checked dataset. Run again to continue."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from pairsmith.cli.common import (
    DURATION,
    Named,
    collect_seldom,
    default_run_dir,
    json_option,
    named,
    run_dir_option,
    say,
)
from pairsmith.cli.ended import report
from pairsmith.cli.paying import cap_options, caps_of, signals
from pairsmith.errors import InputError
from pairsmith.folder import RunFolder
from pairsmith.running.terms import Terms

if TYPE_CHECKING:
    from pairsmith.cli.progress import Bar, GrowingBar
    from pairsmith.enough import Enough
    from pairsmith.wire.online import Engine


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
@click.option("--column", metavar="NAME", help="The key or column that holds the prompt.")
@click.option("--where", metavar="EXPR", help="Take only rows of which it holds: \"language == 'de'\".")
@click.option("--shuffle", is_flag=True, help="The prompts in an order drawn by prompts.seed.")
@click.option("--same-endpoint", "same", multiple=True, metavar="NAME", help="It moved: what is stored stays valid.")
@click.option("--new-endpoint", "new", multiple=True, metavar="NAME", help="It is another: buy its answers anew.")
@click.option("--force", is_flag=True, help="Go on with a judge that was disqualified (see: pairsmith qualify).")
@click.option("--prompts", metavar="FILE", help='Without a recipe: the prompts; a file, a glob, "-": standard input.')
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
    terms = Terms(out, caps_of(flags), same, new, patience, force, target_pairs=target_pairs, min_yield=min_yield)
    return run(what, terms, as_json, quiet)


def _what(recipe: Path | None, run_dir: Path | None, overrides: Sequence[str], flags: dict[str, Any]) -> Named:
    """The recipe with the flags' fields in it, and its folder."""
    from pairsmith.cli.flags import as_overrides, recipe_from_flags
    from pairsmith.running.named import excluding

    if recipe is not None:
        what = named(recipe, run_dir, [*as_overrides(flags), *overrides])
    else:
        made = recipe_from_flags(flags, overrides)
        what = Named(made, RunFolder(run_dir or default_run_dir(made)), False)
    return replace(what, recipe=excluding(what.recipe, flags["exclude"]))


def run(what: Named, terms: Terms, as_json: bool, quiet: bool) -> int:
    """Run it and say what came of it; returns the exit code."""
    from pairsmith.running.carried import carried_out, opened
    from pairsmith.running.sources import input_of, stored_input

    collect_seldom()
    with opened(what, terms) as begun:
        stored = stored_input(what, begun.ledger, say)
        source = None if stored else input_of(what.recipe.prompts, standard_input, say)
        finished = asyncio.run(carried_out(begun, None if source is None else [source], _Terminal(quiet)))
    return report(finished, what, as_json, None if source is None else source.not_matching.total())


@dataclass(frozen=True, slots=True)
class _Terminal:
    """Shows a run on stderr, and has it stopped by signals."""

    quiet: bool

    def say(self, sentence: str) -> None:
        """A line of its own."""
        say(sentence)

    def paying(self, engine: Engine) -> contextlib.AbstractContextManager[None]:
        """The first signal lets the calls in flight finish."""
        return signals(engine)

    def growing(self, engine: Engine, wanted: int) -> GrowingBar:
        """A progress bar."""
        from pairsmith.cli.progress import GrowingBar

        return GrowingBar(engine.tally, wanted, self.quiet)

    def following(self, engine: Engine, enough: Enough) -> Bar:
        """A progress bar."""
        from pairsmith.cli.progress import Bar

        return Bar(engine.tally, time.monotonic, self.quiet, enough)


def standard_input() -> BufferedReader:
    """A reader of our own: Python aborts at exit when a thread still waits for `sys.stdin`."""
    if sys.stdin is None:
        raise InputError("standard input is closed: pipe the prompts into it, or name a file")
    try:
        return open(sys.stdin.fileno(), "rb", closefd=False)
    except OSError:  # whoever calls us from Python has put something else in its place
        return BufferedReader(cast(RawIOBase, sys.stdin.buffer))
