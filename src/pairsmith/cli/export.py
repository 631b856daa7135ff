"""`pairsmith export`: a run's pairs for a training platform, or as a dataset folder, from the ledger alone."""

from __future__ import annotations

from pathlib import Path

import click

from pairsmith.cli.common import (
    TARGETS,
    Named,
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
from pairsmith.errors import UserError

REVIEWS = ("override", "drop-disagreed", "only-reviewed", "ignore")
FORMATS = ("openai_pft", *(name for name in TARGETS if name not in ("openai", "parquet")))


@click.command("export")
@click.argument("run", type=click.Path(path_type=Path))
@run_dir_option
@click.option("--target", type=click.Choice(TARGETS), help="The platform.  [default: the recipe's]")
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FILE", help="[default: in the run folder]")
@click.option("--system", metavar="WHAT", help="strip, keep, or a file: what stands in the sampling persona's place.")
@click.option("--reviews", type=click.Choice(REVIEWS), help="What people's verdicts do.  [default: the recipe's]")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="The first N pairs only, in prompt order.")
@click.option(
    "--dataset",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A folder with a dataset card instead of a file: for load_dataset, and for the Hub.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(FORMATS),
    help="With --dataset: a format of the folder.  [default: openai_pft and trl]",
)
@click.option("--license", metavar="ID", help="With --dataset: its licence, as the Hub writes it: cc-by-4.0.")
@click.option("--name", metavar="NAME", help="With --dataset: what the card calls it.  [default: the run's name]")
@json_option
def command(
    run: Path,
    run_dir: Path | None,
    target: str | None,
    out: Path | None,
    system: str | None,
    reviews: str | None,
    limit: int | None,
    dataset: Path | None,
    formats: tuple[str, ...],
    license: str | None,
    name: str | None,
    as_json: bool,
) -> int:
    """Write the pairs of a run. RUN is the folder of a run, or its recipe. No endpoint and no key is needed."""
    _check(dataset, out, target, bool(formats or license or name))
    given = (("target", target), ("system", system), ("reviews", reviews))
    changes = [f"export.{key}={value}" for key, value in given if value]
    what = named(run, run_dir, changes)
    if dataset is not None:
        from pairsmith.cli.foldered import write

        return write(what, dataset, tuple(dict.fromkeys(formats)), license, name, limit, as_json)
    return _file(what, out, limit, as_json)


def _check(dataset: Path | None, out: Path | None, target: str | None, of_folders: bool) -> None:
    if dataset is None and of_folders:
        raise UserError("--format, --license and --name are for a dataset folder: name it with --dataset DIR")
    if dataset is not None and (out or target):
        raise UserError("--dataset writes a folder, and goes without -o and --target: name its formats with --format")


def _file(what: Named, out: Path | None, limit: int | None, as_json: bool) -> int:
    from pairsmith.cli import biased
    from pairsmith.dataset import Texts
    from pairsmith.recipe import endpoints
    from pairsmith.running.cards import cards_of

    settings = what.recipe.export
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
