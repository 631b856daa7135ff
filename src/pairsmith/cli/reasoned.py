"""Says in sentences why one prompt came to its pair, or why to none and what would change it. Called by explained.py.

Only numbers and names of the ledger and the recipe stand in them, never a text of an answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import floor
from typing import TYPE_CHECKING, Any

from pairsmith.judge.noise import PROMPTS
from pairsmith.reviewing import LEFT_OUT, REVIEW
from pairsmith.show.reasons import REASONS

if TYPE_CHECKING:
    from pairsmith.explaining import Answer, Compared, Explained
    from pairsmith.outcomes import StoredPair
    from pairsmith.pair.settings import PairSettings
    from pairsmith.pairing import Pairing

FLAG_REMEDIES = {
    "empty": "look at what the endpoint sends",
    "cut_off": "sample.max_tokens cuts answers off, pair.cut_off drops them",
    "refusal": "pair.refusals says what may become of refusals",
    "reasoning_left": 'the endpoint\'s reasoning = "strip" cuts it off',
    "tool_call": "without tools the model would answer",
    "mended": "look at the server's tokenizer",
    "unfinished": "pair.unfinished says what may become of such",
    "duplicate": "a higher temperature, or more arms, give other texts",
    "check": "sample.screens refuses them",
}
STRATEGIES = {
    "best-worst": "the best and the worst, among those within 0.5 points of the worst the one closest in length",
    "best-random": "the best, and a worse one that a hash draws",
    "best-second": "the best, and the next one below it",
    "worst-of-five": "the best, and the worst of five others that a hash draws",
    "sweet-spot": "the best, and the one nearest to two standard deviations below the mean",
    "closest-length": "of all couples the one whose lengths differ least in proportion",
    "hardest": "of all couples the one with the smallest gap that needs no comparing",
    "all-gaps": "couples by their gap, the widest first",
    "delta": "one arm over another, as sides says",
    "tournament": "its first and its last",
    "first-last": "the first and the last of both rankings",
    "preferred": "the couple that most people prefer in the same way",
}

# Of gates that a setting alone opens: which one, and what it takes now.
SETTINGS = {
    "sides_missing": "sides",
    "refusal_side": "refusals",
    "cut_off_side": "cut_off",
    "unfinished_side": "unfinished",
    "rejected_above_ceiling": "rejected_ceiling",
    "length_ratio": "max_length_ratio",
    "token_ratio": "max_token_ratio",
    "near_duplicates": "max_similarity",
    "equal_after_cut": "trainer_max_tokens",
    "other_language": "language",
}
REMEDIES = {
    "too_few_scored": "Another judge (judge.panel), or more judge.max_tokens, is asked anew by: pairsmith run {where}",
    "tie": "More completions, other arms or another judge may tell them apart: pairsmith run {where}",
    "equal_sides": "More completions, or other arms, give other texts.",
    "no_verdict": "Another judge (judge.panel), or more judge.max_tokens, is asked anew by: pairsmith run {where}",
    "too_long_to_rank": "A higher judge.rank_max_chars has them ranked, protocol = score judges each alone: then "
    "pairsmith run {where}",
    "strategy_declined": "Another strategy may pick one, for nothing: pairsmith pair {where} --strategy best-worst -o "
    "FILE",
    "human_tie": "Further verdicts in the prompt file, or none there and a judge in the recipe, may settle it.",
}


def why(found: Explained, rules: Pairing, where: str) -> list[str]:
    """Why this is the pair, or why there is none and what would change that, one sentence each."""
    return [*_settled(found, rules, where), *filter(None, (_as_reviewed(one, found) for one in found.as_reviewed))]


def _settled(found: Explained, rules: Pairing, where: str) -> list[str]:
    settled = found.settled
    if settled is None:
        return [_unsettled(found, where)]
    if settled.kind == "pair":
        return [sentence for pair in found.pairs for sentence in _of_pair(pair, found, rules)]
    if settled.kind == "failed":
        if settled.final:
            return [
                f"No pair: calls for it failed ({settled.reason}); only another prompt, model or arm is asked anew."
            ]
        return [f"No pair: calls for it failed ({settled.reason}); they are asked again by: pairsmith run {where}"]
    reason, detail = settled.reason or "", str(settled.body.get("detail") or "")
    said = REASONS.get(reason, "")
    sentence = f"No pair: {reason}{f' ({detail})' if detail else ''}{f': {said}' if said else ''}."
    return [sentence, *_standings(found, rules), *_remedies(reason, found, rules, where)]


def _as_reviewed(pair: StoredPair | str, found: Explained) -> str:
    """What people's verdicts make of it in a dataset; "": nothing."""
    if isinstance(pair, str):
        return f"It is not exported: {LEFT_OUT[pair]}."
    provenance = pair["provenance"]
    if "edited_from" in provenance:
        return f"Exported is the text that #{found.number(pair['rejected']['completion'])} was mended into, over that."
    if "judged_by" in provenance:
        return "People confirm it."
    if provenance.get("rule") != REVIEW:
        return ""
    chosen, rejected = (found.number(pair[side]["completion"]) for side in ("chosen", "rejected"))
    return f"People have the last word: exported is #{chosen} over #{rejected}."


def _unsettled(found: Explained, where: str) -> str:
    verdicts = sum(one.kind == "early" for one in found.besides)
    if not (found.answers or found.besides):
        why = "it was not reached, or no call for it was answered"
        return f"Nothing has come of it yet: {why}. To go on: pairsmith run {where}"
    stored = f"{_so_many(len(found.answers), 'completion')} and {_so_many(verdicts, 'verdict')}"
    return f"Nothing has come of it yet: {stored} are there, and more is owed. To go on: pairsmith run {where}"


# --- a pair ------------------------------------------------------------------------------------------


def _of_pair(pair: StoredPair, found: Explained, rules: Pairing) -> Iterator[str]:
    chosen, rejected = (found.answers[found.number(pair[side]["completion"]) - 1] for side in ("chosen", "rejected"))
    proof = pair["provenance"]
    strategy, rule = str(proof.get("strategy", "")), str(proof.get("rule", ""))
    strategy = "tournament" if rule == "final" else strategy
    liked = STRATEGIES.get(strategy, "picked by the recipe's own function")
    yield f"#{chosen.number} is chosen, #{rejected.number} is rejected ({strategy}: {liked})."
    gap = pair["gap"]
    if gap is not None:
        yield _points_apart(chosen, rejected, gap, rule, rules.settings)
    if rule in ("duels", "final"):
        yield f"Both orders prefer #{chosen.number}: {_held(_between(found, chosen, rejected))}."
    elif rule == "rankings":
        judges = " and ".join(str(one["judge"]) for one in _rows(proof.get("rankings")))
        yield f"Two rankings in opposite orders ({judges}) name #{chosen.number} first and #{rejected.number} last."
    elif rule == "arms":
        yield f"Nobody judged: {rules.settings.sides} prefers {chosen.arm} to {rejected.arm}."
    elif rule in ("human", "edit"):
        yield _of_people(_rows(proof.get("said")), chosen, rejected, rule)


def _points_apart(chosen: Answer, rejected: Answer, gap: float, rule: str, settings: PairSettings) -> str:
    apart = f"{_standing(chosen)}, {_standing(rejected)}: {_apart(gap)}"
    if rule == "gap":
        return f"{apart}, and min_gap is {settings.least_gap:g}: the scores suffice."
    return f"{apart} < min_gap {settings.least_gap:g}, so the two were compared."


def _apart(gap: float) -> str:
    return f"{gap:.4g} point{'' if gap == 1 else 's'} apart"


def _standing(answer: Answer) -> str:
    """Such as "#1 has 8.5 (first 8, second 9)"."""
    said = [f"{one.judge} {one.score:.4g}" for one in answer.scores]
    each = f" ({', '.join(said)})" if len(said) > 1 else ""
    return f"#{answer.number} has {'no points' if answer.mean is None else f'{answer.mean:.4g}'}{each}"


def _between(found: Explained, one: Answer, other: Answer) -> list[Compared]:
    couple = {one.number, other.number}
    both = [held for held in found.compared if len(held.shown) == 2 and set(held.shown) == couple]
    return list({held.shown: held for held in both}.values())


def _held(compared: list[Compared]) -> str:
    def winner(one: Compared) -> str:
        return "a tie" if one.said is None else f"#{one.said[0]} wins"

    return "; ".join(f"{one.judge}, with #{one.shown[0]} shown first: {winner(one)}" for one in compared)


def _of_people(said: list[dict[str, Any]], chosen: Answer, rejected: Answer, rule: str) -> str:
    if rule == "edit":
        return f"Nobody judged: #{chosen.number} is #{rejected.number}, mended by hand."
    votes = [sum(one.get("preferred") == side.id for one in said) for side in (chosen, rejected)]
    return (
        f"No judge was asked: of {_so_many(len(said), 'verdict')} of people on the two, {votes[0]} for "
        f"#{chosen.number}, {votes[1]} for #{rejected.number}, {len(said) - sum(votes)} for neither."
    )


def _rows(value: Any) -> list[dict[str, Any]]:
    return [row for row in value or () if isinstance(row, dict)]


# --- none ---------------------------------------------------------------------------------------------


def _ranked(found: Explained) -> list[Answer]:
    return [one for one in found.answers if one.mean is not None and not one.flags]


def _standings(found: Explained, rules: Pairing) -> Iterator[str]:
    """What the points and the comparisons of the couple were."""
    ranked = _ranked(found)
    if len(ranked) > 1:
        best, worst = ranked[0], ranked[-1]
        gap = (best.mean or 0.0) - (worst.mean or 0.0)
        gates = rules.settings
        close = gates.verify_gap < gates.least_gap
        compared = f", from verify_gap = {gates.verify_gap:g} up the two are compared" if close else ""
        yield (
            f"Best and worst: {_standing(best)}, {_standing(worst)}: {_apart(gap)}. From min_gap = "
            f"{gates.least_gap:g} up scores suffice{compared}; the chosen one needs chosen_floor = "
            f"{gates.chosen_floor:g}."
        )
    held = [one for one in found.compared if len(one.shown) == 2]
    if held and rules.protocol == "score":
        yield f"Compared: {_held(held)}."


def _remedies(reason: str, found: Explained, rules: Pairing, where: str) -> Iterator[str]:
    """What would change it, by which setting."""
    settings = rules.settings
    if reason in ("gap_too_small", "chosen_below_floor"):
        yield from _lower_gates(found, rules, where)
    elif reason == "too_few_completions":
        flags = dict.fromkeys(flag for one in found.answers for flag in one.flags)
        hints = [FLAG_REMEDIES[flag] for flag in flags if flag in FLAG_REMEDIES]
        yield "; ".join(["More completions (sample.completions) may give another", *hints]) + "."
    elif reason in SETTINGS:
        now = getattr(settings, SETTINGS[reason])
        yield f"pair.{SETTINGS[reason]} = {now} says so; another value costs nothing: " + _pair(where, SETTINGS[reason])
    elif reason in ("order_conflict", "duel_tie", "judges_disagree"):
        yield from _despite_comparing(reason, found, rules, where)
    elif reason == "too_few_scored" and any(one.points is None for answer in found.answers for one in answer.scores):
        yield f"What a reward model's numbers mean in points is not known: {PROMPTS} prompts show it."
    elif reason in REMEDIES:
        yield REMEDIES[reason].format(where=where)


def _lower_gates(found: Explained, rules: Pairing, where: str) -> Iterator[str]:
    ranked, settings = _ranked(found), rules.settings
    if len(ranked) < 2:
        return
    best, gap = ranked[0].mean or 0.0, (ranked[0].mean or 0.0) - (ranked[-1].mean or 0.0)
    lower = {"chosen_floor": best} if best < settings.chosen_floor else {}
    if gap < settings.least_gap:
        lower |= {"min_gap": gap, "verify_gap": min(gap, settings.verify_gap)}
    sets = [f"{key}={floor(value * 100) / 100:g}" for key, value in lower.items()]
    if all(value >= 0.01 for value in lower.values()):
        yield f"Lower gates would take best and worst by the scores alone, for nothing: {_pair(where, *sets)}"
    if settings.verify_gap > gap and rules.of_kind("chat"):
        lower_gap = f"pair.verify_gap={floor(gap * 100) / 100:g}"
        yield f"To have the two compared in both orders instead: pairsmith run {where} --set {lower_gap}"


def _despite_comparing(reason: str, found: Explained, rules: Pairing, where: str) -> Iterator[str]:
    held = [one for one in found.compared if len(one.shown) == 2]
    if rules.protocol == "rank" and reason == "order_conflict" and not held:
        yield f'With judge.rank_conflict = "duel" the two would be compared: pairsmith run {where}'
        return
    if rules.protocol == "score" and held:
        means = [found.answers[number - 1].mean or 0.0 for number in held[-1].shown]
        gap = floor(abs(means[0] - means[1]) * 100) / 100
        lower = _pair(where, f"min_gap={gap:g}", f"verify_gap={min(gap, rules.settings.verify_gap):g}")
        yield f"The scores alone would prefer one, against what was said of the two side by side: {lower}"
    yield f"Another judge (judge.panel) is asked anew by: pairsmith run {where}"


def _pair(where: str, *settings: str) -> str:
    sets = "".join(f" --set pair.{one if '=' in one else f'{one}=…'}" for one in settings)
    return f"pairsmith pair {where}{sets} -o FILE"


def _so_many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"
