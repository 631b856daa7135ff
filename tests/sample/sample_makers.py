"""Short ways to make what the tests of sample need."""

from collections.abc import Mapping

from pairsmith.records import (
    Arm,
    Completion,
    CompletionId,
    Endpoint,
    EndpointName,
    Flag,
    Json,
    Prompt,
    PromptId,
    Reply,
    RequestId,
    prompt_id,
)
from pairsmith.sample.plan import Draw, build_arms, deal, requests
from pairsmith.sample.settings import SampleSettings

P = PromptId("p")
STUDENT = EndpointName("student")


def endpoint(name: str = "student", **fields: object) -> Endpoint:
    fields = {"identity": f"{name}/m", **fields}
    return Endpoint(EndpointName(name), "m", ("http://localhost:1/v1",), **fields)  # type: ignore[arg-type]


def endpoints(*names: str, **fields: object) -> dict[EndpointName, Endpoint]:
    return {EndpointName(name): endpoint(name, **fields) for name in names or ("student",)}


def prompt(text: str = "Why?", system: str | None = None, ordinal: int = 0, tools: tuple[Json, ...] = ()) -> Prompt:
    messages: list[dict[str, Json]] = [{"role": "user", "content": text}]
    ident = prompt_id(messages, tools, None, system)
    return Prompt(ident, tuple(messages), tools=tools, system=system, ordinal=ordinal)


def arms_of(settings: SampleSettings, systems: Mapping[str, str] | None = None, **fields: object) -> tuple[Arm, ...]:
    return build_arms(settings, endpoints(**fields), systems or {})


def dealt(text: str, settings: SampleSettings, known: Mapping[EndpointName, Endpoint]) -> tuple[Draw, ...]:
    arms = build_arms(settings, known, {})
    return deal(prompt(text).id, arms, settings.most_completions, settings.seed, known)


def request_ids(text: str, settings: SampleSettings, **fields: object) -> set[RequestId]:
    known = endpoints(**fields)
    return {one.id for one in requests(prompt(text), dealt(text, settings, known), settings, known)}


def reply(text: str = "An answer.", ident: str = "r", **fields: object) -> Reply:
    return Reply(RequestId(ident), text, **fields)  # type: ignore[arg-type]


def completion(text: str = "An answer.", ident: str = "c", flags: tuple[Flag, ...] = ()) -> Completion:
    return Completion(CompletionId(ident), P, text, "T1", flags=flags)
