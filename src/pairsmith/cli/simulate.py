"""`pairsmith simulate`: the simulator, with the book of the demo and the anchors of `qualify`."""

from __future__ import annotations

import click

from pairsmith.assets import asset


@click.command(
    "simulate", add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_extra_args": True}
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> int:
    """An OpenAI-compatible server of our own; the simulator reads its options itself (see --help)."""
    from pairsmith.simulator.__main__ import main

    return main([*(() if "--book" in arguments else book_options()), *arguments])


def book_options() -> tuple[str, ...]:
    """What the simulator is to know: the answers of the demo, and the anchors."""
    return "--book", str(asset("data", "demo", "book")), "--book", str(asset("data", "anchors"))
