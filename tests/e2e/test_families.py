"""Task families: whose rubric a prompt is judged by, and the one question where its row does not say."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from cli_runs import Project, Server, bought, pairsmith, serving, started, until, write_rows
from judged_runs import asked, judging, planted, purposes
from pairsmith.simulator import Simulator
from pairsmith.simulator.answers import Reply, openai_error
from pairsmith.simulator.presets import PRESETS, Preset
from pairsmith.wire import gate

PROMPTS = 12
NAMED = 4  # of them, rows that name their family


def mixed(count: int = PROMPTS, named: int = NAMED) -> list[dict[str, Any]]:
    rows = planted(count)
    return [*rows[:named], *({key: row[key] for key in row if key != "family"} for row in rows[named:])]


def asking(folder: Path, server: Server, rows: Sequence[dict[str, Any]] | None = None, **judge: Any) -> Project:
    return judging(folder, server, mixed() if rows is None else rows, **{"families": "ask", **judge})


def sorted_by(folder: Path, server: Server, sorter: Server, rows: Sequence[dict[str, Any]], **judge: Any) -> Project:
    """A project whose families are asked of an endpoint of its own."""
    project = asking(folder, server, rows, family_judge="sorter", **judge)
    sorts = {"model": "sim-judge@sorter", "base_url": sorter.url}
    project.save(endpoints={**project.table["endpoints"], "sorter": sorts})
    return project


def families(project: Project) -> dict[str, tuple[str | None, str | None]]:
    """Of each prompt with a pair, by its row's id: the family, and the call that said it."""
    return {proof["id"]: (proof["family"], proof["family_call"]) for proof in project.proofs}


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


@pytest.fixture
def other_server() -> Iterator[Server]:
    with serving() as started:
        yield started


# --- who is asked what -------------------------------------------------------------------------------


def test_of_a_mixed_file_a_family_is_asked_for_once_where_the_row_names_none(tmp_path: Path, server: Server) -> None:
    rows = mixed()
    project = asking(tmp_path, server, rows)
    said = project.run()
    given = {row["id"]: row["family"] for row in rows[:NAMED]}
    told = families(project)

    assert purposes(project)["family"] == PROMPTS - NAMED
    assert set(asked(project, "family").values()) == {1}
    assert {ident: one for ident, one in told.items() if ident in given} == {
        ident: (given[ident], None) for ident in told if ident in given
    }
    assert all(family and call for ident, (family, call) in told.items() if ident not in given)
    assert sum(one["prompts"] for one in said["bias"]["families"].values()) == PROMPTS
    assert sum(one["asked"] for one in said["bias"]["families"].values()) == PROMPTS - NAMED


def test_each_prompt_is_judged_by_the_rubric_and_the_criterion_of_its_family(
    bodies: list[dict[str, Any]], tmp_path: Path, server: Server
) -> None:
    told = {"Sort a list.": "code", "A sonnet on rain, please.": "creative", "Good day.": "other", "Knit.": "knitting"}
    answers = ["One.", "Another one, and longer."]
    rows = [{"prompt": text, "family": family, "candidates": answers} for text, family in told.items()]
    judging(tmp_path, server, rows, rubric="family").run()
    heads = {
        text: {
            re.findall(r"# (\w+).* rubric", body["messages"][0]["content"])[0] for body in bodies if _shows(body, text)
        }
        for text in told
    }

    assert heads == {
        "Sort a list.": {"Code"},
        "A sonnet on rain, please.": {"Creative"},
        "Good day.": {"General"},
        "Knit.": {"General"},
    }
    assert not any("What counts most" in body["messages"][1]["content"] for body in bodies if _shows(body, "Knit."))


def _shows(body: dict[str, Any], text: str) -> bool:
    return f'<message role="user">\n{text}\n' in body["messages"][1]["content"]


def test_the_family_that_was_asked_for_picks_rubric_and_criterion(
    bodies: list[dict[str, Any]], tmp_path: Path, server: Server
) -> None:
    rows = [{"prompt": "Fix this Python function.", "candidates": ["No.", "Yes, and here it is."]}]
    asking(tmp_path, server, rows, rubric="family").run()
    first, *later = bodies

    assert first["response_format"]["json_schema"]["name"] == "family"
    assert all("# Code rubric" in body["messages"][0]["content"] for body in later)
    assert all("What counts most in a task of this kind: the code" in body["messages"][1]["content"] for body in later)


@pytest.mark.parametrize(("protocol", "purpose"), [("score", "score"), ("rank", "rank"), ("duel", "duel")])
def test_every_protocol_and_a_written_reference_go_by_the_family(
    bodies: list[dict[str, Any]], tmp_path: Path, server: Server, protocol: str, purpose: str
) -> None:
    project = asking(tmp_path, server, mixed(4, 0), rubric="family", protocol=protocol, reference="write")
    project.run()
    before = [body["messages"][0]["content"] for body in bodies if "sort conversations" in str(body["messages"][0])]

    assert purposes(project)["family"] == purposes(project)["reference"] == len(before) == 4
    assert purposes(project)[purpose] >= 4
    assert "sort conversations" in bodies[0]["messages"][0]["content"]


def test_where_no_chat_model_has_to_be_asked_no_family_is(tmp_path: Path, server: Server) -> None:
    """People's verdicts, one usable answer, an answer too long to be ranked."""
    prompts = ["Which?", "How?", "Why?"]
    rows = [
        {"prompt": prompts[0], "candidates": ["good", "bad"], "preferred": 0},
        {"prompt": prompts[1], "candidates": ["good"]},
        {"prompt": prompts[2], "candidates": ["good " * 9, "bad " * 9]},
    ]
    project = asking(tmp_path, server, rows, protocol="rank", rank_max_chars=20)
    project.run()

    assert purposes(project) == {}


def test_a_check_that_leaves_nothing_to_ask_spares_the_family(tmp_path: Path, server: Server) -> None:
    (tmp_path / "rules.py").write_text("def score(prompt, answer):\n    return 9 if 'good' in answer else 2\n")
    rows = [{"prompt": text, "candidates": answers} for text, answers in (
        ("Which?", ["good", "bad", "worse"]), ("How?", ["a good one", "as good", "poor"])
    )]  # fmt: skip
    project = asking(tmp_path, server, rows, panel=["check:rules.py:score", "first"], escalate_within=[1.0])
    project.run()

    assert asked(project, "family").total() == 1
    assert set(asked(project, "score")) == set(asked(project, "family"))


def test_a_server_without_schemas_is_asked_for_a_family_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(name: str, value: object) -> Reply:
        return openai_error(400, "This model does not support response_format.", param="response_format")

    monkeypatch.setitem(PRESETS, "plain-text-only", Preset(refused={"response_format": refused}))
    with serving(like="plain-text-only") as server:
        project = asking(tmp_path, server, mixed(6, 0))
        ran = pairsmith(*project.words())

    assert ran.code == 0, ran.err
    assert all(family for family, _ in families(project).values())
    assert "none" not in ran.json["bias"]["families"]


# --- bought once -------------------------------------------------------------------------------------


@pytest.fixture
def done(tmp_path: Path, server: Server) -> Project:
    """Asked, judged by a folder of rubrics, and settled."""
    rubrics = tmp_path / "rubrics"
    rubrics.mkdir()
    for name in ("general", "code", "creative", "README"):
        (rubrics / f"{name}.md").write_text(f"# The rubric {name}\n\nTen points for what is right.")
    project = asking(tmp_path, server, rubric="rubrics/")
    project.run()
    server.forget()
    return project


def test_a_second_run_asks_no_family_and_writes_the_same(done: Project) -> None:
    before = done.dataset

    assert done.run()["calls"] == {}
    assert done.dataset == before


def test_another_text_in_the_folder_judges_anew_and_asks_for_no_family(done: Project) -> None:
    before, judged = families(done), asked(done, "score").total()
    (done.folder / "rubrics" / "general.md").write_text("# The rubric general\n\nTen points for brevity.")
    said = done.run()
    common = before.keys() & families(done).keys()

    assert purposes(done)["family"] == PROMPTS - NAMED
    assert 0 < bought(said, "first") <= judged + 2 * PROMPTS
    assert common
    assert {ident: before[ident] for ident in common} == {ident: families(done)[ident] for ident in common}


def test_a_file_for_a_new_family_is_another_question(done: Project) -> None:
    (done.folder / "rubrics" / "legal.md").write_text("# Legal\n\nTen points for the right clause.")
    done.run()

    assert purposes(done)["family"] == 2 * (PROMPTS - NAMED)


def test_the_sentence_of_a_family_is_no_part_of_the_question_after_it(done: Project) -> None:
    done.save(judge={**done.table["judge"], "criteria": {"code": "it rhymes."}})
    done.run()

    assert purposes(done)["family"] == PROMPTS - NAMED


def test_a_run_that_is_stopped_and_killed_asks_no_family_twice_and_ends_in_the_same_bytes(
    done: Project, tmp_path: Path
) -> None:
    with serving(latency_s=0.03) as server:
        other = asking(tmp_path / "stopped", server, rubric=str(done.folder / "rubrics"))
        other.run("--max-calls", 5, code=3)
        with started(*other.words("--set", "endpoints.first.concurrency=4")) as process:
            until(lambda: server.calls >= 20, "calls")
            process.send_signal(signal.SIGKILL)
            process.wait()
        server.latency(0.0)
        answered = {request for (request,) in other.sql("SELECT request FROM replies WHERE raw IS NOT NULL")}
        server.forget()
        other.run()
        bought_again = answered & server.keys.keys()

    assert bought_again == set()
    assert other.dataset == done.dataset


# --- when there is no answer -------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "attempts"), [("out_of_range", 2), ("content_filter", 1)])
def test_a_family_that_cannot_be_had_is_none_and_its_prompt_is_judged_all_the_same(
    bodies: list[dict[str, Any]], tmp_path: Path, server: Server, other_server: Server, fault: str, attempts: int
) -> None:
    other_server.faults(**{fault: 1.0})
    project = sorted_by(tmp_path, server, other_server, mixed(6, 2), rubric="family")
    said = project.run()
    rubrics = [body["messages"][0]["content"] for body in bodies if body["model"] == "sim-judge"]

    assert said["failed"] == {}
    assert said["bias"]["families"]["none"]["asked"] == 4
    assert other_server.calls == 4 * attempts
    assert sum(family is None for family, call in families(project).values() if call) >= 1
    assert any("# General rubric" in text for text in rubrics)
    assert project.run()["calls"] == {}


def test_a_family_that_cannot_be_had_for_now_leaves_the_prompt_to_the_next_run(
    tmp_path: Path, server: Server, other_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "BACKOFF_S", 0.001)
    other_server.faults(f500=1.0)
    project = sorted_by(tmp_path, server, other_server, mixed(3, 2))
    failed = project.run()["failed"]
    other_server.faults(f500=0.0)
    said = project.run()

    assert failed == {"http_500": 1}
    assert (said["failed"], said["not_reached"]) == ({}, 0)
    assert asked(project, "family").total() == 1
    assert "none" not in said["bias"]["families"]


# --- what is said of it ------------------------------------------------------------------------------


def test_it_is_planned_and_shown_before_and_explained_and_proven_after(tmp_path: Path, server: Server) -> None:
    project = asking(tmp_path, server)
    plan = pairsmith("plan", project.recipe, "--run-dir", project.run_dir, "--json").json
    ident = mixed()[-1]["id"]
    before = pairsmith("judge", project.recipe, "--run-dir", project.run_dir, "--show", ident, "--json").json
    project.run()
    after = pairsmith("judge", project.recipe, "--run-dir", project.run_dir, "--show", ident, "--json").json
    explained = pairsmith("explain", project.run_dir, ident, "--json").json
    (line,) = [line for line in plan["lines"] if line["purpose"] == "family"]

    assert line["calls"]["low"] == line["calls"]["likely"] == PROMPTS - NAMED
    assert [request["purpose"] for request in before["requests"]] == ["family", "score", "duel"]
    assert [request["purpose"] for request in after["requests"]] == ["score", "duel"]
    assert explained["prompt"]["family"]
    assert [one["call"] for one in explained["besides"] if one["kind"] == "family"] == [
        explained["prompt"]["family_call"]
    ]
    assert "FAMILY\n" in pairsmith("explain", project.run_dir, ident).out
    assert "of them asked for" in pairsmith("status", project.run_dir).out
    assert pairsmith("audit", project.run_dir, project.run_dir / "pairs.jsonl").code == 0


def test_a_family_that_its_reply_does_not_name_is_found_by_an_audit(tmp_path: Path, server: Server) -> None:
    project = asking(tmp_path, server, mixed(6, 0))
    project.run()
    ((body,), *_) = project.sql("SELECT body FROM outcomes WHERE kind = 'pair'")
    said = json.loads(body)
    said["family"][0] = "knitting"
    project.change("UPDATE outcomes SET body = ? WHERE body = ?", json.dumps(said).encode(), body)
    ran = pairsmith("audit", project.run_dir, project.run_dir / "pairs.jsonl")

    assert ran.code == 1
    assert "its task family knitting" in ran.out + ran.err


def test_a_provenance_of_an_earlier_version_that_names_no_family_is_proven(tmp_path: Path, server: Server) -> None:
    project = judging(tmp_path, server, planted(4))
    project.run()
    older = [{key: row[key] for key in row if not key.startswith("family")} for row in project.proofs]
    write_rows(project.run_dir / "pairs.provenance.jsonl", older)

    assert pairsmith("audit", project.run_dir, project.run_dir / "pairs.jsonl").code == 0


def test_anchors_are_judged_by_the_rubrics_of_their_families(
    bodies: list[dict[str, Any]], tmp_path: Path, server: Server
) -> None:
    anchors = tmp_path / "anchors.jsonl"
    anchors.write_text(json.dumps({"prompt": "Sort it.", "good": "So.", "bad": "No.", "family": "code"}) + "\n")
    project = judging(tmp_path, server, planted(1), rubric="family")
    pairsmith("qualify", project.recipe, "--run-dir", project.run_dir, "--anchors", anchors, "--quiet")

    assert len(bodies) == 4
    assert all("# Code rubric" in body["messages"][0]["content"] for body in bodies)


# --- mistakes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("judge", "said"),
    [
        ({"rubric": "rubrics/"}, "general.md for every other prompt is missing"),
        ({"family_judge": "first"}, 'set families = "ask", or leave it out'),
        ({"families": "ask", "family_judge": "nobody"}, "[judge] family_judge names 'nobody', but the endpoints are"),
        ({"families": "ask", "panel": ["check:rules.py:score"]}, "picks the words that chat models are sent"),
    ],
)
def test_a_recipe_that_cannot_pick_words_is_told_so(
    tmp_path: Path, server: Server, judge: dict[str, Any], said: str
) -> None:
    (tmp_path / "rubrics").mkdir()
    project = judging(tmp_path, server, planted(1), **judge)

    assert said in project.fails()
