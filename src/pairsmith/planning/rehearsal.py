"""Rehearses a run: every prompt goes through the real step, and a world answers what no reply is stored for.

So a forecast asks what the run would ask, word by word, whatever the recipe says: ladders, measuring, duels,
references. No call is made. Called by forecast.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pairsmith.judge import noise as judge_noise
from pairsmith.judge.noise import PROMPTS, Measured
from pairsmith.planning.worlds import World
from pairsmith.records import ChatRequest, Completion, CompletionId, Noise, Outcome, Prompt, Reply, RequestId
from pairsmith.steps import Step, begin, step
from pairsmith.work import Work, measured, wants_noise


@dataclass(frozen=True, slots=True)
class Taken:
    """One prompt of the input, and every answer that the run folder has for it."""

    prompt: Prompt
    stored: Mapping[RequestId, Outcome]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, what came or might come back, and whether it is stored, so that it will not be asked again."""

    request: ChatRequest
    outcome: Outcome
    stored: bool


Answer = Callable[[ChatRequest, Sequence[str]], Reply]


def replayed(taken: Sequence[Taken], work: Work) -> list[list[Asked]]:
    """What was asked about prompts that are settled, from what is stored alone."""
    return [_asked(one, work, None) for one in taken]


def rehearsed(taken: Sequence[Taken], world: World) -> list[list[Asked]]:
    """What is asked about each prompt, stored or not, if the rest goes as in this world."""
    work = _without_functions(world)
    if wants_noise(work) and (work.panel.noise is None or world.name == "high"):
        work = measured(work, Noise() if world.name == "high" else _noise(taken, work, world))
    return [_asked(one, work, world.reply) for one in taken]


def _noise(taken: Sequence[Taken], work: Work, world: World) -> Noise:
    """How much the judges of this world err, found out as a run does (measuring.py)."""
    first = [_walked(one, measured(work, None), world.reply, True)[1].measured for one in taken if _is_first(one)]
    found: list[Measured] = [one for one in first if one is not None]
    rewards = frozenset(judge.name for judge in work.panel.judges if judge.kind == "reward")
    return judge_noise.estimate(found, [judge.name for judge in work.panel.judges], rewards)


def _is_first(one: Taken) -> bool:
    return one.prompt.ordinal < PROMPTS


def _asked(one: Taken, work: Work, answer: Answer | None) -> list[Asked]:
    """Everything that one prompt is asked about; the first ones of the input are measured before."""
    asked = {}
    if wants_noise(work) and _is_first(one):
        asked = _walked(one, measured(work, None), answer, True)[0]
    return list((asked | _walked(one, work, answer, False)[0]).values())


def _walked(one: Taken, work: Work, answer: Answer | None, measuring: bool) -> tuple[dict[RequestId, Asked], Step]:
    """Step after step until nothing is owed, or nobody answers."""
    known, asked = begin(one.prompt, work), dict[RequestId, Asked]()
    outcomes: dict[RequestId, Outcome] = {}
    while True:
        now = step(one.prompt, known, outcomes, work, measuring)
        if not now.owed:
            return asked, now
        texts = [completion.text for completion in now.completions if not completion.flags]
        for request in now.owed:
            stored = one.stored.get(request.id)
            outcome = stored or (answer and answer(request, texts))
            if outcome is None:
                return asked, now
            outcomes[request.id] = outcome
            asked[request.id] = Asked(request, outcome, stored is not None)


def _without_functions(world: World) -> Work:
    """The work without functions of the user's own, which cannot be asked about texts that nobody wrote."""

    def check(prompt: Prompt, completions: Sequence[Completion]) -> Mapping[CompletionId, float]:
        worth = world.worth(prompt.id, [completion.text for completion in completions])
        return {completion.id: worth[completion.text] for completion in completions}

    work = world.work
    checks = dict.fromkeys(work.panel.checks, check)
    settles = replace(work.pairing, strategy=None)
    return replace(work, screens=(), pairing=settles, panel=replace(work.panel, checks=checks))
