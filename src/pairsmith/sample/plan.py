"""Arms, how they are dealt to a prompt, and the requests that are owed for it.

Arm parameters are what an arm changes in a request: endpoint identity, model, sampling parameters, persona
text. Draws and seeds hash them, and the prompt's content id, and nothing else: no ordinal, name or time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

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
from pairsmith.sample.settings import SampleSettings

Endpoints = Mapping[EndpointName, Endpoint]

SEED_BITS = 31  # a seed fits a signed 32-bit integer, the narrowest that servers read


class Draw(NamedTuple):
    """One completion that is owed: the arm, and which of its draws (0-based) it is."""

    arm: Arm
    draw: int


# --- arms ---------------------------------------------------------------------------------------


def build_arms(settings: SampleSettings, endpoints: Endpoints, systems: Mapping[str, str]) -> tuple[Arm, ...]:
    """The arms of a recipe, equal ones merged, each with a readable name of its own.

    Args:
        settings: the [sample] table.
        endpoints: every endpoint of the recipe.
        systems: the text of each name in `settings.system_names`; a blank text is no persona.

    Returns:
        1+ arms, in the order of temperature × top_k × top_p × system × endpoint, or of the tables.

    Raises:
        RecipeError: an endpoint or system is unknown or left open, or an endpoint's extra overrides an arm.
    """
    draft = _from_tables if settings.arms else _from_lists
    distinct: dict[str, Arm] = {}
    for arm in draft(settings, endpoints, systems):
        endpoint = _known(arm.endpoint, endpoints)
        _refuse_overrides(arm, endpoint)
        distinct.setdefault(arm_parameters(arm, endpoint), arm)
    return name_arms(tuple(distinct.values()))


def _from_lists(settings: SampleSettings, endpoints: Endpoints, systems: Mapping[str, str]) -> Iterator[Arm]:
    names = settings.endpoints or (_only(tuple(endpoints), "[sample]"),)
    for temperature, top_k, top_p, system, endpoint in product(
        settings.temperature or (None,),
        settings.top_k or (None,),
        settings.top_p or (None,),
        settings.system or (None,),
        names,
    ):
        yield _arm("", endpoint, _params(temperature, top_k, top_p), system, systems)


def _from_tables(settings: SampleSettings, endpoints: Endpoints, systems: Mapping[str, str]) -> Iterator[Arm]:
    names = settings.endpoints or tuple(endpoints)
    for number, table in enumerate(settings.arms, start=1):
        endpoint = table.endpoint or _only(names, f"table {number} of [[sample.arms]]")
        params = _params(table.temperature, table.top_k, table.top_p)
        yield _arm(table.name or "", endpoint, params, table.system, systems)


def _params(temperature: float | None, top_k: int | None, top_p: float | None) -> dict[str, Json]:
    params: dict[str, Json] = {"temperature": temperature, "top_k": top_k, "top_p": top_p}
    return {key: value for key, value in params.items() if value is not None}


def _arm(name: str, endpoint: str, params: Mapping[str, Json], system: str | None, systems: Mapping[str, str]) -> Arm:
    if system is not None and system not in systems:
        raise RecipeError(f"sample.system names {system!r}, which is neither bundled nor a file: mend the name")
    text = "" if system is None else systems[system].strip()
    return Arm(name, EndpointName(endpoint), params, text or None, system)


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
    written = {*arm.params, "messages", "tools", "n", "seed", endpoint.length_parameter}
    for key in sorted(written & endpoint.extra.keys()):
        raise RecipeError(
            f"endpoints.{endpoint.name}.extra sets {key}, which sampling writes itself:"
            f" take {key} out of extra, and set it under [sample] where there is a field for it"
        )


def arm_parameters(arm: Arm, endpoint: Endpoint) -> str:
    """Hash of all that an arm changes in a request. Equal parameters are one arm, whatever the names."""
    always = {**thinking_off(endpoint), **endpoint.extra}
    return content_id("arm", endpoint.identity, endpoint.model, always, dict(arm.params), arm.system)


# --- deal ---------------------------------------------------------------------------------------


def deal(prompt: PromptId, arms: Sequence[Arm], completions: int, seed: int, endpoints: Endpoints) -> tuple[Draw, ...]:
    """Deal the draws of ONE prompt by rendezvous hashing.

    With completions = k × arms + r every arm gives draws 0 … k-1, and the r arms with the smallest hash of
    (seed, prompt, arm parameters) one more. Every arm is used equally in expectation. A further arm only
    takes draws from the others, and a further completion only adds one: what stays, stays as it was.

    Returns:
        `completions` draws, arms in the order given, each arm's draws ascending.
    """
    rounds, rest = divmod(completions, len(arms))
    ranks = {
        content_id("deal", seed, prompt, arm_parameters(arm, endpoints[arm.endpoint])): place
        for place, arm in enumerate(arms)
    }
    favoured = {ranks[rank] for rank in sorted(ranks)[:rest]}
    return tuple(Draw(arm, draw) for place, arm in enumerate(arms) for draw in range(rounds + (place in favoured)))


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
    body: dict[str, Json] = {
        "messages": _messages(arm.system, prompt),
        endpoint.length_parameter: settings.max_tokens,
        **arm.params,
        **thinking_off(endpoint),
    }
    if prompt.tools:
        body["tools"] = list(prompt.tools)
    if endpoint.seed:
        body["seed"] = seed_of(settings.seed, prompt.id, arm_parameters(arm, endpoint), draw)
    return chat_request(prompt.id, Purpose.SAMPLE, endpoint, body, draw)


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
