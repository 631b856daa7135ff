"""A reward model as a judge: what it is shown, and the one number that it gives back, on a scale of its own.

Pure. It is asked once and gives no reasons; what its numbers mean in points is not decided here. Called by panel.py.
Source: vLLM's classification and pooling APIs (documentation of 0.28, November 2026).
"""

from __future__ import annotations

import json
import math

from pairsmith.judge.verdicts import Unreadable
from pairsmith.records import ChatRequest, Completion, Endpoint, Json, Prompt, Purpose, chat_request


def reward_request(prompt: Prompt, completion: Completion, judge: Endpoint) -> ChatRequest:
    """The request for the reward of one completion: the conversation, the answer last, and the raw number wanted.

    Without `use_activation` vLLM would squeeze the number into 0 … 1, where good answers all look alike.
    """
    system: list[Json] = [] if prompt.system is None else [{"role": "system", "content": prompt.system}]
    messages: list[Json] = [*system, *prompt.messages, {"role": "assistant", "content": completion.text}]
    body: dict[str, Json] = {"messages": messages, "use_activation": False}
    return chat_request(prompt.id, Purpose.SCORE, judge, body, draw=0)


def read_reward(text: str) -> float | Unreadable:
    """The number in the text of a reward model's reply, as wire/faults.py writes it; any finite one."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return Unreadable("it is no JSON")
    reward = found.get("reward") if isinstance(found, dict) else None
    if isinstance(reward, float) and math.isfinite(reward):
        return reward
    return Unreadable('there is no finite number in "reward"')
