"""When a folder's calls were begun and what they came to, in even steps of the time that it ran. Called by book.py.

Hours in which nothing was asked are left out, and it is said where they were. Counted in SQL: a ledger may hold
millions of attempts.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from itertools import pairwise

from pairsmith.records import EndpointName, Purpose

IDLE_S = 30.0  # without a call begun or under way: the folder was not run
MOST_GAPS = 60  # the longest ones; what is shorter stays in
MOST_STEPS, FEWEST_STEPS = 120, 8
CALLS_A_STEP = 25  # so that few calls do not make a comb
IN_FLIGHT = 512  # calls before a gap, the ends of which are looked at

_GAPS = (
    "SELECT id FROM (SELECT id, at, lag(at) OVER (ORDER BY id) AS before FROM attempts)"
    " WHERE at - before > ? ORDER BY at - before DESC LIMIT ?"
)
_END = (
    "SELECT max(a.at + coalesce(r.latency_s, 0)) FROM attempts a LEFT JOIN replies r ON r.request = a.request"
    " WHERE a.id < ? AND a.id >= ?"
)
_SLOTS = (
    "SELECT CAST((? + at - ?) / ? AS INTEGER), endpoint, purpose, coalesce(outcome, 'open'), count(*), total(cost_usd)"
    " FROM attempts WHERE id >= ? AND id < ? AND coalesce(outcome, '') <> 'not_sent' GROUP BY 1, 2, 3, 4"
)


@dataclass(frozen=True, slots=True)
class Slot:
    """Attempts of one kind that were begun in one step. outcome: "ok", the reason of a failure, or "open"."""

    step: int
    endpoint: EndpointName
    purpose: Purpose
    outcome: str
    attempts: int
    cost_usd: float  # as far as prices are known


@dataclass(frozen=True, slots=True)
class Session:
    """A time in which the folder was run. at: seconds of running time before it; began, ended: since 1970."""

    at: float
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """All calls of a folder over its running time; no session: none was made."""

    step_s: float
    steps: int
    sessions: tuple[Session, ...]
    slots: tuple[Slot, ...]


def timeline(db: sqlite3.Connection) -> Timeline:
    """The calls of all runs and recipes of this folder."""
    first, last = db.execute("SELECT coalesce(min(id), 0), coalesce(max(id), 0) FROM attempts").fetchone()
    if not last:
        return Timeline(1.0, 0, (), ())
    gaps = sorted(row[0] for row in db.execute(_GAPS, (IDLE_S, MOST_GAPS)))
    spans = _spans(db, [first, *gaps, last + 1])
    lasted = max(sum(ended - began for _, _, began, ended in spans), 1e-3)
    steps = max(FEWEST_STEPS, min(MOST_STEPS, (last - first + 1) // CALLS_A_STEP))
    sessions, slots, before = list[Session](), list[Slot](), 0.0
    for begins, ends, began, ended in spans:
        sessions.append(Session(before, began, ended))
        rows = db.execute(_SLOTS, (before, began, lasted / steps, begins, ends))
        for step, endpoint, purpose, outcome, attempts, usd in rows:
            step = max(0, min(step, steps - 1))  # clocks may be set back
            slots.append(Slot(step, EndpointName(endpoint), Purpose(purpose), outcome, attempts, usd))
        before += ended - began
    return Timeline(lasted / steps, steps, tuple(sessions), tuple(slots))


def _spans(db: sqlite3.Connection, bounds: list[int]) -> list[tuple[int, int, float, float]]:
    """First attempt, the one behind the last, beginning and end of each session: a gap may be one slow answer."""
    spans: list[tuple[int, int, float, float]] = []
    for begins, ends in pairwise(bounds):
        began = float(db.execute("SELECT at FROM attempts WHERE id = ?", (begins,)).fetchone()[0])
        ended = max(began, float(db.execute(_END, (ends, max(begins, ends - IN_FLIGHT))).fetchone()[0]))
        if spans and began - spans[-1][3] < IDLE_S:
            spans[-1] = (spans[-1][0], ends, spans[-1][2], ended)
        else:
            spans.append((begins, ends, began, ended))
    return spans
