"""Rows a second and peak memory of `pairsmith collect`, on 100,000 and 1,000,000 rows of each format that streams.

    python benchmarks/collecting.py [--rows 100000 1000000] [--only jsonl csv …]

Rows of some 150 characters, all different; written packed as well (.jsonl.gz, .jsonl.zst), shuffled, with a condition,
and two files interleaved. The wall time is of the whole command: reading, uniting, looking at the prompts, writing.
Excel is read at a tenth of the rows, as far as a sheet goes.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from pathlib import Path

from common import WORDS, Child, Figure, flags, folder, python, show

# What is read -> the suffix of its file, and flags
RUNS = {
    "jsonl": (".jsonl", ()),
    "text": (".txt", ()),
    "csv": (".csv", ()),
    "parquet": (".parquet", ()),
    "arrow": (".arrow", ()),
    "jsonl.gz": (".jsonl.gz", ()),
    "jsonl.zst": (".jsonl.zst", ()),
    "xlsx": (".xlsx", ()),
    "jsonl, shuffled": (".jsonl", ("--shuffle",)),
    "jsonl, where": (".jsonl", ("--where", "score >= 0 and language == 'en'")),
}
CONVERT = """
import sys, pyarrow as pa, pyarrow.json as j, pyarrow.parquet as p, pyarrow.csv as c
source, out = sys.argv[1:]
if out.endswith((".gz", ".zst")):
    import shutil
    with open(source, "rb") as a, pa.CompressedOutputStream(out, "gzip" if out.endswith("gz") else "zstd") as b:
        shutil.copyfileobj(a, b)
elif out.endswith(".xlsx"):
    import openpyxl, orjson
    book = openpyxl.Workbook(write_only=True); sheet = book.create_sheet()
    for number, line in enumerate(open(source, "rb")):
        row = orjson.loads(line)
        if not number: sheet.append(list(row))
        sheet.append(list(row.values()))
    book.save(out)
else:
    table = j.read_json(source)
    if out.endswith(".parquet"): p.write_table(table, out)
    elif out.endswith(".csv"): c.write_csv(table, out)
    else:
        with pa.ipc.new_stream(out, table.schema) as writer: writer.write_table(table)
"""


def main() -> None:
    parser = flags(__doc__ or "")
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--only", nargs="+", choices=RUNS, default=[*RUNS])
    options = parser.parse_args()
    if options.quick:
        options.rows = [1000, 5000]
    show(measure(options), options.json)


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """Each way of reading at each size, and memory at the largest over the smallest."""
    for name in options.only:
        suffix, words = RUNS[name]
        peaks = []
        for rows in options.rows:
            rows = rows // 10 if suffix == ".xlsx" else rows
            with folder() as where:
                source = write(where, suffix, rows)
                command = ("-m", "pairsmith", "collect", str(source), "-o", str(where / "out.jsonl"), "--json", *words)
                ended = Child(python(*command)).wait()
            assert ended.result["prompts"] == rows, ended.result
            peaks.append(ended.peak_mb)
            yield Figure(f"{rows:,} rows of {name}: rows a second", rows / ended.wall_s)
            yield Figure(f"{rows:,} rows of {name}: CPU us a row", ended.cpu_s / rows * 1e6)
            yield Figure(f"{rows:,} rows of {name}: peak memory, MB", ended.peak_mb)
        if len(peaks) > 1:
            yield Figure(f"{name}: peak memory at the most rows over the least", peaks[-1] / peaks[0], "flat")


def write(where: Path, suffix: str, rows: int) -> Path:
    """The rows in a file; formats other than lines are made by another process, so that this one stays small."""
    rng, lines = random.Random(7), where / f"in{'.txt' if suffix == '.txt' else '.jsonl'}"
    with lines.open("w") as file:
        for number in range(rows):
            text = f"{number} {' '.join(rng.choices(WORDS, k=20))}"
            row = {"prompt": text, "language": "en", "score": number % 7}
            file.write((text if suffix == ".txt" else json.dumps(row)) + "\n")
    if suffix in (".jsonl", ".txt"):
        return lines
    made = where / f"made{suffix}"
    Child(python("-c", CONVERT, str(lines), str(made))).wait()
    return made


if __name__ == "__main__":
    main()
