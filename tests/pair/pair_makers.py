"""Short ways to make evidence for the tests of pair, and hypothesis strategies for any of it."""

from __future__ import annotations

from hypothesis import strategies as st

from pairsmith.pair.gates import settle
from pairsmith.pair.settings import PairSettings
from pairsmith.pair.sides import Sides, read_sides
from pairsmith.records import (
    Completion,
    CompletionId,
    Duel,
    EndpointName,
    Flag,
    PromptId,
    RequestId,
    Score,
    Settlement,
)

P = PromptId("p")
Evidence = tuple[list[Completion], list[Score], list[Duel]]


def completion(
    ident: str,
    text: str | None = None,
    *flags: Flag,
    arm: str = "T1",
    endpoint: str | None = "student",
    marks: tuple[Flag, ...] = (),
) -> Completion:
    asked = None if endpoint is None else EndpointName(endpoint)
    text = ident if text is None else text
    return Completion(CompletionId(ident), P, text, arm, endpoint=asked, flags=flags, marks=marks)


def score(ident: str, value: float, judge: str = "j") -> Score:
    return Score(CompletionId(ident), EndpointName(judge), value, "", RequestId(f"{judge} on {ident}"))


def duel(first: str, second: str, winner: str | None, judge: str = "j") -> Duel:
    won = None if winner is None else CompletionId(winner)
    return Duel(
        CompletionId(first), CompletionId(second), won, EndpointName(judge), "", RequestId(f"{first} {second} {judge}")
    )


def scored(**means: float) -> Evidence:
    """One completion a keyword, its text its name, with one score each."""
    return [completion(ident) for ident in means], [score(ident, value) for ident, value in means.items()], []


def settled(evidence: Evidence, **settings: float) -> Settlement:
    return settle(P, *evidence, PairSettings.model_validate(settings))


IDENTS = [f"c{number}" for number in range(6)]
CLOSE_POINTS = st.sampled_from([6.0, 7.0, 8.0])
TEXTS = ["short", "a rather longer text", "a rather  longer text ", "é" * 9, "e\u0301" * 9, "x" * 40]
POINTS = st.integers(1, 10).map(float)
ORIGINS = st.sampled_from([("T1", "student"), ("T2", "student"), ("T1", "teacher"), ("given", None)])
WRITTEN = [
    "any", "one-from:student", "one-from:T2|given", "chosen-from:teacher", "rejected-from:student",
    "chosen-from:teacher, rejected-from:student", "chosen-from:student,rejected-from:teacher|given",
    "rejected-from:T1,one-from:teacher",
]  # fmt: skip
SIDES = st.sampled_from([Sides(read_sides(written), ("student", "teacher")) for written in WRITTEN])


@st.composite
def evidence(
    draw: st.DrawFn,
    points: st.SearchStrategy[float] = POINTS,
    origins: st.SearchStrategy[tuple[str, str | None]] = st.just(("T1", "student")),  # noqa: B008
) -> Evidence:
    """Any completions (some flagged, some equal), scores of up to three judges and duels in any state."""
    idents = IDENTS[: draw(st.integers(0, 6))]
    unscored = draw(st.sets(st.sampled_from(IDENTS), max_size=2))
    flags = st.sampled_from([(), (), (), (Flag.CUT_OFF,)])
    completions = []
    for ident in idents:
        arm, endpoint = draw(origins)
        text = draw(st.sampled_from(TEXTS))
        completions.append(completion(ident, text, *draw(flags), arm=arm, endpoint=endpoint))
    scores = [
        score(ident, draw(points), judge)
        for ident in (*idents, "failed")
        if ident not in unscored
        for judge in draw(st.lists(st.sampled_from(["j1", "j2", "j3"]), unique=True, min_size=1))
    ]
    return completions, scores, draw(duels(idents))


@st.composite
def duels(draw: st.DrawFn, idents: list[str]) -> list[Duel]:
    """For some couples no duel, for others one order or both, mostly of one opinion."""
    held = []
    couples = [(one, other) for one in idents for other in idents if one < other]
    for one, other in couples:
        opinion = draw(st.sampled_from([one, other, None]))
        for first, second in draw(st.sampled_from([[], [(one, other)], [(one, other), (other, one)]])):
            winner = draw(st.sampled_from([opinion, opinion, opinion, one, other, None]))
            held.append(duel(first, second, winner))
    return held


SETTINGS = st.builds(
    lambda min_gap, share, floor: PairSettings(min_gap=min_gap, verify_gap=min_gap * share, chosen_floor=floor),
    st.sampled_from([0.5, 1.0, 2.0, 3.0, 4.5]),
    st.sampled_from([0.2, 0.5, 1.0]),
    st.sampled_from([1.0, 5.0, 6.0]),
)
