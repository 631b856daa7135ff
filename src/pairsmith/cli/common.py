"""What several commands need: the recipe or run folder that was named, its files, and how results are said."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from pairsmith.errors import LedgerError, RecipeError, UserError
from pairsmith.folder import RunFolder, written_whole

if TYPE_CHECKING:
    from pairsmith.dataset import Exported, Projection, Texts
    from pairsmith.export.settings import ExportSettings
    from pairsmith.ledger import Counts, Ledger, Settled
    from pairsmith.qualified import Qualification
    from pairsmith.recipe import Recipe
    from pairsmith.records import Endpoint, EndpointName, Prompt

TARGETS = ("openai", "azure", "together", "fireworks", "trl")

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
run_dir_option = click.option(
    "--run-dir", type=click.Path(path_type=Path), metavar="DIR", help="The run folder.  [default: runs/NAME]"
)


class _Duration(click.ParamType[float]):
    """A time span in seconds, written 6h, 90m, 1h30m, 45s."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it; a number stays as it is."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", value.strip())
        if not found or not any(found.groups()):
            self.fail(f"{value!r} is no time span: write it like 6h, 90m or 1h30m", param, ctx)
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return float(hours * 3600 + minutes * 60 + seconds)


DURATION = _Duration()


@dataclass(frozen=True, slots=True)
class Named:
    """What the user named: a recipe, and the folder of its run."""

    recipe: Recipe
    folder: RunFolder
    resumed: bool  # a run folder was named: its stored recipe, and its stored input where that was standard input


def named(target: Path, run_dir: Path | None, overrides: Sequence[str] = ()) -> Named:
    """A RECIPE file or a RUN_DIR: whichever it is, both.

    Raises:
        RecipeError: there is no such file or folder.
    """
    from pairsmith.recipe import load_recipe

    if target.is_dir():
        stored = RunFolder(target).recipe
        if not stored.exists():
            raise RecipeError(f"{target} holds no recipe.toml: name a recipe, or the folder of a run")
        return Named(load_recipe(stored, overrides), RunFolder(run_dir or target), True)
    if not target.exists():
        raise RecipeError(f"there is no recipe or run folder {target}: write a recipe with: pairsmith init")
    recipe = load_recipe(target, overrides)
    return Named(recipe, RunFolder(run_dir or default_run_dir(recipe)), False)


def default_run_dir(recipe: Recipe) -> Path:
    """Where a run goes when no folder is named."""
    return Path("runs") / recipe.name


@contextlib.contextmanager
def stored_run(folder: RunFolder) -> Iterator[tuple[Ledger, str]]:
    """The ledger of a run folder for reading, and the digest of the recipe it was last run with.

    Raises:
        LedgerError: nothing was run there yet.
    """
    from pairsmith.ledger import open_ledger

    ledger = open_ledger(folder.ledger, time.time, create=False)
    try:
        digest = ledger.fact("digest")
        if digest is None:
            raise LedgerError(f"nothing was run in {folder.path} yet: pairsmith run RECIPE --run-dir {folder.path}")
        yield ledger, digest
    finally:
        ledger.close_now()


def known_judges(what: Named, models: Mapping[EndpointName, Endpoint]) -> dict[EndpointName, Qualification | None]:
    """How the judges of a recipe that are chat models did when they were asked what is known; None: never asked."""
    from pairsmith.qualified import home, qualifications

    names = [name for name in what.recipe.judge.panel if name in models and models[name].kind == "chat"]
    return qualifications({name: models[name] for name in names}, what.folder.path, home(environment()))


def projection_of(
    what: Recipe, ledger: Ledger, digest: str, judges: Mapping[EndpointName, Qualification | None]
) -> Projection:
    """How the pairs of a run become rows by this recipe's [export] table.

    Raises:
        UserError: the text that replaces the persona cannot be read.
    """
    from pairsmith.dataset import Projection, stored_arms
    from pairsmith.export.split import parts

    share, together = what.export.validation, what.export.together
    return Projection(
        settings=what.export,
        replacement=replacement_text(what.export),
        arms=stored_arms(ledger, digest),
        qualified={name: known.ruling.verdict if known else None for name, known in judges.items()},
        pair=what.pair.model_dump(mode="json", exclude_defaults=True),
        parts=parts(ledger.prompts(), share, together) if share else None,
    )


def write_dataset(
    texts: Texts,
    outcomes: Iterable[tuple[Prompt, Settled]],
    projection: Projection,
    out: Path,
    limit: int | None = None,
) -> Exported:
    """Write pairs (the first `limit` of them) and their provenance beside them, each file all at once.

    Where there is a validation part, it goes into files of its own.

    Raises:
        UserError: a file cannot be written.
    """
    from pairsmith.dataset import Sink, write_pairs
    from pairsmith.export.split import TRAIN, VALIDATION

    places = {TRAIN: out} if projection.parts is None else {TRAIN: out, VALIDATION: validation_path(out)}
    try:
        with contextlib.ExitStack() as files:
            sinks = {
                part: Sink(
                    files.enter_context(written_whole(place)),
                    files.enter_context(written_whole(provenance_path(place))),
                )
                for part, place in places.items()
            }
            return write_pairs(texts, outcomes, projection, sinks, limit)
    except OSError as exc:
        raise UserError(f"{out} cannot be written ({exc.strerror}): name another file with --out") from exc


def left_out_notes(exported: Exported, settings: ExportSettings) -> list[str]:
    """Which settled pairs are not in the file, and why."""
    why = {"personas_differ": 'the system prompts of the two sides differ, and export.system = "keep" keeps one'}
    return [
        f"{n:,} pairs left out of the file: {reason} ({why.get(reason, f'target {settings.target}')})"
        for reason, n in exported.left_out.items()
    ]


def provenance_path(out: Path) -> Path:
    """`pairs.provenance.jsonl` beside `pairs.jsonl`."""
    return out.with_name(f"{out.stem}.provenance{out.suffix or '.jsonl'}")


def validation_path(out: Path) -> Path:
    """`pairs.validation.jsonl` beside `pairs.jsonl`."""
    return out.with_name(f"{out.stem}.validation{out.suffix or '.jsonl'}")


def written_text(out: Path, exported: Exported, settings: ExportSettings) -> list[str]:
    """Which files were written, for people."""
    lines = [f"{relative(out)}: {exported.rows - exported.validation:,} rows for {settings.target}"]
    if settings.validation:
        lines.append(f"{relative(validation_path(out))}: {exported.validation:,} rows to validate with")
    elif validation_path(out).exists():
        lines.append(
            f"{relative(validation_path(out))} is from an earlier export: its rows stand in the first file too"
        )
    return [*lines, f"{relative(provenance_path(out))}: where each row comes from"]


def replacement_text(settings: ExportSettings) -> str | None:
    """The text that takes the persona's place; None when no file is named for it.

    Raises:
        UserError: it cannot be read.
    """
    if settings.system in ("strip", "keep"):
        return None
    path = Path(settings.system)
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as exc:
        raise UserError(f"[export] system: {path} cannot be read ({exc}); it takes strip, keep or a file") from None


def show(result: dict[str, Any], as_json: bool, text: Callable[[], str]) -> None:
    """The result on stdout, for programs or for people."""
    print(orjson.dumps(result).decode() if as_json else text())


def say(sentence: str) -> None:
    """A message on stderr."""
    print(f"pairsmith: {sentence}", file=sys.stderr)


def counts_json(counts: Counts) -> dict[str, Any]:
    """The state of a run, as `--json` says it."""
    return {
        "prompts": counts.prompts,
        "duplicates": counts.duplicates,
        "skipped": counts.skipped,
        "excluded": counts.excluded,
        "completions": counts.completions,
        "verdicts": counts.verdicts,
        "pairs": counts.pairs,
        "settled": counts.settled,
        "abstained": counts.abstained,
        "failed": counts.failed,
        "not_reached": counts.not_reached,
    }


def counts_text(counts: Counts) -> list[str]:
    """The state of a run in a few lines."""
    prompts = f"{counts.prompts:,} prompts"
    besides = ((counts.duplicates, "duplicates"), (counts.skipped, "bad rows"), (counts.excluded, "excluded"))
    extra = [f"{n:,} {word}" for n, word in besides if n]
    lines = [f"{prompts}{' (besides ' + ', '.join(extra) + ')' if extra else ''}"]
    share = f" ({counts.settled / counts.prompts:.0%})" if counts.prompts else ""
    several = f" of {counts.settled:,} prompts" if counts.pairs != counts.settled else ""
    lines.append(f"  pairs        {counts.pairs:,}{several}{share}")
    for label, reasons in (("abstained", counts.abstained), ("failed", counts.failed)):
        why = ", ".join(f"{reason} {n:,}" for reason, n in sorted(reasons.items(), key=lambda kv: -kv[1]))
        if reasons:
            lines.append(f"  {label:<12} {sum(reasons.values()):,} ({why})")
    if counts.not_reached:
        lines.append(f"  not reached  {counts.not_reached:,}")
    lines.append(f"  from         {counts.completions:,} completions, {counts.verdicts:,} verdicts")
    return lines


def usd(cost: float | None) -> str:
    """A cost for people; None is a price that the recipe does not give."""
    return "unknown (no price in the recipe)" if cost is None else f"${cost:,.4f}" if cost < 1 else f"${cost:,.2f}"


def relative(path: Path) -> str:
    """The path as the user would type it."""
    with contextlib.suppress(ValueError):
        return str(path.resolve().relative_to(Path.cwd()))
    return str(path)


def environment() -> dict[str, str]:
    """The environment's variables."""
    return dict(os.environ)
