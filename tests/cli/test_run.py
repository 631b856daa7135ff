"""`pairsmith run`: recipe or flags alone, where things are written, what is said to people and to programs."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from cli_runs import EVERYDAY, Project, Server, ended, everyday, pairsmith, read_rows, started, write_rows

NEEDED = {
    "run_dir", "out", "prompts", "duplicates", "skipped", "completions", "verdicts", "pairs", "settled", "abstained",
    "failed", "not_reached", "calls", "attempts", "tokens", "cost_usd", "total", "wall_s", "stopped",
}  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_rows(tmp_path / "asked.jsonl", everyday(6))
    return tmp_path


def flags(server: Server, *more: object) -> list[object]:
    return ["run", "--prompts", "asked.jsonl", "--model", "sim-student", "--judge", "sim-judge",
            "--base-url", server.url, *more]  # fmt: skip


# --- flags alone ---------------------------------------------------------------------------------


def test_flags_alone_are_enough_and_the_folder_is_named_after_the_prompts(here: Path, server: Server) -> None:
    ran = pairsmith(*flags(server, "--json"))

    assert ran.code == 0
    assert ran.json["run_dir"] == "runs/asked"
    assert ran.json["pairs"] == len(read_rows(here / "runs/asked/pairs.jsonl"))


def test_all_flags_of_sampling_reach_the_requests(here: Path, server: Server) -> None:
    (here / "mine.md").write_text("You are brief.")
    ran = pairsmith(*flags(server, "--json", "--temperature", "0.5,1.1", "--top-k", "20,50", "--completions", "8",
                           "--system", "expert,mine.md", "--limit", "2"))  # fmt: skip

    arms = tomllib.loads((here / "runs/asked/recipe.toml").read_text())["sample"]
    assert arms["temperature"] == [0.5, 1.1]
    assert arms["top_k"] == [20, 50]
    assert arms["system"] == ["expert", str(here / "mine.md")]
    assert ran.json["calls"]["student"] == 16


def test_a_judge_may_have_a_server_of_its_own(here: Path, server: Server) -> None:
    ran = pairsmith(*flags(server, "--json", "--judge-base-url", f"{server.url}/"))

    assert ran.code == 0
    assert set(ran.json["calls"]) == {"student", "judge"}


def test_flags_override_the_fields_of_a_recipe(project: Project) -> None:
    said = project.run("--limit", 3, "--completions", 2, "--temperature", "0.4")

    assert said["prompts"] == 3
    assert said["calls"]["student"] == 6


def test_prompts_named_beside_a_recipe_start_at_the_working_directory(
    project: Project, here: Path, server: Server
) -> None:
    assert project.run("--prompts", "asked.jsonl")["prompts"] == 6


@pytest.mark.parametrize(
    "name", [".hidden.jsonl", "-dash.jsonl", "a b.jsonl", "prompts (1).jsonl", "fragen-für-alle.jsonl"]
)
def test_a_prompts_file_of_any_name_gives_a_run_folder(here: Path, server: Server, name: str) -> None:
    write_rows(here / name, everyday(2))
    ran = pairsmith("run", f"--prompts=./{name}", "--model", "sim-student", "--judge", "sim-judge",
                    "--base-url", server.url, "--json")  # fmt: skip

    assert ran.code == 0, ran.err
    assert Path(ran.json["run_dir"]).is_dir()


def test_a_recipe_in_a_folder_of_any_name_gives_a_run_folder(tmp_path: Path, server: Server) -> None:
    project = Project(tmp_path / ".config (old)", server).prompts(everyday(2))
    del project.table["name"]
    project.save()

    assert project.run()["prompts"] == 2


# --- where things are written --------------------------------------------------------------------


def test_pairs_and_their_provenance_go_where_out_says(project: Project) -> None:
    out = project.folder / "deep" / "er" / "mine.jsonl"
    said = project.run("--out", out)

    assert said["out"] == str(out)
    assert len(read_rows(out)) == said["pairs"] == len(read_rows(out.with_name("mine.provenance.jsonl")))
    assert not (project.run_dir / "pairs.jsonl").exists()


def test_the_export_path_of_a_recipe_starts_at_the_recipes_folder(
    project: Project, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project.save(export={"path": "mine.jsonl"})
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    project.run()

    assert (project.folder / "mine.jsonl").exists()


def test_the_stored_recipe_is_the_one_last_run_with_absolute_paths(project: Project) -> None:
    project.run("--set", "pair.min_gap=2")
    stored = tomllib.loads((project.run_dir / "recipe.toml").read_text())

    assert stored["pair"]["min_gap"] == 2
    assert stored["prompts"]["path"] == str(project.folder / "prompts.jsonl")


def test_a_run_folder_holds_its_ledger_recipe_lock_and_pairs_and_nothing_half_written(project: Project) -> None:
    project.run()

    assert {path.name for path in project.run_dir.iterdir()} == {
        "ledger.sqlite3", "recipe.toml", "lock", "pairs.jsonl", "pairs.provenance.jsonl",
    }  # fmt: skip


# --- what is said --------------------------------------------------------------------------------


def test_json_is_one_object_on_stdout_with_all_that_is_promised(project: Project) -> None:
    ran = pairsmith(*[word for word in project.words() if word != "--quiet"])

    assert ran.out.count("\n") == 1
    assert set(json.loads(ran.out)) >= NEEDED
    assert set(ran.json["tokens"]) == {"input", "output"}
    assert set(ran.json["total"]) == {"calls", "attempts", "tokens", "cost_usd"}


def test_people_get_counts_calls_cost_and_files_on_stdout(project: Project) -> None:
    strict = ("--set", "pair.min_gap=8", "--set", "pair.verify_gap=8")
    ran = pairsmith(*[word for word in project.words() if word != "--json"], *strict)

    for word in ("12 prompts", "pairs ", "abstained", "calls ", "tokens ", "cost ", "pairs.jsonl"):
        assert word in ran.out
    assert "unknown (no price in the recipe)" in ran.out


def test_the_gate_is_told_at_the_end(project: Project) -> None:
    assert "gate:" in pairsmith(*project.words()).err


def test_the_gate_is_told_after_50_settled_prompts_and_at_the_end(project: Project) -> None:
    ran = pairsmith(*project.prompts(everyday(60)).words())

    assert [line.split(":")[1] for line in ran.err.splitlines() if "gate" in line].count(" gate") == 2
    assert "of 50 settled prompts" in ran.err
    assert "of 60 settled prompts" in ran.err


def test_a_share_of_cut_off_answers_is_said_loudly(project: Project) -> None:
    ran = pairsmith(*project.words("--set", "sample.max_tokens=60", "--set", "sample.max_screened=1"))

    assert "were cut off by max_tokens = 60" in ran.err


def test_pairs_that_the_target_cannot_take_are_left_out_with_a_counted_reason(project: Project) -> None:
    turns = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Hello."}]
    rows = [{"messages": [*turns, {"role": "user", "content": f"What is {n} squared?"}]} for n in range(12)]
    project.prompts(rows)
    changes = ("--set", "pair.min_gap=1", "--set", "pair.chosen_floor=1")
    whole = project.run(*changes)
    ran = pairsmith(*project.words(*changes, "--set", "export.target=fireworks"))

    assert whole["pairs"] > 0
    assert ran.json["pairs"] == 0
    assert ran.json["left_out"] == {"turns": whole["pairs"]}
    assert ran.json["settled"] == whole["settled"]
    assert "left out of the file: turns (target fireworks: the turns that the platform takes)" in ran.err


def test_a_progress_bar_shows_prompts_pairs_calls_spend_and_time(project: Project) -> None:
    words = [word for word in project.words() if word not in ("--quiet", "--json")]
    with started(*words) as process:
        ran = ended(process)

    for word in ("settled", "pairs", "calls/s", "cost", "left]"):
        assert word in ran.err
    assert "settled" not in ran.out


def test_quiet_leaves_the_bar_out(project: Project) -> None:
    assert "calls/s" not in pairsmith(*project.words()).err


def test_what_is_piped_into_a_reader_that_goes_away_ends_in_order(project: Project) -> None:
    with started(*project.words(), fresh=True) as process:
        assert process.stdout
        process.stdout.close()
        process.stdout = None
        _, err = process.communicate(timeout=30)

    assert b"Traceback" not in err
    assert len(project.pairs) > 0


def test_help_answers_without_loading_what_a_run_needs() -> None:
    ran = pairsmith("run", "--help")

    assert ran.code == 0
    assert "--max-cost" in ran.out


def test_the_bundled_prompts_are_there() -> None:
    assert len(EVERYDAY.read_text("utf-8").splitlines()) >= 240
