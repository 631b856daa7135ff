"""All benchmarks, one after the other, as one table: `make bench`, or `python benchmarks/run.py [--quick] [NAME…]`.

--quick takes small sizes (about three minutes): it shows that everything works, and its figures are not to be
quoted. The whole takes three quarters of an hour on two idle cores.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path

from common import Figure, python, row

HERE = Path(__file__).parent
NAMES = (
    "start",
    "cpu",
    "throughput",
    "memory",
    "durable",
    "resume",
    "again",
    "likeness",
    "expanding",
    "collecting",
    "sifting",
    "converting",
    "reporting",
    "check",
    "limits",
    "faults",
    "judging",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; left out: all")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    print("| figure | measured | wanted |\n|---|---|---|", flush=True)
    for name in options.names or NAMES:
        figures(name, ["--quick"] if options.quick else [])


def figures(name: str, arguments: list[str]) -> None:
    """One benchmark in a process of its own, so that none adds to another's memory; prints its lines as they come."""
    command = python(str(HERE / f"{name}.py"), "--json", *arguments)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            figure = Figure(**json.loads(line))
            print(row(Figure(f"{name}: {figure.name}", figure.measured, figure.wanted)), flush=True)
    if process.returncode:
        print(row(Figure(f"{name}: ended with {process.returncode}", "-")), flush=True)


if __name__ == "__main__":
    main()
