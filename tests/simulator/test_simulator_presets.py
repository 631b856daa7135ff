from collections.abc import Iterator

import pytest
from simulator_client import Client, Got

from pairsmith.simulator import Settings, Simulator, running
from pairsmith.simulator.presets import PRESETS

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


@pytest.mark.parametrize(("platform", "choices"), [("vllm", 3), ("ollama", 1), ("llama-cpp", 1), ("silent", 1)])
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


def test_max_completion_tokens_means_nothing_to_llama_cpp(platforms: dict[str, Client]) -> None:
    asked = {"max_completion_tokens": 3}

    assert platforms["llama-cpp"].chat(PROMPT, **asked).choice["finish_reason"] == "stop"
    assert platforms["vllm"].chat(PROMPT, **asked).choice["finish_reason"] == "length"


def test_an_unknown_preset_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown preset"):
        Simulator(Settings(like="nobody"))
