"""`pairsmith report`: one HTML file to look at, about one run or about two side by side."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pairsmith import __version__
from pairsmith.cli.common import (
    collect_seldom,
    counts_json,
    json_option,
    named,
    relative,
    run_dir_option,
    show,
    stored_run,
)
from pairsmith.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pairsmith.show.report.gather import Run

DEFAULT, COMPARED = "report.html", "report-compared.html"


@click.command("report")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("other", required=False, metavar="[OTHER]", type=click.Path(path_type=Path))
@run_dir_option
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), metavar="FILE", help=f"[default: {DEFAULT} in the folder]"
)
@json_option
def command(run: Path, other: Path | None, run_dir: Path | None, out: Path | None, as_json: bool) -> int:
    """Write one HTML file with plots, plain sentences and a sample of the pairs; it loads nothing and can be mailed.

    RUN is the folder of a run, or its recipe; the run may be going on. With OTHER, a second one, the two are compared,
    and the file is report-compared.html in the folder of the first.
    """
    collect_seldom()
    if other is not None:
        return _compare(run, other, run_dir, out, as_json)
    from pairsmith.show.report.writing import write_report

    what = named(run, run_dir)
    out = out or what.folder.path / DEFAULT
    found, page = write_report(what, out, __version__, today())
    show(_json(found, out, page), as_json, lambda: "\n".join(_text(found, out, page)))
    return 0


def _compare(run: Path, other: Path, run_dir: Path | None, out: Path | None, as_json: bool) -> int:
    from pairsmith.show.report.compare import compared, compared_page
    from pairsmith.show.report.writing import gathered_of, write_page

    if run_dir is not None:
        raise UserError("--run-dir names the folder of one run: to compare two, name their folders")
    first, second = named(run, None), named(other, None)
    if first.folder.path.resolve() == second.folder.path.resolve():
        raise UserError(f"{relative(first.folder.path)} is both runs: name the folders of two")
    out = out or first.folder.path / COMPARED
    with stored_run(first.folder) as (one, digest), stored_run(second.folder) as (two, other_digest):
        found = compared(gathered_of(first, one, digest), one, gathered_of(second, two, other_digest), two)
        page = compared_page(found, __version__, today())
    write_page(out, page)
    result = {"run_dir": str(first.folder.path), "other": str(second.folder.path), "out": str(out), "bytes": len(page)}
    show({**result, **found.as_json()}, as_json, lambda: "\n".join([_where(out, page), *found.in_short()]))
    return 0


def today() -> str:
    """The date that a page carries."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")


# --- what is said -------------------------------------------------------------------------------------


def _where(out: Path, page: bytes) -> str:
    return f"{relative(out)}  ({len(page) / 1e6:.1f} MB)"


def _text(run: Run, out: Path, page: bytes) -> Iterator[str]:
    from pairsmith.show.report.judging import findings

    yield _where(out, page)
    counts = run.counts
    share = f" ({counts.settled / counts.prompts:.0%})" if counts.prompts else ""
    yield f"  {counts.settled:,} of {counts.prompts:,} prompts gave a pair{share}"
    if run.simulated:
        yield f"  simulated: {run.simulated:,} of {run.settled:,} settled prompts rest on answers of a simulator"
    warned = [one.says for one in findings(run) if one.level == "warn"]
    yield from (f"  {sentence}" for sentence in warned[:3])
    if not warned:
        yield "  nothing to warn of: what the judges' leanings are is on the page"


def _json(run: Run, out: Path, page: bytes) -> dict[str, Any]:
    from pairsmith.show.report.compare import key_figures
    from pairsmith.show.report.judging import findings

    warned = [one.says for one in findings(run) if one.level == "warn"]
    result = {"run_dir": str(run.path), "out": str(out), "bytes": len(page), **counts_json(run.counts)}
    return {**result, **key_figures(run), "simulated": run.simulated, "warnings": warned}
