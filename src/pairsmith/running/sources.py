"""Opens the prompts of a run: its files, standard input where the caller has one, or what the ledger has already."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING

from pairsmith.errors import InputError
from pairsmith.recipe import STANDARD_INPUT
from pairsmith.running.named import Named

if TYPE_CHECKING:
    from pairsmith.intake import Source
    from pairsmith.ledger import Ledger


def stored_input(what: Named, ledger: Ledger, say: Callable[[str], object]) -> bool:
    """Whether the input is the one that the ledger has: standard input cannot be read a second time."""
    if not what.resumed or what.recipe.prompts.paths != (STANDARD_INPUT,) or ledger.generation == 0:
        return False
    if not ledger.input_whole():
        say(
            f"standard input was cut after {ledger.input_size():,} prompts: going on with these; to add the rest, "
            f"pipe it again: pairsmith run RECIPE --run-dir {what.folder.path}"
        )
    return True


def opened_sources(
    paths: Sequence[str],
    format: str | None,
    files: contextlib.ExitStack,
    standard_input: Callable[[], BufferedReader],
) -> list[Source]:
    """Open the prompt files and tell their formats; `files` closes them.

    Raises:
        InputError: one cannot be opened.
    """
    from pairsmith.collect import detect_format
    from pairsmith.intake import Source

    sources = []
    for path in paths:
        try:
            stream = standard_input() if path == STANDARD_INPUT else files.enter_context(Path(path).open("rb"))  # noqa: SIM115
            head = stream.peek(4096)
        except OSError as exc:
            raise InputError(
                f"{path} cannot be read ({exc.strerror}): mend [prompts] path, or the name that was given"
            ) from None
        sources.append(Source(path, stream, format or detect_format(path, head)))
    return sources
