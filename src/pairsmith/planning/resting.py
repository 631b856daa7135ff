"""What each figure of a forecast rests on, in words. Called by forecast.py."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pairsmith.planning.figures import Band, Key
from pairsmith.planning.learnt import Known
from pairsmith.planning.priors import Typical
from pairsmith.planning.tokens import Rate
from pairsmith.records import EndpointName, Purpose
from pairsmith.work import Work


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a forecast was made from.

    `known` are the tokens, and `ratios` the calls, that the run so far shows; `settled` is the number of prompts that
    the latter rest on.
    """

    work: Work
    models: Mapping[EndpointName, Typical]
    rate: Rate
    known: Mapping[Key, Known]
    ratios: Mapping[Key, Band[float]]
    settled: int


def rests(key: Key, grounds: Grounds) -> tuple[Band[str], Band[str]]:
    """What the calls of one line rest on, and their tokens."""
    return _calls(key, grounds), _tokens(key, grounds)


def _calls(key: Key, grounds: Grounds) -> Band[str]:
    if key[1] is Purpose.SAMPLE:
        return Band("the recipe", "the recipe", "the recipe")
    if key in grounds.ratios:
        return _seen(f"the run's {grounds.settled:,} settled prompts")
    if key[1] is Purpose.REFERENCE:
        return Band("the recipe", "the recipe", "the recipe")
    if key[1] is Purpose.FAMILY:
        each = "one for each prompt whose row names no family"
        return Band(each, each, f"{each}, and replies that cannot be read")
    if key[1] is Purpose.RANK:
        return Band("two a prompt", "two a prompt", "two a prompt, and replies that cannot be read")
    return Band("no call is close", f"how far answers lie apart ({_apart(grounds)})", "every call is close")


def _seen(what: str) -> Band[str]:
    return Band("the low end of its 95 % interval", what, "the high end of its 95 % interval")


def _apart(grounds: Grounds) -> str:
    sampled = [grounds.models[arm.endpoint] for arm in grounds.work.arms] or list(grounds.models.values())
    return sampled[0].rests if sampled and sampled[0].spread else "an assumption"


def _tokens(key: Key, grounds: Grounds) -> Band[str]:
    endpoint, purpose = key
    if key in grounds.known:
        return _seen(f"the run's {grounds.known[key].answers:,} answers")
    model = grounds.models[endpoint]
    if grounds.work.endpoints[endpoint].kind == "reward":
        return Band(*[grounds.rate.rests] * 3)
    answers = purpose in (Purpose.SAMPLE, Purpose.REFERENCE)
    said = "one name" if purpose is Purpose.FAMILY else "one to three sentences (an assumption)"
    likely = model.rests if answers or model.chars_a_token else said
    thinks = model.thinking_tokens and grounds.work.endpoints[endpoint].reasoning != "off"
    likely += " and thoughts before it (an assumption)" if thinks else ""
    counted = "" if model.chars_a_token else f", {grounds.rate.rests}"
    return Band("answers half as long", f"{likely}{counted}", "answers as long as max_tokens")
