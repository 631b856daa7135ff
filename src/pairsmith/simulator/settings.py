"""What a simulator can be told, in one frozen record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """How one simulator behaves. The fields of CHANGEABLE can be set while it runs, by POST /settings.

    Attributes:
        port: 0 takes any free port.
        seed: together with the request body and the Idempotency-Key it decides every answer; the key has no part in
            a sampled answer to a request with a seed of its own.
        latency_s: seconds before an answer is sent; the mean, if latency_sigma is above 0.
        latency_sigma: spread of the lognormal latency; 0 means always latency_s.
        faults: share of the requests (0-1) that meet each fault of faults.FAULTS.
        like: a name from presets.PRESETS; None accepts everything.
        book: a folder of *.jsonl, or several; None composes every answer.
        requests_per_minute: per model; None means no limit. tokens_per_minute likewise.
        limit_headers: whether x-ratelimit-* headers and Retry-After are sent.
        window_s: length of the sliding window behind both limits, and behind the largest windows of GET /stats.
        max_concurrent: per model, how many requests are served at a time; one more is refused at once, with a
            429 that does not say how long to wait. None means no limit.
        retry_after_s: what the faults with a Retry-After ask for.
        require_key: the API key without which everything is a 401; None asks for none.
    """

    port: int = 0
    seed: int = 0
    latency_s: float = 0.0
    latency_sigma: float = 0.0
    faults: Mapping[str, float] = field(default_factory=dict)
    like: str | None = None
    book: Path | tuple[Path, ...] | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    limit_headers: bool = True
    window_s: float = 60.0
    max_concurrent: int | None = None
    retry_after_s: float = 0.5
    require_key: str | None = None


# What POST /settings may set; faults have a route of their own.
CHANGEABLE = (
    "latency_s",
    "latency_sigma",
    "requests_per_minute",
    "tokens_per_minute",
    "limit_headers",
    "max_concurrent",
)
