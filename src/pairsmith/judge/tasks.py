"""Which task family a prompt is of, where its row does not say: one question to one judge, once a prompt.

The answer picks the rubric and the criterion of every later question about it. A reply that names none, and a call that
failed for good, leave the prompt without a family: none is ever assumed. Called by steps.py; panel.py says when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from pairsmith.judge.asking import Complaint, Question, Standing, TaskWords, ask, standing
from pairsmith.judge.blocks import prompt_blocks
from pairsmith.judge.case import Panel
from pairsmith.judge.verdicts import FamilyVerdict, read_family
from pairsmith.records import ChatRequest, Endpoint, Json, Outcome, Prompt, Purpose, RequestId


def family_asked(prompt: Prompt, panel: Panel, outcomes: Mapping[RequestId, Outcome]) -> Standing[FamilyVerdict] | None:
    """Where the question stands; None: it is not asked, as the row says it, or no question's words go by it."""
    tasks = panel.words.tasks
    if tasks is None or prompt.family.strip() or not panel.chat_judges:
        return None
    request = partial(family_request, prompt, panel, tasks)
    return standing(request, partial(read_family, names=tasks.names), outcomes)


def family_request(prompt: Prompt, panel: Panel, tasks: TaskWords, complaint: Complaint | None = None) -> ChatRequest:
    """The request for one of `names`; with a complaint, the one re-ask."""
    judge = _asked(panel)
    text = tasks.user.render(prompt_blocks(replace(prompt, reference=None)))
    question = Question(
        prompt.id, Purpose.FAMILY, tasks.rules, text, tasks.shape, schema(tasks.names), reask=tasks.reask
    )
    return ask(question, judge, panel.words, panel.settings, panel.structured[judge.name], complaint)


def with_family(prompt: Prompt, stands: Standing[FamilyVerdict] | None) -> Prompt:
    """The prompt as everybody sees it from now on; its id stays."""
    if stands is None or stands.verdict is None:
        return prompt
    return replace(prompt, meta={**prompt.meta, "family": stands.verdict.family})


def _asked(panel: Panel) -> Endpoint:
    """Who is asked: the recipe's `family_judge`, else the first judge that can answer."""
    named = panel.settings.family_judge
    return panel.chat_judges[0] if named is None else panel.endpoints[named]


def schema(names: Sequence[str]) -> dict[str, Json]:
    """The strict schema of a reply that holds one of these names and nothing else."""
    return {
        "type": "object",
        "properties": {"family": {"type": "string", "enum": list(names)}},
        "required": ["family"],
        "additionalProperties": False,
    }
