"""What each platform takes, in one table, held before anything is sent: no client of theirs does.

The limits of files stand in export/targets.py, which `check` reads; those that differ by model are Together's, and
asked of it (on_together.py). A flag that a platform's table leaves out does not exist there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date

from pairsmith.errors import UserError
from pairsmith.training import Training

OPENAI = "OpenAI's API schema (openai-openapi f7f4b05) and client 3.57, read 2026-11"
AZURE = "Microsoft Foundry's DPO guide: the same API as OpenAI's; read 2026-11"
AZURE_SUFFIX = "Azure OpenAI REST reference 2023-12-01-preview, read 2026-11"
TOGETHER = "Together's API reference, preference guide and client 3.1.1, read 2026-11"
FIREWORKS = "Fireworks' client 1.2.30 and DPO guide, read 2026-11"

# OpenAI on its wind-down, read November 2026.
NO_NEW_USERS_SINCE = date(2026, 5, 7)
LAST_NEW_JOB = date(2027, 1, 6)

TITLES: Mapping[str, str] = {"openai": "OpenAI", "azure": "Azure", "together": "Together", "fireworks": "Fireworks"}


@dataclass(frozen=True, slots=True)
class Span:
    """The numbers from `low` to `high`; an open end is left out itself."""

    source: str
    low: float
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def holds(self, value: float) -> bool:
        """Whether the number is in it."""
        above = value > self.low if self.open_low else value >= self.low
        return above and math.isfinite(value) and (value < self.high if self.open_high else value <= self.high)

    def __str__(self) -> str:
        low = f"{'above' if self.open_low else 'from'} {self.low:g}"
        if self.high == math.inf:
            return low if self.open_low else f"{self.low:g} or more"
        return f"{low} {'and below' if self.open_high else 'up to'} {self.high:g}"


@dataclass(frozen=True, slots=True)
class Words:
    """Texts that a pattern describes."""

    source: str
    pattern: str
    said: str

    def holds(self, value: str) -> bool:
        """Whether it is one."""
        return re.fullmatch(self.pattern, value) is not None

    def __str__(self) -> str:
        return self.said


@dataclass(frozen=True, slots=True)
class Takes:
    """What one platform takes besides a model and a file."""

    values: Mapping[str, Span | Words]  # by field of Training
    validation: bool = True
    jsonl_only: bool = False  # by the file's name


def _any(source: str) -> Words:
    return Words(source, r".+", "a text")


def _openai(source: str) -> dict[str, Span | Words]:
    return {
        "model": _any(source),
        "beta": Span(source, 0, 2, open_low=True),
        "epochs": Span(source, 1, 50),
        "batch_size": Span(source, 1, 256),
        "learning_rate_multiplier": Span(source, 0, open_low=True),
        "suffix": Words(source, r".{1,64}", "at most 64 characters"),
    }


PLATFORMS: Mapping[str, Takes] = {
    "openai": Takes(_openai(OPENAI)),
    "azure": Takes(
        _openai(AZURE)
        | {
            "suffix": Words(AZURE_SUFFIX, r"[A-Za-z0-9_-]{1,40}", "at most 40 of a-z, A-Z, 0-9, - and _"),
            "training_type": _any(AZURE),
        }
    ),
    "together": Takes(
        {
            "model": _any(TOGETHER),
            "from_checkpoint": _any(TOGETHER),
            "beta": Span(TOGETHER, 0, open_low=True),
            "epochs": Span(TOGETHER, 1, 20),
            "batch_size": Span(TOGETHER, 1),
            "learning_rate": Span(TOGETHER, 0, open_low=True),
            "lora_rank": Span(TOGETHER, 1),
            "suffix": Words(TOGETHER, r".{1,40}", "at most 40 characters"),
        },
        jsonl_only=True,
    ),
    "fireworks": Takes(
        {
            "model": Words(FIREWORKS, r"accounts/[^/]+/models/[^/]+", "accounts/ACCOUNT/models/NAME"),
            "from_checkpoint": Words(FIREWORKS, r"accounts/[^/]+/models/[^/]+", "accounts/ACCOUNT/models/NAME"),
            "beta": Span(FIREWORKS, 0, 0.5, open_low=True, open_high=True),
            "epochs": Span(FIREWORKS, 1),
            "batch_size": Span(FIREWORKS, 1),
            "learning_rate": Span(FIREWORKS, 0, open_low=True),
            "lora_rank": Span(FIREWORKS, 1),
            "suffix": Words(
                FIREWORKS, r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", "1 to 63 of a-z, 0-9 and -, with none at either end"
            ),
        },
        validation=False,
        jsonl_only=True,
    ),
}


def flag(name: str) -> str:
    """A field of Training as the command line spells it."""
    return f"--{name.replace('_', '-')}"


def hold(platform: str, training: Training, validation: bool) -> None:
    """Hold what was asked for against the table.

    Raises:
        UserError: the platform does not take a flag, or not that value; no model is named, or two.
    """
    takes, title = PLATFORMS[platform], TITLES[platform]
    for name in (field.name for field in fields(training)):
        value, limit = getattr(training, name), takes.values.get(name)
        if value is None:
            continue
        if limit is None:
            raise UserError(f"{title} has no {flag(name)}: {_instead(name, takes)}")
        if not limit.holds(value):
            raise UserError(f"{flag(name)} {value}: {title} takes {limit} ({limit.source})")
    if validation and not takes.validation:
        raise UserError(f"{title} takes no validation file for DPO: leave --validation out")
    if (training.model is None) == (training.from_checkpoint is None):
        either = " or --from-checkpoint" if "from_checkpoint" in takes.values else ""
        raise UserError(f"name what is trained: --model{either}{', one of the two' if either else ''}")


def closing(today: date) -> str:
    """What has to be said of OpenAI on a day."""
    if today > LAST_NEW_JOB:
        return (
            f"OpenAI takes no new fine-tuning jobs since {LAST_NEW_JOB}: take another --platform, or try with --force"
        )
    return (
        f"OpenAI is closing its fine-tuning: no new users since {NO_NEW_USERS_SINCE}, "
        f"the last new job on {LAST_NEW_JOB}; azure, together and fireworks take the same rows"
    )


def _instead(name: str, takes: Takes) -> str:
    others = {
        "from_checkpoint": "name the fine-tuned model with --model",
        "learning_rate": "it has --learning-rate-multiplier",
        "learning_rate_multiplier": "it has --learning-rate, which is absolute",
    }
    return others.get(name, "leave it out")
