"""Where a submission goes: URL, account and key of each platform, and who speaks to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pairsmith.errors import UserError
from pairsmith.submitting import on_fireworks, on_together
from pairsmith.training import Dataset, Request, Training

if TYPE_CHECKING:
    from pairsmith.submitting.submit import Platform

OPENAI_URL = "https://api.openai.com/v1"
KEYS: Mapping[str, str] = {
    "openai": "OPENAI_API_KEY",
    "azure": "AZURE_OPENAI_API_KEY",
    "together": "TOGETHER_API_KEY",
    "fireworks": "FIREWORKS_API_KEY",
}
# The variables that the platforms' own clients read.
URLS: Mapping[str, tuple[str, str | None]] = {
    "openai": ("OPENAI_BASE_URL", OPENAI_URL),
    "azure": ("AZURE_OPENAI_ENDPOINT", None),
    "together": ("TOGETHER_BASE_URL", on_together.URL),
    "fireworks": ("FIREWORKS_BASE_URL", on_fireworks.URL),
}
ACCOUNT = "FIREWORKS_ACCOUNT_ID"


@dataclass(frozen=True, slots=True)
class Place:
    """A platform as the user reaches it."""

    platform: str
    base_url: str
    account: str | None
    key_env: str


def place(
    platform: str,
    base_url: str | None,
    account: str | None,
    key_env: str | None,
    environ: Mapping[str, str],
    sends: bool,
) -> Place:
    """What flags and environment say. Where nothing is sent, words in capitals stand for what is not known.

    Raises:
        UserError: the URL or the account is not known.
    """
    variable, default = URLS[platform]
    url = base_url or environ.get(variable) or default or ("" if sends else "https://RESOURCE.openai.azure.com")
    if not url:
        raise UserError(f"Azure has a URL for every resource: set {variable}, or say --base-url")
    if account and platform != "fireworks":
        raise UserError(f"--account is for fireworks; the key says whose account it is on {platform}")
    if platform == "fireworks":
        account = account or environ.get(ACCOUNT) or ("" if sends else "ACCOUNT")
        if not account:
            raise UserError(f"Fireworks has the account's id in every URL: set {ACCOUNT}, or say --account")
    _check(url)
    return Place(platform, _tidy(platform, url), account, key_env or KEYS[platform])


def connected(where: Place, environ: Mapping[str, str]) -> Platform:
    """Whoever speaks to the platform.

    Raises:
        UserError: there is no key, or the platform's client is not installed.
    """
    key = environ.get(where.key_env)
    if not key:
        raise UserError(f"{where.key_env} is not set: put the key of your {where.platform} account into it")
    if not (key.isascii() and key.isprintable()):
        raise UserError(f"{where.key_env} holds a character that no key has, such as a line break: set it anew")
    if where.platform == "together":
        return on_together.TogetherJobs(where.base_url, key)
    if where.platform == "fireworks":
        return on_fireworks.FireworksJobs(where.base_url, key, where.account or "")
    from pairsmith.wire.finetuning import OpenAIJobs

    return OpenAIJobs(where.base_url, key, waits=where.platform == "azure")


def requests(
    where: Place, training: Training, data: Dataset, validation: Dataset | None, marker: str
) -> Iterator[Request]:
    """What would be sent, in order, when all goes well."""
    if where.platform == "together":
        return on_together.requests(where.base_url, training, data, validation, marker)
    if where.platform == "fireworks":
        return on_fireworks.requests(where.base_url, where.account or "", training, data, marker)
    from pairsmith.wire import finetuning

    return finetuning.requests(where.base_url, training, data, validation, marker)


def dashboard(where: Place, job_id: str) -> str | None:
    """Where people look at a job; known for OpenAI only."""
    if where.platform == "openai" and where.base_url == OPENAI_URL:
        return f"https://platform.openai.com/finetune/{job_id}"
    return None


def _check(url: str) -> None:
    """Refuse what is no address, and an address with a key in it: it would be written down.

    Raises:
        UserError: it is one of these.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # reading the port finds out whether it is one
    except ValueError:
        host = None
    else:
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise UserError("--base-url holds more than an address: keys go into a variable, named by --api-key-env")
    if not host or parts.scheme not in ("http", "https"):
        raise UserError(f"{url!r} is no URL: write it like https://api.example.com/v1")


def _tidy(platform: str, url: str) -> str:
    """The base that the platform's client wants, whichever of the usual forms was given."""
    url = url.rstrip("/")
    if platform == "openai":
        return url
    if platform == "azure":
        return url if url.endswith("/v1") else f"{url.removesuffix('/openai')}/openai/v1"
    return url.removesuffix("/v1")
