"""How the ledger takes an input in: equal prompts become one, and each run's reading is a generation of its own.

All functions work inside the caller's transaction. Called by book.py.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence

from pairsmith.ledger.rows import Collected, prompt_bytes, prompt_of
from pairsmith.records import Prompt, PromptId


def begin(db: sqlite3.Connection) -> int:
    """Start a generation; incomplete ones of runs that were killed go, the last complete one stays."""
    db.execute("DELETE FROM inputs WHERE generation NOT IN (SELECT id FROM generations WHERE complete)")
    db.execute("DELETE FROM generations WHERE NOT complete")
    cursor = db.execute("INSERT INTO generations (id) SELECT coalesce(max(id), 0) + 1 FROM generations")
    return cursor.lastrowid or 0


def complete(db: sqlite3.Connection, generation: int, duplicates: int, skipped: int, excluded: int) -> None:
    """The generation was read to its end; those before it go."""
    db.execute("DELETE FROM facts WHERE key LIKE 'excluded %'")
    leave_out(db, generation, (), excluded)
    values = (duplicates, skipped, generation)
    db.execute("UPDATE generations SET complete = 1, duplicates = ?, skipped = ? WHERE id = ?", values)
    db.execute("DELETE FROM inputs WHERE generation <> ?", (generation,))
    db.execute("DELETE FROM generations WHERE id <> ?", (generation,))


def leave_out(db: sqlite3.Connection, generation: int, prompts: Collection[PromptId], rows: int) -> None:
    """These prompts leave the generation, and so many rows more are counted as excluded from it."""
    for ident in prompts:
        sql = "DELETE FROM inputs WHERE generation = ? AND prompt = (SELECT id FROM prompts WHERE hash = ?)"
        db.execute(sql, (generation, ident))
    sql = "INSERT INTO facts VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = value + excluded.value"
    db.execute(sql, (excluded_key(generation), rows))


def excluded_key(generation: int) -> str:
    """The fact that says how many rows were left out of a generation."""
    return f"excluded {generation}"


def take(
    db: sqlite3.Connection,
    generation: int,
    prompts: Sequence[Prompt],
    unite: Callable[[Prompt, Prompt], Prompt],
    excluded: Collection[PromptId] = (),
) -> Collected:
    """Take a chunk of the input, in order, after what the generation holds already; excluded prompts are left out."""
    duplicates, left_out = 0, 0
    new: list[int] = []
    revisit: list[PromptId] = []
    clashes: list[int] = []
    ordinal = _next_ordinal(db, generation)
    for place, prompt in enumerate(prompts):
        if prompt.id in excluded:
            left_out += 1
            continue
        row, known = _store(db, generation, prompt)
        if known is not None:
            duplicates += 1
            united = unite(known, prompt)
            if (united.candidates, united.preferences) != (known.candidates, known.preferences):
                _replace(db, row, united)
                revisit.append(prompt.id)
        elif _clashes(db, generation, prompt):
            clashes.append(place)
        else:
            values = (generation, ordinal + len(new), row, prompt.source_id)
            db.execute("INSERT INTO inputs VALUES (?,?,?,?)", values)
            new.append(place)
    return Collected(len(new), duplicates, tuple(revisit), tuple(clashes), left_out, tuple(new))


def _next_ordinal(db: sqlite3.Connection, generation: int) -> int:
    sql = "SELECT coalesce(max(ordinal) + 1, 0) FROM inputs WHERE generation = ?"
    ordinal: int = db.execute(sql, (generation,)).fetchone()[0]
    return ordinal


def _clashes(db: sqlite3.Connection, generation: int, prompt: Prompt) -> bool:
    """Whether an earlier, different prompt of the input has this one's own `id`."""
    if prompt.source_id is None:
        return False
    sql = "SELECT 1 FROM inputs WHERE generation = ? AND source_id = ?"
    return db.execute(sql, (generation, prompt.source_id)).fetchone() is not None


def _store(db: sqlite3.Connection, generation: int, prompt: Prompt) -> tuple[int, Prompt | None]:
    """The row of a prompt, and what this generation already holds of it."""
    found = db.execute(
        "SELECT p.id, p.body, i.ordinal FROM prompts p LEFT JOIN inputs i ON i.prompt = p.id AND i.generation = ?"
        " WHERE p.hash = ?",
        (generation, prompt.id),
    ).fetchone()
    if found is None:
        cursor = db.execute("INSERT INTO prompts (hash, body) VALUES (?,?)", (prompt.id, prompt_bytes(prompt)))
        return cursor.lastrowid or 0, None
    row, body, ordinal = found
    if ordinal is not None:
        return row, prompt_of(prompt.id, body, ordinal)
    if body != prompt_bytes(prompt):  # of an earlier generation, with other candidates or meta
        _replace(db, row, prompt)
    return row, None


def _replace(db: sqlite3.Connection, row: int, prompt: Prompt) -> None:
    db.execute("UPDATE prompts SET body = ? WHERE id = ?", (prompt_bytes(prompt), row))
    db.execute("DELETE FROM outcomes WHERE prompt = ?", (row,))
