"""Anchors: prompts with two answers of which it is known which one is better. Reads them from JSONL.

A judge is asked about them before it is trusted (qualify.py). A row needs `prompt` (or `messages`), `good` and
`bad`; keys that are not known are passed over. Called by the command line, which opens the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, BinaryIO, Literal, TypeAlias

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from pairsmith.errors import InputError
from pairsmith.records import Completion, Json, Message, Prompt, candidate_id, content_id, prompt_id

Kind: TypeAlias = Literal["plain", "adversarial"]
Trap: TypeAlias = Literal["longer", "polished", "confident", "flattering", "off_question"]

ARM = "anchor"  # where the answers of an anchor come from, in the place of a sampling arm
NO_FAMILY = "other"


@dataclass(frozen=True, slots=True)
class Anchor:
    """One prompt, its good answer and its bad one.

    `trap` says what makes the bad answer of an adversarial anchor look better than it is; `why` is the reason in
    words, for people. Plain anchors have no trap.
    """

    id: str
    prompt: Prompt
    good: Completion
    bad: Completion
    kind: Kind = "plain"
    trap: Trap | None = None
    family: str = NO_FAMILY
    why: str = ""


def anchor_of(
    ident: str,
    prompt: Prompt,
    good: str,
    bad: str,
    kind: Kind = "plain",
    trap: Trap | None = None,
    family: str = NO_FAMILY,
    why: str = "",
) -> Anchor:
    """An anchor from texts; its answers carry the ids of given candidates."""
    sides = [Completion(candidate_id(prompt.id, text), prompt.id, text, ARM) for text in (good, bad)]
    return Anchor(ident, prompt, sides[0], sides[1], kind, trap, family, why)


def anchors_id(anchors: list[Anchor]) -> str:
    """The content id of a set of anchors, in whatever order they stand."""
    return content_id("anchors", *sorted(f"{a.prompt.id} {a.good.id} {a.bad.id} {a.kind} {a.trap}" for a in anchors))


def read_anchors(stream: BinaryIO, name: str) -> list[Anchor]:
    """Every anchor of a JSONL file, in its order.

    Args:
        stream: the open file.
        name: what to call it in messages.

    Raises:
        InputError: a row is not as it must be, two have one id or are the same, or there is none.
    """
    anchors: list[Anchor] = []
    lines: dict[str, int] = {}
    for number, line in _lines(stream):
        anchor = _anchor(line, number, name)
        asked = " ".join([anchor.prompt.id, *sorted((anchor.good.id, anchor.bad.id))])
        for key, field in ((f"id {anchor.id}", "id"), (asked, "prompt")):
            if key in lines:
                same = "it is that" if field == "id" else "it and both answers are those"
                raise _wrong(name, number, field, f"{same} of line {lines[key]}: keep one of the two")
            lines[key] = number
        anchors.append(anchor)
    if not anchors:
        raise InputError(f"{name}: no anchors in it; write one a line, with prompt, good and bad")
    return anchors


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(stream, start=1):
        text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if text.strip():
            yield number, text


# --- one row --------------------------------------------------------------------------------------

Text = Annotated[str, Field(min_length=1)]


class _Row(BaseModel):
    """One row as a stranger writes it."""

    model_config = ConfigDict(strict=True)

    prompt: Text | None = None
    messages: list[dict[str, object]] | None = Field(default=None, min_length=1)
    system: str | None = None
    good: Text
    bad: Text
    id: str | int | None = None
    kind: Kind | None = None
    trap: Trap | None = None
    family: str | None = None
    why: str | None = None
    reference: str | None = None

    @field_validator("prompt", "good", "bad")
    @classmethod
    def _says_something(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("it is empty")
        return value

    @field_validator("messages")
    @classmethod
    def _to_be_answered(cls, value: list[dict[str, object]] | None) -> list[dict[str, object]] | None:
        for message in value or ():
            if message.get("role") not in ("system", "developer", "user", "assistant", "tool"):
                raise ValueError("a message needs a role: system, user, assistant or tool")
        if value and value[-1]["role"] not in ("user", "tool"):
            raise ValueError("the last message must be the user's, which good and bad answer")
        return value

    @model_validator(mode="after")
    def _one_question_two_answers(self) -> _Row:
        if (self.prompt is None) == (self.messages is None):
            raise ValueError("prompt: give prompt or messages, and not both")
        if self.good.strip() == self.bad.strip():
            raise ValueError("bad: it is the same text as good")
        if self.trap is not None and self.kind == "plain":
            raise ValueError("trap: a plain anchor has none; say adversarial, or leave the trap out")
        return self


def _anchor(line: bytes, number: int, name: str) -> Anchor:
    try:
        row = _Row.model_validate_json(line)
    except ValidationError as exc:
        raise _named_wrong(exc, name, number) from None
    kind: Kind = row.kind or ("adversarial" if row.trap else "plain")
    ident = f"line-{number}" if row.id is None else str(row.id)
    return anchor_of(
        ident, _prompt(row, ident), row.good, row.bad, kind, row.trap, row.family or NO_FAMILY, row.why or ""
    )


def _prompt(row: _Row, ident: str) -> Prompt:
    """The prompt as a record: system messages stand in `system`, the others in `messages`."""
    written: list[Message] = orjson.loads(orjson.dumps(row.messages or [{"role": "user", "content": row.prompt}]))
    said = [str(m.get("content")) for m in written if m["role"] in ("system", "developer")]
    system = "\n\n".join(([row.system] if row.system else []) + said) or None
    messages = tuple(m for m in written if m["role"] not in ("system", "developer"))
    meta: dict[str, Json] = {"anchor": ident}
    return Prompt(
        prompt_id(messages, [], row.reference, system),
        messages,
        reference=row.reference,
        system=system,
        meta=meta,
        source_id=ident,
    )


def _named_wrong(exc: ValidationError, name: str, number: int) -> InputError:
    """The first thing that is wrong with a row, in our words."""
    error = exc.errors()[0]
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "json_invalid":
        return InputError(f"{name}, line {number}: not JSON; write one object a line")
    if not error["loc"]:
        field, colon, rest = message.partition(": ")
        return _wrong(name, number, field, rest) if colon else InputError(f"{name}, line {number}: {message}")
    field = str(error["loc"][0])
    if error["type"] == "missing":
        return _wrong(name, number, field, "it is missing; a row needs prompt, good and bad")
    return _wrong(name, number, field, message[0].lower() + message[1:])


def _wrong(name: str, number: int, field: str, what: str) -> InputError:
    return InputError(f'{name}, line {number}, field "{field}": {what}')
