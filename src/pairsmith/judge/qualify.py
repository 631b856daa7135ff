"""Qualifying a judge: what it is asked about anchors, how well it did, and whether that is enough.

`exam` says for ONE judge and ONE anchor what was said and what is still owed; `measured` counts over all of them;
`ruling` holds the counts against the bar. Pure: qualifying.py pays. The words and bodies are those of a run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, TypeAlias, TypeVar

from pairsmith.judge.anchors import Anchor
from pairsmith.judge.asking import Complaint, Standing, standing
from pairsmith.judge.case import Panel
from pairsmith.judge.duel import LABELS, Order, both_orders, duel_request
from pairsmith.judge.rates import Rate, bar, share, share_of, told
from pairsmith.judge.score import score_request
from pairsmith.judge.verdicts import DuelVerdict, ScoreVerdict, Unreadable, read_duel, read_score
from pairsmith.records import ChatRequest, CompletionId, Endpoint, Outcome, Reply, RequestId

Side: TypeAlias = Literal["good", "bad", "neither"]
Verdict: TypeAlias = Literal["qualified", "warning", "disqualified"]
Ask: TypeAlias = Callable[[Complaint | None], ChatRequest]
V = TypeVar("V", ScoreVerdict, DuelVerdict)

# The bar. A judge is disqualified when the whole interval lies on the wrong side, else warned of.
ADVERSARIAL_AT_LEAST = 0.70
CONFLICTS_AT_MOST = 0.30
UNREADABLE_AT_MOST = 0.02
PLAIN_AT_LEAST = 0.70  # warns only
FEW = 20  # anchors with a verdict, below which nothing is said for sure


# --- one judge, one anchor --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Exam:
    """What one judge said to one anchor.

    `scores` are of the good answer and of the bad one, empty where the protocol has none; `duels` are both orders;
    `replies` is everything it answered, readable or not.
    """

    anchor: Anchor
    scores: tuple[Standing[ScoreVerdict], ...]
    duels: tuple[tuple[Order, Standing[DuelVerdict]], ...]
    replies: tuple[Reply, ...]

    @property
    def standings(self) -> tuple[Standing[Any], ...]:
        """Where each of its questions stands."""
        return (*self.scores, *(stands for _, stands in self.duels))

    @property
    def owed(self) -> tuple[ChatRequest, ...]:
        """What is still to be asked."""
        return tuple(stands.owed for stands in self.standings if stands.owed is not None)

    @property
    def points(self) -> tuple[float, float] | None:
        """The scores of the good answer and of the bad one; None unless both could be read."""
        read = [stands.verdict.score for stands in self.scores if stands.verdict is not None]
        return (read[0], read[1]) if len(read) == 2 else None

    @property
    def winners(self) -> tuple[Side, ...]:
        """Who won the duels that could be read, in the order of `duels`; "neither" is a tie."""
        return tuple(self._side(order, stands) for order, stands in self.duels if stands.verdict is not None)

    def _side(self, order: Order, stands: Standing[DuelVerdict]) -> Side:
        assert stands.verdict is not None
        winner = order.duel(stands.verdict, stands.request_id).winner
        sides: dict[CompletionId | None, Side] = {self.anchor.good.id: "good", self.anchor.bad.id: "bad"}
        return sides.get(winner, "neither")

    @property
    def agreed(self) -> Side | None:
        """Whom both orders prefer; "neither" when they tie or contradict each other, None unless both could be read."""
        if len(self.winners) < 2:
            return None
        return self.winners[0] if len(set(self.winners)) == 1 else "neither"

    @property
    def preferred(self) -> Side | None:
        """The judge's verdict as a run would take it: by the scores, and where these tie or are none, by the duels.

        None when it could not be read.
        """
        if not self.scores:
            return self.agreed
        if self.points is None:
            return None
        good, bad = self.points
        return (self.agreed or "neither") if good == bad else "good" if good > bad else "bad"


def exam(anchor: Anchor, judge: Endpoint, panel: Panel, outcomes: Mapping[RequestId, Outcome]) -> Exam:
    """Follow every question about one anchor through its outcomes.

    The score protocol scores each answer alone and compares them in both orders, as close calls are in a run:
    four calls. The others compare only: two. Where rubrics go by task families, the anchor's own holds.
    """
    prompt = anchor.prompt
    if panel.words.rubrics:
        prompt = replace(prompt, meta={**prompt.meta, "family": anchor.family})
    words, settings, structured = panel.words, panel.settings, panel.structured[judge.name]
    replies: list[Reply] = []

    def follow(request: Ask, read: Callable[[str], V | Unreadable]) -> Standing[V]:
        stands = standing(request, read, outcomes)
        asked = {request(None).id, stands.request_id}
        replies.extend(reply for ident in sorted(asked) if isinstance(reply := outcomes.get(ident), Reply))
        return stands

    scores: tuple[Standing[ScoreVerdict], ...] = ()
    if has_scores(settings.protocol):
        scores = tuple(
            follow(partial(score_request, prompt, side, judge, words, settings, structured), read_score)
            for side in (anchor.good, anchor.bad)
        )
    duels = tuple(
        (
            order,
            follow(
                partial(duel_request, prompt, order, words, settings, structured),
                partial(read_duel, labels=LABELS),
            ),
        )
        for order in both_orders(anchor.prompt.id, anchor.good, anchor.bad, (judge,), panel.seed)
    )
    return Exam(anchor, scores, duels, tuple(replies))


def has_scores(protocol: str) -> bool:
    """Whether a protocol knows points; the others only compare."""
    return protocol == "score"


# --- all anchors ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How often the good answer was preferred; a tie that the duels do not break counts as not right."""

    plain: Rate
    adversarial: Rate
    by_trap: Mapping[str, Rate]
    by_family: Mapping[str, Rate]


@dataclass(frozen=True, slots=True)
class Measured:
    """How one judge did; what could not be read is in no rate but `unreadable`.

    score_accuracy: the good answer has more points; an equal score is not right, and counted in `ties`.
    duel_accuracy: both orders name the good one.
    conflicts: the two orders disagree; a tie in one of them only is a conflict.
    first_wins: of the duels with a winner. longer_wins: of the anchors with a preference, by characters, and
    longer_is_good what it should be on the same anchors.
    ties: equal scores; without scores, both orders tie. unreadable: of all replies. failed: questions.
    """

    accuracy: Accuracy
    score_accuracy: Rate
    duel_accuracy: Rate
    conflicts: Rate
    first_wins: Rate
    longer_wins: Rate
    longer_is_good: Rate
    ties: Rate
    unreadable: Rate
    failed: int
    missed: tuple[str, ...]  # the ids of the anchors where the good answer was not preferred


def measured(exams: Sequence[Exam]) -> Measured:
    """Count over everything that ONE judge said."""
    points = [exam.points for exam in exams if exam.points is not None]
    pairs = [exam.winners for exam in exams if len(exam.winners) == 2]
    ties = [good == bad for good, bad in points] if any(e.scores for e in exams) else [
        set(pair) == {"neither"} for pair in pairs
    ]  # fmt: skip
    longer = [(exam.preferred == _longer(exam), _longer(exam) == "good") for exam in exams if _by_length(exam)]
    stand = [stands for exam in exams for stands in exam.standings]
    return Measured(
        accuracy=_accuracy(exams),
        score_accuracy=share_of(good > bad for good, bad in points),
        duel_accuracy=share_of(set(pair) == {"good"} for pair in pairs),
        conflicts=share_of(len(set(pair)) > 1 for pair in pairs),
        first_wins=share_of(_first_wins(exams)),
        longer_wins=share_of(wins for wins, _ in longer),
        longer_is_good=share_of(good for _, good in longer),
        ties=share_of(ties),
        unreadable=share(sum(s.reasked + s.unreadable for s in stand), sum(len(exam.replies) for exam in exams)),
        failed=sum(stands.failure is not None for stands in stand),
        missed=tuple(exam.anchor.id for exam in exams if exam.preferred in ("bad", "neither")),
    )


def _accuracy(exams: Sequence[Exam]) -> Accuracy:
    kinds: defaultdict[str, list[bool]] = defaultdict(list)
    traps: defaultdict[str, list[bool]] = defaultdict(list)
    families: defaultdict[str, list[bool]] = defaultdict(list)
    for exam in exams:
        if exam.preferred is None:
            continue
        right = exam.preferred == "good"
        kinds[exam.anchor.kind].append(right)
        families[exam.anchor.family].append(right)
        if exam.anchor.trap is not None:
            traps[exam.anchor.trap].append(right)
    by_trap, by_family = ({name: share_of(said) for name, said in sorted(by.items())} for by in (traps, families))
    return Accuracy(share_of(kinds["plain"]), share_of(kinds["adversarial"]), by_trap, by_family)


def _longer(exam: Exam) -> Side:
    good, bad = len(exam.anchor.good.text), len(exam.anchor.bad.text)
    return "neither" if good == bad else "good" if good > bad else "bad"


def _by_length(exam: Exam) -> bool:
    """Whether the anchor says something about a taste for length."""
    return exam.preferred in ("good", "bad") and _longer(exam) != "neither"


def _first_wins(exams: Sequence[Exam]) -> list[bool]:
    return [
        stands.verdict.winner == LABELS[0]
        for exam in exams
        for _, stands in exam.duels
        if stands.verdict is not None and stands.verdict.winner in LABELS
    ]


# --- the bar ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ruling:
    """The verdict on a judge and, unless it is "qualified", the reasons, the gravest first."""

    verdict: Verdict
    reasons: tuple[str, ...] = ()


def ruling(found: Measured) -> Ruling:
    """Hold what was measured against the bar."""
    grave: list[str] = []
    light: list[str] = []
    for name, rate, limit, below in (
        ("adversarial", found.accuracy.adversarial, ADVERSARIAL_AT_LEAST, True),
        ("conflicts", found.conflicts, CONFLICTS_AT_MOST, False),
        ("unreadable", found.unreadable, UNREADABLE_AT_MOST, False),
    ):
        wrong = partial(_misses, limit=limit, below=below)
        reason = f"{name} {told(rate)}, {'below' if below else 'above'} {bar(limit)}"
        if rate.surely(wrong):
            grave.append(reason)
        elif rate.perhaps(wrong):
            light.append(f"{reason}, which may be chance")
    plain, judged = found.accuracy.plain, found.accuracy.plain.n + found.accuracy.adversarial.n
    if plain.perhaps(partial(_misses, limit=PLAIN_AT_LEAST, below=True)):
        light.append(f"plain {told(plain)}, below {bar(PLAIN_AT_LEAST)}")
    if judged < FEW:
        light.append(f"only {judged} anchors have a verdict: too few to be sure of anything")
    verdict: Verdict = "disqualified" if grave else "warning" if light else "qualified"
    return Ruling(verdict, (*grave, *light))


def _misses(value: float, limit: float, below: bool) -> bool:
    return value < limit if below else value > limit
