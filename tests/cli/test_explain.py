"""One prompt's evidence: all of it is there, it can be read, and no answer gets at the terminal."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli_runs import Project, everyday, pairsmith, serving
from judged_runs import judging
from pairsmith.cli.explained import REASONS

HOSTILE = "\x1b[31mred\x1b[0m \x07 \u202eright to left\u202c <script>alert(1)</script> " + "x" * 200_000


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with serving() as server:
        project = Project(tmp_path_factory.mktemp("explained"), server).prompts(everyday(16))
        project.save(pair={"min_gap": 4.0, "verify_gap": 1.0, "chosen_floor": 6.0})
        project.run()
        yield project


def explained(run: Project, word: str, *flags: str) -> Any:
    ran = pairsmith("explain", run.run_dir, word, "--json", *flags)
    assert ran.code == 0, ran.err
    return ran.json


def of_kind(run: Project, rule: str) -> dict[str, Any]:
    return next(proof for proof in run.proofs if proof["rule"] == rule)


@pytest.mark.parametrize("rule", ["gap", "duels"])
def test_a_pair_is_told_with_both_sides_the_scores_and_the_rule(run: Project, rule: str) -> None:
    proof = of_kind(run, rule)

    found = explained(run, proof["prompt_id"])

    by_number = {one["number"]: one for one in found["completions"]}
    pair = found["pairs"][0]
    assert by_number[pair["chosen"]]["id"] == proof["chosen"]["completion"]
    assert by_number[pair["rejected"]]["id"] == proof["rejected"]["completion"]
    assert (pair["gap"], pair["rule"], pair["judges"]) == (proof["gap"], rule, proof["judges"])
    assert bool(found["compared"]) == (rule == "duels")


def test_every_verdict_is_there_with_its_rationale(run: Project) -> None:
    proof = of_kind(run, "duels")

    found = explained(run, proof["prompt_id"])

    calls = {score["call"] for one in found["completions"] for score in one["scores"]}
    calls |= {one["call"] for one in found["compared"]}
    assert calls == {verdict["call"] for verdict in proof["verdicts"]}
    assert all(score["rationale"] for one in found["completions"] for score in one["scores"])


def test_each_prompt_is_explained_and_its_cost_and_calls_add_up(run: Project) -> None:
    all_found = [explained(run, f"#{place}") for place in range(1, 17)]

    assert [found["prompt"]["place"] for found in all_found] == list(range(1, 17))
    assert sum(found["calls"] for found in all_found) == run.sql("SELECT count(DISTINCT request) FROM attempts")[0][0]
    assert all(found["why"] for found in all_found)


def test_the_terminal_page_says_what_the_evidence_says(run: Project) -> None:
    proof = of_kind(run, "gap")

    page = pairsmith("explain", run.run_dir, proof["id"]).out

    assert "CHOSEN" in page
    assert "REJECTED" in page
    assert f"{proof['gap']:g} points apart, and min_gap is 4: the scores suffice" in page
    assert max(map(len, page.splitlines())) <= 100


def test_an_abstention_says_its_reason_and_what_would_change_it(run: Project) -> None:
    abstained = [explained(run, f"#{place}") for place in range(1, 17)]
    found = next(one for one in abstained if one["outcome"] == "abstained")

    assert found["reason"] in found["why"][0]
    assert REASONS[found["reason"]] in found["why"][0]


def test_every_reason_of_the_readme_has_a_sentence() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    listed = re.search(r"A prompt abstains for one of these reasons:(.*?)\. Prompts", readme, re.S)

    assert listed
    assert set(re.findall(r"`(\w+)`", listed[1])) <= REASONS.keys()


# --- which prompt ---------------------------------------------------------------------------------


def test_a_prompt_goes_by_its_own_id_its_content_id_the_beginning_of_it_and_its_place(run: Project) -> None:
    proof = run.proofs[0]

    names = [proof["id"], proof["prompt_id"], proof["prompt_id"][:8]]

    assert {explained(run, name)["prompt"]["prompt_id"] for name in names} == {proof["prompt_id"]}


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("suport-101", "did you mean"),
        ("#99", "there is no prompt #99"),
        ("nothing like it", "take an `id`"),
        ("4e", "no prompt"),
    ],
)
def test_an_unknown_one_is_said_with_near_ones(run: Project, word: str, told: str) -> None:
    ran = pairsmith("explain", run.run_dir, word)

    assert ran.code == 2
    assert told in ran.err


# --- hostile texts, and prompts that are not settled -------------------------------------------------


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with serving() as server:
        answers = [HOSTILE, "A plain one."]
        rows = [
            {"id": ident, "prompt": f"Say it.\x1b]0;title\x07 {ident}", "candidates": answers}
            for ident in ("bad\x1b[2J", "second")
        ]
        project = judging(tmp_path_factory.mktemp("hostile"), server, rows)
        project.run()
        yield project


def test_nothing_that_a_terminal_would_act_on_reaches_it(hostile: Project) -> None:
    page = pairsmith("explain", hostile.run_dir, "#1").out

    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", page)
    assert r"\x1b[31mred" in page


def test_a_very_long_line_is_cut_with_a_count_unless_all_is_wanted(hostile: Project) -> None:
    short, full = (pairsmith("explain", hostile.run_dir, "second", *flags).out for flags in ((), ("--full",)))

    assert len(short) < 20_000
    assert "more characters: --full shows them" in short
    assert full.count("x") > 200_000


def test_json_holds_texts_as_they_are(hostile: Project) -> None:
    found = explained(hostile, "second")

    assert HOSTILE in [one["text"] for one in found["completions"]]


def test_a_prompt_that_was_not_reached_is_explained_too(run: Project, tmp_path: Path) -> None:
    shutil.copytree(run.folder, tmp_path, dirs_exist_ok=True)
    later = Project(tmp_path, run.server).prompts([*everyday(16), {"id": "new", "prompt": "What is left to say?"}])
    later.save(**run.table)
    later.run("--max-calls", str(run.sql("SELECT count(*) FROM attempts")[0][0]), code=3)

    found = explained(later, "new")

    assert found["outcome"] is None
    assert "Nothing has come of it yet" in found["why"][0]
