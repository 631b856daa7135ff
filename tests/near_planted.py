"""Near-duplicates planted among the bundled prompts, edited as real data is, and look-alikes that are others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from pairsmith.assets import asset

OBJECTS = [
    "river", "lamp", "bridge", "cactus", "violin", "glacier", "pension", "kettle", "orchard", "tram", "beehive",
]  # fmt: skip
MOULDS = [
    "Write a haiku about a {}.",
    "What should I know about a {} before I buy one?",
    "Explain in two sentences how a {} works.",
    "Translate to French: where is the {}?",
    "Give me three names for a shop that sells nothing but the {}.",
    "Say in one word, and give no reasons at all, whether what follows is alive, and if not, whether it was: a {}",
]


class Planted(NamedTuple):
    """A text, the place of the one that it repeats (its own: it repeats none), and how it was made."""

    text: str
    of: int
    kind: str


def planted(rng: Random) -> list[Planted]:
    """The bundled prompts, each followed later by one edited copy where it can be; look-alikes in between."""
    texts = [text for text in map(_text, _rows()) if text]
    made = [Planted(text, place, "original") for place, text in enumerate(texts)]
    words = sorted({word for text in texts for word in text.lower().split() if word.isalpha() and len(word) > 3})
    for place, text in enumerate(texts):
        copies = [(EDITS[kind](text, rng, words), kind) for kind in rng.sample(sorted(EDITS), 2)]
        made += [Planted(copy, place, kind) for copy, kind in copies if copy is not None]
        if len(text.split()) <= 40 and (other := re.sub(r"\d+", lambda found: str(int(found[0]) + 7), text)) != text:
            made.append(Planted(other, len(made), "number"))
    for mould in MOULDS:
        made += [Planted(mould.format(one), len(made) + more, "mould") for more, one in enumerate(OBJECTS)]
    return made


def _rows() -> Iterator[dict[str, str]]:
    for file in (asset("data", "prompts", "everyday.jsonl"), *sorted(asset("data", "seeds").glob("*.jsonl"))):
        yield from map(json.loads, file.read_text("utf-8").splitlines())


def _text(row: dict[str, str]) -> str:
    return f"{row['instruction']}\n\n{row.get('input', '')}".strip() if "instruction" in row else row.get("prompt", "")


def _case(text: str, rng: Random, _: list[str]) -> str | None:
    return rng.choice([str.lower, str.upper, str.title])(text).rstrip(".?! ")


def _courtesy(text: str, rng: Random, _: list[str]) -> str | None:
    before, after = rng.choice(
        [("Hi! ", ""), ("Please: ", ""), ("", " Thanks!"), ("Hello, could you please ", ""), ("", "\n\nThank you!")]
    )
    return f"{before}{text}{after}" if len(text.split()) > 3 else None


def _word(text: str, rng: Random, words: list[str]) -> str | None:
    """One word replaced: in a text of fifteen words and more, and no number."""
    said = text.split(" ")
    places = [place for place, one in enumerate(said) if one.isalpha() and len(one) > 3]
    if len(said) < 16 or not places:
        return None
    place = rng.choice(places)
    said[place] = rng.choice([one for one in words if one != said[place].lower()])
    return " ".join(said)


def _typo(text: str, rng: Random, _: list[str]) -> str | None:
    """Two letters swapped, one lost, or one doubled, in a word of a text of ten words and more."""
    said = text.split(" ")
    places = [place for place, one in enumerate(said) if one.isalpha() and len(one) > 4]
    if len(said) < 12 or not places:
        return None
    place = rng.choice(places)
    word, at = said[place], rng.randrange(1, len(said[place]) - 2)
    lost, doubled = word[:at] + word[at + 1 :], word[:at] + word[at] + word[at:]
    said[place] = rng.choice([word[:at] + word[at + 1] + word[at] + word[at + 2 :], lost, doubled])
    return " ".join(said)


def _clause(text: str, rng: Random, _: list[str]) -> str | None:
    """The last sentence first, where no instruction stands before a quoted text."""
    sentences = re.split(r"(?<=[.?!]) ", text)
    if len(sentences) < 2 or len(text.split()) < 20 or re.search(r'[:"\n«“]', text):
        return None
    return " ".join([sentences[-1], *sentences[:-1]])


EDITS = {"case": _case, "courtesy": _courtesy, "word": _word, "typo": _typo, "clause": _clause}
