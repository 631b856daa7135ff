"""What is recorded and said of a run's arms, and which persona stands in the exported rows."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cli_runs import Project, Ran, Server, everyday, pairsmith, read_rows, serving
from pairsmith.recipe import endpoints, load_recipe
from pairsmith.records import Failure, FailureKind, Prompt, PromptId, Reply, Usage
from pairsmith.steps import begin, step
from pairsmith.work import make_work

Arms = dict[str, Any]
LOOSE = {"min_gap": 1, "verify_gap": 1, "chosen_floor": 1}  # nearly every prompt gives a pair
PRICE = {"input": 1.0, "output": 4.0}
HASTY = "T1.4 k20 hasty, as a name that is long"


def armed(folder: Path, server: Server, rows: list[dict[str, Any]], *arms: Mapping[str, Any]) -> Project:
    """A project with arms of its own: `weak` is a student that prefers its poor answers."""
    project = Project(folder, server).prompts(rows)
    models = {"student": "sim-strong", "weak": "sim-weak", "judge": "sim-judge"}
    project.save(
        endpoints={name: {"model": model, "base_url": server.url, "price": PRICE} for name, model in models.items()},
        sample={"completions": 4, "arms": list(arms)},
        pair=LOOSE,
    )
    return project


def hits(rate: Mapping[str, Any]) -> int:
    return round((rate["rate"] or 0) * rate["n"])


# --- what the arms do -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, Ran]]:
    """30 prompts, a few with a given candidate, under three arms, one of them of a weak model."""
    rows = everyday(30)
    rows[:4] = [{**row, "candidates": ["I would rather not look into that now."]} for row in rows[:4]]
    with serving() as server:
        project = armed(
            tmp_path_factory.mktemp("armed"),
            server,
            rows,
            {"name": "calm", "endpoint": "student", "temperature": 0.6},
            {"name": HASTY, "endpoint": "student", "temperature": 1.4, "top_k": 20, "system": "hasty"},
            {"name": "small", "endpoint": "weak", "temperature": 0.1},  # mostly the poorest answer
        )
        done = pairsmith(*project.words())
        assert done.code == 0, done.err
        yield project, done


def test_run_and_status_say_the_same_of_every_arm_by_name(ran: tuple[Project, Ran]) -> None:
    project, done = ran

    assert done.json["arms"] == pairsmith("status", project.run_dir, "--json").json["arms"]
    assert list(done.json["arms"]) == ["calm", HASTY, "small", "given"]
    assert done.json["arms"].keys() == done.json["bias"]["arms"].keys()


def test_what_is_counted_by_arm_adds_up_to_the_run(ran: tuple[Project, Ran]) -> None:
    project, done = ran
    said = done.json
    arms: list[Arms] = list(said["arms"].values())
    flags: Counter[str] = Counter()
    for (counted,) in project.sql("SELECT json_extract(body, '$.flags') FROM outcomes"):
        flags.update(json.loads(counted))

    assert sum(arm["completions"] for arm in arms) == said["completions"]
    assert sum((Counter(arm["screened"]) for arm in arms), Counter()) == flags
    assert sum(hits(arm["in_chosen"]) for arm in arms) == sum(hits(arm["in_rejected"]) for arm in arms)
    assert {arm["in_chosen"]["n"] for arm in arms} == {said["pairs"]}
    assert sum(hits(arm["wins"]) for arm in arms) == sum(hits(arm["losses"]) for arm in arms) > 0
    judged = {name: arm["completions"] for name, arm in said["bias"]["arms"].items()}
    assert {name: arm["usable"] for name, arm in said["arms"].items()} == judged


def test_what_the_arms_cost_is_what_sampling_cost(ran: tuple[Project, Ran]) -> None:
    project, done = ran
    [(paid,)] = project.sql("SELECT sum(cost_usd) FROM attempts WHERE purpose = 'sample'")
    arms = done.json["arms"]
    sampled = [arm for name, arm in arms.items() if name != "given"]

    assert sum(arm["cost_usd"] for arm in sampled) == pytest.approx(paid)
    for arm in sampled:
        won = hits(arm["wins"])
        assert arm["cost_per_won_pair_usd"] == (pytest.approx(arm["cost_usd"] / won) if won else None)
    assert hits(arms["calm"]["wins"]) > 0
    assert (arms["given"]["cost_usd"], arms["given"]["cost_per_won_pair_usd"]) == (None, None)


def test_both_sides_of_an_equality_count_as_shared(ran: tuple[Project, Ran]) -> None:
    project, done = ran
    texts: dict[str, list[str]] = {}
    samples = "SELECT prompt, raw FROM replies WHERE request IN (SELECT request FROM attempts WHERE purpose='sample')"
    for prompt, raw in project.sql(samples):
        texts.setdefault(prompt, []).append(" ".join(json.loads(raw)["choices"][0]["message"]["content"].split()))
    shared = sum(said.count(text) > 1 for said in texts.values() for text in said)

    assert shared > 0
    assert sum(hits(arm["shared"]) for arm in done.json["arms"].values()) == shared


def test_a_price_that_the_recipe_has_now_is_reckoned_with(ran: tuple[Project, Ran], tmp_path: Path) -> None:
    project, done = ran
    models = {**project.table["endpoints"], "weak": {**project.table["endpoints"]["weak"], "price": None}}
    models["weak"] = {key: value for key, value in models["weak"].items() if value is not None}
    models["student"] = {**models["student"], "price": {"input": 2.0, "output": 8.0}}
    dearer = Project(tmp_path, project.server)
    dearer.save(**{**project.table, "endpoints": models})
    now = pairsmith("status", dearer.recipe, "--run-dir", project.run_dir, "--json").json["arms"]

    assert now["calm"]["cost_usd"] == pytest.approx(2 * done.json["arms"]["calm"]["cost_usd"])
    assert now["small"]["cost_usd"] is None


def test_an_arm_that_most_of_the_rejected_are_of_is_warned_of(ran: tuple[Project, Ran]) -> None:
    project, done = ran
    again = pairsmith("export", project.run_dir, "-o", project.folder / "again.jsonl").err

    for said in (done.err, again):
        assert said.count(" of the rejected answers") == 1
        assert "pairsmith: arm small supplies " in said
    assert done.json["arms"]["small"]["in_rejected"]["low"] > 0.5


def test_arms_that_do_alike_are_not_warned_of(tmp_path: Path, server: Server) -> None:
    arms = [{"endpoint": "student", "temperature": heat} for heat in (0.9, 1.0)]
    done = pairsmith(*armed(tmp_path, server, everyday(24), *arms).words())

    assert done.json["pairs"] >= 20
    assert "of the rejected answers" not in done.err


def test_status_has_a_table_whose_columns_stand_below_each_other(ran: tuple[Project, Ran]) -> None:
    project, done = ran
    lines = pairsmith("status", project.run_dir).out.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("  arm "))
    table = lines[start : start + 6]  # a heading, four arms, and a line of its own for the long name
    small = next(line for line in table if line.startswith("  small "))

    assert max(map(len, lines)) <= 100
    assert f"  {HASTY}" in table
    assert len({len(line) for line in table} - {len(f"  {HASTY}")}) == 1
    assert small.split()[1:3] == [
        str(done.json["arms"]["small"]["completions"]),
        str(done.json["arms"]["small"]["completions"] - done.json["arms"]["small"]["usable"]),
    ]
    assert next(line for line in table if line.startswith("  given ")).split()[-1] == "-"


def test_the_end_of_a_run_has_the_table_in_short(ran: tuple[Project, Ran]) -> None:
    project, _ = ran
    said = pairsmith("run", project.run_dir, "--quiet").out
    heading = next(line for line in said.splitlines() if line.startswith("  arm "))

    assert heading.split()[1:] == ["answers", "score", "wins", "(95", "%)", "chosen", "rejected"]
    assert "\n  small " in said


def test_a_run_of_one_arm_has_no_table(project: Project) -> None:
    project.save(sample={"endpoints": ["student"], "temperature": 1.0})
    said = pairsmith(*[word for word in project.words() if word != "--json"]).out

    assert "12 prompts" in said
    assert "\n  arm " not in said


# --- what is recorded -------------------------------------------------------------------------------


def test_each_side_of_a_pair_says_what_was_asked_for_and_what_held(ran: tuple[Project, Ran]) -> None:
    project, _ = ran
    sides = [proof[side] for proof in project.proofs for side in ("chosen", "rejected")]
    hasty = next(side for side in sides if side["arm"] == HASTY)

    assert {side["arm"] for side in sides} >= {"calm", HASTY, "small"}
    assert (hasty["persona"], hasty["requested"]) == ("hasty", {"temperature": 1.4, "top_k": 20})
    assert hasty["effective"]["top_k"] == 20
    assert hasty["effective"]["top_p"] == 1.0  # neutral: the simulator is known to take it
    assert all(("requested" in side) == ("effective" in side) == (side["arm"] != "given") for side in sides)


def test_what_a_server_is_sent_beside_what_was_asked_for_is_recorded(tmp_path: Path, server: Server) -> None:
    project = armed(tmp_path, server, everyday(2), {"endpoint": "student", "temperature": 1.4})
    models = {**project.table["endpoints"]}
    models["student"] = {**models["student"], "server": "vllm", "extra": {"stop": ["END"]}}
    project.save(endpoints=models)
    arm = project.run()["arms"]["T1.4"]

    assert arm["requested"] == {"temperature": 1.4}
    assert arm["effective"] == {
        "temperature": 1.4, "top_p": 1.0, "top_k": -1, "min_p": 0.0, "repetition_penalty": 1.0, "stop": ["END"],
    }  # fmt: skip
    assert (arm["endpoint"], arm["model"], arm["weight"], arm["persona"]) == ("student", "sim-strong", 1.0, None)


def test_a_folder_of_an_earlier_version_is_shown_with_what_it_knows(ran: tuple[Project, Ran], tmp_path: Path) -> None:
    project, done = ran
    old = tmp_path / "run"
    shutil.copytree(project.run_dir, old)
    with closing(sqlite3.connect(old / "ledger.sqlite3")) as db, db:
        [(key, known)] = db.execute("SELECT key, value FROM facts WHERE key LIKE 'arms %'").fetchall()
        personas = {name: arm["system"] for name, arm in json.loads(known).items()}
        db.execute("UPDATE facts SET value = ? WHERE key = ?", (json.dumps(personas), key))
        db.execute("UPDATE outcomes SET body = json_remove(body, '$.arms')")
    said = pairsmith("status", old, "--json").json["arms"]
    shown = next(line for line in pairsmith("status", old).out.splitlines() if line.startswith("  small "))
    kept = pairsmith("export", old, "--system", "keep", "-o", tmp_path / "kept.jsonl", "--json").json
    proofs = read_rows(tmp_path / "kept.provenance.jsonl")

    assert said.keys() == done.json["arms"].keys()
    assert [said["small"][key] for key in ("completions", "screened", "cost_usd")] == [None, None, None]
    assert said["small"]["in_rejected"] == done.json["arms"]["small"]["in_rejected"]
    assert shown.split()[1:3] == ["-", "-"]
    assert shown.split()[-2:] == ["-", "-"]
    assert kept["left_out"]["personas_differ"] > 0
    assert not any("requested" in proof[side] for proof in proofs for side in ("chosen", "rejected"))


def test_what_was_sampled_for_a_prompt_that_then_failed_is_counted(tmp_path: Path, server: Server) -> None:
    recipe = load_recipe(armed(tmp_path, server, everyday(1), {"name": "one", "endpoint": "student"}).recipe)
    work = make_work(recipe, endpoints(recipe, {}))
    prompt = Prompt(PromptId("p"), ({"role": "user", "content": "Why?"},))
    known = begin(prompt, work)
    lost, *paid = [request.id for request in step(prompt, known, {}, work).owed]
    answers: dict[Any, Any] = {ident: Reply(ident, f"As {ident}.", usage=Usage(5, 7)) for ident in paid}

    now = step(prompt, known, {**answers, lost: Failure(lost, FailureKind.TRANSIENT, "timeout")}, work)

    assert (now.kind, now.final) == ("failed", False)
    assert now.body is not None
    assert [row[:6] for row in now.body["arms"]] == [["one", [], 5, 7, None, False]] * 3


# --- personas ---------------------------------------------------------------------------------------

Persona = Callable[..., Project]
OWN = "Answer in two sentences."


@pytest.fixture
def persona(tmp_path: Path, server: Server) -> Persona:
    """A finished run under arms of these personas, each a file of this text."""

    def start(*texts: str | None, rows: list[dict[str, Any]] | None = None) -> Project:
        arms = []
        for place, text in enumerate(texts):
            arm = {"endpoint": ("student", "weak")[place % 2], "temperature": 1.0 + place / 10}
            if text is not None:
                (tmp_path / f"p{place}.md").write_text(text, "utf-8")
            arms.append(arm if text is None else {**arm, "system": f"p{place}.md"})
        project = armed(tmp_path, server, rows or everyday(12), *arms)
        project.run()
        return project

    return start


def exported(project: Project, system: object) -> tuple[list[list[str]], list[Any], dict[str, int]]:
    """By the flag of `export`: the system messages of each row, its provenance, and what was left out."""
    out = project.folder / "out.jsonl"
    said = pairsmith("export", project.run_dir, "--system", system, "-o", out, "--json").json
    rows = [[m["content"] for m in row["input"]["messages"] if m["role"] == "system"] for row in read_rows(out)]
    return rows, read_rows(out.with_name("out.provenance.jsonl")), said["left_out"]


def personas(proof: Mapping[str, Any]) -> tuple[Any, Any]:
    return proof["chosen"].get("persona"), proof["rejected"].get("persona")


def test_sides_of_two_personas_are_fine_under_strip_and_a_file_and_left_out_under_keep(persona: Persona) -> None:
    rows = everyday(12)
    rows[:6] = [{"prompt": row["prompt"], "system": OWN} for row in everyday(40) if "prompt" in row][:6]
    project = persona("You are terse.", "You are warm.", rows=rows)
    (project.folder / "kind.md").write_text("Be kind.\n")
    stripped, proofs, none_left_out = exported(project, "strip")
    replaced, same_proofs, _ = exported(project, project.folder / "kind.md")
    kept, kept_proofs, left_out = exported(project, "keep")
    differ = sum(one != other for one, other in map(personas, proofs))

    assert 0 < differ < len(proofs)
    assert {name for proof in proofs for name in personas(proof)} == {"p0", "p1"}
    assert (none_left_out, left_out) == ({}, {"personas_differ": differ})
    assert [{**proof, "export": None} for proof in same_proofs] == [{**proof, "export": None} for proof in proofs]
    assert len(kept) == len(proofs) - differ
    assert all(text in ([], [OWN]) for text in stripped)
    assert [OWN] in stripped
    assert replaced == [["Be kind." if not text else f"Be kind.\n\n{OWN}"] for text in stripped]
    said = {"p0": "You are terse.", "p1": "You are warm."}
    for (text,), proof in zip(kept, kept_proofs, strict=True):
        assert text.split("\n\n")[0] == said[personas(proof)[0]]


def test_run_leaves_them_out_too_and_says_why(persona: Persona) -> None:
    project = persona("You are terse.", "You are warm.")
    done = pairsmith(*project.words("--set", "export.system=keep"))
    n = done.json["left_out"]["personas_differ"]

    assert done.json["pairs"] + n == done.json["settled"]
    assert f"{n} pairs left out of the file: personas_differ (the system prompts of the two sides differ" in done.err


def test_two_personas_of_one_text_are_one_under_keep(persona: Persona) -> None:
    project = persona("You are terse.", "You are terse.\n")
    kept, proofs, left_out = exported(project, "keep")

    assert {name for proof in proofs for name in personas(proof)} == {"p0", "p1"}
    assert left_out == {}
    assert all(text[0].startswith("You are terse.") for text in kept)


def test_a_blank_persona_is_none(persona: Persona) -> None:
    kept, proofs, left_out = exported(persona(" \n", None), "keep")

    assert {name for proof in proofs for name in personas(proof)} == {"p0", None}
    assert left_out == {}
    assert not any("You are" in message for text in kept for message in text)


@pytest.mark.parametrize(("text", "fine"), [("You are terse.", False), (" \n", True)])
def test_a_given_candidate_has_no_persona(persona: Persona, text: str, fine: bool) -> None:
    rows = [{**row, "candidates": ["I would rather not look into that now."]} for row in everyday(12)]
    project = persona(text, rows=rows)
    _, proofs, _ = exported(project, "strip")
    mixed = sum("given" in (proof["chosen"]["arm"], proof["rejected"]["arm"]) for proof in proofs)
    _, _, left_out = exported(project, "keep")

    assert mixed > 0
    assert left_out == ({} if fine else {"personas_differ": mixed})
