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

SCHEMA = verdict_schema("score", {"type": "integer", "minimum": 1, "maximum": 10})


def score_request(
    prompt: Prompt,
    completion: Completion,
    judge: Endpoint,
    words: JudgeWords,
    settings: JudgeSettings,
    structured: Structured,
    complaint: Complaint | None = None,
) -> ChatRequest:
    """The request that asks `judge` for its points; with a complaint, the one re-ask."""
    text = words.score_user.render(prompt_blocks(prompt, completion.text), answer=completion.text)
    question = Question(prompt.id, Purpose.SCORE, words.score_rules, text, SCORE_SHAPE, SCHEMA)
    return ask(question, judge, words, settings, structured, complaint)
