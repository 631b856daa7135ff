"""Flags that say what is left out as a duplicate, a near-duplicate or an item of an evaluation set, for `collect`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pairsmith.cli.common import say
from pairsmith.errors import UserError

if TYPE_CHECKING:
    from pairsmith.collect import Row
    from pairsmith.collect.contamination import Evaluations
    from pairsmith.collect.settings import PromptSettings
    from pairsmith.ledger import Ledger
    from pairsmith.records import Prompt
    from pairsmith.redacting import Redactor

DEDUPE = ("exact", "near", "off")
SIFTING = ("dedupe", "near", "against", "against_column", "against_ngram", "against_share", "matches")  # the flags

F = TypeVar("F", bound=Callable[..., Any])


def sift_options(command: F) -> F:
    """The flags."""
    share = click.FloatRange(0, 1, max_open=True)
    for option in reversed(
        [
            click.option("--dedupe", type=click.Choice(DEDUPE), help="Which prompts are one.  [default: exact]"),
            click.option(
                "--near",
                type=click.FloatRange(0.3, 1),
                metavar="J",
                help="With --dedupe near: how near.  [default: 0.7]",
            ),
            click.option(
                "--against", multiple=True, metavar="FILE", help="Leave out what holds an item of this evaluation set."
            ),
            click.option("--against-column", metavar="KEY", help="Its items' key.  [default: a usual one]"),
            click.option(
                "--against-ngram", type=click.IntRange(2, 100), metavar="N", help="Words of an n-gram.  [default: 8]"
            ),
            click.option("--against-share", type=share, metavar="S", help="Most of an item covered.  [default: 0.5]"),
            click.option("--matches", metavar="FILE", help="Where these are listed.  [default: beside the prompts]"),
        ]
    ):
        command = option(command)
    return command


def sift_of(sources: Sequence[str], limit: int | None, flags: dict[str, Any]) -> Sift:
    """What the flags say; the evaluation sets are read.

    Raises:
        UserError: one flag says nothing without another, or an evaluation set cannot be read.
    """
    from pairsmith.collect.settings import PromptSettings
    from pairsmith.running.evaluations import evaluations

    if flags["near"] is not None and flags["dedupe"] != "near":
        raise UserError("--near says nothing without --dedupe near: add it, or leave --near out")
    if not flags["against"] and any(flags[key] is not None for key in flags if key.startswith("against_")):
        raise UserError(
            "--against-column, --against-ngram and --against-share say how --against FILE is read: name one"
        )
    matches = flags.pop("matches")
    given = {key: value for key, value in flags.items() if value is not None}
    settings = PromptSettings(path=list(sources), limit=limit, **given)
    return Sift(settings, evaluations(settings, say), Path(matches) if matches else None)


@dataclass(slots=True)
class Sift:
    """What is left out of the rows, as the [prompts] table of a recipe says it, and where that is listed."""

    settings: PromptSettings
    against: Evaluations | None
    matches: Path | None
    contaminated: int = field(default=0, init=False)

    @property
    def near(self) -> bool:
        """Whether near-duplicates are looked for."""
        return self.settings.dedupe == "near"

    @property
    def read_limit(self) -> int | None:
        """How many prompts are read at most; for near-duplicates all."""
        return None if self.near else self.settings.limit

    @property
    def equal_id(self) -> Callable[[Prompt], str] | None:
        """By what prompts are one."""
        from pairsmith import collect

        return None if self.settings.dedupe == "off" else collect.equal_id

    @property
    def why_none(self) -> str:
        """Why nothing is left."""
        if self.contaminated:
            return "all prompts in it hold items of the evaluation sets; add new ones"
        return "no prompts in it; write one a line"

    async def clean(
        self, rows: Sequence[Row], redactor: Redactor | None, ledger: Ledger
    ) -> tuple[Sequence[Row], Sequence[Row]]:
        """The rows without those that hold an item of an evaluation set, and these, listed without what is private."""
        if self.against is None:
            return rows, ()
        found = list(zip(rows, self.against.matches([row.prompt for row in rows]), strict=True))
        listed = [match.listed(row.prompt, row.name, row.line) for row, match in found if match is not None]
        self.contaminated += len(listed)
        await ledger.list_contaminated([redactor.object(one) for one in listed] if redactor else listed)
        return [row for row, match in found if match is None], [row for row, match in found if match is not None]

    async def leave_near_out(self, ledger: Ledger) -> None:
        """Of prompts that are nearly the same the first stays, where that is wanted."""
        from pairsmith import sifting

        if self.near:
            await sifting.leave_near_out(ledger, self.settings.near, self.settings.limit)

    def list_left_out(self, ledger: Ledger, out: str | None) -> list[Path]:
        """Write the lists of what was left out, empty ones too; which of them hold anything.

        Raises:
            UserError: one cannot be written.
        """
        from pairsmith.running.left_out import near_rows, write_lines

        lists = []
        if self.against is not None and (path := self.matches or _beside(out, "matches")) is not None:
            lists.append((path, ledger.contaminated()))
        if self.near and (path := _beside(out, "near-duplicates")) is not None:
            lists.append((path, near_rows(ledger.near_duplicates())))
        for path, rows in lists:
            try:
                write_lines(path, rows)
            except OSError as exc:
                raise UserError(f"{path} cannot be written ({exc.strerror}): name another file with --matches") from exc
        return [path for path, _ in lists if path.stat().st_size]


def _beside(out: str | None, word: str) -> Path | None:
    """`prompts.matches.jsonl` beside `prompts.jsonl`; None: the prompts go to no file."""
    return None if out in (None, "-") else Path(out).with_name(f"{Path(out).stem}.{word}.jsonl")
