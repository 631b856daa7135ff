"""`pairsmith demo`: the whole journey offline, from prompts to a dataset, against the simulator.

Writes prompts and a real recipe, runs it as `pairsmith run` does, shows three of the pairs, and writes the report. Run
again in the same folder it asks nothing again.
"""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pairsmith import __version__
from pairsmith.assets import asset
from pairsmith.cli.common import Named, json_option, out_of, provenance_path, relative, show, stored_run
from pairsmith.cli.report import DEFAULT as REPORT
from pairsmith.cli.report import today
from pairsmith.cli.simulate import book_options
from pairsmith.errors import LedgerError, UserError
from pairsmith.folder import RunFolder, written_whole

if TYPE_CHECKING:
    from pairsmith.cli.shown import Shown

PAIRS_SHOWN = 3
LATENCY_S = 0.1  # of every simulated answer: long enough for the bar to be seen
STOP_TIMEOUT_S = 5.0
MARK = "# pairsmith demo"  # how the demo's own recipe begins

# The simulator, in a process that ends when its standard input closes: however the demo ends, nothing stays behind.
SIMULATOR = """
import os, signal, sys, threading
sys.path.append(sys.argv.pop(1))
def end_with_the_demo():
    os.read(0, 1)
    os.kill(os.getpid(), signal.SIGTERM)
from pairsmith.simulator.__main__ import main
threading.Thread(target=end_with_the_demo, daemon=True).start()
sys.exit(main())
"""


@click.command("demo")
@click.argument("folder", metavar="[DIR]", default="pairsmith-demo", type=click.Path(path_type=Path))
@json_option
def command(folder: Path, as_json: bool) -> int:
    """Make a dataset from 48 prompts in a few seconds, offline: both models are simulated, nothing else is.

    DIR (default pairsmith-demo) gets the prompts, a recipe to play with, and the run. Run it again after a change
    of the recipe: only what the change owes is asked.
    """
    _check(folder)
    _write_missing(folder)
    run_folder = RunFolder(folder / "run")
    before = _known(run_folder)
    if not as_json:
        print(_opening(folder, before), flush=True)
    with _no_proxy(), _simulating() as base_url:
        what = _recipe(folder, run_folder, base_url)
        code, result = _run(what, as_json)
    pairs = _pairs(run_folder) if code == 0 else []
    if code == 0:
        from pairsmith.show.report.writing import write_report

        write_report(what, run_folder.path / REPORT, __version__, today())
    if as_json:
        from pairsmith.cli.shown import as_json as pairs_json

        page = str(run_folder.path / REPORT) if code == 0 else None
        show({**result, "report": page, "pairs_shown": pairs_json(pairs)}, as_json, str)
    elif code == 0:
        print(_tour(pairs, folder, what, _news(before, _known(run_folder))))
    return code


# --- the folder ------------------------------------------------------------------------------------


def _check(folder: Path) -> None:
    """Refuse a folder that holds something else: the demo never writes into a stranger's work."""
    recipe = folder / "recipe.toml"
    try:
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
            return
        if recipe.is_file() and recipe.read_bytes().startswith(MARK.encode()):
            return
    except OSError as exc:
        raise UserError(f"{folder} cannot be read ({exc.strerror}): name another folder: pairsmith demo DIR") from None
    what = "holds something else than a demo" if folder.is_dir() else "is a file"
    raise UserError(f"{folder} {what}: name a new folder: pairsmith demo DIR")


def _write_missing(folder: Path) -> None:
    """The recipe first, which marks the folder as the demo's; a recipe that was played with stays as it is."""
    files = {"recipe.toml": asset("data", "init", "demo.toml").read_bytes(), "prompts.jsonl": _prompts()}
    try:
        for name, content in files.items():
            if not (folder / name).exists():
                with written_whole(folder / name) as file:
                    file.write(content)
    except OSError as exc:
        raise UserError(f"{folder} cannot be written ({exc.strerror}): name another folder") from None


def _prompts() -> bytes:
    """The prompts of the book, one of each family in turn."""
    import orjson

    families = [_rows(path) for path in sorted(asset("data", "demo", "book").glob("*.jsonl"))]
    kept = [
        {key: row[key] for key in ("id", "prompt", "family")} for turn in zip(*families, strict=True) for row in turn
    ]
    return b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in kept)


def _rows(path: Path) -> list[dict[str, Any]]:
    import orjson

    return [orjson.loads(line) for line in path.read_bytes().split(b"\n") if line]


# --- the run ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def _simulating() -> Iterator[str]:
    """The base URL of a simulator on a free port of this machine, which is gone afterwards.

    It has a session of its own, so that Ctrl-C lets the calls in flight be answered before it is stopped.
    """
    root = str(Path(__file__).resolve().parents[2])
    options = ["--port", "0", "--latency", str(LATENCY_S), *book_options()]
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", SIMULATOR, root, *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        announced = process.stdout.readline()
        if not announced:
            raise UserError("the simulator did not start; see what it says when it is alone: pairsmith simulate")
        yield announced.split()[-1]
    finally:
        process.stdin.close()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


@contextlib.contextmanager
def _no_proxy() -> Iterator[None]:
    """Whatever proxy the environment names, it does not lead to this machine's own port."""
    names = ("NO_PROXY", "no_proxy")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "127.0.0.1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _recipe(folder: Path, run_folder: RunFolder, base_url: str) -> Named:
    """The folder's recipe, with every endpoint of it at the simulator."""
    from pairsmith.recipe import load_recipe

    path = folder / "recipe.toml"
    moved = [f'endpoints.{name}.base_url="{base_url}"' for name in load_recipe(path).endpoints]
    return Named(load_recipe(path, moved), run_folder, False)


def _run(what: Named, as_json: bool) -> tuple[int, dict[str, Any]]:
    """`pairsmith run`: its exit code, and with `as_json` what it would have printed."""
    import orjson

    from pairsmith.cli.run import run
    from pairsmith.running.terms import Terms

    terms = Terms(simulated=True)
    if not as_json:
        return run(what, terms, as_json, quiet=False), {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        code = run(what, terms, as_json, quiet=False)
    return code, orjson.loads(printed.getvalue())


@dataclass(frozen=True, slots=True)
class _Known:
    """What the run folder holds: calls paid for so far, and the digest of the recipe it was last run with."""

    calls: int = 0
    digest: str = ""


def _known(run_folder: RunFolder) -> _Known:
    try:
        with stored_run(run_folder) as (ledger, digest):
            return _Known(ledger.spent().calls, digest)
    except LedgerError:
        return _Known()  # nothing was run there yet; what is wrong with it otherwise, the run will say


# --- what is said ----------------------------------------------------------------------------------


def _pairs(run_folder: RunFolder) -> list[Shown]:
    from pairsmith.cli.shown import pairs_to_show

    with stored_run(run_folder) as (ledger, digest):
        return pairs_to_show(ledger, digest, PAIRS_SHOWN)


def _opening(folder: Path, before: _Known) -> str:
    from pairsmith.cli.shown import paragraph

    where = relative(folder)
    if before.calls:
        return paragraph(f"Once more in {where}: only what its ledger does not hold yet will be asked.") + "\n"
    return paragraph(f"A student and a judge, both simulated, make preference pairs in {where}.") + "\n"


def _news(before: _Known, after: _Known) -> str:
    """What is to be said about money when a run was not the first one."""
    if not before.calls or before.calls < after.calls:
        return ""
    if before.digest == after.digest:
        return "Nothing was asked again: the ledger held every answer, and the pairs are the same as before."
    return "The recipe has changed, and nothing had to be asked again for it: the ledger held every answer."


def _tour(pairs: list[Shown], folder: Path, what: Named, news: str) -> str:
    """The pairs, the files to look at, and where to go from here."""
    from pairsmith.cli.shown import as_text, paragraph, rule

    no_pairs = "No prompt came to a pair; lower min_gap or chosen_floor in the recipe and run the demo again."
    return "\n".join(
        [
            "",
            *([paragraph(news), ""] if news else []),
            as_text(pairs) or no_pairs,
            "",
            rule("what you have now"),
            "",
            paragraph(
                "All of this was simulated: prompts and answers come from a book that ships with pairsmith, no model "
                "was asked, and the dollars are made up. The files are what a real run writes:"
            ),
            "",
            *_files(folder, what),
            "",
            *_next(what.folder),
        ]
    )


def _files(folder: Path, what: Named) -> list[str]:
    out = out_of(None, what.folder, what.recipe.export)
    files = {
        relative(what.folder.path / REPORT): "plots and pairs, for a browser",
        relative(out): f"the dataset, for {what.recipe.export.target}",
        relative(provenance_path(out)): "where each row comes from",
        relative(what.folder.ledger): "every call and answer, as it came",
        relative(folder / "recipe.toml"): "change it, run the demo again",
    }
    widest = max(len(path) for path in files)
    return [f"  {path:<{widest}}  {meaning}" for path, meaning in files.items()]


def _next(run_folder: RunFolder) -> list[str]:
    run_dir = relative(run_folder.path)
    return [
        "Next:",
        f"  {shlex.join(['pairsmith', 'review', run_dir])}    # judge pairs yourself, blind",
        f"  {shlex.join(['pairsmith', 'export', run_dir, '--target', 'trl'])}",
        "  pairsmith init my-pairs --for vllm    # or openai, ollama, …: real models",
    ]
