"""What plan reads from a ledger, and that reading it leaves no trace."""

from __future__ import annotations

import pytest

from cli_runs import Project
from pairsmith.ledger import Ledger, open_ledger
from pairsmith.records import Endpoint, EndpointName, Purpose

JUDGE = Endpoint(EndpointName("judge"), "m", ("http://one/v1",), "judge m")
MOVED = Endpoint(EndpointName("judge"), "m", ("http://two/v1",), "judge m")


@pytest.fixture
def ledger(project: Project) -> Ledger:
    project.run_dir.mkdir()
    return open_ledger(project.run_dir / "ledger.sqlite3", lambda: 1.0, create=True)


def test_an_endpoint_goes_by_the_identity_that_a_run_would_give_it(ledger: Ledger) -> None:
    assert ledger.known_as(JUDGE) == ledger.identify(JUDGE, same=False, new=False)
    assert ledger.identify(MOVED, same=False, new=True) == ledger.known_as(MOVED) == "judge m #2"
    assert ledger.known_as(JUDGE) == "judge m"
    ledger.close_now()


def test_asking_for_an_identity_writes_nothing(ledger: Ledger, project: Project) -> None:
    ledger.known_as(JUDGE)
    ledger.close_now()

    assert project.sql("SELECT * FROM endpoints") == []


def test_what_was_spent_by_endpoint_and_purpose_adds_up_to_the_whole(project: Project) -> None:
    project.run()
    ledger = open_ledger(project.run_dir / "ledger.sqlite3", lambda: 1.0, create=False)

    by_purpose, whole, digest = ledger.spent_on(), ledger.spent(), ledger.fact("digest") or ""
    finished, reached = ledger.finished(digest), ledger.counts(digest).prompts
    ledger.close_now()

    assert by_purpose.keys() >= {("student", Purpose.SAMPLE), ("judge", Purpose.SCORE)}
    assert sum(one.calls for one in by_purpose.values()) == whole.calls
    assert sum(one.input_tokens for one in by_purpose.values()) == whole.input_tokens
    assert all(one.cost_usd is None for one in by_purpose.values())
    assert len(finished) == reached == 12
