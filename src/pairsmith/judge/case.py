"""What the protocols share: the case of one prompt, and the evidence on it so far. Called by panel.py's parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from pairsmith.judge.asking import JudgeWords, Standing, Structured
from pairsmith.judge.escalate import Gates
from pairsmith.judge.settings import CHECK, JudgeSettings
from pairsmith.judge.verdicts import FamilyVerdict
from pairsmith.records import (
    ChatRequest,
    Completion,
    CompletionId,
    Duel,
    Endpoint,
    EndpointName,
    Noise,
    Outcome,
    Prompt,
    Ranking,
    RequestId,
    Score,
    Settlement,
)

# The points (1-10) of a user's own function for these completions; it has nothing to say where there are none.
Check: TypeAlias = Callable[[Prompt, Sequence[Completion]], Mapping[CompletionId, float]]
Settle: TypeAlias = Callable[[Sequence[Score], Sequence[Duel]], Settlement]
# First questions that were rendered before, for one prompt; what is sent is still the pure function of its key.
Asked: TypeAlias = "dict[tuple[CompletionId, EndpointName, Structured], ChatRequest]"
OPEN_GATES = Gates(0.0, 0.0)
UNKNOWN = Noise()


@dataclass(frozen=True, slots=True)
class Panel:
    """Who judges and by which words: the same for every prompt of a run.

    `structured` says for each judge how the verdict's shape is asked for; it is part of the request, so a
    change of it asks anew. `noise` is what this run measured of its judges: None while that is not known yet.
    """

    endpoints: Mapping[EndpointName, Endpoint]
    words: JudgeWords
    settings: JudgeSettings
    structured: Mapping[EndpointName, Structured]
    seed: int = 0
    checks: Mapping[EndpointName, Check] = field(default_factory=dict)
    gates: Gates = OPEN_GATES
    noise: Noise | None = UNKNOWN

    @property
    def judges(self) -> tuple[Endpoint, ...]:
        """The rungs of settings.panel, in its order; a check is an endpoint that nothing is sent to."""
        return tuple(_check(name) if name.startswith(CHECK) else self.endpoints[name] for name in self.settings.panel)

    @property
    def chat_judges(self) -> tuple[Endpoint, ...]:
        """Those that can compare, rank and write."""
        return tuple(judge for judge in self.judges if judge.kind == "chat")


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked about: the judged completions of ONE prompt, by id and in the order of their ids.

    `measuring`: its verdicts are to show how the judges err, so that whoever can say something is asked. `placing`: the
    question after its task family; None: nobody is asked that.
    """

    prompt: Prompt
    completions: Mapping[CompletionId, Completion]
    outcomes: Mapping[RequestId, Outcome]
    panel: Panel
    asked: Asked
    measuring: bool = False
    placing: Standing[FamilyVerdict] | None = None

    @property
    def noise(self) -> Noise:
        """What is known of the judges, which may be nothing."""
        return self.panel.noise or UNKNOWN


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known: the verdicts, and where every question stands that has been asked."""

    scores: tuple[Score, ...] = ()
    again: tuple[Score, ...] = ()  # second scores by the same judge: they show its noise and decide nothing
    duels: tuple[Duel, ...] = ()
    rankings: tuple[Ranking, ...] = ()
    final: tuple[Duel, ...] = ()  # of the last two that were compared in both orders
    standings: tuple[Standing[Any], ...] = ()
    waits: bool = False  # for what this run will know of its judges

    @property
    def open(self) -> bool:
        """Whether a verdict may still come."""
        return self.waits or any(standing.open for standing in self.standings)


def unplaced(case: Case, evidence: Evidence) -> Evidence | None:
    """The evidence while the family that picks the next question's words is owed; None: it is there, or none is asked.

    Asked by whoever is about to put a chat model's question: a prompt that needs none needs no family.
    """
    stands = case.placing
    if stands is None or not stands.open:
        return None
    return replace(evidence, standings=(*evidence.standings, stands))


def rung_name(named: str) -> EndpointName:
    """What a judge goes by that the panel names so: a check by the name of its file, not by where that stands."""
    spec = named.removeprefix(CHECK)
    return EndpointName(named if spec == named else CHECK + spec.rsplit("/", 1)[-1])


def _check(spec: str) -> Endpoint:
    """A check as a rung."""
    name = rung_name(spec)
    return Endpoint(name, "", (), name, kind="check")
