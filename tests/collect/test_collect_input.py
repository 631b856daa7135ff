"""What [prompts] names, opened: globs, folders, datasets, packed files; and the order of their rows."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pairsmith.collect import Row
from pairsmith.errors import InputError
from pairsmith.running.sources import Input, input_of, prompt_settings


def nobody() -> NoReturn:
    raise AssertionError("standard input was asked for")


def opened(*paths: object, said: list[str] | None = None, **fields: Any) -> Input:
    settings = prompt_settings(path=[str(path) for path in paths], **fields)
    return input_of(settings, nobody, [].append if said is None else said.append)


def texts(given: Input) -> str:
    return "".join(str(row.prompt.messages[0]["content"]) for row in given.rows() if isinstance(row, Row))


def write(path: Path, prompts: Iterable[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({"prompt": one, "kind": one.islower()}) + "\n" for one in prompts))
    return path


def packed(data: bytes, codec: str) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


def test_a_glob_is_its_files_by_name_wherever_it_stands_among_others(tmp_path: Path) -> None:
    for name in ("b.jsonl", "a.jsonl", "deep/c.jsonl"):
        write(tmp_path / name, Path(name).stem)
    (tmp_path / "d.jsonl").mkdir()
    last = write(tmp_path / "last.txt.jsonl", "z")

    assert texts(opened(last, tmp_path / "?.jsonl")) == "zab"
    assert texts(opened(tmp_path / "**" / "?.jsonl")) == "abc"


def test_a_file_whose_name_looks_like_a_glob_is_a_file(tmp_path: Path) -> None:
    write(tmp_path / "x[1].jsonl", "a")

    assert texts(opened(tmp_path / "x[1].jsonl")) == "a"


def test_a_folder_is_the_prompt_files_in_it(tmp_path: Path) -> None:
    write(tmp_path / "b.jsonl", "b")
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"a\n"))
    for other in ("README.md", ".hidden.jsonl", "notes.pdf"):
        (tmp_path / other).write_text("no prompt")
    write(tmp_path / "deep" / "c.jsonl", "c")
    said: list[str] = []

    assert texts(opened(tmp_path, said=said)) == "ab"
    assert said == [f"{tmp_path}: 2 files"]


def test_a_dataset_folder_is_one_split_of_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for split, text in (("train", "a"), ("test", "b")):
        pq.write_table(pa.table({"prompt": [text]}), tmp_path / "data" / f"{split}-00000-of-00001.parquet")
    said: list[str] = []

    assert texts(opened(tmp_path, said=said)) == "a"
    assert texts(opened(tmp_path, split="test")) == "b"
    assert said == [f"{tmp_path}: split train, 1 file"]


def test_what_datasets_saved_is_read(tmp_path: Path) -> None:
    state = {"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}
    (tmp_path / "train").mkdir()
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train"]}')
    (tmp_path / "train" / "state.json").write_text(json.dumps(state))
    table = pa.table({"prompt": ["a", "b"]})
    with pa.ipc.new_stream(str(tmp_path / "train" / "data-00000-of-00001.arrow"), table.schema) as writer:
        writer.write_table(table)

    assert texts(opened(tmp_path)) == "ab"


@pytest.mark.parametrize("codec", ["gz", "zst", "bz2"])
@pytest.mark.parametrize("format", ["txt", "jsonl", "csv", "parquet"])
def test_any_format_may_be_packed(format: str, codec: str, tmp_path: Path) -> None:
    data = {"txt": b"a\nb\n", "jsonl": b'{"prompt":"a"}\n{"prompt":"b"}\n', "csv": b"prompt\na\nb\n"}
    sink = io.BytesIO()
    pq.write_table(pa.table({"prompt": ["a", "b"]}), sink)
    pack = {"gz": gzip.compress, "zst": lambda data: packed(data, "zstd"), "bz2": bz2.compress}[codec]
    path = tmp_path / f"p.{format}.{codec}"
    path.write_bytes(pack(data.get(format, sink.getvalue())))

    assert texts(opened(path)) == "ab"


def test_packed_parts_that_were_put_together_are_all_read(tmp_path: Path) -> None:
    (tmp_path / "p.txt.gz").write_bytes(gzip.compress(b"a\n") + gzip.compress(b"b\n"))

    assert texts(opened(tmp_path / "p.txt.gz")) == "ab"


def test_a_packed_file_that_was_cut_is_said(tmp_path: Path) -> None:
    (tmp_path / "p.txt.gz").write_bytes(gzip.compress(os.urandom(9000).hex().encode())[:-99])

    with pytest.raises(InputError, match=r"p.txt.gz cannot be read \("):
        texts(opened(tmp_path / "p.txt.gz"))


def test_a_pipe_is_opened_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(b"a\nb\n",))
    writer.start()

    assert texts(opened(tmp_path / "pipe")) == "ab"
    writer.join()


def test_weights_interleave_paths_and_a_glob_has_one(tmp_path: Path) -> None:
    for name, prompts in (("a1", "aa"), ("a2", "aaaa"), ("b", "bb")):
        write(tmp_path / f"{name}.jsonl", prompts)

    assert texts(opened(tmp_path / "a*.jsonl", tmp_path / "b.jsonl", weights=[3, 1])) == "aabaaaba"


def test_a_shuffle_is_the_same_for_the_same_seed_and_spans_all_files(tmp_path: Path) -> None:
    files = [write(tmp_path / "a.jsonl", "abcdefgh"), write(tmp_path / "b.jsonl", "ijklmnop")]

    orders = [texts(opened(*files, shuffle=True, seed=seed)) for seed in (1, 1, 2)]

    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == list("abcdefghijklmnop")
    assert set(orders[0][:8]) & set("ijklmnop")


def test_a_shuffle_keeps_bad_rows_with_their_places_and_passes_over_what_does_not_match(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", "aBc")
    path.write_text(path.read_text() + "oops\n")
    given = opened(path, shuffle=True, where="kind == True")

    rows = list(given.rows())

    assert sorted(row.line for row in rows) == [1, 3, 4]
    assert any("a.jsonl, line 4: is not JSON" in str(row) for row in rows)
    assert given.not_matching == {str(path): 1}


def test_a_condition_that_no_row_meets_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of the 2 rows match kind == 7; mend the condition"):
        texts(opened(write(tmp_path / "a.jsonl", "ab"), where="kind == 7"))


@pytest.mark.parametrize(
    ("paths", "fields", "said"),
    [
        (["*.csv"], {}, r"\*\.csv matches no file"),
        (["nowhere.jsonl"], {}, r"nowhere\.jsonl cannot be read \(No such file"),
        (["sub/nowhere.txt"], {}, r"nowhere\.txt cannot be read"),
        (["a.docx"], {}, "the suffix .docx is none of"),
        (["empty"], {}, "holds no data file"),
        (["a.jsonl"], {"split": "test"}, "is no dataset, without configs and splits"),
        (["a.jsonl"], {"weights": [1, 2]}, "weights: there are 2 for 1 paths"),
        (["a.jsonl"], {"weights": [0]}, r"weights: Input should be greater than 0 \(found 0\)"),
        (["a.jsonl"], {"where": "import os"}, r"where: is no condition \(.*\(found 'import os'\)"),
        (["hf://x"], {}, "names no dataset of the hub"),
    ],
)
def test_mistakes_are_said_before_a_row_is_read(
    paths: list[str], fields: dict[str, Any], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    for name in ("a.jsonl", "a.docx"):
        write(Path(name), "a")

    with pytest.raises(InputError, match=said):
        opened(*paths, **fields)
