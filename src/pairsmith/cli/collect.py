"""`pairsmith collect`: what would be taken from prompt files, as one clean JSONL; logs without what is private."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import click
import orjson

from pairsmith.cli.common import collect_seldom, json_option, relative, say
from pairsmith.cli.sifted import SIFTING, Sift, sift_of, sift_options
from pairsmith.errors import InputError, UserError
from pairsmith.folder import written_whole

if TYPE_CHECKING:
    from pairsmith.cli.collected import Taken
    from pairsmith.collect import Row
    from pairsmith.ledger import Collected, Ledger
    from pairsmith.records import Prompt, PromptId
    from pairsmith.redacting import Redactor
    from pairsmith.running.sources import Input

CHUNK = 1024  # rows taken at a time
SHOWN = 10  # bad rows named with --skip-bad
FORMATS = ("text", "csv", "tsv", "jsonl", "json", "parquet", "arrow", "xlsx")


@click.command("collect")
@click.argument("sources", nargs=-1, required=True)
@click.option("-o", "--out", metavar="FILE", help='Where they go; "-": standard output.  [default: only counted]')
@click.option("--format", type=click.Choice(FORMATS), help="What the files hold.  [default: told by their names]")
@click.option("--column", metavar="NAME", help="The key or column that holds the prompt.")
@click.option("--where", metavar="EXPR", help="Take only rows of which it holds: \"language == 'de' and score > 3\".")
@click.option("--shuffle", is_flag=True, help="In an order drawn by --seed; with --limit: a sample.")
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Of --shuffle.  [default: 0]")
@click.option("--weights", metavar="W,W…", help="Interleave the sources in this proportion: 3,1.")
@click.option("--config", metavar="NAME", help="Which config of a dataset.  [default: the one its card marks]")
@click.option("--split", metavar="NAME", help="Which split of a dataset.  [default: train]")
@click.option("--redact", metavar="KINDS", help="Take these out of every text: email,phone,key.")
@click.option("--region", metavar="CC", help="Of phone numbers without a country code, such as DE.")
@sift_options
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Take the first N prompts only.")
@click.option("--skip-bad", is_flag=True, help="Go on after bad rows, and count them.")
@json_option
def command(
    sources: tuple[str, ...],
    out: str | None,
    redact: str | None,
    region: str | None,
    as_json: bool,
    **fields: Any,
) -> int:
    """Write what a run would take from SOURCES, read in this order, equal prompts united, and say what it is like.

    SOURCES are prompt files, globs, folders, datasets (a folder, or hf://owner/name), and "-" for standard input; see
    docs/prompts.md. Answers and verdicts that rows bring along are kept; see docs/given.md.
    """
    from pairsmith.cli.collected import Taken
    from pairsmith.cli.run import standard_input
    from pairsmith.collect.traits import Traits
    from pairsmith.ledger import open_ledger
    from pairsmith.redacting import Redactor
    from pairsmith.running.sources import input_of, prompt_settings

    collect_seldom()
    redactor = Redactor([kind.strip() for kind in redact.split(",")], region) if redact else None
    fields["weights"] = _numbers(fields["weights"])
    sifting = {key: fields.pop(key) for key in SIFTING}
    what = input_of(prompt_settings(path=list(sources), **fields), standard_input, say)
    sift = sift_of(sources, what.settings.limit, sifting)
    taken = Taken(Traits(), {name: Counter() for name in what.files})
    with tempfile.TemporaryDirectory(prefix="pairsmith-") as folder, contextlib.ExitStack() as files:
        ledger = open_ledger(Path(folder) / "ledger.sqlite3", time.time, create=True)
        files.callback(ledger.close_now)
        asyncio.run(_Taking(what, redactor, sift, ledger, taken).all())
        if not ledger.input_size():
            raise InputError(f"{what.name}: {sift.why_none}")
        with _writing(out) as to:
            for prompt in ledger.prompts():
                _write(prompt, to, taken)
        lists = sift.list_left_out(ledger, out)
    _say(taken, redactor, out, lists, as_json)
    return 0


def _numbers(words: str | None) -> list[float] | None:
    """Numbers with commas between them.

    Raises:
        InputError: one is none.
    """
    try:
        return None if words is None else [float(word) for word in words.split(",")]
    except ValueError:
        raise InputError(f"--weights {words}: write a number for each source, such as 3,1") from None


@dataclass(frozen=True, slots=True)
class _Taking:
    """Rows into a ledger, which unites equal prompts as a run does, so that memory does not grow with the input."""

    what: Input
    redactor: Redactor | None
    sift: Sift
    ledger: Ledger
    taken: Taken
    places: dict[PromptId, Row] = field(default_factory=dict)  # where near-duplicates are looked for: who stands where

    async def all(self) -> None:
        """Take all rows, or up to the one that brings the last prompt that is wanted: none is read behind it.

        Where near-duplicates are looked for, all are read, and which prompts are taken shows at the end.
        """
        from pairsmith import collect

        await self.ledger.new_generation()
        limit, size = self.sift.read_limit, 0
        rows = self._good()
        chunk = list(islice(rows, CHUNK if limit is None else min(CHUNK, limit)))
        while chunk:
            clean = await self._clean(chunk)
            prompts = [row.prompt for row in clean]
            adding = asyncio.create_task(self.ledger.add_prompts(prompts, collect.unite_equal, self.sift.equal_id))
            await asyncio.sleep(0)  # it is begun: where all rows are wanted, the next are read meanwhile
            try:
                following = list(islice(rows, CHUNK)) if limit is None else None
            finally:
                came = await adding
            size += came.added
            self._count(clean, came)
            chunk = list(islice(rows, min(CHUNK, (limit or 0) - size))) if following is None else following
        for name, passed in self.what.not_matching.items():
            self.taken.count(name, "not matching", passed)
        if self.sift.near:
            await self._without_near()
        await self.ledger.input_complete(self.taken.total("duplicates"), self.taken.total("bad"))
        await self.ledger.flush()

    async def _clean(self, rows: Sequence[Row]) -> list[Row]:
        """The rows without items of evaluation sets, and then without what is private."""
        clean, out = await self.sift.clean(rows, self.redactor, self.ledger)
        for row in out:
            self.taken.count(row.name, "contaminated")
        redactor = self.redactor
        return [replace(row, prompt=redactor.prompt(row.prompt)) for row in clean] if redactor else list(clean)

    async def _without_near(self) -> None:
        """Leave near-duplicates out, and count what is left and what is not."""
        await self.sift.leave_near_out(self.ledger)
        near = {one.prompt.id for one in self.ledger.near_duplicates()}
        for prompt in self.ledger.prompts():
            self._taken(self.places.pop(prompt.id), prompt)
        for ident, row in self.places.items():
            self.taken.count(row.name, "near-duplicates" if ident in near else "over the limit")

    def _taken(self, row: Row, prompt: Prompt) -> None:
        self.taken.count(row.name, "prompts")
        self.taken.traits.add(prompt, row.name, row.line)

    def _good(self) -> Iterator[Row]:
        """The good rows."""
        from pairsmith.collect import BadRow

        for row in self.what.rows():
            if isinstance(row, BadRow):
                self._bad(row.name, str(row))
            else:
                yield row

    def _count(self, chunk: Sequence[Row], came: Collected) -> None:
        new, clashes = set(came.new), set(came.clashes)
        for place, row in enumerate(chunk):
            if place in new and self.sift.near:
                self.places[row.prompt.id] = row
            elif place in new:
                self._taken(row, row.prompt)
            elif place in clashes:
                self._clash(row)
            else:
                self.taken.count(row.name, "duplicates")

    def _clash(self, row: Row) -> None:
        where = "standard input" if row.name == "-" else row.name
        known = "its own id, which" if self.redactor else f"{row.prompt.source_id}, which"
        self._bad(
            row.name,
            f'{where}, line {row.line}, field "id": is {known} an earlier, different prompt has; change one of them',
        )

    def _bad(self, name: str, sentence: str) -> None:
        """A bad row is the end, or, where they are skipped, one more of them; the first few are said."""
        if not self.what.settings.skip_bad:
            raise InputError(sentence)
        self.taken.count(name, "bad")
        if self.taken.total("bad") <= SHOWN:
            say(sentence)


@contextlib.contextmanager
def _writing(out: str | None) -> Iterator[BinaryIO | None]:
    """Standard output, or a file that is there when all of it is written; None: nothing is to be.

    Raises:
        UserError: it cannot be written.
    """
    if out is None:
        yield None
        return
    if out == "-":
        yield cast(BinaryIO, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    try:
        with written_whole(Path(out)) as file:
            yield file
    except OSError as exc:
        raise UserError(f"{out} cannot be written ({exc.strerror}): name another file with -o") from exc


def _write(prompt: Prompt, to: BinaryIO | None, taken: Taken) -> None:
    from pairsmith.collect.written import row_of

    taken.with_candidates += bool(prompt.candidates)
    taken.with_verdicts += bool(prompt.preferences)
    if to is not None:
        to.write(orjson.dumps(row_of(prompt), option=orjson.OPT_APPEND_NEWLINE))


def _say(taken: Taken, redactor: Redactor | None, out: str | None, lists: Sequence[Path], as_json: bool) -> None:
    from pairsmith.cli import collected
    from pairsmith.wordings import detector

    taken.languages = taken.traits.languages(detector())
    stream = sys.stderr if out == "-" else sys.stdout
    if as_json:
        result = {**collected.as_json(taken, redactor, out), "left_out": [str(path) for path in lists]}
        print(orjson.dumps(result).decode(), file=stream)
        return
    files = [relative(Path(out))] if out not in (None, "-") else []
    files += [f"{relative(path)}: what was left out, beside what it is like" for path in lists]
    print("\n\n".join(filter(None, [collected.as_text(taken, redactor), "\n".join(files)])), file=stream)
