"""The server: its routes, and what happens to a request in which order.

Decides nothing about answers (players.py), faults (faults.py), limits (limits.py) or dialects (presets.py).
"""

import asyncio
import json
import math
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import orjson
from aiohttp import web

from pairsmith.simulator.answers import CONTEXT_TOKENS, CREATED, Answer, Reply, json_reply, ok, openai_error
from pairsmith.simulator.book import Book
from pairsmith.simulator.dice import Dice
from pairsmith.simulator.faults import FAULTS, Scene, check_rates, draw_fault
from pairsmith.simulator.limits import Limits, Seats, Window
from pairsmith.simulator.players import MODELS, Players, is_reward_model, known_model
from pairsmith.simulator.presets import PRESETS, apply
from pairsmith.simulator.sending import response, send
from pairsmith.simulator.settings import CHANGEABLE, Settings
from pairsmith.simulator.stats import Stats

_LARGEST_BODY = 64 * 1024 * 1024
_MOST_CHOICES = 128
_MOST_LOGPROBS = 20
_CHAT = "chat/completions"
_NUMBERS = (
    "temperature", "top_p", "top_k", "min_p", "repetition_penalty", "presence_penalty", "frequency_penalty",
    "n", "max_tokens", "max_completion_tokens",
)  # fmt: skip


class Simulator:
    """One server on one port of 127.0.0.1.

    Attributes:
        base_url: what a client takes as its base URL; known once started.
        stats: what it has seen.
    """

    def __init__(self, settings: Settings = Settings()) -> None:  # noqa: B008  frozen, so shared safely
        """Check the settings and read the book; nothing is served yet.

        Raises:
            ValueError: an unknown preset or fault, or a book that cannot be read.
        """
        check_rates(settings.faults)
        if settings.like is not None and settings.like not in PRESETS:
            raise ValueError(f"unknown preset {settings.like!r}; known: {', '.join(PRESETS)}")
        self.base_url = ""
        self._settings = settings
        self.stats = self._fresh_stats()
        self._faults = dict(settings.faults)
        self._preset = PRESETS[settings.like] if settings.like else None
        self._players = Players(settings.seed, Book.read(settings.book) if settings.book else Book())
        self._limits = Limits(settings.requests_per_minute, settings.tokens_per_minute, settings.window_s)
        self._seats = Seats()
        self._runner: web.AppRunner | None = None
        self._closing = asyncio.Event()

    async def start(self) -> None:
        """Listen; base_url is set afterwards.

        Raises:
            OSError: the port is taken.
        """
        app = web.Application(client_max_size=_LARGEST_BODY)
        for prefix in ("/v1", ""):
            for path in (_CHAT, "classify", "pooling"):
                app.router.add_post(f"{prefix}/{path}", self._chat)
            app.router.add_get(f"{prefix}/models", self._models)
        app.router.add_post("/truth", self._truth)
        app.router.add_post("/planted", self._planted)
        app.router.add_get("/stats", self._stats)
        app.router.add_post("/reset", self._reset)
        app.router.add_post("/faults", self._set_faults)
        app.router.add_post("/settings", self._set_settings)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._settings.port, backlog=4096).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def stop(self) -> None:
        """Stop listening and let go of every request, also of those that hang."""
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # --- routes -----------------------------------------------------------------------------------

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        loop = asyncio.get_running_loop()
        raw = await request.read()
        self.stats.arrive(loop.time(), request.headers.get("Idempotency-Key", ""))
        status = "aborted"
        try:
            with ExitStack() as served:
                reply = await self._reply(request, raw, loop.time(), served)
                status = str(reply.status) if reply.manner in ("whole", "close") else reply.manner
                return await send(request, reply, self._closing)
        finally:
            self.stats.leave(loop.time(), status)

    async def _models(self, request: web.Request) -> web.StreamResponse:
        refusal = self._unauthorised(request)
        if refusal is not None:
            return response(refusal)
        listed = {"owned_by": "organization", **self._preset.listed} if self._preset else {"owned_by": "pairsmith"}
        data = [{"id": m, "object": "model", "created": CREATED, **listed} for m in MODELS]
        return _json({"object": "list", "data": data, "simulated": True})

    async def _truth(self, request: web.Request) -> web.StreamResponse:
        texts = _loads(await request.read())["texts"]
        return _json({"quality": [self._players.quality(text) for text in texts]})

    async def _planted(self, request: web.Request) -> web.StreamResponse:
        texts = _loads(await request.read())["texts"]
        return _json({"kinds": [self._players.planted(text) for text in texts]})

    async def _stats(self, request: web.Request) -> web.StreamResponse:
        return _json(self.stats.as_json())

    async def _reset(self, request: web.Request) -> web.StreamResponse:
        in_flight = self.stats.in_flight
        self.stats = self._fresh_stats()
        self.stats.in_flight = self.stats.max_in_flight = in_flight
        return _json({})

    def _fresh_stats(self) -> Stats:
        window_s = self._settings.window_s
        return Stats(window=Window(window_s), token_window=Window(window_s))

    async def _set_faults(self, request: web.Request) -> web.StreamResponse:
        rates = _loads(await request.read())
        try:
            check_rates(rates)
        except ValueError as exc:
            return response(openai_error(400, str(exc)))
        self._faults = rates
        return _json({"faults": rates})

    async def _set_settings(self, request: web.Request) -> web.StreamResponse:
        wanted = _loads(await request.read())
        unknown = [name for name in wanted if name not in CHANGEABLE]
        if unknown:
            return response(openai_error(400, f"cannot be set: {unknown[0]}; can be: {', '.join(CHANGEABLE)}"))
        settings = self._settings = replace(self._settings, **wanted)
        self._limits.change(settings.requests_per_minute, settings.tokens_per_minute)
        return _json({name: getattr(settings, name) for name in CHANGEABLE})

    # --- one request ------------------------------------------------------------------------------

    async def _reply(self, request: web.Request, raw: bytes, now_s: float, served: ExitStack) -> Reply:
        """What is sent back, after the latency: refusals first, then limits, then faults, then the answer.

        The request's seat is free again when `served` is closed.
        """
        path = request.path.removeprefix("/v1").removeprefix("/")
        read = self._unauthorised(request) or self._read(raw, path)
        if isinstance(read, Reply):
            return read
        body, canonical = read
        self.stats.by_model[body["model"]] += 1
        key = request.headers.get("Idempotency-Key", "")
        identity = key or Dice(canonical).hex()
        seen = self.stats.times_seen(key, canonical)
        players = self._players
        rewards = path != _CHAT
        answer = players.reward(path, body, key, canonical) if rewards else players.answer(body, key, canonical)
        if answer.prompt_tokens > CONTEXT_TOKENS:
            return FAULTS["400-context"].spoil(answer, self._scene(identity, seen))
        if not self._seats.take(answer.model, self._settings.max_concurrent):
            message = f"Too many concurrent requests for {answer.model}."
            return openai_error(429, message, code="rate_limit_exceeded", type_="requests")
        served.callback(self._seats.leave, answer.model)
        wait_s = self._limits.admit(answer.model, answer.tokens, now_s)
        if wait_s > 0:
            return self._limited(answer, wait_s, now_s)
        self.stats.token_window.add(now_s, answer.tokens)
        await self._latent(identity, seen)
        reply = self._faulty(answer, identity, seen) or ok(answer)
        if not self._settings.limit_headers:
            return reply
        headers = self._limits.headers(answer.model, now_s)
        return replace(reply, headers={**headers, **reply.headers}) if headers else reply

    def _unauthorised(self, request: web.Request) -> Reply | None:
        wanted = self._settings.require_key
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if wanted is None or given == wanted:
            return None
        if not given:
            return openai_error(401, "You didn't provide an API key.")
        # Real ones echo parts of the key as well: a client has to redact them.
        shown = f"{given[:5]}{'*' * 8}{given[-4:]}"
        message = f"Incorrect API key provided: {shown}. You can find your API key in your account settings."
        return openai_error(401, message, code="invalid_api_key")

    def _read(self, raw: bytes, path: str) -> tuple[dict[str, Any], bytes] | Reply:
        """The body as this platform reads it, and bytes that name it; or the refusal."""
        try:
            body = _loads(raw)
        except ValueError:
            return openai_error(400, "We could not parse the JSON body of your request.")
        problem = _problem(body, path)
        if problem is not None:
            return problem
        applied = apply(self._preset, body) if self._preset else body
        if isinstance(applied, Reply):
            return applied
        return _logprobs_problem(applied) or (applied, _canonical(applied))

    def _limited(self, answer: Answer, wait_s: float, now_s: float) -> Reply:
        headers = {}
        if self._settings.limit_headers:
            headers = self._limits.headers(answer.model, now_s)
            headers["Retry-After"] = str(math.ceil(wait_s)) if wait_s > 2 else f"{wait_s:.3f}"
        message = f"Rate limit reached for {answer.model}. Please try again later."
        return openai_error(429, message, code="rate_limit_exceeded", type_="requests", headers=headers)

    def _scene(self, identity: str, seen: int) -> Scene:
        return Scene(self._settings.retry_after_s, Dice(self._settings.seed, "fault", identity, seen))

    def _faulty(self, answer: Answer, identity: str, seen: int) -> Reply | None:
        if not self._faults:
            return None
        scene = self._scene(identity, seen)
        name = draw_fault(self._faults, scene.dice, answer.judging)
        if name is None:
            return None
        self.stats.by_fault[name] += 1
        return FAULTS[name].spoil(answer, scene)

    # --- time ----------------------------------------------------------------------------

    async def _latent(self, identity: str, seen: int) -> None:
        """Wait as long as the settings say; the mean of the lognormal is latency_s."""
        mean_s, sigma = self._settings.latency_s, self._settings.latency_sigma
        if mean_s <= 0:
            return
        if sigma > 0:
            dice = Dice(self._settings.seed, "latency", identity, seen)
            mean_s *= math.exp(sigma * dice.normal() - sigma * sigma / 2)
        await asyncio.sleep(mean_s)


def _problem(body: object, path: str) -> Reply | None:
    """What is wrong with a body before any model or platform is asked."""
    if not isinstance(body, dict):
        return openai_error(400, "The body must be a JSON object.")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) for m in messages):
        return openai_error(400, "Missing required parameter: 'messages'.", param="messages")
    if not known_model(body.get("model")):
        message = f"The model `{body.get('model')}` does not exist or you do not have access to it."
        return openai_error(404, message, code="model_not_found", param="model")
    if is_reward_model(body["model"]) == (path == _CHAT):
        return json_reply(404, {"detail": "Not Found"})  # vLLM has only those routes that its model can serve
    if body.get("stream"):
        return openai_error(400, "Streaming is not simulated.", param="stream")
    for name in _NUMBERS:
        if not isinstance(body.get(name, 0), int | float | None):
            return openai_error(400, f"Invalid type for '{name}': expected a number.", code="invalid_type", param=name)
    if (body.get("n") or 1) > _MOST_CHOICES:
        return openai_error(400, f"Invalid 'n': at most {_MOST_CHOICES}.", param="n")
    return None


def _logprobs_problem(body: dict[str, Any]) -> Reply | None:
    """As OpenAI and vLLM refuse it (their references, November 2026)."""
    top = body.get("top_logprobs")
    if top is None:
        return None
    if not body.get("logprobs"):
        return openai_error(400, "When using 'top_logprobs', 'logprobs' must be set to true.", param="top_logprobs")
    if not isinstance(top, int) or not 0 <= top <= _MOST_LOGPROBS:
        return openai_error(400, f"Invalid 'top_logprobs': from 0 to {_MOST_LOGPROBS}.", param="top_logprobs")
    return None


def _loads(raw: bytes) -> Any:
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:
        # Lone surrogates are no JSON to orjson; real servers take them.
        return json.loads(raw.decode("utf-8", "replace"))


def _canonical(body: dict[str, Any]) -> bytes:
    try:
        return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # lone surrogates again, or numbers beyond 64 bits
        return json.dumps(body, sort_keys=True).encode()


def _json(body: object) -> web.Response:
    return web.Response(body=orjson.dumps(body), content_type="application/json")
