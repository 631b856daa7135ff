"""kill -9 at random moments: nothing that was answered is lost or bought again, and the bytes are the same."""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from aiohttp import web

from cli_runs import Project, Server, everyday, pairsmith, serving, started, until
from pairsmith.simulator import Simulator
from pairsmith.simulator import serving as simulator_serving

KILLS = int(os.environ.get("PAIRSMITH_KILLS", "3"))
PROMPTS = 40 + 8 * KILLS
CONCURRENCY = 8  # of each of the two gates
COMMIT_S = 0.1  # an answer that is older than this must be durable
STALL_S = 0.4  # besides, for a sync that a busy disk holds up: seen on a shared machine, and not ours
LATENCY_S = 0.03
CALLS_A_SECOND = 2 * CONCURRENCY / LATENCY_S
UNCOMMITTED = int(CALLS_A_SECOND * COMMIT_S)  # at most so many answers arrive within 100 ms
LIMITED = {
    "student": {"model": "sim-student", "concurrency": CONCURRENCY},
    "judge": {"model": "sim-judge", "concurrency": CONCURRENCY},
}


class WatchedSimulator(Simulator):
    """Remembers when each request was asked and answered (monotonic seconds)."""

    log: list[tuple[str, float, float]]

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        key, asked = request.headers.get("Idempotency-Key", ""), time.monotonic()
        try:
            response = await super()._chat(request)
        except asyncio.CancelledError:
            self.log.append((key, asked, float("inf")))
            raise
        self.log.append((key, asked, time.monotonic()))
        return response


@contextmanager
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Server, list[tuple[str, float, float]]]]:
    log: list[tuple[str, float, float]] = []
    WatchedSimulator.log = log
    with monkeypatch.context() as patched:
        patched.setattr(simulator_serving, "Simulator", WatchedSimulator)
        with serving(latency_s=LATENCY_S, latency_sigma=0.6) as server:
            yield server, log


def limited(folder: Path, server: Server, **more: object) -> Project:
    project = Project(folder, server).prompts(everyday(PROMPTS))
    project.save(endpoints={name: {**table, "base_url": server.url} for name, table in LIMITED.items()}, **more)
    return project


class Death(NamedTuple):
    """It was alive when it was struck, and asks nothing any more when it is gone (monotonic seconds)."""

    struck: float
    gone: float


def killed(project: Project, after_calls: int, *more: object, later_s: float = 0.0) -> Death | None:
    """Start a run and kill it so long after so many further calls; its death, or None if it ended.

    Calls go out right after a commit: without `later_s` every kill would fall into the moment behind one.
    """
    before = project.server.calls
    with started(*project.words(*more)) as process:
        until(lambda: process.poll() is not None or project.server.calls >= before + after_calls, "calls")
        try:
            process.wait(later_s)
        except subprocess.TimeoutExpired:
            struck = time.monotonic()
            process.kill()
            process.wait()
            return Death(struck, time.monotonic())
        return None


def test_a_run_killed_again_and_again_ends_in_the_bytes_of_an_uninterrupted_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = Random(7)
    with watched(monkeypatch) as (server, log):
        whole = limited(tmp_path / "whole", server)
        server.latency(0.0)
        wanted = whole.run()
        calls = server.calls
        server.latency(LATENCY_S, 0.6)
        server.forget()
        log.clear()
        project = limited(tmp_path / "killed", server)
        deaths = [
            killed(project, rng.randint(1, max(2, calls // (KILLS + 1) * 2 - 40)), later_s=rng.uniform(0, 0.2))
            for _ in range(KILLS)
        ]
        final = project.run()
        keys = server.keys

    kills = [death for death in deaths if death is not None]
    twice = sum(count - 1 for count in keys.values())
    assert len(kills) >= KILLS // 2
    assert project.dataset == whole.dataset
    assert {key: final[key] for key in ("settled", "abstained", "failed", "verdicts", "completions")} == {
        key: wanted[key] for key in ("settled", "abstained", "failed", "verdicts", "completions")
    }
    assert set(keys) == {key for key, _, _ in log}
    assert len(keys) == wanted["total"]["calls"]
    assert twice <= len(kills) * (2 * CONCURRENCY + UNCOMMITTED)
    assert late_repeats(log, kills) == []


def late_repeats(log: list[tuple[str, float, float]], kills: list[Death]) -> list[tuple[str, float]]:
    """Requests asked again although an answer was out for longer than a commit may take when its asker died."""
    asked_at: dict[str, list[float]] = {}
    for key, asked, _ in log:
        asked_at.setdefault(key, []).append(asked)
    found = []
    for key, asked, answered in log:
        struck = min((kill.struck for kill in kills if kill.gone > asked), default=float("inf"))
        if answered < struck - COMMIT_S - STALL_S:
            found += [(key, again) for again in asked_at[key] if again > asked]
    return found


def test_an_attempt_lost_in_a_kill_is_shown_and_the_ledger_stays_whole(project: Project) -> None:
    project.server.latency(0.2)
    assert killed(project, 10)

    status = pairsmith("status", project.run_dir, "--json").json

    assert status["unanswered_attempts"] > 0
    assert project.sql("PRAGMA integrity_check") == [("ok",)]


class Spending:
    """What the server itself would bill: the tokens of every answer it made, also of those nobody took."""

    def __init__(self, server: Server, price: dict[str, float]) -> None:
        self._price = price
        self._tokens = {"input": 0, "output": 0}
        self._lock = threading.Lock()
        players = server.simulator._players
        answer = players.answer

        def counted(body: dict[str, object], key: str, canonical: bytes) -> object:
            made = answer(body, key, canonical)
            with self._lock:
                self._tokens["input"] += made.prompt_tokens
                self._tokens["output"] += sum(choice.tokens for choice in made.choices)
            return made

        players.answer = counted  # type: ignore[method-assign, assignment]

    def usd(self) -> float:
        return sum(self._tokens[kind] * self._price[kind] for kind in self._tokens) / 1e6


def test_the_pairs_of_a_killed_run_can_be_exported_before_it_goes_on(tmp_path: Path) -> None:
    with serving(latency_s=0.05) as server:
        project = Project(tmp_path, server).prompts(everyday(60))
        project.save(
            endpoints={name: {**table, "base_url": server.url} for name, table in LIMITED.items()},
        )
        assert killed(project, 160)

        ran = pairsmith("export", project.run_dir, "--json")

    assert ran.code == 0
    assert 0 < ran.json["rows"] < 60
    assert len(project.pairs) == ran.json["rows"]


def test_a_run_killed_while_it_reads_its_input_takes_all_of_it_the_next_time(project: Project) -> None:
    with started(*project.words("--set", "prompts.path=-", "--set", "prompts.format=jsonl"), pipe=True) as process:
        assert process.stdin
        process.stdin.write(b"".join(b'{"prompt": "Half of %d?"}\n' % number for number in range(300)))
        process.stdin.flush()
        until(lambda: project.server.calls > 5, "the first calls")
        process.kill()
        process.wait()

    said = project.run()

    assert said["prompts"] == 12 == accounted_prompts(project)


def accounted_prompts(project: Project) -> int:
    return len(project.sql("SELECT * FROM inputs"))


def test_a_kill_between_two_runs_of_different_inputs_exports_the_last_whole_one(project: Project) -> None:
    said = project.run()
    pairs = project.pairs
    with started(*project.words("--set", "prompts.path=-", "--set", "prompts.format=jsonl"), pipe=True) as process:
        assert process.stdin
        process.stdin.write(b"".join(b'{"prompt": "Half of %d?"}\n' % number for number in range(300)))
        process.stdin.flush()
        until(lambda: project.server.calls > said["total"]["calls"] + 5, "calls for the new input")
        process.kill()
        process.wait()

    ran = pairsmith("export", project.run_dir, "--json", "-o", project.folder / "out.jsonl")

    assert ran.json["rows"] == len(pairs)
    assert (project.folder / "out.jsonl").read_bytes() == project.dataset[0]
