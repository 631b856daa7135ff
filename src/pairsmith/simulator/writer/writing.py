"""The writer: asked for new prompts it gives them, and errs at set rates, by its name. One row a model in WRITERS."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import orjson

from pairsmith.simulator.composing import compose
from pairsmith.simulator.dice import Dice
from pairsmith.simulator.writer import faulty
from pairsmith.simulator.writer.assessing import assessment
from pairsmith.simulator.writer.material import subject
from pairsmith.simulator.writer.naming import name_topics
from pairsmith.simulator.writer.prompts import Written, compose_prompt
from pairsmith.simulator.writer.reading import Request
from pairsmith.simulator.writer.rephrasing import rephrase
from pairsmith.simulator.writer.templates import Filler

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Writer:
    """How one writer errs.

    Attributes:
        repeats, answers, drifts, placeholders, about, dangles: share of the prompts that are nearly another one;
            answer instead of asking; leave the language or the matter; leave something to be filled in; speak of
            prompts; or want a text that is not there.
        miscounts, refuses, unreadable, fences: share of the replies with fewer or more prompts than asked for; that
            decline; that are no JSON; that wrap it in a fence and a remark when no response_format was asked for.
    """

    repeats: float = 0.0
    answers: float = 0.0
    drifts: float = 0.0
    placeholders: float = 0.0
    about: float = 0.0
    dangles: float = 0.0
    miscounts: float = 0.0
    refuses: float = 0.0
    unreadable: float = 0.0
    fences: float = 0.0


WRITERS: dict[str, Writer] = {
    "sim-writer": Writer(
        repeats=0.15, answers=0.08, drifts=0.06, placeholders=0.03, about=0.03, dangles=0.02, miscounts=0.05,
        refuses=0.02, unreadable=0.02, fences=0.3,
    ),
    "sim-writer-clean": Writer(),
    "sim-writer-poor": Writer(
        repeats=0.93, answers=0.02, drifts=0.01, placeholders=0.01, about=0.005, dangles=0.005, miscounts=0.02,
        refuses=0.01, unreadable=0.01, fences=0.3,
    ),
}  # fmt: skip

# What a repeat is a copy of: of a prompt in the same reply, of the material, else of what the model says to everybody.
_OF_THE_REPLY, _OF_THE_MATERIAL = 0.45, 0.45
_VERBATIM = 0.2
_REMARKS = ("Sure, here you go:", "Here is the JSON you asked for:", "Of course! I kept the tone of the examples.")


def write(request: Request, writer: Writer, dice: Dice, *, formatted: bool) -> str:
    """The writer's reply as text: JSON most of the time; formatted says whether a response_format was asked for."""
    manner = dice.uniform()
    if manner < writer.refuses:
        return _refusal(request, dice, formatted=formatted)
    text = orjson.dumps(_reply(request, writer, dice)).decode()
    if manner < writer.refuses + writer.unreadable:
        return _spoilt(text, dice)
    if not formatted and dice.uniform() < writer.fences:
        return f"{_pick(_REMARKS, dice)}\n\n```json\n{text}\n```"
    return text


def _reply(request: Request, writer: Writer, dice: Dice) -> dict[str, object]:
    if request.kind == "quality":
        reply = assessment(request, dice)
    elif request.kind == "topics":
        reply = {"topics": name_topics(request, dice)}
    else:
        reply = {"prompts": _prompts(request, writer, dice)}
    return {key: value for key, value in reply.items() if request.keys is None or key in request.keys}


def _prompts(request: Request, writer: Writer, dice: Dice) -> list[str]:
    count = request.count
    if dice.uniform() < writer.miscounts:
        count = max(1, count + (-2, -1, 1, 2)[dice.below(4)])
    rates = [(getattr(writer, name), fault) for name, fault in _FAULTS.items()]
    prompts: list[str] = []
    written = Written()
    for _ in range(count):
        mark = dice.uniform()
        for rate, fault in rates:
            if mark < rate:
                prompts.append(fault(request, prompts, written, dice))
                break
            mark -= rate
        else:
            prompts.append(_good(request, written, dice))
    return prompts


def _good(request: Request, written: Written, dice: Dice) -> str:
    if request.way == "paraphrase":
        return rephrase(request.shown[0], dice, written.asks)
    return compose_prompt(request, dice, written)


# --- faults of one prompt --------------------------------------------------------------------------

Fault = Callable[[Request, list[str], Written, Dice], str]


def _repeat(request: Request, prompts: list[str], written: Written, dice: Dice) -> str:
    mark = dice.uniform()
    if prompts and mark < _OF_THE_REPLY:
        copied = _pick(prompts, dice)
    elif request.shown and mark < _OF_THE_REPLY + _OF_THE_MATERIAL:
        copied = _pick(request.shown, dice)
    else:
        copied = _pick(faulty.FAVOURITES, dice)
    edit = dice.uniform()
    if edit < _VERBATIM:
        return copied
    return _pick(faulty.BEFORE, dice) + copied if edit < 0.5 else copied + _pick(faulty.BEHIND, dice)


def _answer(request: Request, prompts: list[str], written: Written, dice: Dice) -> str:
    if dice.uniform() < 0.5:
        drafts = compose(0, _pick(request.shown, dice) if request.shown else request.given)
        return _pick(drafts, dice).text()
    return _filler(request, dice).say(_pick(faulty.ANSWERS, dice))


def _drift(request: Request, prompts: list[str], written: Written, dice: Dice) -> str:
    return _filler(request, dice).say(_pick(faulty.DRIFTS, dice))


def _placeholder(request: Request, prompts: list[str], written: Written, dice: Dice) -> str:
    good, placed = _good(request, written, dice), _pick(faulty.PLACED, dice)
    return f"{placed} {good}" if dice.uniform() < 0.5 else f"{good} {placed}"


def _about(request: Request, prompts: list[str], written: Written, dice: Dice) -> str:
    filler = _filler(request, dice)
    filler.give("good", _good(request, written, dice))
    return filler.say(_pick(faulty.ABOUT, dice))


def _dangling(request: Request, prompts: list[str], written: Written, dice: Dice) -> str:
    return _filler(request, dice).say(_pick(faulty.DANGLING, dice))


_FAULTS: dict[str, Fault] = {
    "repeats": _repeat,
    "answers": _answer,
    "drifts": _drift,
    "placeholders": _placeholder,
    "about": _about,
    "dangles": _dangling,
}


def _filler(request: Request, dice: Dice) -> Filler:
    return Filler(dice, {"topic": subject([*request.shown, request.given], dice, own=0.2)})


# --- faults of a whole reply -----------------------------------------------------------------------


def _refusal(request: Request, dice: Dice, *, formatted: bool) -> str:
    refusal = _pick(faulty.REFUSALS, dice)
    if formatted and request.kind == "prompts" and dice.uniform() < 0.5:
        return orjson.dumps({"prompts": [refusal]}).decode()
    return refusal


def _spoilt(text: str, dice: Dice) -> str:
    return [text[: len(text) // 2], text[1:-1].replace('"', "'"), "1. " + text.strip('{"}[]'), ""][dice.below(4)]


def _pick(bank: Sequence[T], dice: Dice) -> T:
    return bank[dice.below(len(bank))]
