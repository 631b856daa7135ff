"""Rank, duel, the ladder by value and the gap that a run finds: through the command line, against the simulator."""

from __future__ import annotations

import json
import math
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli_runs import Project, Server, accounted, bought, ended, pairsmith, right_share, serving, sides, started, until
from judged_runs import asked, judging, planted, purposes
from pairsmith.simulator.composing import compose

LADDER = ("sim-judge-middle", "sim-judge")
FIRST = 32  # prompts from which the judges' noise is measured


def noise(project: Project) -> list[dict[str, Any]]:
    """What the ledger knows of the judges' errors."""
    return [
        json.loads(value)
        for (value,) in project.sql("SELECT value FROM facts WHERE key LIKE 'noise %' AND key NOT LIKE 'noise under %'")
    ]


# --- rank ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ranked_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with serving() as server:
        project = judging(tmp_path_factory.mktemp("ranked"), server, planted(20), protocol="rank")
        project.run()
        yield project


@pytest.fixture
def ranked(ranked_once: Project, tmp_path: Path) -> Project:
    """20 prompts, ranked by one judge; its server counts from zero."""
    return copied(ranked_once, tmp_path)


def copied(done: Project, folder: Path) -> Project:
    shutil.copytree(done.folder, folder, dirs_exist_ok=True)
    project = Project(folder, done.server)
    project.save(**{**dict.fromkeys(project.table), **done.table})
    done.server.forget()
    return project


def test_rank_makes_two_calls_a_prompt_whatever_the_number_of_answers(ranked: Project) -> None:
    assert set(asked(ranked, "rank").values()) == {2}
    assert purposes(ranked) == {"rank": 40}


def test_two_judges_rank_once_each(tmp_path: Path, server: Server) -> None:
    said = judging(tmp_path, server, planted(12, answers=6), LADDER, protocol="rank").run()

    assert said["verdicts"] == 24
    assert bought(said, "first") == bought(said, "second") == 12


def test_a_conflict_of_rankings_that_is_compared_gives_more_pairs_and_buys_no_ranking_again(ranked: Project) -> None:
    before = len(ranked.pairs)
    said = ranked.run("--set", "judge.rank_conflict=duel")

    assert before < said["pairs"] <= 20
    assert right_share(ranked.server, ranked.pairs) >= 0.95
    assert bought(said, "first") == purposes(ranked)["duel"]
    assert purposes(ranked)["rank"] == 40
    assert {proof["rule"] for proof in ranked.proofs} == {"rankings", "duels"}


def test_pairs_of_rank_are_right_and_many(ranked: Project) -> None:
    assert len(ranked.pairs) >= 12
    assert right_share(ranked.server, ranked.pairs) >= 0.95


def test_the_provenance_of_a_ranked_pair_holds_both_rankings_in_opposite_orders_and_no_gap(ranked: Project) -> None:
    for proof in ranked.proofs:
        one, other = proof["rankings"]
        assert one["shown"] == other["shown"][::-1]
        assert sorted(one["order"]) == sorted(other["order"]) == sorted(one["shown"])
        for ranking in (one, other):
            assert ranking["order"][0] == proof["chosen"]["completion"]
            assert ranking["order"][-1] == proof["rejected"]["completion"]
        assert proof["gap"] is None


@pytest.mark.parametrize("target", ["openai", "trl"])
def test_ranked_pairs_are_exported_and_pass_the_check(ranked: Project, target: str) -> None:
    out = ranked.folder / "out.jsonl"
    exported = pairsmith("export", ranked.run_dir, "--target", target, "-o", out, "--json")

    assert exported.json["rows"] == len(ranked.pairs)
    assert pairsmith("check", out, "--target", target).code == 0


def test_a_second_run_of_rank_makes_no_call_and_writes_the_same_bytes(ranked: Project) -> None:
    before = ranked.dataset

    said = ranked.run()

    assert (ranked.server.calls, said["calls"]) == (0, {})
    assert ranked.dataset == before


def test_another_judge_of_the_ranks_buys_rankings_and_nothing_else(ranked: Project) -> None:
    said = ranked.run("--set", "endpoints.first.model=sim-judge-middle")

    assert 40 <= bought(said, "first") <= 46
    assert max(ranked.server.keys.values()) == 1


def test_answers_too_long_for_one_listwise_prompt_abstain_and_that_is_said(ranked: Project) -> None:
    ran = pairsmith(*ranked.words("--set", "judge.rank_max_chars=1400"))
    too_long = ran.json["abstained"]["too_long_to_rank"]

    assert 0 < too_long < 20
    assert f"{too_long:,} prompts have answers that are too long for one listwise prompt" in ran.err
    assert "judge.rank_max_chars (now 1,400 characters)" in ran.err
    assert accounted(ran.json) == 20


@pytest.mark.parametrize("protocol", ["rank", "duel"])
@pytest.mark.parametrize(
    "given",
    [
        "pair.min_gap=2",
        "pair.verify_gap=1",
        "pair.chosen_floor=5",
        "pair.strategy=best-worst",
        "judge.escalate_within=[2.0]",
        "judge.escalate=value",
        "judge.score_from=logprobs",
    ],
)
def test_what_is_in_points_is_refused_by_a_protocol_that_knows_none(
    tmp_path: Path, server: Server, protocol: str, given: str
) -> None:
    sentence = judging(tmp_path, server, planted(2), protocol=protocol).fails("--set", given)

    assert given.partition("=")[0].partition(".")[2] in sentence
    assert f"protocol = {protocol} knows none: leave it out" in sentence
    assert server.calls == 0


@pytest.mark.parametrize("protocol", ["rank", "duel"])
def test_a_protocol_without_points_says_nothing_of_a_gate(tmp_path: Path, server: Server, protocol: str) -> None:
    """A prompt whose answers are all the same never came to the judge."""
    rows = planted(12)
    rows[3]["candidates"] = rows[3]["candidates"][:1] * 4
    ran = pairsmith(*judging(tmp_path, server, rows, protocol=protocol).words())

    assert ran.json["abstained"]["too_few_completions"] == 1
    assert "gate:" not in ran.err


# --- duel ------------------------------------------------------------------------------------------


def test_a_tournament_of_n_takes_three_halves_of_n_games_and_a_final_in_both_orders(
    tmp_path: Path, server: Server
) -> None:
    """With two judges no order of the final was asked before. Each verdict is one call, or two if one is unreadable."""
    models = ("sim-judge", "sim-judge@b")
    for answers in (2, 3, 4, 5, 7):
        project = judging(tmp_path / str(answers), server, planted(2, answers), models, protocol="duel")
        said = project.run()
        assert said["verdicts"] == 2 * (math.ceil(3 * answers / 2) - 2 + 2)
        assert 0 <= sum(said["calls"].values()) - said["verdicts"] <= 1


def test_with_one_judge_a_game_may_be_one_order_of_the_final(tmp_path: Path, server: Server) -> None:
    project = judging(tmp_path, server, planted(20), protocol="duel")
    project.run()

    assert set(asked(project, "duel").values()) == {5, 6}


@pytest.mark.parametrize("models", [("sim-judge",), LADDER])
def test_pairs_of_duels_are_right_and_many(tmp_path: Path, server: Server, models: tuple[str, ...]) -> None:
    project = judging(tmp_path, server, planted(20), models, protocol="duel")
    said = project.run()

    assert said["pairs"] >= 17
    assert right_share(server, project.pairs) >= 0.95
    assert all(proof["gap"] is None and len(proof["duels"]) == 2 for proof in project.proofs)


def test_a_judge_that_prefers_what_is_shown_first_gives_few_pairs_by_duels_and_none_that_is_wrong(
    tmp_path: Path, server: Server
) -> None:
    """Being first is worth 7 points to it: only answers further apart than that can be told in both orders."""
    rows = planted(24)
    for row in rows[:6]:
        by_quality = sorted(compose(0, row["prompt"]), key=lambda draft: draft.quality)
        row["candidates"] = [by_quality[0].text(), by_quality[-1].text()]
    project = judging(tmp_path, server, rows, ("sim-judge-first",), protocol="duel")
    said = project.run()

    assert 1 <= said["pairs"] <= 8
    assert right_share(server, project.pairs) == 1.0
    assert said["abstained"] == {"order_conflict": 24 - said["pairs"]}


def test_duels_are_exported_pass_the_check_and_are_not_asked_again(tmp_path: Path, server: Server) -> None:
    project = judging(tmp_path, server, planted(15), protocol="duel")
    project.run()
    before, calls = project.dataset, server.calls
    project.run()
    pairsmith("export", project.run_dir, "--target", "trl", "-o", tmp_path / "out.jsonl")

    assert server.calls == calls
    assert project.dataset == before
    assert pairsmith("check", tmp_path / "out.jsonl", "--target", "trl").code == 0


# --- the ladder, by value --------------------------------------------------------------------------

PROMPTS = 64


@pytest.fixture(scope="module")
def climbed_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, str]]:
    """A ladder of two judges over 64 prompts, and what its run said."""
    with serving() as server:
        project = judging(tmp_path_factory.mktemp("climbed"), server, planted(PROMPTS), LADDER)
        ran = pairsmith(*project.words())
        assert ran.code == 0, ran.err
        yield project, ran.err


@pytest.fixture
def climbed(climbed_once: tuple[Project, str], tmp_path: Path) -> Project:
    return copied(climbed_once[0], tmp_path)


def test_a_ladder_measures_its_judges_on_the_first_prompts_says_so_and_keeps_it(
    climbed: Project, climbed_once: tuple[Project, str]
) -> None:
    (known,) = noise(climbed)

    assert climbed_once[1].count("judges err by so many points a verdict: first ") == 1
    assert "(from the first 32 prompts, " in climbed_once[1]
    assert (known["complete"], known["prompts"], set(known["judges"])) == (True, FIRST, {"first", "second"})


def test_a_ladder_by_value_asks_less_of_the_second_judge_than_one_by_distance(climbed: Project, tmp_path: Path) -> None:
    by_distance = judging(
        tmp_path / "distance", climbed.server, planted(PROMPTS), LADDER, escalate="distance", escalate_within=[2.0]
    ).run()
    by_value = climbed.sql("SELECT count(DISTINCT request) FROM attempts WHERE endpoint = 'second'")[0][0]

    assert by_value < 0.95 * bought(by_distance, "second")
    assert right_share(climbed.server, climbed.pairs) >= 0.95
    assert abs(len(climbed.pairs) - by_distance["pairs"]) <= 4


def test_a_second_run_of_a_ladder_makes_no_call_and_keeps_what_was_measured(climbed: Project) -> None:
    before, known = climbed.dataset, noise(climbed)

    climbed.run()

    assert climbed.server.calls == 0
    assert climbed.dataset == before
    assert noise(climbed) == known


def test_prompts_in_front_of_those_that_were_measured_change_nothing_of_it(climbed: Project) -> None:
    known, pairs = noise(climbed), {sides(row) for row in climbed.pairs}
    climbed.prompts([*planted(PROMPTS + 3)[-3:], *planted(PROMPTS)])

    said = climbed.run()

    assert noise(climbed) == known
    assert pairs <= {sides(row) for row in climbed.pairs}
    assert sum(said["calls"].values()) <= 3 * (2 * 4 + 2)


def test_the_order_in_which_verdicts_come_changes_nothing(climbed: Project, tmp_path: Path) -> None:
    with serving(latency_s=0.01, latency_sigma=1.5) as server:
        other = judging(tmp_path / "late", server, planted(PROMPTS), LADDER)
        other.run()

    assert other.dataset == climbed.dataset
    assert noise(other) == noise(climbed)


def test_a_ladder_that_a_budget_stops_again_and_again_ends_in_the_same_bytes(climbed: Project, tmp_path: Path) -> None:
    """Stopped before, while and after its judges are measured."""
    other = judging(tmp_path / "stopped", climbed.server, planted(PROMPTS), LADDER)
    priced = {
        name: {**table, "concurrency": 4, "price": {"input": 1.0, "output": 10.0}}
        for name, table in other.table["endpoints"].items()
    }
    other.save(endpoints=priced)
    measured_after = []
    for cap in (0.06, 0.2, 0.4):
        other.run("--max-cost", cap, code=3)
        measured_after.append(len(noise(other)))

    other.run("--max-cost", 10)

    assert measured_after[0] == 0
    assert measured_after[-1] == 1
    assert other.dataset == climbed.dataset
    assert noise(other) == noise(climbed)
    assert max(climbed.server.keys.values()) == 1


@pytest.mark.parametrize(("number", "calls"), [(signal.SIGINT, 60), (signal.SIGKILL, 250)])
def test_a_ladder_that_is_interrupted_or_killed_ends_in_the_same_bytes(
    climbed: Project, tmp_path: Path, number: signal.Signals, calls: int
) -> None:
    with serving(latency_s=0.02) as server:
        other = judging(tmp_path / "stopped", server, planted(PROMPTS), LADDER)
        with started(*other.words("--set", "endpoints.first.concurrency=8")) as process:
            until(lambda: server.calls >= calls, "calls")
            process.send_signal(number)
            ended(process)
        server.latency(0.0)
        other.run()

    assert other.dataset == climbed.dataset
    assert noise(other) == noise(climbed)


def test_with_too_few_verdicts_nothing_is_reckoned_with_and_distance_decides(tmp_path: Path, server: Server) -> None:
    few = judging(tmp_path / "value", server, planted(5), LADDER)
    ran = pairsmith(*few.words())
    by_distance = judging(tmp_path / "distance", server, planted(5), LADDER, escalate="distance")
    said = by_distance.run()

    assert "too few verdicts to measure how much the judges err: 32 prompts suffice" in ran.err
    assert ran.json["calls"] == said["calls"]
    assert few.dataset == by_distance.dataset


def test_a_run_that_grows_beyond_the_first_prompts_is_measured_anew_and_as_if_it_had_been_whole(
    climbed: Project, tmp_path: Path
) -> None:
    other = judging(tmp_path / "grown", climbed.server, planted(20), LADDER)
    other.run()
    (early,) = noise(other)
    other.prompts(planted(PROMPTS)).run()

    assert (early["complete"], early["prompts"]) == (False, 20)
    assert noise(other) == noise(climbed)
    assert other.dataset == climbed.dataset
    assert max(climbed.server.keys.values()) == 1


def test_a_small_run_of_a_ladder_makes_no_call_the_second_time(tmp_path: Path, server: Server) -> None:
    project = judging(tmp_path, server, planted(12), LADDER)
    project.run()
    before, calls = project.dataset, server.calls

    project.run()

    assert server.calls == calls
    assert project.dataset == before


# --- min_gap = "auto" ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def gap_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, str]]:
    with serving() as server:
        project = judging(tmp_path_factory.mktemp("auto"), server, planted(40))
        project.save(pair={"min_gap": "auto"})
        ran = pairsmith(*project.words())
        assert ran.code == 0, ran.err
        yield project, ran.err


@pytest.fixture
def gap(gap_once: tuple[Project, str], tmp_path: Path) -> Project:
    return copied(gap_once[0], tmp_path)


def test_a_gap_to_be_found_asks_the_only_judge_twice_about_the_first_prompts_only(gap: Project) -> None:
    scores, ordinals = (
        asked(gap, "score"),
        dict(gap.sql("SELECT p.hash, i.ordinal FROM inputs i JOIN prompts p ON p.id = i.prompt")),
    )

    assert {ident for ident, count in scores.items() if count >= 8} == {
        i for i, place in ordinals.items() if place < 32
    }
    assert all(count < 8 for ident, count in scores.items() if ordinals[ident] >= FIRST)


def test_the_gap_that_was_found_is_said_and_kept_to(gap: Project, gap_once: tuple[Project, str]) -> None:
    said = gap_once[1].partition("min_gap = auto is ")[2]
    least = float(said.partition(":")[0])

    assert said.startswith(f"{least:g}: 97% right from there up\n")
    assert 1 <= least <= 4
    assert all(proof["gap"] >= least or proof["duels"] for proof in gap.proofs)
    assert right_share(gap.server, gap.pairs) >= 0.95


def test_second_scores_decide_nothing_and_are_no_verdict_of_a_pair(gap: Project) -> None:
    for proof in gap.proofs:
        judged = [verdict["completion"] for verdict in proof["verdicts"] if "score" in verdict]
        assert len(judged) == len(set(judged))


def test_a_second_run_with_a_gap_that_was_found_makes_no_call(gap: Project) -> None:
    before = gap.dataset

    gap.run()

    assert gap.server.calls == 0
    assert gap.dataset == before


def test_more_prompts_keep_the_gap_that_was_found_and_are_scored_once(gap: Project) -> None:
    known, pairs = noise(gap), {sides(row) for row in gap.pairs}
    ran = pairsmith(*gap.prompts(planted(44)).words())

    assert noise(gap) == known
    assert "judges err" not in ran.err
    assert pairs <= {sides(row) for row in gap.pairs}
    assert ran.json["calls"]["first"] <= 4 * (4 + 2) + 1


def test_a_gap_that_cannot_be_found_is_three(tmp_path: Path, server: Server) -> None:
    project = judging(tmp_path, server, planted(4))
    project.save(pair={"min_gap": "auto"})
    ran = pairsmith(*project.words())

    assert "too few verdicts" in ran.err
    assert "and min_gap is 3" in ran.err
    assert accounted(ran.json) == 4
