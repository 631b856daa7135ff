"""The book: prompts with hand-written answers of known quality, read from folders of *.jsonl.

A row holds a prompt and its `answers`, or it is an anchor: a prompt with a `good` answer and a `bad` one.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from pairsmith.simulator.drafts import Draft

# Fewer characters do not tell which answer was cut off.
_HEAD_CHARS = 40
# What an answer loses that stops in the middle of a sentence, in points of quality.
_CUT_COSTS = 2.0
# What the two answers of an anchor are worth, and how much better the bad one of an adversarial anchor looks.
_GOOD, _BAD, _APPEAL = 8.5, 3.0, 6.0


def appearance(text: str) -> str:
    """The name of what a text looks worth: Book.quality knows it where that is not what the text is worth."""
    return f"how this looks: {text.strip()}"


class Book:
    """Answers by prompt, and qualities by answer; a text is recognised with or without space around it."""

    def __init__(self, rows: Iterable[dict[str, Any]] = ()) -> None:
        """Take rows as they stand in the files: id, family, prompt, answers of quality, style and text; or anchors."""
        self._drafts: dict[str, list[Draft]] = {}
        self._quality: dict[str, float] = {}
        self._by_head: dict[str, list[str]] = {}
        self._family: dict[str, str] = {}
        for row in rows:
            drafts = self._drafts.setdefault(row["prompt"].strip(), [])
            if "family" in row:
                self._family[row["prompt"].strip()] = str(row["family"])
            for answer in _answers(row):
                text, quality = str(answer["text"]), float(answer["quality"])
                if looks := float(answer.get("appeal", 0.0)):
                    self._quality[appearance(text)] = quality + looks
                drafts.append(Draft(quality, str(answer.get("style", "plain")), partial(str, text)))
                self._quality[text.strip()] = quality
                self._by_head.setdefault(text.strip()[:_HEAD_CHARS], []).append(text.strip())

    @classmethod
    def read(cls, folders: Path | Sequence[Path]) -> "Book":
        """Read every *.jsonl of one or more folders, in the order of their names.

        Raises:
            ValueError: a folder holds no *.jsonl, or a line is no JSON; the message names file and line.
        """
        files: list[Path] = []
        for folder in [folders] if isinstance(folders, Path) else folders:
            found = sorted(folder.glob("*.jsonl"))
            if not found:
                raise ValueError(f"no *.jsonl in the book's folder {folder}")
            files += found
        return cls(row for file in files for row in _rows(file))

    def __len__(self) -> int:
        return len(self._drafts)

    def drafts(self, prompt: str) -> Sequence[Draft]:
        """The answers to one prompt; empty when the book does not know it."""
        return self._drafts.get(prompt.strip(), ())

    def family(self, prompt: str) -> str | None:
        """The task family of one prompt; None when the book does not know it."""
        return self._family.get(prompt.strip())

    def quality(self, text: str) -> float | None:
        """The quality of an answer of the book; also of its beginning, from 40 characters on; None if it is neither."""
        text = text.strip()
        known = self._quality.get(text)
        if known is not None:
            return known
        for whole in self._by_head.get(text[:_HEAD_CHARS], ()):
            if whole.startswith(text):
                return max(1.0, self._quality[whole] - _CUT_COSTS)
        return None


def _answers(row: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers of a row; those of an anchor as if they stood in a book."""
    if "answers" in row:
        answers: list[dict[str, Any]] = row["answers"]
        return answers
    appeal = _APPEAL if row.get("kind") == "adversarial" else 0.0
    return [{"quality": _GOOD, "text": row["good"]}, {"quality": _BAD, "text": row["bad"], "appeal": appeal}]


def _rows(file: Path) -> Iterable[dict[str, Any]]:
    for number, line in enumerate(file.read_bytes().split(b"\n"), start=1):
        if line.strip():
            try:
                yield orjson.loads(line)
            except orjson.JSONDecodeError as exc:
                raise ValueError(f"{file} line {number}: not JSON ({exc})") from exc
