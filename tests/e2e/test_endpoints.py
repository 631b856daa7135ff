"""Endpoints as they are: several replicas of one model, down for a while, limited, another model than before."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cli_runs import Process, Project, Ran, Server, bought, ended, everyday, pairsmith, serving, started, until
from pairsmith.errors import RecipeError
from pairsmith.recipe import endpoints, recipe_of
from pairsmith.records import Endpoint, EndpointName
from pairsmith.simulator import Simulator
from pairsmith.wire import breaker, gate

DRAWS = 4  # completions a prompt
SOON_S = 3.0  # within which a run that is told to stop has ended


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times as fast: backoffs, and the calls that try whether an endpoint is back."""
    monkeypatch.setattr(gate, "BACKOFF_S", 0.05)
    monkeypatch.setattr(gate, "MAX_PROBE_S", 0.1)
    monkeypatch.setattr(gate, "MAX_PATIENT_PROBE_S", 0.2)


@pytest.fixture
def judge() -> Iterator[Server]:
    """The server of the judge, which is never in trouble."""
    with serving() as started:
        yield started


def project_at(folder: Path, judge: Server, urls: str | Sequence[str], prompts: int = 12, **student: Any) -> Project:
    """A project whose student is at these URLs, and whose judge is elsewhere."""
    made = Project(folder, judge).prompts(everyday(prompts))
    where = urls if isinstance(urls, str) else list(urls)
    tables = {
        "student": {"model": "sim-student", "base_url": where, "concurrency": 4, **student},
        "judge": {"model": "sim-judge", "base_url": judge.url},
    }
    made.save(endpoints=tables)
    return made


def change(project: Project, **student: Any) -> None:
    """Other settings of the student; None takes one out."""
    table = project.table["endpoints"]
    changed = {key: value for key, value in {**table["student"], **student}.items() if value is not None}
    project.save(endpoints={**table, "student": changed})


def run(project: Project, *more: object, code: int = 0) -> Ran:
    """Run it to an end in which nothing is wrong but what the code says."""
    ran = pairsmith(*project.words(*more))
    assert ran.code == code, ran.err
    return ran


def whole(ran: Ran) -> None:
    """Every prompt came to something, and none of them failed."""
    assert (ran.json["stopped"], ran.json["failed"], ran.json["not_reached"]) == (None, {}, 0)


def times_said(ran: Ran, words: str) -> int:
    return sum(words in line for line in ran.err.splitlines())


def outcomes(project: Project, endpoint: str = "student") -> Counter[str]:
    """How many attempts came to what."""
    return Counter(word for (word,) in project.sql(f"SELECT outcome FROM attempts WHERE endpoint = '{endpoint}'"))


def keys(server: Server) -> Counter[str]:
    """How often it saw each request; also once it has stopped."""
    return server.simulator.stats.keys


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def url_at(port: int) -> str:
    return f"http://127.0.0.1:{port}/v1"


@contextlib.contextmanager
def meanwhile(action: Callable[[], object]) -> Iterator[None]:
    """Something that happens while a run goes on."""
    thread = threading.Thread(target=action)
    thread.start()
    try:
        yield
    finally:
        thread.join()


class Movable:
    """A simulator that comes to a port of its own, and leaves it."""

    def __init__(self, **settings: Any) -> None:
        self.port = free_port()
        self._settings = settings
        self._running = contextlib.ExitStack()
        self.server: Server | None = None

    @property
    def url(self) -> str:
        return url_at(self.port)

    @property
    def calls(self) -> int:
        return self.server.calls if self.server else 0

    def come(self) -> None:
        self.server = self._running.enter_context(serving(port=self.port, **self._settings))

    def leave(self) -> None:
        self._running.close()


@pytest.fixture
def movable() -> Iterator[Callable[..., Movable]]:
    """Makes simulators that come and leave; at the end all have left."""
    made: list[Movable] = []

    def make(**settings: Any) -> Movable:
        made.append(Movable(**settings))
        return made[-1]

    yield make
    for one in made:
        one.leave()


Make = Callable[..., Movable]


# --- replicas ----------------------------------------------------------------------------------------


def test_two_replicas_share_the_calls_and_each_has_its_own_concurrency(tmp_path: Path, judge: Server) -> None:
    with serving(latency_s=0.02) as a, serving(latency_s=0.02) as b:
        project = project_at(tmp_path, judge, [a.url, b.url], prompts=20, concurrency=4)
        whole(run(project))
        calls, most = (a.calls, b.calls), (a.stats()["max_in_flight"], b.stats()["max_in_flight"])

    assert sum(calls) == 20 * DRAWS == len(keys(a) + keys(b))
    assert min(calls) >= 30
    assert most == (4, 4)


def test_the_slower_replica_gets_fewer_calls(tmp_path: Path, judge: Server) -> None:
    with serving(latency_s=0.01) as fast, serving(latency_s=0.2) as slow:
        whole(run(project_at(tmp_path, judge, [slow.url, fast.url], prompts=20)))

    assert 0 < slow.calls < fast.calls / 3


def test_where_an_answer_came_from_changes_nothing(tmp_path: Path, judge: Server) -> None:
    with serving() as a, serving() as b:
        one = project_at(tmp_path / "one", judge, a.url)
        two = project_at(tmp_path / "two", judge, [a.url, b.url])
        run(one)
        run(two)

    assert one.dataset == two.dataset


def test_a_replica_that_is_down_from_the_start_costs_its_first_calls_and_is_named_once(
    tmp_path: Path, judge: Server
) -> None:
    gone = url_at(free_port())
    with serving(latency_s=0.05) as a:
        project = project_at(tmp_path, judge, [a.url, gone], prompts=25)
        ran = run(project)

    whole(ran)
    assert outcomes(project)["ok"] == 25 * DRAWS == len(keys(a))
    assert a.calls == 25 * DRAWS
    probes = 2 + ran.json["wall_s"] / 0.05  # never less than half of MAX_PROBE_S apart, but for the first ones
    assert outcomes(project)["unreachable"] <= 4 + probes
    assert times_said(ran, "going on with 1 of 2 replicas") == 1
    assert times_said(ran, gone) == 1


def test_the_sentence_on_a_replica_that_is_down_does_not_ask_for_what_is_not_needed(
    tmp_path: Path, judge: Server
) -> None:
    with serving(latency_s=0.05) as a:
        ran = run(project_at(tmp_path, judge, [url_at(free_port()), a.url], prompts=25))

    (line,) = [line for line in ran.err.splitlines() if "going on with 1 of 2 replicas" in line]
    assert "run the same command again" not in line


def test_a_replica_that_leaves_in_the_middle_costs_its_calls_in_flight(
    tmp_path: Path, judge: Server, movable: Make
) -> None:
    leaving = movable(latency_s=0.05)
    leaving.come()

    def leave() -> None:
        until(lambda: leaving.calls > 20, "some calls")
        leaving.leave()

    with serving(latency_s=0.05) as a:
        project = project_at(tmp_path, judge, [leaving.url, a.url], prompts=30)
        with meanwhile(leave):
            ran = run(project)

    whole(ran)
    assert outcomes(project)["ok"] == 30 * DRAWS
    failed = outcomes(project).total() - 30 * DRAWS
    assert 0 < failed <= 4 + 2 + ran.json["wall_s"] / 0.05


@pytest.mark.parametrize("fault", ["f503", "f500", "reset", "f529", "html", "f429_flex"])
def test_a_replica_that_begins_to_fail_costs_its_calls_in_flight(tmp_path: Path, judge: Server, fault: str) -> None:
    with serving(latency_s=0.02) as a, serving(latency_s=0.02, retry_after_s=4.0) as b:
        project = project_at(tmp_path, judge, [a.url, b.url], prompts=25)

        def fail() -> None:
            until(lambda: b.calls > 15, "some calls")
            b.faults(**{fault: 1.0})

        with meanwhile(fail):
            ran = run(project)

    whole(ran)
    assert outcomes(project)["ok"] == 25 * DRAWS
    assert 0 < outcomes(project).total() - 25 * DRAWS <= 4 + 3 + ran.json["wall_s"] / 0.05
    assert max((keys(a) + keys(b)).values()) < 6
    assert ran.json["wall_s"] < SOON_S


@pytest.mark.parametrize("after_calls", [0, 20])
def test_where_all_replicas_are_down_the_run_stops(tmp_path: Path, judge: Server, after_calls: int) -> None:
    with serving() as a, serving() as b:
        project = project_at(tmp_path, judge, [a.url, b.url], prompts=25)
        a.latency(0.02)
        b.latency(0.02)

        def fail() -> None:
            until(lambda: a.calls >= after_calls, "some calls")
            a.faults(f500=1.0)
            b.faults(f500=1.0)

        if after_calls:
            with meanwhile(fail):
                ran = run(project, code=3)
        else:
            fail()
            ran = run(project, code=3)
        a.faults()
        b.faults()
        again = run(project)

    assert ran.json["stopped"] == "broken_endpoint"
    assert ran.json["failed"] == {}
    assert ran.json["not_reached"] > 0
    whole(again)


def test_where_nothing_listens_at_any_replica_the_run_stops_as_unreachable(tmp_path: Path, judge: Server) -> None:
    ran = run(project_at(tmp_path, judge, [url_at(free_port()), url_at(free_port()), url_at(free_port())]), code=3)

    assert ran.json["stopped"] == "unreachable"
    assert ran.json["not_reached"] == 12
    assert ran.json["wall_s"] < SOON_S


def test_a_replica_that_is_back_is_used_again(tmp_path: Path, judge: Server, movable: Make) -> None:
    late = movable(latency_s=0.02)
    with serving(latency_s=0.02) as a:
        project = project_at(tmp_path, judge, [a.url, late.url], prompts=60)

        def come() -> None:
            until(lambda: a.calls > 60, "some calls")
            late.come()

        with meanwhile(come):
            ran = run(project)

    whole(ran)
    assert late.calls > 30
    assert a.calls + late.calls == 60 * DRAWS


def test_a_replica_that_refuses_with_a_long_pause_keeps_the_other_from_nothing(tmp_path: Path, judge: Server) -> None:
    with serving() as a, serving(faults={"429-after": 1.0}, retry_after_s=4.0) as b:
        ran = run(project_at(tmp_path, judge, [b.url, a.url]))

    whole(ran)
    assert b.calls <= 4 + 1
    assert ran.json["wall_s"] < SOON_S


def test_replicas_come_and_go_from_run_to_run_and_nothing_is_bought_anew(tmp_path: Path, judge: Server) -> None:
    with serving() as a, serving() as b, serving() as c:
        project = project_at(tmp_path, judge, a.url)
        whole(run(project))
        first = a.calls
        for urls in ([a.url, b.url], [b.url], [c.url, b.url], c.url):
            change(project, base_url=urls)
            ran = run(project)
            assert ran.json["calls"] == {}
        project.prompts(everyday(16))
        ran = run(project)

    assert (first, a.calls, b.calls) == (12 * DRAWS, 12 * DRAWS, 0)
    assert c.calls == bought(ran.json, "student") == 4 * DRAWS


def test_replicas_that_are_all_new_are_asked_about(tmp_path: Path, judge: Server) -> None:
    with serving() as a, serving() as b, serving() as c:
        project = project_at(tmp_path, judge, a.url)
        run(project)
        change(project, base_url=[b.url, c.url])
        sentence = project.fails()
        said = project.run("--same-endpoint", "student")

    assert "--same-endpoint student" in sentence
    assert said["calls"] == {}
    assert b.calls == c.calls == 0


def test_what_concerns_all_replicas_is_said_once(tmp_path: Path, judge: Server) -> None:
    with serving(latency_s=0.02) as a, serving(latency_s=0.02) as b:
        project = project_at(tmp_path, judge, [a.url, b.url], prompts=8, tokens_per_minute=1000)
        ran = run(project, code=3)

    assert ran.json["failed"] == {"over_token_limit": 8}
    assert times_said(ran, "lower max_tokens or raise tokens_per_minute") == 1


# --- patience ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["6h", "90m", "1h30m", "45s"])
def test_patience_is_written_as_people_write_it(project: Project, written: str) -> None:
    whole(run(project.prompts(everyday(1)), "--patience", written))


@pytest.mark.parametrize("written", ["soon", "6", "-1h", "1.5h", ""])
def test_patience_that_is_no_time_is_a_mistake(project: Project, written: str) -> None:
    sentence = project.fails("--patience", written)

    assert "is no time span: write it like 6h, 90m or 1h30m" in sentence
    assert project.server.calls == 0


def test_with_patience_an_endpoint_that_comes_late_is_waited_for(tmp_path: Path, judge: Server, movable: Make) -> None:
    late = movable()
    project = project_at(tmp_path, judge, late.url, prompts=4)

    def come() -> None:
        until(lambda: attempted(project, 3), "the first tries")
        late.come()

    with meanwhile(come):
        ran = run(project, "--patience", "60s")

    whole(ran)
    assert outcomes(project)["unreachable"] >= 3
    assert late.calls == 4 * DRAWS


def test_without_patience_an_endpoint_that_is_not_there_is_not_waited_for(tmp_path: Path, judge: Server) -> None:
    ran = run(project_at(tmp_path, judge, url_at(free_port())), code=3)

    assert ran.json["stopped"] == "unreachable"
    assert ran.json["wall_s"] < SOON_S


def test_patience_ends(tmp_path: Path, judge: Server) -> None:
    ran = run(project_at(tmp_path, judge, url_at(free_port())), "--patience", "1s", code=3)

    assert ran.json["stopped"] == "unreachable"
    assert 1 <= ran.json["wall_s"] < 1 + SOON_S


def test_patience_with_an_endpoint_that_only_refuses_ends(
    tmp_path: Path, judge: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "SILENT_FOR_S", 0.2)
    with serving(faults={"429": 1.0}) as student:
        project = project_at(tmp_path, judge, student.url, prompts=4)
        hasty = run(project, code=3)
        patient = run(project, "--patience", "1s", code=3)

    assert hasty.json["stopped"] == patient.json["stopped"] == "throttled"
    assert "lower requests_per_minute" in patient.err
    assert hasty.json["wall_s"] < 1.0 <= patient.json["wall_s"] < 1 + SOON_S


def test_a_pause_longer_than_the_patience_is_not_sat_out(tmp_path: Path, judge: Server) -> None:
    with serving(faults={"429-after": 1.0}, retry_after_s=7200.0) as student:
        ran = run(project_at(tmp_path, judge, student.url), "--patience", "1h", code=3)

    assert ran.json["stopped"] == "throttled"
    assert "asks for a pause of 2 hours" in ran.err
    assert ran.json["wall_s"] < SOON_S


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("quota", "quota"), ("402", "quota"), ("401", "refused_key"), ("403", "refused_key"), ("500", "broken_endpoint")],
)
def test_what_does_not_pass_by_itself_stops_the_run_in_spite_of_patience(
    tmp_path: Path, judge: Server, fault: str, reason: str
) -> None:
    with serving(faults={fault: 1.0}) as student:
        ran = run(project_at(tmp_path, judge, student.url), "--patience", "6h", code=3)

    assert ran.json["stopped"] == reason
    assert student.calls <= 8
    assert ran.json["wall_s"] < SOON_S


@pytest.mark.parametrize("fault", ["503", "502", "reset", "429-flex"])
def test_an_outage_that_is_waited_for_costs_no_request_its_tries(
    tmp_path: Path, judge: Server, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "BACKOFF_S", 0.002)
    monkeypatch.setattr(gate, "MAX_PATIENT_PROBE_S", 0.01)
    with serving(faults={fault: 1.0}) as student:
        project = project_at(tmp_path, judge, student.url, prompts=1, concurrency=2)

        def mend() -> None:
            until(lambda: student.calls > 60, "a long outage")
            student.faults()

        with meanwhile(mend):
            ran = run(project, "--patience", "60s")

    whole(ran)
    assert outcomes(project)["ok"] == DRAWS
    assert max(keys(student).values()) > 6


def test_an_outage_is_told_once_and_so_is_its_end(
    tmp_path: Path, judge: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(breaker, "NOTICE_S", 0.1)
    with serving(faults={"503": 1.0}) as student:
        project = project_at(tmp_path, judge, student.url)

        def mend() -> None:
            until(lambda: student.calls > 0, "the first call")
            time.sleep(0.4)
            student.faults()

        with meanwhile(mend):
            ran = run(project, "--patience", "1h")

    whole(ran)
    assert times_said(ran, "(http_503): trying on") == 1
    assert times_said(ran, "trying on, for 60 minutes at most") == 1
    assert times_said(ran, "endpoint student answers again") == 1
    assert ran.err.index("trying on") < ran.err.index("answers again")


def test_an_endpoint_that_answers_is_told_nothing_about(project: Project) -> None:
    ran = run(project, "--patience", "1h")

    assert (times_said(ran, "trying on"), times_said(ran, "answers again")) == (0, 0)


# --- the tier ----------------------------------------------------------------------------------------


@pytest.fixture
def bodies(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """What the simulators of this test receive, by Idempotency-Key."""
    seen: dict[str, dict[str, Any]] = {}
    plain = Simulator._chat

    async def chat(simulator: Simulator, request: web.Request) -> web.StreamResponse:
        seen[request.headers["Idempotency-Key"]] = json.loads(await request.read())
        return await plain(simulator, request)

    monkeypatch.setattr(Simulator, "_chat", chat)
    return seen


def test_a_tier_is_sent_and_is_no_part_of_what_is_asked(
    tmp_path: Path, judge: Server, bodies: dict[str, dict[str, Any]]
) -> None:
    with serving() as student:
        flex = project_at(tmp_path / "flex", judge, student.url, service_tier="flex")
        whole(run(flex))
        asked, sent = set(keys(student)), [bodies[key] for key in keys(student)]
        bodies.clear()
        plain = project_at(tmp_path / "plain", judge, student.url)
        student.forget()
        whole(run(plain))

    assert [body["service_tier"] for body in sent] == ["flex"] * 12 * DRAWS
    assert asked == set(keys(student))
    assert not any("service_tier" in body for body in bodies.values())


def test_another_tier_buys_nothing_anew(tmp_path: Path, judge: Server) -> None:
    with serving() as student:
        project = project_at(tmp_path, judge, student.url, service_tier="flex")
        run(project)
        for tier in ("priority", None, "default"):
            change(project, service_tier=tier)
            assert run(project).json["calls"] == {}

    assert student.calls == 12 * DRAWS


def test_a_tier_that_is_none_is_a_mistake(project: Project) -> None:
    sentence = project.fails("--set", "endpoints.student.service_tier=cheap")

    assert "service_tier" in sentence
    assert "flex" in sentence


def test_a_flex_tier_without_a_free_machine_is_tried_again_later(tmp_path: Path, judge: Server) -> None:
    with serving(faults={"429-flex": 0.3}, seed=1) as student:
        project = project_at(tmp_path, judge, student.url, service_tier="flex", concurrency=2)
        whole(run(project))
        refused = student.stats()["by_fault"]["429-flex"]

    assert refused > 0
    assert outcomes(project) == {"ok": 12 * DRAWS, "resource_unavailable": refused}
    assert len(keys(student)) == 12 * DRAWS
    assert student.calls == 12 * DRAWS + refused


# --- what follows from the host and from the tier ---------------------------------------------------------


def endpoint_of(**fields: Any) -> Endpoint:
    """The one endpoint of a recipe."""
    table = {
        "name": "r",
        "prompts": {"path": "p.jsonl"},
        "endpoints": {"student": {"model": "m", **fields}},
        "judge": {"panel": ["student"]},
    }
    return endpoints(recipe_of(table, "recipe.toml"), {})[EndpointName("student")]


@pytest.mark.parametrize(
    ("fields", "timeout_s"),
    [
        ({}, 600.0),
        ({"service_tier": "flex"}, 1800.0),
        ({"service_tier": "priority"}, 600.0),
        ({"service_tier": "flex", "timeout_s": 90.0}, 90.0),
        ({"timeout_s": 90.0}, 90.0),
    ],
)
def test_a_flex_tier_is_given_more_time_unless_the_recipe_says_how_much(
    fields: dict[str, Any], timeout_s: float
) -> None:
    assert endpoint_of(**fields).timeout_s == timeout_s


@pytest.mark.parametrize(
    ("url", "counts_bounds"),
    [
        (None, True),
        ("https://api.openai.com/v1", True),
        ("https://eu.api.openai.com/v1", True),
        ("https://my-resource.openai.azure.com/openai/v1", True),
        ("https://API.OpenAI.com/v1", True),
        ("https://openai.com.evil.example/v1", False),
        ("https://notopenai.com/v1", False),
        ("https://api.groq.com/openai/v1", False),
        ("https://api.together.xyz/v1", False),
        ("http://localhost:8000/v1", False),
        (["http://gpu1:8000/v1", "http://gpu2:8000/v1"], False),
    ],
)
def test_tokens_are_counted_by_their_bound_where_the_host_counts_so(
    url: str | list[str] | None, counts_bounds: bool
) -> None:
    assert endpoint_of(**({} if url is None else {"base_url": url})).counts_bounds == counts_bounds


def test_the_tier_and_the_replicas_are_no_part_of_the_identity() -> None:
    one = endpoint_of(base_url="http://a/v1")
    other = endpoint_of(base_url=["http://b/v1", "http://a/v1"], service_tier="flex")

    assert one.identity == other.identity


@pytest.mark.parametrize("urls", [[], ["http://a/v1", "http://a/v1"], ["http://a/v1", "http://a/v1/"], ["a"]])
def test_replicas_that_cannot_be_are_a_mistake(urls: list[str]) -> None:
    with pytest.raises(RecipeError, match="base_url"):
        endpoint_of(base_url=urls)


# --- another model than before -------------------------------------------------------------------------


def test_a_new_model_between_two_runs_is_told_once(tmp_path: Path, judge: Server) -> None:
    with serving() as student:
        project = project_at(tmp_path, judge, student.url)
        told = []
        for prompts, another in ((12, 0.0), (16, 1.0), (20, 1.0), (24, 0.0)):
            student.faults(other_model=another)
            ran = run(project.prompts(everyday(prompts)))
            told.append(times_said(ran, "now answers as"))

    assert told == [0, 1, 0, 0]


def test_a_new_model_in_the_middle_of_a_run_is_told_once_and_named(tmp_path: Path, judge: Server) -> None:
    with serving(latency_s=0.01) as student:
        project = project_at(tmp_path, judge, student.url)

        def exchange() -> None:
            until(lambda: student.calls > 15, "some calls")
            student.faults(other_model=1.0)

        with meanwhile(exchange):
            ran = run(project)

    said = "endpoint student now answers as sim-student-2026-11-01, before as sim-student: "
    assert times_said(ran, said) == times_said(ran, "now answers as") == 1


def test_each_endpoint_whose_model_changes_is_told(project: Project) -> None:
    run(project)
    project.server.faults(other_model=1.0)
    ran = run(project.prompts(everyday(16)))

    assert times_said(ran, "endpoint student now answers as sim-student-2026-11-01") == 1
    assert times_said(ran, "endpoint judge now answers as sim-judge-2026-11-01") == 1
    assert times_said(ran, "now answers as") == 2


def test_a_model_that_always_had_another_name_is_not_told(project: Project) -> None:
    project.server.faults(other_model=1.0)

    assert times_said(run(project), "now answers as") == 0


def test_two_replicas_that_answer_as_two_models_are_told_once(tmp_path: Path, judge: Server) -> None:
    with serving(latency_s=0.01) as a, serving(latency_s=0.01, faults={"other-model": 1.0}) as b:
        ran = run(project_at(tmp_path, judge, [a.url, b.url]))

    assert times_said(ran, "now answers as") == 1


# --- too large for the limit --------------------------------------------------------------------------


def test_a_request_that_no_minute_could_hold_fails_at_once_and_is_asked_when_the_limit_is_raised(
    tmp_path: Path, judge: Server
) -> None:
    rows = [{"prompt": "How long is this? " + "word " * 40_000}, *everyday(1)]
    with serving() as student:
        project = project_at(tmp_path, judge, student.url, tokens_per_minute=60_000).prompts(rows)
        project.save(sample={**project.table["sample"], "max_tokens": 20_000})
        ran = run(project)
        asked = student.calls
        attempts = outcomes(project)
        change(project, tokens_per_minute=10_000_000)
        again = run(project)

    assert ran.json["failed"] == {"over_token_limit": 1}
    assert (ran.json["not_reached"], asked, attempts) == (0, DRAWS, {"ok": DRAWS})
    assert times_said(ran, "tokens and the endpoint allows 60,000 a minute: lower max_tokens or raise tokens") == 1
    assert ran.json["wall_s"] < SOON_S
    whole(again)
    assert again.json["completions"] == 2 * DRAWS
    assert set(keys(student).values()) == {1}


def test_where_every_request_is_too_large_nothing_is_sent_and_nothing_is_waited_for(
    tmp_path: Path, judge: Server
) -> None:
    with serving() as student:
        ran = run(project_at(tmp_path, judge, student.url, tokens_per_minute=1000), code=3)

    assert ran.json["stopped"] == "no_prompt_succeeded"
    assert ran.json["failed"] == {"over_token_limit": 12}
    assert times_said(ran, "lower max_tokens or raise tokens_per_minute") == 1
    assert student.calls == 0
    assert ran.json["wall_s"] < SOON_S


# --- limits that are announced, and limits that are not ---------------------------------------------------


def test_an_announced_limit_is_told_once_and_kept(tmp_path: Path, judge: Server) -> None:
    with serving(requests_per_minute=600) as student:
        ran = run(project_at(tmp_path, judge, student.url, prompts=5, concurrency=8))
        answered = student.stats()["by_status"]

    whole(ran)
    assert times_said(ran, "endpoint student announces 600 requests a minute: keeping to that") == 1
    assert times_said(ran, "announces") == 1
    assert answered == {"200": 5 * DRAWS}
    assert ran.json["wall_s"] > (5 * DRAWS - 8) / 10  # 8 leave at first, then 10 a second


def test_the_recipes_limit_stays_where_it_is_the_lower_one(tmp_path: Path, judge: Server) -> None:
    with serving(requests_per_minute=6000) as student:
        project = project_at(tmp_path, judge, student.url, prompts=3, requests_per_minute=3000)
        ran = run(project)

    whole(ran)
    assert times_said(ran, "announces") == 0


def test_an_announced_limit_of_tokens_is_told_and_kept(tmp_path: Path, judge: Server) -> None:
    with serving(tokens_per_minute=200_000) as student:
        ran = run(project_at(tmp_path, judge, student.url, prompts=4))

    whole(ran)
    assert times_said(ran, "endpoint student announces 200,000 tokens a minute: keeping to that") == 1


def test_a_hidden_limit_on_calls_in_flight_is_found_and_nothing_is_lost(tmp_path: Path, judge: Server) -> None:
    with serving(max_concurrent=4, latency_s=0.05) as student:
        project = project_at(tmp_path, judge, student.url, prompts=40, concurrency=64)
        halves: list[Any] = []

        def look() -> None:
            until(lambda: student.simulator.stats.by_status["200"] > 20 * DRAWS, "half of the answers")
            halves.append(student.stats())
            student.forget()

        with meanwhile(look):
            ran = run(project)
        halves.append(student.stats())

    whole(ran)
    assert outcomes(project)["ok"] == 40 * DRAWS
    second = halves[1]
    assert second["max_in_flight"] >= 3
    took_s = second["last_answer_s"] - second["first_request_s"]
    assert second["by_status"]["200"] / took_s > 0.4 * 4 / 0.05


def test_a_queue_behind_a_very_low_hidden_limit_is_worked_off(tmp_path: Path, judge: Server) -> None:
    with serving(max_concurrent=1, latency_s=0.01) as student:
        project = project_at(tmp_path, judge, student.url, prompts=15, concurrency=64)
        ran = run(project)

    whole(ran)
    assert outcomes(project)["ok"] == 15 * DRAWS


# --- interrupted while waiting -----------------------------------------------------------------------------


def interrupted(process: Process) -> Ran:
    """Send one SIGINT; the run must have ended soon."""
    process.send_signal(signal.SIGINT)
    began = time.monotonic()
    ran = ended(process)
    assert time.monotonic() - began < SOON_S
    assert ran.code == 130
    assert ran.json["stopped"] == "interrupted"
    return ran


def attempted(project: Project, count: int) -> bool:
    """Whether so many attempts have ended; false while there is no ledger yet."""
    if not (project.run_dir / "ledger.sqlite3").exists():
        return False
    with contextlib.suppress(Exception):
        return bool(project.sql("SELECT count(*) FROM attempts WHERE outcome IS NOT NULL")[0][0] >= count)
    return False


def test_a_long_pause_that_was_asked_for_can_be_interrupted(tmp_path: Path, judge: Server) -> None:
    with serving(faults={"429-after": 1.0}, retry_after_s=60.0) as student:
        project = project_at(tmp_path, judge, student.url)
        with started(*project.words()) as process:
            until(lambda: attempted(project, 1), "the pause")
            time.sleep(0.3)
            ran = interrupted(process)

    assert ran.json["not_reached"] == 12
    assert outcomes(project)["http_429"] >= 1


def test_patience_can_be_interrupted(tmp_path: Path, judge: Server) -> None:
    project = project_at(tmp_path, judge, url_at(free_port()))
    with started(*project.words("--patience", "6h")) as process:
        until(lambda: attempted(project, 4), "the first tries")
        time.sleep(0.3)
        ran = interrupted(process)

    assert ran.json["not_reached"] == 12
    assert ran.json["failed"] == {}


def test_a_replica_that_is_down_keeps_no_run_from_being_interrupted(tmp_path: Path, judge: Server) -> None:
    with serving(latency_s=0.1) as student:
        project = project_at(tmp_path, judge, [url_at(free_port()), student.url], prompts=60)
        with started(*project.words()) as process:
            until(lambda: attempted(project, 12), "the first answers")
            ran = interrupted(process)

    assert ran.json["not_reached"] > 0
    assert project.sql("SELECT count(*) FROM attempts WHERE outcome IS NULL") == [(0,)]
