"""Reads replies as completions and flags those that cannot be a side of a pair; drops none.

A missing finish_reason counts as "stop": some servers never send one (FACTS, what comes back), and nothing in
such a reply says that it is unfinished. Called by the pipeline on stored replies, again on every resume.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pairsmith.records import (
    Candidate,
    Completion,
    CompletionId,
    EndpointName,
    Flag,
    Prompt,
    PromptId,
    Reply,
    RequestId,
    candidate_id,
)
from pairsmith.sample.reasoning import answer_start, has_tag
from pairsmith.sample.refusals import is_refusal
from pairsmith.sample.settings import SampleSettings, given_arm

# What servers say instead of "stop". vLLM: abort, error, repetition (vllm/v1/engine, November 2026); Mistral:
# model_length, error; Anthropic: max_tokens; Gemini: MAX_TOKENS, SAFETY, RECITATION.
_CUT_OFF = frozenset({"length", "max_tokens", "model_length", "abort", "error", "repetition"})
_FILTERED = frozenset({"content_filter", "safety", "recitation", "refusal"})
_CALLING = frozenset({"tool_calls", "function_call", "tool_use"})

_FENCE = "```"
_OPEN_ENDS = frozenset(",;:(-–—")
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz")
LONG_LINE = 60  # characters
FIRST = 20  # completions that the guard looks at


# --- one completion -----------------------------------------------------------------------------


def completion_of(
    reply: Reply, prompt: PromptId, arm: str, reasoning: str, endpoint: EndpointName | None = None
) -> Completion:
    """Read one reply, sampled under the arm of this name.

    Args:
        reply: as it was stored.
        prompt: the prompt that it answers.
        arm: the arm's name.
        reasoning: the endpoint's: "strip" cuts leading reasoning off and records the span that is left;
            "keep" and "off" leave the text as it came, and "off" flags the tags in it.
        endpoint: that gave it.
    """
    start = answer_start(reply.text)
    span = (start, len(reply.text)) if start and reasoning == "strip" else None
    text = reply.text[start:] if span else reply.text
    return Completion(
        id=CompletionId(reply.request_id),
        prompt_id=prompt,
        text=text,
        arm=arm,
        endpoint=endpoint,
        model=reply.model,
        flags=_flags(reply, text, reply.text[start:], reasoning),
        span=span,
        usage=reply.usage,
        simulated=reply.simulated,
    )


def candidate_completion(prompt: Prompt, candidate: Candidate, reasoning: str = "off") -> Completion:
    """An answer that came with the prompt, read and screened like a reply that finished."""
    ident = candidate_id(prompt.id, candidate.content)
    model = candidate.meta.get("model")
    reply = Reply(
        RequestId(ident),
        candidate.content,
        model=model if isinstance(model, str) else None,
        simulated=candidate.meta.get("simulated") is True,
    )
    return completion_of(reply, prompt.id, given_arm(candidate.meta.get("origin")), reasoning)


def _flags(reply: Reply, text: str, answer: str, reasoning: str) -> tuple[Flag, ...]:
    """The flags of one reply, in the enum's order; `answer` is the text without its leading reasoning."""
    finish = (reply.finish_reason or "stop").lower()
    empty, cut_off = not answer.strip(), finish in _CUT_OFF
    only_thought = empty and not cut_off and bool(reply.text.strip())
    found = {
        Flag.EMPTY: empty,
        Flag.CUT_OFF: cut_off,
        Flag.REFUSAL: bool(reply.refusal) or finish in _FILTERED or is_refusal(answer),
        Flag.REASONING: reasoning != "keep" and (has_tag(text) or only_thought),
        Flag.TOOL_CALL: reply.tool_calls or finish in _CALLING,
        Flag.MENDED: reply.mended,
        Flag.UNFINISHED: not cut_off and looks_unfinished(answer),
    }
    return tuple(flag for flag in Flag if found.get(flag))


def looks_unfinished(text: str) -> bool:
    """Whether a text stops in an open code block, or a long last line of prose stops without an end.

    Lists, headings and short lines may end without a mark; so may texts that use none at all.
    """
    text = text.rstrip()
    if text.count(_FENCE) % 2:
        return True
    last = text.rsplit("\n", 1)[-1].strip()
    prose = len(last) >= LONG_LINE and not last.startswith(("-", "*", "#", "|", ">", _FENCE)) and not last[:1].isdigit()
    return prose and last[-1] in _OPEN_ENDS | _LETTERS and any(mark in text for mark in ".!?")


# --- siblings -----------------------------------------------------------------------------------


def screen(completions: Sequence[Completion], later: Sequence[CompletionId] = ()) -> tuple[Completion, ...]:
    """Flag the duplicates among the completions of ONE prompt, and mark all that share a text; the order is kept.

    Texts are equal when they are after NFC and folding of white space; blank ones are EMPTY, not equal. Of equal
    ones the first keeps its place: one without flags before one with, then the smaller id, so that neither
    arrival nor the order of arms decides. One completion given twice is returned once. Screening what was
    screened before, with or without new siblings, starts anew.

    Args:
        completions: all of them so far.
        later: those that were drawn one by one because the others gave no pair, in that order: they come behind all
            others, so that none takes the place of one that has been judged.
    """
    distinct = {completion.id: _anew(completion) for completion in completions}
    folded = {ident: _folded(completion.text) for ident, completion in distinct.items()}
    turns = {ident: turn for turn, ident in enumerate(later, start=1)}
    keepers: dict[str, CompletionId] = {}
    for completion in sorted(distinct.values(), key=lambda one: (bool(one.flags), turns.get(one.id, 0), one.id)):
        keepers.setdefault(folded[completion.id], completion.id)
    times = Counter(text for text in folded.values() if text)

    def beside_siblings(one: Completion) -> Completion:
        if times[folded[one.id]] < 2:
            return one
        repeats = () if keepers[folded[one.id]] == one.id else (Flag.DUPLICATE,)
        return replace(one, shared=True, flags=(*one.flags, *repeats))

    return tuple(beside_siblings(completion) for completion in distinct.values())


def _anew(completion: Completion) -> Completion:
    """As it was before it was screened beside its siblings."""
    flags = tuple(flag for flag in completion.flags if flag is not Flag.DUPLICATE)
    fresh = flags == completion.flags and not completion.shared
    return completion if fresh else replace(completion, flags=flags, shared=False)


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


# --- the guard ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ScreenStop:
    """Why a run should stop early: too many of its first completions cannot be used."""

    cause: Flag  # the most frequent one
    screened: int  # of the first 20
    sentence: str


def screened_too_much(first: Sequence[Completion], settings: SampleSettings) -> ScreenStop | None:
    """Judge a run by its first 20 completions; None while there are fewer, or when enough can be used.

    Args:
        first: screened completions in an order that does not depend on arrival; those after the 20th are ignored.
        settings: `max_screened` is the share above which to stop, 1 = never; `max_tokens` is named in the remedy.
    """
    flagged = [completion for completion in first[:FIRST] if completion.flags]
    if len(first) < FIRST or len(flagged) <= settings.max_screened * FIRST:
        return None
    causes = Counter(_cause(completion) for completion in flagged)
    cause = max(_REMEDIES, key=lambda flag: causes[flag])
    of_cause = [completion for completion in flagged if _cause(completion) is cause]
    sentence = (
        f"{len(flagged)} of the first {FIRST} completions cannot be used:"
        f" {len(of_cause)} {_REMEDIES[cause](of_cause, settings)} (sample.max_screened = 1 goes on all the same)"
    )
    return ScreenStop(cause, len(flagged), sentence)


def _cause(completion: Completion) -> Flag:
    """The flag that explains the others: an empty text that was cut off is empty because it was cut off."""
    return next(flag for flag in _REMEDIES if flag in completion.flags)


def _cut_off(completions: Sequence[Completion], settings: SampleSettings) -> str:
    thinking = sum(Flag.EMPTY in completion.flags for completion in completions)
    said = f"were cut off by max_tokens = {settings.max_tokens}"
    if 2 * thinking > len(completions):
        return f'{said} while the model was still thinking: raise [sample] max_tokens, or set reasoning = "off"'
    return f"{said}: raise [sample] max_tokens, or ask for shorter answers in the system prompt"


def _always(said: str) -> Callable[[Sequence[Completion], SampleSettings], str]:
    return lambda completions, settings: said


# In the order in which a flag explains those after it, and in which equal counts are named.
_REMEDIES: dict[Flag, Callable[[Sequence[Completion], SampleSettings], str]] = {
    Flag.CUT_OFF: _cut_off,
    Flag.REFUSAL: _always("are refusals: change the prompts, the system prompt or the model"),
    Flag.TOOL_CALL: _always("call a tool instead of answering: take tools out of the prompts"),
    Flag.REASONING: _always(
        'hold reasoning where the answer should be: set the endpoint\'s reasoning = "strip", or "keep" to train on it'
    ),
    Flag.UNFINISHED: _always("stop in mid-sentence: raise [sample] max_tokens, or look at what ends them"),
    Flag.EMPTY: _always("are empty: look at what the endpoint sends; a missing chat template does this"),
    Flag.CHECK: _always("are refused by a screen of your own (sample.screens): see whether it means them"),
    Flag.MENDED: _always("hold broken characters (lone surrogates): look at the server's tokenizer"),
    Flag.DUPLICATE: _always("repeat a sibling, the arms give the same text: raise temperature or add arms"),
}
