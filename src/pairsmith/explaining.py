"""Everything that a run folder knows of one prompt: its completions, its verdicts, and what it came to.

From the ledger alone, as data; every text and rationale is read again from what is stored. Called by the command line
(`explain`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

from pairsmith import measuring, pairing
from pairsmith.beside import Beside, Known, besides
from pairsmith.dataset import StoredArm, Texts, sampled_by, stored_arms
from pairsmith.judge.duel import LABELS
from pairsmith.judge.escalate import holds
from pairsmith.judge.rank import labels
from pairsmith.judge.settings import JudgeSettings
from pairsmith.judge.verdicts import (
    DuelVerdict,
    RankVerdict,
    ScoreVerdict,
    Unreadable,
    read_duel,
    read_ranking,
    read_score,
)
from pairsmith.ledger import Attempt, Ledger, Settled
from pairsmith.means import estimates
from pairsmith.outcomes import PlacedAs, StoredPair, family_in, pairs_in, verdicts_in
from pairsmith.pair.select import folded
from pairsmith.pair.settings import ANY_LANGUAGE
from pairsmith.pairing import Pairing
from pairsmith.recipe import Recipe
from pairsmith.records import (
    CompletionId,
    Flag,
    Noise,
    Prompt,
    Purpose,
    Reply,
    RequestId,
    Score,
)
from pairsmith.reviewing import Reviewing
from pairsmith.sample.screen import candidate_completion
from pairsmith.wire.stored import read_stored

_PLACES: tuple[tuple[Literal["chosen", "rejected"], int], ...] = (("chosen", -1), ("rejected", 1))


@dataclass(frozen=True, slots=True)
class Given:
    """One score of a completion, as its judge gave it; `rationale` "" where there is none.

    `points`: what the number counts as on the scale of points; None: it counts as none, as no scale is known for it.
    """

    judge: str
    kind: str  # chat, reward or check
    score: float
    points: float | None
    rationale: str
    call: str


@dataclass(frozen=True, slots=True)
class Answer:
    """One completion. `number` is what it is called here, from 1, the best first; `mean` None: it has no score.

    `endpoint` and `model`: who was asked, and who says that it answered; None: unknown, or it came with the prompt.
    `same_as`: of a repeat, the number of the one that keeps the text's place. `arm` "": nothing is settled yet.
    """

    number: int
    id: CompletionId
    arm: str
    endpoint: str | None
    model: str | None
    sampled: StoredArm
    text: str
    flags: tuple[str, ...]
    marks: tuple[str, ...]
    output_tokens: int | None
    mean: float | None
    scores: tuple[Given, ...]
    same_as: int | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """A duel or a ranking: completions by number, as shown; `said`: the winner (None: a tie), or the order."""

    judge: str
    shown: tuple[int, ...]
    labels: tuple[str, ...]  # under which they were shown, and the rationale speaks of them
    said: tuple[int, ...] | None
    rationale: str
    call: str


@dataclass(frozen=True, slots=True)
class Rung:
    """One judge of the panel, and the completions that it gave points or a number.

    `by`: which completions it is asked about: all; by value, whose verdict could change the pair; by distance, those
    `within` so many points of the best. `error`: how many points one verdict of it errs by; None: not measured.
    """

    judge: str
    kind: str
    scored: tuple[int, ...]
    by: str
    within: float | None
    error: float | None


@dataclass(frozen=True, slots=True)
class Vote:
    """What a person said: `preferred` over `others`, by number; None: a tie. `rule`: human, edit or review."""

    rule: str
    by: str
    preferred: int | None
    others: tuple[int, ...]
    said: str = ""  # of a review: preferred, tie, bad_prompt or edit
    note: str = ""
    edited: str | None = None  # of a review: the text that the preferred one was mended into


@dataclass(frozen=True, slots=True)
class Explained:
    """One prompt's whole evidence. `settled` None: it has come to nothing yet. `cost_usd` None: a price is unknown."""

    prompt: Prompt
    family: PlacedAs
    settled: Settled | None
    pairs: tuple[StoredPair, ...]
    answers: tuple[Answer, ...]
    rungs: tuple[Rung, ...]
    compared: tuple[Compared, ...]
    votes: tuple[Vote, ...]
    besides: tuple[Beside, ...]
    calls: int
    attempts: int
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    _numbers: Mapping[CompletionId, int] = field(repr=False)
    as_reviewed: tuple[StoredPair | str, ...] = ()  # what people's verdicts make of its pairs, see reviewing.py
    stands_for: tuple[Prompt, ...] = ()  # prompts that are nearly the same, and were left out for it

    def number(self, ident: CompletionId) -> int:
        """What a completion is called here; 0: an earlier version did not keep which it was."""
        return self._numbers.get(ident, 0)

    def numbers(self, idents: Sequence[CompletionId]) -> tuple[int, ...]:
        """The same of several."""
        return tuple(map(self.number, idents))


def rules_in(recipe: Recipe, ledger: Ledger, digest: str) -> Pairing:
    """How the outcomes of a run were settled, without the files that its [pair] table names: they need not be there.

    Args:
        recipe: that the folder was last run with.
        ledger: the run folder's.
        digest: of the work that the folder was run with last.
    """
    table = recipe.pair.model_copy(update={"tokenizer": None, "language": ANY_LANGUAGE})
    found = pairing.pairing_of(recipe.model_copy(update={"pair": table}), sampled_by(ledger, digest))
    named = {"tokenizer": recipe.pair.tokenizer, "language": recipe.pair.language}
    found = replace(found, settings=found.settings.model_copy(update=named))
    return pairing.measured(found, recipe, measuring.known_under(digest, ledger) or Noise())


def explained(
    prompt: Prompt, ledger: Ledger, digest: str, rules: Pairing, panel: JudgeSettings, reviewing: Reviewing
) -> Explained:
    """What the ledger knows of one prompt of its input.

    Args:
        prompt: it.
        ledger: the run folder's.
        digest: of the work that the folder was run with last.
        rules: of that work: how judges are weighed.
        panel: of that work: who is asked about what.
        reviewing: what people's reviews make of pairs.
    """
    settled = ledger.outcome(prompt.id, digest)
    body: Mapping[str, Any] = settled.body if settled else {}
    outcomes = {ident: read_stored(ident, stored) for ident, stored in ledger.stored(prompt.id).items()}
    unpaid = [RequestId(ident) for ident in body.get("unpaid", ()) if ident not in outcomes]
    attempts = ledger.attempts_at([*outcomes, *unpaid])
    known = Known(prompt, body, settled is not None and settled.kind != "failed", outcomes, attempts, rules)
    bare = Explained(
        prompt=prompt,
        family=family_in(prompt, body),
        settled=settled,
        pairs=tuple(pairs_in(body)),
        answers=(answers := _answers(known, ledger, digest)),
        rungs=(),
        compared=(),
        votes=(),
        besides=besides(known, {one.id for one in answers}, unpaid),
        **_paid(attempts),
        _numbers={one.id: one.number for one in answers},
        as_reviewed=tuple(reviewing.pairs(prompt, settled)) if settled and settled.kind != "failed" else (),
        stands_for=tuple(one.prompt for one in ledger.near_duplicates(prompt.id)),
    )
    return replace(bare, rungs=_rungs(bare, rules, panel), compared=_compared(bare, known), votes=_votes(bare, ledger))


def _paid(attempts: Sequence[Attempt]) -> dict[str, Any]:
    paid = [one for one in attempts if one.outcome == "ok"]
    unknown = any(one.cost_usd is None for one in paid)
    return {
        "calls": len({one.request for one in attempts}),
        "attempts": len(attempts),
        "input_tokens": sum(one.input_tokens or 0 for one in paid),
        "output_tokens": sum(one.output_tokens or 0 for one in paid),
        "cost_usd": None if unknown else sum(one.cost_usd or 0.0 for one in paid),
    }


# --- completions ------------------------------------------------------------------------------------


class _Row(NamedTuple):
    id: CompletionId
    arm: str
    flags: Sequence[str]
    tokens: int | None
    span: Sequence[int] | None


def _answers(known: Known, ledger: Ledger, digest: str) -> tuple[Answer, ...]:
    """All of them, flagged ones too: by their mean, then those without, the chosen first and the rejected last."""
    scores, _, _ = verdicts_in(known.body)
    means = estimates(known.rules.points(scores), known.rules.known)
    arms = stored_arms(ledger, digest)
    marks = {row[0]: tuple(row[5]) for row in known.body.get("completions", ()) if len(row) > 5}
    asked = {one.request: str(one.endpoint) for one in known.attempts}
    rows = _rows(known)
    place = {pair[side]["completion"]: at for pair in pairs_in(known.body) for side, at in _PLACES}
    rows.sort(
        key=lambda row: (
            -means[row.id].mean if row.id in means else 1.0,
            bool(row.flags),
            0 if row.id in means else place.get(row.id, 0),
            row.id,
        )
    )
    texts = Texts(ledger).of(known.prompt, [row.id for row in rows])
    answers = tuple(
        Answer(
            number=place,
            id=row.id,
            arm=row.arm,
            endpoint=asked.get(RequestId(row.id)),
            model=_model(row.id, known),
            sampled=arms.get(row.arm, {}),
            text=text[slice(*row.span)] if row.span else text,
            flags=tuple(row.flags),
            marks=marks.get(row.id, ()),
            output_tokens=row.tokens,
            mean=means[row.id].mean if row.id in means else None,
            scores=tuple(_given(score, known) for score in scores if score.completion == row.id),
        )
        for place, (row, text) in enumerate(zip(rows, texts, strict=True), start=1)
    )
    return tuple(replace(one, same_as=_kept(one, answers)) for one in answers)


def _rows(known: Known) -> list[_Row]:
    """Of each completion; where nothing is settled yet, of what was answered so far."""
    rows = known.body.get("arms", ())
    if rows and all(len(row) > 7 for row in rows):
        return [_Row(row[6], row[0], row[1], row[3], row[7]) for row in rows]
    arms = {row[0]: row[1] for row in known.body.get("completions", ())}  # of an earlier version
    given = [candidate_completion(known.prompt, one) for one in known.prompt.candidates]
    found = [
        _Row(one.id, one.arm, [flag.value for flag in one.flags if flag is not Flag.UNFINISHED], None, None)
        for one in given
    ]
    sampled = {one.request: one.output_tokens for one in known.attempts if one.purpose is Purpose.SAMPLE}
    for request, tokens in sampled.items():
        if isinstance(known.outcomes.get(request), Reply):
            found.append(_Row(CompletionId(request), arms.get(request, ""), [], tokens, None))
    return found


def _model(ident: CompletionId, known: Known) -> str | None:
    reply = known.outcomes.get(RequestId(ident))
    if isinstance(reply, Reply):
        return reply.model
    given = [candidate_completion(known.prompt, one) for one in known.prompt.candidates]
    return next((one.model for one in given if one.id == ident), None)


def _kept(one: Answer, answers: Sequence[Answer]) -> int | None:
    """The number of the answer whose text a duplicate repeats."""
    if Flag.DUPLICATE.value not in one.flags:
        return None
    others = (other for other in answers if Flag.DUPLICATE.value not in other.flags)
    return next((other.number for other in others if folded(other.text) == folded(one.text)), None)


def _given(score: Score, known: Known) -> Given:
    kind = known.rules.judges.get(score.judge, "chat")
    points = known.rules.known.points(score.judge, score.value) if known.rules.points([score]) else None
    rationale = _rationale(read_score(known.said(score.request_id)))
    return Given(score.judge, kind, score.value, points, rationale, score.request_id)


# --- verdicts ---------------------------------------------------------------------------------------


def _rationale(verdict: ScoreVerdict | DuelVerdict | RankVerdict | Unreadable) -> str:
    return "" if isinstance(verdict, Unreadable) else verdict.rationale


def _rungs(found: Explained, rules: Pairing, panel: JudgeSettings) -> tuple[Rung, ...]:
    """The judges in the panel's order, and what each gave a score."""
    if rules.protocol != "score":
        return ()
    by_value = panel.by_value and holds(rules.of_kind("chat"), rules.known)
    rungs = []
    for place, (judge, kind) in enumerate(rules.judges.items()):
        scored = tuple(one.number for one in found.answers if any(score.judge == judge for score in one.scores))
        noise = rules.known.judges.get(judge)
        error = None if noise is None else noise.variance**0.5
        by = "all" if place == 0 or kind == "check" else "value" if by_value else "distance"
        rungs.append(Rung(judge, kind, scored, by, panel.within(place) if by == "distance" else None, error))
    return tuple(rungs)


def _compared(found: Explained, known: Known) -> tuple[Compared, ...]:
    _, duels, rankings = verdicts_in(known.body)
    compared = []
    for duel in duels:
        rationale = _rationale(read_duel(known.said(duel.request_id), LABELS))
        said = None if duel.winner is None else (found.number(duel.winner),)
        shown = found.numbers((duel.first, duel.second))
        compared.append(Compared(duel.judge, shown, LABELS, said, rationale, duel.request_id))
    for one in rankings:
        names = labels(len(one.shown))
        rationale = _rationale(read_ranking(known.said(one.request_id), names))
        shown, order = found.numbers(one.shown), found.numbers(one.order)
        compared.append(Compared(one.judge, shown, names, order, rationale, one.request_id))
    return tuple(compared)


def _votes(found: Explained, ledger: Ledger) -> tuple[Vote, ...]:
    """What people said: in the input, then of pairs that they were shown."""
    votes = [
        Vote(
            one.rule, one.by, None if one.preferred is None else found.number(one.preferred), found.numbers(one.others)
        )
        for one in found.prompt.preferences
    ]
    for one in ledger.reviews():
        if one.prompt.id == found.prompt.id:
            winner = None if one.preferred is None else found.number(one.preferred)
            others = found.numbers([side for side in (one.first, one.second) if side != one.preferred])
            votes.append(Vote("review", one.reviewer, winner, others, one.said.value, one.note, one.edited))
    return tuple(votes)
