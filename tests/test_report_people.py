"""The report's part on what people said: before anybody did, before there are enough, and then."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from types import SimpleNamespace
from typing import Any, cast

from heard_runs import GATES, planted_queue, reviewed
from pairsmith.show.agreement import Agreement, agreement
from pairsmith.show.report.drawing import Panel
from pairsmith.show.report.people import shown


def panels(people: Agreement | str | None) -> list[Panel]:
    return shown(cast(Any, SimpleNamespace(people=people)))


def said_of(count: int) -> Agreement:
    queue, right = planted_queue(Random(5), 120)
    return agreement(queue, reviewed(Random(6), queue[:count], right), GATES)


def test_where_nobody_has_reviewed_it_says_how_to() -> None:
    (one,) = panels(None)

    assert "pairsmith review RUN_DIR" in one.reading
    assert one.svg is None


def test_before_there_are_enough_verdicts_it_says_how_many_are_missing_and_draws_nothing() -> None:
    (one,) = panels(said_of(12))

    assert one.reading == "12 verdicts so far: agreement with the judges is told after 30, 18 more."
    assert one.svg is None


def test_why_it_cannot_be_told_is_told_without_what_a_terminal_would_obey() -> None:
    (one,) = panels("the tokenizer \x1b[31m is gone")

    assert one.reading == "It cannot be told: the tokenizer ␛[31m is gone."


def test_what_people_say_and_what_another_gate_would_give_is_drawn_and_stands_in_tables() -> None:
    found = said_of(60)
    people, gate = panels(found)

    assert people.svg is not None and gate.svg is not None
    assert people.table is not None and people.table.rows[0][0] == "random sample of the pairs"
    assert gate.table is not None and found.gate is not None
    assert [row[1] for row in gate.table.rows] == [f"{step.pairs:,}" for step in found.gate.steps]
    assert found.gate.advice.sentence[1:] in gate.reading


def test_reviewers_have_numbers_and_no_names_as_a_report_is_passed_on() -> None:
    queue, right = planted_queue(Random(5), 120)
    said = reviewed(Random(6), queue[:40], right)
    people, _ = panels(agreement(queue, [*said, *(replace(one, reviewer="bob") for one in said)], GATES))

    assert people.table is not None
    assert [row[0] for row in people.table.rows if "review" in row[0]] == ["reviewer 1", "reviewer 2", "reviewers 1, 2"]
    assert "bob" not in str(people)
