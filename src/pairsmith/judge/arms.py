"""What each arm of a run does: counted from what outcomes keep (see steps.py), at no further cost.

Completions, screens, points, which sides of pairs it supplies, cost, and how often its text is a sibling's too. Pure.
Called by the command line.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from pairsmith.judge.bias import Body
from pairsmith.judge.rates import Rate, percent, share, told
from pairsmith.records import Usage

Cost: TypeAlias = Callable[[str, Usage], float | None]  # of an arm's tokens; None: a price or a count is unknown

# One arm supplies too much of what is rejected when the whole interval lies beyond both.
MOST = 0.5
LEAD = 0.1  # above its share of the completions that can be used
FEWEST_PAIRS = 20


@dataclass(frozen=True, slots=True)
class ArmCard:
    """One arm over all prompts of a run; None, or a rate of n = 0: unknown.

    screened: completions by flag; one may have several. mean_score: over its completions, of each the mean over the
    judges that give points. wins, losses: of the pairs whose sides come from two arms. in_chosen, in_rejected: of all
    pairs. shared: completions whose text a sibling has too. cost_usd: of sampling, not of judging.
    """

    completions: int | None
    usable: int
    screened: Mapping[str, int] | None
    mean_score: float | None
    wins: Rate
    losses: Rate
    in_chosen: Rate
    in_rejected: Rate
    shared: Rate
    cost_usd: float | None
    cost_per_won_pair_usd: float | None


def warnings(arms: Mapping[str, ArmCard], with_persona: Collection[str]) -> list[str]:
    """What the user should know before training on these pairs: the arm, if any, that most of the rejected are of.

    Of the chosen nothing is said: one arm that is better than the others is what arms are tried for.

    Args:
        arms: by name.
        with_persona: the names of those that are sampled under a persona.
    """
    usable = sum(arm.usable for arm in arms.values())
    if sum(arm.usable > 0 for arm in arms.values()) < 2:
        return []
    return [
        f"arm {name} supplies {told(arm.in_rejected)} of the rejected answers and {percent(arm.usable / usable)} of "
        "all that can be used: such pairs teach to avoid this arm, not to prefer quality; make it more like the others "
        "(temperature, persona, model), draw it less (weight), or leave it out"
        + ("; export.system = strip does not help, as its style is learnt" if name in with_persona else "")
        for name, arm in arms.items()
        if arm.in_rejected.n >= FEWEST_PAIRS and (arm.in_rejected.low or 0.0) > max(MOST, arm.usable / usable + LEAD)
    ]


# --- counting -----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Counts:
    """Of one arm, while the outcomes are read."""

    completions: int = 0
    usable: int = 0
    flags: Counter[str] = field(default_factory=Counter)
    shared: int = 0
    input_tokens: int | None = 0
    output_tokens: int | None = 0
    cached_tokens: int = 0
    points: float = 0.0
    scored: int = 0
    chosen: int = 0
    rejected: int = 0
    won: int = 0
    lost: int = 0


class ArmCounts:
    """Counts while outcomes are read for something else too: each is read once.

    Args:
        without_points: judges whose numbers are no points: reward models.
    """

    def __init__(self, without_points: Collection[str] = ()) -> None:
        self._without_points = without_points
        self._arms: defaultdict[str, _Counts] = defaultdict(_Counts)
        self._pairs = 0
        self._complete = True  # whether each outcome kept what is counted of every completion

    def watching(self, bodies: Iterable[Body]) -> Iterator[Body]:
        """The same outcomes, counted as they pass."""
        for body in bodies:
            self._count(body)
            yield body

    def cards(self, names: Iterable[str], cost: Cost) -> dict[str, ArmCard]:
        """What was counted, by arm: the arms of these names first, then others that were seen."""
        return {name: self._card(self._arms[name], name, cost) for name in dict.fromkeys([*names, *sorted(self._arms)])}

    def _count(self, body: Body) -> None:
        completions = body.get("completions", ())
        if "arms" in body:
            for one in body["arms"]:
                _count_completion(self._arms[one[0]], *one[1:6])
        else:  # written by an earlier version
            self._complete = False
            for _, arm, *_ in completions:
                self._arms[arm].usable += 1
        by_completion: defaultdict[str, list[float]] = defaultdict(list)
        for verdict in body.get("verdicts", ()):
            if "score" in verdict and verdict["judge"] not in self._without_points:
                by_completion[verdict["completion"]].append(verdict["score"])
        for ident, arm, *_ in completions:
            if points := by_completion.get(ident):
                self._arms[arm].points += sum(points) / len(points)
                self._arms[arm].scored += 1
        for pair in (*([body["pair"]] if "pair" in body else ()), *body.get("more_pairs", ())):
            self._count_pair(self._arms[pair["chosen"]["arm"]], self._arms[pair["rejected"]["arm"]])

    def _count_pair(self, chosen: _Counts, rejected: _Counts) -> None:
        self._pairs += 1
        chosen.chosen += 1
        rejected.rejected += 1
        if chosen is not rejected:
            chosen.won += 1
            rejected.lost += 1

    def _card(self, arm: _Counts, name: str, cost: Cost) -> ArmCard:
        usd = cost(name, Usage(arm.input_tokens, arm.output_tokens, arm.cached_tokens)) if self._complete else None
        return ArmCard(
            completions=arm.completions if self._complete else None,
            usable=arm.usable,
            screened=dict(arm.flags) if self._complete else None,
            mean_score=arm.points / arm.scored if arm.scored else None,
            wins=share(arm.won, arm.won + arm.lost),
            losses=share(arm.lost, arm.won + arm.lost),
            in_chosen=share(arm.chosen, self._pairs),
            in_rejected=share(arm.rejected, self._pairs),
            shared=share(arm.shared, arm.completions) if self._complete else share(0, 0),
            cost_usd=usd,
            cost_per_won_pair_usd=usd / arm.won if usd is not None and arm.won else None,
        )


def _count_completion(
    arm: _Counts, flags: list[str], tokens_in: int | None, tokens_out: int | None, cached: int | None, shared: bool
) -> None:
    arm.completions += 1
    if flags:
        arm.flags.update(flags)
    else:
        arm.usable += 1
    arm.shared += shared
    arm.input_tokens = None if arm.input_tokens is None or tokens_in is None else arm.input_tokens + tokens_in
    arm.output_tokens = None if arm.output_tokens is None or tokens_out is None else arm.output_tokens + tokens_out
    arm.cached_tokens += cached or 0
