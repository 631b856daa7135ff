"""The seam to an endpoint: sends the bytes of one request, brings back the bytes of the answer.

With session.py the one place that knows the openai package. It adds no retries, no parsing, no waiting:
those are gate.py's. `OpenAITransport` is the openai client as it comes; session.py's is faster.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Awaitable, Callable
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
import openai
import orjson
from httpx2 import AsyncClient, HTTPError, Limits, Response, Timeout

from pairsmith.errors import UserError
from pairsmith.records import Endpoint
from pairsmith.wire.faults import RawReply

CONNECT_TIMEOUT_S = 15.0
OPENAI_URL = "https://api.openai.com/v1"
CHAT_PATH = "chat/completions"
AZURE_SCOPE = "https://cognitiveservices.azure.com/.default"


class TransportError(Exception):
    """No HTTP answer came: `reason` is unreachable, reset or timeout."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Transport(Protocol):
    """The seam: one request out, one answer back."""

    async def send(self, body: bytes, idempotency_key: str) -> RawReply:
        """POST the body to the endpoint's path. Raises TransportError when no whole answer came."""

    async def get(self, path: str) -> RawReply:
        """GET what stands at a path below the base URL. Raises TransportError as `send` does."""

    async def close(self) -> None:
        """Close all connections."""


class OpenAITransport:
    """`AsyncOpenAI` on its aiohttp transport, told to hand out raw responses and never to retry.

    Args:
        base_url: where /chat/completions is.
        api_key: None sends no Authorization header at all.
        connections: how many calls may be in flight.
        timeout_s: the whole call's, which the gate keeps: all that is timed here is connecting, never longer.
        auth: "key", or whose credentials the openai client fetches and renews itself: "azure" or "bedrock".
        path: where calls go, see `call_url`.

    Raises:
        UserError: there are no such credentials, or what reads them is not installed.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None,
        connections: int,
        timeout_s: float,
        auth: str = "key",
        path: str = CHAT_PATH,
    ) -> None:
        # Waiting for a free connection would look like a timeout: there are more than calls.
        limits = Limits(max_connections=connections + 8, max_keepalive_connections=connections + 8)
        timeout = Timeout(None, connect=min(CONNECT_TIMEOUT_S, timeout_s))
        http_client = openai.DefaultAioHttpClient(limits=limits, timeout=timeout, follow_redirects=False)
        self._signs = auth != "key"
        if self._signs:
            self._client = signing_client(auth, base_url, http_client)
        else:
            self._client = make_client(base_url, api_key, http_client)
        self._base_url = str(self._client.base_url)
        self._url = call_url(self._base_url, path)
        self._headers = client_headers(self._client, api_key)
        if self._signs:
            del self._headers["Authorization"]

    async def send(self, body: bytes, idempotency_key: str) -> RawReply:
        """POST the body; whatever status comes is an answer."""
        headers = {**self._headers, "Idempotency-Key": idempotency_key}
        return await self._answer(
            self._client.post(self._url, content=body, cast_to=Response, options={"headers": headers})
        )

    async def get(self, path: str) -> RawReply:
        """GET what stands at a path; whatever status comes is an answer."""
        url = f"{self._base_url.rstrip('/')}/{path}"
        return await self._answer(self._client.get(url, cast_to=Response, options={"headers": self._headers}))

    async def _answer(self, call: Awaitable[Response]) -> RawReply:
        try:
            response = await call
        except openai.APIStatusError as err:
            response = err.response
        except (openai.APIConnectionError, HTTPError, aiohttp.ClientError, OSError) as err:  # it lets some through
            raise transport_error(err) from None
        except Exception as err:
            if not self._signs:
                raise
            said = {
                "error": {"message": f"no credentials: {err}"}
            }  # refused before it was sent, so as if by the server
            return RawReply(401, {}, orjson.dumps(said))
        return RawReply(response.status_code, response.headers, response.content)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()


def path_of(endpoint: Endpoint) -> str:
    """Where an endpoint's calls go."""
    return CHAT_PATH if endpoint.kind == "chat" else endpoint.reward_path


def call_url(base_url: str, path: str) -> str:
    """The URL of a path: chat below the base URL, a reward model's at the server's root.

    vLLM has /classify and /pooling nowhere else (its classify/api_router.py; documentation of 0.28, November 2026).
    """
    base = base_url.rstrip("/")
    return f"{base if path == CHAT_PATH else base.removesuffix('/v1')}/{path}"


def make_client(base_url: str, api_key: str | None, http_client: AsyncClient) -> openai.AsyncOpenAI:
    """The openai client of one endpoint.

    Raises:
        UserError: the key cannot stand in an HTTP header.
    """
    if api_key and not (api_key.isascii() and api_key.isprintable()):
        raise UserError(
            f"the API key for {base_url} holds a character that no key has, such as a line break: set it anew"
        )
    return openai.AsyncOpenAI(base_url=base_url, api_key=api_key or "none", max_retries=0, http_client=http_client)


def signing_client(auth: str, base_url: str, http_client: AsyncClient) -> openai.AsyncOpenAI:
    """The openai client that fetches its own credentials and renews them.

    "azure": whatever azure-identity's DefaultAzureCredential finds (a login, a managed or a workload identity), for
    Azure's v1 API. "bedrock": AWS_BEARER_TOKEN_BEDROCK, or AWS's own chain of credentials, which needs botocore.

    Raises:
        UserError: there are none, or what reads them is not installed.
    """
    try:
        if auth == "bedrock":
            return openai.AsyncBedrockOpenAI(base_url=base_url, max_retries=0, http_client=http_client)
        identity = importlib.import_module("azure.identity.aio")
        token = identity.get_bearer_token_provider(identity.DefaultAzureCredential(), AZURE_SCOPE)
    except ImportError:
        raise UserError('auth = "azure" needs azure-identity: pip install azure-identity aiohttp') from None
    except openai.OpenAIError as err:
        raise UserError(f'auth = "bedrock": {err}') from None
    return openai.AsyncOpenAI(base_url=base_url, api_key=token, max_retries=0, http_client=http_client)


def client_headers(client: openai.AsyncOpenAI, api_key: str | None) -> dict[str, str | openai.Omit]:
    """Every header of a call but the Idempotency-Key; `Omit` for what the client would send and must not.

    The client takes OPENAI_ORG_ID, OPENAI_PROJECT_ID and OPENAI_CUSTOM_HEADERS from the environment, for any host
    (openai 3.54). They are meant for the host of OPENAI_BASE_URL, by default OpenAI's: no other gets to see them.
    """
    own: dict[str, str | openai.Omit] = {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "User-Agent": client.user_agent,
        **client.platform_headers(),
        "Authorization": f"Bearer {api_key}" if api_key else openai.Omit(),
    }
    own_names = {name.lower() for name in own}
    meant = meant_for(str(client.base_url))
    ambient = {name: value if meant(name.lower()) else openai.Omit() for name, value in client.default_headers.items()}
    return {name: value for name, value in ambient.items() if name.lower() not in own_names} | own


def meant_for(url: str) -> Callable[[str], bool]:
    """Which headers (names in lower case) of the user's OPENAI_* environment are meant for the host of this URL."""
    there = urlsplit(url)
    home = urlsplit(os.environ.get("OPENAI_BASE_URL") or OPENAI_URL)
    if (there.scheme, there.netloc) == (home.scheme, home.netloc):
        return lambda name: True
    openais = there.scheme == "https" and f".{there.hostname}".endswith(".openai.com")
    return lambda name: openais and name.startswith("openai-")


def transport_error(err: BaseException) -> TransportError:
    """Name the root cause: the openai and httpx2 layers fold a reset and a refused connection into others."""
    root: BaseException | None = err
    while root is not None and not isinstance(root, aiohttp.ClientError):
        root = root.__cause__ or root.__context__
    root = root or err
    if isinstance(root, aiohttp.ConnectionTimeoutError):
        return TransportError("unreachable", f"no connection within {CONNECT_TIMEOUT_S:g} s")
    if isinstance(root, aiohttp.ClientConnectorCertificateError):
        return TransportError("unreachable", f"{root.certificate_error}"[:200])
    if isinstance(root, aiohttp.ClientConnectorError):
        return TransportError("unreachable", f"{root.os_error}"[:200])
    if isinstance(root, aiohttp.ClientHttpProxyError):
        return TransportError("unreachable", f"the proxy answered {root.status}")
    if isinstance(root, aiohttp.InvalidURL):
        return TransportError("unreachable", "that is no URL")
    if isinstance(root, TimeoutError):
        return TransportError("timeout", "the connection timed out")
    return TransportError("reset", f"{type(root).__name__}: {root}"[:200])
