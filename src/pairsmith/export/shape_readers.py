"""Readers of strangers' rows: each takes a row that its shape fits, and gives the pair in it or raises NoPair.

Which row is whose stands in shapes.py, which calls them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeAlias

from pairsmith.export import layouts
from pairsmith.export.chat import ChatPair
from pairsmith.export.foreign import (
    NoPair,
    answer,
    asked,
    best_and_worst,
    heard,
    is_transcript,
    number,
    parted,
    refuse_tie,
    transcript,
    two_sided,
    unreadable,
    with_system,
)
from pairsmith.export.layouts import Layout
from pairsmith.export.placed import listed, object_of, tools_in
from pairsmith.export.problems import shown
from pairsmith.export.reading import JsonObject
from pairsmith.records import Json

Reader: TypeAlias = Callable[[JsonObject], ChatPair]

_LABELS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}


# --- layouts of our own targets -----------------------------------------------------------------------


def in_layout(layout: Layout) -> Reader:
    """Rows of a layout, as it reads them itself."""

    def read(row: JsonObject) -> ChatPair:
        view = layout.view(row)
        pair = view.pair()
        if pair is None:
            if any(finding.rule == "output_empty" for finding in view.findings):
                raise NoPair("empty_side", "an answer is empty")
            first = next(iter(view.findings), None)
            raise unreadable(f"{first.field} {first.found}" if first else "holds no pair")
        sides = (pair.messages, pair.chosen, pair.rejected)
        prompt, chosen, rejected = (tuple(map(heard, side)) for side in sides)
        return replace(pair, messages=prompt, chosen=chosen, rejected=rejected)

    return read


def read_old_names(row: JsonObject) -> ChatPair:
    """The names of OpenAI's earlier specification."""
    names = layouts.WRAPPED.old_names
    return read_wrapped({names.get(key, key): value for key, value in row.items()})


def read_contents(row: JsonObject) -> ChatPair:
    """Two completions of different scores, the higher one the better."""
    scores = [number(object_of(one).get("score")) for one in listed(row["completions"])]
    if len(scores) == 2:
        refuse_tie(*scores)
    return _read_contents(row)


def read_ranked(row: JsonObject) -> ChatPair:
    """The best and the worst rank of two or more; the lower one is the better."""
    completions = [object_of(one) for one in listed(row["completions"])]
    worst, best = best_and_worst((number(one.get("rank")), one.get("completion")) for one in completions)
    return two_sided(row["context"], best, worst)


def read_swift(row: JsonObject) -> ChatPair:
    """Messages that end in the chosen answer, and the rejected one by itself."""
    *before, last = map(heard, listed(row["messages"]))
    if last["role"] != "assistant" or not before:
        raise unreadable("messages do not end with the assistant's answer to something")
    rejected = answer(row["rejected_response"])
    return ChatPair(tuple(before), (last,), rejected, _tools(row))


def read_swift_messages(row: JsonObject) -> ChatPair:
    """Two whole conversations."""
    pair = parted(answer(row["messages"]), answer(row["rejected_messages"]))
    return replace(pair, tools=_tools(row))


def read_unpaired(row: JsonObject) -> ChatPair:
    """A prompt and one answer, which is the chosen or the rejected one by its label."""
    label = _LABELS.get(str(row["label"]).lower())
    if label is None:
        raise unreadable(f"label is {shown(row['label'])}, neither true nor false")
    prompt, side = asked(row["prompt"], row.get("system")), answer(row["completion"])
    return ChatPair(prompt, side if label else (), () if label else side, _tools(row))


def _tools(row: JsonObject) -> tuple[Json, ...]:
    tools = tools_in(row)
    if not isinstance(tools, list):
        raise unreadable("tools are no list, and no JSON text of one")
    return tuple(tools)


read_wrapped, _read_contents, _read_chats = map(in_layout, (layouts.WRAPPED, layouts.CONTENTS, layouts.CHATS))

# --- public datasets ---------------------------------------------------------------------------------------


def sides_in(prompt: str, chosen: str, rejected: str) -> Reader:
    """Rows with a column for each, and perhaps the columns system and tools."""

    def read(row: JsonObject) -> ChatPair:
        if row.get("status") == "tie":  # argilla's distilabel-intel-orca-dpo-pairs
            raise NoPair("tie", "its status is tie")
        return two_sided(row.get(prompt), row.get(chosen), row.get(rejected), row.get("system"), _tools(row))

    return read


read_sides = sides_in("prompt", "chosen", "rejected")


def read_instruction(row: JsonObject) -> ChatPair:
    """As LLaMA-Factory reads alpaca's columns: the input goes below the instruction, the history before both."""
    given = row.get("input")
    text = f"{row['instruction']}\n{given}" if isinstance(given, str) and given else row["instruction"]
    history: list[Json] = []
    for exchange in listed(row.get("history")):
        for role, said in zip(("user", "assistant"), listed(exchange), strict=False):
            history.append({"role": role, "content": said})
    return two_sided([*history, *asked(text)], row["chosen"], row["rejected"], row.get("system"))


def read_helpsteer(row: JsonObject) -> ChatPair:
    """Below 0 the first response is the better one."""
    preference = number(row["overall_preference"])
    if preference is None:
        raise unreadable(f"overall_preference is {shown(row['overall_preference'])}")
    refuse_tie(preference, 0)
    first, second = row["response1"], row["response2"]
    better, worse = (first, second) if preference < 0 else (second, first)
    return two_sided(row["context"], better, worse)


def read_ultrafeedback(row: JsonObject) -> ChatPair:
    """By the mean of the aspects' ratings: overall_score is wrong in the dataset , where bad answers have a 10."""
    completions = [object_of(one) for one in listed(row["completions"])]
    best, worst = best_and_worst((_mean_rating(one), one.get("response")) for one in completions)
    return two_sided(row["instruction"], best, worst)


def _mean_rating(completion: JsonObject) -> float | None:
    aspects = object_of(completion.get("annotations")).values()
    ratings = [rating for one in aspects if (rating := number(object_of(one).get("Rating"))) is not None]
    return sum(ratings) / len(ratings) if ratings else None  # "N/A" is no rating


def read_nectar(row: JsonObject) -> ChatPair:
    """Rank 1 is the best."""
    answers = [object_of(one) for one in listed(row["answers"])]
    worst, best = best_and_worst((number(one.get("rank")), one.get("answer")) for one in answers)
    return two_sided(_prompt_turns(row["prompt"]), best, worst)


def read_samples(row: JsonObject) -> ChatPair:
    """The best and the worst score."""
    samples = [object_of(one) for one in listed(row["samples"])]
    best, worst = best_and_worst(
        (number(one.get("score")), next((one[key] for key in ("text", "completion", "response") if key in one), None))
        for one in samples
    )
    return two_sided(row["prompt"], best, worst)


def read_transcripts(row: JsonObject) -> ChatPair:
    """Two whole conversations, each one text."""
    return parted(transcript(str(row["chosen"])), transcript(str(row["rejected"])))


def read_transcript_prompt(row: JsonObject) -> ChatPair:
    """The answers begin with the space behind the prompt's last mark."""
    chosen, rejected = (str(row[key] or "").removeprefix(" ") for key in ("chosen", "rejected"))
    return two_sided(_prompt_turns(row["prompt"]), chosen, rejected)


def _prompt_turns(prompt: Json) -> Json:
    """The turns of a transcript that ends where the answer begins; any other prompt as it stands."""
    if not is_transcript(prompt):
        return prompt
    turns = transcript(str(prompt))
    return list(turns[:-1] if turns[-1] == {"role": "assistant", "content": ""} else turns)


def chosen_by(better: Callable[[JsonObject], Json], sides: Mapping[Json, tuple[str, str]], prompt: str) -> Reader:
    """Rows with two answers and a column that says which is the better one."""

    def read(row: JsonObject) -> ChatPair:
        said = better(row)
        if isinstance(said, str) and said.startswith("tie"):
            raise NoPair("tie", f"it is a {said}")
        if isinstance(said, list | dict) or said not in sides:
            raise unreadable(f"which answer is the better one is {shown(said)}")
        chosen, rejected = sides[said]
        return two_sided(row.get(prompt), row[chosen], row[rejected])

    return read


def read_conversation(row: JsonObject) -> ChatPair:
    """A chat of one answer, the last message."""
    given = row["messages"] if isinstance(row.get("messages"), list) else row["conversations"]
    messages = with_system(tuple(map(heard, listed(given))), row.get("system"))
    return _read_chats({"messages": [*messages], "tools": row.get("tools") or []})


def read_one_text(row: JsonObject) -> ChatPair:
    """A prompt and one answer, without a label."""
    prompt, side = ("instruction", "output") if "output" in row else ("prompt", "completion")
    return ChatPair(asked(row[prompt], row.get("system")), answer(row[side]), ())
