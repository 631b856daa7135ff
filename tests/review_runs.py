"""A small run to be reviewed: given answers, couples made of them, and the page served in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, TypeVar

from pairsmith.folder import RunFolder
from pairsmith.ledger import Ledger, Review, open_ledger
from pairsmith.outcomes import StoredSide
from pairsmith.records import Candidate, Message, Prompt, candidate_id, content_id, prompt_id
from pairsmith.show.queue import Gates, Item
from pairsmith.show.review.server import ReviewServer
from pairsmith.show.review.session import Session

TOKEN = "a-token-of-the-tests"
GATES = Gates(min_gap=3.0, verify_gap=1.0, prompts=10, usual=True)
ARM, MODEL, JUDGE = "arm-of-the-better", "model-of-the-better", "judge-who-said-so"

T = TypeVar("T")


def asked(question: str, better: str, worse: str, **more: Any) -> Prompt:
    """A prompt with two given answers."""
    messages: tuple[Message, ...] = ({"role": "user", "content": question},)
    ident = prompt_id(messages, (), more.get("reference"), more.get("system"))
    return Prompt(ident, messages, candidates=(Candidate(better), Candidate(worse)), **more)


def everyday_prompts(count: int) -> list[Prompt]:
    return [asked(f"Question {n}?", f"The better answer {n}.", f"The worse answer {n}.") for n in range(count)]


def couple(prompt: Prompt, gap: float = 4.25) -> Item:
    """Of its two answers; the judges prefer the first."""
    better, worse = (candidate_id(prompt.id, one.content) for one in prompt.candidates)

    def side(ident: str, arm: str, model: str) -> StoredSide:
        return {"completion": ident, "arm": arm, "model": model, "span": None, "simulated": False}  # type: ignore[typeddict-item]

    return Item(
        key=content_id("couple", prompt.id, *sorted((better, worse))),
        prompt=prompt.id,
        chosen=side(better, ARM, MODEL),
        rejected=side(worse, "arm-of-the-worse", "model-of-the-worse"),
        gap=gap,
        family="advice",
        exported=True,
        disagree=False,
        band=GATES.band(gap),
        draw=0,
        orders=((JUDGE, 1),),  # type: ignore[arg-type]
    )


async def ledger_with(prompts: Sequence[Prompt], folder: Path) -> Ledger:
    ledger = open_ledger(RunFolder(folder).ledger, lambda: 7.0, create=True)
    await ledger.new_generation()
    await ledger.add_prompts(prompts, lambda one, _: one)
    await ledger.input_complete(0, 0)
    return ledger


class Read(HTMLParser):
    """The tags of some HTML with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@dataclass
class Served:
    """A page that is being served."""

    ledger: Ledger
    session: Session
    server: ReviewServer
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def reviews(self) -> list[Review]:
        """What stands, read where it is written."""

        async def read() -> list[Review]:
            return self.ledger.reviews()

        return self.wait(read())

    @property
    def said(self) -> list[tuple[str, str, str]]:
        """Who, what, and the text of the better one."""
        return [(one.reviewer, one.said.value, text_of(one)) for one in self.reviews]

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)


def text_of(review: Review) -> str:
    """Of what the review prefers."""
    texts = {candidate_id(review.prompt.id, one.content): one.content for one in review.prompt.candidates}
    return review.edited or ("" if review.preferred is None else texts[review.preferred])


@contextmanager
def reviewing(folder: Path, prompts: Sequence[Prompt]) -> Iterator[Served]:
    """The page of a run with these prompts, in whose order their couples are shown."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="review", daemon=True)
    thread.start()

    async def start() -> Served:
        ledger, items = await ledger_with(prompts, folder), [couple(one) for one in prompts]
        session = Session(ledger, items, items, GATES)
        server = ReviewServer(session, TOKEN, "runs/tests", "ann")
        await server.start(0)
        return Served(ledger, session, server, loop)

    async def stop() -> None:
        await served.server.stop()
        await served.ledger.close()

    served = asyncio.run_coroutine_threadsafe(start(), loop).result(30)
    try:
        yield served
    finally:
        served.wait(stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
