"""The rows as they are written."""

from pathlib import Path

import orjson
import pytest
from export_rows import assistant, errors_of, prompt_of, user
from pydantic import ValidationError

from pairsmith.export.formats import (
    ROWS,
    openai_row,
    provenance_row,
    row_bytes,
    side_row,
    system_text,
    trl_row,
)
from pairsmith.export.rows import exportable, refused
from pairsmith.export.settings import ExportSettings, TargetName
from pairsmith.export.targets import TARGETS
from pairsmith.records import Completion, CompletionId, EndpointName, Json, Message, Pair, PromptId

GOLDEN = Path(__file__).parent / "golden"
CALL: Json = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL: Json = {"type": "function", "function": {"name": "f", "parameters": {}}}
TALK: list[Message] = [user("Hi"), assistant("Yes?"), user("Why?")]


@pytest.mark.parametrize("target", list(TARGETS))
def test_the_row_of_a_target_is_the_golden_one(target: TargetName) -> None:
    prompt = prompt_of(user("Who wrote “Faust”?\u2028In one line."), system="Be brief.")

    line = row_bytes(ROWS[target](prompt, "Goethe.\r\n", "Schiller 🤔", prompt.system))

    assert line == (GOLDEN / f"{target}.jsonl").read_bytes()
    assert errors_of(line, target) == []


def test_every_target_has_a_row_and_rules() -> None:
    assert ROWS.keys() == TARGETS.keys()


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
    assert trl_row(prompt_of(user("Hi")), "a", "b", system)["prompt"] == [user("Hi")]


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


@pytest.mark.parametrize(
    ("target", "reason"),
    [("openai", None), ("azure", None), ("together", None), ("fireworks", "turns"), ("trl", None)],
)
def test_only_fireworks_leaves_out_a_talk_of_several_turns(target: TargetName, reason: str | None) -> None:
    assert exportable(prompt_of(*TALK, system="Be kind."), target) == reason


def test_together_leaves_out_turns_that_do_not_alternate() -> None:
    assert exportable(prompt_of(user("Hi"), user("You?")), "together") == "turns"


def test_trl_leaves_out_prompts_with_tools_since_its_row_has_no_place_for_them() -> None:
    prompt = prompt_of(user("f?"), tools=(TOOL,))

    assert exportable(prompt, "trl") == "tools"
    assert exportable(prompt, "openai") is None


def test_an_image_is_a_reason_and_a_mere_warning_is_none() -> None:
    image = prompt_of({"role": "user", "content": [{"type": "image_url"}]})
    ends_with_assistant = prompt_of(user("Hi"), assistant("Once upon"))

    assert exportable(image, "openai") == "content"
    assert exportable(ends_with_assistant, "openai") == "last_message"
    assert exportable(ends_with_assistant, "trl") is None


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
        ExportSettings.model_validate({"target": "vertex"})
