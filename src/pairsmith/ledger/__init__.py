"""The ledger of a run folder: what was asked, what was paid, what came of it. The one place that knows SQLite."""

from pairsmith.ledger.book import Ledger, open_ledger
from pairsmith.ledger.left_out import NearDuplicate
from pairsmith.ledger.reviews import Opinion, Review, Said
from pairsmith.ledger.rows import Attempt, Collected, Counts, Settled, Spent
from pairsmith.ledger.timeline import Session, Slot, Timeline

__all__ = [
    "Attempt",
    "Collected",
    "Counts",
    "Ledger",
    "NearDuplicate",
    "Opinion",
    "Review",
    "Said",
    "Session",
    "Settled",
    "Slot",
    "Spent",
    "Timeline",
    "open_ledger",
]
