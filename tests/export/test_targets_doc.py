"""docs/targets.md says what the table of targets says, and its blocks name what an export writes."""

from __future__ import annotations

import ast
import json
import re
import shlex
from pathlib import Path

import click
import orjson
import pytest
from export_rows import assistant, prompt_of, user

from pairsmith.cli import pairsmith as group
from pairsmith.export.chat import ChatPair
from pairsmith.export.companions import COMPANIONS
from pairsmith.export.containers import SUFFIXES
from pairsmith.export.formats import chat_pair
from pairsmith.export.rows import rows_of
from pairsmith.export.targets import TARGETS, Target
from pairsmith.records import Json, Message

PAGE = (Path(__file__).parents[2] / "docs" / "targets.md").read_text("utf-8")
SECTIONS = dict(re.findall(r"^## `([\w-]+)`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
ROWS_OF_JSON = [name for name, target in TARGETS.items() if target.layout.container == "jsonl"]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)

TOOL: Json = {"type": "function", "function": {"name": "f", "parameters": {}}}
CALL: Message = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}
RESULT: Message = {"role": "tool", "content": "7", "tool_call_id": "c"}


def pair_of(*prompt: Message, chosen: Message | str = "A good answer.", tools: tuple[Json, ...] = ()) -> ChatPair:
    answer = assistant(chosen) if isinstance(chosen, str) else chosen
    return ChatPair(prompt, (answer,), (assistant("A bad answer, and long."),), tools)


# Pairs that some targets take and others do not.
PAIRS = (
    pair_of(user("Hi"), assistant("Yes?"), user("Why?")),
    pair_of(assistant("Hello!"), user("Why?")),
    pair_of(user("Hi"), user("Why?")),
    pair_of(user("Hi"), tools=(TOOL,)),
    pair_of(user("Hi"), CALL, RESULT),
    pair_of(user("Hi"), chosen=CALL),
    pair_of(user("Which operating system: Linux?")),
    pair_of(user("1+1?"), chosen="2"),
    pair_of(user("Code?"), chosen=" x = 1"),
)


def blocks(section: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", section, re.MULTILINE | re.DOTALL)


def cells(target: Target) -> list[str]:
    """A target's row of the table."""
    most = "" if target.max_rows is None else f" – {target.max_rows:,}"
    size = {None: "", 512_000_000: "below 512 MB", 1_000_000_000: "below 1 GB", 50_000_000_000: "below 50 GB"}
    keys = [key for key in target.layout.keys if target.layout.container == "jsonl"]
    row = " ".join(f"`{key}`" for key in keys or [*target.layout.keys, *sorted(target.layout.optional - {"metadata"})])
    return [
        f"[`{target.name}`](#{target.name})",
        target.title,
        row,
        target.turns,
        "definitions" if target.turns == "one" and target.tools == "turns" else target.tools,
        f"{target.min_rows}{most}",
        size[target.max_bytes],
        target.validation,
    ]


def test_the_table_says_of_each_target_what_the_table_of_the_code_says() -> None:
    lines = re.findall(r"^\| (\[`.*) \|$", PAGE, re.MULTILINE)
    written = [[cell.strip() for cell in line.split(" | ")] for line in lines]

    assert written == [cells(target) for target in TARGETS.values()]


def test_each_target_has_its_section_in_the_order_of_the_table() -> None:
    assert list(SECTIONS) == list(TARGETS)


@pytest.mark.parametrize("name", ROWS_OF_JSON)
def test_the_row_of_a_section_is_the_one_that_export_writes(name: str) -> None:
    pair = chat_pair(prompt_of(user("Who wrote Faust?")), "Goethe wrote it.", "Schiller, I think.", "Be brief.")
    written = [orjson.loads(line) for line in blocks(SECTIONS[name], "json")[0].splitlines()]

    assert written == list(rows_of(pair, name))


@pytest.mark.parametrize("name", TARGETS)
def test_a_section_names_the_rules_by_which_pairs_are_left_out(name: str) -> None:
    found = re.search(r"^Left out: (.*?)(?=\n\n)", SECTIONS[name], re.MULTILINE | re.DOTALL)
    assert found
    named = set(re.findall(r"`(\w+)`", found[1])) & {"turns", *TARGETS["nova"].rules, *TARGETS["axolotl"].rules}

    assert named == {why for pair in PAIRS if isinstance(why := rows_of(pair, name), str)}


@pytest.mark.parametrize("name", COMPANIONS)
def test_a_section_names_the_file_that_is_written_beside(name: str) -> None:
    assert f"`{COMPANIONS[name](f'pairs.{name}.jsonl', None).name}`" in SECTIONS[name]


def test_a_config_names_the_datasets_as_the_file_beside_them_does() -> None:
    info = COMPANIONS["llama-factory"]("pairs.llama-factory.jsonl", "pairs.llama-factory.validation.jsonl")
    config = "\n".join(blocks(SECTIONS["llama-factory"], "yaml"))
    datasets = set(re.findall(r"^(?:eval_)?dataset: (.*)$", config, re.MULTILINE))

    assert datasets == {*json.loads(info.text("")), "chosen"}


def test_the_blocks_name_files_that_an_export_writes() -> None:
    written = {"pairs.jsonl", "pairs.validation.jsonl", "chosen.jsonl", "chosen.validation.jsonl"}
    for name, target in TARGETS.items():
        suffix = SUFFIXES[target.layout.container]
        stem = "pairs" if suffix[1:] == name else f"pairs.{name}"
        written |= {f"{stem}{suffix}", f"{stem}.validation{suffix}"}
    made_there = {"chosen.vertex.jsonl", "chosen.nova.jsonl"}

    named = {name for _, block in BLOCKS for name in re.findall(r"[\w.-]+\.(?:jsonl|csv|parquet)\b", block)}

    assert named <= written | made_there


@pytest.mark.parametrize("block", [block for language, block in BLOCKS if language == "python"])
def test_the_python_of_the_page_is_python(block: str) -> None:
    assert ast.parse(block).body


def test_the_script_for_trl_has_twelve_lines() -> None:
    script = blocks(SECTIONS["trl"], "python")[0]

    assert len([line for line in script.splitlines() if line.strip()]) == 12


@pytest.mark.parametrize(
    "line", [line for language, block in BLOCKS if language == "sh" for line in block.splitlines()]
)
def test_a_command_line_of_the_page_can_be_split_and_ours_are_commands(line: str) -> None:
    program, name, *words = shlex.split(line)
    if program == "pairsmith":
        command = group.get_command(click.Context(group), name)
        assert command is not None
        command.make_context(name, words)
    assert program
