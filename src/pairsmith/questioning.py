"""Single questions to an endpoint, each asked as often as it takes to tell something, and no more.

Which of them are asked, and in which order, is probing.py's, which calls them; what the answers say is concluding.py's;
how they are sent and booked, wire/probe.py's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from pairsmith import concluding
from pairsmith.capabilities import Finding, Support
from pairsmith.concluding import Heat, refusal, texts_of
from pairsmith.dialects import NEUTRAL
from pairsmith.judge.asking import TOP_LOGPROBS
from pairsmith.records import Endpoint, Json, Outcome, Reply
from pairsmith.sample.plan import in_dialect, thinking_off
from pairsmith.wire.probe import Answer, Probe

# The same for everybody, short, and such that a real model's answers at temperature 1.5 differ from the first words on.
TEXTS = (
    "Write two unusual sentences about the sea, then two about a machine.",
    "Invent a small town, and say in two sentences what is odd about it.",
)
LONG = "Write the numbers from one to forty as words, separated by commas, and nothing else."
# It says JSON, without which OpenAI refuses json_object, and asks for prose, so that JSON does not come by itself.
PLAIN = "Answer in one plain sentence of prose, not in JSON: which animal lives deepest in the sea?"
ANIMAL = "Which animal lives deepest in the sea? Answer in one sentence."
WORD = "pelican"
FOLLOW = f"Whatever the user says, answer with the single word {WORD}."
# No text of its own choice: with a model that knows nothing it would never end.
SCHEMA: dict[str, Json] = {
    "type": "object",
    "properties": {"animal": {"type": "string", "enum": ["fish", "crab", "squid"]}, "deep": {"type": "boolean"}},
    "required": ["animal", "deep"],
    "additionalProperties": False,
}
FIELDS: dict[str, type] = {"animal": str, "deep": bool}

ROOM = 32  # tokens of an answer
LIMIT = 16  # of the answers that show whether a limit is kept; some hosts take no smaller one
JSON_ROOM = 96
MORE_ROOM = 2048  # once, for a model whose first answer is all thoughts
THINKING_ROOM = 512  # at most, from then on
UNLIMITED = 2048  # what is set aside where a limit may be ignored

HOT = (1.5, 1.0)
HOTTEST = 2.0  # the most that a recipe may ask for
SEEDS = (11, 12, 13)
# With the first value one text is left, at whatever temperature; the second is what an arm might ask for. A millionth
# of the probability: also a model that knows nothing has a token with more.
NARROWING: Mapping[str, tuple[Json, Json]] = {"top_k": (1, 40), "top_p": (1e-6, 0.9), "min_p": (1.0, 0.1)}
PENALTIES: Mapping[str, Json] = {"repetition_penalty": 1.8, "presence_penalty": 2.0, "frequency_penalty": 2.0}

Tried: TypeAlias = "list[tuple[Json, Outcome]]"  # values of one parameter, and what came of each


@dataclass(frozen=True, slots=True)
class Form:
    """In which form an endpoint is asked: its dialect, how a limit is called ("": not at all), how long answers are."""

    endpoint: Endpoint
    probe: Probe
    length: str
    room: int = ROOM

    async def ask(
        self,
        params: Mapping[str, Json] | None = None,
        text: str = TEXTS[0],
        room: int = 0,
        opening: Sequence[Json] = (),
        more: Mapping[str, Json] | None = None,
        limited: bool = True,
    ) -> Answer:
        """Ask once.

        Args:
            params: by our names; `extra` is a table.
            text: what the user says.
            room: tokens of the answer, if other than usual.
            opening: messages before it.
            more: goes into the body as it stands.
            limited: whether an answer can be relied on to be no longer.
        """
        room, own = room or self.room, dict(params or {})
        extra = own.pop("extra", None)
        body: dict[str, Json] = {
            "messages": [*opening, {"role": "user", "content": text}],
            **({self.length: room} if self.length else {}),
            **in_dialect(own, self.endpoint),
            **thinking_off(self.endpoint),
            **(extra if isinstance(extra, dict) else {}),
            **(more or {}),
        }
        many = body.get("n")
        longest = room if self.length and limited else max(room, UNLIMITED)
        return await self.probe.ask(body, longest * (many if isinstance(many, int) else 1))

    async def told(self, params: Mapping[str, Json] | None = None, text: str = TEXTS[0], room: int = 0) -> Outcome:
        """What one question came to."""
        return (await self.ask(params, text, room)).outcome

    async def times(self, count: int, params: Mapping[str, Json], text: str = TEXTS[0]) -> list[Outcome]:
        """What so many draws of one question came to."""
        return list(await asyncio.gather(*[self.told(params, text) for _ in range(count)]))


# --- temperature and seed ----------------------------------------------------------------------------


async def hot(form: Form) -> tuple[Heat, Tried]:
    """How freely it answers at the largest temperature of HOT that it takes."""
    tried: Tried = []
    value: float | None = None
    for value in HOT:
        first = await form.told({"temperature": value})
        tried.append((value, first))
        if refusal(first) is None:
            break
    else:
        value, first = None, await form.told()
    params: dict[str, Json] = {} if value is None else {"temperature": value}
    drawn, text = [first, await form.told(params)], TEXTS[0]
    if concluding.varied(texts_of(drawn)) is False:
        drawn += await form.times(2, params)
    if concluding.varied(texts_of(drawn)) is False:
        others = await form.times(2, params, TEXTS[1])
        if concluding.varied(texts_of(others)):
            drawn, text = others, TEXTS[1]
    return Heat(value, text, len(drawn), concluding.varied(texts_of(drawn))), tried


async def hottest(form: Form, wanted: Sequence[Json]) -> Tried:
    """Whether it takes the most that a recipe may ask for; if not, the most that this recipe asks for."""
    tried: Tried = [(HOTTEST, await form.told({"temperature": HOTTEST}, room=LIMIT))]
    between = [value for value in wanted if isinstance(value, int | float) and HOT[0] < value < HOTTEST]
    if refusal(tried[0][1]) is not None and between:
        tried.append((max(between), await form.told({"temperature": max(between)}, room=LIMIT)))
    return tried


async def cold(form: Form, wanted: Sequence[Json]) -> tuple[list[Outcome], Tried]:
    """The answers at temperature 0; where that is refused, whether it takes the least that this recipe asks for."""
    drawn = await form.times(2, {"temperature": 0.0})
    tried: Tried = [(0.0, drawn[0])]
    if refusal(drawn[0]) is not None:
        numbers = [value for value in wanted if isinstance(value, int | float) and value > 0]
        return [], tried + (await alone(form, "temperature", [min(numbers)]) if numbers else [])
    if concluding.varied(texts_of(drawn)):
        drawn += await form.times(2, {"temperature": 0.0})
    return drawn, tried


async def seed(form: Form, heat: Heat) -> tuple[Heat, Finding]:
    """One seed three times, another one once, and more of either where that is not clear."""
    one, other, further = ({**heat.params, "seed": value} for value in SEEDS)
    *same, different = await asyncio.gather(*[form.told(params, heat.text) for params in (one, one, one, other)])
    others = [different]
    repeats = concluding.one_text(texts_of(same))
    if repeats is None:
        same += await form.times(3, one, heat.text)
    elif repeats and concluding.varied(texts_of([same[0], different])) is False:
        others.append(await form.told(further, heat.text))
    found = concluding.seeded(heat, same, others)
    if heat.varies is False and found.support is Support.HONOURED:  # without a seed it repeats itself
        heat = replace(heat, varies=True, seeds=True)
    return heat, found


# --- what narrows, what penalises --------------------------------------------------------------------


async def narrow(form: Form, heat: Heat, name: str, mild: Json, greedy: Sequence[Outcome]) -> tuple[Finding, Tried]:
    """Three draws that must be one text, and three more where that is not clear; one where nothing can be told.

    The one text must be the greedy one: three draws that are another one may be so by chance.
    """
    value, best = NARROWING[name][0], texts_of(greedy) if heat.text == TEXTS[0] else []

    async def drawn(first: int, count: int) -> list[Outcome]:
        seeds: list[dict[str, Json]] = [
            {"seed": SEEDS[-1] + 1 + first + at} if heat.seeds else {} for at in range(count)
        ]
        asked = [form.told({**heat.params, **own, name: value}, heat.text) for own in seeds]
        return list(await asyncio.gather(*asked))

    outcomes = await drawn(0, 1)
    tried: Tried = [(value, outcomes[0])]
    if refusal(outcomes[0]) is not None:
        tried += await alone(form, name, [mild])
    elif heat.varies:
        outcomes += await drawn(1, 2)
        texts = texts_of(outcomes)
        same = concluding.one_text(texts)
        by_chance = same is True and any(not concluding.alike(texts[0], text) for text in best)
        if len(texts) > 2 and (same is None or by_chance):
            outcomes += await drawn(3, 3)
    return concluding.narrowed(heat, f"{name} = {value:g}", outcomes), tried


def works(name: str, value: Json) -> bool:
    """Whether a value narrows anything; 0 and -1 switch top_k off."""
    return value not in (NEUTRAL[name], 0)


async def penalty(form: Form, name: str, greedy: Sequence[Outcome]) -> tuple[Finding, Tried]:
    """One answer with a penalty, at temperature 0 where that is taken; a second one where that is not clear."""
    value = PENALTIES[name]
    params: dict[str, Json] = {**({"temperature": 0.0} if greedy else {}), name: value}
    outcomes = [await form.told(params)]
    found = concluding.penalised(greedy, outcomes)
    if found.support is Support.UNKNOWN and texts_of(outcomes):
        outcomes.append(await form.told(params))
        found = concluding.penalised(greedy, outcomes)
    return found, [(value, outcomes[0])]


async def alone(form: Form, name: str, values: Sequence[Json]) -> Tried:
    """Each value of a parameter, with nothing else."""
    outcomes = await asyncio.gather(*[form.told({name: value}, room=LIMIT) for value in values])
    return list(zip(values, outcomes, strict=True))


# --- the shape of answers ----------------------------------------------------------------------------


async def limit(form: Form) -> tuple[Finding, list[Answer]]:
    """Whether an answer that would be long ends at the limit; asked again where it does not."""

    async def once() -> Answer:
        return await form.ask(text=LONG, room=LIMIT, limited=False)

    answers = [await once()]
    found = concluding.limited(form.length, LIMIT, answers)
    if found.support is Support.UNKNOWN and isinstance(answers[0].outcome, Reply):
        answers.append(await once())
        found = concluding.limited(form.length, LIMIT, answers)
    return found, answers


async def choices(form: Form) -> dict[str, Finding]:
    """Whether n = 2 gives two choices; asked again where it does not."""
    answers = [await form.ask(room=LIMIT, more={"n": 2})]
    if isinstance(answers[0].outcome, Reply) and answers[0].choices != 2:
        answers.append(await form.ask(room=LIMIT, more={"n": 2}))
    return {"n": concluding.counted(2, answers)}


async def schema(form: Form) -> dict[str, Finding]:
    """Whether JSON of a schema comes that nobody speaks of."""
    shape: Json = {"name": "animal", "strict": True, "schema": SCHEMA}
    return {"json_schema": await _shaped(form, ANIMAL, {"type": "json_schema", "json_schema": shape}, FIELDS)}


async def json_object(form: Form) -> dict[str, Finding]:
    """Whether JSON comes where the words ask for prose."""
    return {"json_object": await _shaped(form, PLAIN, {"type": "json_object"}, {})}


async def _shaped(form: Form, text: str, response_format: Json, fields: Mapping[str, type]) -> Finding:
    outcomes: list[Outcome] = []
    found = Finding(Support.UNKNOWN)
    while len(outcomes) < 2 and found.support in (Support.UNKNOWN, Support.ACCEPTED):
        answer = await form.ask(text=text, room=max(JSON_ROOM, form.room), more={"response_format": response_format})
        outcomes.append(answer.outcome)
        found = concluding.shaped(fields, outcomes)
    return found


async def logprobs(form: Form) -> dict[str, Finding]:
    """Whether log-probabilities come with as many alternatives as a judge asks for, or else with none."""
    alone: dict[str, Json] = {"logprobs": True}
    usual: dict[str, Json] = {**alone, "top_logprobs": TOP_LOGPROBS}
    outcomes = [(await form.ask(more=usual)).outcome]
    found = concluding.likely(outcomes)
    if found.support is Support.UNKNOWN and texts_of(outcomes):
        found = concluding.likely([*outcomes, (await form.ask(more=usual)).outcome])
    if found.support is Support.REFUSED:
        fewer = concluding.likely([(await form.ask(more=alone)).outcome])
        if fewer.support is Support.HONOURED:
            found = replace(fewer, said=f"not with top_logprobs = {TOP_LOGPROBS}: {found.said}")
    return {"logprobs": found}


async def roles(form: Form) -> dict[str, Finding]:
    """Whether messages of these roles are taken, and followed."""
    names = ("system", "developer")
    openings: list[list[Json]] = [[{"role": name, "content": FOLLOW}] for name in names]
    answers = await asyncio.gather(*[form.ask(text=ANIMAL, opening=opening) for opening in openings])
    return {name: concluding.followed(WORD, answer.outcome) for name, answer in zip(names, answers, strict=True)}
