"""`reference = "write"`: the judge answers the prompt itself, once, and judges every answer against that.

A judge that has worked out an answer of its own judges better (JUDGING, finding 10). Called by panel.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pairsmith.judge.asking import Question, Standing, ask, standing
from pairsmith.judge.blocks import prompt_blocks
from pairsmith.judge.case import Panel
from pairsmith.judge.verdicts import WrittenVerdict, read_written
from pairsmith.records import ChatRequest, Outcome, Prompt, Purpose, Reply, RequestId

CUT_OFF = ("length", "max_tokens", "model_length")  # as servers say it (see sample/screen.py)


def wants_reference(prompt: Prompt, panel: Panel) -> bool:
    """Whether a reference is to be written for this prompt."""
    return panel.settings.reference == "write" and prompt.reference is None and bool(panel.chat_judges)


def written(prompt: Prompt, panel: Panel, outcomes: Mapping[RequestId, Outcome]) -> Standing[WrittenVerdict]:
    """Where the reference stands: asked once; an empty one, a refused one or one that was cut off is none."""
    request = reference_request(prompt, panel)
    stands = standing(lambda complaint: request, read_written, outcomes, attempts=1)
    reply = outcomes.get(request.id)
    if isinstance(reply, Reply) and (reply.finish_reason in CUT_OFF or reply.refusal):
        return replace(stands, verdict=None)
    return stands


def reference_request(prompt: Prompt, panel: Panel) -> ChatRequest:
    """The request to the last judge of the panel, the strongest, for an answer of its own."""
    judge, words = panel.chat_judges[-1], panel.words
    text = words.reference_user.render(prompt_blocks(prompt))
    question = Question(prompt.id, Purpose.REFERENCE, words.rules(prompt).reference, text, "", {})
    settings = panel.settings.model_copy(update={"max_tokens": panel.settings.reference_max_tokens})
    return ask(question, judge, words, settings, "text", None)


def with_reference(prompt: Prompt, stands: Standing[WrittenVerdict]) -> Prompt:
    """The prompt as judges see it from now on; its id stays."""
    return prompt if stands.verdict is None else replace(prompt, reference=stands.verdict.text)
