"""A dataset is proved from the ledger alone, and each row that was tampered with is named."""

from __future__ import annotations

import contextlib
import copy
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cli_runs import Project, Ran, everyday, pairsmith, read_rows, serving, write_rows

TARGETS = ("openai", "azure", "together", "fireworks", "trl")
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Pairs by scores and by duels, and abstentions."""
    with serving() as server:
        project = Project(tmp_path_factory.mktemp("audited"), server).prompts(everyday(24))
        sample = {**project.table["sample"], "system": ["plain", "hasty"]}
        project.save(sample=sample, pair={"min_gap": 4.0, "verify_gap": 1.0})
        project.run()
        yield project


def audit(run: Project, *words: object) -> Ran:
    return pairsmith("audit", run.run_dir, *words)


def export(run: Project, out: Path, target: str, system: str = "strip") -> Path:
    assert pairsmith("export", run.run_dir, "--target", target, "--system", system, "-o", out).code == 0
    return out


def sides_of(row: dict[str, Any]) -> tuple[str, str]:
    return ("chosen", "rejected") if "chosen" in row else ("preferred_output", "non_preferred_output")


def asked_of(row: dict[str, Any]) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = row["prompt"] if "prompt" in row else row["input"]["messages"]
    return messages


# --- good files -------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
def test_an_export_for_every_target_is_proven(run: Project, tmp_path: Path, target: str) -> None:
    out = export(run, tmp_path / f"{target}.jsonl", target)

    ran = audit(run, out, "--json")

    assert ran.code == 0, ran.out
    assert ran.json["rows_proven"] == ran.json["rows"] == len(read_rows(out)) > 10


def test_rows_with_personas_are_proven_as_they_were_exported(run: Project, tmp_path: Path) -> None:
    out = export(run, tmp_path / "keep.jsonl", "trl", "keep")

    assert audit(run, out).code == 0
    assert audit(run, out, "--system", "strip").code == 1


def test_all_prompts_are_accounted_for_and_what_rows_rest_on_is_counted(run: Project) -> None:
    said = audit(run, run.run_dir / "pairs.jsonl", "--json").json

    assert said["prompts"] == said["paired"] + sum(said["abstained"].values()) + said["failed"] + said["not_reached"]
    assert set(said["rests_on"]) == {"gap", "duels"}
    assert sum(said["rests_on"].values()) == said["rows"]
    assert said["verdicts_reread"] == said["replies_reread"] > said["rows"]


def test_a_file_that_pair_made_is_proven_by_what_its_provenance_says(run: Project, tmp_path: Path) -> None:
    out = tmp_path / "again.jsonl"
    pairsmith("pair", run.run_dir, "--strategy", "best-random", "--set", "pair.min_gap=2", "-o", out)

    ran = audit(run, out, "--json")

    assert ran.code == 0, ran.out
    assert ran.json["rows"] > 0


def test_without_the_provenance_flags_say_how_it_was_made(run: Project, tmp_path: Path) -> None:
    out = tmp_path / "again.jsonl"
    flags = ("--strategy", "best-random", "--set", "pair.min_gap=2")
    pairsmith("pair", run.run_dir, *flags, "-o", out)
    out.with_name("again.provenance.jsonl").unlink()

    assert audit(run, out, *flags).code == 0
    assert audit(run, out).code == 1


def test_several_pairs_of_a_prompt_and_both_files_of_a_split_are_proven(run: Project, tmp_path: Path) -> None:
    out = tmp_path / "pairs.jsonl"
    flags = ("--strategy", "all-gaps", "--set", "export.validation=0.4", "--set", "pair.min_gap=1")
    pairsmith("pair", run.run_dir, *flags, "-o", out)
    both = (out, tmp_path / "pairs.validation.jsonl")

    ran = audit(run, *both, "--json")

    assert ran.code == 0, ran.out
    assert ran.json["rows"] == ran.json["pairs"] > ran.json["paired"]
    assert (
        audit(run, both[1], both[0].rename(tmp_path / "x.validation.jsonl"), "--set", "export.validation=0.4").code == 1
    )


def test_the_first_rows_alone_are_noted_and_a_file_that_was_cut_is_not_proven(run: Project, tmp_path: Path) -> None:
    out = tmp_path / "some.jsonl"
    pairsmith("export", run.run_dir, "--limit", "5", "-o", out)
    limited = audit(run, out)
    whole = export(run, tmp_path / "cut.jsonl", "openai")
    write_rows(whole, read_rows(whole)[:-1])

    assert limited.code == 0
    assert "written so with --limit" in limited.out
    assert audit(run, whole).code == 1


# --- tampered files ------------------------------------------------------------------------------------


def a_byte(rows: Rows) -> None:
    message = rows[2][sides_of(rows[2])[0]][0]
    message["content"] = message["content"][:-1] + ("!" if message["content"][-1] != "!" else "?")


def swapped(rows: Rows) -> None:
    one, other = sides_of(rows[2])
    rows[2][one], rows[2][other] = rows[2][other], rows[2][one]


def doubled(rows: Rows) -> None:
    rows[2] = copy.deepcopy(rows[0])


def prompt(rows: Rows) -> None:
    asked_of(rows[2])[-1]["content"] += " Please."


def of_another_run(rows: Rows) -> None:
    one, other = sides_of(rows[2])
    asked_of(rows[2])[-1]["content"] = "What did another run ask?"
    rows[2][one][0]["content"], rows[2][other][0]["content"] = "This.", "That."


def of_another_answer(rows: Rows) -> None:
    one, _ = sides_of(rows[2])
    rows[2][one] = copy.deepcopy(rows[3][one])


TAMPERED = {
    "differs from what is stored, first at byte": (a_byte, prompt, of_another_answer),
    "the two answers are swapped": (swapped,),
    "is the same row as": (doubled,),
    "neither its prompt nor its answers are of this run": (of_another_run,),
}


@pytest.mark.parametrize("target", ["openai", "trl"])
@pytest.mark.parametrize(
    ("told", "tamper"), [(told, tamper) for told, tampers in TAMPERED.items() for tamper in tampers]
)
def test_what_was_tampered_with_is_named_with_its_line(
    run: Project, tmp_path: Path, target: str, told: str, tamper: Callable[[Rows], None]
) -> None:
    out = export(run, tmp_path / "bad.jsonl", target)
    rows = read_rows(out)
    tamper(rows)
    write_rows(out, rows)

    ran = audit(run, out, "--json")

    assert ran.code == 1
    at_line = [problem["found"] for problem in ran.json["problems"] if problem["line"] == 3]
    assert len(at_line) == 1
    assert told in at_line[0]
    assert {problem["line"] for problem in ran.json["problems"]} <= {0, 3}


@given(data=st.data())
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_changed_character_of_any_text_is_found(run: Project, tmp_path: Path, data: st.DataObject) -> None:
    out = export(run, tmp_path / "bad.jsonl", "openai")
    rows = read_rows(out)
    line = data.draw(st.integers(0, len(rows) - 1))
    message = rows[line][data.draw(st.sampled_from(sides_of(rows[line])))][0]
    place = data.draw(st.integers(0, len(message["content"]) - 1))
    other = data.draw(st.characters(codec="utf-8").filter(lambda one: one != message["content"][place]))
    message["content"] = message["content"][:place] + other + message["content"][place + 1 :]
    write_rows(out, rows)

    found = audit(run, out, "--json").json["problems"]

    assert [problem["line"] for problem in found if problem["line"]] == [line + 1]


def test_a_row_that_is_gone_and_rows_in_another_order_are_named(run: Project, tmp_path: Path) -> None:
    out = export(run, tmp_path / "bad.jsonl", "openai")
    rows = read_rows(out)
    write_rows(out, [rows[1], rows[0], *rows[3:]])

    found = [problem["found"] for problem in audit(run, out, "--json").json["problems"]]

    assert sum("rows and provenance are not in one order" in one for one in found) == 2
    assert any("the run's pair of this prompt is missing" in one for one in found)


def test_a_row_of_a_prompt_that_abstained_is_named_with_its_reason(run: Project, tmp_path: Path) -> None:
    out = tmp_path / "wide.jsonl"
    table = ("pair.chosen_floor=1", "pair.min_gap=0.5", "pair.verify_gap=0.5")
    pairsmith("pair", run.run_dir, *(word for key in table for word in ("--set", key)), "-o", out)
    out.with_name("wide.provenance.jsonl").unlink()

    found = [problem["found"] for problem in audit(run, out, "--json").json["problems"]]

    assert any(one.startswith("its prompt has no pair in this run: abstained") for one in found)


@pytest.mark.parametrize("line", [b"{\n", b"\n", b"[]\n", b'{"prompt": 1}\n'])
def test_what_is_no_row_is_named(run: Project, tmp_path: Path, line: bytes) -> None:
    out = export(run, tmp_path / "bad.jsonl", "openai")
    out.write_bytes(line + out.read_bytes())

    assert any(problem["line"] == 1 for problem in audit(run, out, "--json").json["problems"])


# --- a ledger that contradicts itself --------------------------------------------------------------------


def altered(run: Project, tmp_path: Path, change: Callable[[sqlite3.Connection], None]) -> Ran:
    shutil.copytree(run.run_dir, tmp_path / "run")
    with contextlib.closing(sqlite3.connect(tmp_path / "run" / "ledger.sqlite3")) as db:
        change(db)
        db.commit()
    return pairsmith("audit", tmp_path / "run", run.run_dir / "pairs.jsonl", "--json")


def test_a_judges_reply_that_was_altered_is_found(run: Project, tmp_path: Path) -> None:
    call = next(verdict["call"] for verdict in run.proofs[0]["verdicts"] if "score" in verdict)

    def change(db: sqlite3.Connection) -> None:
        (raw,) = db.execute("SELECT raw FROM replies WHERE request = ?", (call,)).fetchone()
        reply = json.loads(raw)
        reply["choices"][0]["message"]["content"] = '{"rationale": "Bad.", "score": 1.5}'
        db.execute("UPDATE replies SET raw = ? WHERE request = ?", (json.dumps(reply).encode(), call))

    ran = altered(run, tmp_path, change)

    assert ran.code == 1
    assert any("its stored reply says 1.5" in problem["found"] for problem in ran.json["problems"])


def test_a_pair_that_does_not_follow_from_its_verdicts_is_found(run: Project, tmp_path: Path) -> None:
    def change(db: sqlite3.Connection) -> None:
        (number, body) = db.execute("SELECT prompt, body FROM outcomes WHERE kind = 'pair' LIMIT 1").fetchone()
        kept = json.loads(body)
        kept["pair"]["chosen"], kept["pair"]["rejected"] = kept["pair"]["rejected"], kept["pair"]["chosen"]
        db.execute("UPDATE outcomes SET body = ? WHERE prompt = ?", (json.dumps(kept).encode(), number))

    ran = altered(run, tmp_path, change)

    assert ran.code == 1
    assert any("its verdicts, settled again, give" in problem["found"] for problem in ran.json["problems"])


def test_what_cannot_be_audited_is_said_in_a_sentence(run: Project, tmp_path: Path) -> None:
    missing = audit(run, tmp_path / "none.jsonl")

    assert missing.code == 2
    assert "name a dataset that was exported" in missing.err


def test_a_strategy_of_the_users_own_is_named_without_its_folder_and_run_where_flags_say_it_is_only(
    run: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (run.folder / "rules.py").write_text("def second(prompt, answers):\n    return (0, len(answers) - 1)\n")
    strategy = f"{run.folder}/rules.py:second"
    out = tmp_path / "own.jsonl"
    flags = ("--strategy", strategy, "--set", "pair.min_gap=0.5", "--set", "pair.verify_gap=0.5")
    pairsmith("pair", run.run_dir, *flags, "-o", out)
    proof = read_rows(tmp_path / "own.provenance.jsonl")[0]

    assert str(run.folder) not in json.dumps(proof)
    assert audit(run, out, *flags).code == 0

    monkeypatch.chdir(tmp_path)
    Path("rules.py").write_text("open('ran', 'w').close()\ndef second(prompt, answers):\n    return (0, 1)\n")
    unsaid = audit(run, out)
    assert unsaid.code == 2
    assert "--strategy FOLDER/rules.py:second" in unsaid.err
    assert not Path("ran").exists()


@pytest.mark.parametrize(("key", "flag"), [("tokenizer", "--set pair.tokenizer="), ("system", "--system ")])
def test_no_file_is_opened_because_a_provenance_names_it(run: Project, tmp_path: Path, key: str, flag: str) -> None:
    out = export(run, tmp_path / "named.jsonl", "openai")
    beside = out.with_name("named.provenance.jsonl")
    rows = read_rows(beside)
    table = "pair" if key == "tokenizer" else "export"
    rows[0][table] = {**rows[0].get(table, {}), key: f"{tmp_path}/private"}
    write_rows(beside, rows)

    ran = audit(run, out)

    assert ran.code == 2
    assert f"{flag}FOLDER/private" in ran.err
