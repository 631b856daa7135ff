"""What each platform takes, refuses, renames, adds or drops without a word: one row a platform in PRESETS.

From FACTS.md, section 3 (documentation and trials, November 2026); a row names its further sources. What a row does
not name is taken as sampling.py and thinking.py take it, and a name that they do not read has no effect.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from pairsmith.simulator import refusals as no
from pairsmith.simulator.answers import CONTEXT_TOKENS, Reply
from pairsmith.simulator.asking import text_of
from pairsmith.simulator.refusals import Refusal


@dataclass(frozen=True, slots=True)
class Preset:
    """One platform's habits.

    Attributes:
        known: all parameters that it has; others get `unknown`. None refuses no name.
        unknown: how a parameter outside `known` is refused.
        refused: parameter -> how it is refused.
        ignored: parameters that are dropped, and the request answered with 200.
        renamed: its own name of a parameter -> the name that sampling.py reads.
        nested: a parameter whose JSON string holds further ones; "" for none.
        defaults: what it applies where a request says nothing.
        temperature: lowest and highest accepted; outside it out_of_range answers.
        many: whether n above 1 gives n choices; False ignores it, a Refusal refuses it.
        json_schema: how response_format json_schema is refused; None honours it.
        json_word: whether json_object is refused unless a message says "json".
        developer: whether a message may have this role; False drops what it says, a Refusal refuses it.
        listed: what GET /models says of each model beside its id.
    """

    known: frozenset[str] | None = None
    unknown: Refusal = no.unrecognised
    refused: Mapping[str, Refusal] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    renamed: Mapping[str, str] = field(default_factory=dict)
    nested: str = ""
    defaults: Mapping[str, object] = field(default_factory=dict)
    temperature: tuple[float, float] = (0.0, 2.0)
    out_of_range: Refusal = no.out_of_range
    many: bool | Refusal = True
    json_schema: Refusal | None = None
    json_word: bool = False
    developer: bool | Refusal = True
    listed: Mapping[str, object] = field(default_factory=dict)


# OpenAI's reference of chat completions, November 2026.
_OPENAI = frozenset(
    """audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens messages
    metadata modalities model n parallel_tool_calls prediction presence_penalty prompt_cache_key reasoning_effort
    response_format safety_identifier seed service_tier stop store stream stream_options temperature tool_choice tools
    top_logprobs top_p user verbosity web_search_options""".split()  # noqa: SIM905
)
_PENALTIES = frozenset(("frequency_penalty", "presence_penalty"))
_LOGPROBS = frozenset(("logprobs", "top_logprobs"))
_BEYOND_OPENAI = frozenset(("top_k", "min_p", "repetition_penalty"))

# generation_config.json of Qwen/Qwen3-8B (Hugging Face, November 2026): what is not sent is not neutral.
_MODELS_OWN = {"temperature": 0.6, "top_k": 20, "top_p": 0.95}

PRESETS: dict[str, Preset] = {
    # gpt-4.1: no reasoning, and one verbosity.
    "openai": Preset(
        known=_OPENAI - {"reasoning_effort"},
        refused={"verbosity": no.unsupported},
        json_word=True,
        listed={"owned_by": "system"},
    ),
    # gpt-5.x and later. Which parameters: also community.openai.com 1110750 (a table by model).
    "openai-reasoning": Preset(
        known=_OPENAI,
        refused=dict.fromkeys(("max_tokens", "top_p", *_LOGPROBS, *_PENALTIES), no.unsupported),
        temperature=(1.0, 1.0),
        out_of_range=no.only_default,
        json_word=True,
        listed={"owned_by": "system"},
    ),
    # platform.claude.com/docs/en/api/openai-sdk, November 2026: the list of ignored fields; developer is hoisted.
    "anthropic": Preset(
        ignored=_BEYOND_OPENAI
        | _PENALTIES
        | _LOGPROBS
        | {"seed", "response_format", "reasoning_effort", "verbosity", "chat_template_kwargs"},
        temperature=(0.0, 1.0),
        out_of_range=no.anthropic,
        many=no.anthropic,
    ),
    # The penalties: n4ze3m/page-assist 418 (2025), sleepydeer666/RPGBox 2 (August 2026).
    "gemini": Preset(
        known=_OPENAI - _PENALTIES - {"seed", "verbosity"},
        unknown=no.gemini,
        many=no.gemini,
        listed={"owned_by": "google"},
    ),
    # Names it does not know it logs and ignores; which roles are taken, the model's chat template says.
    "vllm": Preset(
        ignored=frozenset(("verbosity",)),
        defaults=_MODELS_OWN,
        out_of_range=no.vllm_range,
        developer=no.template_role,
        listed={"owned_by": "vllm", "max_model_len": CONTEXT_TOKENS},
    ),
    # sampling_seed: FACTS.md; newer ones take `seed` in chat requests as well (entrypoints/openai/protocol.py, 2026).
    "sglang": Preset(
        ignored=frozenset(("seed", "verbosity")),
        renamed={"sampling_seed": "seed"},
        defaults=_MODELS_OWN,
        developer=no.template_role,
        listed={"owned_by": "sglang", "max_model_len": CONTEXT_TOKENS},
    ),
    # Names and top_k: openai/openai.go of ollama/ollama (2026), which sets temperature and top_p to 1 itself.
    # Templates print the roles they know. It has logprobs since 0.12.11 (BerriAI/litellm, issue 17165).
    "ollama": Preset(
        ignored=_BEYOND_OPENAI | {"max_completion_tokens", "verbosity", "chat_template_kwargs"},
        defaults={"top_k": 40},
        many=False,
        developer=False,
        listed={"owned_by": "library"},
    ),
    # llama-cpp-python: tried in November 2026.
    "llama-cpp": Preset(
        ignored=frozenset(
            ("max_completion_tokens", "repetition_penalty", "reasoning_effort", "verbosity", "chat_template_kwargs")
        ),
        renamed={"repeat_penalty": "repetition_penalty"},
        defaults={"temperature": 0.8, "top_k": 40, "top_p": 0.95, "min_p": 0.05},
        many=False,
        json_schema=no.llama_cpp,
        developer=no.fastapi_role,
        listed={"owned_by": "me"},
    ),
    # llama.cpp's own server: its README and common/chat.cpp, which makes developer system (2026).
    "llama-server": Preset(
        ignored=frozenset(("repetition_penalty", "reasoning_effort", "verbosity")),
        renamed={"repeat_penalty": "repetition_penalty"},
        defaults={"temperature": 0.8, "top_k": 40, "top_p": 0.95, "min_p": 0.05},
        listed={"owned_by": "llamacpp", "meta": {"n_ctx_train": CONTEXT_TOKENS}},
    ),
    # console.groq.com/docs/openai and its API reference, November 2026: the penalties "not yet supported".
    "groq": Preset(
        known=(_OPENAI | {"include_reasoning", "reasoning_format"}) - _LOGPROBS - {"verbosity"},
        unknown=no.groq,
        ignored=_PENALTIES,
        many=no.groq_many,
        json_word=True,
        listed={"context_window": CONTEXT_TOKENS},
    ),
    # docs.mistral.ai, API reference, November 2026.
    "mistral": Preset(
        known=frozenset(
            """frequency_penalty guardrails max_tokens messages metadata model n parallel_tool_calls prediction
            presence_penalty prompt_mode random_seed reasoning_effort response_format safe_prompt stop stream
            temperature tool_choice tools top_k top_p""".split()  # noqa: SIM905
        ),
        unknown=no.mistral,
        renamed={"random_seed": "seed"},
        temperature=(0.0, 1.5),
        out_of_range=no.mistral_range,
        developer=no.mistral_role,
        listed={"owned_by": "mistralai", "max_context_length": CONTEXT_TOKENS},
    ),
    "together": Preset(
        ignored=frozenset(("verbosity", "chat_template_kwargs")),
        listed={"context_length": CONTEXT_TOKENS},
    ),
    # One of its models; what that model does not support is dropped on the way (openrouter.ai/docs, November 2026).
    "openrouter": Preset(
        ignored=_BEYOND_OPENAI | _LOGPROBS | {"chat_template_kwargs"},
        many=False,
        listed={"context_length": CONTEXT_TOKENS},
    ),
    # `transformers serve`: tried in November 2026, and UNUSED_CHAT_COMPLETION_FIELDS of its chat_completion.py, which
    # it logs and ignores. Its model's chat template may raise.
    "transformers": Preset(
        known=_OPENAI | {"generation_config"},
        unknown=no.transformers,
        ignored=_LOGPROBS
        | {"max_completion_tokens", "n", "presence_penalty", "reasoning_effort", "response_format", "verbosity"},
        renamed={"max_new_tokens": "max_tokens"},
        nested="generation_config",
        defaults=_MODELS_OWN,
        developer=no.server_error,
    ),
    # A router that forwards to whatever: 200 for everything, and nothing of it has an effect.
    "silent": Preset(
        ignored=_BEYOND_OPENAI
        | _PENALTIES
        | _LOGPROBS
        | {"top_p", "seed", "response_format", "reasoning_effort", "verbosity", "chat_template_kwargs"},
        many=False,
        developer=False,
    ),
}


def apply(preset: Preset, body: dict[str, Any]) -> dict[str, Any] | Reply:
    """The body as the platform reads it, or its refusal of it. A parameter that is null counts as absent."""
    body = {name: value for name, value in body.items() if value is not None and name not in preset.ignored}
    refusal = _refused(preset, body)
    if refusal is not None:
        return refusal
    if preset.nested in body:
        nested = _nested(body.pop(preset.nested))
        if nested is None:
            return no.server_error(preset.nested, None)
        body = {**nested, **body}
    body = {**preset.defaults, **{preset.renamed.get(name, name): value for name, value in body.items()}}
    if preset.developer is False:
        body["messages"] = [{**m, "content": ""} if m.get("role") == "developer" else m for m in body["messages"]]
    return _apply_shape(preset, body)


def _refused(preset: Preset, body: Mapping[str, Any]) -> Reply | None:
    for name, value in body.items():
        if name in preset.refused:
            return preset.refused[name](name, value)
        if preset.known is not None and name not in preset.known:
            return preset.unknown(name, value)
    temperature = body.get("temperature")
    low, high = preset.temperature
    if isinstance(temperature, int | float) and not low <= temperature <= high:
        return preset.out_of_range("temperature", temperature)
    if not isinstance(preset.developer, bool) and any(m.get("role") == "developer" for m in body["messages"]):
        return preset.developer("role", "developer")
    return None


def _nested(value: object) -> dict[str, Any] | None:
    """The parameters in a JSON string; None where it holds no object."""
    try:
        parsed = orjson.loads(value) if isinstance(value, str) else None
    except orjson.JSONDecodeError:
        return None
    return parsed if isinstance(parsed, dict) else None


def _apply_shape(preset: Preset, body: dict[str, Any]) -> dict[str, Any] | Reply:
    if body.get("n", 1) != 1 and preset.many is not True:
        if preset.many is not False:
            return preset.many("n", body["n"])
        del body["n"]
    wanted = body.get("response_format")
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    if kind == "json_schema" and preset.json_schema is not None:
        return preset.json_schema("response_format", wanted)
    if kind == "json_object" and preset.json_word and not any(_says_json(m) for m in body["messages"]):
        return no.json_word("response_format", wanted)
    return body


def _says_json(message: Mapping[str, Any]) -> bool:
    return "json" in text_of(message.get("content")).lower()
