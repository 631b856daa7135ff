"""What other gates would have given from the evidence that is already paid for.

Makes no call and changes nothing: the pipeline says its one sentence after 50 settled prompts and at the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf

from pairsmith.pair.couples import ESTIMATED, Wording, obstacle
from pairsmith.pair.gates import duel_reason, duels_between
from pairsmith.pair.select import TOLERANCE, UNKNOWN, Couple, choose, couples, standings
from pairsmith.pair.settings import PairSettings
from pairsmith.pair.sides import ALL, Sides
from pairsmith.records import Completion, Duel, Noise, Score

ALTERNATIVES = (1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
WORTH_SAYING = 0.05  # of the settled prompts: a smaller gain is no advice


@dataclass(frozen=True, slots=True)
class GateEvidence:
    """What the gates know of ONE settled prompt."""

    gap: float  # points between the best and the worst text that may be paired with it; 0 when none may
    chosen_mean: float  # 0 when nothing was scored
    confirmed: bool = False  # both orders of a duel agreed with the scores


def gate_evidence(
    completions: Sequence[Completion],
    scores: Iterable[Score],
    duels: Iterable[Duel],
    settings: PairSettings,
    noise: Noise = UNKNOWN,
    sides: Sides = ALL,
    wording: Wording = ESTIMATED,
    wanted: str | None = None,
) -> GateEvidence:
    """The evidence of one prompt, from what `settle` settled it with."""
    ranked = standings(completions, scores, noise)
    if len(ranked) < 2:
        return GateEvidence(0.0, 0.0)

    def passes(couple: Couple) -> bool:
        two = couple.chosen.completion, couple.rejected.completion
        below = settings.rejected_ceiling is None or couple.rejected.mean <= settings.rejected_ceiling + TOLERANCE
        return below and obstacle(*two, settings, sides, wording, wanted) is None

    found = [couple for couple in couples(ranked, sides, settings.chosen_floor) if passes(couple)]
    widest = max(found, key=lambda couple: couple.gap, default=None)
    close_call = choose(ranked, settings.verify_gap, inf, sides, settings.chosen_floor, passes)
    confirmed = close_call is not None and duel_reason(close_call, duels_between(close_call, duels)) == ""
    if widest is None:
        return GateEvidence(0.0, ranked[0].mean)
    return GateEvidence(widest.gap, widest.chosen.mean, confirmed)


@dataclass(frozen=True, slots=True)
class Outlook:
    """The yield of the gate as it is, and of others."""

    settled: int  # prompts settled, into pairs or abstentions
    pairs: int
    min_gap: float
    alternatives: tuple[tuple[float, int], ...]  # (min_gap, pairs), ascending, without the present one
    pinned_verify_gap: float | None = None  # set by the recipe, so that it does not follow min_gap down

    def sentence(self) -> str:
        """One line: the yield now, and the nearest lower gate that would give notably more, if there is one."""
        if not self.settled:
            return "gate: no prompt is settled yet"
        now = f"gate: {self.pairs} of {self.settled} settled prompts gave a pair at min_gap = {self.min_gap:g}"
        better = self._better()
        if better is None:
            return now
        gap, pairs = better
        flags = f"--set pair.min_gap={gap:g}"
        if self.pinned_verify_gap is not None and gap < self.pinned_verify_gap:
            flags += f" --set pair.verify_gap={gap:g}"
        return f"{now}; min_gap = {gap:g} would give {pairs} from the same evidence, for nothing: {flags}"

    def _better(self) -> tuple[float, int] | None:
        enough = self.pairs + max(1.0, WORTH_SAYING * self.settled)
        lower = [(gap, pairs) for gap, pairs in self.alternatives if gap < self.min_gap and pairs >= enough]
        return max(lower, default=None)


def outlook(
    evidence: Sequence[GateEvidence], settings: PairSettings, candidates: Sequence[float] = ALTERNATIVES
) -> Outlook:
    """Count the pairs under other values of `min_gap`, all else as it is.

    A close call that was never duelled counts only where its gap passes; one whose duels did not agree counts
    where its gap passes without them.
    """
    others = sorted(set(candidates) - {settings.least_gap})
    return Outlook(
        settled=len(evidence),
        pairs=_yield(evidence, settings, settings.least_gap),
        min_gap=settings.least_gap,
        alternatives=tuple((gap, _yield(evidence, settings, gap)) for gap in others),
        pinned_verify_gap=settings.verify_gap if settings.pinned_verify_gap else None,
    )


def _yield(evidence: Sequence[GateEvidence], settings: PairSettings, min_gap: float) -> int:
    return sum(
        one.chosen_mean >= settings.chosen_floor - TOLERANCE and (one.confirmed or one.gap >= min_gap - TOLERANCE)
        for one in evidence
    )
