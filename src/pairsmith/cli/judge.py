"""`pairsmith judge`: judges what was sampled so far, or shows the words that judges are sent for one prompt."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from pairsmith.cli.common import DURATION, Named, json_option, named, run_dir_option, show
from pairsmith.cli.paying import cap_options, caps_of
from pairsmith.errors import UserError

if TYPE_CHECKING:
    from pairsmith.records import ChatRequest, Completion, Outcome, Prompt, RequestId
    from pairsmith.work import Work

    Outcomes: TypeAlias = Mapping[RequestId, Outcome]

PLACEHOLDERS = ("(an answer stands here)", "(another answer stands here)")
COLUMNS = 78


@click.command("judge")
@click.argument("recipe", type=click.Path(path_type=Path))
@run_dir_option
@click.option("--show", "prompt_id", metavar="PROMPT_ID", help="Print what judges are sent for this prompt, and stop.")
@cap_options
@click.option(
    "--patience", type=DURATION, default=0.0, metavar="TIME", help="Wait so long for endpoints that are down: 6h, 30m."
)
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Override a field: judge.rubric=code.")
@click.option("--force", is_flag=True, help="Go on with a judge that was disqualified (see: pairsmith qualify).")
@click.option("--quiet", "-q", is_flag=True, help="No progress bar.")
@json_option
def command(
    recipe: Path,
    run_dir: Path | None,
    prompt_id: str | None,
    patience: float,
    overrides: tuple[str, ...],
    force: bool,
    quiet: bool,
    as_json: bool,
    **caps: Any,
) -> int:
    """Judge and pair what was sampled so far; nothing new is sampled.

    RECIPE is a recipe file, or the folder of a run. Prompts whose completions are not all there count as not
    reached. With --show nothing is sent.
    """
    from pairsmith.cli.run import run
    from pairsmith.running.terms import Terms

    what = named(recipe, run_dir, overrides)
    if prompt_id is not None:
        return _show(what, prompt_id, as_json)
    terms = Terms(caps=caps_of(caps), patience_s=patience, force=force, sampling=False)
    return run(what, terms, as_json, quiet)


def _show(what: Named, prompt_id: str, as_json: bool) -> int:
    from pairsmith.judge import family_asked, with_family
    from pairsmith.judge.reference import wants_reference, with_reference, written

    work = _work(what)
    prompt, completions, outcomes = _prompt(what, prompt_id, work)
    placing = family_asked(prompt, work.panel, outcomes)
    owed = [placing.owed] if placing is not None and placing.owed else []
    prompt = with_family(prompt, placing)
    if wants_reference(prompt, work.panel):
        prompt = with_reference(prompt, written(prompt, work.panel, outcomes))
    requests = [*owed, *_requests(prompt, completions, work)]
    result = {
        "prompt_id": prompt.id,
        "requests": [{"endpoint": r.endpoint, "purpose": r.purpose.value, "body": dict(r.body)} for r in requests],
    }
    show(result, as_json, lambda: "\n\n".join(_text(request) for request in requests))
    return 0


def _work(what: Named) -> Work:
    """What the run decides by, with what its folder has learnt."""
    from pairsmith.ledger import open_ledger
    from pairsmith.running.known import work_as_kept

    if not what.folder.ledger.exists():
        return work_as_kept(what, None)
    ledger = open_ledger(what.folder.ledger, time.time, create=False)
    try:
        return work_as_kept(what, ledger)
    finally:
        ledger.close_now()


# --- the prompt -----------------------------------------------------------------------------------


def _prompt(what: Named, prompt_id: str, work: Work) -> tuple[Prompt, list[Completion], Outcomes]:
    """The prompt of this id, its row's own or its content's; its completions, or what stands for them; and its answers.

    Raises:
        UserError: there is none.
    """
    from pairsmith.records import Completion, CompletionId

    for prompt, completions, outcomes in chain(_stored(what, work), _input(what)):
        if prompt_id in (prompt.source_id, prompt.id):
            usable = [one for one in completions if work.pair.tolerated.issuperset(one.flags)]
            if len(usable) < 2:
                usable = [Completion(CompletionId(text), prompt.id, text, "shown") for text in PLACEHOLDERS]
            return prompt, usable, outcomes
    raise UserError(
        f"there is no prompt {prompt_id}: take an `id` of the prompt file, or a prompt_id of the provenance"
    )


def _stored(what: Named, work: Work) -> Iterator[tuple[Prompt, tuple[Completion, ...], Outcomes]]:
    """The prompts that the run folder has, with what was sampled."""
    from pairsmith.ledger import open_ledger
    from pairsmith.steps import begin, step
    from pairsmith.wire.stored import read_stored

    if not what.folder.ledger.exists():
        return
    ledger = open_ledger(what.folder.ledger, time.time, create=False)
    try:
        for prompt in ledger.prompts():
            stored = {ident: read_stored(ident, one) for ident, one in ledger.stored(prompt.id).items()}
            yield prompt, step(prompt, begin(prompt, work), stored, work).completions, stored
    finally:
        ledger.close_now()


def _input(what: Named) -> Iterator[tuple[Prompt, tuple[Completion, ...], Outcomes]]:
    """The prompts of the input, with the candidates that they bring along."""
    from pairsmith.cli.run import standard_input
    from pairsmith.collect import BadRow
    from pairsmith.running.sources import input_of
    from pairsmith.sample.screen import candidate_completion

    paths = [path for path in what.recipe.prompts.paths if path != "-"]
    if not paths:
        return
    settings = what.recipe.prompts.model_copy(update={"path": paths, "weights": None})
    for row in input_of(settings, standard_input).rows():
        if not isinstance(row, BadRow):
            given = (candidate_completion(row.prompt, one) for one in row.prompt.candidates)
            yield row.prompt, tuple(given), {}


# --- the requests ---------------------------------------------------------------------------------


def _requests(prompt: Prompt, completions: list[Completion], work: Work) -> Iterator[ChatRequest]:
    """One of each kind that this recipe can ask about the prompt."""
    from pairsmith.judge.case import Case
    from pairsmith.judge.duel import both_orders, duel_request
    from pairsmith.judge.rank import both_lists, rank_request
    from pairsmith.judge.reference import reference_request, wants_reference
    from pairsmith.judge.reward import reward_request
    from pairsmith.judge.score import score_request

    panel, protocol = work.panel, work.recipe.judge.protocol
    if wants_reference(prompt, panel):
        yield reference_request(prompt, panel)
    if protocol == "rank":
        case = Case(prompt, {one.id: one for one in completions}, {}, panel, {})
        for one in both_lists(case):
            yield rank_request(prompt, one, panel.words, panel.settings, panel.structured[one.judge.name])
        return
    for judge in panel.judges if protocol == "score" else ():
        if judge.kind == "reward":
            yield reward_request(prompt, completions[0], judge)
        elif judge.kind == "chat":
            mode = panel.structured[judge.name]
            yield score_request(prompt, completions[0], judge, panel.words, panel.settings, mode)
    if panel.chat_judges:
        order = both_orders(prompt.id, completions[0], completions[1], panel.chat_judges, panel.seed)[0]
        yield duel_request(prompt, order, panel.words, panel.settings, panel.structured[order.judge.name])


def _text(request: ChatRequest) -> str:
    """The request as a person reads it: who is asked, each message as it is, then the rest of the body."""
    import orjson

    head = f"── {request.purpose} · {request.endpoint} ".ljust(COLUMNS, "─")
    body = dict(request.body)
    messages = body.pop("messages")
    assert isinstance(messages, list)
    parts = [f"[{message['role']}]\n{message['content']}" for message in messages if isinstance(message, dict)]
    rest = orjson.dumps(body).decode()
    return "\n\n".join([head, *parts, f"[the rest of the body]\n{rest}"])
