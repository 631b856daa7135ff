"""`pairsmith doctor`: asks each endpoint what it takes, says so, and keeps it for the runs of this folder."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pairsmith.cli.common import Named, environment, json_option, named, run_dir_option, say, show
from pairsmith.errors import LedgerError, RecipeError, Stopped
from pairsmith.folder import RunFolder, locked

if TYPE_CHECKING:
    from pairsmith.capabilities import Capabilities
    from pairsmith.ledger import Ledger
    from pairsmith.probing import Want
    from pairsmith.records import Endpoint, EndpointName
    from pairsmith.wire.probe import Probe


@dataclass(frozen=True, slots=True)
class Options:
    """What flags say besides the recipe."""

    only: Sequence[str]
    max_cost_usd: float | None
    quiet: bool
    as_json: bool


@click.command("doctor")
@click.argument("recipe", type=click.Path(path_type=Path))
@run_dir_option
@click.option("--endpoint", "only", multiple=True, metavar="NAME", help="Ask this one only.")
@click.option("--max-cost", type=click.FloatRange(min=0), metavar="USD", help="Ask nothing if it could cost more.")
@click.option("--quiet", "-q", is_flag=True, help="No progress bar.")
@json_option
def command(
    recipe: Path, run_dir: Path | None, only: tuple[str, ...], max_cost: float | None, quiet: bool, as_json: bool
) -> int:
    """Ask each endpoint some tiny questions: what it takes, what it refuses, what it ignores without a word.

    RECIPE is a recipe file, or the folder of a run. Some 30 short calls to each endpoint that is used, fewer than 50 in
    any case. Exits 1 when an endpoint cannot be asked, or when the recipe asks for what one refuses or ignores.
    """
    return doctor(named(recipe, run_dir), Options(only, max_cost, quiet, as_json))


def doctor(what: Named, options: Options) -> int:
    """Ask, keep it and tell; returns the exit code."""
    from pairsmith.cli.doctored import Diagnosis
    from pairsmith.ledger import open_ledger
    from pairsmith.recipe import endpoints
    from pairsmith.running.paying import check_prices, keys_of
    from pairsmith.wire.money import Caps

    models = endpoints(what.recipe, environment())
    asked = _chosen(models, options.only)
    keys = keys_of(asked)
    check_prices(asked, Caps(options.max_cost_usd))
    with locked(what.folder), ExitStack() as files:
        ledger = open_ledger(what.folder.ledger, time.time, create=True)
        files.callback(ledger.close_now)
        diagnosis = Diagnosis(what.recipe, models, asked)
        _within(options.max_cost_usd, ledger, diagnosis)
        say(diagnosis.before())
        try:
            found = asyncio.run(_ask(asked, diagnosis.wanted, keys, ledger, options))
        except Stopped as exc:
            say(exc.sentence)
            return exc.exit_code
        known = _keep(what.folder, models, found)
    return _report(what, diagnosis, {one.endpoint: known[one.endpoint] for one in found}, found, options)


def _chosen(models: Mapping[EndpointName, Endpoint], only: Sequence[str]) -> dict[EndpointName, Endpoint]:
    for name in only:
        if name not in models:
            raise RecipeError(f"--endpoint {name}: no such endpoint is used; name one of {', '.join(models)}")
    return {name: endpoint for name, endpoint in models.items() if not only or name in only}


def _within(max_cost_usd: float | None, ledger: Ledger, diagnosis: Any) -> None:
    """See that asking cannot take the folder above the cap.

    Raises:
        RecipeError: it could.
    """
    if max_cost_usd is None:
        return
    spent, most = ledger.committed().usd or 0.0, diagnosis.most_usd or 0.0
    if spent + most > max_cost_usd:
        before = f", and {spent:.4f} USD are spent" if spent else ""
        raise RecipeError(
            f"--max-cost {max_cost_usd:g}: asking could cost up to {most:.4f} USD{before}; raise it to "
            f"{spent + most:.4f}, or ask one endpoint at a time with --endpoint"
        )


# --- asking -------------------------------------------------------------------------------------------


async def _ask(
    asked: Mapping[EndpointName, Endpoint],
    wanted: Mapping[EndpointName, Sequence[Want]],
    keys: Mapping[EndpointName, str | None],
    ledger: Ledger,
    options: Options,
) -> list[Capabilities]:
    """All endpoints side by side, behind a progress bar."""
    from tqdm import tqdm

    from pairsmith.probing import TYPICAL_CALLS, examine

    probes = {name: _probe(endpoint, keys, ledger) for name, endpoint in asked.items()}
    total = sum(TYPICAL_CALLS if endpoint.kind == "chat" else 1 for endpoint in asked.values())
    bar = tqdm(desc="asked", total=total, disable=options.quiet, dynamic_ncols=True, leave=False)

    async def one(name: EndpointName, endpoint: Endpoint) -> Capabilities:
        probe = probes[name]
        probe.on_answer = bar.update
        return await examine(endpoint, wanted[name], probe)

    try:
        return list(await asyncio.gather(*[one(name, endpoint) for name, endpoint in asked.items()]))
    finally:
        bar.close()
        for probe in probes.values():
            await probe.close()
        await ledger.close()


def _probe(endpoint: Endpoint, keys: Mapping[EndpointName, str | None], ledger: Ledger) -> Probe:
    from pairsmith.wire.gate import Clock
    from pairsmith.wire.probe import Probe
    from pairsmith.wire.session import transport_for

    clock = Clock(time.monotonic, time.time, asyncio.sleep)
    secrets = [key for key in keys.values() if key]
    return Probe(
        endpoint, transport_for(endpoint, keys[endpoint.name]), ledger, clock, secrets, first_draw=ledger.last_attempt
    )


# --- keeping and telling --------------------------------------------------------------------------------


def _keep(
    folder: RunFolder, models: Mapping[EndpointName, Endpoint], found: Sequence[Capabilities]
) -> dict[EndpointName, Capabilities]:
    """What is known now, of the endpoints that were asked and of the others; a file that cannot be read is no more."""
    from pairsmith.probing import merged
    from pairsmith.running.known import keep, stored

    try:
        before = stored(folder, models)
    except LedgerError:
        before = {}
    known = {**before, **{one.endpoint: merged(before.get(one.endpoint), one) for one in found}}
    keep(folder, known)
    return known


def _report(
    what: Named,
    diagnosis: Any,
    known: Mapping[EndpointName, Capabilities],
    found: Sequence[Capabilities],
    options: Options,
) -> int:
    from pairsmith.capabilities import as_json

    costs = [one.cost_usd for one in found]
    problems, notes = diagnosis.problems(known)
    result = {
        "run_dir": str(what.folder.path),
        **as_json(list(known.values())),
        "problems": problems,
        "notes": notes,
        "calls": {one.endpoint: one.calls for one in found},
        "cost_usd": None if None in costs else sum(cost or 0.0 for cost in costs),
    }
    show(result, options.as_json, lambda: diagnosis.text(known, result, what.folder))
    return 1 if problems else 0
