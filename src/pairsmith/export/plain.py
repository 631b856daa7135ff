r"""A quick look at a row: whether it is one of those, nearly all, in which no rule can find anything.

msgspec reads and checks types at once, faster than a row can be read into dicts. What is passed here the rules pass
too (tests hold that); what is not, they look at one by one. Called by check.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal, NamedTuple

import msgspec

from pairsmith.export.layouts import CONVERSATIONAL, WRAPPED
from pairsmith.export.row_rules import alike
from pairsmith.export.targets import Target


class Plain(NamedTuple):
    """What check counts of a row."""

    asked: tuple[tuple[str, str], ...]  # role and text of each message of the prompt
    chosen: str
    rejected: str


class _Message(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["system", "user", "assistant"]
    content: str


class _Answer(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    role: Literal["assistant"]
    content: str


class _Input(msgspec.Struct, forbid_unknown_fields=True):
    messages: Annotated[list[_Message], msgspec.Meta(min_length=1)]
    tools: Annotated[list[None], msgspec.Meta(max_length=0)]
    parallel_tool_calls: bool


class _Wrapped(msgspec.Struct, forbid_unknown_fields=True):
    input: _Input
    preferred_output: tuple[_Answer]
    non_preferred_output: tuple[_Answer]


class _Conversational(msgspec.Struct, forbid_unknown_fields=True):
    prompt: Annotated[list[_Message], msgspec.Meta(min_length=1)]
    chosen: tuple[_Answer]
    rejected: tuple[_Answer]


_QUOTES = 4  # pairs of them, of a message: two keys, two values
_TURNS = ["user", "assistant"] * 500  # longer talks are read thoroughly
_wrapped = msgspec.json.Decoder(_Wrapped).decode
_conversational = msgspec.json.Decoder(_Conversational).decode


def quick_look(target: Target) -> Callable[[bytes], Plain | None] | None:
    """How a line of the target's file is looked at quickly: its texts, or None where it has to be read thoroughly.

    Returns:
        None where the target's rows cannot be looked at so.
    """
    one_turn = target.turns == "one"
    if target.rules.keys() & {"forbidden_text", "outer_space"}:
        return None
    if target.layout is WRAPPED:

        def wrapped(line: bytes) -> Plain | None:
            try:
                row = _wrapped(line)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                return None
            return _plain(line, row.input.messages, row.preferred_output[0], row.non_preferred_output[0], 6, one_turn)

        return wrapped
    if target.layout is CONVERSATIONAL:

        def conversational(line: bytes) -> Plain | None:
            try:
                row = _conversational(line)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                return None
            return _plain(line, row.prompt, row.chosen[0], row.rejected[0], 3, one_turn)

        return conversational
    return None


def _plain(
    line: bytes, messages: Sequence[_Message], better: _Answer, worse: _Answer, keys: int, one_turn: bool
) -> Plain | None:
    chosen, rejected = better.content, worse.content
    asked = tuple([(message.role, message.content) for message in messages])
    turns = asked[1:] if asked[0][0] == "system" else asked
    if len(turns) % 2 == 0 or (one_turn and len(turns) > 1):
        return None
    if [role for role, _ in turns] != _TURNS[: len(turns)] or line.endswith(b"\r\n"):
        return None
    quotes = 2 * (keys + _QUOTES * (len(asked) + 2))
    texts = [text for _, text in asked]
    texts += chosen, rejected
    for text in texts:
        if not text or text.isspace():
            return None
    whole = "".join(texts)
    if "\0" in whole:
        return None
    if '"' in whole:
        quotes += whole.count('"')
        if b"\\u0022" in line:
            return None
    # more quotes than these: a key stands twice, and the first one is not seen
    return None if line.count(b'"') != quotes or alike(chosen, rejected) else Plain(asked, chosen, rejected)
