"""What it takes to leave prompts out: `pairsmith collect` with each --dedupe, and against an evaluation set.

    python benchmarks/sifting.py [--rows 100000 1000000] [--near 100000] [--items 10000]

Rows of 40 to 60 words, the common ones often; every tenth repeats an earlier one in capitals. The whole command is
measured, with the writing of the file. Near-duplicates are looked for among fewer rows, as memory grows with them.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from common import Child, Figure, flags, folder, python, show

WORDS = [f"{one}{two}{three}" for one in "bdfgklmnprst" for two in "aeiou" for three in ("", "rin", "sol", "tam", "ku")]


def main() -> None:
    parser = flags(__doc__ or "")
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--near", type=int, default=100_000)
    parser.add_argument("--items", type=int, default=10_000)
    options = parser.parse_args()
    if options.quick:
        options.rows, options.near, options.items = [2_000, 10_000], 2_000, 500
    show(measure(options), options.json)


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """Equal prompts at each size, evaluation items at the largest, near-duplicates."""
    with folder() as where:
        items = where / "items.jsonl"
        rng = random.Random(1)
        items.write_text("".join(json.dumps({"question": text(rng)}) + "\n" for _ in range(options.items)))
        for rows in options.rows:
            source = write(where, rows)
            for name, more in (("off", ["--dedupe", "off"]), ("exact", []), ("against", ["--against", str(items)])):
                yield from took(where, source, rows, name, more)
        yield from took(where, write(where, options.near), options.near, "near", ["--dedupe", "near"])


def took(where: Path, source: Path, rows: int, name: str, more: list[str]) -> Iterator[Figure]:
    """One run of the command."""
    ended = Child(
        python("-m", "pairsmith", "collect", str(source), "-o", str(where / "out.jsonl"), "--json", *more)
    ).wait()
    assert ended.result["rows"] == rows, ended.result
    yield Figure(f"{rows:,} rows, {name}: CPU s; peak MB", f"{ended.cpu_s:.1f}; {ended.peak_mb:.0f}")


def write(where: Path, rows: int) -> Path:
    """The rows in a file."""
    rng, path = random.Random(7), where / "in.jsonl"
    earlier = text(rng)
    with path.open("w") as file:
        for number in range(rows):
            if number % 10 != 9:
                earlier = f"{text(rng)} {number}"
            file.write(json.dumps({"prompt": earlier.upper() if number % 10 == 9 else earlier}) + "\n")
    return path


def text(rng: random.Random) -> str:
    """Some words, as a sentence."""
    return " ".join(rng.choices(WORDS, cum_weights=OFTEN, k=rng.randint(40, 60))).capitalize()


OFTEN = list(accumulate(1 / (rank + 3) for rank in range(len(WORDS))))


if __name__ == "__main__":
    main()
