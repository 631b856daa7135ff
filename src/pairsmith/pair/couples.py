"""What two texts have to be so that they may be a pair, whatever their points: each gate with its reason.

Pure: how tokens are counted and languages are told comes in as functions (wordings.py). Called by gates.py, orders.py
and preferred.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from pairsmith.pair.select import folded
from pairsmith.pair.settings import ANY_LANGUAGE, AS_PROMPTED, PairSettings
from pairsmith.pair.sides import Sides
from pairsmith.records import Completion, Flag

CHARS_A_TOKEN = 4  # of English; what is estimated where no tokenizer is named
_WORD = re.compile(r"[^\W\u3040-\u30ff\u3400-\u9fff]+|[\u3040-\u30ff\u3400-\u9fff]+")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]{2,}")  # Chinese and Japanese put no space between words
_SIDE_REASONS = {
    Flag.REFUSAL: "refusal_side",
    Flag.CUT_OFF: "cut_off_side",
    Flag.UNFINISHED: "unfinished_side",
}


@dataclass(frozen=True, slots=True)
class Wording:
    """What gates ask about a text.

    tokens: how many it has. cut: its first n tokens. language: its ISO 639-1 code; None: it cannot be told.
    """

    tokens: Callable[[str], int]
    cut: Callable[[str, int], str]
    language: Callable[[str], str | None]


ESTIMATED = Wording(
    tokens=lambda text: -(-len(text) // CHARS_A_TOKEN),
    cut=lambda text, tokens: text[: tokens * CHARS_A_TOKEN],
    language=lambda text: None,
)


def obstacle(
    chosen: Completion,
    rejected: Completion,
    settings: PairSettings,
    sides: Sides,
    wording: Wording = ESTIMATED,
    wanted: str | None = None,
) -> tuple[str, str] | None:
    """Reason and detail of the first gate that these two do not pass; None: they may be a pair.

    The gates, what costs least first, and their reasons: a mark that may not stand on its side, of a refusal
    (refusal_side), of an answer that was cut off (cut_off_side) or looks so (unfinished_side); a couple that `sides`
    do not allow (sides_missing); the same text (equal_sides); one many times longer, in characters (length_ratio) or
    in tokens (token_ratio); nearly the same words (near_duplicates); the same text to a trainer that cuts it
    (equal_after_cut); a side in another language than is asked for (other_language).

    Args:
        chosen: the preferred one.
        rejected: the other.
        settings: the [pair] table.
        sides: which couples are allowed.
        wording: how texts are measured.
        wanted: the language that the prompt asks for, where settings.language is "prompt"; None: not known.
    """
    if not sides.allow(chosen, rejected):
        return _forbidden(chosen, rejected, settings, sides)
    one, other = chosen.text, rejected.text
    if _folded_alike(one, other):
        return "equal_sides", "both sides are the same text"
    return next(_of_texts(one, other, settings, wording, wanted), None)


def _folded_alike(one: str, other: str) -> bool:
    """Whether both say the same, up to Unicode normalisation and white space; mostly the first word tells."""
    first, second = one.split(None, 1)[:1], other.split(None, 1)[:1]
    if first != second and "".join(first + second).isascii():
        return False
    return folded(one) == folded(other)


def _forbidden(chosen: Completion, rejected: Completion, settings: PairSettings, sides: Sides) -> tuple[str, str]:
    """Which rule about sides forbids these two."""
    for one, forbidden, side in ((chosen, sides.never_chosen, "chosen"), (rejected, sides.never_rejected, "rejected")):
        for mark in one.marks:
            if mark in forbidden:
                return _SIDE_REASONS[mark], f"a completion that is {mark.value} may not be {side}"
    return "sides_missing", f"{settings.sides}: no couple that is allowed passes the gates"


def _of_texts(
    one: str, other: str, settings: PairSettings, wording: Wording, wanted: str | None
) -> Iterator[tuple[str, str]]:
    if settings.max_length_ratio is not None:
        yield from _ratio("length_ratio", "characters", len(one), len(other), settings.max_length_ratio)
    if settings.max_token_ratio is not None:
        counts = wording.tokens(one), wording.tokens(other)
        yield from _ratio("token_ratio", "tokens", *counts, settings.max_token_ratio)
    if settings.max_similarity is not None and (alike := similarity(one, other)) >= settings.max_similarity:
        yield "near_duplicates", f"{alike:.2f} of their words are the same"
    if (most := settings.trainer_max_tokens) is not None and folded(wording.cut(one, most)) == folded(
        wording.cut(other, most)
    ):
        yield "equal_after_cut", f"the first {most:,} tokens are the same"
    expected = wanted if settings.language == AS_PROMPTED else settings.language
    if settings.language != ANY_LANGUAGE and expected is not None:
        for side, text in (("chosen", one), ("rejected", other)):
            if (found := wording.language(text)) not in (None, expected):
                yield "other_language", f"the {side} one is in {found}, and {expected} is asked for"


def _ratio(reason: str, unit: str, one: int, other: int, most: float) -> Iterator[tuple[str, str]]:
    longer, shorter = max(one, other), max(1, min(one, other))
    if longer > most * shorter:
        yield reason, f"{longer:,} {unit} against {shorter:,}: more than {most:g} ×"


def similarity(one: str, other: str) -> float:
    """The words that both texts use, of all that either uses (Jaccard 1901), case apart; from 0 to 1."""
    words, others = _words(one), _words(other)
    return len(words & others) / len(words | others) if words or others else 1.0


@lru_cache(maxsize=256)
def _words(text: str) -> frozenset[str]:
    """Its words; where no space parts them, each two neighbouring characters."""
    found = set[str]()
    for word in _WORD.findall(unicodedata.normalize("NFC", text).casefold()):
        parted = _UNSPACED.fullmatch(word)
        found.update([word[at : at + 2] for at in range(len(word) - 1)] if parted else [word])
    return frozenset(found)
