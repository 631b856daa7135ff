"""`pairsmith pair`: pairs again from what is stored, under another [pair] table; `--compare`: several side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pairsmith.cli.common import (
    TARGETS,
    Named,
    as_last_run,
    collect_seldom,
    environment,
    json_option,
    known_judges,
    left_out_notes,
    named,
    out_of,
    projection_of,
    run_dir_option,
    say,
    show,
    stored_run,
    write_dataset,
    written_text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pairsmith.cli.tallied import Tally
    from pairsmith.recipe import Recipe


@click.command("pair")
@click.argument("run", type=click.Path(path_type=Path))
@run_dir_option
@click.option("--strategy", metavar="S", help="Which two answers make the pair: best-worst, hardest, … or FILE.py:F.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a field: pair.min_gap=2.")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FILE", help="[default: as run writes it]")
@click.option("--target", type=click.Choice(TARGETS), help="The platform.  [default: the recipe's]")
@click.option("--system", metavar="WHAT", help="strip, keep, or a file: what stands in the sampling persona's place.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="The first N pairs only, in prompt order.")
@click.option(
    "--compare",
    "compared",
    multiple=True,
    metavar="SPEC",
    help='Write nothing, but show what this would give: "best-worst,min_gap=3"; may be repeated.',
)
@json_option
def command(
    run: Path,
    run_dir: Path | None,
    strategy: str | None,
    overrides: tuple[str, ...],
    out: Path | None,
    target: str | None,
    system: str | None,
    limit: int | None,
    compared: tuple[str, ...],
    as_json: bool,
) -> int:
    """Pair what was judged once more, by other rules, and write it. No endpoint and no key is needed; nothing is asked.

    RUN is the folder of a run, or its recipe. Only [pair] and [export] count: what was judged stays as it was judged.
    """
    given = (("pair.strategy", strategy), ("export.target", target), ("export.system", system))
    what = named(run, run_dir, [*(f"{key}={value}" for key, value in given if value), *overrides])
    what = replace(what, recipe=by_its_tables(what))
    collect_seldom()
    if compared:
        from pairsmith.cli.compared import compare

        return compare(what, compared, as_json)
    return _write(what, out, limit, as_json)


def by_its_tables(what: Named) -> Recipe:
    """The recipe that the folder was last run with, under the [pair] and [export] tables of the one that was named."""
    return as_last_run(what).model_copy(update={"pair": what.recipe.pair, "export": what.recipe.export})


def _write(what: Named, out: Path | None, limit: int | None, as_json: bool) -> int:
    from pairsmith.cli.tallied import Tally
    from pairsmith.dataset import Texts
    from pairsmith.recipe import endpoints
    from pairsmith.repairing import paired_again, pairing_in

    settings = what.recipe.export
    out = out_of(out, what.folder, settings)
    judges = known_judges(what, endpoints(what.recipe, environment()))
    tally = Tally()
    with stored_run(what.folder) as (ledger, digest):
        projection = projection_of(what.recipe, ledger, digest, judges)
        texts, way = Texts(ledger), pairing_in(what.recipe, ledger, digest)  # after the edits that the projection has
        again = ((prompt, found[0]) for prompt, found in paired_again(ledger.outcomes(digest), [way], texts))
        exported = write_dataset(texts, tally.watching(again), projection, out, limit)
        counts = ledger.counts(digest)
    for sentence in [*_notes(tally), *left_out_notes(exported, settings)]:
        say(sentence)
    result = {
        "out": str(out),
        "target": settings.target,
        "rows": exported.rows,
        "validation": exported.validation,
        "left_out": dict(exported.left_out),
        "prompts": counts.prompts,
        "not_reached": counts.not_reached,
        **tally.as_json(),
    }
    shown = [*tally.as_text(way.settings.strategy), "", *written_text(out, exported, settings)]
    show(result, as_json, lambda: "\n".join(shown))
    return 0


def _notes(tally: Tally) -> Sequence[str]:
    from pairsmith.repairing import NOT_COMPARED

    close = tally.abstained[NOT_COMPARED]
    if not close:
        return []
    return [
        f"{close:,} close calls were never compared, and are no pairs: a run with these settings asks two verdicts each"
    ]
