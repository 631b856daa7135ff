"""What the writer says a prompt is worth: it knows what was planted, and errs a little."""

import math
import re

from pairsmith.simulator.dice import Dice
from pairsmith.simulator.writer.kinds import Planted, planted_kind, steps_in
from pairsmith.simulator.writer.reading import Request

# Kind -> the lowest and the highest quality; None: a text that nobody planted.
_QUALITY: dict[Planted | None, tuple[float, float]] = {
    "good": (6.0, 9.0), "repeat": (5.0, 8.0), "drift": (2.0, 4.0), "placeholder": (1.0, 2.0), "about": (1.0, 2.0),
    "dangling": (1.0, 2.0), "answer": (1.0, 2.0), "refusal": (1.0, 1.0), None: (5.5, 8.5),
}  # fmt: skip
_NOISE, _HARDER = 0.35, 1.5
_SHORTEST_WORDS = 3
_FIGURE = re.compile(r"\d")
_RATIONALES: dict[str, tuple[str, ...]] = {
    "high": (
        "It sounds like a real person with a real need, and a good answer would show. The only weak spot is the "
        "ending.",
        "Clear about what is wanted, with details that matter. One figure could be explained.",
        "The tone is believable and the task is concrete. It might say who will read the answer.",
    ),
    "middle": (
        "Usable and understandable. It stays vague about what the person has tried so far.",
        "One sees what is meant, but many people ask just that. More detail would set it apart.",
        "The wish is plain enough. The circumstances are hardly used.",
    ),
    "low": (
        "It has little to do with what people of this field send. The language is fine.",
        "Something that is needed to answer is missing. The wish itself can be guessed.",
        "It reads well but belongs to another field than the examples.",
    ),
    "worst": (
        "This is not what a user would send. There is nothing to answer.",
        "It is no prompt: it speaks about one, or answers it. Nothing can be saved.",
        "It cannot be answered as it stands, since something was left out.",
    ),
}


def assessment(request: Request, dice: Dice) -> dict[str, object]:
    """Rationale, quality and difficulty of the last prompt shown."""
    text = request.shown[-1] if request.shown else ""
    kind = planted_kind(text)
    low, high = _QUALITY[kind] if len(text.split()) >= _SHORTEST_WORDS else (1.0, 3.0)
    own = Dice("worth", text)
    quality = _points(low + (high - low) * own.uniform() + _NOISE * dice.normal(), low, high)
    level = "high" if quality >= 8 else "middle" if quality >= 5 else "low" if quality >= 3 else "worst"
    bank = _RATIONALES[level]
    return {
        "rationale": bank[dice.below(len(bank))],
        "quality": quality,
        "difficulty": _points(_difficulty(text) + 0.8 * own.normal() + _NOISE * dice.normal(), 1.0, 10.0),
    }


def _points(seen: float, low: float, high: float) -> int:
    return round(min(high, max(low, seen)))


def _difficulty(text: str) -> float:
    """From the length in words, the figures, and the steps by which it was made harder."""
    words = max(1, len(text.split()))
    figures = min(4, len(_FIGURE.findall(text)))
    return 0.5 + 0.9 * math.log(words) + 0.2 * figures + _HARDER * steps_in(text)
