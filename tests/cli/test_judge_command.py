"""`pairsmith judge`: judges what was sampled and samples nothing; `--show` prints what judges are sent."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from cli_runs import Project, Ran, accounted, bought, ended, everyday, pairsmith, right_share, serving, started
from judged_runs import judging, planted, purposes
from pairsmith.simulator import Simulator

SAMPLED = 8  # of 12 prompts
PLACEHOLDERS = ("(an answer stands here)", "(another answer stands here)")


@pytest.fixture(scope="module")
def sampled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with serving() as server:
        project = Project(tmp_path_factory.mktemp("sampled"), server).prompts(everyday(12))
        project.run("--limit", SAMPLED)
        yield project


@pytest.fixture
def sampled(sampled_once: Project, tmp_path: Path) -> Project:
    """A run that took 8 of 12 prompts, with a server that counts from zero."""
    shutil.copytree(sampled_once.folder, tmp_path, dirs_exist_ok=True)
    sampled_once.server.forget()
    return Project(tmp_path, sampled_once.server)


def judge(project: Project, *more: object) -> Ran:
    return pairsmith("judge", project.recipe, "--run-dir", project.run_dir, "--quiet", *more)


# --- judging ----------------------------------------------------------------------------------------


def test_another_rubric_is_judged_by_and_nothing_is_sampled(sampled: Project) -> None:
    said = judge(sampled, "--json", "--set", "judge.rubric=support").json

    assert sampled.server.calls == bought(said, "judge") >= SAMPLED * 3
    assert said["calls"].keys() == {"judge"}
    assert right_share(sampled.server, sampled.pairs) >= 0.85


def test_prompts_that_were_not_sampled_are_not_reached(sampled: Project) -> None:
    said = judge(sampled, "--json").json

    assert sampled.server.calls == 0
    assert (said["prompts"], said["not_reached"]) == (12, 12 - SAMPLED)
    assert accounted(said) == 12


def test_the_run_afterwards_samples_what_is_missing_and_nothing_else(sampled: Project) -> None:
    judge(sampled)
    said = sampled.run()

    assert bought(said, "student") == (12 - SAMPLED) * 4
    assert said["not_reached"] == 0


def test_before_anything_was_sampled_nothing_is_asked(project: Project) -> None:
    said = judge(project, "--json").json

    assert (said["prompts"], said["not_reached"], said["pairs"]) == (12, 12, 0)
    assert project.server.calls == 0


def test_candidates_that_the_prompts_bring_are_judged(tmp_path: Path) -> None:
    with serving() as server:
        project = judging(tmp_path, server, planted(12))
        said = judge(project, "--json").json
        ran_after = project.run()

    assert said["pairs"] >= 9
    assert purposes(project).keys() <= {"score", "duel"}
    assert ran_after["calls"] == {}


def test_a_run_folder_is_taken_too(sampled: Project) -> None:
    sampled.run("--limit", SAMPLED)
    ran = pairsmith("judge", sampled.run_dir, "--json", "-q")

    assert ran.code == 0
    assert ran.json["pairs"] == len(sampled.pairs) > 0


def test_a_ladder_of_which_the_first_prompts_were_not_sampled_comes_to_an_end(sampled: Project) -> None:
    """How much its judges err is measured on the first 32 prompts; here, all that wait for it stand behind those."""
    endpoints = {**sampled.table["endpoints"], "second": {"model": "sim-judge-middle", "base_url": sampled.server.url}}
    new = [{"prompt": f"Who invented the number {number}?"} for number in range(40)]
    sampled.prompts([everyday(1)[0], *new, *everyday(SAMPLED)[1:]]).save(
        endpoints={name: {**one, "concurrency": 1} for name, one in endpoints.items()},
        judge={"panel": ["judge", "second"]},
    )
    with started("judge", sampled.recipe, "--run-dir", sampled.run_dir, "--json", "-q") as process:
        ran = ended(process)

    assert ran.code == 0, ran.err
    assert ran.json["not_reached"] == 40
    assert accounted(ran.json) == 40 + SAMPLED
    assert sampled.run()["not_reached"] == 0


def test_people_read_what_came_of_it(sampled: Project) -> None:
    out = judge(sampled).out

    assert "12 prompts\n" in out
    assert f"  not reached  {12 - SAMPLED}\n" in out


# --- --show -----------------------------------------------------------------------------------------


def test_what_judges_are_sent_is_shown_before_any_run_with_placeholders(project: Project) -> None:
    ran = judge(project, "--show", "support-101")

    assert ran.code == 0
    assert "── score · judge ──" in ran.out
    assert "── duel · judge ──" in ran.out
    assert all(text in ran.out for text in PLACEHOLDERS)
    assert "My parcel says delivered yesterday" in ran.out
    assert project.server.calls == 0
    assert not project.run_dir.exists()


def test_candidates_of_the_input_are_shown_before_any_run(tmp_path: Path) -> None:
    rows = planted(2)
    with serving() as server:
        shown = judge(judging(tmp_path, server, rows), "--show", rows[1]["id"]).out
        calls = server.calls

    assert sum(text in shown for text in rows[1]["candidates"]) == 2
    assert not any(text in shown for text in PLACEHOLDERS)
    assert calls == 0


def test_after_a_run_the_answers_that_were_sampled_are_shown(sampled: Project) -> None:
    proof, row = sampled.proofs[0], sampled.pairs[0]
    by_id = judge(sampled, "--show", proof["id"]).out
    by_content = judge(sampled, "--show", proof["prompt_id"]).out

    assert by_id == by_content
    assert not any(text in by_id for text in PLACEHOLDERS)
    assert row["input"]["messages"][0]["content"] in by_id
    assert sampled.server.calls == 0


@pytest.mark.parametrize(
    ("protocol", "purposes"),
    [("score", ["score", "duel"]), ("rank", ["rank", "rank"]), ("duel", ["duel"])],
)
def test_programs_get_one_request_of_each_kind(project: Project, protocol: str, purposes: list[str]) -> None:
    said = judge(project, "--show", "support-101", "--json", "--set", f"judge.protocol={protocol}").json

    assert [request["purpose"] for request in said["requests"]] == purposes
    assert {request["endpoint"] for request in said["requests"]} == {"judge"}
    assert all(request["body"]["model"] == "sim-judge" for request in said["requests"])


def test_what_is_shown_is_what_a_run_sends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[object] = []
    plain = Simulator._chat

    async def chat(simulator: Simulator, request: web.Request) -> web.StreamResponse:
        sent.append(json.loads(await request.read()))
        return await plain(simulator, request)

    monkeypatch.setattr(Simulator, "_chat", chat)
    rows = planted(3)
    with serving() as server:
        project = judging(tmp_path, server, rows)
        project.run("--set", "pair.min_gap=8")
        shown = judge(project, "--show", rows[0]["id"], "--json").json

    assert shown["requests"][0]["body"] in sent


@pytest.mark.parametrize("as_json", [True, False])
def test_an_unknown_prompt_is_a_mistake(sampled: Project, as_json: bool) -> None:
    ran = judge(sampled, "--show", "nobody-9", *(["--json"] if as_json else []))

    assert ran.code == 2
    assert ran.err == (
        "pairsmith: there is no prompt nobody-9: take an `id` of the prompt file, or a prompt_id of the provenance\n"
    )
    assert ran.out == "" or ran.json["error"] in ran.err
