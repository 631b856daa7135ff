"""A reward model from the recipe to the ledger: the path, the faults, the money, over a real port."""

import asyncio
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest
from canned_server import CannedServer, http
from wire_fakes import PRICE, answer

from pairsmith.errors import RecipeError
from pairsmith.judge.reward import read_reward, reward_request
from pairsmith.ledger import open_ledger
from pairsmith.recipe import endpoints, recipe_of
from pairsmith.records import (
    ChatRequest,
    Completion,
    CompletionId,
    Endpoint,
    EndpointName,
    Failure,
    Outcome,
    Prompt,
    PromptId,
    Reply,
    StoredReply,
)
from pairsmith.simulator import Settings, running
from pairsmith.simulator.composing import compose
from pairsmith.simulator.stats import Stats
from pairsmith.wire.client import OpenAITransport, call_url, path_of
from pairsmith.wire.gate import Clock
from pairsmith.wire.money import Budget, Caps
from pairsmith.wire.online import Engine
from pairsmith.wire.session import SessionTransport, transport_for
from pairsmith.wire.stored import read_stored

DRAFTS = sorted(compose(0, "How do I fold a map?"), key=lambda draft: draft.quality)
PROMPT = Prompt(PromptId("p"), ({"role": "user", "content": "How do I fold a map?"},))
Made = type[SessionTransport | OpenAITransport]


def reward_model(url: str = "http://unused/v1", **fields: Any) -> Endpoint:
    given = {"identity": "rm", "timeout_s": 10.0, "price": PRICE, "concurrency": 4, "kind": "reward", **fields}
    return Endpoint(EndpointName("rm"), base_urls=(url,), **{"model": "sim-reward", **given})


def asked(rm: Endpoint, text: str) -> ChatRequest:
    return reward_request(PROMPT, Completion(CompletionId(text), PROMPT.id, text, "arm"), rm)


# --- the path ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("base_url", "path", "url"),
    [
        ("http://gpu:8000/v1", "classify", "http://gpu:8000/classify"),
        ("http://gpu:8000/v1/", "pooling", "http://gpu:8000/pooling"),
        ("http://gpu:8000", "classify", "http://gpu:8000/classify"),
        ("https://proxy/rm/v1", "classify", "https://proxy/rm/classify"),
        ("https://proxy/rm", "pooling", "https://proxy/rm/pooling"),
        ("http://gpu:8000/v1", "chat/completions", "http://gpu:8000/v1/chat/completions"),
    ],
)
def test_a_reward_model_is_asked_at_the_root_and_a_chat_model_below_v1(base_url: str, path: str, url: str) -> None:
    assert call_url(base_url, path) == url


@pytest.mark.parametrize("reward_path", ["classify", "pooling"])
def test_both_transports_post_to_the_path_of_the_endpoint(
    transport: Made, server: CannedServer, reward_path: str
) -> None:
    rm = reward_model(server.base_url, reward_path=reward_path)

    async def once() -> None:
        made = transport(server.base_url, "a-key", 4, 5.0, path=path_of(rm))
        await made.send(b'{"model":"m"}', "the-request-id")
        await made.close()

    asyncio.run(once())

    (seen,) = server.seen
    assert seen.line == f"POST /{reward_path} HTTP/1.1"
    assert (seen.body, seen.headers["idempotency-key"]) == (b'{"model":"m"}', "the-request-id")
    assert seen.headers["authorization"] == "Bearer a-key"


# --- from the engine to the ledger and back ------------------------------------------------------------


@dataclass
class Ran:
    outcomes: list[Outcome | None]
    engine: Engine
    attempts: list[tuple[str, str]]  # how each ended, and its purpose
    raw: dict[str, bytes]  # the stored bodies by request


def pay(folder: Path, rm: Endpoint, texts: list[str], budget: Budget | None = None) -> Ran:
    """Pay the rewards of these texts, and read what the ledger has."""
    path = folder / "ledger.sqlite3"

    async def story() -> tuple[list[Outcome | None], Engine]:
        ledger = open_ledger(path, lambda: 1.0, create=True)
        clock = Clock(time.monotonic, time.time, asyncio.sleep)
        engine = Engine({rm.name: rm}, lambda e: transport_for(e, None), ledger, clock, Random(0), (), budget)
        async with asyncio.timeout(20):
            outcomes = await engine.pay([asked(rm, text) for text in texts])
        await engine.close()
        await ledger.close()
        return outcomes, engine

    outcomes, engine = asyncio.run(story())
    with closing(sqlite3.connect(path)) as db:
        attempts = db.execute("SELECT outcome, purpose FROM attempts ORDER BY id").fetchall()
        return Ran(outcomes, engine, attempts, dict(db.execute("SELECT request, raw FROM replies")))


def pay_simulated(
    folder: Path, texts: list[str], faults: Mapping[str, float] | None = None, budget: Budget | None = None, **rm: Any
) -> tuple[Ran, Stats]:
    with running(Settings(faults=faults or {})) as simulator:
        return pay(folder, reward_model(simulator.base_url, **rm), texts, budget), simulator.stats


def reward(outcome: Outcome | None) -> float:
    assert isinstance(outcome, Reply), outcome
    found = read_reward(outcome.text)
    assert isinstance(found, float)
    return found


@pytest.mark.parametrize("reward_path", ["classify", "pooling"])
def test_better_answers_get_higher_rewards_and_the_ledger_gives_the_same_ones_back(
    tmp_path: Path, reward_path: str
) -> None:
    ran, _ = pay_simulated(tmp_path, [DRAFTS[0].text(), DRAFTS[-1].text()], reward_path=reward_path)

    worst, best = map(reward, ran.outcomes)
    assert best > worst + 1
    assert max(abs(best), abs(worst)) > 1  # raw, and not squeezed into 0 … 1
    replies = [outcome for outcome in ran.outcomes if isinstance(outcome, Reply)]
    again = [read_stored(o.request_id, StoredReply(ran.raw[o.request_id], None, o.latency_s)) for o in replies]
    assert again == replies
    assert ran.attempts == [("ok", "score")] * 2
    assert all(reply.simulated and reply.usage.output_tokens == 0 for reply in replies)


def test_a_500_is_tried_again_under_the_same_key_until_there_is_a_reward(tmp_path: Path, quick: None) -> None:
    texts = [draft.text() for draft in DRAFTS]
    ran, stats = pay_simulated(tmp_path, texts, {"500": 0.4})

    assert len([reward(outcome) for outcome in ran.outcomes]) == len(texts)
    assert ("http_500", "score") in ran.attempts
    assert stats.keys.total() == len(ran.attempts) > len(stats.keys) == len(texts)


def test_an_unknown_model_stops_the_run_and_names_the_remedies(tmp_path: Path) -> None:
    ran, _ = pay_simulated(tmp_path, ["Fold it."], model="Skywork/Other")

    stopped = ran.engine.stopped
    assert ran.outcomes == [None]
    assert stopped is not None
    assert stopped.reason == "no_such_model"
    assert stopped.sentence.startswith("endpoint rm (Skywork/Other) answers 404 (The model `Skywork/Other` does not")
    assert '/classify was asked, reward_path = "pooling" asks /pooling' in stopped.sentence


def test_a_model_that_is_no_reward_model_stops_the_run(tmp_path: Path) -> None:
    ran, _ = pay_simulated(tmp_path, ["Fold it."], model="sim-judge", reward_path="pooling")

    said = 'answers 404 (Not Found; /pooling was asked, reward_path = "classify" asks /classify)'
    assert ran.engine.stopped is not None
    assert said in ran.engine.stopped.sentence


def test_a_reply_with_several_numbers_is_never_a_reward(tmp_path: Path, server: CannedServer, quick: None) -> None:
    body = orjson.dumps({"object": "list", "data": [{"index": 0, "probs": [0.4, 0.6], "num_classes": 2}]})
    server.reply = http("200 OK", body)

    ran = pay(tmp_path, reward_model(server.base_url), ["Fold it."])

    (outcome,) = ran.outcomes
    assert isinstance(outcome, Failure)
    assert outcome.reason == "several_rewards"
    assert outcome.message == "the reply holds 2 numbers where a reward model gives one"
    assert ran.raw == {}


def test_a_reward_costs_its_input_and_fits_under_a_cap(tmp_path: Path) -> None:
    budget = Budget(Caps(usd=1.0))
    ran, _ = pay_simulated(tmp_path, ["Fold it."], budget=budget)

    (reply,) = ran.outcomes
    assert isinstance(reply, Reply)
    assert reply.usage.input_tokens
    assert budget.spent.usd == pytest.approx(reply.usage.input_tokens * PRICE.input / 1e6)
    assert ran.engine.tally.cost_usd == pytest.approx(budget.spent.usd)


def test_the_limit_of_tokens_a_minute_holds_for_rewards_too(tmp_path: Path) -> None:
    fits, _ = pay_simulated(tmp_path, ["Fold it."], tokens_per_minute=1000)
    too_large, _ = pay_simulated(tmp_path, ["Fold it. " * 600], tokens_per_minute=1000)

    (outcome,) = too_large.outcomes
    assert reward(fits.outcomes[0])
    assert isinstance(outcome, Failure)
    assert outcome.reason == "over_token_limit"


# --- the recipe --------------------------------------------------------------------------------------

TABLE = {
    "name": "n",
    "prompts": {"path": "p.jsonl"},
    "endpoints": {"rm": {"model": "rm", "kind": "reward"}, "student": {"model": "s"}},
    "judge": {"panel": ["student"]},
    "sample": {},
}


def test_a_reward_model_is_no_endpoint_to_sample_from() -> None:
    recipe = recipe_of(TABLE, "recipe.toml")

    assert recipe.sampled_endpoints == ("student",)
    with pytest.raises(RecipeError, match="names 'rm', a reward model: it scores answers, and gives none"):
        recipe_of({**TABLE, "sample": {"endpoints": ["rm"]}}, "recipe.toml")
    with pytest.raises(RecipeError, match="names 'rm', a reward model"):
        recipe_of({**TABLE, "sample": {"arms": [{"endpoint": "rm"}]}}, "recipe.toml")
    with pytest.raises(RecipeError, match="names 'rm', a reward model"):
        recipe_of({**TABLE, "endpoints": {"rm": {"model": "rm", "kind": "reward"}}, "judge": {"panel": ["rm"]}}, "r")


def test_an_endpoint_is_a_chat_model_unless_the_recipe_says_reward() -> None:
    found = endpoints(recipe_of({**TABLE, "judge": {"panel": ["rm"]}}, "recipe.toml"), {})

    kinds = {name: (e.kind, e.reward_path) for name, e in found.items()}
    assert kinds == {"rm": ("reward", "classify"), "student": ("chat", "classify")}


def test_a_model_at_one_url_is_of_one_kind() -> None:
    same = {"rm": {"model": "m", "kind": "reward"}, "student": {"model": "m"}}

    with pytest.raises(RecipeError, match="give both the same kind"):
        recipe_of({**TABLE, "endpoints": same}, "recipe.toml")


def test_a_chat_answer_is_no_reward() -> None:
    reply = read_stored(asked(reward_model(), "x").id, StoredReply(answer("8").body, None, 0.0))

    assert isinstance(reply, Reply)
    assert not isinstance(read_reward(reply.text), float)
