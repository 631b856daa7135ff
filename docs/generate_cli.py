"""Writes docs/cli.md from the commands themselves: `make docs`. A test holds that the file is current."""

from __future__ import annotations

import contextlib
import io
import os
from importlib import import_module
from pathlib import Path

import click

from pairsmith.cli import COMMANDS, pairsmith

PAGE = Path(__file__).with_name("cli.md")

HEAD = """\
# The command line

<!-- Written by docs/generate_cli.py from the commands themselves: change those, then run `make docs`. -->

Results go to stdout; the progress bar and messages go to stderr. `--json` puts one JSON object on stdout instead.
Every command takes `-h` or `--help`. The exit codes are in the [README](../README.md#exit-codes), the
keys of a recipe in [recipe.md](recipe.md).
"""


def page() -> str:
    """The whole page."""
    index = "\n".join(f"- [`pairsmith {name}`](#pairsmith-{name}): {line}" for name, (_, line) in COMMANDS.items())
    return "\n".join([HEAD, index, *(_section(name) for name in COMMANDS)])


def _section(name: str) -> str:
    command = _command(name)
    context = click.Context(command, info_name=name, parent=click.Context(pairsmith, info_name="pairsmith"))
    if name == "simulate":  # the simulator reads its own options
        return f"\n## `pairsmith {name}`\n\n{_paragraphs(command)}\n\n```text\n{_simulator_options()}\n```\n"
    usage = " ".join(command.collect_usage_pieces(context))
    rows = [_row(option, context) for option in command.params if isinstance(option, click.Option)]
    table = "\n".join(["| option | |", "|---|---|", *rows])
    return f"\n## `pairsmith {name}`\n\n    pairsmith {name} {usage}\n\n{_paragraphs(command)}\n\n{table}\n"


def _command(name: str) -> click.Command:
    found: click.Command = import_module(f"pairsmith.cli.{COMMANDS[name][0]}").command
    return found


def _paragraphs(command: click.Command) -> str:
    """The docstring of a command: one line a paragraph."""
    return "\n\n".join(" ".join(part.split()) for part in (command.help or "").replace("\b", "").split("\n\n"))


def _row(option: click.Option, context: click.Context) -> str:
    names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    takes = "" if option.is_flag or option.count else f" `{_takes(option, context)}`"
    said = [option.help or ""]
    if option.multiple and "may be repeated" not in (option.help or ""):
        said.append("May be repeated.")
    if option.show_default and not option.is_flag:
        said.append(f"Default: `{option.default}`.")
    text = " ".join(part for part in said if part).replace("|", "\\|")
    return f"| {names}{takes.replace('|', chr(92) + '|')} | {text} |"


def _takes(option: click.Option, context: click.Context) -> str:
    if isinstance(option.type, click.Choice):
        return " ".join(str(choice) for choice in option.type.choices)
    return option.metavar or option.make_metavar(context)


def _simulator_options() -> str:
    """What its --help says below the usage, 100 columns wide."""
    from pairsmith.simulator.__main__ import main

    said = io.StringIO()
    columns = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = "100"
    try:
        with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):
            main(["--help"])
    finally:
        os.environ.pop("COLUMNS") if columns is None else os.environ.update(COLUMNS=columns)
    return said.getvalue().partition("options:\n")[2].rstrip()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
