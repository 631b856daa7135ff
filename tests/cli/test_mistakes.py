"""The user's mistakes: one sentence with the way out, exit code 2, no traceback; `--json` says it as `error`."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from cli_runs import Project, Ran, ended, pairsmith, started


def is_one_sentence(ran: Ran) -> None:
    """Exit code 2, one line on stderr, and no trace of our insides."""
    assert ran.code == 2
    assert ran.err.count("\n") == 1
    assert ran.err.startswith("pairsmith: ")
    assert "Traceback" not in ran.err
    assert ran.out == ""


def mistake(project: Project, *more: object) -> str:
    """The sentence of a mistake, checked in both forms."""
    sentence = project.fails(*more)
    words = [word for word in project.words(*more) if word != "--json"]
    plain = pairsmith(*words)
    is_one_sentence(plain)
    assert plain.err == f"pairsmith: {sentence}\n"
    return sentence


def changed(project: Project, table: str, **fields: object) -> Project:
    project.save(**{table: {**project.table[table], **fields}})
    return project


# --- the recipe ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "key", "nearest"),
    [
        ("pair", "min_gpa", "min_gap"),
        ("sample", "temprature", "temperature"),
        ("sample", "completion", "completions"),
        ("judge", "pannel", "panel"),
        ("prompts", "pth", "path"),
        ("export", "traget", "target"),
    ],
)
def test_a_misspelt_key_is_refused_with_the_nearest_known_one(
    project: Project, table: str, key: str, nearest: str
) -> None:
    project.table.setdefault(table, {})
    sentence = mistake(changed(project, table, **{key: 1}))

    assert f"[{table}] has no key {key!r}; did you mean {nearest}?" in sentence
    assert project.server.calls == 0


def test_a_misspelt_table_is_refused_with_the_nearest_known_one(project: Project) -> None:
    project.save(samples={"completions": 4})

    assert "'samples'; did you mean sample?" in mistake(project)


def test_a_misspelt_key_of_an_endpoint_names_the_endpoint(project: Project) -> None:
    endpoints = project.table["endpoints"]
    project.save(endpoints={**endpoints, "judge": {**endpoints["judge"], "base_ulr": "http://x/v1"}})

    assert "[endpoints.judge] has no key 'base_ulr'; did you mean base_url?" in mistake(project)


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("pair.min_gap=large", "min_gap"),
        ("pair.min_gap=0", "min_gap"),
        ("pair.min_gap=12", "min_gap"),
        ("sample.completions=1", "completions"),
        ("sample.temperature=hot", "temperature"),
        ("sample.max_tokens=-5", "max_tokens"),
        ("judge.panel=judge", "list"),
        ("judge.panel=[]", "panel"),
        ('judge.panel=["nobody"]', "'nobody'"),
        ("judge.protocol=vibes", "'score', 'rank' or 'duel'"),
        ('sample.endpoints=["nobody"]', "'nobody'"),
        ("endpoints.student.base_url=localhost:8000", "http://localhost:8000/v1"),
        ("endpoints.student.base_url=http://me:secret@host/v1", "api_key_env"),
        ("endpoints.student.api_key_env=sk-this-is-a-key", "NAME of a variable"),
        ("endpoints.student.concurrency=0", "concurrency"),
        ("endpoints.student.price.input=-1", "input"),
        ("export.target=opena", "target"),
        ("judge.rubric=nothing", "nothing"),
        ("sample.system=nobody.md", "nobody.md"),
        ("prompts.format=xls", "format"),
        ("min_gap", "table.key=value"),
        ("=3", "table.key=value"),
        ("pair=3", "pair"),
        ("prompts=3", "prompts"),
        ("sample.arms=3", "arms"),
        ("endpoints.student=3", "student"),
    ],
)
def test_a_field_that_cannot_be_is_named_with_what_it_takes(project: Project, override: str, said: str) -> None:
    assert said in mistake(project, "--set", override)
    assert project.server.calls == 0


def test_an_override_below_a_value_is_a_mistake_and_no_traceback(project: Project) -> None:
    mistake(project, "--set", "pair=3", "--set", "pair.min_gap=2")


def test_a_key_in_a_recipe_is_never_shown(project: Project) -> None:
    assert "secret" not in mistake(project, "--set", "endpoints.student.base_url=http://me:secret@host/v1")


def test_a_key_in_the_place_of_its_variable_is_never_shown(project: Project) -> None:
    key = "sk-proj-0123456789abcdef"

    assert key not in mistake(project, "--set", f"endpoints.student.api_key_env={key}")


@pytest.mark.parametrize("content", [b"[pair", b"\xff\xfe\x00", b"just words"])
def test_a_recipe_that_is_no_toml_is_named(project: Project, content: bytes) -> None:
    project.recipe.write_bytes(content)

    assert "recipe.toml" in mistake(project)


def test_an_empty_recipe_says_what_it_needs(project: Project) -> None:
    project.recipe.write_text("")

    assert "needs" in mistake(project)


def test_two_limits_for_one_model_at_one_url_are_a_mistake(project: Project) -> None:
    endpoints = project.table["endpoints"]
    project.save(endpoints={**endpoints, "again": {**endpoints["student"], "concurrency": 3}})

    assert "different limits" in mistake(project)


# --- files ---------------------------------------------------------------------------------------


def test_a_recipe_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    ran = pairsmith("run", tmp_path / "nothing.toml")

    is_one_sentence(ran)
    assert "nothing.toml" in ran.err
    assert "pairsmith init" in ran.err


def test_prompts_that_are_not_there_are_a_mistake(project: Project) -> None:
    sentence = mistake(project, "--set", "prompts.path=nowhere.jsonl")

    assert "nowhere.jsonl cannot be read (No such file or directory)" in sentence


def test_a_folder_without_prompt_files_is_a_mistake(project: Project) -> None:
    (project.folder / "empty").mkdir()

    mistake(project, "--set", f"prompts.path={project.folder}/empty")


def test_a_closed_standard_input_is_a_mistake(project: Project) -> None:
    ran = pairsmith(*project.words("--set", "prompts.path=-"), stdin=None)

    assert ran.code == 2
    assert "standard input is closed" in ran.json["error"]


def test_an_unknown_suffix_of_prompts_is_a_mistake(project: Project) -> None:
    path = project.folder / "prompts.docx"
    path.write_bytes(b"x")

    assert ".docx" in mistake(project, "--set", f"prompts.path={path}")


def test_a_folder_that_is_no_run_is_a_mistake(tmp_path: Path) -> None:
    for command in ("status", "run", "export"):
        ran = pairsmith(command, tmp_path)

        is_one_sentence(ran)
        assert "holds no recipe.toml" in ran.err


def test_a_run_folder_without_a_ledger_is_a_mistake(project: Project) -> None:
    project.run_dir.mkdir()
    (project.run_dir / "recipe.toml").write_text(project.recipe.read_text())

    ran = pairsmith("status", project.run_dir)

    is_one_sentence(ran)
    assert "no ledger" in ran.err


def test_a_recipe_that_was_never_run_has_no_status(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project.folder)

    is_one_sentence(pairsmith("status", project.recipe))
    is_one_sentence(pairsmith("export", project.recipe))
    assert not (project.folder / "runs").exists()


def test_a_run_folder_that_is_a_file_is_a_mistake(project: Project) -> None:
    project.run_dir.write_text("I am a file.")

    mistake(project)


def test_a_run_folder_below_a_file_is_a_mistake(project: Project) -> None:
    (project.folder / "file").write_text("I am a file.")
    project.run_dir = project.folder / "file" / "run"

    mistake(project)


def test_a_ledger_that_is_no_database_is_a_mistake(project: Project) -> None:
    project.run_dir.mkdir()
    (project.run_dir / "ledger.sqlite3").write_bytes(b"This is no database at all. " * 200)

    assert "cannot be read as a ledger" in mistake(project)


def test_a_database_of_another_program_is_a_mistake(project: Project) -> None:
    project.run_dir.mkdir()
    db = sqlite3.connect(project.run_dir / "ledger.sqlite3")
    db.execute("CREATE TABLE meta (key TEXT, value TEXT)")
    db.commit()
    db.close()

    mistake(project)


def test_an_output_that_cannot_be_written_is_a_mistake_and_loses_nothing(project: Project) -> None:
    (project.folder / "file").write_text("I am a file.")

    sentence = project.fails("--out", project.folder / "file" / "pairs.jsonl")
    calls = project.server.calls
    project.run()

    assert "cannot be written" in sentence
    assert project.server.calls - calls == 0 or max(project.server.keys.values()) == 1


# --- flags and commands --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["frobnicate"], "frobnicate"),
        (["run", "--frobnicate"], "--frobnicate"),
        (["run", "--limit", "0"], "--limit"),
        (["run", "--max-cost", "lots"], "--max-cost"),
        (["run"], "pairsmith init"),
        (["run", "--prompts", "p.txt"], "--model and --judge"),
        (["run", "--prompts", "p.txt", "--model", "m"], "--judge"),
        (["check"], "FILE"),
        (["check", "nothing.jsonl"], "nothing.jsonl"),
        (["check", "nothing.jsonl", "--target", "huggingface"], "huggingface"),
        (["export", "somewhere", "--target", "mars"], "mars"),
        (["status", "nowhere"], "nowhere"),
    ],
)
def test_words_that_cannot_be_are_a_mistake(
    words: Sequence[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = pairsmith(*words)

    is_one_sentence(ran)
    assert said in ran.err


def test_an_endpoint_flag_beside_a_recipe_is_a_mistake(project: Project) -> None:
    assert "--set endpoints.NAME.KEY=VALUE" in mistake(project, "--base-url", "http://127.0.0.1:1/v1")


def test_no_command_at_all_shows_the_help() -> None:
    ran = pairsmith()

    assert "Commands" in ran.out + ran.err
    assert "Traceback" not in ran.err


# --- keys and servers ----------------------------------------------------------------------------


def test_a_key_that_is_not_set_is_named_with_the_way_out(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STUDENT_KEY", raising=False)
    sentence = mistake(project, "--set", "endpoints.student.api_key_env=STUDENT_KEY")

    assert "needs a key in $STUDENT_KEY" in sentence
    assert project.server.calls == 0


def test_without_any_url_the_usual_key_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.txt").write_text("One?\n")

    ran = pairsmith("run", "--prompts", "p.txt", "--model", "gpt-9", "--judge", "gpt-10")

    is_one_sentence(ran)
    assert "$OPENAI_API_KEY" in ran.err


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def test_a_server_that_does_not_answer_stops_the_run_and_is_named(project: Project) -> None:
    url = f"http://127.0.0.1:{free_port()}/v1"
    ran = pairsmith(*project.words("--set", f"endpoints.student.base_url={url}"))

    assert (ran.code, ran.json["stopped"]) == (3, "unreachable")
    assert url in ran.err
    assert "start the server" in ran.err
    assert ran.json["prompts"] == ran.json["not_reached"] == 12


def test_a_model_that_is_not_there_stops_the_run_and_is_named(project: Project) -> None:
    ran = pairsmith(*project.words("--set", "endpoints.student.model=sim-nobody"))

    assert (ran.code, ran.json["stopped"]) == (3, "no_such_model")
    assert "sim-nobody" in ran.err


def test_a_mistake_in_a_process_of_its_own_shows_no_traceback(project: Project) -> None:
    with started(*project.words("--set", "pair.min_gpa=1"), fresh=True) as process:
        ran = ended(process)

    assert ran.code == 2
    assert ran.err.count("\n") == 1
    assert "did you mean min_gap?" in ran.json["error"]
