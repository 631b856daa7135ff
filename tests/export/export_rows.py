"""Good rows to start from, and a short way to check bytes; for the tests of this folder."""

import io
from typing import Any

from pairsmith.export.check import check
from pairsmith.export.formats import row_bytes
from pairsmith.export.problems import Problem
from pairsmith.records import Json, Message, Prompt, prompt_id


def prompt_of(*messages: Message, system: str | None = None, tools: tuple[Json, ...] = ()) -> Prompt:
    return Prompt(
        id=prompt_id(messages, tools, None, system), messages=messages, system=system, tools=tools, source_id="q1"
    )


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def assistant(text: str) -> Message:
    return {"role": "assistant", "content": text}


def preference(number: int = 0) -> dict[str, Any]:
    """A row that passes for openai, azure, together and fireworks."""
    return {
        "input": {
            "messages": [{"role": "system", "content": "Be kind."}, user(f"Question {number}?")],
            "tools": [],
            "parallel_tool_calls": True,
        },
        "preferred_output": [assistant("A good answer.")],
        "non_preferred_output": [assistant("A bad answer, and long.")],
    }


def conversational(number: int = 0) -> dict[str, Any]:
    """A row that passes for trl."""
    return {
        "prompt": [user(f"Question {number}?")],
        "chosen": [assistant("A good answer.")],
        "rejected": [assistant("A bad answer, and long.")],
    }


def good_row(target: str, number: int = 0) -> dict[str, Any]:
    return conversational(number) if target == "trl" else preference(number)


def good_lines(target: str, count: int) -> list[bytes]:
    return [row_bytes(good_row(target, number)) for number in range(1, count + 1)]


def problems_of(data: bytes, target: str = "openai") -> list[Problem]:
    return list(check(io.BytesIO(data), target))


def row_problems(data: bytes, target: str = "openai") -> list[Problem]:
    """Those of a line; how many rows the file should have is left aside."""
    return [problem for problem in problems_of(data, target) if problem.line]


def errors_of(data: bytes, target: str = "openai") -> list[Problem]:
    return [problem for problem in row_problems(data, target) if problem.severity == "error"]
