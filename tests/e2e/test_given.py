"""Answers that are there already: logs, people's verdicts and edits become pairs, and no call is made for them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from cli_runs import Ran, pairsmith, read_rows, serving, write_rows
from judged_runs import judging, planted

ROWS: list[dict[str, Any]] = [
    {"id": "human", "prompt": "Why blue?", "candidates": ["Because.", "Short waves scatter more."], "preferred": 1},
    {"id": "edit", "prompt": "Correct this: teh cat", "original": "teh cat", "edited": "the cat"},
    {"id": "split", "prompt": "Name a colour.", "candidates": ["Red.", "Blue."], "preferred": [0, 1]},
    {"id": "most", "prompt": "Name a river.", "candidates": ["Rhine.", "Po."], "preferred": [0, 0, 1]},
    {"id": "none", "prompt": "Name a hill.", "candidates": ["Hill.", "Mount."]},
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Neither a judge nor an endpoint."""
    where = tmp_path_factory.mktemp("given")
    write_rows(where / "rows.jsonl", ROWS)
    recipe = {"name": "given", "prompts": {"path": "rows.jsonl"}, "judge": {"panel": []}}
    (where / "recipe.toml").write_text(tomli_w.dumps(recipe))
    assert on(where, "run", "--quiet").code == 0
    return where


def on(where: Path, command: str, *words: object) -> Ran:
    return pairsmith(command, where / "recipe.toml", "--run-dir", where / "run", *words)


def proofs(where: Path) -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in read_rows(where / "run" / "pairs.provenance.jsonl")}


def test_verdicts_and_edits_become_pairs_without_a_call(folder: Path) -> None:
    said = on(folder, "run", "--json", "--quiet").json
    rows = {row["input"]["messages"][0]["content"]: row for row in read_rows(folder / "run" / "pairs.jsonl")}

    assert {ident: proof["rule"] for ident, proof in proofs(folder).items()} == {
        "human": "human",
        "edit": "edit",
        "most": "human",
    }
    assert rows["Why blue?"]["preferred_output"][0]["content"] == "Short waves scatter more."
    assert rows["Correct this: teh cat"]["preferred_output"][0]["content"] == "the cat"
    assert rows["Name a river."]["preferred_output"][0]["content"] == "Rhine."
    assert said["abstained"] == {"human_tie": 1, "too_few_scored": 1}
    assert said["total"]["calls"] == 0


@pytest.mark.parametrize("command", ["status", "plan", "export", "pair"])
def test_the_other_commands_work_without_an_endpoint(folder: Path, command: str, tmp_path: Path) -> None:
    out = ("-o", tmp_path / "x.jsonl") if command in ("export", "pair") else ()

    assert on(folder, command, *out).code == 0


def test_such_pairs_are_proven_and_explained_by_what_people_said(folder: Path) -> None:
    audited = on(folder, "audit", folder / "run" / "pairs.jsonl", "--json")
    told = on(folder, "explain", "most", "--json")

    assert audited.code == 0, audited.out
    assert audited.json["rests_on"] == {"human": 2, "edit": 1}
    assert told.json["why"][-1].startswith("No judge was asked: of 3 verdicts of people on the two, 2 for #")
    assert len(told.json["people"]) == 3


def test_answers_of_two_files_are_joined_by_prompt_and_sides_go_by_their_origin(tmp_path: Path) -> None:
    with serving() as server:
        rows = planted(8, answers=2)
        one = [
            {
                "id": row["id"],
                "prompt": row["prompt"],
                "candidates": [{"content": row["candidates"][0], "origin": "old"}],
            }
            for row in rows
        ]
        other = [
            {
                "messages": [
                    {"role": "user", "content": row["prompt"]},
                    {"role": "assistant", "content": row["candidates"][1]},
                ],
                "origin": "new",
            }
            for row in rows
        ]
        project = judging(tmp_path, server, one)
        write_rows(tmp_path / "more.jsonl", other)
        project.save(
            prompts={"path": ["prompts.jsonl", "more.jsonl"]},
            pair={"sides": "chosen-from:given:new, rejected-from:given:old", "min_gap": 0.5, "chosen_floor": 1.0},
        )
        said = project.run()

    assert (said["prompts"], said["duplicates"], said["completions"]) == (8, 8, 16)
    assert len(project.proofs) > 0
    assert {(proof["chosen"]["arm"], proof["rejected"]["arm"]) for proof in project.proofs} == {
        ("given:new", "given:old")
    }


def test_verdicts_of_several_rows_on_one_prompt_all_count(tmp_path: Path) -> None:
    row = {"prompt": "Name a lake.", "candidates": ["Como.", "Erie."]}
    votes = [{"preferred": place, "reviewer": who} for who, place in (("ann", 0), ("ben", 1), ("cleo", 1), ("ann", 0))]
    write_rows(tmp_path / "rows.jsonl", [{**row, **vote} for vote in votes])
    recipe = {"name": "votes", "prompts": {"path": "rows.jsonl"}, "judge": {"panel": []}}
    (tmp_path / "recipe.toml").write_text(tomli_w.dumps(recipe))
    on(tmp_path, "run", "--quiet")

    (proof,) = read_rows(tmp_path / "run" / "pairs.provenance.jsonl")
    (pair,) = read_rows(tmp_path / "run" / "pairs.jsonl")
    assert [one["by"] for one in proof["said"]] == ["ann", "ben", "cleo"]
    assert pair["preferred_output"][0]["content"] == "Erie."


# --- collect --------------------------------------------------------------------------------------------


def test_what_collect_writes_gives_the_same_pairs(folder: Path, tmp_path: Path) -> None:
    said = pairsmith("collect", folder / "rows.jsonl", "-o", tmp_path / "rows.jsonl", "--json").json
    (tmp_path / "recipe.toml").write_text((folder / "recipe.toml").read_text())
    on(tmp_path, "run", "--quiet")

    assert (said["rows"], said["prompts"], said["with_candidates"], said["with_verdicts"]) == (5, 5, 5, 4)
    assert (tmp_path / "run" / "pairs.jsonl").read_bytes() == (folder / "run" / "pairs.jsonl").read_bytes()


def test_collect_unites_equal_prompts_counts_bad_rows_and_writes_to_standard_output(tmp_path: Path) -> None:
    first = write_rows(tmp_path / "a.jsonl", [{"prompt": "Hi"}, {"prompt": "Hi", "candidates": ["x"]}, {"prompt": ""}])
    (tmp_path / "b.txt").write_text("Hi\nHo\n")

    whole = pairsmith("collect", first, tmp_path / "b.txt", "-o", tmp_path / "out.jsonl", "--skip-bad", "--json")
    stopped = pairsmith("collect", first, "-o", tmp_path / "none.jsonl")

    assert (whole.json["prompts"], whole.json["duplicates"], whole.json["skipped"]) == (2, 2, 1)
    assert read_rows(tmp_path / "out.jsonl") == [{"prompt": "Hi", "candidates": ["x"]}, {"prompt": "Ho"}]
    assert stopped.code == 2
    assert 'line 3, field "prompt": is empty' in stopped.err
    assert not (tmp_path / "none.jsonl").exists()


def test_collect_redacts_before_anything_is_kept(tmp_path: Path) -> None:
    row = {"prompt": "I am ann@example.com", "candidates": ["Hello ann@example.com", "Hi"], "preferred": "Hi"}
    rows = write_rows(tmp_path / "log.jsonl", [row])

    ran = pairsmith("collect", rows, "-o", tmp_path / "clean.jsonl", "--redact", "email", "--json")

    assert ran.json["redacted"] == {"email": 2}
    assert "ann@" not in (tmp_path / "clean.jsonl").read_text()
    assert json.loads((tmp_path / "clean.jsonl").read_text())["preferences"][0]["preferred"] == "Hi"
