"""`status`, `export` and `check`: from the ledger or the file alone, without a key or an endpoint."""

from __future__ import annotations

import json

import pytest

from cli_runs import Project, accounted, pairsmith, read_rows, sides, write_rows


def test_status_accounts_for_every_prompt(done: Project) -> None:
    said = pairsmith("status", done.run_dir, "--json").json

    assert said["prompts"] == 16 == accounted(said)
    assert said["total"]["calls"] > 0


def test_status_for_people_says_that_nothing_is_left(done: Project) -> None:
    ran = pairsmith("status", done.run_dir)

    assert ran.code == 0
    assert "16 prompts" in ran.out
    assert "nothing is left to do" in ran.out


def test_status_takes_a_recipe_too(done: Project) -> None:
    ran = pairsmith("status", done.recipe, "--run-dir", done.run_dir, "--json")

    assert ran.json["prompts"] == 16


def test_status_changes_nothing_in_the_folder(done: Project) -> None:
    before = {path.name: path.read_bytes() for path in done.run_dir.iterdir()}
    pairsmith("status", done.run_dir)

    assert {path.name: path.read_bytes() for path in done.run_dir.iterdir() if path.name in before} == before


def test_exporting_again_gives_the_same_bytes(done: Project) -> None:
    out = done.folder / "again.jsonl"
    pairsmith("export", done.run_dir, "-o", out)

    assert (out.read_bytes(), (done.folder / "again.provenance.jsonl").read_bytes()) == done.dataset


@pytest.mark.parametrize("target", ["openai", "azure", "together", "trl"])
def test_every_target_gets_the_same_pairs_and_its_own_check_finds_nothing(done: Project, target: str) -> None:
    out = done.folder / f"{target}.jsonl"
    exported = pairsmith("export", done.run_dir, "--target", target, "-o", out, "--json")
    checked = pairsmith("check", out, "--target", target, "--json")

    assert exported.json["rows"] == len(done.pairs)
    assert (checked.code, checked.json["errors"]) == (0, 0)
    if target == "trl":
        rows = read_rows(out)
        assert [(row["chosen"][0]["content"], row["rejected"][0]["content"]) for row in rows] == [
            sides(row) for row in done.pairs
        ]


def test_a_target_without_a_file_goes_into_the_run_folder_under_its_name(done: Project) -> None:
    pairsmith("export", done.run_dir, "--target", "trl")

    assert len(read_rows(done.run_dir / "pairs.trl.jsonl")) == len(done.pairs)


def test_the_persona_of_the_samples_can_be_kept(done: Project) -> None:
    out = done.folder / "kept.jsonl"
    pairsmith("export", done.run_dir, "--system", "keep", "-o", out)

    assert all(row["input"]["messages"][0]["role"] == "system" for row in read_rows(out))


def test_fireworks_leaves_rows_of_several_turns_out_with_a_counted_reason(done: Project) -> None:
    ran = pairsmith("export", done.run_dir, "--target", "fireworks", "-o", done.folder / "f.jsonl", "--json")
    several = sum(len([m for m in row["input"]["messages"] if m["role"] != "system"]) > 1 for row in done.pairs)

    assert ran.json["rows"] == len(done.pairs) - several
    assert ran.json["left_out"] == ({"turns": several} if several else {})


def test_check_names_line_field_and_remedy_and_exits_1(done: Project) -> None:
    rows = done.pairs
    rows[2]["non_preferred_output"] = rows[2]["preferred_output"]
    rows[4]["preferred_output"][0]["content"] = ""
    path = write_rows(done.folder / "spoilt.jsonl", rows)

    ran = pairsmith("check", path)

    assert ran.code == 1
    assert "line 3: " in ran.out
    assert "line 5: " in ran.out
    assert "problems" in ran.out.splitlines()[-1]


def test_check_for_programs_lists_every_problem(done: Project) -> None:
    path = done.folder / "spoilt.jsonl"
    path.write_text("not json\n" * 70)

    said = pairsmith("check", path, "--json").json

    assert said["rows"] == 70
    assert len([problem for problem in said["problems"] if problem["rule"] == "json"]) == 70
    assert said["by_rule"]["json"] == 70


def test_check_for_people_shows_50_problems_unless_told_to_show_all(done: Project) -> None:
    path = done.folder / "spoilt.jsonl"
    path.write_text("not json\n" * 70)

    assert "more (--all prints them)" in pairsmith("check", path).out
    assert pairsmith("check", path, "--all").out.count("is not JSON") == 70


def test_check_takes_warnings_as_no_failure(done: Project) -> None:
    path = done.folder / "one.jsonl"
    path.write_bytes(json.dumps(done.pairs[0]).encode())

    ran = pairsmith("check", path, "--target", "together")

    assert ran.code == 0
    assert "warning" in ran.out
