"""pairsmith: synthetic preference pairs that are right, cheap and provable.

The public names stand below, and docs/library.md shows them at work. Each loads when it is first used, so that
importing pairsmith costs nothing.
"""

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from pairsmith.errors import PairsmithError, Stopped, UserError
    from pairsmith.library.inputs import load_recipe, read_prompts
    from pairsmith.library.options import Progress
    from pairsmith.library.pairs import Pair
    from pairsmith.library.results import Run, open_run
    from pairsmith.library.runs import run, run_async, stream_pairs
    from pairsmith.recipe import Recipe
    from pairsmith.records import Prompt

__all__ = [
    "Pair",
    "PairsmithError",
    "Progress",
    "Prompt",
    "Recipe",
    "Run",
    "Stopped",
    "UserError",
    "__version__",
    "load_recipe",
    "open_run",
    "read_prompts",
    "run",
    "run_async",
    "stream_pairs",
]

_MODULES = {
    "Pair": "library.pairs",
    "PairsmithError": "errors",
    "Progress": "library.options",
    "Prompt": "records",
    "Recipe": "recipe",
    "Run": "library.results",
    "Stopped": "errors",
    "UserError": "errors",
    "load_recipe": "library.inputs",
    "open_run": "library.results",
    "read_prompts": "library.inputs",
    "run": "library.runs",
    "run_async": "library.runs",
    "stream_pairs": "library.runs",
}

if not TYPE_CHECKING:  # else type checkers would take every name

    def __getattr__(name: str) -> object:
        """Load a public name when it is first asked for."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        found = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = found
        return found


def __dir__() -> list[str]:
    return sorted(__all__)
