"""What a report is made of, and the command that writes it: everything but what a browser makes of the page."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from html import unescape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli_runs import Project, accounted, everyday, pairsmith, serving, write_rows
from pairsmith.judge.arms import ArmCard
from pairsmith.judge.rates import Rate, share
from pairsmith.ledger import Timeline, open_ledger
from pairsmith.pair.settings import PairSettings
from pairsmith.records import (
    ChatRequest,
    EndpointName,
    Failure,
    FailureKind,
    PromptId,
    Purpose,
    Reply,
    RequestId,
    Usage,
    candidate_id,
)
from pairsmith.show.diffs import MOST_CHARS, differences
from pairsmith.show.reasons import meaning
from pairsmith.show.report import arms, compare, lengths, scores
from pairsmith.show.report.drawing import MOST_ROWS, Panel
from pairsmith.show.report.gather import PAIRS, PROMPTS
from pairsmith.show.report.judging import findings
from pairsmith.show.report.page import fitting
from pairsmith.show.report.samples import Piece, Sample, Side, Turn, chosen_pairs
from pairsmith.show.report.telling import points
from pairsmith.show.unseen import name, visible

SOME_WORDS = st.lists(st.sampled_from(["one", "two", " ", "\n", ",", "<b>", "漢字", "ß", "e\u0301"]), max_size=40).map(
    "".join
)


# --- differences --------------------------------------------------------------------------------------


@given(SOME_WORDS, SOME_WORDS)
def test_the_pieces_of_each_text_add_up_to_it_and_both_keep_the_same_words(one: str, other: str) -> None:
    found = differences(one, other)

    if found is not None:
        both = found.first, found.second
        assert tuple("".join(piece.text for piece in pieces) for pieces in both) == (one, other)
        kept = ["".join("".join(piece.text.split()) for piece in pieces if not piece.only) for pieces in both]
        assert kept[0] == kept[1]


def test_a_word_that_only_one_text_has_is_marked() -> None:
    found = differences("It is a red house.", "It is a blue house.")

    assert found is not None
    assert found.first == [Piece("It is a", False), Piece(" red", True), Piece(" house.", False)]
    assert found.second == [Piece("It is a", False), Piece(" blue", True), Piece(" house.", False)]


def test_texts_that_are_too_long_are_not_compared() -> None:
    assert differences("a" * MOST_CHARS, "b") is None


# --- what cannot be seen ------------------------------------------------------------------------------


@given(st.text())
def test_nothing_stays_that_a_browser_would_hide_or_act_on(text: str) -> None:
    shown = visible(text)

    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", shown)
    assert "\n" not in name(text)


def test_escapes_and_marks_of_direction_are_shown_by_what_they_are() -> None:
    assert visible("\x1b[31mred\u202edab\x7f") == "␛[31mred⟨U+202E⟩dab␡"


# --- which pairs, and how many ------------------------------------------------------------------------


def rows_of_pairs(count: int) -> pd.DataFrame:
    def row(at: int) -> tuple[Any, ...]:
        sides = f"c{at}", f"r{at}", f"arm{at % 3}", "other"
        return (f"p{at}", 0, f"family{at % 7}", *sides, float(at % 5), 10.0, 9.0, "gap", False)

    return pd.DataFrame([row(at) for at in range(count)], columns=list(PAIRS))


def test_the_first_pairs_are_of_every_family_and_the_order_of_the_ledger_does_not_matter() -> None:
    pairs = rows_of_pairs(210)

    drawn = chosen_pairs(pairs, 30)

    assert {row.family for row in drawn[:7]} == {f"family{at}" for at in range(7)}
    assert {row.chosen_arm for row in drawn} == {"arm0", "arm1", "arm2"}
    assert drawn == chosen_pairs(pairs.iloc[::-1], 30)


def sample(text: str) -> Sample:
    side = Side("chosen", [Piece(text, False)], len(text), False, "arm", "model", [("judge", "7")])
    both = [side, replace(side, word="rejected")]
    return Sample("id", 1, "pair", True, "family", 2.0, "the scores alone", [Turn("user", text)], both, False)


@given(st.lists(st.text(max_size=20).map(lambda text: text * 99), max_size=4), st.integers(0, 20_000))
def test_the_pairs_that_are_shown_stay_within_their_bytes(texts: list[str], budget: int) -> None:
    kept = fitting([sample(text) for text in texts], budget)

    assert sum(len(written.encode("utf-8", "replace")) for _, written in kept) <= budget


# --- arms ---------------------------------------------------------------------------------------------


def arm_card(won: int, lost: int, screened: dict[str, int] | None = None) -> ArmCard:
    """An arm that is in this many pairs; every pair has sides of two arms."""
    wins, losses = share(won, won + lost), share(lost, won + lost)
    return ArmCard(9, 9, screened or {}, 5.0, wins, losses, share(won, 99), share(lost, 99), share(0, 9), None, None)


def of_arms(cards: dict[str, ArmCard]) -> dict[str, str]:
    """What is said below each plot."""
    run: Any = SimpleNamespace(arms=SimpleNamespace(cards=cards))
    return {panel.ident: panel.reading for panel in arms.shown(run)}


def test_the_worst_arm_is_told_of_also_where_a_plot_has_no_room_for_it() -> None:
    said = of_arms({f"good{at:02}": arm_card(4, 4) for at in range(MOST_ROWS)} | {"worst": arm_card(0, 9)})["wins"]

    assert "worst 0 % (95 %: 0–30)" in said
    assert "The plot shows 18 of 19 arms, the table all." in said


def test_arms_that_win_equally_often_are_not_held_against_each_other() -> None:
    said = of_arms({"one": arm_card(2, 2), "two": arm_card(2, 2)})["wins"]

    assert said.startswith("No arm stands out; one wins 50 % (95 %: 15–85) of")


def test_why_answers_were_screened_is_said_in_whole_sentences() -> None:
    said = of_arms({"one": arm_card(1, 1, {"duplicate": 3}), "two": arm_card(1, 1)})["screens"]

    assert said.endswith("were cut off. Of 18 answers 3 are flagged duplicate (a sibling says the same).")


def test_an_arm_that_is_warned_of_is_named_without_what_cannot_be_seen() -> None:
    warned = "arm \x1b[31m\u202e supplies 80 %: pairs teach to avoid it; leave it out"
    rates: Any = SimpleNamespace(warnings=lambda sides: [warned])
    bias: Any = SimpleNamespace(
        conflicts=share(0, 0), chosen_longer=share(0, 0), unreadable=share(0, 0), judges={}, agreement={},
        average_longer_wins=share(0, 0),
    )  # fmt: skip
    recipe = SimpleNamespace(pair=SimpleNamespace(sides=None))
    run: Any = SimpleNamespace(arms=rates, bias=bias, judges={}, recipe=recipe)

    assert [one.says for one in findings(run)] == ["Arm ␛[31m⟨U+202E⟩ supplies 80 %: pairs teach to avoid it."]


# --- gaps ---------------------------------------------------------------------------------------------


def of_gaps(*gaps: float, unscored: int = 0) -> Panel:
    """The panel about the gaps of prompts that all gave a pair, and of some that have no points at all."""
    paired = [(f"p{at}", "pair", "", "", gap, 9.0, False, False, 1) for at, gap in enumerate(gaps)]
    none = [(f"n{at}", "abstained", "too_few_completions", "", 0.0, 0.0, False, False, 0) for at in range(unscored)]
    pairs = [(f"p{at}", 0, "", "c", "r", "a", "b", gap, 9, 9, "gap", False) for at, gap in enumerate(gaps)]
    tables = SimpleNamespace(
        prompts=pd.DataFrame(paired + none, columns=list(PROMPTS)),
        pairs=pd.DataFrame(pairs, columns=list(PAIRS)),
        scores=pd.DataFrame([("judge", "a", 5.0)], columns=["judge", "arm", "score"]),
    )
    run: Any = SimpleNamespace(tables=tables, points=tables.scores, rewards=frozenset(), gates=PairSettings())
    return next(panel for panel in scores.shown(run) if panel.ident == "gaps")


def test_the_widest_gap_stands_where_it_is() -> None:
    table = of_gaps(3.0 - 4e-16, 4.0, 9.0).table

    assert table is not None
    assert [row[0] for row in table.rows] == ["3 to 3.5", "4 to 4.5", "9 to 9.5"]


def test_prompts_without_any_score_are_none_with_points() -> None:
    found = of_gaps(4.0, 5.0, unscored=3)

    assert found.reading.startswith("Of 2 prompts with points 2 lie at min_gap or above")
    assert "and 0 below" in found.reading


# --- lengths ------------------------------------------------------------------------------------------


def test_of_many_pairs_cells_are_drawn_and_the_plot_stays_small() -> None:
    many = pd.DataFrame({"chosen_chars": range(1, 20_001), "rejected_chars": range(20_000, 0, -1)}, dtype=float)
    none = Rate(None, 0, None, None)
    bias = SimpleNamespace(chosen_longer=none, average_longer_wins=none, judges={})
    run: Any = SimpleNamespace(tables=SimpleNamespace(pairs=many), bias=bias)

    drawn, rates = lengths.shown(run)

    assert drawn.svg is not None
    assert drawn.svg.count("<path") > 50
    assert len(drawn.svg) < 300_000
    assert rates.reading == "All answers are equally long."


# --- when calls were made -----------------------------------------------------------------------------


def timeline_of(folder: Path, times: list[float], answered: Callable[[int], bool] = lambda at: True) -> Timeline:
    """Of calls that are begun at these times and answered within two seconds, or not."""
    clock = iter(times)

    async def book() -> Timeline:
        ledger = open_ledger(folder / "ledger.sqlite3", lambda: next(clock), create=True)
        for at in range(len(times)):
            ident = RequestId(f"r{at}")
            request = ChatRequest(ident, PromptId("p"), Purpose.SAMPLE, EndpointName("student"), {}, at)
            number = await ledger.begin(request, 0.1)
            if answered(at):
                ledger.finish(number, request, Reply(ident, "", usage=Usage(1, 1), latency_s=2.0), b"{}", 0.01)
            else:
                ledger.finish(number, request, Failure(ident, FailureKind.TRANSIENT, "timeout"), None, None)
        await ledger.flush()
        found = ledger.timeline()
        await ledger.close()
        return found

    return asyncio.run(book())


def test_the_hours_between_two_sessions_are_no_running_time(tmp_path: Path) -> None:
    found = timeline_of(tmp_path, [100.0, 110.0, 118.0, 9000.0, 9018.0])

    assert [session.at for session in found.sessions] == [0.0, 20.0]
    assert found.step_s * found.steps == pytest.approx(40.0)


def test_every_attempt_is_in_one_step_with_what_it_cost(tmp_path: Path) -> None:
    found = timeline_of(tmp_path, [float(at) for at in range(60)], answered=lambda at: at % 3 > 0)

    outcomes = Counter[str]()
    for slot in found.slots:
        outcomes[slot.outcome] += slot.attempts
        assert 0 <= slot.step < found.steps
    assert outcomes == {"ok": 40, "timeout": 20}
    assert sum(slot.cost_usd for slot in found.slots) == pytest.approx(0.4)


def test_a_folder_without_calls_has_no_time(tmp_path: Path) -> None:
    assert timeline_of(tmp_path, []).sessions == ()


def test_reasons_are_told_in_words_where_there_are_any() -> None:
    said = [meaning(word) for word in ("tie", "timeout", "http_429", "http_999", "odd")]

    assert [bool(words) for words in said] == [True, True, True, False, False]


# --- the command --------------------------------------------------------------------------------------


def read_report(*words: object) -> tuple[Any, str]:
    """What `--json` says, and the page."""
    ran = pairsmith("report", *words, "--json")
    assert ran.code == 0, ran.err
    return ran.json, Path(ran.json["out"]).read_text("utf-8")


@dataclass(frozen=True)
class Reported:
    """A run of twelve prompts, with a key and a private host in its recipe, and its report of a day."""

    project: Project
    said: Any
    page: str


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reported]:
    with serving() as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr("pairsmith.cli.report.today", lambda: "today")
        patch.setenv("STUDENT_KEY", "sk-secret-of-mine-1234")
        project = Project(tmp_path_factory.mktemp("reported"), server).prompts(everyday(12))
        student = {"model": "sim-student", "base_url": server.url, "api_key_env": "STUDENT_KEY"}
        project.save(endpoints={**project.table["endpoints"], "student": student})
        project.run()
        yield Reported(project, *read_report(project.recipe, "--run-dir", project.run_dir))


def test_a_report_says_what_status_says_and_stands_in_the_folder(reported: Reported) -> None:
    said, run_dir = reported.said, reported.project.run_dir
    status = pairsmith("status", run_dir, "--json").json

    assert said["out"] == str(run_dir / "report.html")
    assert said["bytes"] == len(reported.page.encode())
    same = ("prompts", "pairs", "abstained", "failed", "not_reached")
    assert {key: said[key] for key in same} == {key: status[key] for key in same}
    assert accounted(said) == said["prompts"] == said["simulated"]
    assert "Simulated." in reported.page


def test_a_page_runs_no_script_but_ours_names_each_part_once_and_loads_nothing(reported: Reported) -> None:
    page = reported.page
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    idents = re.findall(r'\bid="([^"]+)"', page)

    assert len(scripts) == page.count("<script") == 1
    assert f"&#39;sha256-{digest}&#39;" in page
    assert len(idents) == len(set(idents))
    assert set(re.findall(r'(?:href|src)="[^#"][^"]*"|url\([^#][^)]*\)', page)) == set()
    assert set(re.findall(r"#0[ab]00[0-9a-f]{2}", page)) == set()


def test_the_same_ledger_gives_the_same_page_and_no_place_or_key_of_this_machine(reported: Reported) -> None:
    project = reported.project
    _, again = read_report(project.run_dir)

    assert again == reported.page
    secret = ("sk-secret", "STUDENT_KEY", project.server.url, str(project.folder))
    assert [word for word in secret if word in again] == []


@pytest.mark.parametrize(
    ("words", "code"),
    [(["--set", "judge.protocol=rank"], 0), (["--max-calls", "9"], 3)],
    ids=["no points", "stopped before anything was settled"],
)
def test_a_run_of_any_kind_has_a_report(project: Project, words: list[str], code: int) -> None:
    said = project.run(*words, code=code)

    report, page = read_report(project.run_dir)

    assert report["pairs"] == said["pairs"]
    assert accounted(report) == report["prompts"]
    assert 'id="panel-fates"' in page


def test_prompts_that_no_run_has_come_to_lower_no_rate(project: Project) -> None:
    project.run()
    whole = project.folder / "whole"
    shutil.copytree(project.run_dir, whole)
    settled = {**read_report(whole)[0]}
    project.change("DELETE FROM outcomes WHERE kind != 'pair'")

    said, page = read_report(project.run_dir)
    both, compared = read_report(project.run_dir, whole)

    assert said["not_reached"] == settled["prompts"] - settled["pairs"] > 0
    assert said["yield"] == both["a"]["yield"] == 1.0
    assert "<dt>prompts with a pair</dt><dd>100\u00a0%" in page
    assert "were not reached: a run that goes on takes them" in page
    assert '<th scope="row">prompts that gave a pair</th><td>100\u00a0%' in compared


def test_one_prompt_is_told_of_as_one(project: Project) -> None:
    project.prompts(everyday(1)).save()
    project.run()
    _, page = read_report(project.run_dir)

    assert "Settled: 1 of 1 prompt, with 4 completions" in page
    assert "The settled prompt rests on answers of a simulator" in page


def test_what_an_earlier_version_did_not_keep_is_missing_and_nothing_else(project: Project) -> None:
    said = project.run()
    newer = ("arms", "gate", "family", "simulated")
    for prompt, body in project.sql("SELECT prompt, body FROM outcomes"):
        kept = {key: value for key, value in json.loads(body).items() if key not in newer}
        project.change("UPDATE outcomes SET body = ? WHERE prompt = ?", json.dumps(kept).encode(), prompt)

    report, page = read_report(project.run_dir)

    assert report["pairs"] == said["pairs"]
    assert "An earlier version settled these prompts" in page


def test_a_run_names_the_report_at_its_end(project: Project) -> None:
    ran = pairsmith("run", project.recipe, "--run-dir", project.run_dir, "--quiet")

    assert ran.out.splitlines()[-1] == f"see it: pairsmith report {project.run_dir}"


def test_a_ladder_with_faults_and_prices_is_told_of_as_the_ledger_has_it(project: Project) -> None:
    url, price = project.server.url, {"input": 1.0, "output": 2.0}
    endpoints = {
        "student": {"model": "sim-student", "base_url": url, "price": price},
        "rm": {"model": "sim-reward", "base_url": url, "kind": "reward", "price": price},
        "judge": {"model": "sim-judge", "base_url": url, "price": price},
        "first": {"model": "sim-judge-first", "base_url": url, "price": price},
    }
    project.prompts(everyday(20)).save(
        endpoints=endpoints,
        judge={"panel": ["rm", "judge", "first"], "escalate_within": [9, 9], "escalate": "distance"},
        pair={"min_gap": 8.0, "verify_gap": 0.5},
    )
    project.server.faults(f429=0.1, f500=0.05)
    project.run()

    report, page = read_report(project.run_dir)
    read = Path(report["out"]).read_text("utf-8")
    status = pairsmith("status", project.run_dir, "--json").json
    (failed,) = project.sql("SELECT count(*) FROM attempts WHERE outcome <> 'ok'")[0]
    told = pairsmith("report", project.run_dir).out

    assert set() != shown_gaps(page) <= gate_gaps(project)
    assert failed > 0
    assert f"{failed:,} of {status['total']['attempts']:,} attempts" in text_of(panel_of(page, "retries"))
    assert report["cost_usd"] == pytest.approx(status["total"]["cost_usd"])
    assert f"${status['total']['cost_usd']:.4f} were spent in all" in text_of(panel_of(page, "spend"))
    agreed = status["bias"]["agreement"]["first, judge"]["rate"]
    assert f"first and judge{agreed * 100:.0f} % (95 %" in text_of(panel_of(page, "agreement"))
    assert "Judge first prefers the answer that it is shown first in" in text_of(read)
    assert "won pairs are cheapest with" in text_of(panel_of(page, "arm-costs"))
    assert "Reward models give numbers on scales of their own" in text_of(panel_of(page, "rewards"))
    assert told.startswith(f"{project.run_dir / 'report.html'}  (")
    assert f"{report['settled']} of 20 prompts gave a pair" in told


def shown_gaps(page: str) -> set[str]:
    """The gaps of the prompts that came close, as the page tells them."""
    return set(re.findall(r'<span class="tag none">.*?<span class="tag">(gap [^<]+)</span>', page))


def gate_gaps(project: Project) -> set[str]:
    """Those that the gate knew of the prompts without a pair."""
    bodies = [json.loads(body) for (body,) in project.sql("SELECT body FROM outcomes WHERE kind = 'abstained'")]
    return {f"gap {points(body['gate']['gap'])}" for body in bodies if "gate" in body}


def panel_of(page: str, ident: str) -> str:
    """The HTML of one panel of a page."""
    begins = page.index(f'id="panel-{ident}"')
    return page[begins : page.find('id="panel-', begins + 1)]


def text_of(html: str) -> str:
    """What of it is read, with single spaces."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


# --- two runs -----------------------------------------------------------------------------------------


def turn_round(project: Project, count: int) -> None:
    """Behind its back, the run prefers what it rejected."""
    rows = project.sql(f"SELECT prompt, body FROM outcomes WHERE kind = 'pair' ORDER BY prompt LIMIT {count}")
    for prompt, stored in rows:
        body = json.loads(stored)
        body["pair"] |= {"chosen": body["pair"]["rejected"], "rejected": body["pair"]["chosen"]}
        project.change("UPDATE outcomes SET body = ? WHERE prompt = ?", json.dumps(body).encode(), prompt)


def test_two_runs_are_held_against_each_other_prompt_by_prompt(project: Project) -> None:
    pairs = project.run()["pairs"]
    other = project.folder / "other"
    shutil.copytree(project.run_dir, other)
    turn_round(project, 2)
    (other / "recipe.toml").write_text(
        (other / "recipe.toml").read_text("utf-8") + "\n[pair]\nmin_gap = 4.5\n", "utf-8"
    )

    said, page = read_report(project.run_dir, other)

    assert said["out"] == str(project.run_dir / "report-compared.html")
    assert said["shared"]["turned round"] == 2
    assert said["shared"]["same pair"] == pairs - 2
    assert sum(said["shared"].values()) == 12
    assert '<th scope="row">pair.min_gap</th><td>–</td><td>4.5</td>' in page
    assert page.count('data-kind="turned round"') == 2


def test_a_prompt_that_one_of_two_runs_has_not_reached_is_not_called_unknown_to_it(project: Project) -> None:
    project.run()
    other = project.folder / "half"
    shutil.copytree(project.run_dir, other)
    project.change("DELETE FROM outcomes WHERE prompt IN (SELECT prompt FROM outcomes LIMIT 5)")

    said, page = read_report(project.run_dir, other)

    assert said["only"] == [0, 5]
    assert "<dt>settled in both</dt><dd>7<small>0 settled in A only, 5 in B only</small>" in page


def say_it_in_replies(project: Project) -> None:
    """Behind its back, the answers that were given are replies of a model, under ids of their own."""
    texts = {candidate_id(PromptId(prompt), text): (prompt, text) for prompt, text in given_answers(project)}
    for number, (ident, (prompt, text)) in enumerate(texts.items()):
        raw = json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode()
        request = f"{number:032x}"
        project.change("INSERT INTO replies (request, prompt, raw, latency_s) VALUES (?,?,?,0)", request, prompt, raw)
        project.change("UPDATE outcomes SET body = CAST(replace(body, ?, ?) AS BLOB)", ident, request)


def given_answers(project: Project) -> list[tuple[str, str]]:
    rows = project.sql("SELECT hash, body FROM prompts")
    return [(prompt, text) for prompt, body in rows for text, _ in json.loads(body)["candidates"]]


def test_answers_that_were_sampled_anew_and_say_the_same_are_the_same_pair(project: Project) -> None:
    rows = [{"prompt": f"Say {at}.", "candidates": ["One word.", f"Many more words, {at} of them."]} for at in range(4)]
    project.prompts(rows).save(sample=None, pair={"min_gap": 0.1, "verify_gap": 0.1, "chosen_floor": 0.0})
    pairs = project.run()["pairs"]
    other = project.folder / "other"
    shutil.copytree(project.run_dir, other)
    say_it_in_replies(project)

    said, _ = read_report(project.run_dir, other, "-o", project.folder / "both.html")

    assert said["out"] == str(project.folder / "both.html")
    assert said["shared"]["same pair"] == pairs > 0
    assert said["shared"]["another pair"] == said["shared"]["turned round"] == 0


def test_texts_that_neither_run_can_read_any_more_make_no_pair_the_same() -> None:
    gone: Any = SimpleNamespace(texts=lambda _: [])

    assert compare._became("p", [("a", "b")], [("c", "d")], (gone, gone)) == compare.OTHER


# --- mistakes -----------------------------------------------------------------------------------------


def test_mistakes_are_told_in_one_sentence_with_the_way_out(project: Project, tmp_path: Path) -> None:
    write_rows(tmp_path / "file", [])
    project.run("--max-calls", 1, code=3)

    said = {
        "is both runs": pairsmith("report", project.run_dir, project.run_dir),
        "--run-dir names the folder of one run": pairsmith("report", project.run_dir, tmp_path, "--run-dir", tmp_path),
        "name another file with -o": pairsmith("report", project.run_dir, "-o", tmp_path / "file" / "report.html"),
        "nothing was run in|holds no ledger": pairsmith("report", project.recipe, "--run-dir", tmp_path / "empty"),
    }

    assert {ran.code for ran in said.values()} == {2}
    assert [words for words, ran in said.items() if not re.search(words, ran.err) or ran.err.count("\n") != 1] == []
