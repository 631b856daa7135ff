"""`pairsmith pair --compare`: what several ways of pairing give from the same evidence, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

from pairsmith.cli.common import Named, relative, show, stored_run
from pairsmith.cli.tallied import Tally, arms_text, percent
from pairsmith.errors import RecipeError
from pairsmith.outcomes import pairs_in

if TYPE_CHECKING:
    from pairsmith.ledger import Settled
    from pairsmith.pairing import Pairing
    from pairsmith.recipe import Recipe

AS_IT_IS = "as the recipe has it"


@dataclass(slots=True)
class Way:
    """One way of pairing, and what it comes to."""

    name: str
    pairing: Pairing
    tally: Tally = field(default_factory=Tally)


def compare(what: Named, specs: Sequence[str], as_json: bool) -> int:
    """Settle every prompt each way, in one pass, and print the table; nothing is written."""
    from pairsmith.dataset import Texts
    from pairsmith.repairing import paired_again, pairing_in

    recipes = {AS_IT_IS: what.recipe} | {" ".join(spec.split()): recipe_of(what.recipe, spec) for spec in specs}
    with stored_run(what.folder) as (ledger, digest):
        ways = [Way(name, pairing_in(recipe, ledger, digest)) for name, recipe in recipes.items()]
        differ = {couple: 0 for couple in combinations(range(len(ways)), 2)}
        prompts = 0
        for _, found in paired_again(ledger.outcomes(digest), [way.pairing for way in ways], Texts(ledger)):
            prompts += 1
            for way, settled in zip(ways, found, strict=True):
                way.tally.add(settled)
            said = [_couples(settled) for settled in found]
            for one, other in differ:
                differ[one, other] += len(said[one] ^ said[other]) - min(
                    len(said[one] - said[other]), len(said[other] - said[one])
                )
    result = {
        "run_dir": str(what.folder.path),
        "ways": [{"name": way.name, **way.tally.as_json()} for way in ways],
        "differ": [[_differing(differ, one, other) for other in range(len(ways))] for one in range(len(ways))],
    }
    show(result, as_json, lambda: _text(what, prompts, ways, differ))
    return 0


def recipe_of(recipe: Recipe, spec: str) -> Recipe:
    """The recipe with what a SPEC says of its [pair] table: a strategy, and key=value, between commas.

    Raises:
        RecipeError: it says nothing, or what no [pair] table takes.
    """
    from pairsmith.recipe import with_pair

    changes: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in spec.split(","))):
        key, equals, value = part.partition("=")
        if not equals:
            key, value = "strategy", part
        if key in changes:
            raise RecipeError(f"--compare {spec!r} says {key} twice: write it like best-worst,min_gap=3")
        changes[key.strip()] = value.strip()
    if not changes:
        raise RecipeError("--compare says nothing: write it like best-worst,min_gap=3")
    return with_pair(recipe, changes, f"--compare {spec!r}")


def _couples(settled: Settled) -> set[tuple[str, str]]:
    """Chosen and rejected of each pair."""
    return {(pair["chosen"]["completion"], pair["rejected"]["completion"]) for pair in pairs_in(settled.body)}


def _differing(differ: dict[tuple[int, int], int], one: int, other: int) -> int:
    return 0 if one == other else differ[min(one, other), max(one, other)]


# --- laying out ------------------------------------------------------------------------------------


def _text(what: Named, prompts: int, ways: Sequence[Way], differ: dict[tuple[int, int], int]) -> str:
    heads = ("", "pairs", "yield", "mean gap", "chosen longer", "length ratio", *(f"≠ {n}" for n in _numbers(ways)))
    rows = [_row(number, way, ways, differ) for number, way in enumerate(ways)]
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        first, *others = (
            cell.ljust(width) if not place else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        return "  ".join([first, *others]).rstrip()

    table = [line(heads), *map(line, rows)]
    asked = f"{prompts:,} settled prompts of {relative(what.folder.path)}, from the same evidence; nothing was asked"
    return "\n".join([asked, "", *table, "", *_details(ways), "", LEGEND])


LEGEND = (
    "yield: of the settled prompts; chosen longer: of the pairs whose answers are not equally long; length ratio:\n"
    "characters of the chosen over those of the rejected; ≠ N: prompts' pairs that differ from those of line N"
)


def _numbers(ways: Sequence[Way]) -> range:
    return range(1, len(ways) + 1)


def _row(number: int, way: Way, ways: Sequence[Way], differ: dict[tuple[int, int], int]) -> tuple[str, ...]:
    tally = way.tally
    gap, ratio = tally.mean_gap, tally.length_ratio
    return (
        f"{number + 1}  {way.name}",
        f"{tally.pairs:,}",
        percent(tally.gained.rate),
        "–" if gap is None else f"{gap:.2f}",
        percent(tally.chosen_longer.rate),
        "–" if ratio is None else f"{ratio:.2f}",
        *("–" if other == number else f"{_differing(differ, number, other):,}" for other in range(len(ways))),
    )


def _details(ways: Sequence[Way]) -> list[str]:
    """Of each way the arms, and why prompts gave no pair."""
    lines: list[str] = []
    for number, way in zip(_numbers(ways), ways, strict=True):
        if way.tally.pairs:
            lines.append(f"{number}  chosen    {arms_text(way.tally.chosen)}")
            lines.append(f"   rejected  {arms_text(way.tally.rejected)}")
        reasons = ", ".join(f"{reason} {n:,}" for reason, n in way.tally.abstained.most_common())
        if reasons:
            lines.append(f"{' ' if way.tally.pairs else number}  no pair   {reasons}")
    return lines
