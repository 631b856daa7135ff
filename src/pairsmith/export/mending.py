"""Mends a dataset for a target: what can be mended without touching a text is mended, what cannot is left out.

Keys are renamed, and removed where they say nothing; roles get their names, lists stand where null stood. Texts are
never changed: a row whose text is wrong is dropped, as `check` advises. Called by the command line.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import BinaryIO

import orjson

from pairsmith.export.chat import CHAT, View
from pairsmith.export.check import line_findings, texts_of
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
    rows: set[Hashable] = set()  # hashes of those in the copy
    ids: set[Hashable] = set()
    for number, line in enumerate(lines, 1):
        body = _bytes_mended(line, number, done)
        if not body.strip():
            continue
        if number in repeated:
            done.drop(repeated[number], number)
            continue
        row, view, findings = line_findings(body, target)
        errors = _errors(findings, target)
        changed: list[str] = []
        if row is not None and errors and UNMENDABLE.isdisjoint(errors):
            changed = errors
            errors, body, row, view = _row_mended(body, errors, target)
        if not errors and row is not None and view is not None and view.prompt:
            errors = [*_again(hash(texts_of(view)), rows, "same_row"), *_again(_id(row), ids, "same_id")]
        if errors:
            done.drop(errors[0], number)
            continue
        done.changed.update(changed)
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


def _again(value: Hashable, seen: set[Hashable], rule: str) -> list[str]:
    """The rule, where the value was seen before; None never is."""
    if value is None or value not in seen:
        seen.add(value)
        return []
    return [rule]


def _id(row: JsonObject) -> str | None:
    metadata = row.get("metadata")
    ident = row.get("id", metadata.get("id") if isinstance(metadata, dict) else None)
    return repr(ident) if isinstance(ident, str | int) and not isinstance(ident, bool) else None


def _row_mended(
    body: bytes, errors: list[str], target: Target
) -> tuple[list[str], bytes, JsonObject | None, View | None]:
    """Which errors a row still has when what can be mended is; its line, itself, and as it is read."""
    mended = _keys_mended(json.loads(body), target)  # which keeps numbers of any length
    if target.layout is WRAPPED and isinstance(given := mended.get("input"), dict):
        mended["input"] = _input_mended(given)
    for key in target.layout.keys:
        _walk(mended.get(key), target)
    try:
        line = row_bytes(mended)
    except orjson.JSONEncodeError:
        return errors, body, None, None
    row, view, findings = line_findings(line, target)
    left = _errors(findings, target)
    return left, line, row, view


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


def _walk(value: Json, target: Target) -> None:
    """Mend the messages wherever they stand: the names of their roles, and keys that say nothing."""
    wording = target.layout.wording
    if isinstance(value, list):
        for item in value:
            _walk(item, target)
    elif isinstance(value, dict):
        role = value.get(wording.role)
        if isinstance(role, str) and (wording.text in value or "tool_calls" in value):
            chats = CHATS_OWN.get(role, role)
            value[wording.role] = wording.name(chats)
            kept = {wording.role, wording.text, *(MESSAGE_KEYS.get(chats, PLAIN_KEYS) if wording is CHAT else ())}
            for key in [key for key in value if key not in kept and _says_nothing(key, value[key])]:
                del value[key]
            if value.get("tool_calls", ()) in (None, []):
                del value["tool_calls"]
        else:
            for key, item in value.items():
                if key != "tools":
                    _walk(item, target)


def _says_nothing(key: str, value: Json) -> bool:
    """Whether a key of a message can go without changing what is learned of it."""
    return value in (None, [], {}, "") or key == "name" or (key == "weight" and value == 1)


def _errors(findings: Iterable[Finding], target: Target) -> list[str]:
    rules = target.rules
    return [one.rule for one in findings if one.rule in rules and rules[one.rule].severity == "error"]
