"""How prompts are settled: the [pair] table with all that it depends on, made once from the recipe.

A run asks it through its judges (work.py, steps.py); afterwards it is asked again of the evidence that is stored
(repairing.py). No file but those that the table names, no ledger, no network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pairsmith import seams, wordings
from pairsmith.errors import UserError
from pairsmith.judge.case import rung_name
from pairsmith.judge.escalate import accurate_gap
from pairsmith.judge.settings import CHECK
from pairsmith.pair.couples import ESTIMATED, Wording
from pairsmith.pair.gates import Strategy, settle
from pairsmith.pair.orders import settle_orders
from pairsmith.pair.outlook import GateEvidence, gate_evidence
from pairsmith.pair.preferred import settle_preferred
from pairsmith.pair.select import Standing
from pairsmith.pair.settings import ANY_LANGUAGE, AS_PROMPTED, BEST_WORST, DELTA, SEAM, STRATEGIES, PairSettings
from pairsmith.pair.sides import Sides, read_sides
from pairsmith.recipe import Recipe
from pairsmith.records import (
    Abstention,
    Completion,
    Duel,
    EndpointName,
    Json,
    Noise,
    Pair,
    Prompt,
    Ranking,
    Score,
    Settlement,
)
from pairsmith.sample.settings import GIVEN, is_given

OTHERS = frozenset(STRATEGIES) - {BEST_WORST}
ACCURATE = 0.97  # the share of orders that are to be right at the gap that "auto" finds


@dataclass(frozen=True, slots=True)
class Pairing:
    """What settles a prompt once its evidence is complete.

    `settings` is the recipe's table with "auto" replaced by a number; its strategy, where it is the user's own, goes by
    the name of its file. `judges`: of each rung of the panel its kind, chat, reward or check. `noise` None: how much
    they err is not known yet.
    """

    settings: PairSettings
    protocol: str
    sides: Sides
    judges: Mapping[EndpointName, str]
    arms: Mapping[str, EndpointName]  # by name, the endpoint of each
    first: int | None = None  # completions drawn for every prompt, where further ones are drawn one by one
    noise: Noise | None = None
    strategy: seams.Function | None = None
    wording: Wording = ESTIMATED

    @property
    def known(self) -> Noise:
        """What is known of the judges, which may be nothing."""
        return self.noise or Noise()

    def settle(
        self, prompt: Prompt, usable: Sequence[Completion], scores: Iterable[Score], duels: Iterable[Duel]
    ) -> Settlement:
        """Settle ONE prompt of the protocol score; see pair/gates.py."""
        strategy = _asking(prompt, self.strategy) if self.strategy else None
        points, wanted = self.points(scores), self._wanted(prompt)
        if self.judges and not points and self.settings.strategy == DELTA:  # arms alone decide where nobody judges
            return Abstention(prompt.id, "too_few_scored", "no verdict on it could be had")
        return settle(
            prompt.id, usable, points, duels, self.settings, self.known, strategy, self.sides, self.wording, wanted
        )

    def settle_orders(
        self, prompt: Prompt, usable: Sequence[Completion], rankings: Sequence[Ranking], final: Sequence[Duel]
    ) -> Settlement:
        """Settle ONE prompt of the protocols rank and duel; see pair/orders.py."""
        wanted = self._wanted(prompt)
        return settle_orders(prompt.id, usable, rankings, final, self.settings, self.sides, self.wording, wanted)

    def settle_preferred(self, prompt: Prompt, completions: Sequence[Completion]) -> Pair | Abstention:
        """Settle ONE prompt by what people said of its answers; see pair/preferred.py."""
        wanted = self._wanted(prompt)
        return settle_preferred(
            prompt.id, completions, prompt.preferences, self.settings, self.sides, self.wording, wanted
        )

    def _wanted(self, prompt: Prompt) -> str | None:
        """The language that the prompt asks for, where that is asked."""
        prompted = self.settings.language == AS_PROMPTED
        return wordings.wanted_language(prompt, self.wording.language) if prompted else None

    def of_kind(self, kind: str) -> list[EndpointName]:
        """The judges of one kind, in the panel's order."""
        return [name for name, other in self.judges.items() if other == kind]

    def points(self, scores: Iterable[Score]) -> list[Score]:
        """The scores that decide: a reward model's numbers are no points while its noise is not known."""
        numbers = set(self.of_kind("reward")) - self.known.judges.keys()
        return [score for score in scores if score.judge not in numbers]

    def gate(
        self, prompt: Prompt, usable: Sequence[Completion], scores: Iterable[Score], duels: Iterable[Duel]
    ) -> GateEvidence | None:
        """What the gate on points knows of one settled prompt; None where another strategy than the usual one asks."""
        if self.protocol != "score" or not self.judges or self.settings.strategy in OTHERS:
            return None
        points, wanted = self.points(scores), self._wanted(prompt)
        return gate_evidence(usable, points, duels, self.settings, self.known, self.sides, self.wording, wanted)


def pairing_of(recipe: Recipe, arms: Mapping[str, EndpointName], strategy: seams.Function | None = None) -> Pairing:
    """How this recipe settles prompts, before anything is known of its judges.

    Args:
        recipe: with its [pair] table.
        arms: by name, the endpoint of each.
        strategy: the user's own function, where the table names one.

    Raises:
        UserError: a file that the table names cannot be read, or `sides` names what gives no answers.
    """
    settings = recipe.pair
    if strategy is not None:  # like a check, it goes by the name of its file, not by where that stands
        settings = settings.model_copy(update={"strategy": strategy.name})
    pairing = Pairing(
        settings=settings,
        protocol=recipe.judge.protocol,
        arms=arms,
        first=_first(recipe),
        sides=sides_of(recipe, arms),
        judges={rung_name(name): _kind(recipe, name) for name in recipe.judge.panel},
        strategy=strategy,
        wording=_wording(settings),
    )
    return replace(pairing, settings=_compared(settings, pairing))


def strategy_of(recipe: Recipe) -> seams.Function | None:
    """The user's own function, where [pair] names one."""
    return seams.load(recipe.pair.strategy) if SEAM.fullmatch(recipe.pair.strategy) else None


def measured(pairing: Pairing, recipe: Recipe, noise: Noise | None) -> Pairing:
    """The same, once it is known how much the judges err; a Noise of no judge: too little is known, and stays so."""
    settings = pairing.settings
    if recipe.pair.min_gap == "auto" and noise is not None and noise.judges:
        first = (pairing.of_kind("chat") or list(pairing.judges))[0]
        settings = _compared(settings.at(accurate_gap(noise, first, ACCURATE)), pairing)
    if all(kind == "reward" for kind in pairing.judges.values()):  # whose numbers are no points
        settings = settings.model_copy(update={"chosen_floor": 0.0})
    return replace(pairing, settings=settings, noise=noise)


def named(settings: PairSettings) -> Json:
    """The table as it decides: files by their content, not by where they stand."""
    table: dict[str, Json] = settings.model_dump(mode="json")
    if settings.tokenizer is not None:
        table["tokenizer"] = wordings.digest(Path(settings.tokenizer))
    return table


def _wording(settings: PairSettings) -> Wording:
    """How texts are measured: only what the table asks for is loaded."""
    wording = ESTIMATED
    if settings.tokenizer is not None:
        tokens, cut = wordings.tokenizer(Path(settings.tokenizer))
        wording = replace(wording, tokens=tokens, cut=cut)
    if settings.language == ANY_LANGUAGE:
        return wording
    asked = "" if settings.language == AS_PROMPTED else settings.language
    return replace(wording, language=wordings.detector(asked))


def _compared(settings: PairSettings, pairing: Pairing) -> PairSettings:
    """Without a chat model nobody could compare a close call."""
    return settings if pairing.of_kind("chat") else settings.model_copy(update={"verify_gap": settings.least_gap})


def _first(recipe: Recipe) -> int | None:
    settings = recipe.sample
    adaptive = settings is not None and settings.most_completions > settings.first_completions
    return settings.first_completions if settings is not None and adaptive else None


def _kind(recipe: Recipe, judge: str) -> str:
    return "check" if judge.startswith(CHECK) else recipe.endpoints[judge].kind


def sides_of(recipe: Recipe, arms: Iterable[str]) -> Sides:
    """Which couples the recipe allows.

    Raises:
        UserError: it names neither an endpoint that samples nor an arm.
    """
    parts = read_sides(recipe.pair.sides)
    known = dict.fromkeys((*recipe.sampled_endpoints, *arms, GIVEN))
    for name in (name for names in parts.values() for name in names):
        if name not in known and not is_given(name):
            raise UserError(f"[pair] sides names {name!r}, which gives no answers: take one of {', '.join(known)}")
    return Sides(parts, recipe.sampled_endpoints, *recipe.pair.policies)


def _asking(prompt: Prompt, function: seams.Function) -> Strategy:
    """The user's strategy, as pair asks it."""

    def pick(ranked: Sequence[Standing]) -> tuple[Standing, Standing] | None:
        answers: list[dict[str, Json]] = [
            {
                "text": one.completion.text,
                "score": one.mean,
                "arm": one.completion.arm,
                "endpoint": one.completion.endpoint,
                "model": one.completion.model,
            }
            for one in ranked
        ]
        places = seams.picked(function, prompt, answers)
        return None if places is None else (ranked[places[0]], ranked[places[1]])

    return pick
