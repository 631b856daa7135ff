"""What was named: a recipe and the folder of its run, and what is known of both before anything is asked."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pairsmith.errors import LedgerError, RecipeError
from pairsmith.folder import RunFolder

if TYPE_CHECKING:
    from pairsmith.ledger import Ledger
    from pairsmith.qualified import Qualification
    from pairsmith.recipe import Recipe
    from pairsmith.records import Endpoint, EndpointName


@dataclass(frozen=True, slots=True)
class Named:
    """What the user named: a recipe, and the folder of its run."""

    recipe: Recipe
    folder: RunFolder
    resumed: bool  # a run folder was named: its stored recipe, and its stored input where that was standard input


def named(target: Path, run_dir: Path | None, overrides: Sequence[str] = ()) -> Named:
    """A RECIPE file or a RUN_DIR: whichever it is, both.

    Raises:
        RecipeError: there is no such file or folder.
    """
    from pairsmith.recipe import load_recipe

    if target.is_dir():
        stored = RunFolder(target).recipe
        if not stored.exists():
            raise RecipeError(f"{target} holds no recipe.toml: name a recipe, or the folder of a run")
        return Named(load_recipe(stored, overrides), RunFolder(run_dir or target), True)
    if not target.exists():
        raise RecipeError(f"there is no recipe or run folder {target}: write a recipe with: pairsmith init")
    recipe = load_recipe(target, overrides)
    return Named(recipe, RunFolder(run_dir or default_run_dir(recipe)), False)


def as_last_run(what: Named) -> Recipe:
    """The recipe that the folder was last run with, whatever the one that was named says by now."""
    from pairsmith.recipe import load_recipe

    return load_recipe(what.folder.recipe) if what.folder.recipe.exists() else what.recipe


def default_run_dir(recipe: Recipe) -> Path:
    """Where a run goes when no folder is named."""
    return Path("runs") / recipe.name


def excluding(recipe: Recipe, folders: Sequence[str]) -> Recipe:
    """The recipe with these run folders excluded besides its own: what is said beside it brings no prompt back."""
    both = (*recipe.prompts.exclude, *(str(Path(folder).absolute()) for folder in folders))
    prompts = recipe.prompts.model_copy(update={"exclude": tuple(dict.fromkeys(both))})
    return recipe.model_copy(update={"prompts": prompts}) if folders else recipe


@contextlib.contextmanager
def stored_run(folder: RunFolder) -> Iterator[tuple[Ledger, str]]:
    """The ledger of a run folder for reading, and the digest of the recipe it was last run with.

    Raises:
        LedgerError: nothing was run there yet.
    """
    from pairsmith.ledger import open_ledger

    ledger = open_ledger(folder.ledger, time.time, create=False)
    try:
        digest = ledger.fact("digest")
        if digest is None:
            raise LedgerError(f"nothing was run in {folder.path} yet: pairsmith run RECIPE --run-dir {folder.path}")
        yield ledger, digest
    finally:
        ledger.close_now()


def known_judges(what: Named, models: Mapping[EndpointName, Endpoint]) -> dict[EndpointName, Qualification | None]:
    """How the judges of a recipe that are chat models did when they were asked what is known; None: never asked."""
    from pairsmith.qualified import home, qualifications

    names = [name for name in what.recipe.judge.panel if name in models and models[name].kind == "chat"]
    return qualifications({name: models[name] for name in names}, what.folder.path, home(environment()))


def relative(path: Path) -> str:
    """The path as the user would type it."""
    with contextlib.suppress(ValueError):
        return str(path.resolve().relative_to(Path.cwd()))
    return str(path)


def environment() -> dict[str, str]:
    """The environment's variables."""
    return dict(os.environ)
