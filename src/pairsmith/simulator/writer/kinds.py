"""Tells of a text, by the text alone, what the writer planted in it."""

from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import chain
from typing import Literal

from pairsmith.simulator.composing import planted_quality
from pairsmith.simulator.writer import faulty, growing, rewording, steps
from pairsmith.simulator.writer.languages import LANGUAGES
from pairsmith.simulator.writer.prompts import BANKS
from pairsmith.simulator.writer.templates import anchor, finder

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
    """What was planted in a text; None when the writer did not write it.

    A copy of its own prompts is told by the edits that make it look new: verbatim it is what its original is.
    """
    plain = _unedited(text.strip())
    told = _told(plain)
    for kind, templates in _WHOLE:
        if any(finder(template).fullmatch(told) for template in _likely(told, templates)):
            return kind
    if any(placed.lower().removesuffix(".") in told for placed in faulty.PLACED):
        return "placeholder"
    if planted_quality(plain) is not None:
        return "answer"
    if _found(told, _good()) or any(_told(favourite) in told for favourite in faulty.FAVOURITES):
        return "good" if plain == text.strip() else "repeat"
    return None


def steps_in(text: str) -> int:
    """How many of the steps that make a prompt harder stand in a text."""
    told = _told(text)
    return sum(1 for template in _likely(told, _steps()) if finder(template).search(told))


def _told(text: str) -> str:
    """The text as patterns see it."""
    return " ".join(text.split()).lower().removesuffix(".")


def _unedited(text: str) -> str:
    """The text without what was put before it or behind it to make a copy look new."""
    for edit in faulty.BEFORE:
        text = text.removeprefix(edit)
    for edit in faulty.BEHIND:
        text = text.removesuffix(edit)
    return text


def _found(told: str, templates: Sequence[str]) -> bool:
    return any(finder(template).search(told) for template in _likely(told, templates))


def _likely(told: str, templates: Sequence[str]) -> Iterable[str]:
    """The templates whose longest words stand in a text; compiling the others would take a second."""
    return (template for template in templates if anchor(template) in told)


@cache
def _good() -> Sequence[str]:
    """All that good prompts are told by: asks, and the sentences by which they grow."""
    asks = (ask for bank in (*BANKS.values(), *LANGUAGES.values()) for ask in bank.asks)
    frames = chain(rewording.FRAMES, *rewording.FRAMES_OF.values(), rewording.QUOTED_AGAIN, rewording.CODED_AGAIN)
    grown = chain(*growing.TOPICAL.values(), _steps(), frames)
    return tuple(template for template in chain(asks, grown) if len(anchor(template)) >= _TELLING)


@cache
def _steps() -> Sequence[str]:
    return tuple(chain.from_iterable(chain(*(ways.values() for ways in (steps.STEPS, *steps.STEPS_OF.values())))))
