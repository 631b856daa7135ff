"""The protocols that judging.py compares, and how pairsmith itself carries planted prompts through each of them.

Everything that decides is steps.step, asked again until nothing is owed; the judges' noise is measured on the first
prompts as pipeline.py and measuring.py do. Controls decide by themselves. Called by judging.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from statistics import fmean
from typing import TypeAlias

from jinja2 import Template
from planted import JUDGES, Answer, Kind, Planted, Regime, plant

from pairsmith.judge import JudgeWords
from pairsmith.judge.blocks import prompt_blocks
from pairsmith.judge.noise import PROMPTS, estimate
from pairsmith.recipe import Recipe, endpoints, recipe_of
from pairsmith.records import ChatRequest, Outcome, Purpose, RequestId
from pairsmith.steps import Known, Step, begin, step
from pairsmith.work import Work, make_work, measured

CHARS_A_TOKEN, SAID_TOKENS, COMPLAINT_CHARS = 4, 60, 400
BASELINE = "best judge, every close pair duelled"
REPEATS = 8

# --- what is compared -------------------------------------------------------------------------------

Protocol: TypeAlias = "tuple[dict[str, object], dict[str, object]]"
Control: TypeAlias = "Callable[[Planted, Sequence[Answer], Random], Mapping[Answer, float]]"

LADDER = ["weak", "middle", "frontier"]
ON_POLICY = (0.4, 0.6, 0.8, 1.4)
USUAL = 0.8  # the spread at which the judges are changed


def regimes() -> dict[str, Regime]:
    """Each by its name."""
    weak = {name: replace(JUDGES["weak"], family=JUDGES[name].family) for name in LADDER}
    hard = {"call": 0.9, "of_family": 0.7}
    found = [
        Regime("easy", 2.0),
        Regime("hard", 1.4, _judges(**hard), shared=0.8, adversarial=0.1),
        Regime("weak judge", USUAL, {**JUDGES, **weak}),
        *(Regime(f"on-policy {spread}", spread) for spread in ON_POLICY),
        Regime("position 1.0", USUAL, _judges(position=1.0)),
        Regime("length 0.5", USUAL, _judges(length=0.5)),
        Regime("unreliable", USUAL, _judges(unreadable=0.05), failing=0.02),
    ]
    return {regime.name: regime for regime in found}


def _judges(**changes: float) -> dict[str, Kind]:
    """The judges, each that is a chat model changed."""
    return {name: kind if name == "reward" else replace(kind, **changes) for name, kind in JUDGES.items()}


PROTOCOLS: dict[str, Protocol] = {  # by name: [judge], and [pair] but for the floor
    BASELINE: ({"panel": ["frontier"]}, {"min_gap": 3.0}),
    "the same, floor 6 (defaults)": ({"panel": ["frontier"]}, {"min_gap": 3.0, "chosen_floor": 6.0}),
    "min_gap 2": ({"panel": ["frontier"]}, {"min_gap": 2.0}),
    "value": ({"panel": ["frontier"], "escalate": "value"}, {"min_gap": 3.0}),
    "auto": ({"panel": ["frontier"]}, {"min_gap": "auto"}),
    "auto, value": ({"panel": ["frontier"], "escalate": "value"}, {"min_gap": "auto"}),
    "ladder, distance 2, 1": ({"panel": LADDER, "escalate_within": [2.0, 1.0]}, {"min_gap": 3.0}),
    "ladder, value": ({"panel": LADDER, "escalate": "value"}, {"min_gap": 3.0}),
    "ladder, value, auto": ({"panel": LADDER, "escalate": "value"}, {"min_gap": "auto"}),
    "reward, then value": ({"panel": ["reward", "frontier"], "escalate": "value"}, {"min_gap": 3.0}),
    "reward, then value, auto": ({"panel": ["reward", "frontier"], "escalate": "value"}, {"min_gap": "auto"}),
    "rank": ({"panel": ["frontier"], "protocol": "rank"}, {}),
    "rank, two judges": ({"panel": ["frontier", "middle"], "protocol": "rank"}, {}),
    "rank, conflicts compared": ({"panel": ["frontier"], "protocol": "rank", "rank_conflict": "duel"}, {}),
    "duel": ({"panel": ["frontier"], "protocol": "duel"}, {}),
}


def recipe(judge: Mapping[str, object], pair: Mapping[str, object]) -> Recipe:
    """The recipe of a protocol: five answers of one student; any answer may be the chosen one."""
    models: dict[str, dict[str, object]] = {name: {"model": name, "base_url": "http://nowhere/v1"} for name in JUDGES}
    models["reward"]["kind"] = "reward"
    by_points = {"chosen_floor": 1.0, **pair} if judge.get("protocol", "score") == "score" else {}
    table = {
        "name": "planted",
        "prompts": {"path": "-"},
        "endpoints": {"student": {"model": "student", "base_url": "http://nowhere/v1"}, **models},
        "sample": {"endpoints": ["student"], "completions": 5, "temperature": [1.0]},
        "judge": judge,
        "pair": by_points,
    }
    return recipe_of(table, "benchmark")


# --- words ------------------------------------------------------------------------------------------

# The first characters of an answer hold its marker.
ONE = Template("{{ answer[:12] }}")
ALL = Template("{% for one in answers %}{{ one.label }} {{ one.text[:12] }}\n{% endfor %}")
NOTHING = Template("")
SHORT_WORDS = JudgeWords(NOTHING, ONE, NOTHING, ALL, NOTHING, ALL, NOTHING, NOTHING, NOTHING, "")


def fixed_chars(work: Work, planted: Planted) -> dict[Purpose, int]:
    """What of each kind of request is not answers, in characters of the real templates."""
    words, blocks = work.panel.words, prompt_blocks(planted.prompt)
    known = {"criterion": "", "answers": [], "answer": ""}
    return {
        Purpose.SCORE: len(words.general.score) + len(words.score_user.render(blocks, **known)),
        Purpose.DUEL: len(words.general.duel) + len(words.duel_user.render(blocks, **known)),
        Purpose.RANK: len(words.general.rank) + len(words.rank_user.render(blocks, **known)),
    }


# --- one run ----------------------------------------------------------------------------------------


@dataclass(slots=True)
class Tally:
    """What one protocol comes to in one regime, over all seeds."""

    prompts: int = 0
    calls: int = 0
    free: int = 0  # calls of the reward model
    tokens: int = 0
    pairs: int = 0
    right: int = 0
    longer: int = 0
    by_gap: int = 0  # pairs that needed no duel, and of them the right ones
    by_gap_right: int = 0
    quality: float = 0.0
    gaps: list[float] = field(default_factory=list)  # what min_gap was, by seed

    def take(self, chosen: Answer, rejected: Answer, siblings: Sequence[Answer], by_gap: bool = False) -> None:
        """One more pair."""
        right = chosen.quality > rejected.quality
        self.pairs += 1
        self.right += right
        self.by_gap += by_gap
        self.by_gap_right += by_gap and right
        self.longer += len(chosen.text) > len(rejected.text)
        self.quality += chosen.quality - fmean(one.quality for one in siblings)

    @property
    def produce(self) -> float:
        """Pairs a prompt."""
        return self.pairs / max(1, self.prompts)

    @property
    def order(self) -> float:
        """Right pairs of all pairs."""
        return self.right / max(1, self.pairs)

    @property
    def price(self) -> float:
        """Calls a right pair; the reward model's are not counted."""
        return self.calls / max(1, self.right)


@dataclass(slots=True)
class Paid:
    """What one protocol has asked about one prompt, and what came back."""

    requests: list[ChatRequest] = field(default_factory=list)
    outcomes: dict[RequestId, Outcome] = field(default_factory=dict)


class Desk:
    """The prompts of one regime and seed, and every reply that any protocol has asked for."""

    def __init__(self, regime: Regime, seed: int, prompts: int) -> None:
        self.planted = [plant(regime, seed, number) for number in range(prompts)]
        self._replies: list[dict[RequestId, Outcome]] = [{} for _ in self.planted]
        self._known: list[Known | None] = [None] * prompts

    def carry(self, number: int, work: Work, paid: Paid, measuring: bool = False) -> Step:
        """Ask what a prompt owes and answer it, until nothing is owed."""
        planted, replies = self.planted[number], self._replies[number]
        known = self._known[number] = self._known[number] or begin(planted.prompt, work)
        places = {request.id: place for place, (_, request) in enumerate(known.draws)}
        while (now := step(planted.prompt, known, paid.outcomes, work, measuring)).owed:
            for request in now.owed:
                if request.id not in replies:
                    place = places.get(request.id)
                    replies[request.id] = planted.judged(request) if place is None else planted.sampled(request, place)
                paid.outcomes[request.id] = replies[request.id]
                paid.requests.append(request)
        return now

    def usable(self, number: int) -> list[Answer]:
        """The answers of a prompt that no screen takes out, once it has been carried."""
        known = self._known[number]
        completions = (known.completions if known else None) or ()
        return [self.planted[number].by_text[one.text] for one in completions if not one.flags]


def run(desk: Desk, work: Work, fixed: Mapping[Purpose, int], tally: Tally) -> None:
    """All prompts of a desk by one protocol, in the order of pipeline.py: measure the first, then carry all."""
    paid = [Paid() for _ in desk.planted]
    if work.panel.noise is None:
        work = _measure(desk, work, paid)
    if work.recipe.judge.protocol == "score":
        tally.gaps.append(work.pair.least_gap)
    for number, planted in enumerate(desk.planted):
        settled = desk.carry(number, work, paid[number])
        tally.prompts += 1
        _count(planted, paid[number].requests, fixed, tally)
        if settled.kind == "pair":
            _take(desk, number, settled, tally)


def _measure(desk: Desk, work: Work, paid: Sequence[Paid]) -> Work:
    """As measuring.py does."""
    first = [desk.carry(number, work, paid[number], measuring=True) for number in range(min(PROMPTS, len(paid)))]
    found = [now.measured for now in first if now.measured is not None]
    rewards = frozenset(judge.name for judge in work.panel.judges if judge.kind == "reward")
    return measured(work, estimate(found, [judge.name for judge in work.panel.judges], rewards))


def _count(planted: Planted, requests: Sequence[ChatRequest], fixed: Mapping[Purpose, int], tally: Tally) -> None:
    for request in requests:
        if request.purpose is Purpose.SAMPLE:
            continue
        if request.endpoint == "reward":
            tally.free += 1
            continue
        answers = sum(len(answer.text) for answer in planted.shown(request))
        chars = fixed[request.purpose] + answers + COMPLAINT_CHARS * (request.draw == 1)
        tally.calls += 1
        tally.tokens += chars // CHARS_A_TOKEN + SAID_TOKENS


def _take(desk: Desk, number: int, settled: Step, tally: Tally) -> None:
    assert settled.body is not None
    pair, known = settled.body["pair"], desk.planted[number].by_text
    assert isinstance(pair, dict)
    texts = {one.id: one.text for one in settled.completions}
    chosen, rejected = (known[texts[pair[side]["completion"]]] for side in ("chosen", "rejected"))
    tally.take(chosen, rejected, desk.usable(number), pair["provenance"]["rule"] == "gap")


# --- controls ---------------------------------------------------------------------------------------


def truth(planted: Planted, answers: Sequence[Answer], dice: Random) -> Mapping[Answer, float]:
    """What no judge can know."""
    return {answer: answer.quality for answer in answers}


def by_lot(planted: Planted, answers: Sequence[Answer], dice: Random) -> Mapping[Answer, float]:
    """Any two."""
    return {answer: dice.random() for answer in answers}


def longest(planted: Planted, answers: Sequence[Answer], dice: Random) -> Mapping[Answer, float]:
    """The longest against the shortest."""
    return {answer: len(answer.text) for answer in answers}


def everybody(planted: Planted, answers: Sequence[Answer], dice: Random) -> Mapping[Answer, float]:
    """The mean of all chat judges, each asked eight times, without a gate."""
    return {
        answer: fmean(planted.points(role, answer, dice) for role in LADDER for _ in range(REPEATS))
        for answer in answers
    }


CONTROLS: dict[str, tuple[Control, int]] = {  # with the calls for one answer
    "control: the truth": (truth, 0),
    "control: any two": (by_lot, 0),
    "control: longest wins": (longest, 0),
    "control: all judges eight times": (everybody, REPEATS * len(LADDER)),
}


def control(desk: Desk, worth: Control, calls: int, fixed: Mapping[Purpose, int], tally: Tally) -> None:
    """The best against the worst by one measure, without any gate but that a tie is no preference."""
    for number, planted in enumerate(desk.planted):
        tally.prompts += 1
        answers = desk.usable(number)
        if len(answers) < 2:
            continue
        points = worth(planted, answers, Random(f"control {planted.seed} {number}"))
        chosen, rejected = max(answers, key=points.__getitem__), min(answers, key=points.__getitem__)
        tally.calls += calls * len(answers)
        chars = sum(fixed[Purpose.SCORE] + len(answer.text) for answer in answers)
        tally.tokens += calls * (chars // CHARS_A_TOKEN + SAID_TOKENS * len(answers))
        if points[chosen] > points[rejected]:
            tally.take(chosen, rejected, answers)


# --- all of it --------------------------------------------------------------------------------------

Table: TypeAlias = "dict[str, Tally]"  # of one regime, by protocol


def tabulate(regime: Regime, prompts: int, seeds: int, protocols: Mapping[str, Protocol]) -> Table:
    """Every protocol and control in one regime."""
    works = {name: make_work(made := recipe(*protocol), endpoints(made, {})) for name, protocol in protocols.items()}
    fixed = fixed_chars(next(iter(works.values())), plant(regime, 0, 0))
    table = {name: Tally() for name in (*works, *CONTROLS)}
    for seed in range(seeds):
        desk = Desk(regime, seed, prompts)
        for name, work in works.items():
            run(desk, replace(work, panel=replace(work.panel, words=SHORT_WORDS)), fixed, table[name])
        for name, (worth, calls) in CONTROLS.items():
            control(desk, worth, calls, fixed, table[name])
    return table


def tables(prompts: int, seeds: int, names: Iterable[str] = ()) -> Iterator[tuple[str, Table]]:
    """The table of each regime, as soon as it is there."""
    known = regimes()
    for name in names or known:
        yield name, tabulate(known[name], prompts, seeds, PROTOCOLS)
