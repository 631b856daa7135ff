"""Tells of a text, by the text alone, what the writer planted in it."""

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import Literal

from pairsmith.simulator.composing import planted_quality
from pairsmith.simulator.writer import faulty, growing, rewording, steps
from pairsmith.simulator.writer.languages import LANGUAGES
from pairsmith.simulator.writer.prompts import BANKS
from pairsmith.simulator.writer.templates import pattern

Planted = Literal["good", "repeat", "answer", "drift", "placeholder", "about", "dangling", "refusal"]

# A template with fewer characters in a row that never change is no sign of its own.
_TELLING = 8
_WHOLE: tuple[tuple[Planted, Sequence[str]], ...] = (
    ("refusal", faulty.REFUSALS),
    ("about", faulty.ABOUT),
    ("dangling", faulty.DANGLING),
    ("drift", faulty.DRIFTS),
    ("answer", faulty.ANSWERS),
)


@lru_cache(maxsize=4096)
def planted_kind(text: str) -> Planted | None:
    """What was planted in a text; None when the writer did not write it."""
    told = " ".join(text.split()).lower()
    for kind, templates in _WHOLE:
        if any(finds.fullmatch(told) for finds in _told_by(told, templates)):
            return kind
    if any(placed.lower() in told for placed in faulty.PLACED):
        return "placeholder"
    if planted_quality(text) is not None:
        return "answer"
    good = any(finds.search(told) for finds in _told_by(told, _good()))
    edited = told.startswith(_lowered(faulty.BEFORE)) or told.endswith(_lowered(faulty.BEHIND))
    if good or any(favourite.lower().strip(".") in told for favourite in faulty.FAVOURITES):
        return "repeat" if edited else "good"
    return None


def steps_in(text: str) -> int:
    """How many of the steps that make a prompt harder stand in a text."""
    told = " ".join(text.split()).lower()
    return sum(1 for finds in _told_by(told, _steps()) if finds.search(told))


def _told_by(told: str, templates: Sequence[str]) -> Iterable[re.Pattern[str]]:
    """What finds each of the templates that may stand in a text."""
    for anchor, finds in _patterns(templates):
        if anchor in told:
            yield finds


@cache
def _patterns(templates: Sequence[str]) -> Sequence[tuple[str, re.Pattern[str]]]:
    return [pattern(template) for template in templates]


@cache
def _good() -> Sequence[str]:
    """All that good prompts are told by: asks, and the sentences by which they grow."""
    asks = (ask for bank in (*BANKS.values(), *LANGUAGES.values()) for ask in bank.asks)
    frames = chain(rewording.FRAMES, *rewording.FRAMES_OF.values(), rewording.QUOTED_AGAIN, rewording.CODED_AGAIN)
    grown = chain(*growing.TOPICAL.values(), _steps(), frames)
    return tuple(template for template in chain(asks, grown) if len(pattern(template)[0]) >= _TELLING)


@cache
def _steps() -> Sequence[str]:
    return tuple(chain.from_iterable(chain(*(ways.values() for ways in (steps.STEPS, *steps.STEPS_OF.values())))))


def _lowered(edits: Iterable[str]) -> tuple[str, ...]:
    return tuple(edit.lower().strip() for edit in edits)
