"""The score protocol: one completion alone, points from 1 to 10."""

from __future__ import annotations

from pairsmith.judge.asking import (
    SCORE_SHAPE,
    Complaint,
    JudgeWords,
    Question,
    Structured,
    ask,
    verdict_schema,
)
from pairsmith.judge.blocks import prompt_blocks
from pairsmith.judge.settings import JudgeSettings
from pairsmith.records import ChatRequest, Completion, Endpoint, Prompt, Purpose

AGAIN = 2  # the draw of a second score by the same judge; 1 is the re-ask
SCHEMA = verdict_schema("score", {"type": "integer", "minimum": 1, "maximum": 10})


def score_request(
    prompt: Prompt,
    completion: Completion,
    judge: Endpoint,
    words: JudgeWords,
    settings: JudgeSettings,
    structured: Structured,
    complaint: Complaint | None = None,
    draw: int = 0,
) -> ChatRequest:
    """The request that asks `judge` for its points; with a complaint, the one re-ask."""
    blocks = prompt_blocks(prompt, completion.text)
    text = words.score_user.render(blocks, answer=completion.text, criterion=words.criterion(prompt))
    logprobs = settings.score_from == "logprobs"
    question = Question(prompt.id, Purpose.SCORE, words.rules(prompt).score, text, SCORE_SHAPE, SCHEMA, logprobs)
    return ask(question, judge, words, settings, structured, complaint, draw)
