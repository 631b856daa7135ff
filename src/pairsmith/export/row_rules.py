"""The rules for one row: its keys, its prompt, its two answers, and the two answers compared.

One walk serves every layout; what differs stands in the target. Called by check.py and rows.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from unicodedata import normalize

from pairsmith.export.chat import SHAREGPT, Turn, View
from pairsmith.export.clouds import SCHEMA_VERSION
from pairsmith.export.layouts import CANDIDATES, COLUMNS, CONVERSATIONAL, MESSAGE_PAIR, UNPAIRED, Layout
from pairsmith.export.messages import PROMPT_ROLES, TOOL_ROLES, calls_tools, conversation_findings, message_findings
from pairsmith.export.placed import listed, object_of
from pairsmith.export.problems import Finding, shown
from pairsmith.export.reading import JsonObject, shown_key
from pairsmith.export.targets import Target
from pairsmith.records import Json

_HEAD = 64  # characters
INPUT_KEYS = frozenset({"messages", "tools", "parallel_tool_calls"})

# Nova's documents say that a job with one of these fails; its validator looks for them in any case, anywhere.
_FORBIDDEN = re.compile(r"system:|user:|bot:|assistant:|thought:|\[eos\]|<image>|<video>|<unk>", re.IGNORECASE)
# What pandas.read_csv takes for missing unless it is told otherwise (pandas 3.1).
_NA_WORDS = frozenset(
    {"#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"}
    | {"NULL", "NaN", "None", "n/a", "nan", "null"}
)
# Axolotl looks for the answer in a rendered chat of a dummy message and it. These words stand in the headers of ChatML,
# Llama 3, Mistral and Gemma already, and the day's date in some.
_HEADERS = (
    "[[dummy_message]] <|im_start|><|im_end|> system user assistant model You are a helpful assistant. "
    "You are Qwen, created by Alibaba Cloud. <|begin_of_text|><|start_header_id|><|end_header_id|><|eot_id|> "
    "Cutting Knowledge Date: December 2023 Today Date: <bos><start_of_turn><end_of_turn> <s>[INST] [/INST]</s> "
    "Jan January Feb February Mar March Apr April May Jun June Jul July Aug August Sep September Oct October "
    "Nov November"
)
_PART_OF_A_DATE = re.compile(r"\d{1,4}")


def row_findings(row: JsonObject, target: Target) -> tuple[View, list[Finding]]:
    """One parsed row as its layout reads it, and everything wrong with it."""
    layout, view = target.layout, target.layout.view(row)
    findings = [*_row_key_findings(row, layout, target.refused_keys), *view.findings]
    if view.prompt:
        findings += _prompt_findings(view.prompt, layout, target)
    findings += _tool_findings(row, view, target)
    findings += _worded_findings(row, view, target)
    for side, field in ((view.chosen, layout.chosen), (view.rejected, layout.rejected)):
        if side:
            findings += _answer_findings(side, field, target)
    chosen, rejected = ([turn.message for turn in side or ()] for side in (view.chosen, view.rejected))
    if chosen and rejected and say_the_same(chosen, rejected):
        findings.append(Finding("sides_equal", layout.rejected, f"says the same as {layout.chosen}", "drop the pair"))
    if "forbidden_text" in target.rules:
        findings += _forbidden_findings([*(view.prompt or ()), *(view.chosen or ()), *(view.rejected or ())])
    return view, findings


def folded(text: str) -> str:
    """The text as it is compared: NFC, runs of white space as one space, case kept."""
    return " ".join((text if text.isascii() else normalize("NFC", text)).split())


def alike(one: str, other: str) -> bool:
    """Whether two texts are the same after folding; where their beginnings differ nothing else is compared."""
    if one[:1] != other[:1] and one[:2].isascii() and other[:2].isascii() and (one[:1] + other[:1]).isalpha():
        return False  # the second character counts as it may be an accent of the first
    if one[:_HEAD].isascii() and other[:_HEAD].isascii():
        first, second = (" ".join(text[:_HEAD].split()) for text in (one, other))
        sure = min(len(first), len(second)) - 1  # the last one may be a letter whose accent follows
        if first[:sure] != second[:sure]:
            return False
    return folded(one) == folded(other)


def say_the_same(first: Sequence[Json], second: Sequence[Json]) -> bool:
    """Whether both answers say the same; False where one says nothing at all (that is another problem)."""
    return len(first) == len(second) and all(_same(one, other) for one, other in zip(first, second, strict=True))


def _row_key_findings(row: JsonObject, layout: Layout, refused: Set[str]) -> Iterator[Finding]:
    for key in layout.keys:
        if layout.instead.get(key) in row:
            continue
        if key not in row and not any(old in row and new == key for old, new in layout.old_names.items()):
            yield Finding("missing_key", key, "is missing", f"write {', '.join(layout.keys)}")
    for key in row:
        if key in layout.keys or key in layout.optional:
            continue
        if key in refused:
            yield Finding("refused_key", key, "ends the trainer's run", f"remove {key}")
        elif key in layout.old_names:
            yield Finding("old_key", key, "is the name of an old format", f"rename it to {layout.old_names[key]}")
        else:
            fix = f"remove {shown_key(key)}; what is known of a row belongs into a side file"
            yield Finding("extra_key", shown_key(key), "is no key of this format", fix)


def _prompt_findings(prompt: Sequence[Turn], layout: Layout, target: Target) -> Iterator[Finding]:
    field = f"{layout.prompt}.messages" if layout.prompt == "input" else layout.prompt
    turns_of_tools = [turn.field for turn in prompt if turn.role in TOOL_ROLES or _calls(turn)]
    if turns_of_tools and target.tools != "turns":
        found = "calls a tool, or says what it gave back"
        yield Finding("tool_turns", turns_of_tools[0], found, f"drop the pair: {target.name} takes no tool turns")
    roles = PROMPT_ROLES if turns_of_tools else target.prompt_roles
    for turn in prompt:
        yield from message_findings(turn, roles)
    yield from conversation_findings(prompt, field, target.turns)


def _tool_findings(row: JsonObject, view: View, target: Target) -> Iterator[Finding]:
    where = "input.tools" if target.layout.prompt == "input" else "tools"
    tools = view.tools
    if not isinstance(tools, list) or not all(isinstance(tool, dict) for tool in tools):
        found = "holds what is no object" if isinstance(tools, list) else f"is {shown(tools)}, not a list"
        yield Finding("tools", where, found, "write a list of tools, [] if there are none")
    else:
        for place, tool in enumerate(tools):
            if not _is_function(tool):
                fix = 'write {"type": "function", "function": {"name": …, "parameters": {…}}}'
                yield Finding("tools", f"{where}[{place}]", "is no function with a name", fix)
    if tools and target.tools == "none":
        yield Finding("tools_taken", where, "are not shown to the model", f"drop the pair: {target.name} loses them")
    if not isinstance(view.parallel_tool_calls, bool):
        found = f"is {shown(view.parallel_tool_calls)}"
        yield Finding("parallel_tool_calls", "input.parallel_tool_calls", found, "write true")
    given = row.get("input") if target.layout.prompt == "input" else None
    for key in given if isinstance(given, dict) else ():
        if key not in INPUT_KEYS:
            found = "is no key of input"
            yield Finding("input_key", f"input.{shown_key(key)}", found, f"remove {shown_key(key)}")


def _worded_findings(row: JsonObject, view: View, target: Target) -> Iterator[Finding]:
    """What one trainer or platform alone asks of values that can be read all the same."""
    layout, tools = target.layout, row.get("tools")
    if isinstance(tools, list) and layout.wording is SHAREGPT:
        yield Finding("tools", "tools", "is a list, not JSON text", 'write the list as text, "" if there are none')
    if tools == "" and layout in (CONVERSATIONAL, UNPAIRED, MESSAGE_PAIR, COLUMNS):
        yield Finding("tools", "tools", "is an empty text, which ends the run", "leave the key out")
    version = row.get("schemaVersion", SCHEMA_VERSION)
    if version != SCHEMA_VERSION and layout is CANDIDATES:
        found = f"is {shown(version)}, which no document has"
        yield Finding("schema_version", "schemaVersion", found, f'write "{SCHEMA_VERSION}"')
    if "scores" in target.rules and view.chosen:
        given = listed(row.get("completions"))
        scores = sorted(repr(object_of(one).get("score")).removesuffix(".0") for one in given)
        if len(given) == 2 and (scores != ["0", "1"] or any(len(object_of(one)) > 2 for one in given)):
            found = f"have the scores {' and '.join(scores)}" if scores != ["0", "1"] else "hold other keys too"
            fix = 'write "score": 1 for the better and "score": 0 for the other, and "completion"'
            yield Finding("scores", "completions", found, fix)


def _answer_findings(side: Sequence[Turn], field: str, target: Target) -> Iterator[Finding]:
    if target.one_message_outputs and len(side) > 1:
        yield Finding("output_count", field, f"holds {len(side)} messages", "keep one assistant message")
    if not target.one_message_outputs and not any(turn.role == "assistant" for turn in side):
        yield Finding("output_assistant", field, "has no assistant message", "add it, or drop the pair")
    for turn in side:
        yield from message_findings(turn, target.output_roles)
        if _calls(turn):
            fix = "drop the pair: an answer is text in the portable profile"
            yield Finding("output_tool_calls", f"{turn.field}.tool_calls", "stand in an answer", fix)
        text = _text_of(turn)
        if text.strip() and "outer_space" in target.rules:
            yield from _searched_findings(turn, text)
        if text in _NA_WORDS and "na_word" in target.rules:
            found, fix = f"is {shown(text)}, which is read as missing", "read the table with keep_default_na=False"
            yield Finding("na_word", turn.text_field, found, fix)


def _searched_findings(turn: Turn, text: str) -> Iterator[Finding]:
    """Why a trainer that looks for the answer's text would find another or none."""
    if text != text.strip():
        found = "begins or ends with white space"
        yield Finding("outer_space", turn.text_field, found, "drop the pair: templates that trim it end the run")
    if text.strip() in _HEADERS or _PART_OF_A_DATE.fullmatch(text.strip()):
        found = f"is {shown(text.strip())}, which may stand in the headers of a chat"
        yield Finding("found_in_header", turn.text_field, found, "drop the pair: a header would be learned with it")


def _forbidden_findings(turns: Sequence[Turn]) -> Iterator[Finding]:
    for turn in turns:
        if mark := _FORBIDDEN.search(_text_of(turn)):
            found = f"holds {shown(mark.group())}, which the platform keeps for itself"
            yield Finding("forbidden_text", turn.text_field, found, "drop the pair: the job would fail")


def _is_function(tool: Json) -> bool:
    match tool:
        case {"type": "function", "function": {"name": str(name)}}:
            return bool(name)
    return False


def _calls(turn: Turn) -> bool:
    return isinstance(turn.message, dict) and calls_tools(turn.message)


def _text_of(turn: Turn) -> str:
    text = turn.message.get("content") if isinstance(turn.message, dict) else None
    return text if isinstance(text, str) else ""


def _same(one: Json, other: Json) -> bool:
    if not isinstance(one, dict) or not isinstance(other, dict):
        return False
    (text, calls), (other_text, other_calls) = ((said.get("content"), said.get("tool_calls")) for said in (one, other))
    if not isinstance(text, str) or not isinstance(other_text, str):
        return (text, calls) == (other_text, other_calls) and (text is not None or calls is not None)
    return calls == other_calls and alike(text, other_text)
