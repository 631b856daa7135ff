"""`pairsmith explain`: one prompt's whole evidence, and why it came to this pair or to none."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pairsmith.cli.common import as_last_run, json_option, named, relative, run_dir_option, show, stored_run
from pairsmith.errors import UserError

if TYPE_CHECKING:
    from pairsmith.explaining import Explained
    from pairsmith.ledger import Ledger
    from pairsmith.outcomes import StoredPair
    from pairsmith.pairing import Pairing
    from pairsmith.records import Prompt

MOST_NAMED = 20_000  # ids among which near ones are looked for


@click.command("explain")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("prompt_id")
@run_dir_option
@click.option("--full", is_flag=True, help="Print texts whole, however long.")
@json_option
def command(run: Path, prompt_id: str, run_dir: Path | None, full: bool, as_json: bool) -> int:
    """Show what was answered to a prompt, what judges said, and why this is the pair, or why there is none.

    RUN is the folder of a run, or its recipe. PROMPT_ID is the row's own id, a prompt_id of the provenance or the
    beginning of one, or the place in the input, as "#1". No endpoint is asked.
    """
    from pairsmith.cli import explained as said
    from pairsmith.dataset import sampled_by
    from pairsmith.explaining import explained, rules_in
    from pairsmith.reviewing import reviewing_in

    what = named(run, run_dir)
    recipe = as_last_run(what)
    with stored_run(what.folder) as (ledger, digest):
        rules = rules_in(recipe, ledger, digest)
        reviewing = reviewing_in(ledger, recipe, sampled_by(ledger, digest))
        found = explained(_prompt(ledger, prompt_id), ledger, digest, rules, recipe.judge, reviewing)
    where = relative(what.folder.path)
    show(_json(found, rules, where), as_json, lambda: said.as_text(found, rules, where, full))
    return 0


def _prompt(ledger: Ledger, word: str) -> Prompt:
    """The prompt of the input that is named.

    Raises:
        UserError: there is none, or several begin so.
    """
    from pairsmith.cli.explained import visible

    found = ledger.find(word)
    exact = [one for one in found if word in (one.source_id, one.id)] or found
    if len(exact) == 1:
        return exact[0]
    if exact:
        names = " and ".join(visible(one.id) for one in exact[:2])
        raise UserError(f"several prompts begin with {word}, such as {names}: write more of the id")
    if (left_out := ledger.near_duplicate(word)) is not None:
        stands = visible(left_out.stands.source_id or left_out.stands.id)
        raise UserError(visible(f"{word} was left out, as it is nearly the same as {stands}: explain that one"))
    near = difflib.get_close_matches(word, ledger.source_ids(MOST_NAMED), n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "take an `id` of the prompt file, or a prompt_id, or #1"
    raise UserError(visible(f"there is no prompt {word} in this run's input; {hint}"))


def _json(found: Explained, rules: Pairing, where: str) -> dict[str, Any]:
    from dataclasses import asdict

    from pairsmith.cli.reasoned import why

    prompt, settled = found.prompt, found.settled
    return {
        "run_dir": where,
        "prompt": {
            "prompt_id": prompt.id,
            "id": prompt.source_id,
            "place": prompt.ordinal + 1,
            "messages": list(prompt.messages),
            "system": prompt.system,
            "tools": list(prompt.tools),
            "reference": prompt.reference,
            "meta": dict(prompt.meta),
            "family": found.family.family,
            "family_call": found.family.call,
        },
        "stands_for": [one.source_id or one.id for one in found.stands_for],
        "outcome": settled.kind if settled else None,
        "reason": settled.reason if settled else None,
        "detail": settled.body.get("detail") if settled else None,
        "final": settled.final if settled else None,
        "why": why(found, rules, where),
        "pairs": [_pair(pair, found) for pair in found.pairs],
        "as_reviewed": [
            {"left_out": pair} if isinstance(pair, str) else _pair(pair, found) for pair in found.as_reviewed
        ],
        "gates": rules.settings.model_dump(mode="json"),
        "completions": [asdict(one) for one in found.answers],
        "ladder": [asdict(one) for one in found.rungs],
        "compared": [asdict(one) for one in found.compared],
        "people": [asdict(one) for one in found.votes],
        "besides": [asdict(one) for one in found.besides],
        "calls": found.calls,
        "attempts": found.attempts,
        "tokens": {"input": found.input_tokens, "output": found.output_tokens},
        "cost_usd": found.cost_usd,
    }


def _pair(pair: StoredPair, found: Explained) -> dict[str, Any]:
    """A pair by the numbers of its completions; of a text that was mended by that of the one which it was."""
    provenance = pair["provenance"]
    mended = provenance.get("edited_from")
    return {
        "chosen": found.number(pair["rejected" if mended else "chosen"]["completion"]),
        "rejected": found.number(pair["rejected"]["completion"]),
        "edited": mended is not None,
        "gap": pair["gap"],
        "rule": provenance.get("rule"),
        "strategy": provenance.get("strategy"),
        "judges": pair["judges"],
    }
