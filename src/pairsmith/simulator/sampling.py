"""Which draft a sampling model gives: a softmax over quality and style, cut by top_k, top_p and min_p.

The penalties and verbosity make repetitive, short or long drafts less likely: see _leaning.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from pairsmith.simulator.dice import Dice
from pairsmith.simulator.drafts import Draft

# The marker that stands first in the system prompt decides which style it asks for.
STYLE_MARKERS = {
    "in a hurry": "hasty",
    "step by step": "stepwise",
    "step-by-step": "stepwise",
    "concise": "concise",
    "warm": "warm",
    "expert": "expert",
}

# How much more likely (in logits at temperature 1) a draft of the asked style is.
# Kept small: five draws at 0.6-1.1 should show at least 3.5 of six drafts, and a fair die shows 3.59.
_STYLE_LOGIT = 0.5

# What a penalty of 1 costs a draft that says nothing but words said before. A composed draft repeats 26 % of its words,
# give or take 8 (standard deviation over 120 prompts): a penalty of 2 outweighs every preference for quality.
_REPETITION_LOGIT = 30.0
# How much more likely the longest of the drafts is than an empty one, at "high"; "low" turns it round.
_LENGTH_LOGIT = {"low": -8.0, "high": 8.0}
_WORD = re.compile(r"\w+")


def asked_style(system: str) -> str:
    """The style that a system prompt asks for; "plain" when it names none."""
    system = system.lower()
    found = [(system.index(marker), style) for marker, style in STYLE_MARKERS.items() if marker in system]
    return min(found)[1] if found else "plain"


def draw(drafts: Sequence[Draft], system: str, body: Mapping[str, Any], tilt: float, dice: Dice) -> Draft:
    """Draw one draft of ONE prompt.

    Args:
        drafts: 1+ answers to the prompt.
        system: the text of the system messages.
        body: the request, read for temperature, top_k, top_p, min_p, the penalties and verbosity.
        tilt: logits per point of quality: above 0 the model prefers good drafts, below 0 poor ones.
        dice: decides, unless temperature is 0 or only one draft is left.
    """
    style = asked_style(system)
    leaning = _leaning(drafts, body)
    logits = [tilt * d.quality + _STYLE_LOGIT * (d.style == style) + leaning[i] for i, d in enumerate(drafts)]
    order = sorted(range(len(drafts)), key=lambda i: (-logits[i], i))
    temperature = _number(body.get("temperature"), 1.0)
    top_k = int(_number(body.get("top_k"), 0))
    if top_k > 0:
        order = order[:top_k]
    if temperature <= 0 or len(order) == 1:
        return drafts[order[0]]
    top = logits[order[0]]
    weights = [math.exp(max(-700.0, (logits[i] - top) / temperature)) for i in order]
    weights = _nucleus(weights, _number(body.get("top_p"), 1.0))
    least = _number(body.get("min_p"), 0.0) * weights[0]
    weights = [weight for weight in weights if weight >= least] or weights[:1]
    return drafts[order[_pick(weights, dice.uniform())]]


def _leaning(drafts: Sequence[Draft], body: Mapping[str, Any]) -> list[float]:
    """Logits that a request adds to its drafts by their texts; zeros, and no text written, where it asks for none.

    Per draft: frequency_penalty and repetition_penalty - 1 count every word that was said before, presence_penalty
    every word that comes again, once; both as shares of the draft's words. verbosity counts the length.
    """
    presence = _number(body.get("presence_penalty"), 0.0)
    frequency = _number(body.get("frequency_penalty"), 0.0) + _number(body.get("repetition_penalty"), 1.0) - 1.0
    by_length = _LENGTH_LOGIT.get(str(body.get("verbosity")), 0.0)
    if not (presence or frequency or by_length):
        return [0.0] * len(drafts)
    texts = [draft.text() for draft in drafts]
    longest = max(1, *(len(text) for text in texts))
    leaning = []
    for text in texts:
        said = Counter(_WORD.findall(text.lower()))
        repeats = (said.total() - len(said)) * frequency + sum(many > 1 for many in said.values()) * presence
        leaning.append(by_length * len(text) / longest - _REPETITION_LOGIT * repeats / max(1, said.total()))
    return leaning


def _number(value: object, default: float) -> float:
    return float(value) if isinstance(value, int | float) else default


def _nucleus(weights: list[float], top_p: float) -> list[float]:
    """The fewest weights, largest first, that hold the share top_p; always at least one."""
    if top_p >= 1:
        return weights
    enough, held = top_p * sum(weights), 0.0
    for kept, weight in enumerate(weights, start=1):
        held += weight
        if held >= enough:
            return weights[:kept]
    return weights


def _pick(weights: list[float], uniform: float) -> int:
    mark = uniform * sum(weights)
    for i, weight in enumerate(weights):
        mark -= weight
        if mark < 0:
            return i
    return len(weights) - 1
