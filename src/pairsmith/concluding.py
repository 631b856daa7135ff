"""What answers say of a parameter: one function a kind of question. Pure; probing.py asks, and calls them.

What was refused, the server says itself. What is ignored shows only in several answers, and is never concluded from
one odd answer. An answer without text, cut off within its thoughts, says nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pairsmith.capabilities import Finding, Support
from pairsmith.records import Failure, FailureKind, Json, Outcome, Reply
from pairsmith.sample.reasoning import answer_start
from pairsmith.sample.refusals import is_refusal
from pairsmith.wire.probe import NOT_ASKED, Answer

SAME = 2 / 3  # of the longer text, from its beginning
FAR_LONGER = 2  # times the limit
SHOWN = 200  # characters of a server's words
# OpenAI's words, in a 400, for a model that thought until the limit (several clients quote them, 2025 and 2026).
CUT_WITHIN_THOUGHTS = "output limit was reached"
# A server that fails at one parameter and at nothing else does not take it (llama-cpp-python, transformers serve).
FAILING_STATUS = (500, 501)
CONTEXT_FIELDS = ("max_model_len", "context_length", "context_window", "max_context_length")

Tried = Sequence[tuple[Json, Outcome]]  # values, and what came of each


@dataclass(frozen=True, slots=True)
class Heat:
    """How freely an endpoint answers when nothing narrows it: what is held against a narrowing parameter.

    temperature: the one asked at; None: it takes none that was asked, and its own holds. text: what is asked there.
    answers: how many were drawn. varies: whether they are several texts; None: they say nothing. seeds: whether each
    draw needs a seed of its own to differ.
    """

    temperature: float | None
    text: str
    answers: int
    varies: bool | None
    seeds: bool = False

    @property
    def params(self) -> dict[str, Json]:
        """What each of its draws is sent."""
        return {} if self.temperature is None else {"temperature": self.temperature}

    @property
    def said(self) -> str:
        """Such as "at temperature 1.5"."""
        return "at its own temperature" if self.temperature is None else f"at temperature {self.temperature:g}"


# --- reading answers --------------------------------------------------------------------------------


def refusal(outcome: Outcome) -> str | None:
    """The server's words, where it does not take what was asked; None for any other outcome."""
    if isinstance(outcome, Reply) or outcome.reason == NOT_ASKED or CUT_WITHIN_THOUGHTS in outcome.message:
        return None
    refused = outcome.reason == "bad_request" or outcome.kind is FailureKind.FATAL
    if not (refused or outcome.status in FAILING_STATUS):
        return None
    words = " ".join(outcome.message.split())
    words = words if len(words) <= SHOWN else f"{words[:SHOWN]}…"
    return f"{outcome.status}: {words}" if words else f"{outcome.status}"


def texts_of(outcomes: Sequence[Outcome]) -> list[str]:
    """The answers' texts behind any thoughts, which begin alike; those that have none are left out."""
    texts = [spoken(outcome) for outcome in outcomes if isinstance(outcome, Reply)]
    return [text for text in texts if text]


def spoken(reply: Reply) -> str:
    """The text behind thoughts that stand in it; "" where they never end."""
    return reply.text[answer_start(reply.text) :].strip()


def alike(one: str, other: str) -> bool:
    """Whether two answers count as one text.

    Servers that compute several requests at a time are not exact to the bit: where two tokens tie, the other one may
    come, and all behind it differs. So the beginning decides.
    """
    same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return same >= SAME * max(len(one), len(other))


def one_text(texts: Sequence[str]) -> bool | None:
    """Whether answers are one text, but for one of four or more; None: neither that nor clearly several, or none."""
    if not texts:
        return None
    most = max(sum(alike(text, other) for other in texts) for text in texts)
    if most == len(texts) or (len(texts) > 3 and most == len(texts) - 1):
        return True
    return False if 2 * most <= len(texts) else None


def varied(texts: Sequence[str]) -> bool | None:
    """Whether free answers are several texts; None: there are not even two."""
    return None if len(texts) < 2 else not all(alike(texts[0], text) for text in texts)


def _nothing(outcomes: Sequence[Outcome]) -> Finding:
    """Nothing can be told, and why."""
    failed = next((outcome for outcome in outcomes if isinstance(outcome, Failure)), None)
    if failed is None or CUT_WITHIN_THOUGHTS in failed.message:
        return Finding(Support.UNKNOWN, "it was taken, but the answers have no text: they were cut off, or empty")
    if failed.reason == NOT_ASKED:
        return Finding(Support.UNKNOWN, "not asked: so many calls, or dollars, were not to be spent")
    return Finding(Support.UNKNOWN, " ".join(f"{failed.reason} {failed.message}"[:SHOWN].split()))


def _refused(outcomes: Sequence[Outcome]) -> Finding | None:
    words = next((said for outcome in outcomes if (said := refusal(outcome)) is not None), None)
    return None if words is None else Finding(Support.REFUSED, words)


# --- taken at all -----------------------------------------------------------------------------------


def taken(outcome: Outcome) -> Finding:
    """Of a parameter whose effect is not looked for."""
    if isinstance(outcome, Reply) or CUT_WITHIN_THOUGHTS in outcome.message:
        return Finding(Support.ACCEPTED)
    return _refused([outcome]) or _nothing([outcome])


def bounded(found: Finding | None, tried: Tried) -> Finding:
    """A finding with what is known of single values: refused altogether, or beyond a bound, or some words."""
    kept = [value for value, outcome in tried if taken(outcome).support is Support.ACCEPTED]
    out = [(value, said) for value, outcome in tried if (said := refusal(outcome)) is not None]
    if found is None:
        found = Finding(Support.ACCEPTED) if kept else _nothing([outcome for _, outcome in tried])
    if not out:
        return found
    if not kept:
        return Finding(Support.REFUSED, out[0][1])
    if found.support is Support.REFUSED:  # the value that would have shown an effect was: others are taken
        found = Finding(Support.ACCEPTED)
    numbers = [value for value in kept if isinstance(value, int | float)]
    refused = [value for value, _ in out if isinstance(value, int | float)]
    high = max(numbers) if numbers and any(value > max(numbers) for value in refused) else None
    low = min(numbers) if numbers and any(value < min(numbers) for value in refused) else None
    words = tuple(value for value, _ in out if not isinstance(value, int | float))
    why = found.said if found.support is Support.IGNORED else out[0][1]
    return replace(found, said=why, highest=high, lowest=low, refuses=words)


# --- with an effect that can be seen ----------------------------------------------------------------


def temperature(heat: Heat, cold: Sequence[Outcome]) -> Finding:
    """Free answers differ, those at 0 do not."""
    if heat.varies is None:
        return _nothing(cold)
    if not heat.varies:
        return Finding(Support.IGNORED, f"{heat.answers} answers {heat.said} are one text")
    texts = texts_of(cold)
    same = one_text(texts) if len(texts) > 1 else None
    if same is False and len(texts) > 2:
        return Finding(Support.IGNORED, f"{len(texts)} answers at temperature 0 differ as those {heat.said} do")
    return Finding(Support.HONOURED if same and heat.temperature is not None else Support.ACCEPTED)


def narrowed(heat: Heat, setting: str, outcomes: Sequence[Outcome]) -> Finding:
    """top_k = 1 and its like leave one text, where without them there are several. `setting`: such as "top_k = 1"."""
    if found := _refused(outcomes):
        return found
    texts = texts_of(outcomes)
    if texts and heat.varies is False:
        return Finding(Support.ACCEPTED, f"answers {heat.said} are one text without it as well")
    if len(texts) < 3 or heat.varies is None:
        return _nothing(outcomes)
    same = one_text(texts)
    if same is None:
        return Finding(Support.UNKNOWN, f"of {len(texts)} answers {heat.said} with {setting} some are one text")
    if not same:
        return Finding(Support.IGNORED, f"{len(texts)} answers {heat.said} with {setting} differ as without it")
    return Finding(Support.HONOURED)


def seeded(heat: Heat, same: Sequence[Outcome], others: Sequence[Outcome]) -> Finding:
    """One seed gives one text, another one another."""
    if found := _refused([*same, *others]):
        return found
    texts, different = texts_of(same), texts_of(others)
    if len(texts) < 3 or not different:
        return _nothing([*same, *others])
    repeats = one_text(texts)
    if repeats is False:
        return Finding(Support.IGNORED, f"{len(texts)} answers {heat.said} with one seed differ")
    if not repeats:
        return Finding(Support.UNKNOWN, f"of {len(texts)} answers {heat.said} with one seed some are one text")
    if all(alike(texts[0], text) for text in different):
        return Finding(Support.ACCEPTED, f"every seed gives one text {heat.said}")
    return Finding(Support.HONOURED)


def penalised(greedy: Sequence[Outcome], outcomes: Sequence[Outcome]) -> Finding:
    """A penalty may change the text that comes at temperature 0; where it does not, nothing is told.

    Where only the end is another one, it has to be so twice: UNKNOWN after one answer of that kind.
    """
    found, before, after = taken(outcomes[0]), texts_of(greedy), texts_of(outcomes)
    if found.support is not Support.ACCEPTED or not (after and len(before) > 1 and one_text(before)):
        return found
    if not any(alike(text, after[0]) for text in before):
        return Finding(Support.HONOURED)
    if len(set(before)) == 1 and after[0] not in before:
        if len(after) == 1:
            return Finding(Support.UNKNOWN, "of one answer only the end is another one")
        if len(set(after)) == 1:
            return Finding(Support.HONOURED)
    return Finding(Support.ACCEPTED, "no effect is seen in a short answer")


# --- the shape of answers ---------------------------------------------------------------------------


def limited(name: str, limit: int, answers: Sequence[Answer]) -> Finding:
    """An answer that ends at its limit, or is far longer."""
    outcomes = [answer.outcome for answer in answers]
    replies = [outcome for outcome in outcomes if isinstance(outcome, Reply)]
    if not replies:
        return taken(outcomes[0])
    longer = [reply for reply in replies if _tokens(reply) > FAR_LONGER * limit]
    if len(longer) > 1:
        return Finding(Support.IGNORED, f"an answer with {name} = {limit} has {_tokens(longer[0]):,} tokens")
    if longer:
        return Finding(Support.UNKNOWN, f"one of {len(replies)} answers is longer than {name} allows")
    return Finding(Support.HONOURED if replies[0].finish_reason == "length" else Support.ACCEPTED)


def _tokens(reply: Reply) -> int:
    return reply.usage.output_tokens or len(reply.text) // 4


def counted(wanted: int, answers: Sequence[Answer]) -> Finding:
    """As many choices as were asked for."""
    if found := _refused([answer.outcome for answer in answers]):
        return found
    came = [answer.choices for answer in answers if isinstance(answer.outcome, Reply) and answer.choices]
    if not came:
        return _nothing([answer.outcome for answer in answers])
    if any(count == wanted for count in came):
        return Finding(Support.HONOURED)
    few = f"{wanted} were asked for, and {came[0]} came"
    return Finding(Support.IGNORED if len(came) > 1 else Support.UNKNOWN, few)


def shaped(fields: Mapping[str, type], outcomes: Sequence[Outcome]) -> Finding:
    """JSON where prose was the natural answer; with `fields`, JSON of that schema."""
    if found := _refused(outcomes):
        return found
    texts = texts_of(outcomes)
    objects = [value for text in texts if isinstance(value := _json(text), dict)]
    fitting = [one for one in objects if all(isinstance(one.get(key), kind) for key, kind in fields.items())]
    if fitting:
        return Finding(Support.HONOURED)
    if objects:
        return Finding(Support.ACCEPTED, "JSON comes, but not of the schema")
    prose = [text for text in texts if not (text.startswith("{") or is_refusal(text))]
    if len(prose) > 1:
        return Finding(Support.IGNORED, f"prose comes: {_quoted(prose[0])}")
    return Finding(Support.UNKNOWN, "neither JSON nor prose for sure") if texts else _nothing(outcomes)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _quoted(text: str) -> str:
    words = " ".join(text.split())
    return f"“{words if len(words) <= 60 else words[:60] + '…'}”"


def likely(outcomes: Sequence[Outcome]) -> Finding:
    """Whether log-probabilities come, and how many alternatives to a token."""
    if found := _refused(outcomes):
        return found
    replies = [reply for reply in outcomes if isinstance(reply, Reply) and (reply.text or reply.tokens)]
    if not replies:
        return _nothing(outcomes)
    came = next((reply.tokens for reply in replies if reply.tokens), ())
    if came:
        most = max(len(token.alternatives) for token in came)
        return Finding(Support.HONOURED, f"with up to {most} other tokens each")
    missing = "they do not come"
    return Finding(Support.IGNORED if len(replies) > 1 else Support.UNKNOWN, missing)


def followed(word: str, outcome: Outcome) -> Finding:
    """A message of some role that asks for one word; a model that does not follow tells nothing."""
    found = taken(outcome)
    obeyed = isinstance(outcome, Reply) and word.lower() in outcome.text.lower()
    return Finding(Support.HONOURED) if obeyed else found


# --- what GET /models says --------------------------------------------------------------------------


def listed(entries: Sequence[Mapping[str, Any]], model: str) -> Mapping[str, Any]:
    """The entry of this model; the only one, where it goes by another name; {} where nothing fits."""
    named = [entry for entry in entries if entry.get("id") == model]
    return (named or (list(entries) if len(entries) == 1 else [{}]))[0]


def context_of(entry: Mapping[str, Any]) -> int | None:
    """The largest context in tokens; None where it is not said.

    vLLM and SGLang, Together and OpenRouter, Groq, Mistral; llama.cpp within `meta` (their documentation, November
    2026).
    """
    meta = entry.get("meta")
    said = [entry.get(name) for name in CONTEXT_FIELDS] + [meta.get("n_ctx_train") if isinstance(meta, dict) else None]
    return next((value for value in said if isinstance(value, int) and not isinstance(value, bool) and value > 0), None)
