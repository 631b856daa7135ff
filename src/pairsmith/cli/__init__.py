"""The command line: one thin function a command, each in a module that loads when it is called.

Results go to stdout, progress and messages to stderr. The exit codes are a contract: 0 done, 1 problems found,
2 the user's mistake, 3 stopped early and resumable, 130 interrupted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

import click

from pairsmith import __version__
from pairsmith.errors import UserError

# Command -> the module that has it, and its line in --help: so that help loads nothing else.
COMMANDS = {
    "demo": ("demo", "The whole journey offline, in half a minute."),
    "init": ("init", "Write a recipe with comments, and the words to edit."),
    "collect": ("collect", "What would be taken from prompt files and logs, as one JSONL."),
    "expand": ("expand", "From a few prompts many that are new."),
    "plan": ("plan", "What a run will cost, before a cent is spent."),
    "run": ("run", "Sample, judge, pair and export; run again to continue."),
    "judge": ("judge", "Judge what was sampled so far; --show: what judges are sent."),
    "pair": ("pair", "Pair what was judged again, by other rules, for nothing."),
    "audit": ("audit", "Prove every row of a dataset from the ledger."),
    "explain": ("explain", "One prompt's whole evidence: why this pair, or why none."),
    "report": ("report", "One HTML file to look at: plots, plain sentences, pairs; or two runs compared."),
    "status": ("status", "Counts, spend, and what is left of a run."),
    "export": ("export", "Write a run's pairs for a training platform, or as a dataset folder."),
    "check": ("check", "Find every problem of a dataset file."),
    "convert": ("convert", "Public preference datasets, for a training platform."),
    "submit": ("submit", "Upload a dataset and have a DPO job made of it, once."),
    "doctor": ("doctor", "Ask each endpoint what it takes, refuses and ignores."),
    "qualify": ("qualify", "Ask the judges what is known, before you trust them."),
    "simulate": ("simulate", "An OpenAI-compatible server of our own, to try things on."),
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"pairsmith.cli.{COMMANDS[cmd_name][0]}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


HELP = """Preference pairs for DPO that are right, cheap and provable.

\b
  pairsmith demo               see it work, offline
  pairsmith init               write a recipe
  pairsmith run recipe.toml    prompts in, pairs out
"""


@click.group(
    cls=_Commands, help=HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="pairsmith")
def pairsmith() -> None:
    """All commands; see HELP."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a character shows its number
    sys.exit(_run(words))


def _run(words: list[str]) -> int:
    try:
        code = pairsmith.main(args=words, prog_name="pairsmith", standalone_mode=False)
    except UserError as exc:
        return _mistake(str(exc), words)
    except click.UsageError as exc:
        hint = f"; see: {exc.ctx.command_path} --help" if exc.ctx else ""
        return _mistake(f"{exc.format_message().rstrip('.')}{hint}", words)
    except click.Abort:
        return 130
    except BrokenPipeError:
        sys.stdout = None  # whoever read us has gone; say nothing at exit either
        return 0
    return code if isinstance(code, int) else 0


def _mistake(sentence: str, words: list[str]) -> int:
    """One sentence on stderr, and for programs on stdout; exit code 2."""
    print(f"pairsmith: {sentence}", file=sys.stderr)
    if "--json" in words:
        import orjson

        print(orjson.dumps({"error": sentence}).decode())
    return 2
