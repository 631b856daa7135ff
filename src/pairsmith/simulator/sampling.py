"""Which draft a sampling model gives: a softmax over quality and style, cut by top_k and top_p."""

import math
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
        body: the request, read for temperature, top_k and top_p.
        tilt: logits per point of quality: above 0 the model prefers good drafts, below 0 poor ones.
        dice: decides, unless temperature is 0 or only one draft is left.
    """
    style = asked_style(system)
    logits = [tilt * d.quality + _STYLE_LOGIT * (d.style == style) for d in drafts]
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
    return drafts[order[_pick(weights, dice.uniform())]]


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
