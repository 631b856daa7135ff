"""The transport: sends the bytes of one request, brings back the bytes of the answer.

The one place that knows the openai package. It adds no retries, no parsing, no waiting: those are
online.py's. Called by online.py for each attempt.
"""

from __future__ import annotations

from typing import Protocol

import openai
from httpx2 import Limits, Response, Timeout

from pairsmith.wire.faults import RawReply

CONNECT_TIMEOUT_S = 15.0


class TransportError(Exception):
    """No HTTP answer came: `reason` is unreachable, reset or timeout."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Transport(Protocol):
    """The seam: one request out, one answer back."""

    async def send(self, body: bytes, idempotency_key: str) -> RawReply:
        """POST the body to chat/completions. Raises TransportError when no whole answer came."""

    async def close(self) -> None:
        """Close all connections."""


class OpenAITransport:
    """`AsyncOpenAI` on its aiohttp transport, told to hand out raw responses and never to retry."""

    def __init__(self, base_url: str | None, api_key: str | None, connections: int, timeout_s: float) -> None:
        # Without a key no Authorization header is sent at all: the client wants to be told so at each request.
        self._headers: dict[str, str | openai.Omit] = {"Content-Type": "application/json"}
        if not api_key:
            self._headers["Authorization"] = openai.Omit()
        limits = Limits(max_connections=connections + 8, max_keepalive_connections=connections + 8)
        self._client = openai.AsyncOpenAI(
            base_url=base_url,
            api_key=api_key or "none",
            max_retries=0,
            http_client=openai.DefaultAioHttpClient(
                limits=limits, timeout=Timeout(timeout_s, connect=CONNECT_TIMEOUT_S), follow_redirects=False
            ),
        )

    async def send(self, body: bytes, idempotency_key: str) -> RawReply:
        """POST the body to chat/completions; a status of 400 and more is an answer too."""
        headers = {**self._headers, "Idempotency-Key": idempotency_key}
        try:
            response = await self._client.post(
                "/chat/completions", content=body, cast_to=Response, options={"headers": headers}
            )
        except openai.APIStatusError as err:
            response = err.response
        except openai.APIConnectionError as err:
            raise _transport_error(err) from None
        return RawReply(response.status_code, _lower(response), response.content)

    async def close(self) -> None:
        """Close all connections."""
        await self._client.close()


def _lower(response: Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}


def _transport_error(err: BaseException) -> TransportError:
    """Name the root cause: the openai and httpx2 layers fold a reset and a refused connection into others."""
    import aiohttp

    root = err
    while root.__cause__ is not None or root.__context__ is not None:
        root = root.__cause__ or root.__context__  # type: ignore[assignment]
        if isinstance(root, aiohttp.ClientConnectorError):
            return TransportError("unreachable", str(root.os_error))
        if isinstance(root, aiohttp.ClientError):
            break
    if isinstance(root, TimeoutError):
        return TransportError("timeout", "the connection timed out")
    return TransportError("reset", f"{type(root).__name__}: {root}"[:200])
