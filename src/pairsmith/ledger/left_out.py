"""What the ledger remembers of prompts that an input left out: near-duplicates, and matches of evaluation sets.

Writing functions work inside the caller's transaction. Called by intake.py and book.py.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from pairsmith.ledger.rows import prompt_of
from pairsmith.records import Json, Prompt, PromptId


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """A prompt that was left out, and the one that stands in its place."""

    prompt: Prompt
    stands: Prompt


def forget(db: sqlite3.Connection) -> None:
    """What belongs to no generation any more goes."""
    for table in ("near_duplicates", "contaminated"):
        db.execute(f"DELETE FROM {table} WHERE generation NOT IN (SELECT id FROM generations)")


def leave_near_out(db: sqlite3.Connection, generation: int, out: Sequence[tuple[int, int]], limit: int | None) -> None:
    """These places leave the generation, those behind them move up, and after `limit` prompts it ends.

    Args:
        db: inside a transaction.
        generation: whose input it is.
        out: ordinals in ascending order, each with that of the prompt that stands in its place.
        limit: so many prompts stay at most; what was left out behind the last of them is not remembered.
    """
    db.execute("CREATE TEMP TABLE gone (ordinal INTEGER PRIMARY KEY, stands INTEGER NOT NULL)")
    db.executemany("INSERT INTO temp.gone VALUES (?,?)", out)
    db.execute(
        "CREATE TEMP TABLE stay AS SELECT prompt, source_id, equal FROM inputs WHERE generation = ?"
        " AND ordinal NOT IN (SELECT ordinal FROM temp.gone) ORDER BY ordinal LIMIT ?",
        (generation, -1 if limit is None else limit),
    )
    last = None if limit is None else _last(out, limit)
    db.execute(
        "INSERT INTO near_duplicates SELECT i.generation, i.prompt, i.source_id, s.prompt FROM temp.gone g"
        " JOIN inputs i ON i.generation = ? AND i.ordinal = g.ordinal"
        " JOIN inputs s ON s.generation = i.generation AND s.ordinal = g.stands WHERE ? IS NULL OR g.ordinal < ?",
        (generation, last, last),
    )
    # Those that were left out in favour of one that has left now too, by an earlier rule.
    db.execute(
        "UPDATE near_duplicates AS n SET stands = (SELECT o.stands FROM near_duplicates o"
        " WHERE o.generation = n.generation AND o.prompt = n.stands) WHERE n.generation = ?1"
        " AND n.stands IN (SELECT prompt FROM near_duplicates WHERE generation = ?1)",
        (generation,),
    )
    db.execute("DELETE FROM inputs WHERE generation = ?", (generation,))
    db.execute(
        "INSERT INTO inputs SELECT ?, rowid - 1, prompt, source_id, equal FROM temp.stay ORDER BY rowid", (generation,)
    )
    db.execute("DROP TABLE temp.gone")
    db.execute("DROP TABLE temp.stay")


def _last(out: Sequence[tuple[int, int]], limit: int) -> int:
    """The ordinal behind the last prompt that stays, when `limit` of them do."""
    last = limit
    for ordinal, _ in out:
        if ordinal >= last:
            break
        last += 1
    return last


def list_contaminated(db: sqlite3.Connection, generation: int, matches: Sequence[Mapping[str, Json]]) -> None:
    """Remember these rows as they are to be listed."""
    rows = [(generation, orjson.dumps(match)) for match in matches]
    db.executemany("INSERT INTO contaminated (generation, body) VALUES (?,?)", rows)


def contaminated(db: sqlite3.Connection, generation: int) -> Iterator[dict[str, Json]]:
    """The rows that hold an item of an evaluation set, in order."""
    sql = "SELECT body FROM contaminated WHERE generation = ? ORDER BY id"
    for (body,) in db.execute(sql, (generation,)):
        yield orjson.loads(body)


def near_duplicates(db: sqlite3.Connection, generation: int, stands: PromptId | None = None) -> Iterator[NearDuplicate]:
    """Prompts that were left out, by those that stand in their place; of one of these, or of all."""
    rows = db.execute(
        "SELECT p.hash, p.body, s.hash, s.body, i.ordinal FROM near_duplicates n JOIN prompts p ON p.id = n.prompt"
        " JOIN prompts s ON s.id = n.stands JOIN inputs i ON i.generation = n.generation AND i.prompt = n.stands"
        " WHERE n.generation = ? AND (? IS NULL OR s.hash = ?) ORDER BY i.ordinal, n.prompt",
        (generation, stands, stands),
    )
    for ident, body, instead, its_body, ordinal in rows:
        yield NearDuplicate(prompt_of(PromptId(ident), body, -1), prompt_of(PromptId(instead), its_body, ordinal))


def near_duplicate(db: sqlite3.Connection, generation: int, word: str) -> NearDuplicate | None:
    """The one that was left out and that this names: its row's own id, or its content id."""
    found = db.execute(
        "SELECT s.hash FROM near_duplicates n JOIN prompts p ON p.id = n.prompt JOIN prompts s ON s.id = n.stands"
        " WHERE n.generation = ? AND (n.source_id = ? OR p.hash = ?)",
        (generation, word, word),
    ).fetchone()
    if found is None:
        return None
    named = near_duplicates(db, generation, PromptId(found[0]))
    return next(one for one in named if word in (one.prompt.id, one.prompt.source_id))
