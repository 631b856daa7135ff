"""Lays out one prompt's evidence for a terminal; nothing of it moves the cursor or colours the screen.

Called by explain.py. Why it is a pair or none is said by reasoned.py.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from pairsmith.cli.common import usd
from pairsmith.cli.reasoned import why
from pairsmith.cli.shown import INDENT, lines_of, reading_columns, rule, styled
from pairsmith.show.reasons import FLAGS

if TYPE_CHECKING:
    from pairsmith.beside import Beside
    from pairsmith.explaining import Answer, Compared, Explained, Given, Rung, Vote
    from pairsmith.pairing import Pairing
    from pairsmith.records import Prompt

MOST_LINES, MOST_CHARS = 12, 6000  # of one text, unless all of it is wanted
QUOTED_CHARS = 300  # of a reply that is no verdict
MOST_TOOLS = 8  # that are named
MOST_NAMED = 8  # prompts that were left out for this one
GONE = "one that the run has no more"
COMMAND = ": pairsmith "  # begins what a sentence of reasoned.py tells to type

# What would move the cursor, colour the screen, turn the direction of what follows, or stand there unseen; two
# characters that join letters and emoji stay.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff"
    "\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)

_BESIDE = {
    "failed": "failed for good",
    "unpaid": "every attempt failed, and another run asks again",
    "unreadable": "could not be read as a verdict",
    "reference": "wrote the reference that judges are shown",
    "family": "says of which task family the prompt is",
    "unplaced": "could not be read: the prompt was judged as one of no family",
    "early": "is there, and nothing is decided yet",
    "unused": "is no part of what the last run decided by: asked to measure the judge, or by other settings",
}


def as_text(found: Explained, rules: Pairing, where: str, full: bool) -> str:
    """The whole of it, as wide as the terminal."""
    prompt = found.prompt
    names = [visible(name) for name in (prompt.source_id, prompt.id) if name]
    lines = [rule(" · ".join([f"prompt {prompt.ordinal + 1}", *names])), "", *_asked(found, full)]
    if found.stands_for:
        lines += ["", *_wrapped(_stands_for(found.stands_for), "")]
    for answer in found.answers:
        lines += ["", *_answer(answer, _side_of(answer, found), full)]
    parts = {
        "JUDGES": _ladder(found.rungs, len(found.answers)),
        "COMPARED": [line for one in found.compared for line in _compared(one)],
        "PEOPLE": [line for vote in found.votes for line in _wrapped(_vote(vote))],
        "BESIDES": [line for one in found.besides for line in _beside(one, full)],
    }
    for title, part in parts.items():
        lines += ["", styled(title, bold=True), *part] if part else []
    lines += ["", rule("why"), ""]
    lines += [line for sentence in why(found, rules, where) for line in _reason(sentence)]
    lines += ["", _paid(found)]
    return "\n".join(line.rstrip() for line in lines)


def _reason(sentence: str) -> Iterator[str]:
    """A sentence; the command that ends it stands in a line of its own, whole, to be copied."""
    said, begins, command = sentence.partition(COMMAND)
    yield from _wrapped(f"{said}:" if begins else said, "")
    if begins:
        yield INDENT + visible(f"pairsmith {command}")


def visible(text: str) -> str:
    """The text with every character that a terminal would act on, or hide, shown by its number instead."""
    return _UNSEEN.sub(lambda one: one[0].encode("unicode_escape").decode(), text)


# --- the prompt ---------------------------------------------------------------------------------------


def _asked(found: Explained, full: bool) -> Iterator[str]:
    prompt = found.prompt
    parts = [("SYSTEM", prompt.system)] if prompt.system else []
    parts += [(str(turn.get("role", "")).upper(), _content(turn)) for turn in prompt.messages]
    parts += [("REFERENCE", prompt.reference)] if prompt.reference else []
    parts += [("FAMILY", _family(found))] if _family(found) else []
    for role, text in parts:
        yield styled(visible(role), bold=True)
        yield from _text(text or "", full)
    if prompt.tools:
        yield styled("TOOLS", bold=True)
        yield from _wrapped(_tools(prompt.tools))


def _family(found: Explained) -> str:
    """The task family that it was judged by, and who says so."""
    if found.family.call is None:
        return found.family.family or ""
    return f"{found.family.family} (a judge was asked)" if found.family.family else "none: it could not be had"


def _stands_for(left_out: Sequence[Prompt]) -> str:
    names = ", ".join(visible(one.source_id or one.id) for one in left_out[:MOST_NAMED])
    more = f" and {len(left_out) - MOST_NAMED:,} more" if len(left_out) > MOST_NAMED else ""
    return f"It stands for {names}{more}, which say nearly the same and were left out."


def _content(turn: dict[str, Any]) -> str:
    content, calls = turn.get("content"), turn.get("tool_calls")
    return content if isinstance(content, str) and content else f"[calls {len(calls)} tools]" if calls else ""


def _tools(tools: Iterable[Any]) -> str:
    functions = [tool.get("function") if isinstance(tool, dict) else None for tool in tools]
    names = [str(one.get("name", "?")) if isinstance(one, dict) else "?" for one in functions]
    more = [f"and {len(names) - MOST_TOOLS:,} more"] if len(names) > MOST_TOOLS else []
    return ", ".join([*names[:MOST_TOOLS], *more])


# --- completions --------------------------------------------------------------------------------------


def _side_of(answer: Answer, found: Explained) -> str:
    sides = {pair[side]["completion"]: side for pair in found.pairs for side in ("chosen", "rejected")}
    return sides.get(answer.id, "").upper()


def _answer(answer: Answer, side: str, full: bool) -> Iterator[str]:
    mean = "" if answer.mean is None else f"  {answer.mean:.4g} of 10"
    length = f"{len(answer.text):,} characters"
    tokens = "" if answer.output_tokens is None else f", {answer.output_tokens:,} tokens"
    by = answer.arm or f"by {answer.endpoint}, not screened yet"
    model = "" if answer.model is None else f" ({answer.model})"
    head = f"#{answer.number}{f' {side}' if side else ''}"
    yield f"{styled(head, bold=True)}{mean}{styled(visible(f'   {by}{model}; {length}{tokens}'), dim=True)}"
    yield from (styled(line, dim=True) for how in _sampled(answer) for line in _wrapped(how))
    if answer.flags:
        yield from _wrapped("screened: " + ", ".join(FLAGS.get(flag, flag) for flag in answer.flags))
    if answer.marks:
        yield from _wrapped("judged all the same: " + ", ".join(FLAGS.get(mark, mark) for mark in answer.marks))
    if answer.same_as and not full:
        yield from _wrapped(f"[the text of #{answer.same_as}]")
    else:
        yield from _text(answer.text, full)
    for score in answer.scores:
        yield from (styled(line, dim=True) for line in _wrapped(_score(score)))


def _sampled(answer: Answer) -> Iterator[str]:
    """What held for it, and what the recipe asks for in vain."""
    effective = answer.sampled.get("effective") or {}
    sent = [f"{name} {value}" for name, value in effective.items() if value != "server default"]
    persona = answer.sampled.get("persona")
    if parts := [*([f"persona {persona}"] if persona else []), *sent]:
        yield ", ".join(parts)
    if dropped := answer.sampled.get("dropped"):
        asked = [f"{name} {', '.join(map(str, values))}" for name, values in dropped.items()]
        yield f"asked for, not sent, as the endpoint does not take it: {', '.join(asked)}"


def _score(score: Given) -> str:
    said = f": {score.rationale}" if score.rationale else ""
    if score.kind == "check":
        return f"{score.judge} {score.score:g} (a function of the recipe's: it leaves no reply)"
    if score.kind == "reward":
        scale = "which counts as no points" if score.points is None else f"which counts as {score.points:.4g} points"
        return f"{score.judge} {score.score:.4g}, a number on a scale of its own, {scale}"
    return f"{score.judge} {score.score:g}{said}"


# --- judges and people ----------------------------------------------------------------------------------


def _ladder(rungs: Iterable[Rung], answers: int) -> list[str]:
    """Who gave points to which; one judge that saw all needs no word."""
    rungs = list(rungs)
    if len(rungs) < 2 or not answers:
        return []
    sentences = [_rung(rung) for rung in rungs]
    if sum(rung.error is not None and bool(rung.scored) for rung in rungs) > 1:
        sentences.append("a mean weighs judges so, once each is brought in line with those before it by what both saw")
    return [line for sentence in sentences for line in _wrapped(sentence)]


def _rung(rung: Rung) -> str:
    scored = ", ".join(f"#{number}" for number in rung.scored) or "none"
    asked = {
        "all": "is asked about all that can be used",
        "value": "is asked where its verdict could still change the pair",
        "distance": f"is asked about those within {rung.within or 0:g} points of the best",
    }[rung.by]
    error = "" if rung.error is None else f"; a verdict of it errs by {rung.error:.2f} points"
    return f"{rung.judge} gave {'numbers' if rung.kind == 'reward' else 'points'} to {scored}: it {asked}{error}"


def _compared(one: Compared) -> Iterator[str]:
    shown = ", ".join(f"{label} = #{number}" for label, number in zip(one.labels, one.shown, strict=True))
    if one.said is None:
        said = "a tie"
    elif len(one.said) == 1:
        said = f"#{one.said[0]} wins"
    else:
        said = "best to worst " + ", ".join(f"#{number}" for number in one.said)
    rationale = f": {one.rationale}" if one.rationale else ""
    yield from _wrapped(f"{one.judge}, shown {shown}: {said}{rationale}")


def _vote(vote: Vote) -> str:
    others, better = ", ".join(map(_number, vote.others)), _number(vote.preferred or 0)
    if better == others == GONE:
        others = "another such"
    if vote.rule == "edit":
        return f"{vote.by or 'somebody'} mended {others} into {better}"
    said = f"finds {others} equally good" if vote.preferred is None else f"prefers {better} to {others}"
    if vote.said == "bad_prompt":
        said = "finds the prompt bad"
    elif vote.edited is not None:
        said += f", and mended it ({len(vote.edited):,} characters)"
    note = f" (“{vote.note}”)" if vote.note else ""
    return f"{vote.by or 'somebody'}{', shown the two,' if vote.rule == 'review' else ''} {said}{note}"


def _number(number: int) -> str:
    """What an answer is called; 0: it is none of those above."""
    return f"#{number}" if number else GONE


def _beside(one: Beside, full: bool) -> Iterator[str]:
    tries = f" ({one.attempts:,} attempts)" if one.attempts > 1 else ""
    why = f": {one.why}" if one.why else ""
    yield from _wrapped(f"{one.purpose} by {one.endpoint}{tries} {_BESIDE.get(one.kind, one.kind)}{why}")
    if one.kind == "reference" or (full and one.text):
        yield from _text(one.text, full)
    elif one.kind == "unreadable":
        left = len(one.text) - QUOTED_CHARS
        cut = f" [… {left:,} more characters]" if left > 0 else ""
        yield from _wrapped(f"  it said: {one.text[:QUOTED_CHARS].strip() or '(nothing)'}{cut}")


# --- texts ----------------------------------------------------------------------------------------------


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
    """One sentence of ours, whatever stands in it."""
    return textwrap.wrap(
        visible(sentence),
        reading_columns(),
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_on_hyphens=False,
    )


def _paid(found: Explained) -> str:
    retries = f" in {found.attempts:,} attempts" if found.attempts > found.calls else ""
    tokens = f"{found.input_tokens:,} tokens in, {found.output_tokens:,} out"
    return f"{found.calls:,} calls{retries}, {tokens}, {usd(found.cost_usd)}"
