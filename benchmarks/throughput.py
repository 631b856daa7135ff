"""Wall time over ideal, CPU a call and peak memory of one whole run against the simulator.

    python benchmarks/throughput.py [--prompts 1000] [--completions 5] [--latency 0.2] [--concurrency 64]

The simulator gets one core, pairsmith another. There are two ideals: all calls × latency / concurrency, and, as
the student's and the judge's gates work side by side, the slower one's calls × latency / concurrency. The
simulator's own time a call comes on top of the latency, so both ratios are upper bounds of what pairsmith adds.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORDS = ("river", "lamp", "bread", "window", "train", "garden", "letter", "clock", "winter", "market", "bridge")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prompts", type=int, default=1000)
    parser.add_argument("--completions", type=int, default=5)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--concurrency", type=int, default=64)
    print(json.dumps(measure(parser.parse_args())))


def measure(options: argparse.Namespace) -> dict[str, float]:
    """One run; seconds, milliseconds a call, megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        prompts = Path(folder) / "prompts.jsonl"
        prompts.write_text("".join(json.dumps({"prompt": question(n)}) + "\n" for n in range(options.prompts)))
        server, url = serve(options.latency)
        try:
            return run(options, prompts, url)
        finally:
            server.terminate()
            server.wait()


def question(number: int) -> str:
    """Prompt number N: all different, all of a usual length."""
    first, second = WORDS[number % len(WORDS)], WORDS[number // len(WORDS) % len(WORDS)]
    return f"Question {number}: what should I know about the {first} and the {second} before I decide anything?"


def serve(latency: float) -> tuple[subprocess.Popen[str], str]:
    """The simulator on the last core."""
    command = [sys.executable, "-m", "pairsmith.simulator", "--port", "0", "--latency", str(latency)]
    server = subprocess.Popen(pinned(-1, command), stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert server.stdout is not None
    return server, server.stdout.readline().split()[-1]


def pinned(core: int, command: list[str]) -> list[str]:
    """The command on one core, where the system lets us choose."""
    cores = sorted(os.sched_getaffinity(0))
    return ["taskset", "-c", str(cores[core]), *command] if len(cores) > 1 else command


def run(options: argparse.Namespace, prompts: Path, url: str) -> dict[str, float]:
    flags = [
        "--prompts", str(prompts), "--model", "sim-student", "--judge", "sim-judge", "--base-url", url,
        "--completions", str(options.completions), "--temperature", "0.6,0.9,1.1",
        "--run-dir", str(prompts.parent / "run"),
        "--set", f"endpoints.student.concurrency={options.concurrency}",
        "--set", f"endpoints.judge.concurrency={options.concurrency}", "--json", "--quiet",
    ]  # fmt: skip
    started = time.monotonic()
    child = subprocess.Popen(pinned(0, [sys.executable, "-m", "pairsmith", "run", *flags]), stdout=subprocess.PIPE)
    assert child.stdout is not None
    result = json.loads(child.stdout.read())
    _, _, usage = os.wait4(child.pid, 0)
    wall_s = time.monotonic() - started
    stats = json.load(urllib.request.urlopen(url.replace("/v1", "/stats")))
    calls = sum(result["calls"].values())
    ideal_s = calls * options.latency / options.concurrency
    side_by_side_s = max(result["calls"].values()) * options.latency / options.concurrency
    span_s = stats["last_answer_s"] - stats["first_request_s"]
    return {
        "calls": calls,
        "pairs": result["pairs"],
        "wall_s": round(wall_s, 2),
        "wall_over_ideal": round(wall_s / ideal_s, 3),
        "wall_over_side_by_side": round(wall_s / side_by_side_s, 3),
        "span_over_side_by_side": round(span_s / side_by_side_s, 3),
        "cpu_ms_a_call": round((usage.ru_utime + usage.ru_stime) / calls * 1000, 3),
        "peak_mb": round(usage.ru_maxrss / 1024, 1),
    }


if __name__ == "__main__":
    main()
