"""Grows prompts from seeds: what the growing asks is paid through the ledger, so that it goes on where it ended.

What is asked and what is kept is collect/expand/'s. Called by running/grown.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pairsmith import shapes
from pairsmith.collect.expand.growth import Means, grow
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
    EndpointName,
    Failure,
    FailureKind,
    Json,
    Outcome,
    PromptId,
    Purpose,
    Reply,
    chat_request,
    content_id,
)
from pairsmith.shapes import Shapes
from pairsmith.wire.online import Engine
from pairsmith.wire.stored import read_stored

LOW_YIELD = "low_yield"
SEED_BITS = 31  # as of samples
REFUSED = 3  # malformed calls in a row, without one that was answered: the endpoint does not take what is asked


@dataclass(frozen=True, slots=True)
class Expansion:
    """All that decides what is asked: the same expansion with the same replies comes to the same prompts."""

    settings: ExpandSettings
    stock: Stock
    means: Means
    writer: Endpoint
    judge: Endpoint | None
    modes: dict[EndpointName, Structured]
    harvest: Harvest

    @property
    def endpoints(self) -> dict[EndpointName, Endpoint]:
        """Who is asked."""
        return {one.name: one for one in (self.writer, self.judge) if one is not None}


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
    learning = Shapes(expansion.endpoints, expansion.modes, ledger, lambda sentence: engine.say(sentence))
    paid = _Paid(expansion, ledger, engine, learning)
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
        raise _dried_up(expansion)


def _dried_up(expansion: Expansion) -> Stopped:
    harvest = expansion.harvest
    yields = ", ".join(f"{method} {share:.0%}" for method, share in harvest.dried.items())
    few = "another seed, more seeds, another method or a better model"
    return Stopped(
        LOW_YIELD,
        f"{len(harvest.kept):,} of {harvest.wanted:,} new prompts, and no more are worth their price: of the last ones "
        f"less than {expansion.settings.min_yield:.0%} could be kept ({yields}); {few} may give more",
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
        requests = [request_of(ask, expansion) for ask in asks]
        outcomes = [None if ledger is None else _stored(request, ledger) for request in requests]
        owed = [request for request, outcome in zip(requests, outcomes, strict=True) if outcome is None]
        if owed:
            return owed
        replies = [_said(outcome) for outcome in outcomes if outcome is not None]


# --- paying -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Paid:
    """Has asks answered, by the ledger where it knows the answer."""

    expansion: Expansion
    ledger: Ledger
    engine: Engine
    shapes: Shapes
    refused: int = 0
    answered: bool = False

    async def pay(self, asks: Sequence[Ask]) -> list[Said]:
        """The replies, in order.

        Raises:
            Stopped: the run is stopping, or the endpoint takes nothing of what it is asked.
        """
        found: dict[int, Outcome] = {}
        while waiting := [place for place in range(len(asks)) if place not in found]:
            owed: dict[int, ChatRequest] = {}
            for place in waiting:
                request = request_of(asks[place], self.expansion)
                outcome = _stored(request, self.ledger)
                if outcome is None:
                    owed[place] = request
                else:
                    found[place] = outcome
                    self.answered = self.answered or isinstance(outcome, Reply)
            await self._pay(owed, found)
        return [_said(found[place]) for place in range(len(asks))]

    async def _pay(self, owed: dict[int, ChatRequest], found: dict[int, Outcome]) -> None:
        """Pay these; one that was asked for a shape that its endpoint does not take is owed again, in another."""
        before = dict(self.expansion.modes)
        outcomes = await self.engine.pay(list(owed.values()))
        for (place, request), outcome in zip(owed.items(), outcomes, strict=True):
            if outcome is None:
                raise self.engine.stopped or Stopped("interrupted", "interrupted; run the same command again to go on")
            self.shapes.learn(request, outcome)
            refused = isinstance(outcome, Failure) and outcome.parameter == "response_format"
            if refused and self.expansion.modes[request.endpoint] != before[request.endpoint]:
                continue
            await self._notice(request, outcome)
            found[place] = outcome

    async def _notice(self, request: ChatRequest, outcome: Outcome) -> None:
        """A call that came to nothing is passed over for good: what is asked later rests on that.

        Raises:
            Stopped: nothing but refusals came so far.
        """
        if isinstance(outcome, Reply):
            self.answered = True
        elif outcome.reason != "bad_request" or self.answered:
            await self.ledger.learn(_passed_over(request), outcome.reason)
        else:
            self.refused += 1
            if self.refused >= REFUSED:
                raise Stopped(
                    "parameter_refused",
                    f"endpoint {request.endpoint} refuses what it is asked ({outcome.message}): change "
                    "[prompts.expand] or the endpoint, and run it again",
                )


def request_of(ask: Ask, expansion: Expansion) -> ChatRequest:
    """The request of an ask, to the writer or the judge."""
    settings, assess = expansion.settings, ask.kind == "assess"
    endpoint = expansion.judge if assess and expansion.judge else expansion.writer
    purpose = Purpose.ASSESS if assess else Purpose.EXPAND
    key = content_id("ask", *ask.key)
    body: dict[str, Json] = {
        "messages": [{"role": "system", "content": ask.rules}, {"role": "user", "content": ask.text}],
        endpoint.length_parameter: settings.max_tokens,
    }
    if settings.temperature is not None and not assess:
        body["temperature"] = settings.temperature
    if endpoint.seed and not assess:
        body["seed"] = int(key, 16) % 2**SEED_BITS
    mode = expansion.modes[endpoint.name]
    body |= response_format(purpose, schema_of(ask.kind), mode) | without_thinking(endpoint)
    return chat_request(PromptId(key), purpose, endpoint, body, draw=0)


def _stored(request: ChatRequest, ledger: Ledger) -> Outcome | None:
    stored = ledger.stored_reply(request.id)
    if stored is not None:
        return read_stored(request.id, stored)
    reason = ledger.fact(_passed_over(request))
    return None if reason is None else Failure(request.id, FailureKind.PERMANENT, reason)


def _passed_over(request: ChatRequest) -> str:
    return f"expand passed over {request.id}"


def _said(outcome: Outcome) -> Said:
    if isinstance(outcome, Failure):
        return NOTHING
    return Said(outcome.text or outcome.refusal or "", outcome.model, outcome.simulated)


def modes_of(
    endpoints: Sequence[Endpoint], modes: Mapping[EndpointName, Structured], ledger: Ledger | None
) -> dict[EndpointName, Structured]:
    """How each endpoint is asked for the shape of its replies, as far as the folder has learnt it."""
    by_name = {one.name: one for one in endpoints}
    asked = {name: modes[name] for name in by_name}
    return asked if ledger is None else shapes.learnt(by_name, asked, ledger)
