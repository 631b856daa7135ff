"""`pairsmith status`: counts, spend, and what is left, from the ledger alone; also while a run is going on."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from pairsmith.cli.common import (
    counts_json,
    counts_text,
    environment,
    json_option,
    known_judges,
    named,
    run_dir_option,
    show,
    stored_run,
    usd,
)


@click.command("status")
@click.argument("run", type=click.Path(path_type=Path))
@run_dir_option
@json_option
def command(run: Path, run_dir: Path | None, as_json: bool) -> int:
    """Counts, spend, what is left, the bias card, and what each arm does. RUN is the folder of a run, or its recipe."""
    from pairsmith.cli import armed, biased
    from pairsmith.cli.explained import visible
    from pairsmith.recipe import endpoints
    from pairsmith.running.cards import cards_of

    what = named(run, run_dir)
    folder = what.folder
    models = endpoints(what.recipe, environment())
    with stored_run(folder) as (ledger, digest):
        counts, spent, in_flight = ledger.counts(digest), ledger.spent(), ledger.open_attempts()
        reviewers = Counter(one.reviewer for one in ledger.reviews())
        card, arms = cards_of(ledger, digest, models)
    judges = known_judges(what, models)
    tokens = {"input": spent.input_tokens, "output": spent.output_tokens}
    result = {
        "run_dir": str(folder.path),
        **counts_json(counts),
        "unanswered_attempts": in_flight,
        "total": {"calls": spent.calls, "attempts": spent.attempts, "tokens": tokens, "cost_usd": spent.cost_usd},
        "reviews": dict(reviewers),
        "bias": biased.as_json(card, judges),
        "arms": arms.as_json(),
    }

    def text() -> str:
        left = counts.not_reached + sum(counts.failed.values())
        by_whom = ", ".join(f"{visible(name)} {n:,}" for name, n in reviewers.items())
        return "\n".join(
            [
                *counts_text(counts),
                f"  calls        {spent.calls:,} in {spent.attempts:,} attempts ({in_flight:,} without an answer)",
                f"  tokens       {spent.input_tokens:,} in, {spent.output_tokens:,} out",
                f"  cost         {usd(spent.cost_usd)}",
                *([f"  reviews      {by_whom}"] if reviewers else []),
                *biased.as_text(card, judges),
                *armed.as_text(arms),
                f"{left:,} prompts are left or failed: pairsmith run {folder.path}"
                if left
                else "nothing is left to do",
            ]
        )

    show(result, as_json, text)
    return 0
