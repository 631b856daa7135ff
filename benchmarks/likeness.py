"""Near-duplicates found among prompts: precision, recall, time and memory, with planted couples and hard strangers.

    python benchmarks/likeness.py [--prompts 20000 100000]

Prompts of 10 to 200 words, the common ones often, as in any language (no language is quoted). A tenth are planted
near-duplicates, in equal parts: other case, punctuation and spaces; one word replaced; one word left out; "please" in
front; a sentence added (from 60 words on); sentences in another order (from 40 words on). Another tenth look alike and
are not: another number in a sum, another text behind one instruction, a fifth of the words replaced, another word in a
short template. Found is a couple in one group. Then what is hard for its speed: families of prompts from one mould.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Iterator
from itertools import accumulate

from common import Child, Figure, flags, python, show

SYLLABLES = [f"{one}{two}" for one in "bdfgklmnprstvz" for two in "aeiou"]
SORTS = ("marks", "replaced", "left out", "please", "sentence", "order")
STRANGERS = ("number", "text", "fifth", "slot")
MOULDS: dict[str, Callable[[random.Random, int], str]] = {
    "one word in a short mould": lambda rng, number: f"Write a haiku about {coined(rng)}{number}",
    "two words in a long mould": lambda rng, _: (
        f"Write a story about the {coined(rng)} {coined(rng)} for a child of six"
    ),
    "another text behind an instruction": lambda rng, _: (
        "Classify the review that follows as positive, negative or neutral, and answer with one word only.\n"
        + " ".join(coined(rng) for _ in range(5))
    ),
    "another number in a question": lambda _, number: f"Question {number}: what should I know before I decide?",
    "the same words": lambda *_: "How do I fold a fitted sheet?",
}


def main() -> None:
    parser = flags(__doc__ or "")
    parser.add_argument("--prompts", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--child", nargs=2, metavar=("SET", "PROMPTS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        name, prompts = options.child
        found(name, int(prompts))
        return
    show(measure([2_000] if options.quick else options.prompts, 2_000 if options.quick else 20_000), options.json)


def measure(sizes: list[int], family: int) -> Iterator[Figure]:
    """Planted couples at each size, then the families."""
    for size in sizes:
        child = Child(python(__file__, "--child", "planted", str(size))).wait()
        result, name = child.result, f"{size:,} prompts"
        yield Figure(f"{name}: precision", result["precision"], "≥ 0.98")
        yield Figure(f"{name}: recall", result["recall"], "≥ 0.98")
        yield Figure(f"{name}: least recall of a sort", result["least"])
        yield Figure(f"{name}: CPU s; peak MB", f"{result['cpu_s']:.1f}; {child.peak_mb:.0f}", "≤ 60; ≤ 250")
    for mould in MOULDS:
        child = Child(python(__file__, "--child", mould, str(family))).wait()
        told = f"{child.result['cpu_s']:.1f}; {child.peak_mb:.0f}; {child.result['groups']:,}"
        yield Figure(f"{family:,} with {mould}: CPU s; peak MB; groups", told)


def found(name: str, prompts: int) -> None:
    """The child: prints what it found, and what that took without the making of the prompts."""
    from pairsmith.neighbours import near_groups

    rng = random.Random(0)
    made = planted(rng, prompts) if name == "planted" else ((i, "", MOULDS[name](rng, i)) for i in range(prompts))
    sorts: list[tuple[int, str]] = []
    spent_s = 0.0

    def texts() -> Iterator[tuple[int, str]]:
        nonlocal spent_s
        for place in range(sys.maxsize):
            before = time.process_time()
            one = next(made, None)
            spent_s += time.process_time() - before
            if one is None:
                return
            sorts.append(one[:2])
            yield place, one[2]

    started = time.process_time()
    groups = [first for _, first in near_groups(texts())]
    result = {"cpu_s": time.process_time() - started - spent_s, "groups": len(set(groups))}
    print(json.dumps(result | (rated(sorts, groups) if name == "planted" else {})))


def rated(sorts: list[tuple[int, str]], groups: list[int]) -> dict[str, float]:
    """Precision and recall of couples: each with the original that it was made from."""
    right = {
        sort: [groups[place] == groups[at] for place, (at, kind) in enumerate(sorts) if kind == sort] for sort in SORTS
    }
    hits = sum(map(sum, right.values()))
    joined = sum(first != place for place, first in enumerate(groups))
    recall = hits / sum(map(len, right.values()))
    return {"precision": hits / joined, "recall": recall, "least": min(sum(one) / len(one) for one in right.values())}


def planted(rng: random.Random, prompts: int) -> Iterator[tuple[int, str, str]]:
    """For each prompt the place of its original (its own: it is one), its sort, its text."""
    words = sorted({coined(rng) for _ in range(20_000)})
    rng.shuffle(words)
    often = list(accumulate(1 / (rank + 3) for rank in range(len(words))))
    kinds = (*SORTS, *STRANGERS)
    for place in range(0, prompts, 10):
        for one in range(8):
            text = sentences(rng, words, often, rng.randint(10, 200))
            if one == 0:
                original, copy = copied(rng, words, often, kinds[(place // 10) % len(SORTS)])
                yield place, "", original
                yield place, kinds[(place // 10) % len(SORTS)], copy
            elif one == 1:
                original, copy = strange(rng, words, often, STRANGERS[(place // 10) % len(STRANGERS)])
                yield place + 2, "", original
                yield place + 2, "stranger", copy
            else:
                yield place + 2 + one, "", written(text)


def copied(rng: random.Random, words: list[str], often: list[float], sort: str) -> tuple[str, str]:
    """A text, and a near-duplicate of it."""
    text = sentences(rng, words, often, rng.randint({"sentence": 60, "order": 40}.get(sort, 10), 200))
    copy = [list(sentence) for sentence in text]
    some = rng.choice(copy)
    at = rng.randrange(len(some))
    if sort == "marks":
        return written(text), "  " + written(copy).upper().replace(".", " !").replace(" ", "  ")
    if sort == "replaced":
        some[at] = rng.choice(words)
    elif sort == "left out":
        del some[at]
    elif sort == "please":
        copy[0].insert(0, "please")
    elif sort == "sentence":
        copy.insert(rng.randint(0, len(copy)), rng.choices(words, cum_weights=often, k=rng.randint(5, 10)))
    else:
        rng.shuffle(copy)
    return written(text), written(copy)


def strange(rng: random.Random, words: list[str], often: list[float], sort: str) -> tuple[str, str]:
    """A text, and another one that only looks like it."""
    if sort == "number":
        return (
            f"{coined(rng)}: What is {(sum_ := rng.randint(10, 10**6))} + 2?",
            f"{coined(rng)}: What is {sum_ + 1} + 2?",
        )
    if sort == "slot":
        mould = f"Write {coined(rng)} {coined(rng)} about"
        return f"{mould} {coined(rng)}", f"{mould} {coined(rng)}"
    text = sentences(rng, words, often, rng.randint(10, 30 if sort == "text" else 200))
    if sort == "text":
        instruction = written(text)[:-1]
        return tuple(f"{instruction}: {' '.join(rng.choices(words, k=6))}" for _ in range(2))  # type: ignore[return-value]
    copy = [[rng.choice(words) if rng.random() < 0.2 else word for word in sentence] for sentence in text]
    copy[0][:3] = rng.choices(words, k=3)
    return written(text), written(copy)


def sentences(rng: random.Random, words: list[str], often: list[float], size: int) -> list[list[str]]:
    """So many words, in sentences of up to 16."""
    drawn = rng.choices(words, cum_weights=often, k=size)
    return [drawn[start : start + 16] for start in range(0, size, 16)]


def written(text: list[list[str]]) -> str:
    """With capitals and full stops."""
    return " ".join(f"{' '.join(sentence).capitalize()}." for sentence in text if sentence)


def coined(rng: random.Random) -> str:
    """A word of no language."""
    return "".join(rng.choices(SYLLABLES, k=rng.randint(1, 4)))


if __name__ == "__main__":
    main()
