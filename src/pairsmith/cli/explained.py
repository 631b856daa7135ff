"""Lays out one prompt's evidence for a terminal, and says why it is a pair or none. Called by explain.py."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from pairsmith.cli.common import usd
from pairsmith.cli.shown import INDENT, lines_of, reading_columns, rule, styled

if TYPE_CHECKING:
    from pairsmith.explaining import Answer, Compared, Explained
    from pairsmith.outcomes import StoredPair
    from pairsmith.pairing import Pairing

MOST_LINES, MOST_CHARS = 12, 6000  # of one text, unless all of it is wanted

# Characters that would move the cursor, colour the screen, or turn the direction of what follows.
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")

FLAGS = {
    "empty": "it is empty",
    "cut_off": "it was cut off",
    "refusal": "it refuses",
    "reasoning_left": "reasoning is left in it",
    "tool_call": "it calls a tool",
    "mended": "it held broken characters",
    "unfinished": "it stops in mid-sentence",
    "duplicate": "a sibling says the same",
    "check": "a screen of the recipe's refused it",
}

# Why there is no pair, and what would change it.
REASONS = {
    "too_few_completions": "fewer than two completions can be used; more completions, or other arms, give more",
    "too_few_scored": "fewer than two usable completions have a score",
    "tie": "all completions are equally good, and a tie is no preference",
    "gap_too_small": "the couple is not far enough apart; a lower min_gap or verify_gap would take closer ones",
    "chosen_below_floor": "no chosen answer would be good enough; a lower chosen_floor would take it",
    "equal_sides": "both sides would be the same text",
    "order_conflict": "the two orders of a comparison contradict each other: the judge goes by position, or by a hair",
    "duel_tie": "compared side by side, neither is better in either order",
    "judges_disagree": "compared side by side, the one with the higher score did not win",
    "no_verdict": "a verdict that was needed was lost; what was stored is final, another judge would be asked anew",
    "too_long_to_rank": "the answers together are too long for one listwise prompt; raise rank_max_chars",
    "strategy_declined": "the recipe's own strategy picks no pair",
    "sides_missing": "no couple that `sides` allows passes the gates",
    "refusal_side": "a refusal may not stand on that side (refusals)",
    "cut_off_side": "an answer that was cut off may not stand on that side (cut_off)",
    "unfinished_side": "an unfinished answer may not stand on that side (unfinished)",
    "rejected_above_ceiling": "the rejected answer would be too good; a higher rejected_ceiling would take it",
    "length_ratio": "the lengths differ too much; a higher max_length_ratio would take them",
    "token_ratio": "the lengths in tokens differ too much; a higher max_token_ratio would take them",
    "near_duplicates": "the two use nearly the same words; a higher max_similarity would take them",
    "equal_after_cut": "cut to the trainer's length the two are the same; see trainer_max_tokens",
    "other_language": "an answer is in another language than was asked for; see language",
    "human_tie": "people prefer neither of the answers to the other",
}


def as_text(found: Explained, pairing: Pairing, where: str, full: bool) -> str:
    """The whole of it, as wide as the terminal."""
    prompt = found.prompt
    name = prompt.source_id or prompt.id
    lines = [rule(f"prompt {prompt.ordinal + 1} · {visible(name)}"), "", *_asked(found, full)]
    for answer in found.answers:
        lines += ["", *_answer(answer, _side_of(answer, found), full)]
    if found.compared:
        lines += ["", styled("COMPARED", bold=True), *(line for one in found.compared for line in _compared(one))]
    if found.lost:
        lines += ["", styled("NO PART OF IT", bold=True)]
        lines += [line for one in found.lost for line in _wrapped(f"{one.purpose} by {one.endpoint}: {one.why}")]
    lines += ["", rule("why"), ""]
    lines += [line for sentence in why(found, pairing, where) for line in _wrapped(sentence, "")]
    lines += ["", _paid(found)]
    return "\n".join(line.rstrip() for line in lines)


def visible(text: str) -> str:
    """The text with every character that a terminal would act on shown by its number instead."""
    return _UNSEEN.sub(lambda one: one[0].encode("unicode_escape").decode(), text)


def _asked(found: Explained, full: bool) -> Iterator[str]:
    prompt = found.prompt
    parts = [("SYSTEM", prompt.system)] if prompt.system else []
    parts += [(str(turn.get("role", "")).upper(), _content(turn)) for turn in prompt.messages]
    parts += [("REFERENCE", prompt.reference)] if prompt.reference else []
    for role, text in parts:
        yield styled(role, bold=True)
        yield from _text(text or "", full)
    if prompt.tools:
        yield styled(f"with {len(prompt.tools)} tools", dim=True)


def _content(turn: dict[str, Any]) -> str:
    content = turn.get("content")
    calls = turn.get("tool_calls")
    return content if isinstance(content, str) and content else f"[calls {len(calls)} tools]" if calls else ""


def _side_of(answer: Answer, found: Explained) -> str:
    sides = {pair[side]["completion"]: side for pair in found.pairs for side in ("chosen", "rejected")}
    return sides.get(answer.id, "").upper()


def _answer(answer: Answer, side: str, full: bool) -> Iterator[str]:
    mean = "" if answer.mean is None else f"  {answer.mean:.4g} of 10"
    tokens = "" if answer.output_tokens is None else f", {answer.output_tokens:,} tokens"
    about = f"   {answer.arm or 'not settled yet'}; {len(answer.text):,} characters{tokens}"
    head = f"#{answer.number}{f' {side}' if side else ''}"
    yield f"{styled(head, bold=True)}{mean}{styled(visible(about), dim=True)}"
    if how := _sampled(answer):
        yield INDENT + styled(how, dim=True)
    if answer.flags:
        yield from _wrapped("screened: " + ", ".join(FLAGS.get(flag, flag) for flag in answer.flags))
    if answer.marks:
        yield from _wrapped("judged all the same: " + ", ".join(FLAGS.get(mark, mark) for mark in answer.marks))
    yield from _text(answer.text, full)
    for score in answer.scores:
        said = f": {visible(score.rationale)}" if score.rationale else ""
        yield from (styled(line, dim=True) for line in _wrapped(f"{score.judge} {score.score:g}{said}"))


def _sampled(answer: Answer) -> str:
    effective = answer.sampled.get("effective") or {}
    parts = [f"{name} {value}" for name, value in effective.items() if value != "server default"]
    persona = answer.sampled.get("persona")
    return visible(", ".join([*([f"persona {persona}"] if persona else []), *parts]))


def _compared(one: Compared) -> Iterator[str]:
    shown = ", ".join(f"#{number}" for number in one.shown)
    if one.said is None:
        said = "a tie"
    elif len(one.said) == 1:
        said = f"#{one.said[0]} wins"
    else:
        said = "best to worst " + ", ".join(f"#{number}" for number in one.said)
    rationale = f": {visible(one.rationale)}" if one.rationale else ""
    yield from _wrapped(f"{one.judge}, shown {shown}: {said}{rationale}")


def _text(text: str, full: bool) -> list[str]:
    """A text as it can be read: cut to its beginning, with what is missing counted."""
    width = reading_columns() - len(INDENT)
    if full:
        return [INDENT + line for line in lines_of(visible(text), width)]
    cut = visible(text[:MOST_CHARS])
    lines = lines_of(cut, width)
    left = len(text) - MOST_CHARS
    if len(lines) > MOST_LINES:
        lines, left = lines[: MOST_LINES - 1], len(text) - sum(len(line) + 1 for line in lines[: MOST_LINES - 1])
    more = [f"[… about {left:,} more characters: --full shows them]"] if left > 0 else []
    return [INDENT + line for line in [*lines, *more]]


def _wrapped(sentence: str, indent: str = INDENT) -> list[str]:
    return textwrap.wrap(
        sentence, reading_columns(), initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False
    )


def _paid(found: Explained) -> str:
    retries = f" in {found.attempts:,} attempts" if found.attempts > found.calls else ""
    tokens = f"{found.input_tokens:,} tokens in, {found.output_tokens:,} out"
    return f"{found.calls:,} calls{retries}, {tokens}, {usd(found.cost_usd)}"


# --- why -------------------------------------------------------------------------------------------


def why(found: Explained, pairing: Pairing, where: str) -> list[str]:
    """Why this is the pair, or why there is none, one sentence each."""
    settled = found.settled
    if settled is None:
        return [f"Nothing has come of it yet: pairsmith run {where}"]
    if settled.kind == "pair":
        return [_why_pair(pair, found, pairing) for pair in found.pairs]
    if settled.kind == "failed":
        again = "" if settled.final else f"; it is asked again by: pairsmith run {where}"
        return [f"No pair: the calls for it failed ({settled.reason}){again}."]
    reason, detail = settled.reason or "", str(settled.body.get("detail") or "")
    said = REASONS.get(reason, "")
    return [f"No pair: {reason}{f' ({visible(detail)})' if detail else ''}{f': {said}' if said else ''}."]


def _why_pair(pair: StoredPair, found: Explained, pairing: Pairing) -> str:
    chosen, rejected = (found.number(pair[side]["completion"]) for side in ("chosen", "rejected"))
    rests = str(pair["provenance"].get("rule", ""))
    settings, gap = pairing.settings, pair["gap"]
    points = "" if gap is None else f"{gap:g} points apart"
    reasons = {
        "gap": f"{points}, and min_gap is {settings.least_gap:g}: the scores suffice",
        "duels": (f"{points}, below min_gap = {settings.least_gap:g}, so the two were compared: " if points else "")
        + "in both orders the chosen one wins",
        "rankings": "both rankings, in opposite orders, name the one first and the other last",
        "final": "in the final of the tournament the chosen one wins in both orders",
        "arms": f"nobody judged: {settings.sides} prefers the one arm to the other",
        "human": "people prefer it",
        "edit": "the chosen one is the rejected one, mended by hand",
    }
    strategy = pair["provenance"].get("strategy", "")
    return f"#{chosen} over #{rejected} ({strategy}): {reasons.get(rests, rests)}."
