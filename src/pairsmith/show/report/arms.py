"""What each arm is worth: how often it wins, what a won pair costs, and how many of its answers cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pairsmith.judge.rates import percent, share, told
from pairsmith.show.reasons import FLAGS
from pairsmith.show.report.drawing import (
    HATCHES,
    SERIES,
    Panel,
    Table,
    across,
    ends,
    filled,
    intervals,
    label,
    legend,
    panel,
    rows_in,
    told_of_ends,
)
from pairsmith.show.report.telling import points, so_many, usd
from pairsmith.show.unseen import name

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from pairsmith.judge.arms import ArmCard
    from pairsmith.show.report.gather import Run

UNUSED = "Answers that cannot be used"
THOUSAND = 1000  # one pair of a small model costs too little to be read


def shown(run: Run) -> list[Panel]:
    """Wins with their costs, and screens; those first that most of the chosen are of."""
    cards = dict(sorted(run.arms.cards.items(), key=lambda item: (-(item[1].in_chosen.rate or 0.0), item[0])))
    if not cards:
        return [Panel("wins", "Arms", "No answer has come yet.")]
    return [_wins(cards), *_costs(cards), _screens(cards)]


def _wins(cards: dict[str, ArmCard]) -> Panel:
    held = [(arm, card.wins) for arm, card in cards.items() if card.wins.n]
    drawn = ends(held)
    table = Table(
        ("arm", "answers", "points", "wins (95 %)", "of the chosen", "of the rejected", "repeats"),
        [_row(arm, card) for arm, card in cards.items()],
    )
    if len(held) < 2:
        reading = "Pairs whose two sides come from two arms are too few to hold arms against each other."
        return Panel("wins", "How often each arm wins", reading, None, table)
    best, worst = max(held, key=lambda one: one[1].low or 0), min(held, key=lambda one: one[1].high or 1)
    reading = (
        f"{name(best[0])} wins {told(best[1])} of the pairs that it shares with another arm, {name(worst[0])} "
        f"{told(worst[1])}."
        if best[0] != worst[0]
        else f"No arm stands out; {name(best[0])} wins {told(best[1])} of the pairs that it shares with another arm."
    )
    reading += " Intervals that overlap say nothing about which arm is better."
    reading += told_of_ends(len(held), "arms")

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        intervals(axes, drawn, at=0.5)
        axes.set_xlabel("% won against other arms, 95 % interval")

    return panel("wins", "How often each arm wins", reading, draw, table, rows_in(len(drawn)))


def _row(arm: str, card: ArmCard) -> tuple[str, ...]:
    answers = "unknown" if card.completions is None else f"{card.completions:,}"
    shares = (card.in_chosen, card.in_rejected, card.shared)
    wins = told(card.wins) if card.wins.n else "–"
    return (
        name(arm),
        answers,
        points(card.mean_score),
        wins,
        *("–" if r.rate is None else percent(r.rate) for r in shares),
    )


def _costs(cards: dict[str, ArmCard]) -> list[Panel]:
    known = {arm: card for arm, card in cards.items() if card.cost_usd is not None}
    table = Table(
        ("arm", "sampling cost", "of 1,000 won pairs", "won pairs"),
        [(name(arm), usd(card.cost_usd), _a_thousand(card), f"{_won(card):,}") for arm, card in cards.items()],
    )
    if not any(card.cost_usd for card in known.values()):
        unpriced = "No arm has a known cost: the recipe gives no price, or nothing was sampled."
        return [Panel("arm-costs", "What each arm costs", unpriced, None, table)]
    drawn = dict(ends(list(known.items())))

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2, sharey=True)
        each = [(card.cost_per_won_pair_usd or 0.0) * THOUSAND for card in drawn.values()]
        left.barh(range(len(drawn)), [card.cost_usd or 0.0 for card in drawn.values()], color=SERIES[0], height=0.7)
        right.barh(range(len(drawn)), each, color=SERIES[2], height=0.7, hatch=HATCHES[1])
        left.set_yticks(range(len(drawn)), [label(arm) for arm in drawn])
        left.invert_yaxis()
        left.set_xlabel("$, sampling")
        right.set_xlabel("$ for 1,000 won pairs")
        for axes in (left, right):
            across(axes)
            axes.locator_params(axis="x", nbins=4)

    winners = {arm: card.cost_per_won_pair_usd for arm, card in known.items() if card.cost_per_won_pair_usd}
    cheap = min(winners, key=lambda arm: winners[arm] or 0.0, default="")
    total = sum(card.cost_usd or 0.0 for card in known.values())
    reading = f"Sampling cost {usd(total)} in all" + (
        f"; won pairs are cheapest with {name(cheap)}, {_a_thousand(known[cheap])} for 1,000 of them." if cheap else "."
    )
    return [
        panel(
            "arm-costs",
            "What each arm costs",
            f"{reading} Judging is not in it.{told_of_ends(len(known), 'arms')}",
            draw,
            table,
            rows_in(len(drawn)),
        )
    ]


def _won(card: ArmCard) -> int:
    return round((card.wins.rate or 0.0) * card.wins.n)


def _a_thousand(card: ArmCard) -> str:
    each = card.cost_per_won_pair_usd
    return "–" if each is None else usd(each * THOUSAND)


def _screens(cards: dict[str, ArmCard]) -> Panel:
    known = {arm: card for arm, card in cards.items() if card.completions and card.screened is not None}
    flags = sorted({flag for card in known.values() for flag in card.screened or ()})
    if not flags:
        unkept = "An earlier version settled these prompts, and did not keep why answers were screened."
        return Panel("screens", UNUSED, "No answer was screened." if known else unkept)
    rates = {arm: share((card.screened or {}).get("cut_off", 0), card.completions or 0) for arm, card in known.items()}
    others = [flag for flag in flags if flag != "cut_off"]
    rows = [
        (
            name(arm),
            f"{card.completions:,}",
            told(rates[arm]),
            *(f"{(card.screened or {}).get(f, 0):,}" for f in others),
        )
        for arm, card in known.items()
    ]
    table = Table(("arm", "answers", "cut off (95 %)", *others), rows)
    drawn = ends(list(known.items()))

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        left = [0.0] * len(drawn)
        for place, flag in enumerate(flags):
            wide = [100 * (card.screened or {}).get(flag, 0) / (card.completions or 1) for _, card in drawn]
            axes.barh(range(len(drawn)), wide, left=left, height=0.7, label=flag, **filled(place))
            left = [one + other for one, other in zip(left, wide, strict=True)]
        axes.set_yticks(range(len(drawn)), [label(arm) for arm, _ in drawn])
        axes.set_ylim(len(drawn) - 0.4, -0.6)
        axes.set_xlabel("% of its answers")
        legend(figure)
        across(axes)

    reading = _of_screens(known, flags) + told_of_ends(len(known), "arms")
    return panel("screens", UNUSED, reading, draw, table, rows_in(len(drawn)) + 0.3)


def _of_screens(known: dict[str, ArmCard], flags: list[str]) -> str:
    answers = sum(card.completions or 0 for card in known.values())
    counted = {flag: sum((card.screened or {}).get(flag, 0) for card in known.values()) for flag in flags}
    cut = share(counted.pop("cut_off", 0), answers)
    others = ", ".join(
        f"{n:,} {'is' if n == 1 else 'are'} flagged {flag} ({FLAGS.get(flag, flag)})" for flag, n in counted.items()
    )
    rates = {arm: (card.screened or {}).get("cut_off", 0) / (card.completions or 1) for arm, card in known.items()}
    worst = max(rates, key=lambda arm: rates[arm])
    said = f"{told(cut)} of the answers were cut off"
    if cut.rate:
        said += f", most of {name(worst)} ({percent(rates[worst])}): a larger sample.max_tokens lets them end"
    return f"{said}. Of {so_many(answers, 'answer')} {others}." if others else f"{said}."
