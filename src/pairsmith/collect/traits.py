"""What prompts are like, told while they pass: lengths, turns, families, languages, and what looks odd.

Memory does not grow with them: lengths are kept to three digits, texts of a fixed number of prompts. Called by the
command line (`collect`).
"""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from pairsmith.records import Prompt

SHORT_CHARS = 10
LONG_CHARS = 20_000
DRAWN = 1000  # prompts whose language is looked at: a share of 10 % is told to ± 2 points (95 %)
KEPT_CHARS = 2000  # of each of these
MOST_FAMILIES = 1000  # more are no families
_EXACT = 1000  # lengths up to this are kept as they are

_ANSWER = re.compile(
    r"\s*(?:(?:sure|certainly|of course|absolutely|natürlich|gerne|selbstverständlich)[,!]|great question|as an ai\b"
    r"|als ki\b|i[’']m sorry, but|i cannot\b|here(?: is|[’']s| are) (?:the|a|an|your|some|my)\b|hier (?:ist|sind)\b)",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(
    r"\{\{[^{}\n]{1,60}\}\}|\[(?:insert|your|enter|add|paste|placeholder|name|company|date|topic)\b[^\]\n]{0,60}\]"
    r"|<(?:your|insert|enter|paste)[ _-][^>\n]{1,60}>|lorem ipsum",
    re.IGNORECASE,
)
_MOJIBAKE = re.compile(r"Ã[\x80-\xbf¤¶¼Ÿ„œ–]|â€[™œ\x9d“”˜¦–—]|Â[\xa0°·»«]|\ufffd")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2060\ufeff]")
_URLS = re.compile(r"\s*(?:https?://\S+\s*)+")
_MARKS = re.compile(r"<\|[a-z_]+\|>|\[/?INST\]|(?:^|\n)(?:### (?:Instruction|Response|Input)|Human|Assistant):|</?s>")
_ENTITY = re.compile(r"&(?:amp|lt|gt|quot|nbsp|#\d{2,5});")


def _repeats(text: str) -> bool:
    """Whether a line of some length stands there three times or more."""
    if text.count("\n") < 2:
        return False
    lines = Counter(line for line in map(str.strip, text.split("\n")) if len(line) >= SHORT_CHARS)
    return any(times > 2 for times in lines.values())


# What is odd -> whether a text is. Those that can hardly match look for a character first, which is much quicker.
ODDITIES: dict[str, Callable[[str], object]] = {
    f"under {SHORT_CHARS} characters": lambda text: len(text) < 2 * SHORT_CHARS and len(text.strip()) < SHORT_CHARS,
    f"over {LONG_CHARS:,} characters": lambda text: len(text) > LONG_CHARS,
    "looks like an answer": _ANSWER.match,
    "placeholder left in": lambda text: (
        ("[" in text or "{{" in text or "<" in text or "orem" in text) and _PLACEHOLDER.search(text)
    ),
    "marks of a chat template": lambda text: ("<" in text or "[" in text or ":" in text) and _MARKS.search(text),
    "broken characters": lambda text: not text.isascii() and _MOJIBAKE.search(text),
    "control or invisible characters": _CONTROL.search,
    "HTML entities": lambda text: "&" in text and _ENTITY.search(text),
    "nothing but a URL": lambda text: "://" in text and _URLS.fullmatch(text),
    "in capitals": lambda text: text.isupper() and sum(map(str.isalpha, text)) > 2 * SHORT_CHARS,
    "repeated lines": _repeats,
}


class Lengths:
    """How long things are; above 1,000 to three digits."""

    def __init__(self) -> None:
        self._counts: Counter[int] = Counter()

    def add(self, length: int) -> None:
        """Count one."""
        self._counts[length if length <= _EXACT else _rounded(length)] += 1

    def at(self, share: float) -> int:
        """The length that so large a share of them do not exceed; 0 where there are none."""
        wanted, seen = share * self._counts.total(), 0
        for length in sorted(self._counts):
            seen += self._counts[length]
            if seen >= wanted:
                return length
        return 0


def _rounded(length: int) -> int:
    unit: int = 10 ** (len(str(length)) - 3)
    return length // unit * unit


@dataclass(frozen=True, slots=True)
class Odd:
    """How many prompts look odd in one way, and where the first one stands."""

    count: int
    name: str
    line: int


@dataclass(slots=True)
class Traits:
    """What was seen so far."""

    prompts: int = 0
    characters: Lengths = field(default_factory=Lengths)  # of all turns of a prompt, without the system message
    words: Lengths = field(default_factory=Lengths)
    turns: Lengths = field(default_factory=Lengths)
    holding: Counter[str] = field(default_factory=Counter)  # system, tools, reference
    families: Counter[str] = field(default_factory=Counter)
    odd: dict[str, Odd] = field(default_factory=dict)
    _drawn: list[tuple[int, str]] = field(default_factory=list)

    def add(self, prompt: Prompt, name: str, line: int) -> None:
        """Look at a prompt, which stands there."""
        self.prompts += 1
        texts = [str(turn["content"] or "") for turn in prompt.messages]
        self.characters.add(sum(map(len, texts)))
        self.words.add(sum([len(text.split()) for text in texts]))
        self.turns.add(len(texts))
        for key, held in (("system", prompt.system), ("tools", prompt.tools), ("reference", prompt.reference)):
            if held:
                self.holding[key] += 1
        family = prompt.meta.get("family")
        if isinstance(family, str) and (family in self.families or len(self.families) < MOST_FAMILIES):
            self.families[family] += 1
        asked = next((str(turn["content"]) for turn in reversed(prompt.messages) if turn["role"] == "user"), texts[-1])
        self._draw(prompt, asked)
        for what, is_odd in ODDITIES.items():
            if is_odd(asked):
                first = self.odd.get(what) or Odd(0, name, line)
                self.odd[what] = Odd(first.count + 1, first.name, first.line)

    def _draw(self, prompt: Prompt, text: str) -> None:
        """Keep the prompts with the smallest ids, which are hashes: drawn by chance, and on each run the same."""
        key = -int(prompt.id[:15], 16)
        if len(self._drawn) < DRAWN:
            heapq.heappush(self._drawn, (key, text[:KEPT_CHARS]))
        elif key > self._drawn[0][0]:
            heapq.heapreplace(self._drawn, (key, text[:KEPT_CHARS]))

    def languages(self, detect: Callable[[str], str | None]) -> Counter[str]:
        """The languages of the prompts that were drawn, by code; "" where it cannot be told."""
        return Counter(detect(text) or "" for _, text in self._drawn)
