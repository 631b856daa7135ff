"""Pairs again from what a run folder holds: its settled prompts, settled anew under other rules, for nothing.

No endpoint, no key, no input. What was judged stays as it was judged; a close call that nobody compared is no pair.
Called by the command line (`pair`, `audit`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, cast

from pairsmith import measuring, pairing
from pairsmith.dataset import Texts, sampled_by
from pairsmith.errors import LedgerError
from pairsmith.ledger import Ledger, Settled
from pairsmith.outcomes import completions_in, pair_rows, placed_as, usable_ids, verdicts_in
from pairsmith.pairing import Pairing, pairing_of, strategy_of
from pairsmith.recipe import Recipe
from pairsmith.records import (
    Abstention,
    Completion,
    Duel,
    EndpointName,
    Noise,
    Pair,
    Prompt,
    Settlement,
    Undecided,
)
from pairsmith.sample.settings import is_given

CHUNK = 64  # prompts whose texts are read at a time
NOT_COMPARED = "not_compared"
_OF_VERDICTS = (
    "too_few_completions",
    "no_verdict",
    "too_long_to_rank",
    "order_conflict",
    "duel_tie",
    "judges_disagree",
)


def pairing_in(recipe: Recipe, ledger: Ledger, digest: str) -> Pairing:
    """How a recipe settles the prompts of a run folder, with what that run found out about its judges.

    Args:
        recipe: the run's own, perhaps with another [pair] table.
        ledger: the run folder's.
        digest: of the work whose outcomes are settled again.

    Raises:
        UserError: a file that the [pair] table names cannot be read, or it names what gives no answers.
    """
    found = pairing_of(recipe, sampled_by(ledger, digest), strategy_of(recipe))
    return pairing.measured(found, recipe, measuring.known_under(digest, ledger) or Noise())


def paired_again(
    outcomes: Iterable[tuple[Prompt, Settled]], ways: Sequence[Pairing], texts: Texts
) -> Iterator[tuple[Prompt, list[Settled]]]:
    """Each settled prompt as each of these ways settles it; prompts that failed stay as they are.

    Raises:
        LedgerError: an earlier version settled them, and did not keep enough.
    """
    rest = iter(outcomes)
    while chunk := list(islice(rest, CHUNK)):
        texts.fetch(ident for _, settled in chunk for ident in usable_ids(settled.body))
        for prompt, settled in chunk:
            if settled.kind == "failed":
                yield prompt, [settled] * len(ways)
                continue
            completions = _completions(prompt, settled, texts, ways[0].arms)
            yield prompt, [_again(prompt, settled, completions, way) for way in ways]


def _again(prompt: Prompt, settled: Settled, known: Sequence[Completion], again: Pairing) -> Settled:
    prompt, tolerated = placed_as(prompt, settled.body), again.settings.tolerated
    completions = [one for one in known if tolerated.issuperset(one.marks)]
    if prompt.preferences:
        return _settled(settled, again.settle_preferred(prompt, completions), completions)
    if len(completions) < 2:
        if settled.reason == "too_few_completions":
            return settled
        few = Abstention(prompt.id, "too_few_completions", f"{len(completions)} of them may be a side")
        return _settled(settled, few, completions)
    if again.protocol != "score":
        return _orders_again(prompt, settled, again, completions)
    found: Settlement = Abstention(prompt.id, "too_few_completions", "fewer than two of the first draws may be a side")
    some: Sequence[Completion] = ()
    for some in _draw_by_draw(settled, completions, again.first):
        found = _scored_again(prompt, settled, again, some) if len(some) > 1 else found
        if isinstance(found, Pair):
            break
    return _settled(settled, found, some)


def _draw_by_draw(
    settled: Settled, completions: Sequence[Completion], first: int | None
) -> Iterator[Sequence[Completion]]:
    """The completions as they were drawn: at once; or, where a prompt got more while it had no pair, one by one."""
    drawn = [row[6] for row in cast(Any, settled.body["arms"]) if not is_given(row[0])]
    if first is None or len(drawn) <= first:
        yield completions
        return
    for count in range(first, len(drawn) + 1):
        later = set(drawn[count:])
        yield [one for one in completions if one.id not in later]


def _scored_again(
    prompt: Prompt, settled: Settled, again: Pairing, completions: Sequence[Completion]
) -> Pair | Abstention:
    scores, duels, _ = verdicts_in(settled.body)
    found = again.settle(prompt, completions, scores, duels)
    return _not_compared(prompt, found, duels, settled) if isinstance(found, Undecided) else found


def _orders_again(prompt: Prompt, settled: Settled, again: Pairing, completions: Sequence[Completion]) -> Settled:
    """Of rankings and tournaments: where the verdicts gave no couple, that stays; else the texts are asked again."""
    _, duels, rankings = verdicts_in(settled.body)
    final = _final(duels)
    known = {one.id for one in completions}
    if not (final or len(rankings) == 2):
        if settled.kind != "pair":
            return settled
        return _settled(settled, Abstention(prompt.id, "no_verdict", "what it rests on is not there"), completions)
    sides = {side for one in final for side in (one.first, one.second)} or {
        ident for one in rankings for ident in (one.order[0], one.order[-1])
    }
    if not sides <= known:
        gone = Abstention(prompt.id, "too_few_completions", "one of the two may not be a side")
        return _settled(settled, gone, completions)
    found = again.settle_orders(prompt, completions, rankings, final)
    if isinstance(found, Abstention) and settled.reason in _OF_VERDICTS:
        return settled
    return _settled(settled, found, completions)


def _final(duels: list[Duel]) -> list[Duel]:
    """The two duels of the couple that was compared in both orders; all other games are asked in one.

    A game of that couple by another judge came before them.
    """
    last = {(one.first, one.second): one for one in duels}
    return [one for one in last.values() if (one.second, one.first) in last]


def _completions(prompt: Prompt, settled: Settled, texts: Texts, arms: Mapping[str, EndpointName]) -> list[Completion]:
    """What could be a side of the prompt's pair, with its text as it is stored."""
    whole = texts.of(prompt, usable_ids(settled.body))
    try:
        return completions_in(settled.body, prompt.id, whole, arms)
    except ValueError:
        raise LedgerError(
            "an earlier version of pairsmith settled these prompts: run the recipe once more, which asks nothing anew "
            "(pairsmith run RUN_DIR)"
        ) from None


def _not_compared(prompt: Prompt, close: Undecided, duels: list[Duel], settled: Settled) -> Abstention:
    """A close call whose verdicts are not all there: it is no pair, by what is known of it or for want of them."""
    held = [one for one in duels if {one.first, one.second} == {close.first, close.second}]
    if settled.reason == "no_verdict" and (held or not duels):  # it was asked, and a verdict was lost
        return Abstention(prompt.id, "no_verdict", str(settled.body.get("detail", "")))
    if any(one.winner != close.first for one in held):  # the other order could change nothing
        return Abstention(prompt.id, "judges_disagree", "the worse one wins, or a tie, in one order")
    return Abstention(prompt.id, NOT_COMPARED, "a close call that no judge has compared: pairsmith run asks for it")


def _settled(before: Settled, found: Settlement, completions: Sequence[Completion]) -> Settled:
    body = {key: value for key, value in before.body.items() if key not in ("pair", "more_pairs", "detail", "gate")}
    kind, reason, pairs = "pair", None, 0
    if isinstance(found, Pair):
        body |= pair_rows(found, completions)
        pairs = 1 + len(found.further)
    else:
        assert isinstance(found, Abstention)
        kind, reason = "abstained", found.reason
        body["detail"] = found.detail
    return Settled(kind, reason, before.final, before.completions, before.verdicts, body, pairs)
