"""The judges: they know the planted quality of an answer and err on purpose, each in its own way.

Calibrated to "A simulation with planted truth" in JUDGING.md (November 2026): JUDGES below is where to
change them. A verdict depends on the server's seed, the model, the answers and the Idempotency-Key alone.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from pairsmith.simulator.asking import Question
from pairsmith.simulator.book import appearance
from pairsmith.simulator.dice import Dice
from pairsmith.simulator.families import LEFT_OVER, family_by_words
from pairsmith.simulator.rationales import comparing, ordering, praising

Quality = Callable[[str], float | None]
Family = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Judge:
    """How one judge errs; all in points of quality (1-10) unless said otherwise.

    Attributes:
        noise: standard deviation of each call's own error, of one answer.
        taste: standard deviation of the error it makes on an answer every time.
        position: what being shown first is worth in a duel; in a ranking, likewise from first to last.
        length: what being e times as long as the typical answer is worth.
        tie_band: a duel within this distance is a tie.
        sense: share of the planted quality it sees; 1 sees all of it.
        charm: share of what a text looks worth, beyond what it is worth, that it falls for.
        unreadable, refuses, fences: share of replies that are no verdict, that decline, that wrap
            the JSON in a code fence when no response_format was asked for.
        misplaces: share of prompts that it says another family of; the same every time.
    """

    noise: float
    taste: float
    position: float = 0.0
    length: float = 0.0
    tie_band: float = 0.1
    sense: float = 1.0
    charm: float = 0.0
    unreadable: float = 0.0
    refuses: float = 0.0
    fences: float = 0.0
    misplaces: float = 0.05


JUDGES: dict[str, Judge] = {
    "sim-judge": Judge(
        noise=0.45, taste=0.20, position=0.05, length=0.05, charm=0.1, unreadable=0.001, misplaces=0.02
    ),
    "sim-judge-middle": Judge(
        noise=0.75, taste=0.45, position=-0.15, length=0.4, tie_band=0.15, charm=0.5, unreadable=0.01, fences=0.1
    ),
    "sim-judge-noisy": Judge(
        noise=1.50, taste=0.80, position=1.8, length=0.9, tie_band=0.25, sense=0.85, charm=1.0,
        unreadable=0.045, refuses=0.005, fences=0.4, misplaces=0.15,
    ),
    "sim-judge-first": Judge(noise=0.65, taste=0.45, position=7.0, unreadable=0.01),
    "sim-judge-long": Judge(noise=0.65, taste=0.45, length=5.0, sense=0.4, unreadable=0.01),
    "sim-judge-broken": Judge(noise=0.65, taste=0.45, unreadable=0.5),
}  # fmt: skip

# All judges are wrong together on some answers: correlation of their scores stays below 1.
_SHARED_TASTE = 0.15
_TYPICAL_CHARS = 400
_UNKNOWN_MEAN, _UNKNOWN_SD = 5.5, 2.0
DECLINED = "I'm sorry, but I can't help with that."


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked what, and whose draw it is."""

    question: Question
    judge: Judge
    model: str
    seed: int
    key: str
    quality: Quality
    formatted: bool
    family: Family


def verdict(asked: Asked) -> str:
    """The judge's reply as text: JSON most of the time, what the judge makes of it otherwise."""
    question, judge = asked.question, asked.judge
    dice = _dice(asked)
    manner = dice.uniform()
    reply = _REPLIES[question.kind](asked, dice)
    if question.keys is not None:
        reply = {key: value for key, value in reply.items() if key in question.keys}
    if manner < judge.unreadable:
        return unreadable(reply, dice)
    if manner < judge.unreadable + judge.refuses:
        return DECLINED
    text = orjson.dumps(reply).decode()
    if not asked.formatted and dice.uniform() < judge.fences:
        return f"```json\n{text}\n```"
    return text


def unrounded(asked: Asked) -> float | None:
    """The score of this verdict before it was rounded; None where none is asked for from 1 to 10."""
    question, dice = asked.question, _dice(asked)
    dice.uniform()  # the manner of the verdict
    return _scored(asked, dice) if (question.kind, question.low, question.high) == ("score", 1, 10) else None


def _dice(asked: Asked) -> Dice:
    return Dice(asked.seed, "verdict", asked.model, asked.key, *(text for _, text in asked.question.answers))


def unreadable(reply: dict[str, object], dice: Dice) -> str:
    """What a judge writes when it forgets the form: one of five ways to spoil a reply."""
    rationale = str(reply.get("rationale", "It is hard to say."))
    text = orjson.dumps(reply).decode()
    return [
        f"{rationale} All in all I find it rather convincing, though tastes differ.",
        f"```json\n{orjson.dumps({'explanation': rationale, 'rating': 'high'}).decode()}\n```",
        text[: len(text) // 2],
        orjson.dumps(out_of_range(reply)).decode(),
        "",
    ][dice.below(5)]


def out_of_range(reply: dict[str, object]) -> dict[str, object]:
    """The same reply with a score, a winner, a label or a family that was never offered."""
    wrong: dict[str, object] = {"score": 47, "winner": "C", "ranking": ["Z", "Y"], "family": "miscellany"}
    return {key: wrong.get(key, value) for key, value in reply.items()}


def _score(asked: Asked, dice: Dice) -> dict[str, object]:
    text = asked.question.answers[0][1]
    seen = _scored(asked, dice)
    low, high = asked.question.low, asked.question.high
    points = low + (min(10.0, max(1.0, seen)) - 1.0) / 9.0 * (high - low)
    return {"rationale": praising(seen, text, dice), "score": round(points)}


def _scored(asked: Asked, dice: Dice) -> float:
    return _seen(asked, asked.question.answers[0][1]) + asked.judge.noise * dice.normal()


def _winner(asked: Asked, dice: Dice) -> dict[str, object]:
    judge, ((first, a), (second, b)) = asked.judge, asked.question.answers[:2]
    noise = math.sqrt(2.0) * judge.noise * dice.normal()
    ahead = _seen(asked, a) - _seen(asked, b) + judge.position + noise
    winner = first if ahead > 0 else second
    if abs(ahead) <= judge.tie_band and asked.question.ties:
        winner = "tie"
    return {"rationale": comparing(winner, ahead, dice), "winner": winner}


def _ranking(asked: Asked, dice: Dice) -> dict[str, object]:
    answers, judge = asked.question.answers, asked.judge
    # Position bias grows with the number of answers (JUDGING.md, finding 11).
    slope = judge.position / 2.0
    seen = {
        label: _seen(asked, text) - slope * place + judge.noise * dice.normal()
        for place, (label, text) in enumerate(answers)
    }
    ranking = sorted(seen, key=lambda label: -seen[label])
    return {"rationale": ordering(ranking, dice), "ranking": ranking}


def _family(asked: Asked, dice: Dice) -> dict[str, object]:
    """What the book says or, of a prompt that it does not know, the words; an error is of model and prompt."""
    said, offered = asked.question.asked, asked.question.offered
    found = asked.family(said[-1]) or family_by_words("\n".join(said))
    if found not in offered:
        found = LEFT_OVER if LEFT_OVER in offered else offered[-1]
    errs = Dice(asked.seed, "family", asked.model, *said)
    others = [name for name in offered if name != found]
    if others and errs.uniform() < asked.judge.misplaces:
        found = others[errs.below(len(others))]
    return {"family": found}


_REPLIES: dict[str, Callable[[Asked, Dice], dict[str, object]]] = {
    "score": _score,
    "winner": _winner,
    "ranking": _ranking,
    "family": _family,
}


def _seen(asked: Asked, text: str) -> float:
    """The quality this judge sees in a text on every call, before the noise of the call."""
    judge = asked.judge
    planted = asked.quality(text)
    text = text.strip()
    if planted is None:
        planted = heuristic(asked.seed, text)
    if judge.charm and (looks := asked.quality(appearance(text))) is not None:
        planted += judge.charm * (looks - planted)
    together = _SHARED_TASTE * Dice(asked.seed, "taste", text).normal()
    own = judge.taste * Dice(asked.seed, "taste", asked.model, text).normal()
    longer = judge.length * math.log(max(len(text), 20) / _TYPICAL_CHARS)
    return _UNKNOWN_MEAN + judge.sense * (planted - _UNKNOWN_MEAN) + together + own + longer


def heuristic(seed: int, text: str) -> float:
    """A quality for a text that nobody planted: the worst for nothing, else drawn from the text's hash."""
    if len(text) < 2:
        return 1.0
    return _UNKNOWN_MEAN + _UNKNOWN_SD * Dice(seed, "unknown", text).normal()
