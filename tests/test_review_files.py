"""Reviews go out of one run folder and into another, whole, once, and nothing strange comes in."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pairsmith.errors import InputError
from pairsmith.folder import RunFolder
from pairsmith.ledger import Ledger, Opinion, Said, open_ledger
from pairsmith.records import Candidate, CompletionId, Prompt, candidate_id, prompt_id
from pairsmith.reviewing import heard
from pairsmith.running.reviews import Imported, take_reviews, write_reviews

MESSAGES = ({"role": "user", "content": "Is 91 a prime?"},)
IDENT = prompt_id(MESSAGES, (), None, None)
NO, YES = (candidate_id(IDENT, text) for text in ("no", "yes"))
PROMPT = Prompt(IDENT, MESSAGES, source_id="q1", candidates=(Candidate("no"), Candidate("yes")))
OPINIONS = [
    Opinion(IDENT, NO, YES, Said.PREFERRED, NO, "ann", "clear\u2028enough", at=5.5),
    Opinion(IDENT, YES, NO, Said.TIE, None, "bob", at=6.0),
    Opinion(IDENT, YES, NO, Said.BAD_PROMPT, None, "cy", at=6.5),
    Opinion(IDENT, NO, YES, Said.EDIT, NO, "dee", edited="No: 7 × 13.\n", at=7.0),
]
ROW: dict[str, Any] = {
    "prompt_id": IDENT, "first": NO, "second": YES, "said": "preferred", "preferred": NO, "reviewer": "ann", "at": 1,
}  # fmt: skip


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """With one prompt and its two given answers."""
    opened = open_ledger(RunFolder(tmp_path).ledger, lambda: 99.0, create=True)

    async def taken() -> None:
        await opened.new_generation()
        await opened.add_prompts([PROMPT], lambda one, _: one)
        await opened.input_complete(0, 0)

    asyncio.run(taken())
    yield opened
    opened.close_now()


def take(ledger: Ledger, *rows: object) -> Imported:
    lines = b"".join(json.dumps(row).encode() + b"\n" for row in rows)
    return asyncio.run(take_reviews(io.BytesIO(lines), "reviews.jsonl", ledger))


def file_of(ledger: Ledger) -> bytes:
    out = io.BytesIO()
    write_reviews(ledger.reviews(), out)
    return out.getvalue()


def test_what_went_out_comes_in_again_whole(ledger: Ledger, tmp_path: Path) -> None:
    asyncio.run(ledger.review(OPINIONS))
    before, written = ledger.reviews(), file_of(ledger)
    for review in before:
        asyncio.run(ledger.withdraw(review.number, review.reviewer))
    assert ledger.reviews() == []

    imported = asyncio.run(take_reviews(io.BytesIO(written), "reviews.jsonl", ledger))

    assert imported == Imported(4, {})
    assert file_of(ledger) == written
    assert [one.at for one in ledger.reviews()] == [5.5, 6.0, 6.5, 7.0]


def test_a_file_that_is_read_twice_adds_nothing(ledger: Ledger) -> None:
    asyncio.run(ledger.review(OPINIONS))

    imported = asyncio.run(take_reviews(io.BytesIO(file_of(ledger) * 2), "reviews.jsonl", ledger))

    assert imported == Imported(0, {"known already": 8})


def test_verdicts_on_what_the_run_does_not_have_are_left_out_and_counted(ledger: Ledger) -> None:
    strange = {**ROW, "prompt_id": "0" * 32}
    gone = {**ROW, "second": "1" * 32}

    assert take(ledger, ROW, strange, gone) == Imported(
        1, {"prompts that this run does not have": 1, "completions that this run does not have": 1}
    )


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"said": "liked"}, "said: input should be"),
        ({"preferred": None}, "do not go together"),
        ({"preferred": "2" * 32}, "do not go together"),
        ({"second": NO}, "about two completions"),
        ({"said": "edit"}, "has the mended text"),
        ({"reviewer": None}, "reviewer: input should be a valid string"),
        ({"reviewer": " "}, "a reviewer needs a name"),
        ({"reviewer": "ann\x1b[2J"}, "all of them visible"),
        ({"reviewer": "ann\u202e"}, "all of them visible"),
        ({"preferred": "\x1b[2J"}, r"'\x1b[2J' as the better one"),
        ({"at": True}, "at: input should be a valid number"),
        ({"at": -1}, "at: input should be greater"),
        ({"at": "soon"}, "at: input should be a valid number"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_taken(ledger: Ledger, change: dict[str, Any], found: str) -> None:
    with pytest.raises(InputError, match=r"reviews\.jsonl, line 2: ") as refused:
        take(ledger, ROW, {**ROW, **change})

    assert found in str(refused.value)
    assert ledger.reviews() == []


def test_a_reviewer_is_the_same_person_however_the_name_is_spelled(ledger: Ledger) -> None:
    take(ledger, {**ROW, "reviewer": "Jose\u0301  Luis"}, {**ROW, "reviewer": "José Luis", "at": 2})

    assert {one.reviewer for one in ledger.reviews()} == {"José Luis"}


def test_lines_may_begin_and_end_as_windows_writes_them_and_keep_no_empty_edit(ledger: Ledger) -> None:
    line = json.dumps({**ROW, "edited": ""}).encode()

    imported = asyncio.run(take_reviews(io.BytesIO(b"\xef\xbb\xbf\r\n" + line + b"\r\n"), "reviews.jsonl", ledger))

    assert imported == Imported(1, {})
    assert [one.edited for one in ledger.reviews()] == [None]


@pytest.mark.parametrize("line", [b"{", b"[1]", b'{"said": "tie"}', b"\xff"])
def test_what_is_no_such_line_is_refused_in_one_sentence(ledger: Ledger, line: bytes) -> None:
    with pytest.raises(InputError, match="line 1"):
        asyncio.run(take_reviews(io.BytesIO(line), "reviews.jsonl", ledger))


def test_a_verdict_that_was_taken_back_does_not_go_out(ledger: Ledger) -> None:
    first, _ = asyncio.run(ledger.review(OPINIONS[:2]))
    asyncio.run(ledger.withdraw(first, "ann"))

    assert [json.loads(line)["reviewer"] for line in file_of(ledger).splitlines()] == ["bob"]
    assert [one.reviewer for one in ledger.reviews(through=2)] == ["ann", "bob"]


def test_a_completion_of_another_prompt_is_left_out(ledger: Ledger) -> None:
    other = Prompt(prompt_id((*MESSAGES, *MESSAGES), (), None, None), (*MESSAGES, *MESSAGES))

    async def replied() -> None:
        await ledger.add_prompts([other], lambda one, _: one)
        await ledger._writer.put(
            ("INSERT INTO replies (request, prompt, raw, latency_s) VALUES (?,?,?,?)", ("r" * 32, other.id, b"{}", 0.0))
        )

    asyncio.run(replied())

    assert take(ledger, {**ROW, "second": CompletionId("r" * 32)}) == Imported(0, {"completions of another prompt": 1})


def test_an_older_verdict_from_a_file_does_not_overrule_what_its_reviewer_said_since(ledger: Ledger) -> None:
    asyncio.run(ledger.review([Opinion(IDENT, YES, NO, Said.PREFERRED, YES, "ann", at=9.0)]))
    older, newer = {**ROW, "at": 8.0}, {**ROW, "reviewer": "bob", "preferred": YES, "at": 8.5}

    imported = take(ledger, older, newer, {**ROW, "reviewer": "bob", "at": 7.0})

    assert imported == Imported(1, {"older than what their reviewers said since": 2})
    (said,) = heard(ledger.reviews())[IDENT]
    assert said.preferred == YES
