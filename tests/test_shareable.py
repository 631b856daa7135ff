"""What of a recipe may be shown to everybody."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from pairsmith.collect.settings import PromptSettings
from pairsmith.recipe import Recipe
from pairsmith.running.shareable import (
    is_public,
    public_name,
    shareable,
    shareable_parameters,
    shareable_proof,
    shareable_toml,
)

ENDPOINT: dict[str, Any] = {"model": "org/model", "identity": "ours"}


def recipe(**endpoint: Any) -> Recipe:
    return Recipe.model_validate(
        {
            "name": "r",
            "prompts": {"path": "/home/me/prompts.jsonl", "exclude": ["/home/me/runs/earlier"]},
            "endpoints": {"student": ENDPOINT | endpoint, "judge": {"model": "j"}},
            "sample": {"endpoints": ["student"], "system": ["plain", "/home/me/tone.md"], "max_tokens": 700},
            "judge": {"panel": ["judge", "check:/home/me/checks.py:short"], "rubric": "/home/me/rubric.md"},
            "pair": {"tokenizer": "/home/me/tokenizer.json"},
            "export": {"path": "/home/me/out.jsonl", "system": "/home/me/persona.md"},
        }
    )


def test_files_go_by_their_names() -> None:
    table = shareable(recipe())

    assert "/home" not in shareable_toml(recipe())
    assert table["prompts"] == {"path": "prompts.jsonl", "exclude": ["earlier"]}
    assert table["sample"]["system"] == ["plain", "tone.md"]
    assert table["judge"] == {"panel": ["judge", "check:checks.py:short"], "rubric": "rubric.md"}
    assert table["pair"] == {"tokenizer": "tokenizer.json"}
    assert table["export"] == {"system": "persona.md"}


@pytest.mark.parametrize(
    ("where", "shown"), [("language == 'de' and score > 3", True), ("user != 'ann@example.org'", False)]
)
def test_a_condition_that_may_name_a_person_and_the_owner_of_a_dataset_are_left_out(where: str, shown: bool) -> None:
    prompts = {"path": ["hf://acme/logs", "/home/me/*.csv"], "where": where}

    table = shareable(recipe().model_copy(update={"prompts": PromptSettings.model_validate(prompts)}))

    assert table["prompts"] == {"path": ["logs", "*.csv"]} | ({"where": where} if shown else {})


def test_models_identities_and_numbers_stay() -> None:
    table = tomllib.loads(shareable_toml(recipe()))

    assert table["endpoints"]["student"] == ENDPOINT
    assert table["sample"]["max_tokens"] == 700


def test_names_of_keys_prices_and_limits_are_left_out() -> None:
    private = {"api_key_env": "ACME_KEY", "concurrency": 3, "price": {"input": 1, "output": 2}}

    assert shareable(recipe(**private))["endpoints"]["student"] == ENDPOINT


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("https://api.openai.com/v1", True),
        ("https://api.together.xyz/v1", True),
        ("http://127.0.0.1:8000/v1", False),
        ("http://gpu-7.internal/v1", False),
        ("https://acme.openai.azure.com/openai/v1", False),
        ("https://api.openai.com.evil.example/v1", False),
    ],
)
def test_only_hosts_that_are_the_same_for_everybody_are_shown(url: str, public: bool) -> None:
    assert is_public(url) is public
    assert ("base_url" in shareable(recipe(base_url=[url, "http://10.0.0.1/v1"]))["endpoints"]["student"]) is public


def test_what_goes_into_the_body_is_shown_without_secrets_persons_and_places() -> None:
    extra = {
        "chat_template_kwargs": {"enable_thinking": False},
        "max_think_tokens": 5,
        "api_key": "sk-1",
        "headers": {"x": "y"},
        "user": "me@example.org",
        "hook": "http://me:pw@10.0.0.1/?token=1",
        "adapter": "/models/lora",
    }

    assert shareable(recipe(extra=extra))["endpoints"]["student"]["extra"] == {
        "chat_template_kwargs": {"enable_thinking": False},
        "max_think_tokens": 5,
    }


@pytest.mark.parametrize(
    "private",
    [
        "Bearer sk-abcdefgh12345678",
        "Bearer of-news",
        "hf_abcdefghijkl",
        "see http://u:pw@10.0.0.1/x",
        "me@example.org",
        "corp-gw.internal:8443",
        "corp-gw.internal",
        "gpu7:8000",
        "localhost",
        "10.0.0.1",
        "::1",
        "file:/home/me/x",
        "/home/me/x",
        "lies in /home/me/x",
        "~/x",
        "../x",
        "C:\\x",
        "C:/x",
        "tone.md",
        '{"a": 1}',
        "a8f3e9b2c4d5",
        "123e4567-e89b-12d3-a456-426614174000",
        "abcdefghijklmnopqrstuvwxyz",
        "+4915112345678",
        "a sentence of which nobody knows what it tells of whom",
    ],
)
def test_a_parameter_that_may_be_a_secret_a_person_or_a_place_is_left_out(private: str) -> None:
    parameters = {"x": private, "deep": {"x": [private, 1], private: 2}, "kept": True}

    assert shareable_parameters(parameters) == {"deep": {"x": [1]}, "kept": True}


@pytest.mark.parametrize(
    "plain",
    ["high", "server default", "json_object", "org/model", "Qwen/Qwen3-235B-A22B-Instruct-2507-FP8", "gpt-4.1-mini",
     "deepseek-r1:70b", "Qwen2.5-7B", "gpt-4o-20240806", "\n\n", "</s>", "<|im_end|>", "###", 0.7, 700, True],
)  # fmt: skip
def test_numbers_switches_and_short_plain_words_stay(plain: Any) -> None:
    assert shareable_parameters({"x": plain, "deep": [plain]}) == {"x": plain, "deep": [plain]}


def test_what_an_arm_adds_is_looked_at_too() -> None:
    arms = [{"name": "a", "extra": {"trace": "Bearer sk-abcdefgh12345678", "top_a": 0.2}}]
    table = recipe().model_dump(exclude_unset=True) | {"sample": {"endpoints": ["student"], "arms": arms}}

    assert shareable(Recipe.model_validate(table))["sample"]["arms"] == [{"name": "a", "extra": {"top_a": 0.2}}]


def test_a_line_of_the_provenance_loses_nothing_else_and_nothing_twice() -> None:
    held = {"temperature": 0.7, "top_p": "server default"}
    side = {
        "completion": "c",
        "arm": "a",
        "persona": "/home/me/tone.md",
        "model": "m",
        "effective": held | {"user": "me"},
    }
    shown = {**side, "persona": "tone.md", "effective": held}

    once = shareable_proof({"line": 1, "chosen": side, "rejected": "no side", "judges": ["judge"]})

    assert once == {"line": 1, "chosen": shown, "rejected": "no side", "judges": ["judge"]}
    assert shareable_proof(once) == once


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("org/model", "org/model"),
        ("/models/llama", "llama"),
        ("~/m", "m"),
        ("C:\\m\\x", "x"),
        ("../m", "m"),
        ("-", "-"),
    ],
)
def test_a_model_at_a_place_goes_by_its_name(name: str, shown: str) -> None:
    assert public_name(name) == shown
