"""On what terms a run is carried out, besides its recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pairsmith.wire.money import Caps


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a run is carried out, besides the recipe's own fields."""

    out: Path | None = None  # None: the recipe's file, else the run folder's
    caps: Caps = field(default_factory=Caps)
    same: Sequence[str] = ()  # endpoints that have moved and are what they were
    new: Sequence[str] = ()  # endpoints that have moved and are others
    patience_s: float = 0.0
    force: bool = False
    sampling: bool = True  # else only what was sampled already is judged
    simulated: bool = False  # the judges are known not to be real: nothing is said of them
    target_pairs: int | None = None
    min_yield: float | None = None
