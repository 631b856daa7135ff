"""What settled prompts come to under one way of pairing: yield, gaps, lengths, arms. Called by pair.py, compared.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pairsmith.judge.rates import Rate, share
from pairsmith.outcomes import StoredPair, pairs_in

if TYPE_CHECKING:
    from pairsmith.ledger import Settled
    from pairsmith.records import Json, Prompt

MOST_ARMS = 3  # that are named


@dataclass(slots=True)
class Tally:
    """Counts while settled prompts pass."""

    settled: int = 0  # prompts that gave pairs
    pairs: int = 0
    abstained: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    gaps: list[float] = field(default_factory=list)
    longer: int = 0  # pairs whose chosen answer is the longer one
    unequal: int = 0  # pairs whose answers are not equally long
    chosen_chars: int = 0
    rejected_chars: int = 0
    chosen: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)

    def watching(self, outcomes: Iterable[tuple[Prompt, Settled]]) -> Iterator[tuple[Prompt, Settled]]:
        """The same outcomes, counted as they pass."""
        for prompt, settled in outcomes:
            self.add(settled)
            yield prompt, settled

    def add(self, settled: Settled) -> None:
        """Count one."""
        if settled.kind == "failed":
            self.failed[settled.reason or ""] += 1
        elif settled.kind == "abstained":
            self.abstained[settled.reason or ""] += 1
        else:
            self.settled += 1
            lengths = _lengths(settled.body)
            for pair in pairs_in(settled.body):
                self._add(pair, lengths)

    def _add(self, pair: StoredPair, lengths: Mapping[str, int]) -> None:
        chosen, rejected = pair["chosen"], pair["rejected"]
        self.pairs += 1
        if pair["gap"] is not None:
            self.gaps.append(pair["gap"])
        one, other = lengths[chosen["completion"]], lengths[rejected["completion"]]
        self.unequal += one != other
        self.longer += one > other
        self.chosen_chars += one
        self.rejected_chars += other
        self.chosen[chosen["arm"]] += 1
        self.rejected[rejected["arm"]] += 1

    @property
    def gained(self) -> Rate:
        """Prompts with a pair, of those that are settled."""
        return share(self.settled, self.settled + self.abstained.total())

    @property
    def mean_gap(self) -> float | None:
        """In points; None where there are none."""
        return sum(self.gaps) / len(self.gaps) if self.gaps else None

    @property
    def chosen_longer(self) -> Rate:
        """How often the chosen answer is the longer one, of the pairs whose answers are not equally long."""
        return share(self.longer, self.unequal)

    @property
    def length_ratio(self) -> float | None:
        """Characters of all chosen answers over those of all rejected ones."""
        return self.chosen_chars / self.rejected_chars if self.rejected_chars else None

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "settled": self.settled,
            "pairs": self.pairs,
            "abstained": dict(self.abstained),
            "failed": dict(self.failed),
            "yield": self.gained.rate,
            "mean_gap": self.mean_gap,
            "chosen_longer": self.chosen_longer.rate,
            "length_ratio": self.length_ratio,
            "arms": {"chosen": dict(self.chosen.most_common()), "rejected": dict(self.rejected.most_common())},
        }

    def as_text(self, strategy: str) -> list[str]:
        """For people."""
        settled = self.gained.n
        share = f" ({self.settled / settled:.0%} of {settled:,} settled prompts)" if settled else ""
        gap = f", mean gap {self.mean_gap:.2f}" if self.mean_gap is not None else ""
        lines = [f"  pairs        {self.pairs:,}{share}, {strategy}{gap}"]
        for label, reasons in (("abstained", self.abstained), ("failed", self.failed)):
            if reasons:
                why = ", ".join(f"{reason} {n:,}" for reason, n in reasons.most_common())
                lines.append(f"  {label:<12} {reasons.total():,} ({why})")
        if self.pairs:
            lines.append(f"  lengths      chosen longer in {percent(self.chosen_longer.rate)}{self._ratio()}")
            lines.append(f"  chosen       {arms_text(self.chosen)}")
            lines.append(f"  rejected     {arms_text(self.rejected)}")
        return lines

    def _ratio(self) -> str:
        return f"; {self.length_ratio:.2f} × as many characters as rejected" if self.length_ratio else ""


def percent(rate: float | None) -> str:
    """A rate; "–" where it rests on nothing."""
    return "–" if rate is None else f"{rate:.0%}"


def arms_text(counted: Mapping[str, int]) -> str:
    """The arms that supply most, with their shares."""
    total, ranked = sum(counted.values()), sorted(counted.items(), key=lambda one: (-one[1], one[0]))
    more = f", {len(ranked) - MOST_ARMS} more" if len(ranked) > MOST_ARMS else ""
    return ", ".join(f"{name} {n / total:.0%}" for name, n in ranked[:MOST_ARMS]) + more


def _lengths(body: Mapping[str, Json]) -> dict[str, int]:
    """Characters of each completion that can be used."""
    rows: Any = body["completions"]
    return {row[0]: row[2] for row in rows}
