"""A pair in chat terms, which every layout is written from and read into; and how layouts word single messages.

Knows no key of a row and no platform: rows are in layouts.py, rules in rules.py. Called by both, and by shapes.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from pairsmith.export.problems import Finding
from pairsmith.records import Json, Message


@dataclass(frozen=True, slots=True)
class ChatPair:
    """A prompt and two answers to it, as OpenAI chat messages.

    `messages`: the prompt's, 1+, the system message first if there is one. `chosen`, `rejected`: the messages of each
    answer; () where a row has no such side, as in datasets of single answers.
    """

    messages: tuple[Message, ...]
    chosen: tuple[Message, ...]
    rejected: tuple[Message, ...]
    tools: tuple[Json, ...] = ()
    parallel_tool_calls: bool = True

    @property
    def system(self) -> str | None:
        """The text of its system message."""
        first = self.messages[0]
        text = first.get("content") if first.get("role") == "system" else None
        return text if isinstance(text, str) else None

    @property
    def turns(self) -> tuple[Message, ...]:
        """The messages without the system message."""
        return self.messages[1:] if self.messages and self.messages[0].get("role") == "system" else self.messages


@dataclass(frozen=True, slots=True)
class Wording:
    """How a layout words a message: its two keys, its names of the roles, and whether text is boxed.

    Boxed: the text stands in `[{"text": …}]`.
    """

    role: str = "role"
    text: str = "content"
    roles: Mapping[str, str] = field(default_factory=dict)  # chat's name -> this layout's, where they differ
    boxed: bool = False

    def said(self, message: Message) -> Message:
        """A chat message of role and text, in these words; its text has to be a string."""
        role, text = str(message["role"]), message["content"]
        return {self.role: self.roles.get(role, role), self.text: [{"text": text}] if self.boxed else text}

    def heard(self, message: Json) -> Json:
        """A message in these words as a chat message; what cannot be read stays as it is, for the rules to name."""
        if not isinstance(message, dict):
            return message
        heard: Message = {}
        for key, value in message.items():
            if key == self.role:
                heard["role"] = self._chats(value)
            elif key == self.text:
                heard["content"] = _unboxed(value) if self.boxed else value
            elif key in ("role", "content"):
                heard[f"{key}{ELSEWHERE}"] = value
            else:
                heard[key] = value
        return heard

    def name(self, role: str) -> str:
        """A role as this layout names it."""
        return self.roles.get(role, role)

    def _chats(self, role: Json) -> Json:
        if isinstance(role, str) and role in self.roles:
            return f"{role}{ELSEWHERE}"
        return next((chats for chats, own in self.roles.items() if own == role), role)


ELSEWHERE = "\0elsewhere"  # marks a role or a key of chat's that has another name in the wording at hand
CHAT = Wording()
SHAREGPT = Wording("from", "value", {"user": "human", "assistant": "gpt"})
GEMINI = Wording("role", "parts", {"assistant": "model"}, boxed=True)
NOVA = Wording(boxed=True)


class Turn(NamedTuple):
    """A message where it stands in a row: `field` is its place, as "conversations[2]", `message` in chat terms."""

    field: str
    message: Json
    wording: Wording = CHAT

    @property
    def role(self) -> str | None:
        """Who speaks; None where that cannot be read."""
        role = self.message.get("role") if isinstance(self.message, dict) else None
        return role if isinstance(role, str) else None

    @property
    def role_field(self) -> str:
        """Where the role stands."""
        return f"{self.field}.{self.wording.role}"

    @property
    def text_field(self) -> str:
        """Where the text stands; a wording without a key for it has the text alone."""
        return f"{self.field}.{self.wording.text}" if self.wording.text else self.field


@dataclass(slots=True)
class View:
    """What stands in a row, in chat terms with the places; a part that is not there or cannot be read is None.

    `findings`: what is wrong with the row's own keys and containers.
    """

    prompt: list[Turn] | None = None
    chosen: list[Turn] | None = None
    rejected: list[Turn] | None = None
    tools: Json = field(default_factory=list)
    parallel_tool_calls: Json = True
    findings: list[Finding] = field(default_factory=list)

    def pair(self) -> ChatPair | None:
        """The pair that the row holds; None: it cannot be read as one. Rules are not asked."""
        if self.findings or not self.prompt or not (self.chosen or self.rejected):
            return None
        parts = [_messages(turns) for turns in (self.prompt, self.chosen or [], self.rejected or [])]
        if any(part is None for part in parts) or not isinstance(self.tools, list):
            return None
        prompt, chosen, rejected = (tuple(part or ()) for part in parts)
        return ChatPair(prompt, chosen, rejected, tuple(self.tools), self.parallel_tool_calls is not False)


def _messages(turns: Sequence[Turn]) -> list[Message] | None:
    messages = [turn.message for turn in turns if isinstance(turn.message, dict)]
    return messages if len(messages) == len(turns) else None


def _unboxed(value: Json) -> Json:
    """The text of a box with one text in it; anything else as it stands, a text without a box as no text."""
    match value:
        case [{"text": str(text), **others}] if not others:
            return text
        case str():
            return [value]
    return value
