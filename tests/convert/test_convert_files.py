"""Every container, compression and folder that is read, and what is said of the ones that cannot be."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from converting_runs import FORMS, PACKED, as_arrow, as_cells, as_lines, as_parquet, convert, orca

from cli_runs import read_rows
from pairsmith.converting.files import Source, rows_of_files

ROWS = [orca(number) for number in range(12)]


@pytest.mark.parametrize("packed", ["", *PACKED])
@pytest.mark.parametrize("name", FORMS)
def test_every_container_gives_the_same_rows(name: str, packed: str, tmp_path: Path) -> None:
    data = FORMS[name](ROWS)
    (tmp_path / f"{name}{packed}").write_bytes(PACKED[packed](data) if packed else data)

    ran = convert(tmp_path / f"{name}{packed}", tmp_path / "out.jsonl")

    assert (ran.code, ran.json["shape"], ran.json["rows"], ran.json["written"]) == (0, "intel_orca", 12, 12), ran.err
    assert read_rows(tmp_path / "out.jsonl")[11]["preferred_output"] == [{"role": "assistant", "content": "Yes, 11."}]


def test_lists_of_messages_in_cells_are_read_and_other_texts_stay_as_they_are(tmp_path: Path) -> None:
    asked = {"role": "user", "content": "JSON?"}
    answers = [[asked, {"role": "assistant", "content": text}] for text in ('[{"a": 1}]', "00123")]
    (tmp_path / "in.csv").write_bytes(as_cells([{"prompt": "JSON?", "chosen": answers[0], "rejected": answers[1]}]))
    (tmp_path / "text.csv").write_bytes(as_cells([{"prompt": "J", "chosen": '[{"a": 1}]', "rejected": "00123"}]))

    convert(tmp_path / "in.csv", tmp_path / "a.jsonl", target="trl")
    convert(tmp_path / "text.csv", tmp_path / "b.jsonl", target="trl")

    for name in ("a", "b"):
        (row,) = read_rows(tmp_path / f"{name}.jsonl")
        assert [row[side][0]["content"] for side in ("chosen", "rejected")] == ['[{"a": 1}]', "00123"]


def write_all(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


CARD = b"""---
configs:
- config_name: plain
  data_files: data/plain/*.jsonl
- config_name: ranked
  default: true
  data_files:
  - split: train
    path: ["data/ranked/a*", "data/ranked/b.jsonl"]
  - split: held
    path: data/ranked/held.jsonl
---
# A dataset
"""
SAVED = json.dumps({"_data_files": [{"filename": "data-00000-of-00002.arrow"}, {"filename": "data-00001.arrow"}]})
FOLDERS: dict[str, tuple[dict[str, bytes], tuple[str, ...], int]] = {
    "files by their names": (
        {"train.jsonl": as_lines(ROWS), "test.jsonl": as_lines(ROWS[:2]), "notes.txt": b"x"}, (), 12
    ),
    "another split": ({"train.jsonl": as_lines(ROWS), "dev.jsonl": as_lines(ROWS[:2])}, ("--split", "validation"), 2),
    "no split in a name": ({"a.jsonl": as_lines(ROWS), "b.jsonl": as_lines(ROWS), "c.csv": as_cells(ROWS)}, (), 24),
    "shards of a split": (
        {f"data/train_prefs-0000{n}-of-00002.parquet": as_parquet(ROWS[n * 6 : n * 6 + 6]) for n in range(2)}, (), 12
    ),
    "provenance beside it": ({"p.jsonl": as_lines(ROWS), "p.provenance.jsonl": as_lines([{"id": 1}])}, (), 12),
    "configs of the card": (
        {
            "README.md": CARD,
            "data/plain/x.jsonl": as_lines(ROWS[:1]),
            "data/ranked/a1.jsonl": as_lines(ROWS[:4]),
            "data/ranked/b.jsonl": as_lines(ROWS[:3]),
            "data/ranked/held.jsonl": as_lines(ROWS[:2]),
        },
        (), 7,
    ),
    "a config that is named": (
        {"README.md": CARD, "data/plain/x.jsonl": as_lines(ROWS[:1])}, ("--config", "plain"), 1
    ),
    "save_to_disk": (
        {
            "dataset_dict.json": b'{"splits": ["train", "test"]}',
            "train/state.json": SAVED.encode(),
            "train/dataset_info.json": b"{}",
            "train/data-00000-of-00002.arrow": as_arrow(ROWS[:5]),
            "train/data-00001.arrow": as_arrow(ROWS[5:]),
        },
        (), 12,
    ),
    "save_to_disk of one split": (
        {
            "state.json": SAVED.encode(),
            "data-00000-of-00002.arrow": as_arrow(ROWS[:5]),
            "data-00001.arrow": as_arrow(ROWS[5:]),
        },
        (), 12,
    ),
}  # fmt: skip


@pytest.mark.parametrize("files, words, rows", FOLDERS.values(), ids=FOLDERS)
def test_the_wanted_part_of_a_folder_is_read(
    files: dict[str, bytes], words: tuple[str, ...], rows: int, tmp_path: Path
) -> None:
    folder = write_all(tmp_path / "dataset", files)

    ran = convert(folder, tmp_path / "out.jsonl", *words)

    assert (ran.code, ran.json.get("written")) == (0, rows), ran.err


MISTAKES: dict[str, tuple[dict[str, bytes], tuple[str, ...], str]] = {
    "no such split": ({"d/train.jsonl": as_lines(ROWS)}, ("--split", "held"), "take one with --split: train"),
    "several splits": (
        {"d/data/a-00000-of-00001.parquet": b"", "d/data/b-00000-of-00001.parquet": b""}, (), "--split: a, b"
    ),
    "no such config": ({"d/README.md": CARD, "d/x.jsonl": b""}, ("--config", "y"), "--config: plain, ranked"),
    "nothing there": ({"d/notes.txt": b""}, (), "holds no data file"),
    "unknown columns": ({"d/a.jsonl": as_lines([{"q": "a", "w": "b"}])}, (), "its columns (q, w) are none"),
    "no rows": ({"d/a.jsonl": b"\n"}, (), "holds no row that can be read"),
    "cut compression": ({"d/a.jsonl.gz": PACKED[".gz"](as_lines(ROWS))[:-12]}, (), "cannot be read"),
    "no Parquet": ({"d/a.parquet": b"PAR1 no"}, (), "cannot be read as Parquet"),
}  # fmt: skip


@pytest.mark.parametrize("files, words, sentence", MISTAKES.values(), ids=MISTAKES)
def test_what_cannot_be_read_is_said_in_one_sentence_and_nothing_is_written(
    files: dict[str, bytes], words: tuple[str, ...], sentence: str, tmp_path: Path
) -> None:
    folder = write_all(tmp_path, files)

    ran = convert(folder / "d", tmp_path / "out.jsonl", *words)

    assert (ran.code, sentence in ran.json["error"]) == (2, True), ran.err
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize("form", ["a.jsonl", "a.csv", "a.parquet"])
def test_memory_does_not_grow_with_the_file(form: str, tmp_path: Path) -> None:
    def peak(count: int) -> int:
        data = FORMS[form]([{**orca(number), "chosen": "x" * 500} for number in range(count)])
        tracemalloc.start()
        for _ in rows_of_files([Source(form, lambda: io.BufferedReader(io.BytesIO(data)))]):  # type: ignore[arg-type]
            pass
        tracemalloc.stop()
        tracemalloc.start()
        for _ in rows_of_files([Source(form, lambda: io.BufferedReader(io.BytesIO(data)))]):  # type: ignore[arg-type]
            pass
        peak: int = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert peak(4000) < 1.5 * peak(1000) + 100_000


def test_standard_input_and_output_are_dashes() -> None:
    words: list[Any] = [sys.executable, "-m", "pairsmith", "convert", "-", "-o", "-", "--target", "trl", "--limit", "2"]
    ran = subprocess.run(words, input=PACKED[".gz"](as_lines(ROWS)), capture_output=True, check=True)

    assert [json.loads(line)["prompt"][0]["content"] for line in ran.stdout.splitlines()] == [
        "Question 0?",
        "Question 1?",
    ]
    assert b"2 rows for trl" in ran.stderr
