"""A corpus of broken rows: each breaks one rule, and the problem names rule, line, field and severity."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from export_rows import assistant, good_lines, good_row, row_problems, user

from pairsmith.export.formats import row_bytes
from pairsmith.export.rules import RULES

Row = dict[str, Any]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


class Bad(NamedTuple):
    name: str
    make: Callable[[Row], Row | bytes | None]  # the broken row or line; None: the row was changed in place
    rule: str
    field: str
    target: str = "openai"
    severity: str = "error"


def put(path: str, value: Any) -> Callable[[Row], None]:
    """Set one value: path is dotted, with numbers for places in a list."""

    def change(row: Row) -> None:
        *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        spot: Any = row
        for step in steps:
            spot = spot[step]
        spot[last] = value

    return change


def cut(path: str) -> Callable[[Row], None]:
    def change(row: Row) -> None:
        *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        spot: Any = row
        for step in steps:
            spot = spot[step]
        del spot[last]

    return change


def text(old: bytes, new: bytes) -> Callable[[Row], bytes]:
    """Replace bytes of the written line."""

    def change(row: Row) -> bytes:
        line = row_bytes(row)
        assert old in line
        return line.replace(old, new, 1)

    return change


def turns(*messages: Any) -> Callable[[Row], None]:
    return put("input.messages", list(messages))


def renamed(row: Row) -> None:
    row["preferred_completion"] = row.pop("preferred_output")


SYSTEM = {"role": "system", "content": "Be kind."}
SIDE, OTHER = "preferred_output", "non_preferred_output"

CORPUS = [
    # lines
    Bad("CR LF at the end", text(b"\n", b"\r\n"), "crlf", ""),
    Bad("CR LF at the end, for TRL", text(b"\n", b"\r\n"), "crlf", "", "trl", "warning"),
    Bad("a blank line", lambda _: b"\n", "blank_line", ""),
    Bad("a line of spaces", lambda _: b" \t\n", "blank_line", ""),
    Bad("a blank line, for Fireworks", lambda _: b"\n", "blank_line", "", "fireworks", "warning"),
    Bad("Latin-1", text(b"Question", b"Quest\xf3n"), "utf8", ""),
    Bad("a byte order mark inside the file", text(b"{", b"\xef\xbb\xbf{"), "json", ""),
    Bad("a raw surrogate", text(b"Question", b"Quest\xed\xa0\x80n"), "utf8", ""),
    Bad("UTF-16", lambda row: row_bytes(row).decode().encode("utf-16")[:-1], "utf8", ""),
    Bad("no JSON", lambda _: b"chosen,rejected\n", "json", ""),
    Bad("a row cut in two", lambda row: row_bytes(row)[:40] + b"\n", "json", ""),
    Bad("two rows on a line", lambda row: row_bytes(row)[:-1] + row_bytes(row), "json", ""),
    Bad("NaN", text(b"true", b"NaN"), "json", ""),
    Bad("too deep to read", lambda _: b"[" * 5000 + b"]" * 5000 + b"\n", "json", ""),
    Bad("too deep to use", lambda _: b'{"a":' * 200 + b"1" + b"}" * 200 + b"\n", "nesting", ""),
    Bad("a list", lambda _: b"[]\n", "object", ""),
    Bad("a long string", lambda _: b'"' + b"a" * 99 + b'"\n', "object", ""),
    Bad("a key twice", text(b'{"role"', b'{"role":"user","role"'), "duplicate_key", "role"),
    Bad("a key twice, spaced", text(b'{"role"', b'{"role" :"user","role"'), "duplicate_key", "role"),
    Bad("a lone surrogate", text(b"Question", b"Quest\\ud800n"), "surrogate", "input.messages[1].content"),
    Bad("a lone surrogate in a key", text(b'"tools"', b'"to\\udfffols"'), "surrogate", "input"),
    Bad("NUL", text(b"good", b"go\\u0000d"), "nul", "preferred_output[0].content"),
    # keys
    Bad("no input", cut("input"), "missing_key", "input"),
    Bad("no preferred_output", cut(SIDE), "missing_key", SIDE),
    Bad("no non_preferred_output", cut(OTHER), "missing_key", OTHER),
    Bad("an old name", renamed, "old_key", "preferred_completion"),
    Bad("an extra key", put("id", 7), "extra_key", "id"),
    Bad("an extra key with an odd name", put("the id", 7), "extra_key", '"the id"'),
    Bad("an extra key, for Together", put("id", 7), "extra_key", "id", "together"),
    Bad("an extra key, for Azure", put("id", 7), "extra_key", "id", "azure", "warning"),
    Bad("an extra key, for Fireworks", put("id", 7), "extra_key", "id", "fireworks", "warning"),
    Bad("an extra key, for TRL", put("score", 7), "extra_key", "score", "trl", "warning"),
    # input
    Bad("input is text", put("input", "Question?"), "prompt", "input"),
    Bad("an unknown key in input", put("input.temperature", 1), "input_key", "input.temperature"),
    Bad("no messages", cut("input.messages"), "messages", "input.messages"),
    Bad("empty messages", turns(), "messages", "input.messages"),
    Bad("messages are text", put("input.messages", "Hi"), "messages", "input.messages"),
    Bad("a prompt that is text, for TRL", put("prompt", "Hi"), "messages", "prompt", "trl"),
    Bad("tools are null", put("input.tools", None), "tools", "input.tools"),
    Bad("a tool is text", put("input.tools", ["f"]), "tools", "input.tools"),
    Bad("a flag is text", put("input.parallel_tool_calls", "no"), "parallel_tool_calls", "input.parallel_tool_calls"),
    # messages
    Bad("a message is text", put("input.messages.0", "Hi"), "message", "input.messages[0]"),
    Bad("no role", cut("input.messages.0.role"), "role", "input.messages[0].role"),
    Bad("developer", put("input.messages.0.role", "developer"), "role", "input.messages[0].role"),
    Bad("a role of the wrong type", put("input.messages.0.role", []), "role", "input.messages[0].role"),
    Bad("weight", put("input.messages.1.weight", 1), "message_key", "input.messages[1].weight"),
    Bad("name", put("input.messages.1.name", "Ann"), "message_key", "input.messages[1].name"),
    Bad("no content", cut("input.messages.1.content"), "content", "input.messages[1].content"),
    Bad("empty content", put("input.messages.1.content", ""), "content", "input.messages[1].content"),
    Bad("blank content", put("input.messages.1.content", " \n\t"), "content", "input.messages[1].content"),
    Bad("null content", put("input.messages.1.content", None), "content", "input.messages[1].content"),
    Bad("an image", put("input.messages.1.content", [{"type": "image_url"}]), "content", "input.messages[1].content"),
    Bad(
        "tool calls of the wrong type",
        turns(user("Hi"), assistant("Yes") | {"tool_calls": "f"}, user("And?")),
        "tool_calls",
        "input.messages[1].tool_calls",
    ),
    Bad(
        "a user's tool calls", put("input.messages.1.tool_calls", [CALL]), "message_key", "input.messages[1].tool_calls"
    ),
    Bad(
        "a tool message without its call",
        turns(user("Hi"), {"role": "tool", "content": "7"}),
        "tool_call_id",
        "input.messages[1].tool_call_id",
    ),
    Bad(
        "a tool message with an odd call",
        turns(user("Hi"), {"role": "tool", "content": "7", "tool_call_id": 7}),
        "tool_call_id",
        "input.messages[1].tool_call_id",
    ),
    Bad("a late system message", turns(user("Hi"), SYSTEM), "system_first", "input.messages[1]"),
    Bad("two system messages", turns(SYSTEM, SYSTEM, user("Hi")), "system_first", "input.messages[1]"),
    Bad("no user", turns(SYSTEM), "user_message", "input.messages"),
    Bad("the assistant speaks last", turns(user("Hi"), assistant("Yes?")), "last_message", "input.messages[1]"),
    Bad("two turns, for Fireworks", turns(user("Hi"), user("You?")), "turns", "input.messages", "fireworks"),
    Bad("two of one role, for Together", turns(user("Hi"), user("You?")), "turns", "input.messages", "together"),
    # outputs
    Bad("an output is text", put(SIDE, "Yes"), "output", SIDE),
    Bad("an output is null, for TRL", put("chosen", None), "output", "chosen", "trl"),
    Bad("an output is empty", put(OTHER, []), "output_empty", OTHER),
    Bad("two messages", put(SIDE, [assistant("a"), assistant("b")]), "output_count", SIDE),
    Bad("a user's output", put(f"{SIDE}.0.role", "user"), "role", "preferred_output[0].role"),
    Bad(
        "a tool's output only, for Azure",
        put(SIDE, [{"role": "tool", "content": "7", "tool_call_id": "c1"}]),
        "output_assistant",
        SIDE,
        "azure",
    ),
    Bad("an output of null", put(f"{OTHER}.0.content", None), "content", "non_preferred_output[0].content"),
    Bad("an output's weight", put(f"{OTHER}.0.weight", 0), "message_key", "non_preferred_output[0].weight"),
    Bad(
        "an output calls a tool",
        put(f"{SIDE}.0.tool_calls", [CALL]),
        "output_tool_calls",
        "preferred_output[0].tool_calls",
    ),
    Bad(
        "an output calls a tool, for Azure",
        put(SIDE, [{"role": "assistant", "content": None, "tool_calls": [CALL]}]),
        "output_tool_calls",
        "preferred_output[0].tool_calls",
        "azure",
        "warning",
    ),
    Bad("equal sides", put(f"{OTHER}.0.content", "A good answer."), "sides_equal", OTHER),
    Bad("equal sides but for spaces", put(f"{OTHER}.0.content", " A  good\nanswer. "), "sides_equal", OTHER),
    Bad("equal sides for TRL", put("rejected.0.content", "A good answer."), "sides_equal", "rejected", "trl"),
    # of one target or another
    Bad("an answer that a person gives, for SFT", put("messages.1.role", "user"), "answer_last", "messages[1]", "sft"),
    Bad("one completion, for NeMo-RL", cut("completions.1"), "completions", "completions", "nemo-rl"),
    Bad("two of one rank", put("completions.1.rank", 0), "completions", "completions", "nemo-rl"),
    Bad("two of one score, for Vertex AI", put("completions.1.score", 1), "completions", "completions", "vertex"),
    Bad("a score without a completion", cut("completions.1.completion"), "completions", "completions", "vertex"),
    Bad(
        "an image, for Vertex AI",
        put("contents.0.parts", [{"inlineData": {}}]),
        "content",
        "contents[0].parts",
        "vertex",
    ),
    Bad(
        "two preferred candidates",
        put("messages.1.candidates.1.preferenceLabel", "preferred"),
        "candidates",
        "messages[1].candidates",
        "nova",
    ),
    Bad("a schema of another day", put("schemaVersion", "2023"), "schema_version", "schemaVersion", "nova", "warning"),
    Bad(
        "a mark that Nova keeps for itself",
        put("messages.0.content.0.text", "My operating system: Linux. Why?"),
        "forbidden_text",
        "messages[0].content",
        "nova",
    ),
    Bad("parts that are text", put("contents.0.parts", "Why?"), "content", "contents[0].parts", "vertex"),
    Bad("scores of another scale", put("completions.0.score", 0.9), "scores", "completions", "vertex"),
    Bad("a key beside a score", put("completions.0.note", "x"), "scores", "completions", "vertex"),
    Bad("content that is text, for Nova", put("messages.0.content", "Why?"), "content", "messages[0].content", "nova"),
    Bad("candidates of the user", put("messages.1.role", "user"), "role", "messages[1].role", "nova"),
    Bad("a list of tools, for LLaMA-Factory", put("tools", [TOOL]), "tools", "tools", "llama-factory"),
    Bad("empty tools, for TRL", put("tools", ""), "tools", "tools", "trl"),
    Bad("images, for TRL", put("images", []), "refused_key", "images", "trl"),
    Bad("a name of the task, for NeMo-RL", put("task_name", "x"), "refused_key", "task_name", "nemo-rl"),
    Bad("tools, for Axolotl", put("tools", [TOOL]), "tools_taken", "tools", "axolotl"),
    Bad("a label of text", put("label", "good"), "label", "label", "kto"),
    Bad(
        "an answer in spaces, for Axolotl",
        put("chosen.content", "Yes, it is.\n"),
        "outer_space",
        "chosen.content",
        "axolotl",
    ),
    Bad("an answer that a table takes for missing", put("chosen", "None"), "na_word", "chosen", "csv", "warning"),
    Bad("an answer of one word", put("rejected.content", "You"), "found_in_header", "rejected.content", "axolotl"),
    Bad("tools, for NeMo-RL", put("tools", [TOOL]), "extra_key", "tools", "nemo-rl", "error"),
    Bad("tools, for OpenRLHF", put("tools", [TOOL]), "tools_taken", "tools", "openrlhf"),
    Bad("tools that are no JSON, for LLaMA-Factory", put("tools", "[{"), "tools", "tools", "llama-factory"),
    Bad(
        "tool turns, for TRL",
        put("prompt", [user("f?"), {"role": "assistant", "content": "f", "tool_calls": [CALL]}, user("So?")]),
        "tool_turns",
        "prompt[1]",
        "trl",
    ),
    Bad("a role of chat's, for LLaMA-Factory", put("chosen.from", "assistant"), "role", "chosen.from", "llama-factory"),
    Bad("an answer in a list, for Axolotl", put("chosen", [assistant("Yes.")]), "output", "chosen", "axolotl"),
    Bad("a rejected response of null", put("rejected_response", None), "content", "rejected_response", "ms-swift"),
    Bad("a tool without a name", put("input.tools", [{"type": "function", "function": {}}]), "tools", "input.tools[0]"),
    Bad(
        "a call whose arguments are no JSON",
        turns(
            user("Hi"),
            assistant("Yes") | {"tool_calls": [CALL | {"function": {"name": "f", "arguments": "{"}}]},
            user("And?"),
        ),
        "tool_calls",
        "input.messages[1].tool_calls[0]",
    ),
    Bad(
        "a tool's answer to no call",
        turns(user("Hi"), {"role": "tool", "content": "7", "tool_call_id": "c9"}),
        "tool_call_id",
        "input.messages[1].tool_call_id",
    ),
]


def broken_file(bad: Bad) -> bytes:
    """The broken row as line 3 of 4, good rows around it."""
    row = good_row(bad.target, 99)
    made = bad.make(row)
    line = made if isinstance(made, bytes) else row_bytes(made or row)
    first, second, last = good_lines(bad.target, 3)
    return b"".join([first, second, line, last])


@pytest.mark.parametrize("bad", CORPUS, ids=lambda bad: bad.name)
def test_a_broken_row_is_named_by_rule_line_and_field(bad: Bad) -> None:
    problems = row_problems(broken_file(bad), bad.target)

    assert [(p.rule, p.line, p.field, p.severity) for p in problems] == [(bad.rule, 3, bad.field, bad.severity)]
    assert problems[0].source
    assert problems[0].fix


def test_every_rule_of_the_table_has_a_test() -> None:
    of_files = {
        "bom", "final_newline", "min_rows", "max_rows", "max_bytes", "same_row", "same_prompt", "longer_wins",
        "no_rows", "same_id", "both_splits", "late_key", "neighbours", "max_tokens", "file_name",
    }  # test_export_files.py  # fmt: skip

    assert {bad.rule for bad in CORPUS} | of_files == set(RULES)
