"""What people's reviews make of the pairs of a run, as [export] `reviews` says.

Pure: reads standing reviews and stored outcomes. Each reviewer's latest verdict on two completions counts once.
Called by dataset.py and auditing, and by what shows how judges and people agree.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pairsmith.ledger import Ledger, Review, Said, Settled
from pairsmith.outcomes import StoredPair, StoredSide, pairs_in
from pairsmith.pair.sides import ALL, REJECTED, Sides
from pairsmith.pairing import sides_of
from pairsmith.recipe import Recipe
from pairsmith.records import Completion, CompletionId, EndpointName, Flag, Json, Prompt, PromptId, candidate_id

OVERRIDE, DROP_DISAGREED, ONLY_REVIEWED, IGNORE = "override", "drop-disagreed", "only-reviewed", "ignore"
REVIEW, EDIT = "review", "edit"  # the rules that such a pair rests on
NOT_REVIEWED = "not_reviewed"
LONGEST_NAME = 80

# Why a pair is not exported, and what is said of it.
LEFT_OUT = {
    "reviewed_tie": "people find its two answers equally good",
    "reviewed_bad_prompt": "people find its prompt bad",
    "reviewers_disagree": "as many people say one thing of it as another",
    "reviewed_otherwise": 'people prefer the other answer, and export.reviews = "drop-disagreed" turns no pair round',
    "reviewed_already": "people mended one of its answers into a text that another pair of the prompt has over it",
    "reviewed_unusable": "as people prefer them, [pair] lets one of the two not stand on its side",
    NOT_REVIEWED: 'nobody has reviewed it, and export.reviews = "only-reviewed" asks for that',
}


def name_of(word: str) -> str:
    """A reviewer's name, tidied: one person is not two, and a terminal can print it.

    Raises:
        ValueError: it is empty, too long, or holds what cannot be seen.
    """
    name = " ".join(unicodedata.normalize("NFC", word).split())
    if not name:
        raise ValueError("a reviewer needs a name")
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise ValueError(f"a reviewer's name has {LONGEST_NAME} characters at most, all of them visible")
    return name


@dataclass(frozen=True, slots=True)
class Heard:
    """What people together say of two completions of ONE prompt.

    said: what more of them say than anything else, PREFERRED also of edits; None: as many say one thing as another.
    preferred: the better one, where one is. edit: the latest of its edits. reviews: the latest of each reviewer.
    """

    couple: frozenset[CompletionId]
    said: Said | None
    preferred: CompletionId | None
    edit: Review | None
    reviews: tuple[Review, ...]


def heard(reviews: Iterable[Review]) -> dict[PromptId, list[Heard]]:
    """What people say of each couple, by prompt.

    Args:
        reviews: those that stand, the oldest first.
    """
    latest = defaultdict[PromptId, dict[frozenset[CompletionId], dict[str, Review]]](dict)
    for one in reviews:
        of_couple = latest[one.prompt.id].setdefault(one.couple, {})
        of_couple.pop(one.reviewer, None)  # so that the latest stands last
        of_couple[one.reviewer] = one
    return {
        prompt: [_together(couple, tuple(said.values())) for couple, said in couples.items()]
        for prompt, couples in latest.items()
    }


def _together(couple: frozenset[CompletionId], reviews: tuple[Review, ...]) -> Heard:
    votes = Counter(one.preferred or one.said for one in reviews)
    (most, count), *rest = votes.most_common()
    if rest and rest[0][1] == count:
        return Heard(couple, None, None, None, reviews)
    if most in couple:
        edits = [one for one in reviews if one.said is Said.EDIT and one.preferred == most]
        return Heard(couple, Said.PREFERRED, CompletionId(most), edits[-1] if edits else None, reviews)
    return Heard(couple, Said(most), None, None, reviews)


def reviewing_in(
    ledger: Ledger, recipe: Recipe, arms: Mapping[str, EndpointName], through: int | None = None
) -> Reviewing:
    """How the reviews of a run folder change its pairs.

    Args:
        ledger: the run folder's.
        recipe: with the [pair] table by which the pairs were settled, and the [export] table that is written by.
        arms: by name, the endpoint of each.
        through: as if the log of reviews were so long; None: all of it.

    Raises:
        UserError: [pair] `sides` names what gives no answers.
    """
    mode = recipe.export.reviews
    length = ledger.last_review() if through is None else min(through, ledger.last_review())
    if mode == IGNORE or not length:
        return Reviewing(mode)
    said, sides = heard(ledger.reviews(length)), sides_of(recipe, arms)
    return Reviewing(mode, length, said, sides, arms, recipe.pair.most_pairs)


@dataclass(frozen=True, slots=True)
class Reviewing:
    """How reviews change the pairs of a run.

    mode: of [export] `reviews`. through: how long the log of reviews was that is gone by; 0: nobody said anything.
    sides: which couples [pair] allows. arms: by name, the endpoint of each. most: pairs of a prompt.
    """

    mode: str = IGNORE
    through: int = 0
    heard: Mapping[PromptId, Sequence[Heard]] = field(default_factory=dict)
    sides: Sides = ALL
    arms: Mapping[str, EndpointName] = field(default_factory=dict)
    most: int = 1

    def pairs(self, prompt: Prompt, settled: Settled) -> list[StoredPair | str]:
        """The pairs of a settled prompt as people leave them; of each that they take away the reason."""
        seen = set[tuple[CompletionId, CompletionId]]()
        return [_once(pair, seen) for pair in self._pairs(prompt, settled)]

    def _pairs(self, prompt: Prompt, settled: Settled) -> list[StoredPair | str]:
        found = pairs_in(settled.body)
        said = self.heard.get(prompt.id, ()) if settled.kind != "failed" and self.mode != IGNORE else ()
        if not said:
            return [NOT_REVIEWED if self.mode == ONLY_REVIEWED else pair for pair in found]
        if any(one.said is Said.BAD_PROMPT for one in said):
            return ["reviewed_bad_prompt" for _ in found]
        by_couple = {one.couple: one for one in said}
        known = {_couple(pair) for pair in found} & by_couple.keys()
        pairs = [self._reviewed(prompt, pair, by_couple.get(_couple(pair)), settled.body) for pair in found]
        if known or self.mode == DROP_DISAGREED or (found and self.mode == OVERRIDE):
            return pairs
        latest = sorted(said, key=lambda one: -one.reviews[-1].number)
        made = [pair for one in latest if (pair := self._of_people(prompt, one, settled.body)) is not None]
        return pairs + made[: self.most]

    def _reviewed(
        self, prompt: Prompt, pair: StoredPair, said: Heard | None, body: Mapping[str, Any]
    ) -> StoredPair | str:
        """A pair of the run as people leave it, or why they take it away."""
        if said is None:
            return NOT_REVIEWED if self.mode == ONLY_REVIEWED else pair
        if said.preferred is None:
            return "reviewers_disagree" if said.said is None else "reviewed_tie"
        if said.edit is not None:
            return self._edited(prompt, said, (pair["chosen"], pair["rejected"]), body)
        if said.preferred == pair["chosen"]["completion"]:
            return _confirmed(said, pair)
        if self.mode == DROP_DISAGREED:
            return "reviewed_otherwise"
        return self._turned(prompt, said, pair["rejected"], pair["chosen"], body)

    def _of_people(self, prompt: Prompt, said: Heard, body: Mapping[str, Any]) -> StoredPair | str | None:
        """A pair of two that no judge made one; None: people prefer neither, or one of them is not there."""
        sides = {
            row[0]: StoredSide(completion=row[0], arm=row[1], model=row[3], span=row[4], simulated=row[6])
            for row in body.get("completions", ())
            if row[0] in said.couple and len(row) > 6
        }
        if said.preferred is None or len(sides) < 2:
            return None
        (other,) = said.couple - {said.preferred}
        if said.edit is not None:
            return self._edited(prompt, said, (sides[said.preferred], sides[other]), body)
        return self._turned(prompt, said, sides[said.preferred], sides[other], body)

    def _turned(
        self, prompt: Prompt, said: Heard, chosen: StoredSide, rejected: StoredSide, body: Mapping[str, Any]
    ) -> StoredPair | str:
        """People's own pair: no judge's points stand behind it."""
        if not self.sides.allow(*(self._completion(prompt, side, body) for side in (chosen, rejected))):
            return "reviewed_unusable"
        return StoredPair(chosen=chosen, rejected=rejected, gap=None, judges=[], provenance=_said(said, REVIEW))

    def _completion(self, prompt: Prompt, side: StoredSide, body: Mapping[str, Any]) -> Completion:
        """A side as [pair] asks about it: where it is from, and what it was marked with when it was screened."""
        ident, arm = side["completion"], side["arm"]
        rows = (row[5] for row in body.get("completions", ()) if row[0] == ident and len(row) > 5)
        marks = tuple(map(Flag, next(rows, ())))
        return Completion(ident, prompt.id, "", arm, endpoint=self.arms.get(arm), marks=marks)

    def _edited(
        self, prompt: Prompt, said: Heard, sides: tuple[StoredSide, StoredSide], body: Mapping[str, Any]
    ) -> StoredPair | str:
        """The mended text over the one that was mended, which was sampled as it is said of both."""
        assert said.edit is not None
        assert said.edit.edited is not None
        original = next(side for side in sides if side["completion"] == said.preferred)
        mending = replace(self.sides, parts=_of_rejected(self.sides), never_chosen=frozenset())
        rejected = self._completion(prompt, original, body)
        if not mending.allow(rejected, rejected):
            return "reviewed_unusable"
        mended: StoredSide = {**original, "completion": candidate_id(prompt.id, said.edit.edited), "span": None}
        provenance: dict[str, Json] = {**_said(said, EDIT), "edited_from": original["completion"]}
        return StoredPair(chosen=mended, rejected=original, gap=None, judges=[], provenance=provenance)


def _of_rejected(sides: Sides) -> dict[str, tuple[str, ...]]:
    """What is asked of the rejected side alone: a mended text is people's, of no arm."""
    return {part: names for part, names in sides.parts.items() if part == REJECTED}


def _once(pair: StoredPair | str, seen: set[tuple[CompletionId, CompletionId]]) -> StoredPair | str:
    """The pair; or that its prompt has the very same already, of an answer that was mended beside two others."""
    if isinstance(pair, str):
        return pair
    sides = pair["chosen"]["completion"], pair["rejected"]["completion"]
    if sides in seen:
        return "reviewed_already"
    seen.add(sides)
    return pair


def _couple(pair: StoredPair) -> frozenset[CompletionId]:
    return frozenset((pair["chosen"]["completion"], pair["rejected"]["completion"]))


def _confirmed(said: Heard, pair: StoredPair) -> StoredPair:
    """A pair that people see as the judges do: all that it rested on stands beside what people said."""
    before, known = pair["provenance"], _said(said, REVIEW)
    earlier = before.get("said", [])
    assert isinstance(earlier, list)
    assert isinstance(known["said"], list)
    both = {"rule": REVIEW, "judged_by": before.get("rule"), "said": [*earlier, *known["said"]]}
    return {**pair, "provenance": {**before, **both}}


def _said(said: Heard, rule: str) -> dict[str, Json]:
    """Who said what, so that it can be looked up: numbers are places in the log of reviews."""
    votes: list[Json] = [
        {
            "rule": EDIT if one.said is Said.EDIT else REVIEW,
            "by": one.reviewer,
            "said": one.said.value,
            "preferred": one.preferred,
            "others": [ident for ident in (one.first, one.second) if ident != one.preferred],
            "review": one.number,
        }
        for one in said.reviews
    ]
    return {"strategy": "reviewed", "rule": rule, "said": votes}
