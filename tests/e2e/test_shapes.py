"""Endpoints that refuse the verdict's schema: asked in a simpler way, remembered, and nothing bought twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_runs import Project, Server, accounted, everyday, pairsmith, right_share, serving
from pairsmith.simulator.answers import Reply, openai_error
from pairsmith.simulator.presets import PRESETS, Preset

REFUSING = "no-schema"
PLAIN = "plain-text-only"


def refused(name: str, value: object) -> Reply:
    return openai_error(400, "This model does not support response_format json_schema.", param="response_format")


@pytest.fixture
def presets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PRESETS, REFUSING, Preset(json_schema=refused))
    monkeypatch.setitem(PRESETS, PLAIN, Preset(refused={"response_format": refused}))


@pytest.fixture(params=[REFUSING, PLAIN, "llama-cpp"])
def like(request: pytest.FixtureRequest, presets: None) -> str:
    return str(request.param)


@pytest.fixture
def refusing(tmp_path: Path, like: str) -> Iterator[Project]:
    with serving(like=like) as server:
        yield Project(tmp_path, server).prompts(everyday(15))


def test_a_judge_that_refuses_the_schema_is_asked_without_it_and_settles(refusing: Project) -> None:
    ran = pairsmith(*refusing.words())

    assert ran.code == 0, ran.err
    assert ran.json["pairs"] > 0
    assert accounted(ran.json) == 15
    assert ran.json["failed"] == {}
    assert "refuses the schema of its replies" in ran.err
    assert right_share(refusing.server, refusing.pairs) >= 0.95


def test_what_was_refused_is_remembered_by_the_next_run(refusing: Project) -> None:
    refusing.run()
    statuses = refusing.server.stats()["by_status"]
    refusing.server.forget()

    said = refusing.prompts(everyday(18)).run()

    assert sum(count for status, count in statuses.items() if status != "200") >= 1
    assert set(refusing.server.stats()["by_status"]) == {"200"}
    assert said["prompts"] == 18
    assert max(refusing.server.keys.values()) == 1


def test_a_second_run_after_a_refused_schema_makes_no_call(refusing: Project) -> None:
    refusing.run()
    refusing.server.forget()

    assert refusing.run()["calls"] == {}
    assert refusing.server.calls == 0


def test_no_answered_request_is_bought_twice_while_the_shape_is_learnt(refusing: Project) -> None:
    refusing.run()

    answered = {request for (request,) in refusing.sql("SELECT request FROM replies WHERE raw IS NOT NULL")}
    assert all(refusing.server.keys[key] == 1 for key in answered)


def test_a_server_that_ignores_the_schema_is_read_all_the_same(tmp_path: Path) -> None:
    with serving(like="silent") as server:
        project = Project(tmp_path, server).prompts(everyday(15))
        said = project.run()

    assert said["pairs"] > 0
    assert said["failed"] == {}


def test_a_parameter_that_the_endpoint_refuses_stops_the_run_and_is_named(tmp_path: Path) -> None:
    with serving(like="openai") as server:
        ran = refused_run(tmp_path, server)

    assert (ran.code, ran.json["stopped"]) == (3, "parameter_refused")
    assert "top_k" in ran.err
    assert ran.json["not_reached"] == 12


def refused_run(folder: Path, server: Server):  # type: ignore[no-untyped-def]
    project = Project(folder, server).prompts(everyday(12))
    return pairsmith(*project.words("--set", "sample.top_k=[20]"))
