"""The reward models: they know the planted quality of an answer and put it on a scale of their own.

The same text always gets the same number. Bodies are vLLM's (documentation of 0.28, November 2026): /classify gives
`probs`, /pooling `data`, both squeezed into 0 … 1 unless `use_activation` is false.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pairsmith.simulator.dice import Dice


@dataclass(frozen=True, slots=True)
class RewardModel:
    """How one reward model measures: slope × (quality − 5.5) + shift, quality with an error of its own.

    Attributes:
        noise: standard deviation of its error, in points of quality; one error for each text.
        slope: of its raw number, for each point of quality.
        shift: its raw number for a middling answer.
    """

    noise: float
    slope: float
    shift: float


REWARDS: dict[str, RewardModel] = {
    "sim-reward": RewardModel(noise=0.35, slope=1.15, shift=1.7),
    "sim-reward-weak": RewardModel(noise=2.0, slope=0.4, shift=-3.0),
}


def raw_reward(seed: int, kind: RewardModel, model: str, text: str, quality: float) -> float:
    """The raw number for a text of this quality."""
    error = kind.noise * Dice(seed, "reward", model, text.strip()).normal()
    return kind.slope * (quality + error - 5.5) + kind.shift


def pooled(path: str, body: Mapping[str, Any], raw: float) -> dict[str, Any]:
    """The one entry of `data`; with "task": "token_classify" a number for each token, the last one being the reward."""
    number = raw if body.get("use_activation") is False else 1 / (1 + math.exp(-raw))
    if path == "classify":
        return {"index": 0, "label": "LABEL_0", "probs": [number], "num_classes": 1}
    rows = [[number / 3], [number / 2], [number]] if body.get("task") == "token_classify" else [number]
    return {"index": 0, "object": "pooling", "data": rows}
