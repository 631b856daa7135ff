"""Turns a prompt and its two answers into a pair in chat terms, and into the row of the provenance file.

It projects and never mends: texts leave byte-equal to what was stored. Whether a target takes a row at
all is asked in rows.py; whether a file is right, in check.py. Called by pipeline, once a pair.
"""

from __future__ import annotations

from collections.abc import Mapping

import orjson

from pairsmith.export.chat import ChatPair
from pairsmith.records import Completion, Json, Message, Pair, Prompt

_ALWAYS = ("role", "content")
_TOOL_TURNS = ("tool_calls", "tool_call_id")


def chat_pair(prompt: Prompt, chosen: str, rejected: str, system: str | None) -> ChatPair:
    """A prompt and its two answers as they are written: no more of each message than every platform takes.

    Args:
        prompt: its own `system` is not looked at here.
        chosen: the preferred text, as stored.
        rejected: the other text of the SAME prompt, as stored.
        system: the whole system message, see `system_text`; None or blank writes none.
    """
    first: list[Message] = [{"role": "system", "content": system}] if system and not system.isspace() else []
    messages = (*first, *map(_portable, prompt.messages))
    return ChatPair(messages, (_answer(chosen),), (_answer(rejected),), tuple(prompt.tools))


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


def _portable(message: Message) -> Message:
    kept = {key: message[key] for key in _ALWAYS if key in message}
    return kept | {key: message[key] for key in _TOOL_TURNS if message.get(key) is not None}


def _answer(text: str) -> Message:
    return {"role": "assistant", "content": text}
