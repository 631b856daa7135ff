"""The dataset of a run as files: the pairs, their provenance beside them, and what is to be said of the two."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pairsmith.errors import UserError
from pairsmith.folder import RunFolder, written_whole
from pairsmith.running.named import relative

if TYPE_CHECKING:
    from pairsmith.dataset import Exported, Projection, Texts
    from pairsmith.export.settings import ExportSettings
    from pairsmith.ledger import Ledger, Settled
    from pairsmith.qualified import Qualification
    from pairsmith.recipe import Recipe
    from pairsmith.records import EndpointName, Json, Prompt

FILES = {  # keys of [pair] and [export] whose values may be files, and the flags that name these
    "strategy": "--strategy ",
    "tokenizer": "--set pair.tokenizer=",
    "system": "--system ",
}
PROVENANCE = "provenance"  # the folder of a dataset folder that holds it
PROBLEMS_SAID = 5  # of a file


def projection_of(
    what: Recipe,
    ledger: Ledger,
    digest: str,
    judges: Mapping[EndpointName, Qualification | None],
    reviews_through: int | None = None,
) -> Projection:
    """How the pairs of a run become rows by this recipe's [export] table.

    Args:
        what: the recipe.
        ledger: the run folder's.
        digest: of the work whose outcomes are written.
        judges: how they did when they were asked what is known.
        reviews_through: as if the log of people's reviews were so long; None: all of it.

    Raises:
        UserError: the text that replaces the persona cannot be read.
    """
    from pairsmith.dataset import Projection, sampled_by, stored_arms
    from pairsmith.export.split import parts
    from pairsmith.reviewing import reviewing_in

    share, together = what.export.validation, what.export.together
    return Projection(
        settings=what.export,
        replacement=replacement_text(what.export),
        arms=stored_arms(ledger, digest),
        qualified={name: known.ruling.verdict if known else None for name, known in judges.items()},
        pair=without_folders(what.pair.model_dump(mode="json", exclude_defaults=True)),
        export=without_folders(what.export.model_dump(mode="json", exclude_defaults=True, exclude={"path"})),
        parts=parts(ledger.prompts(), share, together, _left_out(ledger)) if share else None,
        reviewing=reviewing_in(ledger, what, sampled_by(ledger, digest), reviews_through),
    )


def _left_out(ledger: Ledger) -> Iterator[Prompt]:
    return (one.prompt for one in ledger.near_duplicates())


def without_folders(table: Mapping[str, Json]) -> dict[str, Json]:
    """A table of the recipe as a dataset tells it: files by their names, not by where they stand on this machine."""
    return {key: Path(value).name if key in FILES and isinstance(value, str) else value for key, value in table.items()}


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
        UserError: a file cannot be written, or its name is not one for the target.
    """
    from pairsmith.dataset import Sink, write_pairs
    from pairsmith.export.containers import WRITERS
    from pairsmith.export.split import TRAIN, VALIDATION
    from pairsmith.export.targets import TARGETS

    container = TARGETS[projection.settings.target].layout.container
    _fitting(out, projection.settings.target)
    places = {TRAIN: out} if projection.parts is None else {TRAIN: out, VALIDATION: validation_path(out)}
    try:
        with contextlib.ExitStack() as files:
            sinks = {
                part: Sink(
                    WRITERS[container](files.enter_context(written_whole(place))),
                    files.enter_context(written_whole(provenance_path(place))),
                )
                for part, place in places.items()
            }
            exported = write_pairs(texts, outcomes, projection, sinks, limit)
        write_companion(projection.settings.target, out, places.get(VALIDATION))
        return exported
    except OSError as exc:
        raise UserError(f"{out} cannot be written ({exc.strerror}): name another file with --out") from exc


def write_companion(target: str, out: Path, validation: Path | None) -> None:
    """Write what a trainer's configuration says of the dataset beside it, where the target has such a file."""
    from pairsmith.export.companions import COMPANIONS

    if target in COMPANIONS:
        companion = COMPANIONS[target](out.name, validation.name if validation else None)
        path = out.with_name(companion.name)
        today = path.read_text(encoding="utf-8") if path.exists() else ""
        with written_whole(path) as file:
            file.write(companion.text(today).encode())


def out_of(out: Path | None, folder: RunFolder, settings: ExportSettings) -> Path:
    """Where the pairs go: the file that a flag names, the recipe's, or pairs.jsonl in the run folder.

    Raises:
        UserError: its name is not one for the target.
    """
    return _fitting(out or (Path(settings.path) if settings.path else default_out(folder, settings)), settings.target)


def default_out(folder: RunFolder, settings: ExportSettings) -> Path:
    """Where the pairs go when no file is named; tables have their own suffix."""
    from pairsmith.export.containers import SUFFIXES
    from pairsmith.export.targets import TARGETS

    return folder.pairs.with_suffix(SUFFIXES[TARGETS[settings.target].layout.container])


def _fitting(out: Path, target: str) -> Path:
    from pairsmith.export.containers import SUFFIXES
    from pairsmith.export.targets import TARGETS

    suffix = SUFFIXES[TARGETS[target].layout.container]
    if out.suffix in SUFFIXES.values() and out.suffix != suffix:
        raise UserError(f"target {target} writes {suffix}, not {out.suffix}: name a {suffix} file")
    return out


def left_out_notes(exported: Exported, settings: ExportSettings) -> list[str]:
    """Which settled pairs are not in the file, and why."""
    from pairsmith.export.rules import RULES
    from pairsmith.reviewing import LEFT_OUT

    why = {"personas_differ": 'the system prompts of the two sides differ, and export.system = "keep" keeps one'}
    why |= LEFT_OUT
    why |= {name: f"target {settings.target}: {rule.holds}" for name, rule in RULES.items()}
    return [
        f"{many_pairs(n)} left out of the file: {reason} ({why[reason]})" for reason, n in exported.left_out.items()
    ]


def many_pairs(count: int) -> str:
    """Such as "1 pair", "2 pairs"."""
    return "1 pair" if count == 1 else f"{count:,} pairs"


def dataset_notes(exported: Exported, out: Path, settings: ExportSettings, shown: str) -> list[str]:
    """What `check` says about the file that was written, and which pairs the target could not take.

    `shown`: the file as messages name it.
    """
    from pairsmith.export.check import Options, check
    from pairsmith.export.containers import lines_of
    from pairsmith.export.targets import TARGETS

    notes = left_out_notes(exported, settings)
    if not out.exists():
        return notes
    container = TARGETS[settings.target].layout.container
    with out.open("rb") as file:
        problems = check(lines_of(file, container, shown), settings.target, options=Options(out.name))
        found = [p for p in problems if p.line == 0 or p.severity == "error"]
    said = [str(p) for p in found if p.rule != "longer_wins"]  # the bias card says it, over all pairs
    return notes + [f"{shown}: {problem}" for problem in said[:PROBLEMS_SAID]]


def provenance_path(out: Path) -> Path:
    """`pairs.provenance.jsonl` beside `pairs.jsonl`; `pairs.csv.provenance.jsonl` beside `pairs.csv`."""
    if out.suffix in (".csv", ".parquet"):
        return out.with_name(f"{out.name}.provenance.jsonl")
    return out.with_name(f"{out.stem}.provenance{out.suffix or '.jsonl'}")


def found_provenance(file: Path) -> Path:
    """The provenance of a file that was written earlier: in a dataset folder in a folder of its own, else beside it."""
    apart = file.absolute().parents[1] / PROVENANCE / file.parent.absolute().name / f"{file.stem}.jsonl"
    beside = provenance_path(file)
    return apart if apart.exists() and not beside.exists() else beside


def validation_path(out: Path) -> Path:
    """`pairs.validation.jsonl` beside `pairs.jsonl`."""
    return out.with_name(f"{out.stem}.validation{out.suffix or '.jsonl'}")


def written_text(out: Path, exported: Exported, settings: ExportSettings) -> list[str]:
    """Which files were written, for people."""
    from pairsmith.export.companions import COMPANIONS
    from pairsmith.export.targets import TARGETS

    lines = [f"{relative(out)}: {exported.rows - exported.validation:,} rows for {settings.target}"]
    if settings.validation:
        taken = TARGETS[settings.target].validation
        said = f"{exported.validation:,} rows to validate with{f' ({taken})' if taken else ''}"
        lines.append(f"{relative(validation_path(out))}: {said}")
    elif validation_path(out).exists():
        lines.append(
            f"{relative(validation_path(out))} is from an earlier export: its rows stand in the first file too"
        )
    lines.append(f"{relative(provenance_path(out))}: where each row comes from")
    if settings.target in COMPANIONS:
        companion = out.with_name(COMPANIONS[settings.target](out.name, None).name)
        lines.append(f"{relative(companion)}: what its trainer is told of the file")
    return lines


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
