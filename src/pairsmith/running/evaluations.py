"""Reads the evaluation sets that prompts are held against: any format that prompts or datasets come in.

Where an item's text stands is told by its key: the one that is named, or the first of those that are usual. Called for
runs, `plan` and `collect`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pairsmith.errors import InputError
from pairsmith.records import Json
from pairsmith.streams import Flaw, read_lines, say_unreadable

if TYPE_CHECKING:
    from pairsmith.collect.contamination import Evaluations, Item
    from pairsmith.collect.settings import PromptSettings

# As evaluation sets name it (their cards on the hub, November 2026): GSM8K, MMLU, GPQA, TruthfulQA question; MATH
# problem; HumanEval, IFEval prompt; AlpacaEval instruction; BBH input; MT-Bench turns or prompt; MBPP text.
KEYS = (
    "messages", "conversations", "turns", "prompt", "question", "problem", "instruction", "instruct_prompt", "query",
    "input", "goal", "ctx", "text",
)  # fmt: skip
TEXT_FILES = (".txt", ".md")


def evaluations(settings: PromptSettings, say: Callable[[str], object]) -> Evaluations | None:
    """The items of all evaluation sets of [prompts] against; None where there are none.

    Raises:
        InputError: a file cannot be read, or holds no item.
    """
    if not settings.against:
        return None
    from pairsmith.collect.contamination import Evaluations

    items = (item for name in settings.against for item in _items(name, settings.against_column, say))
    return Evaluations(items, settings.against_ngram, settings.against_share)


def _items(name: str, column: str | None, say: Callable[[str], object]) -> Iterator[Item]:
    """The items of one file; says at its end how many there were, and where they stood."""
    from pairsmith.collect.contamination import Item

    taken: Counter[str] = Counter()
    rows = 0
    for line, row in _rows(name):
        rows += 1
        key = _key_of(row) if column is None else column if column in row else None
        texts = [] if key is None else _texts(key, row)
        taken[key or ""] += len(texts)
        for text in texts:
            yield Item(text, name, line)
    if not taken.total():
        wanted = f'"{column}"' if column is not None else f"any of {', '.join(KEYS)}"
        raise InputError(f"{name}: holds no evaluation item under {wanted}; name the key with against_column")
    by = " and ".join(key for key, count in taken.items() if key and count)
    items = "1 evaluation item" if taken.total() == 1 else f"{taken.total():,} evaluation items"
    say(f"{Path(name).name}: {items}, by {by} of {rows:,} row{'' if rows == 1 else 's'}")


def _rows(name: str) -> Iterator[tuple[int, dict[str, Json]]]:
    if Path(name).suffix.lower() in TEXT_FILES:
        yield from _lines(name)
        return
    from pairsmith.converting.files import Source, rows_of_files

    for place, row in rows_of_files([Source(name, lambda: _open(name))]):
        if isinstance(row, Flaw):
            raise InputError(f"{name}, line {place}: {row.problem}; {row.remedy.replace('{unit}', 'row')}")
        yield int(place), row


def _lines(name: str) -> Iterator[tuple[int, dict[str, Json]]]:
    """Each line of a text file that is not blank is an item."""
    with _open(name) as stream:
        for number, line in read_lines(stream, name):
            try:
                text = "" if isinstance(line, Flaw) else line.decode("utf-8").strip()
            except UnicodeDecodeError as exc:
                raise InputError(f"{name}, line {number}: {'; '.join(say_unreadable(exc))}") from None
            if text:
                yield number, {"text": text}


def _open(name: str) -> BinaryIO:
    try:
        return Path(name).open("rb")
    except OSError as exc:
        raise InputError(f"{name} cannot be read ({exc.strerror}): name a file of evaluation items") from None


def _key_of(row: dict[str, Json]) -> str | None:
    """The first key that is usual for it, in any case; None: the row has none."""
    by_name = {key.lower(): key for key in reversed(row)}
    return next((by_name[key] for key in KEYS if key in by_name and _texts(by_name[key], row)), None)


def _texts(key: str, row: dict[str, Json]) -> list[str]:
    """The texts of the user under a key: one, or one a turn."""
    value = row[key]
    if isinstance(value, str):
        context = row.get("input") if key == "instruction" else None
        texts = [f"{value}\n\n{context}" if isinstance(context, str) and context.strip() else value]
    else:
        texts = [text for one in _listed(value) if (text := _turn(one)) is not None]
    return [text for text in texts if text.strip()]


def _listed(value: Json) -> Sequence[Json]:
    return value if isinstance(value, list) else [value]


def _turn(value: Json) -> str | None:
    """The text of a turn, unless it is somebody else's than the user's."""
    if not isinstance(value, dict):
        return value if isinstance(value, str) else None
    if value.get("role", value.get("from")) not in ("user", "human"):
        return None
    content = value.get("content", value.get("value"))
    if isinstance(content, list):
        content = "".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else None
