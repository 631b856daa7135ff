"""The progress bar of a run, on stderr: prompts settled, pairs, calls a second, spend, time left."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from tqdm import tqdm

if TYPE_CHECKING:
    from pairsmith.enough import Enough
    from pairsmith.ledger import Settled
    from pairsmith.records import Prompt
    from pairsmith.wire.online import Tally

TERMINAL_S = 0.2
LOG_S = 15.0  # where stderr is no terminal every refresh is a line in a log


class Bar:
    """Shows a run with tqdm, from the first second. A context manager."""

    def __init__(self, tally: Tally, clock: Callable[[], float], quiet: bool, enough: Enough) -> None:
        terminal = sys.stderr.isatty()
        self._tally = tally
        self._clock = clock
        self._started_s = clock()
        self._enough = enough
        self._bar = tqdm(
            desc="settled",
            unit=" prompts",
            total=0,
            disable=quiet,
            dynamic_ncols=True,
            mininterval=TERMINAL_S if terminal else LOG_S,
            bar_format="{desc} {n:,}/{total:,} {bar} {percentage:.0f}%{postfix} [{elapsed}, {remaining} left]",
        )
        self._refresh()

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._refresh()
        self._bar.close()

    def known(self, prompts: int) -> None:
        """So many prompts have been read so far."""
        self._bar.total = prompts
        self._refresh()

    def already(self, prompts: int) -> None:
        """So many were settled by earlier runs."""
        self._bar.n = self._bar.initial = prompts

    def settled(self, prompt: Prompt, settled: Settled) -> None:
        """One more prompt is settled."""
        self._refresh()
        self._bar.update(1)

    def tick(self) -> None:
        """Show calls and spend even while no prompt settles."""
        self._refresh()
        self._bar.refresh()

    def say(self, sentence: str) -> None:
        """A message above the bar."""
        tqdm.write(f"pairsmith: {sentence}", file=sys.stderr)

    def _refresh(self) -> None:
        if self._bar.disable:
            return
        seconds = max(self._clock() - self._started_s, 1e-9)
        calls = sum(self._tally.attempts.values()) / seconds
        spend = "cost unknown" if self._tally.cost_usd is None else f"${self._tally.cost_usd:.2f}"
        wanted = "" if self._enough.target is None else f" of {self._enough.target:,}"
        pairs = f"{self._enough.pairs:,}{wanted} pairs"
        self._bar.set_postfix_str(f"{pairs}, {calls:.0f} calls/s, {spend}", refresh=False)


class GrowingBar:
    """Shows how prompts are grown, on stderr. A context manager.

    Args:
        tally: what was paid so far.
        wanted: so many prompts.
        quiet: shows nothing but messages.
    """

    def __init__(self, tally: Tally, wanted: int, quiet: bool) -> None:
        self._tally = tally
        self._bar = tqdm(
            desc="grown",
            total=wanted,
            disable=quiet,
            dynamic_ncols=True,
            mininterval=TERMINAL_S if sys.stderr.isatty() else LOG_S,
            bar_format="{desc} {n:,}/{total:,} prompts {bar} {percentage:.0f}%{postfix} [{elapsed}, {remaining} left]",
        )

    def __enter__(self) -> GrowingBar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.tick()
        self._bar.close()

    def kept(self, prompts: int) -> None:
        """So many are kept by now."""
        self._bar.update(prompts - self._bar.n)

    def tick(self) -> None:
        """Show calls and spend even while nothing is kept."""
        spend = "cost unknown" if self._tally.cost_usd is None else f"${self._tally.cost_usd:.2f}"
        self._bar.set_postfix_str(f"{sum(self._tally.attempts.values()):,} calls, {spend}", refresh=True)

    def say(self, sentence: str) -> None:
        """A message above the bar."""
        tqdm.write(f"pairsmith: {sentence}", file=sys.stderr)
