"""Turns a prompt and its two answers into one row of a target, and into the row of the provenance file.

It projects and never mends: texts leave byte-equal to what was stored. Whether a target takes a row at
all is asked in rows.py; whether a file is right, in check.py. Called by pipeline, once a pair.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias, TypedDict

import orjson

from pairsmith.export.settings import TargetName
from pairsmith.records import Completion, Json, Message, Pair, Prompt


class Answer(TypedDict):
    """One side of a pair: always the assistant's, always text."""

    role: str
    content: str


class OpenAIInput(TypedDict):
    """What both answers reply to; `tools` and `parallel_tool_calls` are always written."""

    messages: list[Message]
    tools: list[Json]
    parallel_tool_calls: bool


class OpenAIRow(TypedDict):
    """One line of OpenAI preference fine-tuning; Azure, Together and Fireworks read the same."""

    input: OpenAIInput
    preferred_output: list[Answer]
    non_preferred_output: list[Answer]


class TrlRow(TypedDict):
    """One line for TRL: an explicit conversational prompt, nothing to guess from a shared prefix."""

    prompt: list[Message]
    chosen: list[Answer]
    rejected: list[Answer]


Row: TypeAlias = OpenAIRow | TrlRow
RowMaker: TypeAlias = Callable[[Prompt, str, str, str | None], Row]

_ALWAYS = ("role", "content")
_TOOL_TURNS = ("tool_calls", "tool_call_id")


def openai_row(prompt: Prompt, chosen: str, rejected: str, system: str | None) -> OpenAIRow:
    """The portable row: exactly three keys, no more than every platform takes.

    Args:
        prompt: its own `system` is not looked at here.
        chosen: the preferred text, as stored.
        rejected: the other text of the SAME prompt, as stored.
        system: the whole system message, see `system_text`; None or blank writes none.
    """
    return {
        "input": {
            "messages": _messages(prompt, system),
            "tools": list(prompt.tools),
            "parallel_tool_calls": True,
        },
        "preferred_output": [_answer(chosen)],
        "non_preferred_output": [_answer(rejected)],
    }


def trl_row(prompt: Prompt, chosen: str, rejected: str, system: str | None) -> TrlRow:
    """The same for TRL, Unsloth, OpenRLHF and Axolotl; prompts with tools are refused before (rows.py)."""
    return {
        "prompt": _messages(prompt, system),
        "chosen": [_answer(chosen)],
        "rejected": [_answer(rejected)],
    }


ROWS: Mapping[TargetName, RowMaker] = {
    "openai": openai_row,
    "azure": openai_row,
    "together": openai_row,
    "fireworks": openai_row,
    "trl": trl_row,
}


def system_text(persona: str | None, own: str | None) -> str | None:
    """The system message of an exported row: the persona, a blank line, the prompt's own.

    Args:
        persona: the arm's persona ("keep"), the text of the file that replaces it, or None ("strip").
        own: `prompt.system`, which always stays.
    """
    return "\n\n".join(text for text in (persona, own) if text) or None


def row_bytes(row: Mapping[str, object]) -> bytes:
    r"""The row as one line, ending in b"\n". U+2028 stays raw, which JSON allows: cut at b"\n" only.

    Raises:
        TypeError: a text holds a lone surrogate, or a value nests deeper than 254 levels.
    """
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def side_row(completion: Completion, score: float | None) -> dict[str, Json]:
    """One side of a provenance row; `span` only where the text is a part of the stored reply."""
    row: dict[str, Json] = {
        "completion": completion.id,
        "arm": completion.arm,
        "model": completion.model,
        "score": score,
    }
    if completion.span is not None:
        row["span"] = list(completion.span)
    return row


def provenance_row(
    pair: Pair,
    prompt: Prompt,
    sides: tuple[Mapping[str, Json], Mapping[str, Json]],
    details: Mapping[str, Json],
) -> dict[str, Json]:
    """What proves one row of the dataset; it stands at the same line of the provenance file, which names the line.

    Args:
        pair: what was settled; its `provenance` keys are written too.
        prompt: the one that both sides answer.
        sides: chosen, rejected, as `side_row` makes them.
        details: what else pipeline knows: `verdicts`, `simulated`, …; it cannot replace the keys above.
    """
    chosen, rejected = sides
    fixed: dict[str, Json] = {
        "prompt_id": pair.prompt_id,
        "id": prompt.source_id,
        "chosen": {**chosen, "completion": pair.chosen},
        "rejected": {**rejected, "completion": pair.rejected},
        "gap": pair.gap,
        "judges": list(pair.judges),
    }
    # fixed first for the order of the keys, and last so that nothing takes their place
    return {**fixed, "verdicts": [], "simulated": False, **pair.provenance, **details, **fixed}


def _messages(prompt: Prompt, system: str | None) -> list[Message]:
    first: list[Message] = [{"role": "system", "content": system}] if system and not system.isspace() else []
    return [*first, *map(_portable, prompt.messages)]


def _portable(message: Message) -> Message:
    kept = {key: message[key] for key in _ALWAYS if key in message}
    return kept | {key: message[key] for key in _TOOL_TURNS if message.get(key) is not None}


def _answer(text: str) -> Answer:
    return {"role": "assistant", "content": text}
