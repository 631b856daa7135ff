"""`pairsmith audit`: proves every row of a dataset from the ledger, and names each that cannot be proved."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any

import click
import orjson

from pairsmith.cli.common import (
    TARGETS,
    Named,
    as_last_run,
    collect_seldom,
    json_option,
    named,
    projection_of,
    relative,
    run_dir_option,
    show,
    stored_run,
)
from pairsmith.errors import InputError, UserError
from pairsmith.running.written import FILES, found_provenance, provenance_path

if TYPE_CHECKING:
    from pairsmith.auditing import Audit
    from pairsmith.ledger import Counts

SHOWN = 50  # problems printed unless --all
RESTS_ON = {
    "gap": "scores",
    "duels": "comparisons in both orders",
    "rankings": "rankings",
    "final": "finals",
    "arms": "arms, unjudged",
    "human": "people",
    "review": "people's reviews",
    "edit": "edits",
}


@click.command("audit")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@run_dir_option
@click.option("--target", type=click.Choice(TARGETS), help="Whose rows they are.  [default: as the first row says]")
@click.option("--strategy", metavar="S", help="As `pair` was told.  [default: as the provenance says]")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="As `pair` was told: pair.min_gap=2.")
@click.option("--system", metavar="WHAT", help="As `export` was told: strip, keep, or a file.")
@click.option("--all", "all_problems", is_flag=True, help=f"Print every problem, not the first {SHOWN}.")
@json_option
def command(
    run: Path,
    files: tuple[Path, ...],
    run_dir: Path | None,
    target: str | None,
    strategy: str | None,
    overrides: tuple[str, ...],
    system: str | None,
    all_problems: bool,
    as_json: bool,
) -> int:
    """Prove FILES from the ledger of RUN: texts, verdicts, prompts, and that nothing is missing. Exits 1 if it cannot.

    RUN is the folder of a run, or its recipe. Give the training and the validation file of a split together.
    """
    from pairsmith.cli.pair import by_its_tables

    collect_seldom()
    given = (("pair.strategy", strategy), ("export.target", target), ("export.system", system))
    flags = [*(f"{key}={value}" for key, value in given if value), *overrides]
    what = named(run, run_dir, flags)
    what = replace(what, recipe=by_its_tables(what))
    told = _first(found_provenance(files[0]))
    what = _as_written(what, files[0], told, flags)
    audit, counts = _audited(what, files, _reviews_through(told))
    show(_json(audit, counts, files), as_json, lambda: _text(audit, counts, files, all_problems))
    return 1 if audit.problems else 0


def _reviews_through(told: dict[str, Any]) -> int | None:
    """How many reviews there were when the file was written; None, and so all of them: nothing says it.

    A file that was written without them says none, and is held against all where it is asked what they make of it.
    """
    export, through = told.get("export"), told.get("reviews_through", 0)
    ignored = isinstance(export, dict) and export.get("reviews") == "ignore"
    return through if told and not ignored and type(through) is int and through >= 0 else None


def _audited(what: Named, files: Sequence[Path], reviews_through: int | None) -> tuple[Audit, Counts]:
    from pairsmith.auditing import Auditor, part_of
    from pairsmith.repairing import pairing_in
    from pairsmith.running.shareable import shareable_proof

    with stored_run(what.folder) as (ledger, digest), contextlib.ExitStack() as opened:
        way = pairing_in(what.recipe, ledger, digest)
        projection = projection_of(what.recipe, ledger, digest, {}, reviews_through)
        logprobs = what.recipe.judge.score_from == "logprobs"
        auditor = Auditor(ledger, digest, way, projection, _as_run(what), logprobs)
        auditor.audit.notes += [] if _as_run(what) else [_settled_otherwise(what)]
        later = 0 if what.recipe.export.reviews == "ignore" else ledger.last_review() - projection.reviewing.through
        if later:
            more = "1 review is" if later == 1 else f"{later:,} reviews are"
            auditor.audit.notes.append(f"{more} younger than it: export it again to have them in it")
        streams = [opened.enter_context(_open(path)) for path in files]
        auditor.expect()
        for path, stream in zip(files, streams, strict=True):
            proofs = found_provenance(path)
            with proofs.open("rb") if proofs.exists() else contextlib.nullcontext() as beside:
                shown = dict if proofs == provenance_path(path) else shareable_proof  # of a dataset folder
                auditor.read(relative(path), stream, beside, part_of(path), shown)
            if beside is None:
                auditor.audit.notes.append(f"{relative(proofs)} is not there: the rows are proved without it")
        auditor.account()
        return auditor.audit, ledger.counts(digest)


def _open(path: Path) -> Any:
    """A dataset file as JSON lines; a table in a temporary file of them, row by row."""
    from pairsmith.export.containers import container_of, lines_of

    try:
        file = path.open("rb")
    except OSError as exc:
        raise InputError(f"{path} cannot be read ({exc.strerror}): name a dataset that was exported") from None
    container = container_of(file.read(4), path.suffix)
    file.seek(0)
    if container == "jsonl":
        return file
    with file:
        lines = TemporaryFile()  # noqa: SIM115 — the caller closes it
        lines.writelines(lines_of(file, container, str(path)))
        lines.seek(0)
        return lines


def _as_run(what: Named) -> bool:
    """Whether the [pair] table is the one of the run itself."""
    return as_last_run(what).pair == what.recipe.pair


def _settled_otherwise(what: Named) -> str:
    table = what.recipe.pair.model_dump(mode="json", exclude_defaults=True)
    told = ", ".join(f"{key} = {value}" for key, value in table.items()) or "the defaults"
    return f"proven by another [pair] table than the run's own: {told}"


def _first(path: Path) -> dict[str, Any]:
    """The first row of a file; {} where there is none to be read."""
    try:
        with path.open("rb") as file:
            row = orjson.loads(file.readline())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return row if isinstance(row, dict) else {}


def _as_written(what: Named, file: Path, told: dict[str, Any], flags: Sequence[str]) -> Named:
    """With the [pair] and [export] tables that the provenance names; flags go before, about [pair] as a whole."""
    from pydantic import ValidationError

    from pairsmith.auditing import layout_target

    recipe = what.recipe
    tables: dict[str, Any] = {}
    keys = {flag.partition("=")[0].strip() for flag in flags}
    for name, table in (("pair", recipe.pair), ("export", recipe.export)):
        said = {key for key in type(table).model_fields if f"{name}.{key}" in keys}
        if isinstance(told.get(name), dict) and not (said and name == "pair"):
            with contextlib.suppress(ValidationError):  # another version wrote it: the recipe's own table stands
                found = type(table).model_validate(_with_folders(told[name], table.model_dump(), said))
                tables[name] = found.model_copy(update={key: getattr(table, key) for key in said})
    export = tables.get("export", recipe.export)
    if "export.target" not in keys:
        target = layout_target(_first(file), export.target) or export.target
        tables["export"] = export.model_copy(update={"target": target})
    return replace(what, recipe=recipe.model_copy(update=tables))


def _with_folders(told: dict[str, Any], recipes: dict[str, Any], said: Collection[str]) -> dict[str, Any]:
    """A table of the provenance, which names files without their folders: the recipe's files of these names.

    Raises:
        UserError: it names another file: none is opened or run because a dataset says so.
    """
    from pairsmith.pair.settings import STRATEGIES

    here = dict(told)
    for key in FILES.keys() & told.keys() - set(said):
        value = str(told[key])
        if Path(value).name == Path(str(recipes.get(key))).name:
            here[key] = recipes[key]
        elif value not in (*STRATEGIES, "strip", "keep"):
            raise UserError(
                f"the provenance names {value} as its {key}, and the recipe no file of that name: say where it is, as "
                f"you told `pair` ({FILES[key]}FOLDER/{Path(value).name}, with the other flags)"
            )
    return here


# --- saying it --------------------------------------------------------------------------------------


def _json(audit: Audit, counts: Counts, files: Sequence[Path]) -> dict[str, Any]:
    return {
        "files": [str(path) for path in files],
        "proven": not audit.problems,
        "rows": audit.rows,
        "rows_proven": audit.proven,
        "rests_on": dict(audit.rules),
        "verdicts_reread": audit.verdicts,
        "replies_reread": audit.replies,
        "prompts": counts.prompts,
        "paired": audit.kinds["pair"],
        "pairs": audit.pairs,
        "left_out": dict(audit.left_out),
        "missing": audit.missing,
        "abstained": dict(audit.abstained),
        "failed": audit.kinds["failed"],
        "not_reached": counts.prompts - audit.kinds.total(),
        "notes": audit.notes,
        "problems": [
            {"file": one.file, "line": one.line, "prompt": one.prompt, "found": one.found} for one in audit.problems
        ],
    }


def _text(audit: Audit, counts: Counts, files: Sequence[Path], all_problems: bool) -> str:
    from pairsmith.cli.explained import visible

    names = ", ".join(relative(path) for path in files)
    shown = audit.problems if all_problems else audit.problems[:SHOWN]
    hidden = len(audit.problems) - len(shown)
    lines = [*(visible(str(one)) for one in shown), *([f"… and {hidden:,} more (--all prints them)"] if hidden else [])]
    lines += [""] if lines else []
    verdict = "proven" if not audit.problems else f"NOT proven: {len(audit.problems):,} problems"
    lines.append(f"{names}: {audit.proven:,} of {audit.rows:,} rows proven: {verdict}")
    rests = ", ".join(f"{RESTS_ON.get(rule, rule)} {n:,}" for rule, n in audit.rules.most_common())
    lines.append(f"  texts        {audit.texts:,} byte-equal to what is stored")
    lines.append(f"  verdicts     {audit.verdicts:,} re-read from {audit.replies:,} stored replies, and settled again")
    if rests:
        lines.append(f"  rest on      {rests}")
    lines.append(f"  prompts      {_account(audit, counts)}")
    return "\n".join([*lines, *(f"note: {note}" for note in audit.notes)])


def _account(audit: Audit, counts: Counts) -> str:
    """Every prompt of the input, by what became of it."""
    left_out = audit.left_out.total()
    parts = [
        f"{counts.prompts:,} = {audit.kinds['pair']:,} with a pair",
        f"{audit.kinds['abstained']:,} abstained",
        f"{audit.kinds['failed']:,} failed",
        f"{counts.prompts - audit.kinds.total():,} not reached",
    ]
    rows = f"; {audit.pairs:,} pairs = {audit.pairs - left_out:,} rows"
    reasons = ", ".join(f"{reason} {n:,}" for reason, n in audit.left_out.items())
    return " + ".join(parts) + rows + (f" + {left_out:,} left out ({reasons})" if left_out else "")
