"""What everyone needs who pays: keys, prices, identities, the engine, and the time that a run folder may be run."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from pairsmith.errors import RecipeError
from pairsmith.running.named import environment
from pairsmith.wire.money import NOTHING, Budget, Caps

if TYPE_CHECKING:
    from pairsmith.ledger import Ledger
    from pairsmith.recipe import EndpointSettings
    from pairsmith.records import Endpoint, EndpointName
    from pairsmith.wire.online import Engine

TICK_S = 0.5  # of the progress bar
BEAT_S = 2.0  # so often is written down how long the folder has been run: what a kill can take away


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


def check_prices(models: Mapping[EndpointName, Endpoint], caps: Caps) -> None:
    """A cap on the cost needs every price.

    Raises:
        RecipeError: one is not known.
    """
    unpriced = [name for name, endpoint in models.items() if endpoint.price is None]
    if caps.usd is not None and unpriced:
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
    caps: Caps,
    patience_s: float = 0.0,
) -> Engine:
    """The engine that pays for these endpoints and books with this ledger."""
    from pairsmith.wire.online import Clock, Engine
    from pairsmith.wire.session import transport_for

    return Engine(
        models,
        lambda e: transport_for(e, keys[e.name]),
        ledger,
        Clock(time.monotonic, time.time, asyncio.sleep),
        random.Random(),
        [key for key in keys.values() if key],
        Budget(caps, NOTHING if caps == Caps() else ledger.committed()),  # which reads every attempt
        patience_s,
    )


@contextlib.asynccontextmanager
async def watched(bar: Ticking, engine: Engine, ledger: Ledger) -> AsyncIterator[None]:
    """Keep a bar alive and the time of the run folder, and stop the engine when its minutes are over."""
    tasks = [asyncio.create_task(_ticking(bar)), asyncio.create_task(_timing(engine, ledger))]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ticking(bar: Ticking) -> None:
    while True:
        await asyncio.sleep(TICK_S)
        bar.tick()


async def _timing(engine: Engine, ledger: Ledger) -> None:
    """Where the time was up before, the first call that is owed stops the run: there may be none."""
    budget, before_s, started_s = engine.budget, ledger.ran_s(), time.monotonic()
    cap_s = math.inf if budget.caps.minutes is None else 60 * budget.caps.minutes
    budget.time_is_up = before_s >= cap_s
    try:
        while True:
            ran_s = before_s + time.monotonic() - started_s
            ledger.keep_ran_s(ran_s)
            if ran_s >= cap_s and not budget.time_is_up:
                budget.time_is_up = True
                engine.stop(budget.reached(NOTHING))
            left_s = BEAT_S if budget.time_is_up else min(BEAT_S, cap_s - ran_s)
            await asyncio.sleep(left_s)
    finally:
        ledger.keep_ran_s(before_s + time.monotonic() - started_s)
