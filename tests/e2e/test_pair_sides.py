"""Pairs of two models: who is on which side, what a change of that costs, and which names are known."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli_runs import Project, accounted, bought, everyday, read_rows, right_share, serving

PROMPTS = 16


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Two completions each of a weak model and of a strong one, any of which may be a side."""
    with serving() as server:
        project = Project(tmp_path_factory.mktemp("finished"), server).prompts(everyday(PROMPTS))
        models = {"student": "sim-weak", "teacher": "sim-strong", "judge": "sim-judge"}
        endpoints = {name: {"model": model, "base_url": server.url} for name, model in models.items()}
        sample = {"endpoints": ["student", "teacher"], "completions": 4, "temperature": [0.8, 1.2]}
        project.save(endpoints=endpoints, sample=sample)
        project.run()
        yield project


@pytest.fixture
def done(finished: Project, tmp_path: Path) -> Project:
    shutil.copytree(finished.folder, tmp_path, dirs_exist_ok=True)
    finished.server.forget()
    return Project(tmp_path, finished.server)


@pytest.fixture(autouse=True)
def as_finished(done: Project, finished: Project) -> None:
    done.save(**finished.table)


def models(proof: dict[str, Any]) -> tuple[str, str]:
    return proof["chosen"]["model"], proof["rejected"]["model"]


@pytest.mark.parametrize(
    ("written", "allowed"),
    [
        ("one-from:student", {("sim-weak", "sim-weak"), ("sim-weak", "sim-strong"), ("sim-strong", "sim-weak")}),
        ("chosen-from:teacher, rejected-from:student", {("sim-strong", "sim-weak")}),
        ("chosen-from:student", {("sim-weak", "sim-weak"), ("sim-weak", "sim-strong")}),
    ],
)
def test_every_pair_obeys_and_only_duels_are_asked(done: Project, written: str, allowed: set[tuple[str, str]]) -> None:
    before = done.sql("SELECT max(id) FROM attempts")[0][0]

    said = done.run("--set", f'pair.sides="{written}"')

    found = {models(proof) for proof in done.proofs}
    assert found
    assert found <= allowed
    assert accounted(said) == PROMPTS
    assert bought(said, "student") + bought(said, "teacher") == 0
    assert done.sql(f"SELECT DISTINCT purpose FROM attempts WHERE id > {before}") in ([], [("duel",)])
    assert right_share(done.server, done.pairs) > 0.9


def test_what_the_sides_cost_is_counted_and_going_back_costs_nothing(done: Project) -> None:
    before = read_rows(done.run_dir / "pairs.jsonl")

    said = done.run("--set", "pair.sides=chosen-from:student,rejected-from:teacher")
    calls = done.server.calls
    done.run("--set", "pair.sides=any")

    assert said["abstained"]["sides_missing"] > 0
    assert done.server.calls == calls
    assert done.pairs == before


def test_an_arm_is_a_side_too(done: Project) -> None:
    done.run("--set", "pair.sides=rejected-from:T1.2 student|T1.2 teacher")

    assert {proof["rejected"]["arm"] for proof in done.proofs} <= {"T1.2 student", "T1.2 teacher"}


@pytest.mark.parametrize("name", ["judge", "nobody", "T9"])
def test_a_name_that_gives_no_answers_is_refused_with_those_that_do(done: Project, name: str) -> None:
    sentence = done.fails("--set", f"pair.sides=one-from:{name}")

    assert sentence == (
        f"[pair] sides names '{name}', which gives no answers: take one of student, teacher, "
        "T0.8 student, T0.8 teacher, T1.2 student, T1.2 teacher, given"
    )
    assert done.server.calls == 0


@pytest.mark.parametrize("protocol", ["rank", "duel"])
def test_protocols_without_points_take_no_sides(done: Project, protocol: str) -> None:
    sentence = done.fails("--set", "pair.sides=one-from:student", "--set", f"judge.protocol={protocol}")

    assert sentence.endswith("compares them all at once: use protocol = score, or leave sides out")
    assert done.server.calls == 0
