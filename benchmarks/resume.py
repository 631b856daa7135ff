"""Running again when nothing is owed: how long it takes, and that it asks for nothing.

    python benchmarks/resume.py [--prompts 10000 100000] [--completions 2] [--real]

The ledger is made without a network (offline.py): each prompt with every attempt, answer and outcome that a run
leaves behind, in two or three minutes for 100,000. With --real a run against the simulator makes it instead, which
takes longer. That the second run sends nothing is the simulator's word; were the ledger not what a run
leaves behind, it would see requests.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator

from common import Child, Figure, Plan, flags, folder, ledger_of, python, show, simulator, start_run, write_recipe

WANTED = {10_000: "≤ 5", 100_000: "≤ 30"}


def main() -> None:
    parser = flags(__doc__ or "")
    parser.add_argument("--prompts", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--completions", type=int, default=2)
    parser.add_argument("--real", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.prompts = [500]
    show(measure(options), options.json)


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """Each size in turn."""
    for prompts in options.prompts:
        with folder() as where, simulator() as server:
            recipe = write_recipe(where, server.url, Plan(prompts, options.completions, student="sim-student"))
            started = time.monotonic()
            if options.real:
                start_run(recipe).wait()
            else:
                Child(python("benchmarks/offline.py", "ledger", str(recipe), str(ledger_of(recipe)))).wait()
            built_s = time.monotonic() - started
            before = server.stats()["requests"]
            ended = start_run(recipe).wait()
            requests = server.stats()["requests"] - before
            size_mb = ledger_of(recipe).stat().st_size / 2**20
        result = ended.result
        unsettled = result["prompts"] - result["settled"] - sum(result["abstained"].values())
        name = f"{prompts:,} prompts settled"
        if unsettled and not requests:
            sys.exit(f"{name}: {unsettled} of them are not, and nothing was asked: that is no run to resume")
        yield Figure(f"{name}: `run` again, s", ended.wall_s, WANTED.get(prompts, ""))
        yield Figure(f"{name}: requests of that run", requests, "0")
        yield Figure(f"{name}: its CPU s; its peak memory, MB", f"{ended.cpu_s:.2f}; {ended.peak_mb:.0f}")
        calls = result["total"]["calls"]
        made = f"{calls:,}; {result['pairs']:,}; {size_mb:.0f}; {built_s:.0f}"
        yield Figure(f"{name}: calls in the ledger; pairs; MB; s to make it", made)


if __name__ == "__main__":
    main()
