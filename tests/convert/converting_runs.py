"""Files in every form, and the command on them; for the tests of this folder."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cli_runs import Ran, pairsmith

Rows = Sequence[Mapping[str, Any]]


def convert(source: object, out: Path, *words: object, target: str = "openai") -> Ran:
    return pairsmith("convert", source, "-o", out, "--target", target, "--json", *words)


def orca(number: int) -> dict[str, Any]:
    return {"system": "", "question": f"Question {number}?", "chosen": f"Yes, {number}.", "rejected": "No."}


def as_lines(rows: Rows) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def as_array(rows: Rows) -> bytes:
    return json.dumps(list(rows), indent=1).encode()


def as_cells(rows: Rows, delimiter: str = ",") -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows([{key: _cell(value) for key, value in row.items()} for row in rows])
    return text.getvalue().encode()


def _cell(value: Any) -> Any:
    return value if isinstance(value, str) else json.dumps(value)


def as_parquet(rows: Rows) -> bytes:
    stream = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(rows)), stream)
    return stream.getvalue()


def as_arrow(rows: Rows) -> bytes:
    stream, table = io.BytesIO(), pa.Table.from_pylist(list(rows))
    with pa.ipc.new_stream(stream, table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    return stream.getvalue()


def as_zstd(data: bytes) -> bytes:
    return bytes(pa.compress(data, codec="zstd", asbytes=True))


FORMS: dict[str, Callable[[Rows], bytes]] = {
    "a.jsonl": as_lines,
    "a.ndjson": as_lines,
    "a.json": as_array,
    "lines.json": as_lines,
    "data.json": lambda rows: json.dumps({"version": "1", "data": list(rows)}).encode(),
    "columns.json": lambda rows: json.dumps({key: [row[key] for row in rows] for key in rows[0]}).encode(),
    "server.json": lambda rows: json.dumps(
        {"features": [], "rows": [{"row_idx": n, "row": row} for n, row in enumerate(rows)]}
    ).encode(),
    "a.csv": as_cells,
    "a.tsv": lambda rows: as_cells(rows, "\t"),
    "a.parquet": as_parquet,
    "a.arrow": as_arrow,
    "no-suffix": as_lines,
}
PACKED: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress, ".zst": as_zstd}
