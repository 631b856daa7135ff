"""The input of a run: who is handed out, and when."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

from pairsmith import intake as module
from pairsmith.collect import BadRow, Row, read_row
from pairsmith.collect.rows import Place
from pairsmith.collect.settings import PromptSettings
from pairsmith.intake import Intake
from pairsmith.ledger import open_ledger
from pairsmith.records import Prompt

TEXT = "My flight was cancelled last night and the airline only offered a voucher. Which rules apply to me now?"


class Slow:
    """Rows of which the last ones wait until they are let go."""

    name = "slow"

    def __init__(self, texts: list[str], ready: int) -> None:
        self.gone_on = threading.Event()
        self._texts, self._ready = texts, ready

    def rows(self) -> Iterator[Row | BadRow]:
        for place, text in enumerate(self._texts):
            if place == self._ready:
                assert self.gone_on.wait(60)
            yield read_row({"prompt": text}, Place("p", place + 1))


def test_nobody_is_handed_out_before_all_near_duplicates_are_known(tmp_path: Path) -> None:
    rows = Slow([TEXT, f"Hello! {TEXT}", *(f"Name river {number}" for number in range(module.CHUNK))], module.CHUNK)

    async def story() -> tuple[bool, list[Prompt | None]]:
        ledger = open_ledger(tmp_path / "ledger.sqlite3", lambda: 1.0, create=True)
        begun = asyncio.Event()
        intake = Intake(ledger, "work", lambda prompts: begun.set())
        reading = asyncio.create_task(intake.take_in([rows], PromptSettings(path="p", dedupe="near")))
        await begun.wait()
        first = asyncio.create_task(intake.next_prompt())
        early = bool((await asyncio.wait([first], timeout=0.02))[0])
        rows.gone_on.set()
        await reading
        handed = [await first, await intake.next_prompt()]
        await ledger.close()
        return early, handed

    early, handed = asyncio.run(story())

    assert not early
    assert [one.messages[0]["content"] for one in handed if one] == [TEXT, "Name river 0"]
