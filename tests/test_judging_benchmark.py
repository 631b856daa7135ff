"""The benchmark of judging protocols runs, and its truth is what it says."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def judging(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("judging")


@pytest.fixture
def protocols(judging: ModuleType) -> ModuleType:
    return importlib.import_module("protocols")


def test_every_protocol_comes_to_pairs_and_the_truth_is_always_right(judging: ModuleType) -> None:
    ((_, table),) = judging.tables(5, 1, ["easy"])

    assert all(tally.prompts == 5 and tally.pairs for tally in table.values())
    assert table["control: the truth"].order == 1.0


def test_failed_calls_give_no_pair(protocols: ModuleType) -> None:
    silent = dataclasses.replace(protocols.regimes()["easy"], failing=1.0)

    table = protocols.tabulate(silent, 3, 1, {"rank": protocols.PROTOCOLS["rank"]})

    assert table["rank"].calls and not table["rank"].pairs


def test_what_is_wanted_is_told_of_the_regimes_that_are_there(judging: ModuleType) -> None:
    found = dict(judging.tables(3, 1, ["on-policy 0.8"]))

    figures = list(judging.wanted(found))

    assert figures[0].wanted == "25; 71; 77"
