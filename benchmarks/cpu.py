"""CPU of a call: all of pairsmith against a bare HTTP loop and against the loop that a user would write.

    python benchmarks/cpu.py [--prompts 1000] [--completions 4] [--latency 0.05] [--concurrency 256] [--runs 3]

All send the same bodies (as many judgements as samples, as pairsmith renders them) to the same simulator, one
after the other, each in a process of its own on the first core. The loops are those of loops.py. pairsmith is the
command, with all it does: it builds, sends, reads, stores, judges, pairs, exports and shows how it goes.

"All in" is the CPU of the whole process by its calls. "Start taken off" is without the CPU of the same command
with next to nothing to do: 2 prompts for pairsmith, 2 calls for a loop. The ratios are given for both.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path

from common import ROOT, Child, Figure, Plan, Server, flags, folder, median, python, show, simulator, start_run
from common import write_recipe as recipe_of

LOOPS = {
    "bare": "bare aiohttp + orjson loop",
    "openai": "AsyncOpenAI + semaphore + gather",
    "openai-aiohttp": "the same on DefaultAioHttpClient",
}


def main() -> None:
    parser = flags(__doc__ or "")
    parser.add_argument("--prompts", type=int, default=1000)
    parser.add_argument("--completions", type=int, default=4)
    parser.add_argument("--latency", type=float, default=0.05)
    parser.add_argument("--concurrency", type=int, default=256)
    parser.add_argument("--runs", type=int, default=3, help="of each; the median counts")
    options = parser.parse_args()
    if options.quick:
        options.prompts, options.runs = 100, 1
    show(measure(options), options.json)


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """Milliseconds of CPU a call, and the ratios."""
    with folder() as where, simulator("--latency", str(options.latency)) as server:
        plan = Plan(options.prompts, options.completions, options.concurrency)
        bodies = write_bodies(where, server, plan)
        all_in: dict[str, float] = {}
        net: dict[str, float] = {}
        for name, title in LOOPS.items():
            start_s = median(loop(name, server, bodies, 2, options)[1] for _ in range(options.runs))
            calls, cpu_s = loop(name, server, bodies, 10**9, options)
            cpu_s = median([cpu_s, *(loop(name, server, bodies, 10**9, options)[1] for _ in range(options.runs - 1))])
            all_in[name], net[name] = cpu_s / calls, (cpu_s - start_s) / calls
            yield from both(title, all_in[name], net[name], calls)
        start_s = median(pairsmith(where, server, plan, 2)[1] for _ in range(options.runs))
        runs = [pairsmith(where, server, plan, plan.prompts) for _ in range(options.runs)]
        calls, cpu_s = runs[0][0], median(cpu_s for _, cpu_s in runs)
        all_in["pairsmith"], net["pairsmith"] = cpu_s / calls, (cpu_s - start_s) / calls
        yield from both("pairsmith run", all_in["pairsmith"], net["pairsmith"], calls)
    for name, wanted in (("bare", "≤ 2.5"), ("openai", "≤ 0.2"), ("openai-aiohttp", "")):
        yield Figure(f"CPU of pairsmith / {LOOPS[name]}, start taken off", net["pairsmith"] / net[name], wanted)
        yield Figure("the same, all in on both sides", all_in["pairsmith"] / all_in[name])


def both(title: str, all_in_s: float, net_s: float, calls: int) -> Iterator[Figure]:
    """The two figures of one competitor."""
    yield Figure(f"{title}: CPU ms a call, all in ({calls:,} calls)", all_in_s * 1000)
    yield Figure(f"{title}: CPU ms a call, start taken off", net_s * 1000)


def write_bodies(where: Path, server: Server, plan: Plan) -> Path:
    """The bodies of the plan's run, in a file; another process makes them, so that this one stays small."""
    path = where / "bodies.jsonl"
    recipe = recipe_of(where, server.url, plan)
    Child(python("benchmarks/offline.py", "bodies", str(recipe), str(path))).wait()
    return path


def loop(name: str, server: Server, bodies: Path, calls: int, options: argparse.Namespace) -> tuple[int, float]:
    """One loop of loops.py: calls answered, CPU seconds."""
    program = str(ROOT / "benchmarks" / "loops.py")
    ended = Child(python(program, name, server.url, str(bodies), str(calls), str(options.concurrency))).wait()
    return int(ended.output), ended.cpu_s


def pairsmith(where: Path, server: Server, plan: Plan, prompts: int) -> tuple[int, float]:
    """One whole run in a fresh folder: calls answered, CPU seconds."""
    recipe = recipe_of(where, server.url, plan)
    ended = start_run(recipe, "--limit", str(prompts)).wait()
    shutil.rmtree(where / "run")
    return sum(ended.result["calls"].values()), ended.cpu_s


if __name__ == "__main__":
    main()
