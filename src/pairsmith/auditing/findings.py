"""What an audit says: its counts, what is wrong and where, and where two values first differ."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import orjson

SNIPPET = 24  # bytes shown of a difference


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong; `line` 0: with the file, or with the ledger where `file` is ""."""

    file: str
    line: int
    found: str
    prompt: str = ""  # the prompt's own id, or its content id

    def __str__(self) -> str:
        where = f"{self.file}, line {self.line}" if self.line else self.file or "the ledger"
        about = f" (prompt {self.prompt})" if self.prompt else ""
        return f"{where}{about}: {self.found}"


@dataclass(slots=True)
class Audit:
    """What an audit found. `rules`: proven rows by what they rest on. `missing`: rows that stand in no file."""

    rows: int = 0
    proven: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rules: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)  # of settled prompts
    abstained: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    pairs: int = 0
    missing: int = 0
    texts: int = 0  # of proven rows
    verdicts: int = 0
    replies: int = 0

    def wrong(self, file: str, line: int, found: str, prompt: str = "") -> None:
        """Add a problem."""
        self.problems.append(Problem(file, line, found, prompt))


def difference(found: object, wanted: object) -> str:
    """Where two parts of rows first differ, in bytes of their text."""
    one, other = ("\n".join(texts_in(value)) or plain(value) for value in (found, wanted))
    if one == other:
        one, other = plain(found), plain(wanted)
    left, right = one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass")
    place = next((n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), min(len(left), len(right)))
    start = max(0, place - SNIPPET // 2)
    shown, instead = (text[start : place + SNIPPET // 2].decode("utf-8", "replace") for text in (left, right))
    return f"differs from what is stored, first at byte {place + 1}: {shown!r} instead of {instead!r}"


def texts_in(value: object) -> list[str]:
    """The texts of a list of messages, or of what is asked."""
    if isinstance(value, dict) and not value.get("tools"):
        value = value.get("messages")
    turns = value if isinstance(value, list) else []
    return [str(turn.get("content")) for turn in turns if isinstance(turn, dict)]


def plain(value: object) -> str:
    """A part of a row as text, whatever it is."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
