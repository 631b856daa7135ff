"""A run as pairsmith makes it, through the openai client: five completions, scores, duels in between, pairs."""

import json
from collections.abc import Iterator
from contextlib import suppress
from statistics import mean

import openai
import pytest
from simulator_client import ASKS_FOR, Client, shown

from pairsmith.simulator import Settings, Simulator, running

PROMPTS = 120


def ask(client: Client, kind: str, answers: list[str], key: str) -> object:
    with suppress(ValueError, KeyError):
        return json.loads(client.judge(kind, answers, key=key).text)[kind]
    return None


def settle(client: Client, i: int) -> tuple[str, str] | None:
    """Chosen and rejected of one prompt: gap 3, or gap 1 and a duel in both orders; floor 6."""
    prompt = f"How should our small shop handle the late parcel number {i} of a customer?"
    texts = {client.chat(prompt, key=f"{i}.{n}", temperature=0.9, top_k=20).text for n in range(5)}
    scored = sorted((ask(client, "score", [text], f"{i}{text[:30]}") or 5, text) for text in sorted(texts))
    (low, rejected), (high, chosen) = scored[0], scored[-1]
    if high < 6 or high - low < 1:
        return None
    if high - low < 3:
        winners = (
            ask(client, "winner", [chosen, rejected], f"{i}ab"),
            ask(client, "winner", [rejected, chosen], f"{i}ba"),
        )
        if winners != ("A", "B"):
            return None
    return chosen, rejected


def test_composed_prompts_give_pairs_for_most_and_right_ones_nearly_always() -> None:
    with running(Settings()) as simulator, Client(simulator.base_url) as client:
        settled = [pair for i in range(PROMPTS) if (pair := settle(client, i))]
        truths = [client.truth(list(pair)) for pair in settled]

    assert len(settled) / PROMPTS >= 0.85
    assert mean(chosen > rejected for chosen, rejected in truths) >= 0.97


@pytest.fixture
def plain() -> Iterator[Simulator]:
    with running(Settings()) as simulator:
        yield simulator


def test_the_openai_client_reads_answers_verdicts_and_errors(plain: Simulator) -> None:
    with openai.OpenAI(base_url=plain.base_url, api_key="sk-none", max_retries=0) as client:
        user = {"role": "user", "content": "How do I fold a map?"}
        answer = client.chat.completions.create(
            model="sim-student", messages=[user], extra_body={"top_k": 20}, extra_headers={"Idempotency-Key": "k"}
        )
        judged = client.chat.completions.create(
            model="sim-judge",
            messages=[
                {"role": "system", "content": ASKS_FOR["score"]},
                {"role": "user", "content": shown(["Fold it."])},
            ],
        )
        with pytest.raises(openai.NotFoundError) as missing:
            client.chat.completions.create(model="gpt-9", messages=[user])
        models = client.models.list()

    assert answer.choices[0].message.content
    assert answer.usage is not None
    assert judged.choices[0].finish_reason == "stop"
    assert missing.value.code == "model_not_found"
    assert "sim-student" in [model.id for model in models.data]
    assert plain.stats.keys == {"k": 1}
