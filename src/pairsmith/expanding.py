"""Grows prompts from seeds: what the growing asks is paid through the ledger, so that it goes on where it ended.

What is asked and what is kept is collect/expand/'s. Called by running/grown.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

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
    paid = _Paid(expansion, ledger, engine, expansion.modes)
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


@dataclass(slots=True)
class _Paid:
    """Has asks answered, by the ledger where it knows the answer."""

    expansion: Expansion
    ledger: Ledger
    engine: Engine
    modes: dict[EndpointName, Structured]
    shapes: Shapes = field(init=False)
    refused: list[Failure] = field(default_factory=list)
    answered: bool = False

    def __post_init__(self) -> None:
        self.shapes = Shapes(self.expansion.endpoints, self.modes, self.ledger, lambda text: self.engine.say(text))

    async def pay(self, asks: Sequence[Ask]) -> list[Said]:
        """The replies, in order.

        Raises:
            Stopped: the run is stopping, or the endpoint takes nothing of what it is asked.
        """
        found: dict[int, Outcome] = {}
        while waiting := [place for place in range(len(asks)) if place not in found]:
            requests = {place: self._request(asks[place]) for place in waiting}
            owed: dict[int, ChatRequest] = {}
            for place, request in requests.items():
                outcome = self._stored(request)
                if outcome is None:
                    owed[place] = request
                else:
                    found[place] = outcome
            if owed:
                await self._pay(owed, found)
        return [self._said(found[place]) for place in range(len(asks))]

    async def _pay(self, owed: dict[int, ChatRequest], found: dict[int, Outcome]) -> None:
        """Pay these; one that was asked for a shape that its endpoint does not take is owed again, in another."""
        before = dict(self.modes)
        outcomes = await self.engine.pay(list(owed.values()))
        if any(outcome is None for outcome in outcomes):
            raise self.engine.stopped or Stopped("interrupted", "interrupted; run the same command again to continue")
        for (place, request), outcome in zip(owed.items(), outcomes, strict=True):
            assert outcome is not None
            self.shapes.learn(request, outcome)
            shape = isinstance(outcome, Failure) and outcome.parameter == "response_format"
            if shape and self.modes != before:
                continue
            await self._notice(request, outcome)
            found[place] = outcome

    def _stored(self, request: ChatRequest) -> Outcome | None:
        stored = self.ledger.stored_reply(request.id)
        if stored is not None:
            self.answered = True
            return read_stored(request.id, stored)
        reason = self.ledger.fact(_passed_over(request))
        return None if reason is None else Failure(request.id, FailureKind.PERMANENT, reason)

    async def _notice(self, request: ChatRequest, outcome: Outcome) -> None:
        """A call that came to nothing is passed over for good: what is asked later rests on that."""
        if isinstance(outcome, Reply):
            self.answered = True
            return
        if outcome.reason == "bad_request" and not self.answered:
            self.refused.append(outcome)
            if len(self.refused) >= REFUSED:
                raise Stopped(
                    "parameter_refused",
                    f"endpoint {request.endpoint} refuses what it is asked ({outcome.message}): change "
                    "[prompts.expand] or the endpoint, and run it again",
                )
            return
        await self.ledger.learn(_passed_over(request), outcome.reason)

    def _request(self, ask: Ask) -> ChatRequest:
        expansion, settings = self.expansion, self.expansion.settings
        assess = ask.kind == "assess"
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
        body |= response_format(purpose, schema_of(ask.kind), self.modes[endpoint.name]) | without_thinking(endpoint)
        return chat_request(PromptId(key), purpose, endpoint, body, draw=0)

    def _said(self, outcome: Outcome) -> Said:
        if isinstance(outcome, Failure):
            return NOTHING
        return Said(outcome.text or outcome.refusal or "", outcome.model, outcome.simulated)


def _passed_over(request: ChatRequest) -> str:
    return f"expand passed over {request.id}"


def modes_of(
    endpoints: Sequence[Endpoint], modes: dict[EndpointName, Structured], ledger: Ledger
) -> dict[EndpointName, Structured]:
    """How each endpoint is asked for the shape of its replies, as far as the folder has learnt it."""
    by_name = {one.name: one for one in endpoints}
    return shapes.learnt(by_name, {name: modes[name] for name in by_name}, ledger)
