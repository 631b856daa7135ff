"""Asks an endpoint what it takes: which questions, in which order, and as few as tell something.

The questions are questioning.py's. Called by `pairsmith doctor`, which asks everything (`examine`), and before a run on
an endpoint of which nothing is known, for what its arms use (`examine_arms`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from statistics import median
from typing import Any, TypeAlias

import orjson

from pairsmith import concluding
from pairsmith import questioning as question
from pairsmith.capabilities import Capabilities, Finding, Support
from pairsmith.concluding import Heat, refusal, texts_of
from pairsmith.dialects import UNKNOWN, of_owner, of_refusal, speaking
from pairsmith.questioning import LIMIT, NARROWING, PENALTIES, ROOM, THINKING_ROOM, UNLIMITED, Form, Tried
from pairsmith.records import Arm, Endpoint, Failure, Json, Outcome, Reply
from pairsmith.sample.plan import sent
from pairsmith.wire.probe import MOST_CALLS, Answer, Probe, most_usd, unanswered

TYPICAL_CALLS = 32
WORDS: Mapping[str, Json] = {"reasoning_effort": "low", "verbosity": "low"}
LENGTHS = ("max_tokens", "max_completion_tokens")
SHAPES = (question.choices, question.schema, question.json_object, question.logprobs, question.roles)
LONG_ANSWERS = 10  # at most, of a whole examination: the questions after limits, and one for thoughts

Want: TypeAlias = "Mapping[str, tuple[Json, ...]]"  # what is sent together: by our names, each value once


def wants(arms: Sequence[Arm], endpoint: Endpoint) -> list[Want]:
    """What the arms of this endpoint send, by the sets of parameters that they send together."""
    found: dict[frozenset[str], dict[str, dict[str, Json]]] = {}
    for arm in arms:
        if arm.endpoint != endpoint.name:
            continue
        own = {name: arm.params[name] for name in ("extra", "seed") if name in arm.params}
        params: dict[str, Json] = {
            **({"seed": question.SEEDS[0]} if endpoint.seed else {}),
            **sent(arm, endpoint),
            **own,
        }
        values = found.setdefault(frozenset(params), {name: {} for name in params})
        for name, value in params.items():
            values[name][orjson.dumps(value).decode()] = value
    return [{name: tuple(values.values()) for name, values in group.items()} for group in found.values() if group]


def most_cost_usd(endpoint: Endpoint, wanted: Sequence[Want] = ()) -> float | None:
    """The most that a whole examination can cost; None when the price is unknown."""
    longest = max((len(orjson.dumps(dict(want))) for want in wanted), default=0)
    body = 1500 + longest + len(orjson.dumps(dict(endpoint.extra))) + len(endpoint.model)
    each, long = most_usd(endpoint, body, THINKING_ROOM), most_usd(endpoint, 0, LONG_ANSWERS * UNLIMITED)
    return None if each is None or long is None else MOST_CALLS * each + long


def typical_cost_usd(endpoint: Endpoint) -> float | None:
    """What it costs where the model does not think before it answers; None when the price is unknown."""
    each = most_usd(endpoint, 40, ROOM)
    return None if each is None else TYPICAL_CALLS * each


# --- examining --------------------------------------------------------------------------------------


async def examine(endpoint: Endpoint, wanted: Sequence[Want], probe: Probe) -> Capabilities:
    """Everything that a recipe may send, in MOST_CALLS attempts at most.

    Args:
        endpoint: as the recipe has it.
        wanted: what is sent there together, see `wants`: asked with its own largest and smallest values as well.
        probe: asks this endpoint.
    """
    if endpoint.kind != "chat":
        return await _reward(endpoint, probe)
    begun = await _begin(endpoint, probe, both=True)
    if begun.form is None:
        return _capabilities(endpoint, begun, probe, {})
    form, values, tried = begun.form, _values(wanted), dict[str, Tried]()
    asked = values.get("temperature", ())
    (heat, heated), hottest, (cold, cooled), shapes = await asyncio.gather(
        question.hot(form),
        question.hottest(form, asked),
        question.cold(form, asked),
        asyncio.gather(*[shape(form) for shape in SHAPES]),
    )
    tried["temperature"] = [*heated, *hottest, *cooled]
    findings = {name: found for some in (begun.findings, *shapes) for name, found in some.items()}
    heat, findings["seed"] = await question.seed(form, heat)
    findings["temperature"] = concluding.temperature(heat, cold)
    findings |= await _effects(form, heat, cold, values, (*NARROWING, *PENALTIES), tried)
    server = begun.server or _told(findings)
    if server != begun.server:
        begun, form = replace(begun, server=server), replace(form, endpoint=speaking(form.endpoint, server))
        again = [name for name in form.endpoint.names if _refused(findings.get(name))]
        tried = {name: some for name, some in tried.items() if name not in again}
        findings |= await _effects(form, heat, cold, values, again, tried)
    for name in (name for name in WORDS if name not in values):
        tried[name] = await question.alone(form, name, [WORDS[name]])
    findings |= await _wanted(form, wanted, findings, tried)
    return _capabilities(endpoint, begun, probe, _bounded(form.endpoint, findings, tried))


async def examine_arms(endpoint: Endpoint, arms: Sequence[Arm], probe: Probe) -> Capabilities:
    """What the given arms use: the first calls of a run on an endpoint of which nothing is known, and few.

    A plain one; all parameters at once, with the arms' own values; one by one only where that is refused. For top_k
    and min_p, which some servers ignore without a word, also whether they have an effect.

    Returns:
        Findings for what the arms send, neutral values and the seed among it, and for the length parameter. `server`
        where it was told: the endpoint was asked in that dialect, and is to be from now on.
    """
    begun = await _begin(endpoint, probe, both=False)
    if begun.form is None:
        return _capabilities(endpoint, begun, probe, {})
    form, tried = begun.form, dict[str, Tried]()
    findings = await _wanted(form, wants(arms, form.endpoint), {}, tried)
    server = begun.server or _told(_bounded(form.endpoint, findings, tried))
    if server != begun.server:
        begun, form = replace(begun, server=server), replace(form, endpoint=speaking(form.endpoint, server))
        tried = {}
        findings = await _wanted(form, wants(arms, form.endpoint), {}, tried)
    values = _values(wants(arms, form.endpoint))
    at_work = [name for name in ("top_k", "min_p") if any(question.works(name, at) for at in values.get(name, ()))]
    able = [name for name in at_work if not _refused(concluding.bounded(None, tried[name]))]
    if able:
        heat, _ = await question.hot(form)
        findings |= await _effects(form, heat, [], values, able, tried)
    return _capabilities(endpoint, begun, probe, dict(begun.findings) | _bounded(form.endpoint, findings, tried))


def merged(old: Capabilities | None, new: Capabilities) -> Capabilities:
    """What is known now. An older finding stays where the new examination did not ask, or could not tell.

    Another model, or another place, is another endpoint: nothing of it is kept.
    """
    if old is None or (old.model, old.base_url) != (new.model, new.base_url):
        return new
    told = {name: found for name, found in new.findings.items() if found.support is not Support.UNKNOWN}
    return replace(
        new,
        findings={**new.findings, **old.findings, **told},
        server=new.server or old.server,
        answers_as=new.answers_as or old.answers_as,
        latency_s=old.latency_s if new.latency_s is None else new.latency_s,
        context_tokens=new.context_tokens or old.context_tokens,
        limits={**old.limits, **new.limits},
    )


# --- is anybody there? -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Begun:
    """An endpoint after the first question; `form` None: it cannot be asked, and `problem` says why."""

    server: str
    entry: Mapping[str, Any]  # of the model, in GET /models
    form: Form | None = None
    problem: str = ""
    findings: Mapping[str, Finding] = field(default_factory=dict)
    answers_as: str | None = None


async def _begin(endpoint: Endpoint, probe: Probe, both: bool) -> _Begun:
    """Who answers, and which length parameter holds: the endpoint's own, else the other one. `both`: ask both."""
    entries = await probe.models()
    entry = concluding.listed(entries, endpoint.model)
    server = endpoint.server or of_owner(str(entry.get("owned_by", "")))
    if server != endpoint.server:
        endpoint = speaking(endpoint, server)
    findings: dict[str, Finding] = {}
    answers: dict[str, list[Answer]] = {}
    kept: list[str] = []
    for name in sorted(LENGTHS, key=lambda name: name != endpoint.length_parameter):
        if probe.ended is None and (both or not kept):
            findings[name], answers[name] = await question.limit(Form(endpoint, probe, name))
            kept += [name] if _usable(findings[name], answers[name]) else []
    if probe.ended is not None or not kept:
        outcomes = [answer.outcome for some in answers.values() for answer in some]
        problem = _problem(endpoint, probe, findings, outcomes, entries)
        return _Begun(server, entry, problem=problem)
    first = answers[kept[0]][0].outcome
    form = Form(endpoint, probe, kept[0])
    if not texts_of([first]):
        form = replace(form, room=await _room(form))
    return _Begun(server, entry, form, findings=findings, answers_as=first.model if isinstance(first, Reply) else None)


def _usable(found: Finding, answers: Sequence[Answer]) -> bool:
    if found.support is Support.UNKNOWN:
        return any(isinstance(answer.outcome, Reply) for answer in answers)
    return found.support in (Support.HONOURED, Support.ACCEPTED)


async def _room(form: Form) -> int:
    """How long answers have to be that begin with thoughts; the usual length where it would be too much."""
    more = await form.told(room=question.MORE_ROOM)
    if not (isinstance(more, Reply) and texts_of([more])):
        return ROOM
    return min(THINKING_ROOM, max(ROOM, 2 * (more.usage.output_tokens or 0)))


def _problem(
    endpoint: Endpoint,
    probe: Probe,
    findings: Mapping[str, Finding],
    outcomes: Sequence[Outcome],
    entries: Sequence[Mapping[str, Any]],
) -> str:
    if probe.ended is not None:
        names = [str(entry["id"]) for entry in entries if "id" in entry]
        listed = f"; it lists {_some(names, endpoint.model)}" if probe.ended.reason == "no_such_model" and names else ""
        return probe.ended.sentence + listed
    if any(found.support is Support.IGNORED for found in findings.values()):
        said = "; ".join(f"{name}: {found.said}" for name, found in findings.items())
        return (
            f"endpoint {endpoint.name} ({endpoint.model}) keeps no limit on the length of its answers ({said}): "
            "nothing more was asked, as its cost has no bound; set what it takes in extra, or use another server"
        )
    failure = next((outcome for outcome in outcomes if isinstance(outcome, Failure)), None)
    return "" if failure is None else unanswered(endpoint, failure)


def _some(names: Sequence[str], wanted: str) -> str:
    close = get_close_matches(wanted, names, n=3, cutoff=0.3)
    shown = list(dict.fromkeys([*close, *names]))[:5]
    return ", ".join(shown) + (", …" if len(names) > len(shown) else "")


# --- what is asked together ---------------------------------------------------------------------------


def _values(wanted: Sequence[Want]) -> dict[str, tuple[Json, ...]]:
    """All values of each parameter."""
    names = dict.fromkeys(name for want in wanted for name in want)
    return {name: tuple(value for want in wanted for value in want.get(name, ())) for name in names}


async def _wanted(
    form: Form, wanted: Sequence[Want], findings: Mapping[str, Finding], tried: dict[str, Tried]
) -> dict[str, Finding]:
    """Ask for what is sent together; where that is refused, for each value of it alone. Adds to `tried`.

    Returns:
        A finding `together` where a whole is refused of which no part is.
    """
    known = _bounded(form.endpoint, findings, tried)
    out = {name for name, found in known.items() if _refused(found)}
    calls = [params for want in wanted for params in _outermost(want, out)]
    outcomes = await asyncio.gather(*[form.told(params, room=LIMIT) for params in calls])
    suspects: dict[str, None] = {}
    words = ""
    for params, outcome in zip(calls, outcomes, strict=True):
        said = refusal(outcome)
        words = words or said or ""
        if said is not None and len(params) > 1:
            suspects |= dict.fromkeys(params)
            continue
        for name, value in params.items():
            tried.setdefault(name, []).append((value, outcome))
    values = _values(wanted)
    single = await asyncio.gather(*[question.alone(form, name, _once(values[name])) for name in suspects])
    for name, some in zip(suspects, single, strict=True):
        tried.setdefault(name, []).extend(some)
    guilty = any(refusal(outcome) is not None for some in single for _, outcome in some)
    return {"together": Finding(Support.REFUSED, words)} if suspects and not guilty else {}


def _outermost(want: Want, out: set[str]) -> list[dict[str, Json]]:
    """Calls that send the largest numbers, the smallest ones, and each word and table; not what is known refused."""
    choices = {name: _ends(values) for name, values in want.items() if name not in out}
    most = max((len(values) for values in choices.values()), default=0)
    return [{name: values[min(at, len(values) - 1)] for name, values in choices.items()} for at in range(most)]


def _ends(values: Sequence[Json]) -> list[Json]:
    numbers = [value for value in values if isinstance(value, int | float)]
    return _once([max(numbers), min(numbers)] if len(numbers) == len(values) else values)


def _once(values: Sequence[Json]) -> list[Json]:
    return [value for at, value in enumerate(values) if value not in values[:at]]


async def _effects(
    form: Form,
    heat: Heat,
    greedy: Sequence[Outcome],
    values: Mapping[str, Sequence[Json]],
    names: Sequence[str],
    tried: dict[str, Tried],
) -> dict[str, Finding]:
    """Of each of these, whether its effect is there; `tried` holds what was sent anew."""

    def asked(name: str) -> Coroutine[Any, Any, tuple[Finding, Tried]]:
        if name in PENALTIES:
            return question.penalty(form, name, greedy)
        mild = next((value for value in values.get(name, ()) if question.works(name, value)), NARROWING[name][1])
        return question.narrow(form, heat, name, mild, greedy)

    found = await asyncio.gather(*[asked(name) for name in names])
    for name, (_, some) in zip(names, found, strict=True):
        tried.setdefault(name, []).extend(some)
    return {name: finding for name, (finding, _) in zip(names, found, strict=True)}


def _refused(found: Finding | None) -> bool:
    return found is not None and found.support is Support.REFUSED


def _told(findings: Mapping[str, Finding]) -> str:
    """The server that refuses in such words."""
    return next((name for one in findings.values() if (name := of_refusal(one.said))), UNKNOWN)


# --- what it comes to -------------------------------------------------------------------------------


def _bounded(endpoint: Endpoint, findings: Mapping[str, Finding], tried: Mapping[str, Tried]) -> dict[str, Finding]:
    """The findings with what is known of single values; nothing can be told of what `extra` overrides."""
    whole = {**findings, **{name: concluding.bounded(findings.get(name), some) for name, some in tried.items()}}
    set_by_extra = Finding(Support.UNKNOWN, f"endpoints.{endpoint.name}.extra sets it in every request")
    overridden = {
        name
        for name in whole
        if any(own.partition(".")[0] in endpoint.extra for own in endpoint.names.get(name, name).split())
    }
    return {name: set_by_extra if name in overridden else found for name, found in whole.items()}


def _capabilities(endpoint: Endpoint, begun: _Begun, probe: Probe, findings: Mapping[str, Finding]) -> Capabilities:
    limits = {"requests": probe.limits.requests, "tokens": probe.limits.tokens}
    return Capabilities(
        endpoint=endpoint.name,
        model=endpoint.model,
        base_url=endpoint.base_urls[0],
        at=probe.now,
        server=begun.server,
        problem=begun.problem or (probe.ended.sentence if probe.ended else ""),
        answers_as=begun.answers_as,
        latency_s=median(probe.latencies_s) if probe.latencies_s else None,
        context_tokens=concluding.context_of(begun.entry),
        limits={name: value for name, value in limits.items() if value is not None},
        findings=findings,
        calls=probe.calls,
        cost_usd=probe.cost_usd,
    )


async def _reward(endpoint: Endpoint, probe: Probe) -> Capabilities:
    """A reward model is asked for one number."""
    entry = concluding.listed(await probe.models(), endpoint.model)
    turns: list[Json] = [
        {"role": "user", "content": question.ANIMAL},
        {"role": "assistant", "content": "The snailfish lives deepest of all fish."},
    ]
    outcome = (await probe.ask({"messages": turns, "use_activation": False}, 0)).outcome
    problem = unanswered(endpoint, outcome) if isinstance(outcome, Failure) and probe.ended is None else ""
    model = outcome.model if isinstance(outcome, Reply) else None
    server = endpoint.server or of_owner(str(entry.get("owned_by", "")))
    return _capabilities(endpoint, _Begun(server, entry, problem=problem, answers_as=model), probe, {})
