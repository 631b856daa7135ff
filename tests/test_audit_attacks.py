"""Files and ledgers that were forged with some thought: none passes, and no genuine row is accused for another."""

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

from cli_runs import Project, Ran, everyday, pairsmith, read_rows, serving, write_rows
from judged_runs import planted

Rows = list[dict[str, Any]]
Change = Callable[[sqlite3.Connection], None]
WORSE, BETTER = "A short answer, and a poor one.", "A long answer, which tells everything that was asked for."


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Pairs by scores and by duels."""
    with serving() as server:
        project = Project(tmp_path_factory.mktemp("forged"), server).prompts(everyday(16))
        project.save(pair={"min_gap": 4.0, "verify_gap": 1.0, "chosen_floor": 4.0})
        project.run()
        yield project


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Pairs by rankings of given answers."""
    with serving() as server:
        project = Project(tmp_path_factory.mktemp("ranked"), server).prompts(planted(6))
        project.save(sample=None, judge={"panel": ["judge"], "protocol": "rank", "rank_conflict": "duel"})
        project.run()
        yield project


def audit(run_dir: Path, *words: object) -> Ran:
    return pairsmith("audit", run_dir, *words, "--json")


def problems(ran: Ran) -> list[tuple[int, str]]:
    assert ran.code == 1, ran.err or ran.out
    return [(one["line"], one["found"]) for one in ran.json["problems"]]


def forged(run: Project, tmp_path: Path, change: Change) -> Path:
    """A copy of the run folder whose ledger was changed."""
    folder = tmp_path / "forged"
    shutil.copytree(run.run_dir, folder)
    with contextlib.closing(sqlite3.connect(folder / "ledger.sqlite3")) as db:
        change(db)
        db.commit()
    return folder


def exported(folder: Path) -> Path:
    """What the forged ledger itself would export."""
    out = folder / "forged.jsonl"
    assert pairsmith("export", folder, "-o", out).code == 0
    return out


def of_outcomes(edit: Callable[[dict[str, Any]], None], most: int = 99) -> Change:
    """A change of what the ledger keeps of its pairs."""

    def change(db: sqlite3.Connection) -> None:
        sql = "SELECT prompt, body FROM outcomes WHERE kind = 'pair' ORDER BY prompt LIMIT ?"
        for number, raw in db.execute(sql, (most,)).fetchall():
            body = json.loads(raw)
            edit(body)
            db.execute("UPDATE outcomes SET body = ? WHERE prompt = ?", (json.dumps(body).encode(), number))

    return change


def swap(body: dict[str, Any]) -> None:
    pair = body["pair"]
    pair["chosen"], pair["rejected"] = pair["rejected"], pair["chosen"]


# --- forged ledgers -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["scored", "ranked"])
def test_pairs_whose_verdicts_were_taken_away_are_not_proven(
    request: pytest.FixtureRequest, tmp_path: Path, name: str
) -> None:
    def edit(body: dict[str, Any]) -> None:
        swap(body)
        body["verdicts"] = []

    folder = forged(request.getfixturevalue(name), tmp_path, of_outcomes(edit))

    ran = audit(folder, exported(folder))

    assert any("settled again" in found for _, found in problems(ran))
    assert ran.json["rows_proven"] == 0


def test_a_prompt_that_failed_is_expected_in_no_file(scored: Project, tmp_path: Path) -> None:
    folder = forged(
        scored, tmp_path, lambda db: db.execute("UPDATE outcomes SET kind = 'failed', reason = 'x' WHERE kind = 'pair'")
    )

    assert audit(folder, scored.run_dir / "pairs.jsonl").json["rows_proven"] == 0


def test_a_verdict_that_is_used_twice_is_named(scored: Project, tmp_path: Path) -> None:
    def edit(body: dict[str, Any]) -> None:
        scores = [said for said in body["verdicts"] if "score" in said]
        best = max(scores, key=lambda said: said["score"])
        for said in scores:
            said["call"], said["score"] = best["call"], best["score"]

    folder = forged(scored, tmp_path, of_outcomes(edit, 1))

    assert any("rests on the same reply as" in found for _, found in problems(audit(folder, exported(folder))))


@pytest.mark.parametrize("what", ["completions", "verdicts"])
def test_a_reply_to_another_prompt_is_no_evidence(scored: Project, tmp_path: Path, what: str) -> None:
    def change(db: sqlite3.Connection) -> None:
        (_, one), (number, other) = db.execute(
            "SELECT prompt, body FROM outcomes WHERE kind = 'pair' ORDER BY prompt LIMIT 2"
        ).fetchall()
        lent, body = json.loads(one), json.loads(other)
        if what == "verdicts":
            lender, borrower = (next(v for v in kept["verdicts"] if "score" in v) for kept in (lent, body))
            borrower["call"], borrower["score"] = lender["call"], lender["score"]
            text = json.dumps(body)
        else:
            text = other.decode().replace(body["pair"]["chosen"]["completion"], lent["pair"]["chosen"]["completion"])
        db.execute("UPDATE outcomes SET body = ? WHERE prompt = ?", (text.encode(), number))

    folder = forged(scored, tmp_path, change)

    assert any("of another prompt" in found for _, found in problems(audit(folder, exported(folder))))


def test_a_prompt_that_was_altered_in_the_ledger_is_named(scored: Project, tmp_path: Path) -> None:
    def change(db: sqlite3.Connection) -> None:
        for number, raw in db.execute("SELECT id, body FROM prompts").fetchall():
            body = json.loads(raw)
            body["messages"][-1]["content"] += " Please."
            db.execute("UPDATE prompts SET body = ? WHERE id = ?", (json.dumps(body).encode(), number))

    folder = forged(scored, tmp_path, change)

    assert any("is not the one that its id names" in found for _, found in problems(audit(folder, exported(folder))))


def test_an_answer_that_can_no_longer_be_read_is_named_with_its_row(scored: Project, tmp_path: Path) -> None:
    ident = scored.proofs[2]["rejected"]["completion"]
    folder = forged(
        scored, tmp_path, lambda db: db.execute("UPDATE replies SET raw = X'7B' WHERE request = ?", (ident,))
    )

    ran = audit(folder, scored.run_dir / "pairs.jsonl")

    assert any(ident in found for _, found in problems(ran))
    assert 3 in [line for line, _ in problems(ran)]
    assert ran.json["rows_proven"] == ran.json["rows"] - 1


def test_a_row_whose_evidence_does_not_hold_is_not_proven_though_the_order_stays(
    scored: Project, tmp_path: Path
) -> None:
    place = next(n for n, proof in enumerate(scored.proofs) if proof["rule"] == "gap")
    proof = scored.proofs[place]
    call = next(v["call"] for v in proof["verdicts"] if v.get("completion") == proof["chosen"]["completion"])

    def change(db: sqlite3.Connection) -> None:
        (raw,) = db.execute("SELECT raw FROM replies WHERE request = ?", (call,)).fetchone()
        reply = json.loads(raw)
        reply["choices"][0]["message"]["content"] = '{"rationale": "", "score": 9.5}'
        db.execute("UPDATE replies SET raw = ? WHERE request = ?", (json.dumps(reply).encode(), call))

    ran = audit(forged(scored, tmp_path, change), scored.run_dir / "pairs.jsonl")

    assert place + 1 in [line for line, _ in problems(ran)]
    assert ran.json["rows_proven"] == ran.json["rows"] - 1


def test_the_account_is_the_ledgers(scored: Project) -> None:
    said = audit(scored.run_dir, scored.run_dir / "pairs.jsonl").json
    status = pairsmith("status", scored.run_dir, "--json").json

    assert (said["paired"], said["abstained"]) == (status["settled"], status["abstained"])


# --- forged files ---------------------------------------------------------------------------------------


def edited(run: Project, tmp_path: Path, edit: Callable[[Rows], None]) -> list[tuple[int, str]]:
    out = tmp_path / "bad.jsonl"
    shutil.copy(run.run_dir / "pairs.provenance.jsonl", tmp_path / "bad.provenance.jsonl")
    rows = run.pairs
    edit(rows)
    write_rows(out, rows)
    return problems(audit(run.run_dir, out))


def test_a_changed_copy_in_front_of_a_row_is_named_and_the_row_is_not(scored: Project, tmp_path: Path) -> None:
    def edit(rows: Rows) -> None:
        copied = copy.deepcopy(rows[3])
        copied["preferred_output"][0]["content"] += "!"
        rows.insert(0, copied)

    found = edited(scored, tmp_path, edit)

    assert [line for line, _ in found if line] == [1]
    assert "line 5 is this prompt's pair already" in found[0][1]


def test_an_edited_prompt_is_told_though_one_answer_was_changed_too(scored: Project, tmp_path: Path) -> None:
    def edit(rows: Rows) -> None:
        rows[1]["input"]["messages"][-1]["content"] += " Please."
        rows[1]["non_preferred_output"][0]["content"] += "!"

    found = edited(scored, tmp_path, edit)

    assert [line for line, _ in found] == [2, 2]
    assert {said.split(" differs")[0] for _, said in found} == {"input", "non_preferred_output"}


def test_each_row_that_stands_elsewhere_than_its_proof_is_named(scored: Project, tmp_path: Path) -> None:
    def edit(rows: Rows) -> None:
        rows[2], rows[5] = rows[5], rows[2]

    found = edited(scored, tmp_path, edit)

    assert [line for line, _ in found] == [3, 6]
    assert "line 6 of the provenance" in found[0][1]


def test_a_row_that_is_gone_shifts_no_other(scored: Project, tmp_path: Path) -> None:
    found = edited(scored, tmp_path, lambda rows: rows.__delitem__(4))

    assert len(found) == 1
    assert "missing" in found[0][1]
    assert "line 5" in found[0][1]


def test_another_layout_of_bytes_is_the_same_row(scored: Project, tmp_path: Path) -> None:
    out = tmp_path / "spaced.jsonl"
    out.write_text("".join(json.dumps(row, indent=None, sort_keys=True) + "\n" for row in scored.pairs), "utf-8")
    shutil.copy(scored.run_dir / "pairs.provenance.jsonl", tmp_path / "spaced.provenance.jsonl")

    assert audit(scored.run_dir, out).code == 0


def test_a_target_that_is_named_does_not_undo_what_the_provenance_says(tmp_path: Path) -> None:
    with serving() as server:
        project = Project(tmp_path / "personas", server).prompts(everyday(6))
        project.save(
            sample={**project.table["sample"], "system": ["hasty"]}, pair={"min_gap": 1.0, "chosen_floor": 1.0}
        )
        project.run()
    out = tmp_path / "keep.jsonl"
    pairsmith("export", project.run_dir, "--target", "trl", "--system", "keep", "-o", out)

    assert audit(project.run_dir, out, "--target", "trl").code == 0


def test_a_provenance_that_names_easier_gates_is_told(scored: Project, tmp_path: Path) -> None:
    out = tmp_path / "easy.jsonl"
    pairsmith("pair", scored.run_dir, "--set", "pair.min_gap=1", "-o", out)

    ran = audit(scored.run_dir, out)

    assert ran.code == 0
    assert any("another [pair] table than the run's own: min_gap = 1" in note for note in ran.json["notes"])


def test_a_file_of_before_is_proven_though_a_later_run_asked_more(tmp_path: Path) -> None:
    with serving() as server:
        project = Project(tmp_path / "grown", server).prompts(everyday(16))
        project.save(pair={"min_gap": 3.0, "verify_gap": 3.0, "chosen_floor": 4.0})
        project.run()
        for name in ("pairs.jsonl", "pairs.provenance.jsonl"):
            shutil.copy(project.run_dir / name, tmp_path / name)
        project.save(pair={"min_gap": 4.0, "verify_gap": 1.0, "chosen_floor": 4.0})
        assert project.run()["calls"]["judge"] > 0

    ran = audit(project.run_dir, tmp_path / "pairs.jsonl")

    assert ran.code == 0, ran.out


def test_equal_rows_of_two_prompts_are_proven_both(tmp_path: Path) -> None:
    """Prompts that differ in what no row shows: their references."""
    rows = [
        {"prompt": "What is asked?", "reference": said, "candidates": [BETTER, WORSE], "preferred": 0}
        for said in ("One.", "Another.")
    ]
    project_rows = [*rows, {"prompt": "And this?", "candidates": [BETTER, WORSE], "preferred": 0}]
    with serving() as server:
        project = Project(tmp_path / "twice", server).prompts(project_rows)
        project.save(sample=None, endpoints=None, judge={"panel": []})
        project.run()

    ran = audit(project.run_dir, project.run_dir / "pairs.jsonl")

    assert ran.code == 0, ran.out
    assert ran.json["rows_proven"] == 3
    out = tmp_path / "thrice.jsonl"
    write_rows(out, [*project.pairs, project.pairs[0]])
    assert any("is the same row as" in found for _, found in problems(audit(project.run_dir, out)))


def test_both_files_of_a_split_are_read_before_a_row_is_blamed(scored: Project, tmp_path: Path) -> None:
    out, other = tmp_path / "split.jsonl", tmp_path / "split.validation.jsonl"
    pairsmith("pair", scored.run_dir, "--set", "export.validation=0.4", "-o", out)
    stray = copy.deepcopy(read_rows(other)[0])
    stray["preferred_output"][0]["content"] += "!"
    write_rows(out, [stray, *read_rows(out)])

    found = [(one["file"], one["line"]) for one in audit(scored.run_dir, out, other).json["problems"]]

    assert found == [(str(out), 1)]


@pytest.mark.parametrize(
    "change",
    [{"simulated": False}, {"verdicts": []}, {"judges": ["me"]}, {"rule": "human"}, {"more": 1}],
    ids=lambda change: next(iter(change)),
)
def test_a_provenance_that_says_something_else_of_a_row_is_named(
    scored: Project, tmp_path: Path, change: dict[str, object]
) -> None:
    shutil.copy(scored.run_dir / "pairs.jsonl", tmp_path / "pairs.jsonl")
    proofs = read_rows(scored.run_dir / "pairs.provenance.jsonl")
    proofs[1] |= change
    write_rows(tmp_path / "pairs.provenance.jsonl", proofs)

    ran = pairsmith("audit", scored.run_dir, tmp_path / "pairs.jsonl", "--json")

    assert [problem["line"] for problem in ran.json["problems"]] == [2]
    said = f"line 2 of the provenance says something else than the ledger in {next(iter(change))}"
    assert ran.json["problems"][0]["found"] == said
