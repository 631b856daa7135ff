"""Asks judges about anchors: what is owed is paid through the ledger, so that asking again costs nothing.

What is asked, and what it comes to, is judge/qualify.py's. Called by `pairsmith qualify`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from pairsmith.errors import Stopped
from pairsmith.judge import Panel, Structured
from pairsmith.judge.anchors import Anchor
from pairsmith.judge.qualify import Exam, exam
from pairsmith.ledger import Ledger
from pairsmith.records import Endpoint, EndpointName, Outcome, PromptId, RequestId
from pairsmith.shapes import Shapes, learnt
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
    by_name = {judge.name: judge for judge in judges}
    modes = learnt(by_name, {name: panel.structured[name] for name in by_name}, ledger)
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
    shapes = Shapes(examination.panel.endpoints, examination.modes, ledger, engine.say)
    waiting = iter(product(examination.anchors, examination.judges))
    workers = min(engine.width, len(examination.anchors) * len(examination.judges))
    crew = [asyncio.create_task(_work(waiting, examination, engine, shapes, answered)) for _ in range(max(1, workers))]
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
    engine: Engine,
    shapes: Shapes,
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
                shapes.learn(request, outcome)
                answered()


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
