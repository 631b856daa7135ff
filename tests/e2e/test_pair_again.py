"""Pairing again from the ledger alone: the same pairs as a run, no call, and several ways side by side."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli_runs import Project, Ran, everyday, pairsmith, read_rows, serving
from judged_runs import judging, planted

PROMPTS = 24


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Every close call was compared, so that any gate between the two has its evidence."""
    with serving() as server:
        project = Project(tmp_path_factory.mktemp("paired"), server).prompts(everyday(PROMPTS))
        project.save(pair={"min_gap": 4.0, "verify_gap": 0.5, "chosen_floor": 1.0})
        project.run()
        yield project


@pytest.fixture
def done(finished: Project, tmp_path: Path) -> Project:
    shutil.copytree(finished.folder, tmp_path, dirs_exist_ok=True)
    finished.server.forget()
    project = Project(tmp_path, finished.server)
    project.save(**finished.table)
    return project


def again(project: Project, *words: object) -> Ran:
    return pairsmith("pair", project.run_dir, "-o", project.folder / "again.jsonl", *words)


def files(path: Path) -> tuple[bytes, bytes]:
    return path.read_bytes(), path.with_name(f"{path.stem}.provenance.jsonl").read_bytes()


def proofs(path: Path) -> list[dict[str, Any]]:
    """But for the verdicts: a run looks at no more of them than it needs."""
    return [{key: value for key, value in row.items() if key != "verdicts"} for row in read_rows(path)]


def pairs_of(proofs: Path) -> dict[str, tuple[str, str]]:
    return {row["prompt_id"]: (row["chosen"]["completion"], row["rejected"]["completion"]) for row in read_rows(proofs)}


def test_under_its_own_table_a_run_is_paired_into_the_same_bytes(done: Project) -> None:
    ran = again(done)

    assert ran.code == 0
    assert files(done.folder / "again.jsonl") == files(done.run_dir / "pairs.jsonl")


@pytest.mark.parametrize(
    "changes",
    [("pair.min_gap=2",), ("pair.min_gap=3", "pair.verify_gap=3"), ("pair.chosen_floor=8",), ("pair.verify_gap=2",)],
    ids=" ".join,
)
def test_another_table_gives_the_pairs_that_a_run_with_it_gives(done: Project, changes: tuple[str, ...]) -> None:
    flags = [word for change in changes for word in ("--set", change)]

    paired = again(done, *flags, "--json").json
    ran = done.run(*flags)

    assert not any(ran["calls"].values())
    assert (done.folder / "again.jsonl").read_bytes() == (done.run_dir / "pairs.jsonl").read_bytes()
    assert proofs(done.folder / "again.provenance.jsonl") == proofs(done.run_dir / "pairs.provenance.jsonl")
    assert (paired["pairs"], paired["abstained"]) == (ran["pairs"], ran["abstained"])


def test_no_endpoint_is_asked_and_no_key_is_needed(done: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    stored = (done.run_dir / "recipe.toml").read_text("utf-8")
    (done.run_dir / "recipe.toml").write_text(
        stored.replace("[endpoints.judge]", '[endpoints.judge]\napi_key_env = "NO"')
    )
    (done.folder / "prompts.jsonl").unlink()

    ran = again(done, "--strategy", "hardest")

    assert ran.code == 0
    assert done.server.calls == 0


def test_a_close_call_that_nobody_compared_is_no_pair_and_is_said(done: Project) -> None:
    ran = again(done, "--set", "pair.min_gap=8", "--json")

    assert ran.json["abstained"]["not_compared"] > 0
    assert "were never compared" in ran.err


def test_prompts_are_conserved_whatever_the_table(done: Project) -> None:
    said = again(done, "--strategy", "all-gaps", "--set", "pair.min_gap=1", "--json").json

    assert said["prompts"] == said["settled"] + sum(said["abstained"].values()) + sum(said["failed"].values())
    assert said["rows"] == said["pairs"] > said["settled"]


def test_the_stored_outcomes_stay_as_they_were(done: Project) -> None:
    before = done.sql("SELECT prompt, digest, kind, body FROM outcomes ORDER BY prompt")

    again(done, "--set", "pair.min_gap=1")

    assert done.sql("SELECT prompt, digest, kind, body FROM outcomes ORDER BY prompt") == before


def test_the_recipe_that_is_named_brings_its_own_pair_table(done: Project) -> None:
    done.save(pair={"min_gap": 6.0, "verify_gap": 6.0, "chosen_floor": 1.0})

    said = pairsmith("pair", done.recipe, "--run-dir", done.run_dir, "-o", done.folder / "x.jsonl", "--json").json

    assert said["mean_gap"] >= 6.0


# --- side by side -----------------------------------------------------------------------------------


@pytest.fixture
def compared(done: Project) -> Any:
    ran = pairsmith(
        "pair", done.run_dir, "--json", "--compare", "best-worst,min_gap=3,verify_gap=3", "--compare", "best-random"
    )
    return ran.json


def test_each_line_of_the_comparison_is_what_pair_would_write(done: Project, compared: Any) -> None:
    for way, flags in zip(
        compared["ways"],
        [(), ("--set", "pair.min_gap=3", "--set", "pair.verify_gap=3"), ("--strategy", "best-random")],
        strict=True,
    ):
        alone = again(done, *flags, "--json").json

        assert {key: alone[key] for key in way if key != "name"} == {key: way[key] for key in way if key != "name"}


def test_pairs_that_differ_are_counted_between_any_two_lines(done: Project, compared: Any) -> None:
    again(done)
    own = pairs_of(done.folder / "again.provenance.jsonl")
    again(done, "--strategy", "best-random")
    random = pairs_of(done.folder / "again.provenance.jsonl")

    differing = sum(own.get(prompt) != random.get(prompt) for prompt in own.keys() | random.keys())

    assert compared["differ"][0][2] == compared["differ"][2][0] == differing
    assert [compared["differ"][place][place] for place in range(3)] == [0, 0, 0]


def test_the_comparison_is_a_table_that_writes_nothing(done: Project) -> None:
    before = {path: path.stat().st_mtime_ns for path in done.run_dir.iterdir() if path.suffix == ".jsonl"}

    ran = pairsmith("pair", done.run_dir, "--compare", "best-worst, min_gap=3")

    assert "best-worst, min_gap=3" in ran.out
    assert {path: path.stat().st_mtime_ns for path in done.run_dir.iterdir() if path.suffix == ".jsonl"} == before


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ("", "says nothing"),
        ("best-best", "best-best"),
        ("min_gap=3,min_gap=2", "twice"),
        ("min_gpa=3", "did you mean min_gap"),
        ("min_gap=wide", "min_gap"),
    ],
)
def test_what_cannot_be_compared_is_said_in_a_sentence(done: Project, spec: str, told: str) -> None:
    ran = pairsmith("pair", done.run_dir, "--compare", spec)

    assert ran.code == 2
    assert told in ran.err


# --- other ways of judging ------------------------------------------------------------------------------


def same_again(project: Project, *flags: str) -> None:
    """A run, then pairing again: the same pairs, the same account, and a file that is proven."""
    said = project.run(*flags)
    paired = again(project, *flags, "--json").json

    assert (project.folder / "again.jsonl").read_bytes() == (project.run_dir / "pairs.jsonl").read_bytes()
    assert (paired["pairs"], paired["abstained"]) == (said["pairs"], said["abstained"])
    assert pairsmith("audit", project.run_dir, project.run_dir / "pairs.jsonl").code == 0


@pytest.mark.parametrize(
    ("answers", "judge"),
    [
        (2, {"protocol": "duel"}),
        (3, {"protocol": "duel"}),
        (3, {"protocol": "rank"}),
        (2, {"protocol": "rank", "rank_conflict": "duel"}),
    ],
    ids=str,
)
def test_rankings_and_tournaments_of_two_judges_pair_into_the_same(
    tmp_path: Path, answers: int, judge: dict[str, Any]
) -> None:
    with serving() as server:
        same_again(judging(tmp_path, server, planted(24, answers), ("sim-judge", "sim-judge"), **judge))


def test_verdicts_that_were_lost_stay_lost(tmp_path: Path) -> None:
    with serving(faults={"unreadable": 0.3}) as server:
        project = judging(tmp_path, server, planted(24))
        project.save(pair={"min_gap": 9.0, "verify_gap": 0.5, "chosen_floor": 1.0})
        same_again(project)


def test_completions_that_were_drawn_one_by_one_are_looked_at_one_by_one(tmp_path: Path) -> None:
    with serving() as server:
        project = Project(tmp_path, server).prompts(everyday(20))
        project.save(
            sample={**project.table["sample"], "completions": {"start": 2, "max": 5}},
            pair={"min_gap": 6.0, "verify_gap": 6.0, "chosen_floor": 1.0},
        )
        project.run()

        same_again(project, "--set", "pair.min_gap=3", "--set", "pair.verify_gap=3")
