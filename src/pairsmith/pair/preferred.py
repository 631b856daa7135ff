"""Settles one prompt by what people said of the answers that came with it: no judge is asked.

Called by the pipeline, for prompts that hold preferences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations

from pairsmith.pair.couples import ESTIMATED, Wording, obstacle
from pairsmith.pair.settings import PairSettings
from pairsmith.pair.sides import ALL, Sides
from pairsmith.records import Abstention, Completion, CompletionId, Json, Pair, Preference, PromptId

HUMAN, EDIT = "human", "edit"


def settle_preferred(
    prompt: PromptId,
    completions: Sequence[Completion],
    preferences: Sequence[Preference],
    settings: PairSettings,
    sides: Sides = ALL,
    wording: Wording = ESTIMATED,
    wanted: str | None = None,
) -> Pair | Abstention:
    """Settle ONE prompt: the couple that most people prefer in the same way, and fewest in the other.

    Of couples that are preferred alike the two closest in length, then ids. The gates on points ask nothing here;
    those on texts and sides hold.

    Args:
        prompt: the prompt.
        completions: its given candidates; flagged ones are never a side.
        preferences: what people said; of completions that are not among these it counts for nothing.
        settings: the [pair] table.
        sides: which couples are allowed.
        wording: how texts are measured.
        wanted: the language that the prompt asks for; None: not known.

    Returns:
        A pair without a gap and without judges; or the abstention too_few_completions, human_tie (nobody prefers
        any, or as many prefer the one as the other), or that of the gate which the first couple does not pass.
    """
    usable = {one.id: one for one in completions if not one.flags}
    if len(usable) < 2:
        return Abstention(prompt, "too_few_completions", f"{len(usable)} of {len(completions)} completions can be used")
    couples = _couples(usable, preferences)
    if not couples:
        return Abstention(prompt, "human_tie", f"{len(preferences)} verdicts prefer no answer to another")
    reasons = [obstacle(usable[one], usable[other], settings, sides, wording, wanted) for one, other in couples]
    passing = next((couple for couple, reason in zip(couples, reasons, strict=True) if reason is None), None)
    if passing is None:
        assert reasons[0] is not None
        return Abstention(prompt, *reasons[0])
    return _pair(prompt, *passing, preferences)


def _couples(
    usable: Mapping[CompletionId, Completion], preferences: Sequence[Preference]
) -> list[tuple[CompletionId, CompletionId]]:
    """Chosen and rejected of every couple that more people prefer in this way than in the other, the surest first."""
    votes = Counter(
        (said.preferred, other) for said in preferences if said.preferred is not None for other in said.others
    )
    ahead: dict[tuple[CompletionId, CompletionId], int] = {}
    for one, other in combinations(sorted(usable), 2):
        lead = votes[one, other] - votes[other, one]
        if lead:
            ahead[(one, other) if lead > 0 else (other, one)] = abs(lead)

    def order(couple: tuple[CompletionId, CompletionId]) -> tuple[int, int, tuple[CompletionId, CompletionId]]:
        chosen, rejected = couple
        return -ahead[couple], abs(len(usable[chosen].text) - len(usable[rejected].text)), couple

    return sorted(ahead, key=order)


def _pair(prompt: PromptId, chosen: CompletionId, rejected: CompletionId, preferences: Sequence[Preference]) -> Pair:
    couple = {chosen, rejected}
    about = [said for said in preferences if couple <= {said.preferred, *said.others}]
    edited = all(said.rule == EDIT for said in about)
    said: list[Json] = [
        {"rule": one.rule, "by": one.by, "preferred": one.preferred, "others": list(one.others)} for one in about
    ]
    provenance: dict[str, Json] = {"strategy": "preferred", "rule": EDIT if edited else HUMAN, "said": said}
    return Pair(prompt, chosen, rejected, None, (), provenance)
