"""What a run will cost: calls and tokens by endpoint and purpose, each with what it rests on.

Every prompt that is kept of the input is rehearsed in three worlds; what the run so far shows takes the place of what
is assumed. Pure: prompts, stored replies and rates are arguments. Called by cli/plan.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from pairsmith.planning.figures import NOTHING, Band, Figures, Key, ordered
from pairsmith.planning.learnt import Known, calls_ratio, figures_of, learnt
from pairsmith.planning.priors import FIRST_TOKEN_S, TOKENS_A_SECOND, typical
from pairsmith.planning.rehearsal import Asked, Taken, rehearsed, replayed
from pairsmith.planning.resting import Grounds, rests
from pairsmith.planning.survey import KEPT, Part, Survey
from pairsmith.planning.tokens import Rate
from pairsmith.planning.worlds import Name, World
from pairsmith.records import EndpointName, Outcome, PromptId, Purpose, RequestId
from pairsmith.work import Work

Stored: TypeAlias = Callable[[PromptId], Mapping[RequestId, Outcome]]
Bill: TypeAlias = dict[Key, Figures]
Weighed: TypeAlias = "list[tuple[float, Sequence[Asked]]]"
NAMES: tuple[Name, ...] = ("low", "likely", "high")
MOST_TURNS = 2


@dataclass(frozen=True, slots=True)
class Line:
    """One endpoint and purpose: what the whole input takes, and what of it is left.

    `calls_rest` and `tokens_rest` say what these rest on, `seconds` how long one of its calls takes.
    """

    endpoint: EndpointName
    purpose: Purpose
    whole: Band[Figures]
    left: Band[Figures]
    calls_rest: Band[str]
    tokens_rest: Band[str]
    seconds: float
    timed: bool  # whether that was measured on this run
    max_tokens: int  # of one answer


def forecast(work: Work, input: Survey, stored: Stored, rate: Rate) -> tuple[Line, ...]:
    """Forecast a run.

    Args:
        work: what it decides by; with what is known of its judges, if something is.
        input: the prompts; of those that are settled every answer is stored.
        stored: the answers that the run folder has for a prompt.
        rate: characters a token, for models that nothing better is known of.
    """
    models = {name: typical(endpoint.model) for name, endpoint in work.endpoints.items()}
    rates = {name: model.chars_a_token or rate.chars_a_token for name, model in models.items()}
    low_world, likely_world, high_world = (World(name, work, models, rates) for name in NAMES)
    settled, owed = _taken(input.settled, stored), _taken(input.owed, stored)
    done = replayed(_prompts(settled), work)
    low, high = (_weighed(owed, rehearsed(_prompts(owed), world)) for world in (low_world, high_world))
    likely = _often(owed, likely_world)
    behind = _weighed(settled, done)
    known = learnt((one for _, asked in (*behind, *likely) for one in asked), rates)
    ratios = calls_ratio(done, rehearsed([Taken(one.prompt, {}) for _, one in settled], likely_world))
    paid = _bill([*behind, *likely], lambda one: figures_of(one, rates) if one.stored else NOTHING)
    cheap = {name for name, one in work.endpoints.items() if one.price and one.price.cached_input is not None}

    def ahead(one: Asked, cached: bool = False) -> Figures:
        return NOTHING if one.stored else figures_of(one, rates, cached and one.request.endpoint in cheap)

    bills = Band(_bill(low, lambda one: ahead(one, cached=True)), _bill(likely, ahead), _bill(high, ahead))
    grounds = Grounds(work, models, rate, known, ratios, len(done))
    keys = {*paid, *bills.low, *bills.likely, *bills.high}
    return tuple(
        _line(key, paid.get(key, NOTHING), _left(key, bills, known.get(key), ratios.get(key)), grounds)
        for key in sorted(keys, key=lambda key: (list(Purpose).index(key[1]), list(work.endpoints).index(key[0])))
    )


def _taken(parts: Iterable[Part], stored: Stored) -> list[tuple[float, Taken]]:
    """The prompts kept of these parts, each with the number of those that it stands for."""
    return [(part.weight, Taken(prompt, stored(prompt.id))) for part in parts for prompt in part.kept.values()]


def _weighed(taken: Sequence[tuple[float, Taken]], asked: Sequence[Sequence[Asked]]) -> Weighed:
    return [(weight, requests) for (weight, _), requests in zip(taken, asked, strict=True)]


def _prompts(taken: Sequence[tuple[float, Taken]]) -> list[Taken]:
    return [one for _, one in taken]


def _often(taken: Sequence[tuple[float, Taken]], world: World) -> Weighed:
    """Rehearsed several times where the prompts are few, so that the likely figure is no throw of the dice itself."""
    turns = max(1, min(MOST_TURNS, KEPT // max(1, len(taken))))
    shared = [(weight / turns, one) for weight, one in taken]
    return [
        found
        for turn in range(turns)
        for found in _weighed(shared, rehearsed(_prompts(shared), replace(world, turn=turn)))
    ]


def _bill(prompts: Weighed, figures: Callable[[Asked], Figures]) -> Bill:
    """The sum by endpoint and purpose."""
    bill: Bill = defaultdict(Figures)
    for weight, asked in prompts:
        for one in asked:
            bill[one.request.endpoint, one.request.purpose] += figures(one).times(weight)
    return dict(bill)


def _left(key: Key, bills: Band[Bill], known: Known | None, ratio: Band[float] | None) -> Band[Figures]:
    """What is left of one line: as rehearsed, corrected by what the run shows of calls and of their tokens."""
    figures = bills.map(lambda bill: bill.get(key, NOTHING))
    likely = figures.likely
    calls = figures.map(lambda one: one.calls) if ratio is None else ratio.map(lambda one: one * likely.calls)
    if known is not None:
        tokens = known.output.map(lambda output: _as_known(likely, known, output))
    else:
        tokens = figures.map(lambda one: one.times(1 / one.calls) if one.calls else NOTHING)
    return ordered(Band(tokens.low.times(calls.low), tokens.likely.times(calls.likely), tokens.high.times(calls.high)))


def _as_known(likely: Figures, known: Known, output: float) -> Figures:
    """One call, with the tokens that calls of this kind have had so far."""
    if not likely.calls:
        return NOTHING
    input = known.input_factor * likely.input / likely.calls
    return Figures(1.0, input, known.cached_share * input, output, known.reasoning_share * output)


def _line(key: Key, paid: Figures, left: Band[Figures], grounds: Grounds) -> Line:
    endpoint, purpose = key
    calls_rest, tokens_rest = rests(key, grounds)
    model, of_key = grounds.models[endpoint], grounds.known.get(key)
    timed = [one.seconds for (name, _), one in grounds.known.items() if name == endpoint]
    timed = [of_key.seconds] if of_key else timed
    output = left.likely.output / left.likely.calls if left.likely.calls else 0.0
    assumed = FIRST_TOKEN_S + output / TOKENS_A_SECOND if model.seconds is None else model.seconds
    return Line(
        endpoint=endpoint,
        purpose=purpose,
        whole=left.map(lambda figures: paid + figures),
        left=left,
        calls_rest=calls_rest,
        tokens_rest=tokens_rest,
        seconds=timed[0] if timed else assumed,
        timed=bool(timed),
        max_tokens=_max_tokens(purpose, grounds.work),
    )


def _max_tokens(purpose: Purpose, work: Work) -> int:
    if purpose is Purpose.SAMPLE and work.recipe.sample is not None:
        return work.recipe.sample.max_tokens
    judge = work.recipe.judge
    return judge.reference_max_tokens if purpose is Purpose.REFERENCE else judge.max_tokens
