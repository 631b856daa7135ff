"""Fills a JSON schema that is no judge's: what a model says when asked for, say, ten more prompts as JSON."""

import re
from collections.abc import Mapping
from typing import Any

from pairsmith.simulator.dice import Dice

_SUBJECTS = (
    "the garden", "an old bicycle", "a first job interview", "the weekly budget", "a birthday party",
    "a slow laptop", "the house plants", "a difficult phone call", "a walking holiday", "the monthly report",
    "a vegetable soup", "the move to a new flat", "a school play", "an overdue invoice", "the office kitchen",
    "a choir rehearsal", "the winter tyres", "a science lesson", "the family photographs", "a late train",
    "the reading group", "a leaking tap", "the neighbour's dog", "a long flight", "the savings account",
)  # fmt: skip
_TASKS = (
    "Explain how to plan {s} with very little time.",
    "What should I check first when {s} causes trouble?",
    "Write a friendly message to a colleague about {s}.",
    "Give me three ideas that make {s} cheaper.",
    "How would you describe {s} to somebody who has never seen it?",
    "Draft a short checklist for {s}.",
    "Which mistakes do beginners make with {s}, and how can I avoid them?",
    "Help me decide whether {s} is worth the effort.",
)
_TWISTS = (
    "", "Keep it to five sentences.", "I have half an hour.", "The reader is a beginner.", "Money is short.",
    "Please add one example.", "It is for a group of six.", "Name the biggest risk as well.",
    "We tried it once and it went wrong.", "Start with the most important thing.",
)  # fmt: skip
_DEEPEST = 8
_HOW_MANY = re.compile(r"\b(\d{1,3})\b[^.\n]{0,60}?\bprompts\b")


# What comes of json_object without a schema.
_SOME_OBJECT = {"type": "object", "properties": {"answer": {"type": "string"}}}


def wanted_schema(response_format: object, instructions: str) -> Mapping[str, Any] | None:
    """The schema a request asks for, by response_format or by the literal word "prompts" in quotes; else None."""
    kind = response_format.get("type") if isinstance(response_format, dict) else None
    if isinstance(response_format, dict) and kind in ("json_schema", "json_object"):
        wrapped = response_format.get("json_schema") or response_format
        schema = wrapped.get("schema") if isinstance(wrapped, dict) else None
        if isinstance(schema, dict):
            return schema
    if kind == "json_schema":
        return None
    if '"prompts"' in instructions:
        return _prompts_schema(instructions)
    return _SOME_OBJECT if kind == "json_object" else None


def _prompts_schema(instructions: str) -> Mapping[str, Any]:
    number = _HOW_MANY.search(instructions)
    many = int(number[1]) if number else 5
    return {"type": "object", "properties": {"prompts": {"type": "array", "minItems": many, "items": {}}}}


def fill(schema: Mapping[str, Any], dice: Dice, depth: int = 0) -> object:
    """A value that the schema allows: objects in full, arrays of minItems (or five), texts as prompts."""
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][dice.below(len(schema["enum"]))]
    kind = schema.get("type")
    if depth > _DEEPEST:
        return None
    if kind == "object" or "properties" in schema:
        return {name: fill(sub, dice, depth + 1) for name, sub in schema.get("properties", {}).items()}
    if kind == "array":
        many = min(100, schema.get("minItems") or min(5, schema.get("maxItems") or 5))
        return [fill(schema.get("items", {}), dice, depth + 1) for _ in range(many)]
    return _scalar(kind, schema, dice)


def _scalar(kind: object, schema: Mapping[str, Any], dice: Dice) -> object:
    if kind in ("integer", "number"):
        low, high = int(schema.get("minimum", 1)), int(schema.get("maximum", 10))
        return low + dice.below(max(1, high - low + 1))
    if kind == "boolean":
        return dice.uniform() < 0.5
    if kind == "null":
        return None
    task, subject, twist = (bank[dice.below(len(bank))] for bank in (_TASKS, _SUBJECTS, _TWISTS))
    return f"{task.format(s=subject)} {twist}".strip()
