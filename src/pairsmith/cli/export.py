"""`pairsmith export`: a run's pairs for a training platform, from the ledger alone."""

from __future__ import annotations

from pathlib import Path

import click

from pairsmith.cli.common import (
    TARGETS,
    default_out,
    environment,
    json_option,
    known_judges,
    left_out_notes,
    named,
    projection_of,
    run_dir_option,
    say,
    show,
    stored_run,
    write_dataset,
    written_text,
)


@click.command("export")
@click.argument("run", type=click.Path(path_type=Path))
@run_dir_option
@click.option("--target", type=click.Choice(TARGETS), help="The platform.  [default: the recipe's]")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FILE", help="[default: in the run folder]")
@click.option("--system", metavar="WHAT", help="strip, keep, or a file: what stands in the sampling persona's place.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="The first N pairs only, in prompt order.")
@json_option
def command(
    run: Path,
    run_dir: Path | None,
    target: str | None,
    out: Path | None,
    system: str | None,
    limit: int | None,
    as_json: bool,
) -> int:
    """Write the pairs of a run. RUN is the folder of a run, or its recipe. No endpoint and no key is needed."""
    changes = [f"export.{key}={value}" for key, value in (("target", target), ("system", system)) if value]
    what = named(run, run_dir, changes)
    settings = what.recipe.export
    from pairsmith.cli import biased
    from pairsmith.dataset import Texts
    from pairsmith.recipe import endpoints
    from pairsmith.running.cards import cards_of

    out = out or _default(default_out(what.folder, settings), settings.target)
    models = endpoints(what.recipe, environment())
    judges = known_judges(what, models)
    with stored_run(what.folder) as (ledger, digest):
        projection = projection_of(what.recipe, ledger, digest, judges)
        exported = write_dataset(Texts(ledger), ledger.outcomes(digest), projection, out, limit)
        card, arms = cards_of(ledger, digest, models)
    for sentence in [*card.warnings(), *arms.warnings(what.recipe.pair.sides), *left_out_notes(exported, settings)]:
        say(sentence)
    result = {"out": str(out), "target": settings.target, "rows": exported.rows, "left_out": dict(exported.left_out)}
    result["validation"] = exported.validation
    result["bias"] = biased.as_json(card, judges)
    show(result, as_json, lambda: "\n".join(written_text(out, exported, settings)))
    return 0


def _default(out: Path, target: str) -> Path:
    """`pairs.trl.jsonl`, beside the pairs.jsonl that a run writes; tables have a suffix of their own."""
    return out if target in ("openai", out.suffix[1:]) else out.with_stem(f"pairs.{target}")
