"""The fast transport: an aiohttp session that takes base URL, key and headers from the openai client.

Same seam and same bytes as client.py's `OpenAITransport`, at a fraction of its CPU (0.2 against 0.8 ms a call,
measured November 2026: httpx2 builds and reads its headers several times a call). Called by gate.py.
"""

from __future__ import annotations

import ssl
from base64 import b64encode
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from httpx2 import AsyncClient, create_ssl_context
from openai import Omit
from yarl import URL

from pairsmith.records import Endpoint
from pairsmith.wire.client import (
    CHAT_PATH,
    CONNECT_TIMEOUT_S,
    OpenAITransport,
    Transport,
    call_url,
    client_headers,
    make_client,
    path_of,
    transport_error,
)
from pairsmith.wire.faults import RawReply

WHOLE_BODY_BYTES = 2**20  # above this, aiohttp wants a stream instead of bytes, so as not to block the loop


class SessionTransport:
    """One aiohttp session an endpoint; it never retries, follows no redirect and keeps no cookie.

    Args:
        base_url: where /chat/completions is.
        api_key: None sends no Authorization header at all.
        connections: how many calls may be in flight.
        timeout_s: the whole call's, which the gate keeps: all that is timed here is connecting, never longer.
        path: where calls go, see `call_url`.
    """

    def __init__(
        self, base_url: str, api_key: str | None, connections: int, timeout_s: float, path: str = CHAT_PATH
    ) -> None:
        # It says what to send, and sends nothing itself: the pool it is given trusts nobody and reads no environment.
        unused = AsyncClient(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), trust_env=False)
        client = make_client(base_url, api_key, unused)
        headers = client_headers(client, api_key)
        self._headers = {name: value for name, value in headers.items() if not isinstance(value, Omit)}
        self._base_url = str(client.base_url).rstrip("/")
        self._url = URL(call_url(self._base_url, path))
        # A context of httpx2's: it trusts whom the openai client trusts, SSL_CERT_FILE and SSL_CERT_DIR included.
        self._tls = create_ssl_context() if self._url.scheme == "https" else True
        self._proxy: dict[str, Any] = {}
        proxy, proxy_headers = proxy_of(str(self._url))
        if proxy is not None:
            self._proxy = {"proxy": proxy, "proxy_headers": proxy_headers}
        self._connections = connections
        self._connect_timeout_s = min(CONNECT_TIMEOUT_S, timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, body: bytes, idempotency_key: str) -> RawReply:
        """POST the body; whatever status comes is an answer."""
        data = body if len(body) < WHOLE_BODY_BYTES else BytesIO(body)
        return await self._call("POST", self._url, data=data, headers={"Idempotency-Key": idempotency_key})

    async def get(self, path: str) -> RawReply:
        """GET what stands at a path; whatever status comes is an answer."""
        return await self._call("GET", URL(f"{self._base_url}/{path}"))

    async def _call(self, method: str, url: URL, **more: Any) -> RawReply:
        session = self._session or self._open()
        try:
            async with session.request(method, url, allow_redirects=False, **more, **self._proxy) as response:
                return RawReply(response.status, response.headers, await response.read())
        except (TimeoutError, aiohttp.ClientError, OSError) as err:
            raise transport_error(err) from None

    def _open(self) -> aiohttp.ClientSession:
        """The session, made at the first call: it belongs to the running loop."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections, ssl=self._tls),
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._connect_timeout_s),
            cookie_jar=aiohttp.DummyCookieJar(),
            # Not trust_env: beside proxies it would take passwords for the host from ~/.netrc.
            trust_env=False,
        )
        return self._session

    async def close(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()


def transport_for(endpoint: Endpoint, api_key: str | None) -> Transport:
    """The transport of an endpoint at its one URL: the session, but where the openai client has to sign in itself."""
    where, path = endpoint.base_urls[0], path_of(endpoint)
    if endpoint.auth == "key":
        return SessionTransport(where, api_key, endpoint.concurrency, endpoint.timeout_s, path)
    return OpenAITransport(where, None, endpoint.concurrency, endpoint.timeout_s, endpoint.auth, path)


def proxy_of(url: str) -> tuple[URL | None, dict[str, str]]:
    """The proxy of the environment for this URL, without its password, and the headers that carry the password."""
    parts = urlsplit(url)
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if not proxy or proxy_bypass(parts.hostname or ""):
        return None, {}
    there = URL(proxy if "://" in proxy else f"http://{proxy}")
    if there.user is None:
        return there, {}
    login = b64encode(f"{there.user}:{there.password or ''}".encode()).decode()
    return there.with_user(None), {"Authorization": f"Basic {login}"}  # which aiohttp gives to the proxy alone
