"""What is known of the endpoints before anything is sampled: what answers there, and whether it takes the arms.

Which server it is, and so what it is sent, is decided once for a run folder. What it refuses or ignores stands in
doctor.json; where nothing is known of a parameter, the first calls of a run are the test. Called by carried.py, and by
the command doctor for what is stored and how it is said.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import orjson

from pairsmith import measuring
from pairsmith.capabilities import Capabilities, Finding, Known, Support, as_json, of_json, unsupported
from pairsmith.dialects import NEUTRAL, UNKNOWN, of_owner, speaking
from pairsmith.errors import LedgerError, RecipeError, Stopped
from pairsmith.folder import RunFolder, written_whole
from pairsmith.probing import examine_arms, merged
from pairsmith.recipe import AUTO, Recipe, endpoints
from pairsmith.records import EndpointName
from pairsmith.running.named import environment
from pairsmith.sample.settings import PARAMETERS
from pairsmith.shapes import learnt
from pairsmith.wire.gate import Clock
from pairsmith.wire.probe import Probe
from pairsmith.wire.session import transport_for
from pairsmith.work import Work, arms_of, make_work

if TYPE_CHECKING:
    from pairsmith.ledger import Ledger
    from pairsmith.records import Arm, Endpoint
    from pairsmith.running.named import Named
    from pairsmith.wire.online import Engine

# What nearly every server takes: a refusal of the first three real calls tells in time (docs/architecture.md).
USUAL = ("temperature", "top_p", "seed")
MOST_NAMED = 12  # arms in a sentence


@dataclass(frozen=True, slots=True)
class Ready:
    """A run that can begin: what it decides by, and what is to be said first. `stopped`: why it cannot begin."""

    work: Work
    notes: list[str]
    stopped: Stopped | None = None


async def ready(
    what: Named,
    models: Mapping[EndpointName, Endpoint],
    keys: Mapping[EndpointName, str | None],
    ledger: Ledger,
    engine: Engine,
    sampling: bool,
    say: Callable[[str], object],
) -> Ready:
    """See that the endpoints take what the arms ask for, by what is known of them or by a few tiny calls.

    Args:
        what: the recipe, and the folder that keeps what is found out.
        models: its endpoints, as the recipe has them.
        keys: of each.
        ledger: the folder's, where the calls are booked.
        engine: whose budget and tally hold for them.
        sampling: whether anything will be sampled.
        say: tells the user that endpoints are asked.

    Raises:
        RecipeError: it is known already that an endpoint does not take an arm; nothing was asked.
    """
    recipe, known = what.recipe, stored(what.folder, models)
    if recipe.sample is None or not sampling:
        return Ready(make_work(recipe, as_kept(models, recipe, ledger), known), [])
    omit = recipe.sample.on_unsupported == "omit"
    probes = {name: _probe(models[name], keys, ledger, engine) for name in map(EndpointName, recipe.sampled_endpoints)}
    try:
        models = await _spoken(models, recipe, probes, known, ledger)
        arms = arms_of(recipe, models)
        if not omit and (mistake := refused(arms, known)):
            raise mistake
        found = await _tried(arms, models, recipe, probes, known, say)
    except Stopped as exc:  # the ledger cannot be written
        return Ready(make_work(recipe, models, known), [], exc)
    finally:
        for probe in probes.values():
            await probe.close()
    told = [one for one in found if not one.problem]
    if told:
        known = known | {one.endpoint: merged(known.get(one.endpoint), one) for one in told}
        keep(what.folder, known)
    models |= {
        one.endpoint: speaking(models[one.endpoint], one.server) for one in told if _is_news(one, models, ledger)
    }
    for name in probes:
        await _remember(models[name], ledger)
    work = make_work(recipe, models, known)
    notes = [f"endpoint {one.endpoint} could not be tried: {one.problem}" for one in found if one.problem]
    notes += omitted(arms, work.arms, known) if omit else []
    return Ready(work, notes, _ended(probes.values()) or _stop(arms, told, known, omit))


async def _tried(
    arms: Sequence[Arm],
    models: Mapping[EndpointName, Endpoint],
    recipe: Recipe,
    probes: Mapping[EndpointName, Probe],
    known: Known,
    say: Callable[[str], object],
) -> list[Capabilities]:
    """What a few tiny calls tell of the endpoints of which too little is known.

    What an endpoint is known for by itself or by its host is believed; what a recipe says of it is tried.
    """
    assert recipe.sample is not None
    taken = {name: models[name].neutral if recipe.endpoints[name].server == AUTO else {} for name in probes}
    asked = untested(arms, taken, known, recipe.sample.on_unsupported == "omit")
    if asked:
        say(f"asking {', '.join(asked)} with a few tiny calls whether it takes what its arms ask for")
    return await asyncio.gather(*[examine_arms(models[name], arms, probes[name]) for name in asked])


def _is_news(one: Capabilities, models: Mapping[EndpointName, Endpoint], ledger: Ledger) -> bool:
    """Whether a server was told that decides what is sent: not once there are answers, which would be bought anew."""
    return one.server not in (UNKNOWN, models[one.endpoint].server) and not ledger.has_sampled(one.endpoint)


def _ended(probes: Iterable[Probe]) -> Stopped | None:
    """Why an endpoint cannot be asked, once it was; one that is down may come back, which the engine waits for."""
    ends = [probe.ended for probe in probes if probe.ended is not None]
    return next((end for end in ends if end.reason != "unreachable"), None)


def _probe(endpoint: Endpoint, keys: Mapping[EndpointName, str | None], ledger: Ledger, engine: Engine) -> Probe:
    clock = Clock(time.monotonic, time.time, asyncio.sleep)
    secrets = [key for key in keys.values() if key]
    transport = transport_for(endpoint, keys[endpoint.name])
    return Probe(endpoint, transport, ledger, clock, secrets, engine.budget, ledger.last_attempt, engine.tally)


def _stop(arms: Sequence[Arm], told: Sequence[Capabilities], known: Known, omit: bool) -> Stopped | None:
    """Why the run does not go on after its first calls."""
    for one in told:
        if (together := one.findings.get("together")) is not None:
            return Stopped(
                "parameter_refused",
                f"endpoint {one.endpoint} refuses what its arms ask for together ({together.said}): see with "
                "pairsmith doctor which of it, and take that out of the recipe",
            )
    mistake = None if omit else refused(arms, known)
    return None if mistake is None else as_stop(mistake, known, arms)


# --- what answers there -----------------------------------------------------------------------------


async def _spoken(
    models: Mapping[EndpointName, Endpoint],
    recipe: Recipe,
    probes: Mapping[EndpointName, Probe],
    known: Known,
    ledger: Ledger,
) -> dict[EndpointName, Endpoint]:
    """The endpoints in the dialects of their servers; one that samples keeps to what its first answers were asked in.

    What no recipe and no host tells is asked of GET /models, which costs nothing; or doctor has found it out.
    """
    found = as_kept(models, recipe, ledger)
    for name, probe in probes.items():
        endpoint = found[name]
        if _kept(endpoint, recipe, ledger):
            continue
        if ledger.has_sampled(name):
            found[name] = replace(endpoint, neutral={})  # its answers were asked for before this was known
        elif not endpoint.server:
            before = known[name].server if name in known else UNKNOWN
            owners = {str(model.get("owned_by", "")) for model in await probe.models()}
            server = next(filter(None, map(of_owner, owners)), before)
            found[name] = _neutral(speaking(endpoint, server), known.get(name))
    return found


async def _remember(endpoint: Endpoint, ledger: Ledger) -> None:
    dialect = [endpoint.server, dict(endpoint.names), dict(endpoint.neutral)]
    await ledger.learn(_dialect_key(endpoint), orjson.dumps(dialect).decode())


def as_kept(models: Mapping[EndpointName, Endpoint], recipe: Recipe, ledger: Ledger) -> dict[EndpointName, Endpoint]:
    """The endpoints in the dialects that this run folder has kept."""
    return {name: _kept(endpoint, recipe, ledger) or endpoint for name, endpoint in models.items()}


def work_as_kept(what: Named, ledger: Ledger | None) -> Work:
    """What the last run in a folder decided by, with what the folder knows of endpoints and judges; nothing is asked.

    None: there is no ledger yet.
    """
    models, recipe = endpoints(what.recipe, environment()), what.recipe
    if ledger is None:
        return make_work(recipe, models)
    models = {
        name: one if recipe.endpoints[name].identity else replace(one, identity=ledger.known_as(one))
        for name, one in models.items()
    }
    models = as_kept(models, recipe, ledger)
    work = measuring.known(make_work(recipe, models, stored(what.folder, models)), ledger)
    return replace(work, panel=replace(work.panel, structured=learnt(models, work.panel.structured, ledger)))


def _kept(endpoint: Endpoint, recipe: Recipe, ledger: Ledger) -> Endpoint | None:
    """The endpoint as it was asked first; None when it never was.

    Where the recipe names another server now, that server's names hold; but what stands beside an arm's own parameters
    stays as it was once there are answers, for they would be bought anew.
    """
    stored = ledger.fact(_dialect_key(endpoint))
    if stored is None:
        return None
    server, names, neutral = orjson.loads(stored)
    if recipe.endpoints[endpoint.name].server in (AUTO, server):
        return replace(endpoint, server=server, names=names, neutral=neutral)
    return replace(endpoint, neutral=neutral) if ledger.has_sampled(endpoint.name) else None


def _neutral(endpoint: Endpoint, found: Capabilities | None) -> Endpoint:
    """The endpoint of an unknown server, sent the neutral values that it was found to take.

    But for top_k, whose "off" is -1 here and 0 there.
    """
    if found is None or endpoint.server:
        return endpoint
    taken = (Support.HONOURED, Support.ACCEPTED)
    supports = {name: one.support for name, one in found.findings.items()}
    values = {name: value for name, value in NEUTRAL.items() if name != "top_k" and supports.get(name) in taken}
    return replace(endpoint, neutral=values)


def _dialect_key(endpoint: Endpoint) -> str:
    return f"dialect {endpoint.identity}"


# --- what it takes ----------------------------------------------------------------------------------


def stored(folder: RunFolder, models: Mapping[EndpointName, Endpoint]) -> dict[EndpointName, Capabilities]:
    """What doctor.json says of these endpoints, as far as they are still the same.

    Raises:
        LedgerError: it cannot be read.
    """
    try:
        found = of_json(orjson.loads(folder.doctor.read_bytes()))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as exc:
        raise LedgerError(f"{folder.doctor} cannot be read ({exc}): delete it, or run pairsmith doctor anew") from None
    return {
        name: one
        for name, one in found.items()
        if name in models and (one.model, one.base_url) == (models[name].model, models[name].base_urls[0])
    }


def keep(folder: RunFolder, known: Known) -> None:
    """Write doctor.json.

    Raises:
        LedgerError: it cannot be written.
    """
    try:
        with written_whole(folder.doctor) as file:
            file.write(orjson.dumps(as_json(list(known.values())), option=orjson.OPT_INDENT_2))
    except OSError as exc:
        raise LedgerError(f"{folder.doctor} cannot be written ({exc}): mend that, or take another --run-dir") from exc


def untested(
    arms: Sequence[Arm], taken: Mapping[EndpointName, Container[str]], known: Known, omit: bool
) -> list[EndpointName]:
    """The endpoints whose arms ask for something of which nobody knows what becomes of it.

    Args:
        arms: of the recipe, nothing dropped.
        taken: parameters that each endpoint takes, as its server is known for it.
        known: what was found out before.
        omit: whether it has to be known of everything, as it would be left out.
    """
    asking = (
        arm.endpoint
        for arm in arms
        for name in arm.params
        if name in PARAMETERS
        and (omit or name not in USUAL)
        and name not in taken[arm.endpoint]
        and name not in (known[arm.endpoint].findings if arm.endpoint in known else {})
    )
    return list(dict.fromkeys(asking))


def refused(arms: Sequence[Arm], known: Known) -> RecipeError | None:
    """The first sentence about arms that their endpoint is known not to take as they stand; None when all are fine."""
    return next((RecipeError(sentence) for sentence in lacking(arms, known)), None)


def lacking(arms: Sequence[Arm], known: Known) -> list[str]:
    """A sentence for each parameter that an endpoint is known not to take from its arms, with the three ways out."""
    hit: dict[tuple[EndpointName, str], list[str]] = {}
    said: dict[tuple[EndpointName, str], Finding] = {}
    for arm in arms:
        for parameter, finding in unsupported(arm, known).items():
            hit.setdefault((arm.endpoint, parameter), []).append(arm.name)
            said.setdefault((arm.endpoint, parameter), finding)
    return [_lacking(*key, names, said[key], len(arms)) for key, names in hit.items()]


def _lacking(endpoint: EndpointName, parameter: str, names: Sequence[str], finding: Finding, arms: int) -> str:
    more = f" and {len(names) - 4} more" if len(names) > 4 else ""
    asking = f"arm{'s' if len(names) > 1 else ''} {', '.join(names[:4])}{more}"
    return (
        f"endpoint {endpoint} {told(parameter, finding)}, and {asking} of {arms} ask for it: take {parameter} "
        'out of the recipe, set sample.on_unsupported = "omit" to leave it out where it is not taken (arms that '
        "become equal are then one), or sample from an endpoint that takes it"
    )


def told(parameter: str, finding: Finding) -> str:
    """Such as "ignores top_k (three draws at top_k = 1 gave three texts)"."""
    if finding.bounds and finding.support is not Support.IGNORED:
        return f"takes {parameter} {finding.bounds} ({finding.said})"
    verb = "ignores" if finding.support is Support.IGNORED else "refuses"
    return f"{verb} {parameter}{f' ({finding.said})' if finding.said else ''}"


def as_stop(mistake: RecipeError, known: Known, arms: Sequence[Arm]) -> Stopped:
    """The same, where the first calls of this run showed it."""
    findings = [finding for arm in arms for finding in unsupported(arm, known).values()]
    ignored = all(finding.support is Support.IGNORED for finding in findings)
    return Stopped("parameter_ignored" if ignored else "parameter_refused", str(mistake))


def omitted(before: Sequence[Arm], arms: Sequence[Arm], known: Known) -> list[str]:
    """What was left out, and how many arms that leaves; a sentence an endpoint and parameter.

    Args:
        before: the arms as the recipe has them.
        arms: as they are drawn.
        known: what was found out.
    """
    said: dict[str, list[str]] = {}
    for arm in before:
        for parameter, finding in unsupported(arm, known).items():
            values = said.setdefault(f"endpoint {arm.endpoint} {told(parameter, finding)}", [])
            if (value := str(arm.params[parameter])) not in values:
                values.append(value)
    sentences = [f"{what}: left out, where the recipe asks for {', '.join(values)}" for what, values in said.items()]
    if said and len(arms) < len(before):
        names = ", ".join(arm.name for arm in arms[:MOST_NAMED])
        sentences.append(f"{len(before)} arms become {len(arms)}, as the others are equal without it: {names}")
    return sentences
