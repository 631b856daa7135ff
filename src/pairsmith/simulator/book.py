"""The book: prompts with hand-written answers of known quality, read from a folder of *.jsonl."""

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


class Book:
    """Answers by prompt, and qualities by answer; a text is recognised with or without space around it."""

    def __init__(self, rows: Iterable[dict[str, Any]] = ()) -> None:
        """Take rows as they stand in the files: id, family, prompt, answers of quality, style and text."""
        self._drafts: dict[str, list[Draft]] = {}
        self._quality: dict[str, float] = {}
        self._by_head: dict[str, list[str]] = {}
        for row in rows:
            drafts = self._drafts.setdefault(row["prompt"].strip(), [])
            for answer in row["answers"]:
                text, quality = str(answer["text"]), float(answer["quality"])
                drafts.append(Draft(quality, str(answer.get("style", "plain")), partial(str, text)))
                self._quality[text.strip()] = quality
                self._by_head.setdefault(text.strip()[:_HEAD_CHARS], []).append(text.strip())

    @classmethod
    def read(cls, folder: Path) -> "Book":
        """Read every *.jsonl of a folder, in the order of their names.

        Raises:
            ValueError: the folder holds no *.jsonl, or a line is no JSON; the message names file and line.
        """
        files = sorted(folder.glob("*.jsonl"))
        if not files:
            raise ValueError(f"no *.jsonl in the book's folder {folder}")
        return cls(row for file in files for row in _rows(file))

    def __len__(self) -> int:
        return len(self._drafts)

    def drafts(self, prompt: str) -> Sequence[Draft]:
        """The answers to one prompt; empty when the book does not know it."""
        return self._drafts.get(prompt.strip(), ())

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


def _rows(file: Path) -> Iterable[dict[str, Any]]:
    for number, line in enumerate(file.read_bytes().split(b"\n"), start=1):
        if line.strip():
            try:
                yield orjson.loads(line)
            except orjson.JSONDecodeError as exc:
                raise ValueError(f"{file} line {number}: not JSON ({exc})") from exc
