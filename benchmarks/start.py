"""How soon pairsmith is there: `--help`, its import, and the first request of a small run.

    python benchmarks/start.py [--runs 5]

CPU is that of the whole process, Python's own start included, which is given beside it. The first request is the
simulator's word, in the same clock as the start of the process. The median of the runs counts.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from common import Child, Figure, Plan, flags, folder, median, python, show, simulator, start_run, write_recipe

COMMANDS = {
    "python -c pass": (("-c", "pass"), ""),
    "import pairsmith": (("-c", "import pairsmith"), ""),
    "pairsmith --help": (("-m", "pairsmith", "--help"), "≤ 0.2"),
    "pairsmith run --help": (("-m", "pairsmith", "run", "--help"), ""),
    "import openai": (("-c", "import openai"), ""),
}


def main() -> None:
    parser = flags(__doc__ or "")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    if options.quick:
        options.runs = 2
    show(measure(options), options.json)


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """CPU of what only starts; seconds to the first request of a run."""
    for name, (arguments, wanted) in COMMANDS.items():
        cpu_s = median(Child(python(*arguments)).wait().cpu_s for _ in range(options.runs))
        yield Figure(f"{name}: CPU s", cpu_s, wanted)
    waits, cpus = zip(*[first_request() for _ in range(options.runs)], strict=True)
    yield Figure("run of 10 prompts: start to first request, s", median(waits), "≤ 1.2")
    yield Figure("run of 10 prompts: CPU s of the whole process", median(cpus))


def first_request() -> tuple[float, float]:
    """Seconds from the start of a run to its first request, and its CPU to the end."""
    with folder() as where, simulator() as server:
        ended = start_run(write_recipe(where, server.url, Plan(prompts=10))).wait()
        return server.stats()["first_request_s"] - ended.started_s, ended.cpu_s


if __name__ == "__main__":
    main()
