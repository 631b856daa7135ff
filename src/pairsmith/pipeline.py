"""The story of a run: prompts come in, what they owe is paid, what they come to is stored.

Stages decide (work.py), wire pays (wire/), the ledger remembers (ledger/), dataset.py writes what came of it.
Called by the command line, which opens the files and makes the clock, the client and the signals.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from pairsmith import measuring, shapes
from pairsmith.enough import MIN_YIELD, TARGET, Enough
from pairsmith.errors import Stopped, UserError
from pairsmith.intake import Intake, Rows
from pairsmith.judge.noise import PROMPTS
from pairsmith.ledger import Ledger, Settled
from pairsmith.outcomes import gate_evidence_in, pairs_in
from pairsmith.pair.outlook import GateEvidence, outlook
from pairsmith.records import (
    ChatRequest,
    Completion,
    Endpoint,
    EndpointName,
    Json,
    Noise,
    Outcome,
    Prompt,
    Purpose,
    Reply,
    RequestId,
)
from pairsmith.sample import screen
from pairsmith.sample.names import short_names
from pairsmith.sample.plan import effective, requested
from pairsmith.sample.settings import is_given
from pairsmith.shapes import Shapes
from pairsmith.steps import Step, begin, step
from pairsmith.wire.online import Engine
from pairsmith.wire.stored import read_stored
from pairsmith.work import Work, measured, said_of_noise

if TYPE_CHECKING:
    from pairsmith.collect.contamination import Evaluations

HEAD_START_S = 0.3  # the input is read for so long before anything is spent: most bad rows are found for free
READ_AGAIN_S = 10.0  # and for so long when earlier runs may have made enough pairs of it
FIRST_LOOK = 50  # settled prompts after which the gate's effect is told
DRAIN_S = 30.0  # how long a stopping run waits for the calls in flight
READ_ON_S = 2.0  # and for the rest of the input, so as to say how much of it was not reached


class Progress(Protocol):
    """Whoever shows how the run goes."""

    def known(self, prompts: int) -> None:
        """So many prompts have been read so far."""

    def settled(self, prompt: Prompt, settled: Settled) -> None:
        """One more prompt has come to a pair, an abstention or a failure."""

    def say(self, sentence: str) -> None:
        """Something the user should know now."""


async def run(
    work: Work,
    sources: Sequence[Rows] | None,
    ledger: Ledger,
    engine: Engine,
    progress: Progress,
    sampling: bool = True,
    enough: Enough | None = None,
    against: Evaluations | None = None,
) -> None:
    """Carry every prompt of the input as far as it goes: to a pair, an abstention, or a failure.

    Work moves prompt by prompt: the first pairs stand in the ledger while the input is still being read. Where so many
    pairs are wanted, prompts are taken as they are needed, and it ends as soon as there are enough.

    Args:
        work: what to decide by.
        sources: the prompts, such as open files; None goes on with the input that the ledger has.
        ledger: the run folder's, open for writing.
        engine: pays; it is closed at the end.
        progress: is told how it goes.
        sampling: whether completions are asked for; else only what was sampled already is judged.
        enough: how many pairs are wanted, and what the run must give to go on; None: all there are.
        against: evaluation sets; prompts that hold an item of them are left out.

    Raises:
        UserError: a bad row, or a function of the user's own that went wrong; what was answered until then is stored.
        Stopped: the run ended early and can be resumed; the pairs so far are stored.
    """
    work = await measuring.begin(work, ledger)
    await remember(work, ledger)
    journey = _Journey(work, ledger, engine, progress, enough or Enough(), sampling)
    intake = Intake(ledger, work.digest, progress.known, journey.came_to)
    engine.on_stop(intake.close)
    reading = asyncio.create_task(intake.take_in(sources, work.recipe.prompts, against))
    await journey.head_start(reading)
    crew = [asyncio.create_task(journey.carry_all(intake)) for _ in range(max(1, engine.width))]
    try:
        await _until_done_or_stopped([reading, *crew], engine)
        if engine.stopped and not engine.fault:
            await asyncio.wait(crew, timeout=DRAIN_S)
            await asyncio.wait([reading], timeout=READ_ON_S)
    finally:
        for task in (reading, *crew):
            task.cancel()
        await engine.close()
        await ledger.flush()
    ends = [task.exception() for task in (reading, *crew) if task.done() and not task.cancelled()]
    if mistake := next((end for end in ends if end is not None and not isinstance(end, Stopped)), None):
        raise mistake
    if engine.fault:
        raise engine.fault
    if stopped := journey.end:
        raise stopped
    if reading.cancelled():
        await intake.complete()


async def remember(work: Work, ledger: Ledger) -> None:
    """What exports and counts need when there is no recipe at hand."""
    personas = short_names([arm.system_name for arm in work.arms if arm.system_name is not None])
    arms = {
        arm.name: {
            "endpoint": arm.endpoint,
            "model": work.endpoints[arm.endpoint].model,
            "weight": arm.weight,
            "persona": personas.get(arm.system_name or ""),
            "system": arm.system,
            "requested": requested(arm),
            "effective": effective(arm, work.endpoints[arm.endpoint]),
            "dropped": arm.dropped,
        }
        for arm in work.arms
    }
    await ledger.learn(f"arms {work.digest}", json.dumps(arms))
    await ledger.learn("digest", work.digest)


async def _until_done_or_stopped(tasks: Sequence[asyncio.Task[None]], engine: Engine) -> None:
    """Wait until all have ended, or the run stops; a task that fails stops it."""
    waiting: set[asyncio.Future[None]] = set(tasks)
    stop = asyncio.create_task(engine.stopping.wait())
    while waiting and not stop.done():
        both: set[asyncio.Future[Any]] = {*waiting, stop}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for done in [task for task in waiting if task.done()]:
            waiting.remove(done)
            if error := done.exception():
                engine.stop(error if isinstance(error, Stopped) else Stopped("failed", str(error)))
                if not isinstance(error, UserError | Stopped):
                    raise error
    stop.cancel()


class _Journey:
    """What the tasks of one run share while they carry prompts to their ends."""

    def __init__(
        self, work: Work, ledger: Ledger, engine: Engine, progress: Progress, enough: Enough, sampling: bool
    ) -> None:
        self._sampling = sampling
        self._enough = enough
        self._ledger = ledger
        self._engine = engine
        self._progress = progress
        modes = shapes.learnt(work.endpoints, work.panel.structured, ledger)
        self._work = replace(work, panel=replace(work.panel, structured=modes))
        self._shapes = Shapes(work.endpoints, modes, ledger, progress.say)
        self._answered_as: dict[EndpointName, list[str]] = {
            name: json.loads(ledger.fact(_models_key(endpoint)) or "[]") for name, endpoint in work.endpoints.items()
        }
        self._first: list[Completion] = []  # the first completions that came, for the guard
        self._settled: list[GateEvidence] = []  # the first settled prompts, for the gate's first look
        self._measuring = measuring.Measuring(self._work, ledger, self._know)
        enough.least = 0 if self._measuring.over.is_set() else PROMPTS
        engine.on_stop(self._measuring.release)
        engine.on_stop(enough.release)

    def came_to(self, ordinal: int, kind: str, pairs: int) -> None:
        """What a prompt has come to, now or on an earlier run; there may be enough pairs then."""
        self._enough.settled(ordinal, kind, pairs)
        self._stop_if(self._enough.reached)

    def _stop_if(self, why: Stopped | None) -> None:
        if why is not None:
            self._engine.stop(why)

    async def head_start(self, reading: asyncio.Task[None]) -> None:
        """Read for a moment before anything is spent; longer, where earlier runs may have made enough pairs."""
        target = self._enough.target
        perhaps = target is not None and self._ledger.pairs_of_any_input(self._work.digest) >= target
        stop = asyncio.create_task(self._engine.stopping.wait())
        ends: list[asyncio.Task[Any]] = [reading, stop]
        timeout_s = READ_AGAIN_S if perhaps else HEAD_START_S
        await asyncio.wait(ends, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        self._stop_if(self._enough.poor)

    async def carry_all(self, intake: Intake) -> None:
        """Take the next prompt, carry it to its end, and so on; the first ones are measured before that."""
        while prompt := await self._next(intake):
            await (self._measure if self._measuring.takes(prompt) else self._carry)(prompt)
        self._measuring.input_ended()
        await self._measuring.over.wait()
        while prompt := self._measuring.next_kept():
            await self._carry(prompt)

    async def _next(self, intake: Intake) -> Prompt | None:
        """The next prompt as soon as there is need of it, one that was set aside first; None when there is none."""
        while not (kept := self._measuring.next_kept()):
            if self._enough.takes():
                prompt = await intake.next_prompt()
                if prompt is None:
                    self._enough.ended()
                return prompt
            await self._enough.news()
        return kept

    async def _measure(self, prompt: Prompt) -> None:
        """Have a prompt judged as far as it shows how much the judges err; it is carried on when that is known."""
        self._measuring.begin()
        paid = await self._paid(prompt, measuring=True)
        if paid is None:
            self._measuring.leave(prompt)
            self._enough.ended()
            return
        prompt, now = paid
        if now.measured is None:
            self._settle(prompt, now)
            self._enough.ended()
        self._measuring.end(prompt, now.measured, keep=now.measured is not None)

    def _know(self, noise: Noise) -> None:
        """It is known now: every later decision rests on it."""
        self._work = measured(self._work, noise)
        self._enough.wake()
        if sentence := said_of_noise(self._work):
            self._progress.say(sentence)

    async def _carry(self, prompt: Prompt) -> None:
        """Have everything paid that a prompt owes, and store what it came to."""
        paid = await self._paid(prompt)
        if paid is not None:
            self._settle(*paid)
        self._enough.ended()

    async def _paid(self, prompt: Prompt, measuring: bool = False) -> tuple[Prompt, Step] | None:
        """Ask what is owed for a prompt and pay it, until nothing is; None if that did not come to an end."""
        outcomes, known = self._stored(prompt), begin(prompt, self._work)
        guarded = False
        while True:
            now = step(prompt, known, outcomes, self._work, measuring)
            if now.completions and not guarded:
                self._guard(now.completions)
                guarded = True
            if now.waits:
                await self._measuring.over.wait()
                if self._work.panel.noise is None:
                    return None  # the run is stopping
                continue
            if not self._sampling and any(request.purpose is Purpose.SAMPLE for request in now.owed):
                return None
            if not now.owed:
                latest = self._ledger.prompt(prompt.id) or prompt
                if (latest.candidates, latest.preferences) == (prompt.candidates, prompt.preferences):
                    return prompt, now
                # A later row of the input brought candidates meanwhile, and they may have been judged already.
                prompt, outcomes, known = latest, outcomes | self._stored(prompt), begin(latest, self._work)
                continue
            for request, outcome in zip(now.owed, await self._engine.pay(now.owed), strict=True):
                if outcome is None:
                    return None  # the run is stopping: what was answered is stored, the rest stays owed
                outcomes[request.id] = outcome
                self._shapes.learn(request, outcome)
                self._notice_model(request, outcome)

    def _settle(self, prompt: Prompt, now: Step) -> None:
        """Store what a prompt came to, and tell of it."""
        body = now.body or {}
        pairs = len(pairs_in(body))
        settled = Settled(now.kind, now.reason, now.final, len(now.completions), now.verdicts, body, pairs)
        self._ledger.settle(prompt.id, self._work.digest, settled)
        self.came_to(prompt.ordinal, now.kind, pairs)
        self._progress.settled(prompt, settled)
        self._look_at_gate(body)
        self._stop_if(self._enough.poor)

    @property
    def end(self) -> Stopped | None:
        """Why the run ended before it had what was wanted, once it has ended; None: it has all."""
        stopped = self._engine.stopped or self._enough.used_up
        if stopped is None or stopped.reason != MIN_YIELD:
            return None if stopped is None or stopped.reason == TARGET else stopped
        gates = [gate_evidence_in(settled.body) for _, settled in self._ledger.outcomes(self._work.digest)]
        known = [gate for gate in gates if gate is not None]
        would = f" ({outlook(known, self._work.pair).sentence()})" if known else ""
        return Stopped(MIN_YIELD, stopped.sentence + would)

    def _stored(self, prompt: Prompt) -> dict[RequestId, Outcome]:
        """Every answer that the ledger has for a prompt."""
        return {ident: read_stored(ident, stored) for ident, stored in self._ledger.stored(prompt.id).items()}

    def _guard(self, completions: Sequence[Completion]) -> None:
        """Stop the run when most of its first completions cannot be used: the cause is one of setting."""
        settings = self._work.recipe.sample
        if settings is None or len(self._first) >= screen.FIRST:
            return
        self._first.extend(completion for completion in completions if not is_given(completion.arm))
        if len(self._first) >= screen.FIRST:
            stop = screen.screened_too_much(self._first[: screen.FIRST], settings)
            if stop is not None:
                self._engine.stop(Stopped("screened", stop.sentence))

    def _look_at_gate(self, body: Mapping[str, Json]) -> None:
        """After the first settled prompts, say once what the gate does."""
        if len(self._settled) >= FIRST_LOOK:
            return
        evidence = gate_evidence_in(body)
        if evidence is not None:
            self._settled.append(evidence)
            if len(self._settled) == FIRST_LOOK:
                self._progress.say(outlook(self._settled, self._work.pair).sentence())

    def _notice_model(self, request: ChatRequest, outcome: Outcome) -> None:
        """A provider that answers with another model than before: once for each, also over a resume."""
        model = outcome.model if isinstance(outcome, Reply) else None
        if not model or model in self._answered_as[request.endpoint]:
            return
        known = self._answered_as[request.endpoint]
        if known:
            self._progress.say(
                f"endpoint {request.endpoint} now answers as {model}, before as {known[-1]}: the run holds answers of "
                "both; name a dated model to keep to one"
            )
        known.append(model)
        self._ledger.learn(_models_key(self._work.endpoints[request.endpoint]), json.dumps(known))


def _models_key(endpoint: Endpoint) -> str:
    return f"answered as {endpoint.identity}"
