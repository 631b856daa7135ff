"""How close a run comes to what its gate allows: wall time and traffic over ideal.

    python benchmarks/throughput.py                       # the matrix: 4 latencies x 4 concurrencies, 6 minutes
    python benchmarks/throughput.py --latency 0.2 --concurrency 64 [--sigma 0.6] [--prompts 500] [--completions 4]
    python benchmarks/throughput.py --bare ...            # also an aiohttp loop with the same bodies
    python benchmarks/throughput.py --two-gates ...       # the judge is another model, so it has a gate of its own

Every call goes to one model at one URL, so through one gate: ideal is the calls that were made × latency /
concurrency. `span` is first request to last answer as the simulator counts them; `wall` is the whole process, with
Python's start, the head start of reading (0.3 s), and the export. The simulator's own time comes on top of the latency,
and where its core is full (see the bare loop) the ratio says nothing about pairsmith.

With two gates the ideal is the slower gate's calls × latency / concurrency, as both work side by side.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from common import ROOT, Child, Figure, Plan, Server, flags, folder, python, show, simulator, start_run
from common import write_recipe as recipe_of

LATENCIES = ((0.0, 0.0), (0.2, 0.0), (1.0, 0.0), (0.2, 0.6))  # seconds, sigma
CONCURRENCIES = (64, 128, 256, 1024)
WANTED = {"0.2 s × 64": "≤ 1.05", "1 s × 256": "≤ 1.10", "0.2 s × 256": "≤ 1.20"}


def main() -> None:
    parser = flags(__doc__ or "")
    parser.add_argument("--prompts", type=int, default=500)
    parser.add_argument("--completions", type=int, default=4)
    parser.add_argument("--latency", type=float, help="with --concurrency: this point only")
    parser.add_argument("--sigma", type=float, default=0.0, help="spread of a lognormal latency with that mean")
    parser.add_argument("--concurrency", type=int)
    parser.add_argument("--two-gates", action="store_true")
    parser.add_argument("--bare", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.prompts = min(options.prompts, 100)
    show(measure(options), options.json)


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """Each point in turn."""
    plan = Plan(options.prompts, options.completions)
    if options.two_gates:
        plan = replace(plan, student="sim-student")
    for latency_s, sigma, concurrency in points(options):
        yield from point(replace(plan, concurrency=concurrency), latency_s, sigma, options.bare)


def points(options: argparse.Namespace) -> list[tuple[float, float, int]]:
    """Latency, sigma and concurrency of each run."""
    if options.latency is not None or options.concurrency is not None:
        latency_s = 0.2 if options.latency is None else options.latency
        return [(latency_s, options.sigma, options.concurrency or 64)]
    if options.quick:
        return [(0.0, 0.0, 64), (0.2, 0.0, 64), (0.2, 0.6, 64)]
    return [(latency_s, sigma, width) for latency_s, sigma in LATENCIES for width in CONCURRENCIES]


def point(plan: Plan, latency_s: float, sigma: float, with_bare: bool) -> Iterator[Figure]:
    """The figures of one run."""
    settings = ("--latency", str(latency_s), "--latency-sigma", str(sigma))
    spread = f" (lognormal, sigma {sigma:g})" if sigma else ""
    name = f"{latency_s:g} s{spread} × {plan.concurrency}"
    with folder() as where, simulator(*settings) as server:
        recipe = recipe_of(where, server.url, plan)
        ended = start_run(recipe).wait()
        span_s = span_of(server)
    calls = list(ended.result["calls"].values())
    one_gate = plan.student == plan.judge
    ideal_s = (sum(calls) if one_gate else max(calls)) * latency_s / plan.concurrency
    wanted = WANTED.get(name, "") if one_gate else ""
    if ideal_s:
        yield Figure(f"{name}: span over ideal ({sum(calls):,} calls)", span_s / ideal_s, wanted)
        yield Figure(f"{name}: wall over ideal", ended.wall_s / ideal_s)
    else:
        yield Figure(f"{name}: calls a second, span ({sum(calls):,} calls)", sum(calls) / span_s)
        yield Figure(f"{name}: calls a second, wall", sum(calls) / ended.wall_s)
    if with_bare:
        with folder() as where, simulator(*settings) as server:
            calls_made, span_s = bare(where, server, plan)
        ideal_s = calls_made * latency_s / plan.concurrency
        if ideal_s:
            yield Figure(f"{name}: a bare loop, span over ideal", span_s / ideal_s)
        else:
            yield Figure(f"{name}: a bare loop, calls a second", calls_made / span_s)


def span_of(server: Server) -> float:
    """Seconds from the first request to the last answer."""
    stats = server.stats()
    span_s: float = stats["last_answer_s"] - stats["first_request_s"]
    return span_s


def bare(where: Path, server: Server, plan: Plan) -> tuple[int, float]:
    """The bare loop of loops.py with the bodies of this run: calls, and the span of its traffic."""
    recipe, bodies = recipe_of(where, server.url, plan), where / "bodies.jsonl"
    Child(python("benchmarks/offline.py", "bodies", str(recipe), str(bodies))).wait()
    program, width = str(ROOT / "benchmarks" / "loops.py"), str(plan.concurrency)
    ended = Child(python(program, "bare", server.url, str(bodies), str(10**9), width)).wait()
    return int(ended.output), span_of(server)


if __name__ == "__main__":
    main()
