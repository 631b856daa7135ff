"""What of a recipe may be shown to everybody."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from pairsmith.recipe import Recipe
from pairsmith.running.shareable import is_public, public_name, shareable, shareable_toml

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
        "hook": "",
        "adapter": "lora",
    }


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
