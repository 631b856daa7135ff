"""`pairsmith plan`: what it says a run will cost, beside what the run then costs on the simulator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cli_runs import Project, Server, everyday, pairsmith
from judged_runs import planted

STUDENT, CHEAP, DEAR = {"input": 0.2, "output": 0.6}, {"input": 0.5, "output": 1.5}, {"input": 2.0, "output": 8.0}
SAMPLE = {"endpoints": ["student"], "completions": 4, "temperature": [0.6, 1.0, 1.4]}
PERSONAS = {**SAMPLE, "completions": 6, "top_k": [4, 20], "system": ["plain", "expert", "hasty"]}
SEVERAL = {"endpoints": ["student", "strong", "thinker"], "completions": 6, "temperature": [0.7, 1.1]}

# Recipe -> what differs from one student with one judge, and on how many prompts it is tried.
RECIPES: dict[str, tuple[int, dict[str, Any]]] = {
    "one judge": (24, {}),
    "ladder of two": (32, {"judge": {"panel": ["small", "judge"]}}),
    "ladder of three": (32, {"judge": {"panel": ["tiny", "small", "judge"]}}),
    "rank": (24, {"judge": {"panel": ["judge"], "protocol": "rank"}}),
    "several endpoints": (24, {"sample": SEVERAL}),
    "given candidates": (24, {"sample": None}),
    "min_gap auto": (34, {"pair": {"min_gap": "auto"}}),
    "personas and top_k": (24, {"sample": PERSONAS}),
}


def priced(folder: Path, server: Server, count: int, **tables: Any) -> Project:
    project = Project(folder, server).prompts(planted(count) if tables.get("sample", 1) is None else everyday(count))
    models = {
        "student": ("sim-student", STUDENT),
        "strong": ("sim-strong", CHEAP),
        "thinker": ("sim-thinker-rc", DEAR),
        "tiny": ("sim-judge-noisy", STUDENT),
        "small": ("sim-judge-middle", CHEAP),
        "judge": ("sim-judge", DEAR),
    }
    endpoints = {name: {"model": m, "base_url": server.url, "price": price} for name, (m, price) in models.items()}
    project.save(endpoints=endpoints, **{"sample": SAMPLE, **tables})
    return project


def plan(project: Project, *words: object) -> Any:
    ran = pairsmith("plan", project.recipe, "--run-dir", project.run_dir, "--json", *words)
    assert ran.code == 0, ran.err
    return ran.json


def cost(planned: Any, of: str = "total") -> dict[str, float]:
    costs: dict[str, float] = planned[of]["cost_usd"]
    return costs


@pytest.mark.parametrize("name", RECIPES)
def test_the_likely_figure_is_within_a_fifth_of_what_the_run_costs(name: str, tmp_path: Path, server: Server) -> None:
    count, tables = RECIPES[name]
    project = priced(tmp_path, server, count, **tables)

    planned = plan(project)
    asked_by_then, made_by_then = server.calls, project.run_dir.exists()
    said = project.run("--force")

    assert (asked_by_then, made_by_then) == (0, False)
    assert cost(planned)["likely"] == pytest.approx(said["cost_usd"], rel=0.2)
    assert cost(planned)["low"] <= said["cost_usd"] <= cost(planned)["high"]
    assert planned["total"]["calls"]["likely"] == pytest.approx(sum(said["calls"].values()), rel=0.2)


def test_after_the_run_the_plan_says_exactly_what_was_paid_and_that_nothing_is_left(
    tmp_path: Path, server: Server
) -> None:
    project = priced(tmp_path, server, 12, judge={"panel": ["small", "judge"]})
    said = project.run("--force")
    asked = server.calls

    planned = plan(project)

    assert server.calls == asked
    assert planned["left"]["calls"] == {"low": 0, "likely": 0, "high": 0}
    assert planned["total"]["calls"]["likely"] == said["total"]["calls"] == planned["paid"]["calls"]
    assert cost(planned)["likely"] == pytest.approx(said["total"]["cost_usd"], abs=1e-6)
    assert planned["paid"]["cost_usd"] == pytest.approx(said["total"]["cost_usd"], abs=1e-6)
    assert planned["yield"]["settled"] == 12


def test_a_new_judge_owes_verdicts_and_no_answer(tmp_path: Path, server: Server) -> None:
    project = priced(tmp_path, server, 16)
    project.run("--force")
    project.save(judge={"panel": ["small"]})

    planned = plan(project)
    said = project.run("--force")

    left = {line["purpose"]: line["left"]["calls"]["likely"] for line in planned["lines"]}
    assert left["sample"] == 0
    assert cost(planned, "left")["likely"] == pytest.approx(said["cost_usd"], rel=0.2)


def test_an_unknown_price_stays_unknown(project: Project) -> None:
    planned = plan(project)
    told = pairsmith("plan", project.recipe, "--run-dir", project.run_dir).out

    assert set(cost(planned).values()) == {None}
    assert all(set(line["cost_usd"].values()) == {None} for line in planned["lines"])
    assert "price    unknown of student, judge" in told


def test_no_key_is_needed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    project.table["endpoints"]["judge"]["api_key_env"] = "NO_SUCH_KEY"
    project.save()

    assert plan(project)["prompts"] == 12


# --- the preview ----------------------------------------------------------------------------------


def test_a_preview_is_bought_once_and_makes_the_plan_sharper(tmp_path: Path, server: Server) -> None:
    project = priced(tmp_path, server, 48)

    previewed = plan(project, "--preview", 24, "--target-pairs", 500)
    bought = server.calls
    again = pairsmith("plan", project.recipe, "--run-dir", project.run_dir, "--preview", 20)
    asked = set(server.keys)
    said = project.run("--force")

    assert previewed["paid"]["calls"] == bought
    assert "24 prompts settled already" in again.err
    assert sum(said["calls"].values()) == server.calls - bought
    assert all(count == 1 for count in server.keys.values())
    assert asked <= set(server.keys)
    assert cost(previewed)["likely"] == pytest.approx(said["total"]["cost_usd"], rel=0.1)
    assert cost(previewed)["high"] - cost(previewed)["low"] < 0.5 * cost(previewed)["likely"]
    assert previewed["yield"]["settled"] == 24
    target = previewed["target"]
    assert 500 <= target["prompts"]["low"] <= target["prompts"]["likely"] <= target["prompts"]["high"]
    assert target["missing"] == target["prompts"]["likely"] - 48
    assert target["usd_per_pair"]["likely"] == pytest.approx(target["cost_usd"]["likely"] / 500, rel=1e-3)


def test_a_preview_says_before_what_it_costs_at_most_and_keeps_to_its_cap(tmp_path: Path, server: Server) -> None:
    project = priced(tmp_path, server, 40)

    ran = pairsmith("plan", project.recipe, "--run-dir", project.run_dir, "--preview", 30, "--max-cost", 0.05, "--json")

    assert ran.code == 3
    assert "the first 30 prompts cost at most about $" in ran.err
    assert "never more than $0.0500" in ran.err
    assert ran.json["paid"]["cost_usd"] <= 0.05


def test_a_preview_of_a_run_folder_is_refused(tmp_path: Path, server: Server) -> None:
    project = priced(tmp_path, server, 4)
    project.run("--force")

    ran = pairsmith("plan", project.run_dir, "--preview", 2, "--json")

    assert ran.code == 2
    assert "name just that" in ran.json["error"]


# --- side by side ---------------------------------------------------------------------------------


def test_protocols_stand_side_by_side_though_the_recipe_speaks_of_points(tmp_path: Path, server: Server) -> None:
    project = priced(tmp_path, server, 8, pair={"min_gap": 2.0}, judge={"panel": ["judge"], "score_from": "logprobs"})

    plans = plan(project, "--compare", "score,rank,duel")["plans"]
    told = pairsmith("plan", project.recipe, "--run-dir", project.run_dir, "--compare", "rank").out

    assert [one["name"] for one in plans] == ["e2e", "e2e rank", "e2e duel"]
    assert plans[1]["total"]["calls"]["likely"] < plans[0]["total"]["calls"]["likely"]
    assert "e2e rank" in told


def test_two_recipes_stand_side_by_side(tmp_path: Path, server: Server) -> None:
    one = priced(tmp_path / "one", server, 12)
    other = priced(tmp_path / "other", server, 12, judge={"panel": ["small"]})

    plans = pairsmith("plan", one.recipe, other.recipe, "--json").json["plans"]
    compared = pairsmith("plan", one.recipe, "--compare", other.recipe, "--json").json["plans"]

    assert [cost(found)["likely"] for found in plans] == [cost(found)["likely"] for found in compared]
    assert cost(plans[1])["likely"] < cost(plans[0])["likely"]


# --- the table ------------------------------------------------------------------------------------


def test_the_table_has_a_line_for_each_endpoint_and_purpose_and_says_what_it_rests_on(
    tmp_path: Path, server: Server
) -> None:
    project = priced(tmp_path, server, 12)

    told = pairsmith("plan", project.recipe, "--run-dir", project.run_dir, "--target-pairs", 50).out

    begins = {" ".join(line.split()[:2]) for line in told.splitlines()}
    assert {"student sample", "judge score", "judge duel", "all of", "yield unknown", "rests on"} <= begins
    assert "the simulator's models, measured" in told
    assert "50 pairs: nothing can be said before there is a yield" in told


def test_a_bad_row_and_a_missing_file_are_said_as_run_says_them(project: Project) -> None:
    (project.folder / "prompts.jsonl").write_text('{"promt": "x"}\n', "utf-8")

    bad = pairsmith("plan", project.recipe, "--json")
    (project.folder / "prompts.jsonl").unlink()
    missing = pairsmith("plan", project.recipe, "--json")

    assert (bad.code, missing.code) == (2, 2)
    assert "line 1" in bad.json["error"]
    assert "cannot be read" in missing.json["error"]


def test_prompts_that_an_earlier_round_settled_are_not_planned_again(tmp_path: Path, server: Server) -> None:
    first = priced(tmp_path / "first", server, 6)
    pairs = first.run()["pairs"]
    second = priced(tmp_path / "second", server, 12)
    second.save(prompts={"path": "prompts.jsonl", "exclude": str(first.run_dir)})

    planned = plan(second)

    assert pairs > 0
    assert planned["prompts"] == 12 - pairs == second.run()["prompts"]
