"""What is known of judges: the results of `pairsmith qualify`, kept in the run folder and in $PAIRSMITH_HOME.

Reads them back by identity and model, and says what follows from them. Asks nobody. Called by the command line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import orjson
from pydantic import TypeAdapter, ValidationError

from pairsmith.judge.qualify import Measured, Ruling
from pairsmith.records import Endpoint, EndpointName, content_id

Source: TypeAlias = Literal["shipped", "file", "reviews"]


@dataclass(frozen=True, slots=True)
class AnchorSet:
    """Which anchors were asked: ours, those of a file, or people's reviews of a run; `digest` names the content."""

    source: Source
    name: str
    digest: str
    n: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """Of all replies, as the server counted them."""

    input: int
    output: int


@dataclass(frozen=True, slots=True)
class Qualification:
    """What one judge showed. calls, cost and tokens are those of the whole measurement, whenever they were paid."""

    identity: str
    model: str
    ruling: Ruling
    measured: Measured
    anchors: AnchorSet
    rubric: str
    asked_at: str  # UTC, as 2026-11-27T20:39:00Z
    calls: int
    cost_usd: float | None  # None: the price is unknown
    tokens: Tokens
    simulated: bool


_QUALIFICATION = TypeAdapter(Qualification)


def as_json(found: Qualification) -> dict[str, Any]:
    """One flat object, as `--json` shows it and the files keep it."""
    whole = asdict(found)
    return {**whole.pop("ruling"), **whole.pop("measured"), **whole}


def from_json(stored: object) -> Qualification | None:
    """A stored object as a record; None when it is none: then the judge counts as not asked."""
    if not isinstance(stored, dict):
        return None
    try:
        return _QUALIFICATION.validate_python({**stored, "ruling": stored, "measured": stored})
    except ValidationError:
        return None


# --- where they are kept ----------------------------------------------------------------------------


def home(environ: Mapping[str, str]) -> Path:
    """What outlives a run: $PAIRSMITH_HOME, else ~/.local/share/pairsmith."""
    return Path(environ.get("PAIRSMITH_HOME") or "~/.local/share/pairsmith").expanduser()


def home_file(home: Path, identity: str, model: str) -> Path:
    """Where the result of one judge stands for every run."""
    return home / "qualify" / f"{content_id('qualified', identity, model)}.json"


def run_file(run_dir: Path) -> Path:
    """Where a run folder keeps the results of its judges."""
    return run_dir / "qualify.json"


def stored_in_run(run_dir: Path) -> dict[str, Any]:
    """The judges of a run folder's file, as they stand there; {} when there is none that can be read."""
    stored = _json(run_file(run_dir))
    judges = stored.get("judges") if isinstance(stored, dict) else None
    return judges if isinstance(judges, dict) else {}


def qualifications(
    judges: Mapping[EndpointName, Endpoint], run_dir: Path, home: Path
) -> dict[EndpointName, Qualification | None]:
    """The newest result for each judge, of the run folder's and the home's; None for a judge that was never asked.

    A result is a judge's when identity and model are, whatever it is called here, and whichever anchors it was
    asked: `anchors` says which. An endpoint's identity has to be the one that the run folder knows it by.
    """
    in_run = [found for stored in stored_in_run(run_dir).values() if (found := from_json(stored))]
    known: dict[EndpointName, Qualification | None] = {}
    for name, judge in judges.items():
        at_home = from_json(_json(home_file(home, judge.identity, judge.model)))
        its = [q for q in (*in_run, at_home) if q and (q.identity, q.model) == (judge.identity, judge.model)]
        known[name] = max(its, key=lambda q: q.asked_at, default=None)
    return known


def _json(path: Path) -> object:
    try:
        return orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None


# --- what follows -----------------------------------------------------------------------------------


def verdict_text(ruling: Ruling) -> str:
    """Such as "qualified, with a warning: adversarial 63 % (95 %: 46–78), below 70 %, which may be chance"."""
    words = {"qualified": "qualified", "warning": "qualified, with a warning", "disqualified": "disqualified"}
    return ": ".join([words[ruling.verdict], *(["; ".join(ruling.reasons)] if ruling.reasons else [])])


def refusal(known: Mapping[EndpointName, Qualification | None]) -> str | None:
    """Why a run with these judges does not begin, in one sentence; None when nothing speaks against it."""
    out = {name: q for name, q in known.items() if q is not None and q.ruling.verdict == "disqualified"}
    if not out:
        return None
    said = "; ".join(f"judge {name} ({q.model}) is {verdict_text(q.ruling)}" for name, q in out.items())
    return f"{said}: put another judge into [judge] panel, or use --force to go on all the same"


def notices(known: Mapping[EndpointName, Qualification | None], target: str) -> list[str]:
    """What is said of these judges before a run: who was never asked, who got through with a warning.

    Args:
        known: what `qualifications` found.
        target: the recipe or run folder, as the user named it.
    """
    unknown = [name for name, q in known.items() if q is None]
    said = [f"judge {name} is {verdict_text(q.ruling)}" for name, q in _with(known, "warning")]
    said += [
        f"going on with judge {name}, which is {verdict_text(q.ruling)}" for name, q in _with(known, "disqualified")
    ]
    if unknown:
        judges = f"judge {unknown[0]} was" if len(unknown) == 1 else f"judges {', '.join(unknown)} were"
        said.append(f"{judges} never asked what is known; to see whether to trust it: pairsmith qualify {target}")
    return said


def _with(
    known: Mapping[EndpointName, Qualification | None], verdict: str
) -> Iterable[tuple[EndpointName, Qualification]]:
    return ((name, q) for name, q in known.items() if q is not None and q.ruling.verdict == verdict)
