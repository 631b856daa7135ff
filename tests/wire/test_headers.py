"""The limits that real endpoints announce: what they say a minute is kept, what they say a day is not."""

import pytest

from pairsmith.wire.headers import Announced, announced


def limits(requests: tuple[str, str] | None = None, tokens: tuple[str, str] | None = None) -> dict[str, str]:
    """Headers of a limit and of when it is whole again."""
    said = {"requests": requests, "tokens": tokens}
    return {
        f"x-ratelimit-{word}-{what}": value
        for what, pair in said.items()
        if pair is not None
        for word, value in zip(("limit", "reset"), pair, strict=True)
        if value
    }


OPENAI = {
    "x-ratelimit-limit-requests": "5000",
    "x-ratelimit-limit-tokens": "450000",
    "x-ratelimit-remaining-requests": "4999",
    "x-ratelimit-remaining-tokens": "449984",
    "x-ratelimit-reset-requests": "12ms",
    "x-ratelimit-reset-tokens": "2ms",
}
OPENAI_DOCUMENTED = {
    "x-ratelimit-limit-requests": "60",
    "x-ratelimit-limit-tokens": "150000",
    "x-ratelimit-remaining-requests": "59",
    "x-ratelimit-remaining-tokens": "149984",
    "x-ratelimit-reset-requests": "1s",
    "x-ratelimit-reset-tokens": "6m0s",
}
GROQ = {
    "retry-after": "2",
    "x-ratelimit-limit-requests": "14400",
    "x-ratelimit-limit-tokens": "18000",
    "x-ratelimit-remaining-requests": "14370",
    "x-ratelimit-remaining-tokens": "17997",
    "x-ratelimit-reset-requests": "2m59.56s",
    "x-ratelimit-reset-tokens": "7.66s",
}


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        (OPENAI, Announced(5000.0, 450_000.0)),
        (OPENAI_DOCUMENTED, Announced(60.0, None)),
        (GROQ, Announced(None, 18_000.0)),
        ({}, Announced()),
        ({"content-type": "application/json", "retry-after": "20"}, Announced()),
    ],
)
def test_the_limits_of_real_endpoints_are_read(headers: dict[str, str], found: Announced) -> None:
    assert announced(headers) == found


@pytest.mark.parametrize(
    ("reset", "kept"),
    [
        ("6ms", True),
        ("1s", True),
        ("59.999s", True),
        ("1m0s", True),
        ("60", True),
        ("0s", True),
        ("1m2s", False),
        ("6m0s", False),
        ("2m59.56s", False),
        ("23h59m59s", False),
        ("1h0m0s", False),
        ("86400", False),
    ],
)
def test_a_limit_that_takes_longer_than_a_minute_to_be_whole_is_none_a_minute(reset: str, kept: bool) -> None:
    assert announced(limits(requests=("600", reset))) == Announced(600.0 if kept else None)
    assert announced(limits(tokens=("600", reset))) == Announced(None, 600.0 if kept else None)


def test_a_limit_without_a_word_on_when_it_is_whole_again_is_taken_as_one_a_minute() -> None:
    assert announced(limits(requests=("600", ""), tokens=("90000", ""))) == Announced(600.0, 90_000.0)


@pytest.mark.parametrize("limit", ["", "0", "-1", "unlimited", "inf", "nan", "1e3", "10, 10;w=60", "9" * 40, "½"])
def test_a_limit_that_is_no_positive_number_is_none(limit: str) -> None:
    assert announced({"x-ratelimit-limit-requests": limit, "x-ratelimit-limit-tokens": limit}) == Announced()


@pytest.mark.parametrize("reset", ["soon", "-5", "1x", "2026-11-01T00:00:00Z", "m", " "])
def test_a_reset_that_says_nothing_does_not_hide_the_limit(reset: str) -> None:
    assert announced(limits(requests=("600", reset))) == Announced(600.0)


def test_what_remains_is_no_limit() -> None:
    assert announced({"x-ratelimit-remaining-requests": "3", "x-ratelimit-reset-requests": "1s"}) == Announced()
