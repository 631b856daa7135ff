"""What became a pair in another run is left out of the input: from files and from standard input, also on a resume."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cli_runs import Project, accounted, everyday, pairsmith, serving
from pairsmith.ledger.excluded import excluded
from pairsmith.records import PromptId

FIRST, ALL = 10, 16


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A finished run over ten prompts, some of which came to no pair."""
    with serving() as server:
        project = Project(tmp_path_factory.mktemp("earlier"), server).prompts(everyday(FIRST))
        project.run("--set", "sample.completions=2")
        yield project


@pytest.fixture
def later(earlier: Project, tmp_path: Path) -> Project:
    """A project over these ten prompts and six more."""
    earlier.server.forget()
    return Project(tmp_path / "later", earlier.server).prompts(everyday(ALL))


def paired(project: Project) -> set[str]:
    return {proof["id"] for proof in project.proofs}


def taken(project: Project) -> list[str]:
    rows = project.sql("SELECT p.body FROM inputs i JOIN prompts p ON p.id = i.prompt ORDER BY i.ordinal")
    return [json.loads(body)["id"] for (body,) in rows]


def bytes_of(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_pairs_of_the_other_run_are_left_out_and_counted_and_nothing_is_asked_about_them(
    later: Project, earlier: Project
) -> None:
    pairs = paired(earlier)
    assert 0 < len(pairs) < FIRST

    said = later.run("--exclude", earlier.run_dir)

    assert (said["prompts"], said["excluded"]) == (ALL - len(pairs), len(pairs))
    assert accounted(said) == said["prompts"]
    assert taken(later) == [row["id"] for row in everyday(ALL) if row["id"] not in pairs]
    assert said["calls"]["student"] == 4 * said["prompts"]


def test_the_other_folder_is_only_read(later: Project, earlier: Project) -> None:
    before = bytes_of(earlier.run_dir)

    later.run("--exclude", earlier.run_dir)

    assert bytes_of(earlier.run_dir) == before


def test_a_resume_leaves_the_same_out_whichever_way_it_is_asked_for(later: Project, earlier: Project) -> None:
    said = later.run("--exclude", earlier.run_dir)
    calls = later.server.calls

    again = pairsmith("run", later.run_dir, "--json", "--quiet").json

    assert (again["prompts"], again["excluded"]) == (said["prompts"], said["excluded"])
    assert later.server.calls == calls
    assert pairsmith("status", later.run_dir, "--json").json["excluded"] == said["excluded"]


def test_people_are_told(later: Project, earlier: Project) -> None:
    ran = pairsmith("run", later.recipe, "--run-dir", later.run_dir, "--quiet", "--exclude", earlier.run_dir)

    pairs = len(paired(earlier))
    assert f"{ALL - pairs} prompts (besides {pairs} excluded)" in ran.out


def test_a_recipe_names_folders_from_its_own_and_a_flag_adds_to_them(
    later: Project, earlier: Project, tmp_path: Path
) -> None:
    shutil.copytree(earlier.run_dir, later.folder / "round-1")
    later.save(prompts={"path": "prompts.jsonl", "exclude": "round-1"})
    second = Project(tmp_path / "second", later.server).prompts(everyday(3, start=FIRST))
    second.run()

    said = later.run("--exclude", second.run_dir)

    assert said["excluded"] == len(paired(earlier) | paired(second))
    assert f'"{later.folder}/round-1"' in (later.run_dir / "recipe.toml").read_text("utf-8")


def test_a_limit_counts_what_is_left(later: Project, earlier: Project) -> None:
    said = later.run("--exclude", earlier.run_dir, "--limit", 7)

    left = [row["id"] for row in everyday(ALL) if row["id"] not in paired(earlier)]
    assert said["prompts"] == 7
    assert taken(later) == left[:7]


def test_it_is_the_recipe_of_the_last_run_that_says_what_became_a_pair(later: Project, earlier: Project) -> None:
    folder = shutil.copytree(earlier.run_dir, later.folder / "strict")
    pairsmith("run", folder, "--set", "pair.min_gap=9", "--set", "pair.verify_gap=9", "--quiet")

    said = later.run("--exclude", folder)

    assert said["excluded"] == 0


def test_from_standard_input_it_holds_on_a_resume_and_more_can_be_left_out_then(
    later: Project, earlier: Project, tmp_path: Path
) -> None:
    rows = "".join(json.dumps(row) + "\n" for row in everyday(ALL)).encode()
    words = [*later.words("--prompts", "-", "--exclude", earlier.run_dir)]
    second = Project(tmp_path / "second", later.server).prompts(everyday(3, start=FIRST))
    second.run()
    more = paired(second) - paired(earlier)

    said = pairsmith(*words, stdin=rows).json
    again = pairsmith("run", later.run_dir, "--json", "--quiet").json
    less = pairsmith("run", later.run_dir, "--json", "--quiet", "--exclude", second.run_dir).json

    assert said["excluded"] == again["excluded"] == len(paired(earlier))
    assert (less["excluded"], less["prompts"]) == (said["excluded"] + len(more), said["prompts"] - len(more))
    assert accounted(less) == less["prompts"]
    assert less["calls"] == again["calls"] == {}


# --- mistakes ---------------------------------------------------------------------------------------


def test_a_folder_that_is_no_run_is_refused_before_anything_is_asked(later: Project, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "ledger.sqlite3").write_bytes(b"no database" * 100)

    for name, said in [("nowhere", "it is no run folder"), ("empty", "it is no run folder"), ("other", "ledger")]:
        assert said in later.fails("--exclude", tmp_path / name)
    assert later.server.calls == 0


def test_a_run_does_not_exclude_itself(later: Project) -> None:
    later.run("--limit", 1)

    assert "it is this run's own folder" in later.fails("--exclude", later.run_dir)


def test_where_nothing_is_left_that_is_said(later: Project, earlier: Project) -> None:
    pairs = paired(earlier)
    later.prompts(row for row in everyday(FIRST) if row["id"] in pairs)

    assert "all prompts in it became pairs in the runs that are excluded" in later.fails("--exclude", earlier.run_dir)


# --- many -------------------------------------------------------------------------------------------


def test_a_hundred_thousand_excluded_prompts_cost_no_memory_and_hardly_any_time(
    earlier: Project, tmp_path: Path
) -> None:
    path = tmp_path / "large" / "ledger.sqlite3"
    shutil.copytree(earlier.run_dir, path.parent)
    idents = [f"{number:032x}" for number in range(100_000)]
    with closing(sqlite3.connect(path)) as db:
        digest = db.execute("SELECT value FROM facts WHERE key = 'digest'").fetchone()[0]
        db.executemany("INSERT INTO prompts VALUES (?,?,'')", ((1000 + n, one) for n, one in enumerate(idents)))
        db.execute(
            "INSERT INTO outcomes SELECT id, ?, 'pair', NULL, 1, 4, 4, '', 1 FROM prompts WHERE id >= 1000", (digest,)
        )
        db.commit()
    out = excluded([path], tmp_path / "own")
    asked = [PromptId(one) for one in idents[:256]] + [PromptId(f"{n:032x}") for n in range(10**6, 10**6 + 256)]
    tracemalloc.start()
    began = time.process_time()

    found = out.among(asked)

    spent_s, (_, peak) = time.process_time() - began, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == set(asked[:256])
    assert peak < 1_000_000
    assert spent_s < 1.0


def test_what_is_equal_to_a_pair_of_the_other_run_is_left_out_too(later: Project, earlier: Project) -> None:
    rows = everyday(ALL)
    for row in rows:
        row |= {key: f" {row[key]}\r\n" for key in ("prompt", "instruction") if key in row}
    later.prompts(rows)
    changed = {row["id"] for row in rows if "messages" not in row} & paired(earlier)

    before = pairsmith("plan", later.recipe, "--json", "--set", f"prompts.exclude={earlier.run_dir}").json
    said = later.run("--exclude", earlier.run_dir)

    assert changed
    assert said["excluded"] == len(paired(earlier))
    assert before["prompts"] == said["prompts"]
