"""What every command needs that pays: keys, prices, identities, the engine, and signals that let calls finish."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from pairsmith.cli.common import environment, say
from pairsmith.errors import RecipeError, Stopped

if TYPE_CHECKING:
    from pairsmith.ledger import Ledger
    from pairsmith.recipe import EndpointSettings
    from pairsmith.records import Endpoint, EndpointName
    from pairsmith.wire.online import Engine

TICK_S = 0.5


class Ticking(Protocol):
    """Whatever shows calls and spend even while nothing comes to its end."""

    def tick(self) -> None:
        """Show it anew."""


def keys_of(models: Mapping[EndpointName, Endpoint]) -> dict[EndpointName, str | None]:
    """The key of each endpoint, from the environment.

    Raises:
        RecipeError: a variable that one of them names is not set.
    """
    from pairsmith.recipe import api_key

    return {name: api_key(endpoint, environment()) for name, endpoint in models.items()}


def check_prices(models: Mapping[EndpointName, Endpoint], max_cost_usd: float | None) -> None:
    """A cap on the cost needs every price.

    Raises:
        RecipeError: one is not known.
    """
    unpriced = [name for name, endpoint in models.items() if endpoint.price is None]
    if max_cost_usd is not None and unpriced:
        raise RecipeError(
            f"--max-cost needs the price of {', '.join(unpriced)}: set endpoints.{unpriced[0]}.price = "
            "{ input = …, output = … } in USD per million tokens"
        )


def identified(
    models: Mapping[EndpointName, Endpoint],
    settings: Mapping[str, EndpointSettings],
    ledger: Ledger,
    same: Sequence[str],
    new: Sequence[str],
) -> dict[EndpointName, Endpoint]:
    """The endpoints under the identities that this folder knows them by.

    Raises:
        RecipeError: a flag names an endpoint that is not there.
        LedgerError: one has moved, and neither flag says what that means.
    """
    for flag, names in (("--same-endpoint", same), ("--new-endpoint", new)):
        for name in names:
            if name not in models:
                raise RecipeError(f"{flag} {name}: there is no such endpoint; name one of {', '.join(models)}")
    return {
        name: endpoint
        if settings[name].identity
        else replace(endpoint, identity=ledger.identify(endpoint, name in same, name in new))
        for name, endpoint in models.items()
    }


def engine_of(
    models: Mapping[EndpointName, Endpoint],
    keys: Mapping[EndpointName, str | None],
    ledger: Ledger,
    max_cost_usd: float | None,
    patience_s: float = 0.0,
) -> Engine:
    """The engine that pays for these endpoints and books with this ledger."""
    from pairsmith.wire.online import Budget, Clock, Engine
    from pairsmith.wire.session import transport_for

    budget = None if max_cost_usd is None else Budget(max_cost_usd, ledger.committed_usd())
    return Engine(
        models,
        lambda e: transport_for(e, keys[e.name]),
        ledger,
        Clock(time.monotonic, time.time, asyncio.sleep),
        random.Random(),
        [key for key in keys.values() if key],
        budget,
        patience_s,
    )


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


async def ticking(bar: Ticking) -> None:
    """Keep a bar alive, until cancelled."""
    while True:
        await asyncio.sleep(TICK_S)
        bar.tick()
