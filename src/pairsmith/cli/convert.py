"""`pairsmith convert`: public preference datasets and the formats of trainers, into the rows of any target."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import click
import orjson

from pairsmith.cli.common import TARGETS, collect_seldom, json_option, relative, say
from pairsmith.errors import UserError
from pairsmith.folder import written_whole

if TYPE_CHECKING:
    from pairsmith.converting.convert import Counts, Detected
    from pairsmith.converting.opened import Named


@click.command("convert")
@click.argument("file")
@click.option("-o", "--out", required=True, metavar="FILE", help='Where the rows go; "-": standard output.')
@click.option("--target", type=click.Choice(TARGETS), default="openai", show_default=True, help="Whose rows.")
@click.option("--map", "words", multiple=True, metavar="FIELD=COLUMN", help="Where a field stands; may be repeated.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Read the first N rows only.")
@click.option("--config", metavar="NAME", help="Which config of a dataset.  [default: the one its card marks]")
@click.option("--split", metavar="NAME", help="Which split of a dataset.  [default: train]")
@json_option
def command(
    file: str,
    out: str,
    target: str,
    words: tuple[str, ...],
    limit: int | None,
    config: str | None,
    split: str | None,
    as_json: bool,
) -> int:
    """Convert the pairs of FILE: a file, a dataset folder, or owner/name of the Hugging Face Hub.

    The shape of its rows is detected, and said. Files are .json, .jsonl, .csv, .tsv, .parquet or .arrow, each also
    as .gz, .zst or .bz2; "-" is standard input. Exits 1 if no pair comes out: then nothing is written.
    """
    from pairsmith.cli.run import standard_input
    from pairsmith.converting.convert import Counts, converted, detected, first_rows
    from pairsmith.converting.files import rows_of_files
    from pairsmith.converting.opened import named
    from pairsmith.export.containers import WRITERS
    from pairsmith.export.mapped import mapping_of
    from pairsmith.export.targets import TARGETS as KNOWN

    collect_seldom()
    mapping = mapping_of(words)
    container = KNOWN[target].layout.container
    _check_name(file, out, target)
    what = named(file, config, split, standard_input)
    _say_part(file, what)
    first, rows = first_rows(islice(rows_of_files(what.sources), limit))
    found = detected(first, mapping, file)
    _say_shapes(found)
    counts = Counts()
    with contextlib.suppress(_Nothing), _writing(out) as stream:
        writer = WRITERS[container](stream)
        converted(rows, found, target, counts, writer.write)
        writer.close()
        if not counts.written:
            raise _Nothing
    notes = [_checked(out, target)] if counts.written and out != "-" else []
    _show(file, out, target, found, counts, notes, as_json)
    return 0 if counts.written else 1


class _Nothing(Exception):  # noqa: N818  # leaves the file that was there as it was
    """No pair came out."""


@contextlib.contextmanager
def _writing(out: str) -> Iterator[BinaryIO]:
    if out == "-":
        yield cast(BinaryIO, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    try:
        with written_whole(Path(out)) as stream:
            yield stream
    except OSError as exc:
        raise UserError(f"{out} cannot be written ({exc.strerror}): name another file with -o") from exc


def _check_name(file: str, out: str, target: str) -> None:
    """Raises UserError where the output's name says another container than the target's, or is the file's own."""
    from pairsmith.export.containers import SUFFIXES
    from pairsmith.export.targets import TARGETS as KNOWN
    from pairsmith.streams import COMPRESSED

    if "-" not in (file, out) and Path(file).resolve() == Path(out).resolve():
        raise UserError(f"{out} is the file itself: name another one with -o")
    suffix = SUFFIXES[KNOWN[target].layout.container]
    if Path(out).suffix in {*SUFFIXES.values(), *COMPRESSED} - {suffix}:
        raise UserError(f"target {target} writes {suffix}, not {Path(out).suffix}: name a {suffix} file")


def _say_part(file: str, what: Named) -> None:
    if what.part is not None:
        config = f"config {what.part.config}, " if what.part.config else ""
        split = f"split {what.part.split}, " if what.part.split else ""
        count = len(what.sources)
        say(f"{file}: {config}{split}{count:,} file{'s' if count != 1 else ''}")


def _say_shapes(found: Detected) -> None:
    say(f"detected {found.main.name}: {', '.join(found.columns)} (known from {found.main.known_from})")
    others = [shape.name for shape in found.shapes if shape is not found.main]
    if others:
        say(f"some of the first rows are {', '.join(others)}: each row is read by its own shape")


def _checked(out: str, target: str) -> str:
    """What `check` says about the file, in one line."""
    from pairsmith.export.check import Options, check
    from pairsmith.export.containers import lines_of
    from pairsmith.export.problems import Summary
    from pairsmith.export.targets import TARGETS as KNOWN

    summary = Summary()
    with Path(out).open("rb") as stream:
        lines = lines_of(stream, KNOWN[target].layout.container)
        problems = check(lines, target, summary, Options(Path(out).name))
        first = None
        for problem in problems:
            if first is None or (problem.severity == "error" and first.severity != "error"):
                first = problem
    warned = f"{summary.warnings:,} warning{'s' * (summary.warnings != 1)}" if summary.warnings else ""
    counted = ", ".join(
        filter(
            None, [f"{summary.errors:,} problem{'s' * (summary.errors != 1)}" if summary.errors else "ready", warned]
        )
    )
    return f"check for {target}: {counted}{f'; first: {first}' if first else ''}"


def _show(file: str, out: str, target: str, found: Detected, counts: Counts, notes: list[str], as_json: bool) -> None:
    to = sys.stderr if out == "-" else sys.stdout
    for note in [*_dropped(counts), *notes]:
        say(note)
    if as_json:
        result: dict[str, Any] = {
            "file": file,
            "out": out,
            "target": target,
            "shape": found.main.name,
            "shapes": dict(counts.shapes),
            "columns": list(found.columns),
            "rows": counts.rows,
            "written": counts.written,
            "dropped": dict(counts.dropped),
            "first_lines": counts.first_lines,
        }
        print(orjson.dumps(result).decode(), file=to)
        return
    dropped = ", ".join(f"{reason} {n:,}" for reason, n in counts.dropped.most_common())
    place = "standard output" if out == "-" else relative(Path(out))
    lines = [f"{place}: {counts.written:,} rows for {target}"] if counts.written else ["no pair came out"]
    lines.append(f"  of {counts.rows:,} rows read{f'; dropped {dropped}' if dropped else ''}")
    print("\n".join(lines), file=to)


def _dropped(counts: Counts) -> Iterator[str]:
    """Why rows were dropped, with the first of each reason."""
    for reason, places in counts.first_lines.items():
        why = f" ({counts.why[reason]})" if counts.why[reason] else ""
        more = counts.dropped[reason] - len(places)
        rows = f"{', '.join(map(str, places))}{f' and {more:,} more' if more else ''}"
        yield f"{counts.dropped[reason]:,} dropped, {reason}{why}: row {rows}"
