"""Whole files, good ones and bad ones: what `check` finds in each is what expected.json says, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from pairsmith.export.check import Options, check

CORPUS = Path(__file__).parent / "corpus"
EXPECTED: dict[str, Any] = json.loads((CORPUS / "expected.json").read_text())


def test_every_file_of_the_corpus_is_expected_to_be_something() -> None:
    assert {path.name for path in CORPUS.glob("*.jsonl")} == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_has_the_errors_that_it_was_made_with(name: str) -> None:
    with (CORPUS / name).open("rb") as stream:
        problems = list(check(stream, EXPECTED[name]["target"], options=Options(name)))

    errors = [[problem.line, problem.rule] for problem in problems if problem.severity == "error"]
    assert sorted(errors) == sorted(EXPECTED[name]["errors"])
    assert ("good" in name) == (not errors)
