"""What growing prompts will cost, before and while they are grown. Called by cli/plan.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

from pairsmith.collect.expand.methods import A_FEW
from pairsmith.collect.expand.settings import EVOLVE, PARAPHRASE, PERSONA, SITUATION, TOPICS, TRANSLATE, ExpandSettings
from pairsmith.collect.expand.topics import OF_FIELD
from pairsmith.expanding import Expansion, request_of
from pairsmith.judge.rates import share
from pairsmith.ledger import Spent
from pairsmith.planning.figures import Band, Figures, Key, ordered
from pairsmith.planning.forecast import Line
from pairsmith.planning.priors import CHARS_A_TOKEN, FIRST_TOKEN_S, TOKENS_A_SECOND, Typical, typical
from pairsmith.planning.tokens import request_tokens
from pairsmith.records import ChatRequest, Endpoint, Purpose

KNOWN_CALLS, KNOWN_PROMPTS = 8, 30  # from which on what was seen takes the place of what is assumed
KEPT = Band(0.9, 0.6, 0.25)  # an assumption: the share of prompts asked for that is kept, in a cheap run first
GOOD = Band(1.0, 0.8, 0.5)  # an assumption: the share of new prompts that a judge lets pass
LENGTHS = Band(0.7, 1.3, 2.5)  # an assumption: how long new prompts are, against the seeds
ASSUMED = Band("an assumption", "an assumption", "an assumption")
SEEN = Band("this run", "this run", "this run")


def lines_of(expansion: Expansion, owed: Sequence[ChatRequest], paid: Mapping[Key, Spent]) -> tuple[Line, ...]:
    """Calls and tokens of the writer, and of the judge if there is one.

    Args:
        expansion: replayed as far as its replies reach.
        owed: the requests that come next; none: nothing is left.
        paid: what was paid so far, by endpoint and purpose.
    """
    missing = expansion.harvest.wanted - len(expansion.harvest.kept) if owed else 0
    came = sum(one.came for one in expansion.harvest.tallies.values())
    good = sum(one.good for one in expansion.harvest.tallies.values())
    seen = share(good, came)
    known = came >= KNOWN_PROMPTS and good > 0
    kept = Band(seen.high or 1.0, seen.rate or 0.5, max(seen.low or 0.0, 0.05)) if known else KEPT
    rests = SEEN if known else ASSUMED
    a_call = _prompts_a_call(expansion.settings)
    settings = expansion.settings
    tree = 1 + OF_FIELD if missing and not came and TOPICS in settings.weights and not settings.topics else 0
    calls = kept.map(lambda part: missing / (a_call * part) + tree)
    chars = fmean(len(seed.text) for seed in expansion.stock.seeds)
    written = LENGTHS.map(lambda factor: a_call * (factor * chars / CHARS_A_TOKEN + 4))
    lines = [_line(expansion.writer, Purpose.EXPAND, calls, owed, written, paid, rests)]
    if expansion.judge is not None:
        ask = expansion.means.words.of_assess(
            expansion.stock.seeds[0].text, [one.text for one in expansion.stock.seeds[:3]], ("plan",)
        )
        model = typical(expansion.judge.model)
        verdict = Band(*[model.verdict_chars / CHARS_A_TOKEN] * 3)
        looked_at = (kept if known else GOOD).map(lambda part: missing / part)
        asked = [request_of(ask, expansion)]
        lines.append(_line(expansion.judge, Purpose.ASSESS, looked_at, asked, verdict, paid, rests))
    return tuple(lines)


def _line(
    endpoint: Endpoint,
    purpose: Purpose,
    calls: Band[float],
    owed: Sequence[ChatRequest],
    written: Band[float],
    paid: Mapping[Key, Spent],
    calls_rest: Band[str],
) -> Line:
    """One line; tokens as they were so far, once there were a few calls."""
    so_far, model = paid.get((endpoint.name, purpose)), typical(endpoint.model)
    known = so_far is not None and so_far.calls >= KNOWN_CALLS
    input = fmean([request_tokens(one, model.chars_a_token or CHARS_A_TOKEN) for one in owed]) if owed else 0.0
    output = written.map(lambda tokens: tokens + model.thinking_tokens)
    if known and so_far is not None:
        input, mean = so_far.input_tokens / so_far.calls, so_far.output_tokens / so_far.calls
        output = Band(mean, mean, mean)
    pairs = ((calls.low, output.low), (calls.likely, output.likely), (calls.high, output.high))
    left = ordered(Band(*[Figures(n, n * input, 0.0, n * tokens) for n, tokens in pairs]))
    done = Figures(so_far.calls, so_far.input_tokens, 0.0, so_far.output_tokens) if so_far else Figures()
    return Line(
        endpoint=endpoint.name,
        purpose=purpose,
        whole=left.map(lambda figures: done + figures),
        left=left,
        calls_rest=calls_rest,
        tokens_rest=SEEN if known else ASSUMED,
        seconds=_seconds(model, output.likely),
        timed=False,
        max_tokens=round(output.high),
    )


def _seconds(model: Typical, output: float) -> float:
    return FIRST_TOKEN_S + output / TOKENS_A_SECOND if model.seconds is None else model.seconds


def _prompts_a_call(settings: ExpandSettings) -> float:
    """How many prompts are asked for in a call, by the methods' shares."""
    few = {TOPICS: A_FEW, PERSONA: A_FEW, SITUATION: A_FEW, PARAPHRASE: A_FEW, EVOLVE: 2, TRANSLATE: 1}
    weights = settings.weights
    calls = sum(
        weight / min(settings.per_call, few.get(method, settings.per_call)) for method, weight in weights.items()
    )
    return sum(weights.values()) / calls
