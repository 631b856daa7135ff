"""Limits a minute: whether they are kept, how much of them is used, what waiting costs, and limits nobody announced.

    python benchmarks/limits.py [--part announced unannounced waiting] [--seconds 65] [--requests 600 6000]
                                [--tokens 100000] [--prompts 100]

announced     The recipe and the simulator have the same limit. `largest` is the most that the simulator counted in
              any 60 s (its window slides, refused requests count); `used` is what was answered in the steady middle
              of the run over limit × time; it is the simulator's count for requests, the ledger's for tokens.
unannounced   The simulator takes 150 requests in any 10 s, and the recipe says nothing of it; once without any
              header about it, once with them. Ideal is calls / 15 a second.
waiting       CPU of a run of 5,000 prompts in flight that may send one request a second, over one of 10.

The middle begins WARM_S after the start and lasts --seconds: below 60 no window was ever full.
"""

from __future__ import annotations

import argparse
import contextlib
import sqlite3
import time
from collections.abc import Iterator

from common import Child, Figure, Plan, Server, flags, folder, ledger_of, show, simulator, start_run, write_recipe

WARM_S = 6.0
CALLS_A_PROMPT = 6  # at least, with 4 completions: duplicates are not judged
HIDDEN, HIDDEN_WINDOW_S = 150, 10
STOPPED = (0, 130)


def main() -> None:
    parser = flags(__doc__ or "")
    parser.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--seconds", type=float, default=65)
    parser.add_argument("--requests", type=int, nargs="*", default=[600, 6000])
    parser.add_argument("--tokens", type=int, nargs="*", default=[100_000])
    parser.add_argument("--prompts", type=int, default=100, help="of the part `unannounced`")
    parser.add_argument("--waiting", type=int, default=5000, help="prompts of the part `waiting`")
    options = parser.parse_args()
    if options.quick:
        options.seconds, options.requests, options.prompts, options.waiting = 8, [600], 30, 500
    show(measure(options), options.json)


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """The parts that were asked for."""
    for part in options.part:
        yield from PARTS[part](options)


# --- announced -------------------------------------------------------------------------------------


def announced(options: argparse.Namespace) -> Iterator[Figure]:
    """Requests a minute, then tokens a minute."""
    for limit in options.requests:
        yield from requests_a_minute(limit, options.seconds)
    for limit in options.tokens:
        yield from tokens_a_minute(limit, options.seconds)


def requests_a_minute(limit: int, seconds: float) -> Iterator[Figure]:
    prompts = round(limit / 60 * (WARM_S + seconds + 5) / CALLS_A_PROMPT) + 64
    plan = Plan(prompts, keys={"requests_per_minute": limit})
    with folder() as where, simulator("--latency", "0.2", "--requests-per-minute", str(limit)) as server:
        run = start_run(write_recipe(where, server.url, plan))
        middle = Middle(server, seconds)
        stop(run)
        stats = server.stats()
    name = f"{limit:,} requests a minute"
    yield Figure(f"{name}: largest in any 60 s", stats["largest_window"], f"≤ {limit:,}")
    yield Figure(f"{name}: used in the middle {seconds:g} s", middle.answered / (limit / 60 * middle.lasted_s))
    yield Figure(f"{name}: answered 429", refused(stats), "0")


def tokens_a_minute(limit: int, seconds: float) -> Iterator[Figure]:
    plan = Plan(limit // 100, keys={"tokens_per_minute": limit})
    with folder() as where, simulator("--latency", "0.2", "--tokens-per-minute", str(limit)) as server:
        recipe = write_recipe(where, server.url, plan)
        run = start_run(recipe)
        middle = Middle(server, seconds)
        stop(run)
        stats = server.stats()
        with contextlib.closing(sqlite3.connect(ledger_of(recipe))) as ledger:
            spent = "SELECT total(input_tokens) + total(output_tokens) FROM attempts WHERE at BETWEEN ? AND ?"
            tokens = ledger.execute(spent, (middle.began, middle.began + middle.lasted_s)).fetchone()[0]
    name = f"{limit:,} tokens a minute"
    yield Figure(f"{name}: largest in any 60 s", stats["largest_token_window"], f"≤ {limit:,}")
    yield Figure(f"{name}: used in the middle {seconds:g} s", tokens / (limit / 60 * middle.lasted_s))
    yield Figure(f"{name}: answered 429", refused(stats), "0")


class Middle:
    """The steady middle of a run: sleeps through it, then knows when it began and what was answered in it."""

    def __init__(self, server: Server, seconds: float) -> None:
        time.sleep(WARM_S)
        self.began = time.time()
        started, before = time.monotonic(), server.stats()
        time.sleep(seconds)
        after, ended = server.stats(), time.monotonic()
        self.lasted_s = ended - started
        self.answered = after["by_status"].get("200", 0) - before["by_status"].get("200", 0)


def stop(run: Child) -> None:
    """Interrupt a run that must not have ended by itself: then there was no steady middle."""
    if not run.running():
        run.wait()
        raise SystemExit("the run ended before the middle did: it needs more prompts")
    run.interrupt()
    run.wait(STOPPED)


def refused(stats: dict[str, dict[str, int]]) -> int:
    """Requests that were answered 429."""
    return stats["by_status"].get("429", 0)


# --- unannounced -----------------------------------------------------------------------------------


def unannounced(options: argparse.Namespace) -> Iterator[Figure]:
    """A limit that the recipe does not name: without and with headers that speak of it."""
    limit = ("--requests-per-minute", str(HIDDEN), "--limit-window", str(HIDDEN_WINDOW_S))
    for how, more in (("no headers", ("--no-limit-headers",)), ("headers", ())):
        with folder() as where, simulator("--latency", "0.2", *limit, *more) as server:
            ended = start_run(write_recipe(where, server.url, Plan(options.prompts))).wait((0, 3))
            stats, result = server.stats(), ended.result
        calls = stats["by_status"].get("200", 0)
        ideal_s = calls / (HIDDEN / HIDDEN_WINDOW_S)
        lost = sum(result["failed"].values()) + result["not_reached"]
        name = f"{HIDDEN} requests in {HIDDEN_WINDOW_S} s, {how}, not in the recipe"
        wanted = "≤ 1.10" if how == "no headers" else ""
        yield Figure(f"{name}: wall over ideal ({calls:,} calls)", ended.wall_s / ideal_s, wanted)
        yield Figure(f"{name}: share answered 429", refused(stats) / stats["requests"], "≤ 0.10")
        yield Figure(f"{name}: prompts that failed or were not reached", lost, "0")


# --- waiting ---------------------------------------------------------------------------------------


def waiting(options: argparse.Namespace) -> Iterator[Figure]:
    """CPU of many prompts that wait for their turn, over that of few."""
    seconds = min(options.seconds, 20)
    few = cpu_of_waiting(10, options.waiting, seconds)
    many = cpu_of_waiting(options.waiting, options.waiting, seconds)
    yield Figure("10 prompts waiting: share of a core", few)
    yield Figure(f"{options.waiting:,} prompts waiting: share of a core", many)
    yield Figure(f"share of a core that {options.waiting:,} waiting take more than 10", many - few, "≤ 0.01")


def cpu_of_waiting(prompts: int, width: int, seconds: float) -> float:
    """Two gates as wide as half the prompts: all of them are in flight and queue for one request a second."""
    plan = Plan(prompts, concurrency=width // 2, student="sim-student", keys={"requests_per_minute": 60})
    with folder() as where, simulator() as server:
        run = start_run(write_recipe(where, server.url, plan))
        time.sleep(WARM_S + width / 1000)  # until all are queued
        started, before_s = time.monotonic(), run.cpu_so_far_s()
        time.sleep(seconds)
        share = (run.cpu_so_far_s() - before_s) / (time.monotonic() - started)
        stop(run)
    return share


PARTS = {"announced": announced, "unannounced": unannounced, "waiting": waiting}

if __name__ == "__main__":
    main()
