"""What a run came to: its folder, its counts, and the ways to look at it. Needs no endpoint and no key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pairsmith.dataset import Texts
from pairsmith.errors import Stopped
from pairsmith.folder import RunFolder
from pairsmith.ledger import Counts, Spent
from pairsmith.library.inputs import load_recipe
from pairsmith.library.pairs import Pair, pairs_of
from pairsmith.recipe import Recipe, endpoints
from pairsmith.running.named import Named, environment, known_judges, named, stored_run
from pairsmith.running.written import projection_of, write_dataset

if TYPE_CHECKING:
    import pandas as pd

    from pairsmith.dataset import Exported
    from pairsmith.judge.arms import ArmCard
    from pairsmith.judge.bias import BiasCard
    from pairsmith.running.cards import Arms


@dataclass(frozen=True, slots=True)
class Paid:
    """What one invocation paid, by endpoint where it is counted; `cost_usd` None: a price is not known."""

    calls: Mapping[str, int] = field(default_factory=dict)
    attempts: Mapping[str, int] = field(default_factory=dict)
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0
    wall_s: float = 0.0


@dataclass(frozen=True)
class Run:
    """A run folder: what `pairsmith run --json` says of it, and its evidence as tables.

    counts, spent: where the folder stood when this was made. stopped: why the run ended early, with `reason` (a word
    for programs) and `sentence` (for people); None: it came to its end, or was opened from its folder. paid: by this
    invocation. out, exported: the dataset that it wrote. notes: sentences that the user should read.

    The tables, `export` and `each_pair` read the folder as it is when they are called, settled by the recipe that it
    was run with last.
    """

    run_dir: Path
    recipe: Recipe
    counts: Counts
    spent: Spent
    stopped: Stopped | None = None
    paid: Paid = field(default_factory=Paid)
    out: Path | None = None
    exported: Exported | None = None
    notes: tuple[str, ...] = ()

    def completions(self) -> pd.DataFrame:
        """One row a completion of the prompts that have come to something; `flags` "" means that it can be used."""
        from pairsmith.library import frames

        with stored_run(RunFolder(self.run_dir)) as (ledger, digest):
            return frames.completions(ledger.outcomes(digest), ledger)

    def verdicts(self) -> pd.DataFrame:
        """One row a verdict; `kind` is score, duel or ranking, and says which columns it fills."""
        from pairsmith.library import frames

        with stored_run(RunFolder(self.run_dir)) as (ledger, digest):
            return frames.verdicts(ledger.outcomes(digest), ledger)

    def pairs(self) -> pd.DataFrame:
        """One row a pair, in prompt order."""
        from pairsmith.library import frames

        with stored_run(RunFolder(self.run_dir)) as (ledger, digest):
            return frames.pairs(ledger.outcomes(digest), ledger)

    def each_pair(self) -> Iterator[Pair]:
        """The same as records, one by one."""
        with stored_run(RunFolder(self.run_dir)) as (ledger, digest):
            texts = Texts(ledger)
            for prompt, settled in ledger.outcomes(digest):
                yield from pairs_of(prompt, settled.body, texts)

    def export(
        self,
        out: str | Path,
        *,
        target: str | None = None,
        system: str | None = None,
        reviews: str | None = None,
        limit: int | None = None,
    ) -> Exported:
        """Write the pairs for a training platform, and beside them the provenance of each.

        Args:
            out: the file.
            target: openai, azure, together, fireworks or trl; None: the recipe's.
            system: strip, keep or a file: what stands in the sampling persona's place; None: the recipe's.
            reviews: override, drop-disagreed, only-reviewed or ignore: what people's verdicts do; None: the recipe's.
            limit: the first so many pairs; None: all.

        Returns:
            The count of `rows`, and of pairs `left_out`, by reason.
        """
        given = {"target": target, "system": system, "reviews": reviews}
        changes = {f"export.{key}": value for key, value in given.items() if value}
        what = Named(load_recipe(self.recipe, changes), RunFolder(self.run_dir), True)
        judges = known_judges(what, endpoints(what.recipe, environment()))
        with stored_run(what.folder) as (ledger, digest):
            projection = projection_of(what.recipe, ledger, digest, judges)
            return write_dataset(Texts(ledger), ledger.outcomes(digest), projection, Path(out), limit)

    def report(self, out: str | Path | None = None) -> Path:
        """Write one HTML file to look at, as `pairsmith report` does; it loads nothing.

        Args:
            out: the file; None: report.html in the run folder.

        Returns:
            Where it is.
        """
        from pairsmith import __version__
        from pairsmith.show.report.writing import write_report

        what = Named(self.recipe, RunFolder(self.run_dir), True)
        path = Path(out) if out else self.run_dir / "report.html"
        write_report(what, path, __version__, datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"))
        return path

    @property
    def bias(self) -> BiasCard:
        """What the verdicts show of the judges."""
        return self._cards[0]

    @property
    def arms(self) -> Mapping[str, ArmCard]:
        """What each arm does, by name."""
        return self._cards[1].cards

    @cached_property
    def _cards(self) -> tuple[BiasCard, Arms]:
        from pairsmith.running.cards import cards_of

        with stored_run(RunFolder(self.run_dir)) as (ledger, digest):
            return cards_of(ledger, digest, endpoints(self.recipe, environment()))


def open_run(run_dir: str | Path) -> Run:
    """Open the folder of a run, also while it is going on; the recipe of a run stands for its default folder.

    Raises:
        UserError: nothing was run there yet.
    """
    what = named(Path(run_dir), None)
    with stored_run(what.folder) as (ledger, digest):
        return Run(what.folder.path, what.recipe, ledger.counts(digest), ledger.spent())
