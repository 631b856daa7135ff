"""Duels: two completions of one prompt side by side, asked once in each order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pairsmith.judge.asking import (
    DUEL_SHAPE,
    Complaint,
    JudgeWords,
    Question,
    Structured,
    ask,
    verdict_schema,
)
from pairsmith.judge.blocks import prompt_blocks
from pairsmith.judge.settings import JudgeSettings
from pairsmith.judge.verdicts import TIE, DuelVerdict
from pairsmith.records import (
    ChatRequest,
    Completion,
    Duel,
    Endpoint,
    Prompt,
    PromptId,
    Purpose,
    RequestId,
    content_id,
)

LABELS = ("A", "B")
SCHEMA = verdict_schema("winner", {"type": "string", "enum": [*LABELS, TIE]})


@dataclass(frozen=True, slots=True)
class Order:
    """One way round: who is asked, and the two completions in the order of LABELS."""

    judge: Endpoint
    shown: tuple[Completion, Completion]

    def duel(self, verdict: DuelVerdict, request_id: RequestId) -> Duel:
        """The verdict by id: a label means the completion that this very order shows under it."""
        labelled = dict(zip(LABELS, (completion.id for completion in self.shown), strict=True))
        first, second = self.shown
        winner = None if verdict.winner == TIE else labelled[verdict.winner]
        return Duel(first.id, second.id, winner, self.judge.name, verdict.rationale, request_id)


def both_orders(
    prompt: PromptId, one: Completion, other: Completion, judges: Sequence[Endpoint], seed: int
) -> tuple[Order, Order]:
    """Both orders of a duel; which completion is A in the first is drawn by seed, prompt and pair.

    The same whichever of the two is named first. The first order goes to the last judge of the panel (the
    strongest), the second to the one before it; in a panel of one both go to it.
    """
    low, high = sorted((one, other), key=lambda completion: completion.id)
    if int(content_id("labels", str(seed), prompt, low.id, high.id)[-1], 16) % 2:
        low, high = high, low
    return Order(_judge(judges, 0), (low, high)), Order(_judge(judges, 1), (high, low))


def duel_request(
    prompt: Prompt,
    order: Order,
    words: JudgeWords,
    settings: JudgeSettings,
    structured: Structured,
    complaint: Complaint | None = None,
) -> ChatRequest:
    """The request that asks for the winner of one order; with a complaint, the one re-ask."""
    texts = [completion.text for completion in order.shown]
    answers = [{"label": label, "text": text} for label, text in zip(LABELS, texts, strict=True)]
    text = words.duel_user.render(prompt_blocks(prompt, *texts), answers=answers, criterion=words.criterion(prompt))
    question = Question(prompt.id, Purpose.DUEL, words.rules(prompt).duel, text, DUEL_SHAPE, SCHEMA)
    return ask(question, order.judge, words, settings, structured, complaint)


def _judge(judges: Sequence[Endpoint], order: int) -> Endpoint:
    return judges[-1 - order % len(judges)]
