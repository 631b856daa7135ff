"""Grows prompts from seeds: what the growing asks is paid through the ledger, so that it goes on where it ended.

What is asked and what is kept is collect/expand/'s. Called by running/grown.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pairsmith.collect.expand.growth import NO_REPLY, NOT_JUDGED, UNREADABLE, Means, grow
from pairsmith.collect.expand.methods import Stock
from pairsmith.collect.expand.records import NOTHING, Ask, Harvest, Said
from pairsmith.collect.expand.settings import ExpandSettings
from pairsmith.collect.expand.words import schema_of
from pairsmith.errors import Stopped
from pairsmith.judge import Structured
from pairsmith.judge.asking import response_format, without_thinking
from pairsmith.ledger import Ledger
from pairsmith.records import (
    ChatRequest,
    Endpoint,
    Failure,
    FailureKind,
    Json,
    Outcome,
    PromptId,
    Purpose,
    Reply,
    RequestId,
    chat_request,
    content_id,
)
from pairsmith.wire.online import Engine
from pairsmith.wire.stored import read_stored

LOW_YIELD = "low_yield"
SEED_BITS = 31  # as of samples
REFUSED = 3  # malformed calls, without one that was answered: the endpoint does not take what is asked
SIMPLER: dict[Structured, Structured | None] = {"json_schema": "json_object", "json_object": "text", "text": None}
AT_ONCE = ("over_token_limit",)  # failures that a setting mends


@dataclass(frozen=True, slots=True)
class Expansion:
    """All that decides what is asked: the same expansion with the same replies comes to the same prompts."""

    settings: ExpandSettings
    stock: Stock
    means: Means
    writer: Endpoint
    judge: Endpoint | None
    modes: dict[Purpose, Structured]  # how each purpose asks for the shape of its replies; changed as that is learnt
    harvest: Harvest

    def asked(self, purpose: Purpose) -> Endpoint:
        """Who is asked for this."""
        return self.judge if purpose is Purpose.ASSESS and self.judge is not None else self.writer


async def expand(expansion: Expansion, ledger: Ledger, engine: Engine, kept: Callable[[int], object]) -> None:
    """Grow until the harvest is whole.

    Args:
        expansion: see there; its harvest is filled.
        ledger: the run folder's, open for writing.
        engine: pays; it is left open.
        kept: told how many prompts are kept so far.

    Raises:
        Stopped: it ended early; what was answered is stored. With "low_yield" no method gives any more.
    """
    paid = _Paid(expansion, ledger, engine)
    asking = grow(expansion.settings, expansion.stock, expansion.means, expansion.harvest)
    replies: Sequence[Said] | None = None
    while True:
        try:
            asks = next(asking) if replies is None else asking.send(replies)
        except StopIteration:
            break
        replies = await paid.pay(asks)
        kept(len(expansion.harvest.kept))
    kept(len(expansion.harvest.kept))
    await ledger.flush()
    if not expansion.harvest.whole:
        raise _dried_up(expansion, paid.last)


def _dried_up(expansion: Expansion, last: Failure | None) -> Stopped:
    """Why no more come: mostly because what comes is not new; else what is wrong with the replies."""
    harvest = expansion.harvest
    fell = sum((one.fell for one in harvest.tallies.values()), Counter[str]())
    shares = {method: share for method, share in harvest.dried.items() if share is not None}
    yields = ", ".join(f"{method} {share:.0%}" for method, share in shares.items())
    so_far = f"{len(harvest.kept):,} of {harvest.wanted:,} new prompts"
    if fell.total() and sum(fell[why] for why in (NO_REPLY, UNREADABLE, NOT_JUDGED)) > fell.total() / 2:
        told = "; ".join(f"{why}: {n:,} prompts" for why, n in fell.most_common(2))
        said = f" (the last one: {last.reason}, {last.message})" if last is not None and fell[NO_REPLY] else ""
        return Stopped(
            LOW_YIELD,
            f"{so_far}, as most replies are of no use: {told}{said}; see what the model says, and name another one or "
            "another json_mode",
        )
    if not shares:
        return Stopped(LOW_YIELD, f"{so_far}: every seed is in every language by now; name more seeds or other methods")
    return Stopped(
        LOW_YIELD,
        f"{so_far}, and no more are worth their price: of the last ones less than {expansion.settings.min_yield:.0%} "
        f"could be kept ({yields}); more seeds, another method, another seed or a better model may give more",
    )


def replayed(expansion: Expansion, ledger: Ledger | None) -> list[ChatRequest]:
    """Grow as far as the stored replies reach; the requests that are owed next, none where the harvest is whole.

    Nothing is asked and nothing is written. Called by `pairsmith plan`.
    """
    asking = grow(expansion.settings, expansion.stock, expansion.means, expansion.harvest)
    replies: Sequence[Said] | None = None
    while True:
        try:
            asks = next(asking) if replies is None else asking.send(replies)
        except StopIteration:
            return []
        outcomes = [None if ledger is None else _stored(ask, expansion, ledger) for ask in asks]
        owed = [ask for ask, outcome in zip(asks, outcomes, strict=True) if outcome is None]
        if owed:
            return [request_of(ask, expansion) for ask in owed]
        replies = [_said(outcome) for outcome in outcomes if outcome is not None]


# --- paying -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Paid:
    """Has asks answered, by the ledger where it knows the answer.

    `answered`: purposes of which a reply has come, now or earlier. `again`: requests that failed once and may not have
    to. `last`: the last failure.
    """

    expansion: Expansion
    ledger: Ledger
    engine: Engine
    answered: set[Purpose] = field(default_factory=set)
    refused: Counter[Purpose] = field(default_factory=Counter)
    again: set[RequestId] = field(default_factory=set)
    last: Failure | None = None

    async def pay(self, asks: Sequence[Ask]) -> list[Said]:
        """The replies, in order.

        Raises:
            Stopped: the run is stopping, or an endpoint takes nothing of what it is asked.
        """
        found: dict[int, Outcome] = {}
        while waiting := [place for place in range(len(asks)) if place not in found]:
            owed: dict[int, ChatRequest] = {}
            for place in waiting:
                outcome = _stored(asks[place], self.expansion, self.ledger)
                if outcome is None:
                    owed[place] = request_of(asks[place], self.expansion)
                    continue
                found[place] = outcome
                if isinstance(outcome, Reply):
                    self.answered.add(purpose_of(asks[place]))
            await self._pay(owed, found)
        return [_said(found[place]) for place in range(len(asks))]

    async def _pay(self, owed: Mapping[int, ChatRequest], found: dict[int, Outcome]) -> None:
        """Pay these. What is to be asked once more stays out of `found`: in a simpler shape, or after a failure."""
        outcomes = await self.engine.pay(list(owed.values()))
        answers = list(zip(owed.items(), outcomes, strict=True))
        self.answered |= {request.purpose for (_, request), outcome in answers if isinstance(outcome, Reply)}
        for (place, request), outcome in answers:
            if outcome is None:
                raise self.engine.stopped or Stopped("interrupted", "interrupted; run the same command again to go on")
            if isinstance(outcome, Reply) or await self._has_failed(request, outcome):
                found[place] = outcome

    async def _has_failed(self, request: ChatRequest, failure: Failure) -> bool:
        """Whether that is final: then it is passed over for good, as what is asked later rests on it.

        Raises:
            Stopped: no call of this kind can succeed.
        """
        self.last = failure
        if failure.reason in AT_ONCE:
            raise Stopped(failure.reason, f"endpoint {request.endpoint}: {failure.message or failure.reason}")
        if failure.reason == "bad_request" and request.purpose not in self.answered:
            return await self._is_refused(request, failure)
        if failure.kind is FailureKind.PERMANENT and failure.reason != "bad_request":
            return True  # the ledger has it
        if failure.kind is not FailureKind.PERMANENT and request.id not in self.again:
            self.again.add(request.id)
            return False
        await self.ledger.learn(_passed_over(request), failure.reason)
        return True

    async def _is_refused(self, request: ChatRequest, failure: Failure) -> bool:
        """A refusal before any answer: of the shape, which a simpler one may mend, or of everything."""
        purpose, endpoint = request.purpose, self.expansion.asked(request.purpose)
        mode, asked = self.expansion.modes[purpose], _mode_of(request)
        simpler = SIMPLER[mode]
        if failure.parameter == "response_format" and endpoint.json_mode == "auto" and asked != "text":
            if asked == mode and simpler is not None:
                self.expansion.modes[purpose] = simpler
                await self.ledger.learn(_shape(purpose, endpoint), simpler)
                self.engine.say(f"endpoint {endpoint.name} refuses the schema of its replies: asking for {simpler}")
            return False
        self.refused[purpose] += 1
        if self.refused[purpose] >= REFUSED:
            raise Stopped(
                "parameter_refused",
                f"endpoint {request.endpoint} refuses what it is asked ({failure.message}): change [prompts.expand] or "
                "the endpoint, and run it again",
            )
        return False


def purpose_of(ask: Ask) -> Purpose:
    """What an ask is paid for."""
    return Purpose.ASSESS if ask.kind == "assess" else Purpose.EXPAND


def request_of(ask: Ask, expansion: Expansion, mode: Structured | None = None) -> ChatRequest:
    """The request of an ask, to the writer or the judge; `mode`: how it asks for its shape, other than now."""
    settings, purpose = expansion.settings, purpose_of(ask)
    endpoint = expansion.asked(purpose)
    key = content_id("ask", *ask.key)
    body: dict[str, Json] = {
        "messages": [{"role": "system", "content": ask.rules}, {"role": "user", "content": ask.text}],
        endpoint.length_parameter: settings.max_tokens,
    }
    if purpose is Purpose.EXPAND:
        body |= {} if settings.temperature is None else {"temperature": settings.temperature}
        body |= {"seed": int(key, 16) % 2**SEED_BITS} if endpoint.seed else {}
    mode = mode or expansion.modes[purpose]
    body |= response_format(purpose, schema_of(ask.kind), mode) | without_thinking(endpoint)
    return chat_request(PromptId(key), purpose, endpoint, body, draw=0)


def _stored(ask: Ask, expansion: Expansion, ledger: Ledger) -> Outcome | None:
    """The stored answer, in whichever shape it was asked for: what is learnt of shapes later buys nothing again."""
    now = expansion.modes[purpose_of(ask)]
    for mode in (now, *(other for other in SIMPLER if other != now)):
        request = request_of(ask, expansion, mode)
        stored = ledger.stored_reply(request.id)
        if stored is not None:
            return read_stored(request.id, stored)
        reason = ledger.fact(_passed_over(request))
        if reason is not None:
            return Failure(request.id, FailureKind.PERMANENT, reason)
    return None


def _passed_over(request: ChatRequest) -> str:
    return f"expand passed over {request.id}"


def _mode_of(request: ChatRequest) -> Structured:
    """How a request asked for its shape."""
    shape = request.body.get("response_format")
    if not isinstance(shape, dict):
        return "text"
    return "json_schema" if shape.get("type") == "json_schema" else "json_object"


def _shape(purpose: Purpose, endpoint: Endpoint) -> str:
    return f"{purpose.value} shape {endpoint.identity}"


def _said(outcome: Outcome) -> Said:
    if isinstance(outcome, Failure):
        return NOTHING
    return Said(outcome.text or outcome.refusal or "", outcome.model, outcome.simulated)


def modes_of(
    writer: Endpoint, judge: Endpoint | None, modes: Mapping[str, Structured], ledger: Ledger | None
) -> dict[Purpose, Structured]:
    """How each purpose asks for the shape of its replies: as the recipe says, else as the folder has learnt it.

    Args:
        writer: who writes.
        judge: who judges; None: nobody.
        modes: by the words of json_mode.
        ledger: what the folder knows; None: nothing yet.
    """
    found = {}
    for purpose, endpoint in ((Purpose.EXPAND, writer), (Purpose.ASSESS, judge or writer)):
        learnt = ledger.fact(_shape(purpose, endpoint)) if ledger is not None and endpoint.json_mode == "auto" else None
        found[purpose] = learnt if learnt in SIMPLER else modes[endpoint.json_mode]
    return found
