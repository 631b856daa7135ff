"""What people said of completions that they were shown two by two: a log that is only added to.

A verdict is taken back by a row of its own, so that what stood at any time can be had again. Writing functions work
inside the caller's transaction. Called by book.py.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pairsmith.ledger.rows import prompt_of
from pairsmith.records import CompletionId, Prompt, PromptId

_WITHDRAWN = "withdrawn"
_ADD = (
    "INSERT INTO reviews (prompt, first, second, said, preferred, reviewer, at, note, edited)"
    " VALUES (?,?,?,?,?,?,?,?,?)"
)
_WITHDRAW = (
    "INSERT INTO reviews (prompt, first, second, said, reviewer, at, withdraws)"
    " SELECT prompt, first, second, ?, ?, ?, id FROM reviews r WHERE id = ? AND said <> ?"
    " AND NOT EXISTS (SELECT 1 FROM reviews w WHERE w.withdraws = r.id)"
)
_STANDING = (
    "SELECT r.id, p.hash, p.body, r.first, r.second, r.said, r.preferred, r.reviewer, r.at, r.note, r.edited"
    " FROM reviews r JOIN prompts p ON p.hash = r.prompt WHERE r.said <> ? AND r.id <= ?"
    " AND NOT EXISTS (SELECT 1 FROM reviews w WHERE w.withdraws = r.id AND w.id <= ?) ORDER BY r.id"
)


class Said(StrEnum):
    """What a person said of two completions."""

    PREFERRED = "preferred"  # one of them is better
    TIE = "tie"
    BAD_PROMPT = "bad_prompt"  # the prompt should be in no dataset
    EDIT = "edit"  # one of them is better, and was mended


@dataclass(frozen=True, slots=True)
class Opinion:
    """One person's verdict on two completions of a prompt, shown in this order.

    `preferred`: the better one, of PREFERRED and EDIT; `edited`: of EDIT the mended text of the better one.
    `at`: seconds since 1970; None: now.

    Raises:
        ValueError: these do not go together.
    """

    prompt: PromptId
    first: CompletionId
    second: CompletionId
    said: Said
    preferred: CompletionId | None
    reviewer: str
    note: str = ""
    edited: str | None = None
    at: float | None = None

    def __post_init__(self) -> None:
        decides = self.said in (Said.PREFERRED, Said.EDIT)
        if self.first == self.second:
            raise ValueError("a verdict is about two completions")
        if decides != (self.preferred is not None) or (decides and self.preferred not in (self.first, self.second)):
            raise ValueError(f"{self.said} and {self.preferred!r} as the better one do not go together")
        if (self.said is Said.EDIT) != bool(self.edited and self.edited.strip()):
            raise ValueError("an edit, and nothing else, has the mended text")


@dataclass(frozen=True, slots=True)
class Review:
    """The same as it is stored; `number` is its place in the log, from 1."""

    number: int
    prompt: Prompt
    first: CompletionId
    second: CompletionId
    said: Said
    preferred: CompletionId | None
    reviewer: str
    at: float
    note: str = ""
    edited: str | None = None

    @property
    def couple(self) -> frozenset[CompletionId]:
        """The two completions, in no order."""
        return frozenset((self.first, self.second))


def add(db: sqlite3.Connection, opinions: Sequence[Opinion], now: float) -> list[int]:
    """Add verdicts to the log; their numbers."""
    numbers = []
    for one in opinions:
        at = now if one.at is None else one.at
        row = (one.prompt, one.first, one.second, one.said.value, one.preferred, one.reviewer, at, one.note, one.edited)
        numbers.append(db.execute(_ADD, row).lastrowid or 0)
    return numbers


def withdraw(db: sqlite3.Connection, number: int, reviewer: str, now: float) -> bool:
    """Take a verdict back; False: there is none of this number that stands."""
    return db.execute(_WITHDRAW, (_WITHDRAWN, reviewer, now, number, _WITHDRAWN)).rowcount > 0


def last(db: sqlite3.Connection) -> int:
    """How long the log is."""
    length: int = db.execute("SELECT coalesce(max(id), 0) FROM reviews").fetchone()[0]
    return length


def standing(db: sqlite3.Connection, through: int) -> list[Review]:
    """The verdicts that stood when the log was so long, the oldest first."""
    rows = db.execute(_STANDING, (_WITHDRAWN, through, through))
    return [
        Review(number, prompt_of(PromptId(ident), body, 0), first, second, Said(said), *rest)
        for number, ident, body, first, second, said, *rest in rows
    ]


def edited_texts(db: sqlite3.Connection) -> dict[PromptId, list[str]]:
    """Every text that somebody mended, by prompt, also those that were taken back."""
    texts = defaultdict[PromptId, list[str]](list)
    for prompt, text in db.execute("SELECT prompt, edited FROM reviews WHERE edited IS NOT NULL ORDER BY id"):
        texts[PromptId(prompt)].append(text)
    return dict(texts)
