"""What the benchmarks share: the simulator on one core, pairsmith on another, and how figures are printed.

Imports nothing of pairsmith: a child's peak memory is never reported below that of the process that started it.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WORDS = ("river", "lamp", "bread", "window", "train", "garden", "letter", "clock", "winter", "market", "bridge")
MOST_S = 1200  # longer than any run here takes: then it hangs, and is killed
TICKS_S = os.sysconf("SC_CLK_TCK")
KIND = "sim-judge"  # it judges well, and answers like sim-strong: one model for both makes one gate of them


# --- figures ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table; `wanted` is empty where a figure only explains another."""

    name: str
    measured: float | str
    wanted: str = ""


def flags(doc: str) -> argparse.ArgumentParser:
    """A parser with what every benchmark takes."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes: to see that it works, not to quote")
    parser.add_argument("--json", action="store_true", help="one JSON object a figure, for run.py")
    return parser


def show(figures: Iterable[Figure], as_json: bool) -> None:
    """Print each figure as soon as it is there."""
    if not as_json:
        print("| figure | measured | wanted |\n|---|---|---|", flush=True)
    for figure in figures:
        print(json.dumps(asdict(figure)) if as_json else row(figure), flush=True)


def row(figure: Figure) -> str:
    """One line of the table."""
    measured = f"{figure.measured:,.4g}" if isinstance(figure.measured, float) else f"{figure.measured}"
    return f"| {figure.name} | {measured} | {figure.wanted} |"


def median(values: Iterable[float]) -> float:
    """The middle one; of an even number, the upper of the two in the middle."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


# --- processes -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ended:
    """A process that has ended. `started_s` is monotonic, which is the same clock as in the simulator's /stats."""

    code: int
    output: str
    started_s: float
    wall_s: float
    cpu_s: float
    peak_mb: float

    @property
    def result(self) -> dict[str, Any]:
        """What `pairsmith run --json` printed."""
        result: dict[str, Any] = json.loads(self.output)
        return result


class Child:
    """A process of its own on one core, so that its CPU and its memory can be told from ours."""

    def __init__(self, command: Sequence[str], core: int = 0) -> None:
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  closed by wait()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        self.started_s = time.monotonic()
        self._process = subprocess.Popen(pinned(core, command), stdout=self._output, stderr=self._errors, cwd=ROOT)

    def running(self) -> bool:
        """Whether it has not ended; it is left to be waited for."""
        return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def interrupt(self) -> None:
        """As Ctrl-C does."""
        self._process.send_signal(signal.SIGINT)

    def cpu_so_far_s(self) -> float:
        """CPU of all its threads until now."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_S

    def wait(self, expected: Sequence[int] = (0,)) -> Ended:
        """Wait for its end; any other exit code than expected ends the benchmark with its words."""
        stuck = threading.Timer(MOST_S, os.kill, (self._process.pid, signal.SIGKILL))
        stuck.daemon = True
        stuck.start()
        _, status, usage = os.wait4(self._process.pid, 0)
        wall_s = time.monotonic() - self.started_s
        stuck.cancel()
        self._process.returncode = code = os.waitstatus_to_exitcode(status)
        output, errors = (_text(file) for file in (self._output, self._errors))
        if code not in expected:
            sys.exit(f"{' '.join(map(str, self._process.args))}\nended with {code}:\n{errors[-3000:]}")  # type: ignore[arg-type]
        return Ended(code, output, self.started_s, wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def _text(file: Any) -> str:
    file.seek(0)
    with file:
        text: str = file.read().decode()
        return text


def pinned(core: int, command: Sequence[str]) -> list[str]:
    """The command on one core, where the system lets us choose."""
    cores = sorted(os.sched_getaffinity(0))
    return ["taskset", "-c", str(cores[core]), *command] if len(cores) > 1 else list(command)


def python(*arguments: str) -> list[str]:
    """This Python with these arguments."""
    return [sys.executable, *arguments]


# --- the simulator ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Server:
    """A simulator that is running."""

    url: str

    def stats(self) -> dict[str, Any]:
        """What it has seen since its start."""
        with urllib.request.urlopen(self.url.removesuffix("/v1") + "/stats") as reply:
            stats: dict[str, Any] = json.load(reply)
            return stats


@contextlib.contextmanager
def simulator(*settings: str) -> Iterator[Server]:
    """A simulator on the last core; `settings` are its command line's."""
    command = pinned(-1, python("-m", "pairsmith.simulator", "--port", "0", *settings))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    try:
        announced = process.stdout.readline().split()
        if not announced:
            sys.exit("the simulator did not start")
        yield Server(announced[-1])
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


# --- pairsmith -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked of pairsmith. Student and judge are one model at one URL, so one gate, unless said otherwise.

    `keys` are further ones of both endpoints in the recipe, such as requests_per_minute.
    """

    prompts: int = 500
    completions: int = 4
    concurrency: int = 64
    student: str = KIND
    judge: str = KIND
    keys: dict[str, float] | None = None


@contextlib.contextmanager
def folder(inside: Path | None = None) -> Iterator[Path]:
    """A folder that goes away; in the temporary one, unless said otherwise."""
    with tempfile.TemporaryDirectory(prefix="pairsmith-bench-", dir=inside) as path:
        yield Path(path)


def write_recipe(where: Path, url: str, plan: Plan) -> Path:
    """The recipe of a plan, and its prompts beside it. Four temperatures keep duplicates rare; there are no duels."""
    with (where / "prompts.jsonl").open("w") as file:
        for number in range(plan.prompts):
            file.write(json.dumps({"prompt": question(number)}) + "\n")
    further = "".join(f"{key} = {value}\n" for key, value in (plan.keys or {}).items())
    endpoints = "".join(
        f'[endpoints.{name}]\nbase_url = "{url}"\nmodel = "{model}"\nconcurrency = {plan.concurrency}\n{further}'
        for name, model in (("student", plan.student), ("judge", plan.judge))
    )
    recipe = where / "recipe.toml"
    recipe.write_text(
        f'name = "bench"\n[prompts]\npath = "prompts.jsonl"\n{endpoints}'
        f'[sample]\nendpoints = ["student"]\ncompletions = {plan.completions}\ntemperature = [0.6, 0.9, 1.1, 1.4]\n'
        '[judge]\npanel = ["judge"]\n[pair]\nmin_gap = 2.0\nverify_gap = 2.0\n'
    )
    return recipe


def question(number: int) -> str:
    """Prompt number N: all different, all of a usual length."""
    first, second = WORDS[number % len(WORDS)], WORDS[number // len(WORDS) % len(WORDS)]
    return f"Question {number}: what should I know about the {first} and the {second} before I decide anything?"


def start_run(recipe: Path, *arguments: str) -> Child:
    """`pairsmith run` in a folder beside the recipe, on the first core."""
    run = ("-m", "pairsmith", "run", str(recipe), "--run-dir", str(recipe.parent / "run"), "--json")
    return Child(python(*run, *arguments))


def ledger_of(recipe: Path) -> Path:
    """The ledger of `start_run`."""
    return recipe.parent / "run" / "ledger.sqlite3"
