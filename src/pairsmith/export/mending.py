"""Mends a dataset for a target: what can be mended without touching a text is mended, what cannot is left out.

Keys are renamed and removed, roles get their names, lists stand where null stood. Texts are never changed: a row whose
text is wrong is dropped, as `check` advises. Called by the command line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import BinaryIO

import orjson

from pairsmith.export.check import line_findings
from pairsmith.export.formats import row_bytes
from pairsmith.export.layouts import WRAPPED
from pairsmith.export.messages import CHATS_OWN, MESSAGE_KEYS, PLAIN_KEYS
from pairsmith.export.problems import Finding
from pairsmith.export.reading import BOM, JsonObject
from pairsmith.export.row_rules import INPUT_KEYS
from pairsmith.export.targets import Target
from pairsmith.records import Json

DROPPED_LINES = 20  # named of each reason
UNMENDABLE = frozenset({"duplicate_key", "nul", "surrogate", "nesting"})  # what was read is not all that was written


@dataclass(slots=True)
class Mended:
    """What was done: rows in the copy, changes and dropped rows by rule, and the first lines of those dropped."""

    rows: int = 0
    changed: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    lines: dict[str, list[int]] = field(default_factory=dict)

    def drop(self, rule: str, line: int) -> None:
        """Count a row that is left out."""
        self.dropped[rule] += 1
        named = self.lines.setdefault(rule, [])
        if len(named) < DROPPED_LINES:
            named.append(line)


def mend(lines: Iterable[bytes], target: Target, repeated: dict[int, str], out: BinaryIO) -> Mended:
    """Write the rows that pass, and those that can be mended, in their order.

    Args:
        lines: of the file.
        target: whose rules they have to pass.
        repeated: by line, the rule by which it is one row or prompt too many.
        out: takes the copy.
    """
    done = Mended()
    for number, line in enumerate(lines, 1):
        body = _bytes_mended(line, number, done)
        if not body.strip():
            continue
        if number in repeated:
            done.drop(repeated[number], number)
            continue
        row, _, findings = line_findings(body, target)
        errors = _errors(findings, target)
        if row is not None and errors and UNMENDABLE.isdisjoint(errors):
            errors, body = _row_mended(row, errors, target, done)
        if errors:
            done.drop(errors[0], number)
            continue
        done.rows += 1
        out.write(body)
    return done


def _bytes_mended(line: bytes, number: int, done: Mended) -> bytes:
    """The line without a byte order mark, and with LF at its end."""
    body = line
    if number == 1 and body.startswith(BOM):
        body = body[len(BOM) :]
        done.changed["bom"] += 1
    if not body.strip():
        done.changed["blank_line"] += 1
    elif body.endswith(b"\r\n"):
        body = body[:-2] + b"\n"
        done.changed["crlf"] += 1
    elif not body.endswith(b"\n"):
        body += b"\n"
        done.changed["final_newline"] += 1
    return body


def _row_mended(row: JsonObject, errors: list[str], target: Target, done: Mended) -> tuple[list[str], bytes]:
    """The row with what can be mended, and which errors it still has."""
    mended = _keys_mended(row, target)
    if target.layout is WRAPPED and isinstance(given := mended.get("input"), dict):
        mended["input"] = _input_mended(given)
    _walk(mended)
    try:
        body = row_bytes(mended)
    except orjson.JSONEncodeError:
        return errors, b""
    *_, findings = line_findings(body, target)
    left = _errors(findings, target)
    if not left:
        done.changed.update(dict.fromkeys(errors, 1))
    return left, body


def _keys_mended(row: JsonObject, target: Target) -> JsonObject:
    layout, rules = target.layout, target.rules
    known = {*layout.keys, *layout.optional}
    named = {layout.old_names.get(key, key) if layout.old_names.get(key) not in row else key: row[key] for key in row}
    return {key: value for key, value in named.items() if key in known or rules["extra_key"].severity != "error"}


def _input_mended(given: JsonObject) -> JsonObject:
    kept = {key: value for key, value in given.items() if key in INPUT_KEYS}
    if kept.get("tools", []) is None:
        kept["tools"] = []
    if kept.get("parallel_tool_calls", True) is None:
        kept["parallel_tool_calls"] = True
    return kept


def _walk(value: Json) -> None:
    """Mend the messages wherever they stand: their roles, and keys that are none."""
    if isinstance(value, list):
        for item in value:
            _walk(item)
    elif isinstance(value, dict):
        role = value.get("role")
        if isinstance(role, str) and "content" in value:
            value["role"] = role = CHATS_OWN.get(role, role)
            _keep(value, MESSAGE_KEYS.get(role, PLAIN_KEYS))
            if value.get("tool_calls", ()) in (None, []):
                del value["tool_calls"]
        else:
            for key, item in value.items():
                if key != "tools":
                    _walk(item)


def _keep(message: JsonObject, keys: Collection[str]) -> None:
    for key in [key for key in message if key not in keys]:
        del message[key]


def _errors(findings: Iterable[Finding], target: Target) -> list[str]:
    rules = target.rules
    return [one.rule for one in findings if one.rule in rules and rules[one.rule].severity == "error"]
