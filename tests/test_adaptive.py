"""completions = { start, max }: one draw more only for a prompt without a pair, whatever the order of the answers."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from typing import Any

import orjson
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from cli_runs import Project, bought, everyday
from pairsmith.recipe import endpoints, recipe_of
from pairsmith.records import (
    Candidate,
    ChatRequest,
    CompletionId,
    Failure,
    FailureKind,
    Flag,
    Outcome,
    Prompt,
    Purpose,
    Reply,
    RequestId,
    content_id,
    prompt_id,
)
from pairsmith.steps import Step, begin, step
from pairsmith.work import Work, make_work

# --- a world of answers -----------------------------------------------------------------------------

TEXTS = ["Yes.", "Yes. ", "No.", "No.\n", "Perhaps, but who knows.", "", "I'm sorry, but I can't help with that."]
RANGES = [(2, 2), (2, 5), (3, 6)]
PANELS = [("first",), ("first", "second")]


@cache
def work_of(completions: int | tuple[int, int], panel: tuple[str, ...] = ("first",)) -> Work:
    drawn = completions if isinstance(completions, int) else dict(zip(("start", "max"), completions, strict=True))
    named = ("student", "first", "second")
    table: dict[str, Any] = {
        "name": "adaptive",
        "prompts": {"path": "prompts.jsonl"},
        "endpoints": {name: {"model": name, "base_url": "http://localhost:1/v1"} for name in named},
        "sample": {"endpoints": ["student"], "completions": drawn, "temperature": [0.2, 0.7, 1.2]},
        "judge": {"panel": list(panel), "escalate": "distance"},
    }
    recipe = recipe_of(table, "the test")
    return make_work(recipe, endpoints(recipe, {}))


def asked_of(number: int, candidates: list[str]) -> Prompt:
    messages = ({"role": "user", "content": f"Question {number}?"},)
    given_ones = tuple(Candidate(text) for text in candidates)
    return Prompt(prompt_id(messages, (), None, None), messages, candidates=given_ones)  # type: ignore[arg-type]


@dataclass
class World:
    """Gives each request the one answer that it will ever get."""

    number: int
    unique: bool = False  # no two sampled texts are equal
    asked: list[ChatRequest] = field(default_factory=list)

    def answer(self, request: ChatRequest) -> Outcome:
        self.asked.append(request)
        dice = random.Random(content_id("answer", self.number, request.id))
        if dice.random() < 0.1:
            return Failure(request.id, FailureKind.PERMANENT, "content_filter")
        return Reply(request.id, getattr(self, f"_{request.purpose}")(request, dice))

    def _sample(self, request: ChatRequest, dice: random.Random) -> str:
        return f"An answer: {request.id}." if self.unique else dice.choice(TEXTS)

    def _score(self, request: ChatRequest, dice: random.Random) -> str:
        points = dice.choice([4, 6, 6, 6, 7, 7, 8])
        return "Hm." if dice.random() < 0.1 else orjson.dumps({"rationale": "", "score": points}).decode()

    def _duel(self, request: ChatRequest, dice: random.Random) -> str:
        return orjson.dumps({"rationale": "", "winner": dice.choice(["A", "B", "tie"])}).decode()

    @property
    def draws(self) -> list[RequestId]:
        return [request.id for request in self.asked if request.purpose is Purpose.SAMPLE]


def ended(prompt: Prompt, work: Work, world: World, order: random.Random | None = None) -> tuple[Step, list[Step]]:
    """Pay until nothing is owed: all at once; or some of it at a time, now and then with nothing but what is stored."""
    outcomes: dict[RequestId, Outcome] = {}
    known, steps = begin(prompt, work), []
    while (now := step(prompt, known, outcomes, work)).owed:
        steps.append(now)
        paid = list(now.owed)
        if order is not None:
            paid = order.sample(paid, order.randint(1, len(paid)))
            known = begin(prompt, work) if order.random() < 0.3 else known
        assert not outcomes.keys() & {request.id for request in paid}
        outcomes |= {request.id: world.answer(request) for request in paid}
    return now, [*steps, now]


WORLDS = st.integers(0, 2**32)
GIVEN = st.lists(st.sampled_from(TEXTS[:5]), max_size=2, unique=True)


@settings(deadline=None, max_examples=60)
@given(WORLDS, st.sampled_from(RANGES), st.sampled_from(PANELS), GIVEN, st.integers(0, 2**32))
def test_incident_2_in_whichever_order_answers_arrive_the_draws_and_the_end_are_the_same(
    number: int, drawn: tuple[int, int], panel: tuple[str, ...], candidates: list[str], shuffled: int
) -> None:
    prompt, work = asked_of(number, candidates), work_of(drawn, panel)
    at_once, bit_by_bit = World(number), World(number)

    end, _ = ended(prompt, work, at_once)
    other, _ = ended(prompt, work, bit_by_bit, random.Random(shuffled))

    event(f"{len(at_once.draws)} of {drawn}: {end.kind}")
    assert other == end
    assert set(bit_by_bit.draws) == set(at_once.draws)
    assert {request.id for request in bit_by_bit.asked} == {request.id for request in at_once.asked}


@settings(deadline=None, max_examples=60)
@given(WORLDS, st.sampled_from(RANGES), st.sampled_from(PANELS), GIVEN)
def test_a_pair_rests_on_every_draw_and_a_further_one_takes_no_place_of_an_earlier_one(
    number: int, drawn: tuple[int, int], panel: tuple[str, ...], candidates: list[str]
) -> None:
    world, work = World(number), work_of(drawn, panel)

    end, steps = ended(asked_of(number, candidates), work, world)

    least, most = drawn
    assert len(world.draws) == most if end.kind != "pair" else least <= len(world.draws) <= most
    failed = [ident for ident in world.draws if isinstance(world_answer(number, ident), Failure)]
    sampled = {one.id for one in end.completions if one.arm != "given"}
    assert sampled == {CompletionId(ident) for ident in world.draws if ident not in failed}
    usable = [{one.id for one in now.completions if not one.flags} for now in steps]
    assert all(before <= after for before, after in pairwise(usable))


def world_answer(number: int, ident: RequestId) -> Outcome:
    request = ChatRequest(ident, asked_of(number, []).id, Purpose.SAMPLE, "student", {}, 0)  # type: ignore[arg-type]
    return World(number).answer(request)


@settings(deadline=None, max_examples=40)
@given(WORLDS, st.sampled_from(RANGES))
def test_it_comes_to_what_the_smallest_number_of_completions_that_gives_a_pair_comes_to(
    number: int, drawn: tuple[int, int]
) -> None:
    prompt, world = asked_of(number, []), World(number, unique=True)

    end, _ = ended(prompt, work_of(drawn), world)

    fixed = {n: ended(prompt, work_of(n), World(number, unique=True))[0] for n in range(drawn[0], len(world.draws) + 1)}
    assert fixed.pop(len(world.draws)) == end
    assert all(one.kind != "pair" for one in fixed.values())


def test_a_number_and_a_range_of_one_number_are_the_same() -> None:
    for number in range(20):
        prompt = asked_of(number, [])

        assert ended(prompt, work_of((4, 4)), World(number))[0] == ended(prompt, work_of(4), World(number))[0]


# --- one prompt -------------------------------------------------------------------------------------


class Told(World):
    """Answers are listed: a text or a failure for each draw in turn, points by text."""

    def __init__(self, draws: list[str | Failure], points: dict[str, int]) -> None:
        super().__init__(0)
        self.listed, self.points = draws, points

    def answer(self, request: ChatRequest) -> Outcome:
        self.asked.append(request)
        if request.purpose is Purpose.SAMPLE:
            said = self.listed[len(self.draws) - 1]
            return Reply(request.id, said) if isinstance(said, str) else said
        shown = str(request.body["messages"])
        points = next(value for text, value in self.points.items() if text in shown)
        return Reply(request.id, orjson.dumps({"rationale": "", "score": points}).decode())

    def judged(self) -> int:
        return sum(request.purpose is Purpose.SCORE for request in self.asked)


def lost(reason: str = "content_filter", kind: FailureKind = FailureKind.PERMANENT) -> Failure:
    return Failure(RequestId("r"), kind, reason)


POINTS = {"the best": 9, "fair": 7, "fine": 7, "poor": 3}


@pytest.mark.parametrize(
    ("draws", "made", "came_to"),
    [
        (["the best", "poor"], 2, "pair"),
        (["fair", "fine", "poor"], 3, "pair"),
        (["fair", "fine", "fine ", "fair\n", "poor"], 5, "pair"),
        (["fair", "fine", "fair ", "fine ", " fine"], 5, "tie"),
        ([lost(), lost(), "the best", "poor"], 4, "pair"),
        (["fair", lost(), lost(), lost(), "poor"], 5, "pair"),
        (["fair"] * 5, 5, "too_few_completions"),
        (["", lost("context_length"), "", "", ""], 5, "context_length"),
    ],
)
def test_draws_go_on_until_there_is_a_pair(draws: list[str | Failure], made: int, came_to: str) -> None:
    world = Told(draws, POINTS)

    end, _ = ended(asked_of(0, []), work_of((2, 5)), world)

    assert (len(world.draws), end.reason or end.kind) == (made, came_to)


def test_a_failure_that_another_run_may_mend_stops_the_draws_as_it_always_did() -> None:
    world = Told(["fair", lost("timeout", FailureKind.TRANSIENT)], POINTS)

    end, _ = ended(asked_of(0, []), work_of((2, 5)), world)

    assert (end.kind, end.reason, end.final, len(world.draws)) == ("failed", "timeout", False, 2)


def test_a_further_draw_that_says_the_same_is_the_duplicate_and_is_not_judged() -> None:
    world = Told(["fair", "fine", "fair ", "fine\n", " fair"], POINTS)

    end, _ = ended(asked_of(0, []), work_of((2, 5)), world)

    assert [one.flags for one in end.completions] == [(), (), *[(Flag.DUPLICATE,)] * 3]
    assert world.judged() == 2


def test_what_was_given_comes_before_every_further_draw() -> None:
    world = Told(["fair", "fine", "the best "], {**POINTS, "the best": 8})

    end, _ = ended(asked_of(0, ["the best", "fair"]), work_of((2, 3)), world)

    by_text = {one.text: one for one in end.completions}
    assert (by_text["the best"].flags, by_text["the best "].flags) == ((), (Flag.DUPLICATE,))


def test_while_judges_are_measured_nothing_is_drawn_beyond_the_first() -> None:
    prompt, work = asked_of(0, []), work_of((2, 5))
    known = begin(prompt, work)
    outcomes: dict[RequestId, Outcome] = {request.id: lost() for request in step(prompt, known, {}, work).owed}

    now = step(prompt, known, outcomes, work, measuring=True)

    assert (now.owed, now.kind) == ((), "")
    assert now.measured is not None
    assert now.measured.scores == ()


# --- whole runs -------------------------------------------------------------------------------------

RANGE = "sample.completions={start=2,max=6}"


def test_a_run_draws_more_only_where_there_is_no_pair_and_a_second_one_asks_nothing(project: Project) -> None:
    said = project.run("--set", RANGE)
    before, calls = project.dataset, project.server.calls

    again = project.run("--set", RANGE)

    drawn = dict(project.sql("SELECT p.id, o.completions FROM outcomes o JOIN prompts p ON p.id = o.prompt"))
    pairs = {prompt for (prompt,) in project.sql("SELECT prompt FROM outcomes WHERE kind = 'pair'")}
    assert said["settled"] > 0
    assert bought(said, "student") == sum(drawn.values())
    assert {count for prompt, count in drawn.items() if prompt not in pairs} <= {6}
    assert max(project.server.keys.values()) == 1
    assert (project.server.calls, again["calls"], project.dataset) == (calls, {}, before)


def test_what_a_run_with_more_completions_left_is_used_before_any_is_bought(project: Project) -> None:
    project.run("--set", "sample.completions=6")
    project.server.forget()

    said = project.run("--set", RANGE)

    assert bought(said, "student") == 0


def test_a_range_goes_on_from_the_number_that_was_drawn_before(project: Project) -> None:
    before = project.run("--set", "sample.completions=2")

    said = project.run("--set", RANGE)

    assert bought(said, "student") <= 4 * (12 - before["settled"])
    assert said["settled"] > before["settled"]


def test_a_run_that_stops_in_the_middle_comes_to_the_same_dataset(project: Project, tmp_path: Any) -> None:
    twin = Project(tmp_path / "twin", project.server).prompts(everyday(12))
    twin.run("--set", RANGE)
    bought_by_twin = set(project.server.keys)
    project.server.forget()
    prices = ["--set", "endpoints.student.price={input=0,output=1000}"]
    prices += ["--set", "endpoints.judge.price={input=0,output=1000}"]

    stopped = project.run("--set", RANGE, *prices, "--max-cost", "3", code=3)
    done = project.run("--set", RANGE)

    assert stopped["not_reached"] > 0
    assert done["not_reached"] == 0
    assert project.dataset == twin.dataset
    assert set(project.server.keys) == bought_by_twin


@pytest.mark.parametrize("protocol", ["rank", "duel"])
def test_a_protocol_that_compares_all_at_once_takes_one_number(project: Project, protocol: str) -> None:
    sentence = project.fails("--set", RANGE, "--set", f"judge.protocol={protocol}")

    assert sentence.endswith(
        f"protocol = {protocol} compares them all at once: use protocol = score, or give one number"
    )
    assert project.server.calls == 0
