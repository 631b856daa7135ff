"""What is said of a run once it has ended, to people and to programs. Called by run.py."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from pairsmith.cli.armed import in_short
from pairsmith.cli.biased import as_json as bias_json
from pairsmith.cli.common import Named, counts_json, counts_text, relative, say, show, usd, written_text
from pairsmith.running.written import dataset_notes

if TYPE_CHECKING:
    from pairsmith.running.carried import Finished


def report(finished: Finished, what: Named, as_json: bool, not_matching: int | None = None) -> int:
    """Say what came of the run; returns the exit code.

    Args:
        finished: the run.
        what: its recipe and folder.
        as_json: for programs.
        not_matching: rows that the condition of [prompts] passed over; None: nothing was read.
    """
    export, out = what.recipe.export, finished.out
    for note in [*finished.notes, *dataset_notes(finished.exported, out, export, relative(out))]:
        say(note)
    if finished.stopped is not None:
        say(finished.stopped.sentence)
    if not_matching:
        say(f"{not_matching:,} rows do not match: {what.recipe.prompts.where}")
    show({**_json(finished, what), "not_matching": not_matching}, as_json, lambda: _text(finished, what))
    return finished.stopped.exit_code if finished.stopped else 0


def _json(finished: Finished, what: Named) -> dict[str, Any]:
    tally, spent = finished.tally, finished.spent
    total_tokens = {"input": spent.input_tokens, "output": spent.output_tokens}
    return {
        "run_dir": str(what.folder.path),
        "out": str(finished.out),
        **counts_json(finished.counts),
        "pairs": finished.exported.rows,
        "target_pairs": finished.target_pairs,
        "validation": finished.exported.validation,
        "left_out": dict(finished.exported.left_out),
        "calls": dict(tally.calls),
        "attempts": dict(tally.attempts),
        "tokens": {"input": tally.input_tokens, "output": tally.output_tokens},
        "cost_usd": tally.cost_usd,
        "total": {
            "calls": spent.calls,
            "attempts": spent.attempts,
            "tokens": total_tokens,
            "cost_usd": spent.cost_usd,
        },
        "bias": bias_json(finished.bias, finished.judges),
        "arms": finished.arms.as_json(),
        "wall_s": round(finished.wall_s, 3),
        "stopped": finished.stopped.reason if finished.stopped else None,
    }


def _text(finished: Finished, what: Named) -> str:
    tally = finished.tally
    calls = ", ".join(f"{name} {n:,}" for name, n in tally.calls.items()) or (
        "none" if finished.stopped or finished.counts.not_reached else "none: nothing was owed"
    )
    retries = sum(tally.attempts.values()) - sum(tally.calls.values())
    lines = counts_text(finished.counts)
    lines += [
        f"  calls        {calls}{f' (and {retries:,} retries)' if retries else ''}",
        f"  tokens       {tally.input_tokens:,} in, {tally.output_tokens:,} out",
        f"  cost         {usd(tally.cost_usd)}; the whole folder {usd(finished.spent.cost_usd)}",
        f"  time         {finished.wall_s:.1f} s",
        *in_short(finished.arms),
        "",
        *written_text(finished.out, finished.exported, what.recipe.export),
    ]
    if finished.stopped:
        lines.append(f"stopped early ({finished.stopped.reason})")
    if finished.counts.prompts > finished.counts.not_reached:
        lines.append(f"see it: {shlex.join(['pairsmith', 'report', relative(what.folder.path)])}")
    return "\n".join(lines)
