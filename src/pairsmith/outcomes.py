"""What a stored outcome keeps of one prompt: written once it is settled, and read back as the records it was made of.

Texts stay with their replies; here stand ids, arms, flags, verdicts and the pair. Pure. Called by steps.py, which
writes it, and by whatever reads outcomes: repairing.py, dataset.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypedDict, cast

from pairsmith.pair.outlook import GateEvidence
from pairsmith.records import (
    Completion,
    CompletionId,
    Duel,
    EndpointName,
    Flag,
    Json,
    Pair,
    Prompt,
    PromptId,
    Ranking,
    RequestId,
    Score,
)


class StoredSide(TypedDict):
    """One side of a stored pair."""

    completion: CompletionId
    arm: str
    model: str | None
    span: list[int] | None
    simulated: bool


class StoredPair(TypedDict):
    """A stored pair."""

    chosen: StoredSide
    rejected: StoredSide
    gap: float | None
    judges: list[EndpointName]
    provenance: dict[str, Json]


# --- writing --------------------------------------------------------------------------------------


def evidence_of(
    completions: Sequence[Completion],
    scores: Sequence[Score] = (),
    duels: Sequence[Duel] = (),
    rankings: Sequence[Ranking] = (),
) -> dict[str, Json]:
    """What is kept of a prompt that has come to its end, whatever it came to."""
    flags = Counter(flag.value for completion in completions for flag in completion.flags)
    return {
        "flags": dict(flags),
        "tokens": sum(completion.usage.output_tokens or 0 for completion in completions),
        "simulated": any(completion.simulated for completion in completions),
        "completions": [_usable(one) for one in completions if not one.flags],
        "arms": of_arms(completions),
        "verdicts": _said(scores, duels, rankings),
    }


def _usable(one: Completion) -> Json:
    """Id, arm, characters, model, the span of its reply, its marks, and whether it is simulated."""
    return [one.id, one.arm, len(one.text), one.model, _span(one), [mark.value for mark in one.marks], one.simulated]


def of_arms(completions: Sequence[Completion]) -> list[Json]:
    """Of every completion, flagged ones too.

    Arm, flags, tokens in, out and cached, whether a sibling says it, id, and the span of its reply.
    """
    return [
        [
            one.arm,
            [flag.value for flag in one.flags],
            one.usage.input_tokens,
            one.usage.output_tokens,
            one.usage.cached_tokens,
            one.shared,
            one.id,
            _span(one),
        ]
        for one in completions
    ]


def _span(one: Completion) -> Json:
    return list(one.span) if one.span else None


def _said(scores: Sequence[Score], duels: Sequence[Duel], rankings: Sequence[Ranking]) -> list[Json]:
    said: list[Json] = [
        {"judge": s.judge, "completion": s.completion, "score": s.value, "call": s.request_id} for s in scores
    ]
    said += [
        {"judge": d.judge, "first": d.first, "second": d.second, "winner": d.winner, "call": d.request_id}
        for d in dict.fromkeys(duels)
    ]
    said += [
        {"judge": r.judge, "shown": list[Json](r.shown), "order": list[Json](r.order), "call": r.request_id}
        for r in rankings
    ]
    return said


def family_row(prompt: Prompt, call: RequestId | None) -> dict[str, Json]:
    """The task family that a prompt was judged by, and the call that said so; nothing where there is neither.

    Of a call without a family it could not be had.
    """
    return {"family": [prompt.family or None, call]} if prompt.family or call else {}


def gate_row(evidence: GateEvidence) -> dict[str, Json]:
    """What the gate knows of a prompt, as an outcome keeps it."""
    return {"gap": evidence.gap, "chosen_mean": evidence.chosen_mean, "confirmed": evidence.confirmed}


def pair_rows(found: Pair, completions: Sequence[Completion]) -> dict[str, Json]:
    """The pair, and under `more_pairs` the further ones of the same prompt, where there are any."""
    by_id = {completion.id: completion for completion in completions}
    rows: dict[str, Json] = {"pair": _pair_row(found, by_id)}
    if found.further:
        rows["more_pairs"] = [_pair_row(one, by_id) for one in found.further]
    return rows


def _pair_row(found: Pair, by_id: Mapping[CompletionId, Completion]) -> dict[str, Json]:
    def side(ident: CompletionId) -> dict[str, Json]:
        one = by_id[ident]
        return {"completion": ident, "arm": one.arm, "model": one.model, "span": _span(one), "simulated": one.simulated}

    return {
        "chosen": side(found.chosen),
        "rejected": side(found.rejected),
        "gap": found.gap,
        "judges": list(found.judges),
        "provenance": dict(found.provenance),
    }


# --- reading --------------------------------------------------------------------------------------


def pairs_in(body: Mapping[str, Json]) -> list[StoredPair]:
    """The pairs of a stored outcome: none, one, or several."""
    if "pair" not in body:
        return []
    return [cast(StoredPair, body["pair"]), *cast("list[StoredPair]", body.get("more_pairs", []))]


class PlacedAs(NamedTuple):
    """The task family of a prompt, None where it is of none; `call`: the one that was asked for it, None: its row."""

    family: str | None
    call: RequestId | None = None


def family_in(prompt: Prompt, body: Mapping[str, Any]) -> PlacedAs:
    """The family that a prompt was judged by; of one that nobody judged, what its row says."""
    return PlacedAs(*body["family"]) if "family" in body else PlacedAs(prompt.family or None)


def placed_as(prompt: Prompt, body: Mapping[str, Any]) -> Prompt:
    """The prompt as it was settled: with the family that was asked for."""
    family, call = family_in(prompt, body)
    return prompt if family is None or call is None else replace(prompt, meta={**prompt.meta, "family": family})


def gate_evidence_in(body: Mapping[str, Json]) -> GateEvidence | None:
    """What a stored outcome says about the gate; None when its prompt never came to it."""
    gate = body.get("gate")
    return GateEvidence(**gate) if isinstance(gate, dict) else None  # type: ignore[arg-type]


def usable_ids(body: Mapping[str, Any]) -> list[CompletionId]:
    """The completions that could be a side."""
    return [row[0] for row in body.get("completions", ())]


def completions_in(
    body: Mapping[str, Any], prompt: PromptId, texts: Sequence[str], arms: Mapping[str, EndpointName]
) -> list[Completion]:
    """The completions that could be a side.

    Args:
        body: of a stored outcome.
        prompt: whose it is.
        texts: of `usable_ids`, in that order: the whole stored text of each.
        arms: by name, the endpoint of each.

    Raises:
        ValueError: an earlier version settled this prompt, and did not keep so much.
    """
    return [
        Completion(
            ident,
            prompt,
            text[slice(*span)] if span else text,
            arm,
            model,
            span=(span[0], span[1]) if span else None,
            simulated=simulated,
            endpoint=arms.get(arm),
            marks=tuple(map(Flag, marks)),
        )
        for (ident, arm, _, model, span, marks, simulated), text in zip(body["completions"], texts, strict=True)
    ]


def verdicts_in(body: Mapping[str, Any]) -> tuple[list[Score], list[Duel], list[Ranking]]:
    """The verdicts of a stored outcome; what judges wrote beside them stays with their replies."""
    scores, duels, rankings = list[Score](), list[Duel](), list[Ranking]()
    for said in body.get("verdicts", ()):
        judge, call = EndpointName(said["judge"]), RequestId(said["call"])
        if "score" in said:
            scores.append(Score(said["completion"], judge, said["score"], "", call))
        elif "winner" in said:
            duels.append(Duel(said["first"], said["second"], said["winner"], judge, "", call))
        else:
            rankings.append(Ranking(tuple(said["order"]), tuple(said["shown"]), judge, "", call))
    return scores, duels, rankings
