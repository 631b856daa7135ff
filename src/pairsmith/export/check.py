r"""Checks a dataset against the rules of a target: every violation, in 24 bytes of memory a row.

Lines are cut at b"\n" only, for U+2028 may stand raw in a text. Of each row hashes of its prompt and of the whole stay
in memory; what repeats is named at the end. Called by cli (`check`, `submit`) and running/written.py.
"""

from __future__ import annotations

import heapq
import re
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

import orjson

from pairsmith.export.chat import Turn, View
from pairsmith.export.plain import Plain, quick_look
from pairsmith.export.problems import Finding, Problem, Summary
from pairsmith.export.reading import BOM, JsonObject, read_line
from pairsmith.export.row_rules import row_findings
from pairsmith.export.targets import Target, target_named

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

LONGER_SHARE = 0.75  # with chance at 0.5 and LIMA-like human pairs near 0.6: above it length is what is learned
LONGER_ROWS = 20  # below this many rows the share says nothing
FIRST_CHUNK = 10 * 1024 * 1024  # bytes from which `datasets` takes the columns


class Length(NamedTuple):
    """How long a row may be, prompt and longer answer together, and how its tokens are counted."""

    most: int
    tokens: Callable[[str], float]
    rests: str  # on what: "by tokenizer.json", "about 4 characters a token"


@dataclass(frozen=True, slots=True)
class Options:
    """What else is looked at than the rules of the target.

    `name`: of the file, for rules about names. `validation`: the lines of the other file of the split. `alone`: whether
    there have to be as many rows as the platform asks for, which a validation file need not have.
    """

    name: str = ""
    alone: bool = True
    validation: Iterable[bytes] | None = None
    length: Length | None = None


def check(
    stream: Iterable[bytes], target: str, summary: Summary | None = None, options: Options | None = None
) -> Iterator[Problem]:
    """Every violation of a target's rules: line by line, then what repeats, then what is said of the file.

    Args:
        stream: the lines of a file: a JSONL file opened for bytes, or what `lines_of` gives of a table.
        target: a name in TARGETS.
        summary: filled while the problems are read.
        options: what else to look at.

    Raises:
        UserError: there is no such target.
    """
    summary = Summary() if summary is None else summary
    return _Checking(target_named(target), summary, options or Options()).problems(stream)


def line_findings(line: bytes, target: Target) -> tuple[JsonObject | None, View | None, list[Finding]]:
    """A line that is not blank, without a BOM: its row (None: unreadable), as it is read, and what is wrong with it."""
    row, findings = read_line(line)
    view = None
    if row is not None:
        view, more = row_findings(row, target)
        findings += more
    if line.endswith(b"\r\n"):
        findings.append(Finding("crlf", "", "ends in CR LF", "end lines in LF"))
    return row, view, findings


@dataclass(slots=True)
class Repeated:
    """Which rows were seen, by hashes; what came twice is found at the end, and named with the line of the first."""

    lines: array[int] = field(default_factory=lambda: array("q"))
    prompts: array[int] = field(default_factory=lambda: array("q"))
    rows: array[int] = field(default_factory=lambda: array("q"))

    def add(self, line: int, prompt: int, row: int) -> None:
        """A row by its line, the hash of its prompt and that of the whole."""
        self.lines.append(line)
        self.prompts.append(prompt)
        self.rows.append(row)

    def findings(self, target: Target) -> Iterator[tuple[int, Finding]]:
        """What repeats an earlier line, in the order of the lines."""
        import numpy as np

        lines, firsts = _again(self.rows, self.lines)
        prompts, earlier = _again(self.prompts, self.lines)
        others = ~np.isin(prompts, lines)  # the same row has the same prompt
        rows = zip(lines, firsts, strict=True)
        for line, first, row in heapq.merge(
            ((line, first, True) for line, first in rows),
            ((line, first, False) for line, first in zip(prompts[others], earlier[others], strict=True)),
        ):
            if row:
                yield int(line), Finding("same_row", "", f"is the same row as line {first}", "drop one of the two")
            else:
                said = f"is the same prompt as line {first}'s"
                yield int(line), Finding("same_prompt", target.layout.prompt, said, "keep one pair a prompt")

    def in_both(self, other: Repeated, target: Target) -> Iterator[tuple[int, Finding]]:
        """The prompts that the other file has too, by line."""
        import numpy as np

        theirs, first = np.unique(np.frombuffer(other.prompts, "q"), return_index=True)
        ours = np.frombuffer(self.prompts, "q")
        for place in np.flatnonzero(np.isin(ours, theirs)):
            line = other.lines[first[np.searchsorted(theirs, ours[place])]]
            said = f"is a prompt of the validation file too, in line {line}"
            yield self.lines[place], Finding("both_splits", target.layout.prompt, said, "keep it in one file")


@dataclass(slots=True)
class _Lengths:
    """How often the chosen answer is the longer one, in characters."""

    longer: int = 0
    compared: int = 0

    def findings(self) -> Iterator[Finding]:
        """A warning when length alone would nearly tell which answer was chosen."""
        if self.compared >= LONGER_ROWS and self.longer > LONGER_SHARE * self.compared:
            share = f"{self.longer} of {self.compared}"
            fix = "balance lengths, or a model learns to be long"
            yield Finding("longer_wins", "", f"has the longer answer chosen in {share} rows", fix)


class _Checking:
    def __init__(self, target: Target, summary: Summary, options: Options) -> None:
        self.target, self.summary, self.options = target, summary, options
        self.quick = quick_look(target)
        self.repeated, self.lengths = Repeated(), _Lengths()
        self.ids = {place: (array("q"), array("q")) for place in ("id", "metadata.id")}  # hashes, and their lines
        wording = target.layout.wording
        self.keys = {*target.layout.keys}  # all that were seen in the first chunk, those of messages too
        self.keys |= {f"{key}[].{name}" for key in target.layout.keys for name in (wording.role, wording.text)}
        self.late: set[str] = set()
        self.before: int | None = None  # the hash of the last row's prompt

    def problems(self, stream: Iterable[bytes]) -> Iterator[Problem]:
        size, line = 0, b"\n"
        for number, line in enumerate(stream, 1):
            if findings := self._line(line, number, size):
                yield from self._named(findings, number)
            size += len(line)
        for number, finding in self._repeated():
            yield from self._named([finding], number)
        last = [*_file_findings(self.summary.rows, size, self.target), *self.lengths.findings()]
        if not self.options.alone:
            last = [finding for finding in last if finding.rule not in ("min_rows", "max_rows")]
            last += _validation_findings(self.summary.rows, self.target)
        last += _name_findings(self.options.name)
        if not line.endswith(b"\n"):
            last.append(Finding("final_newline", "", "does not end in a line feed", "add one"))
        yield from self._named(last, 0)

    def _line(self, line: bytes, number: int, offset: int) -> list[Finding]:
        if self.quick is not None and (seen := self.quick(line)) is not None:
            self.summary.rows += 1
            return self._count(number, seen)
        findings: list[Finding] = []
        body = line
        if number == 1 and line.startswith(BOM):
            body = line[len(BOM) :]
            findings.append(Finding("bom", "", "begins with a byte order mark", "save as UTF-8 without BOM"))
        if not body.strip():
            findings.append(Finding("blank_line", "", "is blank", "remove the line"))
            return findings
        self.summary.rows += 1
        row, view, more = line_findings(body, self.target)
        findings += more
        if row is not None and view is not None:
            findings += self._keys(row, offset)
            self._ids(row, number)
            if view.prompt:
                findings += self._count(number, texts_of(view))
        return findings

    def _count(self, number: int, seen: Plain) -> list[Finding]:
        """Remember a row for what is said at the end."""
        prompt = hash(seen.asked)
        answer = (seen.asked, seen.chosen or seen.rejected)  # where a row holds one: whatever its label
        self.repeated.add(number, prompt, hash(answer if self.target.layout.sides else seen))
        if seen.chosen and seen.rejected:
            self.lengths.compared += 1
            self.lengths.longer += len(seen.chosen) > len(seen.rejected)
        findings = []
        if "neighbours" in self.target.rules and prompt == self.before:
            found, fix = "is the prompt of the row before it too", "put other prompts between, or shuffle"
            findings.append(Finding("neighbours", self.target.layout.prompt, found, fix))
        self.before = prompt
        if (length := self.options.length) is not None:
            texts = [text for _, text in seen.asked]
            tokens = sum(map(length.tokens, texts)) + max(map(length.tokens, seen[1:]))
            if tokens > length.most:
                found = f"has {tokens:,.0f} tokens ({length.rests}), more than {length.most:,}"
                findings.append(Finding("max_tokens", "", found, "drop the pair, or raise the trainer's length"))
        return findings

    def _keys(self, row: JsonObject, offset: int) -> Iterator[Finding]:
        """Keys of a row that come too late for `datasets`."""
        keys = {*row, *_inner_keys(row)}
        if offset < FIRST_CHUNK:
            self.keys |= keys
            return
        for key in sorted(keys - self.keys - self.late):
            self.late.add(key)
            fix = "put a row that has it first, or write Parquet (--target parquet)"
            yield Finding("late_key", key, "is first seen after 10 MiB, which ends the load", fix)

    def _ids(self, row: JsonObject, number: int) -> None:
        metadata = row.get("metadata")
        for place, ident in (("id", row.get("id")), ("metadata.id", _of(metadata, "id"))):
            if isinstance(ident, str | int) and not isinstance(ident, bool):
                hashes, lines = self.ids[place]
                hashes.append(hash(repr(ident)))
                lines.append(number)

    def _repeated(self) -> Iterator[tuple[int, Finding]]:
        found = [self.repeated.findings(self.target), *(self._same_ids(place) for place in self.ids)]
        if self.options.validation is not None:
            other = _Checking(self.target, Summary(), Options())
            for _ in other.problems(self.options.validation):
                pass
            found.append(self.repeated.in_both(other.repeated, self.target))
        yield from heapq.merge(*found)

    def _same_ids(self, place: str) -> Iterator[tuple[int, Finding]]:
        for line, first in zip(*_again(*self.ids[place]), strict=True):
            yield int(line), Finding("same_id", place, f"is the same as line {first}'s", "give each row its own")

    def _named(self, findings: list[Finding], line: int) -> Iterator[Problem]:
        """The findings as problems of a line; those whose rule the target does not have are left out."""
        for finding in findings:
            rule = self.target.rules.get(finding.rule)
            if rule is not None:
                problem = Problem(
                    line, finding.field, finding.found, finding.fix, finding.rule, rule.source, rule.severity
                )
                self.summary.count(problem)
                yield problem


def _again(hashes: array[int], lines: array[int]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The lines whose hash an earlier line has, in their order; and for each the first line that has it."""
    import numpy as np

    values, places = np.frombuffer(hashes, "q"), np.frombuffer(lines, "q")
    order = np.argsort(values, kind="stable")
    new = np.ones(len(order), bool)
    new[1:] = values[order][1:] != values[order][:-1]
    first = order[new][np.cumsum(new) - 1]  # of each group of equal hashes the place that comes first
    again, earlier = places[order][~new], places[first][~new]
    by_line = np.argsort(again)
    return again[by_line], earlier[by_line]


def texts_of(view: View) -> Plain:
    """The texts of a row that is not plain; what is no text counts by its JSON."""
    asked = [(str(turn.role), _said(turn)) for turn in view.prompt or ()]
    if view.tools:
        asked.append(("tools", orjson.dumps(view.tools, option=orjson.OPT_SORT_KEYS).decode()))
    chosen, rejected = ("\n".join(map(_said, side or ())) for side in (view.chosen, view.rejected))
    return Plain(tuple(asked), chosen, rejected)


def _said(turn: Turn) -> str:
    message = turn.message
    if isinstance(message, dict) and isinstance(text := message.get("content"), str) and not message.get("tool_calls"):
        return text
    return orjson.dumps(message, option=orjson.OPT_SORT_KEYS).decode()


def _inner_keys(row: JsonObject) -> Iterator[str]:
    """The keys of messages, as "prompt[].name"."""
    for key, value in row.items():
        for one in value if isinstance(value, list) else ():
            if isinstance(one, dict):
                yield from (f"{key}[].{name}" for name in one)


def _of(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def _name_findings(name: str) -> Iterator[Finding]:
    if name and not re.fullmatch(r"[\w.-]+", PurePath(name).name, re.ASCII):
        found = f"has the name {PurePath(name).name}"
        yield Finding("file_name", "", found, "name it with letters, digits, _ - and . alone")


def _validation_findings(rows: int, target: Target) -> Iterator[Finding]:
    if target.max_validation is not None and rows > target.max_validation:
        found = f"holds {rows} rows, {target.name} takes {target.max_validation} to validate with"
        yield Finding("max_rows", "", found, "validate with fewer")


def _file_findings(rows: int, size: int, target: Target) -> Iterator[Finding]:
    if not rows:
        yield Finding("no_rows", "", "holds no rows", "add pairs")
    elif rows < target.min_rows:
        found = f"holds {rows} rows, {target.name} asks for {target.min_rows}"
        yield Finding("min_rows", "", found, "add pairs")
    if target.max_rows is not None and rows > target.max_rows:
        found = f"holds {rows} rows, {target.name} takes {target.max_rows}"
        yield Finding("max_rows", "", found, "split the file")
    if target.max_bytes is not None and size >= target.max_bytes:
        found = f"has {size} bytes, {target.name} takes less than {target.max_bytes}"
        yield Finding("max_bytes", "", found, "split the file")
