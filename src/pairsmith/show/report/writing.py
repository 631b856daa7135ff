"""The report of a run as a file: gathered from its folder, made, and written whole. Called by the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pairsmith.errors import UserError
from pairsmith.folder import written_whole
from pairsmith.recipe import endpoints
from pairsmith.running.named import as_last_run, environment, known_judges, stored_run
from pairsmith.show.report.gather import gathered
from pairsmith.show.report.page import report_page

if TYPE_CHECKING:
    from pairsmith.ledger import Ledger
    from pairsmith.running.named import Named
    from pairsmith.show.report.gather import Run


def write_report(what: Named, out: Path, version: str, today: str) -> tuple[Run, bytes]:
    """Write the page about one run; what it is about, and the page.

    Raises:
        UserError: the file cannot be written, or nothing was run in the folder yet.
    """
    with stored_run(what.folder) as (ledger, digest):
        found = gathered_of(what, ledger, digest)
        page = report_page(found, ledger, version, today)
    write_page(out, page)
    return found, page


def gathered_of(what: Named, ledger: Ledger, digest: str) -> Run:
    """What the report shows of a run, by the recipe that its folder was last run with."""
    recipe = as_last_run(what)
    models = endpoints(recipe, environment())
    return gathered(ledger, digest, recipe, what.folder.path, models, known_judges(what, models))


def write_page(out: Path, page: bytes) -> None:
    """Write a page, whole or not at all.

    Raises:
        UserError: it cannot be written.
    """
    try:
        with written_whole(out) as file:
            file.write(page)
    except OSError as exc:
        raise UserError(f"{out} cannot be written ({exc.strerror}): name another file with -o") from exc
