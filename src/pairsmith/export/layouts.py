"""The layouts of a row: how a pair is written in each, and where its parts stand when a row is read.

A layout writes and reads, and never mends; what a platform allows in it stands in targets.py. Called by rows.py,
row_rules.py and shapes.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import orjson

from pairsmith.export.chat import CHAT, GEMINI, SHAREGPT, ChatPair, Turn, View, Wording
from pairsmith.export.clouds import SYSTEM_KEYS, gemini_rows, gemini_view, nova_rows, nova_view
from pairsmith.export.placed import (
    answers,
    lone_text,
    one_answer,
    read_answer_last,
    tools_in,
    tools_text,
    turns,
    two_completions,
)
from pairsmith.export.problems import Finding, shown
from pairsmith.export.reading import JsonObject
from pairsmith.records import Json

Container: TypeAlias = Literal["jsonl", "csv", "parquet"]


@dataclass(frozen=True, slots=True)
class Layout:
    """One form of rows.

    `prompt`, `chosen`, `rejected`: the fields that messages name; `rejected` is "" where a row holds one answer.
    `sides`: which side each of a pair's rows holds, where it becomes several. `one_text`: an answer has to be one
    message of text.
    """

    keys: tuple[str, ...]  # every row has them
    rows: Callable[[ChatPair], tuple[JsonObject, ...]]
    view: Callable[[JsonObject], View]
    prompt: str
    chosen: str
    rejected: str
    optional: frozenset[str] = frozenset()
    old_names: Mapping[str, str] = field(default_factory=dict)
    sides: tuple[str, ...] = ()
    one_text: bool = False
    instead: Mapping[str, str] = field(default_factory=dict)  # a key, and the one that may stand in its place
    wording: Wording = CHAT  # of its messages
    container: Container = "jsonl"

    @property
    def one_sided(self) -> bool:
        """Whether a row holds one answer, not two."""
        return not self.rejected


# --- OpenAI's, which Azure, Together and Fireworks read too -----------------------------------------


def _wrapped_rows(pair: ChatPair) -> tuple[JsonObject, ...]:
    given: JsonObject = {
        "messages": [*pair.messages],
        "tools": [*pair.tools],
        "parallel_tool_calls": pair.parallel_tool_calls,
    }
    return ({"input": given, "preferred_output": [*pair.chosen], "non_preferred_output": [*pair.rejected]},)


def _wrapped_view(row: JsonObject) -> View:
    view = View()
    view.chosen = answers(row, "preferred_output", view)
    view.rejected = answers(row, "non_preferred_output", view)
    given = row.get("input", {})
    if not isinstance(given, dict):
        fix = 'write {"messages": [...], "tools": [], "parallel_tool_calls": true}'
        view.findings.append(Finding("prompt", "input", f"is {shown(given)}, not an object", fix))
    elif "messages" in given:
        view.prompt = turns(given["messages"], "input.messages", view)
        view.tools = given.get("tools", [])
        view.parallel_tool_calls = given.get("parallel_tool_calls", True)
    elif "input" in row:
        fix = "write the prompt's messages"
        view.findings.append(Finding("messages", "input.messages", "is missing", fix))
    return view


# --- lists of chat messages: TRL and those that read the same ----------------------------------------


def _conversational_rows(pair: ChatPair) -> tuple[JsonObject, ...]:
    row: JsonObject = {"prompt": [*pair.messages], "chosen": [*pair.chosen], "rejected": [*pair.rejected]}
    return (row | tools_text(pair),)


def _conversational_view(row: JsonObject) -> View:
    view = View(tools=tools_in(row))
    view.prompt = turns(row.get("prompt"), "prompt", view) if "prompt" in row else None
    view.chosen = answers(row, "chosen", view)
    view.rejected = answers(row, "rejected", view)
    return view


def _unpaired_rows(pair: ChatPair) -> tuple[JsonObject, ...]:
    sides = ((pair.chosen, True), (pair.rejected, False))
    rows: list[JsonObject] = [
        {"prompt": [*pair.messages], "completion": [*side], "label": label} for side, label in sides if side
    ]
    return tuple(row | tools_text(pair) for row in rows)


def _unpaired_view(row: JsonObject) -> View:
    view = View(tools=tools_in(row))
    view.prompt = turns(row.get("prompt"), "prompt", view) if "prompt" in row else None
    answer = answers(row, "completion", view)
    label = row.get("label", True)
    if not isinstance(label, bool):
        found = Finding("label", "label", f"is {shown(label)}", "write true for a good answer, false for a bad one")
        view.findings.append(found)
    view.chosen, view.rejected = (None, answer) if label is False else (answer, None)
    return view


def _chat_rows(pair: ChatPair) -> tuple[JsonObject, ...]:
    row: JsonObject = {"messages": [*pair.messages, *pair.chosen]}
    return (row | ({"tools": [*pair.tools]} if pair.tools else {}),)


def _chat_view(row: JsonObject) -> View:
    view = View(tools=tools_in(row))
    if "messages" in row:
        read_answer_last(row["messages"], CHAT, view)
    return view


# --- trainers with keys of their own -------------------------------------------------------------------


def _sharegpt_rows(pair: ChatPair) -> tuple[JsonObject, ...]:
    row: JsonObject = {
        "conversations": [*map(SHAREGPT.said, pair.messages)],
        "chosen": SHAREGPT.said(pair.chosen[0]),
        "rejected": SHAREGPT.said(pair.rejected[0]),
        "tools": orjson.dumps(pair.tools).decode() if pair.tools else "",
    }
    return (row,)


def _sharegpt_view(row: JsonObject) -> View:
    view = View(tools=tools_in(row))
    if "conversations" in row:
        view.prompt = turns(row["conversations"], "conversations", view, SHAREGPT)
    view.chosen = one_answer(row, "chosen", view, SHAREGPT)
    view.rejected = one_answer(row, "rejected", view, SHAREGPT)
    return view


def _message_pair_rows(pair: ChatPair) -> tuple[JsonObject, ...]:
    return ({"messages": [*pair.messages], "chosen": pair.chosen[0], "rejected": pair.rejected[0]},)


def _message_pair_view(row: JsonObject) -> View:
    view = View(tools=tools_in(row))
    view.prompt = turns(row.get("messages"), "messages", view) if "messages" in row else None
    view.chosen = one_answer(row, "chosen", view, CHAT)
    view.rejected = one_answer(row, "rejected", view, CHAT)
    return view


def _swift_rows(pair: ChatPair) -> tuple[JsonObject, ...]:
    row: JsonObject = {"messages": [*pair.messages, *pair.chosen], "rejected_response": pair.rejected[0]["content"]}
    return (row | tools_text(pair),)


def _swift_view(row: JsonObject) -> View:
    view = View(tools=tools_in(row))
    if "messages" in row:
        read_answer_last(row["messages"], CHAT, view)
    if "rejected_messages" in row:
        view.rejected = _last_of(row["rejected_messages"], view)
    elif isinstance(row.get("rejected_response"), list):
        view.rejected = answers(row, "rejected_response", view)
    else:
        view.rejected = lone_text(row, "rejected_response", "assistant")
    return view


def _last_of(given: Json, view: View) -> list[Turn] | None:
    """The rejected answer of a conversation that is the prompt and it."""
    said = turns(given, "rejected_messages", view)
    if said is None:
        return None
    if [turn.message for turn in said[:-1]] != [turn.message for turn in view.prompt or ()]:
        found, fix = "is another conversation than messages before its answer", "write the same prompt in both"
        view.findings.append(Finding("completions", "rejected_messages", found, fix))
    return said[-1:]


def _ranked_rows(pair: ChatPair) -> tuple[JsonObject, ...]:
    completions: list[Json] = [
        {"rank": rank, "completion": [*side]} for rank, side in enumerate((pair.chosen, pair.rejected))
    ]
    return ({"context": [*pair.messages], "completions": completions},)


def _ranked_view(row: JsonObject) -> View:
    view = View()
    view.prompt = turns(row.get("context"), "context", view) if "context" in row else None
    places = two_completions(row, "rank", view)
    if places:
        better, worse = sorted(places, key=lambda place: place[1])
        view.chosen = answers(better[2], "completion", view, better[0])
        view.rejected = answers(worse[2], "completion", view, worse[0])
    return view


# --- tables -------------------------------------------------------------------------------------------------


def _table_rows(pair: ChatPair) -> tuple[JsonObject, ...]:
    texts = (pair.system or "", pair.turns[-1]["content"], pair.chosen[0]["content"], pair.rejected[0]["content"])
    return (dict(zip(TABLE, texts, strict=True)),)


def _table_view(row: JsonObject) -> View:
    asked = lone_text(row, "prompt", "user")
    system = lone_text(row, "system", "system") if row.get("system") else None
    prompt = None if asked is None else [*(system or []), *asked]
    return View(prompt, lone_text(row, "chosen", "assistant"), lone_text(row, "rejected", "assistant"))


TABLE = ("system", "prompt", "chosen", "rejected")

# --- all of them ------------------------------------------------------------------------------------------------

WRAPPED = Layout(
    ("input", "preferred_output", "non_preferred_output"),
    _wrapped_rows,
    _wrapped_view,
    "input",
    "preferred_output",
    "non_preferred_output",
    old_names={
        "preferred_completion": "preferred_output",
        "non_preferred_completion": "non_preferred_output",
    },
)
CONVERSATIONAL = Layout(
    ("prompt", "chosen", "rejected"),
    _conversational_rows,
    _conversational_view,
    "prompt",
    "chosen",
    "rejected",
    optional=frozenset({"metadata", "tools"}),
)
UNPAIRED = Layout(
    ("prompt", "completion", "label"),
    _unpaired_rows,
    _unpaired_view,
    "prompt",
    "completion",
    "",
    optional=frozenset({"tools"}),
    sides=("chosen", "rejected"),
)
CHATS = Layout(("messages",), _chat_rows, _chat_view, "messages", "messages", "", optional=frozenset({"tools"}))
SHAREGPT_PAIR = Layout(
    ("conversations", "chosen", "rejected"),
    _sharegpt_rows,
    _sharegpt_view,
    "conversations",
    "chosen",
    "rejected",
    optional=frozenset({"tools"}),
    one_text=True,
    wording=SHAREGPT,
)
MESSAGE_PAIR = Layout(
    ("messages", "chosen", "rejected"),
    _message_pair_rows,
    _message_pair_view,
    "messages",
    "chosen",
    "rejected",
    one_text=True,
    optional=frozenset({"tools"}),
)
SWIFT = Layout(
    ("messages", "rejected_response"),
    _swift_rows,
    _swift_view,
    "messages",
    "messages",
    "rejected_response",
    optional=frozenset({"tools", "rejected_messages", "rejected_tools"}),
    one_text=True,
    instead={"rejected_response": "rejected_messages"},
)
RANKED = Layout(("context", "completions"), _ranked_rows, _ranked_view, "context", "completions", "completions")
CONTENTS = Layout(
    ("contents", "completions"),
    gemini_rows,
    gemini_view,
    "contents",
    "completions",
    "completions",
    optional=frozenset(SYSTEM_KEYS),
    one_text=True,
    wording=GEMINI,
)
CANDIDATES = Layout(
    ("messages",),
    nova_rows,
    nova_view,
    "messages",
    "messages",
    "messages",
    optional=frozenset({"schemaVersion", "system"}),
    one_text=True,
)
CELLS = Layout(
    ("prompt", "chosen", "rejected"),
    _table_rows,
    _table_view,
    "prompt",
    "chosen",
    "rejected",
    optional=frozenset({"system"}),
    container="csv",
    one_text=True,
)
COLUMNS = replace(CONVERSATIONAL, container="parquet")
