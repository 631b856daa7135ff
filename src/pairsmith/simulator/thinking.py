"""Models that think first, and what max_tokens leaves of an answer: with thoughts, often nothing."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from pairsmith.simulator.answers import CHARS_A_TOKEN, Choice, tokens_of
from pairsmith.simulator.dice import Dice

# Where the thoughts go: nowhere, into <think> in the content, or into message.reasoning_content.
Thinks = Literal["", "tags", "field"]

_THOUGHTS = (
    "The user wants a useful answer, so I should first work out what is really being asked here.",
    "There are a few ways to put this, and the plain one is probably best.",
    "I must not forget to say what to do first and why.",
    "Let me check whether anything about this could be misunderstood.",
    "A short example would help, but it should not become too long.",
    "Fine, I have what I need and can write the answer now.",
)

# reasoning_effort -> the fewest sentences of thoughts, and how many more there may be. "none" has no thoughts.
_MEDIUM = (2, 3)
_EFFORTS = {"minimal": (1, 0), "low": (1, 1), "medium": _MEDIUM, "high": (8, 4), "xhigh": (14, 6)}


def may_think(body: Mapping[str, Any]) -> bool:
    """Whether a request leaves a thinking model its thoughts."""
    kwargs = body.get("chat_template_kwargs")
    switched_off = isinstance(kwargs, dict) and kwargs.get("enable_thinking") is False
    return not switched_off and body.get("reasoning_effort") != "none"


def think(text: str, thinks: Thinks, effort: object, max_tokens: int | None, dice: Dice) -> Choice:
    """An answer after thoughts; its content is "" when max_tokens end within the thoughts.

    effort is the request's reasoning_effort; what is no known one counts as "medium".
    """
    fewest, more = _EFFORTS.get(str(effort), _MEDIUM)
    start, many = dice.below(len(_THOUGHTS)), fewest + dice.below(more + 1)
    thoughts = " ".join(_THOUGHTS[(start + i) % len(_THOUGHTS)] for i in range(many))
    shown = f"<think>\n{thoughts}\n</think>\n\n"
    in_content = thinks == "tags"
    spent = tokens_of(shown if in_content else thoughts)
    if max_tokens is not None and spent >= max_tokens:
        unfinished = None if in_content else thoughts[: max_tokens * CHARS_A_TOKEN]
        return Choice("", "length", reasoning=unfinished, reasoning_tokens=max_tokens)
    if in_content:
        return cut(Choice(shown + text), max_tokens)
    choice = cut(Choice(text), None if max_tokens is None else max_tokens - spent)
    return replace(choice, reasoning=thoughts, reasoning_tokens=spent)


def cut(choice: Choice, max_tokens: int | None) -> Choice:
    """The choice within so many tokens; finish_reason "length" if it did not fit. None means no limit."""
    content = choice.content or ""
    if max_tokens is None or tokens_of(content) <= max_tokens:
        return choice
    return replace(choice, content=content[: max_tokens * CHARS_A_TOKEN], finish_reason="length")
