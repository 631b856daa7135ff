"""Rungs that are no chat models, functions of the user's own, and what judges are sent: through the command line."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cli_runs import Project, Server, accounted, bought, everyday, pairsmith, right_share
from judged_runs import planted, purposes
from pairsmith.simulator import Simulator

RULES = """
def score(prompt, answer):
    return 4 if len(answer) < LEAST else 7.5

def says_nothing_of_experts(prompt, answer):
    return "experts" not in answer

def silent(prompt, answer):
    return None

def longer(prompt, first, second):
    if len(first) == len(second):
        return "tie"
    return "first" if len(first) > len(second) else "second"

def raises(prompt, answer):
    raise KeyError(prompt["id"])

def eleven(prompt, answer):
    return 11

def short(prompt, answer):
    return "too short" if len(answer) < LEAST else None

def runner_up(prompt, answers):
    return (0, 1) if answers[0]["score"] > answers[1]["score"] else None

def nothing(prompt, answers):
    return None

def backwards(prompt, answers):
    return (len(answers) - 1, 0)
"""


def rules(project: Project, least: int = 300) -> None:
    """The user's functions, beside the recipe."""
    (project.folder / "rules.py").write_text(RULES.replace("LEAST", str(least)))


def laddered(folder: Path, server: Server, panel: Sequence[str], prompts: int = 12, **tables: Any) -> Project:
    """A project that judges given answers by these rungs."""
    project = Project(folder, server).prompts(planted(prompts))
    endpoints = {
        "judge": {"model": "sim-judge", "base_url": server.url},
        "rm": {"model": "sim-reward", "base_url": server.url, "kind": "reward"},
    }
    project.save(sample=None, endpoints=endpoints, judge={"panel": list(panel)}, **tables)
    rules(project)
    return project


def values(project: Project, judge: str) -> list[float]:
    """The scores of one rung in the provenance."""
    return [v["score"] for proof in project.proofs for v in proof["verdicts"] if v["judge"] == judge and "score" in v]


# --- a ladder of a function, a reward model and a judge ---------------------------------------------


def test_a_function_a_reward_model_and_a_judge_make_a_ladder(tmp_path: Path, server: Server) -> None:
    project = laddered(tmp_path, server, ["check:rules.py:score", "rm", "judge"], prompts=36)
    ran = pairsmith(*project.words())
    before, calls = project.dataset, server.calls
    again = project.run()

    assert ran.code == 0, ran.err
    assert 36 * 3 < ran.json["calls"]["rm"] <= 36 * 4
    assert 0 < ran.json["calls"]["judge"] < 36 * 6
    assert ran.json["pairs"] >= 30
    assert right_share(server, project.pairs) >= 0.95
    assert set(values(project, "check:rules.py:score")) == {4.0, 7.5}
    assert all("check:rules.py:score" in proof["judges"] for proof in project.proofs)
    assert "judges err by so many points a verdict: rm " in ran.err
    assert (server.calls, again["calls"], project.dataset) == (calls, {}, before)


def test_a_reward_model_alone_judges_by_its_own_spread(tmp_path: Path, server: Server) -> None:
    """Its numbers are no points: there is no floor, and nobody who could compare a close call."""
    project = laddered(tmp_path, server, ["rm"], prompts=36)
    said = project.run()

    assert said["calls"] == {"rm": 36 * 4}
    assert set(said["abstained"]) <= {"gap_too_small", "tie"}
    assert said["pairs"] >= 18
    assert right_share(server, project.pairs) >= 0.95
    assert all(proof["gap"] >= 3 and proof["judges"] == ["rm"] for proof in project.proofs)


def test_a_gap_is_found_for_a_reward_model_alone_without_a_judge_to_compare(tmp_path: Path, server: Server) -> None:
    project = laddered(tmp_path, server, ["rm"], prompts=36, pair={"min_gap": "auto"})
    ran = pairsmith(*project.words())

    assert ran.code == 0, ran.err
    assert "min_gap = auto is 3.5" in ran.err
    assert purposes(project) == {"score": 36 * 4}
    assert accounted(ran.json) == 36


def test_a_reward_model_of_which_too_little_is_known_gives_no_pair_and_no_gate_is_said_to_let_any_through(
    tmp_path: Path, server: Server
) -> None:
    ran = pairsmith(*laddered(tmp_path, server, ["rm"], prompts=4).words())

    assert ran.json["abstained"] == {"too_few_scored": 4}
    assert "gate: 0 of 4 settled prompts gave a pair" in ran.err


# --- a function as a rung ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "given"),
    [("says_nothing_of_experts", {1.0, 10.0}), ("longer", {1.0, 4.0, 7.0, 10.0}), ("score", {4.0, 7.5})],
)
def test_what_a_function_gives_becomes_points(tmp_path: Path, server: Server, function: str, given: set[float]) -> None:
    name = f"check:rules.py:{function}"
    project = laddered(tmp_path, server, [name], prompts=20)
    said = project.run("--set", "pair.min_gap=3")

    assert said["pairs"] > 0
    assert set(values(project, name)) == given
    assert (server.calls, accounted(said)) == (0, 20)


def test_a_function_that_has_nothing_to_say_leaves_everything_to_the_judge(tmp_path: Path, server: Server) -> None:
    project = laddered(tmp_path, server, ["check:rules.py:silent", "judge"])
    said = project.run()

    assert said["pairs"] >= 9
    assert bought(said, "judge") >= 12 * 4
    assert {judge for proof in project.proofs for judge in proof["judges"]} == {"judge"}


@pytest.mark.parametrize(
    ("panel", "strategy", "sentence"),
    [
        (["check:rules.py:raises", "judge"], "best-worst", "rules.py:raises raised KeyError: '"),
        (["check:rules.py:eleven", "judge"], "best-worst", "rules.py:eleven returned 11: a check gives points from 1"),
        (["check:rules.py:missing", "judge"], "best-worst", "rules.py has no function 'missing'"),
        (["check:none.py:score", "judge"], "best-worst", "none.py cannot be read"),
        (["judge"], "rules.py:backwards", "rules.py:backwards picked (3, 0): the chosen answer has to score higher"),
    ],
)
def test_a_function_that_goes_wrong_ends_the_run_in_one_sentence(
    tmp_path: Path, server: Server, panel: list[str], strategy: str, sentence: str
) -> None:
    project = laddered(tmp_path, server, panel, prompts=3, pair={"strategy": strategy})
    ran = pairsmith(*project.words())

    assert ran.code == 2
    assert sentence in ran.json["error"]
    assert "Traceback" not in ran.err
    assert [line for line in ran.err.splitlines() if "never asked" not in line] == [f"pairsmith: {ran.json['error']}"]


def test_what_a_judge_answered_before_a_function_went_wrong_is_not_asked_again(tmp_path: Path, server: Server) -> None:
    project = laddered(tmp_path, server, ["judge"], prompts=6, pair={"strategy": "rules.py:backwards"})
    project.fails()
    project.save(pair={})
    project.run()

    assert max(server.keys.values()) == 1


# --- screens and strategies -------------------------------------------------------------------------


def test_a_screen_of_the_users_own_keeps_answers_from_the_judge(project: Project) -> None:
    rules(project)
    project.save(sample={**project.table["sample"], "screens": ["rules.py:short"]})
    said = project.run()

    kept = project.sql("SELECT body FROM outcomes")
    lengths = [length for (body,) in kept for _, _, length, *_ in json.loads(body)["completions"]]
    refused = sum(json.loads(body)["flags"].get("check", 0) for (body,) in kept)
    assert 0 < refused < 48
    assert min(lengths) >= 300
    assert said["verdicts"] < 48 - refused + 12


@pytest.mark.parametrize("where", ["sample", "pair", "judge"])
def test_another_text_of_the_users_functions_decides_anew_and_samples_nothing(project: Project, where: str) -> None:
    rules(project)
    tables = {
        "sample": {"sample": {**project.table["sample"], "screens": ["rules.py:short"], "max_screened": 1.0}},
        "pair": {"pair": {"strategy": "rules.py:runner_up"}},
        "judge": {"judge": {"panel": ["check:rules.py:score", "judge"], "escalate_within": [9.0]}},
    }
    project.save(**tables[where])
    project.run()
    before = project.dataset
    rules(project, least=330)
    said = project.run()

    assert bought(said, "student") == 0
    assert bought(said, "judge") <= 48
    assert (project.dataset == before) == (where == "pair")  # a strategy that reads no length picks the same two
    assert max(project.server.keys.values()) == 1


def test_a_strategy_of_the_users_own_picks_the_pair(tmp_path: Path, server: Server) -> None:
    project = laddered(tmp_path, server, ["judge"], pair={"strategy": "rules.py:runner_up", "min_gap": 1})
    project.run()

    assert project.pairs
    for proof in project.proofs:
        scores = {v["completion"]: v["score"] for v in proof["verdicts"] if "score" in v}
        picked = [scores[proof[side]["completion"]] for side in ("chosen", "rejected")]
        assert picked == sorted(scores.values(), reverse=True)[:2]
        assert proof["strategy"] == "rules.py:runner_up"


def test_a_strategy_may_decline(tmp_path: Path, server: Server) -> None:
    said = laddered(tmp_path, server, ["judge"], pair={"strategy": "rules.py:nothing"}).run()

    assert (said["pairs"], said["abstained"]) == (0, {"strategy_declined": 12})


# --- scores from log-probabilities ------------------------------------------------------------------


def test_scores_from_log_probabilities_are_fractions(project: Project) -> None:
    project.run("--set", "judge.score_from=logprobs")
    scores = values(project, "judge")

    assert scores
    assert all(1 <= score <= 10 for score in scores)
    assert sum(score != round(score) for score in scores) > 0.8 * len(scores)
    assert right_share(project.server, project.pairs) >= 0.95


# --- references that the judge writes ---------------------------------------------------------------


def test_a_reference_is_written_once_a_prompt_and_shown_to_the_judge(project: Project) -> None:
    project.save(judge={"panel": ["judge"], "reference": "write"})
    project.run()
    shown = pairsmith("judge", project.recipe, "--run-dir", project.run_dir, "--show", "support-101", "--json").json
    before, calls = project.dataset, project.server.calls
    project.run()

    assert purposes(project)["reference"] == 12
    assert [request["purpose"] for request in shown["requests"]] == ["score", "duel"]
    assert all("<reference>\n" in request["body"]["messages"][-1]["content"] for request in shown["requests"])
    assert (project.server.calls, project.dataset) == (calls, before)


def test_before_it_is_written_the_request_for_a_reference_is_shown(project: Project) -> None:
    project.save(judge={"panel": ["judge"], "reference": "write", "reference_max_tokens": 99})
    shown = pairsmith("judge", project.recipe, "--run-dir", project.run_dir, "--show", "support-101", "--json").json

    assert [request["purpose"] for request in shown["requests"]] == ["reference", "score", "duel"]
    assert shown["requests"][0]["body"]["max_tokens"] == 99


def test_a_reference_that_the_row_brings_is_used_and_none_is_written(project: Project) -> None:
    project.prompts([{**row, "reference": "Forty-two."} for row in everyday(4)])
    project.save(judge={"panel": ["judge"], "reference": "write"})
    project.run()
    shown = pairsmith("judge", project.recipe, "--run-dir", project.run_dir, "--show", "support-101").out

    assert "reference" not in purposes(project)
    assert "<reference>\nForty-two.\n</reference>" in shown


# --- what is sent ------------------------------------------------------------------------------------


@pytest.fixture
def bodies(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the simulator receives."""
    seen: list[dict[str, Any]] = []
    plain = Simulator._chat

    async def chat(simulator: Simulator, request: web.Request) -> web.StreamResponse:
        seen.append(json.loads(await request.read()))
        return await plain(simulator, request)

    monkeypatch.setattr(Simulator, "_chat", chat)
    return seen


def sent_to(bodies: Sequence[dict[str, Any]], model: str) -> list[dict[str, Any]]:
    found = [body for body in bodies if body["model"] == model]
    assert found
    return found


def test_effort_and_tier_are_sent_to_judges_only(bodies: list[dict[str, Any]], project: Project) -> None:
    project.prompts(everyday(4)).save(judge={"panel": ["judge"], "reasoning_effort": "low", "service_tier": "flex"})
    project.run()
    judge, student = sent_to(bodies, "sim-judge"), sent_to(bodies, "sim-student")

    assert {(body["reasoning_effort"], body["service_tier"]) for body in judge} == {("low", "flex")}
    assert not any({"reasoning_effort", "service_tier"} & body.keys() for body in student)


def test_another_tier_of_the_judges_buys_nothing_anew_and_another_effort_does(project: Project) -> None:
    project.prompts(everyday(4)).run()
    tier = project.run("--set", "judge.service_tier=flex")
    effort = project.run("--set", "judge.reasoning_effort=low")

    assert tier["calls"] == {}
    assert bought(effort, "student") == 0
    assert bought(effort, "judge") >= 12


def test_the_criterion_of_the_rows_family_is_said_and_only_there(
    bodies: list[dict[str, Any]], project: Project
) -> None:
    (code, plain) = ({"prompt": "Sort a list.", "family": "code"}, {"prompt": "Sort a drawer."})
    project.prompts([code, plain]).run()
    told = [body["messages"][1]["content"] for body in sent_to(bodies, "sim-judge")]

    assert {("What counts most in a task of this kind: " in text) for text in told if "Sort a list." in text} == {True}
    assert {("What counts most in a task of this kind: " in text) for text in told if "Sort a drawer." in text} == {
        False
    }


def test_a_criterion_of_the_recipe_stands_instead_of_the_bundled_one(
    bodies: list[dict[str, Any]], project: Project
) -> None:
    project.prompts([{"prompt": "Sort a list.", "family": "code"}])
    project.save(judge={"panel": ["judge"], "criteria": {"code": "it rhymes."}})
    project.run()

    assert all("of this kind: it rhymes.\n" in body["messages"][1]["content"] for body in sent_to(bodies, "sim-judge"))


def test_a_rubric_beside_the_recipe_is_what_the_judge_is_told(
    bodies: list[dict[str, Any]], project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project.folder / "mine.md").write_text("Nine points for a joke.")
    project.prompts(everyday(2)).save(judge={"panel": ["judge"], "rubric": "mine.md"})
    monkeypatch.chdir("/")
    project.run()

    assert all("Nine points for a joke." in body["messages"][0]["content"] for body in sent_to(bodies, "sim-judge"))


def test_pairs_of_given_answers_that_the_simulator_judged_say_so(tmp_path: Path, server: Server) -> None:
    project = laddered(tmp_path, server, ["judge"])
    project.run()

    assert all(proof["simulated"] for proof in project.proofs)
