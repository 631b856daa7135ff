"""Arms, how they are dealt to a prompt, and the requests that are owed for it.

Arm parameters are what an arm changes in a request: endpoint identity, model, sampling parameters, persona
text. Draws and seeds hash them, and the prompt's content id, and nothing else: no ordinal, name or time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import product
from typing import NamedTuple

import orjson

from pairsmith.capabilities import Known, unsupported
from pairsmith.dialects import INSIDE, SERVER_DEFAULT
from pairsmith.errors import RecipeError
from pairsmith.records import (
    Arm,
    ChatRequest,
    Endpoint,
    EndpointName,
    Json,
    Prompt,
    PromptId,
    Purpose,
    chat_request,
    content_id,
)
from pairsmith.sample.names import name_arms
from pairsmith.sample.settings import PARAMETERS, ArmSettings, SampleSettings

Endpoints = Mapping[EndpointName, Endpoint]

SEED_BITS = 31  # a seed fits a signed 32-bit integer, the narrowest that servers read


class Draw(NamedTuple):
    """One completion that is owed: the arm, and which of its draws (0-based) it is."""

    arm: Arm
    draw: int


# --- arms ---------------------------------------------------------------------------------------


def build_arms(
    settings: SampleSettings, endpoints: Endpoints, systems: Mapping[str, str], known: Known | None = None
) -> tuple[Arm, ...]:
    """The arms of a recipe, equal ones merged, each with a readable name of its own.

    Args:
        settings: the [sample] table.
        endpoints: every endpoint of the recipe.
        systems: the text of each name in `settings.system_names`; a blank text is no persona.
        known: what endpoints were found to take: with on_unsupported = "omit" the rest is dropped.

    Returns:
        1+ arms, in the order of the product of the lists (in the order of PARAMETERS, then system, endpoint), or of
        the tables. A merged arm has the weights of all of them.

    Raises:
        RecipeError: an endpoint or system is unknown or left open, or an endpoint's extra overrides an arm.
    """
    draft = _from_tables if settings.arms else _from_lists
    distinct: dict[str, Arm] = {}
    for asked in draft(settings, endpoints, systems):
        endpoint = _known(asked.endpoint, endpoints)
        _refuse_overrides(asked, endpoint)
        arm = _omitting(asked, known or {}) if settings.on_unsupported == "omit" else asked
        same = arm_parameters(arm, endpoint)
        distinct[same] = _merged(distinct[same], arm) if same in distinct else arm
    return name_arms(tuple(distinct.values()))


def _from_lists(settings: SampleSettings, endpoints: Endpoints, systems: Mapping[str, str]) -> Iterator[Arm]:
    names = settings.endpoints or (_only(tuple(endpoints), "[sample]"),)
    lists = [getattr(settings, name) or (None,) for name in PARAMETERS]
    for *values, system, endpoint in product(*lists, settings.system or (None,), names):
        params = _set(dict(zip(PARAMETERS, values, strict=True)))
        yield _arm("", endpoint, params, system, systems, settings.weights.get(endpoint, 1.0))


def _from_tables(settings: SampleSettings, endpoints: Endpoints, systems: Mapping[str, str]) -> Iterator[Arm]:
    names = settings.endpoints or tuple(endpoints)
    for number, table in enumerate(settings.arms, start=1):
        endpoint = table.endpoint or _only(names, f"table {number} of [[sample.arms]]")
        yield _arm(table.name or "", endpoint, _params(table), table.system, systems, table.weight)


def _params(table: ArmSettings) -> dict[str, Json]:
    return _set({name: getattr(table, name) for name in (*PARAMETERS, "seed")} | {"extra": table.extra or None})


def _set(params: Mapping[str, Json]) -> dict[str, Json]:
    return {key: value for key, value in params.items() if value is not None}


def _arm(
    name: str,
    endpoint: str,
    params: Mapping[str, Json],
    system: str | None,
    systems: Mapping[str, str],
    weight: float,
) -> Arm:
    if system is not None and system not in systems:
        raise RecipeError(f"sample.system names {system!r}, which is neither bundled nor a file: mend the name")
    text = "" if system is None else systems[system].strip()
    return Arm(name, EndpointName(endpoint), params, text or None, system, weight)


def _omitting(arm: Arm, known: Known) -> Arm:
    """The arm without what its endpoint does not take."""
    lacking = unsupported(arm, known)
    params = {name: value for name, value in arm.params.items() if name not in lacking}
    return replace(arm, params=params, dropped={name: (arm.params[name],) for name in lacking})


def _merged(one: Arm, other: Arm) -> Arm:
    """Two arms that ask for the same as one: drawn as often as both."""
    names = dict.fromkeys((*one.dropped, *other.dropped))
    values = {name: (*one.dropped.get(name, ()), *other.dropped.get(name, ())) for name in names}
    dropped = {
        name: tuple(value for at, value in enumerate(all_) if value not in all_[:at]) for name, all_ in values.items()
    }
    return replace(one, weight=one.weight + other.weight, dropped=dropped)


def _only(names: Sequence[str], where: str) -> str:
    if len(names) != 1:
        raise RecipeError(f"{where} names no endpoint, and there are {len(names)}: name {_any_of(names)}")
    return names[0]


def _known(name: EndpointName, endpoints: Endpoints) -> Endpoint:
    if name not in endpoints:
        raise RecipeError(f"[sample] names the endpoint {name!r}, which is not there: name {_any_of(endpoints)}")
    return endpoints[name]


def _any_of(names: Sequence[str] | Endpoints) -> str:
    return f"one of {', '.join(names)}" if names else "one after adding an [endpoints.NAME] table"


def _refuse_overrides(arm: Arm, endpoint: Endpoint) -> None:
    """An endpoint's `extra` goes into the body last: what it overrides would make the arms a fiction."""
    own = _extra(arm)
    ours = {"messages", "tools", "n", "seed", endpoint.length_parameter}
    written = {*in_dialect({**arm.params, "seed": 0}, endpoint), *arm.params, *ours}
    for key in sorted(written & endpoint.extra.keys()):
        raise RecipeError(
            f"endpoints.{endpoint.name}.extra sets {key}, which sampling writes itself:"
            f" take {key} out of extra, and set it under [sample] where there is a field for it"
        )
    for key in sorted(own.keys() & ({*ours, *PARAMETERS} | endpoint.extra.keys())):
        raise RecipeError(
            f"extra of arm {arm.name or 'without a name'} sets {key}, which is written elsewhere: use the arm's own "
            f"key of that name, or take it out of endpoints.{endpoint.name}.extra"
        )


def _extra(arm: Arm) -> dict[str, Json]:
    extra = arm.params.get("extra")
    return extra if isinstance(extra, dict) else {}


def arm_parameters(arm: Arm, endpoint: Endpoint) -> str:
    """Hash of all that an arm changes in a request. Equal parameters are one arm, whatever the names."""
    always = {**thinking_off(endpoint), **endpoint.extra}
    return content_id("arm", endpoint.identity, endpoint.model, always, dict(arm.params), arm.system)


# --- deal ---------------------------------------------------------------------------------------


def deal(prompt: PromptId, arms: Sequence[Arm], completions: int, seed: int, endpoints: Endpoints) -> tuple[Draw, ...]:
    """Deal the draws of ONE prompt by rendezvous hashing, each arm as often as its weight says.

    Draw j of an arm has its turn at (j + u) / weight, where u in [0, 1) is the hash of (seed, prompt, arm
    parameters); the first `completions` turns are dealt. With equal weights every arm gives k draws, and the arms
    with the smallest hash one more. Use is by weight in expectation. A further arm only takes draws from the others,
    and a further completion only adds one at the end: what stays, stays as it was.

    Returns:
        `completions` draws in the order of their turns.
    """
    turns: list[tuple[float, str, Draw]] = []
    whole = sum(arm.weight for arm in arms)
    for arm in arms:
        rank = content_id("deal", seed, prompt, arm_parameters(arm, endpoints[arm.endpoint]))
        start = int(rank[:12], 16) / 16**12
        most = min(completions, int((completions + len(arms)) * arm.weight / whole) + 2)
        turns += [((draw + start) / (arm.weight / whole), rank, Draw(arm, draw)) for draw in range(most)]
    return tuple(draw for _, _, draw in sorted(turns, key=lambda turn: turn[:2])[:completions])


def seed_of(run_seed: int, prompt: PromptId, parameters: str, draw: int) -> int:
    """The seed of one draw: the first 31 bits of SHA-256 over these four; `parameters` of arm_parameters."""
    digest = content_id("seed", run_seed, prompt, parameters, draw)
    return int(digest[:8], 16) >> (32 - SEED_BITS)


# --- requests -----------------------------------------------------------------------------------


def requests(
    prompt: Prompt, dealt: Sequence[Draw], settings: SampleSettings, endpoints: Endpoints
) -> tuple[ChatRequest, ...]:
    """The complete request of each draw of ONE prompt, in the same order; each asks for one completion."""
    return tuple(_request(prompt, arm, draw, settings, endpoints[arm.endpoint]) for arm, draw in dealt)


def _request(prompt: Prompt, arm: Arm, draw: int, settings: SampleSettings, endpoint: Endpoint) -> ChatRequest:
    sampled = sent(arm, endpoint)
    if endpoint.seed or "seed" in arm.params:
        sampled["seed"] = _seed(prompt, arm, draw, settings, endpoint)
    body: dict[str, Json] = {
        "messages": _messages(arm.system, prompt),
        endpoint.length_parameter: settings.max_tokens,
        **in_dialect(sampled, endpoint),
        **thinking_off(endpoint),
        **_extra(arm),
    }
    if prompt.tools:
        body["tools"] = list(prompt.tools)
    return chat_request(prompt.id, Purpose.SAMPLE, endpoint, body, draw)


def sent(arm: Arm, endpoint: Endpoint) -> dict[str, Json]:
    """The sampling parameters of an arm's requests, by our names: its own, and neutral values for the rest."""
    elsewhere = {*endpoint.extra, *_extra(arm)}
    neutral = {
        key: value
        for key, value in endpoint.neutral.items()
        if key not in arm.dropped and not elsewhere.intersection(endpoint.names.get(key, key).split())
    }
    return {**neutral, **{key: value for key, value in arm.params.items() if key not in ("extra", "seed")}}


def requested(arm: Arm) -> dict[str, Json]:
    """What the recipe asks of an arm, as it is stored; of what is dropped a list, if arms of several values are one."""
    dropped = {name: values[0] if len(values) == 1 else list(values) for name, values in arm.dropped.items()}
    return {**arm.params, **dropped}


def effective(arm: Arm, endpoint: Endpoint) -> dict[str, Json]:
    """What holds for an arm's completions, as it is stored: what is sent, or that the server's default holds."""
    held: dict[str, Json] = {
        name: SERVER_DEFAULT for name in ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")
    }
    return held | sent(arm, endpoint) | _extra(arm) | dict(endpoint.extra)


def _seed(prompt: Prompt, arm: Arm, draw: int, settings: SampleSettings, endpoint: Endpoint) -> int:
    fixed = arm.params.get("seed")
    return (
        fixed + draw
        if isinstance(fixed, int)
        else seed_of(settings.seed, prompt.id, arm_parameters(arm, endpoint), draw)
    )


def in_dialect(params: Mapping[str, Json], endpoint: Endpoint) -> dict[str, Json]:
    """The parameters by the server's names; what it takes only within a JSON string stands there."""
    body: dict[str, Json] = {}
    inside: dict[str, Json] = {}
    for key, value in params.items():
        for name in endpoint.names.get(key, key).split():
            if name.startswith(f"{INSIDE}."):
                inside[name.removeprefix(f"{INSIDE}.")] = value
            elif key != "extra":
                body[name] = value
    return body | ({INSIDE: orjson.dumps(inside).decode()} if inside else {})


def _messages(persona: str | None, prompt: Prompt) -> list[Json]:
    """The prompt's messages, after one system message: the persona, a blank line, the prompt's own."""
    system = "\n\n".join(part for part in (persona, prompt.system) if part)
    opening: list[Json] = [{"role": "system", "content": system}] if system else []
    return [*opening, *prompt.messages]


def thinking_off(endpoint: Endpoint) -> dict[str, Json]:
    """What asks a server for no reasoning, if the endpoint wants none; the endpoint's `extra` may override it.

    Source: vLLM, docs.vllm.ai/en/stable/features/reasoning_outputs, and SGLang, November 2026: an argument of
    the chat template (Qwen3 and what follows its example). Other servers take another form, through `extra`.
    """
    if endpoint.reasoning != "off":
        return {}
    return {"chat_template_kwargs": {"enable_thinking": False}}
