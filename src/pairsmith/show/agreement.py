"""How far the judges agree with the people who reviewed a run, and the people with each other.

What people are shown is mostly what is hard. So the figure for the run is that of the random sample, and one in which
each verdict counts for as many couples as it stands for; those of hard couples stand beside them. Pure, but for
`of_run`, which reads the ledger. Called by the review page, the command line and the report.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from pairsmith.judge.rates import Rate, percent, share_of, told
from pairsmith.ledger import Ledger, Review
from pairsmith.recipe import Recipe
from pairsmith.show.gate_advice import Gate, accuracy, gate
from pairsmith.show.kappa import Kappa, alpha, of_couples
from pairsmith.show.queue import Gates, Item, queue
from pairsmith.show.weighed import Weighed, sampled, weighed

LEAST = 30  # verdicts, below which no agreement is told


@dataclass(frozen=True, slots=True)
class Figure:
    """How one orders couples, held against what people say of them.

    `accuracy`: of the couples that both put in an order. `ties`: where people, and `undecided`: where it, prefer
    neither. `kappa`: of the judges' pairs without ties, as they know none; else with ties as an answer of its own.
    """

    accuracy: Rate
    ties: int
    undecided: int
    kappa: Kappa


@dataclass(frozen=True, slots=True)
class Reviewer:
    """One person: how far the judges' pairs agree with what this one says, and how often the first shown wins."""

    verdicts: int
    pairs: Figure
    first_wins: Rate


@dataclass(frozen=True, slots=True)
class Between:
    """Two people on the couples that both reviewed; a tie is an answer like the others."""

    agree: Rate
    kappa: Kappa


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the verdicts of people say.

    verdicts: the last of each reviewer on each couple; edits, ties and bad_prompts are among them. couples: that they
    are about. elsewhere: verdicts on couples that the run has no more. missing: verdicts until there are LEAST.
    shown: the judges' order of all couples that were shown. sample: of the random sample of the pairs. estimate: how
    often the run's pairs are right, from all verdicts by what each stands for. close, disputed, held_back: of couples
    next to the gate, on which judges disagree, and that are no pairs. longer_wins: how often people prefer the longer
    one, chosen_longer: how often it is the judges', on the same couples. first_wins: the one shown first.
    """

    verdicts: int
    couples: int
    edits: int
    ties: int
    bad_prompts: int
    elsewhere: int
    shown: Figure
    sample: Figure
    estimate: Rate
    close: Figure
    disputed: Figure
    held_back: Figure
    judges: Mapping[str, Figure]
    families: Mapping[str, Figure]
    reviewers: Mapping[str, Reviewer]
    between: Mapping[str, Between]
    alpha: float | None
    first_wins: Rate
    longer_wins: Rate
    chosen_longer: Rate
    gate: Gate | None

    @property
    def missing(self) -> int:
        """How many verdicts are to come until agreement is told."""
        return max(0, LEAST - self.verdicts)


def of_run(ledger: Ledger, recipe: Recipe, digest: str) -> Agreement:
    """The agreement of a run, from its ledger.

    Args:
        ledger: the run folder's.
        recipe: that the folder was last run with.
        digest: of the work that the folder was run with last.

    Raises:
        UserError: a file that the [pair] table names cannot be read.
        LedgerError: an earlier version settled these prompts, and did not keep enough.
    """
    items, gates = queue(ledger, recipe, digest)
    return agreement(items, ledger.reviews(), gates)


def agreement(items: Sequence[Item], reviews: Iterable[Review], gates: Gates) -> Agreement:
    """What these reviews say of these couples.

    Args:
        items: the queue.
        reviews: those that stand, the oldest first.
        gates: that made the queue's couples pairs or none.
    """
    found, elsewhere = weighed(items, reviews)
    voices = [voice for one in found for voice in one.voices]
    longer, chosen_longer = _lengths(found)
    return Agreement(
        verdicts=len(voices),
        couples=len(found),
        edits=sum(voice.edited for voice in voices),
        ties=sum(voice.label == 0 for voice in voices),
        bad_prompts=sum(voice.label is None for voice in voices),
        elsewhere=elsewhere,
        shown=_pairs(found),
        sample=_pairs(sampled(found)),
        estimate=accuracy(one for one in found if one.item.exported),
        close=_pairs(one for one in found if one.item.band),
        disputed=_pairs(one for one in found if one.item.disagree),
        held_back=_pairs(one for one in found if not one.item.exported),
        judges=_judges(found),
        families=_by(found, lambda item: item.family),
        reviewers=_reviewers(found),
        between=_between(found),
        alpha=alpha([voice.label for voice in one.voices if voice.label is not None] for one in found),
        first_wins=share_of(voice.label == voice.first for voice in voices if voice.label),
        longer_wins=longer,
        chosen_longer=chosen_longer,
        gate=gate(items, found, gates),
    )


def figure(said: Iterable[tuple[int, int]], ties: bool = True) -> Figure:
    """Of what one, and then people, say of each couple: 1, -1, or 0 for a tie.

    Args:
        said: of each couple.
        ties: whether the one could have said a tie.
    """
    both = list(said)
    decided = [(one, people) for one, people in both if one and people]
    return Figure(
        accuracy=share_of(one == people for one, people in decided),
        ties=sum(people == 0 for _, people in both),
        undecided=sum(one == 0 for one, _ in both),
        kappa=of_couples(both if ties else decided),
    )


def _pairs(found: Iterable[Weighed]) -> Figure:
    """Of the judges' pairs: they say the chosen one."""
    return figure(((1, one.label) for one in found if one.label is not None), ties=False)


def _judges(found: Iterable[Weighed]) -> dict[str, Figure]:
    said: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    for one in found:
        if one.label is not None:
            for judge, order in one.item.orders:
                said[judge].append((order, one.label))
    return {judge: figure(said[judge]) for judge in sorted(said)}


def _by(found: Iterable[Weighed], named: Callable[[Item], str]) -> dict[str, Figure]:
    """The judges' pairs by name; those without one are left out."""
    parts: defaultdict[str, list[Weighed]] = defaultdict(list)
    for one in found:
        parts[named(one.item)].append(one)
    return {name: _pairs(parts[name]) for name in sorted(parts) if name}


# --- people -----------------------------------------------------------------------------------------


def _reviewers(found: Iterable[Weighed]) -> dict[str, Reviewer]:
    said: defaultdict[str, list[tuple[int | None, int]]] = defaultdict(list)
    for one in found:
        for voice in one.voices:
            said[voice.reviewer].append((voice.label, voice.first))
    return {
        name: Reviewer(
            verdicts=len(said[name]),
            pairs=figure(((1, label) for label, _ in said[name] if label is not None), ties=False),
            first_wins=share_of(label == first for label, first in said[name] if label),
        )
        for name in sorted(said)
    }


def _between(found: Iterable[Weighed]) -> dict[str, Between]:
    """Every two people who reviewed the same couples, by their names."""
    said: defaultdict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for one in found:
        labels = sorted((voice.reviewer, voice.label) for voice in one.voices if voice.label is not None)
        for (name, label), (other, another) in combinations(labels, 2):
            said[name, other].append((label, another))
    return {
        f"{name}, {other}": Between(share_of(one == another for one, another in both), of_couples(both))
        for (name, other), both in sorted(said.items())
    }


def _lengths(found: Iterable[Weighed]) -> tuple[Rate, Rate]:
    """How often people, and how often the judges, prefer the longer one of the couples that people decided."""
    leads = [(one.label, one.item.characters[0] - one.item.characters[1]) for one in found if one.label]
    leads = [(label, lead) for label, lead in leads if lead]
    return share_of((label > 0) == (lead > 0) for label, lead in leads), share_of(lead > 0 for _, lead in leads)


# --- in words ---------------------------------------------------------------------------------------


def sentences(of: Agreement) -> list[str]:
    """What all this means, in plain words; the first thing first."""
    if of.missing:
        told_after = f"agreement with the judges is told after {LEAST}, {of.missing} more"
        return [f"{counted(of.verdicts, 'verdict')} so far: {told_after}"]
    told_of = _of_the_run(of)
    if of.gate is not None:
        told_of.append(of.gate.advice.sentence)
    return told_of + _of_people(of)


def counted(count: int, word: str) -> str:
    """Such as "1 verdict", "2 verdicts"."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _of_the_run(of: Agreement) -> list[str]:
    said = []
    if (rate := of.sample.accuracy).n:
        said.append(f"of a random sample of the pairs people prefer the chosen answer in {told(rate)} of {rate.n:,}")
    if (rate := of.estimate).n:
        said.append(f"of all pairs, by all verdicts and what each stands for, in {told(rate)}")
    if (rate := of.shown.accuracy).n:
        said.append(f"of all that was shown, which is mostly what is hard, in {told(rate)} of {rate.n:,}")
    if of.bad_prompts:
        call = "call" if of.bad_prompts > 1 else "calls"
        said.append(f"{counted(of.bad_prompts, 'verdict')} {call} the prompt bad: no dataset should hold it")
    return said


def _of_people(of: Agreement) -> list[str]:
    said = [f"reviewers {names} agree in {told(one.agree)} of {one.agree.n:,}" for names, one in of.between.items()]
    first, longer, judges = of.first_wins, of.longer_wins, of.chosen_longer
    if first.surely(lambda rate: rate > 0.5) or first.surely(lambda rate: rate < 0.5):
        which = "first" if (first.rate or 0) > 0.5 else "second"
        said.append(
            f"people prefer what is shown {which} more often than chance: {told(first)} are for the first; the "
            "figures above tell less for it"
        )
    if longer.rate is not None and judges.rate is not None:
        said.append(f"people prefer the longer answer in {percent(longer.rate)}, the judges in {percent(judges.rate)}")
    return said
