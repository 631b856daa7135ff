"""What an audit holds in memory of each row: hashes and places, no texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    nth: int  # among the rows of that pair
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


LATER = ("family", "family_call")  # what an earlier version did not write
UNPROVEN = ("line", "pair", "export", "qualified", "part", "group", "reviews_through")  # about the file, or of its day


def proof_of(row: Mapping[str, Any]) -> tuple[int, int]:
    """Hashes of what a line of the provenance names, and of all that it says of a pair.

    Raises:
        KeyError, TypeError: it is no such line.
    """
    named = (row["prompt_id"], row["chosen"]["completion"], row["rejected"]["completion"], row["gap"], row.get("side"))
    return hash(named), hashed({key: value for key, value in row.items() if key not in UNPROVEN})


def untrue(told: Mapping[str, Any], wanted: Mapping[str, Any]) -> str | None:
    """The first key of a provenance line that says what the ledger does not; None: all of it holds.

    Of verdicts on other answers it may name fewer than there are by now: a later run may have asked more.
    """
    passed = (*UNPROVEN, "verdicts", "simulated", *(key for key in LATER if key not in told))
    for key in [key for key in {**wanted, **told} if key not in passed]:
        if key not in told or key not in wanted or hashed(told[key]) != hashed(wanted[key]):
            return key
    verdicts = told.get("verdicts")
    if not isinstance(verdicts, list) or not _enough(verdicts, wanted):
        return "verdicts"
    complete = len(verdicts) == len(wanted["verdicts"])
    marked = told.get("simulated") == wanted["simulated"] or (not complete and told.get("simulated") is False)
    return None if marked else "simulated"


def _enough(verdicts: Sequence[object], wanted: Mapping[str, Any]) -> bool:
    """Whether these are verdicts that there are, and all that the pair rests on are among them."""
    sides = {wanted[side]["completion"] for side in ("chosen", "rejected")}
    calls = {one["request_id"] for key in ("duels", "rankings") for one in wanted.get(key, ())}
    needed = [one for one in wanted["verdicts"] if one.get("completion") in sides or one["call"] in calls]
    said = set(map(hashed, verdicts))
    return said.issuperset(map(hashed, needed)) and said.issubset(map(hashed, wanted["verdicts"]))


def hashed(value: object) -> int:
    """A part of a row, whatever the order of its keys."""
    digest = blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()
    return int.from_bytes(digest, "big")
