"""`python -m pairsmith.simulator`: the simulator from the command line."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from pairsmith.simulator.faults import FAULTS
from pairsmith.simulator.presets import PRESETS
from pairsmith.simulator.serving import serve
from pairsmith.simulator.settings import Settings

_HONOURED = (
    "Honoured: temperature, top_p, top_k, min_p, repetition_penalty, presence_penalty, frequency_penalty, verbosity,"
    " reasoning_effort, seed (the same text whatever the Idempotency-Key), n, logprobs, response_format; with --like"
    " what that platform takes of them, under its names and with its defaults, and GET /models in its words."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until a signal; exit code 0, or 2 for settings that cannot be."""
    try:
        serve(read_settings(arguments), _announce)
    except (ValueError, OSError) as exc:
        sys.stderr.write(f"error: {exc}\n")
        return 2
    return 0


def read_settings(arguments: Sequence[str] | None = None) -> Settings:
    """The settings that command line arguments ask for; sys.argv when None."""
    options = _parser().parse_args(arguments)
    return Settings(
        port=options.port,
        seed=options.seed,
        latency_s=options.latency,
        latency_sigma=options.latency_sigma,
        faults=dict(options.fault),
        like=options.like,
        book=_book(options.book),
        requests_per_minute=options.requests_per_minute,
        tokens_per_minute=options.tokens_per_minute,
        limit_headers=not options.no_limit_headers,
        window_s=options.limit_window,
        max_concurrent=options.max_concurrent,
        retry_after_s=options.retry_after,
        require_key=options.require_key,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pairsmith.simulator",
        description="An OpenAI-compatible server: seeded, offline, with faults on demand.",
        epilog=f"{_HONOURED} Faults: {', '.join(FAULTS)}.",
    )
    add = parser.add_argument
    add("--port", type=int, default=8400, help="0 takes any free port")
    add("--seed", type=int, default=0)
    add("--latency", type=float, default=0.0, metavar="S", help="seconds before an answer")
    add("--latency-sigma", type=float, default=0.0, metavar="X", help="spread of the lognormal latency")
    add("--fault", type=parse_rate, action="append", default=[], metavar="NAME=RATE", help="may be repeated")
    add("--like", choices=sorted(PRESETS), metavar="PRESET", help=f"one of {', '.join(PRESETS)}")
    add("--book", type=Path, action="append", default=[], metavar="DIR", help="a folder of *.jsonl; may be repeated")
    add("--requests-per-minute", type=int, metavar="N", help="per model")
    add("--tokens-per-minute", type=int, metavar="N", help="per model")
    add("--no-limit-headers", action="store_true", help="neither x-ratelimit-* nor Retry-After")
    add("--limit-window", type=float, default=60.0, metavar="S", help="seconds that both limits look back (60)")
    add("--max-concurrent", type=int, metavar="N", help="per model; one more at a time gets a 429 at once")
    add("--retry-after", type=float, default=0.5, metavar="S", help="what faults with a Retry-After ask for")
    add("--require-key", metavar="VALUE", help="answer 401 without this API key")
    return parser


def _book(folders: Sequence[Path]) -> Path | tuple[Path, ...] | None:
    if len(folders) > 1:
        return tuple(folders)
    return folders[0] if folders else None


def parse_rate(text: str) -> tuple[str, float]:
    """A fault and its rate from NAME=RATE.

    Raises:
        argparse.ArgumentTypeError: it is not of this form, or the fault is unknown.
    """
    name, _, rate = text.partition("=")
    if name not in FAULTS:
        raise argparse.ArgumentTypeError(f"unknown fault {name!r}; known: {', '.join(FAULTS)}")
    try:
        return name, float(rate)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=RATE, for example 429-after=0.1") from exc


def _announce(base_url: str) -> None:
    sys.stdout.write(f"simulating on {base_url}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
