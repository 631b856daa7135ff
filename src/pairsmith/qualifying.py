"""Asks judges about anchors: what is owed is paid through the ledger, so that asking again costs nothing.

What is asked, and what it comes to, is judge/qualify.py's. Called by `pairsmith qualify`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any, cast, get_args

from pairsmith.errors import Stopped
from pairsmith.judge import Panel, Structured
from pairsmith.judge.anchors import Anchor
from pairsmith.judge.qualify import Exam, exam
from pairsmith.ledger import Ledger
from pairsmith.records import ChatRequest, Endpoint, EndpointName, Outcome, PromptId, Reply, RequestId
from pairsmith.wire.money import reply_cost_usd
from pairsmith.wire.online import Engine
from pairsmith.wire.stored import read_stored

DRAIN_S = 30.0  # how long a stopping command waits for the calls in flight


@dataclass(frozen=True, slots=True)
class Examination:
    """All that some judges are asked about some anchors, and every answer so far.

    `modes` changes when an endpoint refuses the schema of its verdicts: it is asked in a simpler way from then on.
    """

    anchors: Sequence[Anchor]
    judges: Sequence[Endpoint]
    panel: Panel
    modes: dict[EndpointName, Structured]
    outcomes: Mapping[PromptId, dict[RequestId, Outcome]]
    accepted: set[EndpointName] = field(default_factory=set)

    def exam(self, anchor: Anchor, judge: Endpoint) -> Exam:
        """Where one judge stands with one anchor."""
        return exam(anchor, judge, self.panel, self.outcomes[anchor.prompt.id])

    def exams(self, judge: Endpoint) -> list[Exam]:
        """Where one judge stands with all anchors, in their order."""
        return [self.exam(anchor, judge) for anchor in self.anchors]

    def owed(self) -> dict[EndpointName, int]:
        """How many calls each judge is owed now; a reply that cannot be read owes one more."""
        return {judge.name: sum(len(exam.owed) for exam in self.exams(judge)) for judge in self.judges}


def begin(anchors: Sequence[Anchor], judges: Sequence[Endpoint], panel: Panel, ledger: Ledger) -> Examination:
    """Gather what the ledger knows already."""
    modes = {judge.name: _learnt_mode(ledger, judge, panel.structured[judge.name]) for judge in judges}
    outcomes = {
        ident: {request: read_stored(request, stored) for request, stored in ledger.stored(ident).items()}
        for ident in {anchor.prompt.id for anchor in anchors}
    }
    return Examination(anchors, judges, replace(panel, structured=modes), modes, outcomes)


async def ask(examination: Examination, ledger: Ledger, engine: Engine, answered: Callable[[], object]) -> None:
    """Pay everything that is owed; the answers stand in the examination afterwards, and in the ledger.

    Args:
        examination: see `begin`.
        ledger: the run folder's, open for writing.
        engine: pays; it is closed at the end.
        answered: called for each call that came to an end.

    Raises:
        Stopped: it ended early and can be resumed; what was answered is stored.
    """
    waiting = iter(product(examination.anchors, examination.judges))
    workers = min(engine.width, len(examination.anchors) * len(examination.judges))
    crew = [asyncio.create_task(_work(waiting, examination, ledger, engine, answered)) for _ in range(max(1, workers))]
    everything = asyncio.gather(*crew)
    stop = asyncio.create_task(engine.stopping.wait())
    first: set[asyncio.Future[Any]] = {everything, stop}
    try:
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if engine.stopped and not engine.fault:
            await asyncio.wait(crew, timeout=DRAIN_S)
    finally:
        for task in (stop, *crew):
            task.cancel()
        await asyncio.gather(everything, return_exceptions=True)
        await engine.close()
        await ledger.flush()
    if engine.fault:
        raise engine.fault
    if engine.stopped:
        raise engine.stopped
    await everything


async def _work(
    waiting: Iterator[tuple[Anchor, Endpoint]],
    examination: Examination,
    ledger: Ledger,
    engine: Engine,
    answered: Callable[[], object],
) -> None:
    """Take the next anchor and judge, ask until nothing is owed, and so on."""
    for anchor, judge in waiting:
        while owed := examination.exam(anchor, judge).owed:
            try:
                outcomes = await engine.pay(owed)
            except Stopped as exc:  # the ledger cannot be written
                engine.stop(exc)
                return
            for request, outcome in zip(owed, outcomes, strict=True):
                if outcome is None:
                    return  # stopping: the rest stays owed
                examination.outcomes[anchor.prompt.id][request.id] = outcome
                _learn_shape(examination, ledger, engine, request, outcome)
                answered()


# --- the shape of a verdict ---------------------------------------------------------------------------


def _learnt_mode(ledger: Ledger, judge: Endpoint, mode: Structured) -> Structured:
    learnt = ledger.fact(_shape_key(judge)) if judge.json_mode == "auto" else None
    return cast(Structured, learnt) if learnt in get_args(Structured) else mode


def _learn_shape(
    examination: Examination, ledger: Ledger, engine: Engine, request: ChatRequest, outcome: Outcome
) -> None:
    """A judge that refuses the verdict's schema is asked in a simpler way, here and in every run of this folder."""
    judge = examination.panel.endpoints[request.endpoint]
    if judge.json_mode != "auto":
        return
    if isinstance(outcome, Reply):
        examination.accepted.add(judge.name)
    elif outcome.parameter == "response_format" and judge.name not in examination.accepted:
        asked, simpler = _shapes(request)
        if simpler is not None and asked == examination.modes[judge.name]:
            examination.modes[judge.name] = simpler
            ledger.learn(_shape_key(judge), simpler)
            engine.say(f"endpoint {judge.name} refuses its verdicts' schema: asking for {simpler} instead")


def _shape_key(judge: Endpoint) -> str:
    return f"verdict shape {judge.identity}"  # the fact that runs of this folder read too


def _shapes(request: ChatRequest) -> tuple[Structured, Structured | None]:
    """How this request asks for its verdict's shape, and the next simpler way; None below plain text."""
    shape = request.body.get("response_format")
    if not isinstance(shape, dict):
        return "text", None
    return ("json_schema", "json_object") if shape.get("type") == "json_schema" else ("json_object", "text")


# --- what it cost -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cost:
    """What the replies of one judge cost, whenever they were paid; `usd` None: a price or a count is unknown."""

    calls: int
    input_tokens: int
    output_tokens: int
    usd: float | None
    simulated: bool


def cost(judge: Endpoint, exams: Sequence[Exam]) -> Cost:
    """Add up everything that one judge answered."""
    replies = [reply for exam in exams for reply in exam.replies]
    paid = [reply_cost_usd(judge, reply) for reply in replies]
    known = [usd for usd in paid if usd is not None]
    return Cost(
        calls=len(replies),
        input_tokens=sum(reply.usage.input_tokens or 0 for reply in replies),
        output_tokens=sum(reply.usage.output_tokens or 0 for reply in replies),
        usd=sum(known) if len(known) == len(paid) and judge.price is not None else None,
        simulated=any(reply.simulated for reply in replies),
    )
