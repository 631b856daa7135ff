"""`pairsmith export --dataset`: has the folder written, and says what is in it."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pairsmith import __version__
from pairsmith.cli.common import Named, as_last_run, environment, known_judges, relative, say, show, stored_run
from pairsmith.errors import UserError

if TYPE_CHECKING:
    from pairsmith.recipe import Recipe
    from pairsmith.running.folders import Written

LICENSE = re.compile(r"[a-z0-9][a-z0-9.-]*")  # how the Hub's ids of licences look


def write(
    what: Named,
    folder: Path,
    formats: tuple[str, ...],
    license: str | None,
    name: str | None,
    limit: int | None,
    as_json: bool,
) -> int:
    """Write the folder, and say so; formats () are the usual ones."""
    from pairsmith.recipe import endpoints
    from pairsmith.running.carded import Wanted
    from pairsmith.running.folders import USUAL, write_folder

    if license is not None and not LICENSE.fullmatch(license):
        raise UserError(f"--license {license}: it takes an id of the Hub, such as cc-by-4.0, mit or other")
    what = replace(what, recipe=as_last_run(what).model_copy(update={"export": what.recipe.export}))
    recipe = what.recipe
    models = endpoints(recipe, environment())
    wanted = Wanted(folder, formats or USUAL, license, name, limit, __version__)
    with stored_run(what.folder) as (ledger, digest):
        written = write_folder(wanted, what.folder, recipe, ledger, digest, models, known_judges(what, models))
    for sentence in [*written.warnings, *_notes(written, folder, recipe)]:
        say(sentence)
    result = {
        "dataset": str(folder),
        "files": list(written.files),
        "stale": list(written.stale),
        "simulated": written.simulated,
        "formats": {
            one.name: {"rows": one.rows, **{part.split: part.rows for part in one.parts}, "left_out": one.left_out}
            for one in written.formats
        },
    }
    show(result, as_json, lambda: "\n".join(_text(written, wanted.folder)))
    return 0


def _notes(written: Written, folder: Path, recipe: Recipe) -> list[str]:
    from pairsmith.reviewing import LEFT_OUT
    from pairsmith.running.shareable import public_name
    from pairsmith.running.written import many_pairs

    notes = [
        f"{many_pairs(n)} left out of {one.name}: {reason} "
        f"({LEFT_OUT.get(reason, f'target {one.name} cannot take them')})"
        for one in written.formats
        for reason, n in one.left_out.items()
    ]
    if written.stale:
        told = f"from an earlier export, and the card does not name them; delete them: {', '.join(written.stale)}"
        notes.append(f"in {relative(folder)} are {told}")
    names = [one.model for one in recipe.endpoints.values()]
    if places := [name for name in names if public_name(name) != name]:
        notes.append(f"the provenance names {places[0]} with its place on this machine: look before you publish it")
    if written.simulated:
        notes.append(
            f"{written.simulated:,} pairs are simulated, and the card says so: for trying out, not for training"
        )
    return notes


def _text(written: Written, folder: Path) -> list[str]:
    shown = shlex.quote(relative(folder))
    lines = [f"{shown}: a dataset with its card, README.md"]
    width = max(len(part.file) for one in written.formats for part in one.parts)
    lines += [
        f"  {part.file:<{width}}  {part.rows:,} rows for {one.title}" for one in written.formats for part in one.parts
    ]
    lines += [
        f"  {'parquet/':<{width}}  the same rows, as load_dataset reads them",
        f"  {'provenance/':<{width}}  line by line where each row comes from",
        f"  {'recipe.toml':<{width}}  how it was run; without paths, keys and private hosts",
        "",
        "Read README.md, then:",
    ]
    config = next(one.name for one in written.formats if one.rows)
    loading = (
        f"from datasets import load_dataset; print(load_dataset({json.dumps(relative(folder))}, {json.dumps(config)}))"
    )
    lines.append(f"  {shlex.join(['python', '-c', loading])}")
    return [*lines, f"  hf upload NAME {shown} --repo-type dataset"]
