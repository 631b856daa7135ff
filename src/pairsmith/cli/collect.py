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
from pairsmith.cli.sifted import Sift, sift_of, sift_options
from pairsmith.errors import InputError, UserError
from pairsmith.folder import written_whole

if TYPE_CHECKING:
    from pairsmith.collect import Row
    from pairsmith.ledger import Ledger
    from pairsmith.records import Prompt
    from pairsmith.redacting import Redactor

CHUNK = 1024  # rows taken at a time
SHOWN = 10  # bad rows named with --skip-bad


@dataclass(slots=True)
class Taken:
    """What the sources came to."""

    rows: int = 0
    prompts: int = 0
    duplicates: int = 0
    near_duplicates: int = 0
    contaminated: int = 0
    bad: int = 0
    with_candidates: int = 0
    with_verdicts: int = 0


@click.command("collect")
@click.argument("sources", nargs=-1, required=True)
@click.option("-o", "--out", required=True, metavar="FILE", help='Where they go; "-": standard output.')
@click.option("--redact", metavar="KINDS", help="Take these out of every text: email,phone,key.")
@click.option("--region", metavar="CC", help="Of phone numbers without a country code, such as DE.")
@sift_options
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
    **flags: Any,
) -> int:
    """Write what a run would take from SOURCES: prompt files, read in this order, equal prompts united.

    "-" is standard input. Answers and verdicts that rows bring along are kept; see docs/given.md.
    """
    from pairsmith.ledger import open_ledger
    from pairsmith.redacting import Redactor

    redactor = Redactor([kind.strip() for kind in redact.split(",")], region) if redact else None
    sift = sift_of(sources, limit, flags)
    taken = Taken()
    with tempfile.TemporaryDirectory(prefix="pairsmith-") as folder, contextlib.ExitStack() as files:
        ledger = open_ledger(Path(folder) / "ledger.sqlite3", time.time, create=True)
        files.callback(ledger.close_now)
        bad = _Bad(skip_bad, taken)
        asyncio.run(_take_in(_rows(sources, files, taken, bad), redactor, sift, ledger, bad))
        if not ledger.input_size():
            raise InputError(f"{', '.join(sources)}: {sift.why_none}")
        taken.near_duplicates, taken.contaminated = ledger.near_duplicate_count(), sift.contaminated
        with _writing(out) as to:
            for prompt in ledger.prompts():
                _write(prompt, to, taken)
        lists = sift.list_left_out(ledger, out)
    _say(taken, redactor, out, lists, as_json)
    return 0


@dataclass(frozen=True, slots=True)
class _Bad:
    """What a bad row means: the end, or, where they are skipped, one more of them."""

    skipped: bool
    taken: Taken

    def __call__(self, sentence: str) -> None:
        """Raises InputError, or counts it and says the first few."""
        if not self.skipped:
            raise InputError(sentence)
        self.taken.bad += 1
        if self.taken.bad <= SHOWN:
            say(sentence)


def _rows(sources: Sequence[str], files: contextlib.ExitStack, taken: Taken, bad: _Bad) -> Iterator[tuple[str, Row]]:
    """The good rows of all files, each with its file's name."""
    from pairsmith.cli.run import standard_input
    from pairsmith.collect import BadRow, read_prompts
    from pairsmith.running.sources import opened_sources

    for source in opened_sources(sources, None, files, standard_input):
        for row in read_prompts(source.stream, source.name, source.format):
            taken.rows += 1
            if isinstance(row, BadRow):
                bad(str(row))
            else:
                yield source.name, row


async def _take_in(
    rows: Iterator[tuple[str, Row]], redactor: Redactor | None, sift: Sift, ledger: Ledger, bad: _Bad
) -> None:
    """Equal prompts as one, as a run unites them: by a ledger, so that memory does not grow with the input.

    No row is read behind the one that brings the last prompt that is wanted, unless near-duplicates are looked for.
    """
    from itertools import islice

    from pairsmith import collect

    await ledger.new_generation()
    limit, size = sift.read_limit, 0
    while chunk := list(islice(rows, CHUNK if limit is None else min(CHUNK, limit - size))):
        chunk = await sift.clean(chunk, redactor, ledger)
        prompts = [redactor.prompt(row.prompt) if redactor else row.prompt for _, row in chunk]
        came = await ledger.add_prompts(prompts, collect.unite_equal, sift.equal_id)
        for name, row in (chunk[place] for place in came.clashes):
            where = "standard input" if name == "-" else name
            known = "its own id, which" if redactor else f"{row.prompt.source_id}, which"
            bad(
                f'{where}, line {row.line}, field "id": is {known} an earlier, different prompt has; change one of them'
            )
        bad.taken.duplicates += came.duplicates
        size += came.added
    await sift.leave_near_out(ledger)
    await ledger.input_complete(bad.taken.duplicates, bad.taken.bad)
    await ledger.flush()


@contextlib.contextmanager
def _writing(out: str) -> Iterator[BinaryIO]:
    """Standard output, or a file that is there when all of it is written.

    Raises:
        UserError: it cannot be written.
    """
    if out == "-":
        yield cast(BinaryIO, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    try:
        with written_whole(Path(out)) as file:
            yield file
    except OSError as exc:
        raise UserError(f"{out} cannot be written ({exc.strerror}): name another file with -o") from exc


def _write(prompt: Prompt, to: BinaryIO, taken: Taken) -> None:
    from pairsmith.collect.written import row_of

    taken.prompts += 1
    taken.with_candidates += bool(prompt.candidates)
    taken.with_verdicts += bool(prompt.preferences)
    to.write(orjson.dumps(row_of(prompt), option=orjson.OPT_APPEND_NEWLINE))


def _say(taken: Taken, redactor: Redactor | None, out: str, lists: Sequence[Path], as_json: bool) -> None:
    redacted = dict(redactor.counts) if redactor else {}
    stream = sys.stderr if out == "-" else sys.stdout
    if as_json:
        result: dict[str, Any] = {
            "out": out,
            "rows": taken.rows,
            "prompts": taken.prompts,
            "duplicates": taken.duplicates,
            "near_duplicates": taken.near_duplicates,
            "contaminated": taken.contaminated,
            "skipped": taken.bad,
            "with_candidates": taken.with_candidates,
            "with_verdicts": taken.with_verdicts,
            "redacted": redacted,
            "lost_verdicts": redactor.lost_verdicts if redactor else 0,
            "left_out": [str(path) for path in lists],
        }
        print(orjson.dumps(result).decode(), file=stream)
        return
    counted = {
        "duplicates": taken.duplicates,
        "near-duplicates": taken.near_duplicates,
        "bad rows": taken.bad,
        "contaminated": taken.contaminated,
    }
    besides = ", ".join(f"{n:,} {what}" for what, n in counted.items() if n)
    lines = [f"{taken.prompts:,} prompts of {taken.rows:,} rows{f' (besides {besides})' if besides else ''}"]
    if taken.with_candidates:
        lines.append(f"  with answers   {taken.with_candidates:,}")
    if taken.with_verdicts:
        lines.append(f"  with verdicts  {taken.with_verdicts:,}, of people")
    if redacted:
        lines.append(f"  redacted       {', '.join(f'{kind} {n:,}' for kind, n in redacted.items())}")
    if redactor and redactor.lost_verdicts:
        lines.append(
            f"  lost verdicts  {redactor.lost_verdicts:,}, as their answers differed only in what was redacted"
        )
    lines += [f"{relative(Path(out))}"] if out != "-" else []
    lines += [f"{relative(path)}: what was left out, beside what it is like" for path in lists]
    print("\n".join(lines), file=stream)
