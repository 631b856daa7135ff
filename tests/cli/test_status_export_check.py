"""`status`, `export` and `check`: from the ledger or the file alone, without a key or an endpoint."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from cli_runs import Project, accounted, pairsmith, read_rows, sides, write_rows
from pairsmith.export.targets import TARGETS


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


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_gets_the_same_pairs_and_its_own_check_and_audit_find_nothing(done: Project, target: str) -> None:
    out = done.folder / f"{target}.{TARGETS[target].layout.container}"
    exported = pairsmith("export", done.run_dir, "--target", target, "-o", out, "--json")
    checked = pairsmith("check", out, "--target", target, "--json")
    audited = pairsmith("audit", done.run_dir, out, "--json")

    assert exported.code == 0, exported.err
    rows_a_pair = len(TARGETS[target].layout.sides) or 1
    left_out = sum(exported.json["left_out"].values())
    assert exported.json["rows"] == rows_a_pair * (len(done.pairs) - left_out) > 0
    assert (checked.code, checked.json["errors"], checked.json["rows"]) == (0, 0, exported.json["rows"])
    assert (audited.code, audited.json["rows_proven"]) == (0, exported.json["rows"]), audited.out


def test_the_texts_of_another_layout_are_those_of_the_first(done: Project) -> None:
    out = done.folder / "trl.jsonl"
    pairsmith("export", done.run_dir, "--target", "trl", "-o", out)

    assert [(row["chosen"][0]["content"], row["rejected"][0]["content"]) for row in read_rows(out)] == [
        sides(row) for row in done.pairs
    ]


def test_rows_of_one_pair_never_stand_beside_each_other_for_kto(done: Project) -> None:
    out = done.folder / "kto.jsonl"
    pairsmith("export", done.run_dir, "--target", "kto", "-o", out)
    prompts = [row["prompt"] for row in read_rows(out)]
    labels = [row["label"] for row in read_rows(out)]

    assert all(one != other for one, other in pairwise(prompts))
    assert labels.count(True) == labels.count(False) == len(done.pairs)


def test_a_file_of_another_kind_than_the_target_writes_is_refused(done: Project) -> None:
    ran = pairsmith("export", done.run_dir, "--target", "csv", "-o", done.folder / "pairs.jsonl")

    assert (ran.code, "target csv writes .csv, not .jsonl" in ran.err) == (2, True)


def test_a_run_whose_file_is_of_another_kind_is_refused_before_it_asks_anything(done: Project) -> None:
    ran = pairsmith(
        "run", done.recipe, "--run-dir", done.folder / "new", "--set", "export.target=csv", "--out", "x.jsonl"
    )

    assert (ran.code, "target csv writes .csv" in ran.err) == (2, True)
    assert not (done.folder / "new").exists()


def test_a_table_in_the_run_folder_leaves_the_provenance_of_the_rows_beside_it_alone(done: Project) -> None:
    before = done.dataset
    for target in ("parquet", "csv"):
        pairsmith("export", done.run_dir, "--target", target, "--limit", 3)

    assert done.dataset == before
    assert len(read_rows(done.run_dir / "pairs.parquet.provenance.jsonl")) == 3
    assert pairsmith("audit", done.run_dir, done.run_dir / "pairs.csv").code == 0


def test_llama_factory_is_told_of_the_file_beside_what_it_knew(done: Project) -> None:
    info = done.folder / "dataset_info.json"
    info.write_text('{"mine": {"file_name": "mine.json"}}')
    out = done.folder / "pairs.lf.jsonl"
    flags = ("--target", "llama-factory", "-o", out)
    pairsmith("export", done.run_dir, *flags)
    said = pairsmith("export", done.run_dir, *flags)

    entries = json.loads(info.read_text())
    assert entries.keys() == {"mine", "pairs_lf"}
    assert entries["pairs_lf"]["file_name"] == "pairs.lf.jsonl"
    assert entries["pairs_lf"]["columns"].keys() <= {"messages", *read_rows(out)[0]}
    assert "dataset_info.json: what its trainer is told of the file" in said.out


def test_axolotl_gets_its_part_of_a_config(done: Project) -> None:
    pairsmith("export", done.run_dir, "--target", "axolotl", "-o", done.folder / "pairs.ax.jsonl")
    said = (done.folder / "pairs.ax.yaml").read_text()

    assert 'path: "pairs.ax.jsonl"' in said
    assert all(f"field_{key}: {key}" in said for key in ("messages", "chosen", "rejected"))


def test_a_dataset_info_that_is_no_json_is_left_as_it_is(done: Project) -> None:
    info = done.folder / "dataset_info.json"
    info.write_text("{")
    ran = pairsmith("export", done.run_dir, "--target", "llama-factory", "-o", done.folder / "x.jsonl")

    assert (ran.code, info.read_text()) == (2, "{")


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
