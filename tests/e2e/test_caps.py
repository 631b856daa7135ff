"""The caps on a run folder, by the server's own count: over kills and resumes, for all commands that pay."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_kills import Spending, killed

from cli_runs import Project, accounted, everyday, pairsmith, serving, started, until

PRICE = {"input": 1.0, "output": 10.0}  # USD per million tokens
REASONS = {"calls": "max_calls", "tokens": "max_tokens", "cost": "budget"}


@pytest.mark.parametrize(
    ("cap", "most", "more"), [("calls", 40, 10_000), ("tokens", 25_000, 10_000_000), ("cost", 0.1, 10)]
)
def test_a_cap_is_kept_over_kills_and_resumes_by_the_servers_own_count(
    tmp_path: Path, cap: str, most: float, more: float
) -> None:
    flag = f"--max-{cap}"
    with serving(latency_s=0.02) as server:
        project = Project(tmp_path, server).prompts(everyday(12))
        project.save(
            endpoints={
                name: {**table, "concurrency": 4, "price": PRICE} for name, table in project.table["endpoints"].items()
            },
            sample={**project.table["sample"], "max_tokens": 300},
            judge={"panel": ["judge"], "max_tokens": 200},
        )
        spending, dollars = Spending(server, {"input": 1e6, "output": 1e6}), Spending(server, PRICE)
        counts = {"calls": lambda: server.calls, "tokens": spending.usd, "cost": dollars.usd}
        for calls in (10, 12):
            killed(project, calls, flag, most)
        said = project.run(flag, most, code=3)
        used = counts[cap]()
        again = project.run(flag, most, code=3)

        assert said["stopped"] == again["stopped"] == REASONS[cap]
        assert 0 < used <= most
        assert counts[cap]() == used  # and nothing was asked once it was reached
        assert said["prompts"] == 12 == accounted(said)
        server.latency(0.0)
        assert project.run(flag, more)["not_reached"] == 0
        assert counts[cap]() > used


def test_the_minutes_of_a_folder_count_over_its_runs(project: Project) -> None:
    project.server.latency(0.3)
    first = pairsmith(*project.words("--max-minutes", 0.01))
    asked = project.server.calls
    again = project.run("--max-minutes", 0.01, code=3)
    idle = project.server.calls
    project.server.latency(0.0)
    done = project.run("--max-minutes", 60)

    assert (first.code, first.json["stopped"], again["stopped"]) == (3, "max_minutes", "max_minutes")
    assert "--max-minutes 0.01 is reached" in first.err
    assert 0 < asked == idle
    assert done["stopped"] is None
    assert project.run("--max-minutes", 0.01)["stopped"] is None  # nothing is owed, so that nothing is stopped


def test_the_minutes_of_a_run_that_is_killed_count_too(project: Project) -> None:
    project.server.latency(1.0)
    with started(*project.words()) as process:
        until(lambda: bool(ran_s(project)) and ran_s(project)[0] > 1.5, "the time to be written down")
        process.kill()
        process.wait()

    assert project.run("--max-minutes", 0.02, code=3)["stopped"] == "max_minutes"


def ran_s(project: Project) -> list[float]:
    if not (project.run_dir / "recipe.toml").exists():
        return []
    return [float(value) for (value,) in project.sql("SELECT value FROM facts WHERE key = 'ran_s'")]


@pytest.mark.parametrize("command", ["judge", "qualify"])
def test_whatever_pays_keeps_the_caps_of_the_folder(project: Project, command: str) -> None:
    project.run()
    project.save(judge={"panel": ["judge"], "rubric": "code"})
    allowed = project.server.calls + 5

    ran = pairsmith(command, project.recipe, "--run-dir", project.run_dir, "--json", "--max-calls", allowed)

    assert (ran.code, ran.json["stopped"]) == (3, "max_calls")
    assert project.server.calls == allowed
    assert "run the same command with a higher --max-calls to go on" in ran.err


# --- the yield ---------------------------------------------------------------------------------------


def test_a_run_that_does_not_pay_stops_and_says_what_a_lower_gate_would_give(tmp_path: Path) -> None:
    with serving() as server:
        project = Project(tmp_path, server).prompts(everyday(90))
        project.save(
            endpoints={name: {**table, "concurrency": 3} for name, table in project.table["endpoints"].items()},
            pair={"min_gap": 8.5, "verify_gap": 8.5},
        )
        ran = pairsmith(*project.words("--min-yield", 0.3))
        asked = server.calls
        again = project.run("--min-yield", 0.3, code=3)

        assert (ran.code, ran.json["stopped"], again["stopped"]) == (3, "min_yield", "min_yield")
        assert server.calls == asked
        assert 50 <= ran.json["settled"] + sum(ran.json["abstained"].values()) < 70
        assert ran.json["not_reached"] > 20
        assert "settled prompts gave a pair, " in ran.err
        assert "from the same evidence, for nothing: --set pair.min_gap=4" in ran.err.splitlines()[-1]
        assert (
            project.run("--min-yield", 0.3, "--set", "pair.min_gap=3", "--set", "pair.verify_gap=1")["stopped"] is None
        )
