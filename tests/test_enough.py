"""When there are enough pairs, when a run does not pay, and how many prompts are taken until then."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pairsmith.enough import KNOWN_FROM, Enough


def seen(kinds: str, target: int | None = None, min_yield: float | None = None) -> Enough:
    """p is a pair, a an abstention, f a failure: what the first prompts came to."""
    enough = Enough(target, min_yield)
    for ordinal, kind in enumerate(kinds):
        enough.settled(ordinal, {"p": "pair", "a": "abstained", "f": "failed"}[kind], int(kind == "p"))
    return enough


# --- who is taken ------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    wanted=st.integers(1, 120),
    share=st.floats(0.1, 1.0),
    width=st.integers(1, 200),
    hasty=st.booleans(),
    seed=st.integers(0, 999),
)
def test_it_never_waits_for_nothing_and_what_is_in_flight_at_the_end_is_bounded(
    wanted: int, share: float, width: int, hasty: bool, seed: int
) -> None:
    """Prompts settle in any order; `hasty`: those that give no pair settle first."""
    rng, enough, flying, taken, bound = Random(seed), Enough(wanted), dict[int, bool](), 0, 0.0
    while not enough.reached:
        while len(flying) < width and enough.takes():
            flying[taken], taken = rng.random() < share, taken + 1
            known = enough.gained if enough.gained.n >= KNOWN_FROM else None
            most = known.high if known and known.high else 1.0
            bound = 1 + (wanted - enough.pairs) * (1 / most - 1)
        assert flying  # else it would wait for ever
        ready = [ordinal for ordinal, pair in flying.items() if not pair] if hasty else []
        ordinal = rng.choice(ready or sorted(flying))
        gave = flying.pop(ordinal)
        enough.settled(ordinal, "pair" if gave else "abstained", int(gave))
        enough.ended()

    assert enough.pairs == wanted
    assert len(flying) <= bound


def test_without_a_target_every_prompt_is_taken() -> None:
    enough = seen("p" * 100)

    assert all(enough.takes() for _ in range(1000))


def test_the_prompts_that_measure_the_judges_are_taken_even_for_one_pair() -> None:
    enough = Enough(target=1)
    enough.least = 32

    assert [enough.takes() for _ in range(33)] == [True] * 32 + [False]


def test_a_stopping_run_lets_everybody_go() -> None:
    enough = Enough(target=1)
    assert [enough.takes(), enough.takes()] == [True, False]

    enough.release()

    assert enough.takes()


# --- what counts -------------------------------------------------------------------------------------


def test_a_prompt_counts_once_by_what_it_came_to_last() -> None:
    enough = seen("paf")
    enough.settled(2, "pair", 1)
    enough.settled(0, "", 0)
    enough.settled(0, "abstained", 0)

    assert (enough.pairs, enough.gained.n) == (1, 3)


def test_what_failed_is_no_yield() -> None:
    assert seen("pafff").gained.rate == 0.5


# --- why it ends -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kinds", "poor"),
    [
        ("a" * 49, False),  # too few to know
        ("a" * 50, True),
        ("p" * 5 + "a" * 45, False),  # 10 %, and up to 21 %
        ("p" * 4 + "a" * 46, True),  # 8 %, and up to 18.8 %
        ("p" * 4 + "a" * 45 + "f" * 60, False),
    ],
)
def test_a_run_does_not_pay_once_even_the_upper_end_of_its_yield_is_too_low(kinds: str, poor: bool) -> None:
    assert (seen(kinds, min_yield=0.2).poor is not None) == poor


def test_that_it_does_not_pay_is_told_with_the_interval() -> None:
    why = seen("p" * 4 + "a" * 46, min_yield=0.2).poor

    assert why is not None
    assert why.reason == "min_yield"
    assert "4 of 50 settled prompts gave a pair, 8.0 % (95 %: 3.2–19), and --min-yield is 0.2" in why.sentence


@pytest.mark.parametrize(
    ("kinds", "target", "said"),
    [
        ("p" * 914 + "a" * 186, 2000, "914 of 2,000 pairs; add about 1,400 prompts"),
        ("p" * 3 + "a", 4, "3 of 4 pairs; add about 2 prompts"),
        ("a" * 7, 4, "none of 7 gave a pair"),
        ("pp" + "f" * 3, 4, "2 of 4 pairs; add about 2 prompts; the 3 that failed are asked again on the next run"),
    ],
)
def test_prompts_that_are_used_up_say_how_many_are_missing(kinds: str, target: int, said: str) -> None:
    why = seen(kinds, target).used_up

    assert why is not None
    assert why.reason == "prompts_used_up"
    assert said in why.sentence


@pytest.mark.parametrize(("kinds", "target"), [("pp", 2), ("pa", None), ("fff", 2), ("", 1)])
def test_nothing_is_missing_without_a_target_or_above_it_and_failures_speak_for_themselves(
    kinds: str, target: int | None
) -> None:
    assert seen(kinds, target).used_up is None
