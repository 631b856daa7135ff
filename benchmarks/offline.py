"""A run without a network: what pairsmith asks about each prompt, answered in this process by the simulator's players.

So the loops that pairsmith is compared with send the same bodies, and a ledger of 100,000 prompts is made in minutes.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import orjson

from pairsmith import collect
from pairsmith.ledger import Ledger, Settled, open_ledger
from pairsmith.pipeline import remember
from pairsmith.recipe import endpoints, load_recipe, to_toml
from pairsmith.records import ChatRequest, Outcome, Prompt, RequestId
from pairsmith.simulator.answers import ok
from pairsmith.simulator.book import Book
from pairsmith.simulator.players import Players
from pairsmith.steps import Step, begin, step
from pairsmith.wire.faults import read_reply
from pairsmith.work import Work, make_work

CHUNK = 256


@dataclass(frozen=True, slots=True)
class Call:
    """One request and the answer to it, as it came and as it is read."""

    request: ChatRequest
    raw: bytes
    outcome: Outcome


def prompts_of(path: Path) -> Iterator[Prompt]:
    """The prompts of a JSONL file."""
    with path.open("rb") as stream:
        for row in collect.read_prompts(stream, str(path), "jsonl"):
            assert isinstance(row, collect.Row)
            yield row.prompt


def carry(prompt: Prompt, work: Work, players: Players) -> tuple[list[Call], Step]:
    """Every call that a prompt owes until it is settled, and what it came to."""
    calls: list[Call] = []
    outcomes: dict[RequestId, Outcome] = {}
    known = begin(prompt, work)
    while True:
        now = step(prompt, known, outcomes, work)
        if not now.owed:
            return calls, now
        for request in now.owed:
            canonical = orjson.dumps(request.body, option=orjson.OPT_SORT_KEYS)
            raw = ok(players.answer(request.body, request.id, canonical)).body
            outcomes[request.id] = read_reply(request.id, raw)
            calls.append(Call(request, raw, outcomes[request.id]))


def write_bodies(recipe: Path, bodies: Path) -> int:
    """The body of every call of a recipe, one a line, samples and judgements in turn; returns how many."""
    loaded = load_recipe(recipe)
    work, players = make_work(loaded, endpoints(loaded, {})), Players(0, Book())
    count = 0
    with bodies.open("wb") as file:
        for prompt in prompts_of(recipe.parent / "prompts.jsonl"):
            for call in carry(prompt, work, players)[0]:
                file.write(orjson.dumps(call.request.body) + b"\n")
                count += 1
    return count


async def build_ledger(recipe: Path, path: Path) -> int:
    """The ledger that a whole run of the recipe leaves behind; returns how many calls stand in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ledger = open_ledger(path, time.time, create=True)
    loaded = load_recipe(recipe)
    models = {
        name: replace(endpoint, identity=ledger.identify(endpoint, False, False))
        for name, endpoint in endpoints(loaded, {}).items()
    }
    work, players = make_work(loaded, models), Players(0, Book())
    count = 0
    await ledger.new_generation()
    chunk: list[Prompt] = []
    for prompt in prompts_of(recipe.parent / "prompts.jsonl"):
        chunk.append(prompt)
        if len(chunk) == CHUNK:
            count += await _settle(chunk, work, players, ledger)
            chunk = []
    count += await _settle(chunk, work, players, ledger)
    await ledger.input_complete(0, 0)
    await remember(work, ledger)
    (path.parent / "recipe.toml").write_text(to_toml(loaded))
    await ledger.close()
    return count


async def _settle(chunk: list[Prompt], work: Work, players: Players, ledger: Ledger) -> int:
    """Take a chunk of prompts in, with all their calls and what they came to."""
    await ledger.add_prompts(chunk, collect.unite)
    carried = [(prompt, *carry(prompt, work, players)) for prompt in chunk]
    calls = [call for _, made, _ in carried for call in made]
    numbers = await asyncio.gather(*[ledger.begin(call.request, None) for call in calls])
    for number, call in zip(numbers, calls, strict=True):
        ledger.finish(number, call.request, call.outcome, call.raw, None)
    for prompt, _, now in carried:
        settled = Settled(
            now.kind, now.reason, now.final, len(now.completions), now.verdicts, now.body or {}, int(now.kind == "pair")
        )
        ledger.settle(prompt.id, work.digest, settled)
    await ledger.flush()
    return len(calls)


def main() -> None:
    """For benchmarks that must stay small themselves: offline.py bodies|ledger RECIPE OUT."""
    what, recipe, out = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    print(write_bodies(recipe, out) if what == "bodies" else asyncio.run(build_ledger(recipe, out)))


if __name__ == "__main__":
    main()
