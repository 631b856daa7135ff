from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pairsmith.judge.rates import share
from pairsmith.planning.targets import target


def test_a_yield_of_half_needs_twice_the_prompts() -> None:
    found = target(100, share(50, 100), prompts=150)

    assert found is not None
    assert (found.likely, found.missing) == (200, 50)


def test_without_a_settled_prompt_or_a_pair_nothing_is_said() -> None:
    assert target(100, share(0, 0), prompts=10) is None
    assert target(100, share(0, 20), prompts=10) is None


@given(st.integers(1, 10**6), st.integers(1, 300), st.integers(0, 300), st.integers(1, 10**6))
def test_the_prompts_needed_lie_in_their_interval(pairs: int, hits: int, misses: int, prompts: int) -> None:
    found = target(pairs, share(hits, hits + misses), prompts)

    assert found is not None
    assert pairs <= found.least <= found.likely
    assert found.most is not None
    assert found.likely <= found.most
    assert found.missing == max(0, found.likely - prompts)
