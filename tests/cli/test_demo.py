import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from cli_runs import Ran, pairsmith
from pairsmith.cli.shown import MOST_LINES, Shown, Side, as_text, lines_of
from pairsmith.recipe import load_recipe

SRC = str(Path(__file__).parents[2] / "src")
Made = tuple[Path, subprocess.CompletedProcess[str], float]


def demo(*words: str, at: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "pairsmith", "demo", *words]
    environment = {**os.environ, "PYTHONPATH": SRC, "COLUMNS": "80", **environment}
    return subprocess.run(command, cwd=at, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def demo_here(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    """The demo in this process: for what does not depend on which one it is."""

    def run(*words: str, at: Path, **environment: str) -> Ran:
        monkeypatch.chdir(at)
        for name, value in {"COLUMNS": "80", **environment}.items():
            monkeypatch.setenv(name, value)
        return pairsmith("demo", *words)

    return run


def rows(path: Path) -> list[Any]:
    return [orjson.loads(line) for line in path.read_bytes().split(b"\n") if line]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """A demo that was run once: where, what it said, and the seconds it took."""
    at = tmp_path_factory.mktemp("demo")
    started = time.monotonic()
    done = demo(at=at)
    return at, done, time.monotonic() - started


@pytest.fixture
def copied(made: Made, tmp_path: Path) -> Path:
    """The same, to be changed by one test."""
    shutil.copytree(made[0], tmp_path / "again")
    return tmp_path / "again"


def test_the_demo_takes_less_than_thirty_seconds_and_writes_what_it_names(made: Made) -> None:
    at, done, seconds = made
    named = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  pairsmith-demo/")]

    assert done.returncode == 0, done.stderr
    assert seconds < 30
    assert {Path(path).name for path in named} == {
        "report.html",
        "pairs.jsonl",
        "pairs.provenance.jsonl",
        "ledger.sqlite3",
        "recipe.toml",
    }
    assert all((at / path).is_file() for path in named)


def test_the_dataset_is_the_run_of_the_recipe_that_was_written(made: Made) -> None:
    folder = made[0] / "pairsmith-demo"
    pairs, proofs = rows(folder / "run" / "pairs.jsonl"), rows(folder / "run" / "pairs.provenance.jsonl")
    recipe = load_recipe(folder / "recipe.toml")

    assert len(rows(folder / "prompts.jsonl")) == 48
    assert len(pairs) == len(proofs) > 30
    assert all(proof["simulated"] for proof in proofs)
    assert all(endpoint.price for endpoint in recipe.endpoints.values())


def test_it_shows_three_pairs_with_both_sides_and_what_the_judge_said(made: Made) -> None:
    said = made[1].stdout

    assert [said.count(f"pair {place} of 3") for place in (1, 2, 3)] == [1, 1, 1]
    assert [said.count(word) for word in ("\nPROMPT", "\nCHOSEN  ", "\nREJECTED  ", "judge: ", "\ngap ")] == [
        3, 3, 3, 6, 3,
    ]  # fmt: skip
    assert "(the longer answer was rejected)" in said


def test_it_says_that_everything_was_simulated_and_what_comes_next(made: Made) -> None:
    said = made[1].stdout

    assert "All of this was simulated" in said
    assert "\n  pairsmith review pairsmith-demo/run " in said
    assert "\n  pairsmith export pairsmith-demo/run --target trl\n" in said
    assert "\n  pairsmith init my-pairs --for vllm " in said


def test_no_line_is_wider_than_the_terminal(made: Made) -> None:
    assert max(map(len, made[1].stdout.splitlines())) <= 80


def test_without_a_terminal_there_are_no_escape_codes(made: Made) -> None:
    assert "\x1b" not in made[1].stdout


def test_a_second_run_asks_nothing_and_shows_the_same_pairs(
    made: Made, copied: Path, demo_here: Callable[..., Ran]
) -> None:
    again = demo_here(at=copied)
    files = ("prompts.jsonl", "recipe.toml", "run/pairs.jsonl", "run/pairs.provenance.jsonl")
    first, second = (said[said.index("── pair 1") :] for said in (made[1].stdout, again.out))

    assert again.code == 0
    assert "calls        none: nothing was owed" in again.out
    assert "Nothing was asked again" in again.out
    assert first == second
    for file in files:
        assert (copied / "pairsmith-demo" / file).read_bytes() == (made[0] / "pairsmith-demo" / file).read_bytes()


def test_json_is_the_runs_object_with_the_pairs_shown(copied: Path, demo_here: Callable[..., Ran]) -> None:
    said = demo_here("--json", at=copied).json
    shown = said["pairs_shown"]
    stored = {
        (row["input"]["messages"][-1]["content"], row["preferred_output"][0]["content"])
        for row in rows(copied / "pairsmith-demo" / "run" / "pairs.jsonl")
    }

    assert (said["prompts"], said["calls"], said["stopped"]) == (48, {}, None)
    assert Path(said["report"]).name == "report.html"
    assert said["total"]["calls"] > 300
    assert len({pair["family"] for pair in shown}) == 3
    assert {(pair["prompt"], pair["chosen"]["text"]) for pair in shown} <= stored
    for pair in shown:
        assert pair["gap"] == pair["chosen"]["score"] - pair["rejected"]["score"] >= 3
        assert all(pair[side]["arm"] and pair[side]["rationales"] for side in ("chosen", "rejected"))


def test_a_recipe_that_was_played_with_is_kept_and_pays_only_for_the_change(
    copied: Path, demo_here: Callable[..., Ran]
) -> None:
    recipe = copied / "pairsmith-demo" / "recipe.toml"
    changed = recipe.read_text().replace("chosen_floor = 6.0", "chosen_floor = 9.5")
    recipe.write_text(changed)
    done = demo_here(at=copied)

    assert done.code == 0
    assert recipe.read_text() == changed
    assert "The recipe has changed, and nothing had to be asked again" in done.out


def test_the_recipe_runs_by_itself_where_its_folder_is(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copied / "pairsmith-demo")
    done = pairsmith("run", "recipe.toml", "--run-dir", "run", "--json")

    assert done.code == 0
    assert done.json["calls"] == {}


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path, demo_here: Callable[..., Ran]) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "recipe.toml").write_text('name = "mine"\n')
    done = demo_here("notes", at=tmp_path)

    assert done.code == 2
    assert done.err == ("pairsmith: notes holds something else than a demo: name a new folder: pairsmith demo DIR\n")
    assert [path.name for path in (tmp_path / "notes").iterdir()] == ["recipe.toml"]


def test_a_file_in_the_folders_place_is_said_in_json_too(tmp_path: Path, demo_here: Callable[..., Ran]) -> None:
    (tmp_path / "notes").write_text("")
    done = demo_here("notes", "--json", at=tmp_path)

    assert done.code == 2
    assert done.json["error"].startswith("notes is a file")
    assert "Traceback" not in done.err


def test_a_broken_recipe_in_the_folder_is_the_users_to_mend(copied: Path, demo_here: Callable[..., Ran]) -> None:
    with (copied / "pairsmith-demo" / "recipe.toml").open("a") as recipe:
        recipe.write("taget = 1\n")
    done = demo_here(at=copied)

    assert done.code == 2
    assert "did you mean target?" in done.err
    assert "Traceback" not in done.err


def test_a_proxy_in_the_environment_does_no_harm(copied: Path, demo_here: Callable[..., Ran]) -> None:
    shutil.rmtree(copied / "pairsmith-demo" / "run")
    (copied / "pairsmith-demo" / "prompts.jsonl").write_text('{"prompt": "Why is the sky blue?"}\n')
    nowhere = "http://127.0.0.1:9"
    done = demo_here("--json", at=copied, HTTP_PROXY=nowhere, http_proxy=nowhere, ALL_PROXY=nowhere)

    assert done.code == 0, done.err
    assert done.json["failed"] == {}
    assert done.json["total"]["calls"] > 5


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_however_it_ends_no_simulator_stays_behind(ending: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pairsmith", "demo"]
    environment = {**os.environ, "PYTHONPATH": SRC, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    process.stderr.read(1)  # the bar: the simulator answers by now
    process.send_signal(ending)
    process.communicate(timeout=30)
    port = load_recipe(tmp_path / "pairsmith-demo" / "run" / "recipe.toml").endpoints["student"].base_url

    assert process.returncode in (130, -signal.SIGKILL)
    assert isinstance(port, str)
    assert _closed_soon(int(port.rsplit(":", 1)[1].partition("/")[0]))


def _closed_soon(port: int) -> bool:
    import socket

    give_up = time.monotonic() + 10
    while time.monotonic() < give_up:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)):
                return True
    return False


def test_long_texts_are_cut_with_a_word_about_the_rest() -> None:
    side = Side("\n".join(f"line {n}" for n in range(30)), "T1", 9.0, ("fine",))
    said = as_text([Shown("a", "f", "prompt", side, side, 3.0)])

    assert said.count(f"[… {30 - MOST_LINES + 1} more lines]") == 2
    assert "line 10\n" in said
    assert "line 11\n" not in said


def test_code_and_lists_keep_their_lines_when_they_are_wrapped() -> None:
    assert lines_of("- one two three\n\n    return 1\nx", 12) == ["- one two", "three", "", "    return 1", "x"]
