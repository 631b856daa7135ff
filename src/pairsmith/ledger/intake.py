"""How the ledger takes an input in: equal prompts become one, and each run's reading is a generation of its own.

All functions work inside the caller's transaction. Called by book.py.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Sequence

from pairsmith.ledger import left_out
from pairsmith.ledger.rows import Collected, prompt_bytes, prompt_of
from pairsmith.records import Prompt, PromptId


def begin(db: sqlite3.Connection) -> int:
    """Start a generation; incomplete ones of runs that were killed go, the last complete one stays."""
    db.execute("DELETE FROM inputs WHERE generation NOT IN (SELECT id FROM generations WHERE complete)")
    db.execute("DELETE FROM generations WHERE NOT complete")
    left_out.forget(db)
    cursor = db.execute("INSERT INTO generations (id) SELECT coalesce(max(id), 0) + 1 FROM generations")
    return cursor.lastrowid or 0


def complete(db: sqlite3.Connection, generation: int, duplicates: int, skipped: int, excluded: int) -> None:
    """The generation was read to its end; those before it go."""
    db.execute("DELETE FROM facts WHERE key LIKE 'excluded %'")
    leave_excluded(db, generation, (), excluded)
    values = (duplicates, skipped, generation)
    db.execute("UPDATE generations SET complete = 1, duplicates = ?, skipped = ? WHERE id = ?", values)
    db.execute("DELETE FROM inputs WHERE generation <> ?", (generation,))
    db.execute("DELETE FROM generations WHERE id <> ?", (generation,))
    left_out.forget(db)


def leave_excluded(db: sqlite3.Connection, generation: int, prompts: Collection[PromptId], rows: int) -> None:
    """These prompts leave the generation, and so many rows more are counted as excluded from it."""
    remove(db, generation, prompts)
    sql = "INSERT INTO facts VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = value + excluded.value"
    db.execute(sql, (excluded_key(generation), rows))


def remove(db: sqlite3.Connection, generation: int, prompts: Collection[PromptId]) -> None:
    """These prompts leave the generation."""
    for ident in prompts:
        sql = "DELETE FROM inputs WHERE generation = ? AND prompt = (SELECT id FROM prompts WHERE hash = ?)"
        db.execute(sql, (generation, ident))


def excluded_key(generation: int) -> str:
    """The fact that says how many rows were left out of a generation."""
    return f"excluded {generation}"


def take(
    db: sqlite3.Connection,
    generation: int,
    prompts: Sequence[Prompt],
    unite: Callable[[Prompt, Prompt], Prompt],
    excluded: Collection[PromptId] = (),
    equal_id: Callable[[Prompt], str] | None = None,
) -> Collected:
    """Take a chunk of the input, in order, after what the generation holds already; excluded prompts are left out.

    Those with the same `equal_id` become one, at the first one's place and under its id; None: those with the same id.
    """
    duplicates, out = 0, 0
    new: list[int] = []
    revisit: list[PromptId] = []
    clashes: list[int] = []
    ordinal = _next_ordinal(db, generation)
    for place, prompt in enumerate(prompts):
        if prompt.id in excluded:
            out += 1
            continue
        equal = equal_id(prompt) if equal_id else None
        row, known = _equal(db, generation, equal) or _store(db, generation, prompt)
        if known is not None:
            duplicates += 1
            united = unite(known, prompt)
            if (united.candidates, united.preferences) != (known.candidates, known.preferences):
                _replace(db, row, united)
                revisit.append(known.id)
        elif _clashes(db, generation, prompt):
            clashes.append(place)
        else:
            values = (generation, ordinal + len(new), row, prompt.source_id, equal)
            db.execute("INSERT INTO inputs VALUES (?,?,?,?,?)", values)
            new.append(place)
    return Collected(len(new), duplicates, tuple(revisit), tuple(clashes), out, tuple(new))


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


def _equal(db: sqlite3.Connection, generation: int, equal: str | None) -> tuple[int, Prompt] | None:
    """The row of the prompt that this generation holds of all that are equal, and what it holds of it."""
    if equal is None:
        return None
    found = db.execute(
        "SELECT p.id, p.hash, p.body, i.ordinal FROM inputs i INDEXED BY inputs_equal JOIN prompts p ON p.id = i.prompt"
        " WHERE i.generation = ? AND i.equal = ?",  # SQLite would go by the generation alone
        (generation, equal),
    ).fetchone()
    return (found[0], prompt_of(PromptId(found[1]), found[2], found[3])) if found else None


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
