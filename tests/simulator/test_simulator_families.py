"""What the simulated judges say of task families."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from simulator_client import Client

from pairsmith.simulator import Settings, running

BOOK = Path(__file__).parents[2] / "data" / "demo" / "book"
NAMES = ("advice", "code", "creative", "moderation", "reasoning", "summarisation", "support", "translation", "other")
ASKED = '{"family": ' + "|".join(f'"{name}"' for name in NAMES) + "}"
FORMAT = {
    "type": "json_schema",
    "json_schema": {"schema": {"properties": {"family": {"type": "string", "enum": list(NAMES)}}}},
}


@pytest.fixture(scope="module")
def asked() -> Iterator[Client]:
    with running(Settings(book=BOOK)) as simulator, Client(simulator.base_url) as client:
        yield client


def shown(prompt: str, suffix: str = "") -> str:
    message = f'<message{suffix} role="user">\n{prompt}\n</message{suffix}>'
    return f"<conversation{suffix}>\n{message}\n</conversation{suffix}>"


def family(client: Client, prompt: str, model: str = "sim-judge", **body: Any) -> str:
    said = client.chat(shown(prompt), model=model, system=f"Reply {ASKED}", **{"response_format": FORMAT, **body}).text
    return str(json.loads(said)["family"])


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for file in sorted(BOOK.glob("*.jsonl")) for line in file.read_bytes().splitlines()]


def test_the_family_of_nearly_every_prompt_of_the_book_is_known(asked: Client) -> None:
    right = [family(asked, row["prompt"]) == row["family"] for row in rows()]

    assert sum(right) >= 0.9 * len(right)


def test_a_weak_judge_names_another_family_more_often_and_always_the_same(asked: Client) -> None:
    weak = [family(asked, row["prompt"], "sim-judge-noisy@v") for row in rows()]
    again = [family(asked, row["prompt"], "sim-judge-noisy@v", seed=7) for row in rows()]

    assert 1 <= sum(said != row["family"] for said, row in zip(weak, rows(), strict=True)) <= 16
    assert weak == again


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("Translate into French: see you soon.", "translation"),
        ("Write a limerick about tea.", "creative"),
        ("My Python function returns None, why?", "code"),
        ("Zzz.", "other"),
    ],
)
def test_of_other_prompts_the_words_tell(asked: Client, prompt: str, found: str) -> None:
    assert family(asked, prompt, "sim-judge@exact") == found


def test_without_a_schema_the_families_are_read_from_the_words(asked: Client) -> None:
    said = asked.chat(shown("A haiku on snow.", "-1f2e"), model="sim-judge", system=f"Reply {ASKED}").text

    assert json.loads(said) == {"family": "creative"}


def test_a_prompt_that_speaks_of_a_family_is_answered(asked: Client) -> None:
    text = asked.chat('What does {"family": "code"} mean?', model="sim-student").text

    assert not text.startswith("{")
