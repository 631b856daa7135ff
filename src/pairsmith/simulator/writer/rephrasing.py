"""The same request in other words: sentences in another order, words swapped; numbers, quotations and code as they are."""

import re

from pairsmith.simulator.dice import Dice
from pairsmith.simulator.writer.growing import FRAMES, SWAPS
from pairsmith.simulator.writer.snippets import CODE
from pairsmith.simulator.writer.templates import Filler, capital
from pairsmith.simulator.writer.texts import SUMMARISATION

_QUOTED = re.compile(r"[\"“„«]([^\"”“»]{30,})[\"”“»]", re.DOTALL)
_BETWEEN = re.compile(r"(?<=[.!?])\s+(?=[A-ZÄÖÜ¿¡])")
_SWAPPED = 0.8


def rephrase(text: str, dice: Dice, used: set[str]) -> str:
    """The text as another person would put it."""
    before, behind, code = text.partition("\n\n")
    if code and not re.search(r"\d", before):
        return f"{_asked(CODE.asks, 'snippet', code, dice, used)}"
    quoted = _QUOTED.search(text)
    if quoted and not re.search(r"\d", text.replace(quoted[0], "")):
        return _asked(SUMMARISATION.asks, "passage", quoted[1], dice, used)
    frames = [frame for frame in FRAMES if frame not in used] or list(FRAMES)
    frame = frames[dice.below(len(frames))]
    used.add(frame)
    said = _said(before, dice)
    return frame.replace("{said}", said) + (behind + code)


def _asked(asks: tuple[str, ...], slot: str, given: str, dice: Dice, used: set[str]) -> str:
    """Another ask that holds the given text whole."""
    fitting = [ask for ask in asks if f"{{{slot}}}" in ask and "code_lang" not in ask]
    left = [ask for ask in fitting if ask not in used] or fitting
    ask = left[dice.below(len(left))]
    used.add(ask)
    return capital(Filler(dice, {slot: given}).say(ask))


def _said(text: str, dice: Dice) -> str:
    sentences = _BETWEEN.split(text.strip())
    turn = dice.below(len(sentences))
    sentences = sentences[turn:] + sentences[:turn]
    return " ".join(capital(_swapped(sentence, dice)) for sentence in sentences)


def _swapped(sentence: str, dice: Dice) -> str:
    """The sentence with most of the words swapped that can be; quotations are left alone."""
    pieces = re.split(r"(\"[^\"]*\")", sentence)
    for words, others in SWAPS:
        if dice.uniform() < _SWAPPED:
            pieces[::2] = [re.sub(rf"(?<!\w){re.escape(words)}(?!\w)", others, piece) for piece in pieces[::2]]
    return "".join(pieces)
