"""Everything that goes wrong on demand: FAULTS, at the end, is the whole list, one row a fault.

A fault takes the answer that would have been given and returns what comes instead. Status and body follow
FACTS.md, sections 2 and 4 (what real endpoints were seen to send, November 2026).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from math import ceil
from typing import Any, Literal

import orjson

from pairsmith.simulator.answers import Answer, Choice, Manner, Reply, completion, json_reply, ok, openai_error
from pairsmith.simulator.dice import Dice
from pairsmith.simulator.judging import DECLINED, out_of_range, unreadable


@dataclass(frozen=True, slots=True)
class Scene:
    """What a fault may need besides the answer."""

    retry_after_s: float
    dice: Dice


Spoil = Callable[[Answer, Scene], Reply]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to go wrong; only="judging" leaves other requests alone."""

    spoil: Spoil
    only: Literal["", "judging"] = ""


def draw_fault(rates: Mapping[str, float], dice: Dice, judging: bool) -> str | None:
    """Which fault, if any, meets a request; rates are shares of all requests, in the order given."""
    mark = dice.uniform()
    for name, rate in rates.items():
        mark -= rate
        if mark < 0:
            return name if judging or not FAULTS[name].only else None
    return None


def check_rates(rates: Mapping[str, float]) -> None:
    """Raise a ValueError that names the first unknown fault or impossible rate."""
    for name, rate in rates.items():
        if name not in FAULTS:
            raise ValueError(f"unknown fault {name!r}; known: {', '.join(FAULTS)}")
        if not 0 <= rate <= 1:
            raise ValueError(f"fault {name}: the rate is a share from 0 to 1, not {rate}")


# --- refusals of the request ---------------------------------------------------------------------


def _error(status: int, message: str, **more: Any) -> Spoil:
    return lambda answer, scene: openai_error(status, message, **more)


def _throttled(status: int, header: Callable[[float], dict[str, str]], **more: Any) -> Spoil:
    messages = {429: "Rate limit reached for requests.", 503: "The model is overloaded."}
    type_ = {429: "requests", 529: "overloaded_error"}.get(status, "server_error")
    code = "rate_limit_exceeded" if status == 429 else None
    return lambda answer, scene: openai_error(
        status, messages.get(status, "Overloaded."), type_=type_, code=code, headers=header(scene.retry_after_s)
    )


def _seconds(wait_s: float) -> dict[str, str]:
    return {"Retry-After": f"{wait_s:g}"}


def _date(wait_s: float) -> dict[str, str]:
    # Whole seconds are all a date can say, and one that is already past says nothing: rounded up.
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=ceil(wait_s) + 1)
    return {"Retry-After": format_datetime(until, usegmt=True)}


def _milliseconds(wait_s: float) -> dict[str, str]:
    return {"retry-after-ms": str(round(wait_s * 1000))}


def _litellm(wait_s: float) -> dict[str, str]:
    return {"llm_provider-retry-after": f"{wait_s:g}"}


def _nothing(_wait_s: float) -> dict[str, str]:
    return {}


def _body(status: int, body: object) -> Spoil:
    return lambda answer, scene: json_reply(status, body)


def _raw(body: bytes, content_type: str = "application/json") -> Spoil:
    return lambda answer, scene: Reply(200, body, content_type=content_type)


# --- the answer, damaged on its way --------------------------------------------------------------


def _sent(manner: Manner) -> Spoil:
    return lambda answer, scene: replace(ok(answer), manner=manner)


def _cut_json(answer: Answer, scene: Scene) -> Reply:
    body = ok(answer).body
    return Reply(200, body[: len(body) // 2])


def _bad_utf8(answer: Answer, scene: Scene) -> Reply:
    return Reply(200, ok(answer).body.replace(b'"content":"', b'"content":"\xff\xfe', 1))


def _surrogate(answer: Answer, scene: Scene) -> Reply:
    if not answer.choices:
        return ok(answer)
    # orjson writes no lone surrogate, so a stand-in is exchanged in the bytes.
    first = answer.choices[0]
    marked = answer.with_first(replace(first, content=(first.content or "") + "\ue000"))
    return Reply(200, ok(marked).body.replace("\ue000".encode(), rb"\ud83d", 1))


def _reset(answer: Answer, scene: Scene) -> Reply:
    return replace(ok(answer), manner="reset" if scene.dice.uniform() < 0.5 else "reset-midway")


def _other_model(answer: Answer, scene: Scene) -> Reply:
    return ok(replace(answer, model=f"{answer.model}-2026-11-01"))


def _without(change: Callable[[dict[str, Any]], object]) -> Spoil:
    """The completion object after a change made in place."""

    def spoil(answer: Answer, scene: Scene) -> Reply:
        body: dict[str, Any] = completion(answer)
        change(body)
        return Reply(200, orjson.dumps(body))

    return spoil


# --- the answer, changed in what it says ---------------------------------------------------------


def _says(change: Callable[[Choice, Scene], Choice]) -> Spoil:
    """A reward model says nothing that could be changed: its answer stays as it is."""
    return lambda answer, scene: ok(answer.with_first(change(answer.choices[0], scene)) if answer.choices else answer)


def _half(choice: Choice, scene: Scene) -> Choice:
    content = choice.content or ""
    return replace(choice, content=content[: len(content) // 2], finish_reason="length")


def _leak(choice: Choice, scene: Scene) -> Choice:
    thoughts = "Let me think about what the user really wants here."
    # Templates that put the opening tag into the prompt leave only the closing one in the answer.
    opening = "<think>\n" if scene.dice.uniform() < 0.5 else ""
    return replace(choice, content=f"{opening}{thoughts}\n</think>\n\n{choice.content or ''}")


def _tool_call(choice: Choice, scene: Scene) -> Choice:
    function = {"name": "search", "arguments": '{"query": "it"}'}
    call = {"id": "call_sim0", "type": "function", "function": function}
    return Choice(None, "tool_calls", tool_calls=(call,))


# --- a judge's reply -----------------------------------------------------------------------------


def _verdict_of(choice: Choice) -> dict[str, object]:
    try:
        verdict = orjson.loads(choice.content or "")
    except orjson.JSONDecodeError:
        return {}
    return verdict if isinstance(verdict, dict) else {}


def _unreadable(choice: Choice, scene: Scene) -> Choice:
    return replace(choice, content=unreadable(_verdict_of(choice), scene.dice))


def _fenced(choice: Choice, scene: Scene) -> Choice:
    return replace(choice, content=f"Here is my verdict:\n```json\n{choice.content or ''}\n```")


def _out_of_range(choice: Choice, scene: Scene) -> Choice:
    return replace(choice, content=orjson.dumps(out_of_range(_verdict_of(choice))).decode())


def _unknown_label(choice: Choice, scene: Scene) -> Choice:
    verdict = _verdict_of(choice)
    unknown: dict[str, object] = {"winner": "Answer 1", "ranking": ["first", "second"]}
    return replace(choice, content=orjson.dumps({k: unknown.get(k, v) for k, v in verdict.items()}).decode())


_QUOTA = "You exceeded your current quota, please check your plan and billing details."
_CONTEXT = "This model's maximum context length is 131072 tokens. Please reduce the length of the messages."
_FILTER = "The response was filtered due to the prompt triggering the content management policy."
_FLEX = "Resource Unavailable. There is no capacity for flex processing at the moment; this request was not billed."
_SERVER = "The server had an error while processing your request."
_HTML = b"<!DOCTYPE html><html><head><title>Just a moment</title></head><body>Please wait</body></html>"


FAULTS: dict[str, Fault] = {
    # Fatal for a run: key, money, model.
    "401": Fault(_error(401, "Incorrect API key provided: sk-si****mple.", code="invalid_api_key")),
    "402": Fault(_error(402, "Insufficient credits. Add more and retry.", code=402, type_="billing_error")),
    "403": Fault(_error(403, "Your organization may not use this model.", code="permission_denied")),
    "quota": Fault(_error(429, _QUOTA, code="insufficient_quota", type_="insufficient_quota")),
    "404-model": Fault(_error(404, "The model does not exist.", code="model_not_found")),
    # Permanent for one request.
    "400-context": Fault(_error(400, _CONTEXT, code="context_length_exceeded", param="messages")),
    "400-parameter": Fault(_error(400, "Unsupported parameter: 'top_k'.", code="unsupported_parameter", param="top_k")),
    "content-filter": Fault(_error(400, _FILTER, code="content_filter", param="prompt")),
    "filtered": Fault(_says(lambda c, s: replace(c, content="", finish_reason="content_filter"))),
    "refusal": Fault(_says(lambda c, s: Choice(None, refusal=DECLINED))),
    "413": Fault(_error(413, "Request entity too large.")),
    "422": Fault(_body(422, {"detail": [{"loc": ["body"], "msg": "invalid", "type": "value_error"}]})),
    # Throttled: with and without a word on how long.
    "429": Fault(_throttled(429, _nothing)),
    "429-after": Fault(_throttled(429, _seconds)),
    "429-after-date": Fault(_throttled(429, _date)),
    "429-after-ms": Fault(_throttled(429, _milliseconds)),
    "429-after-litellm": Fault(_throttled(429, _litellm)),
    "503-after": Fault(_throttled(503, _seconds)),
    "529": Fault(_throttled(529, _seconds)),
    # Transient.
    "408": Fault(_error(408, "Request timed out.", type_="timeout")),
    # OpenAI's flex tier: no rate limit is met, and no pause of the others would help.
    "429-flex": Fault(_error(429, _FLEX, code="resource_unavailable", type_="resource_unavailable")),
    "409": Fault(_error(409, "Conflict: another request is being processed.", type_="conflict")),
    "500": Fault(_error(500, _SERVER, type_="server_error")),
    "500-close": Fault(lambda a, s: replace(openai_error(500, _SERVER, type_="server_error"), manner="close")),
    "502": Fault(lambda a, s: Reply(502, _HTML, content_type="text/html")),
    "503": Fault(_error(503, "The engine is currently overloaded.", type_="server_error")),
    "html": Fault(_raw(_HTML, "text/html")),
    "empty-body": Fault(_raw(b"")),
    "cut-json": Fault(_cut_json),
    "bad-utf8": Fault(_bad_utf8),
    "error-200": Fault(_body(200, {"error": {"message": "Provider returned error", "code": 502}})),
    "error-list": Fault(
        _body(503, [{"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}}])
    ),
    "error-message": Fault(
        _body(500, {"object": "error", "message": {"detail": "Unavailable."}, "type": "internal", "code": 3000})
    ),
    "error-detail": Fault(_body(500, {"detail": "Internal server error"})),
    "reset": Fault(_reset),
    "hang": Fault(_sent("hang")),
    "drip": Fault(_sent("drip")),
    "no-choices": Fault(_without(lambda body: body.update(choices=None))),
    "empty-choices": Fault(_without(lambda body: body.update(choices=[]))),
    # Bad content in a good envelope.
    "null-content": Fault(_says(lambda c, s: replace(c, content=None))),
    "blank": Fault(_says(lambda c, s: replace(c, content="  "))),
    "no-finish": Fault(_says(lambda c, s: replace(c, finish_reason=None))),
    "no-usage": Fault(_without(lambda body: body.pop("usage"))),
    "length": Fault(_says(_half)),
    "think-leak": Fault(_says(_leak)),
    "tool-call": Fault(_says(_tool_call)),
    "surrogate": Fault(_surrogate),
    # A good answer, by another snapshot than was asked for: a provider that routes.
    "other-model": Fault(_other_model),
    # A judge that forgets the form.
    "unreadable": Fault(_says(_unreadable), only="judging"),
    "fenced": Fault(_says(_fenced), only="judging"),
    "out-of-range": Fault(_says(_out_of_range), only="judging"),
    "unknown-label": Fault(_says(_unknown_label), only="judging"),
}
