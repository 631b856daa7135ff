"""The same request in other words: another order, words swapped; figures, quotations and code stay."""

import re
from collections.abc import Sequence

from pairsmith.simulator.dice import Dice
from pairsmith.simulator.writer.languages import language_of
from pairsmith.simulator.writer.rewording import CODED_AGAIN, FRAMES, FRAMES_OF, QUOTED_AGAIN, SWAPS
from pairsmith.simulator.writer.templates import capital

_NUMBER = re.compile(r"\d")
_QUOTED = re.compile(r"[\"“„«]([^\"”“»]{30,})[\"”“»]", re.DOTALL)
_BETWEEN = re.compile(r"(?<=[.!?])\s+(?=[A-ZÄÖÜ¿¡])")
_SWAPPED = 0.8


def rephrase(text: str, dice: Dice, used: set[str]) -> str:
    """The text as another person would put it; `used` holds what this reply has begun with already."""
    before, behind, code = text.partition("\n\n")
    language = language_of(text)
    quoted = _QUOTED.search(text)
    if code and not _NUMBER.search(before):
        return _again(CODED_AGAIN, code, dice, used)
    if quoted and language == "English" and not _NUMBER.search(text.replace(quoted[0], "")):
        return _again(QUOTED_AGAIN, quoted[1], dice, used)
    frame = _unused(FRAMES_OF.get(language, FRAMES), dice, used)
    return frame.replace("{said}", _said(before, dice, language)) + behind + code


def _again(asks: Sequence[str], quoted: str, dice: Dice, used: set[str]) -> str:
    return _unused(asks, dice, used).replace("{quoted}", quoted)


def _unused(bank: Sequence[str], dice: Dice, used: set[str]) -> str:
    left = [template for template in bank if template not in used] or bank
    chosen = left[dice.below(len(left))]
    used.add(chosen)
    return chosen


def _said(text: str, dice: Dice, language: str) -> str:
    sentences = _BETWEEN.split(text.strip())
    turn = dice.below(len(sentences))
    sentences = sentences[turn:] + sentences[:turn]
    if language == "English":
        sentences = [capital(_swapped(sentence, dice)) for sentence in sentences]
    return " ".join(sentences)


def _swapped(sentence: str, dice: Dice) -> str:
    """The sentence with most of the words swapped that can be; quotations are left alone."""
    pieces = re.split(r"(\"[^\"]*\")", sentence)
    for words, others in SWAPS:
        if dice.uniform() < _SWAPPED:
            pieces[::2] = [re.sub(rf"(?<!\w){re.escape(words)}(?!\w)", others, piece) for piece in pieces[::2]]
    return "".join(pieces)
