"""What `check` finds: a finding of a rule in one row, and the problem that names line and source too."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

Severity: TypeAlias = Literal["error", "warning"]

SHOWN_CHARS = 40  # of a value quoted in a message: enough to find it, too little to flood a terminal


class Finding(NamedTuple):
    """A rule that a row breaks. `found` and `fix` continue the sentence that `field` begins."""

    rule: str
    field: str  # "" is the row itself
    found: str
    fix: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One violation, ready to be shown: `line 7: non_preferred_output is empty; drop the pair`."""

    line: int  # 1-based; 0 is the file
    field: str  # "" is the row, or the file
    found: str
    fix: str
    rule: str
    source: str
    severity: Severity

    def __str__(self) -> str:
        if self.line == 0:
            return f"{self.field or 'the file'} {self.found}; {self.fix}"
        return f"line {self.line}: {self.field or 'the row'} {self.found}; {self.fix}"


@dataclass(slots=True)
class Summary:
    """Totals of one checked file; complete when the problems were read to the end."""

    rows: int = 0  # lines that are not blank
    errors: int = 0
    warnings: int = 0
    by_rule: Counter[str] = field(default_factory=Counter)

    def count(self, problem: Problem) -> None:
        """Add one problem to the totals."""
        self.by_rule[problem.rule] += 1
        if problem.severity == "error":
            self.errors += 1
        else:
            self.warnings += 1


def shown(value: object) -> str:
    """A value as a message quotes it: scalars in ASCII JSON and cut short, lists and objects by kind."""
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, str) and len(value) > SHOWN_CHARS:
        return json.dumps(value[:SHOWN_CHARS]) + "…"
    return json.dumps(value)
