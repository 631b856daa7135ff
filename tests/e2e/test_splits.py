"""Two files of one run: which prompt goes where, and that growth moves nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_runs import Project, everyday, pairsmith, read_rows, serving
from judged_runs import judging

ROWS = [
    {**row, "id": f"{row['id']}-{turn}", "thread": row["id"], "prompt": prompt}
    for row in everyday(40)
    if "prompt" in row
    for turn, prompt in enumerate((row["prompt"], f"{row['prompt']}  Please!"))
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Each prompt twice, nearly the same; answers that need no sampling."""
    with serving() as server:
        rows = [{**row, "candidates": ["A poor one.", "A much better answer, with a reason."]} for row in ROWS]
        project = judging(tmp_path_factory.mktemp("split"), server, rows)
        project.save(pair={"min_gap": 0.5, "chosen_floor": 1.0})
        project.run()
        yield project


def export(run: Project, out: Path, *changes: str) -> dict[str, dict[str, str]]:
    """By part, the prompts of its rows with the group of each."""
    flags = [word for change in changes for word in ("--set", change)]
    ran = pairsmith("pair", run.run_dir, "-o", out, "--set", "export.validation=0.3", *flags)
    assert ran.code == 0, ran.err
    parts = {"train": out, "validation": out.with_name(f"{out.stem}.validation.jsonl")}
    return {
        part: {row["id"]: row["group"] for row in read_rows(path.with_name(f"{path.stem}.provenance.jsonl"))}
        for part, path in parts.items()
    }


def test_near_duplicates_stand_in_one_file_and_both_files_have_rows(run: Project, tmp_path: Path) -> None:
    parts = export(run, tmp_path / "pairs.jsonl")

    stems = [{ident.rsplit("-", 1)[0] for ident in part} for part in parts.values()]
    assert stems[0]
    assert stems[1]
    assert not stems[0] & stems[1]


def test_each_row_stands_in_one_file_with_what_proves_it_at_its_line(run: Project, tmp_path: Path) -> None:
    parts = export(run, tmp_path / "pairs.jsonl")

    whole = tmp_path / "whole.jsonl"
    pairsmith("pair", run.run_dir, "-o", whole)
    rows = [row for name in ("pairs", "pairs.validation") for row in read_rows(tmp_path / f"{name}.jsonl")]
    assert sorted(map(str, rows)) == sorted(map(str, read_rows(whole)))
    assert sum(map(len, parts.values())) == len(rows)
    proofs = read_rows(tmp_path / "pairs.validation.provenance.jsonl")
    assert [proof["line"] for proof in proofs] == list(range(1, len(proofs) + 1))
    assert {proof["part"] for proof in proofs} == {"validation"}


def test_rows_of_equal_meta_stay_together(run: Project, tmp_path: Path) -> None:
    together = export(run, tmp_path / "pairs.jsonl", 'export.together="thread"')

    assert not {i.rsplit("-", 1)[0] for i in together["train"]} & {i.rsplit("-", 1)[0] for i in together["validation"]}


def test_the_run_itself_writes_both_and_says_so(run: Project) -> None:
    ran = pairsmith("run", run.recipe, "--run-dir", run.run_dir, "--quiet", "--set", "export.validation=0.3")

    rows = len(read_rows(run.run_dir / "pairs.validation.jsonl"))
    assert f"pairs.validation.jsonl: {rows} rows to validate with" in ran.out


def test_a_validation_file_of_an_earlier_export_is_pointed_at(run: Project, tmp_path: Path) -> None:
    export(run, tmp_path / "pairs.jsonl")

    again = pairsmith("pair", run.run_dir, "-o", tmp_path / "pairs.jsonl", "--set", "export.validation=0")

    assert "is from an earlier export" in again.out
