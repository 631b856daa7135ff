"""`pairsmith qualify`: what is asked and paid, what is said, what is kept, and what follows for a run."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cli_runs import Project, Ran, Server, ended, pairsmith, serving, started, until, write_rows
from pairsmith import qualified
from pairsmith.assets import asset
from pairsmith.cli.simulate import book_options
from pairsmith.qualified import Qualification, notices, qualifications, refusal, verdict_text
from pairsmith.records import Endpoint, EndpointName

PRICE = {"input": 2.0, "output": 8.0}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PAIRSMITH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def server() -> Iterator[Server]:
    """A simulator that knows the anchors."""
    with serving(book=tuple(Path(word) for word in book_options()[1::2])) as begun:
        yield begun


def judged_by(project: Project, known: Mapping[str, Any] | None = None, **models: str) -> Project:
    """The project with these judges, by name."""
    endpoint = {"base_url": project.server.url, **(known or {})}
    judges = {name: {"model": model, **endpoint} for name, model in models.items()}
    student = project.table["endpoints"]["student"]
    project.save(
        endpoints={"student": student, **judges},
        judge={"panel": list(models), "escalate_within": [2.0] * max(1, len(models) - 1)},
    )
    return project


def qualify(project: Project, *more: object) -> Ran:
    return pairsmith("qualify", project.recipe, "--run-dir", project.run_dir, "--quiet", *more)


def told(project: Project, *more: object, code: int = 0) -> Any:
    """What `--json` says."""
    ran = qualify(project, "--json", *more)
    assert ran.code == code, ran.err
    return ran.json


def few(folder: Path, count: int = 4) -> Path:
    """Some of the shipped anchors as a file of one's own."""
    rows = asset("data", "anchors", "plain.jsonl").read_bytes().split(b"\n")[:count]
    return write_rows(folder / "mine.jsonl", [json.loads(row) for row in rows])


# --- the judges of the simulator -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "verdicts", "why"),
    [
        ("sim-judge", {"qualified"}, set()),
        ("sim-judge-middle", {"qualified", "warning"}, set()),
        ("sim-judge-noisy", {"disqualified"}, {"adversarial"}),
        ("sim-judge-first", {"disqualified"}, {"conflicts"}),
        ("sim-judge-long", {"disqualified"}, {"adversarial"}),
        ("sim-judge-broken", {"disqualified"}, {"unreadable"}),
    ],
)
def test_each_simulated_judge_gets_what_it_deserves(
    project: Project, model: str, verdicts: set[str], why: set[str]
) -> None:
    judge = told(judged_by(project, judge=model), code=1 if "disqualified" in verdicts else 0)["judges"]["judge"]

    assert judge["verdict"] in verdicts
    assert {reason.split()[0] for reason in judge["reasons"] if "chance" not in reason} == why


def test_one_disqualified_judge_of_the_panel_is_enough_for_exit_1(project: Project) -> None:
    said = told(judged_by(project, good="sim-judge", weak="sim-judge-noisy"), code=1)

    assert [judge["verdict"] for judge in said["judges"].values()] == ["qualified", "disqualified"]


# --- what is asked and paid ------------------------------------------------------------------------


def test_each_anchor_is_scored_and_compared_in_both_orders(project: Project) -> None:
    said = told(project)

    assert said["anchors"] == 60
    assert said["calls"] == {"judge": 240}
    assert said["judges"]["judge"]["calls"] == project.server.calls == 240


def test_asking_again_makes_no_call_and_says_the_same(project: Project, tmp_path: Path) -> None:
    first = told(project, "--anchors", few(tmp_path))
    project.server.forget()
    second = told(project, "--anchors", few(tmp_path))

    assert project.server.calls == 0
    assert second["calls"] == {}
    assert second["judges"] == first["judges"]


def test_it_says_how_many_calls_it_will_make_before_it_makes_them(project: Project, tmp_path: Path) -> None:
    first, second = qualify(project, "--anchors", few(tmp_path)), qualify(project, "--anchors", few(tmp_path))

    assert "4 anchors: 16 calls to judge (and one more for each reply that cannot be read)" in first.err
    assert "nothing to ask, the ledger holds every answer of judge" in second.err


def test_only_judges_need_a_key_and_a_price(project: Project, tmp_path: Path) -> None:
    judged_by(project, {"price": PRICE}, judge="sim-judge")
    project.table["endpoints"]["student"]["api_key_env"] = "NOT_SET_ANYWHERE"
    project.save()

    assert told(project, "--max-cost", 5, "--anchors", few(tmp_path))["judges"]["judge"]["cost_usd"] > 0


def test_the_cost_is_booked_in_the_run_folder_and_the_anchors_are_no_prompts_of_it(
    project: Project, tmp_path: Path
) -> None:
    judged_by(project, {"price": PRICE}, judge="sim-judge")
    asked, ran = told(project, "--anchors", few(tmp_path)), project.run()

    assert ran["prompts"] == 12
    assert ran["total"]["calls"] == 16 + sum(ran["calls"].values())
    assert asked["cost_usd"] == pytest.approx(asked["judges"]["judge"]["cost_usd"])


def test_a_cap_on_the_cost_stops_it_and_a_higher_one_continues(project: Project) -> None:
    judged_by(project, {"price": PRICE}, judge="sim-judge")
    stopped = told(project, "--max-cost", 0.3, code=3)
    done = told(project, "--max-cost", 5)

    assert stopped["stopped"] == "budget"
    assert stopped["judges"] == {}
    assert stopped["calls"]["judge"] + done["calls"]["judge"] == 240


def test_a_cap_needs_the_judges_price(project: Project) -> None:
    ran = qualify(project, "--max-cost", 1)

    assert ran.code == 2
    assert "needs the price of judge" in ran.err


def test_an_interrupt_lets_calls_finish_and_the_next_one_continues(project: Project) -> None:
    judged_by(project, {"concurrency": 2}, judge="sim-judge")
    project.server.latency(0.1)
    words = ["qualify", project.recipe, "--run-dir", project.run_dir, "--json", "-q"]
    with started(*words) as process:
        until(lambda: project.server.calls >= 4, "the first calls")
        process.send_signal(signal.SIGINT)
        first = ended(process)
    project.server.latency(0.0)
    second = told(project)

    assert first.code == 130
    assert first.json["stopped"] == "interrupted"
    assert first.json["calls"]["judge"] + second["calls"]["judge"] == 240
    assert max(project.server.keys.values()) == 1


def test_a_refused_key_stops_it(project: Project) -> None:
    with serving(require_key="sk-right") as locked:
        judged_by(project, {"base_url": locked.url}, judge="sim-judge")
        said = told(project, code=3)

    assert said["stopped"] == "refused_key"


def test_a_judge_that_refuses_the_schema_is_asked_in_a_simpler_way_and_the_run_knows(
    project: Project, tmp_path: Path
) -> None:
    with serving(like="llama-cpp") as strict:
        judged_by(project, {"base_url": strict.url}, judge="sim-judge")
        ran = qualify(project, "--json", "--anchors", few(tmp_path))
        strict.forget()
        project.run()
        statuses = strict.stats()["by_status"]

    assert "refuses the schema of its replies" in ran.err
    assert ran.json["judges"]["judge"]["failed"] == 0
    assert set(statuses) == {"200"}


def test_what_is_no_chat_model_is_passed_over_and_said(project: Project) -> None:
    judged_by(project, good="sim-judge", reward="a-reward-model")
    project.table["endpoints"]["reward"]["kind"] = "reward"
    project.save()
    ran = qualify(project, "--json")

    assert ran.json["judges"].keys() == {"good"}
    assert "judge reward is a reward model" in ran.json["skipped"]["reward"]
    assert ran.json["skipped"]["reward"] in ran.err


# --- which anchors ---------------------------------------------------------------------------------


def test_anchors_of_ones_own_are_asked_and_named(project: Project, tmp_path: Path) -> None:
    said = told(project, "--anchors", few(tmp_path))
    judge = said["judges"]["judge"]

    assert said["source"] == judge["anchors"]["source"] == "file"
    assert said["anchors"] == 4
    assert judge["verdict"] == "warning"
    assert "only 4 anchors" in judge["reasons"][0]


def test_a_bad_anchor_is_a_mistake_of_the_user_and_nothing_is_asked(project: Project, tmp_path: Path) -> None:
    ran = qualify(project, "--json", "--anchors", write_rows(tmp_path / "mine.jsonl", [{"prompt": "p", "good": "g"}]))

    assert ran.code == 2
    assert 'line 1, field "bad"' in ran.json["error"]
    assert project.server.calls == 0


def test_two_sets_of_anchors_are_one_too_many(project: Project, tmp_path: Path) -> None:
    ran = qualify(project, "--anchors", few(tmp_path), "--from-reviews", tmp_path)

    assert ran.code == 2


def test_what_people_preferred_in_a_run_is_asked_and_scores_of_that_run_are_not_paid_again(project: Project) -> None:
    project.run()
    pairs = project.sql("SELECT p.hash, o.body FROM outcomes o JOIN prompts p ON p.id = o.prompt WHERE kind = 'pair'")
    with contextlib.closing(sqlite3.connect(project.run_dir / "ledger.sqlite3")) as db, db:
        for prompt, body in pairs:
            chosen, rejected = (json.loads(body)["pair"][side]["completion"] for side in ("chosen", "rejected"))
            row = (prompt, chosen, rejected, chosen, "ann")
            db.execute("INSERT INTO reviews (prompt, first, second, preferred, reviewer, at) VALUES (?,?,?,?,?,1)", row)
    said = told(project, "--from-reviews", project.run_dir)

    assert said["source"] == "reviews"
    assert said["anchors"] == len(pairs) > 5
    assert said["judges"]["judge"]["accuracy"]["plain"]["rate"] == 1.0
    assert said["calls"]["judge"] <= 2 * len(pairs)


# --- what is said ----------------------------------------------------------------------------------


def test_people_get_a_table_for_each_judge_with_its_verdict(project: Project) -> None:
    said = qualify(judged_by(project, good="sim-judge", weak="sim-judge-noisy")).out

    assert "good (sim-judge, simulated), rubric general" in said
    assert "verdict              qualified\n" in said
    assert "verdict              disqualified: adversarial " in said
    lines = said.replace(str(project.folder), "").splitlines()  # wherever that is
    assert max(map(len, lines)) <= 100


def test_missed_anchors_can_be_read_with_what_the_judge_said(project: Project) -> None:
    ran = qualify(judged_by(project, weak="sim-judge-noisy"), "--missed")

    assert "weak missed " in ran.out
    assert "adversarial-longer-01 (code, trap: longer)\n  prompt  Python 3.11." in ran.out
    assert "  judge   the bad one gets " in ran.out


def test_programs_get_every_rate_with_its_interval(project: Project) -> None:
    judge = told(project)["judges"]["judge"]

    assert judge.keys() >= {
        "identity", "model", "verdict", "reasons", "accuracy", "score_accuracy", "duel_accuracy", "conflicts",
        "first_wins", "longer_wins", "longer_is_good", "ties", "unreadable", "failed", "calls", "cost_usd", "tokens",
        "rubric", "asked_at", "simulated", "missed", "anchors",
    }  # fmt: skip
    assert judge["accuracy"].keys() == {"plain", "adversarial", "by_trap", "by_family"}
    assert judge["accuracy"]["adversarial"].keys() == {"rate", "n", "low", "high"}
    assert judge["simulated"] is True


# --- what is kept ----------------------------------------------------------------------------------


def endpoint(name: str = "judge", model: str = "sim-judge", identity: str = "judge sim-judge") -> Endpoint:
    return Endpoint(EndpointName(name), model, ("http://x",), identity)


def found(project: Project, home: Path, judge: Endpoint) -> Qualification | None:
    return qualifications({judge.name: judge}, project.run_dir, home)[judge.name]


def test_it_is_kept_in_the_run_folder_and_for_every_other_run(project: Project, home: Path, tmp_path: Path) -> None:
    judge = told(project, "--anchors", few(tmp_path))["judges"]["judge"]
    elsewhere = qualifications({EndpointName("teacher"): endpoint("teacher")}, tmp_path / "other", home)

    assert json.loads((project.run_dir / "qualify.json").read_bytes())["judges"]["judge"] == judge
    known = elsewhere[EndpointName("teacher")]
    assert known is not None
    assert qualified.as_json(known)["asked_at"] == judge["asked_at"]


def test_it_speaks_of_the_same_identity_and_model_only(project: Project, home: Path, tmp_path: Path) -> None:
    told(project, "--anchors", few(tmp_path))

    assert found(project, home, endpoint()) is not None
    assert found(project, home, endpoint(model="sim-judge@b")) is None
    assert found(project, home, endpoint(identity="another")) is None


def test_the_newest_of_the_two_places_counts(project: Project, home: Path, tmp_path: Path) -> None:
    told(project, "--anchors", few(tmp_path))
    stored = qualified.home_file(home, "judge sim-judge", "sim-judge")
    stored.write_text(json.dumps({**json.loads(stored.read_bytes()), "asked_at": "2099-01-01T00:00:00Z"}))

    known = found(project, home, endpoint())

    assert known is not None
    assert known.asked_at == "2099-01-01T00:00:00Z"


@pytest.mark.parametrize("content", ["", "[]", '{"judges": []}', '{"judges": {"judge": {"model": 3}}}'])
def test_a_file_that_cannot_be_read_counts_as_not_asked(project: Project, home: Path, content: str) -> None:
    project.run_dir.mkdir()
    (project.run_dir / "qualify.json").write_text(content)

    assert found(project, home, endpoint()) is None


def test_judges_of_an_earlier_panel_stay_in_the_file(project: Project, tmp_path: Path) -> None:
    told(judged_by(project, good="sim-judge"), "--anchors", few(tmp_path))
    qualify(judged_by(project, weak="sim-judge-noisy"), "--anchors", few(tmp_path))

    assert json.loads((project.run_dir / "qualify.json").read_bytes())["judges"].keys() == {"good", "weak"}


def test_a_home_that_cannot_be_written_is_only_said(project: Project, home: Path, tmp_path: Path) -> None:
    home.write_text("a file")
    ran = qualify(project, "--anchors", few(tmp_path))

    assert ran.code == 0
    assert "only this run folder keeps the result" in ran.err


# --- what follows for a run ------------------------------------------------------------------------


def known(project: Project, *names: str) -> dict[EndpointName, Qualification | None]:
    judges = json.loads((project.run_dir / "qualify.json").read_bytes())["judges"]
    return {EndpointName(name): qualified.from_json(judges.get(name)) for name in names}


def test_a_disqualified_judge_is_refused_in_one_sentence_that_names_force(project: Project) -> None:
    told(judged_by(project, weak="sim-judge-noisy"), code=1)
    sentence = refusal(known(project, "weak"))

    assert sentence is not None
    assert sentence.startswith("judge weak (sim-judge-noisy) is disqualified: adversarial ")
    assert sentence.endswith("put another judge into [judge] panel, or use --force to go on all the same")


def test_a_judge_that_was_never_asked_is_not_refused_but_spoken_of(project: Project) -> None:
    told(judged_by(project, good="sim-judge"))
    both = known(project, "good", "other")

    assert refusal(both) is None
    assert notices(both, "recipe.toml") == [
        "judge other was never asked what is known; to see whether to trust it: pairsmith qualify recipe.toml"
    ]


def test_a_verdict_in_words_gives_its_reasons() -> None:
    assert verdict_text(qualified.Ruling("qualified")) == "qualified"
    assert verdict_text(qualified.Ruling("warning", ("a", "b"))) == "qualified, with a warning: a; b"


def test_where_what_outlives_a_run_is_kept() -> None:
    assert qualified.home({"PAIRSMITH_HOME": "/x"}) == Path("/x")
    assert qualified.home({}) == Path("~/.local/share/pairsmith").expanduser()
