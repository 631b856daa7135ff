"""What answers are taken to say of a parameter: what must hold whatever they are."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairsmith.capabilities import Finding, Support
from pairsmith.concluding import Heat, bounded, counted, likely, narrowed, penalised, seeded, shaped, temperature
from pairsmith.records import Failure, FailureKind, Outcome, Reply, RequestId
from pairsmith.wire.probe import Answer

HOT = Heat(1.5, "…", 2, varies=True)
TEXTS = st.text("abcdefgh", min_size=12, max_size=20)
REFUSED = Failure(RequestId("r"), FailureKind.PERMANENT, "bad_request", "no such thing", 400)


def replies(*texts: str) -> list[Outcome]:
    return [Reply(RequestId("r"), text, "stop") for text in texts]


def findings(outcomes: Sequence[Outcome]) -> list[Finding]:
    """All that these answers say, to whatever question they came."""
    return [
        temperature(HOT, outcomes),
        narrowed(HOT, "top_k = 1", outcomes),
        seeded(HOT, outcomes, outcomes[:1]),
        penalised(outcomes, outcomes[:1]),
        shaped({}, outcomes),
    ]


@given(text=TEXTS, odd=TEXTS, many=st.integers(2, 6), place=st.integers(0, 6))
def test_one_odd_answer_never_makes_a_parameter_ignored(text: str, odd: str, many: int, place: int) -> None:
    outcomes = replies(*[text] * many)
    outcomes.insert(place, replies(odd)[0])

    assert narrowed(HOT, "top_k = 1", outcomes).support is not Support.IGNORED
    assert seeded(HOT, outcomes, replies(odd)).support is not Support.IGNORED
    assert temperature(HOT, outcomes).support is not Support.IGNORED


@pytest.mark.parametrize("text", ["", "   ", "<think>so what would"])
def test_answers_that_end_within_their_thoughts_say_nothing(text: str) -> None:
    supports = {found.support for found in findings(replies(*[text] * 6))}

    assert supports <= {Support.UNKNOWN, Support.ACCEPTED}


@given(texts=st.lists(TEXTS, min_size=3, max_size=6, unique_by=lambda text: text[0]))
def test_answers_that_differ_from_the_first_letter_on_show_that_it_is_ignored(texts: list[str]) -> None:
    assert narrowed(HOT, "top_k = 1", replies(*texts)).support is Support.IGNORED


@given(text=TEXTS, many=st.integers(3, 6))
def test_nothing_is_told_where_the_endpoint_gives_one_text_anyhow(text: str, many: int) -> None:
    cold = Heat(1.5, "…", 4, varies=False)

    assert narrowed(cold, "top_k = 1", replies(*[text] * many)).support is Support.ACCEPTED


@given(values=st.sets(st.integers(0, 100), min_size=2), bound=st.integers(0, 100))
def test_a_bound_lies_between_what_was_taken_and_what_was_refused(values: set[int], bound: int) -> None:
    tried = [(value, replies("yes")[0] if value <= bound else REFUSED) for value in sorted(values)]

    found = bounded(None, tried)

    for value, outcome in tried:
        out = found.support is Support.REFUSED or found.excludes(value)
        assert out == (outcome is REFUSED)


def test_too_few_choices_and_no_log_probabilities_are_seen_twice_before_they_are_called_ignored() -> None:
    (one,) = replies("text")

    assert counted(2, [Answer(one, 1)]).support is Support.UNKNOWN
    assert counted(2, [Answer(one, 1)] * 2).support is Support.IGNORED
    assert likely([one]).support is Support.UNKNOWN
    assert likely([one, one]).support is Support.IGNORED
