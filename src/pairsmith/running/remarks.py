"""What is to be said of a run, a sentence each: of its setting before it starts, and of its state once it has ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pairsmith.judge.families import family_of
from pairsmith.outcomes import gate_evidence_in
from pairsmith.pair.outlook import outlook

if TYPE_CHECKING:
    from pairsmith.ledger import Ledger
    from pairsmith.work import Work

CUT_OFF_SHARE = 0.05  # of the completions, above which it is said loudly


def of_setting(work: Work) -> list[str]:
    """What the user should know before anything is spent."""
    judges = {judge.model for judge in work.panel.judges if judge.kind != "check"}
    sampled = {work.endpoints[arm.endpoint].model for arm in work.arms}
    if own := sorted(judges & sampled):
        return [f"{own[0]} judges its own answers; judges tend to prefer their own: a judge of another family is safer"]
    families = {family_of(model) for model in sampled} - {None}
    biased = sorted(judge for judge in judges if family_of(judge) in families)
    if len(families) < 2 or not biased:  # with one sampler, a taste for its family hits all answers alike
        return []
    return [
        f"answers of {len(families)} model families compete, and judge {biased[0]} is of one of them ("
        f"{family_of(biased[0])}); judges tend to prefer their own: a judge of another family is safer"
    ]


def of_state(ledger: Ledger, work: Work) -> list[str]:
    """What the state of the run says: the gate's effect, and answers that were cut off."""
    said: list[str] = []
    gates = []
    completions = cut_off = unreadable = too_long = 0
    for _, settled in ledger.outcomes(work.digest):
        evidence = gate_evidence_in(settled.body)
        if evidence is not None:
            gates.append(evidence)
        completions += settled.completions
        too_long += settled.reason == "too_long_to_rank"
        body: dict[str, Any] = dict(settled.body)
        cut_off += body.get("flags", {}).get("cut_off", 0)
        unreadable += body.get("unreadable", 0)
    if gates:
        said.append(outlook(gates, work.pair).sentence())
    if work.recipe.sample and completions and cut_off / completions > CUT_OFF_SHARE:
        said.append(
            f"{cut_off / completions:.0%} of the completions were cut off by max_tokens = "
            f"{work.recipe.sample.max_tokens} and are in no pair: raise sample.max_tokens"
        )
    if unreadable:
        said.append(
            "1 reply of a judge could not be read as a verdict"
            if unreadable == 1
            else f"{unreadable:,} replies of judges could not be read as verdicts"
        )
    if too_long:
        said.append(
            f"{too_long:,} prompts have answers that are too long for one listwise prompt: raise judge.rank_max_chars "
            f"(now {work.recipe.judge.rank_max_chars:,} characters) if the judge's context holds more, or use score"
        )
    return said
