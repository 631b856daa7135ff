"""Who may talk to the review page: whoever has its address, from this machine, out of the page itself.

The server listens on the loopback alone, but every page that a browser has open can send requests there, and a name
can be pointed at it. So a request needs the token, names this server as its host, and if it writes comes from our page.
Called by server.py.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

MOST_BYTES = 4 * 2**20  # of one request: an edit of some 600,000 characters, were all of them escaped

HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Server": "pairsmith",
}
_READS = frozenset(("GET", "HEAD"))
_REFUSED = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>Not for you</title>"
    "<p>This page opens under the whole address that pairsmith review has printed, and under no other.</p></html>"
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def guarded_app(token: str, port: Callable[[], int]) -> web.Application:
    """An application that lets nobody in who has no business there, and tells browsers to be strict.

    Args:
        token: has to be the first part of the path.
        port: where the server listens, once it does.
    """

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not (_has(token, request) and _of_this_page(request, port())):
            return web.Response(status=403, text=_REFUSED, content_type="text/html")
        if request.method not in _READS and request.content_type != "application/json":
            return web.json_response({"error": "the body has to be JSON"}, status=415)
        return await handler(request)

    app = web.Application(middlewares=[guard], client_max_size=MOST_BYTES)
    app.on_response_prepare.append(_strict)
    return app


async def _strict(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)


def _has(token: str, request: web.Request) -> bool:
    given = request.path.removeprefix("/").partition("/")[0]
    return secrets.compare_digest(given.encode("utf-8", "replace"), token.encode())


def _of_this_page(request: web.Request, port: int) -> bool:
    """Whether a browser says so, which a foreign page cannot make it say; other programs may say what they like."""
    here = {f"127.0.0.1:{port}", f"localhost:{port}"}
    if request.headers.get("Host", "").lower() not in here:
        return False
    if (origin := request.headers.get("Origin")) is not None:
        return origin.lower() in {f"http://{host}" for host in here}
    return request.method in _READS or request.headers.get("Sec-Fetch-Site") == "same-origin"
