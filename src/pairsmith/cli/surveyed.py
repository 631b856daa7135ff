"""A recipe's input counted as a run would take it in: without what is excluded, equal, near or contaminated.

Called by plan.py, which reads the rows.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pairsmith.cli.common import Named, say
from pairsmith.collect import BadRow, Row, equal_id
from pairsmith.folder import RunFolder
from pairsmith.planning.survey import Survey, survey
from pairsmith.running.evaluations import evaluations

if TYPE_CHECKING:
    from pairsmith.collect.contamination import Evaluations
    from pairsmith.records import PromptId

CHUNK = 1024  # rows that are looked up at a time among the pairs of earlier runs, and in evaluation sets


def surveyed(rows: Iterator[Row | BadRow], what: Named, finished: Collection[PromptId]) -> Survey:
    """Count the input.

    Args:
        rows: of all its files, in order.
        what: the recipe, and the folder of its run.
        finished: prompts that owe nothing any more.

    Raises:
        InputError: a bad row, unless they are skipped; an evaluation set cannot be read; or no prompt at all.
    """
    settings = what.recipe.prompts
    against = evaluations(settings, say)
    if settings.dedupe == "near":
        return _of_whole(rows, what, against, finished)
    clean = _Clean(_not_excluded(rows, what), against)
    found = survey(clean.rows(), settings, finished)
    return replace(found, contaminated=clean.contaminated)


def _of_whole(
    rows: Iterator[Row | BadRow], what: Named, against: Evaluations | None, finished: Collection[PromptId]
) -> Survey:
    """Near-duplicates show when all prompts are known: a run takes them in, into a ledger that is not kept."""
    from pairsmith.intake import Intake
    from pairsmith.ledger import open_ledger

    settings = what.recipe.prompts
    with tempfile.TemporaryDirectory(prefix="pairsmith-") as folder:
        ledger = open_ledger(Path(folder) / "ledger.sqlite3", time.time, create=True)
        try:
            ledger.exclude([RunFolder(Path(earlier)).ledger for earlier in settings.exclude])
            intake = Intake(ledger, "", lambda prompts: None)
            asyncio.run(intake.take_in([_Given(", ".join(settings.paths), rows)], settings, against))
            counts = ledger.counts("")
            plain = settings.model_copy(update={"dedupe": "off", "limit": None})
            found = survey((Row(prompt, prompt.ordinal + 1) for prompt in ledger.prompts()), plain, finished)
        finally:
            ledger.close_now()
    return replace(
        found,
        duplicates=counts.duplicates,
        skipped=counts.skipped,
        near_duplicates=counts.near_duplicates,
        contaminated=counts.contaminated,
    )


@dataclass(frozen=True, slots=True)
class _Given:
    """Rows that are being read already, as the input of a run."""

    name: str
    given: Iterator[Row | BadRow]

    def rows(self) -> Iterator[Row | BadRow]:
        """In order."""
        return self.given


def _not_excluded(rows: Iterator[Row | BadRow], what: Named) -> Iterator[Row | BadRow]:
    """The rows without those that the recipe's `exclude` leaves out."""
    from pairsmith.ledger.excluded import excluded

    settings = what.recipe.prompts
    earlier = excluded([RunFolder(Path(folder)).ledger for folder in settings.exclude], what.folder.ledger)
    exact = settings.dedupe != "off" and bool(earlier.ledgers)
    while chunk := list(islice(rows, CHUNK)):
        prompts = [row.prompt for row in chunk if isinstance(row, Row)]
        equal = {prompt.id: equal_id(prompt) for prompt in prompts} if exact else {}
        out = earlier.among({prompt.id for prompt in prompts}, equal)
        yield from (row for row in chunk if not (isinstance(row, Row) and row.prompt.id in out))


@dataclass(slots=True)
class _Clean:
    """Rows without those that hold an item of an evaluation set, which are counted."""

    given: Iterator[Row | BadRow]
    against: Evaluations | None
    contaminated: int = 0

    def rows(self) -> Iterator[Row | BadRow]:
        """In order, as they are wanted."""
        if self.against is None:
            yield from self.given
            return
        while chunk := list(islice(self.given, CHUNK)):
            good = [row for row in chunk if isinstance(row, Row)]
            matches = self.against.matches([row.prompt for row in good])
            out = {id(row) for row, match in zip(good, matches, strict=True) if match is not None}
            for row in chunk:
                if id(row) in out:
                    self.contaminated += 1
                else:
                    yield row
