"""Pairing a finished run again, proving its file, and splitting it, at 10,000 and 100,000 settled prompts.

    python benchmarks/again.py [--prompts 10000 100000]

The ledger is made without a network (offline.py), with four completions a prompt and one judge; that takes five minutes
for 100,000 prompts. Each command runs in a process of its own, on one core; peak memory is the kernel's.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from common import Child, Ended, Figure, Plan, flags, folder, ledger_of, python, show, write_recipe

WANTED = {100_000: "≤ 60 s, ≤ 300 MB"}


def main() -> None:
    parser = flags(__doc__ or "")
    parser.add_argument("--prompts", type=int, nargs="+", default=[10_000, 100_000])
    options = parser.parse_args()
    if options.quick:
        options.prompts = [500]
    show(measure(options), options.json)


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """Each size in turn."""
    for prompts in options.prompts:
        with folder() as where:
            recipe = write_recipe(where, "http://127.0.0.1:9/v1", Plan(prompts, student="sim-student"))
            Child(python("benchmarks/offline.py", "ledger", str(recipe), str(ledger_of(recipe)))).wait()
            run, out = str(ledger_of(recipe).parent), where / "pairs.jsonl"
            changes = ("--set", "pair.min_gap=2.5")
            again = pairsmith("pair", run, *changes, "-o", str(out))
            compared = pairsmith("pair", run, "--compare", "best-random", "--compare", "hardest")
            audited = pairsmith("audit", run, str(out))
            split = pairsmith("pair", run, *changes, "--set", "export.validation=0.1", "-o", str(where / "split.jsonl"))
            rows = lines(out)
        name = f"{prompts:,} settled prompts"
        yield Figure(f"{name}: `pair`, s; peak MB; rows", f"{told(again)}; {rows:,}", WANTED.get(prompts, ""))
        yield Figure(f"{name}: `pair --compare` three ways, s; peak MB", told(compared))
        yield Figure(f"{name}: `audit`, s; peak MB", told(audited))
        yield Figure(f"{name}: `pair` into two files, s; peak MB", told(split))


def pairsmith(*words: str) -> Ended:
    """A command, which has to end well."""
    return Child(python("-m", "pairsmith", *words)).wait()


def told(ended: Ended) -> str:
    """Its seconds and its memory."""
    return f"{ended.wall_s:.1f}; {ended.peak_mb:.0f}"


def lines(path: Path) -> int:
    """How many a file has."""
    with path.open("rb") as file:
        return sum(1 for _ in file)


if __name__ == "__main__":
    main()
