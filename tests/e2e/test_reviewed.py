"""Reviews change the dataset as the recipe says, every row of it is proven, and nobody is asked for it."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cli_runs import Project, Ran, everyday, pairsmith, read_rows, serving, sides, write_rows
from pairsmith.folder import RunFolder
from pairsmith.ledger import Opinion, Said, open_ledger
from pairsmith.records import CompletionId, PromptId

MENDED = "A mended answer, with a “quotation”,\na second line \u2028 and \u202eodd\u202c characters."


@pytest.fixture(scope="module")
def reviewed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A run of 12 prompts, of whose pairs people have confirmed, turned, tied, refused and mended one each."""
    with serving() as server:
        project = Project(tmp_path_factory.mktemp("reviewed"), server).prompts(everyday(16))
        project.save(pair={"min_gap": 4.0, "verify_gap": 1.0})
        project.run()
        review(project, *(verdict(proof, said) for proof, said in zip(project.proofs, SAID, strict=False)))
        yield project


SAID = ("chosen", "rejected", Said.TIE, Said.BAD_PROMPT, Said.EDIT)


def verdict(proof: dict[str, Any], said: str, by: str = "ann") -> Opinion:
    chosen, rejected = (CompletionId(proof[side]["completion"]) for side in ("chosen", "rejected"))
    better = {"chosen": chosen, "rejected": rejected, Said.EDIT: chosen}.get(said)
    kind = Said.PREFERRED if said in ("chosen", "rejected") else Said(said)
    edited = MENDED if kind is Said.EDIT else None
    return Opinion(PromptId(proof["prompt_id"]), rejected, chosen, kind, better, by, "a note", edited)


def review(project: Project, *opinions: Opinion) -> list[int]:
    async def said() -> list[int]:
        ledger = open_ledger(RunFolder(project.run_dir).ledger, time.time, create=False)
        try:
            return await ledger.review(opinions)
        finally:
            await ledger.close()

    return asyncio.run(said())


def export(project: Project, out: Path, *words: object) -> Ran:
    ran = pairsmith("export", project.run_dir, "-o", out, "--json", *words)
    assert ran.code == 0, ran.err
    return ran


def proven(project: Project, *files: Path) -> Any:
    ran = pairsmith("audit", project.run_dir, *files, "--json")
    assert ran.code == 0, ran.out
    return ran.json


def turned(row: dict[str, Any]) -> tuple[str, str]:
    chosen, rejected = sides(row)
    return rejected, chosen


# --- modes --------------------------------------------------------------------------------------------


def test_by_default_people_have_the_last_word(reviewed: Project, tmp_path: Path) -> None:
    before, out = reviewed.pairs, tmp_path / "pairs.jsonl"
    calls = reviewed.server.calls

    ran = export(reviewed, out)

    rows = read_rows(out)
    assert rows[0] == before[0]
    assert sides(rows[1]) == turned(before[1])
    assert sides(rows[2]) == (MENDED, sides(before[4])[0])
    assert rows[3:] == before[5:]
    assert ran.json["left_out"] == {"reviewed_tie": 1, "reviewed_bad_prompt": 1}
    assert reviewed.server.calls == calls


@pytest.mark.parametrize(
    ("mode", "rows", "left_out"),
    [
        ("override", 3, {"reviewed_tie": 1, "reviewed_bad_prompt": 1}),
        ("drop-disagreed", 2, {"reviewed_tie": 1, "reviewed_bad_prompt": 1, "reviewed_otherwise": 1}),
        ("only-reviewed", 3, {"reviewed_tie": 1, "reviewed_bad_prompt": 1}),
        ("ignore", 5, {}),
    ],
)
def test_every_mode_is_kept_to_and_proven(
    reviewed: Project, tmp_path: Path, mode: str, rows: int, left_out: dict[str, int]
) -> None:
    out, unseen = tmp_path / "pairs.jsonl", len(reviewed.pairs) - len(SAID)
    only = mode == "only-reviewed"

    ran = export(reviewed, out, "--reviews", mode)

    assert ran.json["rows"] == rows + (0 if only else unseen)
    assert ran.json["left_out"] == {**left_out, **({"not_reviewed": unseen} if only else {})}
    assert proven(reviewed, out)["rows_proven"] == ran.json["rows"]


def test_the_recipe_says_it_for_every_way_of_writing(reviewed: Project, tmp_path: Path) -> None:
    out = tmp_path / "pairs.jsonl"
    reviewed.save(export={"reviews": "only-reviewed", "path": str(out)})

    said = reviewed.run()

    assert said["pairs"] == len(read_rows(out)) == 3
    assert said["calls"] == {}
    assert proven(reviewed, out)["rests_on"] == {"review": 2, "edit": 1}
    assert pairsmith("pair", reviewed.recipe, "--run-dir", reviewed.run_dir, "-o", out, "--json").json["rows"] == 3
    reviewed.save(export=None)
    reviewed.run()


# --- proofs -------------------------------------------------------------------------------------------


def test_the_proof_names_who_said_what(reviewed: Project, tmp_path: Path) -> None:
    out = tmp_path / "pairs.jsonl"
    export(reviewed, out)
    proofs = read_rows(tmp_path / "pairs.provenance.jsonl")

    assert [proof.get("rule") for proof in proofs[:3]] == ["review", "review", "edit"]
    assert [proof["said"][0]["by"] for proof in proofs[:3]] == ["ann"] * 3
    assert [proof["said"][0]["review"] for proof in proofs[:3]] == [1, 2, 5]
    assert proofs[0]["judged_by"] in ("gap", "duels")
    assert {proof["reviews_through"] for proof in proofs} == {5}
    told = pairsmith("audit", reviewed.run_dir, out).out
    assert "people's reviews 2" in told
    assert "edits 1" in told


@pytest.mark.parametrize("target", ["trl", "kto", "sft", "csv", "parquet"])
def test_reviewed_pairs_are_proven_for_other_targets_and_in_splits(
    reviewed: Project, tmp_path: Path, target: str
) -> None:
    out = tmp_path / f"pairs.{target if target in ('csv', 'parquet') else 'jsonl'}"

    export(reviewed, out, "--target", target)

    assert proven(reviewed, out)["rows_proven"] > 0


def test_a_verdict_that_somebody_forges_in_the_proof_is_named(reviewed: Project, tmp_path: Path) -> None:
    out, proofs = tmp_path / "pairs.jsonl", tmp_path / "pairs.provenance.jsonl"
    export(reviewed, out)
    forged = read_rows(proofs)
    forged[1]["said"][0]["by"] = "the boss"
    write_rows(proofs, forged)

    ran = pairsmith("audit", reviewed.run_dir, out)

    assert ran.code == 1
    assert "line 2 of the provenance says something else than the ledger in said" in ran.out


@pytest.mark.parametrize("through", [-5, True, "2", None])
def test_a_length_of_the_log_that_is_none_is_not_believed(reviewed: Project, tmp_path: Path, through: object) -> None:
    out, proofs = tmp_path / "pairs.jsonl", tmp_path / "pairs.provenance.jsonl"
    export(reviewed, out)
    write_rows(proofs, [{**proof, "reviews_through": through} for proof in read_rows(proofs)])

    assert proven(reviewed, out)["notes"] == []


def test_a_file_without_what_people_said_is_not_proven_where_it_is_asked_for(reviewed: Project, tmp_path: Path) -> None:
    out = tmp_path / "pairs.jsonl"
    export(reviewed, out, "--reviews", "ignore")

    assert proven(reviewed, out)["rests_on"].keys() <= {"gap", "duels"}
    assert pairsmith("audit", reviewed.run_dir, out, "--set", "export.reviews=override").code == 1


def test_what_a_forged_proof_says_cannot_move_the_cursor(reviewed: Project, tmp_path: Path) -> None:
    out, proofs = tmp_path / "pairs.jsonl", tmp_path / "pairs.provenance.jsonl"
    export(reviewed, out)
    write_rows(proofs, [{**proof, "\x1b[2J": 1} for proof in read_rows(proofs)])

    ran = pairsmith("audit", reviewed.run_dir, out)

    assert (ran.code, "\x1b" in ran.out) == (1, False)


def test_a_mended_text_that_was_changed_in_the_file_is_named(reviewed: Project, tmp_path: Path) -> None:
    out = tmp_path / "pairs.jsonl"
    export(reviewed, out)
    rows = read_rows(out)
    rows[2]["preferred_output"][0]["content"] += "!"
    write_rows(out, rows)

    ran = pairsmith("audit", reviewed.run_dir, out)

    assert ran.code == 1
    assert "line 3" in ran.out


def test_a_dataset_folder_says_what_was_said_and_not_by_whom(reviewed: Project, tmp_path: Path) -> None:
    folder = tmp_path / "published"

    assert pairsmith("export", reviewed.run_dir, "--dataset", folder).code == 0

    proofs = read_rows(folder / "provenance" / "openai_pft" / "train.jsonl")
    assert proofs[0]["said"][0]["said"] == "preferred"
    card = (folder / "README.md").read_text("utf-8")
    assert "5 pairs of the run, blind: confirmed 1, preferred the other way 1, taken away 2, mended 1." in card
    assert not any("ann" in path.read_text("utf-8") for path in (folder / "provenance").rglob("*.jsonl"))
    assert proven(reviewed, folder / "openai_pft" / "train.jsonl")["rows_proven"] == len(proofs)


# --- a run of one's own -------------------------------------------------------------------------------


def test_a_file_stays_proven_when_more_is_said_and_that_is_noted(project: Project, tmp_path: Path) -> None:
    project.run()
    old, new = project.run_dir / "pairs.jsonl", tmp_path / "new.jsonl"

    (number,) = review(project, verdict(project.proofs[0], "rejected"))
    export(project, new)

    assert proven(project, old)["notes"] == ["1 review is younger than it: export it again to have them in it"]
    assert sides(read_rows(new)[0]) == turned(project.pairs[0])
    asyncio.run(take_back(project.run_dir, number))
    assert proven(project, new)["notes"] == ["1 review is younger than it: export it again to have them in it"]
    export(project, tmp_path / "again.jsonl")
    assert read_rows(tmp_path / "again.jsonl") == project.pairs


@pytest.mark.parametrize("command", ["pair", "export"])
def test_an_edit_that_is_made_meanwhile_disturbs_nobody(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    project.run()
    module = import_module(f"pairsmith.cli.{command}")
    known = module.projection_of

    def edited_just_before(*words: Any) -> Any:
        review(project, verdict(project.proofs[0], Said.EDIT))
        return known(*words)

    monkeypatch.setattr(module, "projection_of", edited_just_before)
    ran = pairsmith(command, project.run_dir, "-o", tmp_path / "pairs.jsonl")

    assert ran.code == 0, ran.err
    assert sides(read_rows(tmp_path / "pairs.jsonl")[0])[0] == MENDED


async def take_back(run_dir: Path, number: int) -> None:
    ledger = open_ledger(RunFolder(run_dir).ledger, time.time, create=False)
    assert await ledger.withdraw(number, "ann")
    assert not await ledger.withdraw(number, "ann")
    await ledger.close()


def test_a_run_for_so_many_pairs_says_that_people_took_some_away(project: Project) -> None:
    project.run("--target-pairs", "6")
    review(project, *(verdict(proof, Said.TIE) for proof in project.proofs[:2]))

    ran = pairsmith(*project.words("--target-pairs", "6"))

    assert ran.json["pairs"] == 4
    assert "people took away 2 of the 6 pairs, so that fewer than 6 are written: --target-pairs 8" in ran.err


def test_what_people_prefer_below_the_gate_is_a_pair(project: Project, tmp_path: Path) -> None:
    project.save(pair={"min_gap": 9.0, "verify_gap": 9.0})
    project.run()
    prompt, body = project.sql("SELECT p.hash, o.body FROM outcomes o JOIN prompts p ON p.id = o.prompt LIMIT 1")[0]
    first, second = (CompletionId(row[0]) for row in json.loads(body)["completions"][:2])

    review(project, Opinion(PromptId(prompt), first, second, Said.PREFERRED, second, "ann"))
    ran = export(project, tmp_path / "pairs.jsonl")

    assert ran.json["rows"] == len(project.pairs) + 1
    assert proven(project, tmp_path / "pairs.jsonl")["rests_on"] == {"review": 1}
    explained = pairsmith("explain", project.run_dir, prompt).out
    assert "ann, shown the two, prefers" in explained
    assert "People have the last word: exported is" in explained


def test_explain_says_what_people_made_of_each_pair(reviewed: Project) -> None:
    prompts = reviewed.sql("SELECT prompt FROM reviews ORDER BY id")

    found = [pairsmith("explain", reviewed.run_dir, prompt, "--json").json for (prompt,) in prompts]
    whys = [one["why"][-1] for one in found]
    (first,), (turned_round,), (tie,), _, (mended,) = (one["as_reviewed"] for one in found)

    assert (first["chosen"], first["rule"]) == (found[0]["pairs"][0]["chosen"], "review")
    assert turned_round["chosen"] == found[1]["pairs"][0]["rejected"]
    assert tie == {"left_out": "reviewed_tie"}
    assert mended["edited"] is True
    assert whys[0] == "People confirm it."
    assert whys[1].startswith("People have the last word: exported is #")
    assert whys[2] == "It is not exported: people find its two answers equally good."
    assert whys[3] == "It is not exported: people find its prompt bad."
    assert whys[4].startswith("Exported is the text that #1 was mended into")


def test_explain_says_of_a_pair_that_nobody_saw_only_that_it_is_left_out_where_it_is(project: Project) -> None:
    several = {"strategy": "all-gaps", "min_gap": 1.0, "verify_gap": 1.0, "chosen_floor": 1.0, "disjoint": False}
    project.save(pair=several)
    project.run()
    seen, unseen = next((one, two) for one, two in pairwise(project.proofs) if one["prompt_id"] == two["prompt_id"])
    review(project, verdict(seen, "chosen"))

    whys = pairsmith("explain", project.run_dir, seen["prompt_id"], "--json").json["why"]
    assert [why for why in whys if "People" in why] == ["People confirm it."]

    project.save(export={"reviews": "only-reviewed"})
    project.run()
    (other,) = project.sql(f"SELECT hash FROM prompts WHERE hash <> '{unseen['prompt_id']}' LIMIT 1")
    for ident in (unseen["prompt_id"], *other):
        whys = pairsmith("explain", project.run_dir, ident, "--json").json["why"]
        assert whys[-1].startswith("It is not exported: nobody has reviewed it")


def test_explain_gives_no_number_to_an_answer_that_the_run_has_no_more(project: Project) -> None:
    project.run()
    (proof, *_) = project.proofs
    review(project, verdict(proof, "chosen"))
    project.save(sample={"endpoints": ["student"], "completions": 3, "temperature": [0.3]})
    project.run()

    said = " ".join(pairsmith("explain", project.run_dir, proof["prompt_id"]).out.split())

    assert "ann, shown the two, prefers one that the run has no more to another such" in said


def test_status_counts_what_people_said(reviewed: Project) -> None:
    assert pairsmith("status", reviewed.run_dir, "--json").json["reviews"] == {"ann": 5}
    assert "reviews      ann 5" in pairsmith("status", reviewed.run_dir).out


def test_no_name_in_a_ledger_moves_the_cursor(project: Project) -> None:
    project.run()
    review(project, verdict(project.proofs[0], "chosen", "cy\x1b[2J"))

    assert "reviews      cy\\x1b[2J 1" in pairsmith("status", project.run_dir).out


def test_reviews_go_into_a_file_and_into_a_copy_of_the_run(reviewed: Project, tmp_path: Path) -> None:
    out, copy = tmp_path / "reviews.jsonl", tmp_path / "copy"
    shutil.copytree(reviewed.run_dir, copy)
    for number in range(1, 6):
        asyncio.run(take_back(copy, number))

    written = pairsmith("review", reviewed.run_dir, "--export", out, "--json")
    taken = pairsmith("review", copy, "--import", out)
    again = pairsmith("review", copy, "--import", out)

    assert written.json == {"out": str(out), "reviews": 5, "reviewers": 1}
    assert taken.out.startswith("5 verdicts added to ")
    assert again.err == "pairsmith: 5 verdicts left out: known already\n"
    for run_dir, name in ((reviewed.run_dir, "here.jsonl"), (copy, "there.jsonl")):
        assert pairsmith("export", run_dir, "-o", tmp_path / name).code == 0
    assert (tmp_path / "here.jsonl").read_bytes() == (tmp_path / "there.jsonl").read_bytes()


def test_what_a_judge_wrote_is_no_answer_to_be_reviewed(reviewed: Project, tmp_path: Path) -> None:
    out, copy = tmp_path / "reviews.jsonl", tmp_path / "copy"
    shutil.copytree(reviewed.run_dir, copy)
    pairsmith("review", copy, "--export", out)
    row = read_rows(out)[0]
    (call,) = reviewed.sql(
        "SELECT r.request FROM replies r JOIN attempts a ON a.request = r.request"
        f" WHERE a.purpose = 'score' AND r.prompt = '{row['prompt_id']}' LIMIT 1"
    )[0]
    write_rows(out, [{**row, "first": call, "preferred": row["second"]}])

    ran = pairsmith("review", copy, "--import", out)

    assert ran.err == "pairsmith: 1 verdict left out: completions that this run does not have\n"


def test_two_things_at_once_and_files_that_are_not_there_are_refused(reviewed: Project, tmp_path: Path) -> None:
    out = tmp_path / "reviews.jsonl"
    refused = [
        pairsmith("review", reviewed.run_dir, *words)
        for words in (("--export", out, "--import", out), ("--import", out), ("--export", reviewed.recipe / "out"))
    ]

    assert [ran.code for ran in refused] == [2, 2, 2]
    assert [ran.err.count("\n") for ran in refused] == [1, 1, 1]
