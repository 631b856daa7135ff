"""Growing prompts: the CPU of deciding what is kept, and whether anything that is not new slips through.

    python benchmarks/expanding.py [--prompts 1000 10000]

Prompts of 8 to 60 words, the common ones often, as in any language (no language is quoted); every fifth is a copy of
an earlier one with so many words replaced that ROUGE-L is at the threshold or a little above. `all pairs`: the same
decided by comparing each with every other, by rapidfuzz too.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator

from common import Figure, flags, show

VOCABULARY = [f"{one}{two}{three}" for one in "bdfgklmnprstvz" for two in "aeiou" for three in "lmnrst"]
COMPARED = 400  # of the texts, by all pairs: the rest follows from it


def main() -> None:
    parser = flags(__doc__ or "")
    parser.add_argument("--prompts", type=int, nargs="+", default=[1000, 10_000])
    options: argparse.Namespace = parser.parse_args()
    show(measure([500] if options.quick else options.prompts), options.json)


def measure(sizes: list[int]) -> Iterator[Figure]:
    """Both ways at each size."""
    from pairsmith.collect.expand.novelty import Known

    for size in sizes:
        texts, copies = made(random.Random(0), size)
        known, before = Known(0.7), time.process_time()
        new = [known.add_if_new(text) for text in texts]
        spent_s = time.process_time() - before
        slow_s = all_pairs_s(texts)
        name = f"{size:,} prompts"
        yield Figure(f"{name}: CPU ms each", f"{1000 * spent_s / size:.2f}", "≤ 1")
        yield Figure(f"{name}: of all pairs' CPU", f"{spent_s / slow_s:.2f}")
        yield Figure(f"{name}: copies taken for new", sum(new[place] for place in copies), "0")
        yield Figure(f"{name}: others taken for copies", size - len(copies) - sum(new) + sum(new[c] for c in copies))


def made(rng: random.Random, size: int) -> tuple[list[str], list[int]]:
    """The texts, and the places of copies."""
    weights = [1 / (place + 5) for place in range(len(VOCABULARY))]
    texts: list[str] = []
    copies = []
    for place in range(size):
        words = rng.choices(VOCABULARY, weights, k=rng.randint(8, 60))
        if place % 5 == 4:
            words = texts[5 * rng.randrange(place // 5 + 1)].split()  # not a copy of a copy
            for one in rng.sample(range(len(words)), int(len(words) * 0.3)):
                words[one] = f"{words[one]}x{place}"
            copies.append(place)
        texts.append(" ".join(words))
    return texts, copies


def all_pairs_s(texts: list[str]) -> float:
    """The CPU of comparing each text with every earlier one, told from a part of the texts."""
    from rapidfuzz import process
    from rapidfuzz.distance import Indel

    characters: dict[str, str] = {}
    written = [
        "".join(characters.setdefault(word, chr(0x100 + len(characters))) for word in text.split()) for text in texts
    ]
    places = random.Random(1).sample(range(1, len(written)), min(COMPARED, len(written) - 1))
    before = time.process_time()
    for place in places:
        process.extractOne(written[place], written[:place], scorer=Indel.normalized_similarity, score_cutoff=0.7)
    return (time.process_time() - before) * len(written) / len(places)


if __name__ == "__main__":
    main()
