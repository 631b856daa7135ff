"""The ledger: durable in groups, read by others meanwhile, and honest when it can write no more."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import sqlite3
import threading
from collections.abc import Callable, Coroutine, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairsmith.collect import equal_id, unite, unite_equal
from pairsmith.errors import LedgerError, Stopped
from pairsmith.ledger import Ledger, Settled, open_ledger
from pairsmith.ledger.schema import MIGRATIONS, SCHEMA, VERSION
from pairsmith.records import (
    Amount,
    Candidate,
    ChatRequest,
    Endpoint,
    EndpointName,
    Failure,
    FailureKind,
    Outcome,
    Prompt,
    PromptId,
    Purpose,
    Reply,
    RequestId,
    Usage,
    prompt_id,
)
from pairsmith.wire.money import at_most_paid

JUDGE = EndpointName("judge")
DIGEST = "the work"


def ledger_in(folder: Path) -> Ledger:
    return open_ledger(folder / "ledger.sqlite3", lambda: 1.0, create=True)


def used(folder: Path, story: Callable[[Ledger], Coroutine[Any, Any, Any]]) -> Any:
    """Open a ledger, live through the story, close it."""

    async def whole() -> Any:
        ledger = ledger_in(folder)
        try:
            return await story(ledger)
        finally:
            await ledger.close()

    return asyncio.run(whole())


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """What another process sees."""
    with closing(sqlite3.connect(folder / "ledger.sqlite3")) as db:
        return db.execute(sql).fetchall()


def prompt(text: str, *candidates: str, source_id: str | None = None) -> Prompt:
    messages = ({"role": "user", "content": text},)
    given = tuple(Candidate(candidate) for candidate in candidates)
    return Prompt(prompt_id(messages, (), None, None), messages, source_id=source_id, candidates=given)


def request(name: str, of: Prompt) -> ChatRequest:
    return ChatRequest(RequestId(name), of.id, Purpose.SCORE, JUDGE, {"messages": []}, 0)


def reply(name: str, usage: Usage = Usage()) -> Reply:  # noqa: B008  frozen, so shared safely
    return Reply(RequestId(name), "an answer", usage=usage)


def settled(kind: str = "pair", reason: str | None = None, final: bool = True) -> Settled:
    return Settled(kind, reason, final, 4, 4, {})


async def taken_in(ledger: Ledger, prompts: Sequence[Prompt], duplicates: int = 0, skipped: int = 0) -> None:
    await ledger.new_generation()
    await ledger.add_prompts(prompts, unite)
    await ledger.input_complete(duplicates, skipped)


ONE, TWO, THREE = prompt("One?"), prompt("Two?"), prompt("Three?")


# --- durable -------------------------------------------------------------------------------------


def test_an_attempt_is_on_disk_before_it_may_be_sent(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> list[tuple[Any, ...]]:
        number = await ledger.begin(request("r", ONE), 0.5)
        return [(number,), *rows(tmp_path, "SELECT request, endpoint, purpose, most_usd, outcome FROM attempts")]

    assert used(tmp_path, story) == [(1,), ("r", "judge", "score", 0.5, None)]


def test_an_answer_is_on_disk_as_it_came_when_its_future_is_done(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> list[tuple[Any, ...]]:
        number = await ledger.begin(request("r", ONE), None)
        await ledger.finish(number, request("r", ONE), reply("r"), b'{"raw": "\xff"}', 0.25)
        return rows(tmp_path, "SELECT raw FROM replies") + rows(tmp_path, "SELECT outcome, cost_usd FROM attempts")

    assert used(tmp_path, story) == [(b'{"raw": "\xff"}',), ("ok", 0.25)]


def test_many_writers_share_commits_and_all_is_durable(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> int:
        async def one(number: int) -> None:
            asked = request(f"r{number}", ONE)
            await ledger.finish(await ledger.begin(asked, None), asked, reply(f"r{number}"), b"{}", None)

        await asyncio.gather(*[one(number) for number in range(500)])
        return len(rows(tmp_path, "SELECT * FROM replies"))

    assert used(tmp_path, story) == 500


def test_flush_waits_for_a_commit_that_is_on_its_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run's last outcomes are read right after a flush."""
    from pairsmith.ledger.writer import Writer

    entered, may_go_on = threading.Event(), threading.Event()
    commit = Writer._commit

    def held(self: Writer, statements: Any) -> None:
        entered.set()
        may_go_on.wait(10)
        commit(self, statements)

    async def story(ledger: Ledger) -> str | None:
        monkeypatch.setattr(Writer, "_commit", held)
        ledger.learn("key", "value")
        await asyncio.to_thread(entered.wait, 10)
        flushing = asyncio.create_task(ledger.flush())
        for _ in range(20):
            await asyncio.sleep(0)
        assert not flushing.done()
        may_go_on.set()
        await flushing
        return ledger.fact("key")

    assert used(tmp_path, story) == "value"


def test_closing_writes_what_is_queued(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> None:
        ledger.learn("key", "value")

    used(tmp_path, story)

    assert rows(tmp_path, "SELECT value FROM facts") == [("value",)]


def test_a_second_connection_reads_while_the_first_one_writes(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> tuple[int, int]:
        await taken_in(ledger, [ONE, TWO])
        other = open_ledger(tmp_path / "ledger.sqlite3", lambda: 1.0, create=False)
        try:
            before = other.counts(DIGEST).settled
            await ledger.settle(ONE.id, DIGEST, settled())
            return before, other.counts(DIGEST).settled
        finally:
            other.close_now()

    assert used(tmp_path, story) == (0, 1)


def test_numbers_of_attempts_go_on_where_the_last_process_ended(tmp_path: Path) -> None:
    def story(ledger: Ledger) -> Coroutine[Any, Any, int]:
        return ledger.begin(request("r", ONE), None)

    assert [used(tmp_path, story), used(tmp_path, story)] == [1, 2]


def test_a_token_count_that_no_column_can_hold_stops_the_run_and_hangs_nobody(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> str:
        number = await ledger.begin(request("r", ONE), None)
        usage = Usage(input_tokens=2**64 - 1, output_tokens=1)
        try:
            async with asyncio.timeout(5):
                await ledger.finish(number, request("r", ONE), reply("r", usage), b"{}", None)
        except Stopped as stopped:
            return stopped.reason
        return "stored"

    assert used(tmp_path, story) in ("ledger", "stored")


# --- what is stored ------------------------------------------------------------------------------


def failure(kind: FailureKind, reason: str) -> Failure:
    return Failure(RequestId("r"), kind, reason, "as said", 400)


@pytest.mark.parametrize(
    ("outcome", "kept"),
    [
        (failure(FailureKind.PERMANENT, "context_length"), True),
        (failure(FailureKind.PERMANENT, "content_filter"), True),
        (failure(FailureKind.PERMANENT, "bad_request"), False),
        (failure(FailureKind.TRANSIENT, "http_500"), False),
        (failure(FailureKind.THROTTLED, "http_429"), False),
        (failure(FailureKind.FATAL, "refused_key"), False),
    ],
)
def test_a_failure_is_kept_when_no_later_run_can_mend_it(tmp_path: Path, outcome: Outcome, kept: bool) -> None:
    async def story(ledger: Ledger) -> bool:
        number = await ledger.begin(request("r", ONE), None)
        await ledger.finish(number, request("r", ONE), outcome, None, None)
        stored = ledger.stored(ONE.id)
        assert all(one.raw is None and one.failure == outcome for one in stored.values())
        return RequestId("r") in stored

    assert used(tmp_path, story) is kept


def test_the_first_answer_of_a_request_stays(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> bytes | None:
        for raw in (b"first", b"second"):
            await ledger.finish(await ledger.begin(request("r", ONE), None), request("r", ONE), reply("r"), raw, None)
        return ledger.stored(ONE.id)[RequestId("r")].raw

    assert used(tmp_path, story) == b"first"


def test_the_answers_of_a_prompt_are_its_own(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> list[set[RequestId]]:
        for name, of in (("a", ONE), ("b", TWO), ("c", ONE)):
            await ledger.finish(await ledger.begin(request(name, of), None), request(name, of), reply(name), b"", None)
        return [set(ledger.stored(of.id)) for of in (ONE, TWO, THREE)]

    assert used(tmp_path, story) == [{"a", "c"}, {"b"}, set()]


def test_more_answers_can_be_read_at_once_than_a_statement_takes_values(tmp_path: Path) -> None:
    named = [RequestId(f"r{number}") for number in range(300_000)]

    async def story(ledger: Ledger) -> None:
        last = request(named[-1], ONE)
        await ledger.finish(await ledger.begin(last, None), last, reply(named[-1]), b"{}", 0.1)
        assert ledger.raw_replies(named) == {named[-1]: b"{}"}
        assert ledger.asked_about(named) == {named[-1]: ONE.id}
        assert [attempt.request for attempt in ledger.attempts_at(named)] == [named[-1]]

    used(tmp_path, story)


def test_spending_is_unknown_as_soon_as_one_answer_has_no_known_cost(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> list[float | None]:
        spent = []
        for name, cost in (("a", 0.25), ("b", 0.5), ("c", None)):
            number = await ledger.begin(request(name, ONE), None)
            await ledger.finish(number, request(name, ONE), reply(name, Usage(3, 4)), b"", cost)
            spent.append(ledger.spent().cost_usd)
        assert (ledger.spent().calls, ledger.spent().attempts) == (3, 3)
        assert (ledger.spent().input_tokens, ledger.spent().output_tokens) == (9, 12)
        return spent

    assert used(tmp_path, story) == [0.25, 0.75, None]


@pytest.mark.parametrize(
    ("ended", "counted"),
    [
        (None, Amount(1, 900, 2.0)),  # in flight, or lost with a process: may have been billed
        (reply("r", Usage(input_tokens=30, output_tokens=12)), Amount(1, 42, 0.5)),
        (reply("r", Usage(input_tokens=30)), Amount(1, 900, 0.5)),
        (reply("r"), Amount(1, 900, 0.5)),
        (Failure(RequestId("r"), FailureKind.TRANSIENT, "html", status=200), Amount(1, 900, 2.0)),
        (Failure(RequestId("r"), FailureKind.TRANSIENT, "timeout"), Amount(1, 900, 2.0)),
        (Failure(RequestId("r"), FailureKind.TRANSIENT, "reset"), Amount(1, 900, 2.0)),
        (Failure(RequestId("r"), FailureKind.TRANSIENT, "unreachable"), Amount()),
        (Failure(RequestId("r"), FailureKind.TRANSIENT, "not_sent"), Amount()),
        (Failure(RequestId("r"), FailureKind.TRANSIENT, "http_500", status=500), Amount(1)),
        (Failure(RequestId("r"), FailureKind.THROTTLED, "http_429", status=429), Amount(1)),
    ],
)
def test_what_may_have_been_billed_counts_with_the_most_it_can_come_to_here_as_in_the_running_engine(
    tmp_path: Path, ended: Outcome | None, counted: Amount
) -> None:
    cost = 0.5 if isinstance(ended, Reply) else None

    async def story(ledger: Ledger) -> Amount:
        number = await ledger.begin(request("r", ONE), 2.0, 900)
        if ended is not None:
            await ledger.finish(number, request("r", ONE), ended, None, cost)
        return ledger.committed()

    assert used(tmp_path, story) == counted
    assert ended is None or at_most_paid(ended, Amount(1, 900, 2.0), cost) == counted


def test_the_most_an_attempt_can_come_to_is_on_disk_before_it_may_be_sent(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> list[tuple[Any, ...]]:
        await ledger.begin(request("r", ONE), 0.5, 900)
        return rows(tmp_path, "SELECT most_usd, most_tokens FROM attempts")

    assert used(tmp_path, story) == [(0.5, 900)]


def test_attempts_of_a_ledger_that_knew_no_most_tokens_count_like_the_largest_that_was_answered(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite3", isolation_level=None)) as db:
        db.executescript(f"BEGIN; {SCHEMA} {MIGRATIONS[2]} INSERT INTO meta VALUES ('version', '2'); COMMIT;")
        old = "INSERT INTO attempts (request, endpoint, purpose, at, outcome, status, input_tokens, output_tokens)"
        values = ("r", "judge", "score", 1.0)
        db.execute(f"{old} VALUES (?,?,?,?,'ok',200,30,12)", values)
        db.execute(f"{old} VALUES (?,?,?,?,'ok',200,10,10)", values)
        db.execute(f"{old} VALUES (?,?,?,?,NULL,NULL,NULL,NULL)", values)
        db.execute(f"{old} VALUES (?,?,?,?,'http_429',429,NULL,NULL)", values)

    async def story(ledger: Ledger) -> Amount:
        return ledger.committed()

    assert used(tmp_path, story) == Amount(4, 42 + 20 + 42)
    assert rows(tmp_path, "SELECT value FROM meta WHERE key = 'version'") == [(str(VERSION),)]


def test_how_long_a_folder_was_run_for_outlives_the_run(tmp_path: Path) -> None:
    async def run(ledger: Ledger) -> float:
        before_s = ledger.ran_s()
        ledger.keep_ran_s(before_s + 1.5)
        return before_s

    assert [used(tmp_path, run) for _ in range(3)] == [0.0, 1.5, 3.0]


# --- generations ---------------------------------------------------------------------------------


def test_prompts_come_back_as_they_were_in_order(tmp_path: Path) -> None:
    whole = Prompt(
        prompt_id(({"role": "user", "content": "x\u2028"},), ({"type": "function"},), "ref", "sys"),
        ({"role": "user", "content": "x\u2028"},),
        ({"type": "function"},),
        "ref",
        "sys",
        {"family": ["a", {"b": None}]},
        0,
        "id-1",
        (Candidate("c", {"model": "m"}),),
    )

    async def story(ledger: Ledger) -> list[Prompt]:
        await taken_in(ledger, [whole, ONE])
        return ledger.owed(DIGEST, -1, 10)

    first, second = used(tmp_path, story)
    assert first == whole
    assert (second.id, second.ordinal) == (ONE.id, 1)


def test_settled_prompts_are_owed_no_more_and_unfinished_ones_again(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> list[PromptId]:
        await taken_in(ledger, [ONE, TWO, THREE])
        await ledger.settle(ONE.id, DIGEST, settled())
        await ledger.settle(TWO.id, DIGEST, settled("failed", "timeout", final=False))
        return [one.id for one in ledger.owed(DIGEST, -1, 10)]

    assert used(tmp_path, story) == [TWO.id, THREE.id]


def test_another_digest_owes_every_prompt_again(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> int:
        await taken_in(ledger, [ONE, TWO])
        await ledger.settle(ONE.id, DIGEST, settled())
        return len(ledger.owed("other work", -1, 10))

    assert used(tmp_path, story) == 2


def test_counts_are_conserved_and_belong_to_a_digest(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> list[Any]:
        await taken_in(ledger, [ONE, TWO, THREE], duplicates=2, skipped=1)
        await ledger.settle(ONE.id, DIGEST, settled())
        await ledger.settle(TWO.id, DIGEST, settled("abstained", "tie"))
        return [ledger.counts(DIGEST), ledger.counts("other work")]

    ours, others = used(tmp_path, story)
    assert (ours.prompts, ours.settled, ours.abstained, ours.failed, ours.not_reached) == (3, 1, {"tie": 1}, {}, 1)
    assert (ours.duplicates, ours.skipped, ours.completions, ours.verdicts) == (2, 1, 8, 8)
    assert others.not_reached == 3


def test_until_an_input_is_read_to_its_end_the_last_whole_one_is_spoken_of(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> list[int]:
        await taken_in(ledger, [ONE, TWO])
        await ledger.new_generation()
        await ledger.add_prompts([THREE], unite)
        before = ledger.counts(DIGEST).prompts
        owed = [one.id for one in ledger.owed(DIGEST, -1, 10)]
        await ledger.input_complete(0, 0)
        assert owed == [THREE.id]
        return [before, ledger.counts(DIGEST).prompts]

    assert used(tmp_path, story) == [2, 1]


def test_the_first_input_is_spoken_of_while_it_is_read(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> int:
        await ledger.new_generation()
        await ledger.add_prompts([ONE, TWO], unite)
        return ledger.counts(DIGEST).prompts

    assert used(tmp_path, story) == 2


def test_a_reading_that_was_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    async def killed(ledger: Ledger) -> None:
        await ledger.new_generation()
        await ledger.add_prompts([ONE, TWO], unite)

    async def whole(ledger: Ledger) -> None:
        await taken_in(ledger, [THREE])

    used(tmp_path, killed)
    used(tmp_path, whole)

    assert rows(tmp_path, "SELECT complete FROM generations") == [(1,)]
    assert len(rows(tmp_path, "SELECT * FROM inputs")) == 1


def test_a_prompt_that_left_the_input_keeps_its_outcome_for_when_it_comes_back(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> list[int]:
        await taken_in(ledger, [ONE, TWO])
        await ledger.settle(TWO.id, DIGEST, settled())
        await taken_in(ledger, [ONE])
        without = ledger.counts(DIGEST).settled
        await taken_in(ledger, [TWO, ONE])
        return [without, ledger.counts(DIGEST).settled]

    assert used(tmp_path, story) == [0, 1]


def test_new_candidates_of_a_prompt_make_it_owed_again(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> list[tuple[str, ...]]:
        await taken_in(ledger, [prompt("One?", "a")])
        await ledger.settle(ONE.id, DIGEST, settled())
        await taken_in(ledger, [prompt("One?", "a", "b")])
        return [tuple(c.content for c in one.candidates) for one in ledger.owed(DIGEST, -1, 10)]

    assert used(tmp_path, story) == [("a", "b")]


def test_one_id_for_two_prompts_is_a_clash_at_its_place(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> tuple[int, ...]:
        await ledger.new_generation()
        taken = await ledger.add_prompts(
            [prompt("One?", source_id="x"), prompt("One?", source_id="y"), prompt("Two?", source_id="x")], unite
        )
        return taken.clashes

    assert used(tmp_path, story) == (2,)


def test_an_equal_prompt_is_found_by_an_index_however_large_the_input_is(tmp_path: Path) -> None:
    statements: list[str] = []

    async def story(ledger: Ledger) -> None:
        await ledger.new_generation()
        ledger._writer._db.set_trace_callback(statements.append)
        await ledger.add_prompts([ONE, prompt("one?")], unite_equal, equal_id)

    used(tmp_path, story)
    (lookup, *_) = [one for one in statements if "i.equal =" in one]

    assert "equal=?" in rows(tmp_path, f"EXPLAIN QUERY PLAN {lookup}")[0][3]


def test_places_of_near_duplicates_close_up_and_the_input_ends_at_its_limit(tmp_path: Path) -> None:
    texts = ["a", "b", "c", "d", "e", "f", "g"]

    async def story(ledger: Ledger) -> tuple[list[tuple[str, int]], list[tuple[Any, Any]]]:
        await ledger.new_generation()
        await ledger.add_prompts([prompt(text, source_id=text) for text in texts], unite)
        await ledger.leave_near_out([(1, 0), (3, 2), (5, 0)], 3)
        await ledger.input_complete(0, 0)
        kept = [(str(one.source_id), one.ordinal) for one in ledger.prompts()]
        return kept, [(one.prompt.source_id, one.stands.source_id) for one in ledger.near_duplicates()]

    assert used(tmp_path, story) == ([("a", 0), ("c", 1), ("e", 2)], [("b", "a"), ("d", "c")])


def test_what_was_left_out_for_one_that_is_left_out_now_is_so_for_the_one_that_stays(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> list[tuple[Any, Any]]:
        await ledger.new_generation()
        await ledger.add_prompts([prompt(text, source_id=text) for text in "abc"], unite)
        await ledger.leave_near_out([(2, 1)], None)
        await ledger.leave_near_out([(1, 0)], None)
        await ledger.input_complete(0, 0)
        return [(one.prompt.source_id, one.stands.source_id) for one in ledger.near_duplicates()]

    assert sorted(used(tmp_path, story)) == [("b", "a"), ("c", "a")]


def test_a_new_reading_forgets_what_an_unfinished_one_left_out(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> None:
        await ledger.new_generation()
        await ledger.add_prompts([ONE, TWO], unite)
        await ledger.leave_near_out([(1, 0)], None)
        await ledger.list_contaminated([{"id": "x"}])
        await taken_in(ledger, [ONE])

    used(tmp_path, story)

    assert rows(tmp_path, "SELECT count(*) FROM near_duplicates") == rows(tmp_path, "SELECT count(*) FROM contaminated")
    assert rows(tmp_path, "SELECT count(*) FROM contaminated") == [(0,)]


ROWS = st.lists(
    st.builds(
        lambda text, candidates, ident: prompt(text, *candidates, source_id=ident),
        st.sampled_from("abcdef"),
        st.lists(st.sampled_from("uvwxyz"), max_size=3),
        st.none() | st.sampled_from("123"),
    ),
    max_size=14,
)


@settings(deadline=None, max_examples=30)
@given(given_rows=ROWS, cuts=st.lists(st.integers(0, 14), max_size=4))
def test_an_input_taken_in_chunks_is_the_input_taken_at_once(
    tmp_path_factory: pytest.TempPathFactory, given_rows: list[Prompt], cuts: list[int]
) -> None:
    def taken(bounds: list[int]) -> tuple[int, int, list[int], list[Prompt]]:
        async def story(ledger: Ledger) -> tuple[int, int, list[int], list[Prompt]]:
            await ledger.new_generation()
            added = duplicates = 0
            clashes: list[int] = []
            for start, end in itertools.pairwise(bounds):
                one = await ledger.add_prompts(given_rows[start:end], unite)
                added, duplicates = added + one.added, duplicates + one.duplicates
                clashes += [start + place for place in one.clashes]
            await ledger.input_complete(duplicates, 0)
            return added, duplicates, clashes, ledger.owed(DIGEST, -1, 100)

        result: tuple[int, int, list[int], list[Prompt]] = used(tmp_path_factory.mktemp("ledger"), story)
        return result

    size = len(given_rows)
    whole = taken([0, size])

    assert taken([0, *sorted(min(cut, size) for cut in cuts), size]) == whole
    assert whole[0] + whole[1] + len(whole[2]) == size


def test_what_is_queued_is_written_also_while_every_task_of_the_loop_is_cancelled(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> None:
        booked = [asyncio.create_task(ledger.begin(request(f"r{number}", ONE), None)) for number in range(20)]
        await asyncio.sleep(0)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.gather(*booked, return_exceptions=True)

    used(tmp_path, story)

    assert rows(tmp_path, "SELECT count(*) FROM attempts") == [(20,)]


# --- when it cannot write ------------------------------------------------------------------------


def test_a_full_disk_stops_the_run_and_all_that_was_acknowledged_is_there(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> tuple[list[str], str]:
        ledger._writer._db.execute("PRAGMA max_page_count = 80")
        acknowledged = []
        try:
            for number in range(200):
                asked = request(f"r{number}", ONE)
                attempt = await ledger.begin(asked, None)
                await ledger.finish(attempt, asked, reply(f"r{number}"), b"x" * 3000, None)
                acknowledged.append(f"r{number}")
        except Stopped as stopped:
            with pytest.raises(Stopped):
                await ledger.begin(request("later", ONE), None)
            return acknowledged, stopped.reason
        return acknowledged, "never"

    acknowledged, reason = used(tmp_path, story)

    assert reason == "disk_full"
    assert len(acknowledged) > 10
    assert {request for (request,) in rows(tmp_path, "SELECT request FROM replies")} >= set(acknowledged)
    assert rows(tmp_path, "PRAGMA integrity_check") == [("ok",)]


def test_a_full_disk_while_the_input_is_read_stops_the_run_too(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> str:
        await ledger.new_generation()
        ledger._writer._db.execute("PRAGMA max_page_count = 30")
        with pytest.raises(Stopped) as stopped:
            await ledger.add_prompts([prompt(f"{n} " * 500) for n in range(200)], unite)
        assert ledger.input_size() == 0
        return stopped.value.reason

    assert used(tmp_path, story) == "disk_full"


def test_nothing_is_called_stored_once_the_file_was_taken_away(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> str:
        await ledger.learn("before", "it was there")
        shutil.rmtree(tmp_path)
        with pytest.raises(Stopped) as stopped:
            await ledger.learn("after", "it was not")
        return stopped.value.sentence

    assert "it is not there any more" in used(tmp_path, story)


def test_a_full_disk_before_the_run_begins_is_said_in_one_sentence(tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    ledger._writer._db.execute("PRAGMA max_page_count = 1")

    with pytest.raises(LedgerError, match="is full: make room"):
        ledger.keep_recipe(DIGEST, "x" * 50_000)
    ledger.close_now()


def test_a_ledger_goes_on_once_there_is_room_again(tmp_path: Path) -> None:
    def full(limit: str) -> Callable[[Ledger], Coroutine[Any, Any, int]]:
        async def story(ledger: Ledger) -> int:
            ledger._writer._db.execute(f"PRAGMA max_page_count = {limit}")
            try:
                for number in range(100):
                    asked = request(f"r{number}", ONE)
                    await ledger.finish(await ledger.begin(asked, None), asked, reply("r"), b"x" * 3000, None)
            except Stopped:
                pass
            return len(ledger.stored(ONE.id))

        return story

    assert used(tmp_path, full("60")) < 100
    assert used(tmp_path, full("100000")) == 100


# --- opening -------------------------------------------------------------------------------------


def test_a_ledger_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    ledger_in(tmp_path).close_now()
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite3", isolation_level=None)) as db:
        db.execute("UPDATE meta SET value = '99'")

    with pytest.raises(LedgerError, match="newer pairsmith"):
        ledger_in(tmp_path)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite3"
    path.write_bytes(b"my diary " * 500)

    with pytest.raises(LedgerError, match="cannot be read as a ledger"):
        ledger_in(tmp_path)

    assert path.read_bytes() == b"my diary " * 500


def test_a_database_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "ledger.sqlite3")) as db:
        db.execute("CREATE TABLE songs (title TEXT)")

    with pytest.raises(LedgerError):
        ledger_in(tmp_path)

    assert rows(tmp_path, "SELECT name FROM sqlite_master") == [("songs",)]


def test_a_ledger_that_is_not_there_is_not_made_by_reading(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="holds no ledger"):
        open_ledger(tmp_path / "ledger.sqlite3", lambda: 1.0, create=False)

    assert list(tmp_path.iterdir()) == []


# --- endpoints that move -------------------------------------------------------------------------


def at(url: str) -> Endpoint:
    return Endpoint(JUDGE, "m", (url,), "judge m")


def test_an_endpoint_keeps_its_identity_at_a_known_url_and_asks_at_another(tmp_path: Path) -> None:
    async def story(ledger: Ledger) -> list[str]:
        first = ledger.identify(at("http://a"), same=False, new=False)
        with pytest.raises(LedgerError, match="http://a, and is now at http://b"):
            ledger.identify(at("http://b"), same=False, new=False)
        same = ledger.identify(at("http://b"), same=True, new=False)
        other = ledger.identify(at("http://c"), same=False, new=True)
        third = ledger.identify(at("http://d"), same=False, new=True)
        again = [ledger.identify(at(f"http://{name}"), same=False, new=False) for name in "abcd"]
        assert again == [first, same, other, third]
        return [first, same, other, third]

    first, same, other, third = used(tmp_path, story)
    assert first == same == "judge m"
    assert len({first, other, third}) == 3
