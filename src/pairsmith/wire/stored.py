"""Reads a stored answer again: on resume, and whenever a text is exported or shown."""

from __future__ import annotations

from pairsmith.records import Failure, FailureKind, Outcome, RequestId, StoredReply
from pairsmith.wire.faults import read_reply


def read_stored(ident: RequestId, stored: StoredReply) -> Outcome:
    """A stored answer as a record: the reply that was stored raw, or the failure that no retry can mend."""
    if stored.raw is not None:
        return read_reply(ident, stored.raw, stored.latency_s)
    return stored.failure or Failure(ident, FailureKind.TRANSIENT, "not_stored")
