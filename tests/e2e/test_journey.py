"""Prompts in, pairs out: every prompt accounted for, every text as it was stored, nearly every label right."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli_runs import Project, accounted, everyday, pairsmith, right_share, serving, sides

PROMPTS = 60


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, Any]]:
    with serving() as server:
        project = Project(tmp_path_factory.mktemp("journey"), server).prompts(everyday(PROMPTS))
        yield project, project.run()


def test_every_prompt_is_accounted_for(journey: tuple[Project, Any]) -> None:
    _, said = journey

    assert said["prompts"] == PROMPTS == accounted(said)
    assert said["not_reached"] == 0
    assert said["stopped"] is None


def test_status_says_the_same_counts_as_the_run(journey: tuple[Project, Any]) -> None:
    project, said = journey

    status = pairsmith("status", project.run_dir, "--json").json

    for key in ("prompts", "completions", "verdicts", "settled", "abstained", "failed", "not_reached", "total"):
        assert status[key] == said[key]
    assert status["unanswered_attempts"] == 0


def test_the_server_counted_the_calls_that_the_run_says(journey: tuple[Project, Any]) -> None:
    project, said = journey
    by_model = project.server.calls_by_model

    assert said["calls"] == {"student": by_model["sim-student"], "judge": by_model["sim-judge"]}
    assert said["total"]["calls"] == sum(by_model.values()) == len(project.server.keys)


def test_at_least_60_percent_of_the_prompts_give_a_pair_with_the_default_gates(journey: tuple[Project, Any]) -> None:
    _, said = journey

    assert said["pairs"] / said["prompts"] >= 0.60


def test_chosen_is_truly_better_in_at_least_97_percent_of_the_pairs(journey: tuple[Project, Any]) -> None:
    project, _ = journey

    assert right_share(project.server, project.pairs) >= 0.97


def test_check_finds_no_problem_in_what_was_written(journey: tuple[Project, Any]) -> None:
    project, said = journey

    checked = pairsmith("check", project.run_dir / "pairs.jsonl", "--target", "openai", "--json")

    assert checked.code == 0
    assert checked.json["errors"] == 0
    assert checked.json["rows"] == said["pairs"]


def test_pairs_stand_in_the_order_of_the_prompts(journey: tuple[Project, Any]) -> None:
    project, _ = journey
    asked = [row["id"] for row in everyday(PROMPTS)]

    places = [asked.index(proof["id"]) for proof in project.proofs]

    assert places == sorted(places)


def test_every_exported_text_is_byte_equal_to_a_stored_reply_of_its_own_prompt(journey: tuple[Project, Any]) -> None:
    project, _ = journey
    stored = {
        request: (prompt, json.loads(raw)["choices"][0]["message"]["content"])
        for request, prompt, raw in project.sql("SELECT request, prompt, raw FROM replies WHERE raw IS NOT NULL")
    }

    for row, proof in zip(project.pairs, project.proofs, strict=True):
        for text, side in zip(sides(row), ("chosen", "rejected"), strict=True):
            assert stored[proof[side]["completion"]] == (proof["prompt_id"], text)


def test_the_provenance_of_a_pair_names_judge_calls_that_are_stored(journey: tuple[Project, Any]) -> None:
    project, _ = journey
    stored = {request for (request,) in project.sql("SELECT request FROM replies WHERE raw IS NOT NULL")}

    for line, proof in enumerate(project.proofs, start=1):
        assert proof["line"] == line
        assert {verdict["call"] for verdict in proof["verdicts"]} <= stored
        assert {score["completion"] for score in proof["verdicts"] if "score" in score} >= {
            proof["chosen"]["completion"],
            proof["rejected"]["completion"],
        }
        assert proof["simulated"] is True


def test_no_key_is_sent_twice_when_nothing_goes_wrong(journey: tuple[Project, Any]) -> None:
    project, _ = journey

    assert set(project.server.keys.values()) == {1}


def test_the_same_recipe_in_another_folder_gives_the_same_bytes(journey: tuple[Project, Any], tmp_path: Path) -> None:
    project, _ = journey
    again = Project(tmp_path, project.server).prompts(everyday(PROMPTS))

    again.run()

    assert again.dataset == project.dataset
