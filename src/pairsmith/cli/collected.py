"""How people and programs are told what prompt files came to. Called by collect.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pairsmith.cli.tallied import percent

if TYPE_CHECKING:
    from pairsmith.collect.traits import Lengths, Traits
    from pairsmith.redacting import Redactor

QUANTILES = {"min": 0.0, "median": 0.5, "95 %": 0.95, "max": 1.0}
# A row is one of these.
COUNTS = ("prompts", "duplicates", "near-duplicates", "contaminated", "bad", "not matching", "over the limit")
MOST_SOURCES = 20  # that are listed by name
MOST_NAMED = 8  # languages and families


@dataclass(slots=True)
class Taken:
    """What the sources came to: by file, how many rows were which of COUNTS."""

    traits: Traits
    sources: dict[str, Counter[str]] = field(default_factory=dict)
    with_candidates: int = 0
    with_verdicts: int = 0
    languages: Counter[str] = field(default_factory=Counter)

    def count(self, name: str, what: str, rows: int = 1) -> None:
        """So many rows of a file."""
        self.sources.setdefault(name, Counter())[what] += rows

    def total(self, what: str) -> int:
        """The rows of all files that are this."""
        return sum(counts[what] for counts in self.sources.values())

    @property
    def rows(self) -> int:
        """Those that were read."""
        return sum(counts.total() for counts in self.sources.values())


def as_json(taken: Taken, redactor: Redactor | None, out: str | None) -> dict[str, Any]:
    """For programs."""
    traits = taken.traits
    return {
        "out": out,
        "rows": taken.rows,
        "prompts": taken.total("prompts"),
        "duplicates": taken.total("duplicates"),
        "near_duplicates": taken.total("near-duplicates"),
        "contaminated": taken.total("contaminated"),
        "skipped": taken.total("bad"),
        "not_matching": taken.total("not matching"),
        "with_candidates": taken.with_candidates,
        "with_verdicts": taken.with_verdicts,
        "redacted": dict(redactor.counts) if redactor else {},
        "lost_verdicts": redactor.lost_verdicts if redactor else 0,
        "sources": {
            name: {"rows": counts.total()} | {what.replace(" ", "_").replace("-", "_"): counts[what] for what in COUNTS}
            for name, counts in taken.sources.items()
        },
        **{name: _quantiles(lengths) for name, lengths in _lengths(traits).items()},
        "with_system": traits.holding["system"],
        "with_tools": traits.holding["tools"],
        "with_reference": traits.holding["reference"],
        "families": dict(traits.families.most_common()),
        "languages": {"drawn": taken.languages.total(), "found": dict(taken.languages.most_common())},
        "odd": {what: {"prompts": odd.count, "file": odd.name, "line": odd.line} for what, odd in traits.odd.items()},
    }


def _lengths(traits: Traits) -> dict[str, Lengths]:
    return {"characters": traits.characters, "words": traits.words, "turns": traits.turns}


def _quantiles(lengths: Lengths) -> dict[str, int]:
    return {name.removesuffix(" %").replace("95", "p95"): lengths.at(share) for name, share in QUANTILES.items()}


def as_text(taken: Taken, redactor: Redactor | None) -> str:
    """For people: counts by file, lengths, what the prompts bring along, languages, oddities."""
    besides = [f"{n:,} {word}" for what, word in _BESIDES.items() if (n := taken.total(what))]
    counted = f" (besides {', '.join(besides)})" if besides else ""
    parts = [
        [f"{taken.total('prompts'):,} prompts of {taken.rows:,} rows{counted}"],
        _sources(taken) if len(taken.sources) > 1 else [],
        aligned([["", *QUANTILES], *([name, *_cells(lengths)] for name, lengths in _lengths(taken.traits).items())]),
        [*_holding(taken), *_redacted(redactor)],
        [*_shares("languages", taken.languages, f" of {taken.languages.total():,} drawn"), *_families(taken)],
        _odd(taken.traits),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part)


_BESIDES = {what: "bad rows" if what == "bad" else what for what in COUNTS[1:]}


def _cells(lengths: Lengths) -> list[str]:
    return [f"{length:,}" for length in _quantiles(lengths).values()]


def _sources(taken: Taken) -> list[str]:
    shown = [what for what in COUNTS if what == "prompts" or taken.total(what)]
    listed = [*taken.sources.items()]
    if len(listed) > MOST_SOURCES:
        rest = sum((counts for _, counts in listed[MOST_SOURCES - 1 :]), Counter[str]())
        listed = [*listed[: MOST_SOURCES - 1], (f"{len(listed) - MOST_SOURCES + 1:,} more", rest)]
    rows = [
        [shortened(name), f"{counts.total():,}", *(f"{counts[what]:,}" for what in shown)] for name, counts in listed
    ]
    return aligned([["", "rows", *shown], *rows])


def _holding(taken: Taken) -> list[str]:
    """How many prompts bring what along, with their share."""
    held = taken.traits.holding
    found = {
        "with a system message": held["system"],
        "with tools": held["tools"],
        "with a reference": held["reference"],
        "with answers": taken.with_candidates,
        "with verdicts of people": taken.with_verdicts,
    }
    prompts = taken.total("prompts")
    return aligned([[what, f"{n:,}", percent(n / prompts)] for what, n in found.items() if n])


def _redacted(redactor: Redactor | None) -> Iterator[str]:
    if redactor and redactor.counts:
        yield f"redacted: {', '.join(f'{kind} {n:,}' for kind, n in dict(redactor.counts).items())}"
    if redactor and redactor.lost_verdicts:
        yield f"lost verdicts: {redactor.lost_verdicts:,}, as their answers differed only in what was redacted"


def _families(taken: Taken) -> list[str]:
    families = taken.traits.families
    return _shares("families", families, f" of {families.total():,} that name one")


def _shares(label: str, counted: Mapping[str, int], of: str) -> list[str]:
    """The most frequent ones with their shares, in one line."""
    total = sum(counted.values())
    if not total:
        return []
    ranked = sorted((name for name in counted if name), key=lambda name: (-counted[name], name))
    named = [f"{name} {_share(counted[name] / total)}" for name in ranked[:MOST_NAMED]]
    more = [f"{len(ranked) - MOST_NAMED:,} more"] if len(ranked) > MOST_NAMED else []
    untold = [f"not told {_share(counted[''] / total)}"] if counted.get("") else []
    return [f"{label}{of}: {', '.join(named + more + untold)}"]


def _share(share: float) -> str:
    return percent(share) if share >= 0.005 else "< 1%"


def _odd(traits: Traits) -> list[str]:
    if not traits.odd:
        return []
    rows = [
        [what, f"{odd.count:,}", f"first: {shortened(odd.name)}:{odd.line}"]
        for what, odd in sorted(traits.odd.items(), key=lambda one: -one[1].count)
    ]
    return aligned([["odd", "prompts", ""], *rows], left=(0, 2))


def shortened(name: str, most: int = 60) -> str:
    """A file's name, of which the end tells most; standard input in words."""
    name = "standard input" if name == "-" else name
    return name if len(name) <= most else f"…{name[1 - most :]}"


def aligned(rows: Sequence[Sequence[str]], left: Sequence[int] = (0,)) -> list[str]:
    """The rows of a table, with these columns to the left and all others to the right."""
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))] if rows else []
    return [
        "  ".join(
            cell.ljust(width) if place in left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
