"""A world with planted truth: answers whose quality is known, and judges that err by known amounts.

What an answer is worth, how long it is, what each judge thinks of it and the chance in each reply are drawn by seed,
prompt and request alone: protocols that ask the same question get the same answer, and regimes differ in nothing but
what they are about. The judges are held against recorded ones by `calibration`. Called by judging.py.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random
from statistics import correlation, fmean, variance
from string import ascii_uppercase

from pairsmith.records import ChatRequest, Failure, FailureKind, Message, Outcome, Prompt, Purpose, Reply, prompt_id

ANSWERS = 5
MEAN, MEAN_SPREAD = 6.5, 1.2  # of the prompts' means, in points: some prompts are harder for the student than others
LENGTH_OF_QUALITY = 0.3  # correlation of the logarithm of the length with quality
TYPICAL_CHARS, LENGTH_SPREAD = 900, 0.5
REFUSALS, CUT_OFF, DUPLICATES = 0.02, 0.03, 0.04  # shares; none of these is judged
POOR = 1.5  # spreads below its siblings: an adversarial answer
FLOOR_NOISE = 0.2  # points: no judge repeats itself better than that, however alike the answers are
LONG = 1.5  # deviations: how long such an answer is
APART_MEAN, APART = 5.2, 2.0  # mean and spread of answers that are planted apart, as in RewardBench 2
ADVERSARIAL_LEAD, ADVERSARIAL_SPREAD = -1.04, 1.5  # so that the longer one is better in 15 % of such items
FAMILIES = ("one", "two", "three", "reward")
ROLES = ("weak", "middle", "frontier", "reward")
PROMPT_CHARS = 240
REFUSED = "I'm sorry, but I can't help with that."
UNREADABLE = "Both have their merits, and much depends on what the reader expects."
MARKER = re.compile(r"\[p\d+:c(\d+)\]")


@dataclass(frozen=True, slots=True)
class Kind:
    """How one judge errs: `call`, `own` and `of_family` in spreads of quality within a prompt, the rest in points.

    Attributes:
        call: of each call anew.
        own, of_family: of an answer, the same in every call: its own, and what its family shares.
        length: what being one deviation longer is worth.
        charm: what polish without substance is worth.
        position: what standing first of two is worth; in a list of N from first to last N / 2 times that.
        tie: below this distance two answers are a tie.
        unreadable: share of replies that hold no verdict.
    """

    family: str
    call: float
    own: float
    of_family: float
    length: float = 0.0
    charm: float = 0.0
    position: float = 0.0
    tie: float = 0.1
    offset: float = 0.0
    scale: float = 1.0
    unreadable: float = 0.0


JUDGES: dict[str, Kind] = {
    "weak": Kind("one", 0.74, 0.20, 0.35, 0.30, 2.7, 1.4, 0.30, offset=0.6, scale=0.9, unreadable=0.045),
    "middle": Kind("two", 0.32, 0.30, 0.20, 0.15, 1.1, -0.15, 0.25, offset=0.3, unreadable=0.01),
    "frontier": Kind("three", 0.20, 0.20, 0.15, 0.05, 0.3, 0.15, 0.25, unreadable=0.001),
    "reward": Kind("reward", 0.0, 0.60, 0.0, 0.20, 1.0, offset=-9.0, scale=1.7),
}


# Of a weak, a middle and a frontier judge: from replayed verdicts and papers (docs/judging.md), November 2026.
_TABLE = (
    ("call noise, share", "0.32", "0.10", "0.06"),
    ("correlation between", "0.79", "0.87", "0.91"),
    ("correlation within", "0.84", "0.87", "0.92"),
    ("tie at the top", "0.27", "0.21", "0.17"),
    ("conflict", "0.3-0.6", "0.15-0.2", "0.05-0.2"),
    ("says the first", "0.65-0.78", "0.40-0.55", "0.50-0.53"),
    ("longer on adversarial", "0.69", "0.45", "0.25"),
    ("unreadable", "0.03-0.06", "0.01", "0.001"),
)
RECORDED = {
    judge: {name: values[place] for name, *values in _TABLE}
    for place, judge in enumerate(("weak", "middle", "frontier"))
}


@dataclass(frozen=True, slots=True)
class Regime:
    """One kind of run. `spread` is the deviation of quality within a prompt, `shared` the error of all judges alike.

    `judges` by role; `failing` is the share of calls that fail for good.
    """

    name: str
    spread: float
    judges: Mapping[str, Kind] = field(default_factory=lambda: JUDGES)
    shared: float = 0.3  # in spreads
    adversarial: float = 0.05
    failing: float = 0.0

    def call_noise(self, role: str) -> float:
        """The deviation of one call's own error, in points."""
        return math.hypot(self.judges[role].call * self.spread, FLOOR_NOISE if role != "reward" else 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """One answer: quality in points, length in deviations, and what each judge thinks of it but for a call's noise."""

    text: str
    finish_reason: str
    quality: float
    length: float
    polished: bool
    seen: Mapping[str, float]


@dataclass(frozen=True)
class Planted:
    """One prompt with its answers, and the judges' replies to whatever is asked about it."""

    prompt: Prompt
    answers: tuple[Answer, ...]
    regime: Regime
    seed: int

    @cached_property
    def by_text(self) -> Mapping[str, Answer]:
        """What is planted in an answer; a duplicate is the answer it repeats."""
        return {answer.text: answer for answer in self.answers}

    def sampled(self, request: ChatRequest, place: int) -> Outcome:
        """The student's answer number `place`."""
        answer = self.answers[place]
        return Reply(request.id, answer.text, answer.finish_reason, model="student", simulated=True)

    def shown(self, request: ChatRequest) -> list[Answer]:
        """The answers that a judge is shown, in their order."""
        return [self.answers[int(place)] for place in MARKER.findall(_words(request))]

    def judged(self, request: ChatRequest) -> Outcome:
        """A judge's reply."""
        dice = Random(f"{self.seed} {request.id}")
        role, chance = str(request.endpoint), dice.random()
        if chance < self.regime.failing:
            return Failure(request.id, FailureKind.PERMANENT, "content_filter")
        if chance < self.regime.failing + self.regime.judges[role].unreadable:
            return Reply(request.id, UNREADABLE, "stop", simulated=True)
        shown = self.shown(request)
        said = _VERDICTS[request.purpose](self, role, shown, dice) if role != "reward" else _reward(role, shown)
        return Reply(request.id, json.dumps(said), "stop", simulated=True)

    def points(self, role: str, answer: Answer, dice: Random) -> int:
        """What a judge gives an answer in one call, in whole points."""
        noise = self.regime.judges[role].scale * self.regime.call_noise(role) * dice.gauss()
        return round(min(10.0, max(1.0, answer.seen[role] + noise)))

    def compared(self, role: str, first: Answer, second: Answer, dice: Random) -> float:
        """By how much a judge puts the one shown first above the other in one call; within its tie band: a tie."""
        kind = self.regime.judges[role]
        noise = kind.scale * self.regime.call_noise(role) * math.sqrt(2) * dice.gauss()
        lead = first.seen[role] - second.seen[role] + noise + kind.position
        return 0.0 if abs(lead) < kind.tie else lead


def _words(request: ChatRequest) -> str:
    messages = request.body["messages"]
    assert isinstance(messages, list)
    asked = messages[-1] if request.endpoint == "reward" else messages[1]
    assert isinstance(asked, dict)
    return str(asked["content"])


# --- what judges say ------------------------------------------------------------------------------


def _score(planted: Planted, role: str, shown: Sequence[Answer], dice: Random) -> object:
    return {"rationale": "", "score": planted.points(role, shown[0], dice)}


def _duel(planted: Planted, role: str, shown: Sequence[Answer], dice: Random) -> object:
    lead = planted.compared(role, shown[0], shown[1], dice)
    return {"rationale": "", "winner": "tie" if lead == 0 else "A" if lead > 0 else "B"}


def _ranking(planted: Planted, role: str, shown: Sequence[Answer], dice: Random) -> object:
    kind, count = planted.regime.judges[role], len(shown)
    noise = kind.scale * planted.regime.call_noise(role)
    worth = {
        ascii_uppercase[place]: answer.seen[role]
        + noise * dice.gauss()
        + kind.position * count / 2 * (0.5 - place / max(1, count - 1))
        for place, answer in enumerate(shown)
    }
    return {"rationale": "", "ranking": sorted(worth, key=lambda label: -worth[label])}


def _reward(role: str, shown: Sequence[Answer]) -> object:
    return {"reward": shown[0].seen[role]}


_VERDICTS = {Purpose.SCORE: _score, Purpose.DUEL: _duel, Purpose.RANK: _ranking}


# --- planting -------------------------------------------------------------------------------------


def plant(regime: Regime, seed: int, number: int) -> Planted:
    """Prompt number N and its answers; with one seed the same draws in every regime."""
    dice = Random(f"{seed} {number}")
    mean = MEAN + MEAN_SPREAD * dice.gauss()
    answers: list[Answer] = []
    for place in range(ANSWERS):
        answers.append(_answer(regime, mean, f"[p{number}:c{place}]", answers, dice))
    content = f"Question {number} of seed {seed}: ".ljust(PROMPT_CHARS, "?")
    messages: tuple[Message, ...] = ({"role": "user", "content": content},)
    prompt = Prompt(prompt_id(messages, (), None, None), messages, ordinal=number)
    return Planted(prompt, tuple(answers), regime, seed)


def _answer(regime: Regime, mean: float, marker: str, before: Sequence[Answer], dice: Random) -> Answer:
    """One answer; always as many draws, so that a regime changes nothing but its own."""
    worth, long = dice.gauss(), dice.gauss()
    errors = _errors(dice)
    fate, polished = dice.random(), dice.random() < regime.adversarial
    length = LENGTH_OF_QUALITY * worth + math.sqrt(1 - LENGTH_OF_QUALITY**2) * long
    if polished:
        worth, length = worth - POOR, LONG + 0.5 * long
    answer = _seen(regime, mean + regime.spread * worth, length, polished, errors)
    if fate < REFUSALS:
        return replace(answer, text=REFUSED)
    if before and fate > 1 - DUPLICATES:
        return before[-1]
    chars = int(TYPICAL_CHARS * math.exp(LENGTH_SPREAD * length))
    finish = "length" if fate < REFUSALS + CUT_OFF else "stop"
    return replace(answer, text=f"{marker} ".ljust(chars, "x"), finish_reason=finish)


def _errors(dice: Random) -> dict[str, float]:
    """What is got wrong about one answer every time: by all judges, by a family, by one judge."""
    return {name: dice.gauss() for name in ("all", *FAMILIES, *ROLES)}


def _seen(regime: Regime, quality: float, length: float, polished: bool, errors: Mapping[str, float]) -> Answer:
    seen = {}
    for role, kind in regime.judges.items():
        error = regime.shared * errors["all"] + kind.of_family * errors[kind.family] + kind.own * errors[role]
        view = quality + regime.spread * error + kind.length * length + kind.charm * polished
        seen[role] = 5.5 + kind.offset + kind.scale * (view - 5.5)
    return Answer("", "stop", quality, length, polished, seen)


# --- held against real judges -----------------------------------------------------------------------


def calibration(judge: str, prompts: int, seed: int = 0) -> dict[str, float]:
    """What RECORDED says of real judges, of a planted one: four answers a prompt, planted far apart.

    `between` and `within` correlate its scores with those of a strong judge of another and of its own family.
    """
    peers = {"weak": JUDGES[judge], "middle": JUDGES["frontier"], "frontier": JUDGES["frontier"]}
    other = replace(peers["middle"], family="two" if JUDGES[judge].family != "two" else "three")
    own = replace(peers["frontier"], family=JUDGES[judge].family)
    regime = Regime("apart", APART, {"weak": JUDGES[judge], "middle": other, "frontier": own}, adversarial=0.0)
    dice = Random(f"calibration {judge} {seed}")
    found: dict[str, list[float]] = {name: [] for name in ("tie", "conflict", "first", "longer", "call", "variance")}
    points: list[tuple[int, int, int]] = []
    for number in range(prompts):
        planted, mean = plant(regime, seed, number), APART_MEAN + MEAN_SPREAD * dice.gauss()
        four = [_seen(regime, mean + APART * dice.gauss(), dice.gauss(), False, _errors(dice)) for _ in range(4)]
        once = [planted.points("weak", answer, dice) for answer in four]
        again = [planted.points("weak", answer, dice) for answer in four]
        points += [
            (value, planted.points("middle", a, dice), planted.points("frontier", a, dice))
            for value, a in zip(once, four, strict=True)
        ]
        found["tie"].append(once.count(max(once)) > 1)
        found["variance"].append(variance(once))
        found["call"].append(fmean((a - b) ** 2 / 2 for a, b in zip(once, again, strict=True)))
        forth, back = (planted.compared("weak", *two, dice) for two in (four[:2], four[1::-1]))
        found["conflict"].append((forth > 0) != (back < 0) or (forth == 0) != (back == 0))
        found["first"] += [lead > 0 for lead in (forth, back) if lead]
        found["longer"] += _fooled(planted, dice)
    said = {name: fmean(values) for name, values in found.items()}
    weak, between, within = zip(*points, strict=True)
    return {
        "call noise, share": said["call"] / said["variance"],
        "correlation between": correlation(weak, between),
        "correlation within": correlation(weak, within),
        "tie at the top": said["tie"],
        "conflict": said["conflict"],
        "says the first": said["first"],
        "longer on adversarial": said["longer"],
        "unreadable": JUDGES[judge].unreadable,
    }


def _fooled(planted: Planted, dice: Random) -> list[float]:
    """Whether a judge prefers a long, polished answer to a plain one that is better in 85 % of the cases."""
    worse = ADVERSARIAL_LEAD * ADVERSARIAL_SPREAD + ADVERSARIAL_SPREAD * dice.gauss()
    plain = _seen(planted.regime, MEAN, 0.0, False, _errors(dice))
    poor = _seen(planted.regime, MEAN + worse, LONG, True, _errors(dice))
    forth, back = planted.compared("weak", poor, plain, dice), planted.compared("weak", plain, poor, dice)
    return [float(lead > 0) for lead in (forth, -back) if lead]
