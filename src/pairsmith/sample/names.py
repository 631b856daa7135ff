"""Readable, unique names for arms: `T0.6 k20 expert`. Names are for people; no id or seed depends on one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath

import orjson

from pairsmith.records import Arm
from pairsmith.sample.settings import GIVEN

LETTERS = {
    "temperature": "T",
    "top_k": "k",
    "top_p": "p",
    "min_p": "min_p",
    "repetition_penalty": "rep",
    "presence_penalty": "pres",
    "frequency_penalty": "freq",
    "reasoning_effort": "effort-",
    "verbosity": "verbosity-",
    "seed": "seed",
}
LONGEST = 20  # characters of a value
TEXT_SUFFIXES = frozenset({".md", ".txt", ".j2", ".jinja"})


def name_arms(arms: Sequence[Arm]) -> tuple[Arm, ...]:
    """Name the arms that have no name yet; the endpoint is named only when there are several."""
    several = len({arm.endpoint for arm in arms}) > 1
    personas = short_names([arm.system_name for arm in arms if arm.system_name is not None])
    taken = {GIVEN, *(arm.name for arm in arms)}
    named = []
    for arm in arms:
        name = arm.name or _unused(_described(arm, personas, several), taken)
        taken.add(name)
        named.append(replace(arm, name=name))
    return tuple(named)


def _described(arm: Arm, personas: Mapping[str, str], several_endpoints: bool) -> str:
    parts = [f"{LETTERS[key]}{_short(value)}" for key, value in arm.params.items() if key != "extra"]
    extra = arm.params.get("extra")
    parts += [f"{key}={_short(value)}" for key, value in extra.items()] if isinstance(extra, dict) else []
    if arm.system_name is not None:
        parts.append(personas[arm.system_name])
    if several_endpoints:
        parts.append(arm.endpoint)
    return " ".join(parts) or "default"


def _short(value: object) -> str:
    """A number without a needless ".0", a word as it is, anything else as JSON cut short."""
    if isinstance(value, str):
        return value
    text = orjson.dumps(value).decode().removesuffix(".0")
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def short_names(names: Sequence[str]) -> dict[str, str]:
    """`personas/expert.md` becomes `expert`, unless two would."""
    short = {name: _stem(name) for name in names}
    uses = Counter(short.values())
    return {name: stem if uses[stem] == 1 else name for name, stem in short.items()}


def _stem(name: str) -> str:
    path = PurePath(name)
    return path.stem if path.suffix in TEXT_SUFFIXES else path.name


def _unused(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name} ({number})"
    return candidate
