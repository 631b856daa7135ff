"""What a run is given in Python: prompts from files or objects, and recipes from files, run folders or tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import orjson

from pairsmith.collect import BadRow, Row, read_row
from pairsmith.collect.rows import Place
from pairsmith.errors import InputError, RecipeError
from pairsmith.recipe import Recipe, built_recipe, recipe_of
from pairsmith.records import Json, Prompt
from pairsmith.running.named import named
from pairsmith.running.sources import input_of, prompt_settings

PromptLike: TypeAlias = Prompt | str | Mapping[str, Any]
RecipeLike: TypeAlias = Recipe | str | Path | Mapping[str, Any]
Overrides: TypeAlias = Mapping[str, Any]

NAME = "prompts"  # what objects are called in messages


def read_prompts(
    source: str | Path | Iterable[PromptLike], *, skip_bad: bool = False, **fields: Any
) -> Iterator[Prompt]:
    """Read prompts one by one, as a run would; equal ones are not united yet.

    Args:
        source: what [prompts] path takes: a prompt file, a glob, a folder, "hf://owner/name"; or prompts as objects:
            texts, rows as a prompt file has them (`{"prompt": "…", "id": "…", "candidates": […]}`), or a pandas
            DataFrame of such rows.
        skip_bad: pass over bad rows instead of stopping at the first.
        fields: of files, further keys of [prompts]: format, column, where, shuffle, seed, config, split.

    Raises:
        UserError: the file cannot be read, or a row is bad; while iterating.
    """
    for row in _rows_of_files(str(source), fields) if isinstance(source, str | Path) else Objects(source).rows():
        if isinstance(row, Row):
            yield row.prompt
        elif not skip_bad:
            raise InputError(str(row))


def _rows_of_files(path: str, fields: Mapping[str, Any]) -> Iterator[Row | BadRow]:
    return input_of(prompt_settings(path=path, **fields), _no_standard_input).rows()


def _no_standard_input() -> NoReturn:
    raise InputError("there are no prompts: name a file, or give texts of prompts in a list")


@dataclass(frozen=True, slots=True)
class Objects:
    """Prompts that are objects, as the input of a run."""

    prompts: Iterable[PromptLike]
    name: str = NAME

    def rows(self) -> Iterator[Row | BadRow]:
        """One row an object.

        Raises:
            InputError: it is one object where many are meant.
        """
        if isinstance(self.prompts, str | Mapping | Prompt):
            raise InputError(f"{NAME}: one prompt alone; put it into a list")
        records = getattr(self.prompts, "to_dict", None)  # a DataFrame would go over the names of its columns
        prompts = records("records") if records and hasattr(self.prompts, "columns") else self.prompts
        for number, one in enumerate(prompts, start=1):
            yield _row(one, number)


def _row(one: PromptLike, number: int) -> Row | BadRow:
    if isinstance(one, Prompt):
        return Row(one, number)
    return read_row({"prompt": one} if isinstance(one, str) else _plain(one), Place(NAME, number, "row"))


def _plain(value: object) -> Json:
    """As JSON would have it: tuples are lists, numbers of numpy are numbers, and NaN, as in a table, is nothing."""
    table = dict(value) if isinstance(value, Mapping) else value
    try:
        plain: Json = orjson.loads(orjson.dumps(table, option=orjson.OPT_SERIALIZE_NUMPY))
    except TypeError:
        return table  # type: ignore[return-value]  # whoever reads the row says which field it is
    return plain


def load_recipe(source: RecipeLike, overrides: Overrides | None = None) -> Recipe:
    """Load a recipe, or build one.

    Args:
        source: a recipe file; a run folder, whose stored recipe is taken; or the tables of a recipe as a dict, whose
            relative paths start at the working directory. A dict needs no `name`, and no `prompts` where `run` is
            given some.
        overrides: fields by their dotted names, such as `{"pair.min_gap": 2}`.

    Raises:
        UserError: it cannot be read, or is not as it must be.
    """
    changes = list(_changes(overrides or {}))
    if isinstance(source, Recipe):
        table = source.model_dump(mode="json", exclude_unset=True)
        return recipe_of(table, "the recipe", changes) if changes else source
    if isinstance(source, Mapping):
        return built_recipe(source, changes)
    return named(Path(source), None, changes).recipe


def _changes(overrides: Overrides) -> Iterator[str]:
    """Overrides as the command line writes them, `table.key=value`; tables are gone into.

    Raises:
        RecipeError: a value is none that TOML has.
    """
    for key, value in overrides.items():
        if isinstance(value, Mapping):
            yield from _changes({f"{key}.{inner}": one for inner, one in value.items()})
            continue
        try:
            text = json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError):
            raise RecipeError(
                f"{key}: {value!r} is no value of a recipe: give text, numbers, lists or tables"
            ) from None
        if value is None:
            raise RecipeError(f"{key}: None is no value of a recipe; to leave a field out, build the recipe without it")
        yield f"{key}={text}"
