"""Which anchors judges are asked: ours, those of a file, or what people said in the reviews of a run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pairsmith.assets import asset
from pairsmith.cli.common import relative
from pairsmith.errors import InputError, LedgerError
from pairsmith.folder import RunFolder
from pairsmith.judge.anchors import ARM, NO_FAMILY, Anchor, anchors_id, read_anchors
from pairsmith.outcomes import family_in
from pairsmith.qualified import AnchorSet
from pairsmith.records import Completion, CompletionId, Prompt, RequestId
from pairsmith.reviewing import heard

if TYPE_CHECKING:
    from pairsmith.ledger import Ledger, Review


@dataclass(frozen=True, slots=True)
class Chosen:
    """The anchors, where they come from, and what was left out of them, by reason."""

    anchors: list[Anchor]
    about: AnchorSet
    left_out: Mapping[str, int] = field(default_factory=dict)


def shipped() -> Chosen:
    """The anchors that were written for this project."""
    anchors = [anchor for path in sorted(asset("data", "anchors").glob("*.jsonl")) for anchor in _read(path)]
    return Chosen(anchors, AnchorSet("shipped", "data/anchors", anchors_id(anchors), len(anchors)))


def from_file(path: Path) -> Chosen:
    """The user's own.

    Raises:
        InputError: the file cannot be read, or a row of it is not as it must be.
    """
    anchors = _read(path)
    return Chosen(anchors, AnchorSet("file", str(path), anchors_id(anchors), len(anchors)))


def _read(path: Path) -> list[Anchor]:
    try:
        with path.open("rb") as stream:
            return read_anchors(stream, relative(path))
    except OSError as exc:
        raise InputError(f"{path} cannot be read ({exc.strerror}): name a JSONL file with prompt, good, bad") from None


# --- from reviews -----------------------------------------------------------------------------------


def from_reviews(run_dir: Path) -> Chosen:
    """One anchor for each pair that people have a clear opinion of: good is what they prefer.

    Ties are left out, and pairs that were reviewed more than once with different results.

    Raises:
        InputError: the folder holds no review that can be used.
    """
    from pairsmith.ledger import open_ledger

    ledger = open_ledger(RunFolder(run_dir).ledger, time.time, create=False)
    left_out: Counter[str] = Counter()
    try:
        spans = _spans(ledger)
        anchors = [
            anchor
            for number, review in enumerate(_clear(ledger.reviews(), left_out), start=1)
            if (anchor := _anchor(f"review-{number}", review, spans, ledger, left_out))
        ]
    finally:
        ledger.close_now()
    if not anchors:
        told = ", ".join(f"{n:,} left out: {reason}" for reason, n in (+left_out).items())
        why = told or "nobody reviewed a pair of it"
        raise InputError(f"{run_dir} holds no review that could be an anchor ({why}): name another run folder")
    return Chosen(anchors, AnchorSet("reviews", str(run_dir), anchors_id(anchors), len(anchors)), dict(+left_out))


def _clear(reviews: list[Review], left_out: Counter[str]) -> list[Review]:
    """One review of each pair, in the order in which the pairs were first reviewed."""
    clear: list[Review] = []
    for together in (one for couples in heard(reviews).values() for one in couples):
        said = together.reviews
        left_out["ties"] += sum(review.said == "tie" for review in said)
        left_out["bad prompts"] += sum(review.said == "bad_prompt" for review in said)
        decided = [review for review in said if review.preferred is not None]
        contradicted = len({review.preferred for review in decided}) > 1 or bool(decided and not together.preferred)
        left_out["contradicting reviews"] += contradicted
        clear += [] if contradicted else decided[:1]
    return clear


def _anchor(
    ident: str, review: Review, spans: Mapping[str, list[int]], ledger: Ledger, left_out: Counter[str]
) -> Anchor | None:
    """A review as an anchor; None, and counted, when the ledger has lost a text of it."""
    assert review.preferred is not None
    other = review.second if review.preferred == review.first else review.first
    try:
        good, bad = (_completion(review.prompt, side, spans, ledger) for side in (review.preferred, other))
    except LedgerError:
        left_out["text not stored"] += 1
        return None
    settled = ledger.outcome(review.prompt.id, ledger.fact("digest") or "")
    family = family_in(review.prompt, settled.body if settled else {}).family or NO_FAMILY
    return Anchor(ident, review.prompt, good, bad, family=family, why=f"preferred by {review.reviewer}")


def _completion(prompt: Prompt, ident: CompletionId, spans: Mapping[str, list[int]], ledger: Ledger) -> Completion:
    from pairsmith.dataset import text_of
    from pairsmith.outcomes import StoredSide
    from pairsmith.sample.reasoning import answer_start

    side = StoredSide(completion=ident, arm=ARM, model=None, span=spans.get(ident), simulated=False)
    text = text_of(prompt, side, ledger)
    if ident not in spans and ledger.stored_reply(RequestId(ident)):  # of no stored pair: where its answer begins
        text = text[answer_start(text) :]
    return Completion(ident, prompt.id, text, ARM)


def _spans(ledger: Ledger) -> dict[str, list[int]]:
    """What is left of each reply where reasoning was stripped, as the stored pairs say it."""
    spans: dict[str, list[int]] = {}
    for _, settled in ledger.outcomes(ledger.fact("digest") or ""):
        pair: Any = settled.body.get("pair")
        for side in (pair["chosen"], pair["rejected"]) if pair else ():
            if side["span"]:
                spans[side["completion"]] = side["span"]
    return spans
