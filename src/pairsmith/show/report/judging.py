"""What the verdicts show of the judges, in a plot, a matrix and plain sentences: what it means, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pairsmith.judge.bias import CHOSEN_LONGER, CONFLICTS, FIRST_WINS, LONGER_LEAD, UNREADABLE
from pairsmith.judge.rates import Rate, bar, told
from pairsmith.judge.settings import CHECK
from pairsmith.qualified import verdict_text
from pairsmith.show.report.drawing import (
    ACCENT,
    CARD,
    INK,
    Panel,
    Table,
    intervals,
    label,
    panel,
    rates_table,
    rows_in,
)
from pairsmith.show.report.telling import so_many
from pairsmith.show.unseen import name, visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

    from pairsmith.qualified import Qualification
    from pairsmith.show.report.gather import Run

AGREE_LITTLE, AGREE_WELL = 0.60, 0.75
MANY_TIES = 0.40
MOST_JUDGES = 8  # in the matrix


class Finding(NamedTuple):
    """One thing that the verdicts show. level: good | warn | open (not enough is known)."""

    level: str
    says: str
    todo: str = ""


def shown(run: Run) -> list[Panel]:
    """How often judges agree, and their rates."""
    return [*_agreement(run), *_rates(run)]


# --- plots --------------------------------------------------------------------------------------------


def _agreement(run: Run) -> list[Panel]:
    found = {tuple(names.split(", ")): rate for names, rate in run.bias.agreement.items() if rate.n}
    judges = sorted({judge for names in found for judge in names})[:MOST_JUDGES]
    if len(judges) < 2:
        return []

    def between(one: str, other: str) -> Rate | None:
        return found.get((one, other)) or found.get((other, one))

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for row, one in enumerate(judges):
            for column, other in enumerate(judges):
                rate = between(one, other)
                agreed = 1.0 if row == column else rate.rate if rate else None
                shade = 0.0 if agreed is None or row == column else max(0.05, min(1.0, (agreed - 0.4) / 0.6))
                axes.bar(column, 1, 1, row - 0.5, color=ACCENT, alpha=0.75 * shade, linewidth=1, edgecolor=CARD)
                said = "–" if row == column or agreed is None else f"{agreed:.0%}"
                axes.text(column, row, said, ha="center", va="center", color=INK)
        axes.set_xticks(range(len(judges)), [label(judge) for judge in judges])
        axes.set_yticks(range(len(judges)), [label(judge) for judge in judges])
        axes.set_xlim(-0.5, len(judges) - 0.5)
        axes.set_ylim(len(judges) - 0.5, -0.5)
        axes.grid(visible=False)
        axes.tick_params(length=0)

    low = min(found.items(), key=lambda item: item[1].rate or 0)
    reading = (
        f"{' and '.join(map(name, low[0]))} agree least, in {told(low[1])} of {so_many(low[1].n, 'couple')} that both "
        "put in an order; 50 % would be chance."
    )
    table = rates_table([(" and ".join(names), rate) for names, rate in found.items()], "judges")
    return [panel("agreement", "How often judges agree", reading, draw, table, 1.0 + 0.42 * len(judges))]


def _rates(run: Run) -> list[Panel]:
    bias = run.bias
    rows: list[tuple[str, Rate]] = [("order conflicts", bias.conflicts), ("unreadable replies", bias.unreadable)]
    for judge, card in bias.judges.items():
        rows += [(f"{judge}: first wins", card.first_wins), (f"{judge}: longer wins", card.longer_wins)]
        rows += [(f"{judge}: ties", card.ties)]
    held = [row for row in rows if row[1].n]
    if not held:
        return [Panel("biases", "What judges lean to", "No judge has said anything yet.")]

    def draw(figure: Figure) -> None:
        intervals(figure.subplots(), held, at=0.5)

    reading = (
        "Of a judge without leanings the first and the second shown win equally often (50 %), conflicts and unreadable "
        "replies are near 0; long answers may win more often, as they are often better."
    )
    return [panel("biases", "What judges lean to", reading, draw, rates_table(held, "what"), rows_in(len(held)))]


# --- sentences ----------------------------------------------------------------------------------------


def findings(run: Run) -> list[Finding]:
    """What the bias card means, warnings first; then what is known of the judges, and what the arms do to the pairs."""
    found = [*_of_pairs(run), *_of_judges(run), *_of_arms(run)]
    order = ("warn", "open", "good")
    return sorted(found, key=lambda finding: order.index(finding.level))


def _of_pairs(run: Run) -> Iterator[Finding]:
    bias = run.bias
    yield from _held(
        bias.conflicts,
        CONFLICTS,
        "The two orders of a comparison contradict each other in {rate}",
        (
            "the judge goes by position, or by a hair",
            "Take a stronger judge, or raise pair.verify_gap: close calls are then left out.",
        ),
        "it looks at the answers, not at their places",
    )
    yield from _held(
        bias.chosen_longer,
        CHOSEN_LONGER,
        "The longer answer is chosen in {rate} of the pairs",
        (
            "a model trained on them learns length",
            "Take another judge, set pair.max_length_ratio, or the strategy closest-length; read some pairs first.",
        ),
        "length alone does not decide",
    )
    yield from _held(
        bias.unreadable,
        UNREADABLE,
        "Replies of judges could not be read in {rate}",
        (
            "they are paid for and say nothing",
            "Raise judge.max_tokens, or have the shape of a verdict asked for (json_mode).",
        ),
        "judges answer in the form that they are asked for",
    )


def _held(rate: Rate, limit: float, says: str, bad: tuple[str, str], good: str) -> Iterator[Finding]:
    """One rate against its limit: surely beyond, surely below, or neither."""
    if rate.low is None or rate.high is None:
        return
    sentence = says.format(rate=f"{told(rate).rstrip(')')}, n = {rate.n:,})")
    if rate.low > limit:
        yield Finding("warn", f"{sentence}: {bad[0]}.", bad[1])
    elif rate.high <= limit:
        yield Finding("good", f"{sentence}: {good}.")
    else:
        yield Finding("open", f"{sentence}: that may lie on either side of {bar(limit)}.", "More prompts will tell.")


def _of_judges(run: Run) -> Iterator[Finding]:
    bias, average = run.bias, run.bias.average_longer_wins.rate
    for judge, card in bias.judges.items():
        who = f"Judge {name(judge)}"
        if judge.startswith(CHECK):  # it does what its author means
            continue
        yield from _of_position(who, card.first_wins)
        if average is not None and len(bias.judges) > 1 and (card.longer_wins.low or 0) > average + LONGER_LEAD:
            yield Finding(
                "warn",
                f"{who} prefers the longer answer in {told(card.longer_wins)}, all judges together in {average:.0%}.",
                "Give it less to say: put it later in the panel, or take another one.",
            )
        if (card.ties.low or 0) > MANY_TIES:
            yield Finding(
                "warn",
                f"{who} gives both answers the same points in {told(card.ties)} of the couples: it tells few apart.",
                "A finer rubric, or protocol = duel, may.",
            )
    for names, rate in bias.agreement.items():
        yield from _agreeing(" and ".join(map(name, names.split(", "))), rate)
    yield from (_known(judge, found) for judge, found in run.judges.items())


def _of_position(who: str, first: Rate) -> Iterator[Finding]:
    """A judge may lean to either place."""
    if first.low is None or first.high is None:
        return
    sentence = f"{who} prefers the answer that it is shown first in {told(first).rstrip(')')}, n = {first.n:,})"
    if first.low > FIRST_WINS or first.high < 1 - FIRST_WINS:
        todo = "Comparisons go both ways, so pairs are safe, but many close calls are lost: take another judge."
        yield Finding("warn", f"{sentence}: it goes by position.", todo)
    elif first.low >= 1 - FIRST_WINS and first.high <= FIRST_WINS:
        yield Finding("good", f"{sentence}: position decides little.")
    else:
        yield Finding("open", f"{sentence}: too few were compared to tell.", "More close calls will tell.")


def _agreeing(names: str, rate: Rate) -> Iterator[Finding]:
    if rate.high is not None and rate.high < AGREE_LITTLE:
        yield Finding(
            "warn",
            f"{names} agree in {told(rate)} only: one of them does not see quality, or they look for different things.",
            "Ask both what is known: pairsmith qualify RUN_DIR",
        )
    elif rate.low is not None and rate.low > AGREE_WELL:
        yield Finding("good", f"{names} agree in {told(rate)} of the couples.")


def _known(judge: str, found: Qualification | None) -> Finding:
    if found is None:
        return Finding(
            "open",
            f"Judge {name(judge)} was never asked what is known.",
            "pairsmith qualify RUN_DIR asks it anchors whose right answers are known.",
        )
    level = {"qualified": "good", "warning": "open", "disqualified": "warn"}[found.ruling.verdict]
    asked = f"{so_many(found.anchors.n, 'anchor')} of {name(found.anchors.name)}, {found.asked_at[:10]}"
    said = f"Judge {name(judge)} is {verdict_text(found.ruling)} ({asked})."
    return Finding(level, said, "" if level == "good" else "Another judge may do better: pairsmith qualify RUN_DIR")


def _of_arms(run: Run) -> Iterator[Finding]:
    for sentence in map(visible, run.arms.warnings(run.recipe.pair.sides)):
        said, _, todo = sentence.partition("; ")
        yield Finding("warn", f"{said[:1].upper()}{said[1:]}.", f"{todo[:1].upper()}{todo[1:]}." if todo else "")


def qualified_table(run: Run) -> Table:
    """What is known of each judge."""
    rows = []
    for judge in run.recipe.judge.panel:
        model = run.models.get(judge)
        known = run.judges.get(judge)
        kind = "a Python function" if model is None else "a reward model" if model.kind == "reward" else "a chat model"
        said = verdict_text(known.ruling) if known else "–" if kind != "a chat model" else "never asked what is known"
        rows.append((name(str(judge)), kind, name(model.model) if model else "–", said))
    return Table(("judge", "what it is", "model", "qualified"), rows)
