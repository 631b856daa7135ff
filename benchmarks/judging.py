"""Protocols of judging against planted truth: how many verdicts a right pair costs, and how many pairs are right.

    python benchmarks/judging.py [--prompts 400] [--seeds 2] [--markdown]

Everything that decides is pairsmith's own (steps.step, asked again until nothing is owed, the judges' noise measured
on the first prompts as in a run); only the answers are planted (planted.py). Templates are shortened to what tells the
judge which answers it is shown; tokens are those of the real ones, at four characters a token. Calls and tokens are the
judges'; sampling costs the same in all rows. --markdown prints docs/judging-simulated.md's tables.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping

from common import Figure, flags, show
from planted import RECORDED, Regime, calibration
from protocols import BASELINE, PROTOCOLS, USUAL, Table, regimes, tables

RIGHT_ENOUGH, SAVED = 0.96, 0.25
CALIBRATED = 1000  # prompts that the judges are held against recorded ones with
# Per cent of prompts with a pair at a gap of 3, at 2, and with duels, by spread: what was reckoned before (JUDGING.md).
RECKONED = {0.4: "1; 21; 39", 0.6: "8; 50; 62", 0.8: "25; 71; 77", 1.4: "69; 91; 93"}

# --- what is wanted -----------------------------------------------------------------------------------


def calibrated(prompts: int) -> Iterator[Figure]:
    """The planted judges beside the recorded ones."""
    found = {judge: calibration(judge, prompts) for judge in RECORDED}
    for name in next(iter(found.values())):
        said = "; ".join(f"{found[judge][name]:.3g}" for judge in found)
        yield Figure(f"{name}: weak; middle; frontier", said, "; ".join(RECORDED[judge][name] for judge in found))


def wanted(found: Mapping[str, Table]) -> Iterator[Figure]:
    """What the protocols are to reach, of the regimes that are there."""
    for name in found:
        if name.startswith("on-policy"):
            yield from cheaper(name, found[name])
    usual = found.get(f"on-policy {USUAL}")
    if usual is not None:
        if "position 1.0" in found:
            yield from unbiased(usual, found["position 1.0"])
        if "length 0.5" in found:
            yield from no_longer(found["length 0.5"])
        if "unreliable" in found:
            yield from sturdy(usual, found["unreliable"])
    for name, table in found.items():
        yield from gates_found(name, table)


def cheaper(name: str, table: Table) -> Iterator[Figure]:
    """Which protocols make a right pair for a quarter less than the baseline, with orders right often enough."""
    base, two = table[BASELINE], table["min_gap 2"]
    shares = (base.by_gap / base.prompts, two.by_gap / base.prompts, base.produce)
    reckoned = RECKONED.get(float(name.removeprefix("on-policy ")), "")
    yield Figure(f"{name}: % with a gap of 3; of 2; with duels", "; ".join(f"{100 * s:.0f}" for s in shares), reckoned)
    saved = {other: 1 - table[other].price / base.price for other in PROTOCOLS if other != BASELINE}
    reached = [
        f"{other} -{share:.0%} ({table[other].order:.1%} right)"
        for other, share in sorted(saved.items(), key=lambda one: -one[1])
        if share >= SAVED and table[other].order >= RIGHT_ENOUGH
    ]
    said = f"{base.price:.1f} calls, {base.order:.1%} right; {', '.join(reached) or 'none'}"
    yield Figure(f"{name}: a right pair of the baseline; cheaper", said, "≥ 25 % fewer calls, ≥ 96 % right")


def unbiased(usual: Table, biased: Table) -> Iterator[Figure]:
    """What a judge that favours the first changes besides the yield."""
    for name in (BASELINE, "rank", "rank, conflicts compared", "duel"):
        before, after = usual[name], biased[name]
        said = f"{100 * (after.order - before.order):+.1f}; {before.produce:.0%} to {after.produce:.0%}"
        yield Figure(f"position 1.0, {name}: points of order; yield", said, "≥ -1; any")


def no_longer(table: Table) -> Iterator[Figure]:
    """How often the longer answer is chosen, beside how often it is the better one."""
    oracle = table["control: the truth"].longer / table["control: the truth"].pairs
    for name in PROTOCOLS:
        share = table[name].longer / max(1, table[name].pairs)
        yield Figure(
            f"length 0.5, {name}: chosen is longer; of the truth", f"{share:.0%}; {oracle:.0%}", "≤ 5 apart, or warned"
        )


def sturdy(usual: Table, unreliable: Table) -> Iterator[Figure]:
    """What unreadable replies and failed calls cost."""
    for name in PROTOCOLS:
        before, after = usual[name], unreliable[name]
        said = f"{100 * (after.produce - before.produce):+.1f}; {100 * (after.order - before.order):+.1f}"
        yield Figure(f"5 % unreadable, 2 % failed, {name}: points of yield; of order", said, "≥ -3; ≥ -0.3")


def gates_found(regime: str, table: Table) -> Iterator[Figure]:
    """The gap that "auto" finds, and what it gives."""
    auto, two, three = table["auto"], table["min_gap 2"], table[BASELINE]
    gaps = ", ".join(f"{gap:g}" for gap in sorted(set(auto.gaps)))
    right = auto.by_gap_right / max(1, auto.by_gap)
    yield Figure(f"auto, {regime}: the gap; right without a duel", f"{gaps}; {right:.1%}", "; ≥ 97 %")
    said = f"{auto.produce:.0%}; {two.produce:.0%}; {three.produce:.0%}"
    yield Figure(f"auto, {regime}: yield; with 2; with 3", said)
    sure = f"{two.by_gap_right / max(1, two.by_gap):.1%}; {three.by_gap_right / max(1, three.by_gap):.1%}"
    yield Figure(f"auto, {regime}: right without a duel with 2; with 3", sure)


# --- printing ---------------------------------------------------------------------------------------


def markdown(name: str, regime: Regime, table: Table) -> Iterator[str]:
    """One regime as a table of docs/judging-simulated.md."""
    yield f"\n### {name}\n"
    yield "| protocol | calls | tokens | yield | right | order | a right pair: calls | tokens | quality | longer |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    base = table[BASELINE].price if BASELINE in table else 0.0
    for protocol, tally in table.items():
        prompts, pairs = max(1, tally.prompts), max(1, tally.pairs)
        free = f" + {tally.free / prompts:.1f} free" if tally.free else ""
        less = f" ({tally.price / base - 1:+.0%})" if base and tally.calls and protocol != BASELINE else ""
        price = f"{tally.price:.1f}{less}" if tally.calls else ""
        yield (
            f"| {protocol} | {tally.calls / prompts:.1f}{free} | {tally.tokens / prompts:,.0f} | {tally.produce:.1%} "
            f"| {tally.right / prompts:.1%} | {tally.order:.1%} | {price} | {tally.tokens / max(1, tally.right):,.0f} "
            f"| {tally.quality / pairs / regime.spread:+.2f} | {tally.longer / pairs:.0%} |"
        )


def print_markdown(options: argparse.Namespace) -> None:
    """Everything that docs/judging-simulated.md quotes."""
    found, known = {}, regimes()
    for name, table in tables(options.prompts, options.seeds, options.regimes):
        found[name] = table
        print("\n".join(markdown(name, known[name], table)), flush=True)
    for title, figures in (("wanted", wanted(found)), ("calibration", calibrated(CALIBRATED))):
        print(f"\n### {title}\n")
        show(figures, as_json=False)


def measure(options: argparse.Namespace) -> Iterator[Figure]:
    """The figures with something wanted of them."""
    yield from calibrated(CALIBRATED)
    yield from wanted(dict(tables(options.prompts, options.seeds, options.regimes)))


def main() -> None:
    parser = flags(__doc__ or "")
    parser.add_argument("--prompts", type=int, default=400, help="a regime and seed")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--regimes", nargs="*", default=[], metavar="NAME", help=f"of {', '.join(regimes())}; else all")
    parser.add_argument("--markdown", action="store_true", help="all rows as tables")
    options = parser.parse_args()
    if options.quick:
        options.prompts, options.seeds = 60, 1
    if options.markdown:
        print_markdown(options)
    else:
        show(measure(options), options.json)


if __name__ == "__main__":
    main()
