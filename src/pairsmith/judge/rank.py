"""The rank protocol: all completions in one prompt, asked twice: in one order, and reversed by the next judge.

Two calls a prompt, whatever the number of completions. A listwise order is biased by position, the more so the longer
the list (JUDGING, finding 11): nothing is concluded from one of them. Called by panel.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from string import ascii_uppercase

from pairsmith.judge.asking import (
    RANK_SHAPE,
    Complaint,
    JudgeWords,
    Question,
    Structured,
    ask,
    standing,
    verdict_schema,
)
from pairsmith.judge.blocks import prompt_blocks
from pairsmith.judge.case import Case, Evidence, unplaced
from pairsmith.judge.settings import JudgeSettings
from pairsmith.judge.verdicts import RankVerdict, read_ranking
from pairsmith.records import (
    Abstention,
    ChatRequest,
    Completion,
    Endpoint,
    Json,
    Prompt,
    Purpose,
    Ranking,
    RequestId,
    content_id,
)


@dataclass(frozen=True, slots=True)
class List:
    """One way round: who is asked, and the completions in the order of their labels."""

    judge: Endpoint
    shown: tuple[Completion, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """A to Z, and behind it AA, AB and so on."""
        return labels(len(self.shown))

    def ranking(self, verdict: RankVerdict, request_id: RequestId) -> Ranking:
        """The verdict by id: a label means the completion that this very list shows under it."""
        labelled = dict(zip(self.labels, (completion.id for completion in self.shown), strict=True))
        order = tuple(labelled[label] for label in verdict.ranking)
        shown = tuple(completion.id for completion in self.shown)
        return Ranking(order, shown, self.judge.name, verdict.rationale, request_id)


def labels(count: int) -> tuple[str, ...]:
    """The labels under which so many completions are shown."""
    first = ("", *ascii_uppercase)
    return tuple(first[place // 26] + ascii_uppercase[place % 26] for place in range(count))


def both_lists(case: Case) -> tuple[List, List]:
    """The list in an order drawn by seed and prompt for the first judge, and reversed for the next one."""
    seed, prompt = str(case.panel.seed), case.prompt.id
    drawn = sorted(case.completions.values(), key=lambda one: content_id("list", seed, prompt, one.id))
    judges = case.panel.chat_judges
    return List(judges[0], tuple(drawn)), List(judges[1 % len(judges)], tuple(reversed(drawn)))


def ranked(case: Case) -> tuple[Evidence, Abstention | None]:
    """Both rankings as far as they have come, and why there can be none."""
    evidence = Evidence()
    characters = sum(len(one.text) for one in case.completions.values())
    if characters > case.panel.settings.rank_max_chars:
        said = f"{len(case.completions)} answers of {characters:,} characters together"
        limit = f"judge.rank_max_chars = {case.panel.settings.rank_max_chars}"
        return evidence, Abstention(case.prompt.id, "too_long_to_rank", f"{said} > {limit}")
    if waiting := unplaced(case, evidence):
        return waiting, None
    lost = ""
    for one in both_lists(case):
        request = partial(rank_request, case.prompt, one, case.panel.words, case.panel.settings)
        asked = partial(request, case.panel.structured[one.judge.name])
        stands = standing(asked, partial(read_ranking, labels=one.labels), case.outcomes)
        evidence = replace(evidence, standings=(*evidence.standings, stands))
        if stands.verdict is not None:
            found = one.ranking(stands.verdict, stands.request_id)
            evidence = replace(evidence, rankings=(*evidence.rankings, found))
        elif stands.unreadable:
            lost = f"a ranking by {one.judge.name} could not be read, nor the answer to the complaint"
        elif stands.failure is not None and not stands.unpaid:
            lost = f"a ranking by {one.judge.name} failed: {stands.failure.reason}"
    return evidence, Abstention(case.prompt.id, "no_verdict", lost) if lost else None


def wants_duels(case: Case, evidence: Evidence) -> bool:
    """Whether rankings that do not agree on first and last, or a lost one, are to be settled by comparing."""
    if case.panel.settings.rank_conflict != "duel" or not evidence.rankings:
        return False
    said = {(ranking.order[0], ranking.order[-1]) for ranking in evidence.rankings}
    return len(said) > 1 or len(evidence.rankings) == 1


def ends(case: Case, rankings: Sequence[Ranking]) -> tuple[Completion, Completion]:
    """The best and the worst by the sum of their places in all rankings; equal sums by id."""
    places = {ident: sum(ranking.order.index(ident) for ranking in rankings) for ident in case.completions}
    by_place = sorted(places, key=lambda ident: (places[ident], ident))
    return case.completions[by_place[0]], case.completions[by_place[-1]]


def rank_request(
    prompt: Prompt,
    one: List,
    words: JudgeWords,
    settings: JudgeSettings,
    structured: Structured,
    complaint: Complaint | None = None,
) -> ChatRequest:
    """The request that asks for the ranking of one list; with a complaint, the one re-ask."""
    texts = [completion.text for completion in one.shown]
    answers = [{"label": label, "text": text} for label, text in zip(one.labels, texts, strict=True)]
    text = words.rank_user.render(prompt_blocks(prompt, *texts), answers=answers, criterion=words.criterion(prompt))
    question = Question(prompt.id, Purpose.RANK, words.rules(prompt).rank, text, RANK_SHAPE, schema(one.labels))
    return ask(question, one.judge, words, settings, structured, complaint)


def schema(labels: Sequence[str]) -> dict[str, Json]:
    """The strict schema of a ranking of these labels."""
    return verdict_schema("ranking", {"type": "array", "items": {"type": "string", "enum": list(labels)}})
