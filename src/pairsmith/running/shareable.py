"""What everybody may see of a recipe and of a provenance: models, identities and settings.

Places on a machine, keys, persons and private hosts are left out. Of what goes into a request's body as it stands, such
as `extra`, only numbers, switches and short plain words stay. Pure. Called for dataset folders, and by `audit` of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pairsmith.collect.settings import HUB
from pairsmith.dialects import of_host
from pairsmith.judge.settings import CHECK
from pairsmith.wire.faults import KEY_SHAPE

if TYPE_CHECKING:
    from pairsmith.recipe import Recipe
    from pairsmith.records import Json

# Of [endpoints.NAME]: where it is, who pays for it, and how hard it may be asked concern nobody else.
PRIVATE = (
    "api_key_env", "auth", "base_url", "price", "concurrency", "requests_per_minute", "tokens_per_minute", "timeout_s",
)  # fmt: skip
SECRET = re.compile(
    r"key|token|secret|passw|auth|credential|header|cookie|user|metadata|identifier|session|account|e-?mail|bearer",
    re.IGNORECASE,
)
PLACE = re.compile(r"\.{0,2}[/~\\]|[A-Za-z]:[/\\]")  # begins a path of one machine
URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
LONGEST_WORDS = 48  # characters: the names of models are no longer
NOT_PLAIN = re.compile(
    r"""
    :// | @ | [{}"\\]                                   # a URL, a person, something written out as a text
    | (?:^|[^\w/.<]) \.{0,2} [/~] | [a-z]:/ | \bfile:     # a path of one machine
    | :\d{2,5}\b | :[^\s:]*: | \blocalhost\b             # a port, an address of version 6
    | \b\d+(?:\.\d+){3}\b | \b(?:[\w-]+\.)+[a-z]{2,}\b   # an address of version 4, a host or a file
    | \b(?:bearer|basic)\s                               # what a header says
    | (?<![a-z0-9]) (?:(?=[a-z]*\d)(?=\d*[a-z])[a-z0-9]{12,} | [a-z0-9]{24,} | \d{9,})  # drawn at random, or a number
    """,
    re.IGNORECASE | re.VERBOSE,
)


def shareable_toml(recipe: Recipe) -> str:
    """The recipe as a file: what was set, and may be shown."""
    import tomli_w

    return tomli_w.dumps(shareable(recipe))


def shareable(recipe: Recipe) -> dict[str, Any]:
    """The tables of the recipe as it was set: files by their names alone, hosts only where everybody knows them."""
    table: dict[str, Any] = recipe.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    table.get("export", {}).pop("path", None)
    prompts = table.get("prompts", {})
    if not _is_plain(prompts.get("where", "")):  # it may name a person
        prompts.pop("where")
    for settings in (*table.get("endpoints", {}).values(), *table.get("sample", {}).get("arms", ())):
        if "extra" in settings:
            settings["extra"] = shareable_parameters(settings["extra"])
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


def shareable_parameters(parameters: Mapping[str, Json]) -> dict[str, Json]:
    """What goes into a request's body, without what may be a secret, a person or a place; some of it is anybody's."""
    free = {key: value for key, value in parameters.items() if _is_plain(key) and not _names_secret(key, value)}
    return {key: plain for key, value in free.items() if (plain := _plain(value)) is not None}


def shareable_proof(row: Mapping[str, Json]) -> dict[str, Json]:
    """A line of the provenance as a dataset folder holds it; applied once more it changes nothing."""
    sides = {key: _side(row[key]) for key in ("chosen", "rejected") if key in row}
    family = row.get("family")
    kept = {"family": family if isinstance(family, str) and _is_plain(family) else None} if "family" in row else {}
    said = row.get("said")  # people prefer and mend; who they are concerns nobody else
    people = {"said": [_nameless(one) for one in said]} if isinstance(said, list) else {}
    return {**row, **kept, **sides, **people}


def _nameless(said: Json) -> Json:
    return {key: value for key, value in said.items() if key != "by"} if isinstance(said, dict) else said


def _side(side: Json) -> Json:
    if not isinstance(side, Mapping):
        return side
    shown = dict(side)
    for key in ("requested", "effective"):
        if isinstance(found := side.get(key), Mapping):
            shown[key] = shareable_parameters(found)
    if isinstance(persona := side.get("persona"), str):
        shown["persona"] = public_name(persona)
    return shown


def _plain(value: Json) -> Json:
    """The value without what is left out; None: nothing of it stays."""
    if isinstance(value, Mapping):
        return shareable_parameters(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain for each in value if (plain := _plain(each)) is not None]
    return value if not isinstance(value, str) or _is_plain(value) else None


def _is_plain(text: str) -> bool:
    return len(text) <= LONGEST_WORDS and not (NOT_PLAIN.search(text) or KEY_SHAPE.search(text))


def _names_secret(key: str, value: Json) -> bool:
    """Whether the key tells of a secret or a person, and the value is more than a number: max_tokens = 700 is not."""
    return SECRET.search(key) is not None and not isinstance(value, int | float)


def _shown(value: Any) -> Any:
    """A value of the recipe without places."""
    if isinstance(value, Mapping):
        return {key: _shown(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_shown(each) for each in value]
    if isinstance(value, str):
        if value.startswith(HUB):  # like a file: whose it is, and whether others may read it, is not known
            return PurePath(value).name
        if URL.match(value):
            return value if is_public(value) else ""
        return public_name(value)
    return value
