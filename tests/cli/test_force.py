"""A judge that failed when it was asked what is known: a run with it does not begin, but with --force."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_runs import Project, everyday, pairsmith, serving
from pairsmith.cli.simulate import book_options


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose judge was asked what is known, and failed; nothing was run."""
    with serving(book=tuple(Path(word) for word in book_options()[1::2])) as server, pytest.MonkeyPatch.context() as at:
        project = Project(tmp_path_factory.mktemp("measured"), server).prompts(everyday(12))
        at.setenv("PAIRSMITH_HOME", str(project.folder / "home"))
        endpoints = project.table["endpoints"]
        project.save(endpoints={**endpoints, "judge": {**endpoints["judge"], "model": "sim-judge-noisy"}})
        ran = pairsmith("qualify", project.recipe, "--run-dir", project.run_dir, "--quiet")
        assert ran.code == 1, ran.err
        yield project


@pytest.fixture
def disqualified(measured: Project, tmp_path: Path) -> Project:
    """The same project and home, with a server that counts from zero."""
    shutil.copytree(measured.folder, tmp_path, dirs_exist_ok=True)
    measured.server.forget()
    project = Project(tmp_path, measured.server)
    project.save(**measured.table)
    return project


@pytest.mark.parametrize("command", ["run", "judge"])
def test_a_disqualified_judge_is_refused_and_nothing_is_asked_or_written(disqualified: Project, command: str) -> None:
    ran = pairsmith(command, disqualified.recipe, "--run-dir", disqualified.run_dir, "--json", "-q")
    sentence = ran.json["error"]

    assert ran.code == 2
    assert sentence.startswith("judge judge (sim-judge-noisy) is disqualified: ")
    assert sentence.endswith("put another judge into [judge] panel, or use --force to go on all the same")
    assert ran.err == f"pairsmith: {sentence}\n"
    assert disqualified.server.calls == 0
    assert not (disqualified.run_dir / "pairs.jsonl").exists()


def test_with_force_it_runs_and_says_so(disqualified: Project) -> None:
    ran = pairsmith(*disqualified.words("--force"))

    assert ran.code == 0
    assert "going on with judge judge, which is disqualified: " in ran.err
    assert ran.json["pairs"] == len(disqualified.pairs) > 0
    assert ran.json["bias"]["qualified"] == {"judge": "disqualified"}
    assert all(proof["qualified"] == {"judge": "disqualified"} for proof in disqualified.proofs)


def test_force_holds_for_one_run_and_what_it_wrote_stays(disqualified: Project) -> None:
    disqualified.run("--force")
    before, calls = disqualified.dataset, disqualified.server.calls

    assert "--force" in disqualified.fails()
    assert disqualified.dataset == before
    assert disqualified.server.calls == calls


def test_what_one_run_folder_found_out_holds_for_all(disqualified: Project, tmp_path: Path) -> None:
    other = Project(tmp_path / "other", disqualified.server).prompts([{"prompt": "Why is the sky blue?"}])
    other.save(endpoints=disqualified.table["endpoints"])

    assert "is disqualified" in other.fails()


def test_another_model_under_the_judges_name_is_not_refused(disqualified: Project) -> None:
    ran = pairsmith(*disqualified.words("--set", "endpoints.judge.model=sim-judge"))

    assert ran.code == 0
    assert "judge judge was never asked what is known" in ran.err
    assert ran.json["bias"]["qualified"] == {"judge": None}


def test_one_disqualified_judge_of_a_ladder_is_enough(disqualified: Project) -> None:
    endpoints = disqualified.table["endpoints"]
    disqualified.save(
        endpoints={**endpoints, "good": {"model": "sim-judge", "base_url": disqualified.server.url}},
        judge={"panel": ["good", "judge"]},
    )

    assert "judge judge (sim-judge-noisy) is disqualified" in disqualified.fails()


def test_a_judge_that_was_never_asked_is_spoken_of_and_not_refused(project: Project) -> None:
    ran = pairsmith(*project.words())

    assert ran.code == 0
    assert (
        ran.err.count("judge judge was never asked what is known; to see whether to trust it: pairsmith qualify") == 1
    )
    assert ran.json["bias"]["qualified"] == {"judge": None}


def test_status_says_what_is_known_of_the_judge(disqualified: Project) -> None:
    disqualified.run("--force")

    assert "judge judge: disqualified: adversarial " in pairsmith("status", disqualified.run_dir).out


def test_looking_at_what_is_sent_needs_no_force(disqualified: Project) -> None:
    ran = pairsmith("judge", disqualified.recipe, "--run-dir", disqualified.run_dir, "--show", "support-101")

    assert ran.code == 0
    assert disqualified.server.calls == 0
