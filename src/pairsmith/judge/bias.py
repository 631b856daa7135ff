"""The bias card of a run: what its verdicts show of the judges, at no further cost.

Pure: reads the evidence that each outcome keeps (see steps.py). How often the orders contradict each other, the first
or the longer answer wins, replies cannot be read, judges agree; and how each arm did. Called by the command line.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from statistics import fmean
from typing import Any, TypeAlias

from pairsmith.judge.rates import Rate, share, share_of, told
from pairsmith.judge.settings import CHECK

Body: TypeAlias = Mapping[str, Any]  # of an outcome, as steps.py wrote it
Means: TypeAlias = "dict[str, float]"  # by completion

# What is told loudly, each when the whole interval lies beyond it.
CHOSEN_LONGER = 0.70  # answers and truth of the simulation: 60; a liking of 0.5 points: above 80 (docs/judging.md)
LONGER_LEAD = 0.10  # by so much more often than the judges' average prefers the longer one, a judge does
FIRST_WINS = 0.60
CONFLICTS = 0.30
UNREADABLE = 0.02
NO_FAMILY = "none"


@dataclass(frozen=True, slots=True)
class JudgeCard:
    """One judge: of its verdicts in this run.

    first_wins: of its duels with a winner, and of all couples of its rankings. longer_wins: of the couples of
    completions that it gives different points, of its duels with a winner, and of its rankings. ties: of the couples
    that it scores, those with equal points.
    """

    longer_wins: Rate
    first_wins: Rate
    ties: Rate


@dataclass(frozen=True, slots=True)
class ArmCard:
    """One arm: completions that were judged, and in how many pairs it is the chosen and the rejected side."""

    completions: int
    chosen: int
    rejected: int
    wins: Rate  # of the pairs whose sides come from two different arms


@dataclass(frozen=True, slots=True)
class FamilyCard:
    """One task family: prompts that were judged by it, those of them whose family a judge was asked for, and pairs."""

    prompts: int
    asked: int
    pairs: Rate  # of these prompts


@dataclass(frozen=True, slots=True)
class BiasCard:
    """All prompts of a run together.

    conflicts: close calls, finals or rankings whose two orders disagree. chosen_longer: of the pairs.
    average_longer_wins: of the couples of completions, by the mean of all judges that saw both. unreadable: of all
    replies of judges. agreement: of the couples that two judges both order, by the two names. families: of prompts that
    have one; under NO_FAMILY those whose family was asked for in vain.
    """

    conflicts: Rate
    chosen_longer: Rate
    average_longer_wins: Rate
    unreadable: Rate
    judges: Mapping[str, JudgeCard]
    agreement: Mapping[str, Rate]
    arms: Mapping[str, ArmCard]
    families: Mapping[str, FamilyCard]

    def warnings(self) -> list[str]:
        """What the user should know before training on these pairs; one sentence each."""
        said: list[str] = []
        if _beyond(self.chosen_longer, CHOSEN_LONGER):
            other = "take another judge, or " if self.judges else ""
            said.append(
                f"the pairs have the longer answer chosen in {told(self.chosen_longer)}: a model trained on them "
                f"learns length; {other}read some pairs first"
            )
        for name, judge in self.judges.items():
            if name.startswith(CHECK):  # it does what its author means
                continue
            if _beyond(judge.first_wins, FIRST_WINS):
                said.append(f"judge {name} prefers the answer that it is shown first: {told(judge.first_wins)}")
            average = self.average_longer_wins.rate
            if average is not None and len(self.judges) > 1 and _beyond(judge.longer_wins, average + LONGER_LEAD):
                rates = f"{told(judge.longer_wins)}, all judges together {average:.0%}"
                said.append(f"judge {name} prefers the longer answer more than the others do: {rates}")
        if _beyond(self.conflicts, CONFLICTS):
            said.append(f"the two orders contradict each other in {told(self.conflicts)} of the comparisons")
        if _beyond(self.unreadable, UNREADABLE):
            said.append(f"replies of judges that could not be read: {told(self.unreadable)}")
        return said


def _beyond(rate: Rate, limit: float) -> bool:
    return rate.low is not None and rate.low > limit


# --- counting -----------------------------------------------------------------------------------


@dataclass(slots=True)
class _Counts:
    """While the outcomes are read."""

    conflicts: list[bool] = field(default_factory=list)
    chosen_longer: list[bool] = field(default_factory=list)
    average_longer: list[bool] = field(default_factory=list)
    unreadable: int = 0
    verdicts: int = 0
    longer: defaultdict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    first: defaultdict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    ties: defaultdict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    agree: defaultdict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    arms: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0]))
    wins: defaultdict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))
    families: defaultdict[str, list[bool]] = field(default_factory=lambda: defaultdict(list))  # whether it is a pair
    placed: Counter[str] = field(default_factory=Counter)


def bias_card(bodies: Iterable[Body]) -> BiasCard:
    """The card of these outcomes.

    Args:
        bodies: what the outcome of each prompt keeps.
    """
    counts = _Counts()
    for body in bodies:
        _count(counts, body)
    names = sorted({*counts.longer, *counts.first, *counts.ties})
    judges = {
        name: JudgeCard(share_of(counts.longer[name]), share_of(counts.first[name]), share_of(counts.ties[name]))
        for name in names
    }
    arms = {
        name: ArmCard(judged, chosen, rejected, share_of(counts.wins[name]))
        for name, (judged, chosen, rejected) in sorted(counts.arms.items())
    }
    return BiasCard(
        conflicts=share_of(counts.conflicts),
        chosen_longer=share_of(counts.chosen_longer),
        average_longer_wins=share_of(counts.average_longer),
        unreadable=share(counts.unreadable, counts.verdicts + counts.unreadable),
        judges=judges,
        agreement={names: share_of(said) for names, said in sorted(counts.agree.items())},
        arms=arms,
        families={
            name: FamilyCard(len(paired), counts.placed[name], share_of(paired))
            for name, paired in sorted(counts.families.items())
        },
    )


def _count(counts: _Counts, body: Body) -> None:
    characters = {ident: length for ident, _, length, *_ in body.get("completions", ())}
    arms = {ident: arm for ident, arm, *_ in body.get("completions", ())}
    verdicts = body.get("verdicts", ())
    counts.verdicts += sum(not verdict["judge"].startswith(CHECK) for verdict in verdicts)
    counts.unreadable += body.get("unreadable", 0)
    if "family" in body:
        name, call = body["family"]
        counts.families[name or NO_FAMILY].append("pair" in body)
        counts.placed[name or NO_FAMILY] += call is not None
    for arm in arms.values():
        counts.arms[arm][0] += 1
    _count_scores(counts, [verdict for verdict in verdicts if "score" in verdict], characters)
    duels = [verdict for verdict in verdicts if "winner" in verdict]
    _count_duels(counts, duels, characters)
    rankings = [verdict for verdict in verdicts if "order" in verdict]
    for ranking in rankings:
        _count_ranking(counts, ranking, characters)
    if len(rankings) == 2:
        one, other = (ranking["order"] for ranking in rankings)
        counts.conflicts.append((one[0], one[-1]) != (other[0], other[-1]))
    for pair in (*([body["pair"]] if "pair" in body else ()), *body.get("more_pairs", ())):
        _count_pair(counts, pair, characters)


def _count_scores(counts: _Counts, scores: Sequence[Body], characters: Mapping[str, int]) -> None:
    """Every couple of completions that one judge, or all of them together, put in an order."""
    by_judge: defaultdict[str, Means] = defaultdict(dict)
    for score in scores:
        by_judge[score["judge"]][score["completion"]] = score["score"]
    for judge, points in by_judge.items():
        for one, other in combinations(sorted(points), 2):
            counts.ties[judge].append(points[one] == points[other])
            counts.longer[judge] += _longer(points, one, other, characters)
    for one, other in combinations(sorted({score["completion"] for score in scores}), 2):
        leads = [points[one] - points[other] for points in by_judge.values() if one in points and other in points]
        if leads:
            counts.average_longer += _longer({one: fmean(leads), other: 0.0}, one, other, characters)
    for (first, points), (second, others) in combinations(sorted(by_judge.items()), 2):
        for one, other in combinations(sorted(points.keys() & others.keys()), 2):
            here, there = points[one] - points[other], others[one] - others[other]
            if here and there:
                counts.agree[f"{first}, {second}"].append((here > 0) == (there > 0))


def _longer(points: Means, one: str, other: str, characters: Mapping[str, int]) -> list[bool]:
    """Whether the longer one has more points; nothing where points or lengths are equal."""
    lead = points[one] - points[other]
    longer = characters.get(one, 0) - characters.get(other, 0)
    return [(lead > 0) == (longer > 0)] if lead and longer else []


def _count_ranking(counts: _Counts, ranking: Body, characters: Mapping[str, int]) -> None:
    """Every couple of a list: whether the one that was shown first, and the longer one, is placed higher."""
    points = {ident: -float(place) for place, ident in enumerate(ranking["order"])}
    for one, other in combinations(ranking["shown"], 2):
        counts.first[ranking["judge"]].append(points[one] > points[other])
        counts.longer[ranking["judge"]] += _longer(points, one, other, characters)


def _count_duels(counts: _Counts, duels: Sequence[Body], characters: Mapping[str, int]) -> None:
    both: defaultdict[frozenset[str], dict[str, str | None]] = defaultdict(dict)
    for duel in duels:
        first, second, winner = duel["first"], duel["second"], duel["winner"]
        both[frozenset((first, second))][first] = winner
        if winner is not None:
            counts.first[duel["judge"]].append(winner == first)
            loser = second if winner == first else first
            if (longer := characters.get(winner, 0) - characters.get(loser, 0)) != 0:
                counts.longer[duel["judge"]].append(longer > 0)
    counts.conflicts += [len(set(orders.values())) > 1 for orders in both.values() if len(orders) == 2]


def _count_pair(counts: _Counts, pair: Body, characters: Mapping[str, int]) -> None:
    chosen, rejected = pair["chosen"], pair["rejected"]
    longer = characters.get(chosen["completion"], 0) - characters.get(rejected["completion"], 0)
    if longer:
        counts.chosen_longer.append(longer > 0)
    counts.arms[chosen["arm"]][1] += 1
    counts.arms[rejected["arm"]][2] += 1
    if chosen["arm"] != rejected["arm"]:
        counts.wins[chosen["arm"]].append(True)
        counts.wins[rejected["arm"]].append(False)
