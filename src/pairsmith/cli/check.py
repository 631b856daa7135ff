"""`pairsmith check`: every problem of a dataset file, with line, field, what was found and how to mend it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from pairsmith.cli.common import TARGETS, json_option, relative, show
from pairsmith.errors import InputError

SHOWN = 50  # problems printed unless --all


@click.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--target", type=click.Choice(TARGETS), default="openai", show_default=True, help="Whose rules.")
@click.option("--all", "all_problems", is_flag=True, help=f"Print every problem, not the first {SHOWN}.")
@json_option
def command(file: Path, target: str, all_problems: bool, as_json: bool) -> int:
    """Find every problem of FILE. Exits 0 if there is none (warnings do not count), else 1."""
    from pairsmith.export.check import check
    from pairsmith.export.problems import Problem, Summary

    summary = Summary()
    shown: list[Problem] = []
    try:
        with file.open("rb") as stream:
            for problem in check(stream, target, summary):
                if as_json or all_problems or len(shown) < SHOWN:
                    shown.append(problem)
    except OSError as exc:
        raise InputError(f"{file} cannot be read ({exc.strerror}): name a JSONL file") from None
    result = {
        "file": str(file),
        "target": target,
        "rows": summary.rows,
        "errors": summary.errors,
        "warnings": summary.warnings,
        "by_rule": dict(summary.by_rule),
        "problems": [asdict(problem) for problem in shown],
    }

    def text() -> str:
        lines = [f"{'' if p.severity == 'error' else 'warning: '}{p}" for p in shown]
        hidden = summary.errors + summary.warnings - len(shown)
        lines += [f"… and {hidden:,} more (--all prints them)"] if hidden else []
        verdict = "ready" if not summary.errors else f"{summary.errors:,} problems"
        warned = f", {summary.warnings:,} warnings" if summary.warnings else ""
        return "\n".join([*lines, f"{relative(file)}: {summary.rows:,} rows for {target}: {verdict}{warned}"])

    show(result, as_json, text)
    return 1 if summary.errors else 0
