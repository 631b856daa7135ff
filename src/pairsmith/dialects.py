"""How servers call what we send, and what they are sent for what an arm leaves out: one row a server, with its source.

What is not sent is not neutral: vLLM and SGLang apply the model's generation_config.json, llama.cpp a top_k of 40. So
neutral values are sent where a server is known to take them; elsewhere the server's own default holds, and is
recorded as such. Called by recipe.py and by whoever finds out what answers at a URL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pairsmith.records import Endpoint, Json

# What of it cannot be told apart from nothing; a server's own default may differ.
NEUTRAL: Mapping[str, Json] = {"top_p": 1.0, "top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0}
SERVER_DEFAULT = "server default"
UNKNOWN = ""  # the name of a server of which nothing is known
INSIDE = "generation_config"  # transformers serve takes some parameters only within this, as a JSON string


@dataclass(frozen=True, slots=True)
class Dialect:
    """One server's habits.

    hosts: ends of the host names it answers at. owned_by: what its GET /models says in that field. refusal: words in
    which it alone refuses what it does not know. names: our name of a parameter -> its own, where it has another; two,
    where versions differ; "generation_config.X": within that JSON string. neutral: what it is sent for parameters that
    an arm leaves out, by our names. seed: whether it heeds one.
    """

    hosts: tuple[str, ...] = ()
    owned_by: str = ""
    refusal: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    neutral: Mapping[str, Json] = field(default_factory=dict)
    seed: bool = True


_OPENAI = Dialect((".openai.com",), names={"max_tokens": "max_completion_tokens"})
_LLAMA_CPP = {"repetition_penalty": "repeat_penalty"}
_TRANSFORMERS = ("top_k", "min_p", "repetition_penalty")

DIALECTS: Mapping[str, Dialect] = {
    # The reference of chat completions, November 2026: max_tokens is deprecated, reasoning models refuse it.
    "openai": _OPENAI,
    # SamplingParams and "--generation-config" in vLLM's documentation, 0.28, November 2026; -1: all tokens.
    "vllm": Dialect(owned_by="vllm", neutral=NEUTRAL),
    # Its entrypoints/openai/protocol.py, 2026: `seed` becomes the runtime's sampling_seed, the name that others take.
    "sglang": Dialect(owned_by="sglang", names={"seed": "seed sampling_seed"}, neutral=NEUTRAL),
    # tools/server/README.md, November 2026: top_k 40, top_p 0.95, min_p 0.05 by default; 0: no limit.
    "llama.cpp": Dialect(owned_by="llamacpp", names=_LLAMA_CPP, neutral={**NEUTRAL, "top_k": 0}),
    # llama_cpp/server/types.py, tried in November 2026: top_k 40, top_p 0.95, min_p 0.05 by default; 0: no limit.
    "llama-cpp-python": Dialect(owned_by="me", names=_LLAMA_CPP, neutral={**NEUTRAL, "top_k": 0}),
    # docs/api/openai-compatibility, November 2026: of these it reads top_p alone, whose default is 0.9.
    "ollama": Dialect(owned_by="library", neutral={"top_p": 1.0}),
    # Tried in November 2026: top_k at the top level is a 422, within generation_config it is kept.
    "transformers": Dialect(
        refusal="Unexpected fields in the request", names={name: f"{INSIDE}.{name}" for name in _TRANSFORMERS}
    ),
    # Its reference of chat completions, November 2026.
    "together": Dialect((".together.xyz", ".together.ai"), neutral={"top_p": 1.0, "repetition_penalty": 1.0}),
    # Its reference of chat completions, November 2026: what is not sent comes from the model's generation_config.json.
    "fireworks": Dialect((".fireworks.ai",), neutral={"top_p": 1.0, "top_k": 0, "repetition_penalty": 1.0}),
    # Its API reference, November 2026: `seed` is a 422.
    "mistral": Dialect((".mistral.ai",), names={"seed": "random_seed"}),
    # "OpenAI compatibility", November 2026: `seed` is a 400.
    "gemini": Dialect((".googleapis.com",), seed=False),
    # "OpenAI SDK compatibility", November 2026: `seed` is ignored.
    "anthropic": Dialect((".anthropic.com",), seed=False),
    # Our own simulator where it plays no platform: it heeds all of them (simulator/sampling.py).
    "simulator": Dialect(owned_by="pairsmith", neutral=NEUTRAL),
}


def of_host(host: str) -> str:
    """The name of the server behind a hosted platform's name; UNKNOWN for any other."""
    known = (name for name, one in DIALECTS.items() if any(f".{host}".endswith(end) for end in one.hosts))
    return next(known, UNKNOWN)


def of_owner(owned_by: str) -> str:
    """The name of the server whose GET /models says this in `owned_by`; UNKNOWN where none does."""
    return next((name for name, one in DIALECTS.items() if one.owned_by and one.owned_by == owned_by), UNKNOWN)


def of_refusal(message: str) -> str:
    """The name of the server that alone refuses in such words; UNKNOWN where that may be any."""
    return next((name for name, one in DIALECTS.items() if one.refusal and one.refusal in message), UNKNOWN)


def speaking(endpoint: Endpoint, server: str) -> Endpoint:
    """The endpoint, asked in a server's dialect; what the recipe sets itself was set before, and stays."""
    dialect = DIALECTS.get(server, Dialect())
    return replace(endpoint, server=server, names=dialect.names, neutral=dialect.neutral)
