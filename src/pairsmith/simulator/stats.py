"""What the simulator has seen: the other side's word in every test about requests, retries and limits."""

from collections import Counter
from dataclasses import dataclass, field

from pairsmith.simulator.limits import Window


@dataclass(slots=True)
class Stats:
    """Counts of chat completion requests since the start or POST /reset; times are monotonic seconds."""

    requests: int = 0
    by_model: Counter[str] = field(default_factory=Counter)
    by_status: Counter[str] = field(default_factory=Counter)
    by_fault: Counter[str] = field(default_factory=Counter)
    keys: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0
    max_in_flight: int = 0
    first_request_s: float | None = None
    last_answer_s: float | None = None
    anonymous: Counter[bytes] = field(default_factory=Counter)
    window: Window = field(default_factory=Window)
    token_window: Window = field(default_factory=Window)

    def arrive(self, now_s: float, key: str) -> None:
        """A request has come in; key is its Idempotency-Key, or ""."""
        self.requests += 1
        if key:
            self.keys[key] += 1
        self.window.add(now_s)
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        if self.first_request_s is None:
            self.first_request_s = now_s

    def times_seen(self, key: str, body: bytes) -> int:
        """How often this request came before, by its key, or by its body if it has none."""
        if key:
            return self.keys[key] - 1
        self.anonymous[body] += 1
        return self.anonymous[body] - 1

    def leave(self, now_s: float, status: str) -> None:
        """Its reply has gone out; "reset", "hang" and "drip" stand in for the status of what never did."""
        self.in_flight = max(0, self.in_flight - 1)
        self.by_status[status] += 1
        self.last_answer_s = now_s

    def as_json(self) -> dict[str, object]:
        """The body of GET /stats."""
        return {
            "requests": self.requests,
            "by_model": self.by_model,
            "by_status": self.by_status,
            "by_fault": self.by_fault,
            "keys": self.keys,
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "first_request_s": self.first_request_s,
            "last_answer_s": self.last_answer_s,
            "largest_window": self.window.largest,
            "largest_token_window": self.token_window.largest,
        }
