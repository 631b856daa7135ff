"""`pairsmith collect`: what would be taken from prompt files, as one clean JSONL; logs without what is private."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import click
import orjson

from pairsmith.cli.common import json_option, relative, say
from pairsmith.errors import InputError, UserError
from pairsmith.folder import written_whole

if TYPE_CHECKING:
    from pairsmith.collect import Row
    from pairsmith.ledger import Ledger
    from pairsmith.records import Prompt
    from pairsmith.redacting import Redactor

CHUNK = 256  # rows taken at a time
SHOWN = 10  # bad rows named with --skip-bad


@dataclass(slots=True)
class Taken:
    """What the sources came to."""

    rows: int = 0
    prompts: int = 0
    duplicates: int = 0
    bad: int = 0
    with_candidates: int = 0
    with_verdicts: int = 0


@click.command("collect")
@click.argument("sources", nargs=-1, required=True)
@click.option("-o", "--out", required=True, metavar="FILE", help='Where they go; "-": standard output.')
@click.option("--redact", metavar="KINDS", help="Take these out of every text: email,phone,key.")
@click.option("--region", metavar="CC", help="Of phone numbers without a country code, such as DE.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Take the first N prompts only.")
@click.option("--skip-bad", is_flag=True, help="Go on after bad rows, and count them.")
@json_option
def command(
    sources: tuple[str, ...],
    out: str,
    redact: str | None,
    region: str | None,
    limit: int | None,
    skip_bad: bool,
    as_json: bool,
) -> int:
    """Write what a run would take from SOURCES: prompt files, read in this order, equal prompts united.

    "-" is standard input. Answers and verdicts that rows bring along are kept; see docs/given.md.
    """
    from pairsmith.redacting import Redactor

    redactor = Redactor([kind.strip() for kind in redact.split(",")], region) if redact else None
    taken = Taken()
    with tempfile.TemporaryDirectory(prefix="pairsmith-") as folder, contextlib.ExitStack() as files:
        prompts = asyncio.run(
            _united(_rows(sources, files, taken, skip_bad), redactor, limit, skip_bad, Path(folder), taken)
        )
        to = _out(out, files)
        for prompt in prompts:
            _write(prompt, to, taken)
    if not taken.prompts:
        raise InputError(f"{', '.join(sources)}: no prompts in it; write one a line")
    _say(taken, redactor, out, as_json)
    return 0


def _rows(sources: Sequence[str], files: contextlib.ExitStack, taken: Taken, skip_bad: bool) -> Iterator[Row]:
    """The good rows of all files.

    Raises:
        InputError: a file cannot be read, or a row is bad and none are skipped.
    """
    from pairsmith.cli.run import standard_input
    from pairsmith.collect import BadRow, read_prompts
    from pairsmith.running.sources import opened_sources

    for source in opened_sources(sources, None, files, standard_input):
        for row in read_prompts(source.stream, source.name, source.format):
            taken.rows += 1
            if not isinstance(row, BadRow):
                yield row
                continue
            if not skip_bad:
                raise InputError(str(row))
            taken.bad += 1
            if taken.bad <= SHOWN:
                say(str(row))


async def _united(
    rows: Iterator[Row], redactor: Redactor | None, limit: int | None, skip_bad: bool, folder: Path, taken: Taken
) -> Iterator[Prompt]:
    """Equal prompts as one, as a run unites them: by a ledger, so that memory does not grow with the input."""
    from itertools import islice

    from pairsmith import collect
    from pairsmith.ledger import open_ledger

    ledger = open_ledger(folder / "ledger.sqlite3", time.time, create=True)
    await ledger.new_generation()
    while chunk := list(islice(rows, CHUNK)):
        prompts = [redactor.prompt(row.prompt) if redactor else row.prompt for row in chunk]
        came = await ledger.add_prompts(prompts, collect.unite)
        taken.duplicates += came.duplicates
        if came.clashes and not skip_bad:
            row = chunk[came.clashes[0]]
            raise InputError(
                f"line {row.line}: id {row.prompt.source_id} is an earlier, different prompt's; change one"
            )
        taken.bad += len(came.clashes)
        if limit is not None and ledger.input_size() >= limit:
            break
    await ledger.input_complete(taken.duplicates, taken.bad)
    await ledger.flush()
    return _all(ledger, limit)


def _all(ledger: Ledger, limit: int | None) -> Iterator[Prompt]:
    try:
        for place, prompt in enumerate(ledger.prompts()):
            if place == limit:
                break
            yield prompt
    finally:
        ledger.close_now()


def _out(out: str, files: contextlib.ExitStack) -> BinaryIO:
    if out == "-":
        return cast(BinaryIO, sys.stdout.buffer)
    try:
        return files.enter_context(written_whole(Path(out)))
    except OSError as exc:
        raise UserError(f"{out} cannot be written ({exc.strerror}): name another file with -o") from exc


def _write(prompt: Prompt, to: BinaryIO, taken: Taken) -> None:
    from pairsmith.collect.written import row_of

    taken.prompts += 1
    taken.with_candidates += bool(prompt.candidates)
    taken.with_verdicts += bool(prompt.preferences)
    to.write(orjson.dumps(row_of(prompt), option=orjson.OPT_APPEND_NEWLINE))


def _say(taken: Taken, redactor: Redactor | None, out: str, as_json: bool) -> None:
    redacted = dict(redactor.counts) if redactor else {}
    stream = sys.stderr if out == "-" else sys.stdout
    if as_json:
        result: dict[str, Any] = {
            "out": out,
            "rows": taken.rows,
            "prompts": taken.prompts,
            "duplicates": taken.duplicates,
            "skipped": taken.bad,
            "with_candidates": taken.with_candidates,
            "with_verdicts": taken.with_verdicts,
            "redacted": redacted,
        }
        print(orjson.dumps(result).decode(), file=stream)
        return
    besides = ", ".join(f"{n:,} {what}" for n, what in ((taken.duplicates, "duplicates"), (taken.bad, "bad rows")) if n)
    lines = [f"{taken.prompts:,} prompts of {taken.rows:,} rows{f' (besides {besides})' if besides else ''}"]
    if taken.with_candidates:
        lines.append(f"  with answers   {taken.with_candidates:,}")
    if taken.with_verdicts:
        lines.append(f"  with verdicts  {taken.with_verdicts:,}, of people")
    if redacted:
        lines.append(f"  redacted       {', '.join(f'{kind} {n:,}' for kind, n in redacted.items())}")
    lines += [f"{relative(Path(out))}"] if out != "-" else []
    print("\n".join(lines), file=stream)
