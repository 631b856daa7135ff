"""What is read out of a writer's or a judge's reply."""

from __future__ import annotations

import pytest

from pairsmith.collect.expand.records import Judgement
from pairsmith.collect.expand.replies import points_in, texts_in
from pairsmith.judge.verdicts import objects_in

READ = Judgement(objects_in, lambda text: False, lambda text: None, lambda text, code: False)
TWO = ["Why is it late?", "How do I return it?"]


@pytest.mark.parametrize(
    "reply",
    [
        '{"prompts": ["Why is it late?", "How do I return it?"]}',
        '<think>Two of them.</think>```json\n{"prompts": ["Why is it late?", "How do I return it?"]}\n```',
        '{"prompts": ["...", "..."]} is the shape. {"prompts": ["Why is it late?", "How do I return it?"]}',
        '{"questions": ["Why is it late?", "How do I return it?"]}',
        '{"result": {"prompts": ["Why is it late?", "How do I return it?"]}}',
        '{"prompts": [{"prompt": "Why is it late?", "type": "a"}, {"prompt": "How do I return it?", "type": "b"}]}',
        '{"prompt": "Why is it late?"}\n{"prompt": "How do I return it?"}',
        '["Why is it late?", "How do I return it?"]',
        '```json\n["Why is it late?", "How do I return it?"]\n```',
        '{"prompts": ["1. Why is it late?", "2. How do I return it?"]}',
        "1. Why is it late?\n2. How do I return it?",
        "Here they are:\n- Why is it late?\n- How do I return it?",
    ],
)
def test_the_prompts_of_a_reply_are_found_in_whatever_shape(reply: str) -> None:
    assert texts_in(reply, "prompts", READ) == TWO


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "No.",
        "Why is it late?",
        '{"prompts": ["Why is it',
        '{"prompts": []}',
        '{"prompts": ["...", "…"]}',
        '{"a": [1], "b": [2]}',
    ],
)
def test_what_is_no_list_of_prompts_is_none(reply: str) -> None:
    assert texts_in(reply, "prompts", READ) is None


@pytest.mark.parametrize(
    "text", ["24. Dezember: Was koche ich?", "1. Write a haiku.\n2. Translate it.", "- milk\n- eggs\nWhat can I cook?"]
)
def test_numbers_and_dashes_that_belong_to_a_prompt_stay(text: str) -> None:
    import orjson

    assert texts_in(orjson.dumps({"prompts": [text, "Why?"]}).decode(), "prompts", READ) == [text, "Why?"]


@pytest.mark.parametrize(
    ("reply", "points"),
    [
        ('{"rationale": "", "quality": 8, "difficulty": 3}', (8.0, 3.0)),
        ('{"quality": "8", "difficulty": "high"}', (8.0, None)),
        ('{"quality": 7.5}', (7.5, None)),
        ('{"quality": 11}', None),
        ('{"quality": true}', None),
        ('{"quality": 3} or {"quality": 9}', None),
        ("8 of 10", None),
    ],
)
def test_points_are_taken_where_they_are_clear(reply: str, points: tuple[float, float | None] | None) -> None:
    assert points_in(reply, READ) == points
