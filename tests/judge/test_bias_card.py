"""The bias card: counted from what outcomes keep, and loud only where the whole interval is beyond the bar."""

from __future__ import annotations

from typing import Any

import pytest

from pairsmith.judge.bias import BiasCard, bias_card
from pairsmith.judge.families import family_of


def body(
    lengths: dict[str, int],
    verdicts: list[dict[str, Any]],
    pair: tuple[str, str] | None = None,
    unreadable: int = 0,
    arms: dict[str, str] | None = None,
) -> dict[str, Any]:
    arm = arms or {}
    found: dict[str, Any] = {
        "completions": [[ident, arm.get(ident, "plain"), length, "m"] for ident, length in lengths.items()],
        "verdicts": verdicts,
        "unreadable": unreadable,
    }
    if pair:
        chosen, rejected = pair
        found["pair"] = {
            "chosen": {"completion": chosen, "arm": arm.get(chosen, "plain")},
            "rejected": {"completion": rejected, "arm": arm.get(rejected, "plain")},
        }
    return found


def scored(judge: str, **points: float) -> list[dict[str, Any]]:
    return [{"judge": judge, "completion": ident, "score": value, "call": ident} for ident, value in points.items()]


def duel(first: str, second: str, winner: str | None, judge: str = "j") -> dict[str, Any]:
    return {"judge": judge, "first": first, "second": second, "winner": winner, "call": first}


def test_nothing_settled_gives_a_card_without_rates_or_warnings() -> None:
    card = bias_card([])

    assert card.conflicts.n == card.chosen_longer.n == 0
    assert card.warnings() == []


def test_the_longer_one_wins_is_counted_for_pairs_judges_and_their_average() -> None:
    card = bias_card([body({"x": 10, "y": 90}, [*scored("a", x=8, y=3), *scored("b", x=4, y=9)], pair=("x", "y"))])

    assert card.chosen_longer.rate == 0
    assert card.judges["a"].longer_wins.rate == 0
    assert card.judges["b"].longer_wins.rate == 1
    assert card.average_longer_wins.n == 0  # 6 and 6: no order
    assert card.agreement["a, b"].rate == 0


def test_equal_points_are_ties_and_nothing_else() -> None:
    card = bias_card([body({"x": 10, "y": 90}, scored("a", x=5, y=5))])

    assert (card.judges["a"].ties.rate, card.judges["a"].longer_wins.n) == (1, 0)


def test_two_orders_that_disagree_are_one_conflict() -> None:
    said = [duel("x", "y", "x"), duel("y", "x", "y")]

    card = bias_card([body({"x": 10, "y": 10}, said)])

    assert (card.conflicts.rate, card.conflicts.n) == (1, 1)
    assert card.judges["j"].first_wins.rate == 1


def test_a_comparison_in_one_order_only_is_no_conflict() -> None:
    assert bias_card([body({"x": 10, "y": 10}, [duel("x", "y", "y")])]).conflicts.n == 0


def test_rankings_conflict_when_first_or_last_differ() -> None:
    def ranking(*order: str) -> dict[str, Any]:
        return {"judge": "j", "shown": list(order), "order": list(order), "call": "r"}

    agreeing = body({}, [ranking("x", "y", "z"), ranking("x", "y", "z")])
    differing = body({}, [ranking("x", "y", "z"), ranking("x", "z", "y")])

    assert bias_card([agreeing, differing]).conflicts.rate == 0.5


def test_unreadable_replies_are_a_share_of_all_replies() -> None:
    card = bias_card([body({"x": 1, "y": 2}, scored("a", x=1, y=2), unreadable=2)])

    assert (card.unreadable.rate, card.unreadable.n) == (0.5, 4)


def test_a_check_is_no_reply() -> None:
    assert bias_card([body({"x": 1, "y": 2}, scored("check:r.py:f", x=1, y=2))]).unreadable.n == 0


def test_arms_count_sides_and_win_only_against_others() -> None:
    arms = {"x": "hot", "y": "cold", "z": "hot"}
    bodies = [
        body({"x": 5, "y": 6}, [], pair=("x", "y"), arms=arms),
        body({"x": 5, "z": 6}, [], pair=("x", "z"), arms=arms),
    ]

    found = bias_card(bodies).arms

    assert (found["hot"].completions, found["hot"].chosen, found["hot"].rejected) == (3, 2, 1)
    assert (found["hot"].wins.rate, found["hot"].wins.n) == (1, 1)


def longer_chosen(times: int, of: int) -> BiasCard:
    sides = [("x", "y")] * times + [("y", "x")] * (of - times)
    return bias_card(body({"x": 90, "y": 10}, [], pair=side) for side in sides)


@pytest.mark.parametrize(("times", "loud"), [(75, False), (90, True)])
def test_length_is_warned_of_when_the_whole_interval_is_beyond(times: int, loud: bool) -> None:
    assert any("longer" in sentence for sentence in longer_chosen(times, 100).warnings()) == loud


def test_a_judge_that_goes_by_the_place_is_named() -> None:
    bodies = [body({"x": 10, "y": 10}, [duel("x", "y", "x"), duel("y", "x", "y")]) for _ in range(20)]

    said = " ".join(bias_card(bodies).warnings())

    assert "judge j prefers the answer that it is shown first" in said
    assert "contradict each other" in said


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("gpt-5.4-mini", "GPT"),
        ("o3", "GPT"),
        ("Qwen/Qwen3-8B", "Qwen"),
        ("meta-llama/Llama-3.3-70B-Instruct-Turbo", "Llama"),
        ("claude-sonnet-4-6", "Claude"),
        ("mistralai/Mistral-Small-3.2-24B-Instruct-2506", "Mistral"),
        ("google/gemma-3-27b-it", "Gemini"),
        ("our-own-model", None),
        ("sim-judge", None),
    ],
)
def test_a_family_is_told_by_the_models_name(model: str, family: str | None) -> None:
    assert family_of(model) == family
