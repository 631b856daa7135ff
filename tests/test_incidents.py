"""How other tools gave wrong labels and texts: one test for each of the 14 ways, in which this one must never go.

Each begins with the incident, and tries the whole of this tool: its commands, against a simulator on a real port.
What must hold stands in CONTRIBUTING.md under "Regressions that must never come back".
"""

from __future__ import annotations

import json
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from cli_runs import Project, Ran, Server, accounted, ended, everyday, pairsmith, right_share, serving, sides, started
from judged_runs import judging, planted
from pairsmith.judge.verdicts import ScoreVerdict, read_score
from pairsmith.pair.gates import settle
from pairsmith.pair.settings import PairSettings
from pairsmith.records import Abstention, Completion, CompletionId, EndpointName, PromptId, RequestId, Score
from pairsmith.simulator.composing import compose
from pairsmith.wire import gate

ROWS = 14
ALL_PASS = ("--set", "pair.min_gap=0.5", "--set", "pair.chosen_floor=1")
WIDE_GAP = 8.0  # nearly every pair is a close call then, and two duels decide it
FAULTS = {
    "out-of-range": 0.1, "unreadable": 0.15, "error-200": 0.04, "html": 0.04, "502": 0.04,
    "content-filter": 0.04, "400-context": 0.03, "blank": 0.04, "length": 0.04, "refusal": 0.04,
}  # fmt: skip
ERRORS = ("Provider returned error", "DOCTYPE", "Bad gateway", "content management policy", "maximum context length")


@pytest.fixture(scope="module")
def shared() -> Iterator[Server]:
    with serving() as server:
        yield server


@dataclass(frozen=True)
class Journey:
    """A project that was run once, and what was said; to be read only."""

    project: Project
    ran: Ran

    @property
    def said(self) -> Any:
        return self.ran.json

    @property
    def evidence(self) -> list[Any]:
        """What is stored behind each prompt's outcome."""
        return [json.loads(body) for (body,) in self.project.sql("SELECT body FROM outcomes")]

    @property
    def verdicts(self) -> dict[str, Any]:
        """Every verdict, by the call that it was read from."""
        return {verdict["call"]: verdict for body in self.evidence for verdict in body["verdicts"]}


def journey(project: Project, *more: object) -> Journey:
    ran = pairsmith(*project.words(*more))
    assert ran.code == 0, ran.err
    return Journey(project, ran)


@pytest.fixture(scope="module")
def whole(shared: Server, tmp_path_factory: pytest.TempPathFactory) -> Journey:
    """Sampled, judged, and compared in both orders, without a fault."""
    project = Project(tmp_path_factory.mktemp("whole"), shared).prompts(everyday(30))
    return journey(project, "--set", f"pair.min_gap={WIDE_GAP}")


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    """Everything goes wrong now and then, with the student and with the judge."""
    with serving(faults=FAULTS) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(gate, "BACKOFF_S", 0.002)
        project = Project(tmp_path_factory.mktemp("troubled"), server).prompts(everyday(31))
        project.save(endpoints={name: {**one, "concurrency": 4} for name, one in project.table["endpoints"].items()})
        made = journey(project, "--set", "sample.max_screened=1")
        assert server.stats()["by_fault"].keys() == FAULTS.keys()
        yield made


def contents(project: Project, purpose: str) -> dict[str, str]:
    """The stored answers to requests of a purpose, as the server sent them."""
    rows = project.sql(
        "SELECT request, raw FROM replies WHERE raw IS NOT NULL AND request IN"
        f" (SELECT request FROM attempts WHERE purpose = '{purpose}')"
    )
    return {request: json.loads(raw)["choices"][0]["message"]["content"] or "" for request, raw in rows}


def points_said(text: str) -> float | None:
    """The score in a judge's reply, read in the plainest way; None where it is none from 1 to 10."""
    try:
        said = json.loads(text)["score"]
    except (ValueError, KeyError, TypeError):
        return None
    return said if isinstance(said, int | float) and 1 <= said <= 10 else None


def accepted(project: Project, *words: object) -> set[tuple[str, str]]:
    """The chosen and the rejected side of every pair of a project that is run, by ids."""
    project.run(*words)
    return {(proof["chosen"]["completion"], proof["rejected"]["completion"]) for proof in project.proofs}


def test_incident_01_open_instruct_swap_every_permutation_of_the_same_answers_gives_the_same_chosen_id(
    shared: Server, tmp_path: Path
) -> None:
    """The swap could never happen: chosen was element 0 whatever the judge said. This judge knows the best one."""
    row = planted(1, answers=3)[0]
    found = set()
    for place, order in enumerate(permutations(row["candidates"])):
        project = judging(tmp_path / str(place), shared, [{**row, "candidates": list(order)}])
        found |= accepted(project, *ALL_PASS)
        assert project.pairs
        assert right_share(shared, project.pairs) == 1.0

    assert len(found) == 1


def test_incident_02_aif_gen_completion_order_replies_that_are_delayed_at_random_are_joined_by_id(
    shared: Server, whole: Journey, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Verdicts were collected as they came in, and applied by index."""

    @settings(max_examples=4, deadline=None, phases=[Phase.generate])  # a run each
    @given(st.floats(0.5, 2.0))
    def whatever_comes_first(spread: float) -> None:
        project = Project(tmp_path_factory.mktemp("delayed"), shared).prompts(everyday(6))
        shared.latency(0.006, spread)  # another delay each time, also of the same request
        made = journey(project, "--set", f"pair.min_gap={WIDE_GAP}")

        assert made.project.pairs == whole.project.pairs[: made.said["pairs"]] != []
        assert {call: made.verdicts[call] == whole.verdicts[call] for call in made.verdicts} == dict.fromkeys(
            made.verdicts, True
        )

    try:
        whatever_comes_first()
    finally:
        shared.latency(0.0)


def test_incident_03_simpo_62_row_position_every_answer_stands_under_the_prompt_it_was_given_to(
    shared: Server, whole: Journey, tmp_path: Path
) -> None:
    """Answers of several files were joined by row. The simulator knows which answers belong to which prompt."""
    other = Project(tmp_path, shared).prompts(everyday(30)[::-1])
    other.run("--set", f"pair.min_gap={WIDE_GAP}")

    for row in whole.project.pairs:
        asked = row["input"]["messages"][-1]["content"]
        assert set(sides(row)) <= {draft.text() for draft in compose(0, asked)}
    assert other.pairs == whole.project.pairs[::-1] != []


def test_incident_04_ultrafeedback_8_scores_a_verdict_is_the_number_that_was_said_and_out_of_range_is_none(
    troubled: Journey,
) -> None:
    """1 was read as 10, in up to 2,628 completions."""
    replies = contents(troubled.project, "score")
    said = {request: points for request, text in replies.items() if (points := points_said(text)) is not None}

    assert {call: v["score"] for call, v in troubled.verdicts.items() if "score" in v} == said
    assert len([text for text in replies.values() if '"score":47' in text]) > 5
    for text, points in {'{"score": 1}': 1, '{"score": 10}': 10, '{"score": 0}': 0, '{"score": 11}': 0}.items():
        read = read_score(text)
        assert (read.score if isinstance(read, ScoreVerdict) else 0) == points


def test_incident_05_open_instruct_unreadable_rating_it_is_no_verdict_and_is_counted_and_shown(
    troubled: Journey,
) -> None:
    """A rating that could not be read became "1"."""
    asked = {**contents(troubled.project, "score"), **contents(troubled.project, "duel")}
    lost = asked.keys() - troubled.verdicts.keys()

    assert len(lost) > 10
    assert troubled.said["verdicts"] == len(asked) - len(lost)
    assert sum(body.get("unreadable", 0) for body in troubled.evidence) == len(lost)
    assert f"{len(lost)} replies of judges could not be read as verdicts" in troubled.ran.err
    assert right_share(troubled.project.server, troubled.project.pairs) >= 0.95


def test_incident_06_synthetic_data_kit_error_text_a_failure_is_a_typed_row_and_no_exporter_takes_it(
    troubled: Journey, tmp_path: Path
) -> None:
    """The text of an API error was stored as an answer, and exported."""
    project = troubled.project
    named = Counter(outcome for (outcome,) in project.sql("SELECT outcome FROM attempts"))
    stored = [raw for (raw,) in project.sql("SELECT raw FROM replies WHERE raw IS NOT NULL")]
    texts = [text for row in project.pairs for text in sides(row)]

    for target in ("openai", "trl", "together", "fireworks"):
        pairsmith("export", project.run_dir, "--target", target, "-o", tmp_path / target)
        stored.append((tmp_path / target).read_bytes())

    assert named.keys() == {"ok", "error_in_200", "html", "http_502", "content_filter", "context_length"}
    assert project.sql("SELECT count(*) FROM replies WHERE raw IS NOT NULL") == [(named["ok"],)]
    assert None not in project.server.truth(texts)
    assert not [word for word in ERRORS for held in stored if word.encode() in held]


def test_incident_07_synthetic_data_kit_curate_retyped_every_exported_text_is_byte_equal_to_a_stored_one(
    shared: Server, tmp_path: Path
) -> None:
    """The text as the judge had typed it again was exported. Given answers and thinking models bring awkward bytes."""
    rows = [{**row, "candidates": [f"\u00a0 {text} \r\n\u2028" for text in row["candidates"]]} for row in planted(8, 2)]
    project = Project(tmp_path, shared).prompts(rows)
    project.table["endpoints"]["student"]["model"] = "sim-thinker"
    project.save(sample={**project.table["sample"], "completions": 2})
    project.run(*ALL_PASS)
    stored = contents(project, "sample")
    given_ones = {text for row in rows for text in row["candidates"]}
    origins = Counter()

    for row, proof in zip(project.pairs, project.proofs, strict=True):
        for text, side in zip(sides(row), (proof["chosen"], proof["rejected"]), strict=True):
            reply = stored.get(side["completion"])
            origins[side["arm"] == "given"] += 1
            assert text in given_ones if reply is None else text == reply[slice(*side["span"])]
            assert "<think>" not in text
    assert min(origins[True], origins[False]) > 2


def test_incident_08_rlhflow_dropped_shard_prompts_in_are_pairs_and_every_named_reason(troubled: Journey) -> None:
    """What was left of an uneven shard was dropped, and `max_random` was not random."""
    said = troubled.said
    kinds = Counter(kind for (kind,) in troubled.project.sql("SELECT kind FROM outcomes"))

    assert said["prompts"] == 31 == accounted(said) == kinds.total()
    assert said["not_reached"] == 0
    assert len(troubled.project.pairs) == said["pairs"] == kinds["pair"] > 5
    assert sum(said["abstained"].values()) == kinds["abstained"] > 0
    assert "" not in {*said["abstained"], *said["failed"]}


def test_incident_09_nemotron_lost_export_one_unreadable_winner_costs_one_row_and_no_other(
    whole: Journey, tmp_path: Path
) -> None:
    """After the money was spent, one winner that could not be read lost the whole export."""
    project = Project(tmp_path, whole.project.server).prompts(everyday(30))
    shutil.copytree(whole.project.run_dir, project.run_dir)
    lost = next(n for n, proof in enumerate(whole.project.proofs) if any("winner" in v for v in proof["verdicts"]))
    call = next(v["call"] for v in whole.project.proofs[lost]["verdicts"] if "winner" in v)
    ((raw,),) = project.sql(f"SELECT raw FROM replies WHERE request = '{call}'")
    spoilt = json.loads(raw)
    spoilt["choices"][0]["message"]["content"] = "The first one, if you ask me."
    project.change("UPDATE replies SET raw = ? WHERE request = ?", json.dumps(spoilt).encode(), call)
    project.server.faults(unreadable=1.0)  # so that asking once more does not mend it

    said = project.run("--set", f"pair.min_gap={WIDE_GAP - 0.1}")

    project.server.faults()
    assert said["calls"] == {"judge": 1}
    assert said["abstained"].get("no_verdict", 0) == whole.said["abstained"].get("no_verdict", 0) + 1
    assert project.pairs == [row for n, row in enumerate(whole.project.pairs) if n != lost]


def abstained(better: str, worse: str, **gates: int) -> str | None:
    """The reason why the pair stage takes no pair of these two, however clearly the judge tells them apart."""
    ids = [CompletionId("better"), CompletionId("worse")]
    given_ones = [
        Completion(ident, PromptId("p"), text, "T1") for ident, text in zip(ids, (better, worse), strict=True)
    ]
    scores = [
        Score(ident, EndpointName("j"), points, "", RequestId(ident))
        for ident, points in zip(ids, (9.0, 2.0), strict=True)
    ]
    settled = settle(PromptId("p"), given_ones, scores, [], PairSettings(**gates))
    return settled.reason if isinstance(settled, Abstention) else None


def test_incident_10_owl_592_and_rlhf_book_503_equal_sides_are_no_pair_not_even_once_the_trainer_cuts_them(
    shared: Server, tmp_path: Path
) -> None:
    """144 of 220 pairs had equal sides; 352 of 5,000 had them after truncation."""
    rows, common = planted(12), "To begin with, here is what everybody should know about it. " * 4
    for place, row in enumerate(rows):
        best, *_, worst = row["candidates"]
        alike = [best, f" {best}\n", best.replace(" ", "  ", 1)]
        row["candidates"] = [alike, [common + best, common + worst], row["candidates"]][place % 3]
    project = judging(tmp_path, shared, rows)
    uncut = {proof["id"] for proof in journey(project, *ALL_PASS).project.proofs}
    cut = journey(project, *ALL_PASS, "--set", "pair.trainer_max_tokens=60")
    left = {proof["id"] for proof in project.proofs}

    of_kind = [{row["id"] for row in rows[kind::3]} for kind in range(3)]
    assert not uncut & of_kind[0]
    assert len(uncut & of_kind[1]) == cut.said["abstained"]["equal_after_cut"] > 0
    assert left == uncut & of_kind[2] != set()
    assert abstained("Café  au lait\n", "Cafe\u0301 au lait") == "equal_sides"
    assert abstained(common + "Yes.", common + "No.", trainer_max_tokens=20) == "equal_after_cut"
    assert abstained(common + "Yes.", common + "No.", trainer_max_tokens=2000) is None


def test_incident_11_synthetic_data_kit_exit_0_whatever_goes_wrong_is_in_the_exit_code(
    project: Project, tmp_path: Path
) -> None:
    """Failures exited 0: nobody who ran it by a script ever heard of them."""
    project.prompts(everyday(3))
    refused, spoilt = tmp_path / "refused.jsonl", project.folder / "spoilt.toml"
    refused.write_text('{"input": {}}\n', "utf-8")
    spoilt.write_text(project.recipe.read_text("utf-8").replace("panel", "pannel"), "utf-8")
    codes = {"unknown key": pairsmith("run", spoilt).code, "no folder": pairsmith("status", tmp_path / "none").code}
    codes["bad rows"] = pairsmith("check", refused, "--target", "openai").code
    project.server.faults(content_filter=1.0)
    codes["no prompt succeeded"] = pairsmith(*project.words("--run-dir", tmp_path / "failed")).code
    project.server.faults(f401=1.0)
    with started(*project.words(), fresh=True) as process:
        codes["refused key"] = ended(process).code
    project.server.faults(content_filter=0.3)
    some = pairsmith(*project.words("--set", "sample.max_screened=1"))
    codes["some calls failed"] = some.code

    assert codes == {
        "unknown key": 2, "no folder": 2, "bad rows": 1, "no prompt succeeded": 3, "refused key": 3,
        "some calls failed": 0,
    }  # fmt: skip
    assert some.json["stopped"] is None


def test_incident_12_nemotron_rl_pref_positions_are_drawn_by_seed_in_both_orders_and_a_judge_of_itself_is_warned_of(
    whole: Journey, shared: Server, tmp_path: Path
) -> None:
    """Position was confounded with temperature, and the judge judged its own answers."""
    first_is_chosen = []
    for proof in whole.project.proofs:
        held = [v for v in proof["verdicts"] if "winner" in v]
        if held:
            one, other = held[0]["first"], held[0]["second"]
            assert [(v["first"], v["second"]) for v in held] == [(one, other), (other, one)]
            first_is_chosen.append(one == proof["chosen"]["completion"])
    own = Project(tmp_path, shared).prompts(everyday(2))

    assert len(first_is_chosen) >= 10
    assert 0.15 < sum(first_is_chosen) / len(first_is_chosen) < 0.85
    assert "judges its own answers" in pairsmith(*own.words("--set", "endpoints.judge.model=sim-student")).err
    assert "judges its own answers" not in whole.ran.err


def test_incident_13_distilabel_ties_abstain_and_one_missing_rating_takes_no_other_with_it(
    shared: Server, troubled: Journey, tmp_path: Path
) -> None:
    """A tie was written with one answer on both sides; one rating of None voided its batch of 50."""
    texts = {text for row in planted(40) for text in row["candidates"]}
    ranked = sorted(zip(shared.truth(sorted(texts)), sorted(texts), strict=True))
    twins = [[one, other] for (p, one), (q, other) in pairwise(ranked) if p == q][:24]
    rows = [{"prompt": f"Twins {n}?", "candidates": two} for n, two in enumerate(twins)]
    tied = journey(judging(tmp_path, shared, rows), *ALL_PASS)
    equal = [
        proof for proof in tied.project.proofs if len({v["score"] for v in proof["verdicts"] if "score" in v}) == 1
    ]
    scored = [
        ({v["completion"] for v in body["verdicts"] if "score" in v}, {one[0] for one in body["completions"]})
        for body in troubled.evidence
        if "pair" in body
    ]

    assert equal == []
    assert tied.said["abstained"]["tie"] >= 5
    assert [rated for rated, usable in scored if len(rated) == len(usable) - 1 >= 2]


def test_incident_14_distilabel_lost_shuffle_a_judge_that_likes_what_stands_first_still_decides_no_label(
    shared: Server, tmp_path: Path
) -> None:
    """The shuffle was added, and lost in a rewrite: so every row of the table keeps a test here that names it."""
    numbers = re.findall(r"^def test_incident_(\d+)_", Path(__file__).read_text("utf-8"), re.MULTILINE)
    pairs = {}
    for protocol, gates in {"score": ("--set", "pair.min_gap=5"), "duel": (), "rank": ()}.items():
        project = judging(tmp_path / protocol, shared, planted(30), ("sim-judge-first",), protocol=protocol)
        said = project.run(*gates)
        pairs[protocol] = project.pairs
        assert accounted(said) == 30
        assert said["verdicts"] > 30

    assert len(pairs["score"]) >= 8
    assert right_share(shared, [row for rows in pairs.values() for row in rows]) >= 0.95
    assert numbers == [f"{number:02}" for number in range(1, ROWS + 1)]
