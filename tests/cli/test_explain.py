"""One prompt's evidence: all of it is there, it can be read, and no answer gets at the terminal."""

from __future__ import annotations

import contextlib
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli_runs import Project, everyday, pairsmith, read_rows, serving
from judged_runs import judging, planted
from pairsmith.cli.explained import visible
from pairsmith.show.reasons import REASONS

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


def pairsmith_page(run: Project, word: str) -> str:
    """What the terminal shows, without its line breaks."""
    return " ".join(pairsmith("explain", run.run_dir, word).out.split())


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
    assert f"{proof['gap']:g} points apart, and min_gap is 4: the scores suffice" in " ".join(page.split())
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


def test_the_command_that_is_told_for_an_abstention_makes_the_pair(run: Project, tmp_path: Path) -> None:
    abstained = [explained(run, f"#{place}") for place in range(1, 17)]
    found = next(one for one in abstained if one["reason"] == "chosen_below_floor")
    told = next(sentence for sentence in found["why"] if ": pairsmith pair" in sentence)
    words = told.partition(": pairsmith ")[2].split()
    out = tmp_path / "pairs.jsonl"

    ran = pairsmith(*[{found["run_dir"]: run.run_dir, "FILE": out}.get(word, word) for word in words])

    assert ran.code == 0, ran.err
    proofs = read_rows(out.with_name("pairs.provenance.jsonl"))
    assert found["prompt"]["prompt_id"] in [proof["prompt_id"] for proof in proofs]


def test_a_close_call_tells_both_orders_and_a_repeat_whose_text_it_has(run: Project) -> None:
    found = explained(run, of_kind(run, "duels")["prompt_id"])
    every = [one for place in range(1, 17) for one in explained(run, f"#{place}")["completions"]]

    chosen = found["pairs"][0]["chosen"]
    assert f"Both orders prefer #{chosen}" in found["why"][-1]
    assert found["why"][-1].count("shown first") == 2
    assert all((one["same_as"] is not None) == ("duplicate" in one["flags"]) for one in every)
    assert any(one["same_as"] for one in every)


def test_it_is_explained_by_the_recipe_that_ran_whatever_the_one_that_is_named_says_by_now(run: Project) -> None:
    proof, changed = of_kind(run, "gap"), run.folder / "changed.toml"
    changed.write_text(run.recipe.read_text("utf-8").replace("min_gap = 4.0", "min_gap = 1.0"), "utf-8")

    ran = pairsmith("explain", changed, proof["prompt_id"], "--run-dir", run.run_dir, "--json")

    assert ran.json["gates"]["min_gap"] == 4.0


# --- who was asked, and what was lost ---------------------------------------------------------------


def test_a_ladder_tells_who_was_asked_about_what(tmp_path: Path) -> None:
    with serving() as server:
        models = ("sim-judge-noisy", "sim-judge")
        ladder = judging(tmp_path, server, planted(2, answers=5), models, escalate_within=[2.0])
        ladder.run()

    first, second = explained(ladder, "#1")["ladder"]

    assert (first["by"], len(first["scored"])) == ("all", 5)
    assert (second["by"], second["within"]) == ("distance", 2.0)
    assert 2 <= len(second["scored"]) < 5
    assert "second gave points to #1" in pairsmith("explain", ladder.run_dir, "#1").out


def test_a_reward_models_numbers_are_not_called_points(tmp_path: Path) -> None:
    with serving() as server:
        rewarded = judging(tmp_path, server, planted(1))
        rewarded.save(
            endpoints={"rm": {"model": "sim-reward", "kind": "reward", "base_url": server.url}}, judge={"panel": ["rm"]}
        )
        rewarded.run()

    found = explained(rewarded, "#1")

    assert all(one["mean"] is None and one["scores"][0]["points"] is None for one in found["completions"])
    assert "a number on a scale of its own, which counts as no points" in pairsmith_page(rewarded, "#1")
    assert "What a reward model's numbers mean in points is not known" in found["why"][-1]


def test_what_people_said_is_told_by_name(tmp_path: Path) -> None:
    said = {"candidates": ["Hello!", "Hi there", "Go away"], "preferred": [0, 0, 1], "reviewer": ["ann", "bob", "eve"]}
    with serving() as server:
        rows = [{"id": "said", "prompt": "Greet me", **said}]
        people = judging(tmp_path, server, [*rows, {"prompt": "Go", "original": "Bye", "edited": "Goodbye, all."}])
        people.run()

    page, edited = pairsmith_page(people, "said"), explained(people, "#2")

    assert "ann prefers #1 to" in page
    assert "of 3 verdicts of people on the two, 2 for #1, 0 for #3, 1 for neither" in page
    assert edited["why"][-1] == "Nobody judged: #1 is #2, mended by hand."


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Most of the student's calls break off, some of its draws are filtered, and the judge cannot be read mostly."""
    faults = {"500": 0.6, "content-filter": 0.15}
    with serving(seed=1, faults=faults) as student, serving(faults={"unreadable": 0.6}) as judge, quick():
        project = Project(tmp_path_factory.mktemp("faulty"), student).prompts(everyday(16))
        endpoints = {"student": ("sim-student", student), "judge": ("sim-judge", judge)}
        project.save(
            endpoints={name: {"model": model, "base_url": at.url} for name, (model, at) in endpoints.items()},
        )
        project.run()
        yield project


@contextlib.contextmanager
def quick() -> Iterator[None]:
    """Backoffs of milliseconds."""
    with pytest.MonkeyPatch.context() as patched:
        for module in [one for name, one in sys.modules.items() if name.startswith("pairsmith.wire.")]:
            if hasattr(module, "BACKOFF_S"):
                patched.setattr(module, "BACKOFF_S", 0.002)
        yield


def test_a_reply_that_could_not_be_read_is_quoted(faulty: Project) -> None:
    found = [explained(faulty, f"#{place}") for place in range(1, 17)]
    place, lost = next(
        (place, one) for place, each in enumerate(found, 1) for one in each["besides"] if one["kind"] == "unreadable"
    )

    page = pairsmith_page(faulty, f"#{place}")

    assert lost["why"]
    assert f"could not be read as a verdict: {lost['why']}" in page
    assert f"it said: {' '.join(lost['text'].split())[:40]}" in page


def test_a_draw_that_failed_is_told_with_its_reason(faulty: Project) -> None:
    found = [one for place in range(1, 17) for one in explained(faulty, f"#{place}")["besides"]]

    filtered = [one for one in found if one["kind"] == "failed"]
    assert {(one["purpose"], one["endpoint"]) for one in filtered} == {("sample", "student")}
    assert all(one["why"].startswith("content_filter (") for one in filtered)


def test_a_prompt_that_failed_tells_the_calls_that_were_not_answered(faulty: Project) -> None:
    found = [explained(faulty, f"#{place}") for place in range(1, 17)]
    failed = next(one for one in found if one["reason"] == "http_500")

    unpaid = [one for one in failed["besides"] if one["kind"] == "unpaid"]
    assert unpaid
    assert all(one["attempts"] == 6 and one["why"].startswith("http_500 (") for one in unpaid)
    assert failed["why"] == [
        f"No pair: calls for it failed (http_500); they are asked again by: pairsmith run {failed['run_dir']}"
    ]
    assert sum(one["calls"] for one in found) == faulty.sql("SELECT count(DISTINCT request) FROM attempts")[0][0]


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


def test_no_character_that_acts_or_hides_is_left() -> None:
    left = visible("".join(map(chr, range(sys.maxunicode + 1))))

    acting = {character for character in left if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp")}
    assert acting == set("\n\t")
    assert not re.search("[\u200e\u200f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]", left)


def test_an_id_that_would_act_on_the_terminal_is_named_in_an_error_without_doing_so(hostile: Project) -> None:
    ran = pairsmith("explain", hostile.run_dir, "bad[2J")

    assert r"did you mean bad\x1b[2J" in ran.err
    assert "\x1b" not in ran.err


def test_a_run_whose_own_functions_are_gone_is_explained_all_the_same(tmp_path: Path) -> None:
    rules = tmp_path / "rules.py"
    rules.write_text("def pick(prompt, answers):\n    return 0, len(answers) - 1\n", "utf-8")
    with serving() as server:
        own = judging(tmp_path, server, planted(1))
        own.save(pair={"strategy": "rules.py:pick"})
        own.run()
    rules.unlink()

    found = explained(own, "#1")

    assert "(rules.py:pick: picked by the recipe's own function)" in found["why"][0]


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
