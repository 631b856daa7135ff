"""A recipe as it may be shown to everybody: models, identities and settings, without places, keys or private hosts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pairsmith.dialects import of_host
from pairsmith.judge.settings import CHECK

if TYPE_CHECKING:
    from pairsmith.recipe import Recipe

# Of [endpoints.NAME]: where it is, who pays for it, and how hard it may be asked concern nobody else.
PRIVATE = (
    "api_key_env", "auth", "base_url", "price", "concurrency", "requests_per_minute", "tokens_per_minute", "timeout_s",
)  # fmt: skip
SECRET = re.compile(r"key|token|secret|passw|auth|credential|header|cookie|user|metadata|identifier", re.IGNORECASE)
PLACE = re.compile(r"\.{0,2}[/~\\]|[A-Za-z]:[/\\]")  # begins a path of one machine
URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def shareable_toml(recipe: Recipe) -> str:
    """The recipe as a file: what was set, and may be shown."""
    import tomli_w

    return tomli_w.dumps(shareable(recipe))


def shareable(recipe: Recipe) -> dict[str, Any]:
    """The tables of the recipe as it was set: files by their names alone, hosts only where everybody knows them."""
    table: dict[str, Any] = recipe.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    table.get("export", {}).pop("path", None)
    for settings in table.get("endpoints", {}).values():
        urls = settings.get("base_url") or []
        urls = [url for url in ([urls] if isinstance(urls, str) else urls) if is_public(url)]
        for key in PRIVATE:
            settings.pop(key, None)
        if urls:
            settings["base_url"] = urls[0] if len(urls) == 1 else urls
    return {key: _shown(value) for key, value in table.items()}


def is_public(url: str) -> bool:
    """Whether the URL names a hosted platform that is the same for everybody."""
    host = urlsplit(url).hostname or ""
    return host.startswith("api.") and bool(of_host(host))


def public_name(name: str) -> str:
    """A model, a judge or a file by its name; where it stands on this machine is left out."""
    if name.startswith(CHECK):
        return CHECK + public_name(name.removeprefix(CHECK))
    return PurePath(name.replace("\\", "/")).name if PLACE.match(name) else name


def _shown(value: Any, free: bool = False) -> Any:
    """A value of the recipe without places; within `extra`, which is free, without what may be a secret or a person."""
    if isinstance(value, Mapping):
        kept = {key: each for key, each in value.items() if not (free and SECRET.search(key) and _says(each))}
        return {key: _shown(each, free or key == "extra") for key, each in kept.items()}
    if isinstance(value, list):
        return [_shown(each, free) for each in value]
    if isinstance(value, str):
        if URL.match(value):
            return value if is_public(value) else ""
        return public_name(value)
    return value


def _says(value: Any) -> bool:
    """Whether it is more than a number or a switch, as max_tokens = 700 is not."""
    return not isinstance(value, int | float)
