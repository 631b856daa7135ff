"""What several commands need: the recipe or run folder that was named, its files, and how results are said."""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from pairsmith.running.named import (
    Named,
    as_last_run,
    default_run_dir,
    environment,
    known_judges,
    named,
    relative,
    stored_run,
)
from pairsmith.running.written import (
    default_out,
    left_out_notes,
    out_of,
    projection_of,
    provenance_path,
    replacement_text,
    validation_path,
    write_dataset,
    written_text,
)

if TYPE_CHECKING:
    from pairsmith.ledger import Counts

__all__ = [
    "DURATION",
    "TARGETS",
    "Named",
    "as_last_run",
    "collect_seldom",
    "counts_json",
    "counts_text",
    "default_out",
    "default_run_dir",
    "environment",
    "json_option",
    "known_judges",
    "left_out_notes",
    "named",
    "out_of",
    "projection_of",
    "provenance_path",
    "relative",
    "replacement_text",
    "run_dir_option",
    "say",
    "show",
    "stored_run",
    "usd",
    "validation_path",
    "write_dataset",
    "written_text",
]

TARGETS = (
    "openai", "azure", "together", "fireworks", "trl", "openrlhf", "llama-factory", "axolotl", "ms-swift", "nemo-rl",
    "vertex", "nova", "sft", "kto", "csv", "parquet",
)  # fmt: skip

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout.")
run_dir_option = click.option(
    "--run-dir", type=click.Path(path_type=Path), metavar="DIR", help="The run folder.  [default: runs/NAME]"
)


class _Duration(click.ParamType[float]):
    """A time span in seconds, written 6h, 90m, 1h30m, 45s."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it; a number stays as it is."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", value.strip())
        if not found or not any(found.groups()):
            self.fail(f"{value!r} is no time span: write it like 6h, 90m or 1h30m", param, ctx)
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return float(hours * 3600 + minutes * 60 + seconds)


DURATION = _Duration()


def collect_seldom() -> None:
    """Look for cycles in memory seldom: hardly any objects of ours are in one, and looking is a tenth of the CPU."""
    gc.set_threshold(20_000, 20, 20)


def show(result: dict[str, Any], as_json: bool, text: Callable[[], str]) -> None:
    """The result on stdout, for programs or for people."""
    print(orjson.dumps(result).decode() if as_json else text())


def say(sentence: str) -> None:
    """A message on stderr."""
    print(f"pairsmith: {sentence}", file=sys.stderr)


def counts_json(counts: Counts) -> dict[str, Any]:
    """The state of a run, as `--json` says it."""
    return {
        "prompts": counts.prompts,
        "duplicates": counts.duplicates,
        "skipped": counts.skipped,
        "excluded": counts.excluded,
        "near_duplicates": counts.near_duplicates,
        "contaminated": counts.contaminated,
        "completions": counts.completions,
        "verdicts": counts.verdicts,
        "pairs": counts.pairs,
        "settled": counts.settled,
        "abstained": counts.abstained,
        "failed": counts.failed,
        "not_reached": counts.not_reached,
    }


def counts_text(counts: Counts) -> list[str]:
    """The state of a run in a few lines."""
    prompts = f"{counts.prompts:,} prompts"
    besides = {
        "duplicates": counts.duplicates,
        "near-duplicates": counts.near_duplicates,
        "bad rows": counts.skipped,
        "excluded": counts.excluded,
        "contaminated": counts.contaminated,
    }
    extra = [f"{n:,} {word}" for word, n in besides.items() if n]
    lines = [f"{prompts}{' (besides ' + ', '.join(extra) + ')' if extra else ''}"]
    share = f" ({counts.settled / counts.prompts:.0%})" if counts.prompts else ""
    several = f" of {counts.settled:,} prompts" if counts.pairs != counts.settled else ""
    lines.append(f"  pairs        {counts.pairs:,}{several}{share}")
    for label, reasons in (("abstained", counts.abstained), ("failed", counts.failed)):
        why = ", ".join(f"{reason} {n:,}" for reason, n in sorted(reasons.items(), key=lambda kv: -kv[1]))
        if reasons:
            lines.append(f"  {label:<12} {sum(reasons.values()):,} ({why})")
    if counts.not_reached:
        lines.append(f"  not reached  {counts.not_reached:,}")
    lines.append(f"  from         {counts.completions:,} completions, {counts.verdicts:,} verdicts")
    return lines


def usd(cost: float | None) -> str:
    """A cost for people; None is a price that the recipe does not give."""
    return "unknown (no price in the recipe)" if cost is None else f"${cost:,.4f}" if cost < 1 else f"${cost:,.2f}"
