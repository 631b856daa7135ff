"""How much the judges err is found out once, from the first prompts, and kept: alone, and in whole runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from cli_runs import Project, accounted, bought, everyday, pairsmith, serving
from pairsmith import measuring
from pairsmith.errors import UserError
from pairsmith.judge.noise import PROMPTS, Measured
from pairsmith.ledger import Ledger, Settled, open_ledger
from pairsmith.measuring import Measuring
from pairsmith.recipe import endpoints, recipe_of
from pairsmith.records import (
    CompletionId,
    EndpointName,
    JudgeNoise,
    Noise,
    Prompt,
    RequestId,
    Score,
    prompt_id,
)
from pairsmith.work import Work, make_work, measured

PANEL = ("a", "b")
HELD = Settled("pair", None, True, 4, 4, {})


def work_of(panel: tuple[str, ...] = PANEL, **pair: Any) -> Work:
    table = {
        "name": "test",
        "prompts": {"path": "prompts.jsonl"},
        "endpoints": {name: {"model": f"{name}-1", "base_url": "http://judge/v1"} for name in ("a", "b", "c")},
        "judge": {"panel": list(panel)},
        "pair": pair,
    }
    recipe = recipe_of(table, "test")
    return make_work(recipe, endpoints(recipe, {}))


def prompt(number: int) -> Prompt:
    messages = ({"role": "user", "content": f"Question {number}?"},)
    return Prompt(prompt_id(messages, (), None, None), messages, ordinal=number)  # type: ignore[arg-type]


def said(number: int, panel: tuple[str, ...] = PANEL) -> Measured:
    """What was seen of a prompt: four completions, the judges a little apart."""
    scores = [
        Score(CompletionId(f"{number} {place}"), EndpointName(judge), 3.0 + place + apart, "", RequestId(f"{judge}"))
        for apart, judge in enumerate(panel)
        for place in range(4)
    ]
    return Measured(tuple(scores))


def used(folder: Path, story: Callable[[Ledger], Coroutine[Any, Any, Any]]) -> Any:
    """Open the ledger, live through the story, close it."""

    async def whole() -> Any:
        ledger = open_ledger(folder / "ledger.sqlite3", lambda: 1.0, create=True)
        try:
            return await story(ledger)
        finally:
            await ledger.close()

    return asyncio.run(whole())


class Told:
    """Hears what was found."""

    def __init__(self) -> None:
        self.heard: list[Noise] = []

    def __call__(self, noise: Noise) -> None:
        self.heard.append(noise)


async def measure(work: Work, ledger: Ledger, prompts: int, tell: Callable[[Noise], None] = Told()) -> Measuring:  # noqa: B008
    """A run over so many prompts, all of which are measured; the input then ends."""
    one = Measuring(work, ledger, tell)
    for number in range(prompts):
        if one.takes(prompt(number)):
            one.begin()
            one.end(prompt(number), said(number), keep=True)
    one.input_ended()
    await ledger.flush()
    return one


# --- the first prompts ------------------------------------------------------------------------------


def test_the_first_prompts_are_measured_and_no_others(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> list[bool]:
        one = Measuring(work_of(), ledger, Told())
        return [one.takes(prompt(number)) for number in (0, PROMPTS - 1, PROMPTS, 1000)]

    assert used(tmp_path, story) == [True, True, False, False]


@pytest.mark.parametrize(
    "work", [work_of(("a",)), work_of(("a", "b")), work_of(("a",), min_gap="auto")], ids=["one", "two", "auto"]
)
def test_nothing_is_measured_where_nothing_depends_on_it(tmp_path: Path, work: Work) -> None:
    async def story(ledger: Ledger) -> bool:
        return Measuring(work, ledger, Told()).over.is_set()

    assert used(tmp_path, story) is (work.panel.noise is not None)


def test_what_is_set_aside_comes_back_once_the_last_of_them_is_measured(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> tuple[list[Prompt | None], list[Prompt | None]]:
        one, before = Measuring(work_of(), ledger, Told()), []
        for number in range(PROMPTS):
            before.append(one.next_kept())
            one.begin()
            one.end(prompt(number), said(number), keep=number != 5)
        return before, [one.next_kept() for _ in range(PROMPTS)]

    before, after = used(tmp_path, story)

    assert before == [None] * PROMPTS
    assert after == [*(prompt(number) for number in range(PROMPTS) if number != 5), None]


def test_what_was_found_is_told_once_and_nothing_is_measured_any_more(tmp_path: Path) -> None:
    told = Told()

    async def story(ledger: Ledger) -> Measuring:
        return await measure(work_of(), ledger, PROMPTS + 20, told)

    one = used(tmp_path, story)

    assert [(noise.prompts, noise.verdicts) for noise in told.heard] == [(PROMPTS, PROMPTS * 8)]
    assert one.over.is_set()
    assert not one.takes(prompt(0))


def test_an_input_of_fewer_prompts_has_to_do(tmp_path: Path) -> None:
    told = Told()

    used(tmp_path, lambda ledger: measure(work_of(), ledger, 8, told))

    assert [noise.prompts for noise in told.heard] == [8]


def test_an_input_that_ends_waits_for_those_still_in_work(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> list[bool]:
        one, seen = Measuring(work_of(), ledger, Told()), []
        one.begin()
        one.begin()
        one.input_ended()
        for number in range(2):
            seen.append(one.over.is_set())
            one.end(prompt(number), said(number), keep=True)
        return [*seen, one.over.is_set()]

    assert used(tmp_path, story) == [False, False, True]


def test_a_prompt_that_says_nothing_is_counted_among_the_first(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> bool:
        one = Measuring(work_of(), ledger, Told())
        for number in range(PROMPTS):
            one.begin()
            one.end(prompt(number), None if number % 2 else said(number), keep=not number % 2)
        return one.over.is_set()

    assert used(tmp_path, story)


def test_prompts_that_end_in_another_order_give_the_same(tmp_path: Path) -> None:
    told = Told()

    async def story(ledger: Ledger) -> None:
        for numbers in (range(PROMPTS), reversed(range(PROMPTS))):
            one = Measuring(work_of(), ledger, told)
            for number in numbers:
                one.begin()
                one.end(prompt(number), said(number), keep=True)

    used(tmp_path, story)

    assert told.heard[0] == told.heard[1]


def test_a_run_that_stops_keeps_nobody_waiting_and_finds_nothing(tmp_path: Path) -> None:
    told = Told()

    async def story(ledger: Ledger) -> str | None:
        one, work = Measuring(work_of(), ledger, told), work_of()
        one.begin()
        one.release()
        await one.over.wait()
        one.end(prompt(0), said(0), keep=True)
        one.input_ended()
        await ledger.flush()
        return ledger.fact(f"noise {work.judges_digest}")

    assert used(tmp_path, story) is None
    assert told.heard == []


def test_a_prompt_that_cannot_be_measured_keeps_nobody_waiting_and_leaves_the_measure_open(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> tuple[bool, Noise | None]:
        one = Measuring(work_of(), ledger, Told())
        for number in range(PROMPTS):
            one.begin()
            if number == 3:
                one.leave(prompt(number))
            else:
                one.end(prompt(number), said(number), keep=True)
        await ledger.flush()
        return one.over.is_set(), (await measuring.begin(work_of(), ledger)).panel.noise

    assert used(tmp_path, story) == (True, None)


# --- kept ---------------------------------------------------------------------------------------------


def test_what_was_found_is_stored_and_used_again_to_the_last_bit(tmp_path: Path) -> None:
    told = Told()

    async def story(ledger: Ledger) -> Noise | None:
        await measure(work_of(), ledger, PROMPTS, told)
        return (await measuring.begin(work_of(), ledger)).panel.noise

    again = used(tmp_path, story)

    assert [again] == told.heard
    assert list(again.judges) == list(told.heard[0].judges)


def test_it_is_used_in_a_later_process_too(tmp_path: Path) -> None:
    told = Told()
    used(tmp_path, lambda ledger: measure(work_of(), ledger, PROMPTS, told))

    async def later(ledger: Ledger) -> Noise | None:
        return measuring.known(work_of(), ledger).panel.noise

    assert used(tmp_path, later) == told.heard[0]


def test_an_input_that_has_grown_is_measured_anew(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> list[Noise | None]:
        await measure(work_of(), ledger, 8)
        short, settled = await measuring.begin(work_of(), ledger), measuring.known(work_of(), ledger)
        await measure(short, ledger, PROMPTS)
        return [one.panel.noise for one in (short, settled, await measuring.begin(work_of(), ledger))]

    short, settled, grown = used(tmp_path, story)

    assert short is None
    assert (settled.prompts, grown.prompts) == (8, PROMPTS)


async def kinds(ledger: Ledger, work: Work) -> list[str]:
    """What stands settled under a work; one prompt is in the ledger."""
    return [settled.kind for _, settled in ledger.outcomes(work.digest)]


async def settle_one(ledger: Ledger, work: Work) -> None:
    await ledger.new_generation()
    await ledger.add_prompts([prompt(0)], lambda one, other: one)
    await ledger.input_complete(0, 0)
    await ledger.settle(prompt(0).id, work.digest, HELD)


def test_nothing_settled_stays_while_it_is_not_known(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> list[list[str]]:
        work, seen = work_of(), []
        await settle_one(ledger, work)
        seen.append(await kinds(ledger, work))
        await measuring.begin(work, ledger)
        await ledger.flush()
        return [*seen, await kinds(ledger, work)]

    assert used(tmp_path, story) == [["pair"], []]


def test_what_was_settled_by_the_whole_measure_stays(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> list[str]:
        work = work_of()
        await measuring.begin(work, ledger)
        await measure(work, ledger, PROMPTS)
        await settle_one(ledger, work)
        await measuring.begin(work, ledger)
        await ledger.flush()
        return await kinds(ledger, work)

    assert used(tmp_path, story) == ["pair"]


def test_what_another_recipe_settled_by_an_earlier_measure_is_settled_anew(tmp_path: Path) -> None:
    """The same judges, another gate: the measure is shared, and may have changed since."""

    async def story(ledger: Ledger) -> list[str]:
        low, high = work_of(min_gap=2.0), work_of(min_gap=3.0)
        await measuring.begin(low, ledger)
        await measure(low, ledger, 8)
        await settle_one(ledger, low)
        await measuring.begin(high, ledger)
        await measure(high, ledger, PROMPTS)
        await measuring.begin(low, ledger)
        await ledger.flush()
        return await kinds(ledger, low)

    assert used(tmp_path, story) == []


def test_another_gate_uses_the_same_measure_and_another_panel_does_not(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> list[bool]:
        await measure(work_of(), ledger, PROMPTS)
        others = [work_of(min_gap=2.0, chosen_floor=7.0), work_of(("a", "c")), work_of(("b", "a"))]
        return [(await measuring.begin(other, ledger)).panel.noise is not None for other in others]

    assert used(tmp_path, story) == [True, False, False]


def test_too_few_verdicts_are_stored_as_such(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> Noise | None:
        await measure(work_of(), ledger, 3)
        return measuring.known(work_of(), ledger).panel.noise

    assert used(tmp_path, story) == Noise()


# --- what is decided by it ----------------------------------------------------------------------------


def rm_work(tmp_path: Path, panel: list[str], **pair: Any) -> Work:
    rules = tmp_path / "rules.py"
    rules.write_text("def score(prompt, answer):\n    return None\n")
    table = {
        "name": "test",
        "prompts": {"path": "prompts.jsonl"},
        "endpoints": {
            "rm": {"model": "rm-1", "base_url": "http://rm/v1", "kind": "reward"},
            "teacher": {"model": "t-1", "base_url": "http://judge/v1"},
        },
        "judge": {"panel": [one.replace("check:rules.py", f"check:{rules}") for one in panel]},
        "pair": pair,
    }
    recipe = recipe_of(table, "test")
    return make_work(recipe, endpoints(recipe, {}))


@pytest.mark.parametrize("variance", [0.01, 1.0, 4.0])
@pytest.mark.parametrize("panel", [["rm"], ["check:rules.py:score"]])
def test_a_panel_that_cannot_compare_never_leaves_a_close_call(
    tmp_path: Path, panel: list[str], variance: float
) -> None:
    work = rm_work(tmp_path, panel, min_gap="auto")

    found = measured(work, Noise({work.panel.judges[0].name: JudgeNoise(variance)}, 2.0, 32, 400))

    assert found.pair.verify_gap == found.pair.least_gap
    assert found.panel.gates.verify_gap == found.pair.least_gap


def test_two_checks_that_would_go_by_one_name_are_refused(tmp_path: Path) -> None:
    specs = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "rules.py").write_text("def score(prompt, answer):\n    return 5\n")
        specs.append(f"check:{tmp_path}/{folder}/rules.py:score")

    with pytest.raises(UserError, match="go by one name"):
        rm_work(tmp_path / "one", specs)


# --- whole runs ---------------------------------------------------------------------------------------

LADDER = {"panel": ["judge", "strong"]}


@pytest.fixture
def ladder(project: Project) -> Project:
    """40 prompts and a ladder of two judges."""
    url = project.server.url
    judges = {
        "judge": {"model": "sim-judge-middle", "base_url": url},
        "strong": {"model": "sim-judge", "base_url": url},
    }
    project.prompts(everyday(40)).save(endpoints={**project.table["endpoints"], **judges}, judge=LADDER)
    return project


def test_a_run_says_what_it_found_and_a_second_one_buys_nothing_and_gives_the_same(ladder: Project) -> None:
    first = pairsmith(*[word for word in ladder.words() if word != "--quiet"])
    dataset = ladder.dataset
    second = ladder.run()

    assert "judges err by so many points a verdict: judge" in first.err
    assert (second["calls"], accounted(second)) == ({}, 40)
    assert ladder.dataset == dataset
    assert max(ladder.server.keys.values()) == 1


def test_a_run_in_two_parts_gives_the_same_as_one_in_a_single_go(ladder: Project) -> None:
    ladder.run()
    whole, calls = ladder.dataset, len(ladder.server.keys)
    ladder.server.forget()
    ladder.run_dir = ladder.folder / "again"

    ladder.run("--limit", 10)
    ladder.run()

    assert ladder.dataset == whole
    assert len(ladder.server.keys) >= calls
    assert max(ladder.server.keys.values()) == 1


def test_a_run_with_min_gap_auto_names_the_gap(ladder: Project) -> None:
    ran = pairsmith(*[word for word in ladder.words("--set", "pair.min_gap=auto") if word != "--quiet"])

    assert ran.code == 0
    assert "min_gap = auto is " in ran.err


def test_judging_what_was_never_sampled_comes_to_an_end(ladder: Project) -> None:
    ladder.run("--limit", 3)
    words = ["judge", ladder.recipe, "--run-dir", ladder.run_dir, "--json", "--quiet"]

    ran = pairsmith(*words)

    assert ran.code in (0, 3), ran.err
    assert bought(ran.json, "student") == 0


def test_a_run_whose_only_judge_is_a_function_needs_no_endpoint_for_given_answers(project: Project) -> None:
    (project.folder / "rules.py").write_text("def score(prompt, answer):\n    return min(10, max(1, len(answer)))\n")
    rows = [{"prompt": f"Question {number}?", "candidates": ["no", "certainly"]} for number in range(5)]
    project.prompts(rows).save(sample=None, judge={"panel": ["check:rules.py:score"]})

    said_ = project.run()

    assert (said_["pairs"], said_["calls"]) == (5, {})
    assert {row["preferred_output"][0]["content"] for row in project.pairs} == {"certainly"}


@pytest.mark.parametrize("protocol", ["score", "rank", "duel"])
def test_a_server_that_refuses_the_shape_of_verdicts_is_asked_otherwise_also_behind_a_written_reference(
    tmp_path: Path, protocol: str
) -> None:
    with serving(like="llama-cpp") as server:
        project = Project(tmp_path, server).prompts(everyday(4))
        project.save(judge={"panel": ["judge"], "reference": "write", "protocol": protocol})

        said_ = project.run()

    assert said_["failed"] == {}
    assert not {"too_few_scored", "no_verdict"} & said_["abstained"].keys()
    assert said_["verdicts"] >= 4
