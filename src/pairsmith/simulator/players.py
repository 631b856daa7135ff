"""The models: who answers a request, and how. One row a model in SAMPLERS; judging.py and rewards.py have the others.

A name may carry a suffix ("sim-judge@b"): another model of the same kind, with errors of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from pairsmith.simulator.answers import Answer, Choice, tokens_of
from pairsmith.simulator.asking import Question, read_question, text_of
from pairsmith.simulator.book import Book
from pairsmith.simulator.composing import compose, planted_quality
from pairsmith.simulator.dice import Dice
from pairsmith.simulator.judging import DECLINED, JUDGES, Asked, heuristic, unrounded, verdict
from pairsmith.simulator.logprobs import Odds
from pairsmith.simulator.rewards import REWARDS, pooled, raw_reward
from pairsmith.simulator.sampling import draw
from pairsmith.simulator.schemas import fill, wanted_schema
from pairsmith.simulator.thinking import Thinks, cut, may_think, think
from pairsmith.simulator.writer import WRITERS, planted_kind, read_request, write


@dataclass(frozen=True, slots=True)
class Sampler:
    """A model that answers prompts.

    Attributes:
        tilt: logits per point of planted quality; above 0 it prefers good drafts.
        thinks: "tags" puts its reasoning into <think>, "field" into message.reasoning_content.
        refuses: share of the draws that it declines.
    """

    tilt: float
    thinks: Thinks = ""
    refuses: float = 0.0


SAMPLERS: dict[str, Sampler] = {
    "sim-student": Sampler(tilt=0.04),
    "sim-weak": Sampler(tilt=-0.25),
    "sim-strong": Sampler(tilt=0.25),
    "sim-thinker": Sampler(tilt=0.15, thinks="tags"),
    "sim-thinker-rc": Sampler(tilt=0.15, thinks="field"),
    "sim-refuser": Sampler(tilt=0.04, refuses=0.6),
}
MODELS = (*SAMPLERS, *JUDGES, *REWARDS, *WRITERS)

_STAND_IN_JUDGE = JUDGES["sim-judge-noisy"]
_STAND_IN_SAMPLER = SAMPLERS["sim-strong"]
_STAND_IN_WRITER = WRITERS["sim-writer"]


class Players:
    """Answers requests; holds nothing but the seed and the book."""

    def __init__(self, seed: int, book: Book) -> None:
        """Play with this seed and this book."""
        self._seed = seed
        self._book = book

    def quality(self, text: str) -> float | None:
        """The planted quality of a text, 1-10; None when nobody planted it."""
        # A client that mends lone surrogates leaves these behind at the end.
        text = text.strip().rstrip("\ufffd").rstrip()
        if text == DECLINED:
            return 1.0
        known = self._book.quality(text)
        return planted_quality(text) if known is None else known

    def planted(self, text: str) -> str | None:
        """The kind of prompt that a writer planted; None when none wrote the text."""
        return planted_kind(text)

    def answer(self, body: Mapping[str, Any], key: str, canonical: bytes) -> Answer:
        """The answer to a valid request for a known model: the same for the same three arguments, or the same seed.

        Args:
            body: the request.
            key: its Idempotency-Key, or "".
            canonical: the body as bytes that do not depend on the order of its keys.
        """
        messages = body["messages"]
        question = read_question(messages, body.get("response_format"))
        many = max(1, int(body.get("n") or 1))
        choices = tuple(self._choice(body, key, canonical, question, i) for i in range(many))
        return Answer(
            id=f"chatcmpl-{Dice(self._seed, 'id', key, canonical).hex()}",
            model=body["model"],
            choices=choices,
            prompt_tokens=_prompt_tokens(messages),
            judging=question is not None,
        )

    def reward(self, path: str, body: Mapping[str, Any], key: str, canonical: bytes) -> Answer:
        """A reward model's answer to a valid request: the number for the last message, by /classify or /pooling."""
        messages, model = body["messages"], body["model"]
        text = text_of(messages[-1].get("content"))
        quality = self.quality(text)
        if quality is None:
            quality = heuristic(self._seed, text.strip())
        raw = raw_reward(self._seed, REWARDS[_base(model)], model, text, quality)
        return Answer(
            id=f"{path}-{Dice(self._seed, 'id', key, canonical).hex()}",
            model=model,
            choices=(),
            prompt_tokens=_prompt_tokens(messages),
            pooled=pooled(path, body, raw),
        )

    def _choice(
        self, body: Mapping[str, Any], key: str, canonical: bytes, question: Question | None, index: int
    ) -> Choice:
        dice = self._dice(body, key, canonical, index, judging=question is not None)
        sampler = SAMPLERS.get(_base(body["model"]), _STAND_IN_SAMPLER)
        odds = Odds(body["model"], int(body.get("top_logprobs") or 0)) if body.get("logprobs") else None
        if question is not None:
            asked = self._asked(body, key if index == 0 else f"{key}#{index}", question)
            text = verdict(asked)
            odds = odds and replace(odds, points=unrounded(asked), spread=asked.judge.noise)
        elif dice.uniform() < sampler.refuses:
            return Choice(None, refusal=DECLINED) if dice.uniform() < 0.5 else Choice(DECLINED)
        else:
            text = self._text(body, sampler, dice)
        if sampler.thinks and may_think(body):
            effort = body.get("reasoning_effort")
            return replace(think(text, sampler.thinks, effort, _max_tokens(body), dice), odds=odds)
        return cut(Choice(text, odds=odds), _max_tokens(body))

    def _dice(self, body: Mapping[str, Any], key: str, canonical: bytes, index: int, *, judging: bool) -> Dice:
        """What decides an answer: its seed and the messages where a seed is read, as with vLLM, llama.cpp and OpenAI.

        So a parameter without effect on the likely drafts changes no seeded text. Without a seed the key and the whole
        body decide, and so they do with judges in either case.
        """
        seed = body.get("seed")
        if seed is None or judging:
            return Dice(self._seed, "answer", str(seed), key, index, canonical)
        return Dice(self._seed, "seeded", str(seed), index, body["model"], *_texts(body["messages"]))

    def _asked(self, body: Mapping[str, Any], key: str, question: Question) -> Asked:
        model = body["model"]
        return Asked(
            question=question,
            judge=JUDGES.get(_base(model), _STAND_IN_JUDGE),
            model=model,
            seed=self._seed,
            key=f"{key}/{body.get('seed')}",
            quality=self.quality,
            formatted="response_format" in body,
            family=self._book.family,
        )

    def _text(self, body: Mapping[str, Any], sampler: Sampler, dice: Dice) -> str:
        system, prompt = _system_and_prompt(body["messages"])
        request = read_request(body["messages"], body.get("response_format"))
        if request is not None:
            writer = WRITERS.get(_base(body["model"]), _STAND_IN_WRITER)
            return write(request, writer, dice, formatted="response_format" in body)
        schema = wanted_schema(body.get("response_format"), system or text_of(body["messages"][0].get("content")))
        if schema is not None:
            return orjson.dumps(fill(schema, dice)).decode()
        drafts = self._book.drafts(prompt) or compose(self._seed, prompt)
        return draw(drafts, system, body, sampler.tilt, dice).text()


def known_model(name: object) -> bool:
    """Whether the simulator plays this model."""
    return isinstance(name, str) and _base(name) in MODELS


def is_reward_model(name: str) -> bool:
    """Whether a model gives rewards, and no answers."""
    return _base(name) in REWARDS


def _prompt_tokens(messages: Sequence[Mapping[str, Any]]) -> int:
    return sum(tokens_of(text) + 4 for text in _texts(messages))


def _texts(messages: Sequence[Mapping[str, Any]]) -> list[str]:
    return [text_of(m.get("content")) for m in messages]


def _base(model: str) -> str:
    return model.partition("@")[0]


def _system_and_prompt(messages: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    written = [(m.get("role"), text_of(m.get("content"))) for m in messages]
    system = "\n".join(text for role, text in written if role in ("system", "developer"))
    return system, next((text for role, text in reversed(written) if role == "user"), "")


def _max_tokens(body: Mapping[str, Any]) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        value = body.get(name)
        if isinstance(value, int) and value > 0:
            return value
    return None
