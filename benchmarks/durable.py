"""The ledger alone: how soon an answer is durable, and what a row costs.

    python benchmarks/durable.py [--replies 20000] [--in-flight 64 1024] [--dir FOLDER]

Workers do what a gate's do, as fast as they can: book an attempt, wait until that is durable, book its end with the
answer's bytes (a usual reply, 1.4 kB), go on. So the ledger is written to far faster than any endpoint answers. An
answer's time is from `finish` to its future being done. Three rows are written a call: the attempt, its end, the
reply. CPU is the process's, the writing thread and asyncio included. --dir says which disk: syncing /tmp may be free.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

from common import Figure, flags, folder, show

from pairsmith.ledger import open_ledger
from pairsmith.records import ChatRequest, Endpoint, EndpointName, Json, PromptId, Purpose, chat_request
from pairsmith.simulator.answers import Answer, Choice, ok
from pairsmith.wire.faults import read_reply

ROWS_A_CALL = 3
CALLS_A_PROMPT = 8
TEXT = "You can do it in two steps, and the first one is the one that people tend to leave out. " * 12


def main() -> None:
    parser = flags(__doc__ or "")
    parser.add_argument("--replies", type=int, default=20_000)
    parser.add_argument("--in-flight", type=int, nargs="+", default=[64, 1024])
    parser.add_argument("--dir", type=Path, help="a folder on the disk to try; left out: the temporary one's")
    options = parser.parse_args()
    if options.quick:
        options.replies = 2000
    show(measure(options), options.json)


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """Each width in turn."""
    for width in options.in_flight:
        requests = [request(number) for number in range(options.replies)]
        with folder(options.dir) as where:
            waits, wall_s, cpu_s = asyncio.run(fill(where / "ledger.sqlite3", requests, width))
        waits.sort()
        name = f"{width:,} in flight"
        rows = len(requests) * ROWS_A_CALL
        yield Figure(f"{name}: answer to durable, ms, the longest", waits[-1] * 1000, "≤ 100")
        yield Figure(f"{name}: answer to durable, ms, 99 %", waits[len(waits) * 99 // 100] * 1000)
        yield Figure(f"{name}: answer to durable, ms, median", waits[len(waits) // 2] * 1000)
        yield Figure(f"{name}: CPU µs a row", cpu_s / rows * 1e6, "≤ 60")
        yield Figure(f"{name}: CPU µs a call (3 rows)", cpu_s / len(requests) * 1e6)
        yield Figure(f"{name}: calls a second", len(requests) / wall_s)


async def fill(path: Path, requests: list[ChatRequest], width: int) -> tuple[list[float], float, float]:
    """Book them all; each answer's wait in seconds, the wall time, the CPU time."""
    ledger = open_ledger(path, time.time, create=True)
    raw = ok(Answer("chatcmpl-0", "sim-student", (Choice(TEXT),), 60)).body
    left = iter(requests)
    waits: list[float] = []

    async def work() -> None:
        for one in left:
            number = await ledger.begin(one, None)
            arrived = time.perf_counter()
            done = ledger.finish(number, one, read_reply(one.id, raw), raw, None)
            done.add_done_callback(lambda _, arrived=arrived: waits.append(time.perf_counter() - arrived))  # type: ignore[misc]

    started, cpu_before_s = time.perf_counter(), time.process_time()
    await asyncio.gather(*[work() for _ in range(width)])
    await ledger.flush()
    wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu_before_s
    await ledger.close()
    return waits, wall_s, cpu_s


def request(number: int) -> ChatRequest:
    """Request number N, some of them to each prompt."""
    endpoint = Endpoint(EndpointName("student"), "sim-student", ("http://localhost/v1",), "student sim-student")
    prompt = PromptId(f"{number // CALLS_A_PROMPT:032x}")
    body: dict[str, Json] = {"messages": [{"role": "user", "content": f"Question {number}"}], "max_tokens": 1024}
    return chat_request(prompt, Purpose.SAMPLE, endpoint, body, number % CALLS_A_PROMPT)


if __name__ == "__main__":
    main()
