"""Says why a target cannot take a pair, so that it is left out with a counted reason and never bent.

The row is made and checked by the very rules of `check`: what passes here passes there.
Called by pipeline before a row is written.
"""

from __future__ import annotations

from collections.abc import Mapping

from pairsmith.export.check import line_findings
from pairsmith.export.formats import ROWS, row_bytes
from pairsmith.export.settings import TargetName
from pairsmith.export.targets import TARGETS
from pairsmith.records import Prompt


def exportable(prompt: Prompt, target: TargetName) -> str | None:
    """Why no pair of this prompt can go to the target.

    Returns:
        The name of the rule that forbids it ("turns", "tools", "content", …); None: it can.
    """
    if prompt.tools and not TARGETS[target].takes_tools:
        return "tools"
    return refused(ROWS[target](prompt, "one answer", "another answer", prompt.system), target)


def refused(row: Mapping[str, object], target: TargetName) -> str | None:
    """Why this very row, texts included, would not pass `check`; the same names, None: it would."""
    try:
        line = row_bytes(row)
    except TypeError:  # orjson.JSONEncodeError: a lone surrogate, or nested too deep
        return "json"
    rules = TARGETS[target].rules
    _, findings = line_findings(line, TARGETS[target])
    broken = (item.rule for item in findings if item.rule in rules and rules[item.rule].severity == "error")
    return next(broken, None)
