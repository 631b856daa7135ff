"""Good rows to start from, and a short way to check bytes; for the tests of this folder."""

import io
from typing import Any

from pairsmith.export.chat import ChatPair
from pairsmith.export.check import check
from pairsmith.export.formats import chat_pair, row_bytes
from pairsmith.export.problems import Problem
from pairsmith.export.targets import TARGETS
from pairsmith.records import Json, Message, Prompt, prompt_id


def prompt_of(*messages: Message, system: str | None = None, tools: tuple[Json, ...] = ()) -> Prompt:
    return Prompt(
        id=prompt_id(messages, tools, None, system), messages=messages, system=system, tools=tools, source_id="q1"
    )


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def assistant(text: str) -> Message:
    return {"role": "assistant", "content": text}


def rows_for(target: str, pair: ChatPair) -> tuple[dict[str, Any], ...]:
    """The rows of a pair in a target's layout, whatever the rules say of them."""
    return TARGETS[target].layout.rows(pair)


def openai_row(prompt: Prompt, chosen: str, rejected: str, system: str | None) -> dict[str, Any]:
    return rows_for("openai", chat_pair(prompt, chosen, rejected, system))[0]


def preference(number: int = 0) -> dict[str, Any]:
    """A row that passes for openai, azure, together and fireworks."""
    return openai_row(prompt_of(user(f"Question {number}?")), *ANSWERS, "Be kind.")


ANSWERS = ("A good answer.", "A bad answer, and long.")


def good_row(target: str, number: int = 0) -> dict[str, Any]:
    """The first row of a pair that each target takes."""
    if target in ("openai", "azure", "together", "fireworks"):
        return preference(number)
    return rows_for(target, chat_pair(prompt_of(user(f"Question {number}?")), *ANSWERS, None))[0]


def good_lines(target: str, count: int) -> list[bytes]:
    return [row_bytes(good_row(target, number)) for number in range(1, count + 1)]


def problems_of(data: bytes, target: str = "openai") -> list[Problem]:
    return list(check(io.BytesIO(data), target))


def row_problems(data: bytes, target: str = "openai") -> list[Problem]:
    """Those of a line; how many rows the file should have is left aside."""
    return [problem for problem in problems_of(data, target) if problem.line]


def errors_of(data: bytes, target: str = "openai") -> list[Problem]:
    return [problem for problem in row_problems(data, target) if problem.severity == "error"]
