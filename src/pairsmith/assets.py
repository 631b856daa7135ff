"""Finds what ships with pairsmith: the words sent to models (prompts/) and the data of the demo (data/).

In a wheel they lie inside the package, in a checkout beside src/. Compiles the templates. Called by recipe.py
and the command line.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from pairsmith.errors import UserError

if TYPE_CHECKING:
    from jinja2 import Environment, Template

_PACKAGE = Path(__file__).resolve().parent


@cache
def _root() -> Path:
    places = (_PACKAGE / "_assets", _PACKAGE.parents[1])
    for place in places:
        if (place / "prompts").is_dir() and (place / "data").is_dir():
            return place
    raise UserError(f"pairsmith's own prompts/ and data/ are missing from {_PACKAGE}; install it again")


def asset(*parts: str) -> Path:
    """The path of something that ships: `asset("prompts", "rubrics")`, `asset("data", "demo", "book")`."""
    return _root().joinpath(*parts)


def bundled(kind: str) -> list[str]:
    """The names that ship of one kind ("rubrics", "system"), in alphabetical order."""
    return sorted(path.stem for path in asset("prompts", kind).glob("*.md"))


def words(kind: str, name: str, base: Path) -> str:
    """The text of a bundled name, or of a file (relative to `base`), without the white space around it.

    Raises:
        UserError: it is neither.
    """
    path = asset("prompts", kind, f"{name}.md")
    if "/" in name or not path.is_file():
        path = base / name
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        known = ", ".join(bundled(kind))
        raise UserError(f'"{name}" is neither a bundled name ({known}) nor a file at {path}') from None
    except UnicodeDecodeError as exc:
        raise UserError(f"{path} is not UTF-8 (byte {exc.start}); save it as UTF-8") from None


def template(*parts: str) -> Template:
    """One compiled template of prompts/. Text goes in as it is: nothing is escaped, a missing value is an error."""
    return _environment("prompts").get_template("/".join(parts))


def card_template() -> Template:
    """The compiled template of a dataset card, under the same rules."""
    return _environment("data").get_template("card/README.md.j2")


@cache
def _environment(folder: str) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(asset(folder)),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
