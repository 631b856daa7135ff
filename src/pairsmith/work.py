"""What a run decides by, made once from the recipe, and the one pure step every prompt goes through.

`step` asks the stages in their order: given the answers so far, which requests are still owed, or what has
this prompt come to? No ledger, no network. Called by pipeline.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeAlias

from pairsmith import assets, judge
from pairsmith.judge import JudgeWords, Panel, Structured
from pairsmith.pair.gates import settle
from pairsmith.pair.outlook import GateEvidence, gate_evidence
from pairsmith.recipe import Recipe
from pairsmith.records import (
    Abstention,
    Arm,
    ChatRequest,
    Completion,
    CompletionId,
    Duel,
    Endpoint,
    EndpointName,
    Failure,
    FailureKind,
    Json,
    Outcome,
    Pair,
    Prompt,
    RequestId,
    Score,
    content_id,
)
from pairsmith.sample.plan import build_arms, deal, requests
from pairsmith.sample.screen import candidate_completion, completion_of, screen

RULES = 1  # goes up when the same evidence would come to something else than before: stored outcomes are then redone

Draws: TypeAlias = "list[tuple[Arm, ChatRequest]]"
JUDGE_TEMPLATES = ("score_system", "score_user", "duel_system", "duel_user", "reask")
MODES: dict[str, Structured] = {"auto": "json_schema", "schema": "json_schema", "object": "json_object", "text": "text"}


@dataclass(frozen=True, slots=True)
class Work:
    """Everything that decides what is asked and what it comes to. `digest` names all of it."""

    recipe: Recipe
    endpoints: Mapping[EndpointName, Endpoint]
    arms: tuple[Arm, ...]
    panel: Panel
    digest: str


@dataclass(frozen=True, slots=True)
class Step:
    """Where one prompt stands: requests owed, or what it came to (`kind` set).

    `final` is false when a failure of it may be mended by another run. `completions` are all of them once
    none is owed, flagged ones included; `verdicts` counts scores and duels that could be read.
    """

    owed: tuple[ChatRequest, ...] = ()
    completions: tuple[Completion, ...] = ()
    kind: str = ""  # pair | abstained | failed
    reason: str | None = None
    final: bool = True
    verdicts: int = 0
    body: Mapping[str, Json] | None = None


def make_work(recipe: Recipe, endpoints: Mapping[EndpointName, Endpoint]) -> Work:
    """Read the words that the recipe names, build the arms, and name the whole by its digest.

    Raises:
        UserError: a rubric, a system prompt or an endpoint that is named is not there.
    """
    here = Path()
    arms: tuple[Arm, ...] = ()
    if recipe.sample is not None:
        sampled = {EndpointName(name): endpoints[EndpointName(name)] for name in recipe.sampled_endpoints}
        systems = {name: assets.words("system", name, here) for name in recipe.sample.system_names}
        settings = recipe.sample
        if not settings.arms:
            settings = settings.model_copy(update={"endpoints": recipe.sampled_endpoints})
        arms = build_arms(settings, sampled, systems)
    templates = {name: assets.template("judge", f"{name}.md.j2") for name in JUDGE_TEMPLATES}
    words = JudgeWords(**templates, rubric=assets.words("rubrics", recipe.judge.rubric, here))
    modes = {name: MODES[endpoint.json_mode] for name, endpoint in endpoints.items()}
    seed = recipe.sample.seed if recipe.sample else 0
    panel = Panel(endpoints, words, recipe.judge, modes, seed)
    return Work(recipe, endpoints, arms, panel, _digest(recipe, endpoints, arms, words))


def _digest(recipe: Recipe, endpoints: Mapping[EndpointName, Endpoint], arms: Sequence[Arm], words: JudgeWords) -> str:
    # Of an endpoint whatever its requests are rendered from: a change of it owes new calls.
    who: Json = [
        [e.identity, e.model, e.reasoning, dict(e.extra), e.length_parameter, e.seed, e.json_mode]
        for e in endpoints.values()
    ]
    how: Json = [[arm.name, arm.endpoint, dict(arm.params), arm.system] for arm in arms]
    said: Json = [assets.asset("prompts", "judge", f"{name}.md.j2").read_text("utf-8") for name in JUDGE_TEMPLATES]
    settings: Json = [
        recipe.sample.model_dump(mode="json", exclude={"max_screened"}) if recipe.sample else None,
        recipe.judge.model_dump(mode="json"),
        recipe.pair.model_dump(mode="json"),
    ]
    return content_id("work", RULES, who, how, said, words.rubric, settings)


# --- one prompt -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Known:
    """What of one prompt does not change from step to step: worked out once."""

    draws: Draws
    completions: tuple[Completion, ...] | None = None  # once no draw is owed
    asked: judge.Asked = field(default_factory=dict)


def begin(prompt: Prompt, work: Work) -> Known:
    """What a prompt's first step needs."""
    return Known(_draws(prompt, work))


def step(prompt: Prompt, known: Known, outcomes: Mapping[RequestId, Outcome], work: Work) -> Step:
    """Ask the stages in their order where ONE prompt stands, given every answer stored for it."""
    draws = known.draws
    owed = tuple(request for _, request in draws if request.id not in outcomes)
    if owed:
        return Step(owed=owed)
    failures = [o for _, request in draws if isinstance(o := outcomes[request.id], Failure)]
    completions = known.completions = known.completions or _completions(prompt, draws, outcomes, work)
    if unpaid := [f for f in failures if f.kind is not FailureKind.PERMANENT]:
        return Step(completions=completions, kind="failed", reason=unpaid[0].reason, final=False)
    usable = [completion for completion in completions if not completion.flags]
    if len(usable) < 2:
        return _too_few(completions, failures)
    decide = partial(settle, prompt.id, usable, settings=work.recipe.pair)
    state = judge.owed(prompt, completions, outcomes, decide, work.panel, known.asked)
    if state.owed:
        return Step(owed=state.owed, completions=completions)
    verdicts = len(state.scores) + len(state.duels)
    if state.settlement is None:
        reason = state.unpaid[0].reason
        return Step(completions=completions, kind="failed", reason=reason, final=False, verdicts=verdicts)
    evidence = _evidence(completions, state.scores, state.duels)
    evidence["gate"] = _gate(gate_evidence(usable, state.scores, state.duels, work.recipe.pair))
    evidence["unreadable"] = state.unreadable + state.reasked
    settled = Step(completions=completions, verdicts=verdicts, body=evidence)
    if isinstance(state.settlement, Abstention):
        evidence["detail"] = state.settlement.detail
        return replace(settled, kind="abstained", reason=state.settlement.reason)
    assert isinstance(state.settlement, Pair)  # judge.owed turns what is undecided into duels
    evidence["pair"] = _sides(state.settlement, completions)
    return replace(settled, kind="pair")


def _draws(prompt: Prompt, work: Work) -> Draws:
    """What is sampled for one prompt, each with its arm."""
    settings = work.recipe.sample
    if settings is None:
        return []
    dealt = deal(prompt.id, work.arms, settings.completions, settings.seed, work.endpoints)
    asked = requests(prompt, dealt, settings, work.endpoints)
    return [(draw.arm, request) for draw, request in zip(dealt, asked, strict=True)]


def _completions(
    prompt: Prompt, draws: Draws, outcomes: Mapping[RequestId, Outcome], work: Work
) -> tuple[Completion, ...]:
    """The completions of one prompt, given ones first, each with its flags."""
    given = [candidate_completion(prompt, candidate) for candidate in prompt.candidates]
    sampled = [
        completion_of(outcome, prompt.id, arm.name, work.endpoints[arm.endpoint].reasoning)
        for arm, request in draws
        if not isinstance(outcome := outcomes[request.id], Failure)
    ]
    return screen([*given, *sampled])


def _too_few(completions: tuple[Completion, ...], failures: Sequence[Failure]) -> Step:
    """Fewer than two completions can be used: by the calls' fault if any failed, else by the screens."""
    evidence = _evidence(completions, (), ())
    if failures:  # what is refused as malformed is not stored, and asked again: the server may have changed
        final = all(failure.reason != "bad_request" for failure in failures)
        return Step(completions=completions, kind="failed", reason=failures[0].reason, final=final, body=evidence)
    evidence["gate"] = _gate(GateEvidence(0.0, 0.0))
    return Step(completions=completions, kind="abstained", reason="too_few_completions", body=evidence)


def _gate(evidence: GateEvidence) -> dict[str, Json]:
    return {"gap": evidence.gap, "chosen_mean": evidence.chosen_mean, "confirmed": evidence.confirmed}


def _evidence(completions: Sequence[Completion], scores: Sequence[Score], duels: Sequence[Duel]) -> dict[str, Json]:
    """What a stored outcome keeps: enough for summaries and provenance; texts stay with their replies."""
    flags = Counter(flag.value for completion in completions for flag in completion.flags)
    said: list[Json] = [
        {"judge": s.judge, "completion": s.completion, "score": s.value, "call": s.request_id} for s in scores
    ]
    said += [
        {"judge": d.judge, "first": d.first, "second": d.second, "winner": d.winner, "call": d.request_id}
        for d in duels
    ]
    return {
        "flags": dict(flags),
        "tokens": sum(completion.tokens or 0 for completion in completions),
        "simulated": any(completion.simulated for completion in completions),
        "verdicts": said,
    }


def _sides(found: Pair, completions: Sequence[Completion]) -> dict[str, Json]:
    by_id: dict[CompletionId, Completion] = {completion.id: completion for completion in completions}

    def side(ident: CompletionId) -> dict[str, Json]:
        one = by_id[ident]
        span: Json = list(one.span) if one.span else None
        return {"completion": ident, "arm": one.arm, "model": one.model, "span": span, "simulated": one.simulated}

    return {
        "chosen": side(found.chosen),
        "rejected": side(found.rejected),
        "gap": found.gap,
        "judges": list(found.judges),
        "provenance": dict(found.provenance),
    }
