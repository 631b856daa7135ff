"""A dataset of the hub by its name: the real client against a server that plays the few routes it uses."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from converting_runs import as_lines, as_parquet, orca

from cli_runs import read_rows

NAME = "owner/pairs"


class Hub(ThreadingHTTPServer):
    """One dataset and its files; `sent` counts the bytes of them that went out."""

    def __init__(self, files: Mapping[str, bytes], gated: bool) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.files, self.gated, self.sent = files, gated, 0


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Hub

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path.startswith(f"/datasets/{NAME}/resolve/main/"):
            self._file(path.split("/main/", 1)[1])
        elif path.startswith(f"/api/datasets/{NAME}/tree/main"):
            self._json([self._entry(file) for file in self.server.files])
        elif path in (f"/api/datasets/{NAME}", f"/api/datasets/{NAME}/revision/main"):
            self._json({"id": NAME, "sha": "0" * 40, "private": False, "downloads": 0, "likes": 0, "tags": []})
        else:
            self._answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})

    do_HEAD = do_GET  # noqa: N815  # the name that http.server asks for

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self._json([self._entry(file) for file in self.server.files])

    def _entry(self, file: str) -> dict[str, Any]:
        return {"type": "file", "path": file, "size": len(self.server.files[file]), "oid": "0" * 40}

    def _file(self, name: str) -> None:
        if self.server.gated:
            self._answer(403, b"{}", {"X-Error-Code": "GatedRepo"})
            return
        data = self.server.files[name]
        asked = re.fullmatch(r"bytes=(\d+)-(\d+)?", self.headers.get("Range", ""))
        start, end = (int(asked[1]), int(asked[2] or len(data) - 1)) if asked else (0, len(data) - 1)
        part = data[start : end + 1]
        self.server.sent += len(part) if self.command == "GET" else 0
        about = {"ETag": '"0"', "X-Repo-Commit": "0" * 40, "Content-Range": f"bytes {start}-{end}/{len(data)}"}
        self._answer(206 if asked else 200, part, about)

    def _json(self, value: Any) -> None:
        self._answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for key, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving(files: Mapping[str, bytes], gated: bool = False) -> Iterator[Hub]:
    with Hub(files, gated) as hub:
        threading.Thread(target=hub.serve_forever, daemon=True).start()
        yield hub
        hub.shutdown()


def convert_from(
    hub: Hub, tmp_path: Path, *words: str, name: str = NAME, command: str = "convert"
) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the client reads HF_ENDPOINT when it is imported."""
    endpoint = f"http://127.0.0.1:{hub.server_port}"
    settings = {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_TELEMETRY": "1"}
    whole = [sys.executable, "-m", "pairsmith", command, name, "-o", str(tmp_path / "out.jsonl"), *words]
    return subprocess.run(whole, env={**os.environ, **settings}, capture_output=True, text=True, timeout=60)


def test_no_more_of_a_dataset_is_fetched_than_the_limit_needs(tmp_path: Path) -> None:
    noise = os.urandom(2_000_000).hex()
    rows = [orca(number) for number in range(50)]
    files = {
        "README.md": b"---\nconfigs:\n- config_name: default\n  data_files: data/train-*\n---\n",
        "data/train-00000-of-00002.parquet": as_parquet(rows),
        "data/train-00001-of-00002.parquet": as_parquet([{**orca(50), "chosen": noise}]),
        "data/test-00000-of-00001.parquet": as_parquet(rows[:1]),
    }
    with serving(files) as hub:
        ran = convert_from(hub, tmp_path, "--limit", "50")

    assert ran.returncode == 0, ran.stderr
    assert len(read_rows(tmp_path / "out.jsonl")) == 50
    assert hub.sent < 100_000
    assert f"{NAME}: config default, split train, 2 files" in ran.stderr
    assert "detected intel_orca: question, chosen, rejected, system" in ran.stderr


@pytest.mark.parametrize(
    "gated, name, sentence",
    [
        (True, NAME, "its owner asks for agreement first"),
        (False, "owner/missing", "no public dataset on the hub"),
    ],
)
def test_a_dataset_that_cannot_be_had_is_said_in_one_sentence(
    gated: bool, name: str, sentence: str, tmp_path: Path
) -> None:
    with serving({"train.jsonl": as_lines([orca(1)])}, gated) as hub:
        ran = convert_from(hub, tmp_path, name=name)

    assert (ran.returncode, len(ran.stderr.splitlines())) == (2, 1 if name != NAME else 2), ran.stderr
    assert sentence in ran.stderr


def test_prompts_are_collected_from_a_split_of_a_dataset(tmp_path: Path) -> None:
    files = {"data/train.jsonl": as_lines([orca(1)]), "data/test.jsonl": as_lines([orca(2), orca(3)])}
    words = ("--split", "test", "--column", "question")
    with serving(files) as hub:
        ran = convert_from(hub, tmp_path, *words, name=f"hf://{NAME}", command="collect")

    assert ran.returncode == 0, ran.stderr
    assert [row["prompt"] for row in read_rows(tmp_path / "out.jsonl")] == [orca(n)["question"] for n in (2, 3)]
    assert f"hf://{NAME}: split test, 1 file" in ran.stderr
