"""What each platform takes, refuses or drops without a word: one row a platform in PRESETS.

From FACTS.md, section 3 (documentation and trials, November 2026). A parameter named nowhere is accepted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pairsmith.simulator.answers import Reply, json_reply, openai_error

Refusal = Callable[[str, object], Reply]


@dataclass(frozen=True, slots=True)
class Preset:
    """One platform's habits.

    Attributes:
        refused: parameter -> how it is refused.
        ignored: parameters that are dropped, and the request answered with 200.
        temperature: lowest and highest accepted; outside it out_of_range answers.
        many: whether n above 1 gives n choices; False ignores it, a Refusal refuses it.
        json_schema: what response_format json_schema gets; True honours it, False ignores it.
    """

    refused: Mapping[str, Refusal] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    temperature: tuple[float, float] = (0.0, 2.0)
    out_of_range: Refusal = lambda name, value: openai_error(
        400, f"Invalid '{name}': {value} is out of range.", code="decimal_out_of_range", param=name
    )
    many: bool | Refusal = True
    json_schema: bool | Refusal = True


# --- how they say no -----------------------------------------------------------------------------


def _unrecognised(name: str, value: object) -> Reply:
    return openai_error(400, f"Unrecognized request argument supplied: {name}")


def _unsupported(name: str, value: object) -> Reply:
    instead = " Use 'max_completion_tokens' instead." if name == "max_tokens" else ""
    return openai_error(
        400,
        f"Unsupported parameter: '{name}' is not supported with this model.{instead}",
        code="unsupported_parameter",
        param=name,
    )


def _only_default(name: str, value: object) -> Reply:
    return openai_error(
        400,
        f"Unsupported value: '{name}' does not support {value} with this model, only 1.",
        code="unsupported_value",
        param=name,
    )


def _vllm(name: str, value: object) -> Reply:
    message = f"{name} must be non-negative and at most 2, got {value}."
    return openai_error(400, message, code=400, type_="BadRequestError", param=name)


def _groq(name: str, value: object) -> Reply:
    return openai_error(400, f"property '{name}' is unsupported, did you mean 'top_p'?")


def _groq_many(name: str, value: object) -> Reply:
    return openai_error(400, "'n' : number must be at most 1", param=name)


def _mistral(name: str, value: object) -> Reply:
    return _pydantic(name, value, "extra_forbidden", "Extra inputs are not permitted")


def _mistral_range(name: str, value: object) -> Reply:
    return _pydantic(name, value, "less_than_equal", "Input should be less than or equal to 1.5")


def _pydantic(name: str, value: object, type_: str, msg: str) -> Reply:
    problem = {"type": type_, "loc": ["body", name], "msg": msg, "input": value}
    return json_reply(422, {"object": "error", "message": {"detail": [problem]}, "type": "invalid_request_error"})


def _gemini(name: str, value: object) -> Reply:
    message = f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
    return json_reply(400, [{"error": {"code": 400, "message": message, "status": "INVALID_ARGUMENT"}}])


def _anthropic(name: str, value: object) -> Reply:
    return openai_error(400, f"{name}: Input should be less than or equal to 1", code="invalid_request_error")


def _llama_cpp(name: str, value: object) -> Reply:
    return openai_error(500, "Invalid response_format type: json_schema", type_="internal_server_error")


_OPENAI_UNKNOWN = dict.fromkeys(
    ("top_k", "min_p", "repetition_penalty", "random_seed", "chat_template_kwargs"), _unrecognised
)
_SILENT = frozenset(
    (
        "top_k", "top_p", "min_p", "seed", "random_seed", "logprobs", "top_logprobs", "response_format",
        "chat_template_kwargs",
    )
)  # fmt: skip

PRESETS: dict[str, Preset] = {
    "openai": Preset(refused=_OPENAI_UNKNOWN),
    # gpt-5.x and later.
    "openai-reasoning": Preset(
        refused=_OPENAI_UNKNOWN | dict.fromkeys(("max_tokens", "logprobs", "top_logprobs", "top_p"), _unsupported),
        temperature=(1.0, 1.0),
        out_of_range=_only_default,
    ),
    "anthropic": Preset(
        ignored=frozenset(("top_k", "seed", "logprobs", "top_logprobs", "response_format")),
        temperature=(0.0, 1.0),
        out_of_range=_anthropic,
        many=_anthropic,
    ),
    "gemini": Preset(refused=dict.fromkeys(("top_k", "seed", "random_seed"), _gemini), many=_gemini),
    "vllm": Preset(ignored=frozenset(("random_seed",)), out_of_range=_vllm),
    # It has logprobs since 0.12.11 (BerriAI/litellm, issue 17165).
    "ollama": Preset(ignored=frozenset(("top_k", "random_seed")), many=False),
    # llama-cpp-python: tried in November 2026.
    "llama-cpp": Preset(
        ignored=frozenset(("max_completion_tokens", "random_seed")), many=False, json_schema=_llama_cpp
    ),
    "groq": Preset(refused=dict.fromkeys(("top_k", "logprobs", "top_logprobs", "random_seed"), _groq), many=_groq_many),
    "mistral": Preset(
        refused=dict.fromkeys(("seed", "max_completion_tokens", "logprobs", "top_logprobs"), _mistral),
        temperature=(0.0, 1.5),
        out_of_range=_mistral_range,
    ),
    # A router that forwards to whatever: 200 for everything, and nothing of it has an effect.
    "silent": Preset(ignored=_SILENT, many=False, json_schema=False),
}


def apply(preset: Preset, body: dict[str, Any]) -> dict[str, Any] | Reply:
    """The body as the platform reads it, or its refusal of it. A parameter that is null counts as absent."""
    body = {name: value for name, value in body.items() if value is not None and name not in preset.ignored}
    for name, refuse in preset.refused.items():
        if name in body:
            return refuse(name, body[name])
    temperature = body.get("temperature")
    low, high = preset.temperature
    if isinstance(temperature, int | float) and not low <= temperature <= high:
        return preset.out_of_range("temperature", temperature)
    if "random_seed" in body:
        body["seed"] = body.pop("random_seed")
    return _apply_shape(preset, body)


def _apply_shape(preset: Preset, body: dict[str, Any]) -> dict[str, Any] | Reply:
    if body.get("n", 1) != 1 and preset.many is not True:
        if preset.many is not False:
            return preset.many("n", body["n"])
        del body["n"]
    wanted = body.get("response_format")
    if isinstance(wanted, dict) and wanted.get("type") == "json_schema" and preset.json_schema is not True:
        if preset.json_schema is not False:
            return preset.json_schema("response_format", wanted)
        del body["response_format"]
    return body
