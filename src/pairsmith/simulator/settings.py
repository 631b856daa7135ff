"""What a simulator can be told, in one frozen record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """How one simulator behaves.

    Attributes:
        port: 0 takes any free port.
        seed: together with the request body and the Idempotency-Key it decides every answer.
        latency_s: seconds before an answer is sent; the mean, if latency_sigma is above 0.
        latency_sigma: spread of the lognormal latency; 0 means always latency_s.
        faults: share of the requests (0-1) that meet each fault of faults.FAULTS.
        like: a name from presets.PRESETS; None accepts everything.
        book: a folder of *.jsonl; None composes every answer.
        requests_per_minute: per model; None means no limit. tokens_per_minute likewise.
        limit_headers: whether x-ratelimit-* headers and Retry-After are sent.
        window_s: length of the sliding window behind both limits; only tests shorten it.
        retry_after_s: what the faults with a Retry-After ask for.
        require_key: the API key without which everything is a 401; None asks for none.
    """

    port: int = 0
    seed: int = 0
    latency_s: float = 0.0
    latency_sigma: float = 0.0
    faults: Mapping[str, float] = field(default_factory=dict)
    like: str | None = None
    book: Path | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    limit_headers: bool = True
    window_s: float = 60.0
    retry_after_s: float = 0.5
    require_key: str | None = None
