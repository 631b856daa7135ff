"""Rows a second and peak memory of `pairsmith convert`, on JSON lines and Parquet of 10,000 and 100,000 rows.

    python benchmarks/converting.py [--rows 10000 100000]

Rows of about 1 kB in the shape of HuggingFaceH4/ultrafeedback_binarized: two conversations with scores beside them.
The wall time is of the whole command: start, conversion, and what `check` says about the file at the end.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from pathlib import Path

from common import WORDS, Child, Figure, flags, folder, python, show


def main() -> None:
    parser = flags(__doc__ or "")
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    options = parser.parse_args()
    if options.quick:
        options.rows = [1000, 5000]
    show(measure(options), options.json)


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """Both containers at each size, and memory at the largest over the smallest."""
    for suffix in (".jsonl", ".parquet"):
        peaks = []
        for rows in options.rows:
            with folder() as where:
                source = write(where, suffix, rows)
                out = where / "out.jsonl"
                ended = Child(python("-m", "pairsmith", "convert", str(source), "-o", str(out), "--json")).wait()
            assert ended.result["written"] == rows, ended.result
            peaks.append(ended.peak_mb)
            yield Figure(f"{rows:,} rows of {suffix}: rows a second", rows / ended.wall_s)
            yield Figure(f"{rows:,} rows of {suffix}: CPU us a row", ended.cpu_s / rows * 1e6)
            yield Figure(f"{rows:,} rows of {suffix}: peak memory, MB", ended.peak_mb)
        yield Figure(
            f"{suffix}: peak memory at {options.rows[-1]:,} over {options.rows[0]:,} rows", peaks[-1] / peaks[0]
        )


def write(where: Path, suffix: str, rows: int) -> Path:
    """The rows in a file; Parquet is made of the lines by another process, so that this one stays small."""
    rng, lines = random.Random(7), where / "in.jsonl"
    with lines.open("w") as file:
        for number in range(rows):
            asked, better, worse = (" ".join(rng.choices(WORDS, k=40)) for _ in range(3))
            prompt = {"role": "user", "content": f"{number} {asked}"}
            sides = [[prompt, {"role": "assistant", "content": text}] for text in (better, worse)]
            scores = {"score_chosen": 8.0, "score_rejected": 4.0}
            file.write(json.dumps({"chosen": sides[0], "rejected": sides[1], **scores}) + "\n")
    if suffix == ".jsonl":
        return lines
    made = where / "in.parquet"
    program = (
        "import sys, pyarrow.json as j, pyarrow.parquet as p; p.write_table(j.read_json(sys.argv[1]), sys.argv[2])"
    )
    Child(python("-c", program, str(lines), str(made))).wait()
    return made


if __name__ == "__main__":
    main()
