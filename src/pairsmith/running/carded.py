"""Gathers what a dataset card says, from the ledger and the recipe of a run; what they do not say stays unknown."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pairsmith.dataset import sampled_by
from pairsmith.dialects import SERVER_DEFAULT
from pairsmith.export.card import Facts, Figure
from pairsmith.judge.rates import percent, told
from pairsmith.judge.settings import CHECK
from pairsmith.outcomes import pairs_in
from pairsmith.pair.settings import ANY_LANGUAGE, AS_PROMPTED
from pairsmith.qualified import verdict_text
from pairsmith.repairing import pairing_in
from pairsmith.reviewing import NOT_REVIEWED, REVIEW, reviewing_in
from pairsmith.running.cards import cards_of
from pairsmith.running.shareable import public_name, shareable_parameters
from pairsmith.running.written import without_folders
from pairsmith.sample.settings import is_given

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pairsmith.dataset import StoredArm
    from pairsmith.export.card import Format
    from pairsmith.export.reading import JsonObject
    from pairsmith.judge.arms import ArmCard
    from pairsmith.judge.bias import BiasCard
    from pairsmith.judge.rates import Rate
    from pairsmith.ledger import Counts, Ledger
    from pairsmith.qualified import Qualification
    from pairsmith.recipe import Recipe
    from pairsmith.records import Endpoint, EndpointName, Json

NONE = "–"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for. license: an id of the Hub; None: not chosen. name: of the dataset; None: the run's.

    limit: so many pairs of each format at most; None: all. version: of pairsmith.
    """

    folder: Path
    formats: tuple[str, ...]
    license: str | None
    name: str | None
    limit: int | None
    version: str


@dataclass(frozen=True, slots=True)
class Known:
    """Where what is known of a run stands: its recipe, and the ledger with the digest of its work."""

    recipe: Recipe
    ledger: Ledger
    digest: str
    models: Mapping[EndpointName, Endpoint]
    judges: Mapping[EndpointName, Qualification | None]


def facts_of(
    known: Known,
    formats: Sequence[Format],
    example: JsonObject,
    wanted: Wanted,
) -> Facts:
    """All that the card of these files says."""
    recipe, ledger = known.recipe, known.ledger
    counts, (bias, arms) = ledger.counts(known.digest), cards_of(ledger, known.digest, known.models)
    bodies = (settled.body for _, settled in ledger.outcomes(known.digest))
    language = recipe.pair.language
    return Facts(
        name=wanted.name or recipe.name,
        run=recipe.name,
        license=wanted.license,
        language=None if language in (ANY_LANGUAGE, AS_PROMPTED) else language,
        synthetic=any(not is_given(arm) for arm in arms.cards),
        simulated=sum(len(pairs_in(body)) for body in bodies if body.get("simulated")),
        pairs=counts.pairs,
        reviewed=_reviewed(known),
        limit=wanted.limit,
        asked=counts.prompts,
        prompts=list(_fates(counts)),
        formats=formats,
        example=example,
        endpoints=[_endpoint(one, recipe) for one in known.models.values()],
        arms=[_arm(arm, arms.stored.get(arm)) for arm in arms.cards],
        personas=_personas(arms.stored),
        judges=[_judge(str(judge), known) for judge in recipe.judge.panel],
        judging=_judging(recipe),
        pairing=_pairing(known),
        exporting=without_folders(recipe.export.model_dump(mode="json", exclude={"path", "target"})),
        figures=[one for one in _figures(bias) if one.n],
        arm_figures=[_arm_figures(arm, card) for arm, card in arms.cards.items()],
        warnings=[*bias.warnings(), *arms.warnings(recipe.pair.sides)],
        version=wanted.version,
    )


def _reviewed(known: Known) -> dict[str, int]:
    """What people's verdicts made of the pairs that they were shown."""
    reviewing = reviewing_in(known.ledger, known.recipe, sampled_by(known.ledger, known.digest))
    if not reviewing.heard:
        return {}
    made = Counter[str]()
    for prompt, settled in known.ledger.outcomes(known.digest):
        for pair in reviewing.pairs(prompt, settled):
            if isinstance(pair, str):
                made["taken away"] += pair != NOT_REVIEWED
            elif pair["provenance"].get("rule") == REVIEW:
                made["confirmed" if "judged_by" in pair["provenance"] else "preferred the other way"] += 1
            elif "edited_from" in pair["provenance"]:
                made["mended"] += 1
    return dict(+made)


def _fates(counts: Counts) -> Iterator[tuple[str, str, int]]:
    several = "" if counts.pairs == counts.settled else f" ({counts.pairs:,} pairs)"
    yield f"became a pair{several}", "", counts.settled
    for what, reasons in (("no pair", counts.abstained), ("failed", counts.failed)):
        for reason, n in sorted(reasons.items(), key=lambda one: -one[1]):
            yield what, reason, n
    if counts.not_reached:
        yield "not reached", "", counts.not_reached


def _endpoint(one: Endpoint, recipe: Recipe) -> tuple[str, ...]:
    does = ["samples"] * (one.name in recipe.sampled_endpoints) + ["judges"] * (one.name in recipe.judge.panel)
    does += ["says task families"] * (one.name == recipe.judge.family_judge)
    return one.name, public_name(one.model), ", ".join(does), public_name(one.identity), one.server


def _arm(name: str, arm: StoredArm | None) -> tuple[str, ...]:
    """Its row; a given answer came with its prompt."""
    if arm is None:
        return name, NONE, NONE, NONE, "came with the prompt" if is_given(name) else ""
    held = shareable_parameters(arm.get("effective", {}))
    sent = {key: value for key, value in held.items() if value != SERVER_DEFAULT}
    said = ", ".join(f"{key} {value}" for key, value in sent.items()) if "effective" in arm else ""
    persona = public_name(arm.get("persona") or NONE)
    return name, arm.get("endpoint", ""), public_name(arm.get("model", "")), persona, said or NONE


def _personas(arms: Mapping[str, StoredArm]) -> list[tuple[str, str]]:
    """Each persona once, with the hash of its text."""
    texts = {arm.get("persona") or "unnamed": arm["system"] for arm in arms.values() if arm.get("system")}
    return [(public_name(name), hashlib.sha256((text or "").encode()).hexdigest()) for name, text in texts.items()]


def _judge(name: str, known: Known) -> tuple[str, str, str]:
    if name.startswith(CHECK):
        return public_name(name), "a Python function", NONE
    if known.recipe.endpoints[name].kind == "reward":
        return name, "a reward model", NONE
    judged = next((found for judge, found in known.judges.items() if judge == name), None)
    if judged is None:
        return name, "a chat model", "never asked"
    simulated = ", simulated" if judged.simulated else ""
    asked = f"{judged.anchors.n} anchors of {public_name(judged.anchors.name)}, {judged.asked_at[:10]}{simulated}"
    return name, "a chat model", f"{verdict_text(judged.ruling)} ({asked})"


def _judging(recipe: Recipe) -> dict[str, Json]:
    """The [judge] table without what its protocol does not use."""
    table: dict[str, Json] = recipe.judge.model_dump(mode="json", exclude_none=True, exclude={"panel"})
    unused = [] if recipe.judge.protocol == "rank" else ["rank_conflict", "rank_max_chars"]
    unused += [] if recipe.judge.reference == "write" else ["reference_max_tokens"]
    unused += [] if len(recipe.judge.panel) > 1 else ["escalate", "escalate_within"]
    unused += [] if recipe.judge.criteria else ["criteria"]
    unused += [] if recipe.judge.families == "ask" else ["families"]
    kept = {key: value for key, value in table.items() if key not in unused}
    return {**kept, "rubric": public_name(recipe.judge.rubric)}


def _pairing(known: Known) -> dict[str, Json]:
    """The [pair] table; without points where nobody gave any, and with the gap that was found out."""
    recipe = known.recipe
    unused = set() if recipe.judge.panel else {"min_gap", "verify_gap", "chosen_floor", "rejected_ceiling"}
    table = without_folders(recipe.pair.model_dump(mode="json", exclude_none=True, exclude=unused))
    if table.get("min_gap") == "auto":
        gap = pairing_in(recipe, known.ledger, known.digest).settings.least_gap
        table["min_gap"] = f"auto, which was {gap:g}"
    return table


def _figures(card: BiasCard) -> Iterator[Figure]:
    def figure(label: str, rate: Rate, who: str = "") -> Figure:
        return Figure(label, who, told(rate), rate.n)

    yield figure("the two orders contradict each other, of the comparisons", card.conflicts)
    yield figure("the longer answer is chosen, of the pairs", card.chosen_longer)
    yield figure("could not be read, of the judges' replies", card.unreadable)
    if len(card.judges) > 1:
        yield figure("all together prefer the longer answer", card.average_longer_wins)
    for name, judge in card.judges.items():
        who = public_name(name)
        yield figure("prefers the longer answer", judge.longer_wins, who)
        yield figure("prefers the answer shown first", judge.first_wins, who)
        yield figure("gives both the same points", judge.ties, who)
    for names, rate in card.agreement.items():
        yield figure("agree", rate, ", ".join(map(public_name, names.split(", "))))


def _arm_figures(name: str, card: ArmCard) -> tuple[str, ...]:
    def count(value: int | None) -> str:
        return "unknown" if value is None else f"{value:,}"

    def share(rate: Rate) -> str:
        return "unknown" if rate.rate is None else percent(rate.rate)

    score = "unknown" if card.mean_score is None else f"{card.mean_score:.1f}"
    wins = told(card.wins) if card.wins.n else NONE
    return (
        name,
        count(card.completions),
        count(card.usable),
        score,
        wins,
        share(card.in_chosen),
        share(card.in_rejected),
    )
