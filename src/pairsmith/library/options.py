"""What `run`, `run_async` and `stream_pairs` take besides recipe and prompts, and what they tell while they run."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from pairsmith.running.terms import Terms
from pairsmith.wire.money import Caps

if TYPE_CHECKING:
    from pairsmith.library.pairs import Pair


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run has come.

    prompts: read so far. settled: of them, in this invocation, to a pair, an abstention or a failure. pairs: there
    are by now. calls: attempts sent in this invocation. cost_usd: of it; None: a price is not known.
    """

    prompts: int
    settled: int
    pairs: int
    calls: int
    cost_usd: float | None


class RunOptions(TypedDict, total=False):
    """Keyword arguments of a run; those that are flags of `pairsmith run` mean the same.

    run_dir: the run folder; default: runs/NAME, and a run folder that was named as the recipe. overrides: fields of
    the recipe, such as {"pair.min_gap": 2}. exclude: run folders. same_endpoint, new_endpoint: names of endpoints.
    on_pair, on_progress and on_message are called in the run's thread; what they raise ends the run.
    """

    run_dir: str | Path | None
    out: str | Path | None
    overrides: Mapping[str, Any]
    limit: int | None
    skip_bad: bool
    exclude: Sequence[str | Path]
    target_pairs: int | None
    min_yield: float | None
    max_cost: float | None
    max_calls: int | None
    max_tokens: int | None
    max_minutes: float | None
    patience_s: float
    same_endpoint: Sequence[str]
    new_endpoint: Sequence[str]
    force: bool
    on_pair: Callable[[Pair], object]
    on_progress: Callable[[Progress], object]
    on_message: Callable[[str], object]


def checked(options: RunOptions) -> RunOptions:
    """The same.

    Raises:
        TypeError: there is no such option.
    """
    for name in options.keys() - RunOptions.__annotations__.keys():
        close = difflib.get_close_matches(name, RunOptions.__annotations__, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise TypeError(f"a run takes no argument {name!r}{hint}")
    return options


def terms_of(options: RunOptions) -> Terms:
    """What they say of the terms of a run."""
    out = options.get("out")
    caps = Caps(
        options.get("max_cost"), options.get("max_calls"), options.get("max_tokens"), options.get("max_minutes")
    )
    return Terms(
        out=None if out is None else Path(out),
        caps=caps,
        same=options.get("same_endpoint", ()),
        new=options.get("new_endpoint", ()),
        patience_s=options.get("patience_s", 0.0),
        force=options.get("force", False),
        target_pairs=options.get("target_pairs"),
        min_yield=options.get("min_yield"),
    )
