"""So many pairs and no more: what is bought for them, what is exported, and how a run ends that cannot give them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import pytest

from cli_runs import EVERYDAY, PATIENCE_S, Dripping, Project, accounted, everyday, pairsmith, read_rows, serving

TARGET = 100


@dataclass(frozen=True)
class Compared:
    """A run over all 240 prompts, and one that wants 100 pairs of them."""

    whole: Project
    aimed: Project
    said: dict[str, object]
    bought: int


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compared]:
    folder, rows = (
        tmp_path_factory.mktemp("aimed"),
        [json.loads(line) for line in EVERYDAY.read_text("utf-8").splitlines()],
    )
    with serving(latency_s=0.01, latency_sigma=0.6) as server:
        whole, aimed = (Project(folder / name, server).prompts(rows) for name in ("whole", "aimed"))
        for project in (whole, aimed):
            project.save(sample={**project.table["sample"], "completions": 2})
        whole.run()
        server.forget()
        said = aimed.run("--target-pairs", TARGET)
        yield Compared(whole, aimed, said, server.calls)


def needed(whole: Project, pairs: int) -> int:
    """Calls of the prompts up to the one that gives the last of so many pairs."""
    calls = whole.sql(
        "SELECT o.kind, (SELECT count(*) FROM replies r WHERE r.prompt = p.hash) FROM inputs i"
        " JOIN prompts p ON p.id = i.prompt JOIN outcomes o ON o.prompt = p.id ORDER BY i.ordinal"
    )
    total = 0
    for kind, count in calls:
        total, pairs = total + count, pairs - (kind == "pair")
        if not pairs:
            break
    return total


def test_a_hundred_pairs_are_bought_for_hardly_more_than_they_need(compared: Compared) -> None:
    assert compared.bought <= 1.15 * needed(compared.whole, TARGET)
    assert (compared.said["stopped"], compared.said["target_pairs"]) == (None, TARGET)
    assert compared.said["prompts"] == 240 == accounted(compared.said)
    assert compared.said["not_reached"] != 0


def test_what_is_exported_are_the_first_ones_in_prompt_order_of_those_that_are_settled(compared: Compared) -> None:
    first = compared.aimed.sql(
        "SELECT p.hash FROM inputs i JOIN prompts p ON p.id = i.prompt JOIN outcomes o ON o.prompt = p.id"
        f" WHERE o.kind = 'pair' ORDER BY i.ordinal LIMIT {TARGET}"
    )

    proofs = read_rows(compared.aimed.run_dir / "pairs.provenance.jsonl")
    assert [proof["prompt_id"] for proof in proofs] == [ident for (ident,) in first]
    assert len(proofs) == TARGET


def test_a_resume_that_wants_no_more_asks_nothing_and_one_that_wants_more_goes_on(compared: Compared) -> None:
    server = compared.aimed.server
    before = server.calls
    for fewer in (TARGET, 30):
        said = compared.aimed.run("--target-pairs", fewer)
        assert (said["pairs"], said["stopped"], sum(said["calls"].values())) == (fewer, None, 0)
    assert server.calls == before

    ran = pairsmith(*compared.aimed.words("--target-pairs", 1000))

    settled = compared.whole.sql("SELECT count(*) FROM outcomes WHERE kind = 'pair'")[0][0]
    assert (ran.code, ran.json["stopped"], ran.json["pairs"]) == (3, "prompts_used_up", settled)
    assert f"{settled} of 1,000 pairs; add about " in ran.err
    assert compared.aimed.dataset == compared.whole.dataset
    limited = compared.aimed.folder / "limited.jsonl"
    assert pairsmith("export", compared.aimed.run_dir, "--limit", 7, "-o", limited).code == 0
    assert limited.read_bytes().splitlines() == compared.whole.dataset[0].splitlines()[:7]


def test_a_run_whose_judges_are_measured_first_takes_those_prompts_and_no_more(tmp_path: Path) -> None:
    with serving() as server:
        project = Project(tmp_path, server).prompts(everyday(60))
        project.save(pair={"min_gap": "auto"})
        said = project.run("--target-pairs", 5)

    assert (said["pairs"], said["stopped"]) == (5, None)
    assert len(project.sql("SELECT DISTINCT prompt FROM replies")) == 32


def test_prompts_that_fail_do_not_hold_a_target_up(project: Project) -> None:
    project.server.faults(content_filter=0.3)

    said = project.run("--target-pairs", 2)

    assert said["pairs"] == 2


def test_a_run_with_a_target_of_which_no_prompt_succeeds_says_so(project: Project) -> None:
    project.server.faults(content_filter=1.0)

    assert project.run("--target-pairs", 4, code=3)["stopped"] == "no_prompt_succeeded"


# --- standard input ------------------------------------------------------------------------------------


def test_standard_input_that_never_ends_is_left_when_there_are_enough_pairs_and_counts_as_far_as_it_came(
    project: Project,
) -> None:
    """Also where the folder has an older input, which was read to its end."""
    project.run("--limit", 2)
    words = project.words("--set", "prompts.path=-", "--set", "prompts.format=jsonl", "--target-pairs", 3)
    over = Event()

    def endless() -> Iterator[bytes]:
        yield b"".join(b'{"prompt": "Half of %d?"}\n' % number for number in range(300))
        over.wait(PATIENCE_S)
        assert over.is_set(), "the run waited for more input"

    ran = pairsmith(*words, stdin=Dripping(endless()))
    over.set()

    said = ran.json
    assert (ran.code, said["pairs"], said["stopped"]) == (0, 3, None)
    assert said["prompts"] == accounted(said) == 256
    assert {row["input"]["messages"][0]["content"][:8] for row in project.pairs} == {"Half of "}


# --- targets that refuse pairs ---------------------------------------------------------------------------


def test_pairs_that_a_target_cannot_take_do_not_make_the_file_shorter_where_there_are_more(project: Project) -> None:
    before = [{"role": "user", "content": "Hi."}, {"role": "assistant", "content": "Yes?"}]
    turns = [{"messages": [*before, {"role": "user", "content": f"Half of {number}?"}]} for number in range(4)]
    project.prompts([*turns, *({"prompt": f"Half of {number}?"} for number in range(10, 18))]).run()

    ran = pairsmith("export", project.run_dir, "--json", "--target", "fireworks", "--limit", 3)

    assert ran.json["rows"] == 3
    assert ran.json["left_out"]
