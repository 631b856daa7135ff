"""`pairsmith review`: a local page on which people judge a run's pairs without knowing what the judges say."""

from __future__ import annotations

import asyncio
import getpass
import os
import secrets
import shlex
import signal
import sys
import threading
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pairsmith.cli import reviewed
from pairsmith.cli.common import as_last_run, json_option, named, relative, run_dir_option, say, show, stored_run
from pairsmith.errors import UserError

if TYPE_CHECKING:
    from pairsmith.ledger import Ledger
    from pairsmith.running.named import Named
    from pairsmith.show.queue import Item
    from pairsmith.show.review.session import Session


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The flags; `reviewer` as it is typed, None: whoever is signed in."""

    reviewer: str | None
    port: int
    limit: int | None
    family: str | None
    open_page: bool
    as_json: bool


@click.command("review")
@click.argument("run", type=click.Path(path_type=Path))
@run_dir_option
@click.option("--reviewer", metavar="NAME", help="Whose verdicts they are; can be changed on the page.  [default: you]")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Where to listen.  [default: any free port]")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Show the first N pairs of the queue only.")
@click.option("--family", metavar="F", help="Show pairs of prompts of this task family only.")
@click.option("--no-open", is_flag=True, help="Do not open the page in a browser.")
@click.option("--agreement", is_flag=True, help="Say how judges and people agree, and serve nothing.")
@click.option(
    "--export",
    "out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the verdicts that stand as JSON lines.",
)
@click.option(
    "--import", "source", type=click.Path(path_type=Path), metavar="FILE", help="Add the verdicts of such a file."
)
@json_option
def command(
    run: Path,
    run_dir: Path | None,
    reviewer: str | None,
    port: int,
    limit: int | None,
    family: str | None,
    no_open: bool,
    agreement: bool,
    out: Path | None,
    source: Path | None,
    as_json: bool,
) -> int:
    """Judge pairs blind, on a page of this machine: two answers in random order, keys 1 and 2.

    RUN is the folder of a run, or its recipe; a run may be going on. Every verdict goes into the ledger at once. First
    comes what teaches most: close calls, pairs on which judges disagree, and a random sample all along. Ctrl-C ends it.
    """
    what = named(run, run_dir)
    if sum((agreement, out is not None, source is not None)) > 1:
        raise UserError("--agreement, --export and --import are three things to do: name one at a time")
    if agreement:
        return _agreement(what, as_json)
    if out is not None:
        return reviewed.written_out(what, out, as_json)
    if source is not None:
        return reviewed.taken_in(what, source, as_json)
    return _review(what, _Wanted(reviewer, port, limit, family, not no_open, as_json))


def _agreement(what: Named, as_json: bool) -> int:
    from pairsmith.cli import agreed
    from pairsmith.show.agreement import of_run

    recipe = as_last_run(what)
    with stored_run(what.folder) as (ledger, digest):
        found = of_run(ledger, recipe, digest)
    show(agreed.as_json(found), as_json, lambda: "\n".join(agreed.as_text(found)))
    return 0


def _review(what: Named, wanted: _Wanted) -> int:
    from pairsmith.show.review.session import Refusal, reviewer_named

    try:
        reviewer = reviewer_named(_whoever() if wanted.reviewer is None else wanted.reviewer)
    except Refusal as exc:
        raise UserError(f"{exc.sentence}: name one with --reviewer") from exc
    recipe = as_last_run(what)
    with stored_run(what.folder) as (ledger, digest):
        from pairsmith.show.queue import queue

        items, gates = queue(ledger, recipe, digest)
        session = _session(ledger, items, gates, wanted)
        where = relative(what.folder.path)
        url = asyncio.run(_served(session, wanted, where, reviewer))
        result = _result(session, reviewer, where, url)
    show(result, wanted.as_json, lambda: _text(result, where))
    return 0


def _whoever() -> str:
    try:
        return os.environ.get("USER") or getpass.getuser()
    except (KeyError, OSError):  # a user of whom the system knows no name
        return "reviewer"


def _session(ledger: Ledger, items: list[Item], gates: Any, wanted: _Wanted) -> Session:
    """What is shown.

    Raises:
        UserError: there is nothing to show.
    """
    from pairsmith.show.review.session import Session

    if not items:
        raise UserError("this run has no pair to review: let it go on with pairsmith run, or look at pairsmith status")
    families = sorted({item.family for item in items if item.family})
    if wanted.family is not None and wanted.family not in families:
        there = f"there are {', '.join(families)}" if families else "its prompts name no family"
        raise UserError(f"this run has no pair of family {wanted.family}: {there}")
    shown = [item for item in items if wanted.family in (None, item.family)]
    return Session(ledger, shown[: wanted.limit], items, gates)


async def _served(session: Session, wanted: _Wanted, where: str, reviewer: str) -> str:
    """Serve the page until a signal comes; its address.

    Raises:
        UserError: the port is taken.
    """
    from pairsmith.show.review.server import ReviewServer

    server, done = ReviewServer(session, secrets.token_urlsafe(24), where, reviewer), asyncio.Event()
    for ending in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(ending, done.set)
    try:
        await server.start(wanted.port)
    except OSError as exc:
        why = os.strerror(exc.errno or 0)
        raise UserError(f"port {wanted.port} cannot be had ({why}): take another --port, or none") from exc
    try:
        print(f"reviewing on {server.url}", file=sys.stderr if wanted.as_json else sys.stdout, flush=True)
        say("every verdict is stored at once; Ctrl-C ends it")
        if wanted.open_page and _has_display():
            threading.Thread(
                target=webbrowser.open, args=(server.url,), daemon=True
            ).start()  # some wait for the browser
        await done.wait()
    finally:
        await server.stop()
    return server.url


def _has_display() -> bool:
    """Whether there is a screen to open a browser on; a browser in the terminal would take the terminal."""
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


# --- what is said ---------------------------------------------------------------------------------------


def _result(session: Session, reviewer: str, where: str, url: str) -> dict[str, Any]:
    progress = session.progress(reviewer)
    by_whom = {name: n for name, n in session.given.items() if n}
    return {
        "run_dir": where,
        "url": url,
        "given": sum(by_whom.values()),
        "by_reviewer": by_whom,
        "pairs": progress.total,
        "verdicts": progress.verdicts,
    }


def _text(result: dict[str, Any], where: str) -> str:
    by_whom = ", ".join(f"{name} {n:,}" for name, n in result["by_reviewer"].items())
    given = "1 verdict was given" if result["given"] == 1 else f"{result['given']:,} verdicts were given"
    return "\n".join(
        [
            f"{given}{f' ({by_whom})' if by_whom else ''}; {result['verdicts']:,} in the ledger.",
            "Next:",
            f"  {shlex.join(['pairsmith', 'review', where, '--agreement'])}",
            f"  {shlex.join(['pairsmith', 'export', where])}",
        ]
    )
