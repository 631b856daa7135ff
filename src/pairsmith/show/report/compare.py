"""Two runs side by side: their figures, their distributions, their recipes, and what became of the prompts they share.

Pairs are the same where both texts are, whatever they were sampled by. Called by the command line.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pairsmith.dataset import Texts
from pairsmith.errors import LedgerError
from pairsmith.judge.rates import Rate, share_of, told
from pairsmith.judge.rates import share as rate_of
from pairsmith.outcomes import pairs_in
from pairsmith.records import PromptId
from pairsmith.running.shareable import shareable
from pairsmith.show.report import overlaid
from pairsmith.show.report.drawing import Table
from pairsmith.show.report.page import SAMPLE_BYTES, Figure, choices, fitting, rendered
from pairsmith.show.report.samples import MOST_PAIRS, Sample, in_turn, pair_of
from pairsmith.show.report.telling import points, share, so_many, usd
from pairsmith.show.unseen import name, visible

if TYPE_CHECKING:
    from pairsmith.ledger import Ledger
    from pairsmith.show.report.gather import Run

SAME, TURNED, OTHER, ONLY_A, ONLY_B, NEITHER = (
    "same pair", "turned round", "another pair", "pair in A only", "pair in B only", "pair in neither",
)  # fmt: skip
SHOWN = (TURNED, ONLY_A, ONLY_B, OTHER)  # of which some are shown: what has changed
Texts_ = tuple[str, str]  # hashes of a chosen and a rejected text


@dataclass(frozen=True, slots=True)
class Compared:
    """What there is to say of two runs. shared: prompts that both have settled, by what became of them."""

    a: Run
    b: Run
    shared: Mapping[str, int]
    only: tuple[int, int]  # settled prompts that the other run does not have, or has not settled
    samples: Sequence[Sample]

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "a": key_figures(self.a),
            "b": key_figures(self.b),
            "shared": dict(self.shared),
            "only": list(self.only),
        }

    def in_short(self) -> Iterator[str]:
        """For people."""
        for word, run in (("A", self.a), ("B", self.b)):
            settled, prompts = run.counts.settled, run.counts.prompts
            yield f"  {word}: {settled:,} of {prompts:,} prompts gave a pair ({share(settled, prompts)})"
        said = ", ".join(f"{n:,} {word}" for word, n in self.shared.items() if n)
        yield f"  {so_many(sum(self.shared.values()), 'prompt')} settled in both: {said or 'none'}"


def key_figures(run: Run) -> dict[str, Any]:
    """The figures by which runs are compared; null where one rests on nothing."""
    pairs, counts = run.tables.pairs, run.counts
    gaps = pairs["gap"].dropna()
    return {
        "pairs": counts.pairs,
        "yield": counts.settled / run.reached if run.reached else None,
        "median_gap": float(gaps.median()) if len(gaps) else None,
        "mean_gap": float(gaps.mean()) if len(gaps) else None,
        "chosen_longer": run.bias.chosen_longer.rate,
        "conflicts": run.bias.conflicts.rate,
        "unreadable": run.bias.unreadable.rate,
        "cost_usd": run.spent.cost_usd,
        "cost_per_pair_usd": run.cost_per_pair_usd,
        "calls": run.spent.calls,
        "ran_s": run.ran_s,
    }


def compared(a: Run, ledger_a: Ledger, b: Run, ledger_b: Ledger) -> Compared:
    """Hold every prompt that both have settled against each other."""
    ours, theirs = _settled(a), _settled(b)
    both = [prompt for prompt in ours if prompt in theirs]
    readers = _Reader(ledger_a, a.digest), _Reader(ledger_b, b.digest)
    became: defaultdict[str, list[str]] = defaultdict(list)
    pairs_a, pairs_b = _by_prompt(a), _by_prompt(b)
    for prompt in both:
        became[_became(prompt, pairs_a.get(prompt, []), pairs_b.get(prompt, []), readers)].append(prompt)
    order = (SAME, TURNED, OTHER, ONLY_A, ONLY_B, NEITHER)
    return Compared(
        a,
        b,
        {word: len(became[word]) for word in order},
        (len(ours) - len(both), len(theirs) - len(both)),
        list(_samples(became, readers)),
    )


def compared_page(found: Compared, version: str, date: str) -> bytes:
    """The whole page."""
    kept = fitting(found.samples, SAMPLE_BYTES)
    return rendered(
        "compared.html.j2",
        version,
        date,
        runs=[
            (word, name(run.name), name(run.path.resolve().name), run) for word, run in (("A", found.a), ("B", found.b))
        ],
        simulated=bool(found.a.simulated or found.b.simulated),
        figures=_figures(found),
        numbers=_numbers(found),
        became=_became_table(found),
        panels=overlaid.shown(found.a, found.b),
        recipes=recipe_table(found.a, found.b),
        pairs=[markup for _, markup in kept],
        **choices([one for one, _ in kept]),
    )


# --- prompts of both ----------------------------------------------------------------------------------


def _settled(run: Run) -> dict[str, str]:
    prompts = run.tables.prompts
    return dict(zip(prompts["prompt"], prompts["kind"], strict=True))


def _by_prompt(run: Run) -> dict[str, list[Texts_]]:
    """Ids of chosen and rejected."""
    found: defaultdict[str, list[Texts_]] = defaultdict(list)
    for row in run.tables.pairs.itertuples(index=False):
        found[str(row.prompt)].append((str(row.chosen), str(row.rejected)))
    return dict(found)


def _became(prompt: str, ours: list[Texts_], theirs: list[Texts_], readers: tuple[_Reader, _Reader]) -> str:
    if not ours or not theirs:
        return NEITHER if not ours and not theirs else ONLY_A if ours else ONLY_B
    if set(ours) == set(theirs):
        return SAME
    if {tuple(sorted(pair)) for pair in ours} != {tuple(sorted(pair)) for pair in theirs}:
        ours, theirs = (reader.texts(prompt) for reader in readers)  # sampled otherwise, and may say the same
    if ours and set(ours) == set(theirs):
        return SAME
    return TURNED if {(rejected, chosen) for chosen, rejected in ours} & set(theirs) else OTHER


@dataclass(slots=True)
class _Reader:
    """Reads the pairs of one run."""

    ledger: Ledger
    digest: str

    def texts(self, prompt: str) -> list[Texts_]:
        """Hashes of the texts of each pair; nothing where they can no longer be read."""
        stored, settled = self.ledger.listed(PromptId(prompt)), self.ledger.outcome(PromptId(prompt), self.digest)
        if stored is None or settled is None:
            return []
        texts = Texts(self.ledger)
        try:
            both = [texts.of_sides(stored, pair["chosen"], pair["rejected"]) for pair in pairs_in(settled.body)]
        except LedgerError:
            return []
        return [(_hash(chosen), _hash(rejected)) for chosen, rejected in both]

    def sample(self, prompt: str) -> Sample | None:
        stored, settled = self.ledger.listed(PromptId(prompt)), self.ledger.outcome(PromptId(prompt), self.digest)
        return None if stored is None or settled is None else pair_of(stored, settled, Texts(self.ledger))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _samples(became: Mapping[str, list[str]], readers: tuple[_Reader, _Reader]) -> Iterator[Sample]:
    drawn = in_turn([[(word, prompt) for prompt in sorted(became[word], key=_hash)] for word in SHOWN])
    for word, prompt in drawn[: MOST_PAIRS // 2]:
        for run, reader in zip("AB", readers, strict=True):
            if (word, run) in ((ONLY_A, "B"), (ONLY_B, "A"), (TURNED, "B")):
                continue
            one = reader.sample(prompt)
            if one is not None:
                said = "as A has it; B prefers the other one" if word == TURNED else f"of run {run}"
                yield replace(one, kind=word, why=f"{one.why} ({said})")


# --- tables -------------------------------------------------------------------------------------------


def _figures(found: Compared) -> list[Figure]:
    whole = sum(found.shared.values())
    figures = [
        Figure("settled in both", f"{whole:,}", f"{found.only[0]:,} settled in A only, {found.only[1]:,} in B only")
    ]
    return figures + [Figure(word, f"{n:,}", share(n, whole)) for word, n in found.shared.items()]


def _numbers(found: Compared) -> Table:
    a, b = found.a, found.b
    rows: list[tuple[str, ...]] = [
        _rates("prompts that gave a pair", *(rate_of(run.counts.settled, run.reached) for run in (a, b)))
    ]
    rows.append(_sums("pairs", a.counts.pairs, b.counts.pairs, "{:,.0f}"))
    gaps = [run.tables.pairs["gap"].dropna() for run in (a, b)]
    if all(len(one) for one in gaps):
        rows.append(_sums("gap of the median pair", float(gaps[0].median()), float(gaps[1].median()), "{:.3g}"))
    rows.append(_rates("longer answer chosen", a.bias.chosen_longer, b.bias.chosen_longer))
    rows.append(_rates("order conflicts", a.bias.conflicts, b.bias.conflicts))
    rows.append(_rates("unreadable replies", a.bias.unreadable, b.bias.unreadable))
    cut = [share_of(_cut_off(run)) for run in (a, b)]
    rows.append(_rates("answers cut off", *cut))
    rows += [(word, usd(one), usd(other), _apart(one, other)) for word, one, other in (
        ("spent", a.spent.cost_usd, b.spent.cost_usd), ("a pair cost", a.cost_per_pair_usd, b.cost_per_pair_usd)
    )]  # fmt: skip
    rows.append(_sums("calls", a.spent.calls, b.spent.calls, "{:,.0f}"))
    rows += list(_reasons(a, b))
    return Table(("", "A", "B", "B against A"), rows)


def _cut_off(run: Run) -> Iterator[bool]:
    for card in run.arms.cards.values():
        cut, answers = (card.screened or {}).get("cut_off", 0), card.completions or 0
        yield from (place < cut for place in range(answers))


def _rates(word: str, a: Rate, b: Rate) -> tuple[str, ...]:
    """Two rates; where the intervals overlap, the difference may be chance."""
    if a.rate is None or b.rate is None or a.low is None or b.low is None or a.high is None or b.high is None:
        return word, told(a), told(b), "–"
    clear = a.low > b.high or b.low > a.high
    apart = f"{100 * (b.rate - a.rate):+.1f} points".replace("-", "−")
    return (
        word,
        told(a),
        told(b),
        apart if clear else f"{apart}, which may be chance" if a.rate != b.rate else "the same",
    )


def _sums(word: str, a: float, b: float, shape: str) -> tuple[str, ...]:
    return word, shape.format(a), shape.format(b), _apart(a, b)


def _apart(a: float | None, b: float | None) -> str:
    """Such as "+12 %"."""
    return "–" if a is None or b is None or not a else f"{100 * (b / a - 1):+.0f} %".replace("-", "−")


def _reasons(a: Run, b: Run) -> Iterator[tuple[str, ...]]:
    both = [Counter(run.counts.abstained) + Counter(run.counts.failed) for run in (a, b)]
    for reason, _ in (both[0] + both[1]).most_common():
        yield _rates(
            f"no pair: {name(reason)}",
            *(rate_of(c[reason], r.reached) for c, r in zip(both, (a, b), strict=True)),
        )


def _became_table(found: Compared) -> Table:
    whole = sum(found.shared.values())
    return Table(
        ("of those settled in both", "prompts", "share"),
        [(w, f"{n:,}", share(n, whole)) for w, n in found.shared.items()],
    )


def recipe_table(a: Run, b: Run) -> Table:
    """The keys in which the two recipes differ; "–": it is not set."""
    ours, theirs = (dict(_flat(shareable(run.recipe))) for run in (a, b))
    keys = sorted(key for key in ours.keys() | theirs.keys() if ours.get(key) != theirs.get(key))
    return Table(("key", "A", "B"), [(key, ours.get(key, "–"), theirs.get(key, "–")) for key in keys])


def _flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{visible(key)}", visible(points(value) if isinstance(value, float) else str(value))
