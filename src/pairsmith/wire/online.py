"""Pays what is owed, online: brings requests to the gates, and stops them all when one has to.

It knows requests and outcomes, no stage. What happens to each request is gate.py's. Called by the pipeline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random

from pairsmith.errors import Stopped
from pairsmith.records import ChatRequest, Endpoint, EndpointName, Outcome
from pairsmith.wire.client import Transport
from pairsmith.wire.faults import redact
from pairsmith.wire.gate import Accounts, Clock, Gate
from pairsmith.wire.line import Line
from pairsmith.wire.money import Budget, Tally

__all__ = ["Accounts", "Budget", "Clock", "Engine", "Tally"]


class Engine:
    """Pays requests through one gate per (base URL, model).

    Args:
        endpoints: by name.
        transports: makes one for an endpoint, or for one replica of it, at its one URL; endpoints that share URL,
            model and key share the gate of the first.
        accounts: where everything is booked.
        clock: time, for pauses and deadlines.
        rng: for jitter.
        keys: secret values to take out of whatever a server says.
        budget: the caps on what may be sent; None = no cap.
        patience_s: how long an endpoint that does not answer or refuses for now is waited for; 0 = 15 minutes
            where it refuses, 20 failures in a row where it fails.
    """

    def __init__(
        self,
        endpoints: Mapping[EndpointName, Endpoint],
        transports: Callable[[Endpoint], Transport],
        accounts: Accounts,
        clock: Clock,
        rng: Random,
        keys: Sequence[str] = (),
        budget: Budget | None = None,
        patience_s: float = 0.0,
    ) -> None:
        self.tally = Tally(cost_usd=0.0 if all(e.price for e in endpoints.values()) else None)
        self.budget = budget or Budget()
        self.stopped: Stopped | None = None
        self.stopping = asyncio.Event()
        self.fault: BaseException | None = None  # an error of our own in a worker
        self._on_stop: list[Callable[[], object]] = []
        self._keys = keys
        self._endpoints = endpoints
        self.say: Callable[[str], object] = lambda sentence: None  # something the user should know now
        self._lines: dict[EndpointName, Line] = {}
        self._gates: list[Gate] = []
        by_place: dict[tuple[object, ...], Line] = {}
        for name, endpoint in endpoints.items():
            place = (frozenset(endpoint.base_urls), endpoint.model, endpoint.api_key_env)
            if place not in by_place:
                line, replicas = by_place.setdefault(place, Line(self.stopping)), list[Gate]()
                for url in endpoint.base_urls:
                    one, single = replace(endpoint, base_urls=(url,)), len(endpoint.base_urls) == 1
                    made = transports(one)
                    Gate(one, made, accounts, clock, rng, self, line, replicas, single, patience_s)
                self._gates += replicas
            self._lines[name] = by_place[place]

    async def pay(self, requests: Sequence[ChatRequest]) -> list[Outcome | None]:
        """Have these requests answered, in this order; None for those the stopping run did not get to.

        Whoever is cancelled while waiting here has nothing more sent for it; what is in flight is still booked.
        """
        for gate in self._gates:
            gate.start()
        return await asyncio.gather(*[self._put(request) for request in requests])

    def _put(self, request: ChatRequest) -> asyncio.Future[Outcome | None]:
        return self._lines[request.endpoint].put(request, self._endpoints[request.endpoint])

    def stop(self, why: Stopped) -> None:
        """Send nothing more; calls in flight may finish. The first reason stays."""
        first = self.stopped is None
        self.stopped = self.stopped or why
        self._end()
        for tell in self._on_stop if first else ():
            tell()

    def on_stop(self, tell: Callable[[], object]) -> None:
        """Have this called once when the run stops, whatever the reason; at once when it has stopped."""
        if self.stopped is not None:
            tell()
        self._on_stop.append(tell)

    def _end(self) -> None:
        self.stopping.set()
        self.budget.wake()
        for line in self._lines.values():
            line.clear()

    @property
    def width(self) -> int:
        """How many prompts in flight keep every gate busy."""
        return sum(gate.concurrency for gate in self._gates)

    async def close(self) -> None:
        """End the workers, also in the middle of a call, and close all connections."""
        self._end()
        await asyncio.gather(*[gate.close() for gate in self._gates])

    def worker_ended(self, worker: asyncio.Task[None]) -> None:
        """A worker ends only when it is told to, or by a fault of ours: then the run must not wait for it."""
        if not worker.cancelled() and (error := worker.exception()):
            self.fault = error
            self.stop(Stopped("internal_error", f"an error inside pairsmith: {self.redacted(repr(error))}"))

    def redacted(self, message: str) -> str:
        """A server's words without any key."""
        return redact(message, self._keys)
