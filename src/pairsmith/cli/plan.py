"""`pairsmith plan`: what a run will cost and how long it will take, before a cent is spent. Asks nobody.

With --preview it runs the first prompts for real, as `pairsmith run --limit` does and in the same folder, and plans
with what they showed.
"""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pairsmith.cli.common import Named, json_option, named, run_dir_option, say, show, usd
from pairsmith.errors import InputError, UserError

if TYPE_CHECKING:
    from pairsmith.cli.planned import Planned
    from pairsmith.collect import BadRow, Row
    from pairsmith.ledger import Ledger
    from pairsmith.planning.forecast import Line
    from pairsmith.records import Outcome, PromptId, RequestId
    from pairsmith.work import Work

PROTOCOLS = ("score", "rank", "duel")
# What a recipe says of points, which rank and duel refuse, and what it says of rankings alone.
OF_POINTS = {"pair": ("min_gap", "verify_gap", "chosen_floor", "strategy", "sides", "pairs_per_prompt", "disjoint",
                      "rejected_ceiling"),
             "judge": ("escalate", "escalate_within", "score_from")}  # fmt: skip
OF_RANKINGS = {"judge": ("rank_conflict", "rank_max_chars")}


@dataclass(frozen=True, slots=True)
class Flags:
    """What the flags say that is about every plan."""

    run_dir: Path | None
    overrides: tuple[str, ...]
    target_pairs: int | None
    as_json: bool


@click.command("plan")
@click.argument("recipes", nargs=-1, required=True, metavar="RECIPE...", type=click.Path(path_type=Path))
@run_dir_option
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Take the first N prompts only.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a field: pair.min_gap=2.")
@click.option("--target-pairs", type=click.IntRange(min=1), metavar="N", help="What N pairs need: prompts, USD, hours.")
@click.option(
    "--preview", type=click.IntRange(min=2), metavar="N", help="Run the first N prompts for real before that."
)
@click.option("--max-cost", type=click.FloatRange(min=0), metavar="USD", help="Of the preview: as for run.")
@click.option("--compare", metavar="X,X…", help="Side by side with protocols (score, rank, duel) or other recipes.")
@json_option
def command(
    recipes: tuple[Path, ...],
    run_dir: Path | None,
    limit: int | None,
    overrides: tuple[str, ...],
    target_pairs: int | None,
    preview: int | None,
    max_cost: float | None,
    compare: str | None,
    as_json: bool,
) -> int:
    """What a run will cost: calls, tokens, dollars and hours, low, likely and high, and what each rests on.

    RECIPE is a recipe file, or the folder of a run; several stand side by side. Nothing is asked, no key is needed and
    nothing is written, but with --preview: that runs the first N prompts in the recipe's run folder, says before what
    they cost at most, and plans with what they showed. A later run does not pay for them again.
    """
    from pairsmith.cli import planned, tabled

    if len(recipes) > 1 and run_dir is not None:
        raise UserError("--run-dir names the folder of one recipe: give one recipe, or leave it out")
    limited = (*overrides, *([] if limit is None else [f"prompts.limit={limit}"]))
    flags = Flags(run_dir, limited, target_pairs, as_json)
    whats = [named(recipe, run_dir, limited) for recipe in recipes]
    code = 0
    if preview is not None:
        code = _preview(whats, recipes[0], preview, max_cost, flags)
    whats += _others(whats[0], compare, flags)
    plans = [_plan(what, flags) for what in whats]
    if len(plans) == 1:
        show(planned.as_json(plans[0]), as_json, lambda: tabled.as_text(plans[0]))
    else:
        result = {"plans": [planned.as_json(plan) for plan in plans]}
        show(result, as_json, lambda: tabled.side_by_side(plans))
    return code


# --- what is compared -----------------------------------------------------------------------------


def _others(what: Named, compare: str | None, flags: Flags) -> list[Named]:
    """The recipe under other protocols, and other recipes, as --compare names them."""
    found = []
    for word in [word.strip() for word in (compare or "").split(",") if word.strip()]:
        if word not in PROTOCOLS:
            found.append(named(Path(word), None, flags.overrides))
        elif word != what.recipe.judge.protocol:
            found.append(_under(what, word))
    return found


def _under(what: Named, protocol: str) -> Named:
    """The same recipe under another protocol, without the keys that this one refuses."""
    from pairsmith.recipe import recipe_of

    table = what.recipe.model_dump(mode="json", exclude_unset=True)
    if protocol != "rank":
        _without(table, OF_RANKINGS)
    if protocol != "score":
        _without(table, OF_POINTS)
    table["judge"] = {**table["judge"], "protocol": protocol}
    table["name"] = f"{what.recipe.name} {protocol}"
    return replace(what, recipe=recipe_of(table, f"--compare {protocol}"))


def _without(table: dict[str, Any], refused: Mapping[str, Sequence[str]]) -> None:
    for section in refused.keys() & table.keys():
        table[section] = {key: value for key, value in table[section].items() if key not in refused[section]}


# --- the preview ----------------------------------------------------------------------------------


def _preview(whats: Sequence[Named], recipe: Path, count: int, max_cost: float | None, flags: Flags) -> int:
    """Say what the first prompts cost at most, and run them; the exit code of that run."""
    from pairsmith.cli.run import run
    from pairsmith.running.paying import check_prices
    from pairsmith.running.terms import Terms
    from pairsmith.wire.money import Caps

    what = whats[0]
    if len(whats) > 1 or what.resumed or "-" in what.recipe.prompts.paths:
        raise UserError("--preview runs one recipe, with a prompt file: name just that")
    count = min(count, what.recipe.prompts.limit or count)
    if (settled := _settled(what)) >= count:
        say(f"{what.folder.path} has {settled:,} prompts settled already: planning with them")
        return 0
    first = named(recipe, flags.run_dir, (*flags.overrides, f"prompts.limit={count}"))
    expected = _plan(first, flags)
    check_prices(expected.endpoints, Caps(max_cost))
    cost = expected.left_usd
    most = (
        "a sum that is not known, as prices are missing"
        if cost.high is None
        else f"about {usd(cost.high)} (likely {usd(cost.likely)})"
    )
    capped = "" if max_cost is None else f", and never more than {usd(max_cost)}"
    say(f"the first {count:,} prompts cost at most {most}{capped}; running them in {first.folder.path}")
    with contextlib.redirect_stdout(io.StringIO()):
        return run(first, Terms(caps=Caps(max_cost)), as_json=False, quiet=flags.as_json)


def _settled(what: Named) -> int:
    from pairsmith.running.known import work_as_kept

    with _ledger(what) as ledger:
        return len(ledger.finished(work_as_kept(what, ledger).digest)) if ledger else 0


# --- one plan -------------------------------------------------------------------------------------


def _plan(what: Named, flags: Flags) -> Planned:
    """Count, rehearse, and gather what there is to say."""
    from pairsmith.cli.planned import Planned
    from pairsmith.cli.surveyed import surveyed
    from pairsmith.judge.rates import share
    from pairsmith.planning.forecast import forecast
    from pairsmith.planning.tokens import rate_of
    from pairsmith.running.known import work_as_kept
    from pairsmith.wire.stored import read_stored

    with _ledger(what) as ledger:
        work = work_as_kept(what, ledger)
        finished = ledger.finished(work.digest) if ledger else set()
        growing, grown = _growing(what, work, ledger)
        input = surveyed(chain(_rows(what, ledger), grown), what, finished)

        def stored(prompt: PromptId) -> Mapping[RequestId, Outcome]:
            found = ledger.stored(prompt) if ledger else {}
            return {ident: read_stored(ident, one) for ident, one in found.items()}

        lines = (*growing, *forecast(work, input, stored, rate_of(work.panel.words.general.score)))
        counts = ledger.counts(work.digest) if ledger else None
        paid = ledger.spent_on() if ledger else {}
        spent = ledger.spent() if ledger else None
    settled = counts.settled + sum(counts.abstained.values()) + sum(counts.failed.values()) if counts else 0
    gained = share(counts.settled if counts else 0, settled)
    return Planned(what, work.endpoints, input, lines, gained, paid, spent, flags.target_pairs)


def _growing(what: Named, work: Work, ledger: Ledger | None) -> tuple[tuple[Line, ...], Iterator[Row | BadRow]]:
    """What growing prompts takes, and the rows that it comes to, or that stand for these."""
    if what.recipe.prompts.expand is None:
        return (), iter(())
    from pairsmith.expanding import replayed
    from pairsmith.planning.growing import lines_of
    from pairsmith.running.grown import expansion_of, stand_ins

    expansion = expansion_of(what.recipe, work.endpoints, ledger, what.recipe.prompts.limit)
    owed = replayed(expansion, ledger)
    return lines_of(expansion, owed, ledger.spent_on() if ledger else {}), stand_ins(expansion)


@contextlib.contextmanager
def _ledger(what: Named) -> Iterator[Ledger | None]:
    """The ledger of the recipe's run folder for reading; None where nothing was run yet."""
    from pairsmith.ledger import open_ledger

    if not what.folder.ledger.exists():
        yield None
        return
    ledger = open_ledger(what.folder.ledger, time.time, create=False)
    try:
        yield ledger
    finally:
        ledger.close_now()


def _rows(what: Named, ledger: Ledger | None) -> Iterator[Row | BadRow]:
    """The rows of the recipe's prompt files; those of standard input as a run has stored them.

    Raises:
        InputError: one cannot be read.
    """
    from pairsmith.cli.run import standard_input
    from pairsmith.collect import Row
    from pairsmith.running.sources import input_of

    settings = what.recipe.prompts
    if "-" not in settings.paths:
        yield from input_of(settings, standard_input, say).rows()
    elif ledger is None or not ledger.input_size():
        raise InputError("plan cannot read standard input before it was run: name a prompt file")
    else:
        yield from (Row(prompt, place) for place, prompt in enumerate(ledger.prompts(), start=1))
