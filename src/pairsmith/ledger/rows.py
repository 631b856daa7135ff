"""What the ledger hands out, and how prompts and failures are stored. Called by book.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from pairsmith.records import (
    Candidate,
    EndpointName,
    Failure,
    FailureKind,
    Json,
    Preference,
    Prompt,
    PromptId,
    Purpose,
    RequestId,
)


@dataclass(frozen=True, slots=True)
class Settled:
    """What one prompt came to. `body` is the evidence behind it, as the pipeline wrote it."""

    kind: str  # pair | abstained | failed
    reason: str | None
    final: bool
    completions: int
    verdicts: int
    body: Mapping[str, Json]
    pairs: int = 0


@dataclass(frozen=True, slots=True)
class Collected:
    """What a chunk of rows came to: duplicates united, and ids given to two different prompts."""

    added: int
    duplicates: int
    revisit: tuple[PromptId, ...]  # prompts whose candidates grew by a later row
    clashes: tuple[int, ...]  # places in the chunk whose `id` an earlier, different prompt has
    excluded: int = 0  # rows whose prompt became a pair in another run
    new: tuple[int, ...] = ()  # places in the chunk of the rows that became prompts


@dataclass(frozen=True, slots=True)
class Counts:
    """The state of the current input under one recipe digest; prompts = the four others added up."""

    prompts: int
    duplicates: int
    skipped: int
    excluded: int
    near_duplicates: int  # left out in favour of another prompt
    contaminated: int  # rows that hold an item of an evaluation set
    settled: int  # prompts with a pair
    pairs: int
    abstained: dict[str, int]
    failed: dict[str, int]
    not_reached: int
    completions: int
    verdicts: int


@dataclass(frozen=True, slots=True)
class Spent:
    """Everything this run folder has paid for; cost None when some of it has no known price."""

    calls: int
    attempts: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One HTTP attempt; `outcome` "ok", the reason of a failure, or None: it is in flight, or was lost."""

    request: RequestId
    endpoint: EndpointName
    purpose: Purpose
    outcome: str | None
    status: int | None
    message: str | None
    cost_usd: float | None
    input_tokens: int | None
    output_tokens: int | None


def prompt_bytes(prompt: Prompt) -> bytes:
    """A prompt as it is stored; its id and ordinal stand in columns of their own."""
    body: dict[str, object] = {
        "messages": prompt.messages,
        "tools": prompt.tools,
        "reference": prompt.reference,
        "system": prompt.system,
        "meta": prompt.meta,
        "id": prompt.source_id,
        "candidates": [[c.content, c.meta] for c in prompt.candidates],
    }
    if prompt.preferences:
        body["preferences"] = [[p.preferred, p.others, p.rule, p.by] for p in prompt.preferences]
    return orjson.dumps(body)


def prompt_of(ident: PromptId, body: bytes, ordinal: int) -> Prompt:
    """A stored prompt."""
    data = orjson.loads(body)
    return Prompt(
        id=ident,
        messages=tuple(data["messages"]),
        tools=tuple(data["tools"]),
        reference=data["reference"],
        system=data["system"],
        meta=data["meta"],
        ordinal=ordinal,
        source_id=data["id"],
        candidates=tuple(Candidate(content, meta) for content, meta in data["candidates"]),
        preferences=tuple(
            Preference(preferred, tuple(others), rule, by)
            for preferred, others, rule, by in data.get("preferences", ())
        ),
    )


def failure_of(request: str, stored: bytes | None) -> Failure | None:
    """A stored failure, or None if there is none."""
    if stored is None:
        return None
    reason, message, status = orjson.loads(stored)
    return Failure(RequestId(request), FailureKind.PERMANENT, reason, message, status)
