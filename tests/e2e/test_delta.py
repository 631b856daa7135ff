"""One arm over another, where nobody judges: no verdict is bought, and nothing else pretends that there is one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli_runs import Project, accounted, everyday, pairsmith, read_rows, serving

PROMPTS = 12
SIDES = "chosen-from:strong, rejected-from:weak"


@pytest.fixture(scope="module")
def unjudged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with serving() as server:
        project = Project(tmp_path_factory.mktemp("delta"), server).prompts(everyday(PROMPTS))
        models = {"strong": "sim-strong", "weak": "sim-weak"}
        project.save(
            endpoints={name: {"model": model, "base_url": server.url} for name, model in models.items()},
            sample={"endpoints": ["strong", "weak"], "completions": 4, "temperature": [0.8]},
            judge={"panel": []},
            pair={"strategy": "delta", "sides": SIDES},
        )
        yield project


@pytest.fixture(scope="module")
def ran(unjudged: Project) -> dict[str, object]:
    return unjudged.run()


def test_each_pair_prefers_the_strong_arm_and_rests_on_no_judge(unjudged: Project, ran: dict[str, object]) -> None:
    proofs = unjudged.proofs

    assert ran["verdicts"] == 0
    assert set(unjudged.server.calls_by_model) == {"sim-strong", "sim-weak"}
    assert {(proof["chosen"]["model"], proof["rejected"]["model"]) for proof in proofs} == {("sim-strong", "sim-weak")}
    assert {(proof["rule"], proof["gap"], tuple(proof["judges"])) for proof in proofs} == {("arms", None, ())}


def test_prompts_are_conserved(unjudged: Project, ran: dict[str, object]) -> None:
    assert accounted(ran) == PROMPTS
    assert ran["pairs"] == len(unjudged.proofs) > PROMPTS / 2


def test_it_pairs_again_into_the_same_bytes(unjudged: Project, ran: dict[str, object]) -> None:
    pairsmith("pair", unjudged.run_dir, "-o", unjudged.folder / "again.jsonl")

    assert (unjudged.folder / "again.jsonl").read_bytes() == (unjudged.run_dir / "pairs.jsonl").read_bytes()


def test_gates_on_texts_hold_for_it(unjudged: Project, ran: dict[str, object]) -> None:
    flags = ("--set", "pair.max_length_ratio=1.5", "-o", unjudged.folder / "even.jsonl", "--json")

    said = pairsmith("pair", unjudged.run_dir, *flags).json

    lengths = [
        sorted(len(row[side][0]["content"]) for side in ("preferred_output", "non_preferred_output"))
        for row in read_rows(unjudged.folder / "even.jsonl")
    ]
    assert said["abstained"]["length_ratio"] > 0
    assert all(longer <= 1.5 * shorter for shorter, longer in lengths)


def test_plan_and_status_speak_of_no_judge(unjudged: Project, ran: dict[str, object]) -> None:
    planned = pairsmith("plan", unjudged.recipe)

    assert "sample" in planned.out
    assert "score" not in planned.out
    assert pairsmith("status", unjudged.run_dir).code == 0


@pytest.mark.parametrize(
    ("pair", "told"),
    [
        ({}, "nobody else knows which sampled answers are better"),
        ({"strategy": "delta"}, 'sides = "chosen-from:STRONG, rejected-from:WEAK"'),
        ({"strategy": "delta", "sides": "chosen-from:strong"}, "prefers one arm to another: name them"),
    ],
)
def test_without_a_judge_somebody_has_to_decide(unjudged: Project, pair: dict[str, str], told: str) -> None:
    before = unjudged.table["pair"]
    unjudged.save(pair=pair)

    ran = pairsmith("run", unjudged.recipe, "--run-dir", unjudged.folder / "no")

    unjudged.save(pair=before)
    assert ran.code == 2
    assert told in ran.err
