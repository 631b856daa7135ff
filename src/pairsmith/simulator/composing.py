"""Answers to prompts outside the book, composed from the sentence banks, and their quality read back.

Per prompt 16 drafts whose planted qualities spread by about 2 points. The quality is the mean of what the
body sentences are worth (sentences.POINTS), so it can be read from the text alone: nothing is remembered.
"""

import re
from collections.abc import Sequence
from functools import lru_cache, partial
from itertools import takewhile
from statistics import NormalDist

from pairsmith.simulator.dice import Dice
from pairsmith.simulator.drafts import Draft
from pairsmith.simulator.sentences import BANKS, DETERMINERS, OPENINGS, POINTS, STOPWORDS, STYLES

DRAFTS = 16
# Prompts remembered: drafts of one prompt are asked for several times within seconds.
_REMEMBERED = 4096

_LEVELS = sorted(BANKS, key=POINTS.__getitem__)
_SPREAD = [NormalDist(5.6, 2.2).inv_cdf((rank + 0.5) / DRAFTS) for rank in range(DRAFTS)]
_STYLE_BONUS = {"expert": 0.9, "hasty": -0.9}
_STYLE_SENTENCES = {"concise": -1, "hasty": -1, "stepwise": 1, "warm": 0, "expert": 0, "plain": 0}
_TOKEN = re.compile(r"[\w'’-]+|[^\w\s]")
_BETWEEN = re.compile(r"(?<=[.!?:])\s+|\n+")
_NUMBER = re.compile(r"\d+\.")
_CUT_COSTS = 1.0


@lru_cache(maxsize=_REMEMBERED)
def compose(seed: int, prompt: str) -> Sequence[Draft]:
    """The drafts of one prompt: all different, the same for the same seed and prompt."""
    dice = Dice(seed, "drafts", prompt)
    a, b = _topics(prompt, dice)
    order = sorted(range(DRAFTS), key=lambda _: dice.uniform())
    shift = dice.normal() * 0.4
    first_style, first_opening = dice.below(len(STYLES)), dice.below(4)
    drafts = []
    for i in range(DRAFTS):
        style = STYLES[(first_style + i) % len(STYLES)]
        opening = OPENINGS[style][(first_opening + i // len(STYLES)) % 4]
        wanted = _SPREAD[order[i]] + shift + _STYLE_BONUS.get(style, 0.0) + dice.uniform() - 0.5
        wanted = min(10.0, max(1.0, wanted))
        levels = _levels(wanted, _sentences(wanted, style, dice))
        quality = _mean([POINTS[level] for level in levels])
        drafts.append(Draft(quality, style, partial(_write, seed, prompt, i, opening, tuple(levels), (a, b))))
    return drafts


def planted_quality(text: str) -> float | None:
    """The quality of a composed text, also of a cut-off one; None when any whole sentence is unknown."""
    points: list[float] = []
    sentences = [s for s in _BETWEEN.split(text.strip()) if s and not _NUMBER.fullmatch(s)]
    for position, sentence in enumerate(sentences):
        known = _known(sentence)
        if known is None:
            cut_off = position == len(sentences) - 1 and sentence[-1] not in ".!?:" and points
            return max(1.0, round(_mean(points) - _CUT_COSTS, 3)) if cut_off else None
        if known:
            points.append(known)
    return _mean(points) if points else None


def _mean(points: Sequence[float]) -> float:
    return round(sum(points) / len(points), 3)


def _sentences(wanted: float, style: str, dice: Dice) -> int:
    """How many body sentences, 2-8. Good sentences are longer, so good drafts get fewer of them."""
    return max(2, 3 + dice.below(5) + _STYLE_SENTENCES[style] - (dice.uniform() < (wanted - 1.0) / 12.0))


def _levels(wanted: float, sentences: int) -> list[str]:
    """The levels of so many sentences, from the two around the wanted quality, whose mean comes closest."""
    above = next(i for i, level in enumerate(_LEVELS) if POINTS[level] >= wanted)
    below = max(0, above - 1)
    low, high = POINTS[_LEVELS[below]], POINTS[_LEVELS[above]]
    many = round((wanted - low) / (high - low) * sentences) if high > low else 0
    return [_LEVELS[above]] * many + [_LEVELS[below]] * (sentences - many)


def _write(seed: int, prompt: str, draft: int, opening: str, levels: tuple[str, ...], topics: tuple[str, str]) -> str:
    dice = Dice(seed, "text", draft, prompt)
    a, b = topics if dice.uniform() < 0.5 else topics[::-1]
    taken: dict[str, int] = {}
    body = []
    for level in levels:
        bank = BANKS[level]
        # A stride through the bank never says a sentence twice: seven sentences at most, 20 in a bank.
        taken[level] = taken.get(level, dice.below(len(bank))) + 1 + dice.below(2)
        body.append((dice.uniform(), bank[taken[level] % len(bank)].format(a=a, b=b)))
    sentences = [sentence for _, sentence in sorted(body)]
    first = opening.format(a=topics[0], b=topics[1])
    if opening in OPENINGS["stepwise"]:
        return "\n".join([first, *(f"{i}. {s}" for i, s in enumerate(sentences, start=1))])
    return " ".join([first, *sentences])


def _topics(prompt: str, dice: Dice) -> tuple[str, str]:
    """Two phrases of the prompt that say what it is about; "this" and "the rest" when it has none."""
    phrases = _phrases(prompt[:2000])
    phrases = [*phrases, "this", "the rest"][: max(2, len(phrases))]
    # Half the time the longest: it mostly is the subject.
    first = max(phrases, key=len) if dice.uniform() < 0.5 else phrases[dice.below(len(phrases))]
    others = [p for p in phrases if p not in first] or ["the rest"]
    return first, others[dice.below(len(others))]


def _phrases(prompt: str) -> list[str]:
    """What stands behind "the", "a" or "my"; the longer words where fewer than two such phrases are found."""
    tokens = _TOKEN.findall(prompt)
    phrases = []
    for i, token in enumerate(tokens[:-1]):
        determiner = DETERMINERS.get(token.lower())
        nouns = list(takewhile(_is_topic, tokens[i + 1 : i + 3]))
        if determiner and nouns:
            phrases.append(" ".join([determiner, *nouns]))
    if len(phrases) < 2:
        phrases += [t for t in tokens if _is_topic(t)]
    return list(dict.fromkeys(phrases))


def _is_topic(token: str) -> bool:
    return 3 < len(token) <= 24 and token[0].isalpha() and token.lower() not in STOPWORDS


def _head(sentence: str) -> tuple[str, ...]:
    """The fixed words that a sentence of the banks starts with, three at most."""
    return tuple(sentence.partition("{")[0].split(maxsplit=3)[:3])


def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{[ab]\\\}", "[^.!?:]{1,60}", re.escape(sentence)))


# First words -> what the sentence is worth (0 for an opening) and how it reads.
_SENTENCES: dict[tuple[str, ...], tuple[float, re.Pattern[str]]] = {
    _head(s): (points, _pattern(s))
    for bank, points in [
        *((BANKS[level], POINTS[level]) for level in BANKS),
        *((bank, 0.0) for bank in OPENINGS.values()),
    ]
    for s in bank
}


def _known(sentence: str) -> float | None:
    """What a sentence is worth; None when the banks do not hold it."""
    words = tuple(sentence.split(maxsplit=3)[:3])
    for many in (3, 2, 1):
        points, pattern = _SENTENCES.get(words[:many], (0.0, None))
        if pattern is not None and pattern.fullmatch(sentence):
            return points
    return None
