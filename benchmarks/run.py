"""All benchmarks, one after the other, as a table: `make bench`, or `python benchmarks/run.py`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

import throughput

RUNS = 3  # the median is quoted: machines are noisy


def main() -> None:
    """Print one line a figure: the smallest, the median and the largest of RUNS."""
    options = argparse.Namespace(prompts=1000, completions=5, latency=0.2, concurrency=64)
    runs = [throughput.measure(options) for _ in range(RUNS)]
    print("| 1,000 prompts × (5 + 5) calls, 200 ms, 64 in flight a gate | min | median | max |\n|---|---|---|---|")
    for figure in runs[0]:
        print(row(figure, [run[figure] for run in runs]))
    print(row("pairsmith --help, CPU s", [help_cpu_s() for _ in range(RUNS)]))


def row(name: str, values: list[float]) -> str:
    """One line of the table."""
    low, middle, high = sorted(values)[0], sorted(values)[len(values) // 2], sorted(values)[-1]
    return f"| {name} | {low:g} | {middle:g} | {high:g} |"


def help_cpu_s() -> float:
    """CPU of `pairsmith --help`."""
    child = subprocess.Popen([sys.executable, "-m", "pairsmith", "--help"], stdout=subprocess.DEVNULL)
    _, _, usage = os.wait4(child.pid, 0)
    return round(usage.ru_utime + usage.ru_stime, 3)


if __name__ == "__main__":
    main()
