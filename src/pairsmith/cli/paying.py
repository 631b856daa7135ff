"""What every command needs that pays: the caps as options, and signals that let calls finish."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from pairsmith.cli.common import say
from pairsmith.errors import Stopped
from pairsmith.wire.money import Caps

if TYPE_CHECKING:
    from pairsmith.wire.online import Engine

_CAPS = (
    click.option(
        "--max-cost", type=click.FloatRange(min=0), metavar="USD", help="Stop before the folder has cost more."
    ),
    click.option(
        "--max-calls", type=click.IntRange(min=0), metavar="N", help="Stop before it has sent more, retries too."
    ),
    click.option(
        "--max-tokens", type=click.IntRange(min=0), metavar="N", help="Stop before it has used more, in and out."
    ),
    click.option(
        "--max-minutes", type=click.FloatRange(min=0), metavar="M", help="Stop when it has been run for so long."
    ),
)


def cap_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The four caps on what a run folder may come to, as options; `caps_of` reads them."""
    for option in reversed(_CAPS):
        command = option(command)
    return command


def caps_of(flags: Mapping[str, Any]) -> Caps:
    """What these options say."""
    return Caps(flags["max_cost"], flags["max_calls"], flags["max_tokens"], flags["max_minutes"])


@contextlib.contextmanager
def signals(engine: Engine) -> Iterator[None]:
    """SIGINT or SIGTERM once: finish what is in flight. Twice: at once."""
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        if engine.stopped is not None:
            os._exit(130)
        say("stopping: waiting for the calls in flight (once more: at once)")
        engine.stop(Stopped("interrupted", "interrupted; run the same command again to continue"))

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
