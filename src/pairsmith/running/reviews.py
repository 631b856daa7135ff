"""People's reviews as a file: written out of one run folder, read into another that knows the same completions.

One JSON line a verdict: ids of the prompt and of the two completions as they were shown, what was said, by whom, when.
Called by the command line (`review --export`, `review --import`).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from pairsmith.dataset import Texts
from pairsmith.errors import InputError, LedgerError
from pairsmith.export.formats import row_bytes
from pairsmith.ledger import Ledger, Opinion, Review, Said
from pairsmith.records import CompletionId, PromptId, Purpose, RequestId
from pairsmith.reviewing import name_of

_UNKNOWN = "completions that this run does not have"
LONGEST = 1_000_000  # characters of a note, or of a mended text


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the lines of a file: `left_out` by reason."""

    added: int
    left_out: Mapping[str, int]


class _Row(BaseModel):
    """One line, as a stranger writes it; other keys are passed over."""

    model_config = ConfigDict(frozen=True)

    prompt_id: str
    first: str
    second: str
    said: Said
    preferred: str | None = None
    reviewer: str
    at: float = Field(ge=0, strict=True)
    note: str = Field(default="", max_length=LONGEST)
    edited: str | None = Field(default=None, max_length=LONGEST)

    @field_validator("reviewer")
    @classmethod
    def _is_a_name(cls, value: str) -> str:
        return name_of(value)

    @field_validator("at")
    @classmethod
    def _is_a_time(cls, value: float) -> float:
        if not math.isfinite(value):
            raise ValueError("seconds since 1970 are a number")
        return value


# --- out --------------------------------------------------------------------------------------------


def write_reviews(reviews: Sequence[Review], out: BinaryIO) -> None:
    """Write the verdicts that stand, one a line, in their order."""
    for one in reviews:
        out.write(
            row_bytes(
                {
                    "prompt_id": one.prompt.id,
                    "id": one.prompt.source_id,
                    "first": one.first,
                    "second": one.second,
                    "said": one.said.value,
                    "preferred": one.preferred,
                    "reviewer": one.reviewer,
                    "at": one.at,
                    "note": one.note,
                    "edited": one.edited,
                }
            )
        )


# --- in ---------------------------------------------------------------------------------------------


async def take_reviews(stream: BinaryIO, name: str, ledger: Ledger) -> Imported:
    """Add the verdicts of a file to a run's log: all of them, or none where a line is wrong.

    Those that the log has already are passed over, so that a file may be read twice; so are those on prompts and
    completions that this run does not have, and those that are older than what the same person said of the same two:
    what stands last in the log counts.

    Args:
        stream: the open file.
        name: what to call it in messages.
        ledger: the run folder's.

    Raises:
        InputError: a line is not as it must be.
        Stopped: the ledger could not be written.
    """
    standing, left_out = ledger.reviews(), Counter[str]()
    known, texts, taken = {_named(one) for one in standing}, Texts(ledger), list[Opinion]()
    latest: dict[tuple[object, ...], float] = {}
    for one in standing:
        latest[_by_whom(one)] = max(one.at, latest.get(_by_whom(one), 0.0))
    for opinion in _read(stream, name):
        if (key := _named(opinion)) in known:
            left_out["known already"] += 1
        elif why := _missing(opinion, ledger, texts):
            left_out[why] += 1
        elif (opinion.at or 0.0) < latest.get(who := _by_whom(opinion), 0.0):
            left_out["older than what their reviewers said since"] += 1
        else:
            known.add(key)
            latest[who] = opinion.at or 0.0
            taken.append(opinion)
    if taken:
        await ledger.review(taken)
    return Imported(len(taken), dict(left_out))


def _read(stream: BinaryIO, name: str) -> Iterator[Opinion]:
    for number, line in enumerate(stream, start=1):
        body = line.removeprefix(b"\xef\xbb\xbf")
        if not body.strip():
            continue
        try:
            row = _Row.model_validate(orjson.loads(body))
            yield Opinion(
                PromptId(row.prompt_id),
                CompletionId(row.first),
                CompletionId(row.second),
                row.said,
                None if row.preferred is None else CompletionId(row.preferred),
                row.reviewer,
                row.note,
                row.edited or None,
                row.at,
            )
        except orjson.JSONDecodeError as exc:
            raise _wrong(name, number, f"is not JSON ({exc.msg})") from None
        except ValidationError as exc:
            first = exc.errors()[0]
            field = ".".join(map(str, first["loc"])) or "the line"
            raise _wrong(name, number, f"{field}: {first['msg'][:1].lower()}{first['msg'][1:]}") from None
        except ValueError as exc:
            raise _wrong(name, number, str(exc)) from None


def _wrong(name: str, line: int, found: str) -> InputError:
    return InputError(f"{name}, line {line}: {found}; mend the line, or write the file anew with review --export")


def _named(one: Opinion | Review) -> tuple[object, ...]:
    """What makes a verdict the same one in two logs."""
    prompt = one.prompt if isinstance(one, Opinion) else one.prompt.id
    return prompt, one.first, one.second, one.said, one.preferred, one.reviewer, one.at, one.note, one.edited


def _by_whom(one: Opinion | Review) -> tuple[object, ...]:
    """Who speaks of which two completions."""
    prompt = one.prompt if isinstance(one, Opinion) else one.prompt.id
    return prompt, frozenset((one.first, one.second)), one.reviewer


def _missing(opinion: Opinion, ledger: Ledger, texts: Texts) -> str:
    """Why a verdict says nothing about this run; "": it does."""
    prompt = ledger.listed(opinion.prompt)
    if prompt is None:
        return "prompts that this run does not have"
    sides = [opinion.first, opinion.second]
    requests = [RequestId(ident) for ident in sides]
    if any(other != prompt.id for other in ledger.asked_about(requests).values()):
        return "completions of another prompt"
    try:
        texts.of(prompt, sides)
    except LedgerError:
        return _UNKNOWN
    judges = any(one.purpose is not Purpose.SAMPLE for one in ledger.attempts_at(requests))
    return _UNKNOWN if judges else ""  # what a judge wrote is a stored reply too
