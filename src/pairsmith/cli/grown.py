"""What `pairsmith expand` says it achieved: what each method gave and why the rest fell, how new, on which topics."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairsmith.cli.common import Named, relative, usd

if TYPE_CHECKING:
    from pairsmith.collect.expand.records import Harvest
    from pairsmith.collect.expand.records import Tally as MethodTally
    from pairsmith.errors import Stopped
    from pairsmith.expanding import Expansion
    from pairsmith.ledger import Spent
    from pairsmith.wire.online import Tally

MOST_REASONS = 5  # that are named in a line
MOST_ROUNDS = 12  # of the novelty curve: the first ones and the last


@dataclass(frozen=True, slots=True)
class Told:
    """What there is to say."""

    what: Named
    out: Path
    expansion: Expansion
    tally: Tally
    spent: Spent
    stopped: Stopped | None
    wall_s: float
    written: bool


def as_json(told: Told) -> dict[str, Any]:
    """The same for programs."""
    harvest, spent, tally = told.expansion.harvest, told.spent, told.tally
    return {
        "run_dir": str(told.what.folder.path),
        "out": str(told.out),
        "seeds": len(told.expansion.stock.seeds),
        "wanted": harvest.wanted,
        "prompts": len(harvest.kept),
        "methods": {
            method: {
                "calls": one.calls,
                "came": one.came,
                "kept": one.kept,
                "surplus": one.over,
                "undecided": one.waiting,
                "fell": dict(one.fell.most_common()),
            }
            for method, one in harvest.tallies.items()
        },
        "given_up": {method: share and round(share, 4) for method, share in harvest.dried.items()},
        "novelty": [{"well_formed": formed, "new": new} for formed, new in harvest.novelty],
        "topics": dict(harvest.leaves),
        "passages": {"used": harvest.passages[0], "of": harvest.passages[1]},
        "calls": dict(tally.calls),
        "attempts": dict(tally.attempts),
        "tokens": {"input": tally.input_tokens, "output": tally.output_tokens},
        "cost_usd": tally.cost_usd,
        "total": {
            "calls": spent.calls,
            "attempts": spent.attempts,
            "tokens": {"input": spent.input_tokens, "output": spent.output_tokens},
            "cost_usd": spent.cost_usd,
        },
        "simulated": any(kept.said.simulated for kept in harvest.kept),
        "wall_s": round(told.wall_s, 3),
        "stopped": told.stopped.reason if told.stopped else None,
    }


def as_text(told: Told) -> str:
    """For people."""
    harvest, tally = told.expansion.harvest, told.tally
    calls = ", ".join(f"{name} {n:,}" for name, n in tally.calls.items()) or "none: all of it was there"
    lines = [
        f"{len(harvest.kept):,} new prompts from {_seeds(len(told.expansion.stock.seeds))}",
        "",
        *table(harvest),
        "",
        *_curve(harvest),
        *_coverage(harvest),
        f"  calls        {calls}",
        f"  tokens       {tally.input_tokens:,} in, {tally.output_tokens:,} out",
        f"  cost         {usd(tally.cost_usd)}; the whole folder {usd(told.spent.cost_usd)}",
        f"  time         {told.wall_s:.1f} s",
        "",
        f"{told.out if str(told.out) == '-' else relative(told.out)}: {_rows(len(harvest.kept))}"
        if told.written
        else f"{relative(told.out)} stays as it is: there is nothing to write",
    ]
    if told.stopped:
        lines.append(f"stopped early ({told.stopped.reason})")
    return "\n".join(lines)


def _rows(count: int) -> str:
    return f"{count:,} prompt{'' if count == 1 else 's'}, each with its method, round and seeds"


def _seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count:,} seeds"


def table(harvest: Harvest) -> list[str]:
    """What each method gave, and why the rest was not kept."""
    methods = {method: one for method, one in harvest.tallies.items() if one.calls}
    if not methods:
        return ["no method was asked yet"]
    width = max(map(len, methods))
    head = f"{'':<{width}}  calls   came   kept         not kept"
    return [head, *(_row(method.ljust(width), one, method in harvest.dried) for method, one in methods.items())]


def _row(method: str, one: MethodTally, dried: bool) -> str:
    reasons = Counter(one.fell) + Counter({"more than wanted": one.over, "not decided yet": one.waiting})
    named = [f"{reason} {n:,}" for reason, n in reasons.most_common(MOST_REASONS)]
    rest = reasons.total() - sum(n for _, n in reasons.most_common(MOST_REASONS))
    named += [f"other {rest:,}"] if rest else []
    given_up = "; given up" if dried else ""
    share = f"{one.good / one.came:.0%}" if one.came else "–"
    return (
        f"{method}  {one.calls:>5,}  {one.came:>5,}  {one.kept:>5,}  {share:>4}   {', '.join(named)}{given_up}".rstrip()
    )


def _curve(harvest: Harvest) -> list[str]:
    """How much of what was well formed was new, round by round: where it sinks, the seeds are used up."""
    shares = [f"{new / formed:.0%}" for formed, new in harvest.novelty if formed]
    if len(shares) > MOST_ROUNDS:
        shares = [*shares[: MOST_ROUNDS // 2], "…", *shares[-MOST_ROUNDS // 2 :]]
    return [f"  new          {' '.join(shares)} of the well-formed ones, round by round"] if shares else []


def _coverage(harvest: Harvest) -> list[str]:
    lines = []
    if harvest.leaves:
        counts = sorted(harvest.leaves.values())
        covered = sum(count > 0 for count in counts)
        lines.append(
            f"  topics       {covered:,} of {len(counts):,} have prompts, {counts[0]:,} to {counts[-1]:,} each"
        )
    used, passages = harvest.passages
    return lines + ([f"  passages     {used:,} of {passages:,} were shown"] if passages else [])
