"""The ledger: every prompt, attempt, answer and outcome of one run folder, in one SQLite file.

Writes go through one writer and are durable when their futures are done; reads see only what is durable. A run
folder has one writing process at a time, kept by its lock. Called by the pipeline and the command line.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import orjson

from pairsmith.errors import LedgerError
from pairsmith.ledger import intake, left_out, reviews
from pairsmith.ledger.excluded import Excluded, excluded
from pairsmith.ledger.left_out import NearDuplicate
from pairsmith.ledger.reviews import Opinion, Review
from pairsmith.ledger.rows import Attempt, Collected, Counts, Settled, Spent, failure_of, prompt_of
from pairsmith.ledger.schema import connect, prepare
from pairsmith.ledger.timeline import Timeline, timeline
from pairsmith.ledger.writer import Writer
from pairsmith.records import (
    Amount,
    ChatRequest,
    Endpoint,
    EndpointName,
    FailureKind,
    Json,
    Outcome,
    Prompt,
    PromptId,
    Purpose,
    Reply,
    RequestId,
    StoredReply,
)

_BEGUN = "INSERT INTO attempts (id, request, endpoint, purpose, most_usd, most_tokens, at) VALUES (?,?,?,?,?,?,?)"
_ENDED = (
    "UPDATE attempts SET outcome = ?, status = ?, message = ?, cost_usd = ?, input_tokens = ?, output_tokens = ?"
    " WHERE id = ?"
)
_STORED = "INSERT OR IGNORE INTO replies (request, prompt, raw, failure, latency_s) VALUES (?,?,?,?,?)"
_SETTLED = (
    "INSERT OR REPLACE INTO outcomes (digest, kind, reason, final, completions, verdicts, pairs, body, prompt)"
    " SELECT ?,?,?,?,?,?,?,?, id FROM prompts WHERE hash = ?"
)
_LISTED = "(SELECT value FROM json_each(?))"  # one value, however many: a statement takes only so many of them

LEAST_PREFIX = 6  # of a content id
CHUNK = 1024  # prompts that are looked up at a time

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
        self._excluded = Excluded()
        self._read = connect(path)
        self._writer = Writer(path)
        self._attempt: int = self._one("SELECT coalesce(max(id), 0) FROM attempts")
        self.generation: int = self._one("SELECT coalesce(max(id), 0) FROM generations")

    def _one(self, sql: str, *args: object) -> int:
        value: int = self._read.execute(sql, args).fetchone()[0]
        return value

    async def flush(self) -> None:
        """Wait until everything booked so far is durable."""
        await self._writer.flush()

    async def close(self) -> None:
        """Write what is queued and close the file."""
        await self._writer.close()
        self._read.close()

    def close_now(self) -> None:
        """Close the file; for readers, who queue nothing."""
        self._writer.close_now()
        self._read.close()

    # --- wire's accounts ---------------------------------------------------------------------------

    @property
    def last_attempt(self) -> int:
        """The number of the last attempt that was booked; 0: none was."""
        return self._attempt

    async def begin(self, request: ChatRequest, max_cost_usd: float | None, max_tokens: int | None = None) -> int:
        """Book an attempt before it is sent, with the most it can come to; its number once the row is durable."""
        self._attempt += 1
        number = self._attempt
        row = (number, request.id, request.endpoint, request.purpose.value, max_cost_usd, max_tokens, self._epoch())
        await self._writer.put((_BEGUN, row))
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
        return self._writer.put(*rows)

    # --- prompts -----------------------------------------------------------------------------------

    def exclude(self, ledgers: Sequence[Path]) -> None:
        """From now on no prompt is taken in that became a pair in one of these other runs.

        Raises:
            LedgerError: one of them is no ledger of another run.
        """
        self._excluded = excluded(ledgers, self._path)

    async def new_generation(self) -> None:
        """Start a new reading of the input; the last complete one stays until this one is complete."""
        self.generation = await self._transaction(intake.begin)

    async def add_prompts(
        self,
        prompts: Sequence[Prompt],
        unite: Callable[[Prompt, Prompt], Prompt],
        equal_id: Callable[[Prompt], str] | None = None,
    ) -> Collected:
        """Take a chunk of the input, in order; equal prompts become one, at the first one's place.

        Args:
            prompts: the chunk.
            unite: makes one of two.
            equal_id: the same of equal prompts; None: those with the same id are equal.
        """
        equal = {prompt.id: equal_id(prompt) for prompt in prompts} if equal_id and self._excluded.ledgers else {}
        out = self._excluded.among({prompt.id for prompt in prompts}, equal)
        return await self._transaction(lambda db: intake.take(db, self.generation, prompts, unite, out, equal_id))

    async def leave_near_out(self, out: Sequence[tuple[int, int]], limit: int | None) -> None:
        """Leave prompts out that are nearly the same as another: ordinals, each with that of the one that stays.

        Those behind them move up, and after `limit` prompts the input ends.
        """
        await self._transaction(lambda db: left_out.leave_near_out(db, self.generation, out, limit))

    async def list_contaminated(self, matches: Sequence[Mapping[str, Json]], prompts: Sequence[PromptId] = ()) -> None:
        """Remember which rows hold an item of an evaluation set; `prompts` of them were taken in, and leave again."""

        def listed(db: sqlite3.Connection) -> None:
            left_out.list_contaminated(db, self.generation, matches)
            intake.remove(db, self.generation, prompts)

        await self._transaction(listed)

    def near_duplicates(self, stands: PromptId | None = None) -> Iterator[NearDuplicate]:
        """Prompts that the current input left out, by those that stand in their place; of one of these, or of all."""
        return left_out.near_duplicates(self._read, self._current(), stands)

    def near_duplicate_count(self) -> int:
        """How many there are."""
        return self._one("SELECT count(*) FROM near_duplicates WHERE generation = ?", self._current())

    def near_duplicate(self, word: str) -> NearDuplicate | None:
        """The one of them that this names: its row's own id, or its content id."""
        return left_out.near_duplicate(self._read, self._current(), word)

    def contaminated(self) -> Iterator[dict[str, Json]]:
        """Rows that the current input left out as they hold an item of an evaluation set, as they are listed."""
        return left_out.contaminated(self._read, self._current())

    async def input_complete(self, duplicates: int, skipped: int, excluded: int = 0) -> None:
        """The input was read to its end: counts and exports speak of it from now on, earlier ones are dropped."""
        await self._transaction(lambda db: intake.complete(db, self.generation, duplicates, skipped, excluded))

    async def exclude_from_input(self) -> None:
        """Leave out of the input that stands already what is excluded by now."""
        rows = self._read.execute(
            "SELECT p.hash, i.equal FROM inputs i JOIN prompts p ON p.id = i.prompt WHERE i.generation = ?",
            (self.generation,),
        )
        out: set[PromptId] = set()
        while chunk := dict(rows.fetchmany(CHUNK)):
            out |= self._excluded.among(chunk, chunk)
        if out:
            await self._transaction(lambda db: intake.leave_excluded(db, self.generation, out, len(out)))

    async def _transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def whole() -> T:
            with self._writer.transaction() as db:
                return work(db)

        return await self._writer.in_thread(whole)

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
        return [prompt_of(PromptId(ident), body, ordinal) for ident, body, ordinal in rows]

    def taken(self, after: int, count: int) -> list[Prompt]:
        """The next prompts of this run's input, in order, whatever became of them."""
        rows = self._read.execute(
            "SELECT p.hash, p.body, i.ordinal FROM inputs i JOIN prompts p ON p.id = i.prompt"
            " WHERE i.generation = ? AND i.ordinal > ? ORDER BY i.ordinal LIMIT ?",
            (self.generation, after, count),
        )
        return [prompt_of(PromptId(ident), body, ordinal) for ident, body, ordinal in rows]

    def input_whole(self) -> bool:
        """Whether the newest input was read to its end."""
        return bool(self._one("SELECT coalesce((SELECT complete FROM generations ORDER BY id DESC LIMIT 1), 0)"))

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
        return prompt_of(ident, row[0], row[1]) if row else None

    def listed(self, ident: PromptId) -> Prompt | None:
        """The same of the current input, which exports speak of."""
        row = self._read.execute(
            "SELECT p.body, i.ordinal FROM prompts p JOIN inputs i ON i.prompt = p.id AND i.generation = ?"
            " WHERE p.hash = ?",
            (self._current(), ident),
        ).fetchone()
        return prompt_of(ident, row[0], row[1]) if row else None

    def prompts(self) -> Iterator[Prompt]:
        """Every prompt of the current input, in order."""
        rows = self._read.execute(
            "SELECT p.hash, p.body, i.ordinal FROM inputs i JOIN prompts p ON p.id = i.prompt"
            " WHERE i.generation = ? ORDER BY i.ordinal",
            (self._current(),),
        )
        for ident, body, ordinal in rows:
            yield prompt_of(PromptId(ident), body, ordinal)

    def find(self, word: str) -> list[Prompt]:
        """The prompts of the current input that this may name: their row's own id, their content id or its beginning.

        Or their place, as #1.
        """
        place = int(word[1:]) - 1 if word[:1] == "#" and word[1:].isdecimal() else -1
        begins = f"{word}*" if len(word) >= LEAST_PREFIX and word.isalnum() else word
        rows = self._read.execute(
            "SELECT p.hash, p.body, i.ordinal FROM inputs i JOIN prompts p ON p.id = i.prompt WHERE i.generation = ?"
            " AND (i.source_id = ? OR p.hash GLOB ? OR i.ordinal = ?) ORDER BY i.source_id IS NOT ?, i.ordinal LIMIT 3",
            (self._current(), word, begins if word.isalnum() else "", place, word),
        )
        return [prompt_of(PromptId(ident), body, ordinal) for ident, body, ordinal in rows]

    def source_ids(self, most: int) -> list[str]:
        """The rows' own ids, so many at most."""
        sql = "SELECT source_id FROM inputs WHERE generation = ? AND source_id IS NOT NULL LIMIT ?"
        return [ident for (ident,) in self._read.execute(sql, (self._current(), most))]

    # --- evidence and outcomes ---------------------------------------------------------------------

    def stored(self, prompt: PromptId) -> dict[RequestId, StoredReply]:
        """Every answer stored for this prompt, whatever recipe asked for it."""
        rows = self._read.execute("SELECT request, raw, failure, latency_s FROM replies WHERE prompt = ?", (prompt,))
        return {RequestId(row[0]): _stored(*row) for row in rows}

    def stored_reply(self, request: RequestId) -> StoredReply | None:
        """The answer stored for one request."""
        sql = "SELECT request, raw, failure, latency_s FROM replies WHERE request = ?"
        row = self._read.execute(sql, (request,)).fetchone()
        return _stored(*row) if row else None

    def raw_replies(self, requests: Sequence[RequestId]) -> dict[RequestId, bytes]:
        """The answers to these requests as they came; one that has none is missing."""
        sql = f"SELECT request, raw FROM replies WHERE request IN {_LISTED} AND raw IS NOT NULL"
        return dict(self._read.execute(sql, (orjson.dumps(requests),)))

    def asked_about(self, requests: Sequence[RequestId]) -> dict[RequestId, PromptId]:
        """The prompt that each of these requests served; one that was never answered is missing."""
        sql = f"SELECT request, prompt FROM replies WHERE request IN {_LISTED}"
        return dict(self._read.execute(sql, (orjson.dumps(requests),)))

    def settle(self, prompt: PromptId, digest: str, settled: Settled) -> asyncio.Future[None]:
        """Store what a prompt came to."""
        row = (digest, settled.kind, settled.reason, settled.final, settled.completions, settled.verdicts)
        return self._writer.put((_SETTLED, (*row, settled.pairs, orjson.dumps(settled.body), prompt)))

    async def unsettle(self, digest: str) -> None:
        """Forget what prompts came to under this digest; the evidence stays."""
        await self._writer.put(("DELETE FROM outcomes WHERE digest = ?", (digest,)))

    def outcomes(self, digest: str) -> Iterator[tuple[Prompt, Settled]]:
        """Every prompt of the current input that has an outcome under this digest, in input order."""
        rows = self._read.execute(
            "SELECT p.hash, p.body, i.ordinal, o.kind, o.reason, o.final, o.completions, o.verdicts, o.body, o.pairs"
            " FROM inputs i JOIN prompts p ON p.id = i.prompt JOIN outcomes o ON o.prompt = p.id AND o.digest = ?"
            " WHERE i.generation = ? ORDER BY i.ordinal",
            (digest, self._current()),
        )
        for ident, prompt, ordinal, kind, reason, final, completions, verdicts, body, pairs in rows:
            settled = Settled(kind, reason, bool(final), completions, verdicts, orjson.loads(body), pairs)
            yield prompt_of(PromptId(ident), prompt, ordinal), settled

    def outcome(self, prompt: PromptId, digest: str) -> Settled | None:
        """What one prompt came to under this digest; None: it has come to nothing yet."""
        row = self._read.execute(
            "SELECT o.kind, o.reason, o.final, o.completions, o.verdicts, o.body, o.pairs FROM outcomes o"
            " JOIN prompts p ON p.id = o.prompt WHERE p.hash = ? AND o.digest = ?",
            (prompt, digest),
        ).fetchone()
        return Settled(row[0], row[1], bool(row[2]), row[3], row[4], orjson.loads(row[5]), row[6]) if row else None

    def attempts_at(self, requests: Sequence[RequestId]) -> list[Attempt]:
        """Every attempt at these requests, in their order."""
        rows = self._read.execute(
            "SELECT request, endpoint, purpose, outcome, status, message, cost_usd, input_tokens, output_tokens"
            f" FROM attempts WHERE request IN {_LISTED} AND coalesce(outcome, '') <> 'not_sent' ORDER BY id",
            (orjson.dumps(requests),),
        )
        return [Attempt(RequestId(row[0]), EndpointName(row[1]), Purpose(row[2]), *row[3:]) for row in rows]

    def kinds(self, digest: str, first: int) -> list[tuple[int, str, int]]:
        """What prompts of this run's input came to, from this place on: ordinal, kind, pairs, where it is settled."""
        rows = self._read.execute(
            "SELECT i.ordinal, o.kind, o.pairs FROM inputs i JOIN outcomes o ON o.prompt = i.prompt AND o.digest = ?"
            " WHERE i.generation = ? AND i.ordinal >= ? ORDER BY i.ordinal",
            (digest, self.generation, first),
        )
        return rows.fetchall()

    def pairs_of_any_input(self, digest: str) -> int:
        """How many pairs prompts came to under this digest, also such that have left the input."""
        return self._one("SELECT coalesce(sum(pairs), 0) FROM outcomes WHERE digest = ?", digest)

    def finished(self, digest: str) -> set[PromptId]:
        """Prompts of any input that owe nothing more under this digest."""
        sql = "SELECT p.hash FROM outcomes o JOIN prompts p ON p.id = o.prompt WHERE o.digest = ? AND o.final"
        return {PromptId(ident) for (ident,) in self._read.execute(sql, (digest,))}

    def counts(self, digest: str) -> Counts:
        """Where the prompts of the current input stand under this digest."""
        generation = self._current()
        prompts = self._one("SELECT count(*) FROM inputs WHERE generation = ?", generation)
        read = self._read.execute("SELECT duplicates, skipped FROM generations WHERE id = ?", (generation,)).fetchone()
        rows = self._read.execute(
            "SELECT o.kind, o.reason, count(*), sum(o.completions), sum(o.verdicts), sum(o.pairs) FROM inputs i"
            " JOIN outcomes o ON o.prompt = i.prompt AND o.digest = ? WHERE i.generation = ? GROUP BY 1, 2 ORDER BY 2",
            (digest, generation),
        ).fetchall()
        by_kind: dict[str, dict[str, int]] = {"pair": {}, "abstained": {}, "failed": {}}
        for kind, reason, count, *_ in rows:
            by_kind[kind][reason or ""] = count
        reached = sum(row[2] for row in rows)
        return Counts(
            prompts=prompts,
            duplicates=read[0] if read else 0,
            skipped=read[1] if read else 0,
            excluded=int(self.fact(intake.excluded_key(generation)) or 0),
            near_duplicates=self.near_duplicate_count(),
            contaminated=self._one("SELECT count(*) FROM contaminated WHERE generation = ?", generation),
            settled=sum(by_kind["pair"].values()),
            pairs=sum(row[5] for row in rows),
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
            " total(outcome = 'ok' AND cost_usd IS NULL) FROM attempts WHERE coalesce(outcome, '') <> 'not_sent'"
        ).fetchone()
        return Spent(calls, attempts, int(tokens_in), int(tokens_out), None if unknown else cost)

    def has_sampled(self, endpoint: EndpointName) -> bool:
        """Whether completions were ever asked of an endpoint of this name."""
        sql = "SELECT EXISTS (SELECT 1 FROM attempts WHERE endpoint = ? AND purpose = ?)"
        return bool(self._one(sql, endpoint, Purpose.SAMPLE.value))

    def open_attempts(self) -> int:
        """Attempts whose end nobody saw: in flight now, or lost with an earlier process."""
        return self._one("SELECT count(*) FROM attempts WHERE outcome IS NULL")

    def committed(self) -> Amount:
        """What the folder has come to at most: an attempt that may have been billed counts with its upper bound.

        Without a status it was lost with its process, or broke off on the way, unless it never left: then it is not
        even a call.
        """
        left = "(status IS NOT NULL OR coalesce(outcome, '') NOT IN ('unreachable', 'not_sent'))"
        billed = f"{left} AND coalesce(status, 200) = 200"
        calls, tokens, usd = self._read.execute(
            f"SELECT total({left}), total(CASE WHEN {billed} THEN coalesce(input_tokens + output_tokens, most_tokens)"
            f" END), total(CASE WHEN {billed} THEN coalesce(cost_usd, most_usd) END) FROM attempts"
        ).fetchone()
        return Amount(int(calls), int(tokens), usd)

    def ran_s(self) -> float:
        """For how many seconds this folder has been run, over all its runs."""
        return float(self.fact("ran_s") or 0.0)

    def keep_ran_s(self, seconds: float) -> asyncio.Future[None]:
        """Remember that; again and again, for a run may be killed."""
        return self.learn("ran_s", f"{seconds:.3f}")

    def spent_on(self) -> dict[tuple[EndpointName, Purpose], Spent]:
        """The same by endpoint and purpose."""
        rows = self._read.execute(
            "SELECT endpoint, purpose, count(DISTINCT request), count(*), total(input_tokens), total(output_tokens),"
            " total(cost_usd), total(outcome = 'ok' AND cost_usd IS NULL) FROM attempts"
            " WHERE coalesce(outcome, '') <> 'not_sent' GROUP BY 1, 2"
        )
        return {
            (EndpointName(name), Purpose(purpose)): Spent(calls, tries, int(got), int(gave), None if unknown else cost)
            for name, purpose, calls, tries, got, gave, cost, unknown in rows
        }

    def timeline(self) -> Timeline:
        """When the calls of all runs were begun, and what they came to."""
        return timeline(self._read)

    # --- what people said --------------------------------------------------------------------------

    async def review(self, opinions: Sequence[Opinion]) -> list[int]:
        """Add verdicts of people to the log; their numbers, once they are durable.

        A run may be going on meanwhile, and others may review.

        Raises:
            Stopped: it could not be written.
        """
        return await self._transaction(lambda db: reviews.add(db, opinions, self._epoch()))

    async def withdraw(self, number: int, reviewer: str) -> bool:
        """Take a verdict back; False: there is none of this number that stands.

        Raises:
            Stopped: it could not be written.
        """
        return await self._transaction(lambda db: reviews.withdraw(db, number, reviewer, self._epoch()))

    def reviews(self, through: int | None = None) -> list[Review]:
        """The verdicts of people that stand, the oldest first, also on prompts that have left the input.

        Args:
            through: as they stood when the log was so long; None: now.
        """
        return reviews.standing(self._read, self.last_review() if through is None else through)

    def last_review(self) -> int:
        """How long the log of what people said is."""
        return reviews.last(self._read)

    def edited_texts(self) -> dict[PromptId, list[str]]:
        """Every text that somebody mended, by prompt."""
        return reviews.edited_texts(self._read)

    # --- what is known across runs -----------------------------------------------------------------

    def fact(self, key: str) -> str | None:
        """Something learnt once, by key."""
        row = self._read.execute("SELECT value FROM facts WHERE key = ?", (key,)).fetchone()
        return row[0] if row else None

    def learn(self, key: str, value: str) -> asyncio.Future[None]:
        """Remember something for every later decision of this folder."""
        return self._writer.put(("INSERT OR REPLACE INTO facts VALUES (?,?)", (key, value)))

    def keep_recipe(self, digest: str, toml: str) -> None:
        """Store a recipe by its digest."""
        with self._writer.at_once() as db:
            db.execute("INSERT OR IGNORE INTO recipes VALUES (?,?,?)", (digest, toml, self._epoch()))

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
        with self._writer.at_once() as db:
            for url in endpoint.base_urls:
                row = (endpoint.name, endpoint.identity, url, used_as)
                db.execute("INSERT OR IGNORE INTO endpoints VALUES (?,?,?,?)", row)
        return used_as

    def known_as(self, endpoint: Endpoint) -> str:
        """The identity that `identify` would give, and nothing is written; a server that has moved is the same."""
        rows = self._read.execute(
            "SELECT url, used_as FROM endpoints WHERE identity = ? ORDER BY rowid", (endpoint.identity,)
        ).fetchall()
        here = [used_as for url, used_as in rows if url in endpoint.base_urls]
        return str(next((used_as for used_as in (*here[:1], *(row[1] for row in rows[-1:]))), endpoint.identity))


def _stored(request: str, raw: bytes | None, failure: bytes | None, latency_s: float) -> StoredReply:
    return StoredReply(raw, failure_of(request, failure), latency_s)


def open_ledger(path: Path, epoch: Callable[[], float], create: bool) -> Ledger:
    """Open a run folder's ledger.

    Raises:
        LedgerError: there is none (and `create` is false), it is no ledger, or a newer version made it.
    """
    prepare(path, create)
    return Ledger(path, epoch)


def _moved(endpoint: Endpoint, known: str) -> str:
    name = endpoint.name
    return (
        f"endpoint {name} ({endpoint.model}) is known to this run folder at {known}, and is now at "
        f"{endpoint.base_urls[0]}: say --same-endpoint {name} to go on with what is stored, "
        f"or --new-endpoint {name} to buy its answers anew"
    )
