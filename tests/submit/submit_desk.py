"""A user with a dataset, at a server that plays the platforms."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from platform_server import PlatformServer

from cli_runs import Ran, pairsmith, write_rows

KEY = "sk-secret-0123456789abcdef"
MODELS = {
    "openai": "gpt-4.1-mini-2025-04-14",
    "azure": "gpt-4.1-mini-2025-04-14",
    "together": "meta-llama/Meta-Llama-3.1-8B-Instruct-Reference",
    "fireworks": "accounts/fireworks/models/qwen3-8b",
}
PLATFORMS = list(MODELS)
PLAYS = {"openai": "openai", "azure": "openai", "together": "together", "fireworks": "fireworks"}


def row(number: int) -> dict[str, object]:
    return {
        "input": {
            "messages": [{"role": "user", "content": f"Question {number}?"}],
            "tools": [],
            "parallel_tool_calls": True,
        },
        "preferred_output": [{"role": "assistant", "content": f"Yes, {number}."}],
        "non_preferred_output": [{"role": "assistant", "content": f"No, not {number}."}],
    }


@dataclass
class Desk:
    """A user with a dataset, and a key for every platform."""

    folder: Path
    server: PlatformServer
    file: Path = field(init=False)
    validation: Path = field(init=False)

    def __post_init__(self) -> None:
        self.file = write_rows(self.folder / "pairs.jsonl", map(row, range(12)))
        self.validation = write_rows(self.folder / "pairs.validation.jsonl", map(row, range(100, 111)))

    def words(self, platform: str, *more: object) -> list[object]:
        words = ["submit", self.file, "--platform", platform, "--poll", 0.001, "--base-url", self.server.url]
        return [*words, *(() if "--from-checkpoint" in more else ("--model", MODELS[platform])), *more]

    def submit(self, platform: str, *more: object) -> Ran:
        ran = pairsmith(*self.words(platform, *more))
        assert KEY not in ran.out + ran.err
        return ran
