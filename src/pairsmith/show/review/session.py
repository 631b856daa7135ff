"""Who is shown which couple, in which order of the two, and what they say of it: into the ledger at once.

A couple is given to one tab of a reviewer at a time where there are enough; what was judged meanwhile is not judged
again. Called by server.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from pairsmith.dataset import Texts
from pairsmith.errors import LedgerError, PairsmithError
from pairsmith.ledger import Ledger, Opinion, Review, Said
from pairsmith.outcomes import StoredSide
from pairsmith.records import CompletionId, Prompt, content_id
from pairsmith.reviewing import name_of
from pairsmith.show.agreement import LEAST
from pairsmith.show.queue import Gates, Item

TOLD_AT_ONCE = 10  # verdicts more before agreement is told anew
MOST_TABS = 200  # of which it is known what they show

Place: TypeAlias = Literal[0, 1, 2]  # which of the two as they are shown; 0: neither


class Refusal(PairsmithError):  # noqa: N818 — what a page is told
    """What a page asks for that cannot be done, in a sentence for the reviewer.

    `judged`: another tab, or a second press, was quicker; the next couple can be shown.
    """

    def __init__(self, sentence: str, judged: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.judged = judged


@dataclass(frozen=True, slots=True)
class Tab:
    """Who asks, and from which tab of a browser."""

    reviewer: str
    ident: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a page says of a couple. `known`: the number of the verdict that it knew of, 0 for none."""

    key: str
    said: Said
    better: Place = 0
    known: int = 0
    note: str = ""
    edited: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What a reviewer had said and took back: it can be said again."""

    note: str = ""
    better: Place = 0
    edited: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A couple as one reviewer sees it. `known`: the number of this one's verdict on it, 0 for none."""

    key: str
    prompt: Prompt
    sides: tuple[CompletionId, CompletionId]
    texts: tuple[str, str]
    known: int = 0
    draft: Draft = field(default_factory=Draft)


@dataclass(frozen=True, slots=True)
class Progress:
    """How many of the couples this reviewer has judged, and how many verdicts of all stand."""

    done: int
    total: int
    verdicts: int


class Session:
    """The couples of a run while people review them.

    Args:
        ledger: the run folder's; others may write into it meanwhile.
        items: what people are shown, the first one first.
        queue: all that could be shown: agreement is told of these.
        gates: that made them so.
    """

    def __init__(self, ledger: Ledger, items: Sequence[Item], queue: Sequence[Item], gates: Gates) -> None:
        self.queue, self.gates = queue, gates
        self.given: dict[str, int] = {}  # verdicts since the beginning, less those taken back, by reviewer
        self._ledger = ledger
        self._texts = Texts(ledger)
        self._items = {item.key: item for item in items}
        self._keys = {(item.prompt, item.couple): item.key for item in items}
        self._held: dict[Tab, str] = {}
        self._skipped: dict[str, dict[str, None]] = {}
        self._standing: tuple[int, list[Review]] = (-1, [])
        self._one_at_a_time = asyncio.Lock()

    # --- what is shown -----------------------------------------------------------------------------

    def show(self, tab: Tab, wanted: str = "") -> Shown | None:
        """What is next for this tab; None: this reviewer has judged everything.

        Args:
            tab: it.
            wanted: what it showed before it was loaded again.
        """
        while (key := self._next(tab, wanted)) is not None:
            try:
                shown = self._shown(self._items[key], tab.reviewer)
            except LedgerError:  # a text that is not there cannot be judged
                del self._items[key]
                continue
            self._hold(tab, key)
            return shown
        self._held.pop(tab, None)
        return None

    def skip(self, tab: Tab, key: str) -> Shown | None:
        """The one after this; it comes again at the end."""
        if key in self._items:
            skipped = self._skipped.setdefault(tab.reviewer, {})
            skipped.pop(key, None)
            skipped[key] = None
        return self.show(tab)

    def _next(self, tab: Tab, wanted: str) -> str | None:
        """First what nobody has before them, then what was skipped, then what another tab shows."""
        judged, skipped = self._judged(tab.reviewer), self._skipped.get(tab.reviewer, {})
        if wanted in self._items and wanted not in judged:
            return wanted
        held = {key for other, key in self._held.items() if other.reviewer == tab.reviewer and other != tab}
        left = [key for key in self._items if key not in judged]
        fresh = (key for key in left if key not in skipped and key not in held)
        again = (key for key in skipped if key in self._items and key not in judged and key not in held)
        return next((key for part in (fresh, again, left) for key in part), None)

    def _hold(self, tab: Tab, key: str) -> None:
        self._held.pop(tab, None)
        self._held[tab] = key
        while len(self._held) > MOST_TABS:
            del self._held[next(iter(self._held))]

    def _shown(self, item: Item, reviewer: str) -> Shown:
        prompt = self._ledger.listed(item.prompt)
        if prompt is None:
            raise LedgerError(f"prompt {item.prompt} has left the input")
        one, other = in_order(item, reviewer)
        texts = self._texts.of_sides(prompt, one, other)
        known = self._judged(reviewer).get(item.key)
        return Shown(
            key=item.key,
            prompt=prompt,
            sides=(one["completion"], other["completion"]),
            texts=(texts[0], texts[1]),
            known=known.number if known else 0,
        )

    # --- what was said -----------------------------------------------------------------------------

    def progress(self, reviewer: str) -> Progress:
        """How far this reviewer is."""
        return Progress(len(self._judged(reviewer)), len(self._items), len(self.reviews()))

    def reviews(self) -> list[Review]:
        """The verdicts that stand, the oldest first; read again when there is something new."""
        length = self._ledger.last_review()
        if length != self._standing[0]:
            self._standing = (length, self._ledger.reviews(length))
        return self._standing[1]

    def told(self, reviewer: str) -> list[Review]:
        """Those that agreement is told of to somebody who has pairs before them: some tens, the oldest.

        Were it told anew after each, the change would say whether the judges agree, and `u` is at hand.
        """
        reviews = self.reviews()
        if len(reviews) < LEAST or len(self._judged(reviewer)) >= len(self._items):
            return list(reviews)
        return reviews[: len(reviews) - len(reviews) % TOLD_AT_ONCE]

    def _judged(self, reviewer: str) -> Mapping[str, Review]:
        """The last verdict of this reviewer on each couple, by its key."""
        keyed = ((self._keys.get((one.prompt.id, one.couple)), one) for one in self.reviews())
        return {key: one for key, one in keyed if key in self._items and one.reviewer == reviewer}

    async def judge(self, tab: Tab, verdict: Verdict) -> None:
        """Store a verdict; it is durable when this returns. The same once more is stored once.

        Raises:
            Refusal: it cannot be stored as it is, or the couple was judged meanwhile.
            Stopped: the ledger cannot be written.
        """
        async with self._one_at_a_time:
            shown = self._judgeable(verdict.key, tab.reviewer)
            opinion = _opinion(shown, verdict, tab.reviewer)
            if (before := self._judged(tab.reviewer).get(verdict.key)) and before.number != verdict.known:
                if _says(before, opinion):
                    return
                raise Refusal("this pair was judged meanwhile, in another tab or by a second press", judged=True)
            await self._ledger.review([opinion])
            self.given[tab.reviewer] = self.given.get(tab.reviewer, 0) + 1
            self._skipped.get(tab.reviewer, {}).pop(verdict.key, None)

    async def undo(self, tab: Tab) -> Shown:
        """Take back this reviewer's last verdict, from whatever tab it came, and show its couple again.

        Raises:
            Refusal: there is none.
            Stopped: the ledger cannot be written.
        """
        async with self._one_at_a_time:
            standing = self._judged(tab.reviewer).values()
            last = max(standing, key=lambda one: one.number, default=None)
            if last is None:
                raise Refusal("there is nothing to undo: no verdict of yours stands")
            await self._ledger.withdraw(last.number, tab.reviewer)
            self.given[tab.reviewer] = max(0, self.given.get(tab.reviewer, 0) - 1)  # it may be of an earlier session
            shown = self._judgeable(self._keys[last.prompt.id, last.couple], tab.reviewer)
            self._hold(tab, shown.key)
            better: Place = 0 if last.preferred is None else 1 if last.preferred == shown.sides[0] else 2
            return replace(shown, draft=Draft(last.note, better, last.edited))

    def _judgeable(self, key: str, reviewer: str) -> Shown:
        if key not in self._items:
            raise Refusal("this pair is not part of the review any more: load the page again")
        try:
            return self._shown(self._items[key], reviewer)
        except LedgerError as exc:
            raise Refusal("this pair's texts are not in the ledger any more: load the page again") from exc


def in_order(item: Item, reviewer: str) -> tuple[StoredSide, StoredSide]:
    """The two in an order that tells nothing, and stays the same for one reviewer."""
    one, other = sorted((item.chosen, item.rejected), key=lambda side: side["completion"])
    turned = int(content_id("shown", reviewer, item.key), 16) % 2
    return (other, one) if turned else (one, other)


def reviewer_named(word: str) -> str:
    """A reviewer's name, tidied.

    Raises:
        Refusal: it is empty, too long, or holds what cannot be seen.
    """
    try:
        return name_of(word)
    except ValueError as exc:
        raise Refusal(str(exc)) from exc


def _opinion(shown: Shown, verdict: Verdict, reviewer: str) -> Opinion:
    """The verdict as the ledger takes it."""
    edited = verdict.edited
    if verdict.said is Said.EDIT and edited is not None and verdict.better:
        edited = _with_its_line_ends(edited, shown.texts[verdict.better - 1])
        if not edited.strip():
            raise Refusal("an answer that is mended into nothing is no answer")
        if edited == shown.texts[verdict.better - 1]:
            raise Refusal("nothing was changed in it: prefer it as it is, or change it")
    try:
        return Opinion(
            prompt=shown.prompt.id,
            first=shown.sides[0],
            second=shown.sides[1],
            said=verdict.said,
            preferred=shown.sides[verdict.better - 1] if verdict.better else None,
            reviewer=reviewer,
            note=verdict.note.strip(),
            edited=edited,
        )
    except ValueError as exc:
        raise Refusal(f"this is no verdict: {exc}") from exc


def _with_its_line_ends(edited: str, original: str) -> str:
    """A browser's text field turns every line end into a line feed: put back what the text had, where it was one."""
    if "\r" in original and "\n" not in original.replace("\r\n", ""):
        return edited.replace("\r\n", "\n").replace("\n", "\r\n")
    return edited


def _says(review: Review, opinion: Opinion) -> bool:
    """Whether a stored verdict is this one."""
    return (review.said, review.preferred, review.edited) == (opinion.said, opinion.preferred, opinion.edited)
