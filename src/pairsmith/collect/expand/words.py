"""What is said to whoever writes: a call of a method as an `Ask`, rendered from the templates of prompts/expand/."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pairsmith import fences
from pairsmith.collect.expand.records import Ask, Key, Kind, Slot
from pairsmith.records import Json

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATES = (
    "system", "self-instruct", "evolve", "persona", "situation", "paraphrase", "translate", "documents", "topics",
    "topic", "assess_system", "assess_user",
)  # fmt: skip
SHAPES: dict[Kind, str] = {
    "prompts": '{"prompts": ["...", ...]}',
    "topics": '{"topics": ["...", ...]}',
    "assess": '{"rationale": "...", "quality": n, "difficulty": n}',
}
_TAGS = fences.border("example", "prompt", "passage", "topic", "person", "situation")


def schema_of(kind: Kind) -> dict[str, Json]:
    """The strict schema of a reply; how many texts there are to be stands in the words, as not all servers take it."""
    points: Json = {"type": "integer", "minimum": 1, "maximum": 10}
    properties: dict[str, Json] = (
        {"rationale": {"type": "string"}, "quality": points, "difficulty": points}
        if kind == "assess"
        else {kind: {"type": "array", "items": {"type": "string"}}}
    )
    required: list[Json] = list(properties)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


@dataclass(frozen=True, slots=True)
class Words:
    """The compiled templates by their names (TEMPLATES), and the names of languages by their codes."""

    templates: Mapping[str, Template]
    languages: Mapping[str, str]

    def of_slot(self, slot: Slot, seed: int) -> Ask:
        """What a slot asks for. One that grows from a prompt in a known language need not be told which."""
        told = self._name(slot.language) if slot.told else None
        rules = self._rules("prompts", told)
        context: dict[str, object] = {"count": slot.count, "language": self._name(slot.language), **dict(slot.about)}
        if slot.source is not None:
            context["text"] = slot.source.text
        context["examples"] = [one.text for one in slot.shown]
        return Ask((seed, slot.round, slot.number), "prompts", rules, self._user(slot.template, context))

    def of_topics(self, topic: str | None, shown: list[str], count: int, key: Key) -> Ask:
        """The topics of a field, or of one of its topics."""
        text = self._user("topics", {"topic": topic, "examples": shown, "count": count})
        return Ask(key, "topics", self._rules("topics", None), text)

    def of_assess(self, text: str, shown: list[str], key: Key) -> Ask:
        """How good a prompt is, and how hard."""
        rules = self.templates["assess_system"].render(shape=SHAPES["assess"])
        return Ask(key, "assess", rules, self._user("assess_user", {"text": text, "examples": shown}))

    def _rules(self, kind: Kind, language: str | None) -> str:
        return self.templates["system"].render(shape=SHAPES[kind], language=language)

    def _user(self, template: str, context: dict[str, object]) -> str:
        examples = context["examples"]
        texts = [value for value in context.values() if isinstance(value, str)]
        texts += examples if isinstance(examples, list) else []
        return self.templates[template].render(**context, fence=fences.fence(_TAGS, *texts)).strip()

    def _name(self, language: str | None) -> str | None:
        return None if language is None else self.languages.get(language, language)
