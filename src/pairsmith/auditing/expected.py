"""What an audit holds in memory of each row: hashes and places, no texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, BinaryIO

import orjson

from pairsmith.export.split import Part
from pairsmith.records import PromptId


@dataclass(slots=True)
class Expected:
    """One row that there has to be, by hashes of its parts."""

    prompt: PromptId
    place: int  # among the pairs of its prompt
    part: Part
    row: int
    asked: int
    chosen: int
    rejected: int
    proof: int  # of what its line of the provenance has to name
    told: int  # and of all that stands there
    rule: str
    seen: str = ""  # where it stands: "FILE, line N"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A row that is none of those that there have to be, by where it stands."""

    file: str
    line: int
    stream: BinaryIO
    offset: int


UNPROVEN = (
    "line",
    "pair",
    "export",
    "qualified",
    "part",
    "group",
)  # of a provenance line: about the file, or of its day


def proof_of(row: Mapping[str, Any]) -> tuple[int, int]:
    """Hashes of what a line of the provenance names, and of all that it says of a pair.

    Raises:
        KeyError, TypeError: it is no such line.
    """
    named = (row["prompt_id"], row["chosen"]["completion"], row["rejected"]["completion"], row["gap"])
    return hash(named), hashed({key: value for key, value in row.items() if key not in UNPROVEN})


def hashed(value: object) -> int:
    """A part of a row, whatever the order of its keys."""
    digest = blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=8).digest()
    return int.from_bytes(digest, "big")
