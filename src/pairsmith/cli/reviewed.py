"""People's reviews out of a run folder into a file, and back. Called by review.py."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pairsmith.cli.common import Named, relative, say, show, stored_run
from pairsmith.errors import InputError, UserError
from pairsmith.folder import written_whole


def written_out(what: Named, out: Path, as_json: bool) -> int:
    """Write every verdict that stands into a file; the exit code."""
    from pairsmith.running.reviews import write_reviews

    with stored_run(what.folder) as (ledger, _):
        reviews = ledger.reviews()
    try:
        with written_whole(out) as file:
            write_reviews(reviews, file)
    except OSError as exc:
        raise UserError(f"{out} cannot be written ({exc.strerror}): name another file") from exc
    people = len({one.reviewer for one in reviews})
    result = {"out": str(out), "reviews": len(reviews), "reviewers": people}
    told = f"{relative(out)}: {_verdicts(len(reviews))} of {'1 person' if people == 1 else f'{people:,} people'}"
    show(result, as_json, lambda: told)
    return 0


def taken_in(what: Named, source: Path, as_json: bool) -> int:
    """Add the verdicts of a file to the run's log; the exit code."""
    from pairsmith.running.reviews import take_reviews

    try:
        stream = source.open("rb")
    except OSError as exc:
        raise InputError(f"{source} cannot be read ({exc.strerror}): name a file of review --export") from None
    with stream, stored_run(what.folder) as (ledger, _):
        imported = asyncio.run(take_reviews(stream, str(source), ledger))
    for why, n in imported.left_out.items():
        say(f"{_verdicts(n)} left out: {why}")
    result = {"added": imported.added, "left_out": dict(imported.left_out)}
    show(result, as_json, lambda: f"{_verdicts(imported.added)} added to {relative(what.folder.path)}")
    return 0


def _verdicts(count: int) -> str:
    return "1 verdict" if count == 1 else f"{count:,} verdicts"
