"""A parameter that an endpoint refuses or ignores: the run stops before it samples, or leaves it out and says so."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cli_runs import Project, Ran, everyday, pairsmith, serving

SAMPLE: dict[str, Any] = {"endpoints": ["student"], "completions": 4, "temperature": [0.6, 1.2], "top_k": [2, 50]}


@contextmanager
def played(folder: Path, like: str | None, **sample: Any) -> Iterator[Project]:
    """A project whose server behaves like this platform."""
    with serving(like=like) as server:
        project = Project(folder, server).prompts(everyday(4))
        project.save(sample={**SAMPLE, **sample})
        yield project


def ran(project: Project, *more: object) -> Ran:
    return pairsmith(*project.words(*more))


def sampled(project: Project) -> int:
    return int(project.sql("SELECT count(*) FROM attempts WHERE purpose = 'sample'")[0][0])


@pytest.mark.parametrize("like", ["ollama", "silent", "anthropic"])
def test_a_top_k_that_is_ignored_in_silence_stops_the_run_before_it_samples(tmp_path: Path, like: str) -> None:
    with played(tmp_path, like, temperature=[0.6, 0.9]) as project:
        done = ran(project)

        assert (done.code, done.json["stopped"]) == (3, "parameter_ignored")
        assert "endpoint student ignores top_k" in done.err
        assert "arms T0.6 k2, T0.6 k50, T0.9 k2, T0.9 k50 of 4 ask for it" in done.err
        assert 'on_unsupported = "omit"' in done.err
        assert sampled(project) == 0
        assert project.server.calls == sum(done.json["attempts"].values())
        assert project.server.calls < 12


@pytest.mark.parametrize("like", ["openai", "groq", "gemini"])
def test_a_top_k_that_is_refused_stops_it_too_and_quotes_the_server(tmp_path: Path, like: str) -> None:
    with played(tmp_path, like) as project:
        done = ran(project)

        assert (done.code, done.json["stopped"]) == (3, "parameter_refused")
        assert "endpoint student refuses top_k" in done.err
        assert sampled(project) == 0


def test_what_was_found_is_kept_and_the_next_run_asks_nothing(tmp_path: Path) -> None:
    with played(tmp_path, "ollama") as project:
        ran(project)
        asked = project.server.calls
        known = json.loads((project.run_dir / "doctor.json").read_text())

        again = ran(project)

        assert known["endpoints"]["student"]["findings"]["top_k"]["support"] == "ignored"
        assert again.code == 2
        assert "endpoint student ignores top_k" in again.json["error"]
        assert project.server.calls == asked


def test_omit_leaves_it_out_merges_the_arms_and_says_so(tmp_path: Path) -> None:
    with played(tmp_path, "ollama", on_unsupported="omit") as project:
        done = ran(project)

        assert done.code == 0, done.err
        assert "endpoint student ignores top_k" in done.err
        assert "left out, where the recipe asks for 2, 50" in done.err
        assert "4 arms become 2, as the others are equal without it: T0.6, T1.2" in done.err
        assert sampled(project) == 4 * 4
        proof = project.proofs[0]["chosen"]
        assert proof["requested"]["top_k"] == [2, 50]
        assert proof["effective"]["top_k"] == "server default"


def test_an_unknown_server_that_honours_everything_is_asked_a_few_tiny_calls_once(tmp_path: Path) -> None:
    with played(tmp_path, "together") as project:
        first = ran(project)
        tests = int(project.sql("SELECT count(*) FROM attempts WHERE purpose = 'probe'")[0][0])
        second = ran(project)

        assert (first.code, second.code) == (0, 0)
        assert 0 < tests <= 8
        assert sum(first.json["attempts"].values()) == project.server.calls
        assert second.json["calls"] == {}


def test_arms_of_temperatures_and_personas_are_not_tested_beforehand(tmp_path: Path) -> None:
    with played(tmp_path, None, top_k=[], system=["plain", "hasty"]) as project:
        done = ran(project)

        assert done.code == 0
        assert project.sql("SELECT count(*) FROM attempts WHERE purpose = 'probe'") == [(0,)]


def test_vllm_is_known_by_its_list_of_models_and_sent_neutral_values(tmp_path: Path) -> None:
    with played(tmp_path, "vllm") as project:
        done = ran(project)

        effective = project.proofs[0]["chosen"]["effective"]
        assert done.code == 0, done.err
        assert (effective["top_p"], effective["min_p"], effective["repetition_penalty"]) == (1.0, 0.0, 1.0)
        assert project.sql("SELECT count(*) FROM attempts WHERE purpose = 'probe'") == [(0,)]


def test_what_a_recipe_says_of_a_server_is_tried_all_the_same(tmp_path: Path) -> None:
    with played(tmp_path, "ollama") as project:
        endpoints = project.table["endpoints"]
        project.save(endpoints={**endpoints, "student": {**endpoints["student"], "server": "vllm"}})

        assert ran(project).json["stopped"] == "parameter_ignored"


def test_what_a_server_is_sent_stays_as_it_was_for_the_folders_first_answers(tmp_path: Path) -> None:
    """Nothing is bought anew because more is known of the server later."""
    with played(tmp_path, None, top_k=[]) as project:
        ran(project)
        doctor = pairsmith("doctor", project.recipe, "--run-dir", project.run_dir, "--json")
        assert doctor.code == 0, doctor.err

        again = ran(project)

        assert again.json["calls"] == {}


def test_a_folder_of_an_earlier_version_keeps_its_answers(tmp_path: Path) -> None:
    """Nothing was known of servers then, and only what the arms set was sent."""
    with played(tmp_path, None, top_k=[], presence_penalty=[0.5]) as project:
        endpoints = project.table["endpoints"]
        project.save(endpoints={**endpoints, "student": {**endpoints["student"], "server": "transformers"}})
        ran(project)  # its dialect sends nothing beside
        (project.run_dir / "doctor.json").unlink()
        with contextlib.closing(sqlite3.connect(project.run_dir / "ledger.sqlite3")) as db:
            db.execute("DELETE FROM facts WHERE key LIKE 'dialect%'")
            db.commit()
        project.save(endpoints=endpoints)
        before = sampled(project)

        again = ran(project)

        assert again.code == 0, again.err
        assert sampled(project) == before


def test_a_server_that_a_recipe_names_later_buys_nothing_anew(tmp_path: Path) -> None:
    with played(tmp_path, None, top_k=[]) as project:
        ran(project)
        endpoints = project.table["endpoints"]
        project.save(endpoints={**endpoints, "student": {**endpoints["student"], "server": "ollama"}})

        assert ran(project).json["calls"] == {}


def test_with_a_cap_the_test_calls_count_too(tmp_path: Path) -> None:
    with played(tmp_path, "together") as project:
        price = {"input": 1.0, "output": 1.0}
        project.save(endpoints={name: {**one, "price": price} for name, one in project.table["endpoints"].items()})

        done = ran(project, "--max-cost", "0.0000001")

        assert (done.code, done.json["stopped"]) == (3, "budget")
        assert project.server.calls == 0
