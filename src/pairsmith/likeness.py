"""Whether two texts are nearly the same: their words, and how many of these they share.

What is compared, and why the limits are where they are: docs/splits.md. Called by neighbours.py, which finds them among
many, and for the words of a text by export/split.py and collect/.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

NEAR = 0.7  # least Jaccard index of near-duplicates; 0.8 loses 60 % of texts of 10-15 words with one replaced
SHORT_WORDS, SHORT_NEAR = 10, 0.8  # below ten words, one other word makes another text
OPENING_WORDS = 30  # a longer first line is no instruction before a text
NUMBER_WORDS = 50  # up to here texts with other numbers are other texts; in longer ones a number is a detail


def _ranges(*categories: str) -> str:
    return "".join(char for char in map(chr, range(0x10000)) if unicodedata.category(char) in categories)


_MARKS = _ranges("Mn", "Mc")  # vowel signs and accents that are no letters to `re`
_SPACELESS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
# A minus, a star and a slash count in sums, and a hash behind a letter (C#): in prose they are punctuation.
_SIGNS = (
    r"[+=<>%^&|~$€£×÷√≤≥≠±∞]|\#(?<=\w\#)"
    r"|[-*/](?:(?:(?<=[\d)][-*/])|(?<=\b\w[-*/]))(?=[\w(])|(?:(?<=[\d)] [-*/])|(?<=\b\w [-*/]))(?= [\w(]))"
    r"|-(?<![\w)]-)(?=\d)"
)
_NUMBER = r"\d+(?:[.,]\d+)*"
_ASCII_WORD = re.compile(rf"[a-z]+|{_NUMBER}|{_SIGNS}")  # the same as the other, for most texts, in a third of the time
_WORD = re.compile(
    rf"[^\W\d_{_SPACELESS}](?:[^\W\d_{_SPACELESS}]|[{_MARKS}])*|[{_SPACELESS}][{_MARKS}]*|{_NUMBER}|{_SIGNS}"
)
_PLAIN = str.maketrans({"'": "", "’": "", "−": "-", "–": "-", "‐": "-", "‑": "-"})
_OPENING = re.compile(r":(?=\s|[^\x00-\x7F])|\n")


class Said(NamedTuple):
    """The words of a text, in order; the first `opening` of them are an instruction before the text proper, if any."""

    words: list[str]
    opening: int

    @property
    def core(self) -> list[str]:
        """The text proper."""
        return self.words[self.opening :]

    @property
    def numbers(self) -> list[str]:
        """Its numbers, where they make it another text."""
        return sorted(word for word in self.words if word[0].isdigit()) if len(self.words) <= NUMBER_WORDS else []


def said(text: str) -> Said:
    """A text without case, punctuation, spaces and spellings of Unicode; one of marks alone keeps these."""
    if text.isascii():
        plain, word = text.lower().replace("'", "").strip(), _ASCII_WORD
    else:
        plain, word = unicodedata.normalize("NFKC", text).casefold().translate(_PLAIN).strip(), _WORD
    found = _OPENING.search(plain)
    opening: list[str] = word.findall(plain, 0, found.end()) if found else []
    core: list[str] = word.findall(plain, found.end() if found else 0)
    if not core or len(opening) > OPENING_WORDS:
        return Said(opening + core or plain.split(), 0)
    return Said(opening + core, len(opening))


def shingles(words: Sequence[str]) -> set[str]:
    """Words and pairs of neighbouring words."""
    return {*words, *pairs(words)}


def pairs(words: Sequence[str]) -> Iterator[str]:
    """Pairs of neighbouring words."""
    return map(" ".join, pairwise(words))


def alike(one: Said, other: Said, near: float = NEAR) -> bool:
    """Whether two texts are nearly the same: as a whole, and in what follows an opening instruction."""
    if one.words == other.words:
        return True
    if one.numbers != other.numbers or not _near(one.core, other.core, near):
        return False
    return not (one.opening or other.opening) or _near(one.words, other.words, near)


def _near(one: Sequence[str], other: Sequence[str], near: float) -> bool:
    first, second = shingles(one), shingles(other)
    if min(len(one), len(other)) < SHORT_WORDS:
        near = max(near, SHORT_NEAR)
    common = len(first & second)
    return common >= near * (len(first) + len(second) - common) - 1e-9
