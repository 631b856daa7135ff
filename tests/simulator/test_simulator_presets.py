"""What each platform takes, ignores and refuses: as tables over all of them, in process; its own words, over a port."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from simulator_client import Client, Got

from pairsmith.simulator import Settings, Simulator, running
from pairsmith.simulator.answers import Choice, Reply
from pairsmith.simulator.book import Book
from pairsmith.simulator.players import Players
from pairsmith.simulator.presets import PRESETS, apply

PROMPT = "How do I fold a map?"
SCHEMA = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object", "properties": {}}}}


@pytest.fixture(scope="module")
def platforms() -> Iterator[dict[str, Client]]:
    running_now = [(name, running(Settings(like=name))) for name in PRESETS]
    clients = {name: Client(manager.__enter__().base_url) for name, manager in running_now}
    yield clients
    for client, (_, manager) in zip(clients.values(), running_now, strict=True):
        client.__exit__()
        manager.__exit__(None, None, None)


# Platform, parameter, value, status.
@pytest.mark.parametrize(
    ("platform", "asked", "status"),
    [
        ("openai", {"top_k": 20}, 400),
        ("openai", {"temperature": 2.5}, 400),
        ("openai", {"temperature": 1.1, "seed": 3, "n": 2, "max_tokens": 50, "response_format": SCHEMA}, 200),
        ("openai-reasoning", {"max_tokens": 50}, 400),
        ("openai-reasoning", {"temperature": 0.9}, 400),
        ("openai-reasoning", {"temperature": 1, "max_completion_tokens": 50}, 200),
        ("vllm", {"top_k": 20, "temperature": 1.5, "seed": 1, "n": 2, "response_format": SCHEMA}, 200),
        ("vllm", {"temperature": 3}, 400),
        ("ollama", {"top_k": 20, "n": 3, "seed": 1}, 200),
        ("llama-cpp", {"top_k": 20, "n": 3, "seed": 1}, 200),
        ("llama-cpp", {"response_format": SCHEMA}, 500),
        ("groq", {"n": 2}, 400),
        ("groq", {"logprobs": True}, 400),
        ("groq", {"top_k": 20}, 400),
        ("groq", {"seed": 1, "n": 1}, 200),
        ("mistral", {"seed": 1}, 422),
        ("mistral", {"temperature": 1.8}, 422),
        ("mistral", {"random_seed": 1, "top_k": 20}, 200),
        ("gemini", {"top_k": 20}, 400),
        ("gemini", {"seed": 1}, 400),
        ("anthropic", {"temperature": 1.1}, 400),
        ("anthropic", {"n": 2}, 400),
        ("anthropic", {"top_k": 20, "seed": 1}, 200),
        ("silent", {"top_k": 20, "seed": 1, "n": 3, "response_format": SCHEMA}, 200),
        ("openai", {"anything": 1}, 400),
        ("groq", {"anything": 1}, 400),
        ("mistral", {"anything": 1}, 422),
        ("gemini", {"anything": 1}, 400),
        ("transformers", {"anything": 1}, 422),
        ("vllm", {"anything": 1}, 200),
        ("llama-server", {"anything": 1}, 200),
        ("transformers", {"n": 3, "response_format": SCHEMA, "logprobs": True}, 200),
        ("transformers", {"generation_config": "{"}, 500),
    ],
)
def test_each_platform_takes_and_refuses_what_it_should(
    platforms: dict[str, Client], platform: str, asked: dict[str, object], status: int
) -> None:
    assert platforms[platform].chat(PROMPT, **asked).status == status


def with_top_k_1(client: Client) -> int:
    texts = [client.chat(PROMPT, key=str(i), top_k=1, temperature=1.5).text for i in range(12)]
    return len(set(texts))


@pytest.mark.parametrize(("platform", "honoured"), [("vllm", True), ("ollama", False), ("silent", False)])
def test_what_is_ignored_has_no_effect(platforms: dict[str, Client], platform: str, honoured: bool) -> None:
    assert (with_top_k_1(platforms[platform]) == 1) == honoured


@pytest.mark.parametrize(("platform", "choices"), [("vllm", 3), ("ollama", 1), ("llama-cpp", 1), ("transformers", 1)])
def test_n_gives_what_the_platform_gives(platforms: dict[str, Client], platform: str, choices: int) -> None:
    assert len(platforms[platform].chat(PROMPT, n=3).json["choices"]) == choices


def test_a_refusal_names_the_parameter_in_the_platforms_own_shape(platforms: dict[str, Client]) -> None:
    def refused(platform: str, **asked: object) -> Got:
        return platforms[platform].chat(PROMPT, **asked)

    assert "top_k" in refused("openai", top_k=1).json["error"]["message"]
    assert "max_completion_tokens" in refused("openai-reasoning", max_tokens=5).json["error"]["message"]
    assert refused("mistral", seed=1).json["message"]["detail"][0]["loc"] == ["body", "seed"]
    assert refused("gemini", top_k=1).json[0]["error"]["status"] == "INVALID_ARGUMENT"
    assert refused("vllm", temperature=3).json["error"]["type"] == "BadRequestError"


def test_a_null_parameter_counts_as_absent(platforms: dict[str, Client]) -> None:
    assert platforms["openai"].chat(PROMPT, top_k=None).status == 200


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown preset"):
        Simulator(Settings(like="nobody"))


# --- in process: the whole table of what has an effect --------------------------------------------

SEED_NAMES = {
    "sglang": "sampling_seed", "mistral": "random_seed", "anthropic": None, "gemini": None, "silent": None,
}  # fmt: skip


def asked(platform: str, key: str = "k", prompt: str = PROMPT, role: str = "user", **more: Any) -> Choice | Reply:
    """One answer of a model that thinks, without a server; or the platform's refusal."""
    messages = [{"role": role, "content": "You are in a hurry."}, {"role": "user", "content": prompt}]
    body = {"model": "sim-thinker-rc", "messages": messages, **more}
    applied = apply(PRESETS[platform], body)
    if isinstance(applied, Reply):
        return applied
    return Players(0, Book()).answer(applied, key, json.dumps(applied, sort_keys=True).encode()).choices[0]


def became(platform: str, **parameter: Any) -> str:
    """refused, ignored or taken: whether any of twelve prompts is answered differently, with the same seed."""
    prompts = [f"How do I fold map number {i}?" for i in range(12)]
    name = SEED_NAMES.get(platform, "seed")
    seed = {name: 7} if name else {}
    with_it = [asked(platform, prompt=prompt, **seed, **parameter) for prompt in prompts]
    if isinstance(with_it[0], Reply):
        return "refused"
    return "ignored" if with_it == [asked(platform, prompt=prompt, **seed) for prompt in prompts] else "taken"


PROBES = {
    "top_k": 1, "min_p": 1.0, "repetition_penalty": 2.0, "presence_penalty": 2.0, "frequency_penalty": 2.0,
    "verbosity": "high", "reasoning_effort": "high",
}  # fmt: skip
# In the order of PROBES: taken, ignored, refused.
EFFECTS = {
    "openai":           "r r r t t r r",
    "openai-reasoning": "r r r r r t t",
    "anthropic":        "i i i i i i i",
    "gemini":           "r r r r r r t",
    "vllm":             "t t t t t i t",
    "sglang":           "t t t t t i t",
    "ollama":           "i i i t t i t",
    "llama-cpp":        "t t i t t i i",
    "llama-server":     "t t i t t i i",
    "groq":             "r r r i i r t",
    "mistral":          "t r r t t r t",
    "together":         "t t t t t i t",
    "openrouter":       "i i i t t t t",
    "transformers":     "r r r i t i i",
    "silent":           "i i i i i i i",
}  # fmt: skip


def test_every_platform_is_in_the_table() -> None:
    assert EFFECTS.keys() == PRESETS.keys()


@pytest.mark.parametrize("platform", EFFECTS)
def test_a_parameter_is_taken_ignored_or_refused(platform: str) -> None:
    found = [became(platform, **{name: value})[0] for name, value in PROBES.items()]

    assert " ".join(found) == EFFECTS[platform]


@pytest.mark.parametrize("platform", ["llama-cpp", "llama-server"])
def test_llama_cpp_has_its_own_name_for_the_repetition_penalty(platform: str) -> None:
    assert became(platform, repeat_penalty=2.0) == "taken"


@pytest.mark.parametrize("platform", PRESETS)
def test_a_seed_gives_one_text_whatever_the_key_under_the_platforms_own_name_only(platform: str) -> None:
    seeded = []
    for name in ("seed", "sampling_seed", "random_seed"):
        answers = [asked(platform, key=str(i), **{name: 7}) for i in range(8)]
        refused = isinstance(answers[0], Reply)
        if not refused and len({str(answer) for answer in answers}) == 1:
            seeded.append(name)

    assert seeded == [name for name in [SEED_NAMES.get(platform, "seed")] if name]


LENGTH = {
    "openai-reasoning": ["max_completion_tokens"],
    **{name: ["max_tokens"] for name in ("ollama", "llama-cpp", "mistral", "transformers")},
}


@pytest.mark.parametrize("platform", PRESETS)
def test_the_length_parameter_has_the_platforms_name(platform: str) -> None:
    cut = []
    for name in ("max_tokens", "max_completion_tokens"):
        answer = asked(platform, **{name: 3})
        if isinstance(answer, Choice) and answer.finish_reason == "length":
            cut.append(name)

    assert cut == LENGTH.get(platform, ["max_tokens", "max_completion_tokens"])


DEVELOPER = {
    "vllm": 400, "sglang": 400, "llama-cpp": 422, "mistral": 422, "transformers": 500, "ollama": None, "silent": None,
}  # fmt: skip


@pytest.mark.parametrize("platform", PRESETS)
def test_a_developer_message_counts_as_system_is_dropped_or_refused(platform: str) -> None:
    """None in DEVELOPER: 200, and what it says has no effect."""
    developer, system = asked(platform, role="developer"), asked(platform, role="system")

    assert isinstance(system, Choice)
    if isinstance(developer, Reply):
        assert developer.status == DEVELOPER[platform]
    else:
        applied = apply(PRESETS[platform], {"messages": [{"role": "developer", "content": "Be warm."}]})
        dropped = isinstance(applied, dict) and applied["messages"][0]["content"] == ""
        assert dropped == (platform in DEVELOPER)


@pytest.mark.parametrize("platform", ["vllm", "sglang", "llama-cpp", "llama-server"])
def test_what_is_not_sent_is_not_neutral(platform: str) -> None:
    assert became(platform, top_p=1, min_p=0, top_k=0, temperature=1.0) == "taken"
    assert became(platform, **PRESETS[platform].defaults) == "ignored"


def test_transformers_takes_the_rest_in_a_json_string() -> None:
    assert became("transformers", generation_config='{"top_k": 1, "temperature": 1.5}') == "taken"
    assert len({asked("transformers", seed=i, generation_config='{"top_k": 1}').content for i in range(8)}) == 1


@pytest.mark.parametrize("platform", ["openai", "openai-reasoning", "groq"])
def test_json_object_wants_the_word_json(platform: str) -> None:
    wanted = {"type": "json_object"}
    refused = asked(platform, response_format=wanted)

    assert isinstance(refused, Reply)
    assert b"must contain the word 'json'" in refused.body
    assert isinstance(asked(platform, prompt="Answer in JSON.", response_format=wanted), Choice)


@pytest.mark.parametrize(
    ("platform", "owner", "context"),
    [("vllm", "vllm", "max_model_len"), ("sglang", "sglang", "max_model_len"), ("ollama", "library", ""),
     ("llama-cpp", "me", ""), ("llama-server", "llamacpp", "meta"), ("openai", "system", ""),
     ("mistral", "mistralai", "max_context_length"), ("groq", "organization", "context_window"),
     ("together", "organization", "context_length"), ("openrouter", "organization", "context_length"),
     ("silent", "organization", "")],
)  # fmt: skip
def test_models_are_listed_in_the_platforms_words_and_count_as_no_request(
    platforms: dict[str, Client], platform: str, owner: str, context: str
) -> None:
    before = platforms[platform].stats()["requests"]
    model = platforms[platform].send("GET", "/v1/models").json["data"][0]

    tokens = {"": None, "meta": {"n_ctx_train": 131_072}}.get(context, 131_072)
    assert model["owned_by"] == owner
    assert model.get(context) == tokens
    assert model.keys() - {"id", "object", "created", "owned_by"} == ({context} if context else set())
    assert platforms[platform].stats()["requests"] == before
