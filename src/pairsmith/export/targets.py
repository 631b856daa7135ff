"""The targets in one table: how a row is written for each, what it may hold, how many rows and bytes, and the rules.

The union is stricter than any platform's own validator, which let identical or empty answers through. To add a target,
add an entry here, and to `TargetName` in settings.py. Called by row_rules.py, check.py, rows.py and convert.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from pairsmith.errors import UserError
from pairsmith.export import layouts, rules
from pairsmith.export.layouts import Layout
from pairsmith.export.rules import Rule, rules_of

Turns: TypeAlias = Literal["any", "alternating", "user first", "one"]
Tools: TypeAlias = Literal["turns", "definitions", "none"]

_SPEAKERS = frozenset({"system", "user", "assistant"})
_TRLS_OWN = frozenset({"image", "images", "chat_template_kwargs"})  # a vision set; null in rows without it


@dataclass(frozen=True, slots=True)
class Target:
    """What one platform or trainer takes. Limits of None are not stated.

    `turns`: of the prompt, without the system message; "user first" alternates too. `tools`: definitions alone, calls
    and results in the prompt too, or nothing of them. `validation`: how it is given the validation file; "" for none.
    `file_name`: what a file's name may hold.
    """

    name: str
    title: str
    rules: Mapping[str, Rule]
    layout: Layout = layouts.WRAPPED
    turns: Turns = "any"
    prompt_roles: frozenset[str] = frozenset({*_SPEAKERS, "tool", "function"})
    output_roles: frozenset[str] = frozenset({"assistant"})
    one_message_outputs: bool = True
    tools: Tools = "turns"
    min_rows: int = 1
    max_rows: int | None = None
    max_bytes: int | None = None  # a file must stay below
    max_validation: int | None = None  # rows of the validation file
    refused_keys: frozenset[str] = frozenset()
    validation: str = ""


# What trainers that run on one's own machines let pass, and what they do not: a file is read by `datasets`.
_OWN_TRAINER = "blank_line crlf bom message_key min_rows"

TARGETS: Mapping[str, Target] = {
    "openai": Target(
        name="openai",
        title="OpenAI, while it lasts",
        rules=rules_of(rules.OPENAI, own="min_rows max_bytes extra_key"),
        min_rows=10,
        max_bytes=512_000_000,
        validation="validation_file of the job",
    ),
    "azure": Target(
        name="azure",
        title="Azure OpenAI, Foundry",
        rules=rules_of(
            rules.AZURE,
            own="min_rows max_bytes role",
            off="bom",  # its guide asks for one, its own sample has none
            warn="extra_key blank_line output_tool_calls",
        ),
        output_roles=frozenset({"assistant", "tool"}),
        one_message_outputs=False,
        min_rows=10,
        max_bytes=512_000_000,
        validation="validation_file of the job",
    ),
    "together": Target(
        name="together",
        title="Together",
        rules=rules_of(rules.TOGETHER, own="min_rows max_bytes extra_key turns output_count"),
        turns="alternating",
        prompt_roles=frozenset({*_SPEAKERS, "tool"}),
        max_bytes=50_000_000_000,
        validation="--validation-file, with --n-evals",
    ),
    "fireworks": Target(
        name="fireworks",
        title="Fireworks",
        rules=rules_of(
            rules.FIREWORKS,
            own="min_rows max_rows turns output_count output_tool_calls",
            warn="extra_key blank_line",
        ),
        turns="one",
        min_rows=3,
        max_rows=3_000_000,
    ),
    "trl": Target(
        name="trl",
        title="TRL, Unsloth",
        rules=rules_of(
            rules.TRL,
            own="object missing_key messages message output min_rows",
            warn="extra_key blank_line crlf message_key output_tool_calls",
            on="late_key",
        ),
        layout=layouts.CONVERSATIONAL,
        prompt_roles=_SPEAKERS,
        output_roles=frozenset({"assistant", "tool"}),
        one_message_outputs=False,
        tools="definitions",
        refused_keys=_TRLS_OWN,
        validation="eval_dataset",
    ),
    "openrlhf": Target(
        name="openrlhf",
        title="OpenRLHF",
        rules=rules_of(
            rules.OPENRLHF, own="missing_key messages output role", warn=f"extra_key {_OWN_TRAINER}", on="late_key"
        ),
        layout=layouts.CONVERSATIONAL,
        prompt_roles=_SPEAKERS,
        tools="none",
        validation="--eval.dataset, with --eval.split train",
    ),
    "llama-factory": Target(
        name="llama-factory",
        title="LLaMA-Factory",
        rules=rules_of(
            rules.LLAMA_FACTORY,
            own="missing_key output turns role messages tools",
            warn=f"extra_key {_OWN_TRAINER}",
            on="late_key",
        ),
        layout=layouts.SHAREGPT_PAIR,
        turns="user first",
        prompt_roles=_SPEAKERS,
        tools="definitions",
        validation="eval_dataset, its own entry in dataset_info.json",
    ),
    "axolotl": Target(
        name="axolotl",
        title="Axolotl",
        rules=rules_of(
            rules.AXOLOTL,
            own="missing_key output",
            warn=f"extra_key {_OWN_TRAINER}",
            on="late_key found_in_header outer_space",
        ),
        layout=layouts.MESSAGE_PAIR,
        prompt_roles=_SPEAKERS,
        tools="none",
        validation="test_datasets",
    ),
    "ms-swift": Target(
        name="ms-swift",
        title="ms-swift",
        rules=rules_of(rules.SWIFT, own="missing_key messages output", warn=f"extra_key {_OWN_TRAINER}", on="late_key"),
        layout=layouts.SWIFT,
        prompt_roles=_SPEAKERS,
        tools="definitions",
        validation="--val_dataset",
    ),
    "nemo-rl": Target(
        name="nemo-rl",
        title="NeMo-RL",
        rules=rules_of(rules.NEMO_RL, own="missing_key completions refused_key role", warn=_OWN_TRAINER, on="late_key"),
        layout=layouts.RANKED,
        prompt_roles=_SPEAKERS,
        tools="none",
        refused_keys=frozenset({"task_name"}),
        validation="data.validation.data_path, with split=train",
    ),
    "vertex": Target(
        name="vertex",
        title="Gemini on Vertex AI",
        rules=rules_of(
            rules.VERTEX, own="missing_key completions max_rows max_bytes turns role messages content", on="scores"
        ),
        layout=layouts.CONTENTS,
        turns="user first",
        prompt_roles=_SPEAKERS,
        tools="none",
        max_rows=10_000_000,
        max_bytes=1_000_000_000,
        max_validation=5_000,
        validation="validationDatasetUri, of 5,000 rows at most",
    ),
    "nova": Target(
        name="nova",
        title="Amazon Nova",
        rules=rules_of(
            rules.NOVA,
            own="missing_key min_rows max_rows turns blank_line role messages content",
            warn="schema_version",
            on="forbidden_text file_name",
        ),
        layout=layouts.CANDIDATES,
        turns="user first",
        prompt_roles=_SPEAKERS,
        tools="none",
        min_rows=8,
        max_rows=20_000,
        validation="the validation dataset of the job",
    ),
    "sft": Target(
        name="sft",
        title="SFT on the chosen answers, before DPO",
        rules=rules_of(
            rules.OPENAI, own="messages min_rows", off="sides_equal", warn="min_rows extra_key late_key", on="late_key"
        ),
        layout=layouts.CHATS,
        min_rows=10,  # OpenAI's and Azure's; the trainers state none
        validation="a validation file of the same rows",
    ),
    "kto": Target(
        name="kto",
        title="KTO, unpaired",
        rules=rules_of(
            rules.KTO,
            own="label",
            off="same_prompt sides_equal",
            warn=f"extra_key {_OWN_TRAINER}",
            on="late_key neighbours",
        ),
        layout=layouts.UNPAIRED,
        prompt_roles=_SPEAKERS,
        tools="definitions",
        refused_keys=_TRLS_OWN,
        min_rows=2,  # the batch has to be larger than 1
        validation="eval_dataset",
    ),
    "csv": Target(
        name="csv",
        title="spreadsheets and tables",
        rules=rules_of(rules.PROFILE, own="missing_key", warn="extra_key min_rows", on="na_word"),
        layout=layouts.CELLS,
        turns="one",
        prompt_roles=_SPEAKERS,
        tools="none",
    ),
    "parquet": Target(
        name="parquet",
        title="the rows of trl as Parquet",
        rules=rules_of(rules.TRL, own="missing_key messages message output", warn="extra_key min_rows"),
        layout=layouts.COLUMNS,
        prompt_roles=_SPEAKERS,
        tools="definitions",
        refused_keys=_TRLS_OWN,
        validation="eval_dataset",
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
