"""`pairsmith qualify`: asks the judges what is known, says how they did, and keeps it for every later run."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pairsmith.cli.common import Named, environment, json_option, named, run_dir_option, say, show
from pairsmith.cli.paying import cap_options, caps_of
from pairsmith.errors import LedgerError, RecipeError, Stopped
from pairsmith.folder import locked, written_whole
from pairsmith.wire.money import Caps

if TYPE_CHECKING:
    from pairsmith.cli.anchored import Chosen
    from pairsmith.judge import Panel
    from pairsmith.judge.qualify import Exam
    from pairsmith.ledger import Ledger
    from pairsmith.qualified import Qualification
    from pairsmith.qualifying import Examination
    from pairsmith.records import Endpoint, EndpointName
    from pairsmith.wire.online import Engine, Tally


@dataclass(frozen=True, slots=True)
class Options:
    """What flags say besides the recipe and the anchors."""

    caps: Caps
    same: Sequence[str]
    new: Sequence[str]
    missed: bool
    quiet: bool
    as_json: bool


@dataclass(slots=True)
class Asked:
    """What came of it: a judge whose answers are not complete has no qualification yet."""

    examination: Examination
    known: dict[EndpointName, Qualification]
    tally: Tally
    stopped: Stopped | None


@click.command("qualify")
@click.argument("recipe", type=click.Path(path_type=Path))
@run_dir_option
@click.option(
    "--anchors", type=click.Path(path_type=Path), metavar="FILE", help="Your own: JSONL of prompt, good, bad."
)
@click.option(
    "--from-reviews", type=click.Path(path_type=Path), metavar="RUN_DIR", help="What people preferred in that run."
)
@click.option("--missed", is_flag=True, help="Print each anchor that a judge got wrong, and what it said.")
@cap_options
@click.option("--same-endpoint", "same", multiple=True, metavar="NAME", help="It moved: what is stored stays valid.")
@click.option("--new-endpoint", "new", multiple=True, metavar="NAME", help="It is another: ask it anew.")
@click.option("--quiet", "-q", is_flag=True, help="No progress bar.")
@json_option
def command(
    recipe: Path,
    run_dir: Path | None,
    anchors: Path | None,
    from_reviews: Path | None,
    missed: bool,
    same: tuple[str, ...],
    new: tuple[str, ...],
    quiet: bool,
    as_json: bool,
    **caps: Any,
) -> int:
    """Ask every judge of the panel 60 prompts with a known better answer, before you trust it.

    RECIPE is a recipe file, or the folder of a run. Exits 1 when a judge is disqualified. Asking again costs
    nothing: the answers are in the run folder's ledger.
    """
    from pairsmith.cli import anchored

    if anchors and from_reviews:
        raise RecipeError("--anchors and --from-reviews are two sets of anchors: name one of them")
    what = named(recipe, run_dir)
    chosen = (
        anchored.from_file(anchors)
        if anchors
        else anchored.from_reviews(from_reviews)
        if from_reviews
        else anchored.shipped()
    )
    return qualify(what, chosen, Options(caps_of(caps), same, new, missed, quiet, as_json))


def qualify(what: Named, chosen: Chosen, options: Options) -> int:
    """Ask, tell and keep it; returns the exit code."""
    from pairsmith.ledger import open_ledger
    from pairsmith.recipe import endpoints
    from pairsmith.running.paying import check_prices, identified, keys_of

    models = endpoints(what.recipe, environment())
    judges, skipped = _can_be_asked(what, models)
    keys = keys_of(judges)
    check_prices(judges, options.caps)
    for reason, count in chosen.left_out.items():
        say(f"{count:,} reviews or pairs left out: {reason}")
    for sentence in skipped.values():
        say(sentence)
    with locked(what.folder), ExitStack() as files:
        ledger = open_ledger(what.folder.ledger, time.time, create=True)
        files.callback(ledger.close_now)
        judges = identified(judges, what.recipe.endpoints, ledger, options.same, options.new)
        panel = _panel(what, {**models, **judges})
        asked = asyncio.run(_ask(what, chosen, judges, panel, keys, ledger, options))
        _keep(what, asked, chosen)
    return _report(what, chosen, asked, skipped, options)


def _can_be_asked(
    what: Named, models: Mapping[EndpointName, Endpoint]
) -> tuple[dict[EndpointName, Endpoint], dict[str, str]]:
    """The judges that can be asked, and why the others cannot.

    Raises:
        RecipeError: none can.
    """
    judges: dict[EndpointName, Endpoint] = {}
    skipped: dict[str, str] = {}
    for name in what.recipe.judge.panel:
        if str(name).startswith("check:"):
            skipped[name] = f"{name} is a check in Python, not a model: it needs no anchors and is passed over"
        elif models[name].kind != "chat":
            skipped[name] = f"judge {name} is a reward model, which cannot be asked anchors yet: it is passed over"
        else:
            judges[name] = models[name]
    if not judges:
        said = "; ".join(skipped.values()) or "[judge] panel is empty"
        raise RecipeError(f"{said}: there is no judge left to ask")
    return judges, skipped


def _panel(what: Named, models: dict[EndpointName, Endpoint]) -> Panel:
    """The words and settings of a run with this recipe."""
    from pairsmith.work import make_work

    return make_work(what.recipe, models).panel


# --- asking -------------------------------------------------------------------------------------------


async def _ask(
    what: Named,
    chosen: Chosen,
    judges: dict[EndpointName, Endpoint],
    panel: Panel,
    keys: Mapping[EndpointName, str | None],
    ledger: Ledger,
    options: Options,
) -> Asked:
    from pairsmith import qualified, qualifying
    from pairsmith.running.paying import engine_of

    engine = engine_of(judges, keys, ledger, options.caps)
    examination = qualifying.begin(chosen.anchors, list(judges.values()), panel, ledger)
    before = qualified.qualifications(judges, what.folder.path, qualified.home(environment()))
    try:
        stopped = await _paid(examination, ledger, engine, options)
    finally:
        await ledger.close()
    known = {
        name: _qualification(judge, examination.exams(judge), what, chosen)
        for name, judge in judges.items()
        if not (stopped and any(exam.owed for exam in examination.exams(judge)))
    }
    for name, found in known.items():
        old = before[name]
        if old is not None and old.anchors.digest == found.anchors.digest and not engine.tally.calls[name]:
            known[name] = replace(found, asked_at=old.asked_at)  # read again, not asked again
    return Asked(examination, known, engine.tally, stopped)


async def _paid(examination: Examination, ledger: Ledger, engine: Engine, options: Options) -> Stopped | None:
    """Ask what is owed behind a progress bar; why it stopped early, if it did."""
    from pairsmith import qualifying
    from pairsmith.cli.examined import Bar, before_asking
    from pairsmith.cli.paying import signals
    from pairsmith.running.paying import watched

    owed = examination.owed()
    say(before_asking(examination.anchors, owed))
    with Bar(sum(owed.values()), engine.tally, options.quiet) as bar, signals(engine):
        engine.say = bar.say
        try:
            async with watched(bar, engine, ledger):
                await qualifying.ask(examination, ledger, engine, bar.answered)
        except Stopped as exc:
            return exc
    return None


def _qualification(judge: Endpoint, exams: Sequence[Exam], what: Named, chosen: Chosen) -> Qualification:
    from pairsmith.judge.qualify import measured, ruling
    from pairsmith.qualified import Qualification, Tokens
    from pairsmith.qualifying import cost

    found, paid = measured(exams), cost(judge, exams)
    return Qualification(
        identity=judge.identity,
        model=judge.model,
        ruling=ruling(found),
        measured=found,
        anchors=chosen.about,
        rubric=what.recipe.judge.rubric,
        asked_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        calls=paid.calls,
        cost_usd=paid.usd,
        tokens=Tokens(paid.input_tokens, paid.output_tokens),
        simulated=paid.simulated,
    )


# --- keeping and telling --------------------------------------------------------------------------------


def _keep(what: Named, asked: Asked, chosen: Chosen) -> None:
    """Into the run folder, and for every other run into $PAIRSMITH_HOME.

    Raises:
        LedgerError: the run folder cannot be written. If the home cannot be, that is only said.
    """
    import orjson

    from pairsmith import qualified

    judges = {str(name): qualified.as_json(found) for name, found in asked.known.items()}
    path = qualified.run_file(what.folder.path)
    whole = {"anchors": chosen.about.n, "judges": {**qualified.stored_in_run(what.folder.path), **judges}}
    try:
        with written_whole(path) as file:
            file.write(orjson.dumps(whole, option=orjson.OPT_INDENT_2))
    except OSError as exc:
        raise LedgerError(f"{path} cannot be written ({exc.strerror}): mend that, or take another --run-dir") from exc
    home = qualified.home(environment())
    try:
        for found in asked.known.values():
            with written_whole(qualified.home_file(home, found.identity, found.model)) as file:
                file.write(orjson.dumps(qualified.as_json(found), option=orjson.OPT_INDENT_2))
    except OSError as exc:
        say(f"{home} cannot be written ({exc.strerror}): only this run folder keeps the result (see $PAIRSMITH_HOME)")


def _report(what: Named, chosen: Chosen, asked: Asked, skipped: Mapping[str, str], options: Options) -> int:
    from pairsmith.cli import examined
    from pairsmith.qualified import as_json

    result: dict[str, Any] = {
        "run_dir": str(what.folder.path),
        "anchors": chosen.about.n,
        "source": chosen.about.source,
        "left_out": dict(chosen.left_out),
        "judges": {name: as_json(found) for name, found in asked.known.items()},
        "skipped": dict(skipped),
        "calls": dict(asked.tally.calls),
        "cost_usd": asked.tally.cost_usd,
        "stopped": asked.stopped.reason if asked.stopped else None,
    }
    if asked.stopped is not None:
        say(asked.stopped.sentence)

    def text() -> str:
        parts = [examined.table(name, found) for name, found in asked.known.items()]
        if options.missed:
            exams = asked.examination
            parts += [
                examined.missed(judge.name, exams.exams(judge)) for judge in exams.judges if judge.name in asked.known
            ]
        return "\n\n".join([examined.headline(chosen), *parts, examined.ending(asked.known, asked.tally, what)])

    show(result, options.as_json, text)
    if asked.stopped is not None:
        return asked.stopped.exit_code
    return 1 if any(found.ruling.verdict == "disqualified" for found in asked.known.values()) else 0
