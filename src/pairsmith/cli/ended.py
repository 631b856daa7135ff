"""What is said of a run: before it starts, and once it has ended. Called by run.py."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairsmith.cli.common import (
    Named,
    counts_json,
    counts_text,
    left_out_notes,
    relative,
    say,
    show,
    usd,
    written_text,
)
from pairsmith.errors import Stopped

if TYPE_CHECKING:
    from pairsmith.cli.armed import Arms
    from pairsmith.dataset import Exported
    from pairsmith.ledger import Counts, Ledger, Spent
    from pairsmith.wire.online import Tally
    from pairsmith.work import Work

CUT_OFF_SHARE = 0.05  # of the completions, above which it is said loudly


@dataclass(slots=True)
class Finished:
    """A run that has ended: where it stands, what was paid, and what was written."""

    counts: Counts
    spent: Spent
    tally: Tally
    exported: Exported
    out: Path
    stopped: Stopped | None
    notes: list[str]
    bias: dict[str, Any]
    arms: Arms
    target_pairs: int | None
    wall_s: float = 0.0


def warnings(work: Work) -> list[str]:
    """What the user should know before anything is spent."""
    from pairsmith.judge.families import family_of

    judges = {judge.model for judge in work.panel.judges if judge.kind != "check"}
    sampled = {work.endpoints[arm.endpoint].model for arm in work.arms}
    if own := sorted(judges & sampled):
        return [f"{own[0]} judges its own answers; judges tend to prefer their own: a judge of another family is safer"]
    families = {family_of(model) for model in sampled} - {None}
    biased = sorted(judge for judge in judges if family_of(judge) in families)
    if len(families) < 2 or not biased:  # with one sampler, a taste for its family hits all answers alike
        return []
    return [
        f"answers of {len(families)} model families compete, and judge {biased[0]} is of one of them ("
        f"{family_of(biased[0])}); judges tend to prefer their own: a judge of another family is safer"
    ]


def notes(ledger: Ledger, work: Work) -> list[str]:
    """What the state of the run says: the gate's effect, and answers that were cut off."""
    from pairsmith.outcomes import gate_evidence_in
    from pairsmith.pair.outlook import outlook

    said: list[str] = []
    gates = []
    completions = cut_off = unreadable = too_long = 0
    for _, settled in ledger.outcomes(work.digest):
        evidence = gate_evidence_in(settled.body)
        if evidence is not None:
            gates.append(evidence)
        completions += settled.completions
        too_long += settled.reason == "too_long_to_rank"
        body: dict[str, Any] = dict(settled.body)
        cut_off += body.get("flags", {}).get("cut_off", 0)
        unreadable += body.get("unreadable", 0)
    if gates:
        said.append(outlook(gates, work.pair).sentence())
    if work.recipe.sample and completions and cut_off / completions > CUT_OFF_SHARE:
        said.append(
            f"{cut_off / completions:.0%} of the completions were cut off by max_tokens = "
            f"{work.recipe.sample.max_tokens} and are in no pair: raise sample.max_tokens"
        )
    if unreadable:
        said.append(
            "1 reply of a judge could not be read as a verdict"
            if unreadable == 1
            else f"{unreadable:,} replies of judges could not be read as verdicts"
        )
    if too_long:
        said.append(
            f"{too_long:,} prompts have answers that are too long for one listwise prompt: raise judge.rank_max_chars "
            f"(now {work.recipe.judge.rank_max_chars:,} characters) if the judge's context holds more, or use score"
        )
    return said


def report(finished: Finished, what: Named, as_json: bool) -> int:
    """Say what came of the run; returns the exit code."""
    for note in finished.notes + _dataset_notes(finished, what):
        say(note)
    if finished.stopped is not None:
        say(finished.stopped.sentence)
    show(_json(finished, what), as_json, lambda: _text(finished, what))
    return finished.stopped.exit_code if finished.stopped else 0


def _dataset_notes(finished: Finished, what: Named) -> list[str]:
    """What `check` says about the file that was written, and which pairs the target could not take."""
    from pairsmith.export.check import check

    notes = left_out_notes(finished.exported, what.recipe.export)
    if not finished.out.exists():
        return notes
    with finished.out.open("rb") as file:
        found = [p for p in check(file, what.recipe.export.target) if p.line == 0 or p.severity == "error"]
    problems = [str(p) for p in found if p.rule != "longer_wins"]  # the bias card says it, over all pairs
    return notes + [f"{relative(finished.out)}: {problem}" for problem in problems[:5]]


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
        "bias": finished.bias,
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
        *finished.arms.in_short(),
        "",
        *written_text(finished.out, finished.exported, what.recipe.export),
    ]
    if finished.stopped:
        lines.append(f"stopped early ({finished.stopped.reason})")
    return "\n".join(lines)
