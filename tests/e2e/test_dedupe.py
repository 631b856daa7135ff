"""Equal prompts, near-duplicates and evaluation items in whole runs: what is left out, counted, listed, not bought."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli_runs import Project, accounted, everyday, pairsmith, read_rows, serving, write_rows
from pairsmith.export.split import parts
from pairsmith.ledger import open_ledger
from pairsmith.ledger.schema import MIGRATIONS

FLIGHT = "My flight was cancelled last night and the airline only offered a voucher. Which rules apply to me now?"
NEAR = [
    {"id": "first", "prompt": FLIGHT},
    {"id": "river", "prompt": "Name a river."},
    {"id": "copy", "prompt": FLIGHT.replace("voucher", "coupon")},
    {"id": "said", "prompt": f"Hello! {FLIGHT}", "candidates": ["a", "b"], "preferred": 0},
    {"id": "lake", "prompt": "Name a lake."},
    {"id": "again", "prompt": f"{FLIGHT} Thanks!"},
]
EQUAL = [
    {"id": "one", "prompt": "Why is the sky blue?", "candidates": ["Short waves scatter more."]},
    {"id": "two", "prompt": "Name a river."},
    {"id": "three", "prompt": "why is the  sky blue? ", "candidates": ["Because.", "Short waves scatter more."]},
]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A project of small runs, and the simulator that they ask."""
    with serving() as server:
        made = Project(tmp_path / "project", server)
        made.save(sample={"endpoints": ["student"], "completions": 2})
        yield made


def taken(project: Project) -> list[str]:
    rows = project.sql("SELECT i.source_id FROM inputs i ORDER BY i.ordinal")
    return [ident for (ident,) in rows]


def planned(project: Project, *more: object) -> dict[str, Any]:
    said: dict[str, Any] = pairsmith("plan", project.recipe, "--run-dir", project.run_dir, "--json", *more).json
    return {key: said[key] for key in ("prompts", "duplicates", "near_duplicates", "contaminated")}


# --- equal -------------------------------------------------------------------------------------------


def test_equal_prompts_are_one_whose_answers_are_judged_together(project: Project) -> None:
    project.prompts(EQUAL).save(sample=None)

    before, said = planned(project), project.run()

    assert (said["prompts"], said["duplicates"], accounted(said)) == (2, 1, 2)
    assert before == {"prompts": 2, "duplicates": 1, "near_duplicates": 0, "contaminated": 0}
    assert taken(project) == ["one", "two"]
    assert said["calls"]["judge"] >= 2  # of the two answers, one of which the second row brought


def test_what_people_said_of_an_equal_prompt_s_answers_makes_the_first_one_s_pair(project: Project) -> None:
    rows = [EQUAL[0], {**EQUAL[2], "preferred": 1, "reviewer": "ann"}]
    project.prompts(rows).save(sample=None, judge={"panel": []}, endpoints=None)

    project.run()

    (pair,), (proof,) = project.pairs, project.proofs
    assert pair["input"]["messages"][-1]["content"] == "Why is the sky blue?"
    assert pair["preferred_output"][0]["content"] == "Short waves scatter more."
    assert (proof["id"], proof["rule"]) == ("one", "human")
    assert pairsmith("audit", project.run_dir, project.run_dir / "pairs.jsonl").code == 0


def test_off_keeps_what_differs_in_a_letter(project: Project) -> None:
    project.prompts(EQUAL)

    assert project.run("--set", "prompts.dedupe=off")["prompts"] == 3


def test_a_folder_of_an_earlier_version_goes_on_and_buys_nothing_twice(project: Project) -> None:
    project.prompts(EQUAL).run("--set", "prompts.dedupe=off")
    project.change("UPDATE meta SET value = '4' WHERE key = 'version'")
    for statement in ("DROP INDEX inputs_equal", "ALTER TABLE inputs DROP COLUMN equal", "DROP TABLE near_duplicates"):
        project.change(statement)
    project.change("DROP TABLE contaminated")
    project.change("DROP INDEX reviews_withdraws")
    for column in ("said", "note", "edited", "withdraws"):
        project.change(f"ALTER TABLE reviews DROP COLUMN {column}")
    calls = project.server.keys

    said = project.run()

    assert 5 in MIGRATIONS
    assert (said["prompts"], said["duplicates"]) == (2, 1)
    assert set(project.server.keys.values()) == {1}
    assert said["calls"].get("student", 0) == 0
    assert calls.keys() <= project.server.keys.keys()


# --- near --------------------------------------------------------------------------------------------


def test_of_near_duplicates_the_first_stays_and_all_are_accounted_for(project: Project) -> None:
    project.prompts(NEAR).save(prompts={"path": "prompts.jsonl", "dedupe": "near"})

    before, said = planned(project), project.run()

    assert taken(project) == ["first", "river", "said", "lake"]
    assert (said["prompts"], said["near_duplicates"], accounted(said)) == (4, 2, 4)
    assert (before["prompts"], before["near_duplicates"]) == (4, 2)
    listed = read_rows(project.run_dir / "near-duplicates.jsonl")
    assert [(row["id"], row["instead"]["id"]) for row in listed] == [("copy", "first"), ("again", "first")]
    assert sorted(pairsmith("explain", project.run_dir, "first", "--json").json["stands_for"]) == ["again", "copy"]
    assert "copy was left out, as it is nearly the same as first" in pairsmith("explain", project.run_dir, "copy").err


def test_a_limit_counts_what_is_left_of_near_duplicates(project: Project) -> None:
    project.prompts(NEAR).save(prompts={"path": "prompts.jsonl", "dedupe": "near"})

    said = project.run("--limit", 3)

    assert taken(project) == ["first", "river", "said"]
    assert (said["prompts"], said["near_duplicates"]) == (3, 1)
    assert planned(project, "--limit", 3)["near_duplicates"] == 1


def test_a_resume_leaves_the_same_out_and_added_rows_displace_nobody(project: Project) -> None:
    project.prompts(NEAR[:3]).save(prompts={"path": "prompts.jsonl", "dedupe": "near"})
    project.run()
    calls = project.server.calls

    again = project.run()
    assert (again["calls"], project.server.calls) == ({}, calls)

    bridge = {"id": "bridge", "prompt": f"Name a river. {FLIGHT}"}
    grown = project.prompts([*NEAR[:3], bridge, NEAR[4]]).run()

    assert taken(project) == ["first", "river", "lake"]
    assert (grown["near_duplicates"], grown["calls"]["student"]) == (2, 2)
    assert set(project.server.keys.values()) == {1}


def test_from_standard_input_near_duplicates_stay_out_on_a_resume_and_can_be_left_out_then(project: Project) -> None:
    rows = "".join(json.dumps(row) + "\n" for row in NEAR).encode()
    project.save(prompts={"path": "-"})
    pairsmith(*project.words(), stdin=rows)
    assert len(taken(project)) == 6

    near = [pairsmith("run", project.run_dir, "--json", "--set", "prompts.dedupe=near").json for _ in range(2)]

    assert [(one["prompts"], one["near_duplicates"], accounted(one), one["calls"]) for one in near] == [
        (4, 2, 4, {})
    ] * 2


def test_near_duplicates_that_were_left_out_change_no_side_of_a_split(project: Project) -> None:
    rows = [row for row in everyday(60) if "prompt" in row]
    rows += [{**row, "id": f"{row['id']} copy", "prompt": f"Hello! {row['prompt']}"} for row in rows]
    project.prompts([*rows, *NEAR]).save(
        prompts={"path": "prompts.jsonl"}, sample=None, judge={"panel": []}, endpoints=None
    )
    sides: list[dict[str, str]] = []
    for dedupe in ("off", "near"):
        shutil.rmtree(project.run_dir, ignore_errors=True)
        project.run("--set", f"prompts.dedupe={dedupe}")
        ledger = open_ledger(project.run_dir / "ledger.sqlite3", lambda: 0.0, create=False)
        found = parts(ledger.prompts(), 0.3, (), (one.prompt for one in ledger.near_duplicates()))
        sides.append({prompt: found.of(prompt) for prompt in found.groups})
        ledger.close_now()

    everything, kept = sides
    assert 40 <= len(kept) < len(everything)
    assert kept.items() <= everything.items()


# --- evaluation sets ---------------------------------------------------------------------------------


def test_items_of_evaluation_sets_are_left_out_counted_and_listed_with_both_texts(project: Project) -> None:
    write_rows(project.folder / "evals.jsonl", [{"question": FLIGHT, "answer": "42"}])
    project.prompts(NEAR).save(prompts={"path": "prompts.jsonl", "against": "evals.jsonl"})

    before, said = planned(project), project.run()
    (again,) = [project.run()]

    assert taken(project) == ["river", "lake"]
    assert (said["prompts"], said["contaminated"], accounted(said)) == (2, 4, 2)
    assert (before["prompts"], before["contaminated"]) == (2, 4)
    assert (again["contaminated"], again["calls"]) == (4, {})
    row, *_ = read_rows(project.run_dir / "contaminated.jsonl")
    assert (row["id"], row["line"], row["text"], row["share"], row["n"]) == ("first", 1, FLIGHT, 1.0, 8)
    assert row["evaluation"] == {"file": str(project.folder / "evals.jsonl"), "line": 1, "text": FLIGHT}


def test_an_evaluation_set_that_cannot_be_read_is_a_mistake_before_anything_is_asked(project: Project) -> None:
    write_rows(project.folder / "evals.jsonl", [{"answer": "42"}])
    project.prompts(NEAR)

    assert "missing.jsonl cannot be read" in project.fails("--set", "prompts.against=missing.jsonl")
    assert "holds no evaluation item" in project.fails("--set", f"prompts.against={project.folder / 'evals.jsonl'}")
    assert project.server.calls == 0


def test_where_only_evaluation_items_are_left_that_is_said(project: Project) -> None:
    write_rows(project.folder / "evals.jsonl", [{"prompt": FLIGHT}])
    project.prompts(NEAR[:1]).save(prompts={"path": "prompts.jsonl", "against": "evals.jsonl"})

    assert "all prompts in it hold items of the evaluation sets" in project.fails()
