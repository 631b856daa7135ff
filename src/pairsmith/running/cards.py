"""What the outcomes of a run show of its judges and its arms: the bias card and the arms' cards, read in one go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pairsmith.dataset import stored_arms
from pairsmith.judge.arms import ArmCard, ArmCounts, warnings
from pairsmith.judge.bias import BiasCard, bias_card
from pairsmith.pair.sides import REJECTED
from pairsmith.wire.money import cost_usd

if TYPE_CHECKING:
    from pairsmith.dataset import StoredArm
    from pairsmith.ledger import Ledger, Settled
    from pairsmith.records import Endpoint, EndpointName, Prompt, Usage


@dataclass(frozen=True, slots=True)
class Arms:
    """What each arm is, as the ledger has it, and what it does. `given` is among `cards` alone."""

    stored: Mapping[str, StoredArm]
    cards: Mapping[str, ArmCard]

    def warnings(self, sides: str) -> list[str]:
        """What the user should know before training on these pairs; not what [pair] `sides` asks for."""
        if REJECTED in sides:
            return []
        return warnings(self.cards, [name for name, arm in self.stored.items() if arm.get("system")])

    def as_json(self) -> dict[str, Any]:
        """By name; the text of a persona stays in the ledger."""
        stored = {name: {k: v for k, v in arm.items() if k != "system"} for name, arm in self.stored.items()}
        return {name: {**stored.get(name, {}), **asdict(card)} for name, card in self.cards.items()}


def cards_of(
    ledger: Ledger,
    digest: str,
    models: Mapping[EndpointName, Endpoint],
    outcomes: Iterable[tuple[Prompt, Settled]] | None = None,
) -> tuple[BiasCard, Arms]:
    """The card of everything that is settled under this digest, and its arms; the outcomes are read once.

    Args:
        ledger: the run folder's.
        digest: of the work whose outcomes are read.
        models: the recipe's endpoints, with the prices that are reckoned with.
        outcomes: of that digest, where they are read for something else too; None: they are read here.
    """
    counts = ArmCounts([name for name, model in models.items() if model.kind == "reward"])
    outcomes = ledger.outcomes(digest) if outcomes is None else outcomes
    card = bias_card(counts.watching(settled.body for _, settled in outcomes))
    return card, _arms(counts, stored_arms(ledger, digest), models)


def _arms(counts: ArmCounts, stored: Mapping[str, StoredArm], models: Mapping[EndpointName, Endpoint]) -> Arms:
    """What was counted, at the prices that the recipe has now."""

    def cost(name: str, used: Usage) -> float | None:
        model = models.get(stored[name]["endpoint"]) if "endpoint" in stored.get(name, {}) else None
        return cost_usd(model, used.input_tokens, used.output_tokens, used.cached_tokens) if model else None

    return Arms(stored, counts.cards(stored, cost))
