"""The shapes of preference rows in one table: how each is recognised, what it is known from, and how a row is read.

The first shape that fits is the row's. All layouts of our own targets are among them. Each reader gives a pair or
raises NoPair with the reason that is counted. The readers stand in shape_readers.py. Called by converting.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from pairsmith.export import layouts
from pairsmith.export.chat import ChatPair
from pairsmith.export.foreign import SCORES, is_transcript, number, refuse_silent, refuse_tie
from pairsmith.export.placed import listed, object_of
from pairsmith.export.reading import JsonObject
from pairsmith.export.shape_readers import (
    Reader,
    chosen_by,
    in_layout,
    read_contents,
    read_conversation,
    read_helpsteer,
    read_instruction,
    read_nectar,
    read_old_names,
    read_one_text,
    read_ranked,
    read_samples,
    read_swift,
    read_swift_messages,
    read_transcript_prompt,
    read_transcripts,
    read_ultrafeedback,
    read_unpaired,
    read_wrapped,
    sides_in,
)

Fits: TypeAlias = Callable[[JsonObject], bool]

TEXT = (str, type(None))  # an answer of null is one that says nothing


@dataclass(frozen=True, slots=True)
class Shape:
    """One form of strangers' rows.

    `columns`: those that are read, where a row has them. `known_from`: datasets, or the trainer whose rows they are.
    `one_sided`: a row holds one answer, so that it takes two to make a pair, or none can be made.
    """

    name: str
    known_from: str
    columns: tuple[str, ...]
    fits: Fits
    read: Reader
    one_sided: bool = False


def pair_in(row: JsonObject, shape: Shape) -> ChatPair:
    """The pair that a row holds.

    Raises:
        NoPair: a tie, an empty side, equal sides, or not what the shape says.
    """
    pair = shape.read(row)
    if not shape.one_sided:
        for one, other in SCORES:
            refuse_tie(row.get(one), row.get(other))
    refuse_silent(pair, shape.one_sided)
    return pair


def shape_of(row: JsonObject, among: Iterable[Shape]) -> Shape | None:
    """The first shape that a row has."""
    return next((shape for shape in among if shape.fits(row)), None)


def columns_used(shape: Shape, rows: Sequence[JsonObject]) -> list[str]:
    """The columns of rows that are read, in the order of the shape's."""
    return [column for column in shape.columns if any(column in row for row in rows)]


def has(**types: type | tuple[type, ...]) -> Fits:
    """Rows that have these keys with values of these types, at least one of which is not null."""
    wanted = tuple(types.items())

    def fits(row: JsonObject) -> bool:
        found = all(key in row and isinstance(row[key], kinds) for key, kinds in wanted)
        return found and any(row[key] is not None for key, _ in wanted)

    return fits


def _ends_in_candidates(row: JsonObject) -> bool:
    return any("candidates" in object_of(message) for message in listed(row.get("messages"))[-1:])


def _text_sides(row: JsonObject) -> bool:
    return has(chosen=TEXT, rejected=TEXT)(row)


def _two_columns(name: str, known_from: str, keys: tuple[str, str, str], fits: Fits) -> Shape:
    return Shape(name, known_from, (*keys, "system", "tools"), fits, sides_in(*keys))


_ANSWER = (str, dict)

SHAPES: tuple[Shape, ...] = (
    Shape(
        "openai_pft",
        "preference files for OpenAI, Azure, Together and Fireworks",
        layouts.WRAPPED.keys,
        lambda row: "input" in row and "preferred_output" in row and "non_preferred_output" in row,
        read_wrapped,
    ),
    Shape(
        "openai_old",
        "the names of OpenAI's earlier specification",
        ("input", *layouts.WRAPPED.old_names),
        lambda row: "input" in row and "preferred_completion" in row and "non_preferred_completion" in row,
        read_old_names,
    ),
    Shape(
        "helpsteer3",
        "nvidia/HelpSteer3",
        ("context", "response1", "response2", "overall_preference"),
        lambda row: all(key in row for key in ("context", "response1", "response2", "overall_preference")),
        read_helpsteer,
    ),
    Shape("nemo_rl", "NeMo-RL", layouts.RANKED.keys, has(context=(list, str), completions=list), read_ranked),
    Shape(
        "vertex",
        "preference tuning of Gemini on Vertex AI",
        ("system_instruction", "systemInstruction", *layouts.CONTENTS.keys),
        has(contents=list, completions=list),
        read_contents,
    ),
    Shape("nova", "Amazon Nova", ("system", "messages"), _ends_in_candidates, in_layout(layouts.CANDIDATES)),
    Shape(
        "ms_swift_messages",
        "ms-swift, with rejected_messages",
        ("messages", "rejected_messages", "tools"),
        has(messages=list, rejected_messages=list),
        read_swift_messages,
    ),
    Shape(
        "ms_swift_response",
        "ms-swift",
        ("messages", "rejected_response", "tools"),
        lambda row: bool(row.get("messages")) and isinstance(row["messages"], list) and "rejected_response" in row,
        read_swift,
    ),
    _two_columns(
        "llama_factory_sharegpt",
        "LLaMA-Factory's ranking rows, hiyouga/DPO-En-Zh-20k",
        ("conversations", "chosen", "rejected"),
        has(conversations=list, chosen=_ANSWER, rejected=_ANSWER),
    ),
    _two_columns(
        "llama_factory_messages",
        "Axolotl's chat_template rows, LLaMA-Factory with role and content",
        ("messages", "chosen", "rejected"),
        has(messages=list, chosen=_ANSWER, rejected=_ANSWER),
    ),
    _two_columns(
        "argilla_ultrafeedback",
        "argilla/ultrafeedback-binarized-preferences",
        ("instruction", "chosen_response", "rejected_response"),
        has(instruction=TEXT, chosen_response=TEXT, rejected_response=TEXT),
    ),
    _two_columns(
        "prompt_chosen_response",
        "rows made of HelpSteer3 for NeMo-RL, CSV tutorials of reward models",
        ("prompt", "chosen_response", "rejected_response"),
        has(prompt=(str, list, type(None)), chosen_response=TEXT, rejected_response=TEXT),
    ),
    Shape(
        "ultrafeedback",
        "openbmb/UltraFeedback, argilla/ultrafeedback-curated",
        ("instruction", "completions"),
        has(instruction=str, completions=list),
        read_ultrafeedback,
    ),
    Shape("nectar", "berkeley-nest/Nectar", ("prompt", "answers"), has(prompt=str, answers=list), read_nectar),
    Shape("samples_score", "lists of scored samples", ("prompt", "samples"), has(samples=list), read_samples),
    _two_columns(
        "trl_explicit",
        "TRL, OpenRLHF, Unsloth; trl-lib/hh-rlhf-helpful-base",
        ("prompt", "chosen", "rejected"),
        has(prompt=list, chosen=(list, str, dict, type(None)), rejected=(list, str, dict, type(None))),
    ),
    _two_columns(
        "message_lists",
        "HuggingFaceH4/ultrafeedback_binarized, trl-lib/ultrafeedback_binarized, argilla/…-cleaned",
        ("prompt", "chosen", "rejected"),
        has(chosen=(list, dict, type(None)), rejected=(list, dict, type(None))),
    ),
    Shape(
        "hh_rlhf",
        "Anthropic/hh-rlhf",
        ("chosen", "rejected"),
        lambda row: "system" not in row and is_transcript(row.get("chosen")) and is_transcript(row.get("rejected")),
        read_transcripts,
    ),
    Shape(
        "hh_prompt_strings",
        "Dahoas/full-hh-rlhf",
        ("prompt", "chosen", "rejected"),
        lambda row: "system" not in row and is_transcript(row.get("prompt")) and _text_sides(row),
        read_transcript_prompt,
    ),
    _two_columns(
        "prompt_strings",
        "HumanLLMs/Human-Like-DPO-Dataset, TRL's standard rows, tables of pairsmith",
        ("prompt", "chosen", "rejected"),
        has(prompt=TEXT, chosen=TEXT, rejected=TEXT),
    ),
    _two_columns(
        "intel_orca",
        "Intel/orca_dpo_pairs",
        ("question", "chosen", "rejected"),
        has(question=TEXT, chosen=TEXT, rejected=TEXT),
    ),
    Shape(
        "alpaca_ranking",
        "LLaMA-Factory's ranking rows in alpaca's columns",
        ("system", "history", "instruction", "input", "chosen", "rejected"),
        has(instruction=str, chosen=TEXT, rejected=TEXT),
        read_instruction,
    ),
    _two_columns(
        "distilabel_orca",
        "argilla/distilabel-intel-orca-dpo-pairs",
        ("input", "chosen", "rejected"),
        has(input=TEXT, chosen=TEXT, rejected=TEXT),
    ),
    _two_columns(
        "stack_exchange_paired",
        "lvwerra/stack-exchange-paired",
        ("question", "response_j", "response_k"),
        has(question=str, response_j=TEXT, response_k=TEXT),
    ),
    Shape(
        "shp",
        "stanfordnlp/SHP",
        ("history", "human_ref_A", "human_ref_B", "labels"),
        has(history=str, human_ref_A=TEXT, human_ref_B=TEXT, labels=(int, str)),
        chosen_by(
            lambda row: number(row["labels"]),
            {1: ("human_ref_A", "human_ref_B"), 0: ("human_ref_B", "human_ref_A")},
            "history",
        ),
    ),
    Shape(
        "pku_saferlhf",
        "PKU-Alignment/PKU-SafeRLHF",
        ("prompt", "response_0", "response_1", "better_response_id"),
        has(prompt=str, response_0=TEXT, response_1=TEXT, better_response_id=(int, str)),
        chosen_by(
            lambda row: number(row["better_response_id"]),
            {0: ("response_0", "response_1"), 1: ("response_1", "response_0")},
            "prompt",
        ),
    ),
    Shape(
        "lmsys_arena",
        "lmsys/chatbot_arena_conversations",
        ("conversation_a", "conversation_b", "winner"),
        has(conversation_a=list, conversation_b=list, winner=str),
        chosen_by(
            lambda row: row["winner"],
            {"model_a": ("conversation_a", "conversation_b"), "model_b": ("conversation_b", "conversation_a")},
            "",
        ),
    ),
    Shape(
        "kto_unpaired",
        "TRL's KTO rows, trl-lib/kto-mix-14k",
        ("system", "prompt", "completion", "label", "tools"),
        has(prompt=(str, list), completion=(str, list, dict), label=(bool, int, str)),
        read_unpaired,
        one_sided=True,
    ),
    Shape(
        "sft_messages",
        "chats to fine-tune on, as HuggingFaceH4/ultrachat_200k",
        ("messages", "conversations"),
        lambda row: isinstance(row.get("messages"), list) or isinstance(row.get("conversations"), list),
        read_conversation,
        one_sided=True,
    ),
    Shape(
        "sft_strings",
        "instructions to fine-tune on, as tatsu-lab/alpaca",
        ("instruction", "input", "output", "prompt", "completion"),
        lambda row: has(instruction=str, output=str)(row) or has(prompt=str, completion=str)(row),
        read_one_text,
        one_sided=True,
    ),
)
SINGLE_ANSWERS = frozenset({"sft_messages", "sft_strings"})  # no second answer is anywhere in such a file
