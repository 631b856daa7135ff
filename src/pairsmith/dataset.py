"""Writes what a run settled: the rows of a target, and at the same line of a second file what proves each row.

Reads the ledger alone; every text is read again from the stored reply. Called by the command line.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, TypedDict, cast

from pairsmith.errors import LedgerError
from pairsmith.export.formats import ROWS, provenance_row, row_bytes, system_text
from pairsmith.export.rows import refused
from pairsmith.export.settings import ExportSettings
from pairsmith.ledger import Ledger
from pairsmith.outcomes import StoredPair, StoredSide
from pairsmith.records import EndpointName, Json, Pair, Prompt, Reply, RequestId, candidate_id
from pairsmith.wire.stored import read_stored


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: rows, and why pairs were left out."""

    rows: int
    left_out: Mapping[str, int]


def write_pairs(
    ledger: Ledger,
    digest: str,
    settings: ExportSettings,
    replacement: str | None,
    dataset: BinaryIO,
    proofs: BinaryIO,
    qualified: Mapping[EndpointName, str | None],
    limit: int | None = None,
) -> Exported:
    """Write every settled pair in prompt order, and the provenance of each at the same line of `proofs`.

    Args:
        ledger: the run folder's.
        digest: of the work whose outcomes are written.
        settings: the target, and what stands in the place of the persona.
        replacement: the text that takes the sampling persona's place, when `system` names a file.
        dataset: the rows of the target.
        proofs: one provenance row a pair.
        qualified: how each judge did when it was asked what is known; None: it never was.
        limit: so many rows at most, the first ones that the target takes; None: all.

    Returns:
        The count of rows, and of pairs that were left out, by reason.
    """
    arms = stored_arms(ledger, digest)
    row_of = ROWS[settings.target]
    rows = 0
    left_out: Counter[str] = Counter()
    for prompt, settled in ledger.outcomes(digest):
        if rows == limit:
            break
        if settled.kind != "pair":
            continue
        found = cast(StoredPair, settled.body["pair"])
        personas = {arms.get(found[side]["arm"], {}).get("system") for side in ("chosen", "rejected")}
        if settings.system == "keep" and len(personas) > 1:
            left_out["personas_differ"] += 1
            continue
        persona = {"strip": None, "keep": next(iter(personas))}.get(settings.system, replacement)
        chosen, rejected = (text_of(prompt, found[side], ledger) for side in ("chosen", "rejected"))
        row = row_of(prompt, chosen, rejected, system_text(persona, prompt.system))
        reason = refused(row, settings.target)
        if reason is not None:
            left_out[reason] += 1
            continue
        rows += 1
        dataset.write(row_bytes(row))
        proofs.write(row_bytes(_proof(rows, prompt, found, settled.body, qualified, arms)))
    return Exported(rows, dict(left_out))


class StoredArm(TypedDict, total=False):
    """An arm as pipeline.py wrote it; of a folder that an earlier version made there is `system` alone.

    `persona` is its name, `system` its text. `effective`: "server default" for what is not sent.
    """

    endpoint: EndpointName
    model: str
    weight: float
    persona: str | None
    system: str | None
    requested: dict[str, Json]
    effective: dict[str, Json]
    dropped: dict[str, list[Json]]


def stored_arms(ledger: Ledger, digest: str) -> dict[str, StoredArm]:
    """The arms that a run's outcomes speak of, by name, in the recipe's order."""
    arms: dict[str, Any] = json.loads(ledger.fact(f"arms {digest}") or "{}")
    return {name: cast(StoredArm, arm if isinstance(arm, dict) else {"system": arm}) for name, arm in arms.items()}


def text_of(prompt: Prompt, side: StoredSide, ledger: Ledger) -> str:
    """The text of one side, read again from what is stored: a given candidate, or the (span of a) reply.

    Raises:
        LedgerError: the ledger holds no such text.
    """
    ident = side["completion"]
    for candidate in prompt.candidates:
        if candidate_id(prompt.id, candidate.content) == ident:
            text = candidate.content
            break
    else:
        stored = ledger.stored_reply(RequestId(ident))
        reply = read_stored(RequestId(ident), stored) if stored else None
        if not isinstance(reply, Reply):
            raise LedgerError(f"the ledger holds no text for completion {ident} of prompt {prompt.id}")
        text = reply.text
    return text[slice(*side["span"])] if side["span"] else text


def _proof(
    line: int,
    prompt: Prompt,
    found: StoredPair,
    evidence: Mapping[str, Json],
    qualified: Mapping[EndpointName, str | None],
    arms: Mapping[str, StoredArm],
) -> dict[str, Json]:
    pair = Pair(
        prompt_id=prompt.id,
        chosen=found["chosen"]["completion"],
        rejected=found["rejected"]["completion"],
        gap=found["gap"],
        judges=tuple(found["judges"]),
        provenance=found["provenance"],
    )
    details: dict[str, Json] = {
        "verdicts": evidence["verdicts"],
        "qualified": {name: qualified[name] for name in found["judges"] if name in qualified},
        "simulated": evidence["simulated"],
    }
    return provenance_row(line, pair, prompt, (_side(found["chosen"], arms), _side(found["rejected"], arms)), details)


def _side(side: StoredSide, arms: Mapping[str, StoredArm]) -> dict[str, Json]:
    """A side, with how it was sampled beside its arm's name; a given candidate was not."""
    arm = cast(dict[str, Json], arms.get(side["arm"], {}))
    sampled: dict[str, Json] = {key: arm[key] for key in ("persona", "requested", "effective") if key in arm}
    return {"completion": side["completion"], "arm": side["arm"], **sampled, **cast(dict[str, Json], side)}
