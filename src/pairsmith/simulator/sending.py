"""How a reply goes out on the wire: whole, or in one of the ways in which connections fail (answers.Manner)."""

import asyncio
import socket
import struct
from collections.abc import Awaitable, Callable
from contextlib import suppress

from aiohttp import web

from pairsmith.simulator.answers import Reply

_DRIP_S = 0.2
# How soon a hanging request notices that the client or the server is gone.
_LOOK_S = 0.05


async def send(request: web.Request, reply: Reply, closing: asyncio.Event) -> web.StreamResponse:
    """Send a reply in its manner; what hangs or drips ends when the client goes or closing is set."""
    # The client may leave before we have failed it: then there is nobody to fail.
    with suppress(ConnectionResetError):
        await _FAILURES.get(reply.manner, _no_failure)(request, reply, closing)
    whole = response(reply)
    if reply.manner == "close":
        whole.force_close()
    return whole


def response(reply: Reply) -> web.Response:
    """The reply as aiohttp sends it."""
    # Spelled out in the headers: aiohttp's content_type argument costs a parse on every reply.
    headers = {"Content-Type": reply.content_type, **reply.headers}
    return web.Response(status=reply.status, body=reply.body, headers=headers)


async def _no_failure(request: web.Request, reply: Reply, closing: asyncio.Event) -> None:
    """Nothing goes wrong before the reply is sent."""


async def _hang(request: web.Request, reply: Reply, closing: asyncio.Event) -> None:
    while _connected(request) and not closing.is_set():  # noqa: ASYNC110  a transport has no event to wait for
        await asyncio.sleep(_LOOK_S)
    _abort(request)


async def _drip(request: web.Request, reply: Reply, closing: asyncio.Event) -> None:
    """A byte now and then: the answer, then blanks, without end."""
    stream = web.StreamResponse(headers={"Content-Type": reply.content_type})
    await stream.prepare(request)
    sent = 0
    while _connected(request) and not closing.is_set():
        await stream.write(reply.body[sent : sent + 1] or b" ")
        sent += 1
        await asyncio.sleep(_DRIP_S)
    _abort(request)


async def _reset(request: web.Request, reply: Reply, closing: asyncio.Event) -> None:
    _abort(request)


async def _reset_midway(request: web.Request, reply: Reply, closing: asyncio.Event) -> None:
    stream = web.StreamResponse(headers={"Content-Type": reply.content_type})
    stream.content_length = len(reply.body)
    await stream.prepare(request)
    await stream.write(reply.body[: len(reply.body) // 2])
    await asyncio.sleep(0.005)  # else the reset overtakes what was written
    _abort(request)


_FAILURES: dict[str, Callable[[web.Request, Reply, asyncio.Event], Awaitable[None]]] = {
    "hang": _hang,
    "drip": _drip,
    "reset": _reset,
    "reset-midway": _reset_midway,
}


def _connected(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


def _abort(request: web.Request) -> None:
    transport = request.transport
    if transport is None:
        return
    sock = transport.get_extra_info("socket")
    if sock is not None:
        # Linger 0: the kernel sends RST, not FIN.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
