"""The rows as they are written."""

import io
from pathlib import Path
from typing import get_args

import orjson
import pytest
from export_rows import ANSWERS, assistant, openai_row, prompt_of, user
from pydantic import ValidationError

from pairsmith.cli import common
from pairsmith.export.containers import WRITERS
from pairsmith.export.formats import chat_pair, provenance_row, row_bytes, side_row, system_text
from pairsmith.export.rows import refused, rows_of
from pairsmith.export.settings import ExportSettings, TargetName
from pairsmith.export.targets import TARGETS
from pairsmith.records import Completion, CompletionId, EndpointName, Json, Message, Pair, Prompt, PromptId

GOLDEN = Path(__file__).parent / "golden"
CALL: Json = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL: Json = {"type": "function", "function": {"name": "f", "parameters": {}}}
TALK: list[Message] = [user("Hi"), assistant("Yes?"), user("Why?")]


@pytest.mark.parametrize("target", [name for name, known in TARGETS.items() if known.layout.container != "parquet"])
def test_the_row_of_a_target_is_the_golden_one(target: TargetName) -> None:
    prompt = prompt_of(user("Who wrote “Faust”?\u2028In one line."), system="Be brief.")
    pair = chat_pair(prompt, "Johann Wolfgang\r\nGoethe.", "Schiller 🤔", prompt.system)
    rows = rows_of(pair, target)
    written = io.BytesIO()
    writer = WRITERS[TARGETS[target].layout.container](written)

    assert not isinstance(rows, str)
    for row in rows:
        writer.write(row)
    writer.close()

    golden = GOLDEN / f"{target}.{TARGETS[target].layout.container}"
    assert written.getvalue() == golden.read_bytes()


def test_every_name_that_a_recipe_may_say_is_a_target() -> None:
    assert set(get_args(TargetName)) == TARGETS.keys() == set(common.TARGETS)


def test_messages_keep_the_portable_keys_only() -> None:
    prompt = prompt_of(
        {"role": "user", "content": "f?", "name": "Ann", "weight": 1},
        {"role": "assistant", "content": None, "tool_calls": [CALL], "refusal": None},
        {"role": "tool", "content": "7", "tool_call_id": "c1", "tool_calls": None},
        tools=(TOOL,),
    )

    row = openai_row(prompt, "a", "b", None)

    assert row["input"] == {
        "messages": [
            {"role": "user", "content": "f?"},
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "content": "7", "tool_call_id": "c1"},
        ],
        "tools": [TOOL],
        "parallel_tool_calls": True,
    }


@pytest.mark.parametrize("system", [None, "", " \n"])
def test_no_system_message_is_written_where_there_is_no_text(system: str | None) -> None:
    assert chat_pair(prompt_of(user("Hi")), "a", "b", system).messages == (user("Hi"),)


@pytest.mark.parametrize(
    ("persona", "own", "text"),
    [("P", "O", "P\n\nO"), (None, "O", "O"), ("P", None, "P"), ("", "", None), (None, None, None)],
)
def test_the_persona_comes_before_the_prompts_own_system_text(
    persona: str | None, own: str | None, text: str | None
) -> None:
    assert system_text(persona, own) == text


def test_a_provenance_row_names_both_completions_and_what_they_rest_on() -> None:
    prompt = prompt_of(user("Hi"))
    chosen, rejected = CompletionId("c" * 32), CompletionId("r" * 32)
    pair = Pair(prompt.id, chosen, rejected, 3.5, (EndpointName("teacher"),), {"rule": "min_gap", "gap": 0})
    sides = (
        side_row(Completion(chosen, prompt.id, "x", "hot", "m1", span=(4, 5)), 8.5),
        side_row(Completion(rejected, prompt.id, "y", "given"), None),
    )

    row = provenance_row(pair, prompt, sides, {"verdicts": [{"call": "v1"}], "simulated": True, "gap": 9})

    assert row == {
        "prompt_id": prompt.id,
        "id": "q1",
        "chosen": {"completion": chosen, "arm": "hot", "model": "m1", "score": 8.5, "span": [4, 5]},
        "rejected": {"completion": rejected, "arm": "given", "model": None, "score": None},
        "gap": 3.5,
        "judges": ["teacher"],
        "verdicts": [{"call": "v1"}],
        "simulated": True,
        "rule": "min_gap",
    }
    assert orjson.loads(row_bytes(row)) == row


def test_a_provenance_row_says_so_when_nothing_was_judged() -> None:
    prompt = prompt_of(user("Hi"))
    pair = Pair(PromptId(prompt.id), CompletionId("c"), CompletionId("r"), 1.0, ())

    row = provenance_row(pair, prompt, ({}, {}), {})

    assert list(row)[:2] == ["prompt_id", "id"]
    assert (row["verdicts"], row["judges"], row["simulated"]) == ([], [], False)


def reason(prompt: Prompt, target: str) -> str | None:
    """Why a target takes no pair of this prompt; None: it takes it."""
    rows = rows_of(chat_pair(prompt, *ANSWERS, prompt.system), target)
    return rows if isinstance(rows, str) else None


def test_a_talk_of_several_turns_is_left_out_where_one_turn_is_all_that_is_taken() -> None:
    left_out = {target for target in TARGETS if reason(prompt_of(*TALK, system="Be kind."), target) == "turns"}

    assert left_out == {"fireworks", "csv"}


def test_turns_that_do_not_alternate_are_left_out_where_they_have_to() -> None:
    left_out = {target for target in TARGETS if reason(prompt_of(user("Hi"), user("You?")), target) == "turns"}

    assert left_out == {"together", "fireworks", "llama-factory", "vertex", "nova", "csv"}


def test_tools_are_left_out_where_the_model_would_not_see_them() -> None:
    prompt = prompt_of(user("f?"), tools=(TOOL,))

    left_out = {target for target in TARGETS if reason(prompt, target) == "tools_taken"}

    assert left_out == {"openrlhf", "axolotl", "nemo-rl", "vertex", "nova", "csv"}
    assert {reason(prompt, target) for target in TARGETS.keys() - left_out} == {None}


def test_tool_turns_go_where_they_are_taken_as_they_are() -> None:
    turns: list[Message] = [
        user("f?"),
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "content": "7", "tool_call_id": "c1"},
    ]
    found = {target: reason(prompt_of(*turns), target) for target in TARGETS}

    assert {target for target, why in found.items() if why is None} == {"openai", "azure", "sft"}
    assert {why for target, why in found.items() if why} == {"tool_turns", "turns"}


def test_an_image_and_a_last_turn_of_the_assistants_are_reasons() -> None:
    image = prompt_of({"role": "user", "content": [{"type": "image_url"}]})
    ends_with_assistant = prompt_of(user("Hi"), assistant("Once upon"))

    assert reason(image, "openai") == "content"
    assert reason(ends_with_assistant, "openai") == reason(ends_with_assistant, "trl") == "last_message"


def test_one_text_is_never_labelled_good_and_bad() -> None:
    assert rows_of(chat_pair(prompt_of(user("Is it?")), "Yes.", "Yes. ", None), "kto") == "sides_equal"


@pytest.mark.parametrize(
    ("answer", "target", "why"),
    [
        ("Assistant: yes, of course.", "nova", "forbidden_text"),
        (" Yes, of course.", "axolotl", "outer_space"),
        ("user", "axolotl", "found_in_header"),
    ],
)
def test_answers_that_a_trainer_would_misread_are_left_out(answer: str, target: str, why: str) -> None:
    assert rows_of(chat_pair(prompt_of(user("Is it?")), answer, "No.", None), target) == why
    assert not isinstance(rows_of(chat_pair(prompt_of(user("Is it?")), answer, "No.", None), "openai"), str)


@pytest.mark.parametrize(
    ("chosen", "rejected", "reason"),
    [("a", "b", None), ("a ", "a", "sides_equal"), ("a", " ", "content"), ("a\0", "b", "nul"), ("\ud800", "b", "json")],
)
def test_a_row_is_refused_for_its_texts_by_the_rules_of_check(chosen: str, rejected: str, reason: str | None) -> None:
    assert refused(openai_row(prompt_of(user("Hi")), chosen, rejected, None), "openai") == reason


def test_settings_have_the_defaults_of_the_design_and_refuse_unknown_keys() -> None:
    assert ExportSettings() == ExportSettings(target="openai", path=None, system="strip")
    with pytest.raises(ValidationError, match="targte"):
        ExportSettings.model_validate({"targte": "trl"})
    with pytest.raises(ValidationError, match="target"):
        ExportSettings.model_validate({"target": "gemini"})
