"""Reviews: what people said is kept in the ledger, and ledgers from before there were any go on."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from pairsmith.cli.anchored import from_reviews
from pairsmith.errors import InputError, LedgerError
from pairsmith.folder import RunFolder
from pairsmith.ledger import Ledger, Opinion, Said, open_ledger, schema
from pairsmith.ledger.schema import SCHEMA, VERSION
from pairsmith.records import Candidate, CompletionId, Prompt, candidate_id, prompt_id

MESSAGES = ({"role": "user", "content": "Is 91 a prime?"},)
IDENT = prompt_id(MESSAGES, (), None, None)
NO, YES, MAYBE = (candidate_id(IDENT, text) for text in ("no", "yes", "maybe"))
PROMPT = Prompt(
    IDENT, MESSAGES, meta={"family": "reasoning"}, candidates=(Candidate("no"), Candidate("yes"), Candidate("maybe"))
)
Told = tuple[CompletionId, CompletionId, CompletionId | None]


def ledger_in(folder: Path) -> Ledger:
    return open_ledger(RunFolder(folder).ledger, lambda: 7.0, create=True)


@contextmanager
def opened(folder: Path) -> Iterator[Ledger]:
    ledger = ledger_in(folder)
    try:
        yield ledger
    finally:
        ledger.close_now()


def reviewed(folder: Path, said: Sequence[Told], prompt: Prompt = PROMPT) -> Path:
    """A run folder with one prompt, and what people said of its answers."""

    async def story() -> None:
        ledger = ledger_in(folder)
        await ledger.new_generation()
        await ledger.add_prompts([prompt], lambda one, _: one)
        await ledger.input_complete(0, 0)
        for person, (first, second, preferred) in enumerate(said):
            verdict = Said.TIE if preferred is None else Said.PREFERRED
            await ledger.review([Opinion(prompt.id, first, second, verdict, preferred, f"person {person}")])
        await ledger.close()

    asyncio.run(story())
    return folder


def old_ledger(folder: Path) -> None:
    """As version 1 made it, with something in it."""
    with closing(sqlite3.connect(RunFolder(folder).ledger, isolation_level=None)) as db:
        db.executescript(f"BEGIN; {SCHEMA} INSERT INTO meta VALUES ('version', '1'); COMMIT;")
        db.execute("INSERT INTO facts VALUES ('digest', 'd')")


def version(folder: Path) -> str:
    with closing(sqlite3.connect(RunFolder(folder).ledger)) as db:
        found: str = db.execute("SELECT value FROM meta WHERE key = 'version'").fetchone()[0]
        return found


# --- the table -------------------------------------------------------------------------------------


def test_reviews_come_back_as_they_were_said_in_their_order(tmp_path: Path) -> None:
    reviewed(tmp_path, [(NO, YES, NO), (YES, MAYBE, None)])
    with opened(tmp_path) as ledger:
        one, other = ledger.reviews()

    assert (one.prompt.id, one.first, one.second, one.preferred, one.reviewer, one.at) == (
        IDENT, NO, YES, NO, "person 0", 7.0,
    )  # fmt: skip
    assert other.preferred is None


def test_an_old_ledger_is_brought_up_when_it_is_opened_and_loses_nothing(tmp_path: Path) -> None:
    old_ledger(tmp_path)
    with opened(tmp_path) as ledger:
        assert ledger.fact("digest") == "d"
        assert ledger.reviews() == []

    assert version(tmp_path) == str(VERSION)


def test_opening_it_a_second_time_changes_nothing(tmp_path: Path) -> None:
    old_ledger(tmp_path)
    ledger_in(tmp_path).close_now()
    reviewed(tmp_path, [(NO, YES, NO)])

    with opened(tmp_path) as ledger:
        assert len(ledger.reviews()) == 1


def test_an_upgrade_that_breaks_off_leaves_the_old_ledger_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_ledger(tmp_path)
    with monkeypatch.context() as broken, pytest.raises(LedgerError, match="cannot be read as a ledger"):
        broken.setattr(schema, "MIGRATIONS", {**schema.MIGRATIONS, 2: f"{schema.REVIEWS} CREATE TABLE facts (x);"})
        ledger_in(tmp_path)

    assert version(tmp_path) == "1"
    ledger_in(tmp_path).close_now()
    assert version(tmp_path) == str(VERSION)


def test_two_that_open_an_old_ledger_at_once_both_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old_ledger(tmp_path)
    migrate = schema._migrate

    def beaten(db: sqlite3.Connection, found: int) -> None:
        with closing(schema.connect(RunFolder(tmp_path).ledger)) as other:
            migrate(other, found)
        migrate(db, found)

    with monkeypatch.context() as racing:
        racing.setattr(schema, "_migrate", beaten)
        ledger_in(tmp_path).close_now()

    assert version(tmp_path) == str(VERSION)


# --- as anchors ------------------------------------------------------------------------------------


def test_what_people_prefer_is_the_good_answer_of_a_plain_anchor(tmp_path: Path) -> None:
    chosen = from_reviews(reviewed(tmp_path, [(YES, NO, NO)]))
    (anchor,) = chosen.anchors

    assert (anchor.good.text, anchor.bad.text, anchor.kind, anchor.family) == ("no", "yes", "plain", "reasoning")
    assert (chosen.about.source, chosen.about.n) == ("reviews", 1)


def test_ties_and_contradictions_are_left_out_and_counted(tmp_path: Path) -> None:
    said: list[Told] = [(YES, NO, NO), (NO, YES, NO), (YES, MAYBE, MAYBE), (MAYBE, YES, YES), (NO, MAYBE, None)]
    chosen = from_reviews(reviewed(tmp_path, said))

    assert [(anchor.good.text, anchor.bad.text) for anchor in chosen.anchors] == [("no", "yes")]
    assert chosen.left_out == {"ties": 1, "contradicting reviews": 1}


def test_what_one_of_several_prefers_is_no_anchor_where_the_others_prefer_neither(tmp_path: Path) -> None:
    said: list[Told] = [(YES, NO, NO), (YES, NO, None), (NO, YES, None), (YES, MAYBE, YES)]

    chosen = from_reviews(reviewed(tmp_path, said))

    assert [(anchor.good.text, anchor.bad.text) for anchor in chosen.anchors] == [("yes", "maybe")]
    assert chosen.left_out == {"ties": 2, "contradicting reviews": 1}


def test_a_text_that_the_ledger_has_not_is_left_out_and_counted(tmp_path: Path) -> None:
    chosen = from_reviews(reviewed(tmp_path, [(YES, NO, NO), (CompletionId("lost"), NO, NO)]))

    assert chosen.left_out == {"text not stored": 1}


def test_a_run_that_nobody_reviewed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nobody reviewed"):
        from_reviews(reviewed(tmp_path, []))
