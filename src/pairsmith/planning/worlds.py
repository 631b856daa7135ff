"""Answers and verdicts as they might come, so that a run can be rehearsed before a call is paid.

Three worlds: in `low` answers are short and every preference is plain, in `high` they are as long as the recipe allows
and every call is close, in `likely` they are what is known or assumed of the models. What a world says is a pure
function of what it is asked. Called by rehearsal.py.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from statistics import NormalDist
from string import ascii_uppercase
from typing import Literal, TypeAlias

import orjson

from pairsmith.planning.priors import (
    NOISE_SHARE,
    SPREAD_OF_ONE_MODEL,
    SPREAD_OF_SEVERAL,
    UNREADABLE_AT_MOST,
    Typical,
)
from pairsmith.planning.tokens import text_of
from pairsmith.records import ChatRequest, EndpointName, Json, PromptId, Purpose, Reply, Usage, content_id
from pairsmith.work import Work

Name: TypeAlias = Literal["low", "likely", "high"]
SHORT = 0.5  # of the typical length: what `low` takes
LONG = 4.0  # times the typical length: no text of `high` is longer, even where max_tokens is
CLEAR, POOR = 10.0, 2.0  # about what the best answer of `low` is worth, and all others
LABEL_TOKENS = 10  # of a reply that names a task family
ABOVE_FLOOR = 1.0  # points that the better ones of `high` lie above the floor
UNREADABLE = "It depends on what one is looking for."
LABELS = [*ascii_uppercase, *("".join(pair) for pair in product(ascii_uppercase, repeat=2))]
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class World:
    """One way a run might go.

    Args:
        name: which one.
        work: what the run decides by.
        models: what is assumed of each endpoint's model.
        rates: characters a token, by endpoint.
        turn: another turn is another throw of the dice, with the same odds.
    """

    name: Name
    work: Work
    models: Mapping[EndpointName, Typical]
    rates: Mapping[EndpointName, float]
    turn: int = 0
    sampler: Typical = field(init=False)  # whose answers are judged
    spread: float = field(init=False)  # of their quality within a prompt, in points

    def __post_init__(self) -> None:
        sampled = [arm.endpoint for arm in self.work.arms]
        asked = [judge.name for judge in self.work.panel.judges if judge.kind != "check"]
        sampler = next((self.models[name] for name in (*sampled, *asked)), Typical(""))  # given ones: as the judge says
        one_model = len({self.work.endpoints[name].model for name in sampled}) == 1
        object.__setattr__(self, "sampler", sampler)
        object.__setattr__(self, "spread", sampler.spread or (SPREAD_OF_ONE_MODEL if one_model else SPREAD_OF_SEVERAL))

    def reply(self, request: ChatRequest, texts: Sequence[str]) -> Reply:
        """What comes back for a request about a prompt whose usable answers so far are these."""
        if request.purpose in (Purpose.SAMPLE, Purpose.REFERENCE):
            return self._answered(request)
        worth = self.worth(request.prompt_id, texts)
        seen = [worth[text] for text in _shown(request, texts)]
        if self.work.endpoints[request.endpoint].kind == "reward":
            return Reply(request.id, orjson.dumps({"reward": seen[0] if seen else POOR}).decode(), usage=Usage(None, 0))
        return self._judged(request, seen)

    def worth(self, prompt: PromptId, texts: Sequence[str]) -> dict[str, float]:
        """The quality of each of the answers of one prompt, in points."""
        order = sorted(texts, key=lambda text: content_id("place", prompt, text))
        if self.name == "low":
            return {text: POOR - place / 100 if place else CLEAR for place, text in enumerate(order)}
        if self.name == "high":
            gates = self.work.pair
            top = min(CLEAR, max(8.0, math.ceil(gates.chosen_floor) + ABOVE_FLOOR))
            return {text: top - place % 2 * math.ceil(gates.verify_gap) for place, text in enumerate(order)}
        mean = self.sampler.quality_mean + self.sampler.means_spread * _normal("mean", self.turn, prompt)
        return {text: min(10.0, max(1.0, mean + self.spread * _deviation(prompt, text))) for text in texts}

    # --- answers ------------------------------------------------------------------------------------

    def _answered(self, request: ChatRequest) -> Reply:
        model, rate, most = self.models[request.endpoint], self.rates[request.endpoint], self._most(request)
        thought = min(self._thought(request), most / 2)
        mark = self._mark(request)
        if self.name == "high":
            chars, spoken = min(LONG * model.answer_chars, (most - thought) * rate), float(most)
        else:
            spread = model.length_spread
            varied = math.exp(spread * _normal("length", self.turn, request.prompt_id, mark) - spread * spread / 2)
            chars = model.answer_chars * varied * (SHORT if self.name == "low" else 1.0)
            spoken = thought + chars / rate
        kept = min(chars, (most - thought) * rate)
        text = mark + "word " * int((kept - len(mark)) / 5)
        usage = Usage(None, round(min(spoken, most)), None, round(thought))
        return Reply(request.id, text, "length" if spoken > most else "stop", usage=usage)

    def _mark(self, request: ChatRequest) -> str:
        """What tells this answer from the others; a model that has few for a prompt gives the same ones again."""
        many = self.models[request.endpoint].answers
        if not many or self.name == "high" or request.purpose is Purpose.REFERENCE:
            return f"{request.id} "
        top_k = request.body.get("top_k")
        within = min(many, top_k) if isinstance(top_k, int) and top_k > 0 else many
        return f"{int(_uniform('answer', self.turn, request.id) * within)}/{many} "

    def _thought(self, request: ChatRequest) -> float:
        kwargs = request.body.get("chat_template_kwargs")
        off = isinstance(kwargs, dict) and kwargs.get("enable_thinking") is False
        return (
            0.0
            if off or request.body.get("reasoning_effort") == "none"
            else self.models[request.endpoint].thinking_tokens
        )

    def _most(self, request: ChatRequest) -> int:
        most = request.body.get(self.work.endpoints[request.endpoint].length_parameter)
        assert isinstance(most, int)  # every request of ours but a reward model's says it
        return most

    # --- verdicts -----------------------------------------------------------------------------------

    def _judged(self, request: ChatRequest, seen: Sequence[float]) -> Reply:
        model, most = self.models[request.endpoint], self._most(request)
        thought = min(self._thought(request), most / 2)
        spoken = min(float(most), thought + model.verdict_chars / self.rates[request.endpoint])
        if request.purpose is Purpose.FAMILY:
            spoken = min(float(most), thought + LABEL_TOKENS)
        output = {"low": SHORT * spoken, "likely": spoken, "high": float(most)}[self.name]
        usage = Usage(None, round(output), None, round(min(thought, output)))
        share = {"low": 0.0, "likely": model.unreadable, "high": max(model.unreadable, UNREADABLE_AT_MOST)}[self.name]
        if _uniform("unreadable", self.turn, request.id) < share:
            return Reply(request.id, UNREADABLE, "stop", usage=usage)
        if request.purpose is Purpose.FAMILY:
            return Reply(request.id, orjson.dumps({"family": self._family(request)}).decode(), "stop", usage=usage)
        noise = self._noise(model) if self.name == "likely" else 0.0
        points = [one + noise * _normal("noise", self.turn, request.id, place) for place, one in enumerate(seen)]
        text = orjson.dumps({"rationale": "", **self._verdict(request.purpose, points)}).decode()
        return Reply(request.id, text, "stop", usage=usage)

    def _family(self, request: ChatRequest) -> str:
        """One family or another: of real prompts nothing is known, and rubrics are about as long as each other."""
        tasks = self.work.panel.words.tasks
        assert tasks is not None
        return tasks.names[int(_uniform("family", request.prompt_id) * len(tasks.names))]

    def _verdict(self, purpose: Purpose, points: Sequence[float]) -> dict[str, Json]:
        if purpose is Purpose.SCORE:
            return {"score": round(min(10.0, max(1.0, points[0] if points else POOR)))}
        if purpose is Purpose.DUEL:
            return {"winner": "B" if len(points) > 1 and points[1] > points[0] else "A"}
        labels = LABELS[: len(points)]
        if self.name == "high":  # as they are shown, both times: so the two orders conflict
            return {"ranking": list[Json](labels)}
        return {"ranking": [label for _, label in sorted(zip(points, labels, strict=True), reverse=True)]}

    # --- quality ------------------------------------------------------------------------------------

    def _noise(self, model: Typical) -> float:
        return self.spread * math.sqrt(NOISE_SHARE / (1 - NOISE_SHARE)) if model.noise is None else model.noise


def _deviation(prompt: PromptId, text: str) -> float:
    """How far an answer lies from its prompt's mean, in spreads; those of a model with few cover the whole range."""
    place, slash, many = text.partition(" ")[0].partition("/")
    if not (slash and place.isdigit() and many.isdigit()):
        return _normal("quality", text)
    return _NORMAL.inv_cdf((_order(prompt, int(many)).index(int(place)) + 0.5) / int(many))


@lru_cache(maxsize=512)
def _order(prompt: PromptId, many: int) -> list[int]:
    """The answers that a model has for a prompt, from poor to good."""
    return sorted(range(many), key=lambda one: content_id("order", prompt, one))


def _shown(request: ChatRequest, texts: Sequence[str]) -> list[str]:
    """The answers that a judge is shown, in their order."""
    messages = request.body["messages"]
    assert isinstance(messages, list)
    said = "\n".join(text_of(message) for message in messages)
    places = {text: said.find(text) for text in texts}
    return sorted((text for text, place in places.items() if place >= 0), key=lambda text: places[text])


def _uniform(*what: Json) -> float:
    """A number between 0 and 1 that depends on these alone."""
    return (int(content_id("plan", *what)[:13], 16) + 0.5) / 16**13


def _normal(*what: Json) -> float:
    return _NORMAL.inv_cdf(_uniform(*what))
