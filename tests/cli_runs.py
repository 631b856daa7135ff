"""The real command line against a simulator: in this process where that is enough, else in one of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

import tomli_w

from forked import Forked
from pairsmith import cli
from pairsmith.simulator import Settings, Simulator, running

SOURCES = Path(__file__).parents[1] / "src"
EVERYDAY = Path(__file__).parents[1] / "data" / "prompts" / "everyday.jsonl"
ENDPOINTS = {"student": "sim-student", "judge": "sim-judge"}
PATIENCE_S = 30.0

Process = subprocess.Popen[bytes] | Forked


# --- the command line ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Dripping(io.RawIOBase):
    """Standard input whose parts come when their maker lets them: it may wait for what the run does meanwhile."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts, self._part = iter(parts), b""

    @property
    def buffer(self) -> Dripping:
        return self

    def readable(self) -> bool:
        return True

    def readinto(self, into: memoryview) -> int:  # type: ignore[override]
        self._part = self._part or next(self._parts, b"")
        now, self._part = self._part[: len(into)], self._part[len(into) :]
        into[: len(now)] = now
        return len(now)


def pairsmith(*words: object, stdin: bytes | Dripping | None = b"") -> Ran:
    """Run a command in this process; with stdin None, standard input is closed."""
    out, err = io.StringIO(), io.StringIO()
    keyboard = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8") if isinstance(stdin, bytes) else stdin
    code = 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), patch.object(sys, "stdin", keyboard):
        try:
            cli.main([str(word) for word in words])
        except SystemExit as exc:
            code = exc.code if isinstance(exc.code, int) else 1
    return Ran(code, out.getvalue(), err.getvalue())


@contextlib.contextmanager
def started(
    *words: object,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    pipe: bool = False,
    fresh: bool = False,
) -> Iterator[Process]:
    """A command in a process of its own; killed on leaving, should it still run.

    `fresh`: in a new interpreter, where it matters how one begins or ends; else forked from one that has loaded all.
    """
    told, environment = list(map(str, words)), {**os.environ, "PYTHONPATH": str(SOURCES), **(env or {})}
    process: Process
    if fresh:
        process = subprocess.Popen(
            [sys.executable, "-m", "pairsmith", *told],
            stdin=subprocess.PIPE if pipe else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=cwd,
        )
    else:
        process = Forked(told, environment, cwd or Path.cwd(), pipe)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                with contextlib.suppress(OSError):
                    stream.close()


def ended(process: Process, within_s: float = PATIENCE_S) -> Ran:
    """Wait for the end of a started command."""
    out, err = process.communicate(timeout=within_s)
    code = process.returncode
    assert code is not None
    return Ran(code, out.decode(), err.decode())


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until something that another process does has happened."""
    give_up = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up, f"waited in vain for: {what}"
        time.sleep(0.005)  # between two looks


# --- the server ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Server:
    """A running simulator, asked over HTTP."""

    simulator: Simulator

    @property
    def url(self) -> str:
        return self.simulator.base_url

    def stats(self) -> Any:
        return self._ask("/stats")

    @property
    def calls(self) -> int:
        return self.simulator.stats.requests

    @property
    def calls_by_model(self) -> dict[str, int]:
        by_model: dict[str, int] = self.stats()["by_model"]
        return by_model

    @property
    def keys(self) -> Counter[str]:
        return Counter(self.stats()["keys"])

    def truth(self, texts: Sequence[str]) -> list[float | None]:
        quality: list[float | None] = self._ask("/truth", {"texts": list(texts)})["quality"]
        return quality

    def forget(self) -> None:
        """Count from zero."""
        self._ask("/reset", {})

    def faults(self, **rates: float) -> None:
        """Names are written with _ for -, and a leading f before a digit."""
        self._ask("/faults", {name.removeprefix("f").replace("_", "-"): rate for name, rate in rates.items()})

    def latency(self, seconds: float, sigma: float = 0.0) -> None:
        self._ask("/settings", {"latency_s": seconds, "latency_sigma": sigma})

    def _ask(self, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(self.url.removesuffix("/v1") + path, data, timeout=30) as answer:
            return json.loads(answer.read())


@contextlib.contextmanager
def serving(**settings: Any) -> Iterator[Server]:
    """A simulator on a free port."""
    with running(Settings(**settings)) as simulator:
        yield Server(simulator)


# --- a project -----------------------------------------------------------------------------------


def everyday(count: int, start: int = 0) -> list[dict[str, Any]]:
    """Rows of the bundled prompts, mixed over the families."""
    lines = EVERYDAY.read_text("utf-8").splitlines()
    return [json.loads(lines[(start + place) * 7 % len(lines)]) for place in range(count)]


def write_rows(path: Path, rows: Iterable[object]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def read_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line]


@dataclass
class Project:
    """A folder with prompts and a recipe, and the folder of its run."""

    folder: Path
    server: Server
    recipe: Path = field(init=False)
    run_dir: Path = field(init=False)
    table: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.recipe, self.run_dir = self.folder / "recipe.toml", self.folder / "run"
        url = self.server.url
        self.table = {
            "name": "e2e",
            "prompts": {"path": "prompts.jsonl"},
            "endpoints": {name: {"model": model, "base_url": url} for name, model in ENDPOINTS.items()},
            "sample": {"endpoints": ["student"], "completions": 4, "temperature": [0.6, 1.0, 1.4]},
            "judge": {"panel": ["judge"]},
        }
        self.save()

    def save(self, **tables: Any) -> None:
        """Write the recipe, with some of its tables replaced, or left out (None)."""
        self.table = {key: value for key, value in {**self.table, **tables}.items() if value is not None}
        self.recipe.write_text(tomli_w.dumps(self.table), "utf-8")

    def prompts(self, rows: Iterable[object]) -> Project:
        write_rows(self.folder / "prompts.jsonl", rows)
        return self

    def words(self, *more: object) -> list[object]:
        return ["run", self.recipe, "--run-dir", self.run_dir, "--json", "--quiet", *more]

    def run(self, *more: object, code: int = 0) -> Any:
        """Run the recipe; what `--json` says."""
        ran = pairsmith(*self.words(*more))
        assert ran.code == code, ran.err
        return ran.json

    def fails(self, *more: object) -> str:
        """The sentence of a user's mistake."""
        ran = pairsmith(*self.words(*more))
        assert ran.code == 2, ran.err
        sentence: str = ran.json["error"]
        assert f"pairsmith: {sentence}\n" in ran.err
        return sentence

    @property
    def pairs(self) -> list[dict[str, Any]]:
        return read_rows(self.run_dir / "pairs.jsonl")

    @property
    def proofs(self) -> list[dict[str, Any]]:
        return read_rows(self.run_dir / "pairs.provenance.jsonl")

    @property
    def dataset(self) -> tuple[bytes, bytes]:
        """The bytes of the pairs, and of their provenance."""
        return (
            (self.run_dir / "pairs.jsonl").read_bytes(),
            (self.run_dir / "pairs.provenance.jsonl").read_bytes(),
        )

    def sql(self, query: str) -> list[tuple[Any, ...]]:
        """Straight from the ledger's file."""
        with contextlib.closing(sqlite3.connect(self.run_dir / "ledger.sqlite3")) as db:
            return db.execute(query).fetchall()

    def change(self, statement: str, *values: object) -> None:
        """Into the ledger's file, behind its back."""
        with contextlib.closing(sqlite3.connect(self.run_dir / "ledger.sqlite3", isolation_level=None)) as db:
            db.execute(statement, values)


def sides(row: Mapping[str, Any]) -> tuple[str, str]:
    """The chosen and the rejected text of an exported row."""
    return row["preferred_output"][0]["content"], row["non_preferred_output"][0]["content"]


def accounted(said: Mapping[str, Any]) -> int:
    """All prompts that the JSON of a run or a status accounts for."""
    return int(said["settled"] + sum(said["abstained"].values()) + sum(said["failed"].values()) + said["not_reached"])


def bought(said: Mapping[str, Any], endpoint: str) -> int:
    """The calls of one invocation to an endpoint."""
    return int(said["calls"].get(endpoint, 0))


def right_share(server: Server, rows: Sequence[Mapping[str, Any]]) -> float:
    """The share of pairs whose chosen text has the higher planted quality."""
    texts = [text for row in rows for text in sides(row)]
    quality = server.truth(texts)
    assert None not in quality
    better = [chosen > rejected for chosen, rejected in zip(quality[::2], quality[1::2], strict=True)]  # type: ignore[operator]
    return sum(better) / len(better)
