"""The review page's server: who is let in, what it tells, who is shown what, and what of it reaches the ledger."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import socket
import urllib.request
import webbrowser
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from cli_runs import Project, pairsmith
from pairsmith.ledger import Said
from pairsmith.records import CompletionId, Message, Prompt, candidate_id, prompt_id
from pairsmith.show.queue import Item
from pairsmith.show.review.guarding import MOST_BYTES
from pairsmith.show.review.pages import pair_part
from pairsmith.show.review.session import Refusal, Session, Shown, Tab, Verdict, in_order, reviewer_named
from review_runs import (
    ARM,
    GATES,
    JUDGE,
    MODEL,
    TOKEN,
    Read,
    Served,
    asked,
    couple,
    everyday_prompts,
    ledger_with,
    reviewing,
)

ANN, BOB = Tab("ann", "one"), Tab("bob", "one")
OTHER_TAB = Tab("ann", "other")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    prompts = [asked("Question?", "<script>better</script>", "worse", reference="It is so."), *everyday_prompts(3)]
    with reviewing(tmp_path_factory.mktemp("served"), prompts) as running:
        yield running


class Answer:
    """What came back."""

    def __init__(self, status: int, headers: Mapping[str, str], text: str) -> None:
        self.status, self.headers, self.text = status, headers, text

    @property
    def json(self) -> Any:
        return json.loads(self.text)


def send(served: Served, method: str, path: str, body: object = None, **headers: str) -> Answer:
    """As another program would; what is not said is as the page itself says it."""
    here = served.url.rstrip("/").removesuffix(f"/{TOKEN}")
    usual = {"Origin": here, "Content-Type": "application/json"} if method == "POST" else {}
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    data = io.BytesIO(body if isinstance(body, bytes) else json.dumps(body).encode()) if method == "POST" else None

    async def ask() -> Answer:
        merged = {name: value for name, value in {**usual, **said}.items() if value}
        async with (
            aiohttp.ClientSession(skip_auto_headers=("Content-Type",)) as client,
            client.request(method, here + path, data=data, headers=merged, allow_redirects=False) as answer,
        ):
            return Answer(answer.status, dict(answer.headers), (await answer.read()).decode())

    return asyncio.run(ask())


def post(served: Served, path: str, tab: str = "one", reviewer: str = "ann", **more: object) -> Answer:
    return send(served, "POST", f"/{TOKEN}/{path}", {"reviewer": reviewer, "tab": tab, **more})


# --- who is let in ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/review.js", "/wrong/", f"/{TOKEN[:-1]}/", f"/{TOKEN}x/", "/%ff/", "/é/"])
def test_without_the_token_nothing_is_told(served: Served, path: str) -> None:
    answer = send(served, "GET", path)

    assert answer.status == 403
    assert "Question" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": ""},
        {"Origin": "", "Sec_Fetch_Site": "cross-site"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1:1"},
        {"Host": "127.0.0.1"},
    ],
)
def test_what_does_not_come_from_the_page_itself_is_refused(served: Served, headers: dict[str, str]) -> None:
    answer = send(served, "POST", f"/{TOKEN}/next", {"reviewer": "ann", "tab": "one"}, **headers)

    assert answer.status == 403
    assert "Content-Security-Policy" in answer.headers


def test_a_foreign_page_cannot_read_either(served: Served) -> None:
    assert send(served, "GET", f"/{TOKEN}/", Origin="https://evil.example").status == 403
    assert send(served, "GET", f"/{TOKEN}/", Host="evil.example").status == 403


def test_what_a_browser_says_of_its_own_page_is_enough(served: Served) -> None:
    told = {"Origin": "", "Sec_Fetch_Site": "same-origin"}

    assert send(served, "POST", f"/{TOKEN}/next", {"reviewer": "ann", "tab": "one"}, **told).status == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_only_json_is_read(served: Served, kind: str) -> None:
    assert send(served, "POST", f"/{TOKEN}/next", b"{}", Content_Type=kind).status == 415


def test_more_than_an_edit_can_be_is_not_read(served: Served) -> None:
    assert send(served, "POST", f"/{TOKEN}/verdict", b" " * (MOST_BYTES + 1)).status == 413


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"\xff", b'{"reviewer": "ann"}', b'{"reviewer": 1, "tab": "one"}', b'{"reviewer": " ", "tab": "one"}'],
)
def test_what_is_no_request_is_refused_in_a_sentence(served: Served, body: bytes) -> None:
    answer = send(served, "POST", f"/{TOKEN}/next", body)

    assert answer.status == 400
    assert answer.json["error"]


def test_every_answer_tells_browsers_to_be_strict(served: Served) -> None:
    for path in (f"/{TOKEN}/", f"/{TOKEN}/review.js", f"/{TOKEN}/missing", "/"):
        headers = send(served, "GET", path).headers

        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
        assert headers["Referrer-Policy"] == "no-referrer"


def test_it_listens_on_the_loopback_alone(served: Served) -> None:
    assert served.url.startswith("http://127.0.0.1:")
    assert send(served, "GET", f"/{TOKEN}").headers["Location"] == f"/{TOKEN}/"
    assert send(served, "GET", f"/{TOKEN}?reviewer=bob").headers["Location"] == f"/{TOKEN}/?reviewer=bob"


# --- what it tells ---------------------------------------------------------------------------------


def test_nothing_tells_who_wrote_what_or_whom_the_judges_prefer(served: Served) -> None:
    told = [post(served, "next").text, *(send(served, "GET", f"/{TOKEN}/{path}").text for path in ("", "agreement"))]

    for secret in (ARM, MODEL, JUDGE, "-of-the-worse", "4.25", '"chosen"', '"why"'):
        assert not any(secret in text for text in told), secret
    assert {"key", "html", "texts", "known", "note", "edit", "reviewer", "done", "total", "verdicts"} == set(
        json.loads(told[0])
    )


def test_a_verdict_is_not_called_stored_when_the_ledger_was_taken_away(tmp_path: Path) -> None:
    with reviewing(tmp_path, everyday_prompts(2)) as served:
        key = post(served, "next").json["key"]
        for file in tmp_path.iterdir():
            file.unlink()
        answer = post(served, "verdict", key=key, said="tie")

    assert answer.status == 503
    assert "is not there any more" in answer.json["error"]


def test_the_agreement_tells_of_ten_verdicts_more_or_of_none_so_that_none_tells_of_the_last(tmp_path: Path) -> None:
    with reviewing(tmp_path, everyday_prompts(44)) as served:
        told = []
        for _ in range(43):
            key = post(served, "next").json["key"]
            post(served, "verdict", key=key, said="preferred", better=1)
            told.append(send(served, "GET", f"/{TOKEN}/agreement?reviewer=ann").text)

        assert told[29] != told[28]
        assert len(set(told[30:39])) == len(set(told[40:])) == 1
        assert told[39] != told[38]
        assert "told anew every 10 verdicts" in told[-1]

        post(served, "verdict", key=post(served, "next").json["key"], said="tie")

        assert "told anew" not in send(served, "GET", f"/{TOKEN}/agreement?reviewer=ann").text


def test_the_page_has_no_script_or_style_but_in_its_files(served: Served) -> None:
    page, part = send(served, "GET", f"/{TOKEN}/?reviewer=%3Cb%3E").text, post(served, "next").json["html"]

    assert 'value="&lt;b&gt;"' in page
    assert "<script>" not in page + part
    assert " style=" not in page + part
    assert page.count("<script") == 1


def test_turns_tools_and_what_is_called_are_all_shown() -> None:
    call: dict[str, Any] = {"type": "function", "function": {"name": "weather", "arguments": '{"in": "```Oslo"}'}}
    messages: tuple[Message, ...] = (
        {"role": "user", "content": [{"type": "text", "text": "Look <here>"}, {"type": "image_url", "image_url": "u"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "rain"},
    )
    tool: dict[str, Any] = {"type": "function", "function": {"name": "weather", "description": "<b>"}}
    prompt = Prompt(prompt_id(messages, [tool], None, None), messages, tools=(tool,))
    read = Read(pair_part(Shown("key", prompt, (CompletionId("a"), CompletionId("b")), ("It rains.", "Sun."))))

    for words in ("Look <here>", "image_url", "Calls a tool:", "```Oslo", "rain", '"description": "<b>"', "It rains."):
        assert words in read.text
    assert "b" not in {tag for tag, _ in read.tags}


def test_of_a_conversation_without_end_the_earliest_turns_are_left_as_they_were_written() -> None:
    turn: Message = {"role": "user", "content": "**word** " * 1000}
    prompt = Prompt(prompt_id([turn] * 12, [], None, None), (turn,) * 12)

    found = pair_part(Shown("key", prompt, (CompletionId("a"), CompletionId("b")), ("one", "two")))

    assert found.count("Shown as it was written") == 11 - 6


def test_what_is_no_request_is_refused_without_a_trace(served: Served, capfd: pytest.CaptureFixture[str]) -> None:
    port = int(served.url.split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as wire:
        wire.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
        answer = wire.recv(1000)

    assert answer.startswith(b"HTTP/1.1 400 ") or answer.startswith(b"HTTP/1.0 400 ")
    assert capfd.readouterr().err == ""


def test_a_verdict_that_is_none_is_refused(served: Served) -> None:
    key = post(served, "next", tab="refused").json["key"]

    for wrong in (
        {"said": "preferred"}, {"said": "preferred", "better": 3}, {"said": "tie", "better": 1}, {"said": "splendid"},
        {"said": "edit", "better": 1}, {"said": "edit", "better": 1, "edited": " \n"}, {"said": "tie", "edited": "x"},
        {"said": "tie", "note": "\ud800"}, {"said": "tie", "more": 1},
    ):  # fmt: skip
        assert post(served, "verdict", key=key, **wrong).status == 400, wrong
    assert post(served, "verdict", key="unknown", said="tie").status == 400
    assert served.reviews == []


# --- who is shown what -----------------------------------------------------------------------------


def story(folder: Path, tell: Callable[[Session, list[Item]], Awaitable[None]], count: int = 3) -> None:
    async def whole() -> None:
        prompts = everyday_prompts(count)
        ledger = await ledger_with(prompts, folder)
        items = [couple(one) for one in prompts]
        await tell(Session(ledger, items, items, GATES), items)
        await ledger.close()

    asyncio.run(whole())


def prefers(shown: Shown | None, better: Any = 1, **more: Any) -> Verdict:
    assert shown
    return Verdict(shown.key, Said.PREFERRED, better, shown.known, **more)


def test_the_order_of_the_two_is_that_of_the_reviewer_whatever_the_judges_say() -> None:
    items = [couple(one) for one in everyday_prompts(200)]
    turned = [Item(one.key, one.prompt, one.rejected, one.chosen, 1.0, "", True, False) for one in items]
    first = [in_order(one, "ann")[0] for one in items]

    assert first == [in_order(one, "ann")[0] for one in turned]
    assert 60 < sum(side == one.chosen for side, one in zip(first, items, strict=True)) < 140
    assert 60 < sum(side == in_order(one, "bob")[0] for side, one in zip(first, items, strict=True)) < 140


def test_two_tabs_of_one_reviewer_show_different_pairs_and_a_tab_loaded_again_the_same(tmp_path: Path) -> None:
    async def tell(session: Session, items: list[Item]) -> None:
        one, other, again = session.show(ANN), session.show(OTHER_TAB), session.show(ANN, items[0].key)
        bob = session.show(BOB)

        assert [shown and shown.key for shown in (one, other, again, bob)] == [
            items[place].key for place in (0, 1, 0, 0)
        ]

    story(tmp_path, tell)


def test_what_was_put_off_comes_again_when_nothing_else_is_left(tmp_path: Path) -> None:
    async def tell(session: Session, items: list[Item]) -> None:
        keys, shown = [], session.show(ANN)
        while shown and len(keys) < 5:
            keys.append(shown.key)
            shown = session.skip(ANN, shown.key)

        assert keys == [items[place].key for place in (0, 1, 2, 0, 1)]

    story(tmp_path, tell)


def test_a_pair_that_was_judged_in_another_tab_is_not_judged_twice(tmp_path: Path) -> None:
    async def tell(session: Session, items: list[Item]) -> None:
        stale = session.show(ANN)
        await session.judge(OTHER_TAB, prefers(session.show(OTHER_TAB, items[0].key)))
        await session.judge(ANN, prefers(stale))  # the same once more: a second press

        with pytest.raises(Refusal, match="meanwhile") as refused:
            await session.judge(ANN, prefers(stale, better=2))
        assert refused.value.judged
        assert [one.number for one in session.reviews()] == [1]
        await session.judge(BOB, prefers(session.show(BOB)))
        assert session.given == {"ann": 1, "bob": 1}

    story(tmp_path, tell)


def test_two_presses_at_once_store_one_verdict(tmp_path: Path) -> None:
    async def tell(session: Session, items: list[Item]) -> None:
        shown = session.show(ANN)
        await asyncio.gather(session.judge(ANN, prefers(shown)), session.judge(ANN, prefers(shown)))

        assert len(session.reviews()) == 1

    story(tmp_path, tell)


def test_undo_goes_back_verdict_by_verdict_with_what_was_written(tmp_path: Path) -> None:
    async def tell(session: Session, items: list[Item]) -> None:
        await session.judge(ANN, prefers(session.show(ANN), note="why"))
        mended = Verdict(items[1].key, Said.EDIT, 2, 0, "", "A better answer.")
        await session.judge(ANN, mended)
        last, first = await session.undo(OTHER_TAB), await session.undo(OTHER_TAB)

        assert (last.key, last.draft.better, last.draft.edited) == (items[1].key, 2, "A better answer.")
        assert (first.key, first.draft.note, first.known) == (items[0].key, "why", 0)
        assert session.reviews() == []
        with pytest.raises(Refusal, match="nothing to undo"):
            await session.undo(ANN)

    story(tmp_path, tell)


def test_an_edit_keeps_the_line_ends_of_the_text_it_mends(tmp_path: Path) -> None:
    async def whole() -> None:
        prompt = asked("Lines?", "one\r\ntwo\r\n", "three")
        ledger = await ledger_with([prompt], tmp_path)
        session = Session(ledger, [couple(prompt)], [], GATES)
        shown = session.show(ANN)
        assert shown
        place: Any = 1 + shown.texts.index("one\r\ntwo\r\n")
        with pytest.raises(Refusal, match="nothing was changed"):
            await session.judge(ANN, Verdict(shown.key, Said.EDIT, place, 0, "", "one\ntwo\n"))
        await session.judge(ANN, Verdict(shown.key, Said.EDIT, place, 0, "", "one\nand two\n"))
        (review,) = session.reviews()

        assert review.edited == "one\r\nand two\r\n"
        assert review.preferred == candidate_id(prompt.id, "one\r\ntwo\r\n")
        await ledger.close()

    asyncio.run(whole())


def test_a_pair_whose_texts_are_not_there_is_left_out(tmp_path: Path) -> None:
    async def whole() -> None:
        here, lost = everyday_prompts(2)
        ledger = await ledger_with([here], tmp_path)
        session = Session(ledger, [couple(lost), couple(here)], [], GATES)
        shown = session.show(ANN)

        assert shown
        assert shown.prompt.id == here.id
        assert session.progress("ann").total == 1
        await ledger.close()

    asyncio.run(whole())


@pytest.mark.parametrize("name", ["", " \n", "a\x1bb", "a\u202eb", "x" * 81])
def test_a_name_that_cannot_be_read_is_refused(name: str) -> None:
    with pytest.raises(Refusal):
        reviewer_named(name)


def test_names_that_look_the_same_are_the_same() -> None:
    assert reviewer_named("  José  Luis ") == reviewer_named("Jose\u0301 Luis") == "José Luis"


# --- the command -----------------------------------------------------------------------------------


def test_the_command_opens_the_page_serves_until_it_is_stopped_and_says_what_is_next(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_and_leave(url: str) -> bool:
        """As a browser with somebody in front of it, who judges one pair and then presses Ctrl-C in the terminal."""
        here, _, token = url.rstrip("/").rpartition("/")

        def ask(path: str, **body: object) -> Any:
            headers = {"Origin": here, "Content-Type": "application/json"}
            said = json.dumps({"reviewer": "ann", "tab": "one", **body}).encode()
            with urllib.request.urlopen(urllib.request.Request(f"{url}{path}", said, headers)) as answer:
                return json.loads(answer.read())

        assert len(token) >= 30
        assert ask("verdict", key=ask("next")["key"], said="preferred", better=1)["total"] == 2
        os.kill(os.getpid(), signal.SIGINT)
        return True

    project.run()
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", read_and_leave)
    ran = pairsmith("review", project.run_dir, "--limit", "2")

    assert (ran.code, ran.out.splitlines()[0].split("127")[0]) == (0, "reviewing on http://")
    assert "1 verdict was given (ann 1); 1 in the ledger." in ran.out
    assert pairsmith("status", project.run_dir, "--json").json["reviews"] == {"ann": 1}
    assert "1 verdict so far" in pairsmith("review", project.run_dir, "--agreement").out


def test_what_cannot_be_reviewed_is_said_in_a_sentence(project: Project) -> None:
    project.run()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        words = ["review", project.run_dir, "--no-open"]

        assert f"port {port} cannot be had (Address already in use)" in pairsmith(*words, "--port", port).err
    assert "no pair of family cooking: there are " in pairsmith(*words, "--family", "cooking").err
    assert "80 characters at most" in pairsmith(*words, "--reviewer", "x" * 99).err
    assert pairsmith("review", project.folder / "nothing").code == 2
