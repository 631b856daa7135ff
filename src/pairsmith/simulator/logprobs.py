"""The log-probabilities that come with a reply: of a score's number as the judge wavered, of the rest made up.

Tokens are words, marks and digits, and add up to the text. Half of the models write 10 in one token, half in two.
Called by answers.py, for whatever text is sent in the end.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pairsmith.simulator.dice import Dice

_PIECES = re.compile(r" ?[^\W\d_]+|\s+|.", re.DOTALL)
_SCORE = re.compile(r'"score":\s*(10|[1-9])(?!\d)')
_LEAST_SPREAD = 0.3
_NO_NUMBER = 0.01  # the probability that something else than a number would have come


@dataclass(frozen=True, slots=True)
class Odds:
    """What a reply's log-probabilities are made of.

    Attributes:
        model: whose tokens they are.
        top: how many alternatives are listed.
        points: the score before it was rounded; None where there is none.
        spread: standard deviation of what the judge might have written.
    """

    model: str
    top: int = 0
    points: float | None = None
    spread: float = 0.0


def token_logprobs(text: str, odds: Odds) -> list[dict[str, Any]]:
    """The entries of logprobs.content for a text."""
    place = None if odds.points is None else next(reversed(list(_SCORE.finditer(text))), None)
    if place is None:
        return [_plain(piece, odds) for piece in _PIECES.findall(text)]
    shares = _shares(odds.points or 0.0, odds.spread)
    behind = _PIECES.findall(text[place.end(1) :])
    number = [_entry(place[1], {str(n): share for n, share in shares.items()}, odds)]
    if writes_digits_apart(odds.model):
        number = _digits(place[1], shares, behind, odds)
    before = [_plain(piece, odds) for piece in _PIECES.findall(text[: place.start(1)])]
    return before + number + [_plain(piece, odds) for piece in behind]


def writes_digits_apart(model: str) -> bool:
    """Whether a model has no token for 10."""
    return Dice("digits", model).uniform() < 0.5


def _digits(number: str, shares: Mapping[int, float], behind: list[str], odds: Odds) -> list[dict[str, Any]]:
    """The tokens of a number whose digits stand apart, and of what comes behind a 1: it might have been a 10."""
    firsts: dict[str, float] = {}
    for n, share in shares.items():
        firsts[str(n)[0]] = firsts.get(str(n)[0], 0.0) + share
    found = [_entry(number[0], firsts, odds)]
    ten = shares[10] / (shares[1] + shares[10])
    if number == "10":
        found.append(_entry("0", {"0": ten, "}": 1 - ten}, odds))
    elif number == "1" and behind:
        following = behind.pop(0)
        found.append(_entry(following, {following: 1 - ten, "0": ten}, odds))
    return found


def _shares(points: float, spread: float) -> dict[int, float]:
    """A normal distribution around the points, cut into whole numbers; 1 and 10 have the tails."""

    def below(limit: float) -> float:
        return (1 + math.erf((limit - points) / (max(spread, _LEAST_SPREAD) * math.sqrt(2)))) / 2

    limits = [0.0, *(below(n + 0.5) for n in range(1, 10)), 1.0]
    # Never nothing: a logarithm is taken of it.
    shares = {n: max(1e-9, limits[n] - limits[n - 1]) for n in range(1, 11)}
    return {n: share / sum(shares.values()) for n, share in shares.items()}


def _entry(token: str, shares: Mapping[str, float], odds: Odds) -> dict[str, Any]:
    told = {text: math.log((1 - _NO_NUMBER) * max(share, 1e-12)) for text, share in shares.items()}
    told[" "] = math.log(_NO_NUMBER)
    likely = sorted(told.items(), key=lambda item: -item[1])[: odds.top]
    return {**_listed(token, told[token]), "top_logprobs": [_listed(text, logprob) for text, logprob in likely]}


def _plain(piece: str, odds: Odds) -> dict[str, Any]:
    listed = _listed(piece, -0.5 * Dice("token", odds.model, piece).uniform())
    return {**listed, "top_logprobs": [listed] if odds.top else []}


def _listed(token: str, logprob: float) -> dict[str, Any]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode("utf-8", "surrogatepass"))}
