r"""Checks a dataset against the rules of a target: every violation, line by line, in flat memory.

Lines are cut at b"\n" only, for U+2028 may stand raw in a text. Of each row an 8-byte hash of its
prompt and one of the whole stay in memory. Called by cli (`check`, `submit`) and pipeline.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import BinaryIO

import orjson

from pairsmith.export.layouts import Said, row_findings, said
from pairsmith.export.problems import Finding, Problem, Summary
from pairsmith.export.reading import BOM, JsonObject, read_line
from pairsmith.export.targets import Target, target_named

LONGER_SHARE = 0.75  # with chance at 0.5 and LIMA-like human pairs near 0.6: above it length is what is learned
LONGER_ROWS = 20  # below this many rows the share says nothing


def check(stream: BinaryIO, target: str, summary: Summary | None = None) -> Iterator[Problem]:
    """Every violation of a target's rules, in the order of the lines; those of the file come last.

    Args:
        stream: a JSONL file, opened for bytes, at its start.
        target: a name in TARGETS.
        summary: filled while the problems are read.

    Raises:
        UserError: there is no such target.
    """
    return _problems(stream, target_named(target), Summary() if summary is None else summary)


def line_findings(line: bytes, target: Target) -> tuple[JsonObject | None, list[Finding]]:
    """A line that is not blank, without a BOM: its row (None: unreadable), and what is wrong with it."""
    row, findings = read_line(line)
    if row is not None:
        findings += row_findings(row, target)
    if line.endswith(b"\r\n"):
        findings.append(Finding("crlf", "", "ends in CR LF", "end lines in LF"))
    return row, findings


@dataclass(slots=True)
class _Seen:
    """The prompts and rows that were seen: hashes only, and a second table only for repeated prompts."""

    first_lines: dict[int, int] = field(default_factory=dict)  # hash of a prompt -> its first line
    row_hashes: array[int] = field(default_factory=lambda: array("Q"))  # by line
    repeated: dict[int, int] = field(default_factory=dict)  # hash of a row whose prompt came twice -> its line

    def findings(self, row: JsonObject, line: int, target: Target) -> Iterator[Finding]:
        """What row and line repeat of an earlier line; to be called with rising lines."""
        parts = [row.get(key) for key in target.layout.keys]
        if parts[0] is None:
            return
        whole = _hash(parts)
        self.row_hashes.extend([0] * (line - len(self.row_hashes)))
        self.row_hashes.append(whole)
        earlier = self.first_lines.setdefault(_hash(parts[0]), line)
        if earlier == line:
            return
        self.repeated.setdefault(self.row_hashes[earlier], earlier)
        same = self.repeated.setdefault(whole, line)
        if same != line:
            yield Finding("same_row", "", f"is the same row as line {same}", "drop one of the two")
        else:
            found = f"is the same prompt as line {earlier}'s"
            yield Finding("same_prompt", target.layout.prompt, found, "keep one pair a prompt")


@dataclass(slots=True)
class _Lengths:
    """How often the chosen answer is the longer one, in characters."""

    longer: int = 0
    compared: int = 0

    def add(self, row: JsonObject, target: Target) -> None:
        """Count one row; rows without two answers are left out."""
        chosen, rejected = said(row.get(target.layout.chosen)), said(row.get(target.layout.rejected))
        if chosen and rejected:
            self.compared += 1
            self.longer += _chars(chosen) > _chars(rejected)

    def findings(self) -> Iterator[Finding]:
        """A warning when length alone would nearly tell which answer was chosen."""
        if self.compared >= LONGER_ROWS and self.longer > LONGER_SHARE * self.compared:
            share = f"{self.longer} of {self.compared}"
            fix = "balance lengths, or a model learns to be long"
            yield Finding("longer_wins", "", f"has the longer answer chosen in {share} rows", fix)


def _problems(stream: BinaryIO, target: Target, summary: Summary) -> Iterator[Problem]:
    seen, lengths = _Seen(), _Lengths()
    size, line = 0, b"\n"
    for number, line in enumerate(stream, 1):
        size += len(line)
        findings: list[Finding] = []
        body = line
        if number == 1 and line.startswith(BOM):
            body = line[len(BOM) :]
            findings.append(Finding("bom", "", "begins with a byte order mark", "save as UTF-8 without BOM"))
        if not body.strip():
            findings.append(Finding("blank_line", "", "is blank", "remove the line"))
        else:
            summary.rows += 1
            row, more = line_findings(body, target)
            findings += more
            if row is not None:
                findings += seen.findings(row, number, target)
                lengths.add(row, target)
        yield from _named(findings, number, target, summary)
    last = [*_file_findings(summary.rows, size, target), *lengths.findings()]
    if not line.endswith(b"\n"):
        last.append(Finding("final_newline", "", "does not end in a line feed", "add one"))
    yield from _named(last, 0, target, summary)


def _file_findings(rows: int, size: int, target: Target) -> Iterator[Finding]:
    if rows < target.min_rows:
        found = f"holds {rows} rows, {target.name} asks for {target.min_rows}"
        yield Finding("min_rows", "", found, "add pairs")
    if target.max_rows is not None and rows > target.max_rows:
        found = f"holds {rows} rows, {target.name} takes {target.max_rows}"
        yield Finding("max_rows", "", found, "split the file")
    if target.max_bytes is not None and size >= target.max_bytes:
        found = f"has {size} bytes, {target.name} takes less than {target.max_bytes}"
        yield Finding("max_bytes", "", found, "split the file")


def _named(findings: list[Finding], line: int, target: Target, summary: Summary) -> Iterator[Problem]:
    """The findings as problems of a line; those whose rule the target does not have are left out."""
    for finding in findings:
        rule = target.rules.get(finding.rule)
        if rule is not None:
            problem = Problem(line, finding.field, finding.found, finding.fix, finding.rule, rule.source, rule.severity)
            summary.count(problem)
            yield problem


def _hash(value: object) -> int:
    digest = blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _chars(turns: Said) -> int:
    return sum(len(text) for text, _ in turns if isinstance(text, str))
