"""Reads one line of a dataset: bytes to an object, or to the findings that say why it is none.

A good line costs one orjson.loads and three searches; what looks suspicious is read a second time with
the standard library, which is slower but can say where. Called by check.py; knows no platform.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TypeAlias

import orjson

from pairsmith.export.problems import Finding, shown
from pairsmith.records import Json

BOM = b"\xef\xbb\xbf"
MAX_DEPTH = 100  # real rows nest to about 20 (a tool's JSON schema); orjson writes at most 254
_CONTAINERS = (dict, list)
_SPACED_COLON = re.compile(rb'"[ \t\r]+:')
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

JsonObject: TypeAlias = "dict[str, Json]"


def read_line(line: bytes) -> tuple[JsonObject | None, list[Finding]]:
    """The row of one line (no BOM, not blank), and what is wrong with the line as JSON.

    Returns:
        The row, None where it cannot be examined further; and 0+ findings.
    """
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as exc:
        return None, [_unreadable(line, exc)]
    if not isinstance(row, dict):
        return None, [Finding("object", "", f"is {shown(row)}, not an object", "write one object a line")]
    keys, depth = _extent(row)
    if depth > MAX_DEPTH:
        found = f"nests {depth} levels deep"
        return None, [Finding("nesting", "", found, f"stay within {MAX_DEPTH} levels")]
    findings: list[Finding] = []
    if line.count(b'":') != keys or _SPACED_COLON.search(line):
        findings += _duplicate_keys(line)
    if b"\\u0000" in line:
        findings += _texts_with(re.compile("\0"), row, "nul", "holds a NUL character")
    return row, findings


def _extent(row: JsonObject) -> tuple[int, int]:
    """How many keys the row has on all levels, and how many levels; no recursion, which could run out."""
    keys = depth = 0
    level: list[JsonObject | list[Json]] = [row]
    while level:
        depth += 1
        below: list[JsonObject | list[Json]] = []
        for node in level:
            if isinstance(node, dict):
                keys += len(node)
                below += [value for value in node.values() if isinstance(value, _CONTAINERS)]
            else:
                below += [value for value in node if isinstance(value, _CONTAINERS)]
        level = below
    return keys, depth


def _duplicate_keys(line: bytes) -> Iterator[Finding]:
    twice: dict[str, None] = {}

    def note(pairs: list[tuple[str, Json]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                twice[key] = None
            seen.add(key)

    json.loads(line.decode(), object_pairs_hook=note, parse_int=float)
    for key in twice:
        yield Finding("duplicate_key", key, "stands twice in one object", "keep one of the two")


def _unreadable(line: bytes, exc: orjson.JSONDecodeError) -> Finding:
    """Why orjson refused the line: not UTF-8, a lone surrogate in an escape, or no JSON at all."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as wrong:
        found = f"is not UTF-8 (byte {wrong.start + 1} is 0x{line[wrong.start]:02x})"
        return Finding("utf8", "", found, "save the file as UTF-8")
    try:
        row = json.loads(text, parse_int=float)
    except (ValueError, RecursionError):
        row = None
    for finding in _texts_with(_LONE_SURROGATE, row, "surrogate", "holds a lone surrogate"):
        return finding
    found = f"is not JSON ({exc.msg} at character {exc.pos + 1})"
    return Finding("json", "", found, "write one JSON object a line")


def _texts_with(pattern: re.Pattern[str], row: Json, rule: str, found: str) -> Iterator[Finding]:
    """One finding for every key or text of the row in which the pattern occurs, in the row's order."""
    todo: list[tuple[str, Json]] = [("", row)]
    while todo:
        path, value = todo.pop()
        if isinstance(value, str) and pattern.search(value):
            yield Finding(rule, path, found, "remove the character")
        elif isinstance(value, dict):
            if any(pattern.search(key) for key in value):
                yield Finding(rule, path, found + " in a key", "remove the character")
            named = [(f"{path}.{shown_key(key)}".lstrip("."), item) for key, item in value.items()]
            todo.extend(reversed(named))
        elif isinstance(value, list):
            todo.extend(reversed([(f"{path}[{place}]", item) for place, item in enumerate(value)]))


def shown_key(key: str) -> str:
    """A key as part of a path: plain where it is a plain word, else quoted."""
    return key if key.isascii() and key.isidentifier() and len(key) <= 40 else shown(key)
