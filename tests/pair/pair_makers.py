"""Short ways to make evidence for the tests of pair, and hypothesis strategies for any of it."""

from __future__ import annotations

from itertools import combinations

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


# Made once: a strategy that is made anew for every draw takes longer than the draw.
IN_USE = st.integers(0, len(IDENTS)).map(lambda count: IDENTS[:count])
UNSCORED = st.sampled_from([(), *((one,) for one in IDENTS), *combinations(IDENTS, 2)]).map(set)
SOME_FLAGS = st.sampled_from([(), (), (), (Flag.CUT_OFF,)])
SOME_TEXT = st.sampled_from(TEXTS)
JUDGES = st.sampled_from([some for count in (1, 2, 3) for some in combinations(["j1", "j2", "j3"], count)])
STUDENT = st.just(("T1", "student"))
# Of one couple: the order (0: as named, 1: the other way round) and the winner (0, 1, or None) of each of its duels.
# Half of the couples that were compared twice have both orders agree.
Held = tuple[tuple[int, int | None], ...]
WINNERS: tuple[int | None, ...] = (0, 1, None)
AGREED: list[Held] = [((0, winner), (1, winner)) for winner in WINNERS] * 3
DUELLED = st.sampled_from(
    [(), (), (), *(((0, winner),) for winner in WINNERS), *AGREED]
    + [((0, first), (1, second)) for first in WINNERS for second in WINNERS]
)


@st.composite
def evidence(
    draw: st.DrawFn,
    points: st.SearchStrategy[float] = POINTS,
    origins: st.SearchStrategy[tuple[str, str | None]] = STUDENT,
) -> Evidence:
    """Any completions (some flagged, some equal), scores of up to three judges and duels in any state."""
    idents, unscored = draw(IN_USE), draw(UNSCORED)
    completions = []
    for ident in idents:
        arm, endpoint = draw(origins)
        completions.append(completion(ident, draw(SOME_TEXT), *draw(SOME_FLAGS), arm=arm, endpoint=endpoint))
    scores = [
        score(ident, draw(points), judge)
        for ident in (*idents, "failed")
        if ident not in unscored
        for judge in draw(JUDGES)
    ]
    return completions, scores, draw(duels(idents))


@st.composite
def duels(draw: st.DrawFn, idents: list[str]) -> list[Duel]:
    """For some couples no duel, for others one order or both, mostly of one opinion."""
    return [
        duel(*couple[:: -1 if order else 1], None if winner is None else couple[winner])
        for couple in combinations(idents, 2)
        for order, winner in draw(DUELLED)
    ]


SETTINGS = st.builds(
    lambda min_gap, share, floor: PairSettings(min_gap=min_gap, verify_gap=min_gap * share, chosen_floor=floor),
    st.sampled_from([0.5, 1.0, 2.0, 3.0, 4.5]),
    st.sampled_from([0.2, 0.5, 1.0]),
    st.sampled_from([1.0, 5.0, 6.0]),
)
