"""What each arm does: counted from what outcomes keep, and loud only where one arm supplies most of the rejected."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairsmith.judge.arms import ArmCard, ArmCounts, warnings
from pairsmith.records import Usage

Side = tuple[str, str]  # completion, arm


def body(*sides: Side, pair: tuple[Side, Side] | None = None, **scores: float) -> dict[str, Any]:
    """An outcome of these completions, all of which can be used; scores by completion."""
    found: dict[str, Any] = {
        "completions": [[ident, arm, 9, "m"] for ident, arm in sides],
        "arms": [[arm, [], 10, 20, None, False] for _, arm in sides],
        "verdicts": [{"judge": "j", "completion": ident, "score": value} for ident, value in scores.items()],
    }
    if pair:
        named = zip(("chosen", "rejected"), pair, strict=True)
        found["pair"] = {name: {"completion": ident, "arm": arm} for name, (ident, arm) in named}
    return found


def output_tokens(_: str, used: Usage) -> float | None:
    """A cost of a dollar a token."""
    return None if used.output_tokens is None else float(used.output_tokens)


def cards(*bodies: dict[str, Any], without_points: tuple[str, ...] = ()) -> dict[str, ArmCard]:
    counts = ArmCounts(without_points)
    assert list(counts.watching(bodies)) == list(bodies)
    return counts.cards((), output_tokens)


HOT, COLD, ALSO_HOT = ("x", "hot"), ("y", "cold"), ("z", "hot")


def test_an_arm_wins_only_against_others_and_its_shares_are_of_all_pairs() -> None:
    found = cards(body(HOT, COLD, pair=(HOT, COLD)), body(HOT, ALSO_HOT, pair=(HOT, ALSO_HOT)))

    hot = found["hot"]
    assert (hot.wins.rate, hot.wins.n, hot.losses.rate, found["cold"].losses.rate) == (1, 1, 0, 1)
    assert (hot.in_chosen.rate, hot.in_rejected.rate, found["cold"].in_rejected.rate) == (1, 0.5, 0.5)
    assert (hot.cost_usd, hot.cost_per_won_pair_usd) == (60, 60)
    assert (found["cold"].cost_usd, found["cold"].cost_per_won_pair_usd) == (20, None)


def test_flagged_completions_are_counted_with_their_flags_and_what_they_cost() -> None:
    found = body(HOT)
    found["arms"] += [["hot", ["cut_off", "duplicate"], 10, 5, None, True], ["cold", ["empty"], 10, 0, None, False]]

    arms = cards(found)

    assert (arms["hot"].completions, arms["hot"].usable, arms["hot"].cost_usd) == (2, 1, 25)
    assert arms["hot"].screened == {"cut_off": 1, "duplicate": 1}
    assert (arms["hot"].shared.rate, arms["cold"].shared.rate) == (0.5, 0)
    assert (arms["cold"].completions, arms["cold"].mean_score) == (1, None)


def test_a_completion_that_two_judges_saw_weighs_as_much_as_one_that_one_saw() -> None:
    found = body(HOT, ALSO_HOT, x=8, z=5)
    found["verdicts"].append({"judge": "second", "completion": "x", "score": 10})

    assert cards(found)["hot"].mean_score == 7  # of 9 and 5


def test_the_numbers_of_a_reward_model_are_no_points() -> None:
    found = body(HOT, x=8)
    found["verdicts"].append({"judge": "rm", "completion": "x", "score": -21.5})

    assert cards(found, without_points=("rm",))["hot"].mean_score == 8


def test_one_answer_without_a_token_count_makes_the_cost_of_its_arm_unknown_and_of_no_other() -> None:
    found = body(HOT, COLD)
    found["arms"].append(["hot", [], None, None, None, False])

    arms = cards(found)

    assert (arms["hot"].cost_usd, arms["cold"].cost_usd) == (None, 20)


def test_what_an_earlier_version_did_not_keep_is_unknown_and_not_zero() -> None:
    old = body(HOT, COLD, pair=(HOT, COLD), x=8)
    del old["arms"]

    hot = cards(old, body(HOT))["hot"]

    assert (hot.completions, hot.screened, hot.shared.rate, hot.cost_usd) == (None, None, None, None)
    assert (hot.usable, hot.mean_score, hot.wins.rate) == (2, 8, 1)


def test_an_arm_that_was_never_drawn_is_there_too() -> None:
    arms = ArmCounts().cards(["idle"], output_tokens)

    assert (arms["idle"].completions, arms["idle"].in_chosen.rate, arms["idle"].cost_usd) == (0, None, 0)


ARMS = st.sampled_from(["a", "b", "c"])


@given(st.lists(st.tuples(st.lists(ARMS, min_size=2, max_size=5), st.booleans())))
def test_completions_pairs_wins_and_losses_are_conserved(prompts: list[tuple[list[str], bool]]) -> None:
    bodies = []
    for arms, paired in prompts:
        sides = [(str(place), arm) for place, arm in enumerate(arms)]
        bodies.append(body(*sides, pair=(sides[0], sides[1]) if paired else None))

    found = cards(*bodies).values()

    assert sum(arm.completions or 0 for arm in found) == sum(len(arms) for arms, _ in prompts)
    for side in ("in_chosen", "in_rejected"):
        shares = sum(getattr(arm, side).rate or 0 for arm in found)
        assert shares == pytest.approx(float(any(paired for _, paired in prompts)))
    assert sum((arm.wins.rate or 0) * arm.wins.n for arm in found) == pytest.approx(
        sum((arm.losses.rate or 0) * arm.losses.n for arm in found)
    )


# --- the warning ------------------------------------------------------------------------------------


def rejected(poor: int, of: int, drawn: int = 1) -> dict[str, ArmCard]:
    """Pairs of two arms, of which `poor` is rejected so often; a third one is drawn and in no pair."""
    good, bad, idle = ("x", "good"), ("y", "poor"), ("z", "idle")
    sides = [(good, bad)] * poor + [(bad, good)] * (of - poor)
    return cards(*(body(good, *[bad] * drawn, idle, pair=pair) for pair in sides))


@pytest.mark.parametrize(
    ("poor", "of", "drawn", "loud"),
    [
        (19, 19, 1, False),  # too few to say
        (20, 20, 1, True),
        (60, 100, 1, True),  # 50.2 to 69.1 %
        (59, 100, 1, False),  # 49.2 to 68.1 %
        (79, 100, 3, True),  # 70.02 to 85.8 %, of 60 % of the completions
        (78, 100, 3, False),  # 68.9 to 85.0 %
    ],
)
def test_an_arm_is_named_when_the_whole_interval_says_that_most_of_the_rejected_are_its(
    poor: int, of: int, drawn: int, loud: bool
) -> None:
    said = warnings(rejected(poor, of, drawn), ())

    assert [sentence.split(" supplies")[0] for sentence in said] == (["arm poor"] if loud else [])


def test_with_a_persona_it_is_said_that_stripping_it_does_not_help() -> None:
    arms = rejected(40, 40)

    assert "strip does not help" not in warnings(arms, ["good"])[0]
    assert "strip does not help" in warnings(arms, ["poor"])[0]


def test_one_arm_alone_is_not_warned_of() -> None:
    assert warnings(cards(*[body(HOT, ALSO_HOT, pair=(HOT, ALSO_HOT))] * 30), ()) == []
