"""Keys: a canary is nowhere in the run folder, on stdout or on stderr, whatever the server says about it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_runs import Project, Ran, ended, everyday, pairsmith, serving, started

CANARIES = ["sk-canary-7Zq4vXw2LmN8pR5t", "canary.7Zq4vXw2LmN8pR5t", "7Zq4vXw2LmN8pR5tKj3hGf6d"]
WRONG = ["sk-wrong-canary-Yb6uDe3K", "wrongcanaryYb6uDe3KpQ1s"]


@pytest.fixture(params=CANARIES)
def canary(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def locked_project(tmp_path: Path, canary: str) -> Iterator[Project]:
    """A project whose server wants the canary."""
    with serving(require_key=canary) as server:
        project = Project(tmp_path, server).prompts(everyday(4))
        endpoints = {name: {**one, "api_key_env": "CANARY_KEY"} for name, one in project.table["endpoints"].items()}
        project.save(endpoints=endpoints)
        yield project


def traces(key: str) -> list[bytes]:
    """The key, every half of it, and what servers like to echo of it."""
    half = len(key) // 2
    return [part.encode() for part in (key, key[:half], key[half:], f"{key[:5]}***", f"***{key[-4:]}")]


def leaks(key: str, project: Project, *ran: Ran) -> list[str]:
    """Where a trace of the key can be found."""
    places = {str(path): path.read_bytes() for path in project.run_dir.rglob("*") if path.is_file()}
    places |= {f"stdout {n}": one.out.encode() for n, one in enumerate(ran)}
    places |= {f"stderr {n}": one.err.encode() for n, one in enumerate(ran)}
    return [f"{trace!r} in {place}" for place, held in places.items() for trace in traces(key) if trace in held]


def test_the_right_key_works_and_is_written_nowhere(
    locked_project: Project, canary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY_KEY", canary)

    ran = pairsmith(*locked_project.words())

    assert ran.code == 0
    assert leaks(canary, locked_project, ran) == []


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_key_stops_the_run_and_is_written_nowhere_though_the_server_echoes_it(
    locked_project: Project, canary: str, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY_KEY", wrong)

    ran = pairsmith(*locked_project.words())

    assert (ran.code, ran.json["stopped"]) == (3, "refused_key")
    assert "$CANARY_KEY" in ran.err
    assert leaks(wrong, locked_project, ran) == []
    assert leaks(canary, locked_project, ran) == []


def test_a_run_goes_on_once_the_key_is_right(
    locked_project: Project, canary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY_KEY", "wrong-canary-0000")
    locked_project.run(code=3)
    monkeypatch.setenv("CANARY_KEY", canary)

    assert locked_project.run()["not_reached"] == 0


@pytest.mark.parametrize("canary", CANARIES[:1])
def test_a_run_in_a_process_of_its_own_writes_the_key_nowhere(locked_project: Project, canary: str) -> None:
    words = [word for word in locked_project.words() if word != "--quiet"]
    with started(*words, env={"CANARY_KEY": canary}) as process:
        ran = ended(process)

    assert (ran.code, ran.json["not_reached"]) == (0, 0)
    assert leaks(canary, locked_project, ran) == []


def test_the_stored_recipe_names_the_variable_and_not_the_key(
    locked_project: Project, canary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANARY_KEY", canary)
    locked_project.run()

    stored = (locked_project.run_dir / "recipe.toml").read_text()

    assert 'api_key_env = "CANARY_KEY"' in stored


def test_an_endpoint_with_a_url_of_its_own_is_sent_no_key_of_the_environment(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """OPENAI_API_KEY goes to the endpoints without a base_url only."""
    monkeypatch.setenv("OPENAI_API_KEY", CANARIES[0])
    seen = []
    unauthorised = project.server.simulator._unauthorised
    monkeypatch.setattr(
        project.server.simulator,
        "_unauthorised",
        lambda request: seen.append(request.headers.get("Authorization")) or unauthorised(request),
    )

    project.run()

    assert set(seen) == {None}
