"""Runs that end early: interrupted, out of budget, stopped by the guard, or refused a folder that is in use."""

from __future__ import annotations

import signal
import time

import pytest

from cli_runs import Process, Project, accounted, bought, ended, everyday, pairsmith, started, until

PRICE = {"input": 1.0, "output": 10.0}


def in_flight(project: Project, more_than: int = 8) -> None:
    until(lambda: project.server.simulator.stats.requests > more_than, "the first calls")


def slow(project: Project, prompts: int = 40, **limits: object) -> Project:
    project.server.latency(0.1)
    table = project.table["endpoints"]
    project.prompts(everyday(prompts)).save(
        endpoints={name: {**one, "concurrency": 4, **limits} for name, one in table.items()}
    )
    return project


# --- signals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_ends_a_run_in_order_and_it_can_go_on(project: Project, number: signal.Signals) -> None:
    slow(project)
    with started(*project.words(), fresh=True) as process:
        in_flight(project, 60)
        process.send_signal(number)
        ran = ended(process)

    said = ran.json
    assert ran.code == 130
    assert said["stopped"] == "interrupted"
    assert said["prompts"] == 40 == accounted(said)
    assert said["not_reached"] > 0
    assert len(project.pairs) == said["pairs"] > 0
    assert "run the same command again to continue" in ran.err
    assert project.sql("SELECT count(*) FROM attempts WHERE outcome IS NULL") == [(0,)]

    project.server.latency(0.0)
    project.run()

    assert max(project.server.keys.values()) == 1


def test_a_second_signal_ends_a_run_at_once(project: Project) -> None:
    slow(project).server.latency(20.0)
    with started(*project.words(), fresh=True) as process:
        in_flight(project, 3)
        process.send_signal(signal.SIGINT)
        saw_first(process)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        code = process.wait(10)

    assert code == 130
    assert time.monotonic() - began < 2


def saw_first(process: Process) -> None:
    """Wait until the run has said that it is stopping."""
    assert process.stderr
    line = b""
    while b"stopping" not in line:
        line = process.stderr.readline()
        assert line


def test_a_run_that_is_interrupted_does_not_wait_for_standard_input(project: Project) -> None:
    with started(*project.words("--set", "prompts.path=-"), pipe=True) as process:
        assert process.stdin
        process.stdin.write(b"".join(b"How large is %d?\n" % number for number in range(300)))
        process.stdin.flush()
        in_flight(project)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        code = process.wait(60)

    assert code == 130
    assert time.monotonic() - began < 5


# --- one writer a folder -------------------------------------------------------------------------


def test_a_second_run_on_one_folder_is_refused_and_told_whose_it_is(project: Project) -> None:
    slow(project)
    with started(*project.words()) as process:
        in_flight(project)

        sentence = project.fails()

        assert f"process {process.pid}" in sentence
        assert "--run-dir" in sentence
        assert process.poll() is None


def test_status_and_export_work_while_a_run_goes_on(project: Project) -> None:
    slow(project)
    with started(*project.words()) as process:
        in_flight(project, 80)
        status = pairsmith("status", project.run_dir, "--json")
        export = pairsmith("export", project.run_dir, "--json", "-o", project.folder / "early.jsonl")
        assert process.poll() is None

    assert (status.code, export.code) == (0, 0)
    assert status.json["prompts"] == 40 == accounted(status.json)
    assert export.json["rows"] >= 0


# --- the budget ----------------------------------------------------------------------------------


def priced(project: Project) -> Project:
    table = project.table["endpoints"]
    project.save(endpoints={name: {**one, "price": PRICE} for name, one in table.items()})
    return project


def test_a_budget_stops_a_run_before_it_is_exceeded_and_a_higher_one_goes_on(project: Project) -> None:
    said = priced(project).run("--max-cost", 0.1, code=3)
    more = project.run("--max-cost", 5)

    assert said["stopped"] == "budget"
    assert 0 < said["total"]["cost_usd"] <= 0.1
    assert said["prompts"] == 12 == accounted(said)
    assert more["stopped"] is None
    assert more["not_reached"] == 0
    assert max(project.server.keys.values()) == 1


def test_the_cost_of_a_run_is_the_servers_tokens_at_the_recipes_prices(project: Project) -> None:
    said = priced(project).run()
    tokens = said["tokens"]

    assert said["cost_usd"] == pytest.approx((tokens["input"] * 1.0 + tokens["output"] * 10.0) / 1e6)
    assert said["total"]["cost_usd"] == pytest.approx(said["cost_usd"])


def test_the_cost_of_a_run_without_prices_is_unknown_and_not_zero(project: Project) -> None:
    said = project.run()

    assert said["cost_usd"] is None
    assert said["total"]["cost_usd"] is None


def test_a_budget_needs_prices_before_the_first_call(project: Project) -> None:
    sentence = project.fails("--max-cost", 1)

    assert "price" in sentence
    assert "student" in sentence
    assert project.server.calls == 0


def test_an_early_stop_is_told_even_when_its_pairs_cannot_be_written(project: Project) -> None:
    """A full disk stops the run, and then takes no dataset either."""
    (project.folder / "file").write_text("I am a file.")
    out = project.folder / "file" / "pairs.jsonl"
    ran = pairsmith(*priced(project).words("--max-cost", 0.1, "--out", out))

    assert (ran.code, ran.json["stopped"], ran.json["pairs"]) == (3, "budget", 0)
    assert "cannot be written" in ran.err
    assert "--max-cost 0.1 is reached" in ran.err


def test_a_budget_of_nothing_makes_no_call(project: Project) -> None:
    assert priced(project).run("--max-cost", 0, code=3)["stopped"] == "budget"
    assert project.server.calls == 0


# --- the guard -----------------------------------------------------------------------------------


def test_a_thinking_model_that_is_cut_off_stops_the_run_and_is_named(project: Project) -> None:
    ran = pairsmith(*project.words("--set", "endpoints.student.model=sim-thinker", "--set", "sample.max_tokens=30"))

    assert (ran.code, ran.json["stopped"]) == (3, "screened")
    assert "max_tokens = 30" in ran.err
    assert "thinking" in ran.err
    assert ran.json["prompts"] == 12 == accounted(ran.json)


def test_with_more_tokens_a_screened_run_goes_on(project: Project) -> None:
    project.run("--set", "endpoints.student.model=sim-thinker", "--set", "sample.max_tokens=30", code=3)

    said = project.run("--set", "endpoints.student.model=sim-thinker", "--set", "sample.max_tokens=1200")

    assert said["stopped"] is None
    assert said["pairs"] > 0
    assert not any("<think>" in text for row in project.pairs for text in map(str, row.values()))


def test_a_screened_run_that_is_told_to_goes_on(project: Project) -> None:
    changes = ("--set", "endpoints.student.model=sim-thinker", "--set", "sample.max_tokens=30")
    project.run(*changes, code=3)

    said = project.run(*changes, "--set", "sample.max_screened=1")

    assert said["stopped"] is None
    assert said["not_reached"] == 0
    assert said["abstained"].get("too_few_completions", 0) > 0


def test_a_model_that_refuses_stops_the_run_and_refusals_are_named(project: Project) -> None:
    changes = ("--set", "endpoints.student.model=sim-refuser", "--set", "sample.max_screened=0.3")
    ran = pairsmith(*project.words(*changes))

    assert (ran.code, ran.json["stopped"]) == (3, "screened")
    assert "refusals" in ran.err


def test_a_screened_run_does_not_buy_the_samples_of_every_prompt(project: Project) -> None:
    slow(project, prompts=60)
    project.server.latency(0.01)

    said = project.run("--set", "endpoints.student.model=sim-thinker", "--set", "sample.max_tokens=30", code=3)

    assert bought(said, "student") < 60


# --- nothing succeeds ----------------------------------------------------------------------------


def test_a_run_in_which_no_prompt_succeeds_says_so_and_can_go_on(project: Project) -> None:
    project.server.faults(content_filter=1.0)
    said = project.run(code=3)

    assert said["stopped"] in ("no_prompt_succeeded", "parameter_refused")
    assert sum(said["failed"].values()) + said["not_reached"] == 12


def test_an_account_without_credit_stops_the_run(project: Project) -> None:
    project.server.faults(quota=1.0)
    ran = pairsmith(*project.words())

    assert (ran.code, ran.json["stopped"]) == (3, "quota")
    assert "top up" in ran.err
    project.server.faults()
    assert project.run()["not_reached"] == 0


def test_a_server_that_only_fails_stops_the_run_as_broken(project: Project) -> None:
    project.server.faults(f500=1.0)

    ran = pairsmith(*project.words())

    assert (ran.code, ran.json["stopped"]) == (3, "broken_endpoint")
    assert ran.json["not_reached"] == 12
