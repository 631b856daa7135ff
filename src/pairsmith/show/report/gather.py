"""Gathers what a report says of one run: its outcomes in tables, read once, and what the ledger and the recipe know.

Called by page.py and compare.py. Texts are read later, of the few pairs that are shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from pairsmith.errors import UserError
from pairsmith.explaining import rules_in
from pairsmith.outcomes import family_in, pairs_in
from pairsmith.running.cards import cards_of
from pairsmith.show.agreement import of_run

if TYPE_CHECKING:
    from pathlib import Path

    from pairsmith.judge.bias import BiasCard
    from pairsmith.ledger import Counts, Ledger, Settled, Spent, Timeline
    from pairsmith.outcomes import StoredPair
    from pairsmith.pair.settings import PairSettings
    from pairsmith.pairing import Pairing
    from pairsmith.qualified import Qualification
    from pairsmith.recipe import Recipe
    from pairsmith.records import Endpoint, EndpointName, Prompt, Purpose
    from pairsmith.running.cards import Arms
    from pairsmith.show.agreement import Agreement

NO_FAMILY = "none"
PROMPTS = ("prompt", "kind", "reason", "family", "gap", "chosen_mean", "confirmed", "simulated", "pairs")
PAIRS = (
    "prompt", "place", "family", "chosen", "rejected", "chosen_arm", "rejected_arm", "gap", "chosen_chars",
    "rejected_chars", "rule", "simulated",
)  # fmt: skip
SCORES = ("judge", "arm", "score")


@dataclass(frozen=True, slots=True)
class Tables:
    """What the outcomes hold, a row each: settled prompts, their pairs, and every score.

    gap, chosen_mean and confirmed of a prompt are what its gate knew; nan where there was none. Arms are those of the
    answers; a score of an answer that can no longer be told is of the arm "".
    """

    prompts: pd.DataFrame
    pairs: pd.DataFrame
    scores: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Run:
    """All that is known of one run but its texts. rules: how its prompts were settled.

    people: what reviews say; None: there are none; a sentence: why it cannot be told.
    """

    name: str
    path: Path
    recipe: Recipe
    digest: str
    rules: Pairing
    counts: Counts
    spent: Spent
    spent_on: Mapping[tuple[EndpointName, Purpose], Spent]
    ran_s: float
    bias: BiasCard
    arms: Arms
    judges: Mapping[EndpointName, Qualification | None]
    models: Mapping[EndpointName, Endpoint]
    timeline: Timeline
    tables: Tables
    people: Agreement | str | None = None

    @property
    def gates(self) -> PairSettings:
        """[pair] with numbers in it."""
        return self.rules.settings

    @property
    def settled(self) -> int:
        """Prompts whose evidence is complete, and those whose calls failed."""
        return len(self.tables.prompts)

    @property
    def reached(self) -> int:
        """The same by the counts, which a run that is going on may have read a moment later."""
        return self.counts.prompts - max(0, self.counts.not_reached)

    @property
    def simulated(self) -> int:
        """Settled prompts that rest on a simulated answer."""
        return int(self.tables.prompts["simulated"].sum())

    @property
    def cost_per_pair_usd(self) -> float | None:
        """Everything that the folder has paid for, over the pairs there are."""
        usd = self.spent.cost_usd
        return usd / self.counts.pairs if usd is not None and self.counts.pairs else None

    @property
    def rewards(self) -> frozenset[str]:
        """Judges whose numbers are no points."""
        return frozenset(name for name, model in self.models.items() if model.kind == "reward")

    @property
    def points(self) -> pd.DataFrame:
        """The scores that are points."""
        return self.tables.scores[~self.tables.scores["judge"].isin(self.rewards)]


def gathered(
    ledger: Ledger,
    digest: str,
    recipe: Recipe,
    path: Path,
    models: Mapping[EndpointName, Endpoint],
    judges: Mapping[EndpointName, Qualification | None],
) -> Run:
    """Read all of it; the outcomes once.

    Args:
        ledger: of the run folder.
        digest: of the work whose outcomes are told of.
        recipe: as the folder was last run.
        path: of the folder.
        models: the recipe's endpoints.
        judges: how they did when they were asked what is known.
    """
    rows = _Rows()
    bias, arms = cards_of(ledger, digest, models, rows.watching(ledger.outcomes(digest)))
    return Run(
        name=recipe.name,
        path=path,
        recipe=recipe,
        digest=digest,
        rules=rules_in(recipe, ledger, digest),
        counts=ledger.counts(digest),
        spent=ledger.spent(),
        spent_on=ledger.spent_on(),
        ran_s=ledger.ran_s(),
        bias=bias,
        arms=arms,
        judges=judges,
        models=models,
        timeline=ledger.timeline(),
        tables=rows.tables(),
        people=_people(ledger, recipe, digest),
    )


def _people(ledger: Ledger, recipe: Recipe, digest: str) -> Agreement | str | None:
    if not ledger.reviews():
        return None
    try:
        return of_run(ledger, recipe, digest)
    except UserError as exc:  # a file that [pair] names has gone: the rest can still be told
        return str(exc)


# --- reading ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Rows:
    """While the outcomes pass."""

    prompts: list[tuple[Any, ...]] = field(default_factory=list)
    pairs: list[tuple[Any, ...]] = field(default_factory=list)
    scores: list[tuple[Any, ...]] = field(default_factory=list)

    def watching(self, outcomes: Iterable[tuple[Prompt, Settled]]) -> Iterator[tuple[Prompt, Settled]]:
        for prompt, settled in outcomes:
            self._add(prompt, settled)
            yield prompt, settled

    def _add(self, prompt: Prompt, settled: Settled) -> None:
        body: Mapping[str, Any] = settled.body
        gate = body.get("gate") or {}
        family = family_in(prompt, body).family or NO_FAMILY
        simulated = bool(body.get("simulated"))
        found = pairs_in(settled.body)
        said = (gate.get("gap"), gate.get("chosen_mean"), bool(gate.get("confirmed")), simulated, len(found))
        self.prompts.append((prompt.id, settled.kind, settled.reason or "", family, *said))
        completions = body.get("completions", ())
        arms = {row[0]: row[1] for row in completions}
        chars = {row[0]: row[2] for row in completions}
        for place, pair in enumerate(found):
            self.pairs.append((prompt.id, place, family, *_of_pair(pair, chars), simulated))
        self.scores += [
            (row["judge"], arms.get(row["completion"], ""), row["score"])
            for row in body.get("verdicts", ())
            if "score" in row
        ]

    def tables(self) -> Tables:
        return Tables(_frame(self.prompts, PROMPTS), _frame(self.pairs, PAIRS), _frame(self.scores, SCORES))


def _of_pair(pair: StoredPair, chars: Mapping[str, int]) -> tuple[Any, ...]:
    chosen, rejected = pair["chosen"], pair["rejected"]
    lengths = chars.get(chosen["completion"]), chars.get(rejected["completion"])
    sides = chosen["completion"], rejected["completion"], chosen["arm"], rejected["arm"]
    return (*sides, pair["gap"], *lengths, str(pair["provenance"].get("rule", "")))


NUMBERS = ("gap", "chosen_mean", "chosen_chars", "rejected_chars", "score")
TRUTHS = ("confirmed", "simulated")


def _frame(rows: list[tuple[Any, ...]], columns: tuple[str, ...]) -> pd.DataFrame:
    """The rows by column; numbers are numbers even where there is none."""
    frame = pd.DataFrame(rows, columns=list(columns))
    kinds = {name: "float64" for name in NUMBERS if name in columns} | {
        name: "bool" for name in TRUTHS if name in columns
    }
    return frame.astype(kinds)
