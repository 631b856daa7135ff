"""The server of the review page: on the loopback alone, behind a token. Called by the command line and the tests.

What a page sends is checked here; what it means is decided in session.py.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Annotated, Any, Literal

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pairsmith.errors import Stopped
from pairsmith.ledger import Said
from pairsmith.show.agreement import agreement
from pairsmith.show.review import pages
from pairsmith.show.review.guarding import guarded_app
from pairsmith.show.review.session import Refusal, Session, Shown, Tab, Verdict, reviewer_named

Word = Annotated[str, Field(max_length=100)]


class _Asked(BaseModel):
    """What a page sends: whose it is, which tab, and what it shows."""

    model_config = ConfigDict(extra="forbid", strict=True)

    reviewer: Annotated[str, Field(max_length=400)]
    tab: Word
    key: Word = ""


class _Judged(_Asked):
    """A verdict."""

    said: Literal["preferred", "tie", "bad_prompt", "edit"]
    better: Literal[0, 1, 2] = 0
    known: int = 0
    note: Annotated[str, Field(max_length=20_000)] = ""
    edited: str | None = None


class ReviewServer:
    """One run's review, served until it is stopped.

    Args:
        session: what is reviewed.
        token: the part of the address that nobody can guess.
        where: the run folder, as the user would type it.
        reviewer: who it is where a page names nobody.
    """

    def __init__(self, session: Session, token: str, where: str, reviewer: str) -> None:
        self._session, self._token, self._where, self._reviewer = session, token, where, reviewer
        self._runner: web.AppRunner | None = None
        self._port = 0

    @property
    def url(self) -> str:
        """Where the page is, once it is served."""
        return f"http://127.0.0.1:{self._port}/{self._token}/"

    async def start(self, port: int) -> None:
        """Listen on this port of the loopback; 0: on any that is free.

        Raises:
            OSError: the port is taken.
        """
        app = guarded_app(self._token, lambda: self._port)
        app.router.add_get("/{token}", self._moved)
        app.router.add_get("/{token}/", self._page)
        app.router.add_get("/{token}/agreement", self._agreement)
        for name, kind in pages.FILES.items():
            app.router.add_get(f"/{{token}}/{name}", _file(name, kind))
        for name, action in (
            ("next", self._next),
            ("skip", self._skip),
            ("verdict", self._verdict),
            ("undo", self._undo),
        ):
            app.router.add_post(f"/{{token}}/{name}", self._answering(action))
        self._runner = web.AppRunner(app, access_log=None, logger=_logger(), shutdown_timeout=1.0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Finish what is being answered, and listen no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    # --- what is read ------------------------------------------------------------------------------

    async def _moved(self, request: web.Request) -> web.StreamResponse:
        raise web.HTTPPermanentRedirect(request.rel_url.with_path(f"/{self._token}/", keep_query=True))

    async def _page(self, request: web.Request) -> web.Response:
        try:
            reviewer = reviewer_named(request.query.get("reviewer", "") or self._reviewer)
        except Refusal:
            reviewer = self._reviewer
        return _html(pages.shell(reviewer, self._where))

    async def _agreement(self, request: web.Request) -> web.Response:
        session = self._session
        told = session.told(request.query.get("reviewer", "") or self._reviewer)
        found = await asyncio.to_thread(agreement, session.queue, told, session.gates)
        return _html(pages.agreement_part(found, len(session.reviews()) - len(told)))

    # --- what is done ------------------------------------------------------------------------------

    def _answering(self, action: Callable[[Tab, bytes], Any]) -> Callable[[web.Request], Any]:
        """The handler of one thing that pages ask for: what can be shown next, or a sentence about what went wrong."""

        async def answer(request: web.Request) -> web.Response:
            body = await request.read()
            try:
                asked = _Asked.model_validate_json(body, extra="ignore")
                tab = Tab(reviewer_named(asked.reviewer), asked.tab)
                return _json(await self._turn(tab, await action(tab, body)))
            except ValidationError as exc:
                return _json({"error": _first(exc)}, 400)
            except Refusal as exc:
                shown = await self._turn(tab, self._session.show(tab)) if exc.judged else {}
                return _json({"error": exc.sentence, **shown}, 409 if exc.judged else 400)
            except Stopped as exc:
                return _json({"error": exc.sentence}, 503)

        return answer

    async def _next(self, tab: Tab, body: bytes) -> Shown | None:
        return self._session.show(tab, _Asked.model_validate_json(body).key)

    async def _skip(self, tab: Tab, body: bytes) -> Shown | None:
        return self._session.skip(tab, _Asked.model_validate_json(body).key)

    async def _verdict(self, tab: Tab, body: bytes) -> Shown | None:
        said = _Judged.model_validate_json(body)
        await self._session.judge(
            tab, Verdict(said.key, Said(said.said), said.better, said.known, said.note, said.edited)
        )
        return self._session.show(tab)

    async def _undo(self, tab: Tab, _: bytes) -> Shown | None:
        return await self._session.undo(tab)

    async def _turn(self, tab: Tab, shown: Shown | None) -> dict[str, Any]:
        """What a page needs to show a couple, or that there is none left."""
        progress = self._session.progress(tab.reviewer)
        turn = {"reviewer": tab.reviewer, "done": progress.done, "total": progress.total, "verdicts": progress.verdicts}
        if shown is None:
            return {**turn, "key": "", "html": pages.done_part(progress, tab.reviewer, self._where)}
        draft = shown.draft
        return {
            **turn,
            "key": shown.key,
            "known": shown.known,
            "html": await asyncio.to_thread(pages.pair_part, shown),  # a stranger's text may take a second
            "texts": list(shown.texts),
            "note": draft.note,
            "edit": None if draft.edited is None else {"better": draft.better, "text": draft.edited},
        }


def _logger() -> logging.Logger:
    """Where faults of ours are told; of requests that are no HTTP nobody needs to hear."""
    logger = logging.getLogger("pairsmith.review")
    logger.addFilter(_is_ours)
    return logger


def _is_ours(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


def _file(name: str, kind: str) -> Callable[[web.Request], Any]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=pages.file_of(name), content_type=kind, charset="utf-8")

    return answer


def _html(text: str) -> web.Response:
    return web.Response(text=text, content_type="text/html")


def _json(said: dict[str, Any], status: int = 200) -> web.Response:
    """Half of a surrogate pair in a text goes as its number."""
    return web.Response(body=json.dumps(said).encode(), status=status, content_type="application/json")


def _first(exc: ValidationError) -> str:
    """The first thing that is wrong with a request."""
    found = exc.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, found["loc"]))
    return f"{place}: {found['msg']}" if place else found["msg"]
