"""What a run says of its judges: the bias card, in every command that shows it, and its warnings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cli_runs import Project, Ran, Server, everyday, pairsmith, serving, sides
from judged_runs import judging, planted
from pairsmith.judge.bias import bias_card


def judged(folder: Path, server: Server, *models: str, prompts: int = 40, **judge: Any) -> tuple[Project, Ran]:
    project = judging(folder, server, planted(prompts), models, **judge)
    ran = pairsmith(*project.words())
    assert ran.code == 0, ran.err
    return project, ran


# --- warnings ---------------------------------------------------------------------------------------


def test_a_judge_that_likes_long_answers_is_warned_of(tmp_path: Path, server: Server) -> None:
    project, ran = judged(tmp_path, server, "sim-judge-long")
    longer = [len(chosen) > len(rejected) for chosen, rejected in map(sides, project.pairs)]

    assert "the pairs have the longer answer chosen in " in ran.err
    assert "a model trained on them learns length" in ran.err
    assert ran.json["bias"]["chosen_longer"]["rate"] == pytest.approx(sum(longer) / len(longer))


@pytest.mark.parametrize("protocol", ["score", "duel"])
def test_a_judge_that_prefers_what_is_shown_first_is_warned_of(tmp_path: Path, server: Server, protocol: str) -> None:
    """By duels it is seen at once; by scores only where there are close calls."""
    project = judging(tmp_path, server, planted(30), ("sim-judge-first",), protocol=protocol)
    ran = pairsmith(*project.words(*([] if protocol == "duel" else ["--set", "pair.min_gap=8"])))

    assert "judge first prefers the answer that it is shown first: " in ran.err
    assert "the two orders contradict each other in " in ran.err
    assert ran.json["bias"]["judges"]["first"]["first_wins"]["rate"] > 0.9


def test_rankings_whose_orders_disagree_are_warned_of(tmp_path: Path, server: Server) -> None:
    _, ran = judged(tmp_path, server, "sim-judge-first", protocol="rank")

    assert "the two orders contradict each other in 100 %" in ran.err
    assert ran.json["bias"]["conflicts"]["n"] == 40


def test_a_judge_that_forgets_the_form_is_warned_of(tmp_path: Path, server: Server) -> None:
    _, ran = judged(tmp_path, server, "sim-judge-noisy", prompts=60)

    assert "replies of judges that could not be read: " in ran.err
    assert ran.json["bias"]["unreadable"]["low"] > 0.02


def test_a_judge_that_prefers_the_longer_answer_more_than_the_others_do_is_named(
    tmp_path: Path, server: Server
) -> None:
    """Both score everything: the first judge knows the quality, the second one looks at the length."""
    _, ran = judged(tmp_path, server, "sim-judge", "sim-judge-long", escalate_within=[9.0])

    assert "judge second prefers the longer answer more than the others do" in ran.err
    assert "judge first prefers" not in ran.err


@pytest.mark.parametrize("protocol", ["score", "rank", "duel"])
def test_good_judges_are_not_warned_of(tmp_path: Path, server: Server, protocol: str) -> None:
    _, ran = judged(tmp_path, server, "sim-judge", "sim-judge@b", prompts=24, protocol=protocol)

    assert not [
        line for line in ran.err.splitlines() if "prefers" in line or "contradict" in line or "could not" in line
    ]


FAMILIES = {"student": "sim-student@qwen-3", "other": "sim-weak@llama-3"}


@pytest.mark.parametrize(
    ("judge", "warned"), [("sim-judge@llama-4", True), ("sim-judge@gpt-6", False), ("sim-judge", False)]
)
def test_a_judge_of_one_of_the_families_that_compete_is_warned_of(project: Project, judge: str, warned: bool) -> None:
    endpoints = {name: {"model": model, "base_url": project.server.url} for name, model in FAMILIES.items()}
    project.prompts(everyday(2)).save(
        endpoints={**endpoints, "judge": {"model": judge, "base_url": project.server.url}},
        sample={**project.table["sample"], "endpoints": list(FAMILIES)},
    )
    ran = pairsmith(*project.words())

    sentence = f"answers of 2 model families compete, and judge {judge} is of one of them (Llama)"
    assert (sentence in ran.err) == warned


# --- the card ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def carded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Project, Any]]:
    """40 sampled prompts judged by a ladder, and what its run said."""
    with serving() as server:
        project = Project(tmp_path_factory.mktemp("carded"), server).prompts(everyday(40))
        second = {"model": "sim-judge-middle", "base_url": server.url}
        project.save(
            endpoints={**project.table["endpoints"], "second": second},
            judge={"panel": ["judge", "second"], "escalate_within": [9.0]},
        )
        yield project, project.run()


def test_run_status_and_export_show_the_same_card(carded: tuple[Project, Any]) -> None:
    project, said = carded
    status = pairsmith("status", project.run_dir, "--json").json
    export = pairsmith("export", project.run_dir, "--json", "-o", project.folder / "out.jsonl").json

    assert said["bias"] == status["bias"] == export["bias"]
    assert said["bias"]["qualified"] == {"judge": None, "second": None}


def test_two_judges_that_know_the_quality_mostly_agree(carded: tuple[Project, Any]) -> None:
    agreement = carded[1]["bias"]["agreement"]

    assert agreement.keys() == {"judge, second"}
    assert agreement["judge, second"]["n"] > 50
    assert agreement["judge, second"]["rate"] > 0.8
    assert 0 <= agreement["judge, second"]["low"] < agreement["judge, second"]["rate"]


def test_the_counts_of_the_arms_add_up(carded: tuple[Project, Any]) -> None:
    project, said = carded
    arms = said["bias"]["arms"]
    flagged = project.sql("SELECT sum(json_array_length(body, '$.completions')) FROM outcomes")[0][0]

    assert arms.keys() == {"T0.6", "T1", "T1.4"}
    assert sum(arm["completions"] for arm in arms.values()) == flagged
    assert sum(arm["chosen"] for arm in arms.values()) == said["pairs"]
    assert sum(arm["rejected"] for arm in arms.values()) == said["pairs"]
    won = sum(round(arm["wins"]["rate"] * arm["wins"]["n"]) for arm in arms.values())
    assert 2 * won == sum(arm["wins"]["n"] for arm in arms.values())


def test_status_shows_people_the_card(carded: tuple[Project, Any]) -> None:
    shown = pairsmith("status", carded[0].run_dir).out

    assert "judge second: never asked what is known\n" in shown
    for label in ("chosen longer", "unreadable", "judge, longer", "second, ties", "agree: judge, second"):
        assert f"  {label}" in shown
    assert max(map(len, shown.splitlines())) <= 100


def test_export_repeats_the_warnings_on_stderr(tmp_path: Path, server: Server) -> None:
    project, _ = judged(tmp_path, server, "sim-judge-long")
    ran = pairsmith("export", project.run_dir, "-o", tmp_path / "out.jsonl")

    assert "the pairs have the longer answer chosen in " in ran.err
    assert "the longer" not in ran.out


def test_the_average_over_judges_counts_those_that_saw_both(tmp_path: Path) -> None:
    """A harsh second judge saw the long answer only: that says nothing of the two answers."""
    verdicts = [
        {"judge": "mild", "completion": "long", "score": 8},
        {"judge": "mild", "completion": "short", "score": 7},
        {"judge": "harsh", "completion": "long", "score": 2},
    ]
    completions = [["long", "arm", 900, "m"], ["short", "arm", 90, "m"]]

    card = bias_card([{"completions": completions, "verdicts": verdicts}])

    assert (card.average_longer_wins.rate, card.average_longer_wins.n) == (1.0, 1)


def test_without_scores_no_judge_is_held_against_an_average() -> None:
    """A final shows the best beside the worst: that its judge prefers the longer one is no taste of its own."""
    completions = [["long", "arm", 900, "m"], ["short", "arm", 90, "m"]]
    final = [{"judge": "second", "first": "long", "second": "short", "winner": "long"}]
    game = [{"judge": "first", "first": "short", "second": "long", "winner": "short"}]
    bodies = [{"completions": completions, "verdicts": final}, {"completions": completions, "verdicts": game}] * 50

    assert not [sentence for sentence in bias_card(bodies).warnings() if "than the others" in sentence]
