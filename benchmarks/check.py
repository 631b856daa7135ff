"""`pairsmith check` on large files: bytes a second, against orjson alone, and memory.

    python benchmarks/check.py [--megabytes 500] [--row 500 2500 10000]

Rows for openai with answers of words nobody speaks, line feeds and quotes in them, of about so many bytes each. The
same lines are read by a bare loop of orjson.loads, which is what JSON costs in Python. Memory is the peak of the whole
process, at a tenth of the size and at the size.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
from common import Child, Figure, flags, python, show

SYLLABLES = [f"{one}{two}" for one in "bdfgklmnprstvz" for two in "aeiou"]


def main() -> None:
    parser = flags(__doc__ or "")
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--row", type=int, nargs="+", default=[500, 2_500, 10_000])
    parser.add_argument("--child", nargs=2, metavar=("WAY", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        {"check": checked, "orjson": parsed}[options.child[0]](options.child[1])
        return
    show(measure(20 if options.quick else options.megabytes, options.row), options.json)


def measure(megabytes: int, rows: list[int]) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        for size in rows:
            small, large = (
                write(Path(folder) / f"{size}-{part}.jsonl", part, size) for part in (megabytes / 10, megabytes)
            )
            bare = Child(python(__file__, "--child", "orjson", str(large))).wait().result
            few = Child(python(__file__, "--child", "check", str(small))).wait()
            many = Child(python(__file__, "--child", "check", str(large))).wait()
            name = f"rows of {size:,} bytes"
            yield Figure(f"{name}: MB a second of CPU", many.result["mb_s"], "≥ 100 from 2,500 bytes on")
            yield Figure(f"{name}: time over orjson's alone", bare["mb_s"] / many.result["mb_s"])
            yield Figure(f"{name}: peak memory at a tenth, MB", few.peak_mb)
            yield Figure(f"{name}: peak memory, MB", many.peak_mb, "flat: 24 bytes a row")


def write(path: Path, megabytes: float, size: int) -> Path:
    """A file of so many megabytes, of rows of about so many bytes."""
    rng = random.Random(size)
    words = ["".join(rng.choices(SYLLABLES, k=rng.randint(1, 4))) for _ in range(2_000)]
    words += ["\n\n", '"so"', "1.", "Sure,"]
    left, number = megabytes * 1e6, 0
    with path.open("wb") as file:
        while left > 0:
            number += 1
            answers = [" ".join(rng.choices(words, k=max(3, size // 18))) for _ in range(2)]
            row = {
                "input": {
                    "messages": [{"role": "user", "content": f"{number}: {' '.join(rng.choices(words, k=20))}"}],
                    "tools": [],
                    "parallel_tool_calls": True,
                },
                "preferred_output": [{"role": "assistant", "content": answers[0]}],
                "non_preferred_output": [{"role": "assistant", "content": answers[1]}],
            }
            left -= file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
    return path


def checked(path: str) -> None:
    from pairsmith.export.check import check
    from pairsmith.export.problems import Summary

    summary = Summary()
    started = time.process_time()
    with Path(path).open("rb", buffering=1024 * 1024) as lines:
        for _ in check(lines, "openai", summary):
            pass
    told(path, started, summary.rows)


def parsed(path: str) -> None:
    started, rows = time.process_time(), 0
    with Path(path).open("rb", buffering=1024 * 1024) as lines:
        for line in lines:
            orjson.loads(line)
            rows += 1
    told(path, started, rows)


def told(path: str, started: float, rows: int) -> None:
    megabytes = Path(path).stat().st_size / 1e6
    cpu_s = time.process_time() - started
    sys.stdout.write(orjson.dumps({"mb_s": megabytes / cpu_s, "rows": rows}).decode())


if __name__ == "__main__":
    main()
