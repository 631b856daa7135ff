"""What a judge is shown of a prompt: its messages as text, and borders that no text can forge."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from pairsmith import fences
from pairsmith.records import Json, Message, Prompt

_BORDER = fences.border("answer", "conversation", "message", "reference", "tools")


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation as the judge reads it."""

    role: str
    text: str


def turns(prompt: Prompt) -> tuple[Turn, ...]:
    """The prompt's own system message, if it has one, and every message; never the sampling persona."""
    system = () if prompt.system is None else (Turn("system", prompt.system),)
    return system + tuple(Turn(str(message.get("role")), _text(message)) for message in prompt.messages)


def tools_text(prompt: Prompt) -> str:
    """The tools as indented JSON; "" when there are none."""
    return orjson.dumps(prompt.tools, option=orjson.OPT_INDENT_2).decode() if prompt.tools else ""


def fence(*texts: str) -> str:
    """What follows every block name of a judging request."""
    return fences.fence(_BORDER, *texts)


def prompt_blocks(prompt: Prompt, *answers: str) -> dict[str, object]:
    """What the user templates show besides the answers; `fence` holds for all blocks of the message."""
    shown, tools = turns(prompt), tools_text(prompt)
    texts = [turn.text for turn in shown] + [tools, prompt.reference or "", *answers]
    return {"turns": shown, "tools": tools, "reference": prompt.reference, "fence": fence(*texts)}


def _text(message: Message) -> str:
    """A message's text exactly as it is; what is no text (tool calls, images) as JSON, one line each."""
    content = message.get("content")
    parts = content if isinstance(content, list) else [content] if content else []
    calls = message.get("tool_calls")
    return "\n".join(_part(part) for part in [*parts, *(calls if isinstance(calls, list) else [])])


def _part(part: Json) -> str:
    if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
        part = part["text"]
    return part if isinstance(part, str) else orjson.dumps(part).decode()
