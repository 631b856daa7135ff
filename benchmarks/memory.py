"""Peak memory, and how soon a run has something to show, at 1,000, 10,000 and 100,000 prompts.

    python benchmarks/memory.py [--prompts 1000 10000 100000] [--seconds 20] [--latency 0.2] [--whole]

A run keeps a chunk of the input and the prompts in flight, so its memory should not grow with the input: that is
what is looked at, and a run need not end for it. It is interrupted (as by Ctrl-C: it lets calls in flight finish
and writes its dataset) once it has run so long and the input is read. --whole lets it go to its end.

Peak memory is the kernel's (os.wait4). The ledger is read every 20 ms, beside the run, for its first pair and for
the end of the input; requests and pairs are counted from the start of the process and from the first request.
"""

from __future__ import annotations

import argparse
import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from common import Child, Figure, Plan, flags, folder, ledger_of, show, simulator, start_run, write_recipe

LOOK_S = 0.02


def main() -> None:
    parser = flags(__doc__ or "")
    parser.add_argument("--prompts", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--completions", type=int, default=4)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--concurrency", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--whole", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.prompts, options.seconds = [100, 5000], 5
    show(measure(options), options.json)


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """Each size in turn, and the largest against the smallest."""
    peaks = []
    for prompts in options.prompts:
        plan = Plan(prompts, options.completions, options.concurrency, student="sim-student")
        with folder() as where, simulator("--latency", str(options.latency)) as server:
            recipe = write_recipe(where, server.url, plan)
            run = start_run(recipe)
            pair_s, read_s = watch(run, ledger_of(recipe), None if options.whole else options.seconds)
            ended = run.wait(expected=(0, 130))
            stats = server.stats()
        peaks.append(ended.peak_mb)
        first_s = stats["first_request_s"]
        yield Figure(f"{prompts:,} prompts: peak memory, MB", ended.peak_mb, "≤ 130")
        yield Figure(f"{prompts:,} prompts: start to first request, s", first_s - ended.started_s, "≤ 1.2")
        wanted = f"≤ {3 * 2 * options.latency:g} (3 × a sample and a judgement)"
        yield Figure(f"{prompts:,} prompts: first request to first pair, s", pair_s - first_s, wanted)
        yield Figure(f"{prompts:,} prompts: start to all of the input read, s", read_s - ended.started_s)
        yield Figure(f"{prompts:,} prompts: requests until it ended or was stopped", stats["requests"])
    if len(peaks) > 1:
        name = f"peak memory at {options.prompts[-1]:,} over that at {options.prompts[0]:,} prompts"
        yield Figure(name, peaks[-1] / peaks[0])


def watch(run: Child, ledger: Path, seconds: float | None) -> tuple[float, float]:
    """When the first pair stood in the ledger, and when the input was read; stops the run after so many seconds."""
    pair_s = read_s = None
    interrupted = False
    while run.running():
        time.sleep(LOOK_S)
        pairs, whole = look(ledger)
        now_s = time.monotonic()
        if pair_s is None and pairs:
            pair_s = now_s
        if read_s is None and whole:
            read_s = now_s
        late = seconds is not None and now_s - run.started_s >= seconds
        if late and whole and not interrupted:
            run.interrupt()
            interrupted = True
    return pair_s or float("nan"), read_s or float("nan")


def look(ledger: Path) -> tuple[bool, bool]:
    """Whether there is a pair, and whether the input was read; False as long as there is no ledger."""
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as db,
    ):
        pair = db.execute("SELECT 1 FROM outcomes WHERE kind = 'pair' LIMIT 1").fetchone()
        whole = db.execute("SELECT complete FROM generations ORDER BY id DESC LIMIT 1").fetchone()
        return pair is not None, bool(whole and whole[0])
    return False, False


if __name__ == "__main__":
    main()
