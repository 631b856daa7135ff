"""What waits to be sent to one model: the most urgent first, however long the line. Its replicas take from it.

Called by gate.py (takes) and online.py (puts).
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from pairsmith.records import ChatRequest, Endpoint, Json, Outcome, Purpose, RequestId

# Judge before sample: pairs appear early.
FIRST = {
    Purpose.DUEL: 0,
    Purpose.RANK: 0,
    Purpose.SCORE: 1,
    Purpose.REFERENCE: 1,
    Purpose.FAMILY: 1,
    Purpose.ASSESS: 1,
    Purpose.SAMPLE: 2,
    Purpose.EXPAND: 2,
}


@dataclass(slots=True, eq=False)
class Job:
    """One request on its way, with the bytes that are sent and whoever waits for the outcome."""

    request: ChatRequest
    endpoint: Endpoint
    body: bytes
    arrival: int
    waiters: list[asyncio.Future[Outcome | None]]
    charged: list[float] | None = None  # against the tokens a minute, see limits.py
    sent: int = 0  # attempts made
    tries: int = 0  # of these, the ones that count against MAX_ATTEMPTS: a pause asked for does not
    refused_s: float = 0.0  # when it was first refused for now
    spared: int = 0  # and those that do not, for the replica was down

    @property
    def wanted(self) -> bool:
        """Whether anybody still waits for it: who is cancelled does not."""
        return not all(waiter.done() for waiter in self.waiters)

    @property
    def most_output(self) -> int:
        """The longest answer it allows, in tokens; 0 where the request does not say."""
        limit = self.request.body.get(self.endpoint.length_parameter)
        return limit if isinstance(limit, int) else 0

    @property
    def bound(self) -> int:
        """The most tokens it can use, its input estimated at 4 bytes a token: as OpenAI counts them for its limits."""
        return len(self.body) // 4 + self.most_output


class Line:
    """The requests for one model that have not come to an outcome yet.

    Args:
        stopping: set once the run sends nothing more.
    """

    def __init__(self, stopping: asyncio.Event) -> None:
        self.news = asyncio.Event()  # a job came in, a call ended, or the run stops
        self._stopping = stopping
        self._queue: list[tuple[int, int, Job]] = []  # a heap: the most urgent first, then the oldest
        self._open: dict[RequestId, Job] = {}  # queued, in flight, or waiting for the next try
        self._delayed: dict[Job, asyncio.TimerHandle] = {}
        self._arrivals = 0

    def put(self, request: ChatRequest, endpoint: Endpoint) -> asyncio.Future[Outcome | None]:
        """Queue a request; the future is what it comes to, or None when the run stops before."""
        waiter: asyncio.Future[Outcome | None] = asyncio.get_running_loop().create_future()
        same = self._open.get(request.id)
        if same is not None:  # asked for twice at a time: bought once
            same.waiters.append(waiter)
            return waiter
        job = Job(request, endpoint, orjson.dumps(_sent(request, endpoint)), 0, [waiter])
        self._open[request.id] = job
        self.behind(job)
        self._enqueue(job)
        return waiter

    @property
    def head(self) -> Job | None:
        """The most urgent job; those that nobody waits for any longer are dropped."""
        while self._queue:
            job = self._queue[0][2]
            if job.wanted:
                return job
            self.resolve(self.pop(), None)
        return None

    def pop(self) -> Job:
        """Take the head."""
        return heapq.heappop(self._queue)[2]

    def behind(self, job: Job) -> None:
        """Give a job the last place among its equals, from the next time it is queued."""
        self._arrivals += 1
        job.arrival = self._arrivals

    def again(self, job: Job, after_s: float) -> None:
        """Queue a job once more, after so many seconds."""
        if self._stopping.is_set():
            self.resolve(job, None)
        else:
            self._delayed[job] = asyncio.get_running_loop().call_later(after_s, self._enqueue, job)

    def _enqueue(self, job: Job) -> None:
        self._delayed.pop(job, None)
        if self._stopping.is_set():
            self.resolve(job, None)
            return
        heapq.heappush(self._queue, (FIRST[job.request.purpose], job.arrival, job))
        self.news.set()

    def resolve(self, job: Job, outcome: Outcome | None) -> None:
        """Hand out what a job came to."""
        self._open.pop(job.request.id, None)
        for waiter in job.waiters:
            if not waiter.done():
                waiter.set_result(outcome)

    def clear(self) -> None:
        """Give up what is queued or waits for its next try."""
        for job, timer in self._delayed.items():
            timer.cancel()
            self.resolve(job, None)
        self._delayed.clear()
        for _, _, job in self._queue:
            self.resolve(job, None)
        self._queue.clear()
        self.news.set()


def _sent(request: ChatRequest, endpoint: Endpoint) -> Mapping[str, Json]:
    """The body as it is sent: the tier is a matter of price and speed, so no request is another one for it."""
    return {**request.body, "service_tier": endpoint.service_tier} if endpoint.service_tier else request.body
