"""The ledger's tables, and opening its file. Called by book.py."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from pairsmith.errors import LedgerError

VERSION = 6

# The tables of version 1; a new ledger goes through all migrations like an old one.
SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE recipes (digest TEXT PRIMARY KEY, toml TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE endpoints (name TEXT, identity TEXT, url TEXT, used_as TEXT, UNIQUE (identity, url));
-- What each run was given: one generation a run; `complete` once its input was read to the end.
CREATE TABLE generations (id INTEGER PRIMARY KEY, complete INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0, skipped INTEGER NOT NULL DEFAULT 0);
CREATE TABLE prompts (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, body BLOB NOT NULL);
CREATE TABLE inputs (generation INTEGER, ordinal INTEGER, prompt INTEGER, source_id TEXT,
    PRIMARY KEY (generation, ordinal), UNIQUE (generation, prompt)) WITHOUT ROWID;
CREATE INDEX inputs_source ON inputs (generation, source_id) WHERE source_id IS NOT NULL;
-- One row an HTTP attempt, written before it is sent: `outcome` NULL = in flight, or lost with the process.
CREATE TABLE attempts (id INTEGER PRIMARY KEY, request TEXT NOT NULL, endpoint TEXT NOT NULL,
    purpose TEXT NOT NULL, most_usd REAL, at REAL NOT NULL, outcome TEXT, status INTEGER, message TEXT,
    cost_usd REAL, input_tokens INTEGER, output_tokens INTEGER);
-- What a request came to: the body of the answer as it came, or a failure that is final.
CREATE TABLE replies (id INTEGER PRIMARY KEY, request TEXT NOT NULL UNIQUE, prompt TEXT NOT NULL,
    raw BLOB, failure BLOB, latency_s REAL NOT NULL);
CREATE INDEX replies_prompt ON replies (prompt);
-- What a prompt came to under one recipe digest. `final` 0: something of it is owed again on the next run.
CREATE TABLE outcomes (prompt INTEGER PRIMARY KEY, digest TEXT NOT NULL, kind TEXT NOT NULL, reason TEXT,
    final INTEGER NOT NULL, completions INTEGER NOT NULL, verdicts INTEGER NOT NULL, body BLOB NOT NULL);
-- What was learnt once and is used by every later decision (an endpoint's refusal of a parameter).
CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

# What people said when they were shown two completions of a prompt: `preferred` is one of them, NULL a tie.
REVIEWS = """
CREATE TABLE IF NOT EXISTS reviews (id INTEGER PRIMARY KEY, prompt TEXT NOT NULL, first TEXT NOT NULL,
    second TEXT NOT NULL, preferred TEXT, reviewer TEXT NOT NULL, at REAL NOT NULL);
"""
# The most tokens that an attempt can use. Of older attempts it is not known: those that may have been billed and
# show no count are taken for as large as the largest that shows one.
MOST_TOKENS = """
ALTER TABLE attempts ADD COLUMN most_tokens INTEGER;
UPDATE attempts SET most_tokens = (SELECT max(input_tokens + output_tokens) FROM attempts) WHERE input_tokens IS NULL;
"""
# How many pairs an outcome holds: a strategy may give several.
PAIRS = """
ALTER TABLE outcomes ADD COLUMN pairs INTEGER NOT NULL DEFAULT 0;
UPDATE outcomes SET pairs = 1 WHERE kind = 'pair';
"""
# What a row of the input has in common with all that are equal to it; prompts that were left out in favour of a nearly
# equal one, which stands in their place; and rows that hold an item of an evaluation set, as they are listed.
LEFT_OUT = """
ALTER TABLE inputs ADD COLUMN equal TEXT;
CREATE INDEX inputs_equal ON inputs (generation, equal) WHERE equal IS NOT NULL;
CREATE TABLE near_duplicates (generation INTEGER, prompt INTEGER, source_id TEXT, stands INTEGER NOT NULL,
    PRIMARY KEY (generation, prompt)) WITHOUT ROWID;
CREATE TABLE contaminated (id INTEGER PRIMARY KEY, generation INTEGER NOT NULL, body BLOB NOT NULL);
"""
# What else people can say of two completions than which they prefer, and that they take it back.
SAID = """
ALTER TABLE reviews ADD COLUMN said TEXT NOT NULL DEFAULT 'preferred';
UPDATE reviews SET said = 'tie' WHERE preferred IS NULL;
ALTER TABLE reviews ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE reviews ADD COLUMN edited TEXT;
ALTER TABLE reviews ADD COLUMN withdraws INTEGER;
CREATE INDEX reviews_withdraws ON reviews (withdraws) WHERE withdraws IS NOT NULL;
"""
# Version -> what takes a ledger from the version before to it; all of it in one transaction.
MIGRATIONS = {2: REVIEWS, 3: MOST_TOKENS, 4: PAIRS, 5: LEFT_OUT, 6: SAID}

_VERSION = "SELECT value FROM meta WHERE key = 'version'"


def connect(path: Path) -> sqlite3.Connection:
    """A connection in WAL mode with full syncs; the caller sees to it that one thread uses it at a time."""
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    return db


def prepare(path: Path, create: bool) -> None:
    """Make the tables where there are none, and see that this version can use the file.

    Raises:
        LedgerError: there is no file (and `create` is false), it is no ledger, or a newer version made it.
    """
    if not create and not path.exists():
        raise LedgerError(f"{path.parent} holds no ledger; start a run there, or name another run folder")
    try:
        with contextlib.closing(connect(path)) as db:
            if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                made = f"INSERT INTO meta VALUES ('version', '{VERSION}');"
                db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} {' '.join(MIGRATIONS.values())} {made} COMMIT;")
            row = db.execute(_VERSION).fetchone()
            if row is not None and int(row[0]) < VERSION:
                _migrate(db, int(row[0]))
    except sqlite3.Error as exc:
        raise LedgerError(f"{path} cannot be read as a ledger ({exc}); take another --run-dir") from exc
    if row is None:
        raise LedgerError(f"{path} is the database of another program; take another --run-dir")
    if int(row[0]) > VERSION:
        raise LedgerError(f"{path} was made by a newer pairsmith (ledger version {row[0]}); upgrade pairsmith")


def _migrate(db: sqlite3.Connection, version: int) -> None:
    """Bring an older ledger to this version, wholly or not at all; nothing of it is lost.

    Another process may be quicker: then there is nothing left to do.
    """
    steps = " ".join(MIGRATIONS[step] for step in range(version + 1, VERSION + 1))
    bump = f"UPDATE meta SET value = '{VERSION}' WHERE key = 'version' AND value = '{version}';"
    try:
        db.executescript(f"BEGIN IMMEDIATE; {steps} {bump} COMMIT;")
    except sqlite3.Error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        if int(db.execute(_VERSION).fetchone()[0]) < VERSION:
            raise
