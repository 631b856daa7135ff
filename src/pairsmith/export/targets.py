"""The rules of each platform in one table: what must hold, who says so, and when it was read.

A rule that a target's table leaves out does not apply there; one that it only advises is a warning.
The union is stricter than any platform's own validator, which let identical or empty answers through.
Called by check.py and rows.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from pairsmith.errors import UserError
from pairsmith.export.problems import Severity

PROFILE = "the portable profile of pairsmith, 2026-11"
JSONL = "RFC 8259 and jsonlines.org, read 2026-11"
OPENAI = "OpenAI FineTunePreferenceRequestInput (openai-openapi f7f4b05) and DPO guide, read 2026-11"
AZURE = "Microsoft Foundry DPO guide, read 2026-11"
TOGETHER = "Together preference fine-tuning guide and client, read 2026-11"
FIREWORKS = "Fireworks DPO fine-tuning guide, read 2026-11"
TRL = "TRL 1.16 dataset formats, read 2026-11"
EQUAL_SIDES = "camel-ai/owl#592 (144 of 220 pairs identical), rlhf-book#503 (352 of 5,000)"
LENGTH_BIAS = "Park et al. 2024, arXiv:2403.19159 (DPO learns length)"

Turns: TypeAlias = Literal["any", "alternating", "one"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that must hold in a file."""

    holds: str
    source: str
    severity: Severity = "error"


@dataclass(frozen=True, slots=True)
class Layout:
    """The keys of a row. `wrapped`: the prompt's messages stand in an object beside tools, not alone."""

    prompt: str
    chosen: str
    rejected: str
    wrapped: bool
    optional: frozenset[str] = frozenset()
    old_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def keys(self) -> tuple[str, str, str]:
        """The keys that every row must have, in the order they are written."""
        return (self.prompt, self.chosen, self.rejected)


PREFERENCE = Layout(
    prompt="input",
    chosen="preferred_output",
    rejected="non_preferred_output",
    wrapped=True,
    old_names={
        "preferred_completion": "preferred_output",
        "non_preferred_completion": "non_preferred_output",
    },
)
CONVERSATIONAL = Layout("prompt", "chosen", "rejected", wrapped=False, optional=frozenset({"metadata", "tools"}))


@dataclass(frozen=True, slots=True)
class Target:
    """What one platform takes. Limits of None are not stated by the platform."""

    name: str
    rules: Mapping[str, Rule]
    layout: Layout = PREFERENCE
    turns: Turns = "any"
    output_roles: frozenset[str] = frozenset({"assistant"})
    one_message_outputs: bool = True
    takes_tools: bool = True
    min_rows: int = 1
    max_rows: int | None = None
    max_bytes: int | None = None  # a file must stay below


RULES: Mapping[str, Rule] = {
    # the file
    "bom": Rule("UTF-8 without a byte order mark", JSONL),
    "utf8": Rule("UTF-8", JSONL),
    "crlf": Rule("lines end in LF", PROFILE),
    "blank_line": Rule("no blank line", PROFILE),
    "final_newline": Rule("the last line ends in LF too", PROFILE, "warning"),
    "min_rows": Rule("as many rows as the platform asks for", PROFILE),
    "max_rows": Rule("no more rows than the platform takes", PROFILE),
    "max_bytes": Rule("smaller than the platform's limit", PROFILE),
    "same_row": Rule("no row twice", PROFILE),
    "same_prompt": Rule("one pair a prompt", PROFILE, "warning"),
    "longer_wins": Rule("chosen is longer in at most 75 % of 20 or more rows", LENGTH_BIAS, "warning"),
    # a line
    "json": Rule("one JSON value a line", JSONL),
    "object": Rule("a row is an object", OPENAI),
    "nesting": Rule("no more than 100 levels of nesting", PROFILE),
    "duplicate_key": Rule("a key once an object", JSONL),
    "surrogate": Rule("no lone surrogate", JSONL),
    "nul": Rule("no NUL character", PROFILE),
    # its keys
    "missing_key": Rule("every key of the layout", OPENAI),
    "old_key": Rule("the names of today", OPENAI),
    "extra_key": Rule("no other key", PROFILE),
    "prompt": Rule("the prompt has the layout's type", OPENAI),
    "input_key": Rule("in input only messages, tools, parallel_tool_calls", OPENAI),
    "tools": Rule("tools is a list of objects", OPENAI),
    "parallel_tool_calls": Rule("parallel_tool_calls is true or false", OPENAI),
    # its messages
    "messages": Rule("a list of one message or more", OPENAI),
    "message": Rule("a message is an object", OPENAI),
    "role": Rule("a role that every platform knows", OPENAI),
    "message_key": Rule("only role, content and what tool turns need", PROFILE),
    "content": Rule("content is text and not blank", PROFILE),
    "tool_calls": Rule("tool_calls is a list of objects", OPENAI),
    "tool_call_id": Rule("a tool message names its call", OPENAI),
    "system_first": Rule("one system message at most, the first", PROFILE),
    "user_message": Rule("the user says something", AZURE),
    "last_message": Rule("the last message is not the assistant's", TOGETHER),
    "turns": Rule("the turns that the platform takes", PROFILE),
    # its answers
    "output": Rule("an answer is a list of messages", OPENAI),
    "output_empty": Rule("an answer is not empty", PROFILE),
    "output_count": Rule("one assistant message an answer", OPENAI),
    "output_assistant": Rule("an answer has an assistant message", AZURE),
    "output_tool_calls": Rule("an answer is text", PROFILE),
    "sides_equal": Rule("the answers differ after normalising", EQUAL_SIDES),
}


def _rules(source: str, own: str, off: str = "", warn: str = "") -> Mapping[str, Rule]:
    """The common rules as one platform has them; each argument is a list of names."""
    rules = {name: rule for name, rule in RULES.items() if name not in off.split()}
    for name in own.split():
        rules[name] = replace(rules[name], source=source)
    for name in warn.split():
        rules[name] = replace(rules[name], severity="warning")
    return rules


TARGETS: Mapping[str, Target] = {
    "openai": Target(
        name="openai",
        rules=_rules(OPENAI, own="min_rows max_bytes extra_key"),
        min_rows=10,
        max_bytes=512_000_000,
    ),
    "azure": Target(
        name="azure",
        rules=_rules(
            AZURE,
            own="min_rows max_bytes role",
            off="bom",  # its guide asks for one, its own sample has none
            warn="extra_key blank_line output_tool_calls",
        ),
        output_roles=frozenset({"assistant", "tool"}),
        one_message_outputs=False,
        min_rows=10,
        max_bytes=512_000_000,
    ),
    "together": Target(
        name="together",
        rules=_rules(TOGETHER, own="min_rows max_bytes extra_key turns output_count"),
        turns="alternating",
        max_bytes=50_000_000_000,
    ),
    "fireworks": Target(
        name="fireworks",
        rules=_rules(
            FIREWORKS,
            own="min_rows max_rows turns output_count output_tool_calls",
            warn="extra_key blank_line",
        ),
        turns="one",
        min_rows=3,
        max_rows=3_000_000,
    ),
    "trl": Target(
        name="trl",
        rules=_rules(
            TRL,
            own="object missing_key messages message output min_rows",
            warn="extra_key blank_line crlf message_key last_message output_tool_calls",
        ),
        layout=CONVERSATIONAL,
        output_roles=frozenset({"assistant", "tool"}),
        one_message_outputs=False,
        takes_tools=False,
    ),
}


def target_named(name: str) -> Target:
    """The target of that name.

    Raises:
        UserError: there is none.
    """
    if name not in TARGETS:
        raise UserError(f"{name!r} is no target; take one of {', '.join(TARGETS)}")
    return TARGETS[name]
