"""Judges whose replies are spoilt now and then: a few pairs fewer, none that is wrong for it.

What meets a fault depends on the request's id alone, so these numbers are the same in every run of the tests.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cli_runs import Project, accounted, right_share, serving
from judged_runs import judging, planted

PROMPTS = 150
FAULTS = {"unreadable": 0.05, "content-filter": 0.02}  # the second is permanent: asking again does not help
LADDER = ("sim-judge-middle", "sim-judge")


def judged(folder: Path, faults: dict[str, float]) -> tuple[Project, Any, float]:
    """A ladder's project, what its run said, and the share of its pairs that are right."""
    with serving(faults=faults) as server:
        project = judging(folder, server, planted(PROMPTS), LADDER)
        said = project.run()
        if faults:
            met = server.stats()["by_fault"]
            assert met["unreadable"] >= 20
            assert met["content-filter"] >= 8
        return project, said, right_share(server, project.pairs)


def test_spoilt_replies_cost_few_pairs_and_make_none_wrong(tmp_path: Path) -> None:
    _, clean, right = judged(tmp_path / "clean", {})
    project, noisy, right_too = judged(tmp_path / "noisy", FAULTS)

    assert noisy["pairs"] >= clean["pairs"] - 0.03 * PROMPTS
    assert right_too >= right - 0.003
    assert accounted(noisy) == PROMPTS
    assert noisy["failed"] == {}
    assert 0.02 < noisy["bias"]["unreadable"]["rate"] < 0.09
    assert all(1 <= v["score"] <= 10 for proof in project.proofs for v in proof["verdicts"] if "score" in v)
