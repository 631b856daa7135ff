"""Flags as a recipe: `pairsmith run --prompts FILE --model M --judge M …` needs no file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairsmith.errors import RecipeError
from pairsmith.recipe import STANDARD_INPUT, Table, recipe_of, run_name

if TYPE_CHECKING:
    from pairsmith.recipe import Recipe

# Flag -> the field of the recipe it overrides; lists are written with commas.
FIELDS = {
    "temperature": "sample.temperature",
    "top_k": "sample.top_k",
    "system": "sample.system",
    "completions": "sample.completions",
    "limit": "prompts.limit",
    "prompts": "prompts.path",
    "column": "prompts.column",
    "where": "prompts.where",
}
WORDS = ("prompts", "column", "where")  # texts that may hold commas, or look like numbers
SWITCHES = ("skip_bad", "shuffle")
NEEDED = ("prompts", "model", "judge")
ENDPOINT_FLAGS = ("model", "judge", "base_url", "judge_base_url", "api_key_env", "judge_api_key_env")


def as_overrides(flags: dict[str, Any]) -> list[str]:
    """Flags beside a recipe, as `table.key=value`.

    Raises:
        RecipeError: a flag that stands for a recipe's endpoint was given with a recipe.
    """
    for flag in ENDPOINT_FLAGS:
        if flags.get(flag) is not None:
            name = flag.replace("_", "-")
            raise RecipeError(f"--{name} goes without a recipe; with one, say --set endpoints.NAME.KEY=VALUE")
    written = {
        **flags,
        **{flag: json.dumps(flags[flag], ensure_ascii=False) if flags.get(flag) else None for flag in WORDS},
    }
    given = [f"{field}={written[flag]}" for flag, field in FIELDS.items() if written.get(flag) is not None]
    return given + [f"prompts.{flag}=true" for flag in SWITCHES if flags.get(flag)]


def recipe_from_flags(flags: dict[str, Any], overrides: Sequence[str]) -> Recipe:
    """The recipe that flags alone describe: one model sampled, one judging.

    Raises:
        RecipeError: one of the needed flags is missing.
    """
    missing = [f"--{flag}" for flag in NEEDED if not flags.get(flag)]
    if len(missing) == len(NEEDED):
        raise RecipeError("name a recipe (pairsmith init writes one), or give --prompts, --model and --judge")
    if missing:
        raise RecipeError(f"without a recipe {' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} needed too")
    prompts = flags["prompts"]
    judge_url = flags["judge_base_url"] or flags["base_url"]
    judge_key = flags["judge_api_key_env"] or (None if flags["judge_base_url"] else flags["api_key_env"])
    table: Table = {
        "name": "stdin" if prompts == STANDARD_INPUT else run_name(Path(prompts).stem),
        "prompts": {"path": prompts},
        "endpoints": {
            "student": endpoint_of(flags["model"], flags["base_url"], flags["api_key_env"]),
            "judge": endpoint_of(flags["judge"], judge_url, judge_key),
        },
        "sample": {"endpoints": ["student"]},
        "judge": {"panel": ["judge"]},
    }
    flags = {**flags, "prompts": prompts}
    return recipe_of(table, "the flags", [*_fields(flags), *overrides])


def _fields(flags: dict[str, Any]) -> list[str]:
    return as_overrides({flag: value for flag, value in flags.items() if flag not in ENDPOINT_FLAGS})


def endpoint_of(model: str, base_url: str | None, api_key_env: str | None) -> Table:
    """An endpoint's table, of what flags say of it."""
    table = {"model": model, "base_url": base_url, "api_key_env": api_key_env}
    return {key: value for key, value in table.items() if value is not None}
