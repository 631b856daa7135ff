"""The ledger: every prompt, attempt, answer and outcome of one run folder, in one SQLite file.

The one place that knows SQLite. Writes are committed in groups by one thread, in WAL mode with full syncs;
whoever waits for a write is woken when it is durable. Reads see only what is durable. A run folder has one
writer at a time, kept by a lock on its `lock` file. Called by the pipeline and the command line.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import orjson

from pairsmith.errors import LedgerError, Stopped
from pairsmith.records import (
    Candidate,
    ChatRequest,
    Endpoint,
    Failure,
    FailureKind,
    Json,
    Outcome,
    Prompt,
    PromptId,
    Reply,
    RequestId,
)

VERSION = 1
GROUP_S = 0.004  # a commit takes what came in since the last one, and waits at least this long after it

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE recipes (digest TEXT PRIMARY KEY, toml TEXT NOT NULL, at REAL NOT NULL);
CREATE TABLE endpoints (name TEXT, identity TEXT, url TEXT, used_as TEXT, UNIQUE (identity, url));
-- What each run was given: one generation a run; `complete` once its input was read to the end.
CREATE TABLE generations (id INTEGER PRIMARY KEY, complete INTEGER NOT NULL DEFAULT 0,
    duplicates INTEGER NOT NULL DEFAULT 0, skipped INTEGER NOT NULL DEFAULT 0);
CREATE TABLE prompts (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, body BLOB NOT NULL);
CREATE TABLE inputs (generation INTEGER, ordinal INTEGER, prompt INTEGER, source_id TEXT,
    PRIMARY KEY (generation, ordinal), UNIQUE (generation, prompt)) WITHOUT ROWID;
CREATE INDEX inputs_source ON inputs (generation, source_id) WHERE source_id IS NOT NULL;
-- One row an HTTP attempt, written before it is sent: `outcome` NULL = in flight, or lost with the process.
CREATE TABLE attempts (id INTEGER PRIMARY KEY, request TEXT NOT NULL, endpoint TEXT NOT NULL,
    purpose TEXT NOT NULL, most_usd REAL, at REAL NOT NULL, outcome TEXT, status INTEGER, message TEXT,
    cost_usd REAL, input_tokens INTEGER, output_tokens INTEGER);
-- What a request came to: the body of the answer as it came, or a failure that is final.
CREATE TABLE replies (id INTEGER PRIMARY KEY, request TEXT NOT NULL UNIQUE, prompt TEXT NOT NULL,
    raw BLOB, failure BLOB, latency_s REAL NOT NULL);
CREATE INDEX replies_prompt ON replies (prompt);
-- What a prompt came to under one recipe digest. `final` 0: something of it is owed again on the next run.
CREATE TABLE outcomes (prompt INTEGER PRIMARY KEY, digest TEXT NOT NULL, kind TEXT NOT NULL, reason TEXT,
    final INTEGER NOT NULL, completions INTEGER NOT NULL, verdicts INTEGER NOT NULL, body BLOB NOT NULL);
-- What was learnt once and is used by every later decision (an endpoint's refusal of a parameter).
CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class Settled:
    """What one prompt came to. `body` is the evidence behind it, as the pipeline wrote it."""

    kind: str  # pair | abstained | failed
    reason: str | None
    final: bool
    completions: int
    verdicts: int
    body: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Collected:
    """What a chunk of rows came to: duplicates united, and ids given to two different prompts."""

    added: int
    duplicates: int
    revisit: tuple[PromptId, ...]  # prompts whose candidates grew by a later row
    clashes: tuple[int, ...]  # places in the chunk whose `id` an earlier, different prompt has


@dataclass(frozen=True, slots=True)
class Counts:
    """The state of the current input under one recipe digest; prompts = the four others added up."""

    prompts: int
    duplicates: int
    skipped: int
    settled: int
    abstained: dict[str, int]
    failed: dict[str, int]
    not_reached: int
    completions: int
    verdicts: int


@dataclass(frozen=True, slots=True)
class Spent:
    """Everything this run folder has paid for; cost None when some of it has no known price."""

    calls: int
    attempts: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None


@dataclass(frozen=True, slots=True)
class StoredReply:
    """A request's stored answer: the body as it came, or the failure that no retry can mend."""

    raw: bytes | None
    failure: Failure | None
    latency_s: float


T = TypeVar("T")


class Ledger:
    """One run folder's ledger. Open it with `open_ledger`.

    Args:
        path: the SQLite file.
        epoch: seconds since 1970, for the `at` columns.
    """

    def __init__(self, path: Path, epoch: Callable[[], float]) -> None:
        self._path = path
        self._epoch = epoch
        self._read = _connect(path)
        self._write = _connect(path)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")
        self._waiting: list[tuple[str, tuple[object, ...]]] = []
        self._waiters: list[asyncio.Future[None]] = []
        self._writer: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._full: Stopped | None = None
        self._attempt: int = self._one("SELECT coalesce(max(id), 0) FROM attempts")
        self.generation: int = self._one("SELECT coalesce(max(id), 0) FROM generations")

    def _one(self, sql: str, *args: object) -> int:
        value: int = self._read.execute(sql, args).fetchone()[0]
        return value

    # --- writing: groups ---------------------------------------------------------------------------

    def _put(self, *rows: tuple[str, tuple[object, ...]]) -> asyncio.Future[None]:
        """Queue rows for the next commit; the future is done when they are durable."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self._full is not None:
            future.set_exception(self._full)
            return future
        self._waiting.extend(rows)
        self._waiters.append(future)
        self._wake.set()
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write_groups())
        return future

    async def _write_groups(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            self._wake.clear()
            rows, waiters = self._waiting, self._waiters
            self._waiting, self._waiters = [], []
            try:
                await loop.run_in_executor(self._thread, self._commit, rows)
            except sqlite3.Error as exc:
                self._full = _write_failed(exc, self._path)
                for waiter in waiters + self._waiters:
                    _fail(waiter, self._full)
                self._waiting, self._waiters = [], []
                continue
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(None)
            await asyncio.sleep(GROUP_S)

    def _commit(self, rows: Sequence[tuple[str, tuple[object, ...]]]) -> None:
        with self._transaction():
            for sql, args in rows:
                self._write.execute(sql, args)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._write.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._write.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):
                self._write.execute("ROLLBACK")
            raise

    async def flush(self) -> None:
        """Wait until everything queued so far is durable."""
        if self._waiters or self._waiting:
            await self._put()

    async def close(self) -> None:
        """Write what is queued and close the file."""
        with contextlib.suppress(Stopped):
            await self.flush()
        if self._writer is not None:
            self._writer.cancel()
        self._thread.shutdown()
        self.close_now()

    def close_now(self) -> None:
        """Close the connections; for readers, which queue nothing."""
        self._read.close()
        self._write.close()

    # --- wire's accounts ---------------------------------------------------------------------------

    async def begin(self, request: ChatRequest, max_cost_usd: float | None) -> int:
        """Book an attempt before it is sent; returns its number once the row is durable."""
        self._attempt += 1
        number = self._attempt
        row = (number, request.id, request.endpoint, request.purpose.value, max_cost_usd, self._epoch())
        await self._put(
            ("INSERT INTO attempts (id, request, endpoint, purpose, most_usd, at) VALUES (?,?,?,?,?,?)", row)
        )
        return number

    def finish(
        self, attempt: int, request: ChatRequest, outcome: Outcome, raw: bytes | None, cost_usd: float | None
    ) -> asyncio.Future[None]:
        """Book how an attempt ended, and the answer's bytes as they came.

        A reply is stored for good; so is a failure that no retry can mend (the prompt is too long, the
        content filter refused it). A refused parameter is asked again on the next run: the server may have changed.
        """
        if isinstance(outcome, Reply):
            usage = outcome.usage
            ended: tuple[object, ...] = (
                "ok",
                200,
                None,
                cost_usd,
                usage.input_tokens,
                usage.output_tokens,
                attempt,
            )
            rows = [(_ENDED, ended), (_STORED, (request.id, request.prompt_id, raw, None, outcome.latency_s))]
        else:
            rows = [(_ENDED, (outcome.reason, outcome.status, outcome.message, None, None, None, attempt))]
            if outcome.kind is FailureKind.PERMANENT and outcome.reason != "bad_request":
                failure = orjson.dumps([outcome.reason, outcome.message, outcome.status])
                rows.append((_STORED, (request.id, request.prompt_id, None, failure, 0.0)))
        return self._put(*rows)

    # --- prompts -----------------------------------------------------------------------------------

    async def new_generation(self) -> None:
        """Start a new reading of the input; the last complete one stays until this one is complete."""

        def start() -> int:
            with self._transaction():
                self._write.execute(
                    "DELETE FROM inputs WHERE generation NOT IN (SELECT id FROM generations WHERE complete)"
                )
                self._write.execute("DELETE FROM generations WHERE NOT complete")
                cursor = self._write.execute(
                    "INSERT INTO generations (id) VALUES ((SELECT coalesce(max(id), 0) + 1 FROM generations))"
                )
            return cursor.lastrowid or 0

        self.generation = await self._in_thread(start)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        """Run a transaction on the writer's thread, between two commits."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as exc:
            raise _write_failed(exc, self._path) from exc

    async def add_prompts(self, prompts: Sequence[Prompt], unite: Callable[[Prompt, Prompt], Prompt]) -> Collected:
        """Take a chunk of the input, in order; prompts with the same id become one, at the first one's place."""
        return await self._in_thread(lambda: self._add_prompts(prompts, unite))

    def _add_prompts(self, prompts: Sequence[Prompt], unite: Callable[[Prompt, Prompt], Prompt]) -> Collected:
        added, duplicates = 0, 0
        revisit: list[PromptId] = []
        clashes: list[int] = []
        with self._transaction():
            next_ordinal = self._next_ordinal()
            for place, prompt in enumerate(prompts):
                row, known = self._store(prompt)
                if known is not None:
                    duplicates += 1
                    united = unite(known, prompt)
                    if len(united.candidates) > len(known.candidates):
                        self._replace(row, united)
                        revisit.append(prompt.id)
                elif self._clashes(prompt):
                    clashes.append(place)
                else:
                    self._write.execute(
                        "INSERT INTO inputs VALUES (?,?,?,?)",
                        (self.generation, next_ordinal + added, row, prompt.source_id),
                    )
                    added += 1
        return Collected(added, duplicates, tuple(revisit), tuple(clashes))

    def _next_ordinal(self) -> int:
        sql = "SELECT coalesce(max(ordinal) + 1, 0) FROM inputs WHERE generation = ?"
        ordinal: int = self._write.execute(sql, (self.generation,)).fetchone()[0]
        return ordinal

    def _clashes(self, prompt: Prompt) -> bool:
        sql = "SELECT 1 FROM inputs WHERE generation = ? AND source_id = ?"
        found = self._write.execute(sql, (self.generation, prompt.source_id)).fetchone()
        return prompt.source_id is not None and found is not None

    def _store(self, prompt: Prompt) -> tuple[int, Prompt | None]:
        """The row of a prompt, and what this generation already holds of it."""
        found = self._write.execute(
            "SELECT p.id, p.body, i.ordinal FROM prompts p LEFT JOIN inputs i ON i.prompt = p.id AND i.generation = ?"
            " WHERE p.hash = ?",
            (self.generation, prompt.id),
        ).fetchone()
        if found is None:
            cursor = self._write.execute(
                "INSERT INTO prompts (hash, body) VALUES (?,?)", (prompt.id, _prompt_bytes(prompt))
            )
            return cursor.lastrowid or 0, None
        row, body, ordinal = found
        if ordinal is not None:
            return row, _prompt(prompt.id, body, ordinal)
        if body != _prompt_bytes(prompt):  # of an earlier generation, with other candidates or meta
            self._replace(row, prompt)
        return row, None

    def _replace(self, row: int, prompt: Prompt) -> None:
        self._write.execute("UPDATE prompts SET body = ? WHERE id = ?", (_prompt_bytes(prompt), row))
        self._write.execute("DELETE FROM outcomes WHERE prompt = ?", (row,))

    async def input_complete(self, duplicates: int, skipped: int) -> None:
        """The input was read to its end: counts and exports speak of it from now on, earlier ones are dropped."""

        def finish() -> None:
            with self._transaction():
                self._write.execute(
                    "UPDATE generations SET complete = 1, duplicates = ?, skipped = ? WHERE id = ?",
                    (duplicates, skipped, self.generation),
                )
                self._write.execute("DELETE FROM inputs WHERE generation <> ?", (self.generation,))
                self._write.execute("DELETE FROM generations WHERE id <> ?", (self.generation,))

        await self._in_thread(finish)

    def _current(self) -> int:
        """The generation that exports speak of: the newest that was read to its end, else the newest."""
        return self._one("SELECT coalesce(max(CASE WHEN complete THEN id END), max(id), 0) FROM generations")

    def owed(self, digest: str, after: int, count: int) -> list[Prompt]:
        """The next prompts of this run's input, in order, that have no final outcome under this digest."""
        rows = self._read.execute(
            "SELECT p.hash, p.body, i.ordinal FROM inputs i JOIN prompts p ON p.id = i.prompt"
            " LEFT JOIN outcomes o ON o.prompt = p.id AND o.digest = ? AND o.final"
            " WHERE i.generation = ? AND i.ordinal > ? AND o.prompt IS NULL ORDER BY i.ordinal LIMIT ?",
            (digest, self.generation, after, count),
        )
        return [_prompt(PromptId(ident), body, ordinal) for ident, body, ordinal in rows]

    def input_size(self) -> int:
        """How many prompts this run's input holds so far."""
        return self._one("SELECT count(*) FROM inputs WHERE generation = ?", self.generation)

    def prompt(self, ident: PromptId) -> Prompt | None:
        """One prompt of this run's input by its content id."""
        row = self._read.execute(
            "SELECT p.body, i.ordinal FROM prompts p JOIN inputs i ON i.prompt = p.id AND i.generation = ?"
            " WHERE p.hash = ?",
            (self.generation, ident),
        ).fetchone()
        return _prompt(ident, row[0], row[1]) if row else None

    # --- evidence and outcomes ---------------------------------------------------------------------

    def stored(self, prompt: PromptId) -> dict[RequestId, StoredReply]:
        """Every answer stored for this prompt, whatever recipe asked for it."""
        rows = self._read.execute("SELECT request, raw, failure, latency_s FROM replies WHERE prompt = ?", (prompt,))
        return {
            RequestId(request): StoredReply(raw, _failure(request, failure), s) for request, raw, failure, s in rows
        }

    def settle(self, prompt: PromptId, digest: str, settled: Settled) -> asyncio.Future[None]:
        """Store what a prompt came to."""
        row = (digest, settled.kind, settled.reason, settled.final, settled.completions, settled.verdicts)
        return self._put((_SETTLED, (*row, orjson.dumps(settled.body), prompt)))

    def outcomes(self, digest: str) -> Iterator[tuple[Prompt, Settled]]:
        """Every prompt of the current input that has an outcome under this digest, in input order."""
        rows = self._read.execute(
            "SELECT p.hash, p.body, i.ordinal, o.kind, o.reason, o.final, o.completions, o.verdicts, o.body"
            " FROM inputs i JOIN prompts p ON p.id = i.prompt JOIN outcomes o ON o.prompt = p.id AND o.digest = ?"
            " WHERE i.generation = ? ORDER BY i.ordinal",
            (digest, self._current()),
        )
        for ident, prompt, ordinal, kind, reason, final, completions, verdicts, body in rows:
            settled = Settled(kind, reason, bool(final), completions, verdicts, orjson.loads(body))
            yield _prompt(PromptId(ident), prompt, ordinal), settled

    def counts(self, digest: str) -> Counts:
        """Where the prompts of the current input stand under this digest."""
        generation = self._current()
        prompts = self._one("SELECT count(*) FROM inputs WHERE generation = ?", generation)
        read = self._read.execute("SELECT duplicates, skipped FROM generations WHERE id = ?", (generation,)).fetchone()
        rows = self._read.execute(
            "SELECT o.kind, o.reason, count(*), sum(o.completions), sum(o.verdicts) FROM inputs i"
            " JOIN outcomes o ON o.prompt = i.prompt AND o.digest = ? WHERE i.generation = ? GROUP BY 1, 2 ORDER BY 2",
            (digest, generation),
        ).fetchall()
        by_kind: dict[str, dict[str, int]] = {"pair": {}, "abstained": {}, "failed": {}}
        for kind, reason, count, _, _ in rows:
            by_kind[kind][reason or ""] = count
        reached = sum(row[2] for row in rows)
        return Counts(
            prompts=prompts,
            duplicates=read[0] if read else 0,
            skipped=read[1] if read else 0,
            settled=sum(by_kind["pair"].values()),
            abstained=by_kind["abstained"],
            failed=by_kind["failed"],
            not_reached=prompts - reached,
            completions=sum(row[3] for row in rows),
            verdicts=sum(row[4] for row in rows),
        )

    def spent(self) -> Spent:
        """What the whole folder has paid for, over all runs and recipes."""
        calls, attempts, tokens_in, tokens_out, cost, unknown = self._read.execute(
            "SELECT count(DISTINCT request), count(*), total(input_tokens), total(output_tokens), total(cost_usd),"
            " total(outcome = 'ok' AND cost_usd IS NULL) FROM attempts"
        ).fetchone()
        return Spent(calls, attempts, int(tokens_in), int(tokens_out), None if unknown else cost)

    def open_attempts(self) -> int:
        """Attempts whose end nobody saw: in flight now, or lost with an earlier process."""
        return self._one("SELECT count(*) FROM attempts WHERE outcome IS NULL")

    def committed_usd(self) -> float:
        """What the folder has cost at most: an attempt without a known cost counts with its upper bound."""
        sql = (
            "SELECT total(CASE WHEN outcome IS NULL OR status = 200 THEN coalesce(cost_usd, most_usd, 0) END)"
            " FROM attempts"
        )
        return float(self._read.execute(sql).fetchone()[0])

    # --- what is known across runs -----------------------------------------------------------------

    def fact(self, key: str) -> str | None:
        """Something learnt once, by key."""
        row = self._read.execute("SELECT value FROM facts WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def learn(self, key: str, value: str) -> asyncio.Future[None]:
        """Remember something for every later decision of this folder."""
        return self._put(("INSERT OR REPLACE INTO facts VALUES (?,?)", (key, value)))

    def keep_recipe(self, digest: str, toml: str) -> None:
        """Store a recipe by its digest."""
        with self._transaction():
            self._write.execute("INSERT OR IGNORE INTO recipes VALUES (?,?,?)", (digest, toml, self._epoch()))

    def identify(self, endpoint: Endpoint, same: bool, new: bool) -> str:
        """The identity that request ids name, for an endpoint that set none itself.

        Args:
            endpoint: as the recipe describes it; `identity` is the default one.
            same: the user said that the new URL is the same model: what is stored stays valid.
            new: the user said that it is another: everything of it is bought anew.

        Raises:
            LedgerError: the identity is known under other URLs only, and the user said neither.
        """
        rows = self._read.execute(
            "SELECT url, used_as FROM endpoints WHERE identity = ? ORDER BY rowid", (endpoint.identity,)
        ).fetchall()
        known = {url: used_as for url, used_as in rows}
        used_as = next((known[url] for url in endpoint.base_urls if url in known), None)
        if used_as is None and known:
            if not (same or new):
                raise LedgerError(_moved(endpoint, rows[-1][0]))
            used_as = rows[-1][1] if same else f"{endpoint.identity} #{len(set(known.values())) + 1}"
        used_as = used_as or endpoint.identity
        with self._transaction():
            for url in endpoint.base_urls:
                row = (endpoint.name, endpoint.identity, url, used_as)
                self._write.execute("INSERT OR IGNORE INTO endpoints VALUES (?,?,?,?)", row)
        return used_as


_ENDED = (
    "UPDATE attempts SET outcome = ?, status = ?, message = ?, cost_usd = ?, input_tokens = ?, output_tokens = ?"
    " WHERE id = ?"
)
_STORED = "INSERT OR IGNORE INTO replies (request, prompt, raw, failure, latency_s) VALUES (?,?,?,?,?)"
_SETTLED = (
    "INSERT OR REPLACE INTO outcomes (digest, kind, reason, final, completions, verdicts, body, prompt)"
    " SELECT ?,?,?,?,?,?,?, id FROM prompts WHERE hash = ?"
)


def open_ledger(path: Path, epoch: Callable[[], float], create: bool) -> Ledger:
    """Open a run folder's ledger.

    Raises:
        LedgerError: there is none (and `create` is false), it is no ledger, or a newer version made it.
    """
    if not create and not path.exists():
        raise LedgerError(f"{path.parent} holds no ledger; start a run there, or name another run folder")
    try:
        with contextlib.closing(_connect(path)) as db:
            if db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
                db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} INSERT INTO meta VALUES ('version', '{VERSION}'); COMMIT;")
            version = int(db.execute("SELECT value FROM meta WHERE key = 'version'").fetchone()[0])
    except sqlite3.Error as exc:
        raise LedgerError(f"{path} cannot be read as a ledger ({exc}); take another --run-dir") from exc
    if version > VERSION:
        raise LedgerError(f"{path} was made by a newer pairsmith (ledger version {version}); upgrade pairsmith")
    return Ledger(path, epoch)


def _connect(path: Path) -> sqlite3.Connection:
    # The write connection is used by the ledger's thread, and by the caller's before the thread has work.
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    return db


def _prompt_bytes(prompt: Prompt) -> bytes:
    return orjson.dumps(
        {
            "messages": prompt.messages,
            "tools": prompt.tools,
            "reference": prompt.reference,
            "system": prompt.system,
            "meta": prompt.meta,
            "id": prompt.source_id,
            "candidates": [[c.content, c.meta] for c in prompt.candidates],
        }
    )


def _prompt(ident: PromptId, body: bytes, ordinal: int) -> Prompt:
    data = orjson.loads(body)
    return Prompt(
        id=ident,
        messages=tuple(data["messages"]),
        tools=tuple(data["tools"]),
        reference=data["reference"],
        system=data["system"],
        meta=data["meta"],
        ordinal=ordinal,
        source_id=data["id"],
        candidates=tuple(Candidate(content, meta) for content, meta in data["candidates"]),
    )


def _failure(request: str, stored: bytes | None) -> Failure | None:
    if stored is None:
        return None
    reason, message, status = orjson.loads(stored)
    return Failure(RequestId(request), FailureKind.PERMANENT, reason, message, status)


def _fail(waiter: asyncio.Future[None], error: Exception) -> None:
    if not waiter.done():
        waiter.set_exception(error)
        waiter.exception()  # whoever no longer waits need not hear of it


def _write_failed(exc: sqlite3.Error, path: Path) -> Stopped:
    if "full" in str(exc):
        return Stopped(
            "disk_full", f"the disk of {path} is full: make room, then run the same command again to continue"
        )
    return Stopped(
        "ledger", f"{path} cannot be written ({exc}): mend that, then run the same command again to continue"
    )


def _moved(endpoint: Endpoint, known: str) -> str:
    name = endpoint.name
    return (
        f"endpoint {name} ({endpoint.model}) is known to this run folder at {known}, and is now at "
        f"{endpoint.base_urls[0]}: say --same-endpoint {name} to go on with what is stored, "
        f"or --new-endpoint {name} to buy its answers anew"
    )
