"""One draft: a possible answer to a prompt, with the quality that was planted in it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Draft:
    """One of the answers a model may give to one prompt.

    Attributes:
        quality: planted, 1 (poor) to 10 (excellent).
        style: one of sentences.STYLES, or whatever style the book names.
        text: writes the answer; called only for the draft that is drawn.
    """

    quality: float
    style: str
    text: Callable[[], str]
