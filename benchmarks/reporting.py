"""The report of a large run: how long it takes, and how large the file is.

    python benchmarks/reporting.py [--prompts 10000]

The ledger is made without a network (offline.py), with five completions a prompt and one judge. Each command runs in a
process of its own, on one core; peak memory is the kernel's. The comparison is of the run with a copy of its folder.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path

from common import Child, Ended, Figure, Plan, flags, folder, ledger_of, python, show, write_recipe

WANTED = {10_000: ("≤ 20 s", "≤ 5 MB")}


def main() -> None:
    parser = flags(__doc__ or "")
    parser.add_argument("--prompts", type=int, nargs="+", default=[10_000])
    options = parser.parse_args()
    if options.quick:
        options.prompts = [300]
    show(measure(options), options.json)


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """Each size in turn."""
    for prompts in options.prompts:
        with folder() as where:
            plan = Plan(prompts, completions=5, student="sim-student")
            recipe = write_recipe(where, "http://127.0.0.1:9/v1", plan)
            Child(python("benchmarks/offline.py", "ledger", str(recipe), str(ledger_of(recipe)))).wait()
            run = ledger_of(recipe).parent
            made = report(run)
            shutil.copytree(run, where / "again")
            compared = report(run, where / "again")
            size = (run / "report.html").stat().st_size / 1e6
        soon, small = WANTED.get(prompts, ("", ""))
        yield Figure(f"{prompts:,} prompts: `report`, s; peak MB", told(made), soon)
        yield Figure(f"{prompts:,} prompts: the file, MB", f"{size:.1f}", small)
        yield Figure(f"{prompts:,} prompts: `report A B`, s; peak MB", told(compared))


def report(*runs: Path) -> Ended:
    """The command, which has to end well."""
    return Child(python("-m", "pairsmith", "report", *map(str, runs))).wait()


def told(ended: Ended) -> str:
    """Its seconds and its memory."""
    return f"{ended.wall_s:.1f}; {ended.peak_mb:.0f}"


if __name__ == "__main__":
    main()
