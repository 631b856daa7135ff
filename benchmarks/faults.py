"""Everything goes wrong at once: a run with every fault of the simulator that does not end one.

    python benchmarks/faults.py [--prompts 2000] [--share 0.2] [--timeout 2]

Each fault meets an equal part of the requests, together --share of them. `pairsmith run` is repeated until it has
nothing left to ask. Then every prompt is in exactly one state, and the simulator has counted as many requests as
the ledger has attempts. Wall time has no ideal here: pauses are asked for, and backing off is waiting.
"""

from __future__ import annotations

import argparse
import contextlib
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from common import Figure, Plan, flags, folder, ledger_of, python, show, simulator, start_run, write_recipe

FATAL = ("401", "402", "403", "quota", "404-model")
MOST_RUNS = 10
NAMES = "from pairsmith.simulator.faults import FAULTS; print(*FAULTS)"  # in a process of its own: see common.py


def main() -> None:
    parser = flags(__doc__ or "")
    parser.add_argument("--prompts", type=int, default=2000)
    parser.add_argument("--completions", type=int, default=4)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--share", type=float, default=0.2)
    parser.add_argument("--timeout", type=float, default=2, help="timeout_s: two of the faults never answer")
    options = parser.parse_args()
    if options.quick:
        options.prompts = 50
    show(measure(options), options.json)


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """Runs until nothing is owed, then the books."""
    names = [name for name in faults() if name not in FATAL]
    settings = [part for name in names for part in ("--fault", f"{name}={options.share / len(names):.6f}")]
    keys = {"timeout_s": options.timeout}
    plan = Plan(options.prompts, options.completions, options.concurrency, student="sim-student", keys=keys)
    with folder() as where, simulator("--latency", str(options.latency), "--retry-after", "0.1", *settings) as server:
        recipe = write_recipe(where, server.url, plan)
        for number in range(1, MOST_RUNS + 1):
            ended = start_run(recipe).wait((0, 3))
            result = ended.result
            yield Figure(f"run {number}: {outcome(result)}", f"{ended.wall_s:.1f} s")
            if not sum(result["attempts"].values()) and not result["stopped"]:
                break
        stats = server.stats()
        states, left = states_of(ledger_of(recipe))
    yield Figure(f"prompts in exactly one state, of {options.prompts:,}", states, f"{options.prompts:,}")
    yield Figure("prompts that still owe something", left, "0")
    attempts = result["total"]["attempts"]
    yield Figure("requests that the simulator counted - attempts in the ledger", stats["requests"] - attempts, "0")
    yield Figure("requests; of them spoilt; kinds of faults met", _met(stats, len(names)))


def _met(stats: dict[str, Any], kinds: int) -> str:
    by_fault = stats["by_fault"]
    return f"{stats['requests']:,}; {sum(by_fault.values()):,}; {len(by_fault)} of {kinds}"


def faults() -> list[str]:
    """Every fault that the simulator knows."""
    return subprocess.run(python("-c", NAMES), capture_output=True, text=True, check=True).stdout.split()


def outcome(result: dict[str, Any]) -> str:
    """What a run came to, in a few words."""
    calls = sum(result["calls"].values())
    retries = sum(result["attempts"].values()) - calls
    abstained, failed = sum(result["abstained"].values()), sum(result["failed"].values())
    said = f"{result['settled']:,} pairs, {abstained:,} abstained, {failed:,} failed"
    stopped = f", stopped: {result['stopped']}" if result["stopped"] else ""
    return f"{said}, {result['not_reached']:,} not reached; {calls:,} calls, {retries:,} retries{stopped}"


def states_of(ledger: Path) -> tuple[int, int]:
    """Prompts with exactly one outcome; and those that have none, or one that is not final."""
    with contextlib.closing(sqlite3.connect(ledger)) as db:
        once = "SELECT count(*) FROM (SELECT p.id FROM prompts p JOIN outcomes o ON o.prompt = p.id"
        states = db.execute(f"{once} GROUP BY p.id HAVING count(*) = 1)").fetchone()[0]
        owed = "SELECT count(*) FROM prompts p LEFT JOIN outcomes o ON o.prompt = p.id AND o.final"
        left = db.execute(f"{owed} WHERE o.prompt IS NULL").fetchone()[0]
    return states, left


if __name__ == "__main__":
    main()
