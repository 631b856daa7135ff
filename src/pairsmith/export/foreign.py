r"""Reads what others call messages, answers, conversations and scores: the parts that strangers' rows are made of.

Knows no row as a whole: shapes.py puts these together. Texts stay as they are, but for the white space that stands
between the marks of a transcript ("\n\nHuman: … \n\nAssistant: …") and the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from pairsmith.export.chat import ELSEWHERE, ChatPair
from pairsmith.export.messages import TOOL_ROLES, calls_tools
from pairsmith.export.problems import shown
from pairsmith.export.row_rules import say_the_same
from pairsmith.records import Json, Message

_ROLES = {"human": "user", "gpt": "assistant", "model": "assistant", "bot": "assistant", "developer": "system"}
_MARK = re.compile(r"(?:\A\s*|\n\n)(Human|Assistant):")
_SPEAKERS = {"Human": "user", "Assistant": "assistant"}
# The columns that say how good each answer is, chosen and rejected. Names of datasets, read 2026-11.
SCORES = (
    ("chosen_score", "rejected_score"),
    ("score_chosen", "score_rejected"),
    ("chosen_avg_rating", "rejected_avg_rating"),
    ("chosen_rating", "rejected_rating"),
    ("chosen-rating", "rejected-rating"),
    ("rating_chosen", "rating_rejected"),
)
Side = TypeVar("Side")


class NoPair(Exception):  # noqa: N818  # what a row is, no error
    """Why a row gives no pair: `reason` is counted, `why` is said of the first."""

    def __init__(self, reason: str, why: str) -> None:
        super().__init__(reason, why)
        self.reason = reason
        self.why = why


def unreadable(why: str) -> NoPair:
    """A row that is not what its shape says."""
    return NoPair("unreadable", why)


def heard(given: Json) -> Message:
    """A message of any wording in chat terms; of its keys only those that every platform takes.

    Raises:
        NoPair: it is no message.
    """
    if not isinstance(given, dict):
        raise unreadable(f"a message is {shown(given)}")
    role = given.get("role", given.get("from"))
    if not isinstance(role, str):
        raise unreadable("a message has no role")
    role = role.removesuffix(ELSEWHERE)
    message: Message = {"role": _ROLES.get(role, role)}
    for key in ("content", "value"):
        if key in given:
            message["content"] = _text_of(given[key])
            break
    for key in ("tool_calls", "tool_call_id"):
        if given.get(key):
            message[key] = given[key]
    if role == "function" and "name" in given:
        message["name"] = given["name"]
    return message


def _text_of(content: Json) -> Json:
    """The text of a list of one part of text; anything else as it stands."""
    match content:
        case [{"text": str(text), **others}] if others in ({}, {"type": "text"}):
            return text
    return content


def asked(prompt: Json, system: Json = None) -> tuple[Message, ...]:
    """The messages of a prompt, given as a text or as messages; a system text of its own goes first.

    Raises:
        NoPair: there is none.
    """
    if isinstance(prompt, str):
        messages: tuple[Message, ...] = ({"role": "user", "content": prompt},)
    elif isinstance(prompt, list) and prompt:
        messages = tuple(map(heard, prompt))
    else:
        raise unreadable("has no prompt")
    return with_system(messages, system)


def with_system(messages: tuple[Message, ...], system: Json) -> tuple[Message, ...]:
    """The messages with a system text before them, unless it is blank or they have one."""
    if isinstance(system, str) and system.strip() and (not messages or messages[0]["role"] != "system"):
        return ({"role": "system", "content": system}, *messages)
    return messages


def answer(given: Json) -> tuple[Message, ...]:
    """The messages of an answer, given as a text, a message or a list of them; () for null and the empty list.

    Raises:
        NoPair: it is none of these.
    """
    match given:
        case str():
            return ({"role": "assistant", "content": given},)
        case dict():
            return (heard(given),)
        case list():
            return tuple(map(heard, given))
        case None:
            return ()
    raise unreadable(f"an answer is {shown(given)}")


def two_sided(
    prompt: Json, chosen: Json, rejected: Json, system: Json = None, tools: tuple[Json, ...] = ()
) -> ChatPair:
    """A prompt and two answers, which may be whole conversations: then what they share is the prompt.

    A text beside conversations is no more than their label; beside lists of answers it is the prompt.

    Raises:
        NoPair: they are no pair.
    """
    better, worse = answer(chosen), answer(rejected)
    if isinstance(prompt, list) and prompt:
        messages = asked(prompt, system)
        better, worse = _without(messages, better), _without(messages, worse)
        return ChatPair(messages, better, worse, tools)
    if any(message["role"] == "user" for message in (*better, *worse)):
        pair = parted(better, worse)
        return replace(pair, messages=with_system(pair.messages, system), tools=tools)
    return ChatPair(asked(prompt, system), better, worse, tools)


def _without(prompt: tuple[Message, ...], side: tuple[Message, ...]) -> tuple[Message, ...]:
    """An answer without the prompt, where it repeats it."""
    return side[len(prompt) :] if side[: len(prompt)] == prompt else side


def parted(chosen: Sequence[Message], rejected: Sequence[Message]) -> ChatPair:
    """Two conversations as what they share and the answers at their ends.

    Raises:
        NoPair: they share nothing, or part before the last answer.
    """
    if not chosen or not rejected:
        raise NoPair("empty_side", "has no second conversation")
    shared = next((n for n, (one, other) in enumerate(zip(chosen, rejected, strict=False)) if one != other), None)
    if shared is None:
        shared = min(len(chosen), len(rejected))
    while shared and chosen[shared - 1]["role"] == "assistant":
        shared -= 1  # a last answer that both begin with is of the answers
    if not shared:
        raise unreadable("the two conversations share no prompt")
    sides = tuple(chosen[shared:]), tuple(rejected[shared:])
    if any(message["role"] not in ("assistant", *TOOL_ROLES) for side in sides for message in side):
        raise unreadable("the two conversations part before their last answers")
    return ChatPair(tuple(chosen[:shared]), *sides)


def is_transcript(value: Json) -> bool:
    r"""Whether it is a text of turns marked "\n\nHuman:" and "\n\nAssistant:"."""
    return isinstance(value, str) and value.lstrip().startswith("Human:") and "\n\nAssistant:" in value


def transcript(text: str) -> list[Message]:
    """The turns of a transcript; the last one only loses the space behind its mark."""
    parts = _MARK.split(text)[1:]
    turns = [(_SPEAKERS[mark], said) for mark, said in zip(parts[::2], parts[1::2], strict=True)]
    messages: list[Message] = [{"role": role, "content": said.strip()} for role, said in turns[:-1]]
    return messages + [{"role": role, "content": said.removeprefix(" ")} for role, said in turns[-1:]]


def number(value: Json) -> float | None:
    """A number, or a text of one (as in CSV); None: it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except ValueError:
        return None
    return found if found == found else None


def best_and_worst(scored: Iterable[tuple[float | None, Side]]) -> tuple[Side, Side]:
    """The sides of the highest and the lowest score, the first of each; those without a score take no part.

    Raises:
        NoPair: fewer than two have a score, or all the same.
    """
    known = [(score, side) for score, side in scored if score is not None]
    if len(known) < 2:
        raise unreadable("fewer than two of its answers are rated")
    best, worst = max(known, key=lambda one: one[0]), min(known, key=lambda one: one[0])
    if best[0] == worst[0]:
        raise NoPair("tie", "its answers are rated the same")
    return best[1], worst[1]


def refuse_tie(one: Json, other: Json) -> None:
    """Raises NoPair where two scores are the same; what is no score says nothing."""
    if (score := number(one)) is not None and score == number(other):
        raise NoPair("tie", "its answers are rated the same")


def refuse_silent(pair: ChatPair, one_sided: bool) -> None:
    """Raises NoPair where an answer says nothing, or both the same after folding, as `check` compares them."""
    sides = [side for side in (pair.chosen, pair.rejected) if side or not one_sided]
    if not sides or not all(any(map(_says, side)) for side in sides):
        raise NoPair("empty_side", "an answer is empty")
    if len(sides) == 2 and say_the_same(pair.chosen, pair.rejected):
        raise NoPair("equal_sides", "both answers say the same")


def _says(message: Message) -> bool:
    content = message.get("content")
    return calls_tools(message) or bool(content.strip() if isinstance(content, str) else content)
