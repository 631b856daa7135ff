"""The story of a run: prompts come in, what they owe is paid, what they come to is stored, pairs go out.

Stages decide (work.py), wire pays (wire/), the ledger remembers (ledger.py); this page brings them together.
Called by the command line, which opens the files and makes the clock, the client and the signals.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Any, BinaryIO, Protocol, TypedDict, TypeVar, cast, get_args

from pairsmith import collect
from pairsmith.collect import BadRow, Row
from pairsmith.errors import InputError, LedgerError, Stopped
from pairsmith.export.formats import ROWS, provenance_row, row_bytes, system_text
from pairsmith.export.rows import refused
from pairsmith.export.settings import ExportSettings
from pairsmith.judge import Structured
from pairsmith.ledger import Ledger, Settled, StoredReply
from pairsmith.pair.outlook import GateEvidence, outlook
from pairsmith.records import (
    ChatRequest,
    Completion,
    CompletionId,
    Endpoint,
    EndpointName,
    Failure,
    FailureKind,
    Json,
    Outcome,
    Pair,
    Prompt,
    PromptId,
    Purpose,
    Reply,
    RequestId,
    candidate_id,
)
from pairsmith.sample import screen
from pairsmith.sample.settings import GIVEN
from pairsmith.wire.faults import read_reply
from pairsmith.wire.online import Engine
from pairsmith.work import Work, step

CHUNK = 256  # rows of the input taken at a time
HEAD_START_S = 0.8  # the input is read for so long before anything is spent: most bad rows are found for free
FIRST_LOOK = 50  # settled prompts after which the gate's effect is told
DRAIN_S = 30.0  # how long a stopping run waits for the calls in flight


T = TypeVar("T")


class Progress(Protocol):
    """Whoever shows how the run goes."""

    def known(self, prompts: int) -> None:
        """So many prompts have been read so far."""

    def settled(self, kind: str) -> None:
        """One more prompt has come to a pair, an abstention or a failure."""

    def say(self, sentence: str) -> None:
        """Something the user should know now."""


@dataclass(frozen=True, slots=True)
class Source:
    """One open prompt file."""

    name: str
    stream: BinaryIO
    format: str


async def run(work: Work, sources: Sequence[Source] | None, ledger: Ledger, engine: Engine, progress: Progress) -> None:
    """Carry every prompt of the input as far as it goes: to a pair, an abstention, or a failure.

    Work moves prompt by prompt: the first pairs stand in the ledger while the input is still being read.

    Args:
        work: what to decide by.
        sources: the open prompt files; None goes on with the input that the ledger has.
        ledger: the run folder's, open for writing.
        engine: pays; it is closed at the end.
        progress: is told how it goes.

    Raises:
        InputError: a bad row; what was answered until then is stored.
        Stopped: the run ended early and can be resumed; the pairs so far are stored.
    """
    if sources is not None:
        await ledger.new_generation()
    await _remember(work, ledger)
    this = _Run(work, ledger, engine, progress)
    reading = asyncio.create_task(this.take_in(sources))
    await asyncio.wait([reading], timeout=HEAD_START_S)
    crew = [asyncio.create_task(this.work_through()) for _ in range(engine.width)]
    try:
        await _until_done_or_stopped([reading, *crew], engine)
    finally:
        for task in (reading, *crew):
            task.cancel()
        await engine.close()
        await ledger.flush()
    if reading.done() and not reading.cancelled() and (bad := reading.exception()):
        raise bad
    if engine.fault:
        raise engine.fault
    if engine.stopped:
        raise engine.stopped


async def _remember(work: Work, ledger: Ledger) -> None:
    """What exports and counts need when there is no recipe at hand."""
    personas = {arm.name: arm.system for arm in work.arms}
    await ledger.learn(f"arms {work.digest}", json.dumps(personas))
    await ledger.learn("digest", work.digest)


async def _until_done_or_stopped(tasks: Sequence[asyncio.Task[None]], engine: Engine) -> None:
    """Wait for all; when the run stops, for the calls in flight only, and at most DRAIN_S."""
    waiting: set[asyncio.Future[None]] = set(tasks)
    stop = asyncio.create_task(engine.stopping.wait())
    while waiting and not stop.done():
        both: set[asyncio.Future[Any]] = {*waiting, stop}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        for done in [task for task in waiting if task.done()]:
            waiting.remove(done)
            if error := done.exception():
                engine.stop(error if isinstance(error, Stopped) else Stopped("failed", str(error)))
                if not isinstance(error, InputError | Stopped):
                    raise error
    stop.cancel()
    if waiting and not engine.fault:
        await asyncio.wait(waiting, timeout=DRAIN_S)


class _Run:
    """What the tasks of one run share."""

    def __init__(self, work: Work, ledger: Ledger, engine: Engine, progress: Progress) -> None:
        self._ledger = ledger
        self._engine = engine
        self._progress = progress
        self._modes: dict[EndpointName, Structured] = {
            name: _learnt_mode(ledger, work.endpoints[name], mode) for name, mode in work.panel.structured.items()
        }
        self._work = replace(work, panel=replace(work.panel, structured=self._modes))
        self._shape_accepted: set[EndpointName] = set()
        self._first: list[Completion] = []  # the first completions that came, for the guard
        self._settled: list[GateEvidence] = []  # the first settled prompts, for the gate's first look
        self._read = asyncio.Event()  # the input was read to its end
        self._more = asyncio.Event()  # more of it stands in the ledger
        self._reached = -1  # the last ordinal handed out
        self._next: deque[Prompt] = deque()
        self._revisit: deque[PromptId] = deque()
        self._turn = asyncio.Lock()

    # --- prompts in --------------------------------------------------------------------------------

    async def take_in(self, sources: Sequence[Source] | None) -> None:
        """Read the input into the ledger, chunk by chunk; equal prompts become one."""
        try:
            if sources is None:
                self._progress.known(self._ledger.input_size())
            else:
                await self._take_in(sources)
        finally:
            self._read.set()
            self._more.set()

    async def _take_in(self, sources: Sequence[Source]) -> None:
        settings = self._work.recipe.prompts
        rows = chain.from_iterable(collect.read_prompts(s.stream, s.name, s.format) for s in sources)
        prompts = duplicates = skipped = 0
        while room := min(CHUNK, CHUNK if settings.limit is None else settings.limit - prompts):
            # In a thread: standard input, or a disk, may keep it waiting.
            chunk = await asyncio.to_thread(lambda: list(islice(rows, room)))
            if not chunk:
                break
            good = [row for row in chunk if isinstance(row, Row)]
            taken = await self._ledger.add_prompts([row.prompt for row in good], collect.unite)
            bad = [str(row) for row in chunk if isinstance(row, BadRow)]
            bad += [_clash(good[place], sources) for place in taken.clashes]
            if bad and not settings.skip_bad:
                raise InputError(bad[0])
            prompts += taken.added
            duplicates += taken.duplicates
            skipped += len(bad)
            self._revisit.extend(ident for ident in taken.revisit if self._handed_out(ident))
            self._progress.known(prompts)
            self._more.set()
        if not prompts:
            raise InputError(f"{', '.join(source.name for source in sources)}: no prompts in it; write one a line")
        await self._ledger.input_complete(duplicates, skipped)

    def _handed_out(self, ident: PromptId) -> bool:
        prompt = self._ledger.prompt(ident)
        return prompt is not None and prompt.ordinal <= self._reached

    # --- prompt by prompt --------------------------------------------------------------------------

    async def work_through(self) -> None:
        """Take the next prompt, carry it to its end, and so on."""
        while prompt := await self._next_prompt():
            await self._carry(prompt)

    async def _next_prompt(self) -> Prompt | None:
        """The next prompt that something is owed for, in input order; None when there is none or the run stops."""
        async with self._turn:
            while not self._engine.stopped:
                if self._next:
                    return self._next.popleft()
                at_end = self._read.is_set()
                self._more.clear()
                self._next.extend(self._ledger.owed(self._work.digest, self._reached, CHUNK))
                if self._next:
                    self._reached = self._next[-1].ordinal
                elif not at_end:
                    await self._more.wait()
                elif self._revisit:
                    return self._ledger.prompt(self._revisit.popleft())
                else:
                    return None
            return None

    async def _carry(self, prompt: Prompt) -> None:
        """Ask what is owed for a prompt and pay it, until nothing is; store what it came to."""
        outcomes = {ident: read_stored(ident, stored) for ident, stored in self._ledger.stored(prompt.id).items()}
        guarded = False
        while True:
            now = step(prompt, outcomes, self._work)
            if now.completions and not guarded:
                self._guard(now.completions)
                guarded = True
            if not now.owed:
                break
            for request, outcome in zip(now.owed, await self._engine.pay(now.owed), strict=True):
                if outcome is None:
                    return  # the run is stopping: what was answered is stored, the rest stays owed
                outcomes[request.id] = outcome
                self._learn_shape(request, outcome)
        body = now.body or {}
        self._ledger.settle(
            prompt.id,
            self._work.digest,
            Settled(now.kind, now.reason, now.final, len(now.completions), now.verdicts, body),
        )
        self._progress.settled(now.kind)
        self._look_at_gate(body)

    def _guard(self, completions: Sequence[Completion]) -> None:
        """Stop the run when most of its first completions cannot be used: the cause is one of setting."""
        settings = self._work.recipe.sample
        if settings is None or len(self._first) >= screen.FIRST:
            return
        self._first.extend(completion for completion in completions if completion.arm != GIVEN)
        if len(self._first) >= screen.FIRST:
            stop = screen.screened_too_much(self._first[: screen.FIRST], settings)
            if stop is not None:
                self._engine.stop(Stopped("screened", stop.sentence))

    def _look_at_gate(self, body: Mapping[str, Json]) -> None:
        """After the first settled prompts, say once what the gate does."""
        if len(self._settled) >= FIRST_LOOK:
            return
        evidence = gate_evidence(body)
        if evidence is not None:
            self._settled.append(evidence)
            if len(self._settled) == FIRST_LOOK:
                self._progress.say(outlook(self._settled, self._work.recipe.pair).sentence())

    def _learn_shape(self, request: ChatRequest, outcome: Outcome) -> None:
        """An endpoint that refuses the verdict's schema is asked in a simpler way, from now on and on every resume."""
        name = request.endpoint
        endpoint = self._work.endpoints[name]
        if request.purpose is Purpose.SAMPLE or endpoint.json_mode != "auto":
            return
        if isinstance(outcome, Reply):
            self._shape_accepted.add(name)
        elif outcome.parameter == "response_format" and name not in self._shape_accepted:
            simpler = _simpler(request)
            if simpler is not None and self._modes[name] != simpler:
                self._modes[name] = simpler
                self._ledger.learn(_shape_key(endpoint), simpler)
                self._progress.say(f"endpoint {name} refuses its verdicts' schema: asking for {simpler} instead")


async def _in_daemon(work: Callable[[], T]) -> T:
    """Run blocking work in a thread that the process need not wait for: standard input may never end."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if future.done():  # nobody waits any more: the run has stopped
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(cast(T, result))

    def body() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as exc:  # noqa: BLE001 — handed over to whoever waits
            error = exc
        with contextlib.suppress(RuntimeError):  # the loop has closed meanwhile
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=body, daemon=True, name="reading").start()
    return await future


def read_stored(ident: RequestId, stored: StoredReply) -> Outcome:
    """A stored answer as a record."""
    if stored.failure is not None or stored.raw is None:
        return stored.failure or Failure(ident, FailureKind.TRANSIENT, "not_stored")
    return read_reply(ident, stored.raw, stored.latency_s)


def gate_evidence(body: Mapping[str, Json]) -> GateEvidence | None:
    """What a stored outcome says about the gate; None when its prompt never came to it."""
    gate = body.get("gate")
    return GateEvidence(**gate) if isinstance(gate, dict) else None  # type: ignore[arg-type]


def _clash(row: Row, sources: Sequence[Source]) -> str:
    where = sources[0].name if len(sources) == 1 else "one of the files"
    return (
        f'{where}, line {row.line}, field "id": {row.prompt.source_id} is an earlier, different prompt\'s id; '
        "give each prompt an id of its own, or none"
    )


def _learnt_mode(ledger: Ledger, endpoint: Endpoint, mode: Structured) -> Structured:
    learnt = ledger.fact(_shape_key(endpoint)) if endpoint.json_mode == "auto" else None
    return cast(Structured, learnt) if learnt in get_args(Structured) else mode


def _shape_key(endpoint: Endpoint) -> str:
    return f"verdict shape {endpoint.identity}"


def _simpler(request: ChatRequest) -> Structured | None:
    """The next simpler way to ask for a verdict's shape than this request's; None below plain text."""
    shape = request.body.get("response_format")
    if not isinstance(shape, dict):
        return None
    return "json_object" if shape.get("type") == "json_schema" else "text"


# --- pairs out -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: rows, and why pairs were left out."""

    rows: int
    left_out: Mapping[str, int]


def write_pairs(
    ledger: Ledger, digest: str, settings: ExportSettings, replacement: str | None, dataset: BinaryIO, proofs: BinaryIO
) -> Exported:
    """Write every settled pair in prompt order, and the provenance of each at the same line of `proofs`.

    Args:
        ledger: the run folder's.
        digest: of the work whose outcomes are written.
        settings: the target, and what stands in the place of the persona.
        replacement: the text that takes the sampling persona's place, when `system` names a file.
        dataset: the rows of the target.
        proofs: one provenance row a pair.

    Returns:
        The count of rows, and of pairs that were left out, by reason.
    """
    arms = json.loads(ledger.fact(f"arms {digest}") or "{}")
    row_of = ROWS[settings.target]
    rows = 0
    left_out: Counter[str] = Counter()
    for prompt, settled in ledger.outcomes(digest):
        if settled.kind != "pair":
            continue
        found = cast(StoredPair, settled.body["pair"])
        personas = {arms.get(found[side]["arm"]) for side in ("chosen", "rejected")}
        if settings.system == "keep" and len(personas) > 1:
            left_out["personas_differ"] += 1
            continue
        persona = {"strip": None, "keep": next(iter(personas))}.get(settings.system, replacement)
        chosen, rejected = (text_of(prompt, found[side], ledger) for side in ("chosen", "rejected"))
        row = row_of(prompt, chosen, rejected, system_text(persona, prompt.system))
        reason = refused(row, settings.target)
        if reason is not None:
            left_out[reason] += 1
            continue
        rows += 1
        dataset.write(row_bytes(row))
        proofs.write(row_bytes(_proof(rows, prompt, found, settled.body)))
    return Exported(rows, dict(left_out))


class StoredSide(TypedDict):
    """One side of a stored pair, as work.py wrote it."""

    completion: CompletionId
    arm: str
    model: str | None
    span: list[int] | None
    simulated: bool


class StoredPair(TypedDict):
    """A stored pair, as work.py wrote it."""

    chosen: StoredSide
    rejected: StoredSide
    gap: float
    judges: list[EndpointName]
    provenance: dict[str, Json]


def text_of(prompt: Prompt, side: StoredSide, ledger: Ledger) -> str:
    """The text of one side, read again from what is stored: a given candidate, or the (span of a) reply.

    Raises:
        LedgerError: the ledger holds no such text.
    """
    ident = side["completion"]
    for candidate in prompt.candidates:
        if candidate_id(prompt.id, candidate.content) == ident:
            text = candidate.content
            break
    else:
        stored = ledger.stored_reply(RequestId(ident))
        reply = read_stored(RequestId(ident), stored) if stored else None
        if not isinstance(reply, Reply):
            raise LedgerError(f"the ledger holds no text for completion {ident} of prompt {prompt.id}")
        text = reply.text
    return text[slice(*side["span"])] if side["span"] else text


def _proof(line: int, prompt: Prompt, found: StoredPair, evidence: Mapping[str, Json]) -> dict[str, Json]:
    pair = Pair(
        prompt_id=prompt.id,
        chosen=found["chosen"]["completion"],
        rejected=found["rejected"]["completion"],
        gap=found["gap"],
        judges=tuple(found["judges"]),
        provenance=found["provenance"],
    )
    details: dict[str, Json] = {"verdicts": evidence["verdicts"], "simulated": evidence["simulated"]}
    sides = cast(tuple[dict[str, Json], dict[str, Json]], (dict(found["chosen"]), dict(found["rejected"])))
    return provenance_row(line, pair, prompt, sides, details)
