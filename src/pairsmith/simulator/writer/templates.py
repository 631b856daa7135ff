"""Templates into sentences, and back: what a bank can say, and whether a text says it.

[a|b] is one of the two, {slot} is filled; a slot is filled once in a template, so that "it" stays the same thing.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache

from pairsmith.simulator.dice import Dice
from pairsmith.simulator.writer.things import SLOTS

_CHOICE = re.compile(r"\[([^\[\]|]*(?:\|[^\[\]|]*)+)\]")
_SLOT = re.compile(r"\{(\w+)\}")
_PIECE = re.compile(rf"{_CHOICE.pattern}|{_SLOT.pattern}")
_ARTICLE = re.compile(r"\b([Aa]) (?=(?:[aei]|o(?!ne\b|nce\b)|u(?!ni|se|su|ke|ti))\w)", re.IGNORECASE)
_MANY_IN_S = ("ss", "us", "is")
# A filling may be long: a quoted passage of several sentences.
_FILLED = r".{1,900}?"


class Filler:
    """Fills the slots of ONE prompt: what is given stays, the rest is new in each template."""

    def __init__(self, dice: Dice, given: Mapping[str, str], slots: Mapping[str, Sequence[str]] | None = None) -> None:
        """Take what is given, and let the dice decide the rest, from English fillings or other ones."""
        self._dice = dice
        self._given = dict(given)
        self._slots = SLOTS if slots is None else slots
        self._english = slots is None
        self._said: set[str] = set()

    def __getitem__(self, slot: str) -> str:
        return self._given[slot]

    def give(self, slot: str, text: str) -> None:
        """Fill a slot from now on with this."""
        self._given[slot] = text

    def say(self, template: str) -> str:
        """The template as a sentence or several."""
        chosen = _CHOICE.sub(self._choose, template)
        filled: dict[str, str] = {}
        said = _SLOT.sub(lambda match: self._filling(match[1], filled), chosen)
        return _ARTICLE.sub(r"\1n ", said) if self._english else said

    def _choose(self, match: re.Match[str]) -> str:
        choices = match[1].split("|")
        return choices[self._dice.below(len(choices))]

    def _filling(self, slot: str, filled: dict[str, str]) -> str:
        if slot[0].isupper():
            return capital(self._filling(slot.lower(), filled))
        if slot in self._given:
            return self._given[slot]
        if slot not in filled:
            filled[slot] = self._drawn(slot)
        return filled[slot]

    def _drawn(self, slot: str) -> str:
        """A filling that this prompt does not have yet, if there is one. A slot may end in _b: another of its kind."""
        bank = self._slots[slot.removesuffix("_b")]
        left = [filling for filling in bank if filling not in self._said] or bank
        drawn = left[self._dice.below(len(left))]
        self._said.add(drawn)
        return drawn


def forms(thing: str) -> dict[str, str]:
    """What stands for a thing, by its number: it or they, is or are."""
    many = thing.endswith("s") and not thing.endswith(_MANY_IN_S)
    words = ("are", "have", "were", "do", "them", "them", "parcel") if many else (
        "is", "has", "was", "does", "it", "it", "parcel")  # fmt: skip
    named = dict(zip(("is", "has", "was", "does", "them", "its", "parcel"), words, strict=True))
    return {"thing": thing, "a_thing": thing if many else f"a {thing}", "it": "they" if many else "it", **named}


def capital(text: str) -> str:
    """The text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


@cache
def anchor(template: str) -> str:
    """The longest words that all sayings of a template have, in lower case with single spaces."""
    # "a" may have become "an".
    fixed = (re.split(r"\ba $", piece)[0] for piece in _PIECE.sub("\0", _plain(template)).split("\0"))
    return max(fixed, key=len)


@cache
def finder(template: str) -> re.Pattern[str]:
    """What finds the sayings of a template in a text in lower case with single spaces."""
    template = _plain(template)
    written, end = [], 0
    for match in _PIECE.finditer(template):
        written += [_literal(template[end : match.start()]), _choices(match[1]) if match[1] is not None else _FILLED]
        end = match.end()
    return re.compile("".join([*written, _literal(template[end:])]))


def _plain(template: str) -> str:
    return " ".join(template.split()).lower().removesuffix(".")


def _choices(choices: str) -> str:
    filled = (_FILLED.join(map(_literal, _SLOT.split(choice)[::2])) for choice in choices.split("|"))
    return f"(?:{'|'.join(filled)})"


def _literal(text: str) -> str:
    return re.sub(r"\ba\\ $", r"an?\\ ", re.escape(text))
