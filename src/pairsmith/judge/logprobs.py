"""A score finer than whole points: the mean of the numbers that a judge might have written, each by its probability.

Pure. Reads the log-probabilities of the token, or the two ("1", "0"), with which a verdict's number is written.
Where they cannot say it there is None, never a guess, and the number that was written stands. Called by panel.py.
Source: Liu et al. 2023 (G-Eval); JUDGING.md.
"""

from __future__ import annotations

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

from pairsmith.judge.verdicts import MAX_CHARS, spoken
from pairsmith.records import TokenChoice

LEAST_MASS = 0.5  # of the probability, on whole numbers from 1 to 10: else the token says something else
LOW, HIGH = 1, 10

_DECODER = json.JSONDecoder(strict=False)
_WHOLE = re.compile(r"10|[1-9]")
_WHOLE_FIRST = re.compile(r"(10|[1-9])(?![\d.eE])")
_ZERO_FIRST = re.compile(r"0(?![\d.eE])")
_SPACE = re.compile(r"[ \t\n\r]*")
_COLON = re.compile(r"[ \t\n\r]*:[ \t\n\r]*")
_COMMA = re.compile(r"[ \t\n\r]*,?[ \t\n\r]*")


def expected_score(text: str, tokens: Sequence[TokenChoice], score: float) -> float | None:
    """The expected score of one verdict.

    Args:
        text: the reply that the verdict was read from.
        tokens: its tokens. There may be more of them, for thoughts before the text and an end mark behind it: some
            servers count those in (SGLang, issue 25055).
        score: what was read from it.

    Returns:
        1-10; None when it cannot be told: the tokens do not hold the text, the score is no whole number or not
        found, or less than half of the probability is on whole numbers from 1 to 10.
    """
    place = _place(text, score)
    start = "".join(token.token for token in tokens).rfind(text)
    if place is None or start < 0:
        return None
    index, offset = _token_at(tokens, start + place)
    mass = _mass(tokens, index, offset, score)
    total = sum(mass.values())
    if total < LEAST_MASS:
        return None
    mean = sum(number * share for number, share in mass.items()) / total
    return min(float(HIGH), max(float(LOW), mean))


# --- where the number stands ---------------------------------------------------------------------


def _place(text: str, score: float) -> int | None:
    """Where the number begins in the last object that gives this score; None without a whole one."""
    said = spoken(text)
    if said is None or len(said) > MAX_CHARS:
        return None
    found: int | None = None
    at = 0
    try:
        while (brace := said.find("{", at)) >= 0:
            at = brace + 1
            for key, begin, at in _members(said, brace):
                if key == "score" and _WHOLE.fullmatch(said, begin, at) and int(said[begin:at]) == score:
                    found = len(text) - len(said) + begin
    except RecursionError:
        return None
    return found


def _members(said: str, brace: int) -> Iterator[tuple[object, int, int]]:
    """Key, begin and end of each value of the object that begins here; none when there is no object."""
    try:
        _DECODER.raw_decode(said, brace)
    except ValueError:
        return
    at = _after(_SPACE, said, brace + 1)
    while said[at] == '"':
        key, at = _DECODER.raw_decode(said, at)
        begin = _after(_COLON, said, at)
        _, end = _DECODER.raw_decode(said, begin)
        yield key, begin, end
        at = _after(_COMMA, said, end)


def _after(pattern: re.Pattern[str], said: str, at: int) -> int:
    match = pattern.match(said, at)
    return match.end() if match else at


def _token_at(tokens: Sequence[TokenChoice], place: int) -> tuple[int, int]:
    """The token in which this character of all tokens' text stands, and where in it."""
    for index, token in enumerate(tokens):
        if place < len(token.token):
            return index, place
        place -= len(token.token)
    raise IndexError(place)


# --- what else it might have been ----------------------------------------------------------------


def _mass(tokens: Sequence[TokenChoice], index: int, offset: int, score: float) -> dict[int, float]:
    """The probability of each whole number from 1 to 10 at this place of this token."""
    written = tokens[index].token
    lead = written[:offset].strip()
    mass: defaultdict[int, float] = defaultdict(float)
    ones = 0.0  # what a bare "1" has, behind which a "0" might have come
    for text, share in _choices(tokens[index]):
        text = text.lstrip()
        behind = text[len(lead) :].lstrip() if text.startswith(lead) else ""
        number = _WHOLE_FIRST.match(behind)
        if number and number[1] == behind == "1":
            ones += share
        elif number:
            mass[int(number[1])] += share
    tens = _share_of_ten(tokens[index + 1 :], written[offset:] == "1", HIGH in mass, score)
    mass[LOW] += ones * (1 - tens)
    mass[HIGH] += ones * tens
    return mass


def _share_of_ten(behind: Sequence[TokenChoice], written: bool, one_token: bool, score: float) -> float:
    """How much of a bare "1" is the beginning of 10.

    Where it was written, the next token tells. Where it was not, 10 may be a token of its own; if it is not, a "1"
    is a 10 beside high scores and a 1 beside low ones: no judge wavers between 9 and 1.
    """
    if written:
        following = next((token for token in behind if token.token), None)
        zeros = [share for text, share in _choices(following) if _ZERO_FIRST.match(text)] if following else []
        return min(1.0, sum(zeros))
    return 1.0 if not one_token and score > (LOW + HIGH) / 2 else 0.0


def _choices(token: TokenChoice) -> Iterator[tuple[str, float]]:
    """Each token that might have stood there, and its probability."""
    yield from ((text, _probability(logprob)) for text, logprob in token.alternatives)
    if all(text != token.token for text, _ in token.alternatives):
        yield token.token, _probability(token.logprob)


def _probability(logprob: float) -> float:
    return 0.0 if math.isnan(logprob) else math.exp(min(0.0, logprob))
