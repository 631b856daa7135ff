"""From a few prompts many, over a real port: with a writer who repeats itself, answers, and drifts."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from rapidfuzz.distance import LCSseq

from cli_runs import (
    Project,
    Ran,
    Server,
    accounted,
    ended,
    pairsmith,
    read_rows,
    serving,
    started,
    until,
    write_rows,
)
from pairsmith.collect.expand.novelty import rouge_words
from pairsmith.simulator.answers import Reply, openai_error
from pairsmith.simulator.presets import PRESETS, Preset
from pairsmith.wire import gate

SEEDS = Path(__file__).parents[2] / "data" / "seeds"
M = ("--model", "m", "--base-url", "http://127.0.0.1:9/v1")
CAUGHT = {"answer", "placeholder", "about", "dangling", "refusal"}


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """Twelve seeds in English, each with an id and a family."""
    rows = [row for row in read_rows(SEEDS / "support_tone.jsonl") if not row["prompt"].startswith("Moin")]
    return write_rows(tmp_path / "seeds.jsonl", rows[:12])


def words(seeds: Path, server: Server, *more: object, n: int = 60, model: str = "sim-writer") -> list[object]:
    folder = seeds.parent
    out = ["-n", n, "-o", folder / "new.jsonl", "--run-dir", folder / "grown", "--json", "--quiet"]
    return ["expand", seeds, *out, "--model", model, "--base-url", server.url, *more]


def expand(seeds: Path, server: Server, *more: object, n: int = 60, model: str = "sim-writer") -> Ran:
    return pairsmith(*words(seeds, server, *more, n=n, model=model))


def kinds(server: Server, texts: Sequence[str]) -> list[str | None]:
    """What the writer planted."""
    found: list[str | None] = server._ask("/planted", {"texts": list(texts)})["kinds"]
    return found


def texts(folder: Path) -> list[str]:
    return [row["prompt"] for row in read_rows(folder / "new.jsonl")]


def rouge_l(one: str, other: str) -> float:
    first, second = rouge_words(one), rouge_words(other)
    return 2 * LCSseq.similarity(first, second) / (len(first) + len(second))


# --- what comes of it -------------------------------------------------------------------------------


def test_exactly_n_prompts_that_are_new_and_none_of_the_bad_ones(seeds: Path, server: Server) -> None:
    ran = expand(seeds, server, "--judge", "sim-judge", n=200)

    found = texts(seeds.parent)
    everything = [*found, *(row["prompt"] for row in read_rows(seeds))]
    assert (ran.code, len(found), ran.json["prompts"], ran.json["stopped"]) == (0, 200, 200, None)
    assert all(rouge_l(one, other) < 0.7 for i, one in enumerate(everything) for other in everything[:i])
    planted = kinds(server, found)
    assert planted.count("good") >= 190
    assert not (CAUGHT | {"drift"}) & set(planted)


def test_without_a_judge_hardly_anything_bad_is_left(seeds: Path, server: Server) -> None:
    expand(seeds, server, n=200)

    planted = kinds(server, texts(seeds.parent))
    assert sum(kind in CAUGHT for kind in planted) <= 6


def test_it_says_what_each_method_gave_and_why_the_rest_was_not_kept(seeds: Path, server: Server) -> None:
    said = expand(seeds, server).json

    methods = said["methods"]
    assert set(methods) == {"self-instruct", "evolve", "persona", "situation", "topics"}
    assert sum(one["kept"] for one in methods.values()) == 60
    assert all(one["came"] == one["kept"] + one["surplus"] + sum(one["fell"].values()) for one in methods.values())
    assert sum(one["fell"].get("not new", 0) for one in methods.values()) > 0
    assert (len(said["topics"]) >= 25, said["simulated"]) == (True, True)
    assert all(one["new"] <= one["well_formed"] for one in said["novelty"])


def test_each_prompt_knows_where_it_comes_from(seeds: Path, server: Server) -> None:
    expand(seeds, server)

    rows, ids = read_rows(seeds.parent / "new.jsonl"), {row["id"] for row in read_rows(seeds)}
    assert len({row["id"] for row in rows}) == 60
    assert {row["family"] for row in rows} == {"support"}
    assert all(row["simulated"] and row["round"] >= 1 and row["model"] == "sim-writer" for row in rows)
    grown = [row for row in rows if row["method"] in ("evolve", "persona", "situation")]
    assert grown and all(set(row["seeds"]) <= ids | {row["id"] for row in shown_of(rows)} for row in grown)
    assert all(row["examples"] and "seeds" not in row for row in shown_of(rows))


def shown_of(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that were shown examples, and grow from none."""
    return [row for row in rows if row["method"] in ("self-instruct", "topics")]


def test_the_same_seed_gives_the_same_file_and_another_gives_others(seeds: Path, server: Server) -> None:
    files = []
    for number, seed in enumerate((3, 3, 4)):
        expand(seeds, server, "--seed", seed, "--run-dir", seeds.parent / f"grown {number}", n=30)
        files.append((seeds.parent / "new.jsonl").read_bytes())

    assert files[0] == files[1]
    assert files[0] != files[2]


def test_prompts_are_translated_into_the_languages_asked_for(seeds: Path, server: Server) -> None:
    ran = expand(seeds, server, "--method", "translate", "--languages", "de,fr", n=10)

    assert ran.code == 0
    assert {row["language"] for row in read_rows(seeds.parent / "new.jsonl")} <= {"de", "fr"}


def test_documents_are_asked_about_as_their_readers_would(seeds: Path, server: Server, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "pumps.md").write_text(
        "# Pumps\n\n" + "A frame pump has a valve that wears out. " * 200, "utf-8"
    )

    ran = expand(seeds, server, "--from-docs", tmp_path / "docs", "--method", "documents", n=8)

    assert ran.code == 0
    assert all(row["seeds"][0].startswith("pumps.md#") for row in read_rows(seeds.parent / "new.jsonl"))
    assert ran.json["passages"]["of"] == 3
    assert ran.json["passages"]["used"] >= 2


# --- paid once --------------------------------------------------------------------------------------


def test_running_it_again_asks_nothing_and_more_asks_only_for_more(seeds: Path, server: Server) -> None:
    expand(seeds, server, n=40)
    few, calls = texts(seeds.parent), server.calls
    again = expand(seeds, server, n=40)
    asked_again = server.calls - calls
    expand(seeds, server, n=80)

    assert (asked_again, again.json["calls"], again.json["total"]["calls"]) == (0, {}, calls)
    assert texts(seeds.parent)[:40] == few
    assert set(server.keys.values()) == {1}


def test_killed_in_the_middle_it_goes_on_and_writes_the_same_file(seeds: Path, tmp_path: Path) -> None:
    with serving(latency_s=0.03) as server:
        concurrency = ("--set", "endpoints.writer.concurrency=4")
        server.latency(0.0)
        expand(seeds, server, *concurrency, "--run-dir", tmp_path / "whole")
        whole, calls = (tmp_path / "new.jsonl").read_bytes(), server.calls
        server.forget()
        server.latency(0.03)
        for after in (5, 12):
            before = server.calls
            with started(*words(seeds, server, *concurrency)) as process:
                until(lambda after=after, before=before: server.calls >= before + after, "calls")  # type: ignore[misc]
                process.kill()
                process.wait()
        server.latency(0.0)
        ran = expand(seeds, server, *concurrency)
        keys = server.keys

    assert ran.code == 0
    assert (tmp_path / "new.jsonl").read_bytes() == whole
    assert len(keys) == calls
    assert sum(count - 1 for count in keys.values()) <= 2 * 2 * 4  # in flight, or not committed yet, twice


def test_a_cap_stops_it_and_a_higher_one_goes_on(seeds: Path, server: Server) -> None:
    stopped = expand(seeds, server, "--max-calls", 25)
    kept = len(texts(seeds.parent))
    done = expand(seeds, server, "--max-calls", 500)

    assert (stopped.code, stopped.json["stopped"]) == (3, "max_calls")
    assert kept < 60
    assert (done.code, len(texts(seeds.parent))) == (0, 60)
    assert set(server.keys.values()) == {1}


@pytest.mark.parametrize("faults", [{"f429": 0.2}, {"f500": 0.2}, {"cut_json": 0.2}, {"html": 0.2}])
def test_faults_on_the_way_change_nothing(seeds: Path, server: Server, faults: dict[str, float]) -> None:
    expand(seeds, server, n=20, model="sim-writer-clean")
    wanted = (seeds.parent / "new.jsonl").read_bytes()
    server.faults(**faults)
    ran = expand(seeds, server, "--run-dir", seeds.parent / "again", n=20, model="sim-writer-clean")

    assert ran.code == 0
    assert (seeds.parent / "new.jsonl").read_bytes() == wanted


def test_an_endpoint_that_knows_no_schemas_is_asked_in_words(seeds: Path) -> None:
    with serving(like="ollama") as server:
        ran = expand(seeds, server, "--set", "endpoints.writer.json_mode=text", n=20)

    assert (ran.code, ran.json["prompts"]) == (0, 20)


def test_a_shape_that_is_learnt_later_buys_nothing_again(seeds: Path, server: Server) -> None:
    expand(seeds, server, n=20)
    before, calls = texts(seeds.parent), server.calls
    with contextlib.closing(sqlite3.connect(seeds.parent / "grown" / "ledger.sqlite3", isolation_level=None)) as db:
        db.execute("INSERT INTO facts VALUES ('expand shape writer sim-writer', 'json_object')")

    again = expand(seeds, server, n=20)

    assert (again.code, server.calls, texts(seeds.parent)) == (0, calls, before)


def test_what_a_setting_mends_is_owed_again(seeds: Path, server: Server) -> None:
    limit = "endpoints.writer.tokens_per_minute={}"
    stopped = expand(seeds, server, "--set", limit.format(3000), n=20)
    mended = expand(seeds, server, "--set", limit.format(3_000_000), n=20)

    assert (stopped.code, stopped.json["stopped"], stopped.json["total"]["calls"]) == (3, "over_token_limit", 0)
    assert (mended.code, mended.json["prompts"]) == (0, 20)


def test_a_server_that_fails_for_a_while_costs_no_prompt(seeds: Path, server: Server) -> None:
    expand(seeds, server, n=20, model="sim-writer-clean")
    wanted = (seeds.parent / "new.jsonl").read_bytes()
    server.faults(f401=1.0)
    stopped = expand(seeds, server, "--run-dir", seeds.parent / "again", n=20, model="sim-writer-clean")
    server.faults()
    ran = expand(seeds, server, "--run-dir", seeds.parent / "again", n=20, model="sim-writer-clean")

    assert (stopped.code, ran.code) == (3, 0)
    assert (seeds.parent / "new.jsonl").read_bytes() == wanted


def test_a_prompt_is_translated_once_and_no_translation_again(seeds: Path, server: Server) -> None:
    ran = expand(seeds, server, "--method", "translate", "--languages", "de,fr", n=60)

    rows = read_rows(seeds.parent / "new.jsonl")
    assert (ran.code, ran.json["stopped"]) == (3, "low_yield")
    assert "every seed is in every language" in ran.err
    assert all("parent" not in row for row in rows)
    assert len({(row["seeds"][0], row["language"]) for row in rows}) == len(rows)


def refused(name: str, value: object) -> Reply:
    return openai_error(400, "This model does not support response_format json_schema.", param="response_format")


@pytest.mark.parametrize("preset", [Preset(json_schema=refused), Preset(refused={"response_format": refused})])
def test_a_refused_schema_is_learnt_of_by_writer_and_judge_and_nothing_is_bought_twice(
    seeds: Path, preset: Preset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PRESETS, "refusing", preset)
    with serving(like="refusing") as server:
        ran = expand(seeds, server, "--judge", "sim-judge", n=20)
        first, calls = texts(seeds.parent), server.calls
        again = expand(seeds, server, "--judge", "sim-judge", n=20)

        assert (ran.code, ran.json["prompts"], again.code) == (0, 20, 0)
        assert "endpoint writer refuses the schema" in ran.err
        assert "endpoint judge refuses the schema" in ran.err
        assert (server.calls, texts(seeds.parent)) == (calls, first)
        assert set(server.keys.values()) == {1}


def test_an_endpoint_that_refuses_everything_is_not_asked_for_long(seeds: Path, server: Server) -> None:
    server.faults(f400_parameter=1.0)
    ran = expand(seeds, server, n=200)

    assert (ran.code, ran.json["stopped"]) == (3, "parameter_refused")
    assert server.calls < 20


def test_a_call_that_always_fails_is_passed_over_for_good_and_the_rest_goes_on(
    seeds: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate, "BACKOFF_S", 0.002)
    players, doomed = server.simulator._players, set[str]()
    answer = players.answer

    def failing(body: dict[str, Any], key: str, canonical: bytes) -> object:
        if "prompts" in str(body["response_format"]) and not doomed:
            doomed.add(key)
        if key in doomed:
            raise RuntimeError("this one never")
        return answer(body, key, canonical)

    players.answer = failing  # type: ignore[method-assign, assignment]
    ran = expand(seeds, server, n=20)
    first, calls = texts(seeds.parent), server.calls
    again = expand(seeds, server, n=20)

    assert (ran.code, again.code, ran.json["prompts"]) == (0, 0, 20)
    assert (server.calls, texts(seeds.parent)) == (calls, first)
    assert sum(one["fell"].get("no reply", 0) for one in ran.json["methods"].values()) > 0


def test_what_a_filter_refuses_is_passed_over_and_not_asked_again(seeds: Path, server: Server) -> None:
    server.faults(content_filter=0.3)
    ran = expand(seeds, server, n=30)
    first, calls = texts(seeds.parent), server.calls
    server.faults()
    again = expand(seeds, server, n=30)

    assert (ran.code, again.code, server.calls, texts(seeds.parent)) == (0, 0, calls, first)
    assert sum(one["fell"].get("no reply", 0) for one in ran.json["methods"].values()) > 0


def test_rows_go_to_standard_output_and_what_is_said_beside_them(seeds: Path, server: Server) -> None:
    with started(*words(seeds, server, "-o", "-", n=3)) as process:
        ran = ended(process)

    assert (ran.code, len(ran.out.splitlines())) == (0, 3)
    assert '"prompts":3' in ran.err


# --- ending early -----------------------------------------------------------------------------------


def test_a_writer_that_only_repeats_itself_is_not_paid_for_long(seeds: Path, server: Server) -> None:
    ran = expand(seeds, server, n=500, model="sim-writer-poor")

    assert (ran.code, ran.json["stopped"]) == (3, "low_yield")
    assert server.calls < 120
    assert "no more are worth their price" in ran.err
    assert len(texts(seeds.parent)) == ran.json["prompts"] < 500


def test_replies_of_no_use_are_named_as_the_cause(seeds: Path, server: Server) -> None:
    server.faults(blank=1.0)
    ran = expand(seeds, server, n=50)

    assert (ran.code, ran.json["stopped"], server.calls < 60) == (3, "low_yield", True)
    assert "most replies are of no use: unreadable" in ran.err


# --- inside a recipe --------------------------------------------------------------------------------


def growing(project: Project, seeds: Path, **more: Any) -> Project:
    expand = {"seeds": str(seeds), "n": 24, "endpoint": "judge", **more}
    project.save(prompts={"expand": expand}, sample={**project.table["sample"], "completions": 2})
    return project


def test_a_run_goes_from_seeds_to_pairs_and_buys_nothing_twice(project: Project, seeds: Path) -> None:
    growing(project, seeds)
    said = project.run()
    calls = project.server.calls
    again = project.run()

    assert (said["prompts"], accounted(said)) == (24, 24)
    assert said["pairs"] > 0
    assert (project.server.calls, again["pairs"]) == (calls, said["pairs"])
    assert set(project.server.keys.values()) == {1}
    assert pairsmith("audit", project.run_dir, project.run_dir / "pairs.jsonl").code == 0


def test_grown_prompts_stand_behind_those_that_are_there(project: Project, seeds: Path) -> None:
    project.save(prompts={"path": "prompts.jsonl", "expand": {"seeds": str(seeds), "n": 5, "endpoint": "judge"}})

    assert project.run()["prompts"] == 12 + 5


def test_expand_takes_a_recipe_and_the_run_pays_for_none_of_it(project: Project, seeds: Path) -> None:
    growing(project, seeds)
    out = project.folder / "look.jsonl"
    looked = pairsmith("expand", project.recipe, "--run-dir", project.run_dir, "-o", out, "--json", "-q")
    calls = project.server.calls
    said = project.run("--limit", 1)

    assert (looked.code, len(read_rows(out))) == (0, 24)
    assert said["prompts"] == 1
    assert sum(said["calls"].values()) == project.server.calls - calls <= 6


def test_a_run_whose_growing_was_stopped_goes_on_with_it(project: Project, seeds: Path) -> None:
    growing(project, seeds)
    stopped = project.run("--max-calls", 8, code=3)
    done = project.run()

    assert stopped["stopped"] == "max_calls"
    assert (done["prompts"], accounted(done)) == (24, 24)
    assert set(project.server.keys.values()) == {1}


def test_a_run_goes_on_with_fewer_prompts_where_no_more_are_to_be_had(project: Project, seeds: Path) -> None:
    growing(project, seeds, n=400)
    url = project.server.url
    project.save(endpoints={**project.table["endpoints"], "poor": {"model": "sim-writer-poor", "base_url": url}})
    project.table["prompts"]["expand"]["endpoint"] = "poor"
    project.save()

    ran = pairsmith(*project.words())

    assert ran.code == 0
    assert "of 400 new prompts" in ran.err
    assert 0 < ran.json["prompts"] < 100


def test_plan_counts_the_calls_that_growing_takes(project: Project, seeds: Path) -> None:
    growing(project, seeds)
    planned = pairsmith("plan", project.recipe, "--run-dir", project.run_dir, "--json").json
    project.run()
    after = pairsmith("plan", project.recipe, "--run-dir", project.run_dir, "--json").json

    (line,) = [line for line in planned["lines"] if line["purpose"] == "expand"]
    (paid,) = [line for line in after["lines"] if line["purpose"] == "expand"]
    assert planned["prompts"] == after["prompts"] == 24
    assert line["calls"]["low"] <= paid["calls"]["likely"] <= line["calls"]["high"]
    assert paid["left"]["calls"] == {"low": 0, "likely": 0, "high": 0}


def test_plan_counts_the_judge_and_no_topic_tree_of_ones_own_topics(project: Project, seeds: Path) -> None:
    def calls(**more: Any) -> dict[str, float]:
        growing(project, seeds, methods={"topics": 1}, **more)
        lines = pairsmith("plan", project.recipe, "--run-dir", project.run_dir, "--json").json["lines"]
        return {line["purpose"]: line["calls"]["likely"] for line in lines}

    assert calls()["expand"] == calls(topics=["a lock", "a bell"])["expand"] + 9
    assert calls(judge="judge")["assess"] >= 24


# --- mistakes ---------------------------------------------------------------------------------------


def mistake(*words: object) -> str:
    ran = pairsmith(*words, "--json")
    assert ran.code == 2, ran.out + ran.err
    sentence: str = ran.json["error"]
    return sentence


@pytest.mark.parametrize(
    ("out", "told"),
    [("seeds.jsonl", "is read here"), (".", "cannot be written"), ("seeds.jsonl/new.jsonl", "cannot be written")],
)
def test_a_file_that_cannot_be_written_is_told_of_before_anything_is_paid(
    seeds: Path, server: Server, out: str, told: str
) -> None:
    ran = expand(seeds, server, "-o", seeds.parent / out, n=5)

    assert (ran.code, server.calls) == (2, 0)
    assert told in ran.json["error"]


def test_a_file_is_not_emptied_where_nothing_was_grown(seeds: Path, server: Server) -> None:
    (seeds.parent / "new.jsonl").write_text("before\n")
    ran = expand(seeds, server, "--max-calls", 0)

    assert (ran.code, (seeds.parent / "new.jsonl").read_text()) == (3, "before\n")


def test_flags_of_models_do_not_go_with_a_recipe(project: Project, seeds: Path) -> None:
    growing(project, seeds)

    assert "--model goes without a recipe" in mistake("expand", project.recipe, "-o", "x", "--model", "other")


def test_what_expand_made_of_flags_is_no_run(seeds: Path, server: Server) -> None:
    expand(seeds, server, n=5)

    assert "add [sample], or use pairsmith expand" in mistake("run", seeds.parent / "grown")


def test_no_more_are_grown_than_a_limit_wants(project: Project, seeds: Path) -> None:
    growing(project, seeds, n=200)

    assert project.run("--limit", 2)["prompts"] == 2
    assert project.server.calls < 40


def test_what_is_missing_is_said_with_the_way_out(seeds: Path, tmp_path: Path) -> None:
    out = ("-o", tmp_path / "new.jsonl")

    assert "-n and --model are needed" in mistake("expand", seeds, *out)
    assert "standard input cannot be" in mistake("expand", "-", *out, "-n", 5, *M)
    assert "needs docs" in mistake("expand", seeds, *out, "-n", 5, *M, "--method", "documents")
    assert "is no method" in mistake("expand", seeds, *out, "-n", 5, *M, "--method", "magic=2")
    assert "is none that can be told" in mistake("expand", seeds, *out, "-n", 5, *M, "--language", "xx")
    assert "no prompts in it" in mistake("expand", write_rows(tmp_path / "e.jsonl", []), *out, "-n", 5, *M)


def test_a_seed_is_one_message(tmp_path: Path) -> None:
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "?"},
    ]
    seeds = write_rows(tmp_path / "seeds.jsonl", [{"prompt": "One."}, {"messages": turns}])

    said = mistake("expand", seeds, "-o", tmp_path / "new.jsonl", "-n", 5, *M)

    assert "line 2" in said
    assert "several turns" in said


def test_a_recipe_without_a_writer_says_who_is_missing(project: Project, seeds: Path) -> None:
    project.save(prompts={"expand": {"seeds": str(seeds), "n": 5, "endpoint": "nobody"}})
    unknown = project.fails()
    project.save(prompts={"skip_bad": True})

    assert "names 'nobody'" in unknown
    assert "needs path, or a table [prompts.expand]" in project.fails()


# --- the journey in docs/expand.md ------------------------------------------------------------------


def test_the_documented_journey_from_twelve_seeds_to_checked_pairs(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (SEEDS.parents[1] / "docs" / "expand.md").read_text("utf-8")
    journey = page.split("pairsmith simulate --port 8400 &\n")[1].split("```")[0]
    smaller = journey.replace("--grow 260", "--grow 20").replace("--target-pairs 200", "--target-pairs 12")
    monkeypatch.chdir(tmp_path)

    ends = {}
    for line in smaller.splitlines():
        ends[line.split()[1]] = pairsmith(*line.split()[1:])
        if line.split()[1] == "init":
            recipe = tmp_path / "few" / "recipe.toml"
            recipe.write_text(recipe.read_text("utf-8").replace("http://127.0.0.1:8400/v1", server.url), "utf-8")

    assert {name: ran.code for name, ran in ends.items()} == dict.fromkeys(ends, 0)
    assert "12 rows for openai: ready" in ends["check"].out
    assert "12 of 12 rows proven" in ends["audit"].out
