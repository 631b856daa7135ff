"""The rules of datasets: what must hold in a file, in a row, in its messages, and who says so.

Which of them a platform has stands in targets.py. Called by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

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
KTO = "TRL 1.16 KTOTrainer: a row's KL term uses the completion of the row before it, read 2026-11"
LLAMA_FACTORY = "LLaMA-Factory 0.9.5 data/README and converter, read 2026-11"
AXOLOTL = "Axolotl 0.19 prompt_strategies/dpo/chat_template, read 2026-11"
SWIFT = "ms-swift 4.6 custom dataset guide and template inputs, read 2026-11"
NEMO_RL = "NeMo-RL 0.6 DPO guide and preference processors, read 2026-11"
OPENRLHF = "OpenRLHF 0.11 reward dataset, read 2026-11"
VERTEX = "Google preference tuning guide for Gemini, read 2026-11"
NOVA = "Amazon Nova DPO guide and dataset validator, read 2026-11"
PANDAS = "pandas read_csv, default na_values, which `datasets` uses too, tried 2026-11"
DATASETS = "datasets 4.0 and 5.2, tried 2026-11: an empty file, or a key first seen after 10 MiB, ends the load"


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that must hold in a file."""

    holds: str
    source: str
    severity: Severity = "error"


RULES: Mapping[str, Rule] = {
    # the file
    "bom": Rule("UTF-8 without a byte order mark", JSONL),
    "utf8": Rule("UTF-8", JSONL),
    "crlf": Rule("lines end in LF", PROFILE),
    "blank_line": Rule("no blank line", PROFILE),
    "final_newline": Rule("the last line ends in LF too", PROFILE, "warning"),
    "min_rows": Rule("as many rows as the platform asks for", PROFILE),
    "no_rows": Rule("one row or more", DATASETS),
    "max_rows": Rule("no more rows than the platform takes", PROFILE),
    "max_bytes": Rule("smaller than the platform's limit", PROFILE),
    "file_name": Rule("a name of letters, digits, _ - and . alone", NOVA),
    "same_row": Rule("no row twice", PROFILE),
    "same_prompt": Rule("one pair a prompt", PROFILE, "warning"),
    "same_id": Rule("an id names one row", PROFILE),
    "both_splits": Rule("no prompt in both the training and the validation file", OPENAI),
    "late_key": Rule("no key that is first seen after 10 MiB", DATASETS),
    "neighbours": Rule("rows beside each other have different prompts", KTO, "warning"),
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
    "refused_key": Rule("no key that ends the trainer's run", TRL),
    "prompt": Rule("the prompt has the layout's type", OPENAI),
    "input_key": Rule("in input only messages, tools, parallel_tool_calls", OPENAI),
    "tools": Rule("tools is a list of functions", OPENAI),
    "parallel_tool_calls": Rule("parallel_tool_calls is true or false", OPENAI),
    "tools_taken": Rule("no tools where the trainer has no use for them", PROFILE),
    "tool_turns": Rule("no tool calls and results in the prompt where the trainer loses them", PROFILE),
    "max_tokens": Rule("no row longer than --max-tokens", "your --max-tokens"),
    "forbidden_text": Rule("none of the marks that the platform keeps for itself", NOVA),
    # its messages
    "messages": Rule("a list of one message or more", OPENAI),
    "message": Rule("a message is an object", OPENAI),
    "role": Rule("a role that the platform knows", OPENAI),
    "message_key": Rule("only role, content and what tool turns need", PROFILE),
    "content": Rule("content is text and not blank", PROFILE),
    "tool_calls": Rule("tool_calls is a list of calls of functions", OPENAI),
    "tool_call_id": Rule("a tool message names a call made before it", OPENAI),
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
    "answer_last": Rule("the last message is the assistant's answer", PROFILE),
    "completions": Rule("two completions of different rank or score", PROFILE),
    "candidates": Rule("a preferred and a non-preferred candidate", NOVA),
    "scores": Rule("one score of 1 and one of 0, and nothing beside score and completion", VERTEX),
    "label": Rule("label is true or false", KTO),
    "schema_version": Rule("the schema's name", NOVA),
    "found_in_header": Rule("no answer that the trainer finds in its own headers", AXOLOTL),
    "na_word": Rule("no cell that tables are read as missing from", PANDAS, "warning"),
    "outer_space": Rule("no white space around an answer", AXOLOTL),
    "sides_equal": Rule("the answers differ after normalising", EQUAL_SIDES),
}


def rules_of(source: str, own: str, off: str = "", warn: str = "", on: str = "") -> Mapping[str, Rule]:
    """The common rules as one platform has them; each argument but the first is a list of names.

    Args:
        source: who says so.
        own: these are the platform's own words.
        off: it does not have these.
        warn: it only advises these.
        on: of SPECIAL, it has these.
    """
    rules = {name: rule for name, rule in RULES.items() if name not in (SPECIAL - {*on.split()}) | {*off.split()}}
    for name in own.split():
        rules[name] = replace(rules[name], source=source)
    for name in warn.split():
        rules[name] = replace(rules[name], severity="warning")
    return rules


SPECIAL = frozenset(
    {"scores", "na_word", "file_name", "late_key", "neighbours", "forbidden_text", "found_in_header", "outer_space"}
)
