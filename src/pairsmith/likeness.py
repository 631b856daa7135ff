"""Whether two texts are nearly the same: their words, and how many of these they share.

What is compared, and why the limits are where they are: docs/splits.md. Called by neighbours.py, which finds them among
many, and for the words of a text by export/split.py and collect/.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

NEAR = 0.7  # least Jaccard index of near-duplicates; 0.8 loses 60 % of texts of 10-15 words with one replaced
SHORT_WORDS, SHORT_NEAR = 10, 0.8  # below ten words, one word instead of another makes another text
OPENING_WORDS = 30  # a longer first line is no instruction before a text
SLIP_LETTERS = 4  # of a word in which a slip of the pen makes no other word
ASKED_WORDS = 4  # a text of fewer words has no courtesies around it
NUMBER_WORDS = 50  # up to here texts with other numbers are other texts; in longer ones a number is a detail


def _ranges(*categories: str) -> str:
    return "".join(char for char in map(chr, range(0x10000)) if unicodedata.category(char) in categories)


_MARKS = _ranges("Mn", "Mc")  # vowel signs and accents that are no letters to `re`
SPACELESS = (
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
    rf"[^\W\d_{SPACELESS}](?:[^\W\d_{SPACELESS}]|[{_MARKS}])*|[{SPACELESS}][{_MARKS}]*|{_NUMBER}|{_SIGNS}"
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
    def mostly_core(self) -> bool:
        """Whether the text proper is no shorter than what stands before it."""
        return 2 * self.opening <= len(self.words)

    @property
    def numbers(self) -> list[str]:
        """Its numbers, where they make it another text."""
        return sorted(word for word in self.words if word[0].isdigit()) if len(self.words) <= NUMBER_WORDS else []


def said(text: str) -> Said:
    """A text without case, punctuation, spaces, spellings of Unicode, and courtesies at its ends.

    One of marks alone keeps these.
    """
    plain, word = _plain(text)
    found = _OPENING.search(plain)
    opening: list[str] = word.findall(plain, 0, found.end()) if found else []
    core: list[str] = word.findall(plain, found.end() if found else 0)
    words = opening + core or plain.split()
    front, end = _courteous(words)
    short = len(opening) - front
    return Said(words[front:end], short if core and 0 < short <= OPENING_WORDS and end > len(opening) else 0)


def words_in(text: str) -> list[str]:
    """All its words, as they are compared; of one of marks alone these."""
    plain, word = _plain(text)
    return word.findall(plain) or plain.split()


def _plain(text: str) -> tuple[str, re.Pattern[str]]:
    """The text without case, and what finds words in it."""
    if text.isascii():
        return text.lower().replace("'", "").strip(), _ASCII_WORD
    return unicodedata.normalize("NFKC", text).casefold().translate(_PLAIN).strip(), _WORD


def _courteous(words: Sequence[str]) -> tuple[int, int]:
    """Where the words begin and end that are no greeting, request or thanks around a text of some more words."""
    front, end = 0, len(words)
    while end - front >= ASKED_WORDS and (length := _begins(words[front:end], _BEFORE)):
        front += length
    while end - front >= ASKED_WORDS and (length := _begins(words[front:end][::-1], _AFTER)):
        end -= length
    return (front, end) if end - front >= ASKED_WORDS - 1 else (0, len(words))


def _begins(words: Sequence[str], phrases: Mapping[str, Sequence[tuple[str, ...]]]) -> int:
    """How many words the longest phrase has that these begin with; 0: none."""
    return max((len(one) for one in phrases.get(words[0], ()) if tuple(words[: len(one)]) == one), default=0)


def _by_first(phrases: str, backwards: bool = False) -> Mapping[str, Sequence[tuple[str, ...]]]:
    found: dict[str, list[tuple[str, ...]]] = {}
    for phrase in phrases.split(", "):
        words = tuple(phrase.split())[:: -1 if backwards else 1]
        found.setdefault(words[0], []).append(words)
    return found


_BEFORE = _by_first(
    "hi, hi there, hello, hello there, hey, hey there, good morning, good evening, dear all, please, kindly, can you, "
    "could you, would you, will you, can you help me, could you help me, can you please help me, "
    "could you please help me, i would like you to, id like you to, i want you to, hallo, guten tag, bitte, kannst du, "
    "könntest du, können sie, könnten sie, bonjour, sil vous plaît, sil te plaît, hola, por favor, puedes"
)
_AFTER = _by_first(
    "please, thanks, thank you, thanks a lot, many thanks, thank you very much, thank you so much, in advance, "
    "bitte, danke, vielen dank, danke schön, im voraus, merci, merci beaucoup, sil vous plaît, gracias, por favor",
    backwards=True,
)


def shingles(words: Sequence[str]) -> set[str]:
    """Words and pairs of neighbouring words."""
    return {*words, *pairs(words)}


def pairs(words: Sequence[str]) -> Iterator[str]:
    """Pairs of neighbouring words."""
    return map(" ".join, pairwise(words))


def alike(one: Said, other: Said, near: float = NEAR, short_words: int = SHORT_WORDS) -> bool:
    """Whether two texts are nearly the same: as a whole, and behind one opening instruction also in what follows it.

    Args:
        one: the words of a text.
        other: those of another.
        near: the least Jaccard index.
        short_words: in texts of fewer words one word instead of another makes another text, but for slips of the pen.
    """
    if one.words == other.words:
        return True
    if one.numbers != other.numbers or not _near(one.words, other.words, near, short_words):
        return False
    one_opening, other_opening = one.words[: one.opening], other.words[: other.opening]
    told_apart = one_opening and other_opening and _near(one_opening, other_opening, near, SHORT_WORDS)
    if one.mostly_core and other.mostly_core and not told_apart:
        return True
    return _near(one.core, other.core, near, short_words)


def _near(one: Sequence[str], other: Sequence[str], near: float, short_words: int) -> bool:
    first, second = shingles(one), shingles(other)
    common, shorter = len(first & second), min(len(one), len(other))
    index = common / (len(first) + len(second) - common) + 1e-9
    if shorter >= short_words:
        return index >= near
    if index >= max(near, SHORT_NEAR) and not (set(one) - set(other) and set(other) - set(one)):
        return True
    return shorter >= SHORT_WORDS and index >= near and _slipped(one, other)


def _slipped(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether one word differs, by two letters that changed places, or one that was lost."""
    unlike = [couple for couple in zip(one, other, strict=False) if couple[0] != couple[1]]
    if len(one) != len(other) or len(unlike) != 1:
        return False
    first, second = sorted(unlike[0], key=len)
    if len(first) < SLIP_LETTERS or not (first + second).isalpha():
        return False
    at = next((place for place, letter in enumerate(first) if letter != second[place]), len(first))
    if len(first) == len(second):
        return first[at : at + 2] == second[at : at + 2][::-1] and first[at + 2 :] == second[at + 2 :]
    return first[at:] == second[at + 1 :]
